//! What traffic shows of endpoints: told to health, kept for who asks, and logged.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::state::Daemon;
use crate::health::Seen;
use crate::traffic::{Refusal, Turned, refusal, unanswered};

/// Reads what the packet path left, and tells health which endpoints refuse.
pub(super) async fn refusals(daemon: Arc<Daemon>) {
    let events = match daemon.path.quick(|path| path.maps_mut().events()).await {
        Ok(events) => events,
        Err(error) => {
            tracing::error!(%error, "what the packet path left is not read");
            return;
        }
    };
    if events.is_empty() {
        return;
    }
    let mut refusals: HashMap<Refusal, u64> = HashMap::new();
    for refusal in events.iter().filter_map(|event| refusal(&event.bytes)) {
        *refusals.entry(refusal).or_default() += 1;
    }
    let config = Arc::clone(&daemon.state().config);
    let mut refused: HashMap<Seen, u64> = HashMap::new();
    for (refusal, times) in &refusals {
        for seen in refusal.of(&config) {
            *refused.entry(seen).or_default() += times;
        }
    }
    let now = daemon.now();
    for (seen, times) in refused {
        daemon.state().ledger.refused(&seen, times, now);
        let Seen { pool, endpoint, address, signal } = &seen;
        tracing::warn!(%pool, %endpoint, %address, why = %signal, times, "an endpoint refuses sessions");
        daemon.checker.signal(seen);
    }
}

/// Takes in which endpoints no reply is seen of, by index in `TARGETS`.
pub(super) fn answers(daemon: &Daemon, silent: &BTreeMap<u32, u64>) {
    let mut named = BTreeMap::new();
    let mut state = daemon.state();
    for (target, sessions) in silent {
        let place = state.names.place(*target);
        let Some((pool, endpoint)) = place.and_then(|place| place.endpoint.split_once('/')) else { continue };
        *named.entry((pool.to_owned(), endpoint.to_owned())).or_default() += sessions;
    }
    let Turned { silent, answering } = state.ledger.silent(&named);
    drop(state);
    for (pool, endpoint, sessions) in silent {
        tracing::warn!(pool, endpoint, sessions, "{}", unanswered(sessions));
    }
    for (pool, endpoint) in answering {
        tracing::info!(pool, endpoint, "replies are seen again, or nobody waits for one");
    }
}
