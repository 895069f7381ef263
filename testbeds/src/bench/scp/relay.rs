//! The bare relay: as little as passes requests on with the HTTP library that the SCP is built on. What it is behind nghttpx
//! is the library's, what the SCP is behind it is the SCP's own.
//!
//! It has one thread, one connection to the backend and a task for each request. It looks at nothing, changes nothing and
//! holds back nobody who sends faster than is read.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use h2::client::SendRequest;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::Request;
use tokio::net::{TcpListener, TcpStream};

/// Serves an address until the process ends; all goes to one port on loopback.
///
/// # Errors
/// Where it cannot listen, or there is no backend.
pub fn run(address: SocketAddr, backend: u16) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, backend)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = h2::client::handshake(stream).await.map_err(std::io::Error::other)?;
        tokio::spawn(connection);
        let listener = TcpListener::bind(address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(serve(stream, sender.clone()));
        }
    })
}

/// One connection of a client.
async fn serve(stream: TcpStream, sender: SendRequest<Bytes>) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(accepted) = connection.accept().await {
        let (request, respond) = accepted?;
        tokio::spawn(exchange(request, respond, sender.clone()));
    }
    Ok(())
}

/// One request, and its response. Where it fails the streams are reset, as their halves are dropped.
async fn exchange(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    sender: SendRequest<Bytes>,
) -> Result<(), h2::Error> {
    let (head, content) = request.into_parts();
    let ended = content.is_end_stream();
    let (response, asked) = sender.ready().await?.send_request(Request::from_parts(head, ()), ended)?;
    if !ended {
        tokio::spawn(pass(content, asked));
    }
    let (head, content) = response.await?.into_parts();
    let ended = content.is_end_stream();
    let answered = respond.send_response(http::Response::from_parts(head, ()), ended)?;
    if ended { Ok(()) } else { pass(content, answered).await }
}

/// Content and trailers, from one stream to another.
async fn pass(mut from: RecvStream, mut to: SendStream<Bytes>) -> Result<(), h2::Error> {
    while let Some(data) = from.data().await {
        let data = data?;
        from.flow_control().release_capacity(data.len())?;
        let ended = from.is_end_stream();
        to.send_data(data, ended)?;
        if ended {
            return Ok(());
        }
    }
    match from.trailers().await? {
        Some(trailers) => to.send_trailers(trailers),
        None => to.send_data(Bytes::new(), true),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use http::{HeaderMap, Response};

    use super::*;

    /// A connection in memory, and a relay between it and a backend that gives back what it gets.
    async fn relayed() -> SendRequest<Bytes> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let backend = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut connection = h2::server::handshake(listener.accept().await.unwrap().0).await.unwrap();
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                let answered = respond.send_response(Response::new(()), false).unwrap();
                tokio::spawn(pass(request.into_body(), answered));
            }
        });
        let (sender, connection) =
            h2::client::handshake(TcpStream::connect(backend).await.unwrap()).await.unwrap();
        tokio::spawn(connection);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let front = listener.local_addr().unwrap();
        tokio::spawn(async move { serve(listener.accept().await.unwrap().0, sender).await });
        let (sender, connection) = h2::client::handshake(TcpStream::connect(front).await.unwrap()).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    #[tokio::test]
    async fn content_and_trailers_come_back() {
        let sender = relayed().await;
        let request = Request::post("http://example/").body(()).unwrap();
        let (response, mut asked) = sender.ready().await.unwrap().send_request(request, false).unwrap();
        asked.send_data(Bytes::from_static(b"content"), false).unwrap();
        let trailers = HeaderMap::from_iter([("later".parse().unwrap(), "1".parse().unwrap())]);
        asked.send_trailers(trailers.clone()).unwrap();
        let mut content = response.await.unwrap().into_body();
        assert_eq!(content.data().await.unwrap().unwrap(), "content");
        assert!(content.data().await.is_none());
        assert_eq!(content.trailers().await.unwrap(), Some(trailers));
    }
}
