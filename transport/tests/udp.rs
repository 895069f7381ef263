//! SCTP in UDP, on loopback and as anybody.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use pinion_protocols::sctp::ChunkType;
use pinion_protocols::sctp::write::PacketWriter;
use pinion_transport::userspace::{Encapsulation, Userspace};
use pinion_transport::{Association, Config, Connect, Event, Listen, Listener, Message, Transport};
use tokio::net::UdpSocket;

const PORT: u16 = 38412;
const PATIENCE: Duration = Duration::from_secs(10);

async fn next(end: &Association, wanted: impl Fn(&Event) -> bool) -> Event {
    let found = async {
        loop {
            let event = end.receive().await.unwrap();
            if wanted(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap()
}

fn open(addresses: &[IpAddr], local_port: u16, remote_port: u16) -> Userspace {
    Userspace::over_udp(addresses, Encapsulation { local_port, remote_port }, &Config::default()).unwrap()
}

/// Both ends of an association with who listens at an address.
async fn associated(client: &Userspace, listener: &mut Listener, remote: IpAddr) -> (Association, Association) {
    let here = client.connect(Connect::to(vec![remote], PORT)).unwrap();
    let there = tokio::time::timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    next(&there, |event| matches!(event, Event::Established { .. })).await;
    (here, there)
}

fn host(last: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, last).into()
}

/// A packet of one chunk.
fn packet(ports: (u16, u16), tag: u32, kind: ChunkType, value: &[u8]) -> Bytes {
    let mut bytes = BytesMut::new();
    let mut packet = PacketWriter::new(&mut bytes, ports.0, ports.1, tag);
    packet.chunk(kind, 0, |out| out.put_slice(value));
    packet.finish();
    bytes.freeze()
}

/// The value of an INIT.
fn init(tag: u32) -> Bytes {
    let mut value = BytesMut::new();
    value.put_u32(tag);
    value.put_u32(100_000);
    value.put_u16(1);
    value.put_u16(1);
    value.put_u32(1);
    value.freeze()
}

/// The type of the first chunk of the next packet that comes.
async fn kind(socket: &UdpSocket) -> ChunkType {
    let mut room = [0; 2048];
    tokio::time::timeout(PATIENCE, socket.recv(&mut room)).await.unwrap().unwrap();
    room[12].into()
}

/// The server learns the client's UDP port, which is not the usual one.
#[tokio::test]
async fn both_families_go_in_udp() {
    let near: [IpAddr; 2] = [[127, 0, 0, 1].into(), "::1".parse().unwrap()];
    let far: [IpAddr; 2] = [[127, 0, 0, 2].into(), "::1".parse().unwrap()];
    let (server, client) = (open(&far, 19_899, 1), open(&near, 29_899, 19_899));
    let mut listener = server.listen(Listen::on(PORT)).unwrap();
    for remote in far {
        let (here, there) = associated(&client, &mut listener, remote).await;
        for (from, to) in [(&here, &there), (&there, &here)] {
            let payload = Bytes::from(vec![0x5a; 100_000]);
            from.send(Message::new(3, 60, payload.clone())).await.unwrap();
            let message = next(to, |event| matches!(event, Event::Message(_))).await;
            assert!(matches!(message, Event::Message(message) if message.payload == payload));
        }
        here.shutdown();
        next(&there, |event| *event == Event::Closed).await;
    }
}

/// RFC 6951 5.4: packets go on to where the peer is, whoever says that it is elsewhere.
#[tokio::test]
async fn an_init_that_is_none_moves_no_peer() {
    let (server, client) = (open(&[host(3)], 19_900, 1), open(&[host(4)], 29_900, 19_900));
    let mut listener = server.listen(Listen::on(PORT)).unwrap();
    let (here, there) = associated(&client, &mut listener, host(3)).await;
    let liar = UdpSocket::bind((host(4), 39_900)).await.unwrap();
    let ports = (here.ends().local_port, PORT);
    liar.send_to(&packet(ports, 1, ChunkType::Init, &init(1)), (host(3), 19_900)).await.unwrap();
    // Once this is answered, the server has seen the other too.
    let stranger = UdpSocket::bind((host(5), 39_900)).await.unwrap();
    stranger.send_to(&packet(ports, 5, ChunkType::Heartbeat, &[]), (host(3), 19_900)).await.unwrap();
    assert_eq!(kind(&stranger).await, ChunkType::Abort);
    there.send(Message::new(0, 60, Bytes::from_static(b"still there"))).await.unwrap();
    let message = next(&here, |event| matches!(event, Event::Message(_))).await;
    assert!(matches!(message, Event::Message(message) if message.payload == b"still there"[..]));
    let mut room = [0; 2048];
    assert!(liar.try_recv(&mut room).is_err());
}

/// RFC 6951 5.3: whoever it was that asked, known or not.
#[tokio::test]
async fn answers_go_to_where_the_question_came_from() {
    let (server, client) = (open(&[host(6)], 19_901, 1), open(&[host(7)], 29_901, 19_901));
    let mut listener = server.listen(Listen::on(PORT)).unwrap();
    let (here, there) = associated(&client, &mut listener, host(6)).await;
    for address in [host(7), host(8)] {
        let other = UdpSocket::bind((address, 39_901)).await.unwrap();
        for (tag, asked, answer) in [
            (0, ChunkType::Init, ChunkType::InitAck),
            (5, ChunkType::Heartbeat, ChunkType::Abort),
            (5, ChunkType::ShutdownAck, ChunkType::ShutdownComplete),
        ] {
            other.send_to(&packet((7, PORT), tag, asked, &init(9)), (host(6), 19_901)).await.unwrap();
            assert_eq!(kind(&other).await, answer);
        }
        // There nobody listens.
        other.send_to(&packet((7, 8), 0, ChunkType::Init, &init(9)), (host(6), 19_901)).await.unwrap();
        assert_eq!(kind(&other).await, ChunkType::Abort);
    }
    there.send(Message::new(0, 60, Bytes::from_static(b"as before"))).await.unwrap();
    next(&here, |event| matches!(event, Event::Message(_))).await;
}

/// RFC 9260 8.5.1 E: what an association from before is told is for nobody else.
#[tokio::test]
async fn a_shutdown_ack_before_the_handshake_is_over_moves_no_peer() {
    let client = open(&[host(9)], 29_902, 19_902);
    let peer = UdpSocket::bind((host(10), 19_902)).await.unwrap();
    let here = client.connect(Connect::to(vec![host(10)], PORT)).unwrap();
    assert_eq!(kind(&peer).await, ChunkType::Init);
    let liar = UdpSocket::bind((host(10), 39_902)).await.unwrap();
    let ports = (PORT, here.ends().local_port);
    liar.send_to(&packet(ports, 5, ChunkType::ShutdownAck, &[]), (host(9), 29_902)).await.unwrap();
    assert_eq!(kind(&liar).await, ChunkType::ShutdownComplete);
    // It is sent again, to where it went before.
    assert_eq!(kind(&peer).await, ChunkType::Init);
}
