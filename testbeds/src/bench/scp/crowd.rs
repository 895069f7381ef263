//! Many streams at once, and many connections one after the other.

use std::net::Ipv4Addr;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use http::Request;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::BenchError;

/// Streams on one connection.
const EACH: usize = 100;
/// Connections that come and go at the same time.
const TOGETHER: usize = 16;

fn failed(what: &str, error: &dyn std::fmt::Display) -> BenchError {
    BenchError::Missing(format!("{what}: {error}"))
}

/// A backend that takes requests and never answers.
pub(super) async fn hold(port: u16) -> Result<JoinHandle<()>, BenchError> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| failed("a backend", &error))?;
    Ok(tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut builder = h2::server::Builder::new();
                let begun = builder.max_concurrent_streams(20_000).handshake::<_, Bytes>(stream).await;
                let Ok(mut connection) = begun else { return };
                let mut held = Vec::new();
                while let Some(Ok(request)) = connection.accept().await {
                    held.push(request);
                }
            });
        }
    }))
}

/// Requests that are open until this is dropped.
pub(super) struct Open {
    _requests: Vec<(SendRequest<Bytes>, Vec<ResponseFuture>)>,
}

/// Opens so many requests at a proxy, for a backend that does not answer.
pub(super) async fn open(proxy: u16, backend: u16, streams: usize) -> Result<Open, BenchError> {
    let mut requests = Vec::new();
    for _ in 0..streams.div_ceil(EACH) {
        let sender = connect(proxy).await?;
        let mut waiting = Vec::with_capacity(EACH);
        for _ in 0..EACH {
            let mut ready = sender.clone().ready().await.map_err(|error| failed("a proxy", &error))?;
            let (response, _) =
                ready.send_request(request(proxy, backend)?, true).map_err(|error| failed("a proxy", &error))?;
            waiting.push(response);
        }
        requests.push((sender, waiting));
    }
    // All of them have come by then.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    Ok(Open { _requests: requests })
}

/// So many connections of one request each.
pub(super) async fn come_and_go(proxy: u16, backend: u16, count: usize) -> Result<(), BenchError> {
    let mut all: tokio::task::JoinSet<Result<(), BenchError>> = tokio::task::JoinSet::new();
    for _ in 0..TOGETHER {
        all.spawn(async move {
            for _ in 0..count.div_ceil(TOGETHER) {
                let mut sender = connect(proxy).await?;
                let (response, _) = sender
                    .send_request(request(proxy, backend)?, true)
                    .map_err(|error| failed("a proxy", &error))?;
                response.await.map_err(|error| failed("a proxy", &error))?;
            }
            Ok(())
        });
    }
    while let Some(done) = all.join_next().await {
        done.map_err(|error| failed("a client", &error))??;
    }
    Ok(())
}

async fn connect(proxy: u16) -> Result<SendRequest<Bytes>, BenchError> {
    let stream =
        TcpStream::connect((Ipv4Addr::LOCALHOST, proxy)).await.map_err(|error| failed("a proxy", &error))?;
    let (sender, connection) = h2::client::handshake(stream).await.map_err(|error| failed("a proxy", &error))?;
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}

fn request(proxy: u16, backend: u16) -> Result<Request<()>, BenchError> {
    Request::get(format!("http://127.0.0.1:{proxy}/nudm-sdm/v2/imsi-001010000000001"))
        .header("3gpp-Sbi-Target-apiRoot", format!("http://127.0.0.1:{backend}"))
        .body(())
        .map_err(|error| failed("a request", &error))
}
