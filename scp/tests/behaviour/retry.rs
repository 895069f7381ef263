//! F3: another attempt, where it does no harm and there is somebody to ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::Reason;
use http::{Request, Response};
use pinion_scp::api_root::ApiRoot;
use pinion_scp::settings::{NextHop, Targets};
use serde_json::Value;
use tokio::net::TcpSocket;

use crate::nrf::{Nrf, ONE, one_before_two, udm};
use crate::profiles;
use crate::support::{Answer, Client, Does, Producer, SCP, Seen, get, post, scp, settings};

/// A producer that resets so many streams before it answers.
async fn refusing(times: usize, reason: Reason) -> Producer {
    let refused = Arc::new(AtomicUsize::new(0));
    Producer::with(move |_| {
        if refused.fetch_add(1, Ordering::SeqCst) < times {
            return Does::Resets(reason);
        }
        Does::Answers(Response::new(Bytes::from_static(b"done")))
    })
    .await
}

async fn ask(producer: &Producer, method: &str, body: &str) -> Answer {
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request = Request::builder().method(method).uri(format!("http://{SCP}/x"));
    client.ask(request.header("3gpp-Sbi-Target-apiRoot", producer.root()).body(body).unwrap()).await
}

#[tokio::test]
async fn f3_a_refused_stream_is_sent_again_whatever_its_method() {
    let producer = refusing(1, Reason::REFUSED_STREAM).await;
    let answer = ask(&producer, "POST", "{\"a\":1}").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (200, b"done".as_slice()));
    let bodies: Vec<_> = producer.seen().into_iter().map(|it| it.body).collect();
    assert_eq!(bodies, [b"{\"a\":1}", b"{\"a\":1}"]);
}

#[tokio::test]
async fn f3_what_may_have_been_done_is_not_done_again() {
    let producer = refusing(1, Reason::INTERNAL_ERROR).await;
    assert_eq!(ask(&producer, "POST", "{}").await.cause(), "TARGET_NF_NOT_REACHABLE");
    assert_eq!(producer.seen().len(), 1);
}

/// 5.2.8: what does no harm twice is asked for once more of the only one who has it, and said to be so.
#[tokio::test]
async fn f3_what_broke_is_asked_for_again_where_there_is_nobody_else() {
    for (method, retry, status, seen) in
        [("GET", "", 200, 2), ("DELETE", "", 200, 2), ("POST", "", 504, 1), ("GET", "no-retries", 504, 1)]
    {
        let producer = refusing(1, Reason::INTERNAL_ERROR).await;
        let running = scp(settings()).await;
        let client = Client::connect(running.address).await;
        let mut request = Request::builder().method(method).uri(format!("http://{SCP}/x"));
        if !retry.is_empty() {
            request = request.header("3gpp-Sbi-Retry-Info", retry);
        }
        let request = request.header("3gpp-Sbi-Target-apiRoot", producer.root());
        let answer = client.ask(request.body("").unwrap()).await;
        assert_eq!((answer.status.as_u16(), producer.seen().len()), (status, seen), "{method} {retry}");
        let marked = |seen: &Seen| seen.headers.get("3gpp-sbi-request-info").is_some();
        assert_eq!(producer.seen().iter().filter(|it| marked(it)).count(), seen - 1);
    }
}

/// One place, that may have acted on it: a resource without binding stays with its instance, which failed.
#[tokio::test]
async fn f3_attempts_are_bounded() {
    let producer = refusing(100, Reason::REFUSED_STREAM).await;
    assert_eq!(ask(&producer, "GET", "").await.cause(), "TARGET_NF_NOT_REACHABLE");
    assert_eq!(producer.seen().len(), 2);
}

#[tokio::test]
async fn f3_content_beyond_the_bound_is_not_sent_again() {
    let producer = refusing(1, Reason::REFUSED_STREAM).await;
    let long = "a".repeat(settings().limits.kept + 1);
    assert_eq!(ask(&producer, "PUT", &long).await.cause(), "TARGET_NF_NOT_REACHABLE");
    assert_eq!(producer.seen().len(), 1);
}

#[tokio::test]
async fn f3_retries_have_a_budget() {
    let producer = Producer::with(|_| Does::Resets(Reason::REFUSED_STREAM)).await;
    let mut settings = settings();
    settings.retries.budget = 0;
    settings.retries.spare = 3;
    settings.retries.probation = Duration::ZERO;
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    for _ in 0..20 {
        let request = Request::get(format!("http://{SCP}/x")).header("3gpp-Sbi-Target-apiRoot", producer.root());
        assert_eq!(client.ask(request.body("").unwrap()).await.status, 504);
    }
    let retried = producer.seen().len() - 20;
    assert!((3..=9).contains(&retried), "{retried}");
}

/// Discovery prefers one that is dead, whose API has a prefix that other APIs of the same place have not.
#[tokio::test]
async fn f3_who_failed_is_not_asked_again_whatever_prefix_its_place_was_used_with_before() {
    let [one, two] = [refusing(100, Reason::REFUSED_STREAM).await, Producer::start().await];
    let mut profiles = one_before_two(&one, &two);
    profiles[0]["nfServices"][0]["apiPrefix"] = "/x".into();
    let nrf = Nrf::with(profiles.into()).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    client.ask(get("/nudm-uecm/v1/a").header("3gpp-Sbi-Target-apiRoot", one.root()).body("").unwrap()).await;
    let request = get("/nudm-sdm/v2/a").header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
    let answer =
        client.ask(request.header("3gpp-Sbi-Discovery-service-names", "nudm-sdm").body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), two.seen().len()), (200, 1));
}

/// Another SCP is the way to all of them, and refuses what is for the first.
#[tokio::test]
async fn f3_another_producer_is_asked_through_the_same_scp() {
    let [one, two] = [Producer::start().await, Producer::start().await];
    let dead = one.root();
    let next = Producer::with(move |seen| {
        if seen.headers["3gpp-sbi-target-apiroot"] == dead {
            return Does::Resets(Reason::REFUSED_STREAM);
        }
        Does::Answers(Response::new(Bytes::new()))
    })
    .await;
    let nrf = Nrf::with(one_before_two(&one, &two).into()).await;
    let mut settings = nrf.settings();
    let api_root = ApiRoot::parse(&next.root()).unwrap();
    settings.next_hops =
        vec![NextHop { targets: Targets::Services(vec!["nudm-sdm".to_owned()]), api_root, delegate: false }];
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let request = get("/nudm-sdm/v2/a").header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
    let answer =
        client.ask(request.header("3gpp-Sbi-Discovery-service-names", "nudm-sdm").body("").unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(next.seen().last().unwrap().headers["3gpp-sbi-target-apiroot"], two.root());
}

/// Profiles of those who are chosen first, and of one that is chosen after them.
fn before(first: impl Iterator<Item = Value>, last: &Producer) -> Vec<Value> {
    let mut all: Vec<_> = first.chain([udm(ONE, last)]).collect();
    let most = all.len() - 1;
    for (number, profile) in all.iter_mut().enumerate() {
        profile["priority"] = if number < most { 1 } else { 2 }.into();
    }
    all
}

/// An NF instance by its number.
fn instance(number: usize) -> String {
    format!("54804518-4191-46b3-955c-ac631f953e{number:02}")
}

/// Over several times that they are on probation: nobody's request is spent on those who are not there.
#[tokio::test]
async fn f3_those_who_cannot_be_reached_take_no_attempt_from_who_can() {
    let living = Producer::start().await;
    // Nobody else gets their ports while nobody listens there.
    let dead: Vec<_> = (0..3).map(|_| TcpSocket::new_v4().unwrap()).collect();
    let profiles = dead.iter().enumerate().map(|(number, socket)| {
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        profiles::udm(&instance(number), socket.local_addr().unwrap().port())
    });
    let nrf = Nrf::with(before(profiles, &living)).await;
    let mut settings = nrf.settings();
    settings.retries.probation = Duration::from_millis(300);
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1_000) {
        let request = post("/nudm-sdm/v2/a").header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
        assert_eq!(client.ask(request.body("{}").unwrap()).await.status, 200);
    }
}

/// Their probation ends at the same time: one request tries one of them again, and not all of them.
#[tokio::test]
async fn f3_another_attempt_tries_nobody_who_failed_before() {
    let living = Producer::start().await;
    let mut failing = Vec::new();
    for _ in 0..3 {
        failing.push(refusing(usize::MAX, Reason::INTERNAL_ERROR).await);
    }
    let profiles = failing.iter().enumerate().map(|(number, at)| udm(&instance(number), at));
    let nrf = Nrf::with(before(profiles, &living)).await;
    let mut settings = nrf.settings();
    settings.retries.probation = Duration::from_millis(300);
    settings.retries.spare = 10_000;
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let ask = async || {
        let request = get("/nudm-sdm/v2/a").header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
        client.ask(request.body("").unwrap()).await.status
    };
    let begun = Instant::now();
    while ask().await != 200 {
        assert!(begun.elapsed() < Duration::from_secs(60), "they are chosen for ever");
    }
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1_000) {
        assert_eq!(ask().await, 200);
    }
}
