//! What the screen shows and what keys do to it.

use std::time::Duration;

use super::rates::Rates;
use crate::control::{EndpointState, EndpointView, SbiProducer, ServiceView, Stats};

/// What the daemon said at one time.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    pub(super) services: Vec<ServiceView>,
    pub(super) endpoints: Vec<EndpointView>,
    pub(super) stats: Stats,
}

impl Snapshot {
    /// Whether the SCP is all there is: there is nothing steered.
    pub(super) fn is_scp_alone(&self) -> bool {
        self.stats.sbi.is_some() && self.services.is_empty() && self.endpoints.is_empty()
    }

    /// Whom the SCP asks.
    pub(super) fn producers(&self) -> &[SbiProducer] {
        self.stats.sbi.as_ref().map(|sbi| &sbi.producers[..]).unwrap_or_default()
    }

    /// The parts of the screen, from top to bottom.
    pub(super) fn panes(&self) -> Vec<Pane> {
        let steered = (!self.is_scp_alone()).then_some([Pane::Services, Pane::Endpoints]);
        let packets = (!self.is_scp_alone()).then_some(Pane::Packets);
        let sbi = self.stats.sbi.is_some().then_some(Pane::Producers);
        steered.into_iter().flatten().chain(sbi).chain(packets).collect()
    }
}

/// What the screen shows.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Where the daemon is.
    pub(super) target: String,
    /// `None` until it answers.
    pub(super) snapshot: Option<Snapshot>,
    pub(super) rates: Rates,
    /// Why it does not answer now.
    pub(super) away: Option<String>,
    /// What became of the last thing that was asked for.
    pub(super) note: Option<String>,
    pub(super) pane: Pane,
    pub(super) sort: Sort,
    /// What waits for y or n.
    pub(super) question: Option<Action>,
    /// The line that is chosen among services, packets and producers.
    pub(super) service: usize,
    pub(super) packet: usize,
    pub(super) producer: usize,
    /// The endpoint that is chosen, wherever sorting puts it; `None`: the first.
    chosen: Option<(String, String)>,
}

/// A part of the screen that keys go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pane {
    Services,
    #[default]
    Endpoints,
    Producers,
    Packets,
}

/// The order of endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    #[default]
    Configured,
    Sessions,
    State,
    Name,
}

impl Sort {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Configured => "as configured",
            Self::Sessions => "by sessions",
            Self::State => "by state",
            Self::Name => "by name",
        }
    }
}

/// A key, as far as it means anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    Next,
    Previous,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Drain,
    Sort,
    Yes,
    /// Any other, which is as good as no.
    Other,
}

/// What is asked of the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Drain { endpoint: String, sessions: u64 },
    Undo { endpoint: String },
}

/// What a key comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Nothing,
    Quit,
    Do(Action),
}

/// How many lines a page key moves.
const PAGE: usize = 10;

impl State {
    pub(super) fn new(target: String) -> Self {
        Self { target, ..Self::default() }
    }

    pub(super) fn observe(&mut self, snapshot: Snapshot, at: Duration) {
        self.rates.observe(&snapshot, at);
        self.away = None;
        self.service = self.service.min(snapshot.services.len().saturating_sub(1));
        self.packet = self.packet.min(snapshot.stats.packets.len().saturating_sub(1));
        self.producer = self.producer.min(snapshot.producers().len().saturating_sub(1));
        if let Some(first) = snapshot.panes().first().filter(|_| !snapshot.panes().contains(&self.pane)) {
            self.pane = *first;
        }
        self.snapshot = Some(snapshot);
    }

    /// Endpoints in the order that they are shown in.
    pub(super) fn endpoints(&self) -> Vec<&EndpointView> {
        let Some(snapshot) = &self.snapshot else {
            return Vec::new();
        };
        let mut endpoints: Vec<_> = snapshot.endpoints.iter().collect();
        match self.sort {
            Sort::Configured => {}
            Sort::Sessions => endpoints.sort_by_key(|endpoint| std::cmp::Reverse(endpoint.sessions)),
            Sort::State => endpoints.sort_by_key(|endpoint| match endpoint.state {
                EndpointState::Down => 0,
                EndpointState::Draining => 1,
                EndpointState::Drained => 2,
                EndpointState::Unknown => 3,
                EndpointState::Up => 4,
            }),
            Sort::Name => endpoints.sort_by(|one, other| (&one.name, &one.pool).cmp(&(&other.name, &other.pool))),
        }
        endpoints
    }

    /// The line of the endpoint that is chosen.
    pub(super) fn endpoint(&self) -> usize {
        let Some((pool, name)) = &self.chosen else {
            return 0;
        };
        let place = |endpoint: &&EndpointView| endpoint.pool == *pool && endpoint.name == *name;
        self.endpoints().iter().position(place).unwrap_or(0)
    }

    pub(super) fn key(&mut self, key: Key) -> Outcome {
        self.note = None;
        if let Some(action) = self.question.take() {
            return match key {
                Key::Yes => Outcome::Do(action),
                _ => Outcome::Nothing,
            };
        }
        match key {
            Key::Quit => return Outcome::Quit,
            Key::Next => self.turn(true),
            Key::Previous => self.turn(false),
            Key::Up => self.step(|line, _| line.saturating_sub(1)),
            Key::Down => self.step(|line, _| line.saturating_add(1)),
            Key::PageUp => self.step(|line, _| line.saturating_sub(PAGE)),
            Key::PageDown => self.step(|line, _| line.saturating_add(PAGE)),
            Key::First => self.step(|_, _| 0),
            Key::Last => self.step(|_, last| last),
            Key::Drain => self.ask(),
            Key::Sort => {
                self.sort = match self.sort {
                    Sort::Configured => Sort::Sessions,
                    Sort::Sessions => Sort::State,
                    Sort::State => Sort::Name,
                    Sort::Name => Sort::Configured,
                }
            }
            Key::Yes | Key::Other => {}
        }
        Outcome::Nothing
    }

    /// Goes to the part of the screen below, or above, and round.
    fn turn(&mut self, down: bool) {
        let mut panes = self.snapshot.as_ref().map(Snapshot::panes).unwrap_or_default();
        if !down {
            panes.reverse();
        }
        let after = panes.iter().skip_while(|pane| **pane != self.pane).nth(1);
        self.pane = after.or(panes.first()).copied().unwrap_or_default();
    }

    /// Chooses another line of the pane, given the line and the last one.
    fn step(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        let Some(snapshot) = &self.snapshot else {
            return;
        };
        let to = |line: usize, length: usize| {
            let last = length.saturating_sub(1);
            to(line, last).min(last)
        };
        match self.pane {
            Pane::Services => self.service = to(self.service, snapshot.services.len()),
            Pane::Packets => self.packet = to(self.packet, snapshot.stats.packets.len()),
            Pane::Producers => self.producer = to(self.producer, snapshot.producers().len()),
            Pane::Endpoints => {
                let line = to(self.endpoint(), snapshot.endpoints.len());
                let endpoints = self.endpoints();
                let chosen = endpoints.get(line).map(|endpoint| (endpoint.pool.clone(), endpoint.name.clone()));
                self.chosen = chosen;
            }
        }
    }

    /// Asks whether the chosen endpoint is meant.
    fn ask(&mut self) {
        let chosen = self.endpoints().get(self.endpoint()).map(|endpoint| {
            let name = format!("{}/{}", endpoint.pool, endpoint.name);
            match endpoint.state {
                EndpointState::Draining | EndpointState::Drained => Action::Undo { endpoint: name },
                EndpointState::Unknown | EndpointState::Up | EndpointState::Down => {
                    Action::Drain { endpoint: name, sessions: endpoint.sessions }
                }
            }
        });
        if chosen.is_some() {
            self.pane = Pane::Endpoints;
        }
        self.question = chosen;
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn names(state: &State) -> Vec<String> {
        state.endpoints().iter().map(|endpoint| format!("{}/{}", endpoint.pool, endpoint.name)).collect()
    }

    #[test]
    fn draining_asks_first() {
        let mut state = sample::state();
        state.key(Key::Down);
        assert_eq!(state.key(Key::Drain), Outcome::Nothing);
        let action = Action::Drain { endpoint: "amf/amf-2".into(), sessions: 20 };
        assert_eq!(state.question.as_ref(), Some(&action));
        assert_eq!(state.key(Key::Yes), Outcome::Do(action));
        assert_eq!((state.question.clone(), state.key(Key::Yes)), (None, Outcome::Nothing));
        for no in [Key::Other, Key::Quit, Key::Drain, Key::Down] {
            state.key(Key::Drain);
            assert_eq!((state.key(no), state.question.take()), (Outcome::Nothing, None), "{no:?}");
        }
        state.key(Key::Down);
        state.key(Key::Drain);
        assert_eq!(state.question, Some(Action::Undo { endpoint: "amf/amf-3".into() }));
    }

    #[test]
    fn nothing_is_drained_where_there_is_nothing() {
        let mut state = State::new("x".into());
        for key in [Key::Drain, Key::Yes, Key::Down, Key::Last, Key::Sort, Key::Next, Key::Up] {
            assert_eq!(state.key(key), Outcome::Nothing);
        }
        assert_eq!(state.key(Key::Quit), Outcome::Quit);
    }

    #[test]
    fn sorting_goes_round_and_the_choice_follows() {
        let mut state = sample::state();
        state.key(Key::Down);
        let configured = ["amf/amf-1", "amf/amf-2", "amf/amf-3", "upf/upf-1"];
        assert_eq!((names(&state), state.endpoint()), (configured.map(String::from).to_vec(), 1));
        state.key(Key::Sort);
        let expected = ["upf/upf-1", "amf/amf-1", "amf/amf-2", "amf/amf-3"];
        assert_eq!((names(&state), state.endpoint()), (expected.map(String::from).to_vec(), 2));
        state.key(Key::Sort);
        let expected = ["upf/upf-1", "amf/amf-3", "amf/amf-1", "amf/amf-2"];
        assert_eq!((names(&state), state.endpoint()), (expected.map(String::from).to_vec(), 3));
        state.key(Key::Sort);
        state.key(Key::Sort);
        assert_eq!((names(&state), state.sort), (configured.map(String::from).to_vec(), Sort::Configured));
    }

    #[test]
    fn the_choice_stays_within_what_there_is() {
        let mut state = sample::state();
        for _ in 0..20 {
            state.key(Key::Down);
        }
        assert_eq!(state.endpoint(), 3);
        state.key(Key::PageUp);
        assert_eq!(state.endpoint(), 0);
        state.key(Key::Last);
        let mut fewer = sample::snapshot();
        fewer.endpoints.truncate(2);
        fewer.services.clear();
        state.observe(fewer, Duration::from_secs(100));
        assert_eq!(state.endpoint(), 0);
        assert_eq!(
            [Key::Next, Key::Next, Key::Next].map(|key| (state.key(key), state.pane).1),
            [Pane::Packets, Pane::Services, Pane::Endpoints]
        );
    }

    #[test]
    fn an_scp_alone_has_the_screen_to_itself() {
        let mut state = sample::scp();
        assert_eq!(state.pane, Pane::Producers);
        for key in [Key::Next, Key::Previous, Key::Drain] {
            assert_eq!((state.key(key), state.pane), (Outcome::Nothing, Pane::Producers), "{key:?}");
        }
        state.key(Key::Last);
        assert_eq!(state.producer, 2);
        let mut beside = sample::snapshot();
        beside.stats.sbi = Some(sample::sbi());
        state.observe(beside, Duration::from_secs(100));
        let seen = [Key::Next, Key::Next, Key::Previous, Key::Previous, Key::Previous];
        let seen = seen.map(|key| (state.key(key), state.pane).1);
        assert_eq!(seen, [Pane::Packets, Pane::Services, Pane::Packets, Pane::Producers, Pane::Endpoints]);
    }
}
