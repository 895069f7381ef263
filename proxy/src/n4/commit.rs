use std::sync::Arc;

use pinion_n4::{Batch, Lead, TunnelChange, TunnelFilters};
use pinion_steering::{Address, Pin, PinKey};
use tokio::sync::mpsc;

use super::filters::Learned;
use crate::sessions::{Change, CommitError, Installed, Names, NewPin, Table};

/// What became of a batch: the proof that it is in force, or none.
pub(super) type Done = (Batch, Option<Arc<Installed>>);

/// What is to be put into force.
pub(super) enum Job {
    /// A batch of tunnels, all or none.
    Batch(Batch, Vec<TunnelChange>),
    /// Where clients' ends lead, as far as there is room.
    Lead(Vec<Lead>),
    /// Which packets leave their tunnels, as far as there is room.
    Classify(Vec<TunnelFilters>),
}

/// How many batches are put into force in one go, at the most: what came while the store was waited for.
const TOGETHER: usize = 256;

/// Puts batches into force in their order, for as long as any come.
pub(super) async fn run(
    table: Table,
    names: impl Fn() -> Arc<Names>,
    mut jobs: mpsc::UnboundedReceiver<Job>,
    done: mpsc::UnboundedSender<Done>,
) {
    let (mut waiting, mut learned) = (Vec::new(), Learned::default());
    while jobs.recv_many(&mut waiting, TOGETHER).await > 0 {
        let names = names();
        let mut together: Vec<(Batch, Option<Vec<Change>>)> = Vec::with_capacity(waiting.len());
        let (mut ways, mut filters) = (Vec::new(), Vec::new());
        for job in waiting.drain(..) {
            match job {
                Job::Batch(batch, changes) => {
                    let ended = changes.iter().filter(|change| matches!(change, TunnelChange::Unpin { .. }));
                    ended.for_each(|change| learned.forget(&key(change)));
                    together.push((batch, all(&names, changes)));
                }
                Job::Lead(leads) => ways.extend(leads.into_iter().map(|lead| way(&names, lead))),
                Job::Classify(all) => filters.extend(all),
            }
        }
        let whole = together.iter().filter_map(|(_, changes)| changes.clone()).flatten().collect();
        let all = table.commit(whole).await.map(Arc::new);
        for (batch, changes) in together {
            let proof = match (&all, changes) {
                (_, None) => None,
                (Ok(proof), Some(_)) => Some(Arc::clone(proof)),
                // One of them is refused: which one, each for itself shows.
                (Err(_), Some(changes)) => match table.commit(changes).await {
                    Ok(proof) => Some(Arc::new(proof)),
                    Err(CommitError::Taken { address, teid, .. }) => {
                        tracing::warn!(%address, teid, "a tunnel's TEID is one that is configured");
                        None
                    }
                    Err(error) => {
                        tracing::warn!(%error, "tunnels of a session are not in force");
                        None
                    }
                },
            };
            if done.send((batch, proof)).is_err() {
                return;
            }
        }
        let failed = table.lead(ways).await;
        if failed > 0 {
            tracing::warn!(failed, "clients' Error Indications of some tunnels find no endpoint: PINS6 is full");
        }
        learned.put(&table, &names, filters).await;
    }
}

/// Where a client's end leads; nowhere, where the packet path knows no such endpoint.
pub(crate) fn way(names: &Names, Lead { client: (address, teid), to }: Lead) -> ((Address, u32), Option<Pin>) {
    let pin = to.and_then(|to| Some(names.record(&to.service, &to.endpoint, to.path, 0)?.pin));
    ((address.into(), teid), pin)
}

/// The tunnel that a change is about.
fn key(change: &TunnelChange) -> PinKey {
    let (address, teid) = change.at();
    PinKey { address: address.into(), teid }
}

/// What a batch says to the session table; none where it cannot be put into force. What is configured is nobody's to
/// take; what is learned is this front end's alone.
fn all(names: &Names, changes: Vec<TunnelChange>) -> Option<Vec<Change>> {
    let said = |change: TunnelChange| {
        let key = key(&change);
        match change {
            TunnelChange::Unpin { .. } => Some(Change::Forget(key)),
            TunnelChange::Pin { service: (service, path), to: (endpoint, theirs), .. } => {
                let record = names.record(&service, &endpoint, path, theirs);
                if record.is_none() {
                    tracing::warn!(
                        service = &*service,
                        endpoint = &*endpoint,
                        "the packet path knows no such endpoint; where a plan is not in force the log says why"
                    );
                }
                Some(Change::Learn(NewPin { key, record: record? }))
            }
        }
    };
    changes.into_iter().map(said).collect()
}
