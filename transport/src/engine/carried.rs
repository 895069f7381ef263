//! An association of an endpoint, as its user has it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use pinion_protocols::sctp::endpoint::AssociationId;

use super::{User, rouse};
use crate::association::{Carrier, Ends};
use crate::{Event, Message, PathStatus, SendError};

pub(super) struct Carried {
    user: Arc<User>,
    id: AssociationId,
    ends: Ends,
    /// It is being shut down, with or without a user.
    parting: AtomicBool,
}

/// Both ports and tags, the own ones first.
type Identity = ((u16, u32), (u16, u32));

impl Carried {
    pub(super) fn new(user: Arc<User>, id: AssociationId, identity: Option<Identity>) -> Self {
        let ((local_port, _), (remote_port, _)) = identity.unwrap_or_default();
        Self { user, id, ends: Ends { local_port, remote_port }, parting: AtomicBool::new(false) }
    }
}

impl Carrier for Carried {
    fn poll_send(
        &self,
        context: &mut Context<'_>,
        messages: &mut VecDeque<Message>,
    ) -> Poll<Result<(), SendError>> {
        let now = self.user.shared.now();
        let mut guard = self.user.shared.lock();
        let state = &mut *guard;
        if state.ended {
            return Poll::Ready(Err(SendError::Unknown));
        }
        let before = messages.len();
        let mut result = Ok(());
        while let Some(message) = messages.front() {
            result = state.endpoint.send(now, self.id, message.clone());
            if result == Err(SendError::BufferFull) {
                break;
            }
            messages.pop_front();
            if result.is_err() {
                break;
            }
        }
        let taken = messages.len() < before;
        if result == Err(SendError::BufferFull) {
            result = Ok(());
            if !taken {
                let waiting = state.users.entry(self.id).or_default();
                if waiting.writers.is_empty() {
                    state.blocked.push(self.id);
                }
                if !waiting.writers.iter().any(|writer| writer.will_wake(context.waker())) {
                    waiting.writers.push(context.waker().clone());
                }
                return Poll::Pending;
            }
        }
        if taken {
            rouse(guard);
        }
        Poll::Ready(result)
    }

    fn poll_receive(&self, context: &mut Context<'_>, into: &mut Vec<Event>, most: usize) -> Poll<()> {
        let mut guard = self.user.shared.lock();
        let state = &mut *guard;
        let before = into.len();
        let mut last = false;
        while into.len().saturating_sub(before) < most
            && let Some(event) = state.endpoint.poll_event_of(self.id)
        {
            last = event.is_last();
            if !matches!(event, Event::Writable | Event::Drained) {
                into.push(event);
            }
        }
        if last && let Some(waiting) = state.users.remove(&self.id) {
            // Senders are to hear that there is nothing to send on.
            state.departed.extend(waiting.writers);
        }
        if into.len() > before {
            // There is room again, which the peer is to know.
            rouse(guard);
            return Poll::Ready(());
        }
        match state.users.get_mut(&self.id) {
            Some(waiting) if !state.ended => {
                waiting.reader = Some(context.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }

    fn paths(&self) -> Vec<PathStatus> {
        self.user.shared.lock().endpoint.paths(self.id)
    }

    fn ends(&self) -> Ends {
        self.ends
    }

    fn buffered(&self) -> u32 {
        self.user.shared.lock().endpoint.buffered(self.id)
    }

    fn set_primary(&self, remote: IpAddr) -> bool {
        let mut state = self.user.shared.lock();
        let set = state.endpoint.set_primary(self.id, remote);
        rouse(state);
        set
    }

    fn shutdown(&self) {
        let now = self.user.shared.now();
        self.parting.store(true, Ordering::Relaxed);
        let mut state = self.user.shared.lock();
        state.endpoint.shutdown(now, self.id);
        rouse(state);
    }

    fn abort(&self, reason: &[u8]) {
        let now = self.user.shared.now();
        let mut state = self.user.shared.lock();
        state.endpoint.abort(now, self.id, reason);
        rouse(state);
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        let now = self.user.shared.now();
        let mut state = self.user.shared.lock();
        if self.parting.load(Ordering::Relaxed) {
            if let Some(waiting) = state.users.get_mut(&self.id) {
                waiting.orphan = true;
            }
            state.forget_orphan(self.id);
        } else if state.users.contains_key(&self.id) {
            state.abandon(now, self.id);
        }
        rouse(state);
    }
}
