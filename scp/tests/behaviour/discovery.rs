//! D1 to D7: who is found, remembered and chosen.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use pinion_scp::api_root::ApiRoot;
use pinion_scp::settings::{NextHop, Targets};
use serde_json::json;

use crate::nrf::{Nrf, ONE, TWO, one_before_two, udm};
use crate::support::{Client, Does, Producer, Running, get, post, scp, until};

/// What a consumer of model D sends.
fn ask() -> http::request::Builder {
    get("/nudm-sdm/v2/imsi-001010000000001/nssai")
        .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
        .header("3gpp-Sbi-Discovery-service-names", "nudm-sdm")
        .header("3gpp-Sbi-Discovery-requester-nf-type", "AMF")
}

async fn client(running: &Running) -> Client {
    Client::connect(running.address).await
}

#[tokio::test]
async fn d1_every_factor_goes_to_the_nrf_and_whoever_is_found_is_asked() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let running = scp(nrf.settings()).await;
    let request = ask()
        .header("3gpp-Sbi-Discovery-snssais", "[{\"sst\": 1, \"sd\": \"A08923\"}]")
        .header("3gpp-Sbi-Discovery-of-a-later-release", "x/y z");
    assert_eq!(client(&running).await.ask(request.body("").unwrap()).await.status, 200);
    let query = &nrf.searches()[0];
    for (name, value) in [
        ("target-nf-type", "UDM"),
        ("service-names", "nudm-sdm"),
        ("requester-nf-type", "AMF"),
        ("snssais", "[{\"sd\":\"A08923\",\"sst\":1}]"),
        ("of-a-later-release", "x/y z"),
    ] {
        assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
    }
    let seen = producer.only();
    assert_eq!(seen.uri, format!("{}/nudm-sdm/v2/imsi-001010000000001/nssai", producer.root()));
}

#[tokio::test]
async fn d1_the_nrf_that_the_client_names_is_asked() {
    let producer = Producer::start().await;
    let (configured, named) = (Nrf::start().await, Nrf::with(vec![udm(ONE, &producer)]).await);
    let running = scp(configured.settings()).await;
    let uri = format!("nnrf-disc: \"{}/nnrf-disc/v1/\"", named.producer.root());
    let request = ask().header("3gpp-Sbi-Nrf-Uri", uri).body("").unwrap();
    assert_eq!(client(&running).await.ask(request).await.status, 200);
    assert_eq!((configured.searches().len(), named.searches().len()), (0, 1));
}

#[tokio::test]
async fn d1_the_first_service_name_is_the_requested_one() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let running = scp(nrf.settings()).await;
    let request = get("/nudm-uecm/v1/x").header("3gpp-Sbi-Discovery-service-names", "nudm-uecm,nudm-sdm");
    let answer = client(&running).await.ask(request.body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (400, "NF_DISCOVERY_FAILURE"));
    assert_eq!(nrf.searches()[0]["service-names"], "nudm-uecm,nudm-sdm");
}

#[tokio::test]
async fn d1_a_factor_that_cannot_be_read_is_named() {
    let nrf = Nrf::start().await;
    let running = scp(nrf.settings()).await;
    let answer = client(&running).await.ask(ask().header("3gpp-Sbi-Discovery-tai", "{").body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (400, "INVALID_DISCOVERY_PARAM"));
    assert_eq!(answer.problem("invalidParams")[0]["param"], "header 3gpp-Sbi-Discovery-tai");
}

#[tokio::test]
async fn d2_another_major_version_is_no_api_of_the_producers() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let running = scp(nrf.settings()).await;
    let request = get("/nudm-sdm/v1/x").header("3gpp-Sbi-Discovery-service-names", "nudm-sdm").body("").unwrap();
    let answer = client(&running).await.ask(request).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (400, "INVALID_API"));
    assert_eq!(answer.header("server"), "SCP-scp.example");
    assert!(producer.seen().is_empty());
}

#[tokio::test]
async fn d3_features_that_nobody_has() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let running = scp(nrf.settings()).await;
    let client = client(&running).await;
    for (features, status) in [("4", 200), ("5", 200), ("2", 400)] {
        let request = ask().header("3gpp-Sbi-Discovery-required-features", features).body("").unwrap();
        let answer = client.ask(request).await;
        assert_eq!(answer.status, status, "{features}");
        if status == 400 {
            assert_eq!(answer.cause(), "NF_DISCOVERY_FAILURE");
        }
    }
    assert_eq!(nrf.searches()[0]["required-features"], "4");
}

/// Neither User-Agent nor requester-nf-type need be there, and the service is that of the path.
#[tokio::test]
async fn d4_model_c_by_set() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let running = scp(nrf.settings()).await;
    let client = client(&running).await;
    let set = "set1.udmset.5gc.mnc012.mcc345";
    for agent in [None, Some("SMF-54804518 smf1.example")] {
        let mut request = get("/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-set-id", set);
        request = request.header("3gpp-Sbi-Discovery-target-plmn-list", "[{\"mcc\":\"345\",\"mnc\":\"012\"}]");
        if let Some(agent) = agent {
            request = request.header("user-agent", agent);
        }
        let answer = client.ask(request.body("").unwrap()).await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("3gpp-sbi-producer-id").starts_with(&format!("nfinst={ONE}")));
    }
    let searches = nrf.searches();
    let requesters: Vec<_> = searches.iter().map(|it| it["requester-nf-type"].as_str()).collect();
    assert_eq!(requesters, ["SCP", "SMF"]);
    assert_eq!(searches[0]["target-nf-set-id"], set);
    assert_eq!(searches[0]["target-plmn-list"], "[{\"mcc\":\"345\",\"mnc\":\"012\"}]");
}

#[tokio::test]
async fn d5_cold_one_request_to_the_nrf_for_a_thousand_identical_ones() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let running = scp(nrf.settings()).await;
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let client = client(&running).await;
        for _ in 0..100 {
            let client = client.clone();
            waiting.spawn(async move { client.ask(ask().body("").unwrap()).await.status });
        }
    }
    while let Some(status) = waiting.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    assert_eq!((nrf.searches().len(), producer.seen().len()), (1, 1_000));
}

#[tokio::test]
async fn d5_what_does_not_hold_any_more_is_validated() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    nrf.knows.lock().unwrap().validity = 0;
    nrf.knows.lock().unwrap().etag = Some("\"1\"".to_owned());
    let mut settings = nrf.settings();
    settings.discovery.patience = Duration::from_secs(10);
    let running = scp(settings).await;
    let client = client(&running).await;
    for _ in 0..3 {
        assert_eq!(client.ask(ask().body("").unwrap()).await.status, 200);
    }
    let searches = nrf.asked("GET", "/nnrf-disc/");
    let validators: Vec<_> = searches.iter().map(|it| it.headers.get("if-none-match").cloned()).collect();
    let known = Some(http::HeaderValue::from_static("\"1\""));
    assert_eq!(validators, [None, known.clone(), known]);
    let other = Producer::start().await;
    nrf.knows.lock().unwrap().profiles = vec![udm(TWO, &other)];
    nrf.knows.lock().unwrap().etag = Some("\"2\"".to_owned());
    client.ask(ask().body("").unwrap()).await;
    assert_eq!((producer.seen().len(), other.seen().len()), (3, 1));
}

#[tokio::test]
async fn d5_an_old_answer_serves_while_the_nrf_is_away() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    nrf.knows.lock().unwrap().validity = 0;
    let mut settings = nrf.settings();
    settings.discovery.pause = Duration::ZERO;
    settings.discovery.patience = Duration::from_secs(10);
    let running = scp(settings).await;
    let client = client(&running).await;
    client.ask(ask().body("").unwrap()).await;
    nrf.knows.lock().unwrap().broken = Some(503);
    assert_eq!(client.ask(ask().body("").unwrap()).await.status, 200);
    nrf.producer.kill();
    assert_eq!(client.ask(ask().body("").unwrap()).await.status, 200);
    assert_eq!(producer.seen().len(), 3);
    let never = ask().header("3gpp-Sbi-Discovery-dnn", "never-asked").body("").unwrap();
    let answer = client.ask(never).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (504, "TARGET_NF_NOT_REACHABLE"));
}

#[tokio::test]
async fn d6_the_lowest_priority_and_another_where_it_fails() {
    let (one, two) = (Producer::start().await, Producer::start().await);
    let [first, second] = one_before_two(&one, &two);
    let nrf = Nrf::with(vec![second, first]).await;
    let running = scp(nrf.settings()).await;
    let client = client(&running).await;
    for _ in 0..20 {
        client.ask(ask().body("").unwrap()).await;
    }
    assert_eq!((one.seen().len(), two.seen().len()), (20, 0));
    one.kill();
    until(|| std::net::TcpStream::connect(one.address).is_err()).await;
    for _ in 0..20 {
        let answer = client.ask(ask().body("").unwrap()).await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("3gpp-sbi-producer-id").starts_with(&format!("nfinst={TWO}")));
    }
}

#[tokio::test]
async fn d7_the_client_is_told_whom_the_scp_chose() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let running = scp(nrf.settings()).await;
    let client = client(&running).await;
    let told = client.ask(ask().body("").unwrap()).await;
    let wanted = format!("nfinst={ONE}; nfservinst=sdm-1; nfset=set1.udmset.5gc.mnc012.mcc345");
    assert_eq!(told.header("3gpp-sbi-producer-id"), wanted);
    assert_eq!(told.header("3gpp-sbi-target-apiroot"), producer.root());
    let given = client.ask(ask().header("3gpp-Sbi-Target-apiRoot", producer.root()).body("").unwrap()).await;
    assert_eq!(given.header("3gpp-sbi-producer-id"), "", "the client knows whom it named");
}

#[tokio::test]
async fn d7_what_another_scp_says_of_the_producer_stays() {
    let says = format!("nfinst={TWO}");
    let producer = Producer::with(move |_| {
        Does::Answers(Response::builder().header("3gpp-sbi-producer-id", &says).body(Bytes::new()).unwrap())
    })
    .await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let running = scp(nrf.settings()).await;
    let answer = client(&running).await.ask(ask().body("").unwrap()).await;
    assert_eq!(answer.header("3gpp-sbi-producer-id"), format!("nfinst={TWO}"));
}

/// 6.10.3.3: the path is replaced by that of the callback which is registered for such notifications.
#[tokio::test]
async fn r2_notifications_by_default_go_to_who_registered_for_them() {
    let lmf = Producer::start().await;
    let callback = |path: &str| format!("{}{path}", lmf.root());
    let nrf = Nrf::with(vec![json!({
        "nfInstanceId": ONE, "nfType": "LMF", "nfStatus": "REGISTERED",
        "defaultNotificationSubscriptions": [
            {"notificationType": "N1_MESSAGES", "n1MessageClass": "5GMM", "callbackUri": callback("/n1/5gmm")},
            {"notificationType": "N1_MESSAGES", "n1MessageClass": "LPP", "callbackUri": callback("/n1/lpp?x=1")}
        ]
    })])
    .await;
    let running = scp(nrf.settings()).await;
    let request = post("/scp-default-sub-notify-uri")
        .header("3gpp-Sbi-Callback", "Namf_Communication_N1MessageNotify")
        .header("3gpp-Sbi-Discovery-target-nf-type", "LMF")
        .header("3gpp-Sbi-Discovery-notification-type", "N1_MESSAGES")
        .header("3gpp-Sbi-Discovery-n1-msg-class", "LPP")
        .body("{}")
        .unwrap();
    assert_eq!(client(&running).await.ask(request).await.status, 200);
    assert_eq!(lmf.only().uri, callback("/n1/lpp?x=1"));
    assert_eq!(nrf.searches()[0]["n1-msg-class"], "LPP");
}

/// 6.10.2.5: another SCP is on the way to the receiver, with a prefix of its own.
#[tokio::test]
async fn r3_notifications_by_default_go_by_another_scp_with_its_prefix() {
    let (lmf, far) = (Producer::start().await, Producer::start().await);
    let nrf = Nrf::with(vec![json!({
        "nfInstanceId": ONE, "nfType": "LMF", "nfStatus": "REGISTERED",
        "defaultNotificationSubscriptions": [
            {"notificationType": "N1_MESSAGES", "n1MessageClass": "LPP", "callbackUri": format!("{}/n1/lpp?x=1", lmf.root())}
        ]
    })])
    .await;
    let mut settings = nrf.settings();
    let api_root = ApiRoot::parse(&format!("{}/far", far.root())).unwrap();
    settings.next_hops.push(NextHop { targets: Targets::All, api_root, delegate: false });
    let running = scp(settings).await;
    let request = post("/scp-default-sub-notify-uri")
        .header("3gpp-Sbi-Callback", "Namf_Communication_N1MessageNotify")
        .header("3gpp-Sbi-Discovery-target-nf-type", "LMF")
        .header("3gpp-Sbi-Discovery-notification-type", "N1_MESSAGES")
        .header("3gpp-Sbi-Discovery-n1-msg-class", "LPP");
    assert_eq!(client(&running).await.ask(request.body("{}").unwrap()).await.status, 200);
    let seen = far.only();
    assert_eq!(seen.uri, format!("{}/far/n1/lpp?x=1", far.root()));
    assert_eq!(seen.headers["3gpp-sbi-target-apiroot"], lmf.root());
    assert!(lmf.seen().is_empty());
}

/// TS 29.510 5.3.2.2.2: an NRF lets an SCP not have what it lets others; who asks has not said that it is one of them.
#[tokio::test]
async fn f2_a_requester_of_no_type_that_the_nrf_refuses_is_told_what_is_missing() {
    let nrf = Nrf::start().await;
    nrf.knows.lock().unwrap().search = Some((403, json!({"status": 403})));
    let running = scp(nrf.settings()).await;
    let client = client(&running).await;
    let request = || get("/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
    let answer = client.ask(request().body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (400, "MANDATORY_IE_MISSING"));
    let named = answer.problem("invalidParams")[0]["param"].clone();
    assert_eq!(named, "header 3gpp-Sbi-Discovery-requester-nf-type");
    for (name, value) in [("3gpp-Sbi-Discovery-requester-nf-type", "AMF"), ("User-Agent", "amf-1")] {
        let answer = client.ask(request().header(name, value).body("").unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (400, "NF_DISCOVERY_FAILURE"));
    }
}

/// 6.10.3.2: the SCP may know without any NRF; of those that are configured, one is away.
#[tokio::test]
async fn r2_notifications_by_default_go_to_those_that_are_configured() {
    let (gone, lmf) = (Producer::start().await, Producer::start().await);
    gone.kill();
    until(|| std::net::TcpStream::connect(gone.address).is_err()).await;
    let profile = |(priority, at): (u16, &Producer)| {
        serde_json::from_value(json!({
            "nfInstanceId": format!("54804518-4191-46b3-955c-ac631f953ed{priority}"), "nfType": "LMF", "nfStatus": "REGISTERED",
            "priority": priority, "defaultNotificationSubscriptions": [
                {"notificationType": "N1_MESSAGES", "n1MessageClass": "5GMM", "callbackUri": format!("{}/5gmm", at.root())},
                {"notificationType": "N1_MESSAGES", "n1MessageClass": "LPP", "callbackUri": format!("{}/lpp", at.root())}
            ]
        }))
        .unwrap()
    };
    let mut settings = crate::support::settings();
    settings.discovery.producers = (1..).zip([&gone, &lmf]).map(profile).collect();
    let running = scp(settings).await;
    let ask = async |class: &str| {
        let request = post("/scp-default-sub-notify-uri")
            .header("3gpp-Sbi-Callback", "Namf_Communication_N1MessageNotify")
            .header("3gpp-Sbi-Discovery-target-nf-type", "LMF")
            .header("3gpp-Sbi-Discovery-notification-type", "N1_MESSAGE")
            .header("3gpp-Sbi-Discovery-n1-msg-class", class);
        client(&running).await.ask(request.body("{}").unwrap()).await
    };
    let answer = ask("LPP").await;
    assert_eq!((answer.status.as_u16(), answer.header("3gpp-sbi-target-apiroot")), (200, lmf.root().as_str()));
    assert_eq!(lmf.only().uri, format!("{}/lpp", lmf.root()));
    assert_eq!(ask("SMS").await.cause(), "NF_DISCOVERY_FAILURE");
}

/// 6.10.5.1 note 4: the NF instance that is named fails, and another of its set has the resource.
#[tokio::test]
async fn d4_another_of_the_named_instances_set_is_found_by_two_searches() {
    let (one, two) = (Producer::start().await, Producer::start().await);
    let nrf = Nrf::start().await;
    nrf.knows.lock().unwrap().by_instance = true;
    nrf.knows.lock().unwrap().profiles = vec![udm(ONE, &one), udm(TWO, &two)];
    let running = scp(nrf.settings()).await;
    let client = client(&running).await;
    one.kill();
    until(|| std::net::TcpStream::connect(one.address).is_err()).await;
    let request = ask()
        .header("3gpp-Sbi-Target-apiRoot", one.root())
        .header("3gpp-Sbi-Discovery-target-nf-instance-id", ONE)
        .body("")
        .unwrap();
    let answer = client.ask(request).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("3gpp-sbi-producer-id").starts_with(&format!("nfinst={TWO}")));
    let searches = nrf.searches();
    let sets: Vec<_> = searches.iter().map(|it| it.get("target-nf-set-id").map(String::as_str)).collect();
    assert_eq!(sets.last(), Some(&Some("set1.udmset.5gc.mnc012.mcc345")));
}

/// RFC 9111 5.2.2.2, 5.2.2.4: what has to be validated is nobody's answer while it cannot be.
#[tokio::test]
async fn d5_what_must_be_validated_serves_nobody_while_the_nrf_is_away() {
    for cache in ["no-cache", "max-age=0, must-revalidate", "s-maxage=0, proxy-revalidate"] {
        let producer = Producer::start().await;
        let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
        nrf.knows.lock().unwrap().cache_control = Some(cache);
        let mut settings = nrf.settings();
        settings.discovery.pause = Duration::ZERO;
        settings.discovery.patience = Duration::from_secs(10);
        let running = scp(settings).await;
        let client = client(&running).await;
        assert_eq!(client.ask(ask().body("").unwrap()).await.status, 200);
        nrf.knows.lock().unwrap().broken = Some(503);
        assert_eq!(client.ask(ask().body("").unwrap()).await.cause(), "TARGET_NF_NOT_REACHABLE", "{cache}");
        nrf.knows.lock().unwrap().broken = None;
        assert_eq!(client.ask(ask().body("").unwrap()).await.status, 200);
    }
}

/// 6.12.4: the endpoint of a notification fails, and another NF of the set that the binding names is told instead.
#[tokio::test]
async fn b4_a_notification_goes_to_another_of_the_set() {
    let (one, two) = (Producer::start().await, Producer::start().await);
    let nrf = Nrf::with(vec![udm(ONE, &one), udm(TWO, &two)]).await;
    let running = scp(nrf.settings()).await;
    one.kill();
    until(|| std::net::TcpStream::connect(one.address).is_err()).await;
    let binding = format!("bl=nf-set; nfset=set1.udmset.5gc.mnc012.mcc345; nfinst={ONE}");
    let request = post("/notify/1")
        .header("3gpp-Sbi-Callback", "Nudr_DataRepository_DataChangeNotification")
        .header("3gpp-Sbi-Target-apiRoot", one.root())
        .header("3gpp-Sbi-Routing-Binding", binding);
    assert_eq!(client(&running).await.ask(request.body("{}").unwrap()).await.status, 200);
    assert_eq!(two.only().uri, format!("{}/notify/1", two.root()));
    assert_eq!(nrf.searches()[0]["target-nf-type"], "UDM");
}

/// A service instance at two end points: both are used, and the one that is left when the other is gone.
#[tokio::test]
async fn d6_every_end_point_of_a_service_instance() {
    let (one, two) = (Producer::start().await, Producer::start().await);
    let mut profile = udm(ONE, &one);
    let points = [&one, &two].map(|it| json!({"ipv4Address": "127.0.0.1", "port": it.address.port()}));
    profile["nfServices"][0]["ipEndPoints"] = points.to_vec().into();
    let nrf = Nrf::with(vec![profile]).await;
    let running = scp(nrf.settings()).await;
    let client = client(&running).await;
    for _ in 0..60 {
        assert_eq!(client.ask(ask().body("").unwrap()).await.status, 200);
    }
    assert!(one.seen().len() > 10 && two.seen().len() > 10, "{} {}", one.seen().len(), two.seen().len());
    one.kill();
    until(|| std::net::TcpStream::connect(one.address).is_err()).await;
    for _ in 0..20 {
        assert_eq!(client.ask(ask().body("").unwrap()).await.status, 200);
    }
}

/// A consumer that knows no NRF, only the SCP: what it has for the NRF goes to the one that the SCP asks.
#[tokio::test]
async fn d1_who_looks_for_the_nrf_is_led_to_the_scps() {
    let (gone, nrf) = (Nrf::start().await, Nrf::start().await);
    gone.producer.kill();
    until(|| std::net::TcpStream::connect(gone.producer.address).is_err()).await;
    let mut settings = nrf.settings();
    settings.nrf.as_mut().unwrap().roots.insert(0, gone.root());
    let running = scp(settings).await;
    let request = http::Request::put(format!("http://scp.example/nnrf-nfm/v1/nf-instances/{ONE}"))
        .header("3gpp-Sbi-Discovery-target-nf-type", "NRF")
        .header("3gpp-Sbi-Discovery-service-names", "nnrf-nfm")
        .header("content-type", "application/json")
        .body("{\"nfType\":\"AMF\"}")
        .unwrap();
    let answer = client(&running).await.ask(request).await;
    assert_eq!((answer.status.as_u16(), answer.header("3gpp-sbi-producer-id")), (201, ""));
    assert_eq!((nrf.asked("PUT", ONE).len(), nrf.searches().len()), (1, 0));
}
