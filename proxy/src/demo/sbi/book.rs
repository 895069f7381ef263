//! What became of each request and of each resource, as those saw it who asked and who were asked.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pinion_protocols::sctp::endpoint::Time;
use tokio::time::Instant;

use super::cast::{Function, Kind};
use crate::demo::ledger::{Ledger, Tally};

/// How long it may take until everybody knows that a function died. What changes something and is sent to it until then may
/// have been done, and nobody may send it again (RFC 9110 9.2.2).
const MOMENT: Duration = Duration::from_millis(250);

/// A request that is not answered yet.
#[derive(Debug)]
pub(super) struct Asked {
    /// Its number, of all.
    pub(super) number: u64,
    resource: Option<usize>,
    /// Its number among those of its resource.
    count: u32,
    changes: bool,
    at: Instant,
}

/// The book that all write in. Copies are the same.
#[derive(Clone, Debug)]
pub(super) struct Book {
    pages: Arc<Mutex<Pages>>,
}

#[derive(Debug)]
struct Pages {
    began: Instant,
    next: u64,
    resources: Vec<(Kind, Ledger)>,
    /// Requests for what everybody has.
    queries: Ledger,
    killed: Option<(Function, Instant)>,
    /// Changes that were made, and by whom.
    made: BTreeMap<u64, Function>,
    faults: Vec<String>,
}

impl Book {
    /// An empty one.
    pub(super) fn new() -> Self {
        let pages = Pages {
            began: Instant::now(),
            next: 0,
            resources: Vec::new(),
            queries: Ledger::default(),
            killed: None,
            made: BTreeMap::new(),
            faults: Vec::new(),
        };
        Self { pages: Arc::new(Mutex::new(pages)) }
    }

    /// A resource that somebody is going to make.
    pub(super) fn resource(&self, kind: Kind) -> usize {
        let mut pages = self.pages();
        pages.resources.push((kind, Ledger::default()));
        pages.resources.len().saturating_sub(1)
    }

    /// A request is being sent, for a resource or for what everybody has.
    pub(super) fn ask(&self, resource: Option<usize>, changes: bool) -> Asked {
        let mut pages = self.pages();
        let (now, at, number) = (pages.now(), Instant::now(), pages.next);
        pages.next = pages.next.saturating_add(1);
        let count = pages.ledger(resource).ask(now);
        Asked { number, resource, count, changes, at }
    }

    /// It was answered as it should be.
    pub(super) fn answered(&self, asked: &Asked, by: u8) {
        let mut pages = self.pages();
        pages.ledger(asked.resource).answer(asked.count, by);
    }

    /// It was not.
    pub(super) fn lost(&self, asked: &Asked, why: &str) {
        let mut pages = self.pages();
        let now = pages.now();
        let killed = pages.killed;
        let kind = asked.resource.and_then(|it| pages.resources.get(it)).map(|(kind, _)| *kind);
        let ledger = pages.ledger(asked.resource);
        let had_to = killed.is_some_and(|(function, at)| {
            let its = kind == Some(function.kind) && ledger.owner == Some(function.number);
            its && asked.changes && asked.at < at + MOMENT
        });
        ledger.lose(asked.count);
        if !had_to {
            let Asked { number, .. } = asked;
            pages.faults.push(format!("request {number} at {}: {why}", millis(now)));
        }
    }

    /// Somebody did what a request asked for.
    pub(super) fn done(&self, number: u64, by: Function) {
        let mut pages = self.pages();
        let fault = match pages.made.entry(number) {
            Entry::Vacant(entry) => {
                entry.insert(by);
                return;
            }
            Entry::Occupied(entry) => format!("request {number} was done by {} and by {by}", entry.get()),
        };
        pages.faults.push(fault);
    }

    /// Something that must not be.
    pub(super) fn fault(&self, fault: String) {
        self.pages().faults.push(fault);
    }

    /// A function dies; how many requests for its resources are not answered.
    pub(super) fn kill(&self, function: Function) -> usize {
        let mut pages = self.pages();
        pages.killed = Some((function, Instant::now()));
        let its =
            |(kind, ledger): &&(Kind, Ledger)| *kind == function.kind && ledger.owner == Some(function.number);
        pages.resources.iter().filter(its).map(|(_, ledger)| ledger.waiting()).sum()
    }

    /// What the resources come to, with the requests that were for none.
    pub(super) fn tally(&self) -> Tally {
        let pages = self.pages();
        let killed = |kind| pages.killed.filter(|(it, _)| it.kind == kind).map(|(it, _)| it.number);
        let mut tally = Tally::default();
        for (kind, ledger) in &pages.resources {
            tally.add(ledger, killed(*kind).as_slice());
        }
        let queries = &pages.queries;
        tally.sent = tally.sent.saturating_add(queries.sent);
        tally.answered = tally.answered.saturating_add(queries.answered);
        tally.lost = tally.lost.saturating_add(queries.lost.values().sum());
        tally
    }

    /// How many resources of a kind each function answered for last.
    pub(super) fn owners(&self, kind: Kind) -> BTreeMap<u8, u64> {
        let mut owners = BTreeMap::new();
        for owner in self.pages().resources.iter().filter(|(it, _)| *it == kind).filter_map(|(_, it)| it.owner) {
            let count: &mut u64 = owners.entry(owner).or_default();
            *count = count.saturating_add(1);
        }
        owners
    }

    /// What must not be.
    pub(super) fn faults(&self) -> Vec<String> {
        self.pages().faults.clone()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn now(&self) -> Time {
        Time::ZERO.after(self.began.elapsed())
    }

    fn ledger(&mut self, resource: Option<usize>) -> &mut Ledger {
        match resource.and_then(|it| self.resources.get_mut(it)) {
            Some((_, ledger)) => ledger,
            None => &mut self.queries,
        }
    }
}

fn millis(at: Time) -> String {
    format!("{} ms", at.as_micros() / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UDM: Function = Function { kind: Kind::Udm, number: 2 };

    #[tokio::test(start_paused = true)]
    async fn only_a_change_under_way_at_who_dies_may_be_lost() {
        let book = Book::new();
        let [its, others] = [book.resource(Kind::Udm), book.resource(Kind::Udm)];
        for (resource, by) in [(its, 2), (others, 1)] {
            book.answered(&book.ask(Some(resource), true), by);
        }
        let under_way = [(Some(its), true), (Some(its), false), (Some(others), true), (None, false)];
        let under_way = under_way.map(|(resource, changes)| book.ask(resource, changes));
        assert_eq!(book.kill(UDM), 2);
        tokio::time::advance(MOMENT).await;
        let late = book.ask(Some(its), true);
        for (asked, faults) in under_way.iter().chain([&late]).zip([0, 1, 2, 3, 4]) {
            book.lost(asked, "503");
            assert_eq!(book.faults().len(), faults, "{:?}", book.faults());
        }
        let tally = book.tally();
        assert_eq!((tally.sessions, tally.sent, tally.answered, tally.lost), (2, 7, 2, 5));
        book.answered(&book.ask(Some(its), false), 3);
        let tally = book.tally();
        assert_eq!((tally.moved, tally.had_to_move, tally.silent), (1, 1, 0));
        assert_eq!(book.owners(Kind::Udm), BTreeMap::from([(1, 1), (3, 1)]));
    }

    #[test]
    fn what_is_done_twice_is_a_fault() {
        let book = Book::new();
        let asked = book.ask(None, true);
        book.done(asked.number, UDM);
        assert_eq!(book.faults(), [""; 0]);
        book.done(asked.number, Function { number: 3, ..UDM });
        assert_eq!(book.faults(), ["request 0 was done by udm-2 and by udm-3"]);
    }
}
