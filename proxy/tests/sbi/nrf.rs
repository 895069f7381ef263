//! An NRF that runs, and what it was asked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

/// A request that it got.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// An NRF that runs until it is dropped.
pub(crate) struct Nrf {
    pub(crate) address: SocketAddr,
    pub(crate) knows: Arc<Knows>,
    task: JoinHandle<()>,
}

/// What it knows, and was asked.
pub(crate) struct Knows {
    asked: Mutex<Vec<Asked>>,
    /// Profiles that searches find.
    pub(crate) profiles: Mutex<Vec<Value>>,
    /// Whether it does not know this SCP until it registers.
    pub(crate) forgotten: Mutex<bool>,
    /// Deregistrations that it may answer.
    pub(crate) farewells: Semaphore,
}

impl Nrf {
    /// One that wants a heartbeat each second.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let knows = Arc::new(Knows {
            asked: Mutex::default(),
            profiles: Mutex::default(),
            forgotten: Mutex::new(true),
            farewells: Semaphore::new(Semaphore::MAX_PERMITS),
        });
        let known = Arc::clone(&knows);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let known = Arc::clone(&known);
                let service = service_fn(move |request: Request<Incoming>| {
                    let known = Arc::clone(&known);
                    async move { Ok::<_, Infallible>(known.answer(request).await) }
                });
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                connections.spawn(server.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, knows, task }
    }

    /// Ends it, with its connections.
    pub(crate) async fn kill(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    /// What it was asked of a kind.
    pub(crate) fn asked(&self, method: &str, path: &str) -> Vec<Asked> {
        let asked = self.knows.asked.lock().unwrap();
        asked.iter().filter(|it| it.method == method && it.path.contains(path)).cloned().collect()
    }
}

impl Drop for Nrf {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Knows {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let (method, path) = (head.method.to_string(), head.uri.path().to_owned());
        self.asked.lock().unwrap().push(Asked { method: method.clone(), path: path.clone(), body: body.clone() });
        let (status, content) = match (method.as_str(), path.as_str()) {
            ("PUT", path) if path.starts_with("/nnrf-nfm/v1/nf-instances/") => {
                *self.forgotten.lock().unwrap() = false;
                let mut profile = body;
                profile["heartBeatTimer"] = 1.into();
                (201, profile)
            }
            ("PATCH", path) if path.starts_with("/nnrf-nfm/v1/nf-instances/") => {
                (if *self.forgotten.lock().unwrap() { 404 } else { 204 }, Value::Null)
            }
            ("DELETE", _) => {
                self.farewells.acquire().await.unwrap().forget();
                (204, Value::Null)
            }
            ("POST", "/nnrf-nfm/v1/subscriptions") => {
                let mut data = body;
                data["subscriptionId"] = "sub-1".into();
                (201, data)
            }
            ("GET", "/nnrf-disc/v1/nf-instances") => {
                (200, json!({"validityPeriod": 1, "nfInstances": *self.profiles.lock().unwrap()}))
            }
            _ => (404, Value::Null),
        };
        let content = if content.is_null() { Bytes::new() } else { content.to_string().into() };
        Response::builder().status(status).body(Full::new(content)).unwrap()
    }
}
