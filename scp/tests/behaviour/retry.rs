//! F3: another attempt, where it does no harm and there is somebody to ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use h2::Reason;
use http::{Request, Response};

use crate::support::{Answer, Client, Does, Producer, SCP, scp, settings};

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
    settings.retries.probation = std::time::Duration::ZERO;
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    for _ in 0..20 {
        let request = Request::get(format!("http://{SCP}/x")).header("3gpp-Sbi-Target-apiRoot", producer.root());
        assert_eq!(client.ask(request.body("").unwrap()).await.status, 504);
    }
    let retried = producer.seen().len() - 20;
    assert!((3..=9).contains(&retried), "{retried}");
}
