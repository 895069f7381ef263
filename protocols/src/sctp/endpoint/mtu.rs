//! How large a packet a path carries, found out by packets that nothing depends on (RFC 8899 6.2).

use core::time::Duration;

use bytes::BufMut;
use serde::{Deserialize, Serialize};

use super::association::{Association, Context, Control};
use super::config::{Config, SMALLEST_MTU};
use super::path::Path;
use super::time::Time;
use crate::sctp::write::{PacketWriter, parameter};
use crate::sctp::{ChunkType, ParameterType};

/// BASE_PLPMTU as an IP packet, bytes: what every path is taken to carry once it swallows larger ones.
const BASE: u16 = 1280;
/// Smallest IPv6 packet that every link carries, bytes (RFC 8200 5).
const SMALLEST_IPV6_MTU: u16 = 1280;
/// MAX_PROBES.
const MOST_ATTEMPTS: u8 = 3;
/// PMTU_RAISE_TIMER.
const RAISE: Duration = Duration::from_secs(600);
/// The search ends where so few bytes are left between what is carried and what is not.
const CLOSE_ENOUGH: u16 = 16;
/// Consecutive timeouts of DATA after which large packets are suspected (RFC 8899 4.3).
const BLACK_HOLE: u8 = 2;

/// How far the search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Search {
    /// The largest packet that may get through.
    upper: u16,
    /// The packet that is being tried, a multiple of four bytes, and how often it was.
    size: u16,
    attempts: u8,
    nonce: u64,
    /// Timeouts since DATA was acknowledged on the path.
    timeouts: u8,
    /// When the next step is due.
    pub(super) at: Time,
}

impl Search {
    pub(super) fn new(config: &Config, now: Time) -> Self {
        let at = if config.largest_mtu > config.mtu { now } else { Time::NEVER };
        Self { upper: config.largest_mtu, size: config.largest_mtu & !3, attempts: 0, nonce: 0, timeouts: 0, at }
    }
}

impl Path {
    /// Somebody who knows said how large a packet the path carries.
    pub(super) fn told(&mut self, now: Time, mtu: u16) {
        self.mtu = self.at_least(mtu);
        self.search.upper = self.mtu;
        self.search.attempts = 0;
        self.search.nonce = 0;
        self.search.at = now.after(RAISE);
    }

    /// No path carries less, whatever is said.
    pub(super) fn at_least(&self, mtu: u16) -> u16 {
        mtu.max(if self.remote.is_ipv4() { SMALLEST_MTU } else { SMALLEST_IPV6_MTU })
    }

    /// DATA was acknowledged.
    pub(super) fn carries(&mut self) {
        self.search.timeouts = 0;
    }

    /// DATA was swallowed: perhaps because it was large. HEARTBEATs are small, and their answers say
    /// nothing of that (RFC 8899 4.3).
    pub(super) fn swallows(&mut self, config: &Config, now: Time) {
        self.search.timeouts = self.search.timeouts.saturating_add(1);
        if self.search.timeouts >= BLACK_HOLE && self.mtu > BASE {
            self.search.timeouts = 0;
            self.search.upper = self.mtu.max(config.largest_mtu);
            self.search.size = self.search.upper & !3;
            self.search.attempts = 0;
            self.search.at = now.after(self.rto);
            self.mtu = BASE;
        }
    }
}

impl Association {
    /// The next step of the search on a path.
    pub(super) fn search_due(&mut self, context: &mut Context<'_>, index: u8) {
        let nonce = context.random.u64();
        let (now, config) = (context.now, context.config);
        let Some(path) = self.path_mut(index) else { return };
        if !path.is_usable() {
            path.search.at = now.after(config.rto_max);
            return;
        }
        let search = &mut path.search;
        if search.attempts >= MOST_ATTEMPTS {
            search.upper = search.size.saturating_sub(1);
            search.attempts = 0;
            let half = search.upper.saturating_sub(path.mtu) / 2;
            search.size = path.mtu.saturating_add(half) & !3;
        }
        if search.upper.saturating_sub(path.mtu) < CLOSE_ENOUGH {
            *search = Search { at: now.after(RAISE), timeouts: search.timeouts, ..Search::new(config, now) };
            return;
        }
        search.attempts = search.attempts.saturating_add(1);
        search.nonce = nonce;
        search.at = now.after(path.rto);
        let size = search.size;
        self.queue(Control::Probe(nonce, size), index);
    }

    /// Whether a HEARTBEAT ACK with that nonce answers a probe of the size; then the path carries it.
    pub(super) fn probe_answered(&mut self, now: Time, nonce: u64) -> bool {
        let asked = |path: &&mut Path| path.search.attempts > 0 && path.search.nonce == nonce;
        let Some(path) = self.paths.iter_mut().find(asked) else { return false };
        let search = &mut path.search;
        path.mtu = search.size;
        search.attempts = 0;
        search.nonce = 0;
        search.size = path.mtu.saturating_add(search.upper.saturating_sub(path.mtu).div_ceil(2)) & !3;
        search.at = now;
        true
    }
}

/// Adds a HEARTBEAT and padding up to `length` bytes of packet (RFC 8899 6.2.1, RFC 4820).
pub(super) fn write_probe(writer: &mut PacketWriter<'_>, nonce: u64, length: usize) {
    writer.chunk(ChunkType::Heartbeat, 0, |out| {
        parameter(out, ParameterType::HeartbeatInfo, |out| out.put_u64(nonce));
    });
    if let Some(padding) = length.checked_sub(writer.len()).and_then(|left| left.checked_sub(4)) {
        writer.chunk(ChunkType::Pad, 0, |out| out.put_bytes(0, padding & !3));
    }
}
