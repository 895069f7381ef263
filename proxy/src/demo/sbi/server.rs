//! HTTP/2 of a network function that is asked.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What it answers.
pub(super) type Answer = Response<Full<Bytes>>;

/// A server that runs until it is killed or dropped.
#[derive(Debug)]
pub(super) struct Server {
    /// Where it listens.
    pub(super) at: SocketAddr,
    alive: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers as it is told.
    pub(super) fn start<F, A>(listener: TcpListener, answer: F) -> std::io::Result<Self>
    where
        F: Fn(Request<Bytes>) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        let at = listener.local_addr()?;
        let (alive, lives) = watch::channel(true);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let (answer, lives) = (answer.clone(), lives.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (answer, lives) = (answer.clone(), lives.clone());
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
                        tokio::select! {
                            never = death(lives) => never,
                            answer = answer(Request::from_parts(head, body)) => Ok::<_, Infallible>(answer),
                        }
                    }
                });
                connections
                    .spawn(Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Self { at, alive, task })
    }

    /// Ends it and its connections in the middle of whatever they do.
    pub(super) fn kill(&self) {
        self.alive.send_replace(false);
        self.task.abort();
    }
}

/// Who is killed says nothing more: this is never over.
async fn death<T>(mut lives: watch::Receiver<bool>) -> T {
    let _ = lives.wait_for(|alive| !alive).await.map(|_| ());
    pending().await
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An answer of JSON.
pub(super) fn json(status: StatusCode, content: &Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(content.to_string())));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    answer
}
