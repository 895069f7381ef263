//! Connections of clients that end, because nothing is asked on them or because the SCP does: whatever their clients do meanwhile.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use pinion_scp::settings::Settings;
use pinion_scp::{Prepared, Speech};
use tokio::time::{Instant, timeout};

use crate::attackers::request;
use crate::frames::{DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PRIORITY, Raw, SETTINGS, frame};
use crate::support::{Does, Producer, Running, run, settings};

const SOON: Duration = Duration::from_secs(20);

/// An SCP that is spoken to in the clear.
async fn scp(settings: Settings) -> Running {
    run(Prepared::new(settings, None, None), Speech::Clear).await
}

/// The last octets of an answer need not be kept until a window opens that never does.
#[tokio::test]
async fn who_takes_nothing_of_a_short_answer_does_not_hold_up_the_end() {
    let producer = Producer::over(None, |_| Does::Answers(Response::new(Bytes::from_static(b"short")))).await;
    let mut settings = settings();
    settings.timeouts.stall = Duration::from_millis(300);
    settings.timeouts.drain = Duration::from_hours(1);
    let running = scp(settings).await;
    let mut raw = Raw::connect(running.address).await;
    // SETTINGS_INITIAL_WINDOW_SIZE.
    raw.send(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]).await.unwrap();
    raw.send(HEADERS, END_HEADERS | END_STREAM, 1, &request(&producer.root())).await.unwrap();
    raw.next_of(&[HEADERS]).await.unwrap();
    running.drain.send(true).unwrap();
    let ended = async {
        // Who takes nothing answers PINGs all the same.
        while let Some(frame) = raw.next_of(&[PING, DATA]).await {
            assert_eq!(frame.kind, PING);
            let _ = raw.send(PING, 1, 0, &frame.payload).await;
        }
    };
    timeout(SOON, ended).await.unwrap();
    timeout(SOON, running.served).await.unwrap().unwrap();
}

/// It was sent before its client could know.
#[tokio::test]
async fn what_is_asked_while_an_idle_connection_is_closed_is_answered() {
    let answer = Duration::from_millis(1_500);
    let producer = Producer::over(None, move |_| Does::Takes(answer, Response::new(Bytes::new()))).await;
    let mut settings = settings();
    settings.timeouts.client_idle = Duration::from_millis(300);
    settings.timeouts.handshake = Duration::from_millis(400);
    let running = scp(settings).await;
    let mut raw = Raw::connect(running.address).await;
    raw.next_of(&[GOAWAY]).await.unwrap();
    raw.send(HEADERS, END_HEADERS | END_STREAM, 1, &request(&producer.root())).await.unwrap();
    assert!(raw.next_of(&[HEADERS]).await.is_some());
    // Its PING is not answered for ever.
    timeout(SOON, async { while raw.next().await.is_some() {} }).await.unwrap();
}

#[tokio::test]
async fn who_asks_now_and_then_is_idle_after_all_of_the_time_for_it() {
    let producer = Producer::over(None, |_| Does::Answers(Response::new(Bytes::new()))).await;
    let idle = Duration::from_millis(1_200);
    let mut settings = settings();
    settings.timeouts.client_idle = idle;
    let running = scp(settings).await;
    let mut raw = Raw::connect(running.address).await;
    tokio::time::sleep(idle / 3).await;
    let asked = Instant::now();
    raw.send(HEADERS, END_HEADERS | END_STREAM, 1, &request(&producer.root())).await.unwrap();
    timeout(SOON, raw.next_of(&[GOAWAY])).await.unwrap().unwrap();
    assert!(asked.elapsed() >= idle);
}

/// Starts an SCP whose client sends frames that say nothing, one after the other, for ever.
async fn babbled(settings: Settings) -> (Running, Raw) {
    let running = scp(settings).await;
    let (mut reads, mut writes) = Raw::connect(running.address).await.parted();
    reads.next_of(&[SETTINGS]).await.unwrap();
    tokio::spawn(async move {
        let many = frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1]).repeat(50_000);
        while writes.send_all(&many).await.is_ok() {}
    });
    (running, reads)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_stops_sending_is_told_that_the_scp_ends() {
    let (running, mut raw) = babbled(settings()).await;
    running.drain.send(true).unwrap();
    timeout(SOON, raw.next_of(&[GOAWAY])).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_stops_sending_and_asks_for_nothing_is_idle() {
    let mut settings = settings();
    settings.timeouts.client_idle = Duration::from_millis(300);
    let (_running, mut raw) = babbled(settings).await;
    timeout(SOON, raw.next_of(&[GOAWAY])).await.unwrap().unwrap();
}
