//! Content and cancellation: what streams, streams both ways, and who goes away takes back what it asked for.

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, Request, Response};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::{Client, Does, Producer, get, post, read, scp, settings};

#[tokio::test]
async fn trailers_pass_both_ways() {
    let producer = Producer::with(|_| {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-end", "response".parse().unwrap());
        Does::Trails(Response::new(Bytes::from_static(b"hello")), trailers)
    })
    .await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request = post("/x").header("3gpp-Sbi-Target-apiRoot", producer.root()).body(()).unwrap();
    let (response, mut stream) = client.sender.clone().send_request(request, false).unwrap();
    stream.send_data(Bytes::from_static(b"content"), false).unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("x-end", "request".parse().unwrap());
    stream.send_trailers(trailers).unwrap();
    let (body, trailers) = read(response.await.unwrap().into_body()).await.unwrap();
    assert_eq!(
        (body.as_slice(), &trailers.unwrap()["x-end"]),
        (b"hello".as_slice(), &"response".parse().unwrap())
    );
    let seen = producer.only();
    assert_eq!(
        (seen.body.as_slice(), &seen.trailers.unwrap()["x-end"]),
        (b"content".as_slice(), &"request".parse().unwrap())
    );
}

/// A producer that answers before it has all of the request, and sends back what comes.
async fn echo() -> (String, mpsc::UnboundedReceiver<Reason>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let (resets, reset) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let resets = resets.clone();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    let resets = resets.clone();
                    tokio::spawn(async move {
                        let mut receive = request.into_body();
                        let mut send = respond.send_response(Response::new(()), false).unwrap();
                        while let Some(data) = receive.data().await {
                            let Ok(data) = data else { break };
                            let _ = receive.flow_control().release_capacity(data.len());
                            send.send_data(data, false).unwrap();
                        }
                        if receive.is_end_stream() {
                            let _ = send.send_data(Bytes::new(), true);
                        }
                        if let Ok(reason) = poll_fn(|context| send.poll_reset(context)).await {
                            let _ = resets.send(reason);
                        }
                    });
                }
            });
        }
    });
    (root, reset)
}

#[tokio::test]
async fn content_streams_while_the_response_does() {
    let (root, _) = echo().await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request = post("/x").header("3gpp-Sbi-Target-apiRoot", root).body(()).unwrap();
    let (response, mut stream) = client.sender.clone().send_request(request, false).unwrap();
    let mut receive = response.await.unwrap().into_body();
    for word in ["one", "two", "three"] {
        stream.send_data(Bytes::from_static(word.as_bytes()), false).unwrap();
        assert_eq!(receive.data().await.unwrap().unwrap(), word);
    }
    stream.send_data(Bytes::new(), true).unwrap();
    assert_eq!(read(receive).await.unwrap().0, b"");
}

/// Far more than any window holds.
#[tokio::test]
async fn content_larger_than_every_window_arrives_whole() {
    let producer = Producer::with(|seen| Does::Answers(Response::new(Bytes::from(seen.body.clone())))).await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let content: String = (0..400_000).map(|it| format!("{it:09}\n")).collect();
    let request = post("/x").header("3gpp-Sbi-Target-apiRoot", producer.root()).body(content.as_str()).unwrap();
    let answer = client.ask(request).await;
    assert_eq!(answer.body.len(), content.len());
    assert!(answer.body == content.as_bytes());
}

/// Octets that so many times are just the least window of a connection (RFC 9113 6.9.2).
const PART: usize = 4_369;
const PARTS: usize = 15;

/// What was passed on of a request takes no room of its connection, however long its answer is waited for.
#[tokio::test]
async fn requests_that_wait_for_answers_leave_others_their_window() {
    let producer = Producer::with(|seen| match seen.path.as_str() {
        "/waits" => Does::Hangs,
        _ => Does::Answers(Response::new(Bytes::new())),
    })
    .await;
    let mut narrow = settings();
    narrow.limits.buffered = 0;
    let running = scp(narrow).await;
    let client = Client::connect(running.address).await;
    let content = "x".repeat(PART);
    let request = |path| post(path).header("3gpp-Sbi-Target-apiRoot", producer.root());
    let mut waiting = Vec::new();
    for _ in 0..PARTS {
        let (response, mut stream) =
            client.sender.clone().send_request(request("/waits").body(()).unwrap(), false).unwrap();
        stream.send_data(content.clone().into(), true).unwrap();
        waiting.push(response);
    }
    let answered = client.ask(request("/answers").body(content.as_str()).unwrap());
    assert_eq!(timeout(Duration::from_secs(10), answered).await.unwrap().status, 200);
    drop(waiting);
}

/// A client that takes nothing of its answers leaves those of others, from the same producer, their window.
#[tokio::test]
async fn answers_that_nobody_takes_leave_others_their_window() {
    let producer = Producer::with(|_| Does::Answers(Response::new(vec![b'x'; PART].into()))).await;
    let mut narrow = settings();
    narrow.limits.buffered = 0;
    let running = scp(narrow).await;
    let stubborn = Client::connect(running.address).await;
    let request = || get("/x").header("3gpp-Sbi-Target-apiRoot", producer.root());
    let mut untaken = Vec::new();
    for _ in 0..2 * PARTS {
        let (response, _) = stubborn.sender.clone().send_request(request().body(()).unwrap(), true).unwrap();
        untaken.push(response.await.unwrap());
    }
    let client = Client::connect(running.address).await;
    let answered = client.ask(request().body("").unwrap());
    assert_eq!(timeout(Duration::from_secs(10), answered).await.unwrap().body.len(), PART);
    drop(untaken);
}

#[tokio::test]
async fn what_a_client_takes_back_is_taken_back_from_the_producer() {
    let (root, mut resets) = echo().await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request = post("/x").header("3gpp-Sbi-Target-apiRoot", root).body(()).unwrap();
    let (response, mut stream) = client.sender.clone().send_request(request, false).unwrap();
    let _receive = response.await.unwrap();
    stream.send_reset(Reason::CANCEL);
    assert_eq!(resets.recv().await, Some(Reason::CANCEL));
}

#[tokio::test]
async fn what_a_client_takes_back_before_an_answer_is_taken_back_too() {
    let producer = Producer::with(|_| Does::Hangs).await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request = post("/x").header("3gpp-Sbi-Target-apiRoot", producer.root()).body(()).unwrap();
    let (response, _) = client.sender.clone().send_request(request, true).unwrap();
    crate::support::until(|| producer.seen().len() == 1).await;
    assert_eq!(running.scp.parts().gate.load(), (1, 0));
    drop(response);
    crate::support::until(|| running.scp.parts().gate.load() == (0, 0)).await;
}

#[tokio::test]
async fn more_streams_than_one_connection_takes_open_another() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let (connected, mut connections) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connected = connected.clone();
            tokio::spawn(async move {
                let mut builder = h2::server::Builder::new();
                let mut connection =
                    builder.max_concurrent_streams(2).handshake::<_, Bytes>(stream).await.unwrap();
                connected.send(()).unwrap();
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        let _ = respond.send_response(Response::new(()), true);
                    });
                }
            });
        }
    });
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let ask = async || client.ask(post("/x").header("3gpp-Sbi-Target-apiRoot", &root).body("").unwrap()).await;
    // The producer's SETTINGS are known after the first.
    assert_eq!(ask().await.status, 200);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (client, root) = (client.clone(), root.clone());
        all.spawn(async move {
            client.ask(post("/x").header("3gpp-Sbi-Target-apiRoot", root).body("").unwrap()).await
        });
    }
    while let Some(answer) = all.join_next().await {
        assert_eq!(answer.unwrap().status, 200);
    }
    drop(running);
    let mut opened = 0;
    while connections.try_recv().is_ok() {
        opened += 1;
    }
    assert!((2..=8).contains(&opened), "{opened}");
}

#[tokio::test]
async fn a_drained_scp_answers_what_is_under_way() {
    let producer = Producer::with(|_| {
        std::thread::sleep(Duration::from_millis(100));
        Does::Answers(Response::new(Bytes::new()))
    })
    .await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let asked = tokio::spawn({
        let client = client.clone();
        let root = producer.root();
        async move { client.ask(post("/x").header("3gpp-Sbi-Target-apiRoot", root).body("").unwrap()).await }
    });
    crate::support::until(|| running.scp.parts().gate.load() == (1, 0) || producer.seen().len() == 1).await;
    running.drain.send(true).unwrap();
    assert_eq!(asked.await.unwrap().status, 200);
    running.served.await.unwrap();
    assert!(client.try_ask(Request::get("http://scp.example/").body("").unwrap()).await.is_err());
}
