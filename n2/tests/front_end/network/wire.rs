//! What is under way.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use pinion_exchange::damage::Dice;
use pinion_n2::Leg;

/// A stream: to the front end, or from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Queue {
    Up(Leg, u16),
    Down(Leg, u16),
}

impl Queue {
    fn leg(self) -> Leg {
        match self {
            Self::Up(leg, _) | Self::Down(leg, _) => leg,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Wire {
    queues: HashMap<Queue, VecDeque<Bytes>>,
    /// The streams with something on them.
    busy: Vec<Queue>,
}

impl Wire {
    pub(super) fn put(&mut self, queue: Queue, bytes: Bytes) {
        let it = self.queues.entry(queue).or_default();
        if it.is_empty() {
            self.busy.push(queue);
        }
        it.push_back(bytes);
    }

    /// The first message of any stream.
    pub(super) fn take(&mut self, dice: &mut Dice) -> Option<(Queue, Bytes)> {
        if self.busy.is_empty() {
            return None;
        }
        let at = dice.below(self.busy.len());
        let queue = self.busy[at];
        let it = self.queues.get_mut(&queue)?;
        let bytes = it.pop_front()?;
        if it.is_empty() {
            self.busy.swap_remove(at);
        }
        Some((queue, bytes))
    }

    /// An association is gone, with all that is under way on it.
    pub(super) fn forget(&mut self, leg: Leg) {
        self.queues.retain(|queue, _| queue.leg() != leg);
        self.busy.retain(|queue| queue.leg() != leg);
    }
}
