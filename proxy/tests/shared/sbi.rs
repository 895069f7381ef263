//! Clients of an SCP that the daemon hosts, and its section.

use std::fmt::Display;
use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pinion::config::model::Sbi;
use pinion::config::{Host as Machine, parse};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// An SCP's section with these listeners.
pub(crate) fn section(listeners: &[SocketAddr]) -> Sbi {
    let listeners: Vec<_> =
        listeners.iter().map(|it| format!("{{address: {}, port: {}}}", it.ip(), it.port())).collect();
    let text = format!("sbi: {{fqdn: scp.example, listeners: [{}]}}", listeners.join(", "));
    parse(text.as_bytes(), &Machine::default()).unwrap().config.sbi.unwrap()
}

/// A client's connection.
pub(crate) struct Client {
    pub(crate) requests: SendRequest<Empty<Bytes>>,
    scp: SocketAddr,
}

impl Client {
    pub(crate) async fn connect(scp: SocketAddr) -> Option<Self> {
        Self::on(TcpStream::connect(scp).await.ok()?, scp).await
    }

    /// One on a wire that is there.
    pub(crate) async fn on<W>(wire: W, scp: SocketAddr) -> Option<Self>
    where
        W: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let connected = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(wire)).await;
        let (requests, connection) = connected.ok()?;
        tokio::spawn(connection);
        Some(Self { requests, scp })
    }

    /// Asks a producer by way of the SCP; what it answered.
    pub(crate) async fn ask(&mut self, producer: impl Display, path: &str) -> String {
        self.ask_with(producer, path, &[]).await
    }

    /// The same, with headers.
    pub(crate) async fn ask_with(
        &mut self,
        producer: impl Display,
        path: &str,
        headers: &[(&str, &str)],
    ) -> String {
        let mut request = Request::get(format!("http://{}{path}", self.scp))
            .header("3gpp-sbi-target-apiroot", format!("http://{producer}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Empty::new()).unwrap();
        self.requests.ready().await.unwrap();
        let response = self.requests.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().into()).unwrap()
    }
}
