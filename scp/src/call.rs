//! A request on its way through the layers, with what is known of it.

use std::convert::Infallible;
use std::net::SocketAddr;
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
use crate::lent::Lent;
use crate::parts::Parts;
use crate::prepared::Prepared;
use crate::producer::{Plan, Step, Target};

/// A request, and what layers found out about it. It goes through them down to whoever answers, and comes back with the answer.
#[derive(Debug)]
pub struct Call {
    /// As the next hop is to have it, whoever that will be; its headers are gone while one is asked, and where one answered that it
    /// is done ([`Call::lend`]).
    pub request: Request<Content>,
    /// What was read of it on arrival.
    pub context: Arc<Context>,
    /// Whom to ask, in which order, where that is not as with all of its kind.
    pub plan: Option<Plan>,
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
    /// Whether the answer may have headers of 3GPP.
    pub told: bool,
    /// What became of the request's headers, where whoever is asked has them.
    lent: Option<Lent>,
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

/// The future of the outermost layer: as long as it lasts, it knows what was read of its call.
pub trait Of {
    /// That.
    fn context(&self) -> &Context;
}

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
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// When it came.
    pub at: Instant,
    /// Whether its connection is being closed because the SCP ends.
    pub draining: bool,
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
        Self::of(Request::from_parts(head, Content::from(content)), None, Arc::new(context))
    }

    /// One that goes through the layers from where its plan is made.
    pub(crate) fn of(request: Request<Content>, plan: Option<Plan>, context: Arc<Context>) -> Box<Self> {
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
            told: true,
            lent: None,
        })
    }

    /// The same once more, for another attempt.
    pub(crate) fn again(&self, now: Instant) -> Box<Self> {
        let mut again = Self::of(self.copied(), self.plan.clone(), Arc::clone(&self.context));
        (again.begun, again.repeated) = (now, self.repeated);
        again.tried.clone_from(&self.tried);
        again
    }

    /// The request's headers, for whoever is asked: until they are had back, the call has none.
    pub(crate) fn lend(&mut self) -> HeaderMap {
        let headers = std::mem::take(self.request.headers_mut());
        self.lent = Some(Lent::of(&headers, &self.context.kind));
        headers
    }

    /// Has the headers back that were lent.
    pub(crate) fn regain(&mut self) {
        if let Some(lent) = self.lent.take() {
            *self.request.headers_mut() = lent.again(&self.context.kind);
        }
    }

    /// The request, with headers that are lent meanwhile.
    pub(crate) fn copied(&self) -> Request<Content> {
        let mut request = self.request.clone();
        if let Some(lent) = &self.lent {
            *request.headers_mut() = lent.again(&self.context.kind);
        }
        request
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
        answer.unwrap_or_else(|failure| errors::own(failure, &context.origin.prepared))
    }

    /// The request's headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Whom to ask, in which order.
    #[must_use]
    pub(crate) fn steps(&self) -> &[Step] {
        self.plan.as_ref().map_or_else(|| self.context.steps(), |plan| &plan.steps)
    }

    /// The same, to be changed.
    pub(crate) fn plan_mut(&mut self) -> &mut Plan {
        let context = &self.context;
        self.plan.get_or_insert_with(|| Plan { steps: context.steps().into() })
    }

    /// What layers share.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.context.origin.parts
    }

    /// What the SCP goes by.
    #[must_use]
    pub fn prepared(&self) -> &Arc<Prepared> {
        &self.context.origin.prepared
    }
}

/// Calls for tests.
#[cfg(test)]
pub(crate) mod fixture {
    use super::*;
    use crate::kind::Known;
    use crate::settings::Settings;

    /// Where they come from, of an SCP with this prefix.
    pub(crate) fn origin(prefix: &str) -> Arc<Origin> {
        let mut settings = Settings::new("scp.example", Vec::new());
        prefix.clone_into(&mut settings.identity.prefix);
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let peer = Peer { address, tls: false, names: Arc::default(), holder: None };
        Arc::new(Origin {
            peer: Arc::new(peer),
            prepared: Arc::new(Prepared::new(settings, None, None)),
            parts: Parts::default(),
            clock: || SystemTime::UNIX_EPOCH,
        })
    }

    /// What was read of a request.
    pub(crate) fn context(head: &http::request::Parts, known: &mut Known) -> Context {
        Context::read(head, Arrival { at: Instant::now(), draining: false }, known).unwrap()
    }
}
