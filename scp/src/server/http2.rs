//! One connection of a client that speaks HTTP/2.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream};
use http::{Method, Request};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};

use super::Served;
use super::abuse::Resets;
use super::host;
use crate::body::Body;
use crate::call::{Back, Call, Of, Reply, Serve};
use crate::context::Context;
use crate::errors::own;
use crate::prepared::Prepared;
use crate::pump::{Pump, PumpError};
use crate::tally::Event;
use crate::windows::{self, Share};

/// What requests of one connection share: each that is not done has a copy.
#[derive(Debug, Default)]
struct Shared {
    resets: Resets,
}

/// Serves it until it ends, or until all is answered once the SCP is drained.
pub(super) async fn serve<W, S>(wire: W, mut stack: S, mut served: Served)
where
    W: AsyncRead + AsyncWrite + Unpin,
    S: Serve,
    S::Future: Of + Send + Unpin + 'static,
{
    let prepared = Arc::clone(&served.prepared.borrow());
    let (limits, timeouts) = (&prepared.settings.limits, &prepared.settings.timeouts);
    let (stream, connection) = windows::sizes(limits, None);
    let begun = Builder::new()
        .initial_window_size(stream)
        .initial_connection_window_size(connection)
        .max_send_buffer_size(windows::SENT)
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.headers)
        .max_pending_accept_reset_streams(limits.resets)
        .handshake::<_, Bytes>(wire);
    let mut connection = match timeout(timeouts.handshake, begun).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return broke(&prepared, &served, &error),
        Err(_) => return prepared.tally.one(Event::ClientLate),
    };
    let mut wide = Wide::default();
    let shared = Arc::new(Shared::default());
    let mut drain = served.drain.clone();
    let mut drained = pin!(drain.wait_for(|it| *it));
    let mut ticks = every(timeouts.client_idle / 2);
    // Ticks in a row at which nothing was asked for.
    let (mut draining, mut quiet) = (false, 0_u8);
    loop {
        tokio::select! {
            biased;
            ended = poll_fn(|task| {
                // What comes at once came at one time.
                let mut at = None;
                loop {
                    let (request, respond) = match ready!(connection.poll_accept(task)) {
                        Some(Ok(accepted)) => accepted,
                        Some(Err(error)) => return Poll::Ready(Err(error)),
                        None => return Poll::Ready(Ok(())),
                    };
                    quiet = 0;
                    let ended = request.body().is_end_stream();
                    if !ended {
                        wide.widen(&mut connection, &prepared);
                    }
                    let at = *at.get_or_insert_with(Instant::now);
                    tokio::spawn(Exchange::new(&mut stack, request, ended, respond, (&mut served, at), &shared));
                    if shared.resets.too_many(limits.streams) {
                        prepared.tally.one(Event::ClientResets);
                        tracing::warn!(client = %served.known.origin().peer.address, "a client takes back what it asks for: its connection ends");
                        connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                    }
                }
            }) => match ended {
                Ok(()) => return,
                Err(error) => return broke(&prepared, &served, &error),
            },
            _ = &mut drained, if !draining => {
                (draining, quiet) = (true, 0);
                ticks = every(timeouts.stall);
                connection.graceful_shutdown();
            }
            _ = ticks.tick() => {
                quiet = if Arc::strong_count(&shared) == 1 { quiet.saturating_add(1) } else { 0 };
                // Who takes nothing of the last answers, or does not even answer the PING of a graceful end.
                if draining && quiet > 1 {
                    return;
                }
                // Two halves of the time that it may be idle are between three ticks.
                if !draining && quiet > 2 {
                    (draining, quiet) = (true, 0);
                    ticks = every(timeouts.handshake);
                    connection.graceful_shutdown();
                }
            }
        }
    }
}

/// Ticks, the first at once.
fn every(period: Duration) -> Interval {
    let mut ticks = interval(period.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The windows of a connection: small until there is content.
#[derive(Debug, Default)]
struct Wide {
    share: Option<Share>,
    /// Whether there was nothing to share.
    refused: bool,
    told: bool,
}

impl Wide {
    /// Has them be as wide as is configured, where there is room among those of all.
    fn widen<W>(&mut self, connection: &mut h2::server::Connection<W, Bytes>, prepared: &Prepared)
    where
        W: AsyncRead + AsyncWrite + Unpin,
    {
        if self.told {
            return;
        }
        let limits = &prepared.settings.limits;
        self.share = self.share.take().or_else(|| prepared.windows.share(limits));
        if self.share.is_none() {
            if !std::mem::replace(&mut self.refused, true) {
                prepared.tally.one(Event::ClientNarrow);
            }
            return;
        }
        let (stream, window) = windows::sizes(limits, self.share.as_ref());
        connection.set_target_window_size(window);
        // As long as the client has not taken note of the first settings, there can be no others: then with the next request.
        self.told = connection.set_initial_window_size(stream).is_ok();
    }
}

/// A connection ended otherwise than it should: its client went away, or was found to break the protocol.
fn broke(prepared: &Prepared, served: &Served, error: &h2::Error) {
    tracing::debug!(client = %served.known.origin().peer.address, %error, "a client's connection broke");
    if error.is_library() {
        prepared.tally.one(Event::ClientBroke);
    }
}

/// One request, from its headers to the end of its response.
struct Exchange<F> {
    state: State<F>,
    respond: SendResponse<Bytes>,
    shared: Arc<Shared>,
    begun: Instant,
    patience: Duration,
    /// Whether the answer has no content, whatever its length is said to be (RFC 9110 9.3.2).
    head_only: bool,
}

enum State<F> {
    /// The stack answers, and before that may tell of interim answers.
    Asked(F),
    /// There was nothing to ask it.
    Answered(Option<Reply>),
    /// The response's content is sent.
    Sending(Box<Pump>),
}

impl<F> Exchange<F>
where
    F: Future<Output = Back> + Of + Unpin,
{
    fn new<S>(
        stack: &mut S,
        request: Request<RecvStream>,
        ended: bool,
        respond: SendResponse<Bytes>,
        (served, begun): (&mut Served, Instant),
        shared: &Arc<Shared>,
    ) -> Box<Self>
    where
        S: Serve<Future = F>,
    {
        let arrival = served.arrival(begun);
        let origin = served.known.origin();
        let patience = origin.prepared.settings.timeouts.stall;
        let (mut head, receive) = request.into_parts();
        let head_only = head.method == Method::HEAD;
        // One that was HTTP/1.1 before may have no `:authority` (RFC 9113 8.3.1).
        let addressed =
            if head.uri.authority().is_none() { host::addressed(&mut head, origin.peer.tls) } else { Ok(()) };
        let state = match addressed.and_then(|()| Context::read(&head, arrival, &mut served.known)) {
            Ok(context) => {
                let call = Call::new(head, Body::stream(receive, ended), context);
                State::Asked(stack.call(call))
            }
            Err(failure) => {
                let origin = served.known.origin();
                let reply = own(failure, &origin.prepared);
                origin.parts.account.refused(&head, origin, begun, &reply);
                State::Answered(Some(reply))
            }
        };
        // What is moved after this is a pointer.
        Box::new(Self { state, respond, shared: Arc::clone(shared), begun, patience, head_only })
    }

    /// Sends the head, and of the content what there is already; what is left is another state.
    fn send(&mut self, reply: Reply, task: &mut Task<'_>) -> Poll<()> {
        self.shared.resets.answered();
        let (mut head, body) = reply.into_parts();
        head.version = http::Version::HTTP_2;
        let end = self.head_only || body.is_end();
        let Ok(stream) = self.respond.send_response(http::Response::from_parts(head, ()), end) else {
            return Poll::Ready(());
        };
        if end {
            return Poll::Ready(());
        }
        let mut pump = Pump::new(body, stream, self.patience);
        match Pin::new(&mut pump).poll(task) {
            Poll::Ready(outcome) => ended(outcome),
            Poll::Pending => {
                self.state = State::Sending(Box::new(pump));
                Poll::Pending
            }
        }
    }
}

fn ended(outcome: Result<(), PumpError>) -> Poll<()> {
    if let Err(error) = outcome {
        tracing::debug!(%error, "a response broke off");
    }
    Poll::Ready(())
}

impl<F> Future for Exchange<F>
where
    F: Future<Output = Back> + Of + Unpin,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        let this = &mut *self;
        let reply = match &mut this.state {
            State::Asked(asked) => {
                let answer = Pin::new(&mut *asked).poll(task);
                for head in asked.context().early.take() {
                    // Who is gone, or broken, is found out by what comes next.
                    let _ = this.respond.send_informational(head);
                }
                match answer {
                    Poll::Ready(Ok(call)) => call.replied(),
                    Poll::Pending => {
                        if this.respond.poll_reset(task).is_ready() {
                            // What was under way is dropped, and so taken back from the producer.
                            this.shared.resets.reset(this.begun.elapsed());
                            return Poll::Ready(());
                        }
                        return Poll::Pending;
                    }
                }
            }
            State::Answered(reply) => match reply.take() {
                Some(reply) => reply,
                None => return Poll::Ready(()),
            },
            State::Sending(pump) => {
                let outcome = ready!(Pin::new(&mut **pump).poll(task));
                return ended(outcome);
            }
        };
        this.send(reply, task)
    }
}
