//! UDMs and SMFs: each has the resources of its whole set, as if they lay in a UDR or UDSF, and answers for them as slowly.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{HeaderValue, LOCATION};
use hyper::{Method, Request, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;

use super::book::Book;
use super::cast::{Function, Kind};
use super::server::{self, Answer, Server};
use super::{BY, NUMBER};

/// How long it takes to answer.
const THOUGHT: Duration = Duration::from_millis(50);

/// What the members of a set have in common: the paths of their resources. Copies are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    paths: BTreeSet<String>,
    next: u64,
}

impl Store {
    /// How many resources there are.
    pub(super) fn count(&self) -> usize {
        self.with(|kept| kept.paths.len())
    }

    /// Makes a resource in a collection; its path.
    fn make(&self, collection: &str) -> String {
        self.with(|kept| {
            kept.next = kept.next.saturating_add(1);
            let path = format!("{collection}/{}", kept.next);
            kept.paths.insert(path.clone());
            path
        })
    }

    fn has(&self, path: &str) -> bool {
        self.with(|kept| kept.paths.contains(path))
    }

    fn end(&self, path: &str) -> bool {
        self.with(|kept| kept.paths.remove(path))
    }

    fn with<T>(&self, what: impl FnOnce(&mut Kept) -> T) -> T {
        what(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A producer that runs, until it is killed.
#[derive(Debug)]
pub(super) struct Producer {
    /// Which.
    pub(super) function: Function,
    /// Its server.
    pub(super) server: Server,
    /// Whether it lives.
    pub(super) alive: bool,
    answered: Arc<AtomicU64>,
}

impl Producer {
    /// One of a set.
    pub(super) fn start(
        function: Function,
        listener: TcpListener,
        store: &Store,
        book: &Book,
    ) -> std::io::Result<Self> {
        let at = listener.local_addr()?;
        let answered = Arc::new(AtomicU64::new(0));
        let (count, store, book) = (Arc::clone(&answered), store.clone(), book.clone());
        let server = Server::start(listener, move |request| {
            let (count, store, book) = (Arc::clone(&count), store.clone(), book.clone());
            async move {
                tokio::time::sleep(THOUGHT).await;
                let mut answer = answer(&request, function.kind, &store);
                let number = request.headers().get(NUMBER).and_then(|it| it.to_str().ok()?.parse().ok());
                match number {
                    Some(number) if *request.method() != Method::GET => book.done(number, function),
                    Some(_) => {}
                    None => book.fault(format!("{function} was asked by a stranger: {}", request.uri())),
                }
                if !answer.status().is_success() {
                    let (method, path) = (request.method(), request.uri().path());
                    book.fault(format!("{function} has nothing for {method} {path}"));
                }
                if answer.status() == StatusCode::CREATED {
                    name(&mut answer, function, at);
                }
                answer.headers_mut().insert(BY, HeaderValue::from(u16::from(function.number)));
                count.fetch_add(1, Ordering::Relaxed);
                answer
            }
        })?;
        Ok(Self { function, server, alive: true, answered })
    }

    /// How many requests it answered.
    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Kills it in the middle of what it is at.
    pub(super) fn kill(&mut self) {
        self.alive = false;
        self.server.kill();
    }
}

/// Says whose a resource is that was made: where it is, and that all of the set have it (TS 29.500 6.12.2).
fn name(answer: &mut Answer, function: Function, at: std::net::SocketAddr) {
    let headers = answer.headers_mut();
    let location = headers.get(LOCATION).and_then(|path| path.to_str().ok()).unwrap_or_default();
    let named = [
        (LOCATION, format!("http://{at}{location}")),
        (super::BINDING, format!("bl=nf-set; nfset={}", function.kind.set())),
    ];
    for (header, value) in named {
        headers.extend(HeaderValue::try_from(value).ok().map(|value| (header, value)));
    }
}

/// What is answered, before who answers is said. What is not known is 404.
fn answer(request: &Request<Bytes>, kind: Kind, store: &Store) -> Answer {
    let path = request.uri().path();
    let parts: Vec<_> = path.split('/').skip(1).collect();
    let nothing = || server::json(StatusCode::NOT_FOUND, &json!({"status": 404}));
    let found = |is: bool| if is { server::json(StatusCode::OK, &json!({})) } else { nothing() };
    match (kind, request.method().as_str(), &parts[..]) {
        (Kind::Udm, "GET", ["nudm-sdm", "v2", _, "am-data"]) => {
            server::json(StatusCode::OK, &json!({"gpsis": [], "nssai": {"defaultSingleNssais": [{"sst": 1}]}}))
        }
        (Kind::Udm, "POST", ["nudm-sdm", "v2", _, "sdm-subscriptions"])
        | (Kind::Smf, "POST", ["nsmf-pdusession", "v1", "sm-contexts"]) => {
            let mut answer = server::json(StatusCode::CREATED, &json!({}));
            let location = HeaderValue::try_from(store.make(path)).ok();
            answer.headers_mut().extend(location.map(|path| (LOCATION, path)));
            answer
        }
        (Kind::Udm, "PATCH", ["nudm-sdm", "v2", _, "sdm-subscriptions", _]) => found(store.has(path)),
        (Kind::Udm, "DELETE", ["nudm-sdm", "v2", _, "sdm-subscriptions", _]) => found(store.end(path)),
        (Kind::Smf, "POST", ["nsmf-pdusession", "v1", "sm-contexts", _, what]) => {
            let context = path.strip_suffix(what).unwrap_or(path).trim_end_matches('/');
            match *what {
                "modify" => found(store.has(context)),
                "release" => found(store.end(context)),
                _ => nothing(),
            }
        }
        _ => nothing(),
    }
}
