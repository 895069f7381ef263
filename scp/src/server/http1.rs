//! One connection of a client that speaks HTTP/1.1: probes, and people with curl.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::{Served, host, patient};
use crate::body::Body;
use crate::call::{Arrival, Call, Origin, Serve};
use crate::context::Context;
use crate::errors::own;
use crate::kind::Known;

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
        let mut served = served.lock().unwrap_or_else(PoisonError::into_inner);
        let arrival = served.arrival(Instant::now());
        respond_to(stack.clone(), request, Arc::clone(served.known.origin()), arrival)
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
    origin: Arc<Origin>,
    arrival: Arrival,
) -> Result<Response<patient::Content>, Infallible>
where
    S: Serve,
{
    let patience = origin.prepared.settings.timeouts.stall;
    let (mut head, incoming) = request.into_parts();
    let context = host::addressed(&mut head, origin.peer.tls)
        .and_then(|()| Context::read(&head, arrival, &mut Known::new(Arc::clone(&origin))));
    let reply = match context {
        Ok(context) => {
            let Ok(call) = stack.call(Call::new(head, Body::Http1(Box::new(incoming)), context)).await;
            call.replied()
        }
        Err(failure) => {
            let reply = own(failure, &origin.prepared);
            origin.parts.account.refused(&head, &origin, arrival.at, &reply);
            reply
        }
    };
    Ok(reply.map(|body| patient::Content::new(body, patience)))
}
