//! What happens a second, from counters that were read some time apart.

mod sbi;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::state::Snapshot;
use sbi::Sbi;

/// How many rates are kept of each reason: as many as a wide screen draws.
const KEPT: usize = 120;

/// What happens a second.
#[derive(Debug, Default)]
pub(super) struct Rates {
    /// When the counters were read last.
    at: Option<Duration>,
    packets: BTreeMap<(String, String), Series>,
    /// How many sessions an endpoint had, and by how many that changes.
    endpoints: BTreeMap<(String, String), (u64, f64)>,
    placed: Series,
    ended: Series,
    /// What there is of SBI.
    pub(super) sbi: Sbi,
}

#[derive(Debug, Default)]
pub(super) struct Series {
    last: Option<u64>,
    rates: VecDeque<f64>,
}

impl Series {
    pub(super) fn observe(&mut self, count: u64, elapsed: Option<Duration>) {
        // Less than before: the tables were made anew.
        if let (Some(elapsed), Some(more)) = (elapsed, self.last.and_then(|last| count.checked_sub(last))) {
            if self.rates.len() >= KEPT {
                self.rates.pop_front();
            }
            self.rates.push_back(per_second(float(more), elapsed));
        }
        self.last = Some(count);
    }

    pub(super) fn now(&self) -> Option<f64> {
        self.rates.back().copied()
    }
}

impl Rates {
    /// Takes in what was read `at` a time since some beginning.
    pub(super) fn observe(&mut self, snapshot: &Snapshot, at: Duration) {
        let elapsed = self.at.and_then(|before| at.checked_sub(before)).filter(|elapsed| !elapsed.is_zero());
        self.at = Some(at);
        let mut packets = std::mem::take(&mut self.packets);
        for count in &snapshot.stats.packets {
            let name = (count.verdict.clone(), count.reason.clone());
            let mut series = packets.remove(&name).unwrap_or_default();
            series.observe(count.packets, elapsed);
            self.packets.insert(name, series);
        }
        let before = std::mem::take(&mut self.endpoints);
        for endpoint in &snapshot.endpoints {
            let name = (endpoint.pool.clone(), endpoint.name.clone());
            let rate = match (elapsed, before.get(&name)) {
                (Some(elapsed), Some((sessions, _))) => {
                    per_second(float(endpoint.sessions) - float(*sessions), elapsed)
                }
                _ => 0.0,
            };
            self.endpoints.insert(name, (endpoint.sessions, rate));
        }
        self.placed.observe(snapshot.stats.placed, elapsed);
        self.ended.observe(snapshot.stats.ended, elapsed);
        self.sbi.observe(snapshot.stats.sbi.as_ref(), elapsed);
    }

    /// Packets a second for a reason, the latest last.
    pub(super) fn packets(&self, verdict: &str, reason: &str) -> Vec<f64> {
        let series = self.packets.get(&(verdict.to_owned(), reason.to_owned()));
        series.map(|series| series.rates.iter().copied().collect()).unwrap_or_default()
    }

    /// By how many an endpoint's sessions change a second.
    pub(super) fn sessions(&self, pool: &str, name: &str) -> f64 {
        self.endpoints.get(&(pool.to_owned(), name.to_owned())).map_or(0.0, |(_, rate)| *rate)
    }

    /// Sessions placed and ended a second; `None` before two readings.
    pub(super) fn turnover(&self) -> Option<(f64, f64)> {
        self.placed.now().zip(self.ended.now())
    }
}

fn per_second(count: f64, elapsed: Duration) -> f64 {
    count / elapsed.as_secs_f64()
}

/// A count as a float; beyond 2^53 its last digits are nobody's concern on a screen.
fn float(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let float = count as f64;
    float
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn rates_are_changes_over_time() {
        let mut rates = Rates::default();
        let mut snapshot = sample::snapshot();
        rates.observe(&snapshot, Duration::from_secs(10));
        assert!(rates.packets("transmit", "pinned").is_empty() && rates.turnover().is_none());
        snapshot.stats.packets[0].packets += 500;
        snapshot.stats.placed += 10;
        snapshot.stats.ended += 5;
        snapshot.endpoints[0].sessions -= 4;
        rates.observe(&snapshot, Duration::from_secs(12));
        assert_eq!(rates.packets("transmit", "pinned"), [250.0]);
        assert_eq!(rates.turnover(), Some((5.0, 2.5)));
        assert_eq!((rates.sessions("amf", "amf-1"), rates.sessions("amf", "amf-2")), (-2.0, 0.0));
    }

    #[test]
    fn counters_that_begin_anew_are_no_rate() {
        let mut rates = Rates::default();
        let mut snapshot = sample::snapshot();
        rates.observe(&snapshot, Duration::from_secs(10));
        snapshot.stats.packets[0].packets = 3;
        rates.observe(&snapshot, Duration::from_secs(11));
        assert!(rates.packets("transmit", "pinned").is_empty());
        snapshot.stats.packets[0].packets = 5;
        rates.observe(&snapshot, Duration::from_secs(12));
        assert_eq!(rates.packets("transmit", "pinned"), [2.0]);
        // Twice at one time is not without end.
        rates.observe(&snapshot, Duration::from_secs(12));
        assert_eq!(rates.packets("transmit", "pinned"), [2.0]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut rates = Rates::default();
        let mut snapshot = sample::snapshot();
        for second in 0..1000 {
            rates.observe(&snapshot, Duration::from_secs(second));
        }
        assert_eq!(rates.packets("transmit", "pinned").len(), KEPT);
        snapshot.stats.packets.clear();
        snapshot.endpoints.clear();
        rates.observe(&snapshot, Duration::from_secs(1000));
        assert!(rates.packets.is_empty() && rates.endpoints.is_empty());
    }
}
