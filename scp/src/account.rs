//! What was done for whom: counted, and told to whoever writes it down.

mod counts;
mod services;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context as Task, Poll, ready};
use std::time::{Duration, SystemTime};

use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tower::Layer;
use tracing::Span;

use crate::api_root::ApiRoot;
use crate::call::{Back, Call, Of, Origin, Reply, Serve};
use crate::cause::Cause;
use crate::context::Context;
use crate::names;
use crate::path::without;
use crate::producer::Target;
use crate::trace::{self, Parent};

pub use counts::{BOUNDS, Counts};
pub(crate) use services::Service;
pub use services::ServiceCounts;
use services::Services;

/// What an SCP did. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Account {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    services: Services,
    untold: AtomicU64,
    reader: RwLock<Option<mpsc::Sender<Entry>>>,
}

/// A request and what became of it, as its response begins.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The time of day when it came.
    pub at: SystemTime,
    /// Who sent it.
    pub client: SocketAddr,
    /// The names in its client's certificate.
    pub names: Arc<[String]>,
    /// Its method.
    pub method: Method,
    /// The authority that was asked.
    pub authority: Option<Authority>,
    /// Path and query.
    pub path: Option<PathAndQuery>,
    /// `User-Agent`.
    pub agent: Option<String>,
    /// 3gpp-Sbi-Correlation-Info.
    pub correlation: Option<String>,
    /// The span that its client is in, where it says so.
    pub trace: Option<Parent>,
    /// As `nudm-sdm`; `notification` for callbacks, `other` for what is neither.
    pub service: String,
    /// The status of its response; none: its client did not wait for one.
    pub status: Option<StatusCode>,
    /// Why, where the SCP itself answered.
    pub cause: Option<Cause>,
    /// Who answered.
    pub target: Option<ApiRoot>,
    /// The NF instance there, where this SCP looked it up.
    pub nf_instance: Option<String>,
    /// From its headers to those of its response.
    pub took: Duration,
}

impl Account {
    /// From now on each request is told that comes while [`crate::Prepared`] says so; what is not taken in time is counted ([`Counts::untold`]) and left out.
    pub fn tell(&self, reader: Option<mpsc::Sender<Entry>>) {
        *self.shared.reader.write().unwrap_or_else(PoisonError::into_inner) = reader;
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts { untold: self.shared.untold.load(Ordering::Relaxed), ..self.shared.services.sum() }
    }

    /// The same of each service, in the order of their names.
    #[must_use]
    pub fn services(&self) -> Vec<ServiceCounts> {
        self.shared.services.read()
    }

    /// A request that is malformed, and its answer.
    pub(crate) fn refused(&self, head: &Parts, origin: &Origin, at: Instant, reply: &Reply) {
        let path = head.uri.path();
        let below = without(path, &origin.prepared.settings.identity.prefix).unwrap_or(path);
        let service = self.shared.services.of(below, head.headers.contains_key(names::CALLBACK));
        let asked = self.asked(&head.method, &head.uri, &head.headers, origin);
        write_down(&service, at, asked, Some((reply, None)));
    }

    /// What is to be told of a request; nothing where nobody listens.
    fn asked(&self, method: &Method, uri: &http::Uri, headers: &HeaderMap, origin: &Origin) -> Option<Box<Asked>> {
        if !origin.prepared.told {
            return None;
        }
        let text = |name: HeaderName| headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned);
        let entry = Entry {
            at: origin.now(),
            client: origin.peer.address,
            names: Arc::clone(&origin.peer.names),
            method: method.clone(),
            authority: uri.authority().cloned(),
            path: crate::nrf::shown(uri, &origin.prepared.settings),
            agent: text(header::USER_AGENT),
            correlation: text(names::CORRELATION_INFO),
            trace: Parent::of(headers),
            service: String::new(),
            status: None,
            cause: None,
            target: None,
            nf_instance: None,
            took: Duration::ZERO,
        };
        Some(Box::new(Asked { entry, account: self.clone() }))
    }

    fn reader(&self) -> Option<mpsc::Sender<Entry>> {
        self.shared.reader.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Puts [`Accounted`] around a service.
#[derive(Clone, Copy, Debug)]
pub struct AccountLayer;

/// Writes down what a service does.
#[derive(Clone, Copy, Debug)]
pub struct Accounted<S> {
    inner: S,
}

impl<S> Layer<S> for AccountLayer {
    type Service = Accounted<S>;

    fn layer(&self, inner: S) -> Accounted<S> {
        Accounted { inner }
    }
}

impl<S> tower::Service<Box<Call>> for Accounted<S>
where
    S: Serve,
    S::Future: Unpin,
{
    type Response = Box<Call>;
    type Error = Infallible;
    type Future = Accounting<S::Future>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Box<Call>) -> Self::Future {
        let Call { request, context, .. } = &mut *call;
        let (origin, account) = (&context.origin, &context.origin.parts.account);
        let asked = account.asked(request.method(), request.uri(), request.headers(), origin);
        let service = || account.shared.services.of(context.api(), context.callback);
        let span = trace::begin(request, context.service.get_or_init(service).name(), &origin.prepared);
        let open = Open { context: Arc::clone(context), span, asked, closed: false };
        Accounting { inner: self.inner.call(call), open }
    }
}

/// A response that is written down when it is there, or when nobody waits for it any more.
#[derive(Debug)]
pub struct Accounting<F> {
    inner: F,
    open: Open,
}

/// What is not written down yet.
#[derive(Debug)]
struct Open {
    context: Arc<Context>,
    span: Span,
    asked: Option<Box<Asked>>,
    closed: bool,
}

/// What is to be told of a request.
#[derive(Debug)]
struct Asked {
    entry: Entry,
    account: Account,
}

impl Open {
    /// Writes down a response, and who it is of where that is not this SCP; none: nobody waits for it.
    fn close(&mut self, reply: Option<(&Reply, Option<&Target>)>) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        trace::end(&self.span, reply);
        if let Some(service) = self.context.service.get() {
            write_down(service, self.context.arrival.at, self.asked.take(), reply);
        }
    }
}

/// Writes down what became of a request of this service that came `at` then.
fn write_down(
    service: &Service,
    at: Instant,
    asked: Option<Box<Asked>>,
    reply: Option<(&Reply, Option<&Target>)>,
) {
    let took = at.elapsed();
    let (reply, target) = (reply.map(|(reply, _)| reply), reply.and_then(|(_, target)| target));
    let status = reply.map(Reply::status);
    let cause = reply.and_then(|it| it.extensions().get::<Cause>()).copied();
    service.add(status, cause, took);
    let Some(asked) = asked else { return };
    let Asked { mut entry, account } = *asked;
    let Some(reader) = account.reader() else { return };
    (entry.status, entry.cause, entry.took) = (status, cause, took);
    service.name().clone_into(&mut entry.service);
    entry.target = target.map(|it| it.api_root.clone());
    entry.nf_instance = target.and_then(|it| it.producer.as_ref()).map(|it| it.nf_instance.clone());
    if reader.try_send(entry).is_err() {
        account.shared.untold.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close(None);
    }
}

impl<F> Of for Accounting<F> {
    fn context(&self) -> &Context {
        &self.open.context
    }
}

impl<F> Future for Accounting<F>
where
    F: Future<Output = Back> + Unpin,
{
    type Output = Back;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Back> {
        let Ok(call) = ready!(Pin::new(&mut self.inner).poll(task));
        self.open.close(call.answer.as_ref().ok().map(|reply| (reply, call.target.as_ref())));
        Poll::Ready(Ok(call))
    }
}
