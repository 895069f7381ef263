//! A request on its way through the layers, with what is known of it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::time::Instant;
use tower::Service;

use crate::api_root::ApiRoot;
use crate::body::Body;
use crate::context::Context;
use crate::errors;
use crate::failure::Failure;
use crate::kept::Content;
use crate::parts::Parts;
use crate::prepared::Prepared;
use crate::producer::{Plan, Target};

/// A request, and what layers found out about it. It goes through them down to whoever answers, and comes back with the answer.
#[derive(Debug)]
pub struct Call {
    /// As the next hop is to have it, whoever that will be.
    pub request: Request<Content>,
    /// What was read of it on arrival.
    pub context: Arc<Context>,
    /// Whom to ask, in which order.
    pub plan: Plan,
    /// Who was asked in vain.
    pub tried: Vec<ApiRoot>,
    /// Whether the same is asked once more, which may have acted on it before.
    pub repeated: bool,
    /// When it was begun to look for somebody who answers it, this time.
    pub begun: Instant,
    /// With whose access token whoever is asked now is asked.
    pub credential: Credential,
    /// Who is asked now; when it comes back, who answered, where that is not this SCP itself.
    pub target: Option<Target>,
    /// What came of it: as long as nobody answered, that nobody does.
    pub answer: Result<Reply, Failure>,
}

/// With which access token an attempt is made.
#[derive(Clone, Debug, Default)]
pub enum Credential {
    /// That of the request, where it has one.
    #[default]
    Own,
    /// None: that of the request is for somebody else.
    Withheld,
    /// One that was got for it, as `Authorization` has it.
    Got(HeaderValue),
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
    pub fn new(head: http::request::Parts, content: Body, context: Context) -> Box<Self> {
        Self::of(Request::from_parts(head, Content::from(content)), Plan::default(), Arc::new(context))
    }

    /// One that goes through the layers from where its plan is made.
    pub(crate) fn of(request: Request<Content>, plan: Plan, context: Arc<Context>) -> Box<Self> {
        Box::new(Self {
            request,
            begun: context.arrival.at,
            context,
            plan,
            tried: Vec::new(),
            repeated: false,
            credential: Credential::Own,
            target: None,
            answer: Err(Failure::Exhausted),
        })
    }

    /// The same once more, for another attempt.
    pub(crate) fn again(&self, now: Instant) -> Box<Self> {
        let mut again = Self::of(self.request.clone(), self.plan.clone(), Arc::clone(&self.context));
        (again.begun, again.repeated) = (now, self.repeated);
        again.tried.clone_from(&self.tried);
        again
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
