//! Frames as scapy 2.6 builds them.

use bolero::check;

use super::*;
use crate::link::neighbours::Ask;

const ONE: Mac = Mac([2, 0, 0, 0, 0, 1]);
const TWO: Mac = Mac([2, 0, 0, 0, 0, 2]);
const WHO_HAS: &str = "ffffffffffff02000000000208060001080006040001020000000002c0000202000000000000c0000201";
const IS_AT: &str = "02000000000202000000000108060001080006040002020000000001c0000201020000000002c0000202";
const ANNOUNCED: &str = "ffffffffffff02000000000108060001080006040001020000000001c0000201000000000000c0000201";
const SOLICITATION: &str = "3333ff00000102000000000286dd6000000000203aff20010db8000000000000000000000002ff02000000000000\
    00000001ff00000187001c270000000020010db80000000000000000000000010101020000000002";
const ADVERTISEMENT: &str = "02000000000202000000000186dd6000000000203aff20010db800000000000000000000000120010db800000000\
    000000000000000288008a736000000020010db80000000000000000000000010201020000000001";
const ANNOUNCED6: &str = "33330000000102000000000186dd6000000000203aff20010db8000000000000000000000001ff02000000000000\
    00000000000000018800f92a2000000020010db80000000000000000000000010201020000000001";
const DETECTION: &str = "3333ff00000102000000000286dd6000000000183aff00000000000000000000000000000000ff02000000000000\
    00000001ff00000187004ced0000000020010db8000000000000000000000001";
const PACKET: &str = "020000000002020000000001080045000018000140004084b65dc0000201c000020273637470";
const PACKET6: &str = "02000000000202000000000186dd600000000004844020010db800000000000000000000000120010db8000000000000\
    00000000000273637470";
const FRAGMENTS: [&str; 2] = [
    "02000000000202000000000108004500003c000120004084d639c0000201c0000202000102030405060708090a0b0c0d0e0f1011121314\
     15161718191a1b1c1d1e1f2021222324252627",
    "020000000002020000000001080045000028000100054084f648c0000201c000020228292a2b2c2d2e2f303132333435363738393a3b",
];

fn v4(last: u8) -> IpAddr {
    [192, 0, 2, last].into()
}

fn v6(last: u16) -> IpAddr {
    [0x2001, 0xdb8, 0, 0, 0, 0, 0, last].into()
}

/// The host with the addresses that end in 1, on a link with everybody else.
fn host() -> Host {
    Host::new(Config::new(ONE, vec![(v4(1), 24), (v6(1), 64)]))
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

fn frames(host: &mut Host) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| host.poll_frame()).map(|frame| frame.to_bytes().to_vec()).collect()
}

fn sctp(source: IpAddr, destination: IpAddr) -> Packet {
    Packet::new(source, destination, protocol::SCTP, Bytes::from_static(b"sctp"))
}

#[test]
fn the_route_that_names_most_of_a_destination_is_taken() {
    let config = Config::new(ONE, vec![(v4(1), 24)]);
    let guest: IpAddr = [203, 0, 113, 7].into();
    let to = |bits, via| Route { to: ([10, 0, 0, 0].into(), bits), via };
    let routes = vec![to(8, Some(v4(8))), to(24, None), to(24, Some(v4(9)))];
    let host = Host::new(Config { guests: vec![guest], routes, gateways: vec![v4(254)], ..config });
    let cases = [
        (v4(1), [192, 0, 2, 9], Some((24, v4(9)))),
        (guest, [10, 0, 0, 3], Some((24, [10, 0, 0, 3].into()))),
        (v4(1), [10, 0, 1, 3], Some((8, v4(8)))),
        (guest, [11, 0, 0, 1], Some((0, v4(254)))),
        (v4(2), [192, 0, 2, 9], None),
    ];
    for (from, to, expected) in cases {
        assert_eq!(host.way(from, to.into()), expected, "{from} to {to:?}");
    }
    assert_eq!(host.way(v4(1), v6(1)), None);
    let alone = Config::new(ONE, vec![(v6(1), 64)]);
    let routed = Config { gateways: vec![v6(254)], ..alone.clone() };
    for config in [alone, routed] {
        let host = Host::new(config);
        assert_eq!(host.way(v6(1), "fe80::9".parse().unwrap()), Some((64, "fe80::9".parse().unwrap())));
    }
}

/// One that was told by the neighbour where it is.
fn acquainted() -> Host {
    let mut host = host();
    for question in [WHO_HAS, SOLICITATION] {
        assert_eq!(host.receive(Time::ZERO, &unhex(question)), None);
    }
    frames(&mut host);
    host
}

#[test]
fn it_answers_questions_for_its_addresses() {
    let mut host = host();
    for (question, answer) in [(WHO_HAS, IS_AT), (SOLICITATION, ADVERTISEMENT), (DETECTION, ANNOUNCED6)] {
        assert_eq!(host.receive(Time::ZERO, &unhex(question)), None);
        assert_eq!(frames(&mut host), [unhex(answer)]);
    }
    assert_eq!((host.neighbours().get(v4(2)), host.neighbours().get(v6(2))), (Some(TWO), Some(TWO)));
}

#[test]
fn it_is_silent_about_the_addresses_of_others() {
    let mut other = Host::new(Config::new(ONE, vec![(v4(9), 24), (v6(9), 64)]));
    for question in [WHO_HAS, SOLICITATION, DETECTION] {
        other.receive(Time::ZERO, &unhex(question));
    }
    assert_eq!(frames(&mut other), [] as [Vec<u8>; 0]);
}

#[test]
fn it_announces_itself() {
    let mut host = host();
    host.announce();
    assert_eq!(frames(&mut host), [unhex(ANNOUNCED), unhex(ANNOUNCED6)]);
}

#[test]
fn a_packet_waits_for_its_neighbour() {
    for (from, to, question, answer) in
        [(v4(2), v4(1), WHO_HAS, IS_AT), (v6(2), v6(1), SOLICITATION, ADVERTISEMENT)]
    {
        let mut host = Host::new(Config::new(TWO, vec![(v4(2), 24), (v6(2), 64)]));
        host.send(Time::ZERO, sctp(from, to));
        assert_eq!(frames(&mut host), [unhex(question)]);
        assert_eq!(host.receive(Time::ZERO, &unhex(answer)), None);
        let sent = frames(&mut host);
        assert_eq!(sent.len(), 1);
        assert!(sent[0].ends_with(b"sctp") && sent[0].starts_with(&ONE.0));
    }
}

// RFC 4861 7.2.5; of ARP an announcement alike.
#[test]
fn who_announces_itself_is_known_and_asked() {
    for (from, to, announcement) in [(v4(2), v4(1), ANNOUNCED), (v6(2), v6(1), ANNOUNCED6)] {
        let mut host = Host::new(Config::new(TWO, vec![(v4(2), 24), (v6(2), 64)]));
        host.send(Time::ZERO, sctp(from, to));
        frames(&mut host);
        host.receive(Time::ZERO, &unhex(announcement));
        assert!(frames(&mut host)[0].ends_with(b"sctp"));
        host.send(Time::ZERO, sctp(from, to));
        assert!(frames(&mut host)[0].ends_with(b"sctp"));
        host.expire(host.deadline().unwrap());
        assert!(frames(&mut host)[0].starts_with(&ONE.0));
    }
}

#[test]
fn a_packet_leaves_whole_and_comes_whole() {
    let mut host = acquainted();
    for (from, to, frame) in [(v4(1), v4(2), PACKET), (v6(1), v6(2), PACKET6)] {
        host.send(Time::ZERO, sctp(from, to));
        assert_eq!(frames(&mut host), [unhex(frame)]);
        let mut there = Host::new(Config::new(TWO, vec![(v4(2), 24), (v6(2), 64)]));
        assert_eq!(there.receive(Time::ZERO, &unhex(frame)), Some(sctp(from, to)));
        assert_eq!(host.receive(Time::ZERO, &unhex(frame)), None);
        assert_eq!(host.counters().others, if from.is_ipv4() { 1 } else { 2 });
        host.identification = 0;
    }
}

// RFC 791 3.2; scapy fragments likewise.
#[test]
fn what_is_too_large_leaves_in_fragments_if_it_may() {
    let mut host = acquainted();
    host.config.mtu = 60;
    let payload = Bytes::from_iter(0..60);
    let packet = Packet { payload, fragment: true, ..sctp(v4(1), v4(2)) };
    host.send(Time::ZERO, packet.clone());
    assert_eq!(frames(&mut host), FRAGMENTS.map(unhex));
    let mut there = Host::new(Config::new(TWO, vec![(v4(2), 24)]));
    let whole: Vec<_> = FRAGMENTS.iter().filter_map(|frame| there.receive(Time::ZERO, &unhex(frame))).collect();
    assert_eq!(whole, [Packet { fragment: false, ..packet.clone() }]);
    host.send(Time::ZERO, Packet { fragment: false, ..packet });
    assert_eq!((frames(&mut host).len(), host.counters().too_large), (0, 1));
}

#[test]
fn a_gateway_takes_what_is_not_on_the_link() {
    let mut host = host();
    let far = [198, 51, 100, 1].into();
    host.send(Time::ZERO, sctp(v4(1), far));
    assert_eq!((frames(&mut host).len(), host.counters().no_route), (0, 1));
    host.config.gateways = vec![v6(254), v4(254)];
    host.send(Time::ZERO, sctp(v4(1), far));
    host.send(Time::ZERO, sctp(v4(7), far));
    assert_eq!(host.counters().no_route, 2);
    // The question is about the gateway: the last of the frame's addresses.
    assert!(frames(&mut host).concat().ends_with(&[192, 0, 2, 254]));
}

#[test]
fn questions_are_repeated_until_they_are_given_up() {
    let mut host = host();
    host.send(Time::ZERO, sctp(v6(1), v6(2)));
    let mut questions = frames(&mut host).len();
    while let Some(due) = host.deadline() {
        host.expire(due);
        questions += frames(&mut host).len();
    }
    assert_eq!((questions, host.neighbours().lost()), (3, 1));
    assert_eq!(host.neighbours.poll_ask(), None::<Ask>);
}

#[test]
fn damaged_headers_are_counted() {
    let mut host = Host::new(Config::new(TWO, vec![(v4(2), 24), (v6(2), 64)]));
    let mut damaged = unhex(PACKET);
    damaged[22] ^= 1;
    for frame in [damaged, unhex(PACKET)[..30].to_vec(), unhex(PACKET6)[..50].to_vec()] {
        assert_eq!(host.receive(Time::ZERO, &frame), None);
    }
    assert_eq!(host.counters().malformed, 3);
    let mut damaged = unhex(SOLICITATION);
    damaged[0..6].copy_from_slice(&TWO.0);
    damaged[60] ^= 1;
    host.receive(Time::ZERO, &damaged);
    assert_eq!(frames(&mut host), [] as [Vec<u8>; 0]);
}

/// Whatever comes, a host says at most one thing to it, and knows no more neighbours than it may.
#[test]
fn any_frame_is_survived() {
    check!().with_type::<Vec<(u8, Vec<u8>)>>().for_each(|input| {
        let mut host = host();
        host.neighbours = Neighbours::new(Timing { neighbours: 4, ..Timing::default() });
        let known = [WHO_HAS, SOLICITATION, DETECTION, PACKET, PACKET6, ADVERTISEMENT];
        for (which, change) in input {
            let mut frame = unhex(known[usize::from(*which) % known.len()]);
            let at = usize::from(which / 6);
            for (byte, mask) in frame.iter_mut().skip(at).zip(change) {
                *byte ^= mask;
            }
            host.receive(Time::ZERO, &frame);
            assert!(frames(&mut host).len() <= 1);
        }
    });
}
