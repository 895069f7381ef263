//! Probes all targets, and knows how their paths are.

mod table;
mod task;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::chance::Chance;
use super::outcome::Signal;
use super::probe::Prober;
use super::target::Target;
use crate::control::PathView;
use task::{Command, Task};

/// Probes targets as long as it, or a clone, is there.
#[derive(Clone, Debug)]
pub struct Checker {
    commands: mpsc::Sender<Command>,
}

/// A path that came up or went down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The endpoint's pool.
    pub pool: Arc<str>,
    /// Its name.
    pub endpoint: Arc<str>,
    /// The number of the path, from 0.
    pub path: usize,
    /// The endpoint's address on it.
    pub address: IpAddr,
    /// Whether the path is up.
    pub up: bool,
    /// Whether the endpoint is: any of its paths is up, all are down, or neither is known.
    pub endpoint_up: Option<bool>,
    /// Why, in words.
    pub why: String,
    /// How long the last answer took.
    pub round_trip: Option<Duration>,
}

/// What the packet path saw of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    /// The endpoint's pool.
    pub pool: Arc<str>,
    /// Its name.
    pub endpoint: Arc<str>,
    /// Its address on the path.
    pub address: IpAddr,
    /// What was seen.
    pub signal: Signal,
}

/// A path and how it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The endpoint's pool.
    pub pool: Arc<str>,
    /// Its name.
    pub endpoint: Arc<str>,
    /// The number of the path, from 0.
    pub path: usize,
    /// How it is.
    pub view: PathView,
}

/// How much at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Probes that are out; others wait, the one that is due longest first. At least 1.
    pub probes: usize,
    /// Changes that wait to be read; of further ones only the last of each path is kept. At least 1.
    pub changes: usize,
}

impl Default for Limits {
    /// 512 probes, 1,024 changes.
    fn default() -> Self {
        Self { probes: 512, changes: 1024 }
    }
}

/// Commands that wait for the task.
const COMMANDS: usize = 256;

impl Checker {
    /// Starts probing, spread over time. Changes come through the receiver; nothing stalls while it is not read, and
    /// a path that turns there and back meanwhile is told of as it is then. It ends when the last clone of the
    /// checker is dropped.
    ///
    /// Must be called inside of a tokio runtime.
    pub fn start(
        targets: Vec<Target>,
        prober: impl Prober,
        limits: Limits,
        chance: Chance,
    ) -> (Self, mpsc::Receiver<Change>) {
        let (commands, received) = mpsc::channel(COMMANDS);
        let (changes, changed) = mpsc::channel(limits.changes.max(1));
        tokio::spawn(Task::new(targets, prober, limits, chance, changes).run(received));
        (Self { commands }, changed)
    }

    /// Probes these targets from now on. What is known of a path stays if the same is still asked of the same
    /// address and port; one that is asked something else is unknown again. Returns when it is done: changes
    /// that the receiver does not hold yet are of the new targets.
    pub async fn update(&self, targets: Vec<Target>) {
        self.ask(|done| Command::Update { targets, done }).await;
    }

    /// Tells what the packet path saw of a path: a failure, where it is up, and it is probed at once. What comes before
    /// that probe's outcome counts as one with it, and the failure that takes a path down is always a probe's: signals
    /// alone take nothing down that answers. A signal that finds too many others waiting is left out.
    pub fn signal(&self, seen: Seen) {
        let _ = self.commands.try_send(Command::Signal(seen));
    }

    /// How every path is, in the order of the targets.
    pub async fn snapshot(&self) -> Vec<Status> {
        self.ask(|reply| Command::Snapshot { pool: None, reply }).await.unwrap_or_default()
    }

    /// How the paths of one pool are.
    pub async fn pool(&self, pool: &str) -> Vec<Status> {
        let pool = Some(pool.to_owned());
        self.ask(|reply| Command::Snapshot { pool, reply }).await.unwrap_or_default()
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.ok()?;
        answer.await.ok()
    }
}
