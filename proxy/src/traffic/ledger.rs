use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::config::model::Config;
use crate::control::TrafficView;
use crate::health::{Seen, Signal};

/// How long a refusal is spoken of.
const FRESH: Duration = Duration::from_secs(300);

/// What was seen of every endpoint.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    endpoints: HashMap<Key, Entry>,
}

/// Pool and endpoint.
type Key = (String, String);

#[derive(Clone, Debug, Default)]
struct Entry {
    refused: [u64; Signal::ALL.len()],
    last: Option<(Signal, Duration)>,
    unanswered: u64,
}

/// Endpoints that turned, as pool and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turned {
    /// No reply of these is seen any more, and how many sessions wait for one.
    pub silent: Vec<(String, String, u64)>,
    /// Replies of these are seen again, or nobody waits for one.
    pub answering: Vec<(String, String)>,
}

impl Ledger {
    /// An endpoint refused sessions at a time.
    pub fn refused(&mut self, seen: &Seen, times: u64, now: Duration) {
        let entry = self.endpoints.entry((seen.pool.to_string(), seen.endpoint.to_string())).or_default();
        for (signal, count) in Signal::ALL.iter().zip(&mut entry.refused) {
            if *signal == seen.signal {
                *count = count.saturating_add(times);
            }
        }
        entry.last = Some((seen.signal, now));
    }

    /// Takes in which endpoints are silent now, and how many sessions wait for a reply of each.
    pub fn silent(&mut self, silent: &BTreeMap<Key, u64>) -> Turned {
        let mut turned = Turned::default();
        for ((pool, endpoint), sessions) in silent {
            let entry = self.endpoints.entry((pool.clone(), endpoint.clone())).or_default();
            if entry.unanswered == 0 {
                turned.silent.push((pool.clone(), endpoint.clone(), *sessions));
            }
            entry.unanswered = *sessions;
        }
        for (key, entry) in &mut self.endpoints {
            if entry.unanswered > 0 && !silent.contains_key(key) {
                entry.unanswered = 0;
                turned.answering.push(key.clone());
            }
        }
        turned.answering.sort();
        turned
    }

    /// Forgets endpoints that are configured no longer.
    pub fn keep(&mut self, config: &Config) {
        self.endpoints.retain(|(pool, endpoint), _| {
            let mut pools = config.pools.iter().filter(|it| it.name == *pool);
            pools.any(|pool| pool.endpoints.iter().any(|it| it.name == *endpoint))
        });
    }

    /// What is known of an endpoint.
    #[must_use]
    pub fn view(&self, pool: &str, endpoint: &str, now: Duration) -> TrafficView {
        let Some(entry) = self.endpoints.get(&(pool.to_owned(), endpoint.to_owned())) else {
            return TrafficView::default();
        };
        let mut notices = Vec::new();
        if entry.unanswered > 0 {
            notices.push(unanswered(entry.unanswered));
        }
        if let Some((signal, at)) = entry.last
            && now.saturating_sub(at) <= FRESH
        {
            notices.push(format!("{signal} {} s ago", now.saturating_sub(at).as_secs()));
        }
        let [resets, aborts, unreachables] = entry.refused;
        TrafficView { resets, aborts, unreachables, unanswered: entry.unanswered, notice: notices.join("; ") }
    }
}

/// What to think of sessions without a reply.
pub(crate) fn unanswered(sessions: u64) -> String {
    format!(
        "no reply is seen (sessions that wait for one: {sessions}); do its replies come back through the balancer?"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(signal: Signal) -> Seen {
        Seen { pool: "amf".into(), endpoint: "amf-1".into(), address: "10.0.0.1".parse().unwrap(), signal }
    }

    fn key(endpoint: &str) -> Key {
        ("amf".to_owned(), endpoint.to_owned())
    }

    #[test]
    fn refusals_are_counted_and_the_last_is_told_for_a_while() {
        let mut ledger = Ledger::default();
        ledger.refused(&seen(Signal::Abort), 3, Duration::from_secs(10));
        ledger.refused(&seen(Signal::Reset), 1, Duration::from_secs(20));
        ledger.refused(&seen(Signal::Abort), 1, Duration::from_secs(30));
        let view = ledger.view("amf", "amf-1", Duration::from_secs(42));
        assert_eq!((view.resets, view.aborts, view.unreachables), (1, 4, 0));
        assert_eq!(view.notice, "association refused by ABORT, seen in traffic 12 s ago");
        assert_eq!(ledger.view("amf", "amf-1", Duration::from_secs(331)).notice, "");
        assert_eq!(ledger.view("amf", "amf-2", Duration::from_secs(42)), TrafficView::default());
    }

    #[test]
    fn who_falls_silent_is_told_once_and_so_is_the_end() {
        let mut ledger = Ledger::default();
        let turned = ledger.silent(&BTreeMap::from([(key("amf-1"), 2)]));
        assert_eq!(turned.silent, [("amf".to_owned(), "amf-1".to_owned(), 2)]);
        assert_eq!(ledger.silent(&BTreeMap::from([(key("amf-1"), 5)])), Turned::default());
        let view = ledger.view("amf", "amf-1", Duration::ZERO);
        assert!(
            view.unanswered == 5 && view.notice.starts_with("no reply is seen (sessions that wait for one: 5)"),
            "{view:?}"
        );
        let turned = ledger.silent(&BTreeMap::new());
        assert_eq!(turned, Turned { silent: Vec::new(), answering: vec![key("amf-1")] });
        assert_eq!(ledger.view("amf", "amf-1", Duration::ZERO).notice, "");
    }
}
