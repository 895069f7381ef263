//! A request on its way through the layers, with what is known of it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, Request, Response};
use tokio::time::Instant;
use tower::Service;

use crate::api_root::ApiRoot;
use crate::body::Body;
use crate::context::Context;
use crate::errors;
use crate::failure::Failure;
use crate::parts::Parts;
use crate::prepared::Prepared;
use crate::producer::{Plan, Target};
use crate::request::SharedRequest;

/// A request, and what layers found out about it. It goes through them down to whoever answers, and comes back with the answer.
#[derive(Debug)]
pub struct Call {
    /// As the next hop is to have it. Its content is gone when the call comes back.
    pub request: SharedRequest,
    /// What was read of it on arrival.
    pub context: Arc<Context>,
    /// Whom to ask, in which order.
    pub plan: Plan,
    /// Who was asked in vain.
    pub tried: Vec<ApiRoot>,
    /// Whether the same is asked once more, which may have acted on it before.
    pub repeated: bool,
    /// Who is asked now; when it comes back, who answered, where that is not this SCP itself.
    pub target: Option<Target>,
    /// What came of it: as long as nobody answered, that nobody does.
    pub answer: Result<Reply, Failure>,
}

/// What a layer's future gives.
pub type Back = Result<Box<Call>, Infallible>;

/// A layer, or all of them from one on inwards: who takes a call and gives it back.
pub trait Serve: Service<Box<Call>, Response = Box<Call>, Error = Infallible> {}

impl<S: Service<Box<Call>, Response = Box<Call>, Error = Infallible>> Serve for S {}

/// A response on its way back.
pub type Reply = Response<Body>;

/// Who sent a request.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Whether it came over TLS.
    pub tls: bool,
    /// Names in its certificate: DNS names and URIs of the subject's alternative names.
    pub names: Arc<[String]>,
    /// What holders of certificates are told apart by ([`crate::tls::holder`]); none: it showed no certificate.
    pub holder: Option<Arc<str>>,
}

/// Where calls come from: what those of one connection share, until the SCP goes by other settings.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Who sends them.
    pub peer: Arc<Peer>,
    /// What the SCP goes by.
    pub prepared: Arc<Prepared>,
    /// What all of them are served with.
    pub parts: Parts,
    /// Tells the time of day.
    pub clock: fn() -> SystemTime,
}

/// What comes with a call from the connection that it came on.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Where it came from.
    pub origin: Arc<Origin>,
    /// When it came.
    pub at: Instant,
    /// Whether its connection is being closed because the SCP ends.
    pub draining: bool,
}

impl Deref for Arrival {
    type Target = Origin;

    fn deref(&self) -> &Origin {
        &self.origin
    }
}

impl Origin {
    /// The time of day now.
    pub(crate) fn now(&self) -> SystemTime {
        (self.clock)()
    }
}

impl Call {
    /// One that was not looked at yet.
    #[must_use]
    pub fn new(request: Request<Body>, context: Context) -> Box<Self> {
        Box::new(Self {
            request: SharedRequest::from(request),
            context: Arc::new(context),
            plan: Plan::default(),
            tried: Vec::new(),
            repeated: false,
            target: None,
            answer: Err(Failure::Exhausted),
        })
    }

    /// The same once more, with other content, and not answered.
    pub(crate) fn again(&self, content: Body) -> Box<Self> {
        Box::new(Self {
            request: self.request.again(content),
            context: Arc::clone(&self.context),
            plan: self.plan.clone(),
            tried: self.tried.clone(),
            repeated: self.repeated,
            target: self.target.clone(),
            answer: Err(Failure::Exhausted),
        })
    }

    /// The same, with what came of it.
    #[must_use]
    pub(crate) fn with(mut self: Box<Self>, answer: Result<Reply, Failure>) -> Box<Self> {
        self.answer = answer;
        self
    }

    /// What its client gets. The outermost layers see to it that there is an answer.
    #[must_use]
    pub(crate) fn replied(self: Box<Self>) -> Reply {
        let Self { answer, context, .. } = *self;
        answer.unwrap_or_else(|failure| errors::own(failure, &context.arrival.prepared))
    }

    /// The request's headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// What layers share.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.context.arrival.parts
    }

    /// What the SCP goes by.
    #[must_use]
    pub fn prepared(&self) -> &Arc<Prepared> {
        &self.context.arrival.prepared
    }
}
