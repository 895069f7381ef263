//! A peer without a will of its own: a test says each chunk that it sends, and looks at each that it gets.

use std::net::IpAddr;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use pinion_protocols::sctp::endpoint::{AssociationId, Config, Datagram, Endpoint, Event, Message, Time};
use pinion_protocols::sctp::write::{DataHeader, PacketWriter, parameter};
use pinion_protocols::sctp::{Chunk, ChunkType, Packet, Parameter, ParameterType};

/// Ports: the puppet's, the endpoint's.
pub(crate) const PORTS: (u16, u16) = (9000, 38412);
/// The tag that the puppet wants in what it gets.
pub(crate) const TAG: u32 = 0x0101_0101;
/// The puppet's first TSN.
pub(crate) const TSN: u32 = 1000;
/// The window that the puppet has.
pub(crate) const WINDOW: u32 = 100_000;

/// The puppet's address in a network, and the endpoint's.
pub(crate) fn puppet(network: u8) -> IpAddr {
    [10, network, 0, 1].into()
}

pub(crate) fn host(network: u8) -> IpAddr {
    [10, network, 0, 2].into()
}

/// A chunk that the endpoint sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) kind: ChunkType,
    pub(crate) flags: u8,
    pub(crate) value: Vec<u8>,
    pub(crate) tag: u32,
    pub(crate) destination: IpAddr,
    /// Which of the packets since the last look it was in.
    pub(crate) packet: usize,
}

impl Seen {
    pub(crate) fn u32(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.value[at..at + 4].try_into().unwrap())
    }

    pub(crate) fn u16(&self, at: usize) -> u16 {
        u16::from_be_bytes(self.value[at..at + 2].try_into().unwrap())
    }
}

pub(crate) struct Puppet {
    pub(crate) endpoint: Endpoint,
    pub(crate) now: Time,
    /// The endpoint's tag and first TSN.
    pub(crate) tag: u32,
    pub(crate) tsn: u32,
    pub(crate) id: Option<AssociationId>,
}

impl Puppet {
    /// An endpoint that listens in two networks, and no association.
    pub(crate) fn new(config: Config) -> Self {
        let mut endpoint = Endpoint::new(config, [7; 32]);
        endpoint.listen(PORTS.1, &[host(0), host(1)]);
        Self { endpoint, now: Time::from_micros(5_000_000), tag: 0, tsn: 0, id: None }
    }

    /// An association that the puppet asked for; it has one address more where `networks` is 2.
    pub(crate) fn established(config: Config, networks: u8) -> Self {
        Self::established_with(config, networks, |_| {})
    }

    pub(crate) fn established_with(config: Config, networks: u8, more: impl FnOnce(&mut BytesMut)) -> Self {
        let mut puppet = Self::new(config);
        puppet.init(TAG, networks, more);
        let cookie = puppet.take_init_ack();
        puppet.give(|packet| {
            packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
        });
        let seen = puppet.look();
        assert_eq!(kinds(&seen)[..1], [ChunkType::CookieAck], "{seen:?}");
        assert!(matches!(puppet.take_events()[..], [Event::Established { accepted: true, .. }]));
        // The probe of the address that is not confirmed, answered.
        let second = |chunk: &&Seen| chunk.kind == ChunkType::Heartbeat && chunk.destination == self::puppet(1);
        for probe in seen.iter().filter(second) {
            puppet.answer_heartbeat(probe);
        }
        if networks > 1 {
            assert!(matches!(puppet.take_events()[..], [Event::PathUp(_)]));
        }
        assert_eq!(puppet.look(), []);
        puppet
    }

    /// An association that the endpoint asked for.
    pub(crate) fn connected(config: Config) -> Self {
        let mut puppet = Self::new(config);
        puppet.connect();
        let init = puppet.look();
        assert_eq!(kinds(&init), [ChunkType::Init]);
        puppet.tag = init[0].u32(0);
        puppet.tsn = init[0].u32(12);
        puppet.init_ack(b"cookie");
        assert_eq!(kinds(&puppet.look()), [ChunkType::CookieEcho]);
        puppet.give(|packet| {
            packet.chunk(ChunkType::CookieAck, 0, |_| {});
        });
        assert!(matches!(puppet.take_events()[..], [Event::Established { accepted: false, .. }]));
        puppet
    }

    /// Lets the endpoint ask for an association.
    pub(crate) fn connect(&mut self) {
        let local = ([host(0), host(1)], PORTS.1);
        self.id = Some(self.endpoint.connect(self.now, (&local.0, local.1), (&[puppet(0)], PORTS.0)).unwrap());
    }

    /// Lets the endpoint ask somebody else, so that there are two.
    pub(crate) fn connect_again(&mut self) {
        let local = ([host(0)], PORTS.1);
        let _id =
            self.endpoint.connect(self.now, (&local.0, local.1), (&[[10, 9, 9, 9].into()], PORTS.0)).unwrap();
    }

    pub(crate) fn init(&mut self, tag: u32, networks: u8, more: impl FnOnce(&mut BytesMut)) {
        let value = init_value(tag, WINDOW, (10, 10), networks, more);
        self.give_from(puppet(0), 0, |packet| {
            packet.chunk(ChunkType::Init, 0, |out| out.put_slice(&value));
        });
    }

    pub(crate) fn init_ack(&mut self, cookie: &[u8]) {
        let value = init_value(TAG, WINDOW, (10, 10), 1, |out| {
            parameter(out, ParameterType::StateCookie, |out| out.put_slice(cookie));
        });
        self.give(|packet| {
            packet.chunk(ChunkType::InitAck, 0, |out| out.put_slice(&value));
        });
    }

    /// The cookie of the INIT ACK that the endpoint sent; its tag and TSN are remembered.
    pub(crate) fn take_init_ack(&mut self) -> Vec<u8> {
        let seen = self.look();
        assert_eq!(kinds(&seen), [ChunkType::InitAck], "{seen:?}");
        self.tag = seen[0].u32(0);
        self.tsn = seen[0].u32(12);
        cookie_of(&seen[0])
    }

    /// Gives the endpoint a packet with the right tag.
    pub(crate) fn give(&mut self, chunks: impl FnOnce(&mut PacketWriter<'_>)) {
        self.give_from(puppet(0), self.tag, chunks);
    }

    pub(crate) fn give_from(&mut self, source: IpAddr, tag: u32, chunks: impl FnOnce(&mut PacketWriter<'_>)) {
        let bytes = packet(PORTS.0, PORTS.1, tag, chunks);
        let destination = if source == puppet(1) { host(1) } else { host(0) };
        self.endpoint.receive(self.now, &Datagram { source, destination, bytes });
    }

    /// Gives DATA: TSN after [`TSN`], stream, sequence number, flags.
    pub(crate) fn data(&mut self, after: u32, stream: u16, sequence: u16, flags: u8, payload: &[u8]) {
        let header = DataHeader { flags, tsn: TSN + after, stream, sequence, protocol: 60 };
        self.give(|packet| {
            packet.data(&header, payload);
        });
    }

    /// Gives a SACK for so many of the endpoint's DATA chunks, with gap blocks after them.
    pub(crate) fn sack(&mut self, count: u32, gaps: &[(u16, u16)], window: u32) {
        let cumulative = self.tsn.wrapping_add(count).wrapping_sub(1);
        let gaps: Vec<_> =
            gaps.iter().map(|&(start, end)| pinion_protocols::sctp::GapBlock { start, end }).collect();
        self.give(|packet| {
            packet.sack(cumulative, window, &gaps, &[]);
        });
    }

    pub(crate) fn answer_heartbeat(&mut self, probe: &Seen) {
        let source = if probe.destination == puppet(1) { puppet(1) } else { puppet(0) };
        let value = probe.value.clone();
        self.give_from(source, self.tag, |packet| {
            packet.chunk(ChunkType::HeartbeatAck, 0, |out| out.put_slice(&value));
        });
    }

    /// Lets the endpoint send messages of so many bytes on stream 0.
    pub(crate) fn send(&mut self, count: usize, length: usize) {
        for _ in 0..count {
            let message = Message::new(0, 60, Bytes::from(vec![1; length]));
            self.endpoint.send(self.now, self.association(), message).unwrap();
        }
    }

    pub(crate) fn association(&self) -> AssociationId {
        self.id.or_else(|| self.endpoint.associations().next()).expect("an association")
    }

    /// What the endpoint sent since the last look.
    pub(crate) fn look(&mut self) -> Vec<Seen> {
        if self.endpoint.deadline().is_some_and(|due| due <= self.now) {
            self.endpoint.expire(self.now);
        }
        let mut seen = Vec::new();
        let mut number = 0;
        while let Some(transmit) = self.endpoint.poll_transmit(self.now) {
            let packet = Packet::parse(&transmit.bytes).unwrap();
            assert!(packet.checksum_matches());
            assert_eq!((packet.source_port(), packet.destination_port()), (PORTS.1, PORTS.0));
            for chunk in packet.chunks() {
                let chunk = chunk.unwrap();
                seen.push(Seen {
                    kind: chunk.kind(),
                    flags: chunk.flags(),
                    value: chunk.value().to_vec(),
                    tag: packet.verification_tag(),
                    destination: transmit.destination,
                    packet: number,
                });
            }
            number += 1;
        }
        seen
    }

    /// What happened since it was asked last.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.endpoint.poll_event()).map(|(_, event)| event).collect()
    }

    /// Messages among what happened.
    pub(crate) fn take_messages(&mut self) -> Vec<Bytes> {
        let events = self.take_events();
        let payload = |event| match event {
            Event::Message(message) => Some(message.payload),
            _ => None,
        };
        events.into_iter().filter_map(payload).collect()
    }

    /// Lets time pass, with everything that falls due in it; what the endpoint sent, and when.
    pub(crate) fn wait(&mut self, duration: Duration) -> Vec<(Duration, Seen)> {
        let (begin, end) = (self.now, self.now.after(duration));
        let mut seen = Vec::new();
        while let Some(due) = self.endpoint.deadline().filter(|&due| due <= end) {
            self.now = due.max(self.now);
            self.endpoint.expire(self.now);
            let at = self.now.since(begin);
            seen.extend(self.look().into_iter().map(|chunk| (at, chunk)));
        }
        self.now = end;
        seen
    }
}

pub(crate) fn kinds(seen: &[Seen]) -> Vec<ChunkType> {
    seen.iter().map(|chunk| chunk.kind).collect()
}

/// Whether something is among them that is not a HEARTBEAT.
pub(crate) fn but_heartbeats(seen: &[(Duration, Seen)]) -> Vec<(Duration, Seen)> {
    seen.iter().filter(|(_, chunk)| chunk.kind != ChunkType::Heartbeat).cloned().collect()
}

/// The code of the first error cause of an ABORT or ERROR.
pub(crate) fn cause(chunk: &Seen) -> u16 {
    if chunk.value.len() < 2 { 0 } else { chunk.u16(0) }
}

pub(crate) fn packet(from: u16, to: u16, tag: u32, chunks: impl FnOnce(&mut PacketWriter<'_>)) -> Bytes {
    let mut bytes = BytesMut::new();
    let mut packet = PacketWriter::new(&mut bytes, from, to, tag);
    chunks(&mut packet);
    packet.finish();
    bytes.freeze()
}

/// The value of an INIT or INIT ACK of the puppet.
pub(crate) fn init_value(
    tag: u32,
    window: u32,
    streams: (u16, u16),
    networks: u8,
    more: impl FnOnce(&mut BytesMut),
) -> BytesMut {
    let mut out = BytesMut::new();
    out.put_u32(tag);
    out.put_u32(window);
    out.put_u16(streams.0);
    out.put_u16(streams.1);
    out.put_u32(TSN);
    for network in 0..if networks > 1 { networks } else { 0 } {
        pinion_protocols::sctp::write::address(&mut out, puppet(network));
    }
    more(&mut out);
    out
}

/// The parameters of an INIT or INIT ACK that the endpoint sent, looked at one by one.
pub(crate) fn parameters(seen: &Seen, mut look: impl FnMut(Parameter<'_>)) {
    let whole = packet(1, 1, 1, |packet| {
        packet.chunk(seen.kind, seen.flags, |out| out.put_slice(&seen.value));
    });
    let chunk = Packet::parse(&whole).unwrap().chunks().next().unwrap().unwrap();
    match chunk.parse().unwrap() {
        Chunk::Init(init) | Chunk::InitAck(init) => {
            init.parameters.for_each(|raw| look(raw.unwrap().parse().unwrap()));
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn cookie_of(init_ack: &Seen) -> Vec<u8> {
    let mut found = None;
    parameters(init_ack, |parameter| {
        if let Parameter::StateCookie(cookie) = parameter {
            found = Some(cookie.to_vec());
        }
    });
    found.expect("a cookie")
}
