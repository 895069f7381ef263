//! Interim answers (1xx): a proxy relays them (RFC 9110 15.2, 10.1.1).

use std::future::poll_fn;

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::server::SendResponse;
use http::{Request, Response, StatusCode};
use tokio::net::TcpListener;

use crate::support::{Client, post, read, scp, settings};

/// A producer that sends interim answers before it reads a request, and answers with what that holds.
async fn producer(first: impl Fn(&mut SendResponse<Bytes>) + Send + Copy + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            tokio::spawn(async move {
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    first(&mut respond);
                    tokio::spawn(async move {
                        let expected = request.headers().contains_key("expect");
                        let (body, _) = read(request.into_body()).await.unwrap();
                        let response = Response::builder().header("x-expected", expected.to_string());
                        let mut stream = respond.send_response(response.body(()).unwrap(), false).unwrap();
                        stream.send_data(body.into(), true).unwrap();
                    });
                }
            });
        }
    });
    root
}

fn early(status: u16) -> Response<()> {
    Response::builder().status(status).header("link", "</a>; rel=preload").body(()).unwrap()
}

/// All interim answers until the last.
async fn interim(response: &mut ResponseFuture) -> Vec<(StatusCode, bool)> {
    let mut all = Vec::new();
    while let Some(head) = poll_fn(|task| response.poll_informational(task)).await {
        let head = head.unwrap();
        all.push((head.status(), head.headers().contains_key("link")));
    }
    all
}

/// Nothing of the content is sent before the producer wants it.
#[tokio::test]
async fn r1_who_expects_100_gets_the_producers() {
    let root = producer(|respond| respond.send_informational(early(100)).unwrap()).await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request = post("/x").header("3gpp-Sbi-Target-apiRoot", root).header("expect", "100-continue");
    let (mut response, mut stream) = client.sender.clone().send_request(request.body(()).unwrap(), false).unwrap();
    let head = poll_fn(|task| response.poll_informational(task)).await.unwrap().unwrap();
    assert_eq!(head.status(), 100);
    stream.send_data(Bytes::from_static(b"content"), true).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.headers()["x-expected"], "true");
    assert_eq!(read(response.into_body()).await.unwrap().0, b"content");
}

/// They come with the answer, or before; whether they were expected or not.
#[tokio::test]
async fn r1_early_hints_are_relayed_with_their_headers() {
    let root = producer(|respond| {
        respond.send_informational(early(103)).unwrap();
        respond.send_informational(early(103)).unwrap();
    })
    .await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    for _ in 0..2 {
        let request = post("/x").header("3gpp-Sbi-Target-apiRoot", &root).body(()).unwrap();
        let (mut response, _) = client.sender.clone().send_request(request, true).unwrap();
        assert_eq!(interim(&mut response).await, [(StatusCode::EARLY_HINTS, true); 2]);
        assert_eq!(response.await.unwrap().status(), 200);
    }
}

/// A client need not read what is sent to it, and what it does not read is kept here.
#[tokio::test]
async fn r1_a_flood_of_interim_answers_is_bounded() {
    let root = producer(|respond| (0..1_000).for_each(|_| respond.send_informational(early(103)).unwrap())).await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request = post("/x").header("3gpp-Sbi-Target-apiRoot", &root).body(()).unwrap();
    let (mut response, _) = client.sender.clone().send_request(request, true).unwrap();
    let count = interim(&mut response).await.len();
    assert!((1..=16).contains(&count), "{count}");
    assert_eq!(response.await.unwrap().status(), 200);
}

/// What the SCP takes itself it wants itself.
#[tokio::test]
async fn r1_who_notifies_the_scp_and_expects_100_gets_its_own() {
    let nrf = crate::nrf::Nrf::start().await;
    let mut settings = nrf.settings();
    let notify = format!("{}://{}", crate::support::scheme(), crate::support::SCP);
    settings.nrf.as_mut().unwrap().notify = Some(pinion_scp::api_root::ApiRoot::parse(&notify).unwrap());
    let running = scp(settings).await;
    let _tended = crate::notices::told_of(&nrf, &running).await;
    let client = Client::connect(running.address).await;
    let request = Request::post(format!("{notify}{}", nrf.place())).header("expect", "100-continue");
    let (mut response, mut stream) = client.sender.clone().send_request(request.body(()).unwrap(), false).unwrap();
    assert_eq!(poll_fn(|task| response.poll_informational(task)).await.unwrap().unwrap().status(), 100);
    stream.send_data(Bytes::from_static(b"no notification"), true).unwrap();
    assert_eq!(response.await.unwrap().status(), 400);
}
