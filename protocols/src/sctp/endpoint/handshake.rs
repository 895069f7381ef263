//! How an association comes to be, on the association's side (RFC 9260 5.1).

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use bytes::Bytes;

use super::asconf::Changes;
use super::association::{Association, Context, Control, Handshake, State, local_for};
use super::auth::Auth;
use super::cookie::Cookie;
use super::inbound::Inbound;
use super::message::Event;
use super::offer::{Offer, Own, Read, Refusal};
use super::outbound::Outbound;
use super::path::Path;
use super::time::{Time, micros};
use crate::sctp::{CauseCode, Init};

/// Microseconds of cookie life that are asked for beside a round trip, at most (RFC 9260 5.2.6).
const MOST_BEYOND_ROUND_TRIP: u32 = 1_000_000;

/// What an association begins with.
pub(super) struct Beginning<'a> {
    pub(super) local_port: u16,
    pub(super) remote_port: u16,
    pub(super) local_tag: u32,
    pub(super) local_tsn: u32,
    pub(super) locals: &'a [IpAddr],
    /// The random vector that goes with the tag.
    pub(super) random: [u8; 32],
}

impl Association {
    /// Asks the peer at these addresses for an association.
    pub(super) fn connecting(context: &mut Context<'_>, beginning: &Beginning<'_>, remotes: &[IpAddr]) -> Self {
        let config = context.config;
        let mut association = Self::blank(context, beginning, config.outbound_streams);
        association.add_paths(context, remotes, remotes.len());
        association.handshake = Some(Box::new(Handshake {
            cookie: Bytes::new(),
            unrecognized: Bytes::new(),
            timed: Some(context.now),
            preservative: None,
            random: beginning.random,
        }));
        association.begin_timer(context, Control::Init, 0);
        association
    }

    /// The peer returned a cookie that this endpoint made.
    pub(super) fn accepted(context: &mut Context<'_>, beginning: &Beginning<'_>, cookie: &Cookie) -> Self {
        let mut association = Self::blank(context, beginning, cookie.outbound);
        association.adopt(context, &cookie.peer, beginning);
        if let Some(path) = association.paths.first_mut() {
            path.local = cookie.local;
        }
        association.established(context, true);
        association
    }

    fn blank(context: &Context<'_>, beginning: &Beginning<'_>, outbound: u16) -> Self {
        let config = context.config;
        Self {
            state: State::CookieWait,
            local_port: beginning.local_port,
            remote_port: beginning.remote_port,
            local_tag: beginning.local_tag,
            peer_tag: 0,
            local_addresses: beginning.locals.to_vec(),
            paths: Vec::new(),
            primary: 0,
            inbound: Inbound::new(config, 0, config.inbound_streams),
            outbound: Outbound::new(beginning.local_tsn, outbound, 0),
            events: VecDeque::new(),
            control: VecDeque::new(),
            errors: 0,
            timer: Time::NEVER,
            attempts: 0,
            guard: Time::NEVER,
            handshake: None,
            auth: None,
            partial_reliability: false,
            changes: None,
            busy: false,
        }
    }

    /// Adds paths to addresses that there are none to yet; the first `confirmed` are known to be right.
    fn add_paths(&mut self, context: &Context<'_>, remotes: &[IpAddr], confirmed: usize) {
        let config = context.config;
        let most = usize::from(config.max_addresses).min(super::association::MOST_PATHS);
        for (rank, &remote) in remotes.iter().enumerate() {
            if self.paths.len() >= most || self.path_to(remote).is_some() {
                continue;
            }
            let same = remotes.iter().take(rank).filter(|other| other.is_ipv4() == remote.is_ipv4()).count();
            if let Some(local) = local_for(&self.local_addresses, remote, same) {
                self.paths.push(Path::new(config, context.now, local, remote, rank < confirmed));
            }
        }
    }

    /// Takes over what the peer said of itself.
    pub(super) fn adopt(&mut self, context: &mut Context<'_>, offer: &Offer, beginning: &Beginning<'_>) {
        let config = context.config;
        self.peer_tag = offer.tag;
        self.inbound = Inbound::new(config, offer.tsn, offer.outbound.min(config.inbound_streams));
        self.outbound.streams = self.outbound.streams.min(offer.inbound);
        self.outbound.peer_window = offer.window;
        self.partial_reliability = offer.partial_reliability;
        let primary = self.path(self.primary).map(|path| path.remote);
        self.paths.retain(|path| offer.addresses.contains(&path.remote));
        self.add_paths(context, &offer.addresses, 1);
        self.paths.shrink_to_fit();
        self.primary = primary.and_then(|remote| self.path_to(remote)).unwrap_or_default();
        let own = Own {
            tag: beginning.local_tag,
            outbound: 0,
            inbound: 0,
            tsn: 0,
            addresses: &[],
            random: beginning.random,
        };
        self.auth = offer.auth.as_ref().map(|auth| Box::new(Auth::new(&own.vector(), auth)));
        self.changes = offer.asconf.then(|| Box::new(Changes::new(beginning.local_tsn, offer.tsn)));
        self.fail_streams();
    }

    /// Messages on streams that the peer does not have cannot be sent.
    fn fail_streams(&mut self) {
        let streams = self.outbound.streams;
        for pending in core::mem::take(&mut self.outbound.pending) {
            if pending.stream < streams {
                self.outbound.pending.push_back(pending);
            } else {
                self.outbound.freed(pending.payload.len());
                let (context, stream) = (pending.context, pending.stream);
                self.events.push_back(Event::SendFailed { context, stream, sent: false });
            }
        }
    }

    /// Takes INIT ACK.
    pub(super) fn init_ack(&mut self, context: &mut Context<'_>, init: &Init<'_>, source: IpAddr) {
        // RFC 9260 5.2.3: an old or duplicate one.
        if self.state != State::CookieWait {
            return;
        }
        let read = match Read::new(init, source, context.config) {
            Ok(read) => read,
            // RFC 9260 3.3.3: without a tag of the peer it cannot be told, and it is over all the same.
            Err(Refusal::Discard) => {
                return self.close(Event::aborted(CauseCode::InvalidMandatoryParameter, false));
            }
            Err(Refusal::Abort(code, value)) => {
                self.peer_tag = init.initiate_tag;
                self.state = State::CookieEchoed;
                return self.abort(context, code, &value);
            }
        };
        let Some(cookie) = read.cookie else {
            // RFC 9260 3.3.10.2: one parameter is missing, the state cookie.
            self.peer_tag = init.initiate_tag;
            self.state = State::CookieEchoed;
            return self.abort(context, CauseCode::MissingMandatoryParameter, &[0, 0, 0, 1, 0, 7]);
        };
        let Some(mut handshake) = self.handshake.take() else { return };
        let locals = core::mem::take(&mut self.local_addresses);
        let beginning = Beginning {
            local_port: self.local_port,
            remote_port: self.remote_port,
            local_tag: self.local_tag,
            local_tsn: self.outbound.first,
            locals: &[],
            random: handshake.random,
        };
        self.local_addresses = locals;
        self.adopt(context, &read.offer, &beginning);
        let path = self.path_to(source).unwrap_or_default();
        if let (Some(left), Some(path)) = (handshake.timed, self.path_mut(path)) {
            path.measured(context.config, context.now.since(left));
        }
        handshake.cookie = Bytes::copy_from_slice(cookie);
        handshake.unrecognized = Bytes::copy_from_slice(&read.unrecognized);
        handshake.timed = Some(context.now);
        self.handshake = Some(handshake);
        self.state = State::CookieEchoed;
        self.attempts = 0;
        self.control.clear();
        self.begin_timer(context, Control::CookieEcho, path);
    }

    /// Takes COOKIE ACK.
    pub(super) fn cookie_ack(&mut self, context: &mut Context<'_>, path: u8) {
        if self.state != State::CookieEchoed {
            return;
        }
        let timed = self.handshake.as_ref().and_then(|handshake| handshake.timed);
        if let (Some(left), Some(path)) = (timed, self.path_mut(path)) {
            path.measured(context.config, context.now.since(left));
        }
        self.established(context, false);
    }

    /// The handshake is over.
    pub(super) fn established(&mut self, context: &mut Context<'_>, accepted: bool) {
        self.state = State::Established;
        self.timer = Time::NEVER;
        self.attempts = 0;
        self.errors = 0;
        self.handshake = None;
        self.control.retain(|(control, _)| !matches!(control, Control::Init | Control::CookieEcho));
        self.events.push_back(Event::Established {
            accepted,
            outbound_streams: self.outbound.streams,
            inbound_streams: self.inbound.streams,
        });
        let mut unconfirmed = Duration::ZERO;
        for path in &mut self.paths {
            path.errors = 0;
            path.heartbeat_at = match (path.confirmed, path.heartbeat_interval(context.config)) {
                // RFC 9260 5.4: what is not confirmed is probed, one address an RTO (HB.Max.Burst): a peer
                // may name addresses of others.
                (false, _) => {
                    let at = context.now.after(unconfirmed);
                    unconfirmed = unconfirmed.saturating_add(path.rto);
                    at
                }
                (true, Some(interval)) => {
                    // Spread, so that a crowd that begins at once does not go on at once.
                    let jitter = Duration::from_micros(context.random.below(micros(path.rto).max(1)));
                    context.now.after(interval).after(jitter)
                }
                (true, None) => Time::NEVER,
            };
        }
    }

    /// Takes the report that the cookie is too old: asks again, for one that lives longer (RFC 9260 5.2.6).
    pub(super) fn stale_cookie(&mut self, context: &mut Context<'_>, staleness: u32) {
        if self.state != State::CookieEchoed {
            return;
        }
        self.attempts = self.attempts.saturating_add(1);
        if self.attempts > context.config.max_init_retransmissions {
            return self.close(Event::Lost);
        }
        // RFC 9260 5.2.6: the round trip and a second at most; who may live long can be replayed for long.
        let path = self.best_path();
        let known = self.path(path).and_then(|path| path.rtt).map_or(0, |(srtt, _)| srtt);
        let Some(handshake) = &mut self.handshake else { return };
        let round_trip = handshake.timed.map(|left| context.now.since(left).as_micros());
        let round_trip = round_trip.and_then(|rtt| u32::try_from(rtt).ok()).unwrap_or(known);
        let more = round_trip.saturating_add(staleness.min(MOST_BEYOND_ROUND_TRIP)).div_ceil(1000);
        handshake.preservative = Some(more);
        handshake.timed = None;
        self.state = State::CookieWait;
        self.control.clear();
        self.begin_timer(context, Control::Init, path);
    }

    /// The peer began again (RFC 9260 5.2.4 A): `fresh` is what goes on, with what is left to be told.
    pub(super) fn restarted(&mut self, mut fresh: Self) {
        self.outbound.fail(&mut self.events);
        let mut events = core::mem::take(&mut self.events);
        events.push_back(Event::Restarted);
        fresh.events.retain(|event| !matches!(event, Event::Established { .. }));
        events.append(&mut fresh.events);
        fresh.events = events;
        // What the caller has not taken yet still fills the buffer.
        for event in &fresh.events {
            if let Event::Message(message) = event {
                let held = &mut fresh.inbound.reassembly.held;
                *held = held.saturating_add(super::reassembly::cost(message.payload.len()));
            }
        }
        *self = fresh;
    }
}
