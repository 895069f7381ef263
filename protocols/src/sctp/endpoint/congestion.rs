//! Congestion control of a path (RFC 9260 7.2).

use super::config::Config;
use super::path::Path;
use super::serial::at_most;
use super::time::Time;

impl Path {
    /// The window of a path that was not used yet (RFC 9260 7.2.1).
    pub(super) fn initial_window(&self, config: &Config) -> u32 {
        let chunk = self.largest_chunk(config);
        chunk.saturating_mul(4).min(chunk.saturating_mul(2).max(4404))
    }

    /// Takes into account that a SACK acknowledged [`Path::acked`] bytes of the `before` that were
    /// outstanding (RFC 9260 7.2.1, 7.2.2).
    pub(super) fn grow(&mut self, config: &Config, before: u32, cumulative_tsn_moved: bool) {
        let chunk = self.largest_chunk(config);
        let full = before.saturating_add(chunk) > self.cwnd;
        if self.recovery.is_none() && cumulative_tsn_moved {
            if self.cwnd <= self.ssthresh {
                if full {
                    self.cwnd = self.cwnd.saturating_add(self.acked.min(chunk));
                }
            } else {
                self.partial = self.partial.saturating_add(self.acked);
                if self.partial >= self.cwnd {
                    if full {
                        self.partial = self.partial.saturating_sub(self.cwnd);
                        self.cwnd = self.cwnd.saturating_add(chunk);
                    } else {
                        self.partial = self.cwnd;
                    }
                }
            }
        }
        if self.flight == 0 {
            self.partial = 0;
        }
    }

    /// Leaves fast recovery when all that was outstanding at its beginning is acknowledged.
    pub(super) fn recover(&mut self, cumulative_tsn: u32) {
        self.recovery = self.recovery.filter(|&exit| !at_most(exit, cumulative_tsn));
    }

    /// DATA was found missing by the acknowledgement of later DATA (RFC 9260 7.2.3, 7.2.4).
    pub(super) fn lost_some(&mut self, config: &Config, highest_outstanding: u32) {
        if self.recovery.is_none() {
            self.ssthresh = self.half(config);
            self.cwnd = self.ssthresh;
            self.partial = 0;
            self.recovery = Some(highest_outstanding);
        }
    }

    /// T3-rtx expired (RFC 9260 7.2.3).
    pub(super) fn lost_all(&mut self, config: &Config) {
        self.ssthresh = self.half(config);
        self.cwnd = self.largest_chunk(config);
        self.partial = 0;
        self.recovery = None;
        self.burst = config.max_burst;
    }

    /// Halves the window for each RTO in which nothing was sent (RFC 9260 7.2.1).
    pub(super) fn decay(&mut self, config: &Config, now: Time) {
        let floor = self.largest_chunk(config).saturating_mul(4);
        let mut idle = now.since(self.used);
        while self.flight == 0 && self.cwnd > floor && idle > self.rto {
            self.cwnd = (self.cwnd / 2).max(floor);
            idle = idle.saturating_sub(self.rto);
        }
    }

    fn half(&self, config: &Config) -> u32 {
        (self.cwnd / 2).max(self.largest_chunk(config).saturating_mul(4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    fn path() -> (Config, Path) {
        let config = Config::default();
        let path = Path::new(&config, Time::ZERO, [192, 0, 2, 1].into(), [192, 0, 2, 2].into(), true);
        (config, path)
    }

    // 1,500 - 20 - 12 = 1,468 bytes of DATA chunk: min(4 * 1,468, max(2 * 1,468, 4,404)).
    #[test]
    fn rfc9260_7_2_1_initial_window() {
        assert_eq!(path().1.cwnd, 4404);
    }

    #[test]
    fn rfc9260_7_2_1_slow_start_grows_by_one_chunk_at_most_and_only_a_full_window() {
        let (config, mut path) = path();
        path.acked = 3000;
        path.grow(&config, 4404, true);
        assert_eq!(path.cwnd, 4404 + 1468);
        path.grow(&config, 1000, true);
        assert_eq!(path.cwnd, 4404 + 1468);
        path.grow(&config, 9000, false);
        assert_eq!(path.cwnd, 4404 + 1468);
        path.acked = 100;
        path.grow(&config, 9000, true);
        assert_eq!(path.cwnd, 4404 + 1468 + 100);
    }

    #[test]
    fn rfc9260_7_2_2_congestion_avoidance_grows_by_one_chunk_a_window() {
        let (config, mut path) = path();
        path.cwnd = 14_680;
        path.ssthresh = 10_000;
        path.flight = 1;
        path.acked = 1468;
        for _ in 0..9 {
            path.grow(&config, 14_680, true);
            assert_eq!(path.cwnd, 14_680);
        }
        path.grow(&config, 14_680, true);
        assert_eq!((path.cwnd, path.partial), (14_680 + 1468, 0));
    }

    #[test]
    fn rfc9260_7_2_3_timeout_leaves_one_chunk() {
        let (config, mut path) = path();
        path.cwnd = 29_360;
        path.lost_all(&config);
        assert_eq!((path.cwnd, path.ssthresh), (1468, 14_680));
        path.lost_all(&config);
        assert_eq!((path.cwnd, path.ssthresh), (1468, 4 * 1468));
    }

    #[test]
    fn rfc9260_7_2_4_fast_recovery_halves_once() {
        let (config, mut path) = path();
        path.cwnd = 29_360;
        path.lost_some(&config, 50);
        path.lost_some(&config, 60);
        assert_eq!((path.cwnd, path.ssthresh, path.recovery), (14_680, 14_680, Some(50)));
        path.recover(49);
        assert_eq!(path.recovery, Some(50));
        path.recover(50);
        assert_eq!(path.recovery, None);
    }

    #[test]
    fn rfc9260_7_2_1_idle_window_decays() {
        let (config, mut path) = path();
        path.cwnd = 100_000;
        path.decay(&config, Time::ZERO.after(Duration::from_millis(1500)));
        assert_eq!(path.cwnd, 50_000);
        path.decay(&config, Time::ZERO.after(Duration::from_secs(100)));
        assert_eq!(path.cwnd, 4 * 1468);
    }
}
