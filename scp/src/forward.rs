//! The innermost service: the request as the next hop is to have it, and the response as its client is (TS 29.500 6.10.2.4,
//! 6.10.4).

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, Version, header};
use pinion_protocols::sbi::{MaxResponseTime, SenderTimestamp};
use tower::Service;

use crate::before::Way;
use crate::body::BodyError;
use crate::call::{Back, Call, Credential};
use crate::cause::Cause;
use crate::clock::timestamp;
use crate::context::Context;
use crate::failure::{Failure, Fault, Sent, Upstream};
use crate::location::absolute;
use crate::names;
use crate::path::{DEFAULT_NOTIFICATION, outward};
use crate::peers;
use crate::pools::{Sending, Urgency};
use crate::problem::Problem;
use crate::producer::{Hop, Target};
use crate::{advice, deadline, hops};

/// Sends a call to its target.
#[derive(Clone, Copy, Debug)]
pub struct Forward;

impl Service<Box<Call>> for Forward {
    type Response = Box<Call>;
    type Error = Infallible;
    type Future = Way<Begun>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Box<Call>) -> Self::Future {
        match begin(&mut call) {
            Ok(sending) => Way::On(Begun { sending, call: Some(call) }),
            Err(failure) => {
                call.regain();
                Way::ended(call, failure)
            }
        }
    }
}

/// A call that is on its way to its target.
#[derive(Debug)]
pub struct Begun {
    sending: Box<Sending>,
    /// The call, until it goes back.
    call: Option<Box<Call>>,
}

impl Future for Begun {
    type Output = Back;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Back> {
        let Self { sending, call: on_its_way } = &mut *self;
        let answer = Pin::new(&mut **sending).poll(task);
        let Some(mut call) = on_its_way.take() else { return Poll::Pending };
        for head in sending.early() {
            call.context.early.tell(head);
        }
        let Poll::Ready(answer) = answer else {
            if sending.turned_slow() {
                call.context.slow.tell(&call, sending.is_in_line());
            }
            if !call.tried.is_empty() && !sending.is_in_line() {
                call.context.slow.sent();
            }
            *on_its_way = Some(call);
            return Poll::Pending;
        };
        // Only where it is not done may somebody be asked once more.
        if !answer.as_ref().is_ok_and(|it| it.status().is_success()) {
            call.regain();
        }
        let answer = match answer {
            Ok(mut reply) => {
                let told = Told::by(reply.headers());
                call.told = told.sbi;
                if let Some(target) = &call.target {
                    answered(reply.headers_mut(), &told, target, &call);
                    peers::homeward(reply.headers_mut(), &call.context);
                }
                Ok(reply)
            }
            Err(upstream) => Err(failed(upstream, call.target.as_ref(), &call.context)),
        };
        Poll::Ready(Ok(call.with(answer)))
    }
}

fn begin(call: &mut Call) -> Result<Box<Sending>, Failure> {
    let mut headers = call.lend();
    let target = call.target.as_ref().ok_or(Failure::Exhausted)?;
    let uri = uri(call.request.uri(), target)?;
    let context = &call.context;
    if call.request.version() != Version::HTTP_2 {
        strip_http1(&mut headers);
    }
    adapt(&mut headers, target, context);
    hops::mark(&mut headers, context);
    match &call.credential {
        Credential::Own => {}
        Credential::Withheld => {
            headers.remove(header::AUTHORIZATION);
        }
        Credential::Got(token) => {
            headers.insert(header::AUTHORIZATION, token.clone());
        }
    }
    if advice::is_another(call) {
        advice::mark(&mut headers);
    }
    peers::outward(&mut headers, target, context);
    let gone = || Upstream {
        api_root: target.root().clone(),
        fault: Fault::Content(BodyError::Taken),
        sent: Sent::Nothing,
        producer: target.producer.clone(),
    };
    let content = call.request.body_mut().read().ok_or_else(gone)?;
    let mut outgoing = Request::new(());
    *outgoing.headers_mut() = headers;
    *outgoing.method_mut() = call.request.method().clone();
    *outgoing.uri_mut() = uri;
    *outgoing.version_mut() = Version::HTTP_2;
    let origin = &context.origin;
    let urgency = Urgency { priority: context.priority, begun: call.begun, deadline: context.deadline.at };
    let holder = target.holder(origin.prepared.settings.identities.producers);
    Ok(origin.parts.pools.send(&target.api_root, &holder, outgoing, content, urgency, &origin.prepared))
}

/// The URI that the next hop is asked by.
fn uri(path: &Uri, target: &Target) -> Result<Uri, Failure> {
    let own = path.path_and_query().ok_or_else(|| wrong("the request has no path".to_owned()))?;
    let replaced = target.path.as_ref().filter(|_| own.path() == DEFAULT_NOTIFICATION);
    if replaced.is_none() && target.hop == Hop::Producer && own.path() == DEFAULT_NOTIFICATION {
        let problem =
            Problem::new(Cause::NfDiscoveryFailure).detail("nobody subscribed to such notifications by default");
        return Err(problem.into());
    }
    // A registered callback is a whole path at its receiver, prefix and all; another SCP on the way has its own before it.
    let whole = replaced.is_some() && target.hop == Hop::Producer;
    let prefix = if whole { "" } else { target.api_root.prefix() };
    let path = outward(replaced.unwrap_or(own), prefix).map_err(|error| wrong(error.to_string()))?;
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(target.api_root.transport.uri_scheme());
    parts.authority = Some(target.api_root.authority.clone());
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).map_err(|error| wrong(error.to_string()))
}

fn wrong(detail: String) -> Failure {
    Problem::new(Cause::InvalidMsgFormat).detail(detail).into()
}

/// Takes from headers what was for this SCP, and says what is for the next hop.
fn adapt(headers: &mut HeaderMap, target: &Target, context: &Context) {
    // `:authority` says it, and another host than that is malformed (RFC 9113 8.3.1).
    if names::has(headers, &header::HOST) {
        headers.remove(header::HOST);
    }
    match target.hop {
        Hop::Producer => {
            if context.target.is_some() {
                headers.remove(names::TARGET_API_ROOT);
            }
            if context.binding {
                headers.remove(names::ROUTING_BINDING);
            }
        }
        Hop::Scp | Hop::Sepp => match target.onward.as_ref().and_then(|it| it.header()) {
            Some(onward) => {
                headers.insert(names::TARGET_API_ROOT, onward.clone());
            }
            None => {
                headers.remove(names::TARGET_API_ROOT);
            }
        },
    }
    if let Some(left) = context.deadline.left
        && headers.contains_key(names::SENDER_TIMESTAMP)
    {
        let now = SenderTimestamp(timestamp(context.origin.now()));
        let left = left.saturating_sub(context.arrival.at.elapsed()).as_millis();
        let left = MaxResponseTime::new(u64::try_from(left).unwrap_or(u64::MAX));
        if let (Ok(now), Ok(left)) =
            (HeaderValue::try_from(now.to_string()), HeaderValue::try_from(left.to_string()))
        {
            headers.insert(names::SENDER_TIMESTAMP, now);
            headers.insert(names::MAX_RSP_TIME, left);
        }
    }
}

/// Headers that are of one connection (RFC 9110 7.6.1, RFC 9113 8.2.2), and what its client was told already: to send the
/// content that it asked about.
fn strip_http1(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .filter_map(|it| it.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::TE, header::EXPECT] {
        headers.remove(name);
    }
    for name in ["keep-alive", "proxy-connection"] {
        headers.remove(name);
    }
}

fn failed(mut upstream: Upstream, target: Option<&Target>, context: &Context) -> Failure {
    if let Some(target) = target {
        // Its connections are shared by all that are at its place, or behind the next hop.
        upstream.api_root = target.root().clone();
        upstream.producer.clone_from(&target.producer);
    }
    match upstream.fault {
        Fault::Silence(_) | Fault::Busy if context.deadline.asked => deadline::late(),
        _ => upstream.into(),
    }
}

/// What there is to look at in an answer: most have nothing of it, and are looked through once.
struct Told {
    location: bool,
    /// Headers of 3GPP.
    sbi: bool,
}

impl Told {
    fn by(headers: &HeaderMap) -> Self {
        let mut told = Self { location: false, sbi: false };
        for name in headers.keys() {
            told.location |= *name == header::LOCATION;
            told.sbi |= name.as_str().starts_with("3gpp-");
        }
        told
    }
}

/// What the client is told of where its request went (6.10.4).
fn answered(headers: &mut HeaderMap, told: &Told, target: &Target, call: &Call) {
    let asked = target.root();
    if told.location
        && let Some(location) = headers.get(header::LOCATION)
    {
        let uri = uri(call.request.uri(), target);
        let path = uri.as_ref().ok().and_then(Uri::path_and_query).map_or("/", PathAndQuery::as_str);
        let location = location.to_str().ok().and_then(|it| absolute(it, asked, path));
        // What a client that does not know of the SCP asked is what was asked.
        if let Some(Ok(location)) = location.map(HeaderValue::try_from)
            && call.context.target.is_some() | target.chosen
        {
            headers.insert(header::LOCATION, location);
        }
    } else if target.chosen
        && !(told.sbi && names::has(headers, &names::TARGET_API_ROOT))
        && let Some(root) = asked.header()
    {
        headers.insert(names::TARGET_API_ROOT, root.clone());
    }
}
