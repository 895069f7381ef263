//! An SCP that runs, and how it is asked.

use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use h2::{Reason, RecvStream, client};
use http::uri::Authority;
use http::{HeaderMap, Request, Response};
use pinion_scp::settings::Settings;
use pinion_scp::{Prepared, Scp, Speech};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a client knows the SCP by.
pub(crate) const SCP: &str = "scp.example";

/// An SCP that runs.
pub(crate) struct Running {
    pub scp: Scp,
    pub address: SocketAddr,
    pub drain: watch::Sender<bool>,
    pub served: JoinHandle<()>,
}

/// Settings of [`SCP`].
pub(crate) fn settings() -> Settings {
    Settings::new(SCP, vec![Authority::from_static(SCP)])
}

/// Runs an SCP.
pub(crate) async fn run(prepared: Prepared, speech: Speech) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let scp = Scp::new(prepared, SystemTime::now, secret);
    let (drain, drained) = watch::channel(false);
    let served = tokio::spawn({
        let scp = scp.clone();
        async move { scp.serve(listener, speech, drained).await }
    });
    Running { scp, address, drain, served }
}

/// What nobody can guess.
pub(crate) fn secret() -> u128 {
    [0, 1].iter().fold(0, |half, place| half << 64 | u128::from(RandomState::new().hash_one(place)))
}

/// Begins to speak HTTP/2.
pub(crate) async fn speak<W>(wire: W) -> client::SendRequest<Bytes>
where
    W: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = client::handshake(wire).await.unwrap();
    tokio::spawn(async move {
        let _ = connection.await;
    });
    sender
}

/// Asks, and waits for the whole answer.
pub(crate) async fn ask(
    sender: &client::SendRequest<Bytes>,
    request: Request<&str>,
) -> Result<Response<Vec<u8>>, h2::Error> {
    let (head, body) = request.into_parts();
    let mut sender = sender.clone().ready().await?;
    let (response, mut stream) = sender.send_request(Request::from_parts(head, ()), body.is_empty())?;
    if !body.is_empty() {
        stream.send_data(Bytes::copy_from_slice(body.as_bytes()), true)?;
    }
    let (head, receive) = response.await?.into_parts();
    let Some((body, _)) = read(receive).await else { return Err(Reason::INTERNAL_ERROR.into()) };
    Ok(Response::from_parts(head, body))
}

/// The whole of what comes on a stream.
pub(crate) async fn read(mut receive: RecvStream) -> Option<(Vec<u8>, Option<HeaderMap>)> {
    let mut body = Vec::new();
    while let Some(data) = receive.data().await {
        let data = data.ok()?;
        let _ = receive.flow_control().release_capacity(data.len());
        body.extend_from_slice(&data);
    }
    Some((body, receive.trailers().await.ok()?))
}

/// Waits until something is so; a test that waits for ever fails.
pub(crate) async fn until(what: impl Fn() -> bool) {
    assert!(comes(6_000, what).await, "it never came about");
}

/// Whether something is so when it is looked at so many times, a hundredth of a second between them.
pub(crate) async fn comes(times: u32, what: impl Fn() -> bool) -> bool {
    for _ in 0..times {
        if what() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}
