//! N1, N2: the daemon as the NRF knows it, from its start to its end.

use std::net::SocketAddr;

use pinion::config::model::Sbi;
use pinion::config::{Host as Machine, parse};
use pinion::sbi::{Host, Next};
use pinion_scp::binding::Pins;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::daemon::{Place, until};
use super::free::free;
use super::nrf::Nrf;
use super::shared::Client;

const OWN: &str = "54804518-4191-46b3-955c-ac631f953ed9";
const PATH: &str = "/nnrf-nfm/v1/nf-instances/54804518-4191-46b3-955c-ac631f953ed9";

/// An SCP that registers with the NRFs of a set; `more` is said of its registration.
fn yaml(listener: SocketAddr, nrfs: &[&Nrf], more: &str) -> String {
    let roots: Vec<_> = nrfs.iter().map(|it| format!("'http://{}'", it.address)).collect();
    format!(
        "sbi:
  fqdn: scp.example
  nf_instance_id: {OWN}
  prefix: /scp
  listeners: [{{address: {}, port: {}}}]
  timeouts: {{drain: 1m}}
  nrf:
    api_roots: [{}]
    timeout: 10m
    registration: {{scp_domains: [east]{more}}}
",
        listener.ip(),
        listener.port(),
        roots.join(", ")
    )
}

/// What an NRF was told of this SCP, each time.
fn registered(nrf: &Nrf) -> Vec<Value> {
    nrf.asked("PUT", PATH).into_iter().map(|it| it.body).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_a_daemon_registers_beats_registers_anew_and_takes_leave() {
    let nrf = Nrf::start().await;
    let listener = free().await;
    let mut place =
        Place::start(&yaml(listener, &[&nrf], ", served_nf_set_ids: [set1.udmset.5gc.mnc012.mcc345]")).await;
    until(async || nrf.asked("PATCH", PATH).len() >= 2).await;
    let profile = &registered(&nrf)[0];
    assert_eq!((&profile["nfType"], &profile["nfStatus"]), (&json!("SCP"), &json!("REGISTERED")));
    let info = json!({
        "scpDomainInfoList": {"east": {"scpFqdn": "scp.example", "scpPrefix": "/scp", "scpPorts": {"http": listener.port()}}},
        "scpPrefix": "/scp",
        "scpPorts": {"http": listener.port()},
        "servedNfSetIdList": ["set1.udmset.5gc.mnc012.mcc345"]
    });
    assert_eq!((&profile["scpInfo"], &profile["scpDomains"]), (&info, &json!(["east"])));
    let beat = &nrf.asked("PATCH", PATH)[0].body[0];
    assert_eq!(*beat, json!({"op": "replace", "path": "/nfStatus", "value": "REGISTERED"}));
    *nrf.knows.forgotten.lock().unwrap() = true;
    until(async || registered(&nrf).len() == 2).await;
    assert_eq!(nrf.asked("DELETE", PATH).len(), 0);
    place.stop();
    assert_eq!(nrf.asked("DELETE", PATH).len(), 1, "{}", place.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_a_daemon_goes_on_with_the_next_nrf_of_the_set() {
    let (mut first, second) = (Nrf::start().await, Nrf::start().await);
    // What one is told the other knows.
    *second.knows.forgotten.lock().unwrap() = false;
    let mut place = Place::start(&yaml(free().await, &[&first, &second], "")).await;
    until(async || !first.asked("PATCH", PATH).is_empty()).await;
    first.kill().await;
    until(async || second.asked("PATCH", PATH).len() >= 2).await;
    place.stop();
    let asked = [registered(&first).len(), registered(&second).len(), second.asked("DELETE", PATH).len()];
    assert_eq!(asked, [1, 0, 1], "{}", place.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_a_daemon_that_is_told_another_registration_tells_it() {
    let nrf = Nrf::start().await;
    let listener = free().await;
    let mut place = Place::start(&yaml(listener, &[&nrf], "")).await;
    until(async || registered(&nrf).len() == 1).await;
    place.configure(&yaml(listener, &[&nrf], ", priority: 7, remote_plmns: [001-01]"));
    place.signal("HUP");
    until(async || registered(&nrf).len() == 2).await;
    let profile = &registered(&nrf)[1];
    assert_eq!(
        (&profile["priority"], &profile["scpInfo"]["remotePlmnList"][0]["mcc"]),
        (&json!(7), &json!("001"))
    );
    // It is to be known no more.
    place.configure(&yaml(listener, &[&nrf], "").replace("registration", "# registration"));
    place.signal("HUP");
    until(async || nrf.asked("DELETE", PATH).len() == 1).await;
    place.stop();
    assert_eq!((registered(&nrf).len(), nrf.asked("DELETE", PATH).len()), (2, 1), "{}", place.log());
}

fn section(yaml: &str) -> Sbi {
    parse(yaml.as_bytes(), &Machine::default()).unwrap().config.sbi.unwrap()
}

/// An NRF that does not answer holds nobody up; it was asked first.
#[tokio::test]
async fn n1_its_end_asks_the_nrf_first_and_waits_for_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let nrf = Nrf::start().await;
    let listener = free().await;
    let host = Host::start(
        Next::new(&section(&yaml(listener, &[&nrf], "")), folder.path(), None).unwrap(),
        Pins::default(),
    );
    until(async || !registered(&nrf).is_empty()).await;
    assert!(Client::connect(listener).await.is_some());
    nrf.knows.farewells.forget_permits(Semaphore::MAX_PERMITS);
    let end = tokio::spawn(host.end());
    until(async || TcpStream::connect(listener).await.is_err()).await;
    assert_eq!(nrf.asked("DELETE", PATH).len(), 1);
    assert!(!end.is_finished());
    nrf.knows.farewells.add_permits(1);
    end.await.unwrap();
}
