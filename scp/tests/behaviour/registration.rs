//! N1, N2: this SCP as the NRF knows it.

use std::time::Duration;

use pinion_scp::api_root::ApiRoot;
use pinion_scp::nrf::{PlmnId, Registration};
use pinion_scp::settings::Settings;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::nrf::{Nrf, ONE, OWN, pairs, udm};
use crate::support::{Client, Producer, Running, get, prepared, scp, until};

pub(crate) fn registering(nrf: &Nrf) -> Settings {
    let mut settings = nrf.settings();
    settings.identity.prefix = "/scp".to_owned();
    let own = settings.nrf.as_mut().unwrap();
    own.registration = Some(Registration {
        instance: OWN.to_owned(),
        ports: [("http".to_owned(), 7777)].into(),
        domains: vec!["east".to_owned()],
        served_sets: vec!["set1.udmset.5gc.mnc012.mcc345".to_owned()],
        remote_plmns: vec![PlmnId { mcc: "001".to_owned(), mnc: "01".to_owned() }],
        ..Registration::default()
    });
    own.notify = Some(ApiRoot::parse("http://scp.example/scp").unwrap());
    settings
}

/// Begins to tend an SCP; its drain ends it.
pub(crate) fn tend(running: &Running) -> (watch::Sender<bool>, JoinHandle<()>) {
    let (drain, drained) = watch::channel(false);
    let scp = running.scp.clone();
    (drain, tokio::spawn(async move { scp.tend(drained).await }))
}

#[tokio::test]
async fn n1_it_registers_beats_and_takes_leave() {
    let nrf = Nrf::start().await;
    nrf.knows.lock().unwrap().heartbeat = 1;
    let running = scp(registering(&nrf)).await;
    let (drain, tended) = tend(&running);
    let path = format!("/nnrf-nfm/v1/nf-instances/{OWN}");
    until(|| !nrf.asked("PUT", &path).is_empty()).await;
    let profile: Value = serde_json::from_slice(&nrf.asked("PUT", &path)[0].body).unwrap();
    assert_eq!((&profile["nfType"], &profile["nfStatus"]), (&"SCP".into(), &"REGISTERED".into()));
    let info = &profile["scpInfo"];
    assert_eq!((&info["scpPrefix"], &info["scpPorts"]["http"]), (&"/scp".into(), &7777.into()));
    assert_eq!(info["servedNfSetIdList"][0], "set1.udmset.5gc.mnc012.mcc345");
    assert_eq!(info["remotePlmnList"][0]["mcc"], "001");
    until(|| nrf.asked("PATCH", &path).len() >= 2).await;
    let beat = &nrf.asked("PATCH", &path)[0];
    assert_eq!(beat.headers["content-type"], "application/json-patch+json");
    let patch: Value = serde_json::from_slice(&beat.body).unwrap();
    assert_eq!((&patch[0]["path"], &patch[0]["value"]), (&"/nfStatus".into(), &"REGISTERED".into()));
    drain.send_replace(true);
    tended.await.unwrap();
    assert_eq!(nrf.asked("DELETE", &path).len(), 1);
}

/// The type that was searched for is subscribed to, and the subscription renewed before it ends.
#[tokio::test]
async fn n1_subscriptions_are_renewed() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let soon = std::time::SystemTime::now() + Duration::from_secs(2);
    let soon = soon.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let soon = pinion_protocols::sbi::Timestamp { milliseconds: u64::try_from(soon).unwrap() };
    nrf.knows.lock().unwrap().subscription = soon.rfc3339().to_string();
    let running = scp(registering(&nrf)).await;
    let (drain, tended) = tend(&running);
    let client = Client::connect(running.address).await;
    let request = get("/scp/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body("").unwrap();
    assert_eq!(client.ask(request).await.status, 200);
    until(|| !nrf.asked("POST", "/nnrf-nfm/v1/subscriptions").is_empty()).await;
    let asked: Value = serde_json::from_slice(&nrf.asked("POST", "/subscriptions")[0].body).unwrap();
    let uri = asked["nfStatusNotificationUri"].as_str().unwrap();
    assert!(uri.starts_with("http://scp.example/scp/pinion-scp/v1/nf-status/UDM/"), "{uri}");
    assert_eq!((&asked["subscrCond"]["nfType"], &asked["reqNfInstanceId"]), (&"UDM".into(), &OWN.into()));
    until(|| !nrf.asked("PATCH", "/nnrf-nfm/v1/subscriptions/sub-1").is_empty()).await;
    let renewal: Value = serde_json::from_slice(&nrf.asked("PATCH", "/subscriptions/sub-1")[0].body).unwrap();
    assert_eq!(renewal[0]["path"], "/validityTime");
    drain.send_replace(true);
    tended.await.unwrap();
    assert_eq!(nrf.asked("DELETE", "/nnrf-nfm/v1/subscriptions/sub-1").len(), 1);
}

#[tokio::test]
async fn n2_another_nrf_of_the_set_answers() {
    let producer = Producer::start().await;
    let (gone, there) = (Nrf::start().await, Nrf::with(vec![udm(ONE, &producer)]).await);
    gone.producer.kill();
    until(|| std::net::TcpStream::connect(gone.producer.address).is_err()).await;
    let mut settings = registering(&there);
    settings.nrf.as_mut().unwrap().roots.insert(0, gone.root());
    let running = scp(settings).await;
    let (drain, tended) = tend(&running);
    until(|| !there.asked("PUT", OWN).is_empty()).await;
    let client = Client::connect(running.address).await;
    let request = get("/scp/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body("").unwrap();
    assert_eq!(client.ask(request).await.status, 200);
    drain.send_replace(true);
    tended.await.unwrap();
}

/// An NRF that does not know this SCP any more is told again.
#[tokio::test]
async fn n1_an_nrf_that_forgot_it_is_told_again() {
    let nrf = Nrf::start().await;
    nrf.knows.lock().unwrap().heartbeat = 1;
    let running = scp(registering(&nrf)).await;
    let (drain, tended) = tend(&running);
    until(|| !nrf.asked("PATCH", OWN).is_empty()).await;
    let before = nrf.asked("PUT", OWN).len();
    nrf.knows.lock().unwrap().forgotten = true;
    until(|| nrf.asked("PUT", OWN).len() > before).await;
    drain.send_replace(true);
    tended.await.unwrap();
}

/// An NRF whose services want access tokens (TS 33.501 13.4.1.1): this SCP gets its own, keeps it, and another when it is
/// refused; one that is not granted is a refusal.
#[tokio::test]
async fn n1_this_scp_has_tokens_of_its_own_for_the_nrf() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    {
        let mut knows = nrf.knows.lock().unwrap();
        (knows.guarded, knows.validity) = (true, 0);
    }
    let mut settings = nrf.settings();
    settings.identity.instance = Some(OWN.to_owned());
    settings.discovery.patience = Duration::from_secs(10);
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let request = || get("/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body("").unwrap();
    for _ in 0..2 {
        assert_eq!(client.ask(request()).await.status, 200);
    }
    let forms = || -> Vec<_> {
        let asked = nrf.asked("POST", "/oauth2/token").into_iter();
        asked.map(|it| pairs(std::str::from_utf8(&it.body).unwrap())).collect()
    };
    let expected = [
        ("grant_type", "client_credentials"),
        ("nfInstanceId", OWN),
        ("nfType", "SCP"),
        ("targetNfType", "NRF"),
        ("scope", "nnrf-disc"),
    ];
    let expected: std::collections::BTreeMap<_, _> =
        expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(forms(), std::slice::from_ref(&expected));
    // Another of the NRF's tokens is in force by now, and that of this SCP is not.
    nrf.knows.lock().unwrap().expire();
    assert_eq!(client.ask(request()).await.status, 200);
    assert_eq!(forms(), [expected.clone(), expected]);
    nrf.knows.lock().unwrap().expire();
    nrf.knows.lock().unwrap().token = Some((400, serde_json::json!({"error": "invalid_client"})));
    assert_eq!(client.ask(request()).await.cause(), "NF_DISCOVERY_FAILURE");
    assert_eq!(producer.seen().len(), 3);
}

/// It has forgotten what it was to tell, too.
#[tokio::test]
async fn n1_an_nrf_that_forgot_it_is_asked_for_changes_again() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    nrf.knows.lock().unwrap().heartbeat = 1;
    let running = scp(registering(&nrf)).await;
    let (drain, tended) = tend(&running);
    let client = Client::connect(running.address).await;
    let request = get("/scp/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body("").unwrap();
    assert_eq!(client.ask(request).await.status, 200);
    let subscribed = || nrf.asked("POST", "/nnrf-nfm/v1/subscriptions").len();
    until(|| subscribed() == 1).await;
    nrf.knows.lock().unwrap().forgotten = true;
    until(|| subscribed() == 2).await;
    drain.send_replace(true);
    tended.await.unwrap();
}

/// Whatever becomes of subscriptions, heartbeats go on.
#[tokio::test]
async fn n1_heartbeats_wait_for_no_subscription() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    {
        let mut knows = nrf.knows.lock().unwrap();
        (knows.heartbeat, knows.silent) = (1, Some(("POST", "/nnrf-nfm/v1/subscriptions")));
    }
    let mut settings = registering(&nrf);
    settings.nrf.as_mut().unwrap().timeout = Duration::from_secs(600);
    let running = scp(settings).await;
    let (drain, tended) = tend(&running);
    let client = Client::connect(running.address).await;
    let request = get("/scp/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body("").unwrap();
    assert_eq!(client.ask(request).await.status, 200);
    until(|| !nrf.asked("POST", "/nnrf-nfm/v1/subscriptions").is_empty()).await;
    let before = nrf.asked("PATCH", OWN).len();
    until(|| nrf.asked("PATCH", OWN).len() >= before + 2).await;
    // Nor does its end wait for one.
    drain.send_replace(true);
    tended.await.unwrap();
    assert_eq!(nrf.asked("DELETE", OWN).len(), 1);
}

/// What the NRF is told of this SCP changes: its name as well as its registration.
#[tokio::test]
async fn n1_another_registration_is_told_and_an_old_one_ends() {
    let (nrf, other) = (Nrf::start().await, Nrf::start().await);
    let running = scp(registering(&nrf)).await;
    let (drain, tended) = tend(&running);
    let told = |nrf: &Nrf| -> Vec<Value> {
        nrf.asked("PUT", "/nf-instances/").iter().map(|it| serde_json::from_slice(&it.body).unwrap()).collect()
    };
    let apply = |settings: &Settings| running.scp.apply(prepared(settings.clone()));
    until(|| told(&nrf).len() == 1).await;
    let mut settings = registering(&nrf);
    settings.identity.prefix = "/other".to_owned();
    apply(&settings);
    until(|| told(&nrf).len() == 2).await;
    assert_eq!(told(&nrf)[1]["scpInfo"]["scpPrefix"], "/other");
    // Another NF instance, at another NRF.
    settings.nrf.as_mut().unwrap().roots = vec![other.root()];
    settings.nrf.as_mut().unwrap().registration.as_mut().unwrap().instance = ONE.to_owned();
    apply(&settings);
    until(|| told(&other).len() == 1 && nrf.asked("DELETE", OWN).len() == 1).await;
    assert_eq!(told(&other)[0]["nfInstanceId"], ONE);
    // None any more.
    settings.nrf.as_mut().unwrap().registration = None;
    apply(&settings);
    until(|| other.asked("DELETE", ONE).len() == 1).await;
    drain.send_replace(true);
    tended.await.unwrap();
    assert_eq!((told(&nrf).len(), told(&other).len()), (2, 1));
}

/// It ends while another NRF is yet to take its registration: the one that did is told all the same.
#[tokio::test]
async fn n1_leave_is_taken_of_an_nrf_that_is_configured_no_more() {
    let producer = Producer::start().await;
    let (nrf, other) = (Nrf::with(vec![udm(ONE, &producer)]).await, Nrf::start().await);
    let mut settings = registering(&nrf);
    let running = scp(settings.clone()).await;
    let (drain, tended) = tend(&running);
    let client = Client::connect(running.address).await;
    let request = get("/scp/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body("").unwrap();
    assert_eq!(client.ask(request).await.status, 200);
    until(|| !nrf.asked("POST", "/nnrf-nfm/v1/subscriptions").is_empty()).await;
    other.knows.lock().unwrap().silent = Some(("P", "/nnrf-nfm/v1/"));
    settings.nrf.as_mut().unwrap().roots = vec![other.root()];
    settings.nrf.as_mut().unwrap().timeout = Duration::from_secs(600);
    running.scp.apply(prepared(settings));
    until(|| !other.asked("PUT", OWN).is_empty() && !other.asked("POST", "/subscriptions").is_empty()).await;
    drain.send_replace(true);
    tended.await.unwrap();
    let left = |path: &str| (nrf.asked("DELETE", path).len(), other.asked("DELETE", path).len());
    assert_eq!((left(OWN), left("/subscriptions/sub-1")), ((1, 1), (1, 0)));
}

/// Where the NRF is to tell of changes is another place: it is asked to tell there, and no more where it told before.
#[tokio::test]
async fn n1_subscriptions_move_with_where_they_are_told() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let mut settings = registering(&nrf);
    let running = scp(settings.clone()).await;
    let (drain, tended) = tend(&running);
    let client = Client::connect(running.address).await;
    let request = get("/scp/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body("").unwrap();
    assert_eq!(client.ask(request).await.status, 200);
    let asked = || nrf.asked("POST", "/nnrf-nfm/v1/subscriptions");
    until(|| asked().len() == 1).await;
    settings.nrf.as_mut().unwrap().notify = Some(ApiRoot::parse("http://other.example").unwrap());
    running.scp.apply(prepared(settings));
    until(|| asked().len() == 2 && nrf.asked("DELETE", "/subscriptions/sub-1").len() == 1).await;
    let data: Value = serde_json::from_slice(&asked()[1].body).unwrap();
    assert!(data["nfStatusNotificationUri"].as_str().unwrap().starts_with("http://other.example/"), "{data}");
    drain.send_replace(true);
    tended.await.unwrap();
}

/// An NRF that says nothing is left without a farewell when requests that are under way would be.
#[tokio::test]
async fn n1_taking_leave_takes_no_longer_than_draining_may() {
    let nrf = Nrf::start().await;
    nrf.knows.lock().unwrap().silent = Some(("DELETE", OWN));
    let mut settings = registering(&nrf);
    settings.nrf.as_mut().unwrap().timeout = Duration::from_secs(600);
    settings.timeouts.drain = Duration::from_millis(100);
    let running = scp(settings).await;
    let (drain, tended) = tend(&running);
    until(|| !nrf.asked("PUT", OWN).is_empty()).await;
    drain.send_replace(true);
    tokio::time::timeout(Duration::from_secs(60), tended).await.expect("it should end").unwrap();
    assert_eq!(nrf.asked("DELETE", OWN).len(), 1);
}
