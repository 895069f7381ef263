use std::sync::Arc;

use pinion_n4::{Batch, TunnelChange};
use pinion_steering::PinKey;
use tokio::sync::mpsc;

use crate::sessions::{Change, Installed, Names, NewPin, PinOrigin, Table};

/// What became of a batch: the proof that it is in force, or none.
pub(super) type Done = (Batch, Option<Arc<Installed>>);

/// How many batches are put into force in one go, at the most: what came while the store was waited for.
const TOGETHER: usize = 256;

/// Puts batches into force in their order, for as long as any come.
pub(super) async fn run(
    table: Table,
    names: impl Fn() -> Arc<Names>,
    mut batches: mpsc::UnboundedReceiver<(Batch, Vec<TunnelChange>)>,
    done: mpsc::UnboundedSender<Done>,
) {
    let mut waiting = Vec::new();
    while batches.recv_many(&mut waiting, TOGETHER).await > 0 {
        let names = names();
        let mut together: Vec<(Batch, Option<Vec<Change>>)> = Vec::with_capacity(waiting.len());
        for (batch, changes) in waiting.drain(..) {
            together.push((batch, all(&table, &names, changes).await));
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
    }
}

/// What a batch says to the session table; none where it cannot be put into force.
async fn all(table: &Table, names: &Names, changes: Vec<TunnelChange>) -> Option<Vec<Change>> {
    let mut all = Vec::with_capacity(changes.len());
    for change in changes {
        match change {
            TunnelChange::Unpin { at: (address, teid) } => {
                let key = PinKey { address: address.into(), teid };
                if !is_configured(table, &key).await {
                    all.push(Change::Remove(key));
                }
            }
            TunnelChange::Pin { at: (address, teid), service: (service, path), to: (endpoint, theirs) } => {
                let key = PinKey { address: address.into(), teid };
                let Some(record) = names.record(&service, &endpoint, path, theirs) else {
                    tracing::warn!(
                        service = &*service,
                        endpoint = &*endpoint,
                        "the packet path knows no such endpoint; where a plan is not in force the log says why"
                    );
                    return None;
                };
                // What is configured is nobody's to take; what is learned is this front end's alone.
                if is_configured(table, &key).await {
                    tracing::warn!(%address, teid, "a tunnel's TEID is one that is configured");
                    return None;
                }
                all.push(Change::Replace(NewPin { key, record }));
            }
        }
    }
    Some(all)
}

/// Whether a pin is an operator's.
async fn is_configured(table: &Table, key: &PinKey) -> bool {
    table.get(key).await.is_some_and(|known| known.origin == PinOrigin::Configured)
}
