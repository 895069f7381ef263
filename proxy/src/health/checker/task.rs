//! The task that owns the table.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tracing::info;

use super::table::{PathId, Table};
use super::{Change, Limits, Seen, Status};
use crate::health::chance::Chance;
use crate::health::outcome::{Obstacle, Outcome};
use crate::health::probe::Prober;
use crate::health::target::Target;

/// What the task is told and asked.
#[derive(Debug)]
pub(super) enum Command {
    /// Other targets.
    Update { targets: Vec<Target>, done: oneshot::Sender<()> },
    /// What the packet path saw.
    Signal(Seen),
    /// How paths are.
    Snapshot { pool: Option<String>, reply: oneshot::Sender<Vec<Status>> },
}

/// The task.
pub(super) struct Task<P> {
    table: Table,
    prober: Arc<P>,
    most_out: usize,
    chance: Chance,
    probes: JoinSet<Outcome>,
    /// Whose probes are out.
    out: HashMap<Id, PathId>,
    changes: mpsc::Sender<Change>,
    /// Paths that turned and were not told of yet.
    untold: BTreeSet<PathId>,
}

impl<P: Prober> Task<P> {
    pub(super) fn new(
        targets: Vec<Target>,
        prober: P,
        limits: Limits,
        mut chance: Chance,
        changes: mpsc::Sender<Change>,
    ) -> Self {
        let mut table = Table::default();
        table.update(targets, Instant::now(), &mut chance);
        Self {
            table,
            prober: Arc::new(prober),
            most_out: limits.probes.max(1),
            chance,
            probes: JoinSet::new(),
            out: HashMap::new(),
            changes,
            untold: BTreeSet::new(),
        }
    }

    /// Runs until nobody can command it any more.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let changes = self.changes.clone();
        loop {
            let due = self.table.next_due().filter(|_| self.probes.len() < self.most_out);
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                Some(done) = self.probes.join_next_with_id(), if !self.probes.is_empty() => self.hear(done),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.probe(),
                permit = changes.reserve(), if !self.untold.is_empty() => match permit {
                    Ok(permit) => {
                        let change = self.untold.pop_first().and_then(|id| self.table.change(id));
                        if let Some(change) = change {
                            permit.send(change);
                        }
                    }
                    // Nobody reads: the snapshot is still there.
                    Err(_) => self.untold.clear(),
                },
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Update { targets, done } => {
                self.table.update(targets, Instant::now(), &mut self.chance);
                let table = &self.table;
                self.untold.retain(|&id| table.change(id).is_some());
                let _ = done.send(());
            }
            Command::Signal(seen) => self.table.signal(&seen, Instant::now()),
            Command::Snapshot { pool, reply } => {
                let _ = reply.send(self.table.snapshot(pool.as_deref(), Instant::now()));
            }
        }
    }

    /// Starts the probes that are due, as far as they may be out.
    fn probe(&mut self) {
        let now = Instant::now();
        while self.probes.len() < self.most_out {
            let Some((id, target)) = self.table.start(now) else { return };
            let prober = Arc::clone(&self.prober);
            let draws = [self.chance.draw(), self.chance.draw()];
            let task = self.probes.spawn(async move { prober.probe(target, draws).await });
            self.out.insert(task.id(), id);
        }
    }

    fn hear(&mut self, done: Result<(Id, Outcome), JoinError>) {
        let (task, outcome) = done.unwrap_or_else(|error| (error.id(), Outcome::Unprobed(Obstacle::Broken)));
        let Some(id) = self.out.remove(&task) else { return };
        if self.table.hear(id, outcome, Instant::now(), &mut self.chance) {
            self.tell(id);
        }
    }

    fn tell(&mut self, id: PathId) {
        if let Some(Change { pool, endpoint, path, address, up, why, .. }) = self.table.change(id) {
            let state = if up { "up" } else { "down" };
            info!(%pool, %endpoint, path, %address, state, why, "path turned");
        }
        self.untold.insert(id);
    }
}
