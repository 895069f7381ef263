//! The end that both sides agree on (RFC 9260 9.2).

use super::association::{Association, Context, Control, State};
use super::message::Event;
use super::replies::Ends;
use super::time::Time;
use crate::sctp::ChunkType;

impl Association {
    /// The caller wants to end it once all is acknowledged.
    pub(super) fn shutdown(&mut self, context: &mut Context<'_>) {
        match self.state {
            State::CookieWait | State::CookieEchoed => {
                // Nothing was promised to the peer yet.
                self.close(Event::Closed);
            }
            State::Established => {
                self.state = State::ShutdownPending;
                self.shutdown_goes_on(context);
            }
            _ => {}
        }
    }

    /// Takes the next step when nothing is left to be acknowledged.
    pub(super) fn shutdown_goes_on(&mut self, context: &mut Context<'_>) {
        if !self.outbound.is_empty() {
            return;
        }
        match self.state {
            State::ShutdownPending => {
                self.state = State::ShutdownSent;
                let guard = context.config.rto_max.saturating_mul(u32::from(context.config.shutdown_guard));
                self.guard = context.now.after(guard);
                self.attempts = 0;
                self.say_again(context, Control::Shutdown);
            }
            State::ShutdownReceived => {
                self.state = State::ShutdownAckSent;
                self.attempts = 0;
                self.say_again(context, Control::ShutdownAck);
            }
            _ => {}
        }
    }

    /// Sends SHUTDOWN or SHUTDOWN ACK and starts T2-shutdown.
    pub(super) fn say_again(&mut self, context: &Context<'_>, control: Control) {
        let path = self.best_path();
        let rto = self.path(path).map_or(context.config.rto_initial, |path| path.rto);
        self.timer = context.now.after(rto);
        self.queue(control, path);
    }

    /// Takes SHUTDOWN.
    pub(super) fn shutdown_chunk(&mut self, context: &mut Context<'_>, cumulative: u32) {
        match self.state {
            State::Established | State::ShutdownPending => {
                self.state = State::ShutdownReceived;
                self.events.push_back(Event::PeerShutdown);
                self.cumulative_ack(context, cumulative);
                self.shutdown_goes_on(context);
            }
            State::ShutdownReceived => self.cumulative_ack(context, cumulative),
            // Both at once: SHUTDOWN is answered, whoever began (RFC 9260 9.2).
            State::ShutdownSent => {
                self.state = State::ShutdownAckSent;
                self.say_again(context, Control::ShutdownAck);
            }
            State::ShutdownAckSent => self.queue(Control::ShutdownAck, self.best_path()),
            State::CookieWait | State::CookieEchoed | State::Closed => {}
        }
    }

    /// Takes SHUTDOWN ACK.
    pub(super) fn shutdown_ack(&mut self, context: &mut Context<'_>, path: u8) {
        if matches!(self.state, State::ShutdownSent | State::ShutdownAckSent) {
            if let Some(ends) = self.ends(path) {
                shutdown_complete(context, &ends, false);
            }
            self.close(Event::Closed);
        }
    }

    /// DATA came while SHUTDOWN waits for its answer: both are said at once (RFC 9260 9.2).
    pub(super) fn shutdown_after_data(&mut self, context: &Context<'_>) {
        if self.state == State::ShutdownSent {
            self.inbound.sack_now = true;
            self.say_again(context, Control::Shutdown);
        }
    }

    /// T2-shutdown expired.
    pub(super) fn shutdown_expired(&mut self, context: &mut Context<'_>) {
        self.timer = Time::NEVER;
        let path = self.best_path();
        if self.timed_out(context, path) {
            return;
        }
        let again = if self.state == State::ShutdownSent { Control::Shutdown } else { Control::ShutdownAck };
        self.say_again(context, again);
    }
}

/// Sends SHUTDOWN COMPLETE.
pub(super) fn shutdown_complete(context: &mut Context<'_>, ends: &Ends, reflected: bool) {
    context.replies.send(ends, |packet| {
        packet.chunk(ChunkType::ShutdownComplete, u8::from(reflected), |_| {});
    });
}
