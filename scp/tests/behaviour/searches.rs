//! D1, D5, D6: what an NRF answers to searches beside those whom it finds.

use std::sync::Arc;
use std::time::Duration;

use pinion_scp::tally::Event;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::nrf::{Nrf, ONE, TWO, one_before_two, udm};
use crate::support::{Answer, Client, Producer, Running, get, scp, until};

fn ask() -> http::request::Builder {
    get("/nudm-sdm/v2/imsi-001010000000001/nssai").header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
}

async fn asked(running: &Running, request: http::request::Builder) -> Answer {
    Client::connect(running.address).await.ask(request.body("").unwrap()).await
}

/// An answer has a part of those who are there (TS 29.510 6.2.3.4): the others are asked for, unless the client limits it.
#[tokio::test]
async fn d5_a_part_of_an_answer_is_made_whole() {
    let (one, two) = (Producer::start().await, Producer::start().await);
    let mut profiles = one_before_two(&one, &two);
    profiles.reverse();
    let nrf = Nrf::with(profiles.into()).await;
    nrf.knows.lock().unwrap().most = 1;
    let running = scp(nrf.settings()).await;
    for _ in 0..2 {
        let answer = asked(&running, ask()).await;
        assert_eq!(answer.header("3gpp-sbi-producer-id").split(';').next(), Some(&*format!("nfinst={ONE}")));
    }
    let limited = asked(&running, ask().header("3gpp-Sbi-Discovery-limit", "1")).await;
    assert_eq!(limited.header("3gpp-sbi-producer-id").split(';').next(), Some(&*format!("nfinst={TWO}")));
    assert_eq!((nrf.searches().len(), nrf.asked("GET", "/searches/").len()), (2, 1));
}

/// Names of NF instances beside their profiles (nfInstanceList, TS 29.510 6.2.6.2.2): these are had of the NRFs that have them,
/// with the priorities that the NRF gave them.
#[tokio::test]
async fn d1_who_is_only_named_is_asked_for() {
    let (one, two) = (Producer::start().await, Producer::start().await);
    let [first, second] = one_before_two(&one, &two);
    let (nrf, other) = (Nrf::with(vec![first]).await, Nrf::with(vec![second]).await);
    let at = format!("{}/nnrf-disc/v1", other.producer.root());
    nrf.knows.lock().unwrap().listed =
        Some(json!({ONE: {}, TWO: {"nrfDiscApiUri": at, "nrfAlteredPriorities": {"/priority": 0}}}));
    let running = scp(nrf.settings()).await;
    for _ in 0..3 {
        let answer = asked(&running, ask().header("3gpp-Sbi-Discovery-requester-features", "4000")).await;
        assert_eq!((answer.status.as_u16(), String::from_utf8_lossy(&answer.body)), (200, "".into()));
    }
    assert_eq!((one.seen().len(), two.seen().len()), (0, 3));
    assert_eq!((nrf.searches().len(), other.searches().len()), (2, 1));
    let search = &other.searches()[0];
    assert_eq!((&*search["target-nf-instance-id"], &*search["target-nf-type"]), (TWO, "UDM"));
    assert!(!search.contains_key("requester-features"), "{search:?}");
}

/// What another NRF has is asked for again soon where it could not be had, however long the rest holds; and the NRF that named it
/// cannot say that it is still the same.
#[tokio::test]
async fn d5_a_part_of_an_answer_that_is_missing_is_asked_for_again() {
    let producer = Producer::start().await;
    let (nrf, other) = (Nrf::start().await, Nrf::with(vec![udm(ONE, &producer)]).await);
    let at = format!("{}/nnrf-disc/v1", other.producer.root());
    {
        let mut knows = nrf.knows.lock().unwrap();
        (knows.etag, knows.validity) = (Some("\"1\"".to_owned()), 3_600);
        knows.listed = Some(json!({ONE: {"nrfDiscApiUri": at}}));
    }
    other.knows.lock().unwrap().broken = Some(503);
    let mut settings = nrf.settings();
    settings.discovery.pause = Duration::ZERO;
    settings.discovery.patience = Duration::from_secs(600);
    let running = scp(settings).await;
    assert_eq!(asked(&running, ask()).await.cause(), "NF_DISCOVERY_FAILURE");
    other.knows.lock().unwrap().broken = None;
    for _ in 0..2 {
        assert_eq!(asked(&running, ask()).await.status, 200);
    }
    assert_eq!((nrf.searches().len(), other.searches().len()), (2, 2));
}

/// ignoredQueryParams: what the NRF does not know, and the profiles that it found answer, is weighed here.
#[tokio::test]
async fn d1_what_the_nrf_leaves_out_of_account_is_not_forgotten() {
    let (one, two) = (Producer::start().await, Producer::start().await);
    let profiles = one_before_two(&one, &two).map(|mut profile| {
        profile["sNssais"] = json!([{"sst": profile["priority"]}]);
        profile
    });
    let nrf = Nrf::start().await;
    let answer = json!({"nfInstances": profiles, "validityPeriod": 60, "ignoredQueryParams": ["snssais"]});
    nrf.knows.lock().unwrap().search = Some((200, answer));
    let running = scp(nrf.settings()).await;
    for _ in 0..3 {
        asked(&running, ask().header("3gpp-Sbi-Discovery-snssais", "[{\"sst\": 2}]")).await;
    }
    assert_eq!((one.seen().len(), two.seen().len()), (0, 3));
    let nobody = asked(&running, ask().header("3gpp-Sbi-Discovery-snssais", "[{\"sst\": 3}]")).await;
    assert_eq!((nobody.status.as_u16(), nobody.cause().as_str()), (400, "NF_DISCOVERY_FAILURE"));
}

/// An NRF that hangs costs whoever asks it first their patience, and nobody else anything.
#[tokio::test]
async fn d5_who_joins_a_search_is_served_the_old_answer_at_once() {
    let (one, two) = (Producer::start().await, Producer::start().await);
    let nrf = Nrf::with(vec![udm(ONE, &one)]).await;
    let (release, held) = watch::channel(false);
    let (running, first) = hanging(&nrf, held, udm(TWO, &two)).await;
    for seen in 2..5 {
        let joined = timeout(Duration::from_secs(60), asked(&running, ask())).await;
        assert_eq!(joined.expect("it should wait for nobody").status, 200);
        assert_eq!(one.seen().len(), seen);
    }
    release.send_replace(true);
    assert_eq!(first.await.unwrap().status, 200);
    assert_eq!((nrf.searches().len(), two.seen().len()), (2, 1));
}

/// Where nobody was there before, somebody may be by now.
#[tokio::test]
async fn d5_who_joins_a_search_waits_where_the_old_answer_has_nobody() {
    let (nrf, producer) = (Nrf::start().await, Producer::start().await);
    let (release, held) = watch::channel(false);
    let (running, first) = hanging(&nrf, held, udm(ONE, &producer)).await;
    let running = Arc::new(running);
    let joining = tokio::spawn({
        let running = Arc::clone(&running);
        async move { asked(&running, ask()).await }
    });
    until(|| running.scp.parts().gate.load().0 == 2).await;
    release.send_replace(true);
    for waiting in [first, joining] {
        assert_eq!(waiting.await.unwrap().status, 200);
    }
}

/// 6.10.3.2: an SCP may know without the NRF. Whoever is configured is found in time while that hangs, and it is not asked again at
/// once.
#[tokio::test]
async fn d5_an_nrf_that_hangs_hides_nobody_who_is_configured() {
    let (nrf, producer) = (Nrf::start().await, Producer::start().await);
    nrf.knows.lock().unwrap().silent = Some(("GET", "/nnrf-disc/"));
    let mut settings = nrf.settings();
    settings.nrf.as_mut().unwrap().timeout = Duration::from_secs(2);
    settings.discovery.pause = Duration::from_hours(1);
    settings.discovery.producers = vec![serde_json::from_value(udm(ONE, &producer)).unwrap()];
    let running = scp(settings).await;
    let in_time = || ask().header("3gpp-Sbi-Max-Rsp-Time", "1000");
    for _ in 0..2 {
        assert_eq!(asked(&running, in_time()).await.status, 200);
    }
    until(|| running.scp.tally().count(Event::SearchFailed) == 1).await;
    for _ in 0..2 {
        assert_eq!(asked(&running, in_time()).await.status, 200);
    }
    assert_eq!((nrf.searches().len(), producer.seen().len()), (1, 4));
}

/// An SCP with an old answer of an NRF that hangs until it is told and then finds another, and a request that waits for it.
async fn hanging(nrf: &Nrf, held: watch::Receiver<bool>, found: Value) -> (Running, JoinHandle<Answer>) {
    nrf.knows.lock().unwrap().validity = 0;
    let mut settings = nrf.settings();
    settings.nrf.as_mut().unwrap().timeout = Duration::from_secs(600);
    settings.discovery.patience = Duration::from_secs(600);
    let running = scp(settings).await;
    asked(&running, ask()).await;
    {
        let mut knows = nrf.knows.lock().unwrap();
        (knows.held, knows.profiles) = (Some(held), vec![found]);
    }
    let client = Client::connect(running.address).await;
    let first = tokio::spawn(async move { client.ask(ask().body("").unwrap()).await });
    until(|| nrf.searches().len() == 2).await;
    (running, first)
}

#[tokio::test]
async fn d1_what_the_nrf_refuses_is_named_as_the_client_sent_it() {
    let nrf = Nrf::start().await;
    let refusal = json!({"status": 400, "cause": "OPTIONAL_QUERY_PARAM_INCORRECT",
        "invalidParams": [{"param": "query snssais", "reason": "sst is missing"}]});
    nrf.knows.lock().unwrap().search = Some((400, refusal));
    let running = scp(nrf.settings()).await;
    let answer = asked(&running, ask().header("3gpp-Sbi-Discovery-snssais", "[{}]")).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (400, "INVALID_DISCOVERY_PARAM"));
    let expected = json!([{"param": "header 3gpp-Sbi-Discovery-snssais", "reason": "sst is missing"}]);
    assert_eq!(answer.problem("invalidParams"), expected);
}

/// A client that asks in vain again and again is not the NRF's to bear; what changes there may change that.
#[tokio::test]
async fn d5_what_the_nrf_refuses_is_not_asked_for_again_at_once() {
    let producer = Producer::start().await;
    for (pause, asked_of) in [(Duration::from_secs(3_600), 1), (Duration::ZERO, 3)] {
        let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
        nrf.knows.lock().unwrap().search = Some((403, json!({"status": 403})));
        let mut settings = nrf.settings();
        settings.discovery.pause = pause;
        let running = scp(settings).await;
        for _ in 0..3 {
            let answer = asked(&running, ask().header("User-Agent", "amf-1")).await;
            assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (400, "NF_DISCOVERY_FAILURE"));
        }
        assert_eq!(nrf.searches().len(), asked_of);
        nrf.knows.lock().unwrap().search = None;
        let other = asked(&running, ask().header("User-Agent", "smf-1")).await;
        assert_eq!(other.status, 200, "another search");
        running.scp.parts().directory.changed(ONE, "UDM", false);
        assert_eq!(asked(&running, ask().header("User-Agent", "amf-1")).await.status, 200);
    }
}

#[tokio::test]
async fn d1_why_nobody_was_found_is_told() {
    let nrf = Nrf::start().await;
    let combination = json!([{"queryParams": [{"name": "dnn", "value": "internet"}]}]);
    nrf.knows.lock().unwrap().search = Some((
        200,
        json!({"nfInstances": [], "validityPeriod": 1, "noProfileMatchInfo":
        {"reason": "QUERY_PARAMS_COMBINATION_NO_MATCH", "queryParamCombinationList": combination}}),
    ));
    let running = scp(nrf.settings()).await;
    let answer = asked(&running, ask().header("3gpp-Sbi-Discovery-dnn", "internet")).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (400, "NF_DISCOVERY_FAILURE"));
    assert!(answer.problem("detail").as_str().unwrap().contains("QUERY_PARAMS_COMBINATION_NO_MATCH"));
    assert_eq!(answer.problem("invalidParams")[0]["param"], "header 3gpp-Sbi-Discovery-dnn");
}

/// RFC 9111 5.2.2 beside validityPeriod: how often the NRF is asked by three requests, and how often it is with a validator.
#[tokio::test]
async fn d5_answers_are_kept_as_http_and_the_nrf_allow() {
    let producer = Producer::start().await;
    for (cache_control, validity, etag, asked_of, validated) in [
        (None, 60, None, 1, 0),
        (None, 0, None, 3, 0),
        (Some("max-age=60"), 60, None, 1, 0),
        (Some("max-age=0"), 60, None, 3, 0),
        (Some("max-age=60"), 0, None, 3, 0),
        (Some("no-store"), 60, Some("\"a\""), 3, 0),
        (Some("no-cache"), 60, Some("\"a\""), 3, 2),
        (Some("max-age=0"), 60, Some("\"a\""), 3, 2),
    ] {
        let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
        {
            let mut knows = nrf.knows.lock().unwrap();
            (knows.cache_control, knows.validity) = (cache_control, validity);
            knows.etag = etag.map(str::to_owned);
        }
        let mut settings = nrf.settings();
        settings.discovery.patience = std::time::Duration::from_secs(10);
        let running = scp(settings).await;
        for _ in 0..3 {
            assert_eq!(asked(&running, ask()).await.status, 200);
        }
        let searches = nrf.asked("GET", "/nnrf-disc/v1/nf-instances?");
        let conditional = searches.iter().filter(|it| it.headers.contains_key("if-none-match")).count();
        assert_eq!((searches.len(), conditional), (asked_of, validated), "{cache_control:?} {validity} {etag:?}");
    }
}

/// The list by identities counts, and the other is what it was before (TS 29.510 6.1.6.2.2).
#[tokio::test]
async fn d1_services_by_their_identities_go_before_those_of_the_list() {
    let (listed, mapped) = (Producer::start().await, Producer::start().await);
    let mut profile = udm(ONE, &listed);
    profile["nfServiceList"] = json!({"sdm-1": udm(ONE, &mapped)["nfServices"][0]});
    let nrf = Nrf::with(vec![profile]).await;
    let running = scp(nrf.settings()).await;
    assert_eq!(asked(&running, ask()).await.status, 200);
    assert_eq!((listed.seen().len(), mapped.seen().len()), (0, 1));
}

#[tokio::test]
async fn d6_the_locality_that_a_client_prefers_comes_first() {
    let (one, two) = (Producer::start().await, Producer::start().await);
    let places: Vec<Value> = [(ONE, &one, "east"), (TWO, &two, "west")]
        .into_iter()
        .map(|(instance, at, place)| {
            let mut profile = udm(instance, at);
            profile["locality"] = place.into();
            profile
        })
        .collect();
    let nrf = Nrf::with(places).await;
    let running = scp(nrf.settings()).await;
    for _ in 0..5 {
        asked(&running, ask().header("3gpp-Sbi-Discovery-preferred-locality", "west")).await;
    }
    assert_eq!((one.seen().len(), two.seen().len()), (0, 5));
    assert_eq!(nrf.searches()[0]["preferred-locality"], "west");
}

/// Some write members that they have nothing to say of as null, and what only says how to remember an answer may be wrong: whoever
/// is in it is found all the same.
#[tokio::test]
async fn d1_what_an_answer_does_not_say_may_be_null() {
    let producer = Producer::start().await;
    let mut profile = udm(ONE, &producer);
    for member in [
        "plmnList",
        "fqdn",
        "ipv4Addresses",
        "ipv6Addresses",
        "priority",
        "capacity",
        "load",
        "locality",
        "nfSetIdList",
        "nfServiceList",
        "nfServicePersistence",
        "defaultNotificationSubscriptions",
        "customInfo",
    ] {
        profile[member] = Value::Null;
    }
    for member in ["fqdn", "apiPrefix", "nfServiceSetIdList", "defaultNotificationSubscriptions", "versions"] {
        profile["nfServices"][0][member] = Value::Null;
    }
    let nrf = Nrf::start().await;
    let running = scp(nrf.settings()).await;
    let others = json!({"validityPeriod": 9.5, "searchId": 1, "numNfInstComplete": "1", "nfInstanceList": null,
        "ignoredQueryParams": null, "noProfileMatchInfo": null, "nfInstances": [profile]});
    nrf.knows.lock().unwrap().search = Some((200, others));
    assert_eq!(asked(&running, ask()).await.status, 200);
    assert_eq!(producer.seen().len(), 1);
}
