use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body, Bytes};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use hyper::{Method, Request, Response, StatusCode};
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::format::Format;
use super::{Snapshot, registry};
use crate::control::Control;

/// Whether the daemon does its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// The configuration is in force and packets are steered.
    Ready,
    /// Not yet, or not any more, and why.
    Not(String),
}

/// How much scrapers may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many connections there are at a time, at least 1; beyond, the oldest ends.
    pub connections: usize,
    /// How long a connection lasts: one request and its answer.
    pub deadline: Duration,
    /// How long making a page may take.
    pub patience: Duration,
    /// How many endpoints a page shows.
    pub endpoints: usize,
}

impl Default for Limits {
    /// 16 connections of 10 s, after which Prometheus has given up; half of that to make a page; and 10,000
    /// endpoints, which are about 10 MB.
    fn default() -> Self {
        let (deadline, patience) = (Duration::from_secs(10), Duration::from_secs(5));
        Self { connections: 16, deadline, patience, endpoints: 10_000 }
    }
}

/// What is answered over HTTP.
pub struct Page {
    control: Arc<dyn Control>,
    registry: Arc<Registry>,
    readiness: watch::Receiver<Readiness>,
    pub(super) limits: Limits,
    /// One page is made at a time.
    turn: Arc<Semaphore>,
    scrapes: Counter,
    failures: Counter,
    pub(super) cut: Counter,
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").finish_non_exhaustive()
    }
}

impl Page {
    /// Shows what `control` tells, and what components have registered.
    #[must_use]
    pub fn new(
        control: Arc<dyn Control>,
        mut registry: Registry,
        readiness: watch::Receiver<Readiness>,
        limits: Limits,
    ) -> Self {
        let (scrapes, failures, cut) = (Counter::default(), Counter::default(), Counter::default());
        registry.register("scrapes", "Pages of metrics that were asked for", scrapes.clone());
        registry.register("scrape_failures", "Pages that could not be made, or not in time", failures.clone());
        registry.register(
            "scrape_connections_cut",
            "Connections that were ended at their deadline, or for newer ones",
            cut.clone(),
        );
        let turn = Arc::new(Semaphore::new(1));
        Self { control, registry: Arc::new(registry), readiness, limits, turn, scrapes, failures, cut }
    }

    /// Answers a request: GET and HEAD of `/metrics` and `/ready`. The request's body is not read.
    pub(super) async fn answer<B: Body>(&self, request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
        let known = matches!(request.uri().path(), "/metrics" | "/ready");
        Ok(match (request.uri().path(), request.method()) {
            (_, method) if known && !matches!(*method, Method::GET | Method::HEAD) => {
                let mut response = words(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered");
                response.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
                response
            }
            ("/metrics", _) => self.metrics(Format::of(request.headers())).await,
            ("/ready", _) => match &*self.readiness.borrow() {
                Readiness::Ready => words(StatusCode::OK, "ready"),
                Readiness::Not(why) => words(StatusCode::SERVICE_UNAVAILABLE, why),
            },
            _ => words(StatusCode::NOT_FOUND, "there are /metrics and /ready"),
        })
    }

    async fn metrics(&self, format: Format) -> Response<Full<Bytes>> {
        self.scrapes.inc();
        let failed = |why: &str| {
            self.failures.inc();
            words(StatusCode::SERVICE_UNAVAILABLE, why)
        };
        match timeout(self.limits.patience, self.write(format)).await {
            Ok(Ok(page)) => respond(StatusCode::OK, format.content_type(), page),
            Ok(Err(why)) => failed(&why),
            Err(_) => failed("the metrics could not be gathered in time"),
        }
    }

    async fn write(&self, format: Format) -> Result<String, String> {
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|error| error.to_string())?;
        let snapshot =
            Snapshot::take(&*self.control, self.limits.endpoints).await.map_err(|error| error.to_string())?;
        let components = Arc::clone(&self.registry);
        // Megabytes of text, which would hold up the tasks of this thread. The turn lasts until it is done, also
        // where nobody waits for it any more.
        let written = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut shown = registry();
            shown.register_collector(Box::new(snapshot));
            let mut page = String::new();
            encode_registry(&mut page, &shown)?;
            encode_registry(&mut page, &components)?;
            encode_eof(&mut page)?;
            Ok::<_, fmt::Error>(format.put(page))
        });
        match written.await {
            Ok(Ok(page)) => Ok(page),
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn words(status: StatusCode, words: &str) -> Response<Full<Bytes>> {
    respond(status, "text/plain; charset=utf-8", format!("{words}\n"))
}

fn respond(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    use hyper::header::HeaderValue;
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
