//! The innermost service: the request as the next hop is to have it, and the response as its client is (TS 29.500 6.10.2.4,
//! 6.10.4).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, Version, header};
use pinion_protocols::sbi::{MaxResponseTime, SenderTimestamp};
use tower::Service;

use crate::before::Way;
use crate::call::{Call, Reply};
use crate::cause::Cause;
use crate::clock::timestamp;
use crate::context::Context;
use crate::deadline;
use crate::failure::{Failure, Fault, Upstream};
use crate::location::absolute;
use crate::names;
use crate::path::{DEFAULT_NOTIFICATION, outward};
use crate::peers;
use crate::pools::{Pools, Sending, Urgency};
use crate::problem::Problem;
use crate::producer::{Hop, Target};

/// Sends a call to its target.
#[derive(Clone, Debug)]
pub struct Forward {
    /// Connections.
    pub pools: Pools,
}

impl Service<Call> for Forward {
    type Response = Reply;
    type Error = Failure;
    type Future = Way<Box<Begun>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        Way::of(begin(&self.pools, call))
    }
}

/// A call that is on its way to its target, and what is needed when the response comes.
#[derive(Debug)]
pub struct Begun {
    sending: Sending,
    context: Arc<Context>,
    target: Option<Target>,
    path: Option<PathAndQuery>,
    /// Whether a pin goes by who answers.
    bound: bool,
}

impl Future for Begun {
    type Output = Result<Reply, Failure>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let Self { sending, context, target, path, bound } = &mut *self;
        let answer = Pin::new(&mut *sending).poll(task);
        sending.early().for_each(|head| context.early.tell(head));
        let Poll::Ready(answer) = answer else {
            if let (true, Some(target)) = (sending.turned_slow(), target) {
                context.slow.tell(target.root());
            }
            return Poll::Pending;
        };
        let mut reply = answer.map_err(|it| failed(it, target.take(), context))?;
        if let Some(target) = target.take() {
            answered(reply.headers_mut(), &target, context, path.as_ref());
            peers::homeward(reply.headers_mut(), context);
            // Who answered is of interest where a resource was made, bound or moved, and where it is told.
            let headers = reply.headers();
            let prepared = &context.arrival.prepared;
            let told = prepared.told || prepared.tracer.is_some();
            if told
                || *bound
                || reply.status().is_redirection()
                || names::has(headers, &header::LOCATION)
                || names::has(headers, &names::BINDING)
            {
                reply.extensions_mut().insert(target);
            }
        }
        Poll::Ready(Ok(reply))
    }
}

fn begin(pools: &Pools, call: Call) -> Result<Box<Begun>, Failure> {
    let Call { request, context, target, bound, .. } = call;
    let target = target.ok_or(Failure::Exhausted)?;
    let uri = uri(request.uri(), &target)?;
    let path = uri.path_and_query().cloned();
    let (mut head, content) = request.into_parts();
    head.uri = uri;
    if head.version != Version::HTTP_2 {
        strip_http1(&mut head.headers);
        head.version = Version::HTTP_2;
    }
    headers(&mut head.headers, &target, &context);
    peers::outward(&mut head.headers, &target, &context);
    let urgency = Urgency { priority: context.priority, deadline: context.deadline.at };
    let settings = &context.arrival.prepared.settings;
    let sending = pools.send(
        &target.api_root,
        &target.holder(settings.identities.producers),
        Request::from_parts(head, content),
        urgency,
        &context.arrival.prepared,
    );
    Ok(Box::new(Begun { sending, context, target: Some(target), path, bound }))
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

fn headers(headers: &mut HeaderMap, target: &Target, context: &Context) {
    // `:authority` says it, and another host than that is malformed (RFC 9113 8.3.1).
    headers.remove(header::HOST);
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
        let arrival = &context.arrival;
        let now = SenderTimestamp(timestamp(arrival.now()));
        let left = left.saturating_sub(arrival.at.elapsed()).as_millis();
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

fn failed(mut upstream: Upstream, target: Option<Target>, context: &Context) -> Failure {
    if let Some(target) = target {
        // Its connections are shared by all that are at its place, or behind the next hop.
        upstream.api_root = target.root().clone();
        upstream.producer = target.producer;
    }
    match upstream.fault {
        Fault::Silence(_) | Fault::Busy if context.deadline.asked => deadline::late(),
        _ => upstream.into(),
    }
}

/// What the client is told of where its request went (6.10.4).
fn answered(headers: &mut HeaderMap, target: &Target, context: &Context, path: Option<&PathAndQuery>) {
    let asked = target.root();
    if names::has(headers, &header::LOCATION)
        && let Some(location) = headers.get(header::LOCATION)
    {
        let path = path.map_or("/", PathAndQuery::as_str);
        let location = location.to_str().ok().and_then(|it| absolute(it, asked, path));
        // What a client that does not know of the SCP asked is what was asked.
        if let Some(Ok(location)) = location.map(HeaderValue::try_from)
            && context.target.is_some() | target.chosen
        {
            headers.insert(header::LOCATION, location);
        }
    } else if target.chosen
        && !names::has(headers, &names::TARGET_API_ROOT)
        && let Some(root) = asked.header()
    {
        headers.insert(names::TARGET_API_ROOT, root.clone());
    }
}
