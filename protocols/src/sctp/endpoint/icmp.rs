//! What the network says of packets that did not get through (RFC 9260 10).

use core::net::IpAddr;

use super::association::{Association, Context, State};
use super::message::Event;
use super::{Endpoint, Time};
use crate::bytes::{u8_at, u16_at, u32_at};

/// Type of an INIT chunk.
const INIT: u8 = 1;

/// An ICMP or ICMPv6 message about a packet that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkError<'a> {
    /// Where the packet came from: an own address.
    pub source: IpAddr,
    /// Where it was to go: an address of the peer.
    pub destination: IpAddr,
    /// What is wrong.
    pub reason: Reason,
    /// What the message holds of the packet, from the SCTP common header on.
    pub quoted: &'a [u8],
}

/// Why a packet did not get through. Others, "port unreachable" among them, are not worth a word (RFC 9260 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is larger than an IP packet of so many bytes: "fragmentation needed", "packet too big".
    TooLarge(u16),
    /// The peer does not speak SCTP: "protocol unreachable", "unrecognized next header".
    NoProtocol,
    /// Nothing gets there: "destination unreachable".
    Unreachable,
}

impl Endpoint {
    /// Takes what the network says of a packet that was sent. False where no association sent that packet,
    /// as its addresses, ports and verification tag tell, or where it says nothing new.
    pub fn network_error(&mut self, now: Time, error: &NetworkError<'_>) -> bool {
        let quoted = error.quoted;
        let (Some(source_port), Some(destination_port)) = (u16_at(quoted, 0), u16_at(quoted, 2)) else {
            return false;
        };
        let Some(id) = self.slots.at(source_port, destination_port, error.destination) else { return false };
        self.with(now, id, |association, context| association.network_error(context, error)).unwrap_or(false)
    }
}

impl Association {
    fn network_error(&mut self, context: &mut Context<'_>, error: &NetworkError<'_>) -> bool {
        let Some(index) = self.path_to(error.destination) else { return false };
        if !self.local_addresses.contains(&error.source) {
            return false;
        }
        let Some(init) = self.sent_it(error.quoted) else { return false };
        match error.reason {
            Reason::TooLarge(mtu) => self.carries_at_most(context, index, mtu),
            Reason::NoProtocol if init && self.state != State::CookieWait => false,
            Reason::NoProtocol => {
                let ended = self.state == State::ShutdownAckSent;
                let last = Event::Aborted { cause: 0, by_peer: true };
                self.close(if ended { Event::Closed } else { last });
                true
            }
            Reason::Unreachable => {
                if self.may_probe() {
                    self.ask_path(context, index);
                }
                true
            }
        }
    }

    /// Whether the quoted packet is one of this association, and then whether it begins with INIT
    /// (RFC 9260 10, ICMP6).
    fn sent_it(&self, quoted: &[u8]) -> Option<bool> {
        match u32_at(quoted, 4)? {
            0 => (u8_at(quoted, 12)? == INIT && u32_at(quoted, 16)? == self.local_tag).then_some(true),
            tag => (tag == self.peer_tag).then_some(false),
        }
    }

    /// A path carries less than was thought; that it carries more, only a probe can say (RFC 8899 4.6.2).
    fn carries_at_most(&mut self, context: &Context<'_>, index: u8, mtu: u16) -> bool {
        let Some(path) = self.path_mut(index) else { return false };
        let less = path.at_least(mtu) < path.mtu;
        if less {
            path.told(context.now, mtu);
        }
        less
    }
}
