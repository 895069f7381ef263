//! R1 to R5: where a request goes, and what of it changes.

use http::Request;
use pinion_scp::api_root::ApiRoot;
use pinion_scp::settings::{NextHop, Plmn, Targets};

use crate::support::{Client, Producer, get, post, scp, settings};

/// The example of TS 29.500 6.10.2.4, with a producer that listens here.
#[tokio::test]
async fn r1_the_targets_api_root_replaces_the_scps() {
    let producer = Producer::start().await;
    let mut settings = settings();
    settings.identity.prefix = "/1/2/3".to_owned();
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let request = get("/1/2/3/nudm-sdm/v1/imsi-001010000000001/nssai")
        .header("3gpp-Sbi-Target-apiRoot", format!("{}/a/b/c", producer.root()))
        .header("accept", "application/json")
        .body("")
        .unwrap();
    assert_eq!(client.ask(request).await.status, 200);
    let seen = producer.only();
    assert_eq!(seen.uri, format!("{}/a/b/c/nudm-sdm/v1/imsi-001010000000001/nssai", producer.root()));
    assert!(!seen.headers.contains_key("3gpp-sbi-target-apiroot"));
    assert_eq!(seen.headers["accept"], "application/json");
}

/// RFC 9110 7.1: it is about a server, and no path that something can be put before.
#[tokio::test]
async fn r1_options_of_everything_stay_so() {
    let producer = Producer::start().await;
    let mut settings = settings();
    settings.identity.prefix = "/1/2/3".to_owned();
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let star = http::Uri::builder().scheme(crate::support::scheme()).authority(crate::support::SCP);
    let request = Request::options(star.path_and_query("*").build().unwrap())
        .header("3gpp-Sbi-Target-apiRoot", format!("{}/a/b/c", producer.root()));
    assert_eq!(client.ask(request.body("").unwrap()).await.status, 200);
    let seen = producer.only();
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("OPTIONS", "*"));
}

#[tokio::test]
async fn r1_the_cache_key_is_taken_out_of_the_query() {
    let producer = Producer::start().await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    for (asked, forwarded) in [
        ("/nudm-sdm/v1/x?ck=1f", "/nudm-sdm/v1/x"),
        ("/nudm-sdm/v1/x?a=1&ck=1f&b=2", "/nudm-sdm/v1/x?a=1&b=2"),
        ("/nudm-sdm/v1/x?ck2=1", "/nudm-sdm/v1/x?ck2=1"),
    ] {
        let request = get(asked).header("3gpp-Sbi-Target-apiRoot", producer.root()).body("").unwrap();
        client.ask(request).await;
        assert_eq!(producer.seen().last().unwrap().uri, format!("{}{forwarded}", producer.root()));
    }
}

/// Nothing but what the clauses name differs: headers, content, trailers.
#[tokio::test]
async fn r1_everything_else_arrives_as_it_was_sent() {
    let producer = Producer::start().await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request = post("/nsmf-pdusession/v1/sm-contexts")
        .header("3gpp-Sbi-Target-apiRoot", producer.root())
        .header("content-type", "multipart/related; boundary=x")
        .header("3gpp-sbi-message-priority", "7")
        .header("3gpp-sbi-unknown", "kept")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .body("--x\r\n\r\nhello\r\n--x--")
        .unwrap();
    let mut wanted = request.headers().clone();
    client.ask(request).await;
    let mut seen = producer.only();
    wanted.remove("3gpp-sbi-target-apiroot");
    assert_eq!(seen.headers.remove("via").unwrap(), "SCP-scp.example");
    assert_eq!(seen.headers, wanted);
    assert_eq!(seen.body, b"--x\r\n\r\nhello\r\n--x--");
    assert_eq!(seen.method, "POST");
}

/// Example 2 of TS 29.500 6.10.2.4.
#[tokio::test]
async fn r2_callbacks_go_by_the_same_rules() {
    let producer = Producer::start().await;
    let mut settings = settings();
    settings.identity.prefix = "/1/2/3".to_owned();
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let request = post("/1/2/3/a/b/c/notification")
        .header("3gpp-Sbi-Target-apiRoot", producer.root())
        .header("3gpp-Sbi-Callback", "Nudm_SDM_Notification; apiversion=2")
        .body("{}")
        .unwrap();
    assert_eq!(client.ask(request).await.status, 200);
    let seen = producer.only();
    assert_eq!(seen.uri, format!("{}/a/b/c/notification", producer.root()));
    assert_eq!(seen.headers["3gpp-sbi-callback"], "Nudm_SDM_Notification; apiversion=2");
}

#[tokio::test]
async fn r3_another_scp_is_given_the_target_and_the_routing_binding() {
    let [far, other] = [Producer::start().await, Producer::start().await];
    let mut settings = settings();
    let root = ApiRoot::parse(&format!("{}/far", far.root())).unwrap();
    let targets = Targets::Domain("elsewhere.example".to_owned());
    settings.next_hops.push(NextHop { targets, api_root: root, delegate: false });
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let binding = "bl=nf-set; nfset=set1.udmset.5gc.mnc012.mcc345";
    for target in ["https://udm.elsewhere.example/p".to_owned(), other.root()] {
        let request = get("/nudm-sdm/v1/x?ck=1")
            .header("3gpp-Sbi-Target-apiRoot", target)
            .header("3gpp-Sbi-Routing-Binding", binding)
            .body("")
            .unwrap();
        assert_eq!(client.ask(request).await.status, 200);
    }
    let seen = far.only();
    assert_eq!(seen.uri, format!("{}/far/nudm-sdm/v1/x", far.root()));
    assert_eq!(seen.headers["3gpp-sbi-target-apiroot"], "https://udm.elsewhere.example/p");
    assert_eq!(seen.headers["3gpp-sbi-routing-binding"], binding);
    // Towards the NF itself it is taken away (6.12.1).
    assert!(!other.only().headers.contains_key("3gpp-sbi-routing-binding"));
}

/// This SCP discovered; the next is told whom (6.10.2.5).
#[tokio::test]
async fn r3_another_scp_is_given_the_target_that_was_discovered() {
    let [far, udm] = [Producer::start().await, Producer::start().await];
    let nrf = crate::nrf::Nrf::with(vec![crate::nrf::udm(crate::nrf::ONE, &udm)]).await;
    let mut settings = nrf.settings();
    let targets = Targets::Services(vec!["nudm-sdm".to_owned()]);
    let api_root = ApiRoot::parse(&far.root()).unwrap();
    settings.next_hops.push(NextHop { targets, api_root, delegate: false });
    let running = scp(settings).await;
    let request = get("/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body("").unwrap();
    let answer = Client::connect(running.address).await.ask(request).await;
    assert_eq!((answer.status.as_u16(), answer.header("3gpp-sbi-target-apiroot")), (200, udm.root().as_str()));
    let seen = far.only();
    assert_eq!(seen.headers["3gpp-sbi-target-apiroot"], udm.root());
    assert_eq!(seen.uri, format!("{}/nudm-sdm/v2/x", far.root()));
    assert!(udm.seen().is_empty());
}

#[tokio::test]
async fn r3_an_scp_that_discovers_is_given_the_discovery_factors() {
    let far = Producer::start().await;
    let mut settings = settings();
    let root = ApiRoot::parse(&far.root()).unwrap();
    settings.next_hops.push(NextHop { targets: Targets::All, api_root: root, delegate: true });
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let request = get("/nudm-sdm/v1/x")
        .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
        .header("3gpp-Sbi-Discovery-service-names", "nudm-sdm")
        .body("")
        .unwrap();
    assert_eq!(client.ask(request).await.status, 200);
    let seen = far.only();
    assert_eq!(seen.headers["3gpp-sbi-discovery-target-nf-type"], "UDM");
    assert_eq!(seen.headers["3gpp-sbi-discovery-service-names"], "nudm-sdm");
    assert!(!seen.headers.contains_key("3gpp-sbi-target-apiroot"));
}

#[tokio::test]
async fn r4_another_network_is_reached_through_the_sepp() {
    let sepp = Producer::start().await;
    let mut settings = settings();
    settings.plmns.push(Plmn { mcc: "001".to_owned(), mnc: "001".to_owned() });
    settings.sepp = Some(ApiRoot::parse(&sepp.root()).unwrap());
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let target = "https://udm.5gc.mnc012.mcc345.3gppnetwork.org";
    let request = get("/nudm-sdm/v1/x").header("3gpp-Sbi-Target-apiRoot", target).body("").unwrap();
    assert_eq!(client.ask(request).await.status, 200);
    let seen = sepp.only();
    assert_eq!(seen.uri, format!("{}/nudm-sdm/v1/x", sepp.root()));
    assert_eq!(seen.headers["3gpp-sbi-target-apiroot"], target);
}

#[tokio::test]
async fn r5_a_client_that_does_not_know_of_the_scp_is_routed_by_authority() {
    let producer = Producer::start().await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let uri = format!("{}/nudm-sdm/v1/x?ck=kept", producer.root());
    let request = http::Request::get(&uri).body("").unwrap();
    assert_eq!(client.ask(request).await.status, 200);
    assert_eq!(producer.only().uri, uri);
}

/// RFC 9113 8.3.1: what was HTTP/1.1 before may have `Host` and no `:authority`, and is for whom that names.
#[tokio::test]
async fn r5_a_request_without_an_authority_is_routed_by_its_host() {
    let producer = Producer::start().await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let ask = |host: &str| {
        // Such a version has the client leave out `:authority`.
        let request = http::Request::get("/nudm-sdm/v1/x").version(http::Version::HTTP_11);
        client.ask(request.header("host", host).body("").unwrap())
    };
    let host = producer.root().strip_prefix("http://").unwrap().to_owned();
    assert_eq!(ask(&host).await.status, 200);
    let seen = producer.only();
    assert_eq!(seen.uri, format!("{}/nudm-sdm/v1/x", producer.root()));
    assert!(!seen.headers.contains_key("host"));
    let refused = ask("a user@b").await;
    assert_eq!((refused.status.as_u16(), refused.cause().as_str()), (400, "INVALID_MSG_FORMAT"));
}

/// 6.10.2.2: an SCP is no tunnel.
#[tokio::test]
async fn r1_connect_goes_nowhere() {
    let producer = Producer::start().await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request =
        Request::connect(producer.address.to_string()).header("3gpp-Sbi-Target-apiRoot", producer.root());
    assert_eq!(client.try_ask(request.body("").unwrap()).await.unwrap().status, 501);
    assert_eq!(running.scp.parts().pools.connections(), 0);
}

/// W3C Trace Context: what the client says of its trace is the producer's to read, right or wrong, where nobody here adds to it.
#[tokio::test]
async fn r1_the_context_of_a_trace_is_passed_as_it_is() {
    let producer = Producer::start().await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for context in [&[("traceparent", parent), ("tracestate", "a=1,b@c=2")][..], &[("traceparent", "x")], &[]] {
        let mut request = get("/x").header("3gpp-Sbi-Target-apiRoot", producer.root());
        for (name, value) in context {
            request = request.header(*name, *value);
        }
        client.ask(request.body("").unwrap()).await;
        let seen = producer.seen().pop().unwrap();
        for name in ["traceparent", "tracestate"] {
            let expected = context.iter().find(|(it, _)| *it == name).map(|(_, value)| *value);
            assert_eq!(seen.headers.get(name).map(|it| it.to_str().unwrap()), expected);
        }
    }
}
