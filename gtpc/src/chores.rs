//! Ends of sessions that peers are told of, little by little: those of a peer that began anew (TS 23.007 18).

use pinion_protocols::gtpv2::{Cause, Element, ElementType, MessageType, MessageWriter};

use crate::front::{FrontEnd, port_of};
use crate::interface::{End, Reference, Side};
use crate::peers::Peer;
use crate::purpose::Purpose;
use crate::relay::Number;
use crate::sessions::{FORWARDING, Session};
use crate::told::Refusal;

/// A PDN connection that a peer is to end.
#[derive(Clone, Debug)]
pub(crate) struct Farewell {
    /// Who is told.
    pub(crate) side: Side,
    pub(crate) to: End,
    pub(crate) reference: Reference,
    pub(crate) bearer: u8,
    /// Whose it was, and where: what was made anew meanwhile is not ended.
    pub(crate) of: Option<(Box<[u8]>, u16)>,
}

impl FrontEnd {
    /// Does what is due little by little.
    pub(crate) fn work(&mut self) {
        while self.busy < self.settings.bounds.chores
            && let Some(farewell) = self.farewells.pop_front()
        {
            self.tell(&farewell);
        }
    }

    /// A client began anew: endpoints are told of the sessions that it took before a mark.
    pub(crate) fn client_began_anew(&mut self, address: std::net::IpAddr, before: u64) {
        let its = self.sessions.iter_after(None).filter(|(_, it)| it.since < before);
        let its: Vec<u64> =
            its.filter(|(_, it)| it.client.address == address || it.peer == address).map(|(id, _)| id).collect();
        tracing::info!(%address, sessions = its.len(), "a GTP-C client began anew");
        for id in its {
            self.counts.forsaken += 1;
            self.dismiss(id, Side::Endpoint);
        }
    }

    /// An endpoint began anew, and has this restart counter now: clients are told of the sessions that it had before, so that
    /// users connect again.
    pub(crate) fn endpoint_began_anew(&mut self, number: u16, counter: u8) {
        let had = |it: &Session| it.endpoint == number && it.end.is_some() && it.made != Some(counter);
        let its = self.sessions.iter_after(None).filter(|(_, it)| had(it));
        let its: Vec<u64> = its.map(|(id, _)| id).collect();
        if let Some(peer) = self.endpoint(number) {
            tracing::warn!(endpoint = &*peer.config.name, sessions = its.len(), "a GTP-C endpoint began anew");
        }
        for id in its {
            self.counts.lost += 1;
            self.dismiss(id, Side::Client);
        }
    }

    /// Ends a session, and has a side told of it.
    fn dismiss(&mut self, id: u64, side: Side) {
        if let Some(session) = self.sessions.get(id) {
            let Session { client, end, reference, subscriber, endpoint, connections, .. } = session.clone();
            let to = match side {
                Side::Client => Some(client),
                Side::Endpoint => end,
            };
            let of = subscriber.map(|it| (it, endpoint));
            let all = connections
                .into_iter()
                .filter_map(|bearer| Some(Farewell { side, to: to?, reference, bearer, of: of.clone() }));
            self.farewells.extend(all);
        }
        self.end(id);
    }

    fn tell(&mut self, farewell: &Farewell) {
        let Farewell { side, to, reference, bearer, ref of } = *farewell;
        if let Some((subscriber, endpoint)) = of {
            let there = self.endpoint(*endpoint).is_some_and(Peer::is_there);
            let anew = self.sessions.of(subscriber).any(|(_, it)| {
                it.reference == reference
                    && (side == Side::Client || it.endpoint == *endpoint)
                    && (it.end.is_none() || it.connections.contains(&bearer))
            });
            // One that does not answer forgot it, or finds out when it is made anew.
            if anew || (side == Side::Endpoint && !there) {
                return;
            }
        }
        let (kind, operation) = match (side, bearer) {
            (Side::Client, _) => (MessageType::DeleteBearerRequest, false),
            (Side::Endpoint, FORWARDING) => (MessageType::DeleteIndirectDataForwardingTunnelRequest, false),
            // The SGW is to tell the PGW (Operation Indication, TS 29.274 7.2.9.1).
            (Side::Endpoint, _) => (MessageType::DeleteSessionRequest, reference == Reference::S11),
        };
        if side == Side::Client && bearer == FORWARDING {
            return;
        }
        let fill = |writer: &mut MessageWriter<'_>| -> Result<(), Refusal> {
            if bearer != FORWARDING {
                writer.add(&Element::EpsBearerId(bearer));
            }
            if operation {
                writer.element(ElementType::Indication, |out| out.extend_from_slice(&[0x08, 0]));
            }
            if side == Side::Client {
                writer.add(&Element::Cause(Cause::ReactivationRequested, 0));
            }
            Ok(())
        };
        let to_port = (port_of(to.address), Number::Next);
        if self.ask(to_port, kind, Some(to.teid), Purpose::Farewell, fill).is_ok() {
            self.busy = self.busy.saturating_add(1);
        }
    }
}
