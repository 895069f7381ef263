//! Answers INIT and COOKIE ECHO, without keeping anything before a cookie comes back (RFC 9260 5.1, 5.2).

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use ::bytes::{BufMut, BytesMut};

use super::answer_to;
use crate::sctp::endpoint::association::{Association, Context, Control, State};
use crate::sctp::endpoint::cookie::Cookie;
use crate::sctp::endpoint::handshake::Beginning;
use crate::sctp::endpoint::message::{AssociationId, Datagram};
use crate::sctp::endpoint::offer::{Own, Read, Refusal};
use crate::sctp::endpoint::replies::Ends;
use crate::sctp::endpoint::time::{Time, micros};
use crate::sctp::endpoint::{Endpoint, Secret};
use crate::sctp::write::{address, cause, parameter};
use crate::sctp::{CauseCode, ChunkType, Init, Packet, Parameter, ParameterType};

/// How much longer than configured a cookie may live because the peer asks for it (RFC 9260 3.3.2.1.3).
const MOST_PRESERVATIVE: Duration = Duration::from_secs(60);

impl Endpoint {
    /// Answers an INIT (RFC 9260 5.1, 5.2.1, 5.2.2).
    pub(super) fn init(&mut self, now: Time, packet: &Packet<'_>, datagram: &Datagram, init: &Init<'_>) {
        let mut ends = answer_to(packet, datagram, init.initiate_tag);
        let mut read = match Read::new(init, datagram.source, &self.config) {
            Ok(read) => read,
            Err(Refusal::Discard) => return,
            Err(Refusal::Abort(code, value)) => return self.refuse(&ends, code, &value),
        };
        let existing = self.existing(packet, &read.offer.addresses);
        let listener = self.listeners.get(&packet.destination_port());
        if existing.is_none() && listener.is_none() {
            // RFC 9260 8.4 3, 5.1: nobody listens.
            self.replies.send(&ends, |packet| {
                packet.chunk(ChunkType::Abort, 0, |_| {});
            });
            return;
        }
        if existing.is_none() && self.slots.is_full() {
            return self.refuse(&ends, CauseCode::OutOfResource, &[]);
        }
        let found = existing.and_then(|id| self.slots.get(id)).map(|slot| &slot.association);
        let same = found.filter(|found| matches!(found.state, State::CookieWait | State::CookieEchoed));
        let same = same.map(|found| (found.local_tag, found.outbound.first, found.outbound.streams));
        // The key that the peer makes of INIT is the one that it makes of INIT ACK, whoever sent the INIT.
        let random = found.and_then(|found| found.handshake.as_ref()).map(|handshake| handshake.random);
        let tie =
            found.filter(|_| same.is_none()).map_or(0, |found| self.secret.tie(found.local_tag, found.peer_tag));
        let addresses: Vec<IpAddr> = match found {
            Some(found) => found.local_addresses.clone(),
            None => listener.cloned().unwrap_or_default(),
        };
        if let (Some(found), Some(id)) = (found, existing) {
            if found.state == State::ShutdownAckSent {
                // RFC 9260 9.2: the SHUTDOWN ACK was lost.
                let path = found.best_path();
                self.with(now, id, |found, _| found.queue(Control::ShutdownAck, path));
                return;
            }
            let new = |address: &&IpAddr| found.path_to(**address).is_none();
            let new: Vec<IpAddr> = read.offer.addresses.iter().filter(new).copied().collect();
            if found.state == State::CookieWait && new.contains(&datagram.source) {
                // RFC 9260 5.2.1: the answer only goes where the caller asked.
                let asked = found.paths.iter().find(|path| read.offer.addresses.contains(&path.remote));
                let Some(path) = asked else { return };
                (ends.source, ends.destination) = (path.local, path.remote);
                read.offer.addresses.sort_by_key(|&address| address != path.remote);
            }
            if !new.is_empty() && found.state != State::CookieWait {
                // RFC 9260 5.2.1, 5.2.2: somebody may want to take the association over.
                let mut value = BytesMut::new();
                new.iter().for_each(|&new| address(&mut value, new));
                return self.refuse(&ends, CauseCode::RestartWithNewAddresses, &value);
            }
        }
        let (local_tag, local_tsn, outbound) = match same {
            Some(same) => same,
            None => (self.fresh_tag(), self.random.u32(), self.config.outbound_streams),
        };
        let cookie = Cookie {
            made: now,
            life: self.config.cookie_life.saturating_add(preservative(init)),
            local: ends.source,
            local_port: packet.destination_port(),
            remote_port: packet.source_port(),
            local_tag,
            local_tsn,
            outbound,
            tie,
            peer: read.offer,
        };
        let sealed = self.secret.seal(&cookie);
        let own = Own {
            tag: local_tag,
            outbound,
            inbound: self.config.inbound_streams,
            tsn: local_tsn,
            addresses: &addresses,
            random: random.unwrap_or_else(|| self.secret.vector(local_tag)),
        };
        let (config, unrecognized) = (&self.config, &read.unrecognized);
        self.replies.send(&ends, |packet| {
            packet.chunk(ChunkType::InitAck, 0, |out| {
                own.write(config, out);
                parameter(out, ParameterType::StateCookie, |out| out.put_slice(&sealed));
                if !unrecognized.is_empty() {
                    parameter(out, ParameterType::Unrecognized, |out| out.put_slice(unrecognized));
                }
            });
        });
    }

    fn refuse(&mut self, ends: &Ends, code: CauseCode, value: &[u8]) {
        self.replies.send(ends, |packet| {
            packet.chunk(ChunkType::Abort, 0, |out| cause(out, code, |out| out.put_slice(value)));
        });
    }

    /// Takes a cookie back (RFC 9260 5.1.5, 5.2.4); false where it refuses it.
    pub(super) fn cookie_echo(
        &mut self,
        now: Time,
        packet: &Packet<'_>,
        datagram: &Datagram,
        sealed: &[u8],
    ) -> bool {
        let Some(cookie) = self.secret.open(now, sealed).filter(|cookie| fits(cookie, packet)) else {
            self.counters.bad_cookies = self.counters.bad_cookies.saturating_add(1);
            return false;
        };
        let mut candidates = Vec::with_capacity(2);
        candidates.push(datagram.source);
        candidates.extend_from_slice(&cookie.peer.addresses);
        let existing = self.existing(packet, &candidates);
        let found = existing.and_then(|id| Some((id, &self.slots.get(id)?.association)));
        let tags =
            found.map(|(_, found)| (found.local_tag == cookie.local_tag, found.peer_tag == cookie.peer.tag));
        if let Some(stale) = cookie.staleness(now)
            && tags != Some((true, true))
        {
            self.counters.stale_cookies = self.counters.stale_cookies.saturating_add(1);
            let stale = u32::try_from(micros(stale)).unwrap_or(u32::MAX);
            let ends = answer_to(packet, datagram, cookie.peer.tag);
            self.replies.send(&ends, |packet| {
                packet.chunk(ChunkType::Error, 0, |out| {
                    cause(out, CauseCode::StaleCookie, |out| out.put_u32(stale));
                });
            });
            return false;
        }
        let restarts = |found: &Association| cookie.tie == self.secret.tie(found.local_tag, found.peer_tag);
        match (found, tags) {
            (None, _) => return self.accept(now, packet, datagram, &cookie),
            // Table 5.2.4, D: the COOKIE ACK was lost, or both sides began.
            (Some((id, found)), Some((true, true))) => {
                let opening = found.state == State::CookieEchoed;
                self.with(now, id, |found, context| {
                    if opening {
                        found.established(context, false);
                    }
                });
                self.cookie_ack_and_rest(now, id, packet, datagram);
            }
            // B: both sides began.
            (Some((id, found)), Some((true, false))) => {
                let opening = matches!(found.state, State::CookieWait | State::CookieEchoed);
                self.replace(now, id, &cookie, !opening);
                self.cookie_ack_and_rest(now, id, packet, datagram);
            }
            // A: the peer began again.
            (Some((id, found)), Some((false, false))) if restarts(found) => {
                if found.state == State::ShutdownAckSent {
                    let path = found.best_path();
                    self.with(now, id, |found, _| {
                        found.queue(Control::ShutdownAck, path);
                        found.report(path, CauseCode::CookieWhileShuttingDown, &[]);
                    });
                    return true;
                }
                self.replace(now, id, &cookie, true);
                self.cookie_ack_and_rest(now, id, packet, datagram);
            }
            // C, and what fits nothing.
            _ => {
                self.counters.bad_cookies = self.counters.bad_cookies.saturating_add(1);
                return false;
            }
        }
        true
    }

    /// A new association; false where there is no room for it, or nobody listens any more.
    fn accept(&mut self, now: Time, packet: &Packet<'_>, datagram: &Datagram, cookie: &Cookie) -> bool {
        let Some(locals) = self.listeners.get(&cookie.local_port).cloned() else { return false };
        if self.slots.is_full() || self.slots.tagged(cookie.local_tag).is_some() {
            let ends = answer_to(packet, datagram, cookie.peer.tag);
            self.refuse(&ends, CauseCode::OutOfResource, &[]);
            return false;
        }
        // The owner of an address is at it; whoever only named it has to do without (RFC 5062 2).
        for address in [datagram.source, beginning_source(cookie)] {
            if let Some(camper) = self.slots.at(packet.destination_port(), packet.source_port(), address) {
                self.with(now, camper, |camper, _| camper.delete_remote(address));
            }
        }
        let association = self.made_from(Time::ZERO, cookie, &locals);
        let id = self.slots.insert(now, Time::ZERO, association);
        self.cookie_ack_and_rest(now, id, packet, datagram);
        true
    }

    fn made_from(&mut self, local_now: Time, cookie: &Cookie, locals: &[IpAddr]) -> Association {
        let beginning = beginning(&self.secret, cookie, locals);
        let mut context =
            Context { now: local_now, config: &self.config, random: &mut self.random, replies: &mut self.replies };
        Association::accepted(&mut context, &beginning, cookie)
    }

    /// Lets the association go on as the cookie says: what waits to be sent is kept, unless the peer
    /// forgot everything.
    fn replace(&mut self, now: Time, id: AssociationId, cookie: &Cookie, forgot: bool) {
        let Some(slot) = self.slots.get(id) else { return };
        let local_now = slot.epoch.local(now);
        let locals = slot.association.local_addresses.clone();
        if forgot {
            let fresh = self.made_from(local_now, cookie, &locals);
            self.with(now, id, |association, _| association.restarted(fresh));
        } else {
            let mut beginning = beginning(&self.secret, cookie, &locals);
            if let Some(handshake) = &slot.association.handshake {
                beginning.random = handshake.random;
            }
            let (offer, local) = (&cookie.peer, cookie.local);
            let mut context = Context {
                now: local_now,
                config: &self.config,
                random: &mut self.random,
                replies: &mut self.replies,
            };
            let Some(slot) = self.slots.get_mut(id) else { return };
            slot.association.adopt(&mut context, offer, &beginning);
            if let Some(path) = slot.association.path_to(beginning_source(cookie))
                && let Some(path) = slot.association.path_mut(path)
            {
                path.local = local;
            }
            slot.association.established(&mut context, false);
            self.slots.changed(id);
        }
    }

    /// Answers a COOKIE ECHO, and takes what is bundled with it.
    fn cookie_ack_and_rest(&mut self, now: Time, id: AssociationId, packet: &Packet<'_>, datagram: &Datagram) {
        self.with(now, id, |association, context| {
            let path = association.path_to(datagram.source).unwrap_or_else(|| association.best_path());
            association.queue(Control::CookieAck, path);
            if association.path_to(datagram.source).is_some() {
                association.packet(context, packet, datagram, path, 1);
            }
        });
    }

    /// The association whose peer is known to be at one of these addresses.
    fn existing(&self, packet: &Packet<'_>, remotes: &[IpAddr]) -> Option<AssociationId> {
        let (local, remote) = (packet.destination_port(), packet.source_port());
        remotes.iter().find_map(|&address| {
            let id = self.slots.at(local, remote, address)?;
            let association = &self.slots.get(id)?.association;
            let path = association.path(association.path_to(address)?)?;
            (path.confirmed || !association.paths.iter().any(|path| path.confirmed)).then_some(id)
        })
    }
}

/// RFC 9260 5.1.5: ports and tag are those that the cookie was made for.
fn fits(cookie: &Cookie, packet: &Packet<'_>) -> bool {
    cookie.local_port == packet.destination_port()
        && cookie.remote_port == packet.source_port()
        && cookie.local_tag == packet.verification_tag()
}

fn beginning<'a>(secret: &Secret, cookie: &Cookie, locals: &'a [IpAddr]) -> Beginning<'a> {
    Beginning {
        local_port: cookie.local_port,
        remote_port: cookie.remote_port,
        local_tag: cookie.local_tag,
        local_tsn: cookie.local_tsn,
        locals,
        random: secret.vector(cookie.local_tag),
    }
}

/// Where the INIT came from.
fn beginning_source(cookie: &Cookie) -> IpAddr {
    cookie.peer.addresses.first().copied().unwrap_or(cookie.local)
}

fn preservative(init: &Init<'_>) -> Duration {
    let asked = init.parameters.clone().map_while(Result::ok).find_map(|raw| match raw.parse() {
        Ok(Parameter::CookiePreservative(more)) => Some(Duration::from_millis(more.into())),
        _ => None,
    });
    asked.unwrap_or_default().min(MOST_PRESERVATIVE)
}
