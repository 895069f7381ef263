//! Ending sessions: those that were silent for too long, and those of endpoints that must be rid of theirs.
//!
//! The sweeper goes through the table of flows page by page, and never holds it. A session is judged as a whole: it is
//! live as long as any of its pins is. What it judges dead it reads once more right before it deletes, forward pins
//! first: a packet that comes between places its session anew beside the reply's pin.

mod answers;
mod session;
mod timeouts;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use pinion_steering::{Flow, FlowKey, FlowKind, Target};

use crate::{Cursor, LoadError, Maps, filters, sessions};
use answers::Answers;
use session::Session;
pub use timeouts::Timeouts;

/// How far a sweep has come, and what it goes by.
#[derive(Debug, Default)]
pub struct Sweeper {
    from: Cursor,
    /// Whether the flows are done, and it is the pins' turn: they end by nobody's silence, but they name endpoints.
    pins: bool,
    timeouts: Timeouts,
    services: HashMap<u16, Timeouts>,
    doomed: HashMap<u32, Doom>,
    /// Whether it is there to end sessions, and nobody asks it what is named and who answers.
    ends_alone: bool,
    /// Whether endpoints answer, as far as the pass under way has seen.
    answers: Answers,
    /// What the pass under way has seen named.
    named: Named,
    targets: HashMap<u32, Target>,
}

/// Which sessions of an endpoint end before their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doom {
    /// Those that another endpoint can take over, or refuse, with their next packet: flows and tunnels. An association
    /// stays: its client learns by itself that its server is gone, and its next INIT goes elsewhere.
    Movable,
    /// All.
    All,
}

impl Doom {
    /// Whether sessions of pins under this key are meant.
    const fn means(self, key: &FlowKey) -> bool {
        matches!(self, Self::All) || matches!(key.kind(), FlowKind::Tuple | FlowKind::Tunnel)
    }
}

/// How many pins of user space are looked at in the time of a flow: they are read, and no more.
const PINS: usize = 8;

/// How long a session may be without a reply before that says anything.
const PATIENCE: Duration = Duration::from_secs(5);

/// What entries name: it must not be used for anything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Indices in `TARGETS` of owners' first paths.
    pub targets: HashSet<u32>,
    /// Numbers of services.
    pub services: HashSet<u16>,
}

/// What a step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Flows' pins that were looked at and stay.
    pub kept: usize,
    /// Sessions that ended.
    pub ended: Vec<Ended>,
    /// Whether a pass is at its end.
    pub done: bool,
    /// At the end of a pass through all flows, and all pins of user space: what was named in it.
    pub pass: Option<Named>,
    /// At the end of a pass: the endpoints, by index in `TARGETS` on path 0, of which no reply was seen though sessions
    /// wait for one since some seconds, and how many sessions those are.
    pub silent: BTreeMap<u32, u64>,
}

/// A session that the sweeper ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The key of the pin that it is counted by; of half a session, that of any pin.
    pub key: FlowKey,
    /// That pin.
    pub flow: Flow,
    /// Whether it was ended before its time, because its endpoint is doomed.
    pub doomed: bool,
}

impl Sweeper {
    /// A sweeper that goes by these timeouts, but for services that have their own.
    #[must_use]
    pub fn new(timeouts: Timeouts) -> Self {
        Self { timeouts, ..Self::default() }
    }

    /// Gives a service timeouts of its own.
    pub fn set(&mut self, service: u16, timeouts: Timeouts) {
        self.services.insert(service, timeouts);
    }

    /// Takes back what [`Sweeper::set`] gave every service.
    pub fn reset(&mut self) {
        self.services.clear();
    }

    /// A sweeper that ends sessions of these endpoints, given by their indices in `TARGETS` on path 0, and no others. Its
    /// pass is through flows alone, and tells neither what is named nor who is silent.
    #[must_use]
    pub fn dooming(endpoints: impl IntoIterator<Item = u32>, doom: Doom) -> Self {
        let doomed = endpoints.into_iter().map(|endpoint| (endpoint, doom)).collect();
        Self { timeouts: Timeouts::NEVER, doomed, ends_alone: true, ..Self::default() }
    }

    /// Goes on by one page of about `most` flows' pins, and ends what has ended in it: so many system calls at the
    /// most as about seven for each; or by one of pins of user space, eight times as many.
    ///
    /// # Errors
    /// [`LoadError::Map`] where the kernel refuses; the next step goes on where this one began.
    pub fn step(&mut self, maps: &mut dyn Maps, most: usize) -> Result<Swept, LoadError> {
        if self.pins {
            return self.step_pins(maps, most);
        }
        let ticks = Ticks { now: maps.clock()?, length: maps.tick_length().as_secs_f64() };
        if self.from == Cursor::default() {
            self.named = Named::default();
            self.answers = Answers::default();
            self.targets.clear();
        }
        let page = maps.flows_page(self.from, most)?;
        let mut swept = Swept::default();
        let mut gone = HashSet::new();
        for (key, flow) in &page.entries {
            let target = self.target(maps, flow.target)?;
            let endpoint = endpoint(key, flow, &target);
            let doomed = self.doomed.get(&endpoint).is_some_and(|doom| doom.means(key));
            if !gone.contains(key) && (doomed || self.expired(&ticks, key, flow)) {
                let ended = self.end(maps, &ticks, key, doomed, &mut gone)?;
                swept.ended.extend(ended);
            }
            if !gone.contains(key) && !self.ends_alone {
                self.name(flow, &target);
                self.answers.add(key, flow, &target, ticks.since(flow.seen) > PATIENCE.as_secs_f64());
            }
        }
        swept.kept = page.entries.iter().filter(|(key, _)| !gone.contains(key)).count();
        self.from = page.next.unwrap_or_default();
        swept.done = page.next.is_none() && self.ends_alone;
        self.pins = page.next.is_none() && !self.ends_alone;
        Ok(swept)
    }

    fn step_pins(&mut self, maps: &dyn Maps, most: usize) -> Result<Swept, LoadError> {
        let page = maps.pins_page(self.from, most.saturating_mul(PINS))?;
        for (key, pin) in &page.entries {
            let filters = filters::read(maps, key, pin)?;
            for target in filters.iter().map(|filter| filter.target).chain([pin.target]) {
                let owner = self.target(maps, target)?.owner;
                self.named.targets.insert(owner);
            }
            self.named.services.insert(pin.service);
        }
        self.from = page.next.unwrap_or_default();
        self.pins = page.next.is_some();
        let mut swept = Swept::default();
        if !self.pins {
            swept.done = true;
            swept.pass = Some(std::mem::take(&mut self.named));
            swept.silent = std::mem::take(&mut self.answers).silent();
        }
        Ok(swept)
    }

    /// Reads a session anew, and takes it away where it is over.
    fn end(
        &mut self,
        maps: &mut dyn Maps,
        ticks: &Ticks,
        key: &FlowKey,
        doomed: bool,
        gone: &mut HashSet<FlowKey>,
    ) -> Result<Option<Ended>, LoadError> {
        let Some(session) = Session::read(maps, key)? else {
            gone.insert(*key);
            return Ok(None);
        };
        if !doomed && !session.pins().all(|(key, flow)| self.expired(ticks, key, flow)) {
            return Ok(None);
        }
        for (key, flow) in session.pins() {
            sessions::forget(maps, key, flow)?;
            gone.insert(*key);
        }
        session.heal(maps)?;
        let counted = session.pins().find(|(key, flow)| key.is_session(flow)).or_else(|| session.pins().next());
        Ok(counted.map(|(key, flow)| Ended { key: *key, flow: *flow, doomed }))
    }

    /// Whether a pin alone says that its session is over.
    fn expired(&self, ticks: &Ticks, key: &FlowKey, flow: &Flow) -> bool {
        let timeouts = self.services.get(&flow.service).unwrap_or(&self.timeouts);
        ticks.since(flow.seen) > timeouts.of(key, flow).as_secs_f64()
    }

    fn name(&mut self, flow: &Flow, target: &Target) {
        self.named.targets.insert(target.owner);
        // Only SCTP's pins have another one; index 0 is always somebody's first path, and kept the longer for it.
        self.named.targets.insert(flow.from);
        self.named.services.insert(flow.service);
    }

    fn target(&mut self, maps: &dyn Maps, index: u32) -> Result<Target, LoadError> {
        if let Some(target) = self.targets.get(&index) {
            return Ok(*target);
        }
        let target = maps.read_target(index)?;
        self.targets.insert(index, target);
        Ok(target)
    }
}

/// The endpoint that a pin belongs to, by its index in `TARGETS` on path 0; `target` is where the pin leads.
fn endpoint(key: &FlowKey, flow: &Flow, target: &Target) -> u32 {
    if flow.reply == 0 {
        return target.owner;
    }
    // A reply's pin leads to the service; SCTP's says where it comes from, and a flow's is judged by the other one.
    if key.kind() == FlowKind::Association { flow.from } else { flow.target }
}

/// The clock.
struct Ticks {
    now: u32,
    /// Of one, in seconds.
    length: f64,
}

impl Ticks {
    /// Seconds since a tick. What was seen after the clock was read was seen now.
    fn since(&self, seen: u32) -> f64 {
        let ticks = self.now.wrapping_sub(seen);
        if ticks > u32::MAX / 2 { 0.0 } else { f64::from(ticks) * self.length }
    }
}

#[cfg(test)]
mod tests;
