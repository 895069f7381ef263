//! The state of one association.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::asconf::Changes;
use super::auth::Auth;
use super::config::Config;
use super::inbound::Inbound;
use super::message::Event;
use super::outbound::Outbound;
use super::path::{Path, Reach};
use super::random::Random;
use super::replies::{Ends, Replies};
use super::time::Time;
use crate::sctp::write::cause;
use crate::sctp::{CauseCode, ChunkType};

/// Paths of an association at most, whatever the configuration says.
pub(super) const MOST_PATHS: usize = 16;
/// Control chunks that wait to be sent at most.
const MOST_CONTROL: usize = 64;
/// Bytes that they hold at most: what the peer says is to be echoed or reported.
const MOST_CONTROL_BYTES: usize = 32 << 10;

/// States of RFC 9260 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    CookieWait,
    CookieEchoed,
    Established,
    ShutdownPending,
    ShutdownSent,
    ShutdownReceived,
    ShutdownAckSent,
    /// It ended; events may be left.
    Closed,
}

/// A chunk to be sent, and on which path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Control {
    Init,
    CookieEcho,
    CookieAck,
    Heartbeat(u64),
    /// A HEARTBEAT in an IP packet of so many bytes (RFC 8899).
    Probe(u64, u16),
    HeartbeatAck(Bytes),
    Shutdown,
    ShutdownAck,
    /// Error causes.
    Error(Bytes),
    Asconf,
    AsconfAck(Bytes),
    /// The parameters of a RE-CONFIG.
    Reconfig(Bytes),
}

impl Control {
    /// Bytes that it holds beside itself.
    fn length(&self) -> usize {
        match self {
            Self::HeartbeatAck(value) | Self::Error(value) | Self::AsconfAck(value) | Self::Reconfig(value) => {
                value.len()
            }
            _ => 0,
        }
    }
}

/// What only matters until the association is established.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Handshake {
    pub(super) cookie: Bytes,
    /// What of the INIT ACK was not known, as error causes.
    pub(super) unrecognized: Bytes,
    /// When the chunk that T1 guards left first, unless it left more than once.
    pub(super) timed: Option<Time>,
    /// Milliseconds of cookie life to ask for (RFC 9260 5.2.6).
    pub(super) preservative: Option<u32>,
    pub(super) random: [u8; 32],
}

/// What every step needs beside the association.
pub(super) struct Context<'a> {
    /// Now, on the association's clock.
    pub(super) now: Time,
    pub(super) config: &'a Config,
    pub(super) random: &'a mut Random,
    pub(super) replies: &'a mut Replies,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Association {
    pub(super) state: State,
    pub(super) local_port: u16,
    pub(super) remote_port: u16,
    pub(super) local_tag: u32,
    pub(super) peer_tag: u32,
    pub(super) local_addresses: Vec<IpAddr>,
    pub(super) paths: Vec<Path>,
    /// Index of the primary path.
    pub(super) primary: u8,
    pub(super) inbound: Inbound,
    pub(super) outbound: Outbound,
    pub(super) events: VecDeque<Event>,
    pub(super) control: VecDeque<(Control, u8)>,
    /// Consecutive timeouts on all paths.
    pub(super) errors: u16,
    /// T1-init, T1-cookie, T2-shutdown; which of them, the state says.
    pub(super) timer: Time,
    /// How often it expired.
    pub(super) attempts: u16,
    /// T5-shutdown-guard.
    pub(super) guard: Time,
    pub(super) handshake: Option<Box<Handshake>>,
    pub(super) auth: Option<Box<Auth>>,
    /// Whether the peer can take FORWARD-TSN.
    pub(super) partial_reliability: bool,
    /// Changes of addresses (RFC 5061), where the peer can take them.
    pub(super) changes: Option<Box<Changes>>,
    /// Something was sent since everything was acknowledged last.
    pub(super) busy: bool,
}

impl Association {
    /// Whether DATA of the caller may be sent, first or again (RFC 9260 6).
    pub(super) fn may_send_data(&self) -> bool {
        matches!(self.state, State::Established | State::ShutdownPending | State::ShutdownReceived)
    }

    /// Whether DATA of the peer is taken (RFC 9260 6).
    pub(super) fn may_take_data(&self) -> bool {
        matches!(self.state, State::Established | State::ShutdownPending | State::ShutdownSent)
    }

    /// Whether the handshake is over and the end has not come.
    pub(super) fn is_up(&self) -> bool {
        !matches!(self.state, State::CookieWait | State::CookieEchoed | State::Closed)
    }

    /// Whether HEARTBEATs are sent: not after SHUTDOWN or its answer (RFC 9260 8.3).
    pub(super) fn may_probe(&self) -> bool {
        self.may_send_data()
    }

    /// Puts a chunk into the queue, unless the same waits already or too many do.
    pub(super) fn queue(&mut self, control: Control, path: u8) {
        let entry = (control, path);
        let bytes: usize = self.control.iter().chain([&entry]).map(|(control, _)| control.length()).sum();
        if self.control.len() < MOST_CONTROL && bytes <= MOST_CONTROL_BYTES && !self.control.contains(&entry) {
            self.control.push_back(entry);
        }
    }

    /// Index of the path to that address.
    pub(super) fn path_to(&self, remote: IpAddr) -> Option<u8> {
        self.paths.iter().position(|path| path.remote == remote).and_then(|index| u8::try_from(index).ok())
    }

    pub(super) fn path(&self, index: u8) -> Option<&Path> {
        self.paths.get(usize::from(index))
    }

    pub(super) fn path_mut(&mut self, index: u8) -> Option<&mut Path> {
        self.paths.get_mut(usize::from(index))
    }

    /// The path for new DATA and for control chunks of no path of their own: the primary path while it
    /// answers, else one that does, else the one with the fewest timeouts (RFC 9260 6.4; RFC 7829 3.2).
    pub(super) fn best_path(&self) -> u8 {
        self.best_path_but(None)
    }

    /// The same, with `avoided` only where there is nothing better (RFC 9260 6.4.1).
    pub(super) fn best_path_but(&self, avoided: Option<u8>) -> u8 {
        let indices = 0..=u8::MAX;
        let best = indices.zip(&self.paths).min_by_key(|&(index, path)| {
            let reach = match path.reach {
                Reach::Active => 0,
                Reach::PotentiallyFailed => 1,
                Reach::Inactive => 2_u8,
            };
            (!path.confirmed, reach, path.errors, Some(index) == avoided, index != self.primary)
        });
        best.map_or(0, |(index, _)| index)
    }

    /// Who talks to whom on a path, and with which tag.
    pub(super) fn ends(&self, path: u8) -> Option<Ends> {
        let path = self.path(path)?;
        Some(Ends {
            source: path.local,
            destination: path.remote,
            source_port: self.local_port,
            destination_port: self.remote_port,
            tag: self.peer_tag,
        })
    }

    /// Tells the peer, and ends it.
    pub(super) fn abort(&mut self, context: &mut Context<'_>, code: CauseCode, value: &[u8]) {
        if self.state != State::CookieWait
            && let Some(ends) = self.ends(self.best_path())
        {
            let auth = self.auth.as_deref().filter(|auth| auth.covers(ChunkType::Abort));
            context.replies.send_with(&ends, auth, |packet| {
                packet.chunk(ChunkType::Abort, 0, |out| cause(out, code, |out| out.put_slice(value)));
            });
        }
        self.close(Event::aborted(code, false));
    }

    /// Ends it; what was not acknowledged is reported first.
    pub(super) fn close(&mut self, last: Event) {
        self.state = State::Closed;
        self.outbound.fail(&mut self.events);
        self.events.push_back(last);
        self.control.clear();
        self.handshake = None;
        self.inbound.sack_now = false;
        self.inbound.sack_at = Time::NEVER;
        self.timer = Time::NEVER;
        self.guard = Time::NEVER;
        for path in &mut self.paths {
            path.t3 = Time::NEVER;
            path.heartbeat_at = Time::NEVER;
        }
    }

    /// Reports error causes to the peer (RFC 9260 3.3.10).
    pub(super) fn report(&mut self, path: u8, code: CauseCode, value: &[u8]) {
        let mut out = BytesMut::new();
        cause(&mut out, code, |out| out.put_slice(value));
        self.queue(Control::Error(out.freeze()), path);
    }

    /// When something is due next, on the association's clock.
    pub(super) fn deadline(&self) -> Time {
        if self.state == State::Closed {
            return Time::NEVER;
        }
        let mut next = self.timer.min(self.guard).min(self.inbound.sack_at);
        if let Some(changes) = &self.changes {
            next = next.min(changes.timer);
        }
        let probes = self.may_probe();
        for path in &self.paths {
            next = next.min(path.t3);
            if probes {
                next = next.min(path.heartbeat_at).min(path.search.at);
            }
        }
        next
    }
}

/// The own address to be used towards `remote`: of its family, with the longest common prefix, and
/// of several such the `rank`-th.
pub(super) fn local_for(locals: &[IpAddr], remote: IpAddr, rank: usize) -> Option<IpAddr> {
    let common = |local: IpAddr| match (local, remote) {
        (IpAddr::V4(a), IpAddr::V4(b)) => Some((a.to_bits() ^ b.to_bits()).leading_zeros()),
        (IpAddr::V6(a), IpAddr::V6(b)) => Some((a.to_bits() ^ b.to_bits()).leading_zeros()),
        _ => None,
    };
    let longest = locals.iter().filter_map(|&local| common(local)).max()?;
    let best: Vec<IpAddr> = locals.iter().copied().filter(|&local| common(local) == Some(longest)).collect();
    best.get(rank.checked_rem(best.len())?).copied()
}
