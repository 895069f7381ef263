use std::sync::Arc;

use pinion_n4::{Batch, TunnelChange};
use pinion_steering::PinKey;
use tokio::sync::mpsc;

use crate::sessions::{Change, CommitError, Installed, Names, NewPin, Table};

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
        let together: Vec<(Batch, Option<Vec<Change>>)> =
            waiting.drain(..).map(|(batch, changes)| (batch, all(&names, changes))).collect();
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
    }
}

/// What a batch says to the session table; none where it cannot be put into force. What is configured is nobody's to
/// take; what is learned is this front end's alone.
fn all(names: &Names, changes: Vec<TunnelChange>) -> Option<Vec<Change>> {
    let said = |change: TunnelChange| {
        let (address, teid) = change.at();
        let key = PinKey { address: address.into(), teid };
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
