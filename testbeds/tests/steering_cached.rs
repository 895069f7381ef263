//! The common path, which rewrites by a cached next hop, does what the general one does.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::net::{IpAddr, Ipv4Addr};

use pinion_loader::setup::Setup;
use pinion_loader::user::UserEngine;
use pinion_loader::{Bounds, Engine as _, INGRESS, Maps as _};
use pinion_steering::{Address, Ask, NextHop, Pin, PinKey, Reason, hop};
use testbeds::cases::places::{A, B, C, HOSTS, S, U, services};
use testbeds::cases::traffic::Traffic;
use testbeds::packets::check::hex;

const PACKETS: u32 = 50_000;
/// Where next hops are cached: by address; by target the general path keeps them.
fn places() -> Vec<Address> {
    let clients = (2..14).map(|host| IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)));
    [A, B, C, U].into_iter().chain(HOSTS).chain(clients).map(Address::from).collect()
}

/// What a replay imagines, cached: so both paths have the same next hop.
fn cached(engine: &mut UserEngine, places: &[Address], tick: u32) {
    for &destination in places {
        let ask = Ask { source: destination, destination, length: 0, class: 0, protocol: 0, vlan: 0 };
        let next = NextHop { asked: tick, ..hop::imagined(&ask, INGRESS) };
        engine.put_hop(hop::slot(&destination), &next).unwrap();
    }
}

fn engine() -> UserEngine {
    let mut engine = UserEngine::new(Bounds::default());
    let mut setup = Setup::default();
    setup.apply(&mut engine, &services()).unwrap();
    let (base, service) = (setup.base("n3", "b").unwrap(), setup.id("n3").unwrap());
    for teid in 1..16 {
        let pin = Pin { target: base, teid: teid << (teid % 3), service, path: 0, flags: 0 };
        engine.put_pin(&PinKey { address: Address::from(S), teid }, &pin).unwrap();
    }
    engine
}

#[test]
fn the_common_path_does_what_the_general_one_does() {
    let (mut common, mut general) = (engine(), engine());
    let places = places();
    let mut traffic = Traffic::new(0x6361_6368_6564, 20);
    let mut carried = 0;
    for packet in 0..PACKETS {
        let frame = traffic.next_frame();
        // An imagined next hop has the tag that the packet came with, a cached one its own.
        if frame.get(12..14) != Some(&[8, 0]) {
            continue;
        }
        let tick = 1 + packet / 1_000;
        for engine in [&mut common, &mut general] {
            engine.imagine(tick, packet).unwrap();
        }
        cached(&mut common, &places, tick);
        let (left, right) = (common.run(&frame).unwrap(), general.run(&frame).unwrap());
        assert_eq!(left, right, "packet {packet}: {}", hex(&frame));
        carried += u32::from(matches!(left.reason, Reason::Pinned | Reason::Replied));
        traffic.learn(&left);
    }
    assert!(carried > PACKETS / 10, "{carried} packets were of known sessions");
}
