//! One path: an address of the peer, the address of ours that is used towards it, and what is known
//! about the network between the two.

use core::net::IpAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::config::Config;
use super::mtu::Search;
use super::time::Time;
use crate::sctp::HEADER_LENGTH;

/// How a path answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    /// It answers.
    Active,
    /// It timed out and is avoided where another one answers (RFC 7829).
    PotentiallyFailed,
    /// It is down (RFC 9260 8.2).
    Inactive,
}

/// How often a path is asked whether it answers, while it is idle (RFC 9260 8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Heartbeats {
    AsConfigured,
    Never,
    Every(Duration),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Path {
    pub(super) remote: IpAddr,
    pub(super) local: IpAddr,
    pub(super) reach: Reach,
    /// Whether the peer is known to be at this address (RFC 9260 5.4).
    pub(super) confirmed: bool,
    /// Largest IP packet, bytes.
    pub(super) mtu: u16,
    /// Whether larger ones get through.
    pub(super) search: Search,
    /// Consecutive timeouts.
    pub(super) errors: u16,
    /// Packets that may still leave until the next acknowledgement.
    pub(super) burst: u16,
    /// Smoothed round-trip time and its variation, microseconds; none before the first measurement.
    pub(super) rtt: Option<(u32, u32)>,
    pub(super) rto: Duration,
    pub(super) cwnd: u32,
    pub(super) ssthresh: u32,
    /// partial_bytes_acked (RFC 9260 7.2.2).
    pub(super) partial: u32,
    /// Bytes of DATA that are outstanding here.
    pub(super) flight: u32,
    /// Fast recovery lasts until this TSN is acknowledged (RFC 9260 7.2.4).
    pub(super) recovery: Option<u32>,
    /// T3-rtx.
    pub(super) t3: Time,
    pub(super) heartbeats: Heartbeats,
    /// When the next HEARTBEAT is due.
    pub(super) heartbeat_at: Time,
    /// The HEARTBEAT that is not answered yet: its nonce and when it left.
    pub(super) heartbeat: Option<(u64, Time)>,
    /// DATA timed out here while that HEARTBEAT was on its way: one silence counts once.
    pub(super) excused: bool,
    /// A packet that came since the last HEARTBEAT said which own address to use.
    pub(super) learned: bool,
    /// The DATA whose round trip is being measured, and when it left.
    pub(super) timed: Option<(u32, Time)>,
    /// When DATA left here last.
    pub(super) used: Time,
    /// While a SACK is looked at: bytes that it acknowledges, and whether some in sequence.
    #[serde(skip)]
    pub(super) acked: u32,
    #[serde(skip)]
    pub(super) acked_in_sequence: bool,
}

impl Path {
    pub(super) fn new(config: &Config, now: Time, local: IpAddr, remote: IpAddr, confirmed: bool) -> Self {
        let mut path = Self {
            remote,
            local,
            reach: Reach::Active,
            confirmed,
            mtu: config.mtu,
            search: Search::new(config, now),
            errors: 0,
            burst: config.max_burst,
            rtt: None,
            rto: config.rto_initial,
            cwnd: 0,
            ssthresh: u32::MAX,
            partial: 0,
            flight: 0,
            recovery: None,
            t3: Time::NEVER,
            heartbeats: Heartbeats::AsConfigured,
            heartbeat_at: now,
            heartbeat: None,
            excused: false,
            learned: false,
            timed: None,
            used: now,
            acked: 0,
            acked_in_sequence: false,
        };
        path.cwnd = path.initial_window(config);
        path
    }

    /// Bytes that a packet may have from the common header on.
    pub(super) fn room(&self, config: &Config) -> usize {
        self.room_in(config, self.mtu)
    }

    /// The same where an IP packet has so many bytes.
    pub(super) fn room_in(&self, config: &Config, mtu: u16) -> usize {
        let ip: u16 = if self.remote.is_ipv4() { 20 } else { 40 };
        let room = mtu.saturating_sub(ip).saturating_sub(config.encapsulation);
        usize::from(room & !3)
    }

    /// HB.interval of this path; none where it is not asked while it is idle.
    pub(super) fn heartbeat_interval(&self, config: &Config) -> Option<Duration> {
        match self.heartbeats {
            Heartbeats::AsConfigured => config.heartbeat_interval,
            Heartbeats::Never => None,
            Heartbeats::Every(interval) => Some(interval),
        }
    }

    /// PMDCS: the largest DATA chunk that a packet has room for (RFC 9260 7.3).
    pub(super) fn largest_chunk(&self, config: &Config) -> u32 {
        u32::try_from(self.room(config).saturating_sub(HEADER_LENGTH)).unwrap_or_default()
    }

    /// Whether DATA may be sent here without a second thought.
    pub(super) fn is_usable(&self) -> bool {
        self.confirmed && self.reach == Reach::Active
    }

    /// Whether DATA of that length may be sent again (RFC 9260 6.1 B, 6.3.3 E3).
    pub(super) fn may_send_again(&self, length: u32) -> bool {
        self.flight == 0 || (self.burst > 0 && self.flight.saturating_add(length) <= self.cwnd)
    }

    /// Whether another DATA chunk may leave (RFC 9260 6.1 B and D).
    pub(super) fn may_send(&self) -> bool {
        self.flight < self.cwnd && (self.burst > 0 || self.flight == 0)
    }

    /// Takes a measured round trip into RTO (RFC 9260 6.3.1).
    pub(super) fn measured(&mut self, config: &Config, rtt: Duration) {
        let sample = u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX);
        let (srtt, variation) = match self.rtt {
            None => (sample, sample / 2),
            Some((srtt, variation)) => {
                let difference = srtt.abs_diff(sample);
                (weighted(srtt, sample, 8), weighted(variation, difference, 4))
            }
        };
        self.rtt = Some((srtt, variation));
        let rto = u64::from(srtt).saturating_add(u64::from(variation.max(1)).saturating_mul(4));
        self.rto = Duration::from_micros(rto).clamp(config.rto_min, config.rto_max);
    }

    /// Doubles RTO (RFC 9260 6.3.3 E2).
    pub(super) fn back_off(&mut self, config: &Config) {
        self.rto = self.rto.saturating_mul(2).min(config.rto_max);
        self.timed = None;
    }
}

/// `old` moved towards `new` by one part of `parts`.
fn weighted(old: u32, new: u32, parts: u64) -> u32 {
    let sum = u64::from(old).saturating_mul(parts.saturating_sub(1)).saturating_add(u64::from(new));
    u32::try_from(sum.checked_div(parts).unwrap_or_default()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> (Config, Path) {
        let config = Config::default();
        let path = Path::new(&config, Time::ZERO, [192, 0, 2, 1].into(), [192, 0, 2, 2].into(), true);
        (config, path)
    }

    // C2, C3: SRTT <- R, RTTVAR <- R/2, RTO <- SRTT + 4 * RTTVAR; then alpha 1/8 and beta 1/4.
    #[test]
    fn rfc9260_6_3_1_c2_c3_rto_follows_measurements() {
        let (config, mut path) = path();
        assert_eq!(path.rto, Duration::from_secs(1));
        path.measured(&config, Duration::from_millis(800));
        assert_eq!(path.rto, Duration::from_millis(2400));
        path.measured(&config, Duration::from_millis(1600));
        // RTTVAR = 3/4 * 400 + 1/4 * 800 = 500, SRTT = 7/8 * 800 + 1/8 * 1600 = 900.
        assert_eq!(path.rto, Duration::from_millis(2900));
    }

    #[test]
    fn rfc9260_6_3_1_c6_c7_rto_is_bounded() {
        let (config, mut path) = path();
        path.measured(&config, Duration::from_millis(1));
        assert_eq!(path.rto, config.rto_min);
        path.measured(&config, Duration::from_secs(1000));
        assert_eq!(path.rto, config.rto_max);
    }

    #[test]
    fn rfc9260_6_3_3_e2_rto_doubles_up_to_its_maximum() {
        let (config, mut path) = path();
        path.back_off(&config);
        assert_eq!(path.rto, Duration::from_secs(2));
        for _ in 0..10 {
            path.back_off(&config);
        }
        assert_eq!(path.rto, config.rto_max);
    }
}
