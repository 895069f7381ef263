//! Faults while a hundred clients ask: what policy can keep from them none of them sees, and nothing is left of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::Reason;
use http::{Request, Response};
use pinion_scp::api_root::ApiRoot;
use pinion_scp::settings::Settings;
use pinion_scp::tally::Event;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use crate::attackers::{continuations, rapid_resets, references, slow_content};
use crate::frames::{GOAWAY, HEADERS, Raw, fields};
use crate::loaded::Load;
use crate::nrf::{Nrf, ONE, TWO, one_before_two, udm};
use crate::pools::restless;
use crate::profiles;
use crate::support::{Client, Does, Producer, Running, SCP, scp, settings, until};

/// Connections of clients, and requests on each at a time.
const CONNECTIONS: usize = 4;
const EACH: usize = 25;

/// A producer that takes as long as one does.
async fn busy() -> Producer {
    Producer::with(|_| Does::Takes(Duration::from_millis(20), Response::new(Bytes::new()))).await
}

/// An SCP that finds these, and clients of it.
async fn found(profiles: Vec<Value>, settings: impl FnOnce(&mut Settings)) -> (Nrf, Running) {
    let nrf = Nrf::with(profiles).await;
    let mut told = nrf.settings();
    settings(&mut told);
    (nrf, scp(told).await)
}

async fn clients(running: &Running) -> Vec<h2::client::SendRequest<Bytes>> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(Client::connect(running.address).await.sender);
    }
    clients
}

/// Clients that ask for whom discovery finds, by turns with these methods.
async fn load(running: &Running, methods: &'static [&'static str]) -> Load {
    Load::start(&clients(running).await, EACH, move |turn| {
        let method = methods[turn % methods.len()];
        let request = Request::builder().method(method).uri(format!("http://{SCP}/nudm-sdm/v2/x"));
        let body = if method == "GET" { "" } else { "{}" };
        request.header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body(body).unwrap()
    })
}

/// Ends it: nobody was told of anything, and nothing is at work any more.
async fn end(load: Load, running: &Running) {
    load.end().await;
    until(|| running.scp.connections() == 0 && running.scp.parts().gate.load() == (0, 0)).await;
}

#[tokio::test]
async fn a_producer_that_is_killed_costs_no_client_an_error() {
    let (one, two) = (busy().await, busy().await);
    let (_nrf, running) = found(vec![udm(ONE, &one), udm(TWO, &two)], |_| {}).await;
    let load = load(&running, &["GET", "PUT", "DELETE"]).await;
    load.more(1_000).await;
    one.kill();
    load.more(1_000).await;
    end(load, &running).await;
    assert!(!one.seen().is_empty() && !two.seen().is_empty());
}

/// Nothing was sent to it, so that what may not be done twice is done elsewhere.
#[tokio::test]
async fn a_producer_that_cannot_be_reached_costs_no_client_an_error() {
    let (one, two) = (busy().await, busy().await);
    one.kill();
    until(|| std::net::TcpStream::connect(one.address).is_err()).await;
    let (_nrf, running) = found(vec![udm(ONE, &one), udm(TWO, &two)], |_| {}).await;
    let load = load(&running, &["POST", "PATCH"]).await;
    load.more(1_000).await;
    end(load, &running).await;
}

#[tokio::test]
async fn a_producer_that_falls_silent_costs_no_client_an_error() {
    let told = Arc::new(AtomicUsize::new(0));
    let one = Producer::with({
        let told = Arc::clone(&told);
        move |_| match told.load(Ordering::Relaxed) {
            0 => Does::Answers(Response::new(Bytes::new())),
            _ => Does::Hangs,
        }
    })
    .await;
    let two = busy().await;
    let settings = |it: &mut Settings| it.timeouts.attempt = Duration::from_millis(300);
    let (_nrf, running) = found(vec![udm(ONE, &one), udm(TWO, &two)], settings).await;
    let load = load(&running, &["GET", "PUT"]).await;
    load.more(1_000).await;
    told.store(1, Ordering::Relaxed);
    load.more(1_000).await;
    end(load, &running).await;
}

/// GOAWAY with the last stream that it will answer (RFC 9113 6.8).
#[tokio::test]
async fn connections_that_are_closed_gently_cost_no_client_an_error() {
    let root = restless(50).await;
    let running = scp(settings()).await;
    let load = Load::start(&clients(&running).await, EACH, move |_| {
        let request = Request::post(format!("http://{SCP}/x")).header("3gpp-Sbi-Target-apiRoot", &root);
        request.body("{}").unwrap()
    });
    load.more(2_000).await;
    end(load, &running).await;
}

/// GOAWAY that says of each stream that nothing was done.
#[tokio::test]
async fn a_producer_that_turns_all_away_costs_no_client_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let turned = Arc::new(AtomicUsize::new(0));
    tokio::spawn({
        let turned = Arc::clone(&turned);
        async move {
            while let Ok((stream, _)) = listener.accept().await {
                let turned = Arc::clone(&turned);
                tokio::spawn(async move {
                    let mut raw = Raw::accept(stream).await;
                    if raw.next_of(&[HEADERS]).await.is_some() {
                        turned.fetch_add(1, Ordering::Relaxed);
                        // Last stream 0, NO_ERROR.
                        let _ = raw.send(GOAWAY, 0, 0, &[0; 8]).await;
                        while raw.next().await.is_some() {}
                    }
                });
            }
        }
    });
    let two = busy().await;
    let mut one = profiles::udm(ONE, port);
    one["priority"] = 1.into();
    let [_, second] = one_before_two(&two, &two);
    let (_nrf, running) = found(vec![one, second], |_| {}).await;
    let load = load(&running, &["POST"]).await;
    load.more(1_000).await;
    end(load, &running).await;
    assert!(turned.load(Ordering::Relaxed) > 0);
}

/// REFUSED_STREAM for every other request; these retries are within the budget.
#[tokio::test]
async fn a_producer_that_refuses_streams_costs_no_client_an_error() {
    let asked = AtomicUsize::new(0);
    let one = Producer::with(move |_| {
        if asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            return Does::Resets(Reason::REFUSED_STREAM);
        }
        Does::Answers(Response::new(Bytes::new()))
    })
    .await;
    let two = busy().await;
    let settings = |it: &mut Settings| it.retries.budget = 100;
    let (_nrf, running) = found(vec![udm(ONE, &one), udm(TWO, &two)], settings).await;
    let load = load(&running, &["POST"]).await;
    load.more(1_000).await;
    end(load, &running).await;
    assert!(running.scp.parts().budget.attempts() > 0);
}

/// Seconds that the NRF is away, where it is not [`AWAY`]: `PINION_TEST_NRF_AWAY=60` is what operators ask about.
const TOLD: &str = "PINION_TEST_NRF_AWAY";
const AWAY: u64 = 10;

/// By default nothing more need be set: what its searches found holds 5 s, the NRF is away for longer, and nobody is told.
#[tokio::test]
async fn an_nrf_that_is_killed_costs_no_client_an_error() {
    let away = std::env::var(TOLD).map_or(AWAY, |seconds| seconds.parse().unwrap());
    let (one, two) = (busy().await, busy().await);
    // Nobody else's, as long as nobody listens there.
    let [_, _, a, b] = std::process::id().to_be_bytes();
    let nrf = Nrf::at(SocketAddr::from(([127, a | 0x80, b, 1], 0))).await;
    let knows = |nrf: &Nrf| {
        let mut knows = nrf.knows.lock().unwrap();
        (knows.profiles, knows.validity) = (vec![udm(ONE, &one), udm(TWO, &two)], 5);
    };
    knows(&nrf);
    let running = scp(nrf.settings()).await;
    let load = load(&running, &["GET", "POST", "PUT", "DELETE"]).await;
    load.more(1_000).await;
    nrf.producer.kill();
    let gone = Instant::now();
    while gone.elapsed() < Duration::from_secs(away) {
        load.more(100).await;
    }
    let asked = one.seen().len() + two.seen().len();
    let tally = running.scp.tally();
    let [stale, failed] = [Event::SearchStale, Event::SearchFailed].map(|it| tally.count(it));
    assert!(stale > 0 && failed > 0, "{stale} {failed}");
    let back = Nrf::at(nrf.producer.address).await;
    knows(&back);
    until(|| back.searches().len() >= 2).await;
    end(load, &running).await;
    println!("{asked} requests; {failed} searches failed, {stale} requests served by old answers; {away} s");
}

/// All kinds of them at once, over and over, while others ask.
#[tokio::test]
async fn clients_that_mean_harm_cost_others_nothing() {
    let two = busy().await;
    let settings = |it: &mut Settings| it.timeouts.stall = Duration::from_millis(500);
    let (_nrf, running) = found(vec![udm(TWO, &two)], settings).await;
    let load = load(&running, &["GET", "POST"]).await;
    load.more(100).await;
    let (to, root) = (running.address, two.root());
    let piece = fields(&[("x-a", &"a".repeat(1000))]);
    for _ in 0..3 {
        let mut attackers = tokio::task::JoinSet::new();
        for kind in 0..6 {
            let (root, piece) = (root.clone(), piece.clone());
            attackers.spawn(async move {
                let mut raw = Raw::connect(to).await;
                match kind {
                    0 => rapid_resets(&mut raw, &root).await,
                    1 => continuations(&mut raw, &piece).await,
                    2 => continuations(&mut raw, &[]).await,
                    3 => {
                        for stream in (1..200).step_by(2) {
                            let _ = references(&mut raw, &root, stream).await;
                        }
                    }
                    4 => slow_content(&mut raw, &root, 100).await,
                    // Nothing but a connection.
                    _ => {
                        let _silent = TcpStream::connect(to).await;
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            });
        }
        load.more(300).await;
        attackers.join_all().await;
    }
    end(load, &running).await;
    let root = ApiRoot::parse(&two.root()).unwrap();
    let met = running.scp.parts().pools.met(tokio::time::Instant::now());
    let done = met.iter().find(|(it, ..)| *it == root).unwrap().2;
    assert!(!done.bad, "{done:?}");
}
