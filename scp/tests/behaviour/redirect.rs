//! F4: 307 and 308 of producers, relayed or followed.

use bytes::Bytes;
use http::{Request, Response};
use pinion_scp::settings::{Redirects, Settings};

use crate::support::{Answer, Client, Does, Producer, SCP, scp, settings};

const INSTANCE: &str = "54804518-4191-46b3-955c-ac631f953ed8";

/// A producer that sends who comes to another place.
async fn moved(status: u16, location: String) -> Producer {
    Producer::with(move |_| {
        let answer = Response::builder().status(status).header("location", &location);
        let answer = answer.header("3gpp-Sbi-Target-Nf-Id", format!("nfinst={INSTANCE}"));
        Does::Answers(answer.body(Bytes::new()).unwrap())
    })
    .await
}

async fn here() -> Producer {
    Producer::with(|_| Does::Answers(Response::new(Bytes::from_static(b"here")))).await
}

async fn ask(settings: Settings, producer: &Producer) -> Answer {
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let request = Request::builder().method("POST").uri(format!("http://{SCP}/nudm-sdm/v1/a?b=c"));
    client.ask(request.header("3gpp-Sbi-Target-apiRoot", producer.root()).body("{\"a\":1}").unwrap()).await
}

fn following() -> Settings {
    Settings { redirects: Redirects::Follow, ..settings() }
}

#[tokio::test]
async fn f4_a_redirect_is_relayed() {
    let there = here().await;
    let location = format!("{}/p/nudm-sdm/v1/a", there.root());
    let producer = moved(307, location.clone()).await;
    let answer = ask(settings(), &producer).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (307, location.as_str()));
    assert_eq!(answer.header("3gpp-Sbi-Target-Nf-Id"), format!("nfinst={INSTANCE}"));
    assert!(there.seen().is_empty());
}

#[tokio::test]
async fn f4_a_redirect_is_followed_by_policy() {
    for status in [307, 308] {
        let there = here().await;
        let producer = moved(status, format!("{}/p/nudm-sdm/v1/a?b=d", there.root())).await;
        let answer = ask(following(), &producer).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (200, b"here".as_slice()));
        assert_eq!(answer.header("3gpp-Sbi-Target-apiRoot"), there.root());
        assert_eq!(answer.header("3gpp-Sbi-Producer-Id"), format!("nfinst={INSTANCE}"));
        let [seen] = &there.seen()[..] else { panic!("it was asked once") };
        assert_eq!(seen.uri, format!("{}/p/nudm-sdm/v1/a?b=d", there.root()));
        assert_eq!(seen.body, b"{\"a\":1}");
    }
}

#[tokio::test]
async fn f4_redirects_are_not_followed_for_ever() {
    let producer = Producer::with(|seen| {
        let answer = Response::builder().status(307).header("location", format!("{}/again", seen.uri));
        Does::Answers(answer.body(Bytes::new()).unwrap())
    })
    .await;
    assert_eq!(ask(following(), &producer).await.status.as_u16(), 307);
    assert_eq!(producer.seen().len(), following().retries.attempts);
}
