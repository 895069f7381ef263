//! What an UPF does with packets of users.

use std::net::SocketAddr;
use std::time::Duration;

use pinion_protocols::gtpu::{MessageType, Packet};
use pinion_protocols::ip::Ipv4;

use super::super::{Datagram, Tunnel};
use super::Upf;
use crate::packets::gtpu::{CONTAINER, Gtpu, PORT};

/// PDU type of downlink information (TS 38.415 5.5.2.1).
const DOWNLINK: u8 = 0;
/// QFI in that (TS 38.415 5.5.3.3).
const QFI: u8 = 0x3f;

/// What becomes of a datagram that came by N3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uplink {
    /// A user's packet goes on to the data network.
    Inner(Vec<u8>),
    /// It is answered: Echo Response, Error Indication.
    Answer(Datagram),
    /// Nothing.
    Nothing,
}

impl Uplink {
    /// The user's packet.
    #[must_use]
    pub fn inner(self) -> Option<Vec<u8>> {
        match self {
            Self::Inner(packet) => Some(packet),
            Self::Answer(_) | Self::Nothing => None,
        }
    }
}

impl Upf {
    /// Takes a GTP-U datagram (TS 29.281).
    pub fn uplink(&mut self, from: SocketAddr, datagram: &[u8], now: Duration) -> Uplink {
        let Some(packet) = Packet::parse(datagram).ok().filter(|_| self.alive) else {
            return Uplink::Nothing;
        };
        match packet.message_type() {
            MessageType::EchoRequest => {
                let sequence = packet.sequence().ok().flatten().unwrap_or(0);
                self.answer(from, &Gtpu::echo_response(sequence))
            }
            MessageType::ErrorIndication => {
                self.disowned(&packet, now);
                Uplink::Nothing
            }
            MessageType::GPdu => self.users(from, &packet),
            _ => Uplink::Nothing,
        }
    }

    fn users(&mut self, from: SocketAddr, packet: &Packet<'_>) -> Uplink {
        let teid = packet.teid();
        let bearer = self.pools.of_teid(teid).and_then(|seid| self.sessions.get_mut(&seid));
        let Some(bearer) = bearer else {
            *self.unknown.entry(teid).or_default() += 1;
            // Its destination port is that of GTP-U, whoever sent (TS 29.281 7.3.1, 4.4.2.4).
            let to = SocketAddr::new(from.ip(), PORT);
            return self.answer(to, &Gtpu::error_indication(teid, self.config.n3.octets()));
        };
        let Ok(inner) = packet.body() else {
            return Uplink::Nothing;
        };
        if Ipv4::parse(inner).ok().map(|ip| ip.source) != bearer.ue {
            *self.foreign.entry(teid).or_default() += 1;
            return Uplink::Nothing;
        }
        let rule = bearer.pdrs.values().find(|pdr| pdr.tunnel.is_some_and(|tunnel| tunnel.teid == teid));
        if !rule.and_then(|pdr| bearer.fars.get(&pdr.far)).is_some_and(|far| far.forward) {
            return Uplink::Nothing;
        }
        bearer.uplink = (bearer.uplink.0 + 1, bearer.uplink.1 + inner.len() as u64);
        Uplink::Inner(inner.to_vec())
    }

    /// Takes an IP packet of the data network. Where it has to wait, it is dropped, and the SMF hears of the first
    /// such where its rule says so.
    pub fn downlink(&mut self, inner: &[u8], now: Duration) -> Option<Datagram> {
        let user = Ipv4::parse(inner).ok().filter(|_| self.alive)?.destination;
        let seid = self.pools.of_ue(user)?;
        let bearer = self.sessions.get_mut(&seid)?;
        let (_, far) = bearer.towards_user()?;
        let Some(gnb) = far.header.filter(|_| far.forward) else {
            bearer.held += 1;
            if far.notify && !std::mem::replace(&mut bearer.notified, true) {
                self.report_downlink(seid, now);
            }
            return None;
        };
        bearer.downlink = (bearer.downlink.0 + 1, bearer.downlink.1 + inner.len() as u64);
        let mut message = Gtpu::data(gnb.teid, inner);
        message.extensions = bearer.qfi.map(|qfi| (CONTAINER.0, vec![DOWNLINK, qfi & QFI])).into_iter().collect();
        Some(self.n3(SocketAddr::new(gnb.address.into(), PORT), &message))
    }

    /// A gNB does not know a tunnel of a session (TS 29.281 7.3.1): its SMF hears of it.
    fn disowned(&mut self, packet: &Packet<'_>, now: Duration) {
        let Some(gnb) = Tunnel::disowned(packet) else {
            return;
        };
        let of = |(_, far): (u16, super::Far)| far.header == Some(gnb);
        let found = self.sessions.iter().find(|(_, bearer)| bearer.towards_user().is_some_and(of));
        if let Some(seid) = found.map(|(seid, _)| *seid) {
            self.report_error(seid, gnb, now);
        }
    }

    fn answer(&self, to: SocketAddr, message: &Gtpu) -> Uplink {
        Uplink::Answer(self.n3(to, message))
    }

    fn n3(&self, to: SocketAddr, message: &Gtpu) -> Datagram {
        Datagram { from: SocketAddr::new(self.config.n3.into(), PORT), to, bytes: message.bytes() }
    }
}
