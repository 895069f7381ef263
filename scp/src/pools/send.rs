//! A request on a connection of a pool, until its response begins.
//!
//! Written out as a state machine: there is one for each request, and what an `async fn` would keep of all its states at once
//! is ten times as much.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{Error, Reason};
use http::{Request, Response};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

use super::cancel::{let_end, reset_later};
use super::connect::{Connected, Wire, connect};
use super::connection::{Connection, Held, run};
use super::pool::{Asked, Pool, Refusal};
use super::{Pools, Urgency};
use crate::body::{Body, BodyError};
use crate::call::Reply;
use crate::context::MOST_NAMES;
use crate::failure::{Fault, Sent, Upstream};
use crate::prepared::Prepared;
use crate::pump::{Pump, PumpError};
use crate::settings::Retries;
use crate::tally::Event;
use crate::windows;

/// What went wrong, and what of the request may have been acted on.
type Wrong = (Fault, Sent);

/// A request that is on its way. Where it is dropped, the request is cancelled, or its answer thrown away.
pub struct Sending {
    pool: Arc<Pool>,
    rules: Rules,
    urgency: Urgency,
    state: State,
    /// Interim answers that nobody took yet.
    early: Vec<Response<()>>,
    /// Whether it was found to say nothing, and nobody knows yet.
    slow: bool,
    /// Whether its silence was held against it.
    counted: bool,
    /// Once it waited for so long that the connection does not tell it any more.
    timer: Option<Pin<Box<Sleep>>>,
}

/// What it goes by, of the settings of when it was sent.
#[derive(Clone, Copy)]
struct Rules {
    attempt: Duration,
    stall: Duration,
    response: Duration,
    retries: Retries,
}

enum State {
    /// It waits for a stream.
    Waiting(Box<Waiting>),
    /// It waits for its response.
    Asked(Answer),
    /// It failed at once.
    Failed(Option<Wrong>),
}

struct Waiting {
    head: Request<()>,
    content: Body,
    held: oneshot::Receiver<Result<Held, Refusal>>,
    prepared: Arc<Prepared>,
    /// Connections that turned out to be closing.
    closing: usize,
}

struct Answer {
    response: ResponseFuture,
    /// The request's content, as far as it is still to be sent.
    pump: Option<Box<Pump>>,
    held: Option<Held>,
}

/// Connections that may turn out to be closing, before a request is given up.
const CONNECTIONS: usize = 4;

/// The least that an attempt is given.
const SHORTEST: Duration = Duration::from_millis(1);

impl Sending {
    pub(super) fn new(
        pool: Arc<Pool>,
        head: Request<()>,
        content: Body,
        urgency: Urgency,
        prepared: &Arc<Prepared>,
    ) -> Box<Self> {
        let timeouts = &prepared.settings.timeouts;
        let mut sending = Box::new(Self {
            pool,
            rules: Rules {
                attempt: timeouts.attempt,
                stall: timeouts.stall,
                response: timeouts.response,
                retries: prepared.settings.retries,
            },
            urgency,
            state: State::Failed(None),
            early: Vec::new(),
            slow: false,
            counted: false,
            timer: None,
        });
        sending.state = sending.ask(head, content, prepared, 0);
        sending
    }

    /// The interim answers (1xx) that came since this was asked last.
    pub(crate) fn early(&mut self) -> Vec<Response<()>> {
        std::mem::take(&mut self.early)
    }

    /// Whether it was found since this was asked last that the next hop says nothing for as long as an attempt may take.
    pub(crate) const fn turned_slow(&mut self) -> bool {
        std::mem::replace(&mut self.slow, false)
    }

    /// Whether nothing of it was sent yet: it waits for a stream.
    pub(crate) const fn is_in_line(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }

    /// Takes a stream of a connection that is there, or waits for one that is made now.
    fn ask(&self, mut head: Request<()>, mut content: Body, prepared: &Arc<Prepared>, closing: usize) -> State {
        for closing in closing..CONNECTIONS {
            let held = match self.pool.ask(self.urgency.priority, prepared.settings.limits.producer_connections) {
                Asked::Held(held) => match self.begin(held, head, content) {
                    Ok(begun) => return begun,
                    Err(back) => {
                        (head, content) = *back;
                        continue;
                    }
                },
                Asked::Wait(held) => held,
                Asked::Dial(held) => {
                    // On its own: others wait for it too, whatever becomes of this request.
                    let Some(pools) = self.pool.home() else { break };
                    tokio::spawn(dial(pools, Arc::clone(&self.pool), Arc::clone(prepared)));
                    held
                }
            };
            let prepared = Arc::clone(prepared);
            return State::Waiting(Box::new(Waiting { head, content, held, prepared, closing }));
        }
        // One connection after the other ended before it was used.
        self.pool.health.failed(Instant::now(), &self.rules.retries);
        State::Failed(Some((Fault::GoAway, Sent::Nothing)))
    }

    /// Opens the stream; gives the request back where the connection is closing.
    fn begin(&self, held: Held, head: Request<()>, content: Body) -> Result<State, Box<(Request<()>, Body)>> {
        let end = content.is_end();
        let opened = match held.connection.send(head, end) {
            Ok(opened) => opened,
            Err(back) => {
                held.connection.end();
                self.pool.forget(&held.connection);
                return Err(Box::new((*back, content)));
            }
        };
        Ok(match opened {
            Ok((response, stream)) => {
                let patience = self.rules.stall;
                let pump = (!end).then(|| {
                    let mut pump = Pump::new(content, stream, patience);
                    // How the stream of a request that is given up ends is decided when this is dropped.
                    pump.reset_at_once(false);
                    Box::new(pump)
                });
                State::Asked(Answer { response, pump, held: Some(held) })
            }
            Err(error) => State::Failed(Some((not_begun(error), Sent::Nothing))),
        })
    }

    fn advance(&mut self, context: &mut Context<'_>) -> Poll<Result<Reply, Wrong>> {
        loop {
            match &mut self.state {
                State::Waiting(waiting) => {
                    let held = ready!(Pin::new(&mut waiting.held).poll(context));
                    let State::Waiting(waiting) = std::mem::replace(&mut self.state, State::Failed(None)) else {
                        return Poll::Pending;
                    };
                    let Waiting { head, content, prepared, closing, .. } = *waiting;
                    self.state = match held {
                        Ok(Ok(held)) => match self.begin(held, head, content) {
                            Ok(begun) => begun,
                            Err(back) => self.ask(back.0, back.1, &prepared, closing + 1),
                        },
                        Ok(Err(fault)) => return Poll::Ready(Err((copy(&fault), Sent::Nothing))),
                        Err(_) => self.ask(head, content, &prepared, closing + 1),
                    };
                }
                State::Asked(answer) => return answer.poll(context, &mut self.early),
                State::Failed(wrong) => {
                    return wrong.take().map_or(Poll::Pending, |wrong| Poll::Ready(Err(wrong)));
                }
            }
        }
    }

    /// Whether it took too long. Before that it may turn slow, over and over.
    fn late(&mut self, context: &mut Context<'_>) -> Option<Wrong> {
        let deadline = self.urgency.deadline;
        let half = deadline.saturating_duration_since(self.urgency.begun) / 2;
        let attempt = self.rules.attempt.min(half).max(SHORTEST);
        if let (None, State::Asked(Answer { held: Some(held), .. })) = (&self.timer, &mut self.state) {
            if held.wakes(context.waker(), attempt) {
                return None;
            }
            held.settle();
        }
        let telling = self.telling();
        let until = |from: Instant| from.checked_add(attempt).map_or(deadline, |it| it.min(deadline));
        let begun = self.urgency.begun;
        let mut timer = self.timer.take().unwrap_or_else(|| Box::pin(sleep_until(until(begun))));
        while timer.as_mut().poll(context).is_ready() {
            let over = timer.deadline();
            if over >= deadline {
                return Some(match &self.state {
                    State::Asked(_) => (Fault::Silence(self.urgency.begun.elapsed()), Sent::Something),
                    State::Waiting(_) | State::Failed(_) => (Fault::Busy, Sent::Nothing),
                });
            }
            timer.as_mut().reset(until(over));
            match &self.state {
                // Who is still sent the request need not have said anything.
                State::Asked(Answer { pump: Some(_), .. }) | State::Failed(_) => {}
                State::Waiting(_) => self.slow = true,
                State::Asked(_) => {
                    self.slow = true;
                    if self.urgency.begun.elapsed() >= telling && !std::mem::replace(&mut self.counted, true) {
                        self.pool.health.failed(Instant::now(), &self.rules.retries);
                    }
                }
            }
        }
        self.timer = Some(timer);
        None
    }

    /// How long somebody says nothing before that says something of it, and not of how little its client waits.
    fn telling(&self) -> Duration {
        self.rules.attempt / 4
    }

    /// What came of it; `to_blame` where a connection ended that is.
    fn outcome(&self, outcome: Result<Reply, Wrong>, to_blame: bool) -> Result<Reply, Upstream> {
        match outcome {
            Ok(reply) => {
                self.pool.health.succeeded();
                Ok(reply)
            }
            Err((fault, sent)) => {
                // What the client did wrong says nothing of the producer.
                let telling = match fault {
                    Fault::Silence(waited) => !self.counted && waited >= self.telling(),
                    // Who closes one connection takes others (RFC 9113 6.8).
                    Fault::GoAway => to_blame,
                    Fault::Content(_) | Fault::Unsendable(_) | Fault::Busy => false,
                    _ => true,
                };
                if telling {
                    self.pool.health.failed(Instant::now(), &self.rules.retries);
                }
                Err(Upstream { api_root: self.pool.api_root.clone(), fault, sent, producer: None })
            }
        }
    }
}

impl Future for Sending {
    type Output = Result<Reply, Upstream>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let outcome = match this.advance(context) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => match this.late(context) {
                Some(wrong) => Err(wrong),
                None => return Poll::Pending,
            },
        };
        let to_blame = match (&outcome, &this.state) {
            (Err((Fault::GoAway, _)), State::Asked(Answer { held: Some(held), .. })) => {
                held.connection.is_to_blame()
            }
            _ => false,
        };
        // What is given up is not over yet.
        if !matches!(outcome, Err((Fault::Silence(_) | Fault::Content(_), _))) {
            this.state = State::Failed(None);
        }
        Poll::Ready(this.outcome(outcome, to_blame))
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let State::Asked(Answer { response, pump, held: Some(mut held) }) =
            std::mem::replace(&mut self.state, State::Failed(None))
        else {
            return;
        };
        held.settle();
        if held.connection.resets.take(Instant::now()) {
            return;
        }
        match pump {
            None => let_end(response, held, self.rules.response),
            Some(pump) => reset_later(response, pump, held),
        }
    }
}

impl Answer {
    /// Waits for the response while the request's content is sent.
    fn poll(&mut self, context: &mut Context<'_>, early: &mut Vec<Response<()>>) -> Poll<Result<Reply, Wrong>> {
        if let Some(sending) = &mut self.pump {
            let broken = match Pin::new(&mut **sending).poll(context) {
                Poll::Ready(Err(PumpError::Source(error))) => Some(error),
                Poll::Ready(Err(PumpError::SourceStalled(most))) => Some(BodyError::Stalled(most)),
                // What became of the stream is what the response says.
                Poll::Ready(_) => {
                    self.pump = None;
                    None
                }
                Poll::Pending => None,
            };
            if let Some(error) = broken {
                return Poll::Ready(Err((Fault::Content(error), Sent::Something)));
            }
        }
        // The response itself would be waited for past its interim answers, which are lost then.
        while let Some(Ok(head)) = ready!(self.response.poll_informational(context)) {
            early.push(head);
        }
        let response = ready!(Pin::new(&mut self.response).poll(context)).map_err(not_answered)?;
        let (head, receive) = response.into_parts();
        if head.headers.keys_len() > MOST_NAMES {
            // As h2 has it of more octets of them than are allowed.
            return Poll::Ready(Err((Fault::Reset(Reason::PROTOCOL_ERROR), Sent::Something)));
        }
        let mut pump = self.pump.take();
        if let Some(pump) = &mut pump {
            pump.reset_at_once(true);
        }
        let mut held = self.held.take();
        held.iter_mut().for_each(Held::settle);
        Poll::Ready(Ok(Response::from_parts(head, Body::response(receive, pump, held))))
    }
}

async fn dial(pools: Pools, pool: Arc<Pool>, prepared: Arc<Prepared>) {
    let connected = connect(&pool.api_root, &pool.holder, &pools.shared, &prepared).await;
    prepared.tally.one(match &connected {
        Ok(_) => Event::DialConnected,
        Err(Fault::Name(_)) => Event::DialNameless,
        Err(Fault::Tls(_)) => Event::DialUntrusted,
        Err(Fault::ConnectTimeout(_)) => Event::DialLate,
        Err(_) => Event::DialRefused,
    });
    match connected {
        Ok((Connected::Clear(stream), at)) => begin(stream, at, &pools, pool, &prepared).await,
        Ok((Connected::Tls(stream), at)) => begin(stream, at, &pools, pool, &prepared).await,
        Err(fault) => {
            tracing::debug!(producer = %pool.api_root, %fault, "no connection to a producer");
            pool.refused(fault);
        }
    }
}

async fn begin<W: Wire>(wire: W, at: SocketAddr, pools: &Pools, pool: Arc<Pool>, prepared: &Prepared) {
    let limits = &prepared.settings.limits;
    let timeouts = &prepared.settings.timeouts;
    let share = prepared.windows.share(limits);
    let (stream, connection) = windows::sizes(limits, share.as_ref());
    let begun = h2::client::Builder::new()
        .initial_window_size(stream)
        .initial_connection_window_size(connection)
        .max_send_buffer_size(windows::SENT)
        .max_header_list_size(limits.headers)
        .initial_max_send_streams(pool.streams.load(Ordering::Relaxed))
        .enable_push(false)
        .handshake::<_, Bytes>(wire)
        .await;
    match begun {
        Ok((sender, connection)) => {
            let ours = Arc::new(Connection::new(sender, Arc::clone(&pool), timeouts));
            pool.dialed(&ours);
            let root = pool.api_root.clone();
            let moved = pools.shared.names.moved(&root, at, prepared);
            run(connection, ours, timeouts, moved).await;
            drop(share);
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
        Fault::Own => Fault::Own,
        Fault::Connect(error) => Fault::Connect(again(error)),
        other => Fault::Connect(std::io::Error::other(other.to_string())),
    }
}

impl std::fmt::Debug for Sending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sending").field("to", &self.pool.api_root).finish_non_exhaustive()
    }
}
