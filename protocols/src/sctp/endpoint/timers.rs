//! Timers that expire, and what is concluded from it (RFC 9260 6.3.3, 8.1, 8.2; RFC 7829).

use super::association::{Association, Context, Control, State};
use super::message::Event;
use super::outbound::Fate;
use super::path::Reach;
use super::time::Time;
use crate::sctp::CauseCode;

impl Association {
    /// Does what is due.
    pub(super) fn expire(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        if self.guard <= now {
            self.abort(context, CauseCode::ProtocolViolation, b"shutdown takes too long");
        }
        if self.timer <= now {
            match self.state {
                State::CookieWait | State::CookieEchoed => self.handshake_expired(context),
                State::ShutdownSent | State::ShutdownAckSent => self.shutdown_expired(context),
                _ => self.timer = Time::NEVER,
            }
        }
        for index in 0..self.paths.len() {
            let index = u8::try_from(index).unwrap_or(u8::MAX);
            if self.path(index).is_some_and(|path| path.t3 <= now) {
                self.t3_expired(context, index);
            }
            if self.may_probe() && self.path(index).is_some_and(|path| path.heartbeat_at <= now) {
                self.heartbeat_due(context, index);
            }
            if self.may_probe() && self.path(index).is_some_and(|path| path.search.at <= now) {
                self.search_due(context, index);
            }
        }
        if self.changes.as_deref().is_some_and(|changes| changes.timer <= now) {
            self.asconf_expired(context);
        }
        if self.inbound.sack_at <= now && self.state != State::Closed {
            self.inbound.sack_now = true;
            self.inbound.sack_at = Time::NEVER;
        }
        self.shrink();
    }

    /// T3-rtx: nothing that was sent on that path was acknowledged in time (RFC 9260 6.3.3).
    fn t3_expired(&mut self, context: &mut Context<'_>, index: u8) {
        let Some(path) = self.path_mut(index) else { return };
        path.t3 = Time::NEVER;
        if path.flight > 0 {
            path.lost_all(context.config);
            path.swallows(context.config, context.now);
        }
        path.excused = true;
        for at in 0..self.outbound.sent.len() {
            let Some(sent) = self.outbound.sent.get_mut(at) else { break };
            if sent.path == index && sent.fate == Fate::Outstanding {
                sent.fast = false;
                self.lose(at);
            }
        }
        self.advance_forward();
        // RFC 9260 6.1 A: the peer's window is closed, and it says so: this is not held against it.
        if self.outbound.probing {
            if let Some(path) = self.path_mut(index) {
                path.back_off(context.config);
            }
            self.outbound.probing = false;
            return;
        }
        self.timed_out(context, index);
    }

    /// Counts a timeout on a path; true where the peer is lost for it (RFC 9260 8.1, 8.2).
    pub(super) fn timed_out(&mut self, context: &mut Context<'_>, index: u8) -> bool {
        let config = context.config;
        let alternative = self.paths.len() > 1;
        let Some(path) = self.path_mut(index) else { return false };
        path.back_off(config);
        path.errors = path.errors.saturating_add(1);
        let (errors, remote, reach, confirmed) = (path.errors, path.remote, path.reach, path.confirmed);
        if errors > config.path_max_retransmissions {
            if reach != Reach::Inactive {
                path.reach = Reach::Inactive;
                self.events.push_back(Event::PathDown(remote));
            }
        } else if errors > config.potentially_failed_after && reach == Reach::Active && alternative {
            path.reach = Reach::PotentiallyFailed;
            // RFC 7829 3.2: it is probed at once, unless it is being probed.
            if path.heartbeat.is_none() {
                path.heartbeat_at = context.now;
            }
            if confirmed {
                self.events.push_back(Event::PathPotentiallyFailed(remote));
            }
        }
        // RFC 9260 8.3: probes of addresses that were never confirmed say nothing of the peer, while there
        // are others.
        if confirmed || !self.paths.iter().any(|path| path.confirmed) {
            self.errors = self.errors.saturating_add(1);
        }
        if self.errors > config.association_max_retransmissions {
            self.close(Event::Lost);
            return true;
        }
        false
    }

    /// A path answered (RFC 9260 8.2; RFC 7829 3.2).
    pub(super) fn path_answers(&mut self, index: u8) {
        let Some(path) = self.path_mut(index) else { return };
        path.errors = 0;
        if path.reach != Reach::Active {
            path.reach = Reach::Active;
            let remote = path.remote;
            self.events.push_back(Event::PathUp(remote));
        }
    }

    /// T1-init or T1-cookie expired (RFC 9260 5.1, 4).
    fn handshake_expired(&mut self, context: &mut Context<'_>) {
        self.timer = Time::NEVER;
        self.attempts = self.attempts.saturating_add(1);
        if self.attempts > context.config.max_init_retransmissions {
            self.close(Event::Lost);
            return;
        }
        if let Some(handshake) = &mut self.handshake {
            handshake.timed = None;
        }
        let count = u16::try_from(self.paths.len()).unwrap_or(1).max(1);
        let path = u8::try_from(self.attempts % count).unwrap_or_default();
        if let Some(path) = self.path_mut(path) {
            path.back_off(context.config);
        }
        let again = if self.state == State::CookieWait { Control::Init } else { Control::CookieEcho };
        self.control.clear();
        self.begin_timer(context, again, path);
    }

    /// Sends the chunk that T1 guards, and starts it.
    pub(super) fn begin_timer(&mut self, context: &Context<'_>, control: Control, path: u8) {
        let rto = context.config.rto_initial.saturating_mul(1 << self.attempts.min(6)).min(context.config.rto_max);
        self.timer = context.now.after(rto);
        self.queue(control, path);
    }

    /// An idle association gives back the memory that it does not need.
    fn shrink(&mut self) {
        self.outbound.shrink();
        if self.events.is_empty() && self.events.capacity() > 4 {
            self.events.shrink_to_fit();
        }
        if self.control.is_empty() && self.control.capacity() > 4 {
            self.control.shrink_to_fit();
        }
    }
}
