//! F1 to F6: errors of its own and of others, loops, deadlines, priorities.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use pinion_protocols::sbi::{SenderTimestamp, Timestamp, Value as _};
use pinion_scp::cause::Cause;
use pinion_scp::settings::{Limits, Settings};
use tokio::net::TcpListener;

use crate::support::{Client, Does, Producer, SCP, get, post, scp, settings, until};

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn f1_nothing_reachable_is_answered_by_the_scp() {
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request = get("/nudm-sdm/v1/x").header("3gpp-Sbi-Target-apiRoot", nobody().await).body("").unwrap();
    let answer = client.ask(request).await;
    assert_eq!(answer.status, 504);
    assert_eq!(answer.header("server"), "SCP-scp.example");
    assert_eq!(answer.cause(), "TARGET_NF_NOT_REACHABLE");
    assert_eq!(answer.problem("status"), 504);
    assert_eq!(answer.header("via"), "");
}

/// RFC 9110 9.3.2: its answer has no content, only the length that another method's would have.
#[tokio::test]
async fn f1_head_is_answered_without_content() {
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    for (name, value, status) in
        [("3gpp-Sbi-Target-apiRoot", nobody().await, 504), ("3gpp-Sbi-Message-Priority", "32".to_owned(), 400)]
    {
        let request = Request::head(format!("http://{SCP}/nudm-sdm/v1/x")).header(name, value);
        let answer = client.try_ask(request.body("").unwrap()).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.body.len()), (status, 0));
        assert!(answer.header("content-length").parse::<usize>().unwrap() > 0);
    }
}

#[tokio::test]
async fn f1_without_target_or_discovery_nobody_is_guessed() {
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let answer = client.ask(get("/nsmf-pdusession/v1/sm-contexts/1").body("").unwrap()).await;
    assert_eq!((answer.status, answer.cause().as_str()), (StatusCode::GATEWAY_TIMEOUT, "TARGET_NF_NOT_REACHABLE"));
}

#[tokio::test]
async fn f1_an_error_of_a_producer_is_relayed_with_via() {
    let producer = Producer::with(|seen| {
        let status = if seen.uri.ends_with("good") { 200 } else { 403 };
        let answer =
            Response::builder().status(status).header("server", "UDM-54804518-4191-46b3-955c-ac631f953ed8");
        Does::Answers(answer.body(Bytes::from_static(b"{\"cause\":\"MODIFICATION_NOT_ALLOWED\"}")).unwrap())
    })
    .await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let ask = async |path| {
        client.ask(get(path).header("3gpp-Sbi-Target-apiRoot", producer.root()).body("").unwrap()).await
    };
    let answer = ask("/bad").await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("via"), "SCP-scp.example");
    assert_eq!(answer.header("server"), "UDM-54804518-4191-46b3-955c-ac631f953ed8");
    assert_eq!(answer.body, b"{\"cause\":\"MODIFICATION_NOT_ALLOWED\"}");
    assert_eq!(ask("/good").await.header("via"), "");
}

/// TS 29.500 table 5.2.7.4-1, and the clauses of 6.10 and 6.11.
#[test]
fn f2_causes_go_with_their_statuses() {
    let table = [
        ("MANDATORY_QUERY_PARAM_MISSING", 400),
        ("MANDATORY_IE_INCORRECT", 400),
        ("OPTIONAL_IE_INCORRECT", 400),
        ("MANDATORY_IE_MISSING", 400),
        ("UNSPECIFIED_MSG_FAILURE", 400),
        ("NF_DISCOVERY_FAILURE", 400),
        ("INVALID_DISCOVERY_PARAM", 400),
        ("MISSING_ACCESS_TOKEN_INFO", 400),
        ("INVALID_API", 400),
        ("INVALID_MSG_FORMAT", 400),
        ("INVALID_QUERY_PARAM", 400),
        ("MANDATORY_QUERY_PARAM_INCORRECT", 400),
        ("OPTIONAL_QUERY_PARAM_INCORRECT", 400),
        ("MSG_LOOP_DETECTED", 400),
        ("SCP_REDIRECTION", 307),
        ("ACCESS_TOKEN_DENIED", 403),
        ("CCA_VERIFICATION_FAILURE", 403),
        ("NF_INSTANCE_MISMATCH", 403),
        ("SUBSCRIPTION_NOT_FOUND", 404),
        ("INCORRECT_LENGTH", 411),
        ("PAYLOAD_TOO_LARGE", 413),
        ("NF_CONGESTION_RISK", 429),
        ("INSUFFICIENT_RESOURCES", 500),
        ("UNSPECIFIED_NF_FAILURE", 500),
        ("SYSTEM_FAILURE", 500),
        ("NF_FAILOVER", 500),
        ("NF_SERVICE_FAILOVER", 500),
        ("MAX_SCP_HOPS_REACHED", 502),
        ("NF_CONGESTION", 503),
        ("TIMED_OUT_REQUEST", 504),
        ("TARGET_NF_NOT_REACHABLE", 504),
    ];
    assert_eq!(Cause::ALL.len(), table.len());
    for (name, status) in table {
        let cause = Cause::ALL.iter().find(|it| it.name() == name).unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(cause.status(), status, "{name}");
    }
}

#[tokio::test]
async fn f2_a_header_that_is_wrong_is_named() {
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    for (name, value) in [
        ("3gpp-Sbi-Target-apiRoot", "udm.example"),
        ("3gpp-Sbi-Message-Priority", "32"),
        ("3gpp-Sbi-Max-Rsp-Time", "soon"),
        ("3gpp-Sbi-Max-Forward-Hops", "many"),
        ("3gpp-Sbi-Sender-Timestamp", "yesterday"),
    ] {
        let answer = client.ask(get("/nudm-sdm/v1/x").header(name, value).body("").unwrap()).await;
        assert_eq!((answer.status, answer.cause().as_str()), (StatusCode::BAD_REQUEST, "OPTIONAL_IE_INCORRECT"));
        let params = answer.problem("invalidParams");
        assert_eq!(params[0]["param"], format!("header {}", name.to_ascii_lowercase()));
    }
}

/// Which of them was meant is nothing to guess (RFC 9110 5.3).
#[tokio::test]
async fn f2_of_several_targets_none_is_taken() {
    let producer = Producer::start().await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let (one, other) = (producer.root(), "http://other.example".to_owned());
    for targets in
        [vec![one.clone(), other.clone()], vec![one.clone(), one.clone()], vec![format!("{one}, {other}")]]
    {
        let mut request = get("/x");
        for target in &targets {
            request = request.header("3gpp-Sbi-Target-apiRoot", target);
        }
        let answer = client.ask(request.body("").unwrap()).await;
        let told = answer.problem("invalidParams")[0]["param"].as_str().map(str::to_lowercase);
        assert_eq!(
            (answer.status.as_u16(), answer.cause().as_str()),
            (400, "OPTIONAL_IE_INCORRECT"),
            "{targets:?}"
        );
        assert_eq!(told.as_deref(), Some("header 3gpp-sbi-target-apiroot"));
    }
    assert!(producer.seen().is_empty());
}

#[tokio::test]
async fn f5_what_comes_round_is_refused() {
    let producer = Producer::start().await;
    let mut told = settings();
    let running = scp(told.clone()).await;
    let client = Client::connect(running.address).await;
    let ask = async |client: &Client, via: &str| {
        let request = get("/x").header("3gpp-Sbi-Target-apiRoot", producer.root()).header("via", via).body("");
        client.ask(request.unwrap()).await
    };
    assert_eq!(ask(&client, "SCP-other.example").await.status, 200);
    assert_eq!(
        producer.only().headers.get_all("via").iter().collect::<Vec<_>>(),
        ["SCP-other.example", "SCP-scp.example"]
    );
    let answer = ask(&client, "SCP-other.example, SCP-scp.example").await;
    assert_eq!((answer.status, answer.cause().as_str()), (StatusCode::BAD_REQUEST, "MSG_LOOP_DETECTED"));
    told.statuses.looped = StatusCode::LOOP_DETECTED;
    let running = scp(told).await;
    let client = Client::connect(running.address).await;
    assert_eq!(ask(&client, "2.0 SCP-scp.example").await.status, 508);
    assert_eq!(producer.seen().len(), 1);
}

#[tokio::test]
async fn f5_a_target_that_is_this_scp_is_a_loop() {
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let answer =
        client.ask(get("/x").header("3gpp-Sbi-Target-apiRoot", "http://scp.example").body("").unwrap()).await;
    assert_eq!(answer.cause(), "MSG_LOOP_DETECTED");
}

#[tokio::test]
async fn f5_hops_are_counted_down_to_none() {
    let producer = Producer::start().await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let ask = async |hops: &str| {
        let request =
            get("/x").header("3gpp-Sbi-Target-apiRoot", producer.root()).header("3gpp-Sbi-Max-Forward-Hops", hops);
        client.ask(request.body("").unwrap()).await
    };
    assert_eq!(ask("3; nodetype=scp").await.status, 200);
    assert_eq!(producer.only().headers["3gpp-sbi-max-forward-hops"], "2; nodetype=scp");
    let answer = ask("0; nodetype=scp").await;
    assert_eq!((answer.status, answer.cause().as_str()), (StatusCode::BAD_GATEWAY, "MAX_SCP_HOPS_REACHED"));
    assert_eq!(producer.seen().len(), 1);
}

/// 6.10.10.2: hops are of a type of nodes, and SCPs count their own.
#[tokio::test]
async fn f5_hops_of_other_nodes_are_left_to_those() {
    for (said, forward_hops, told) in [
        (&["7; nodetype=sepp", "3; nodetype=scp"][..], None, &["2; nodetype=scp", "7; nodetype=sepp"][..]),
        (&["3; nodetype=scp", "7; nodetype=sepp"], None, &["2; nodetype=scp", "7; nodetype=sepp"]),
        (&["7; nodetype=sepp"], Some(4), &["4; nodetype=scp", "7; nodetype=sepp"]),
        (&["7; nodetype=sepp"], None, &["7; nodetype=sepp"]),
        (&[], Some(4), &["4; nodetype=scp"]),
    ] {
        let producer = Producer::start().await;
        let running = scp(Settings { forward_hops, ..settings() }).await;
        let mut request = get("/x").header("3gpp-Sbi-Target-apiRoot", producer.root());
        for hops in said {
            request = request.header("3gpp-Sbi-Max-Forward-Hops", *hops);
        }
        assert_eq!(Client::connect(running.address).await.ask(request.body("").unwrap()).await.status, 200);
        let headers = producer.only().headers;
        let seen: Vec<_> = headers.get_all("3gpp-sbi-max-forward-hops").iter().collect();
        assert_eq!(seen, told, "{said:?}");
    }
}

fn stamp(at: SystemTime) -> String {
    let milliseconds = u64::try_from(at.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    SenderTimestamp(Timestamp { milliseconds }).to_string()
}

#[tokio::test]
async fn f6_what_its_client_has_given_up_is_not_forwarded() {
    let producer = Producer::start().await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request = get("/x")
        .header("3gpp-Sbi-Target-apiRoot", producer.root())
        .header("3gpp-Sbi-Sender-Timestamp", stamp(SystemTime::now() - Duration::from_secs(5)))
        .header("3gpp-Sbi-Max-Rsp-Time", "4000")
        .body("")
        .unwrap();
    let answer = client.ask(request).await;
    assert_eq!((answer.status, answer.cause().as_str()), (StatusCode::GATEWAY_TIMEOUT, "TIMED_OUT_REQUEST"));
    assert!(producer.seen().is_empty());
}

#[tokio::test]
async fn f6_what_takes_longer_than_its_client_waits_is_given_up() {
    let producer = Producer::with(|_| Does::Hangs).await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request = get("/x")
        .header("3gpp-Sbi-Target-apiRoot", producer.root())
        .header("3gpp-Sbi-Max-Rsp-Time", "300")
        .body("");
    let answer = client.ask(request.unwrap()).await;
    assert_eq!((answer.status, answer.cause().as_str()), (StatusCode::GATEWAY_TIMEOUT, "TIMED_OUT_REQUEST"));
    assert_eq!(producer.seen().len(), 1);
}

/// TS 29.500 6.11.2.2: who sets the timestamp anew adjusts the time that is left.
#[tokio::test]
async fn f6_the_time_that_is_left_is_adjusted() {
    let producer = Producer::start().await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let sent = SystemTime::now() - Duration::from_secs(2);
    let request = get("/x")
        .header("3gpp-Sbi-Target-apiRoot", producer.root())
        .header("3gpp-Sbi-Sender-Timestamp", stamp(sent))
        .header("3gpp-Sbi-Max-Rsp-Time", "10000")
        .body("")
        .unwrap();
    client.ask(request).await;
    let seen = producer.only();
    let left: u64 = seen.headers["3gpp-sbi-max-rsp-time"].to_str().unwrap().parse().unwrap();
    let SenderTimestamp(again) =
        SenderTimestamp::parse(seen.headers["3gpp-sbi-sender-timestamp"].as_bytes()).unwrap();
    assert!(left <= 8_000, "{left}");
    let end =
        |from: SystemTime, wait: u64| from.duration_since(UNIX_EPOCH).unwrap().as_millis() + u128::from(wait);
    let again = UNIX_EPOCH + Duration::from_millis(again.milliseconds);
    assert!(end(again, left).abs_diff(end(sent, 10_000)) <= 2, "{again:?} {left}");
}

/// One request at a time: the most important of those that wait comes next, and one too many refuses the least important.
/// Its client said nothing of how long it waits: it is the SCP that has no room.
#[tokio::test]
async fn f7_who_waited_for_room_in_vain_is_told_so() {
    let producer = Producer::with(|_| Does::Hangs).await;
    let mut settings = settings();
    settings.limits = Limits { requests: 1, waiting: 3, ..Limits::default() };
    let running = scp(settings.clone()).await;
    let client = Client::connect(running.address).await;
    let ask = |client: Client| {
        let request = get("/x").header("3gpp-Sbi-Target-apiRoot", producer.root()).body("").unwrap();
        async move { client.ask(request).await }
    };
    let _first = tokio::spawn(ask(client.clone()));
    until(|| running.scp.parts().gate.load().0 == 1).await;
    settings.timeouts.response = Duration::from_millis(50);
    running.scp.apply(pinion_scp::Prepared::new(settings, None, None));
    let answer = ask(client).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (503, "NF_CONGESTION"));
}

#[tokio::test]
async fn f6_priority_orders_work_under_load() {
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let open = Arc::new(AtomicUsize::new(0));
    let producer = Producer::with({
        let (order, open) = (Arc::clone(&order), Arc::clone(&open));
        move |seen| {
            order.lock().unwrap().push(seen.uri.rsplit('/').next().unwrap().to_owned());
            // The first is answered when all others wait.
            while open.load(Ordering::SeqCst) == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            Does::Answers(Response::new(Bytes::new()))
        }
    });
    // Its own runtime: it blocks.
    let producer = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let producer = runtime.block_on(producer);
        (runtime, producer)
    })
    .join()
    .unwrap();
    let (runtime, producer) = producer;
    let mut settings = settings();
    settings.limits = Limits { requests: 1, waiting: 3, ..Limits::default() };
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let mut asked = Vec::new();
    for (waiting, priority) in [(0, "24"), (1, "31"), (2, "20"), (3, "5")] {
        let (client, root) = (client.clone(), producer.root());
        asked.push(tokio::spawn(async move {
            let request = get(&format!("/{priority}")).header("3gpp-Sbi-Target-apiRoot", root);
            client.ask(request.header("3gpp-Sbi-Message-Priority", priority).body("").unwrap()).await
        }));
        until(|| running.scp.parts().gate.load() == (1, waiting)).await;
    }
    let request =
        post("/0").header("3gpp-Sbi-Target-apiRoot", producer.root()).header("3gpp-Sbi-Message-Priority", "0");
    let last = tokio::spawn({
        let client = client.clone();
        async move { client.ask(request.body("").unwrap()).await }
    });
    let refused = asked.remove(1).await.unwrap();
    assert_eq!((refused.status, refused.cause().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "NF_CONGESTION"));
    assert_eq!(refused.header("retry-after"), "1");
    open.store(1, Ordering::SeqCst);
    for asked in asked {
        assert_eq!(asked.await.unwrap().status, 200);
    }
    assert_eq!(last.await.unwrap().status, 200);
    assert_eq!(*order.lock().unwrap(), ["24", "0", "5", "20"]);
    runtime.shutdown_background();
}
