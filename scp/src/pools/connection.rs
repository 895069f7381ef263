//! One connection to a next hop, and the streams on it.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Ping, PingPong, SendStream};
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::cancel::Resets;
use super::pool::Pool;
use super::waits::Waits;
use crate::settings::Timeouts;

/// A connection that streams can be opened on.
#[derive(Debug)]
pub(super) struct Connection {
    /// Opens streams, one at a time: each who did it with a copy would pay for the copy.
    sender: Mutex<SendRequest<Bytes>>,
    /// One that never opened any, to be asked and copied.
    first: SendRequest<Bytes>,
    pub(super) resets: Resets,
    /// Requests whose responses are waited for.
    pub(super) waits: Waits,
    pool: Arc<Pool>,
    active: AtomicUsize,
    /// Streams that it allows at a time, as it said last.
    most: AtomicUsize,
    ended: AtomicBool,
    /// What its next hop had answered when it began.
    answered: u64,
    /// Whether it was held against its next hop that it ended.
    blamed: AtomicBool,
}

/// A stream's response to come and what takes its content, or why there is none.
pub(super) type Opened = Result<(ResponseFuture, SendStream<Bytes>), h2::Error>;

/// A stream of a connection. When it is dropped, the next in line may have its place.
#[derive(Debug)]
pub struct Held {
    pub(super) connection: Arc<Connection>,
    /// Where its request waits for a response.
    wait: Option<usize>,
}

impl Connection {
    /// One of a pool, which refers to it until it ends.
    pub(super) fn new(sender: SendRequest<Bytes>, pool: Arc<Pool>, timeouts: &Timeouts) -> Self {
        let most = AtomicUsize::new(sender.current_max_send_streams());
        let (first, sender) = (sender.clone(), Mutex::new(sender));
        Self {
            sender,
            first,
            resets: Resets::default(),
            waits: Waits::new((timeouts.attempt / 4).max(Duration::from_millis(1))),
            answered: pool.health.answered(),
            blamed: AtomicBool::new(false),
            pool,
            active: AtomicUsize::new(0),
            most,
            ended: AtomicBool::new(false),
        }
    }

    /// Opens a stream; gives the request back where the connection takes none any more.
    pub(super) fn send(&self, request: Request<()>, end: bool) -> Result<Opened, Box<Request<()>>> {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let ask = |sender: &mut SendRequest<Bytes>| sender.poll_ready(&mut Context::from_waker(Waker::noop()));
        // Never pending, for it holds to no stream: it says whether the connection still takes any.
        if let Poll::Ready(Err(_)) = ask(&mut sender) {
            return Err(Box::new(request));
        }
        let opened = sender.send_request(request, end);
        // The last stream that a connection takes it holds to until it is asked again: longer than the stream's client may. While
        // that waits for its turn, to ask is to be woken instead of who sends its content, which nobody does yet.
        if !matches!(ask(&mut sender), Poll::Ready(Ok(()))) {
            *sender = self.first.clone();
        }
        Ok(opened)
    }

    /// Whether streams may still be opened.
    pub(super) fn open(&self) -> bool {
        !self.ended.load(Ordering::Relaxed)
    }

    /// No more streams.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Whether its end (GOAWAY) says something against its next hop, which answered nothing since it began: once, however many streams
    /// it had.
    pub(super) fn is_to_blame(&self) -> bool {
        self.pool.health.answered() == self.answered && !self.blamed.swap(true, Ordering::Relaxed)
    }

    pub(super) fn active(&self) -> usize {
        self.active.load(Ordering::SeqCst)
    }

    /// Takes one of the streams that it allows. Callers hold the pool's lock.
    pub(super) fn take(self: &Arc<Self>) -> Option<Held> {
        let most = self.most.load(Ordering::SeqCst);
        self.pool.streams.store(most, Ordering::Relaxed);
        if !self.open() || self.active() >= most {
            return None;
        }
        self.active.fetch_add(1, Ordering::Relaxed);
        Some(Held { connection: Arc::clone(self), wait: None })
    }
}

impl Held {
    /// Whether who waits for the response is woken by the connection before so long is over, and needs no timer yet.
    pub(super) fn wakes(&mut self, waker: &Waker, most: Duration) -> bool {
        let waits = &self.connection.waits;
        match self.wait {
            Some(at) => waits.stays(at, waker),
            None if waits.are_within(most) => {
                self.wait = Some(waits.enter(waker));
                true
            }
            None => false,
        }
    }

    /// Nobody waits for the response any more, or he has a timer.
    pub(super) fn settle(&mut self) {
        if let Some(at) = self.wait.take() {
            self.connection.waits.leave(at);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.settle();
        self.connection.active.fetch_sub(1, Ordering::SeqCst);
        self.connection.pool.released(&self.connection);
    }
}

/// Runs a connection until it ends: its frames, PINGs while streams are open, and its end when there were none for long, or
/// when the next hop moved.
pub(super) async fn run<W>(
    connection: h2::client::Connection<W, Bytes>,
    of: Arc<Connection>,
    timeouts: &Timeouts,
    moved: impl Future<Output = ()>,
) where
    W: AsyncRead + AsyncWrite + Unpin,
{
    let pool = Arc::clone(&of.pool);
    let mut connection = connection;
    let pings = connection.ping_pong();
    let mut connection = pin!(connection);
    // What it allows changes only by what comes on it. Where that is more, who waits need not wait for another's end.
    let driven = std::future::poll_fn(|task| {
        let ended = connection.as_mut().poll(task);
        let most = connection.max_concurrent_send_streams();
        // Who began to wait before this is seen by it, and who does after it sees this.
        if of.most.swap(most, Ordering::SeqCst) < most {
            pool.released(&of);
        }
        ended
    });
    let mut turns = pin!(beat(Arc::downgrade(&of)));
    let end = tokio::select! {
        outcome = driven => End::Closed(outcome),
        end = watch(pings, &of, &pool, timeouts.ping, timeouts.producer_idle) => end,
        () = moved => End::Moved,
        never = turns.as_mut() => match never {},
    };
    of.end();
    pool.forget(&of);
    match end {
        End::Closed(Ok(())) => {}
        End::Closed(Err(error)) => {
            tracing::debug!(producer = %pool.api_root, %error, "a connection to a producer broke");
        }
        End::Silent => tracing::debug!(producer = %pool.api_root, "a producer answers no PING"),
        End::Idle | End::Moved => {
            // Streams that began in between are finished; nobody can begin another.
            drop(of);
            tokio::select! {
                _ = connection => {}
                never = turns => match never {},
            }
        }
    }
}

enum End {
    Closed(Result<(), h2::Error>),
    Silent,
    Idle,
    Moved,
}

/// Has those woken that wait for long, as long as there can be any.
async fn beat(of: Weak<Connection>) -> Infallible {
    while let Some(turn) = of.upgrade().map(|it| it.waits.turn()) {
        sleep(turn).await;
        of.upgrade().iter().for_each(|it| it.waits.next_turn());
    }
    pending().await
}

async fn watch(mut pings: Option<PingPong>, of: &Connection, pool: &Pool, ping: Duration, idle: Duration) -> End {
    let begin = Instant::now().checked_add(ping).unwrap_or_else(Instant::now);
    let mut ticks = interval_at(begin, ping.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut waiting = false;
    let mut quiet = Duration::ZERO;
    loop {
        ticks.tick().await;
        if let Some(pings) = &mut pings {
            if waiting {
                let answered = std::future::poll_fn(|context| {
                    Poll::Ready(matches!(pings.poll_pong(context), Poll::Ready(Ok(_))))
                });
                if !answered.await {
                    return End::Silent;
                }
                waiting = false;
            }
            if of.active() > 0 {
                waiting = pings.send_ping(Ping::opaque()).is_ok();
            }
        }
        quiet = if of.active() == 0 && pool.quiet() { quiet.saturating_add(ping) } else { Duration::ZERO };
        if quiet >= idle {
            return End::Idle;
        }
    }
}
