//! A request on a connection of a pool, until its response begins.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{Error, Reason, RecvStream};
use http::{Request, Response};
use tokio::time::{Instant, timeout_at};

use super::connect::{Connected, Wire, connect};
use super::connection::{Connection, Held, run};
use super::pool::{Asked, Pool};
use super::{Pools, Urgency};
use crate::body::{Body, BodyError};
use crate::call::Reply;
use crate::failure::{Fault, Sent};
use crate::prepared::Prepared;
use crate::pump::{Pump, PumpError};

/// What went wrong, and what of the request may have been acted on.
type Wrong = (Fault, Sent);

pub(super) async fn send(
    pools: &Pools,
    pool: &Arc<Pool>,
    request: Request<Body>,
    urgency: Urgency,
    prepared: &Arc<Prepared>,
) -> Result<Reply, Wrong> {
    for _ in 0..CONNECTIONS {
        let held = match timeout_at(urgency.deadline, stream(pools, pool, urgency.priority, prepared)).await {
            Ok(held) => held.map_err(|fault| (fault, Sent::Nothing))?,
            Err(_) => return Err((Fault::Busy, Sent::Nothing)),
        };
        let mut sender = held.connection.sender.clone();
        // Never pending for a sender that opened no stream yet: it says whether the connection still takes any.
        let usable =
            poll_fn(|context| Poll::Ready(!matches!(sender.poll_ready(context), Poll::Ready(Err(_))))).await;
        if !usable {
            held.connection.end();
            pool.forget(&held.connection);
            continue;
        }
        let (head, body) = request.into_parts();
        let end = body.is_end();
        let (response, stream) = sender
            .send_request(Request::from_parts(head, ()), end)
            .map_err(|error| (not_begun(error), Sent::Nothing))?;
        let pump = (!end).then(|| Pump::new(body, stream, prepared.settings.timeouts.stall));
        return respond(response, pump, held, urgency.deadline).await;
    }
    Err((Fault::GoAway, Sent::Nothing))
}

/// Connections that may turn out to be closing, before a request is given up.
const CONNECTIONS: usize = 4;

/// Waits for the response while the request's content is sent.
async fn respond(
    mut response: ResponseFuture,
    mut pump: Option<Pump>,
    held: Held,
    until: Instant,
) -> Result<Reply, Wrong> {
    let begun = Instant::now();
    let waiting = poll_fn(|context| {
        if let Some(sending) = &mut pump {
            match Pin::new(sending).poll(context) {
                Poll::Ready(Err(PumpError::Source(error))) => {
                    return Poll::Ready(Err((Fault::Content(error), Sent::Something)));
                }
                Poll::Ready(Err(PumpError::SourceStalled(most))) => {
                    return Poll::Ready(Err((Fault::Content(BodyError::Stalled(most)), Sent::Something)));
                }
                // What became of the stream is what the response says.
                Poll::Ready(_) => pump = None,
                Poll::Pending => {}
            }
        }
        Pin::new(&mut response).poll(context).map_err(not_answered)
    });
    match timeout_at(until, waiting).await {
        Ok(response) => Ok(reply(response?, pump, held)),
        Err(_) => Err((Fault::Silence(begun.elapsed()), Sent::Something)),
    }
}

fn reply(response: Response<RecvStream>, pump: Option<Pump>, held: Held) -> Reply {
    let (head, receive) = response.into_parts();
    Response::from_parts(head, Body::response(receive, pump, held))
}

/// A stream to send on, on a connection that is there or is made now.
async fn stream(pools: &Pools, pool: &Arc<Pool>, priority: u8, prepared: &Arc<Prepared>) -> Result<Held, Fault> {
    let receiver = match pool.ask(priority, prepared.settings.limits.producer_connections) {
        Asked::Held(held) => return Ok(held),
        Asked::Wait(receiver) => receiver,
        Asked::Dial(receiver) => {
            // On its own: others wait for it too, whatever becomes of this request.
            tokio::spawn(dial(pools.clone(), Arc::clone(pool), Arc::clone(prepared)));
            receiver
        }
    };
    match receiver.await {
        Ok(Ok(held)) => Ok(held),
        Ok(Err(fault)) => Err(copy(&fault)),
        Err(_) => Err(Fault::Busy),
    }
}

async fn dial(pools: Pools, pool: Arc<Pool>, prepared: Arc<Prepared>) {
    match connect(&pool.api_root, &pools.shared.names, &prepared).await {
        Ok(Connected::Clear(stream)) => begin(stream, pool, &prepared).await,
        Ok(Connected::Tls(stream)) => begin(stream, pool, &prepared).await,
        Err(fault) => {
            tracing::debug!(producer = %pool.api_root, %fault, "no connection to a producer");
            pool.refused(fault);
        }
    }
}

async fn begin<W: Wire>(wire: W, pool: Arc<Pool>, prepared: &Prepared) {
    let limits = &prepared.settings.limits;
    let timeouts = &prepared.settings.timeouts;
    let begun = h2::client::Builder::new()
        .initial_window_size(limits.stream_window)
        .initial_connection_window_size(limits.connection_window)
        .max_header_list_size(limits.headers)
        .initial_max_send_streams(pool.streams.load(Ordering::Relaxed))
        .enable_push(false)
        .handshake::<_, Bytes>(wire)
        .await;
    match begun {
        Ok((sender, connection)) => {
            let ours = Arc::new(Connection::new(sender));
            pool.dialed(&ours);
            run(connection, ours, pool, timeouts.ping, timeouts.producer_idle).await;
        }
        Err(error) => pool.refused(Fault::Broken(error)),
    }
}

/// Why a stream was not opened: nothing was sent.
fn not_begun(error: Error) -> Fault {
    if error.is_go_away() || error.is_io() { Fault::GoAway } else { Fault::Unsendable(error) }
}

/// Why a stream brought no response (RFC 9113 8.7).
fn not_answered(error: Error) -> Wrong {
    if error.is_reset() && error.is_remote() && error.reason() == Some(Reason::REFUSED_STREAM) {
        (Fault::Refused, Sent::Nothing)
    } else if error.is_go_away() && error.is_remote() {
        // Only streams above the last that the peer names end so; others go on.
        (Fault::GoAway, Sent::Nothing)
    } else if let (true, Some(reason)) = (error.is_reset(), error.reason()) {
        (Fault::Reset(reason), Sent::Something)
    } else {
        (Fault::Broken(error), Sent::Something)
    }
}

/// The fault of a connection, for each of those who waited for it.
fn copy(fault: &Fault) -> Fault {
    let again = |error: &std::io::Error| std::io::Error::new(error.kind(), error.to_string());
    match fault {
        Fault::Name(error) => Fault::Name(again(error)),
        Fault::Tls(error) => Fault::Tls(again(error)),
        Fault::ConnectTimeout(most) => Fault::ConnectTimeout(*most),
        Fault::Connect(error) => Fault::Connect(again(error)),
        other => Fault::Connect(std::io::Error::other(other.to_string())),
    }
}
