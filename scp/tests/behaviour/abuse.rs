//! Clients that mean harm, or are broken: each is bounded, and harms nobody else.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use pinion_scp::tally::Event;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::attackers::{continuations, rapid_resets, references, request, slow_content};
use crate::frames::{END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, RST_STREAM, Raw, fields};
use crate::support::{Client, Does, Producer, Running, get, scp, settings, until};

/// `ENHANCE_YOUR_CALM` (RFC 9113 7).
const CALM: u32 = 0xb;

/// Whether the connection was ended for it.
async fn ended(raw: &mut Raw) -> Option<Frame> {
    tokio::time::timeout(Duration::from_secs(20), raw.next_of(&[GOAWAY])).await.expect("the connection should end")
}

/// Why connections were ended, each as often as any was.
fn counted(running: &Running) -> Vec<&'static str> {
    let times = |event: &Event| usize::try_from(running.scp.tally().count(*event)).unwrap();
    let events = Event::ALL.iter().filter(|it| it.name().0 == "client");
    events.flat_map(|it| std::iter::repeat_n(it.name().1, times(it))).collect()
}

#[tokio::test]
async fn rapid_resets_end_the_connection_and_nobody_elses() {
    let producer =
        Producer::with(|seen| if seen.method == "POST" { Does::Hangs } else { Does::Answers(Default::default()) })
            .await;
    let running = scp(settings()).await;
    let other = Client::connect(running.address).await;
    let mut raw = Raw::connect(running.address).await;
    rapid_resets(&mut raw, &producer.root()).await;
    // Either it says why, or what was still under way met a closed socket.
    if let Some(frame) = ended(&mut raw).await {
        assert_eq!(frame.error(), CALM);
    }
    until(|| counted(&running).len() == 1).await;
    let answer = other.ask(get("/x").header("3gpp-Sbi-Target-apiRoot", producer.root()).body("").unwrap()).await;
    assert_eq!(answer.status, 200);
    until(|| running.scp.parts().gate.load() == (0, 0)).await;
}

/// A client that waits until its requests are under way and then takes them back is no better.
#[tokio::test]
async fn resets_of_requests_that_are_under_way_count_too() {
    let producer = Producer::with(|_| Does::Hangs).await;
    let mut settings = settings();
    settings.limits.streams = 20;
    let running = scp(settings).await;
    let mut raw = Raw::connect(running.address).await;
    let block = request(&producer.root());
    let mut stream = 1;
    until(|| running.scp.connections() == 1).await;
    for _ in 0..100 {
        let begun = stream;
        for _ in 0..10 {
            let _ = raw.send(HEADERS, END_HEADERS | END_STREAM, stream, &block).await;
            stream += 2;
        }
        until(|| running.scp.parts().gate.load().0 == 10 || running.scp.connections() == 0).await;
        for stream in (begun..stream).step_by(2) {
            let _ = raw.send(RST_STREAM, 0, stream, &8_u32.to_be_bytes()).await;
        }
        until(|| running.scp.parts().gate.load().0 == 0).await;
        if running.scp.connections() == 0 {
            break;
        }
    }
    assert_eq!(running.scp.connections(), 0);
    assert_eq!(counted(&running), ["resets"]);
    if let Some(frame) = ended(&mut raw).await {
        assert_eq!(frame.error(), CALM);
    }
}

#[tokio::test]
async fn a_flood_of_continuations_ends_the_connection() {
    let running = scp(settings()).await;
    let mut raw = Raw::connect(running.address).await;
    continuations(&mut raw, &fields(&[("x-a", &"a".repeat(1000))])).await;
    ended(&mut raw).await;
    until(|| running.scp.connections() == 0).await;
    assert_eq!(counted(&running), ["protocol"]);
}

/// Empty ones cost nothing of the header list.
#[tokio::test]
async fn a_flood_of_empty_continuations_ends_the_connection() {
    let running = scp(settings()).await;
    let mut raw = Raw::connect(running.address).await;
    continuations(&mut raw, &[]).await;
    ended(&mut raw).await;
    until(|| running.scp.connections() == 0).await;
    assert_eq!(counted(&running), ["protocol"]);
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused_for_that_request_alone() {
    let producer = Producer::start().await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let bomb = "a".repeat(70_000);
    let request = get("/x").header("3gpp-Sbi-Target-apiRoot", producer.root()).header("x-bomb", bomb);
    match client.try_ask(request.body("").unwrap()).await {
        Ok(answer) => assert_eq!(answer.status, 431),
        Err(error) => assert!(error.is_reset(), "{error}"),
    }
    let answer = client.ask(get("/x").header("3gpp-Sbi-Target-apiRoot", producer.root()).body("").unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(producer.seen().len(), 1);
}

#[tokio::test]
async fn a_bomb_of_references_to_one_large_field_is_refused() {
    let producer = Producer::start().await;
    let running = scp(settings()).await;
    let mut raw = Raw::connect(running.address).await;
    references(&mut raw, &producer.root(), 1).await.unwrap();
    let answer =
        tokio::time::timeout(Duration::from_secs(20), raw.next_of(&[HEADERS, RST_STREAM, GOAWAY])).await.unwrap();
    assert!(answer.is_some());
    assert!(producer.seen().is_empty());
}

#[tokio::test]
async fn slow_content_is_given_up() {
    let producer = Producer::start().await;
    let mut settings = settings();
    settings.timeouts.stall = Duration::from_millis(300);
    let running = scp(settings).await;
    let mut raw = Raw::connect(running.address).await;
    slow_content(&mut raw, &producer.root(), 1).await;
    let answer = tokio::time::timeout(Duration::from_secs(20), raw.next_of(&[HEADERS, RST_STREAM])).await.unwrap();
    assert!(answer.is_some());
    until(|| running.scp.parts().gate.load() == (0, 0)).await;
    assert!(producer.seen().is_empty());
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let mut settings = settings();
    settings.timeouts.handshake = Duration::from_millis(200);
    settings.timeouts.client_idle = Duration::from_millis(400);
    let running = scp(settings).await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    let mut half = TcpStream::connect(running.address).await.unwrap();
    half.write_all(b"PRI * HT").await.unwrap();
    let _idle = Client::connect(running.address).await;
    // Half of a header block, for ever.
    let mut stuck = Raw::connect(running.address).await;
    stuck.send(HEADERS, 0, 1, &request("http://127.0.0.1:1")).await.unwrap();
    until(|| running.scp.connections() == 4).await;
    until(|| running.scp.connections() == 0).await;
    // Those that did not even begin.
    assert_eq!(counted(&running), ["late", "late"]);
    let mut nothing = Vec::new();
    assert_eq!(silent.read_to_end(&mut nothing).await.unwrap(), 0);
}

#[tokio::test]
async fn connections_beyond_the_bound_are_closed() {
    let producer = Producer::start().await;
    let mut settings = settings();
    settings.limits.connections = 2;
    let running = scp(settings).await;
    let ask = async |client: &Client| {
        client.try_ask(get("/x").header("3gpp-Sbi-Target-apiRoot", producer.root()).body("").unwrap()).await
    };
    let first = Client::connect(running.address).await;
    let second = Client::connect(running.address).await;
    assert_eq!(ask(&first).await.unwrap().status, 200);
    assert_eq!(ask(&second).await.unwrap().status, 200);
    let mut third = Raw::connect(running.address).await;
    assert!(third.next().await.is_none());
    assert_eq!(counted(&running), ["too-many"]);
    assert_eq!(ask(&first).await.unwrap().status, 200);
}

/// Headers to which none can be added.
fn full() -> HeaderMap {
    let names = (0..24_576).map(|number| HeaderName::try_from(format!("x-{number}")).unwrap());
    names.map(|name| (name, HeaderValue::from_static(""))).collect()
}

#[tokio::test]
async fn a_request_and_a_response_that_no_header_can_be_added_to() {
    let mut settings = settings();
    settings.limits.headers = 1 << 24;
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let mut request = get("/x").body("").unwrap();
    *request.headers_mut() = full();
    let answer = client.ask(request).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (413, "PAYLOAD_TOO_LARGE"));
    let producer = Producer::with(|_| {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NOT_FOUND;
        *response.headers_mut() = full();
        Does::Answers(response)
    })
    .await;
    let request = get("/x").header("3gpp-Sbi-Target-apiRoot", producer.root());
    let answer = client.ask(request.body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (504, "TARGET_NF_NOT_REACHABLE"));
}
