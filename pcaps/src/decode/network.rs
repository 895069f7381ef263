//! From the network layer to the messages: IP in all its wrappings, ICMP errors, UDP.

use std::net::IpAddr;

use pinion_protocols::diameter::PORT as DIAMETER;
use pinion_protocols::ip::{self, Ipv4, Ipv6, Tcp, Udp, protocol};

use super::fragments::{Fragments, Key, Piece};
use super::pieces::{self, Direction, Pieces};
use super::ports::{self, Service};
use super::streams::{self, Streams};
use super::{Message, diameter, gtp, pfcp, sctp};
use crate::capture::Frame;
use crate::link::{self, LinkType};

/// Packets inside of packets are followed so many levels down.
const DEEPEST: usize = 16;

/// Generic routing encapsulation (RFC 2784).
const GRE: u8 = 47;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// Ethernet in GRE.
const BRIDGED: u16 = 0x6558;

/// Collects the messages of one frame.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    frame: u64,
    /// Whether the frame was longer than what was captured of it.
    snapped: bool,
    fragments: &'a mut Fragments,
    streams: &'a mut Streams,
    pieces: &'a mut Pieces,
    depth: usize,
    /// Bytes at the end of the packet at hand that are not there.
    missing: usize,
    messages: Vec<Message>,
}

/// Sender and receiver of the packet at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        frame: &Frame<'_>,
        fragments: &'a mut Fragments,
        streams: &'a mut Streams,
        pieces: &'a mut Pieces,
    ) -> Self {
        let captured = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
        Self {
            frame: frame.number,
            snapped: captured < frame.wire_len,
            fragments,
            streams,
            pieces,
            depth: 0,
            missing: 0,
            messages: Vec::new(),
        }
    }

    pub(super) fn into_messages(self) -> Vec<Message> {
        self.messages
    }

    /// What an ethertype announces.
    pub(super) fn ethertype(&mut self, ethertype: u16, packet: &[u8]) {
        match ethertype {
            IPV4 => self.deeper(|walk| walk.ipv4(packet)),
            IPV6 => self.deeper(|walk| walk.ipv6(packet)),
            _ => {}
        }
    }

    /// A T-PDU: IP, or Ethernet where it looks like it. What it is was agreed on elsewhere (TS 29.281 does not say it).
    pub(super) fn t_pdu(&mut self, packet: &[u8]) {
        match packet.first() {
            Some(0x45..=0x4e) => self.ethertype(IPV4, packet),
            Some(0x60..=0x6f) => self.ethertype(IPV6, packet),
            _ => self.ethernet(packet),
        }
    }

    /// Whether the end of the packet at hand was on the wire and was not captured.
    pub(super) fn is_cut(&self) -> bool {
        self.snapped && self.missing > 0
    }

    /// Takes a piece of a user message of SCTP; gives the message that it completes, and its protocol.
    pub(super) fn piece(&mut self, direction: Direction, piece: &pieces::Piece<'_>) -> Option<(u32, Vec<u8>)> {
        self.pieces.add(direction, piece)
    }

    pub(super) fn message(&self, protocol: &'static str, ends: Ends) -> Message {
        Message::new(self.frame, protocol, ends.source, ends.destination)
    }

    /// Keeps a message, and says so where the end of its packet was not captured, or not quoted in an ICMP error.
    pub(super) fn keep(&mut self, mut message: Message) {
        if self.missing > 0 {
            message.fail(format_args!("IP payload: {} bytes at its end are missing", self.missing));
        }
        self.messages.push(message);
    }

    fn deeper(&mut self, step: impl FnOnce(&mut Self)) {
        if self.depth < DEEPEST {
            let missing = std::mem::take(&mut self.missing);
            self.depth = self.depth.saturating_add(1);
            step(self);
            self.depth = self.depth.saturating_sub(1);
            self.missing = missing;
        }
    }

    fn ethernet(&mut self, frame: &[u8]) {
        if let Some(network) = link::network(LinkType::Ethernet, frame) {
            let packet = frame.get(network.offset..).unwrap_or_default();
            self.ethertype(network.ethertype, packet);
        }
    }

    fn ipv4(&mut self, packet: &[u8]) {
        let Ok(packet) = Ipv4::parse(packet) else {
            return;
        };
        let ends = Ends { source: packet.source.into(), destination: packet.destination.into() };
        let piece = Piece {
            key: Key::new(ends, packet.protocol, packet.fragment.identification),
            fragment: packet.fragment,
            payload: packet.payload,
        };
        self.whole(ends, packet.protocol, packet.is_fragment(), packet.missing, &piece);
    }

    fn ipv6(&mut self, packet: &[u8]) {
        let Ok(packet) = Ipv6::parse(packet) else {
            return;
        };
        let ends = Ends { source: packet.source.into(), destination: packet.destination.into() };
        let fragment = packet.fragment.unwrap_or(ip::Fragment { identification: 0, offset: 0, more: false });
        let piece = Piece {
            key: Key::new(ends, packet.protocol, fragment.identification),
            fragment,
            payload: packet.payload,
        };
        self.whole(ends, packet.protocol, packet.is_fragment(), packet.missing, &piece);
    }

    /// Follows the payload of a packet: at once where it is not fragmented, else with the fragment that completes it. A fragment of
    /// which bytes were not captured completes nothing.
    fn whole(&mut self, ends: Ends, protocol: u8, is_fragment: bool, missing: usize, piece: &Piece<'_>) {
        self.missing = missing;
        if !is_fragment {
            self.upper(ends, protocol, piece.payload);
        } else if missing == 0 {
            if let Some(payload) = self.fragments.add(piece) {
                self.upper(ends, protocol, &payload);
            }
        } else if ends.source.is_ipv4() && piece.fragment.offset == 0 {
            // The first one is read as far as it goes; Wireshark does so in IPv4 alone.
            self.upper(ends, protocol, piece.payload);
        }
    }

    fn upper(&mut self, ends: Ends, protocol: u8, payload: &[u8]) {
        match protocol {
            protocol::SCTP => sctp::packet(self, ends, payload),
            protocol::UDP => self.udp(ends, payload),
            protocol::TCP => self.tcp(ends, payload),
            protocol::ICMP => self.icmp(payload),
            protocol::ICMPV6 => self.icmpv6(payload),
            protocol::IPV4 => self.ethertype(IPV4, payload),
            protocol::IPV6 => self.ethertype(IPV6, payload),
            protocol::AUTHENTICATION => self.authenticated(ends, payload),
            GRE => self.gre(payload),
            _ => {}
        }
    }

    fn udp(&mut self, ends: Ends, datagram: &[u8]) {
        let Ok(udp) = Udp::parse(datagram) else {
            return;
        };
        match ports::service(udp.source_port, udp.destination_port) {
            Some(Service::Gtp) => gtp::message(self, ends, udp.payload),
            Some(Service::GtpPrime) => gtp::prime(self, ends, udp.payload),
            Some(Service::Sctp) => sctp::packet(self, ends, udp.payload),
            Some(Service::Pfcp) => pfcp::messages(self, ends, udp.payload),
            None => {}
        }
    }

    /// Diameter, as far as it goes: a message may begin in one segment and end in another.
    fn tcp(&mut self, ends: Ends, segment: &[u8]) {
        let Ok(tcp) = Tcp::parse(segment) else {
            return;
        };
        if ![tcp.source_port, tcp.destination_port].contains(&DIAMETER) || tcp.payload.is_empty() {
            return;
        }
        let key = streams::Key {
            source: (ends.source, tcp.source_port),
            destination: (ends.destination, tcp.destination_port),
        };
        let Some(bytes) = self.streams.add(key, tcp.sequence, tcp.payload) else {
            return;
        };
        // What cannot be the beginning of a message is the middle of one, or another protocol: it is passed over.
        let Ok(rest) = diameter::messages(self, ends, &bytes) else {
            return;
        };
        if self.missing > 0 {
            if !rest.is_empty() {
                diameter::message(self, ends, rest);
            }
            return;
        }
        let length = u32::try_from(tcp.payload.len()).unwrap_or(u32::MAX);
        self.streams.keep(key, tcp.sequence.wrapping_add(length), rest);
    }

    /// The packet that an error quotes (RFC 792). A redirect, which quotes one too, is no error.
    fn icmp(&mut self, packet: &[u8]) {
        if let Some((3 | 4 | 11 | 12, quoted)) = quoted(packet) {
            self.ethertype(IPV4, quoted);
        }
    }

    /// The packet that an error quotes (RFC 4443 2.1: errors have types below 128).
    fn icmpv6(&mut self, packet: &[u8]) {
        if let Some((1..=4, quoted)) = quoted(packet) {
            self.ethertype(IPV6, quoted);
        }
    }

    /// Behind an authentication header of IPv4 (RFC 4302 2); those of IPv6 were walked with its extension headers.
    fn authenticated(&mut self, ends: Ends, packet: &[u8]) {
        if let [next, words, ..] = *packet {
            let length = usize::from(words).saturating_add(2).saturating_mul(4);
            let payload = packet.get(length..).unwrap_or_default();
            let missing = self.missing;
            self.deeper(|walk| {
                walk.missing = missing;
                walk.upper(ends, next, payload);
            });
        }
    }

    /// RFC 2784 2.1 with the fields of RFC 2890 2.
    fn gre(&mut self, packet: &[u8]) {
        let [flags, version, high, low, ..] = *packet else {
            return;
        };
        if version & 7 != 0 {
            return;
        }
        let fields = [0x80, 0x20, 0x10].into_iter().filter(|bit| flags & bit != 0);
        let offset = fields.count().saturating_mul(4).saturating_add(4);
        let payload = packet.get(offset..).unwrap_or_default();
        match u16::from_be_bytes([high, low]) {
            BRIDGED => self.ethernet(payload),
            ethertype => self.ethertype(ethertype, payload),
        }
    }
}

/// Type of an ICMP message, and what follows its 8-byte header.
fn quoted(packet: &[u8]) -> Option<(u8, &[u8])> {
    Some((*packet.first()?, packet.get(8..)?))
}
