//! A request on its way through the layers, with what is known of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, Request, Response};
use tokio::time::Instant;

use crate::api_root::ApiRoot;
use crate::body::Body;
use crate::context::Context;
use crate::producer::{Plan, Target};
use crate::request::SharedRequest;

/// A request, and what layers found out about it.
#[derive(Debug)]
pub struct Call {
    /// As the next hop is to have it.
    pub request: SharedRequest,
    /// What was read of it on arrival.
    pub context: Arc<Context>,
    /// Whom to ask, in which order.
    pub plan: Plan,
    /// Who was asked in vain.
    pub tried: Vec<ApiRoot>,
    /// Whether the same is asked once more, which may have acted on it before.
    pub repeated: bool,
    /// Whether a resource's pin goes by who answers.
    pub bound: bool,
    /// Who is asked now.
    pub target: Option<Target>,
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

/// What comes with a call from the connection that it came on.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Who sent it.
    pub peer: Arc<Peer>,
    /// What the SCP went by when it came.
    pub prepared: Arc<crate::prepared::Prepared>,
    /// When it came.
    pub at: Instant,
    /// The time of day then.
    pub clock: SystemTime,
    /// Whether its connection is being closed because the SCP ends.
    pub draining: bool,
}

impl Arrival {
    /// The time of day now.
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.checked_add(self.at.elapsed()).unwrap_or(self.clock)
    }
}

impl Call {
    /// One that was not looked at yet.
    #[must_use]
    pub fn new(request: Request<Body>, context: Context) -> Self {
        let (request, context) = (SharedRequest::from(request), Arc::new(context));
        Self {
            request,
            context,
            plan: Plan::default(),
            tried: Vec::new(),
            repeated: false,
            bound: false,
            target: None,
        }
    }

    /// The same once more, with other content.
    pub(crate) fn again(&self, content: Body) -> Self {
        Self {
            request: self.request.again(content),
            context: Arc::clone(&self.context),
            plan: self.plan.clone(),
            tried: self.tried.clone(),
            repeated: self.repeated,
            bound: self.bound,
            target: self.target.clone(),
        }
    }

    /// The request's headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }
}
