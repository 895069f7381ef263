//! N1, N2: what an NRF refuses, and for how long it is let alone (TS 29.510 5.2.2.3, TS 29.500 6.4.2).

use std::time::Duration;

use crate::nrf::{Nrf, ONE, OWN, Refuses, udm};
use crate::registration::{registering, tend};
use crate::support::{Client, Producer, get, scp, until};

fn refuse(nrf: &Nrf, what: (&'static str, &'static str), status: u16, retry_after: Option<&'static str>) {
    nrf.knows.lock().unwrap().refuses = Some(Refuses { what, status, retry_after });
}

fn search(dnn: &'static str) -> http::Request<&'static str> {
    let request = get("/scp/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
    request.header("3gpp-Sbi-Discovery-dnn", dnn).body("").unwrap()
}

/// A heartbeat that the NRF does not want as it is: it is told all, again and again, and keeps what it was to tell.
#[tokio::test]
async fn n1_an_nrf_that_refuses_heartbeats_is_told_anew() {
    for status in [400, 403] {
        let producer = Producer::start().await;
        let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
        nrf.knows.lock().unwrap().heartbeat = 1;
        let running = scp(registering(&nrf)).await;
        let (drain, tended) = tend(&running);
        Client::connect(running.address).await.ask(search("a")).await;
        until(|| !nrf.asked("POST", "/nnrf-nfm/v1/subscriptions").is_empty()).await;
        let told = nrf.asked("PUT", OWN).len();
        refuse(&nrf, ("PATCH", OWN), status, None);
        until(|| nrf.asked("PUT", OWN).len() >= told + 2).await;
        nrf.knows.lock().unwrap().refuses = None;
        let (beaten, told) = (nrf.asked("PATCH", OWN).len(), nrf.asked("PUT", OWN).len());
        until(|| nrf.asked("PATCH", OWN).len() >= beaten + 3).await;
        assert!(nrf.asked("PUT", OWN).len() <= told + 1, "{status}");
        assert_eq!(nrf.asked("POST", "/nnrf-nfm/v1/subscriptions").len(), 1, "{status}");
        drain.send_replace(true);
        tended.await.unwrap();
    }
}

/// One that has too much to do is not asked for that service again before it says so; for others it is.
#[tokio::test]
async fn n2_an_nrf_that_wants_to_be_let_alone_is_let_alone() {
    for status in [429, 503] {
        let producer = Producer::start().await;
        let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
        nrf.knows.lock().unwrap().heartbeat = 1;
        refuse(&nrf, ("GET", "/nnrf-disc/"), status, Some("3600"));
        let running = scp(registering(&nrf)).await;
        let (drain, tended) = tend(&running);
        let client = Client::connect(running.address).await;
        for dnn in ["a", "b", "c"] {
            let answer = client.ask(search(dnn)).await;
            assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (504, "TARGET_NF_NOT_REACHABLE"));
        }
        assert_eq!(nrf.searches().len(), 1);
        until(|| nrf.asked("PATCH", OWN).len() >= 2).await;
        drain.send_replace(true);
        tended.await.unwrap();
    }
}

/// What serves when it holds no more serves as well while the NRF is let alone.
#[tokio::test]
async fn n2_old_answers_serve_while_an_nrf_is_let_alone() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    nrf.knows.lock().unwrap().validity = 0;
    let mut settings = nrf.settings();
    settings.identity.prefix = "/scp".to_owned();
    settings.discovery.pause = Duration::ZERO;
    settings.discovery.patience = Duration::from_secs(10);
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    client.ask(search("a")).await;
    refuse(&nrf, ("GET", "/nnrf-disc/"), 503, Some("3600"));
    for _ in 0..3 {
        assert_eq!(client.ask(search("a")).await.status, 200);
    }
    assert_eq!((nrf.searches().len(), producer.seen().len()), (2, 4));
}

/// While it is, another of the set answers.
#[tokio::test]
async fn n2_another_nrf_answers_while_one_is_let_alone() {
    let producer = Producer::start().await;
    let (busy, other) = (Nrf::start().await, Nrf::with(vec![udm(ONE, &producer)]).await);
    refuse(&busy, ("GET", "/nnrf-disc/"), 503, Some("3600"));
    let mut settings = other.settings();
    settings.identity.prefix = "/scp".to_owned();
    settings.nrf.as_mut().unwrap().roots.insert(0, busy.root());
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    assert_eq!(client.ask(search("a")).await.status, 200);
    // The other goes away, too: only that one is asked again.
    other.producer.kill();
    until(|| std::net::TcpStream::connect(other.producer.address).is_err()).await;
    assert_eq!(client.ask(search("b")).await.status, 504);
    assert_eq!((busy.searches().len(), other.searches().len()), (1, 1));
}

/// Registration and subscriptions come when they may; an NRF that ends with neither is left all the same.
#[tokio::test]
async fn n1_registration_waits_until_the_nrf_may_be_asked() {
    let nrf = Nrf::start().await;
    refuse(&nrf, ("PUT", OWN), 503, Some("3600"));
    let running = scp(registering(&nrf)).await;
    let (drain, tended) = tend(&running);
    until(|| nrf.asked("PUT", OWN).len() == 1).await;
    nrf.knows.lock().unwrap().refuses = None;
    // Longer than it waits after a failure.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(nrf.asked("PUT", OWN).len(), 1);
    drain.send_replace(true);
    tended.await.unwrap();
    assert_eq!(nrf.asked("DELETE", OWN).len(), 1);
}

/// As soon as it may be asked again, it is.
#[tokio::test]
async fn n1_a_registration_that_was_put_off_comes() {
    let nrf = Nrf::start().await;
    refuse(&nrf, ("PUT", OWN), 429, Some("1"));
    let running = scp(registering(&nrf)).await;
    let (drain, tended) = tend(&running);
    until(|| nrf.asked("PUT", OWN).len() >= 3).await;
    nrf.knows.lock().unwrap().refuses = None;
    drain.send_replace(true);
    tended.await.unwrap();
}
