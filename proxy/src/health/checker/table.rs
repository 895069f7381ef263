//! The paths, and when each is probed next.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use tokio::time::Instant;

use super::{Change, Seen, Status};
use crate::control::PathView;
use crate::health::chance::Chance;
use crate::health::judge::{Judge, endpoint_up};
use crate::health::outcome::Outcome;
use crate::health::schedule::Pace;
use crate::health::target::Target;

/// A path, for as long as the same is asked of it: no number is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct PathId(u64);

/// The paths.
#[derive(Debug, Default)]
pub(super) struct Table {
    paths: HashMap<PathId, Path>,
    /// In the order of the targets.
    order: Vec<PathId>,
    addresses: HashMap<IpAddr, Vec<PathId>>,
    endpoints: HashMap<(Arc<str>, Arc<str>), Vec<PathId>>,
    /// When paths are due; an entry that is not the path's own `due` is void.
    queue: BinaryHeap<Reverse<(Instant, PathId)>>,
    last: u64,
}

#[derive(Debug)]
struct Path {
    target: Arc<Target>,
    judge: Judge,
    /// When the next probe starts; `None` while one is out.
    due: Option<Instant>,
    /// When the last probe started.
    started: Option<Instant>,
    /// What a signal has set off.
    signalled: Signalled,
}

/// What a signal has set off on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signalled {
    No,
    /// The probe that is due next, or out, settles it.
    Now,
    /// The probe that is out began before the signal: the one after it settles it.
    After,
}

impl Table {
    /// Puts these targets in the place of the others.
    pub(super) fn update(&mut self, targets: Vec<Target>, now: Instant, chance: &mut Chance) {
        let mut known: HashMap<_, _> =
            self.paths.drain().map(|(id, path)| (place(&path.target), (id, path))).collect();
        let (mut new, count) = (Vec::new(), targets.len());
        self.order.clear();
        self.addresses.clear();
        self.endpoints.clear();
        for target in targets {
            let kept = known.remove(&place(&target)).filter(|(_, path)| path.target.asks_as(&target));
            let target = Arc::new(target);
            let (id, path) = if let Some((id, path)) = kept {
                (id, path.with(Arc::clone(&target), now, chance))
            } else {
                self.last = self.last.wrapping_add(1);
                new.push(PathId(self.last));
                (PathId(self.last), Path::new(Arc::clone(&target), now))
            };
            self.order.push(id);
            self.addresses.entry(target.to.ip()).or_default().push(id);
            self.endpoints.entry((Arc::clone(&target.pool), Arc::clone(&target.endpoint))).or_default().push(id);
            self.paths.insert(id, path);
        }
        debug_assert_eq!(self.order.len(), count);
        let count = new.len();
        for (index, id) in new.iter().enumerate() {
            if let Some(path) = self.paths.get_mut(id) {
                path.due = Some(now + path.pace().first(index, count, chance.draw()));
            }
        }
        let due = self.paths.iter().filter_map(|(&id, path)| Some(Reverse((path.due?, id))));
        self.queue = due.collect();
    }

    /// When the next path is due.
    pub(super) fn next_due(&mut self) -> Option<Instant> {
        while let Some(&Reverse((at, id))) = self.queue.peek() {
            if self.paths.get(&id).is_some_and(|path| path.due == Some(at)) {
                return Some(at);
            }
            self.queue.pop();
        }
        None
    }

    /// The path that is due longest: its probe starts now.
    pub(super) fn start(&mut self, now: Instant) -> Option<(PathId, Arc<Target>)> {
        if self.next_due()? > now {
            return None;
        }
        let Reverse((_, id)) = self.queue.pop()?;
        let path = self.paths.get_mut(&id)?;
        path.due = None;
        path.started = Some(now);
        Some((id, Arc::clone(&path.target)))
    }

    /// Takes in what became of a probe. Whether the path turned.
    pub(super) fn hear(&mut self, id: PathId, outcome: Outcome, now: Instant, chance: &mut Chance) -> bool {
        let Some(path) = self.paths.get_mut(&id) else { return false };
        let turned = path.judge.hear(outcome, now).is_some();
        let begun = path.started.unwrap_or(now);
        let due = match path.signalled {
            Signalled::After => begun + path.pace().soonest(),
            Signalled::Now | Signalled::No => begun + path.pace().next(chance.draw()),
        };
        path.signalled = match path.signalled {
            Signalled::After => Signalled::Now,
            Signalled::Now | Signalled::No => Signalled::No,
        };
        let due = due.max(now);
        path.due = Some(due);
        self.queue.push(Reverse((due, id)));
        turned
    }

    /// Takes in what the packet path saw of an endpoint at one of its addresses.
    pub(super) fn signal(&mut self, seen: &Seen, now: Instant) {
        for &id in self.addresses.get(&seen.address).map(Vec::as_slice).unwrap_or_default() {
            let Some(path) = self.paths.get_mut(&id) else { continue };
            let theirs = *path.target.pool == *seen.pool && *path.target.endpoint == *seen.endpoint;
            if !theirs || path.signalled != Signalled::No || path.judge.up() != Some(true) {
                continue;
            }
            if let Some(due) = path.due {
                path.signalled = Signalled::Now;
                let soonest = path.started.map_or(now, |started| started + path.pace().soonest());
                let due = due.min(soonest.max(now));
                path.due = Some(due);
                self.queue.push(Reverse((due, id)));
            } else {
                path.signalled = Signalled::After;
            }
            path.judge.see(seen.signal);
        }
    }

    /// A path as it is, where that is known.
    pub(super) fn change(&self, id: PathId) -> Option<Change> {
        let Path { target, judge, .. } = self.paths.get(&id)?;
        let siblings = self.endpoints.get(&(Arc::clone(&target.pool), Arc::clone(&target.endpoint)))?;
        Some(Change {
            pool: Arc::clone(&target.pool),
            endpoint: Arc::clone(&target.endpoint),
            path: target.path,
            address: target.to.ip(),
            up: judge.up()?,
            endpoint_up: endpoint_up(
                siblings.iter().filter_map(|id| self.paths.get(id)).map(|path| path.judge.up()),
            ),
            why: judge.why(),
            round_trip: judge.round_trip(),
        })
    }

    /// How the paths of one pool, or of all, are.
    pub(super) fn snapshot(&self, pool: Option<&str>, now: Instant) -> Vec<Status> {
        let paths = self.order.iter().filter_map(|id| self.paths.get(id));
        let wanted = paths.filter(|path| pool.is_none_or(|pool| pool == &*path.target.pool));
        wanted.map(|path| path.status(now)).collect()
    }
}

impl Path {
    fn new(target: Arc<Target>, now: Instant) -> Self {
        let judge = Judge::new(target.health.rise, target.health.fall, now);
        Self { target, judge, due: None, started: None, signalled: Signalled::No }
    }

    /// The same path after a reload; where its pace is another, the next probe follows the new one.
    fn with(mut self, target: Arc<Target>, now: Instant, chance: &mut Chance) -> Self {
        let before = self.pace();
        self.judge.recount(target.health.rise, target.health.fall);
        self.target = target;
        if let (Some(_), Some(started), true) = (self.due, self.started, before != self.pace()) {
            self.due = Some((started + self.pace().next(chance.draw())).max(now));
        }
        self
    }

    fn pace(&self) -> Pace {
        Pace { interval: self.target.health.interval, jitter: self.target.health.jitter }
    }

    fn status(&self, now: Instant) -> Status {
        let view = PathView {
            address: self.target.to.ip(),
            up: self.judge.up(),
            why: self.judge.why(),
            since: now.saturating_duration_since(self.judge.since()),
            round_trip: self.judge.round_trip(),
        };
        let Target { pool, endpoint, path, .. } = &*self.target;
        Status { pool: Arc::clone(pool), endpoint: Arc::clone(endpoint), path: *path, view }
    }
}

fn place(target: &Target) -> (Arc<str>, Arc<str>, usize) {
    (Arc::clone(&target.pool), Arc::clone(&target.endpoint), target.path)
}
