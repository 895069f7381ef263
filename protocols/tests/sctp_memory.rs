//! What an idle association costs, and what floods leave behind. The memory of the whole process is
//! measured: nothing else may run in it, and one test at a time.

#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use pinion_protocols::sctp::endpoint::{Config, Datagram, Endpoint, Event, Message, Time, memory};
use pinion_protocols::sctp::write::{DataHeader, PacketWriter};
use pinion_protocols::sctp::{Chunk, ChunkType, Packet, Parameter};

/// One test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Associations, each with two paths.
const COUNT: u32 = 3_000;
/// Bytes that one may cost at each end.
const MOST: usize = 4096;

/// Bytes of the process that are in memory, where the system tells.
fn resident() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

#[test]
fn three_thousand_idle_associations_are_small_and_go_on() {
    let _alone = ALONE.lock().unwrap();
    let (here, there): ([IpAddr; 2], [IpAddr; 2]) =
        ([[10, 0, 0, 1].into(), [10, 1, 0, 1].into()], [[10, 0, 0, 2].into(), [10, 1, 0, 2].into()]);
    let mut now = Time::ZERO;
    let mut client = Endpoint::new(Config::default(), [1; 32]);
    let mut server = Endpoint::new(Config::default(), [2; 32]);
    server.listen(38412, &there);
    let before = resident();
    let mut messages = 0;
    let mut take = |endpoint: &mut Endpoint| {
        while let Some((_, event)) = endpoint.poll_event() {
            assert!(!event.is_last() && !matches!(event, Event::PathDown(_)), "{event:?}");
            messages += u32::from(matches!(event, Event::Message(_)));
        }
    };
    for number in 0..COUNT {
        let port = 10_000 + u16::try_from(number).unwrap();
        let id = client.connect(now, (&here, port), (&there, 38412)).unwrap();
        for stream in 0..4 {
            client.send(now, id, Message::new(stream, 60, vec![0; 2000].into())).unwrap();
        }
        memory::exchange(&mut client, &mut server, now);
        take(&mut client);
        take(&mut server);
    }
    // Heartbeats, twice on each path.
    let end = now.after(Duration::from_secs(70));
    while now < end {
        let due = [client.deadline(), server.deadline()].into_iter().flatten().min().unwrap();
        now = due.max(now.after(Duration::from_millis(10)));
        client.expire(now);
        server.expire(now);
        memory::exchange(&mut client, &mut server, now);
        take(&mut client);
        take(&mut server);
    }
    assert_eq!(messages, 4 * COUNT);
    assert_eq!((client.associations().count(), server.associations().count()), (3_000, 3_000));
    let (Some(before), Some(after)) = (before, resident()) else { return };
    let each = (after - before) / usize::try_from(2 * COUNT).unwrap();
    println!("{each} bytes for an idle association");
    assert!(each <= MOST, "{each} bytes for an idle association");
}

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));
const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const PORTS: (u16, u16) = (9000, 38412);
/// The peer's first TSN.
const TSN: u32 = 1;

/// An endpoint that is flooded, and the tag that packets for its association have.
struct Flooded {
    endpoint: Endpoint,
    tag: u32,
    cookie: Vec<u8>,
}

impl Flooded {
    fn new(config: Config) -> Self {
        let mut endpoint = Endpoint::new(config, [1; 32]);
        endpoint.listen(PORTS.1, &[HERE]);
        let mut flooded = Self { endpoint, tag: 0, cookie: Vec::new() };
        flooded.init(THERE, 7);
        let answer = flooded.endpoint.poll_transmit(Time::ZERO).unwrap().bytes;
        let chunk = Packet::parse(&answer).unwrap().chunks().next().unwrap().unwrap();
        let Ok(Chunk::InitAck(init)) = chunk.parse() else { panic!("no INIT ACK") };
        let cookie = |raw: Result<_, _>| match pinion_protocols::sctp::RawParameter::parse(&raw.unwrap()) {
            Ok(Parameter::StateCookie(cookie)) => Some(cookie.to_vec()),
            _ => None,
        };
        (flooded.tag, flooded.cookie) = (init.initiate_tag, init.parameters.clone().find_map(cookie).unwrap());
        flooded.echo(0);
        assert_eq!(flooded.endpoint.associations().count(), 1);
        flooded
    }

    fn give(&mut self, source: IpAddr, tag: u32, chunks: impl FnOnce(&mut PacketWriter<'_>)) {
        let mut bytes = BytesMut::new();
        let mut packet = PacketWriter::new(&mut bytes, PORTS.0, PORTS.1, tag);
        chunks(&mut packet);
        packet.finish();
        let datagram = Datagram { source, destination: HERE, bytes: bytes.freeze() };
        self.endpoint.receive(Time::ZERO, &datagram);
    }

    fn init(&mut self, source: IpAddr, tag: u32) {
        self.give(source, 0, |packet| {
            packet.chunk(ChunkType::Init, 0, |out| {
                out.put_u32(tag);
                out.put_u32(100_000);
                out.put_u32(10 << 16 | 10);
                out.put_u32(TSN);
            });
        });
    }

    /// The cookie, with one of its bytes changed by `change`.
    fn echo(&mut self, change: u8) {
        let mut cookie = Bytes::copy_from_slice(&self.cookie).to_vec();
        cookie[40] ^= change;
        self.give(THERE, self.tag, |packet| {
            packet.chunk(ChunkType::CookieEcho, 0, |out| out.put_slice(&cookie));
        });
    }

    fn data(&mut self, flags: u8, after: u32, sequence: u16, payload: &[u8]) {
        let header = DataHeader { flags, tsn: TSN.wrapping_add(after), stream: 0, sequence, protocol: 0 };
        self.give(THERE, self.tag, |packet| {
            packet.data(&header, payload);
        });
    }

    /// The `number`-th packet of a flood.
    fn flood(&mut self, kind: usize, number: u32) {
        let [_, a, b, c] = number.to_be_bytes();
        let stranger: IpAddr = [11, a, b, c].into();
        let tag = self.tag;
        match kind {
            0 => self.init(stranger, number + 1),
            1 => self.init(THERE, number + 1),
            2 => self.echo(0),
            3 => self.echo(b | 1),
            4 => self.give(stranger, number, |packet| {
                packet.chunk(ChunkType::Sack, 0, |out| out.put_slice(&[0; 12]));
            }),
            5 => self.give(THERE, tag, |packet| {
                packet.chunk(ChunkType::Heartbeat, 0, |out| {
                    out.put_u32(0x0001_0578);
                    out.put_u32(number);
                    out.put_bytes(0, 1392);
                });
            }),
            6 => self.give(THERE, tag, |packet| {
                packet.chunk(ChunkType::Unknown(0xfe), 0, |out| {
                    out.put_u32(number);
                    out.put_bytes(0, 1300);
                });
            }),
            7 => self.give(THERE, tag, |packet| {
                packet.chunk(ChunkType::Error, 0, |out| out.put_u32(0x0001_0004));
            }),
            // Gaps, fragments that never end, messages whose predecessor is missing, messages that nobody takes.
            8 => self.data(3, number % 60_000 * 2 + 1, number as u16, &[1; 10]),
            9 => self.data(0, number % 60_000 + 2, 0, &[1; 1400]),
            10 => self.data(3, number % 60_000 + 2, number as u16 % 60_000 + 2, &[1; 1]),
            11 => self.data(3 | 4, number, 0, &[1; 1]),
            _ => self.data(3 | 4, number, 0, &[1; 1400]),
        }
    }
}

#[test]
fn floods_of_every_kind_leave_memory_as_it_was() {
    let _alone = ALONE.lock().unwrap();
    let config = Config { receive_buffer: 256 << 10, ..Config::default() };
    // Bytes that may be held in all: small messages cost more than they count for.
    let most = 3 << 20;
    let Some(before) = resident() else { return };
    for kind in 0..=12 {
        // Signing takes its time; of large packets fewer would be missed.
        let count = match kind {
            0..=3 => 2_000,
            5 | 6 | 8 | 9 | 12 => 5_000,
            _ => 50_000,
        };
        for polls in [true, false] {
            let mut flooded = Flooded::new(config.clone());
            for number in 0..count {
                flooded.flood(kind, number);
                if polls {
                    while flooded.endpoint.poll_transmit(Time::ZERO).is_some() {}
                }
            }
            let held = resident().unwrap_or(before).saturating_sub(before);
            assert!(held <= most, "{held} bytes after flood {kind}");
            assert!(flooded.endpoint.associations().count() <= 1);
        }
    }
}
