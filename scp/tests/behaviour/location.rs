//! D8: what a client is told of where its resource is.

use bytes::Bytes;
use http::Response;

use crate::support::{Client, Does, Producer, post, scp, settings};

async fn created(location: &'static str) -> (Producer, String) {
    let producer = Producer::with(move |_| {
        Does::Answers(Response::builder().status(201).header("location", location).body(Bytes::new()).unwrap())
    })
    .await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request = post("/nsmf-pdusession/v1/sm-contexts")
        .header("3gpp-Sbi-Target-apiRoot", format!("{}/p", producer.root()))
        .body("{}")
        .unwrap();
    let answer = client.ask(request).await;
    assert_eq!(answer.status, 201);
    let location = answer.header("location").to_owned();
    (producer, location)
}

#[tokio::test]
async fn d8_a_relative_location_becomes_absolute() {
    let (producer, location) = created("/p/nsmf-pdusession/v1/sm-contexts/1").await;
    assert_eq!(location, format!("{}/p/nsmf-pdusession/v1/sm-contexts/1", producer.root()));
    let (producer, location) = created("sm-contexts/1").await;
    assert_eq!(location, format!("{}/p/nsmf-pdusession/v1/sm-contexts/1", producer.root()));
}

#[tokio::test]
async fn d8_an_absolute_location_is_left_alone() {
    let (_, location) = created("https://smf2.example/nsmf-pdusession/v1/sm-contexts/1").await;
    assert_eq!(location, "https://smf2.example/nsmf-pdusession/v1/sm-contexts/1");
}
