//! Whether a path answers (RFC 9260 5.4, 8.3).

use core::time::Duration;

use super::association::{Association, Context, Control, local_for};
use super::path::Reach;
use super::time::{Time, micros};
use crate::sctp::{Parameter, Parameters};

impl Association {
    /// The time for a HEARTBEAT has come: the one before was answered, or it was not.
    pub(super) fn heartbeat_due(&mut self, context: &mut Context<'_>, index: u8) {
        let Some(path) = self.path_mut(index) else { return };
        let learned = core::mem::take(&mut path.learned);
        if path.heartbeat.take().is_some() {
            let down = path.reach == Reach::Inactive || !path.confirmed;
            if !path.excused && self.timed_out(context, index) {
                return;
            }
            if down && !learned {
                self.try_other_source(index);
            }
        } else if self.rests(context, index) {
            return;
        }
        self.ask_path(context, index);
    }

    /// Sends a HEARTBEAT, unless one waits for its answer (RFC 9260 8.3).
    pub(super) fn ask_path(&mut self, context: &mut Context<'_>, index: u8) {
        if self.path(index).is_none_or(|path| path.heartbeat.is_some()) {
            return;
        }
        let nonce = context.random.u64();
        let wait = self.heartbeat_timeout(context, index);
        let now = context.now;
        let Some(path) = self.path_mut(index) else { return };
        path.heartbeat = Some((nonce, now));
        path.excused = false;
        path.heartbeat_at = now.after(wait);
        // One that was never sent is worth nothing any more.
        self.control.retain(|(control, path)| !(matches!(control, Control::Heartbeat(_)) && *path == index));
        self.queue(Control::Heartbeat(nonce), index);
    }

    /// Whether the path needs no probe now: DATA on it says enough, or none are wanted.
    fn rests(&mut self, context: &mut Context<'_>, index: u8) -> bool {
        let interval = self.interval(context, index);
        let Some(path) = self.path_mut(index) else { return true };
        if !path.confirmed || path.reach == Reach::PotentiallyFailed {
            return false;
        }
        let Some(interval) = interval else {
            path.heartbeat_at = Time::NEVER;
            return true;
        };
        let idle = context.now.since(path.used);
        if path.flight > 0 || idle < interval / 2 {
            path.heartbeat_at = context.now.after(interval);
            return true;
        }
        false
    }

    /// HB.interval plus RTO, give or take half of it (RFC 9260 8.3).
    fn interval(&self, context: &mut Context<'_>, index: u8) -> Option<Duration> {
        let path = self.path(index)?;
        let rto = path.rto;
        let jitter = Duration::from_micros(context.random.below(micros(rto).max(1)));
        let interval = path.heartbeat_interval(context.config)?;
        Some(interval.saturating_add(rto / 2).saturating_add(jitter))
    }

    /// When a HEARTBEAT that leaves now counts as not answered. A path that is down is asked at the
    /// usual interval.
    fn heartbeat_timeout(&self, context: &mut Context<'_>, index: u8) -> Duration {
        let Some(path) = self.path(index) else { return context.config.rto_max };
        let rto = path.rto;
        if path.reach == Reach::Inactive {
            return self.interval(context, index).unwrap_or(context.config.rto_max).max(rto);
        }
        rto
    }

    /// Takes HEARTBEAT ACK: the path is confirmed, it answers, and its round trip is known.
    pub(super) fn heartbeat_ack(&mut self, context: &mut Context<'_>, mut parameters: Parameters<'_>) {
        let Some(Ok(Ok(Parameter::HeartbeatInfo(info)))) = parameters.next().map(|raw| raw.map(|raw| raw.parse()))
        else {
            return;
        };
        let Some(nonce) = info.first_chunk().copied().map(u64::from_be_bytes) else { return };
        let now = context.now;
        if self.probe_answered(now, nonce) {
            return;
        }
        let asked = |path: &super::path::Path| path.heartbeat.is_some_and(|(asked, _)| asked == nonce);
        let Some(index) = self.paths.iter().position(asked).and_then(|index| u8::try_from(index).ok()) else {
            return;
        };
        let interval = self.interval(context, index);
        let Some(path) = self.path_mut(index) else { return };
        let Some((_, left)) = path.heartbeat.take() else { return };
        path.measured(context.config, now.since(left));
        path.heartbeat_at = interval.map_or(Time::NEVER, |interval| now.after(interval));
        let confirmed = core::mem::replace(&mut path.confirmed, true);
        let remote = path.remote;
        // A path that was potentially failed begins slowly (RFC 7829 3.2).
        if path.reach != Reach::Active && path.flight == 0 {
            path.cwnd = path.cwnd.min(path.initial_window(context.config));
        }
        let was_active = path.reach == Reach::Active;
        self.errors = 0;
        self.path_answers(index);
        if !confirmed && was_active {
            self.events.push_back(super::message::Event::PathUp(remote));
        }
    }

    /// Perhaps the peer is only reached from another own address.
    fn try_other_source(&mut self, index: u8) {
        let Some(path) = self.paths.get_mut(usize::from(index)) else { return };
        let ranks = 0..self.local_addresses.len();
        let candidates: alloc::vec::Vec<_> = self
            .local_addresses
            .iter()
            .copied()
            .filter(|local| local.is_ipv4() == path.remote.is_ipv4())
            .zip(ranks)
            .map(|(local, _)| local)
            .collect();
        let at = candidates.iter().position(|&local| local == path.local).unwrap_or_default();
        let next = at.saturating_add(1).checked_rem(candidates.len()).and_then(|at| candidates.get(at));
        if let Some(&next) = next.or(local_for(&self.local_addresses, path.remote, 0).as_ref()) {
            path.local = next;
        }
    }
}
