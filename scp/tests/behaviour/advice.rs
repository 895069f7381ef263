//! F8: what clients say of other attempts, and what producers are told of them.

use bytes::Bytes;
use http::Response;

use crate::nrf::{Nrf, ONE, one_before_two, udm};
use crate::support::{Answer, Client, Does, Producer, get, post, scp, until};

/// Asks with a header where the first choice is gone and there is a second.
async fn ask(header: Option<(&str, &str)>) -> (Answer, Producer) {
    let (one, two) = (Producer::start().await, Producer::start().await);
    let nrf = Nrf::with(one_before_two(&one, &two).into()).await;
    let running = scp(nrf.settings()).await;
    one.kill();
    until(|| std::net::TcpStream::connect(one.address).is_err()).await;
    let mut request = get("/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    (Client::connect(running.address).await.ask(request.body("").unwrap()).await, two)
}

#[tokio::test]
async fn f8_another_attempt_says_that_it_is_one() {
    let (answer, two) = ask(None).await;
    assert_eq!(answer.status, 200);
    assert_eq!(two.only().headers["3gpp-sbi-request-info"], "retrans=true");
    let (_, two) = ask(Some(("3gpp-Sbi-Request-Info", "idempotency-key=5f"))).await;
    assert_eq!(two.only().headers["3gpp-sbi-request-info"], "idempotency-key=5f; retrans=true");
}

#[tokio::test]
async fn f8_a_client_that_wants_no_other_attempt_gets_none() {
    for header in [("3gpp-Sbi-Retry-Info", "no-retries"), ("3gpp-Sbi-Selection-Info", "reselection=false")] {
        let (answer, two) = ask(Some(header)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.cause().as_str()),
            (504, "TARGET_NF_NOT_REACHABLE"),
            "{header:?}"
        );
        assert!(two.seen().is_empty());
    }
}

#[tokio::test]
async fn f8_what_is_between_the_ends_goes_through() {
    let says = ("3gpp-sbi-response-info", "no-retry=true; nfset=set1.udmset.5gc.mnc012.mcc345");
    let producer = Producer::with(move |_| {
        Does::Answers(Response::builder().status(500).header(says.0, says.1).body(Bytes::new()).unwrap())
    })
    .await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let running = scp(nrf.settings()).await;
    let sent =
        [("3gpp-sbi-correlation-info", "imsi-345012123123123"), ("3gpp-sbi-request-info", "idempotency-key=5f")];
    let mut request = get("/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
    for (name, value) in sent {
        request = request.header(name, value);
    }
    let answer = Client::connect(running.address).await.ask(request.body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.header(says.0)), (500, says.1));
    let seen = producer.only();
    for (name, value) in sent {
        assert_eq!(seen.headers[name], value);
    }
}

/// By policy only: whoever wants to may try others otherwise.
#[tokio::test]
async fn f8_clients_are_told_where_there_is_nobody_else_to_try() {
    let told = "3gpp-Sbi-Response-Info";
    for (policy, failed, nobody) in
        [(false, String::new(), ""), (true, format!("nfinst={ONE}; no-retry=true"), "no-retry=true")]
    {
        let one = Producer::with(|seen| {
            if seen.method == "POST" {
                Does::Resets(h2::Reason::CANCEL)
            } else {
                Does::Answers(Response::new(Bytes::new()))
            }
        })
        .await;
        let nrf = Nrf::with(vec![udm(ONE, &one)]).await;
        let mut settings = nrf.settings();
        settings.retries.final_answers = policy;
        let running = scp(settings).await;
        let client = Client::connect(running.address).await;
        let find = |request: http::request::Builder| {
            request.header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body("").unwrap()
        };
        let answer = client.ask(find(post("/nudm-sdm/v2/x"))).await;
        assert_eq!((answer.status.as_u16(), answer.header(told)), (504, failed.as_str()));
        let answer = client.ask(get("/nudm-sdm/v2/x").body("").unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.header(told)), (504, nobody));
        // What is wrong with the request, and what is well, is none of it.
        let answer = client.ask(get("/x").header("3gpp-Sbi-Message-Priority", "32").body("").unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.header(told)), (400, ""));
        let answer = client.ask(find(get("/nudm-sdm/v2/x"))).await;
        assert_eq!((answer.status.as_u16(), answer.header(told)), (200, ""));
    }
}
