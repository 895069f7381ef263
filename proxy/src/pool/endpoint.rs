use std::time::Duration;

use crate::config::model;
use crate::health::endpoint_up;

/// In how many steps an endpoint that came up reaches its full weight.
const STEPS: u32 = 10;

/// What was found of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Whether it answers; `None`: nothing is known.
    pub up: Option<bool>,
    /// What was seen last, in words.
    pub why: String,
    /// How long the last answer took.
    pub round_trip: Option<Duration>,
    /// When it became so.
    pub since: Duration,
}

/// An endpoint: what is configured, what was found, what was asked for.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// What is configured.
    pub config: model::Endpoint,
    /// The weight in force: the configured one, or what an operator gave it since.
    pub weight: u32,
    /// Its paths.
    pub paths: Vec<Path>,
    /// Since when it has been up, down or unknown as a whole.
    pub since: Duration,
    /// When it came up after it was down: slow start counts from there.
    pub risen: Option<Duration>,
    /// While it drains: since when, and until when its sessions may stay.
    pub draining: Option<Draining>,
    /// Whether it is probed: what is not counts as up.
    pub probed: bool,
}

/// An endpoint that drains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draining {
    /// Since when.
    pub since: Duration,
    /// Until when its sessions may stay; `None`: until they end.
    pub until: Option<Duration>,
}

impl Endpoint {
    /// An endpoint of a configuration, with what was known of it, if its addresses are the same.
    pub(super) fn configured(config: &model::Endpoint, probed: bool, kept: Option<Self>, now: Duration) -> Self {
        let fresh = || Self {
            config: config.clone(),
            weight: config.weight,
            paths: vec![Path { since: now, ..Path::default() }; config.addresses.len()],
            since: now,
            risen: None,
            draining: None,
            probed,
        };
        match kept {
            Some(kept) if kept.config.addresses == config.addresses && kept.config.port == config.port => {
                let paths = if probed { kept.paths.clone() } else { fresh().paths };
                Self { config: config.clone(), weight: config.weight, paths, probed, ..kept }
            }
            _ => fresh(),
        }
    }

    /// Whether it answers: on one path at least. `None` while nothing is known of any path that could.
    pub(crate) fn up(&self) -> Option<bool> {
        endpoint_up(self.paths.iter().map(|path| path.up))
    }

    /// Whether it may get new sessions.
    pub(super) fn eligible(&self) -> bool {
        self.draining.is_none() && self.weight > 0 && self.up() != Some(false)
    }

    /// What was found of a path; whether the endpoint as a whole changed.
    pub(super) fn see(&mut self, path: usize, seen: Path, now: Duration) -> bool {
        let before = self.up();
        let Some(place) = self.paths.get_mut(path) else { return false };
        let since = if place.up == seen.up { place.since } else { now };
        *place = Path { since, ..seen };
        let after = self.up();
        if before == after {
            return false;
        }
        self.since = now;
        if before == Some(false) {
            self.risen = Some(now);
        }
        true
    }

    pub(super) fn drain(&mut self, deadline: Option<Duration>, now: Duration) {
        let since = self.draining.map_or(now, |draining| draining.since);
        self.draining = Some(Draining { since, until: deadline.map(|deadline| now.saturating_add(deadline)) });
    }

    pub(super) fn undrain(&mut self, now: Duration) {
        if self.draining.take().is_some() {
            self.risen = Some(now);
        }
    }

    /// The part of its weight that it has in slow start, in tenths.
    pub(super) fn tenths(&self, slow_start: Duration, now: Duration) -> u32 {
        let Some(risen) = self.risen else { return STEPS };
        let step = slow_start / STEPS;
        if step.is_zero() {
            return STEPS;
        }
        let passed = now.saturating_sub(risen).as_nanos() / step.as_nanos();
        u32::try_from(passed).map_or(STEPS, |passed| (passed.saturating_add(1)).min(STEPS))
    }

    /// When its part of a plan changes by time alone.
    pub(super) fn next(&self, slow_start: Duration, now: Duration) -> Option<Duration> {
        let tenths = self.tenths(slow_start, now);
        let step = self.risen.filter(|_| tenths < STEPS).map(|risen| risen + slow_start / STEPS * tenths);
        let until = self.draining.and_then(|draining| draining.until).filter(|until| *until > now);
        [step, until].into_iter().flatten().min()
    }

    /// Whether its sessions may no longer stay.
    pub(super) fn overdue(&self, now: Duration) -> bool {
        self.draining.and_then(|draining| draining.until).is_some_and(|until| until <= now)
    }
}
