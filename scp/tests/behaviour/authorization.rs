//! A1, A2: whose token goes to a producer, and what becomes of refusals.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use pinion_scp::authorization::Policy;
use pinion_scp::nrf::{PlmnId, Registration};
use pinion_scp::settings::{Redirects, Settings};
use pinion_scp::tally::Event;
use serde_json::{Value, json};

use crate::nrf::{Nrf, ONE, TWO, one_before_two, pairs, udm};
use crate::support::{Client, Does, Producer, Running, Seen, get, post, scp, until};

const AMF: &str = "54804518-4191-46b3-955c-ac631f953ea1";
const SMF: &str = "54804518-4191-46b3-955c-ac631f953ea2";

/// What a consumer of model D sends that wants the SCP to get a token.
fn ask(consumer: &str) -> http::request::Builder {
    get("/nudm-sdm/v2/imsi-001010000000001/nssai")
        .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
        .header("3gpp-Sbi-Discovery-requester-nf-type", "AMF")
        .header("3gpp-Sbi-Discovery-requester-nf-instance-id", consumer)
        .header("3gpp-Sbi-Access-Scope", "nudm-sdm")
}

fn authorization(seen: &Seen) -> &str {
    seen.headers.get("authorization").map_or("", |it| it.to_str().unwrap())
}

/// An SCP before a producer that an NRF knows, and a client of it.
async fn through(producer: &Producer) -> (Nrf, Running, Client) {
    let nrf = Nrf::with(vec![udm(ONE, producer)]).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    (nrf, running, client)
}

/// Refuses all tokens but these.
async fn takes(tokens: &'static [&'static str], status: u16, challenge: Option<&'static str>) -> Producer {
    Producer::with(move |seen| {
        let mut answer = Response::builder();
        if !tokens.contains(&authorization(seen)) {
            answer = answer.status(status);
            if let Some(challenge) = challenge {
                answer = answer.header("www-authenticate", challenge);
            }
        }
        Does::Answers(answer.body(Bytes::from_static(b"said")).unwrap())
    })
    .await
}

#[tokio::test]
async fn a1_the_clients_own_token_is_passed() {
    let producer = Producer::start().await;
    let (nrf, _running, client) = through(&producer).await;
    let answer = client.ask(ask(AMF).header("authorization", "Bearer own").body("").unwrap()).await;
    assert_eq!(answer.header("3gpp-sbi-access-token"), "");
    assert_eq!(authorization(&producer.only()), "Bearer own");
    assert!(nrf.asked("POST", "/oauth2/token").is_empty());
}

#[tokio::test]
async fn a1_it_is_got_with_scope_and_assertion_and_kept_for_this_consumer_alone() {
    let producer = Producer::start().await;
    let (nrf, _running, client) = through(&producer).await;
    let assertion = "eyJhbGciOiJub25lIn0.eyJzdWIiOiI1NDgwIn0.AA";
    for consumer in [AMF, AMF, SMF, AMF] {
        let request = ask(consumer).header("3gpp-Sbi-Client-Credentials", assertion).body("").unwrap();
        assert_eq!(client.ask(request).await.status, 200);
    }
    let tokens: Vec<_> = producer.seen().iter().map(|it| authorization(it).to_owned()).collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-1", "Bearer token-2", "Bearer token-1"]);
    let asked = nrf.asked("POST", "/oauth2/token");
    assert_eq!(asked[0].headers["3gpp-sbi-client-credentials"], assertion);
    assert_eq!(asked[0].headers["content-type"], "application/x-www-form-urlencoded");
    let form = pairs(std::str::from_utf8(&asked[0].body).unwrap());
    for (name, value) in [
        ("grant_type", "client_credentials"),
        ("nfInstanceId", AMF),
        ("nfType", "AMF"),
        ("targetNfType", "UDM"),
        ("scope", "nudm-sdm"),
    ] {
        assert_eq!(form[name], value, "{name}");
    }
    let scope = get("/nudm-sdm/v2/x")
        .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
        .header("3gpp-Sbi-Discovery-requester-nf-instance-id", AMF)
        .header("3gpp-Sbi-Access-Scope", "nudm-sdm:nssai:read nudm-sdm");
    let answer = client.ask(scope.body("").unwrap()).await;
    assert_eq!(answer.header("3gpp-sbi-access-token"), "Bearer token-3", "another scope is another token");
}

/// TS 33.501 13.3.8: who says that it is another, and shows nothing or something else for it, has to convince the NRF itself.
#[tokio::test]
async fn a1_what_an_assertion_brought_is_for_who_shows_it() {
    let producer = Producer::start().await;
    let (_nrf, _running, client) = through(&producer).await;
    let [own, others] =
        ["eyJhbGciOiJub25lIn0.eyJzdWIiOiI1NDgwIn0.AA", "eyJhbGciOiJub25lIn0.eyJzdWIiOiI1NDgxIn0.AA"];
    for assertion in [Some(own), None, Some(others), Some(own)] {
        let mut request = ask(AMF);
        if let Some(assertion) = assertion {
            request = request.header("3gpp-Sbi-Client-Credentials", assertion);
        }
        assert_eq!(client.ask(request.body("").unwrap()).await.status, 200);
    }
    let tokens: Vec<_> = producer.seen().iter().map(|it| authorization(it).to_owned()).collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2", "Bearer token-3", "Bearer token-1"]);
}

#[tokio::test]
async fn a1_what_is_missing_is_named() {
    let producer = Producer::start().await;
    let (_nrf, _running, client) = through(&producer).await;
    let request = get("/nudm-sdm/v2/x")
        .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
        .header("3gpp-Sbi-Access-Scope", "nudm-sdm");
    let answer = client.ask(request.body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (400, "MISSING_ACCESS_TOKEN_INFO"));
    let named = answer.problem("invalidParams")[0]["param"].clone();
    assert_eq!(named, "header 3gpp-Sbi-Discovery-requester-nf-instance-id");
    assert!(producer.seen().is_empty());
}

/// TS 29.510 6.3.5.2.2: a token for a type of NF is for one of a type. Who does not say it may be served all the same.
#[tokio::test]
async fn a1_where_the_nrf_refuses_a_consumer_of_no_type_that_is_named_as_missing() {
    let producer = Producer::start().await;
    let (nrf, _running, client) = through(&producer).await;
    nrf.knows.lock().unwrap().token = Some((403, json!({"error": "invalid_request"})));
    let untyped = || {
        get("/nudm-sdm/v2/x")
            .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
            .header("3gpp-Sbi-Discovery-requester-nf-instance-id", AMF)
            .header("3gpp-Sbi-Access-Scope", "nudm-sdm")
    };
    let answer = client.ask(untyped().body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (400, "MISSING_ACCESS_TOKEN_INFO"));
    let named = answer.problem("invalidParams")[0]["param"].clone();
    assert_eq!(named, "header 3gpp-Sbi-Discovery-requester-nf-type");
    assert_eq!(answer.problem("accessTokenError")["error"], "invalid_request");
    assert!(producer.seen().is_empty());
    nrf.knows.lock().unwrap().token = None;
    assert_eq!(client.ask(untyped().header("User-Agent", "amf-1").body("").unwrap()).await.status, 200);
    let asked = nrf.asked("POST", "/oauth2/token");
    assert_eq!(pairs(std::str::from_utf8(&asked[1].body).unwrap())["nfType"], "AMF");
}

#[tokio::test]
async fn a1_the_nrf_refuses() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    nrf.knows.lock().unwrap().token = Some((400, json!({"error": "unauthorized_client"})));
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let answer = client.ask(ask(AMF).body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (403, "ACCESS_TOKEN_DENIED"));
    assert_eq!(answer.problem("accessTokenError")["error"], "unauthorized_client");
    assert_eq!(answer.problem("accessTokenRequest")["nfInstanceId"], AMF);
    assert_eq!(answer.problem("nrfId"), "127.0.0.1");
    assert_eq!(answer.header("server"), "SCP-scp.example");
    assert!(producer.seen().is_empty());
}

/// Without delegated discovery: the client's token or none, whatever the producer's profile says.
#[tokio::test]
async fn a1_model_c_has_the_clients_token_only() {
    let producer = Producer::start().await;
    let mut profile = udm(ONE, &producer);
    profile["nfServices"][0]["oauth2Required"] = true.into();
    let nrf = Nrf::with(vec![profile]).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let requests = [
        get("/nudm-sdm/v2/x").header("3gpp-Sbi-Target-apiRoot", producer.root()),
        get("/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-set-id", "set1.udmset.5gc.mnc012.mcc345"),
    ];
    for request in requests {
        assert_eq!(client.ask(request.body("").unwrap()).await.status, 200);
    }
    let tokens: Vec<_> = producer.seen().iter().map(|it| authorization(it).to_owned()).collect();
    assert_eq!(tokens, ["", ""]);
    assert!(nrf.asked("POST", "/oauth2/token").is_empty());
}

/// 6.10.7: callbacks have none.
#[tokio::test]
async fn r2_callbacks_have_no_token() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let mut settings = nrf.settings();
    settings.authorization.tokens = Policy::Always;
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let request = post("/notify")
        .header("3gpp-Sbi-Callback", "Nudm_SDM_Notification")
        .header("3gpp-Sbi-Target-apiRoot", producer.root())
        .header("3gpp-Sbi-Access-Scope", "nudm-sdm");
    assert_eq!(client.ask(request.body("{}").unwrap()).await.status, 200);
    assert_eq!(authorization(&producer.only()), "");
}

/// The token's audience is one NF instance, and another was chosen.
#[tokio::test]
async fn a1_a_token_for_one_instance_is_not_for_another() {
    let (one, two) = (Producer::start().await, Producer::start().await);
    let nrf = Nrf::with(one_before_two(&one, &two).into()).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let bearer = FOR_ONE;
    client.ask(ask(AMF).header("authorization", bearer).body("").unwrap()).await;
    assert_eq!(authorization(&one.only()), bearer);
    one.kill();
    until(|| std::net::TcpStream::connect(one.address).is_err()).await;
    client.ask(ask(AMF).header("authorization", bearer).body("").unwrap()).await;
    assert_eq!(authorization(&two.only()), "Bearer token-1");
}

/// Nor is it for the one that the first sends to.
#[tokio::test]
async fn a1_a_token_for_one_instance_is_not_for_another_that_it_redirects_to() {
    let two = Producer::start().await;
    let location = format!("{}/nudm-sdm/v2/x", two.root());
    let one = Producer::with(move |_| {
        let answer = Response::builder().status(307).header("location", &location);
        let answer = answer.header("3gpp-Sbi-Target-Nf-Id", format!("nfinst={TWO}"));
        Does::Answers(answer.body(Bytes::new()).unwrap())
    })
    .await;
    let nrf = Nrf::with(one_before_two(&one, &two).into()).await;
    let running = scp(Settings { redirects: Redirects::Follow, ..nrf.settings() }).await;
    let client = Client::connect(running.address).await;
    let answer = client.ask(ask(AMF).header("authorization", FOR_ONE).body("").unwrap()).await;
    assert_eq!(answer.header("3gpp-Sbi-Producer-Id"), format!("nfinst={TWO}"));
    assert_eq!((authorization(&one.only()), authorization(&two.only())), (FOR_ONE, "Bearer token-1"));
}

/// {"alg":"none"} and {"aud":["54804518-4191-46b3-955c-ac631f953ed1"]}.
const FOR_ONE: &str =
    "Bearer eyJhbGciOiJub25lIn0.eyJhdWQiOlsiNTQ4MDQ1MTgtNDE5MS00NmIzLTk1NWMtYWM2MzFmOTUzZWQxIl19.AA";

#[tokio::test]
async fn a2_a_refusal_of_the_clients_token_is_the_clients() {
    let producer = takes(&[], 401, Some("Bearer error=\"invalid_token\"")).await;
    let (nrf, _running, client) = through(&producer).await;
    let answer = client.ask(ask(AMF).header("authorization", "Bearer own").body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (401, &b"said"[..]));
    assert_eq!((producer.seen().len(), nrf.asked("POST", "/oauth2/token").len()), (1, 0));
}

/// One more try with a new token, and the refused one never again.
#[tokio::test]
async fn a2_a_refusal_of_our_token_is_met_with_a_new_one() {
    let producer = takes(&["Bearer token-2"], 403, Some("Bearer error=\"insufficient_scope\"")).await;
    let (_nrf, _running, client) = through(&producer).await;
    for _ in 0..2 {
        let answer = client.ask(ask(AMF).body("").unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.header("3gpp-sbi-access-token")), (200, "Bearer token-2"));
    }
    let tokens: Vec<_> = producer.seen().iter().map(|it| authorization(it).to_owned()).collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2", "Bearer token-2"]);
}

#[tokio::test]
async fn a2_when_the_new_one_is_refused_too_the_client_is_told() {
    let producer = takes(&[], 401, None).await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let mut settings = nrf.settings();
    settings.discovery.pause = Duration::ZERO;
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let answer = client.ask(ask(AMF).body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.header("3gpp-sbi-access-token")), (401, ""));
    assert_eq!(producer.seen().len(), 2);
    client.ask(ask(AMF).body("").unwrap()).await;
    let tokens: Vec<_> = producer.seen().iter().map(|it| authorization(it).to_owned()).collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2", "Bearer token-3", "Bearer token-4"]);
}

/// 5.2.8: what comes of a producer that takes no token is not the NRF's to bear, nor of one consumer another's.
#[tokio::test]
async fn f3_a_producer_that_takes_no_token_is_got_no_more_of_them_for_a_while() {
    let (one, two) = (takes(&[], 401, None).await, Producer::start().await);
    let nrf = Nrf::with(one_before_two(&one, &two).into()).await;
    let mut settings = nrf.settings();
    settings.discovery.pause = Duration::from_hours(1);
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    for _ in 0..10 {
        assert_eq!(client.ask(ask(AMF).body("").unwrap()).await.status, 401);
        let bare = get("/nudm-sdm/v2/x")
            .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
            .header("3gpp-Sbi-Discovery-requester-nf-instance-id", SMF);
        assert_eq!(client.ask(bare.body("").unwrap()).await.status, 401);
    }
    assert_eq!(nrf.asked("POST", "/oauth2/token").len(), 3);
    let tokens: Vec<_> =
        one.seen().iter().map(|it| authorization(it).to_owned()).filter(|it| !it.is_empty()).collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2", "Bearer token-3"]);
    // Another takes them.
    one.kill();
    until(|| std::net::TcpStream::connect(one.address).is_err()).await;
    assert_eq!(client.ask(ask(AMF).body("").unwrap()).await.status, 200);
    assert_eq!(authorization(&two.only()), "Bearer token-4");
}

/// Where many tokens are refused at once, not each request is made twice.
#[tokio::test]
async fn f3_a_refusal_of_our_token_is_met_with_a_new_one_within_the_budget() {
    let producer = takes(&[], 401, None).await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let mut settings = nrf.settings();
    (settings.retries.budget, settings.retries.spare) = (0, 0);
    settings.discovery.pause = Duration::from_hours(1);
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    for _ in 0..3 {
        assert_eq!(client.ask(ask(AMF).body("").unwrap()).await.status, 401);
    }
    assert_eq!((producer.seen().len(), nrf.asked("POST", "/oauth2/token").len()), (3, 1));
    assert_eq!(running.scp.tally().count(Event::RetryUnpaid), 1);
}

#[tokio::test]
async fn f3_a_token_that_the_nrf_denies_is_not_asked_for_again_at_once() {
    let producer = Producer::start().await;
    for (pause, asked_of) in [(Duration::from_hours(1), 1), (Duration::ZERO, 3)] {
        let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
        nrf.knows.lock().unwrap().token = Some((400, json!({"error": "unauthorized_client"})));
        let mut settings = nrf.settings();
        settings.discovery.pause = pause;
        let running = scp(settings).await;
        let client = Client::connect(running.address).await;
        for _ in 0..3 {
            let answer = client.ask(ask(AMF).body("").unwrap()).await;
            assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (403, "ACCESS_TOKEN_DENIED"));
        }
        assert_eq!(nrf.asked("POST", "/oauth2/token").len(), asked_of);
        nrf.knows.lock().unwrap().token = None;
        assert_eq!(client.ask(ask(SMF).body("").unwrap()).await.status, 200, "another consumer");
    }
}

/// A request that came without a token and asked for none, with content that is sent once more.
#[tokio::test]
async fn a2_a_producer_that_wants_a_token_gets_one() {
    let producer = takes(&["Bearer token-1"], 401, Some("Bearer")).await;
    let (_nrf, _running, client) = through(&producer).await;
    let request = post("/nudm-sdm/v2/x")
        .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
        .header("3gpp-Sbi-Discovery-requester-nf-instance-id", AMF);
    assert_eq!(client.ask(request.body("content").unwrap()).await.status, 200);
    let seen = producer.seen();
    let seen: Vec<(&str, &[u8])> = seen.iter().map(|it| (authorization(it), &it.body[..])).collect();
    assert_eq!(seen, [("", &b"content"[..]), ("Bearer token-1", b"content")]);
    let unknown = get("/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body("").unwrap();
    let answer = client.ask(unknown).await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (401, &b"said"[..]), "nobody knows who asks");
}

#[tokio::test]
async fn a2_any_other_403_is_relayed() {
    let producer = takes(&[], 403, None).await;
    let (_nrf, _running, client) = through(&producer).await;
    let answer = client.ask(ask(AMF).body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (403, &b"said"[..]));
    assert_eq!(producer.seen().len(), 1);
}

/// A profile that says that its service needs a token, or that it needs none.
#[tokio::test]
async fn a1_the_producers_profile_says_whether_there_is_to_be_one() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(Vec::new()).await;
    let mut settings = nrf.settings();
    settings.discovery.patience = std::time::Duration::from_secs(10);
    nrf.knows.lock().unwrap().validity = 0;
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let plain = || {
        get("/nudm-sdm/v2/x")
            .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
            .header("3gpp-Sbi-Discovery-requester-nf-instance-id", AMF)
    };
    for (required, scope, token) in [
        (Value::Null, false, ""),
        (true.into(), false, "Bearer token-1"),
        (false.into(), true, ""),
        (Value::Null, true, "Bearer token-1"),
    ] {
        let mut profile = udm(ONE, &producer);
        profile["nfServices"][0]["oauth2Required"] = required;
        nrf.knows.lock().unwrap().profiles = vec![profile];
        let request = if scope { plain().header("3gpp-Sbi-Access-Scope", "nudm-sdm") } else { plain() };
        assert_eq!(client.ask(request.body("").unwrap()).await.status, 200);
        assert_eq!(authorization(producer.seen().last().unwrap()), token);
    }
}

/// A profile says it apart for requesters of some networks: those that the client names, or else those of the SCP.
#[tokio::test]
async fn a1_whether_there_is_to_be_one_may_be_said_by_network() {
    let producer = Producer::start().await;
    let [home, guest, other] = [("001", "01"), ("002", "02"), ("003", "03")]
        .map(|(mcc, mnc)| PlmnId { mcc: mcc.to_owned(), mnc: mnc.to_owned() });
    let mut profile = udm(ONE, &producer);
    profile["nfServices"][0]["oauth2Required"] = true.into();
    profile["nfServices"][0]["perPlmnOauth2ReqList"] =
        json!({"oauth2RequiredPlmnIdList": [guest], "oauth2NotRequiredPlmnIdList": [home]});
    let nrf = Nrf::with(vec![profile]).await;
    let mut settings = nrf.settings();
    settings.nrf.as_mut().unwrap().registration =
        Some(Registration { plmns: vec![home.clone()], ..Registration::default() });
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let plain = || {
        get("/nudm-sdm/v2/x")
            .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
            .header("3gpp-Sbi-Discovery-requester-nf-instance-id", AMF)
    };
    let of =
        |network: &PlmnId| plain().header("3gpp-Sbi-Discovery-requester-plmn-list", json!([network]).to_string());
    for (request, token) in [(plain(), false), (of(&home), false), (of(&guest), true), (of(&other), true)] {
        assert_eq!(client.ask(request.body("").unwrap()).await.status, 200);
        assert_eq!(!authorization(producer.seen().last().unwrap()).is_empty(), token);
    }
}
