//! How a call can fail inside the SCP, and what that says about trying again.

use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;

use crate::api_root::ApiRoot;
use crate::problem::Problem;
use crate::producer::Producer;

/// A call that has no answer of a producer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// This SCP refuses it, or cannot do it.
    #[error("{}: {}", .0.cause.name(), .0.detail)]
    Problem(Box<Problem>),
    /// The next hop failed.
    #[error(transparent)]
    Upstream(#[from] Upstream),
    /// The client is to ask another SCP.
    #[error("{} is to be asked instead", .0.scp)]
    Redirected(Box<Redirected>),
    /// There is no other candidate than those that were tried.
    #[error("there is no other candidate")]
    Exhausted,
}

/// Where a client is to ask instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirected {
    /// The other SCP.
    pub scp: ApiRoot,
    /// Whether it is to remember that.
    pub permanent: bool,
    /// The path below API roots.
    pub path: PathAndQuery,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

/// A next hop that did not answer.
#[derive(Debug, thiserror::Error)]
#[error("{api_root}: {fault}")]
pub struct Upstream {
    /// Whose: the producer's, where the next hop is another SCP or SEPP on the way to it.
    pub api_root: ApiRoot,
    /// What happened.
    pub fault: Fault,
    /// What of the request it may have acted on.
    pub sent: Sent,
    /// Who it is, where this SCP looked it up.
    pub producer: Option<Arc<Producer>>,
}

/// What of a request the next hop may have acted on (RFC 9113 8.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nothing: it was not sent, or the next hop says that it did not look at it.
    Nothing,
    /// Nobody knows.
    Something,
}

/// What happened to a request on its way to the next hop or there.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The name has no address.
    #[error("no address: {0}")]
    Name(std::io::Error),
    /// No connection came about.
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    /// TLS did not come about, or not with HTTP/2.
    #[error("TLS: {0}")]
    Tls(std::io::Error),
    /// No connection within the time for it.
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    /// One of this SCP's own listeners is there.
    #[error("this SCP itself is there; what clients know it by belongs in its authorities")]
    Own,
    /// Every connection that may be is busy, for too long.
    #[error("every connection is at its limit of streams")]
    Busy,
    /// It asked for fewer requests, and this is one of those; seconds for which it is so.
    #[error("it is overloaded")]
    Overloaded(u32),
    /// It refused the stream: REFUSED_STREAM.
    #[error("the stream was refused")]
    Refused,
    /// The connection ended before this stream was looked at: GOAWAY with a lower last stream.
    #[error("the connection was being closed (GOAWAY)")]
    GoAway,
    /// It reset the stream.
    #[error("the stream was reset: {0}")]
    Reset(h2::Reason),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(h2::Error),
    /// No response within the time for it.
    #[error("no response within {0:?}")]
    Silence(Duration),
    /// The request's own content broke off, so that the fault is the client's.
    #[error("the request's content: {0}")]
    Content(crate::body::BodyError),
    /// The request cannot be put to this next hop.
    #[error("not a request for it: {0}")]
    Unsendable(h2::Error),
}

impl Upstream {
    /// Whether the next hop certainly did nothing with the request.
    #[must_use]
    pub fn untouched(&self) -> bool {
        self.sent == Sent::Nothing
    }
}
