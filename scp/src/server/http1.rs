//! One connection of a client that speaks HTTP/1.1: probes, and people with curl.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use http::{Request, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tower::Service;

use super::Served;
use crate::account::Account;
use crate::body::Body;
use crate::call::{Arrival, Call, Reply};
use crate::context::{Context, Known};
use crate::errors::answer;

/// Serves it until it ends.
pub(super) async fn serve<W, S>(wire: W, stack: S, served: Served)
where
    W: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    S: Service<Call, Response = Reply, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let prepared = Arc::clone(&served.prepared.borrow());
    let mut drain = served.drain.clone();
    let service =
        service_fn(move |request| respond_to(stack.clone(), request, served.arrival(), served.account.clone()));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(prepared.settings.timeouts.client_idle);
    builder.max_buf_size((prepared.settings.limits.headers as usize).max(8_192));
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
    account: Account,
) -> Result<Reply, Infallible>
where
    S: Service<Call, Response = Reply, Error = Infallible>,
{
    let (mut head, incoming) = request.into_parts();
    head.uri = absolute(&head, arrival.peer.tls);
    match Context::read(&head, arrival.clone(), &mut Known::default()) {
        Ok(context) => {
            stack.call(Call::new(Request::from_parts(head, Body::Http1(Box::new(incoming))), context)).await
        }
        Err(failure) => {
            let reply = answer(failure, &arrival.prepared);
            account.refused(&head, &arrival, &reply);
            Ok(reply)
        }
    }
}

/// The request's target with the authority that `Host` names (RFC 9110 7.1).
fn absolute(head: &http::request::Parts, tls: bool) -> Uri {
    let host = head.headers.get(http::header::HOST).and_then(|it| it.to_str().ok());
    match (head.uri.authority(), host) {
        (None, Some(host)) => {
            let path = head.uri.path_and_query().map_or("/", |it| it.as_str());
            let scheme = if tls { "https" } else { "http" };
            Uri::builder()
                .scheme(scheme)
                .authority(host)
                .path_and_query(path)
                .build()
                .unwrap_or_else(|_| head.uri.clone())
        }
        _ => head.uri.clone(),
    }
}
