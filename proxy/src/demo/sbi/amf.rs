//! An AMF as a client: one connection to the SCP, and the requests of all its users on it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Builder;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::time::timeout;

use super::cast::{AMFS, Function};
use super::ground::Ground;

/// After so long an answer does not help any more.
const PATIENCE: Duration = Duration::from_secs(10);

/// An AMF that is connected. Copies are the same.
#[derive(Clone, Debug)]
pub(super) struct Amf {
    /// Which.
    pub(super) function: Function,
    scp: SocketAddr,
    requests: SendRequest<Full<Bytes>>,
}

impl Amf {
    /// Connects to the SCP.
    pub(super) async fn connect(ground: &Ground, function: Function, scp: SocketAddr) -> io::Result<Self> {
        let stream = TokioIo::new(ground.connect(function, scp).await?);
        let (requests, connection) = handshake(TokioExecutor::new(), stream).await.map_err(io::Error::other)?;
        tokio::spawn(connection);
        Ok(Self { function, scp, requests })
    }

    /// Whether it sends the bindings that it was given; one that does not only knows the URIs of resources.
    pub(super) fn binds(&self) -> bool {
        AMFS.iter().position(|it| *it == self.function) != Some(0)
    }

    /// A request for a path, to be sent to the SCP.
    pub(super) fn request(&self, method: &str, path: &str) -> Builder {
        Request::builder().method(method).uri(format!("http://{}{path}", self.scp))
    }

    /// Sends it, with JSON where there is any; the answer, or why there is none.
    pub(super) async fn ask(&self, request: Builder, content: Option<&Value>) -> Result<Response<Bytes>, String> {
        let asked = async {
            let body = content.map(Value::to_string).unwrap_or_default();
            let request = match content {
                Some(_) => request.header(CONTENT_TYPE, "application/json"),
                None => request,
            };
            let request = request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
            let mut requests = self.requests.clone();
            requests.ready().await.map_err(|error| error.to_string())?;
            let answer = requests.send_request(request).await.map_err(|error| error.to_string())?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
            Ok(Response::from_parts(head, body))
        };
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(format!("no answer in {} s", PATIENCE.as_secs())))
    }
}
