//! What a session asked for, what was answered, and by whom: counted by its client.

use std::collections::BTreeMap;
use std::time::Duration;

use pinion_protocols::sctp::endpoint::Time;
use serde::Serialize;

/// The ledger of one session. Who answers is known by number, from 1.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// Who answered last.
    pub(crate) owner: Option<u8>,
    /// How many requests were sent.
    pub(crate) sent: u64,
    /// How many were answered.
    pub(crate) answered: u64,
    /// How many were given up, by who had the session when they were sent.
    pub(crate) lost: BTreeMap<Option<u8>, u64>,
    /// From whom to whom the session moved.
    pub(crate) moves: Vec<(u8, u8)>,
    waiting: BTreeMap<u32, Asked>,
    next: u32,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    owner: Option<u8>,
    at: Time,
}

impl Ledger {
    /// Takes down a request that is being sent; its number.
    pub(crate) fn ask(&mut self, now: Time) -> u32 {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.sent = self.sent.saturating_add(1);
        self.waiting.insert(number, Asked { owner: self.owner, at: now });
        number
    }

    /// Takes down an answer; false where nobody waits for it.
    pub(crate) fn answer(&mut self, number: u32, by: u8) -> bool {
        if self.waiting.remove(&number).is_none() {
            return false;
        }
        self.answered = self.answered.saturating_add(1);
        if let Some(before) = self.owner.replace(by)
            && before != by
        {
            self.moves.push((before, by));
        }
        true
    }

    /// How many requests are neither answered nor given up.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Gives up what was asked at least `age` ago; zero: everything.
    pub(crate) fn give_up(&mut self, now: Time, age: Duration) {
        let old = self.waiting.iter().filter(|(_, asked)| now.since(asked.at) >= age);
        for number in old.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.lose(number);
        }
    }

    /// Gives up one request.
    pub(crate) fn lose(&mut self, number: u32) {
        if let Some(asked) = self.waiting.remove(&number) {
            let lost = self.lost.entry(asked.owner).or_default();
            *lost = lost.saturating_add(1);
        }
    }
}

/// What the ledgers of one kind of session come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Tally {
    /// How many sessions there are.
    pub(crate) sessions: u64,
    /// How many requests were sent.
    pub(crate) sent: u64,
    /// How many were answered.
    pub(crate) answered: u64,
    /// How many were lost.
    pub(crate) lost: u64,
    /// How many of them were lost with an endpoint that was killed.
    pub(crate) had_to_be_lost: u64,
    /// How often sessions moved.
    pub(crate) moved: u64,
    /// How often they moved from an endpoint that was killed.
    pub(crate) had_to_move: u64,
    /// How many sessions nobody answered last, or one that was killed.
    pub(crate) silent: u64,
}

impl Tally {
    /// Adds a ledger. `killed` says which endpoints were killed.
    pub(crate) fn add(&mut self, ledger: &Ledger, killed: &[u8]) {
        let dead = |owner: &u8| killed.contains(owner);
        let lost = |which: &dyn Fn(&Option<u8>) -> bool| -> u64 {
            ledger.lost.iter().filter(|(owner, _)| which(owner)).map(|(_, lost)| lost).sum()
        };
        self.sessions = self.sessions.saturating_add(1);
        self.sent = self.sent.saturating_add(ledger.sent);
        self.answered = self.answered.saturating_add(ledger.answered);
        self.lost = self.lost.saturating_add(lost(&|_| true));
        self.had_to_be_lost = self.had_to_be_lost.saturating_add(lost(&|owner| owner.as_ref().is_some_and(dead)));
        self.moved = self.moved.saturating_add(ledger.moves.len() as u64);
        let forced = ledger.moves.iter().filter(|(from, _)| dead(from)).count() as u64;
        self.had_to_move = self.had_to_move.saturating_add(forced);
        self.silent = self.silent.saturating_add(u64::from(ledger.owner.as_ref().is_none_or(dead)));
    }

    /// Whether nothing was lost, moved or left that should not have been.
    pub(crate) const fn is_as_it_should_be(&self) -> bool {
        self.lost == self.had_to_be_lost && self.moved == self.had_to_move && self.silent == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(ledger: &Ledger, killed: &[u8]) -> Tally {
        let mut tally = Tally::default();
        tally.add(ledger, killed);
        tally
    }

    #[test]
    fn only_the_killed_may_lose_and_be_left() {
        let mut ledger = Ledger::default();
        let first = ledger.ask(Time::ZERO);
        assert!(ledger.answer(first, 2));
        assert!(!ledger.answer(first, 2));
        ledger.ask(Time::from_micros(10));
        ledger.give_up(Time::from_micros(20), Duration::from_micros(11));
        assert_eq!(tally(&ledger, &[]).lost, 0);
        ledger.give_up(Time::from_micros(21), Duration::from_micros(11));
        let third = ledger.ask(Time::from_micros(30));
        assert!(ledger.answer(third, 3));

        let fair = tally(&ledger, &[2]);
        assert_eq!((fair.lost, fair.had_to_be_lost, fair.moved, fair.had_to_move), (1, 1, 1, 1));
        assert!(fair.is_as_it_should_be());
        let unfair = tally(&ledger, &[1]);
        assert_eq!((unfair.lost, unfair.had_to_be_lost, unfair.moved, unfair.had_to_move), (1, 0, 1, 0));
        assert!(!unfair.is_as_it_should_be());
        assert!(!tally(&ledger, &[2, 3]).is_as_it_should_be(), "it is still on one that was killed");
    }
}
