//! The task that moves an endpoint: packets in and out, timers, and whom to wake for what.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pinion_protocols::sctp::endpoint::{Datagram, NetworkError};
use tokio::time::Sleep;

use super::{Shared, State, Waiting};
use crate::Time;
use crate::wire::{Complaint, Wire};

/// Packets that are sent before others are received again.
const BURST: usize = 128;
/// Rounds before other tasks have their turn.
const ROUNDS: usize = 16;

pub(super) struct Driver<W> {
    shared: Arc<Shared>,
    wire: W,
    received: Vec<Datagram>,
    wakers: Vec<Waker>,
    sleep: Pin<Box<Sleep>>,
}

/// What is left to do after a round.
enum Rest {
    /// More, at once.
    More,
    /// Nothing before that time, unless something happens.
    Until(Option<Time>),
    /// Nothing ever again.
    End,
}

impl<W: Wire> Driver<W> {
    pub(super) fn new(shared: Arc<Shared>, wire: W) -> Self {
        let sleep = Box::pin(tokio::time::sleep_until(shared.start));
        Self { shared, wire, received: Vec::new(), wakers: Vec::new(), sleep }
    }

    fn round(&mut self, context: &mut Context<'_>) -> Rest {
        let now = self.shared.now();
        if self.wire.deadline().is_some_and(|due| due <= now) {
            self.wire.expire(now);
        }
        let received = self.wire.poll_receive(context, now, &mut self.received);
        let writable = self.wire.poll_flush(context).is_ready();
        let mut guard = self.shared.lock();
        let state = &mut *guard;
        for (number, datagram) in self.received.drain(..).enumerate() {
            if state.endpoint.receive(now, &datagram) {
                self.wire.valid(number);
            }
        }
        while let Some(Complaint { source, destination, reason, quoted }) = self.wire.complaint() {
            let error = NetworkError { source, destination, reason, quoted: &quoted };
            state.endpoint.network_error(now, &error);
        }
        if state.endpoint.deadline().is_some_and(|due| due <= now) {
            state.endpoint.expire(now);
        }
        let mut sent = 0_usize;
        while writable
            && sent < BURST
            && let Some(transmit) = state.endpoint.poll_transmit(now)
        {
            self.wire.send(now, transmit);
            sent = sent.saturating_add(1);
        }
        state.tell(now, &mut self.wakers);
        let more = received.is_ready() || sent == BURST;
        let deadline = state.endpoint.deadline();
        let leaving = state.leaving && state.endpoint.associations().next().is_none();
        state.driver = Some(context.waker().clone());
        drop(guard);
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
        let flushed = self.wire.poll_flush(context).is_ready();
        if leaving && flushed && sent == 0 {
            return Rest::End;
        }
        if more {
            return Rest::More;
        }
        Rest::Until([deadline, self.wire.deadline()].into_iter().flatten().min())
    }
}

impl<W: Wire + Unpin> Future for Driver<W> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        for _ in 0..ROUNDS {
            let until = match self.round(context) {
                Rest::More => continue,
                Rest::End => return Poll::Ready(()),
                Rest::Until(until) => until,
            };
            let Some(until) = until else { return Poll::Pending };
            let at = self.shared.start.checked_add(until.since(Time::ZERO));
            if let Some(at) = at.filter(|at| *at != self.sleep.deadline()) {
                self.sleep.as_mut().reset(at);
            }
            if self.sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<W> Drop for Driver<W> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.ended = true;
        let State { users, listening, .. } = &mut *state;
        let listeners = listening.values_mut().filter_map(|listening| listening.waker.take());
        let waiting = users
            .values_mut()
            .flat_map(|Waiting { reader, writers, .. }| reader.take().into_iter().chain(writers.drain(..)));
        let wakers: Vec<Waker> = listeners.chain(waiting).collect();
        drop(state);
        for waker in wakers {
            waker.wake();
        }
    }
}

impl State {
    /// Adds to `wakers` whoever has something to take, or room to send.
    fn tell(&mut self, now: Time, wakers: &mut Vec<Waker>) {
        wakers.append(&mut self.departed);
        while let Some(id) = self.endpoint.poll_eventful() {
            if let Some(waiting) = self.users.get_mut(&id) {
                wakers.extend(waiting.reader.take());
                if waiting.orphan {
                    self.forget_orphan(id);
                }
                continue;
            }
            let listening = self.endpoint.identity(id).and_then(|((port, _), _)| self.listening.get_mut(&port));
            match listening.filter(|listening| listening.waiting.len() < listening.most) {
                Some(listening) => {
                    self.users.insert(id, Waiting::default());
                    listening.waiting.push_back(id);
                    wakers.extend(listening.waker.take());
                }
                // Nobody is left who would take it.
                None => self.abandon(now, id),
            }
        }
        let Self { endpoint, users, blocked, .. } = self;
        blocked.retain(|id| {
            if endpoint.is_blocked(*id) {
                return true;
            }
            if let Some(waiting) = users.get_mut(id) {
                wakers.append(&mut waiting.writers);
            }
            false
        });
    }
}
