//! What is under way, and what messages carry.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use pinion_n2::Leg;
use pinion_protocols::ngap::{Element, ElementType, Message};

use crate::mutations::Dice;

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

/// What a message of a UE carries: whose it is, of which connection, which of its messages, and which way it goes.
pub(super) fn carry(ue: usize, epoch: u32, number: u32, way: usize) -> Vec<u8> {
    let words = [ue as u32, epoch, number, way as u32];
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

pub(super) fn payload(message: &Message<'_>) -> (usize, u32, u32, usize) {
    let raw = message.elements().find(ElementType::NasPdu).unwrap();
    let raw = raw.unwrap_or_else(|| panic!("{} carries nothing", message.procedure()));
    let Element::NasPdu(octets) = raw.parse().unwrap() else { unreachable!() };
    let octets = octets.joined();
    let word = |at: usize| u32::from_be_bytes(octets[at * 4..at * 4 + 4].try_into().unwrap());
    (word(0) as usize, word(1), word(2), word(3) as usize)
}
