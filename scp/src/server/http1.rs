//! One connection of a client that speaks HTTP/1.1: probes, and people with curl.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::HOST;
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Served, patient};
use crate::body::Body;
use crate::call::{Arrival, Call, Serve};
use crate::cause::Cause;
use crate::context::Context;
use crate::errors::own;
use crate::failure::Failure;
use crate::kind::Known;
use crate::problem::Problem;

/// Serves it until it ends.
pub(super) async fn serve<W, S>(wire: W, stack: S, served: Served)
where
    W: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    S: Serve + Clone + Send + 'static,
    S::Future: Send,
{
    let prepared = Arc::clone(&served.prepared.borrow());
    let mut drain = served.drain.clone();
    let served = Mutex::new(served);
    let service = service_fn(move |request| {
        let arrival = served.lock().unwrap_or_else(PoisonError::into_inner).arrival();
        respond_to(stack.clone(), request, arrival)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(prepared.settings.timeouts.client_idle);
    builder.max_buf_size((prepared.settings.limits.headers as usize).max(8_192));
    let wire = patient::Wire::new(wire, prepared.settings.timeouts.stall);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(wire), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = drain.wait_for(|it| *it) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn respond_to<S>(
    mut stack: S,
    request: Request<Incoming>,
    arrival: Arrival,
) -> Result<Response<patient::Content>, Infallible>
where
    S: Serve,
{
    let patience = arrival.prepared.settings.timeouts.stall;
    let (mut head, incoming) = request.into_parts();
    let context = addressed(&mut head, arrival.peer.tls)
        .and_then(|()| Context::read(&head, arrival.clone(), &mut Known::default()));
    let reply = match context {
        Ok(context) => {
            let Ok(call) = stack.call(Call::new(head, Body::Http1(Box::new(incoming)), context)).await;
            call.replied()
        }
        Err(failure) => {
            let reply = own(failure, &arrival.prepared);
            arrival.parts.account.refused(&head, &arrival, &reply);
            reply
        }
    };
    Ok(reply.map(|body| patient::Content::new(body, patience)))
}

/// Gives the request's target the authority that `Host` names, where it has none (RFC 9110 7.1).
///
/// # Errors
/// There is not one `Host` that is an authority, as there must be (RFC 9112 3.2).
fn addressed(head: &mut Parts, tls: bool) -> Result<(), Failure> {
    let mut hosts = head.headers.get_all(HOST).iter();
    let authority = match (hosts.next(), hosts.next()) {
        (None, _) if head.version < Version::HTTP_11 => return Ok(()),
        (None, _) => Err("it is missing"),
        (Some(_), Some(_)) => Err("there are several"),
        (Some(host), None) => authority(host).ok_or("it is no host, or host and port"),
    };
    let authority = authority.map_err(wrong)?;
    if head.uri.authority().is_none() {
        let path = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let scheme = if tls { Scheme::HTTPS } else { Scheme::HTTP };
        let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build();
        head.uri = uri.map_err(|_| wrong("no target can be made of it"))?;
    }
    Ok(())
}

fn authority(host: &HeaderValue) -> Option<Authority> {
    Authority::try_from(host.as_bytes()).ok().filter(|it| !it.as_str().contains('@'))
}

fn wrong(reason: &'static str) -> Failure {
    let problem = Problem::new(Cause::InvalidMsgFormat).detail("a request of HTTP/1.1 is for one host");
    problem.about("header host", reason).into()
}
