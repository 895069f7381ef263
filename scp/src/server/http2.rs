//! One connection of a client that speaks HTTP/2.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream};
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tower::Service;

use super::Served;
use super::abuse::Resets;
use crate::body::Body;
use crate::call::{Arrival, Call, Reply};
use crate::context::Context;
use crate::errors::answer;
use crate::pump::Pump;

/// What requests of one connection share.
#[derive(Debug, Default)]
struct Shared {
    resets: Resets,
    requests: AtomicUsize,
}

/// Serves it until it ends, or until all is answered once the SCP is drained.
pub(super) async fn serve<W, S>(wire: W, stack: S, served: Served)
where
    W: AsyncRead + AsyncWrite + Unpin,
    S: Service<Call, Response = Reply, Error = std::convert::Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let prepared = Arc::clone(&served.prepared.borrow());
    let (limits, timeouts) = (&prepared.settings.limits, &prepared.settings.timeouts);
    let begun = Builder::new()
        .initial_window_size(limits.stream_window)
        .initial_connection_window_size(limits.connection_window)
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.headers)
        .max_pending_accept_reset_streams(limits.resets)
        .handshake::<_, Bytes>(wire);
    let Ok(Ok(mut connection)) = timeout(timeouts.handshake, begun).await else { return };
    let shared = Arc::new(Shared::default());
    let mut drain = served.drain.clone();
    let mut ticks = interval((timeouts.client_idle / 2).max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let [mut draining, mut quiet, mut closing] = [false; 3];
    loop {
        tokio::select! {
            biased;
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    quiet = false;
                    let call = serve_one(stack.clone(), request, respond, served.arrival(), Arc::clone(&shared));
                    tokio::spawn(call);
                    if shared.resets.too_many(limits.streams) {
                        tracing::warn!(client = %served.peer.address, "a client takes back what it asks for: its connection ends");
                        connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                    }
                }
                Some(Err(error)) => {
                    tracing::debug!(client = %served.peer.address, %error, "a client's connection broke");
                    return;
                }
                None => return,
            },
            _ = drain.wait_for(|it| *it), if !draining => {
                draining = true;
                connection.graceful_shutdown();
            }
            // Who does not even answer the PING of a graceful end.
            () = sleep(timeouts.handshake), if closing => return,
            _ = ticks.tick(), if !draining => {
                let before = std::mem::replace(&mut quiet, shared.requests.load(Ordering::Relaxed) == 0);
                if before && quiet {
                    [draining, closing] = [true; 2];
                    connection.graceful_shutdown();
                }
            }
        }
    }
}

/// One request, from its headers to the end of its response.
async fn serve_one<S>(
    mut stack: S,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    arrival: Arrival,
    shared: Arc<Shared>,
) where
    S: Service<Call, Response = Reply, Error = std::convert::Infallible> + Send,
    S::Future: Send,
{
    shared.requests.fetch_add(1, Ordering::Relaxed);
    let begun = arrival.at;
    let patience = arrival.prepared.settings.timeouts.stall;
    let reply = tokio::select! {
        biased;
        reply = respond_to(&mut stack, request, arrival) => Some(reply),
        _ = poll_fn(|context| respond.poll_reset(context)) => None,
    };
    match reply {
        Some(reply) => {
            shared.resets.answered();
            send(reply, respond, patience).await;
        }
        // What was under way is dropped, and so taken back from the producer.
        None => shared.resets.reset(begun.elapsed()),
    }
    shared.requests.fetch_sub(1, Ordering::Relaxed);
}

async fn respond_to<S>(stack: &mut S, request: Request<RecvStream>, arrival: Arrival) -> Reply
where
    S: Service<Call, Response = Reply, Error = std::convert::Infallible>,
{
    let (head, receive) = request.into_parts();
    let prepared = Arc::clone(&arrival.prepared);
    match Context::read(&head, arrival) {
        Ok(context) => {
            let call = Call::new(Request::from_parts(head, Body::stream(receive)), context);
            match stack.call(call).await {
                Ok(reply) => reply,
                Err(never) => match never {},
            }
        }
        Err(failure) => answer(failure, &prepared),
    }
}

async fn send(reply: Reply, mut respond: SendResponse<Bytes>, patience: Duration) {
    let (mut head, body) = reply.into_parts();
    head.version = http::Version::HTTP_2;
    let end = body.is_end();
    let Ok(stream) = respond.send_response(http::Response::from_parts(head, ()), end) else { return };
    if !end && let Err(error) = Pump::new(body, stream, patience).await {
        tracing::debug!(%error, "a response broke off");
    }
}
