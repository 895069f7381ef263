//! Both engines on the same traffic, packet by packet.
//!
//! `PINION_LOCKSTEP` says how many packets (200,000), `PINION_LOCKSTEP_SEED` which, `PINION_LOCKSTEP_EVERY` after how
//! many the tables are compared (1,000). What differs is printed with what repeats it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::net::IpAddr;

use pinion_loader::kernel::{Kernel, PROGRAM};
use pinion_loader::setup::{ServiceSpec, Setup};
use pinion_loader::user::UserEngine;
use pinion_loader::{Bounds, Copies, Engine, INGRESS, LoadError, Maps, filters, sessions, tunnels};
use pinion_steering::{Address, Filter, Flow, FlowKey, Kind, Link, NextHop, Pin, PinKey, Reason, State, hop};
use testbeds::cases::dice::Dice;
use testbeds::cases::places::{A, A6, B, C, HOSTS, OURS, S, S6, U, mac, services};
use testbeds::cases::traffic::{Traffic, users};
use testbeds::missing::skipped;
use testbeds::packets::check::hex;
use testbeds::packets::sctp;
use testbeds::packets::sctp::data;

const BOUNDS: Bounds = Bounds {
    flows: 900,
    flows6: 150,
    pins: 64,
    filters: 256,
    fragments: 1 << 14,
    services: 256,
    sources: 128,
    targets: 512,
    maglev: 1 << 14,
};

/// How many packets a full table is left full.
const FULL: u32 = 300;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn the_engines_agree() {
    let packets = number("PINION_LOCKSTEP", 200_000);
    let seed = number("PINION_LOCKSTEP_SEED", 0x70_69_6e_69_6f_6e);
    let every = number("PINION_LOCKSTEP_EVERY", 1_000).max(1);
    let kernel = match Kernel::load_imagined(BOUNDS) {
        Ok(kernel) => kernel,
        Err(error @ (LoadError::Privilege { .. } | LoadError::Kernel { .. })) => {
            skipped(error);
            return;
        }
        Err(error) => panic!("{error}"),
    };
    println!("PINION_LOCKSTEP_SEED={seed} PINION_LOCKSTEP={packets}");
    let mut lockstep = Lockstep::new(kernel, seed);
    for packet in 0..packets {
        lockstep.turn(packet);
        lockstep.step(packet);
        if packet % every == every - 1 {
            lockstep.compare(packet);
        }
    }
    let seen = lockstep.user.counters().unwrap();
    let never: Vec<&str> =
        Reason::ALL.iter().zip(&seen).filter(|(_, count)| **count == 0).map(|(reason, _)| reason.name()).collect();
    println!("{} of {} reasons seen, never: {never:?}", Reason::COUNT - never.len(), Reason::COUNT);
    // What needs a table that is wrong, a link without headroom, a route that a replay does not imagine, or a
    // thousand errors in a tick.
    if packets >= 200_000 {
        let impossible = ["unresolved", "no_route", "no_headroom", "inconsistent", "error_limited"];
        assert!(never.iter().all(|name| impossible.contains(name)), "the traffic never makes {never:?}");
        assert_ne!(lockstep.user.copies_counted().unwrap().made, 0, "the traffic is never listened to");
    }
}

/// Nobody takes copies: packets go on as if somebody did, and the engines say alike how many were lost.
#[test]
fn copies_without_room_are_lost_and_packets_are_not() {
    let mut kernel = match Kernel::load_imagined(BOUNDS) {
        Ok(kernel) => kernel,
        Err(error @ (LoadError::Privilege { .. } | LoadError::Kernel { .. })) => return skipped(error),
        Err(error) => panic!("{error}"),
    };
    kernel.verify(PROGRAM).unwrap();
    let counted = [full(&mut UserEngine::new(BOUNDS)), full(&mut kernel)];
    assert_eq!(counted[0], counted[1]);
}

/// Fills the ring twice: how many copies were made and lost, and how long those that were made are.
fn full(engine: &mut dyn Engine) -> Vec<(Copies, Vec<usize>)> {
    const PACKETS: u64 = 2000;
    let mut services = services();
    services.iter_mut().filter(|service| service.name == "n2").for_each(|service| service.aware = true);
    let mut setup = Setup::default();
    setup.apply(engine, &services).unwrap();
    engine.put_link(INGRESS, &Link { lower: INGRESS, vlan: 0, address: OURS }).unwrap();
    let (own, base) = (setup.own("n2").unwrap(), setup.base("n2", "a").unwrap());
    let service = setup.id("n2").unwrap();
    let flow =
        Flow { target: base, from: own, tag: 6, service, state: State::Established as u8, ..Flow::default() };
    engine.put_flow(&FlowKey::association(5, 38412, 9487), &flow).unwrap();
    engine.imagine(1, 4).unwrap();
    let mut dice = Dice::new(7);
    (0..2)
        .map(|_| {
            let before = engine.copies_counted().unwrap();
            for packet in 0..PACKETS {
                let length = 4 * dice.below(400);
                let frame = sctp((C, 9487), (S, 38412), 5, &[data(&vec![packet as u8; length])]).bytes();
                assert_eq!(engine.run(&frame).unwrap().reason, Reason::Pinned);
            }
            let counted = engine.copies_counted().unwrap();
            let (made, lost) = (counted.made - before.made, counted.lost - before.lost);
            assert!(made + lost == PACKETS && lost > PACKETS / 10, "{counted:?}");
            let mut copies = Vec::new();
            while copies.len() < made as usize {
                copies.extend(engine.copies().unwrap().iter().map(|copied| copied.bytes.len()));
            }
            assert!(engine.copies().unwrap().is_empty());
            (counted, copies)
        })
        .collect()
}

struct Lockstep {
    user: UserEngine,
    kernel: Kernel,
    setups: [Setup; 2],
    traffic: Traffic,
    dice: Dice,
    seed: u64,
    tick: u32,
    full: u32,
}

impl Lockstep {
    fn new(mut kernel: Kernel, seed: u64) -> Self {
        kernel.verify(PROGRAM).unwrap();
        let mut lockstep = Self {
            user: UserEngine::new(BOUNDS),
            kernel,
            setups: [Setup::default(), Setup::default()],
            traffic: Traffic::new(seed, 35),
            dice: Dice::new(!seed),
            seed,
            tick: 1,
            full: 0,
        };
        lockstep
            .both(|engine| engine.put_link(INGRESS, &Link { lower: INGRESS, vlan: 0, address: OURS }).unwrap());
        lockstep.lay_out(&services());
        lockstep.teach();
        lockstep.both(|engine| engine.imagine(1, 4).unwrap());
        lockstep
    }

    fn both(&mut self, mut act: impl FnMut(&mut dyn Engine)) {
        act(&mut self.user);
        act(&mut self.kernel);
    }

    fn lay_out(&mut self, services: &[ServiceSpec]) {
        let [first, second] = &mut self.setups;
        first.apply(&mut self.user, services).unwrap();
        second.apply(&mut self.kernel, services).unwrap();
    }

    fn teach(&mut self) {
        let base = self.setups[0].base("n3", "b").unwrap();
        let service = self.setups[0].id("n3").unwrap();
        for teid in 1..16 {
            let key = PinKey { address: Address::from(if teid % 4 == 0 { S6 } else { S }), teid };
            let pin = Pin { target: base, teid: teid << (teid % 3), service, path: 0, flags: 0 };
            self.both(|engine| tunnels::put(engine, &key, &pin).unwrap());
            if teid % 2 == 0 {
                self.classify(&key);
            }
            self.both(|engine| tunnels::lead(engine, (Address::from(C), teid), Some(&pin)).unwrap());
        }
    }

    /// Gives a tunnel some filters, of what users of the traffic send.
    fn classify(&mut self, key: &PinKey) {
        let (exit, upf) = (self.setups[0].base("n3", "mec/m").unwrap(), self.setups[0].base("n3", "a").unwrap());
        let filters: Vec<Filter> = (0..self.dice.below(5)).map(|_| filter(&mut self.dice, exit, upf)).collect();
        self.both(|engine| {
            let pin = engine.read_pin(key).unwrap().unwrap();
            filters::put(engine, key, &pin, &filters).unwrap();
        });
    }

    /// Moves the clock, the services, next hops; empties full tables.
    fn turn(&mut self, packet: u64) {
        if packet.is_multiple_of(97) {
            self.tick += 1;
            let (tick, random) = (self.tick, self.dice.roll() as u32);
            self.both(|engine| engine.imagine(tick, random).unwrap());
            self.hop();
        }
        if packet % 5_003 == 5_002 {
            let mut services = services();
            for service in &mut services {
                service.aware = service.kind == Kind::Sctp && self.dice.chance(50);
            }
            for endpoint in services.iter_mut().flat_map(|service| &mut service.endpoints) {
                endpoint.weight = self.dice.below(3) as u32;
                endpoint.up = self.dice.chance(80);
            }
            self.lay_out(&services);
        }
        if packet % 211 == 210 {
            let teid = 1 + self.dice.below(15) as u32;
            let key = PinKey { address: Address::from(if teid.is_multiple_of(4) { S6 } else { S }), teid };
            self.classify(&key);
        }
        if self.full >= FULL {
            self.full = 0;
            self.compare(packet);
            for (key, flow) in self.user.flows().unwrap() {
                self.both(|engine| assert!(sessions::forget(engine, &key, &flow).unwrap()));
            }
        }
    }

    /// Caches a next hop of some kind.
    fn hop(&mut self) {
        let host: IpAddr = *[A, B, A6, C, U, HOSTS[1]].get(self.dice.below(6)).unwrap();
        let destination = Address::from(host);
        let next = NextHop {
            destination,
            ifindex: if self.dice.chance(50) { INGRESS } else { 7 },
            asked: self.tick,
            mtu: self.dice.pick(&[1500_u16, 60, 9000, u16::MAX]),
            vlan: self.dice.pick(&[0_u16, 100, 0x6001]),
            header: NextHop::link(mac(host), OURS),
            ..NextHop::default()
        };
        self.both(|engine| engine.put_hop(hop::slot(&destination), &next).unwrap());
    }

    fn step(&mut self, packet: u64) {
        let frame = self.traffic.next_frame();
        let user = self.user.run(&frame);
        let kernel = self.kernel.run(&frame);
        let again = format!("PINION_LOCKSTEP_SEED={} PINION_LOCKSTEP={}", self.seed, packet + 1);
        let (Ok(user), Ok(kernel)) = (&user, &kernel) else {
            panic!("packet {packet} fails, again by {again}\n{}\nuser   {user:?}\nkernel {kernel:?}", hex(&frame));
        };
        if user != kernel {
            panic!(
                "packet {packet} differs, again by {again}\n{}\nuser   {:?} {:?} {}\nkernel {:?} {:?} {}",
                hex(&frame),
                user.verdict,
                user.reason,
                hex(&user.bytes),
                kernel.verdict,
                kernel.reason,
                hex(&kernel.bytes)
            );
        }
        assert_eq!(
            self.user.events().unwrap(),
            self.kernel.events().unwrap(),
            "packet {packet}, again by {again}"
        );
        assert_eq!(
            self.user.copies().unwrap(),
            self.kernel.copies().unwrap(),
            "copies of packet {packet}, again by {again}"
        );
        self.full += u32::from(user.reason == Reason::FlowsFull);
        self.traffic.learn(user);
    }

    /// Compares all that packets change.
    fn compare(&mut self, packet: u64) {
        let again =
            format!("PINION_LOCKSTEP_SEED={} PINION_LOCKSTEP={} PINION_LOCKSTEP_EVERY=1", self.seed, packet + 1);
        let sorted = |mut flows: Vec<(FlowKey, Flow)>| {
            flows.sort_by_key(|(key, _)| *key);
            flows
        };
        let user = sorted(self.user.flows().unwrap());
        let kernel = sorted(self.kernel.flows().unwrap());
        let only = |left: &[(FlowKey, Flow)], right: &[(FlowKey, Flow)]| -> Vec<(FlowKey, Flow)> {
            left.iter().filter(|flow| !right.contains(flow)).copied().collect()
        };
        if user != kernel {
            panic!(
                "flows differ by packet {packet}, again by {again}\nuser   {:?}\nkernel {:?}",
                only(&user, &kernel),
                only(&kernel, &user)
            );
        }
        for target in 0..BOUNDS.targets {
            let (user, kernel) = (self.user.sessions(target).unwrap(), self.kernel.sessions(target).unwrap());
            assert_eq!(user, kernel, "sessions of {target}, again by {again}");
        }
        assert_eq!(self.user.counters().unwrap(), self.kernel.counters().unwrap(), "counters, again by {again}");
        let copies = [self.user.copies_counted().unwrap(), self.kernel.copies_counted().unwrap()];
        assert_eq!(copies[0], copies[1], "copies, again by {again}");
    }
}

/// A filter that matches some of what [`users`] send.
fn filter(dice: &mut Dice, exit: u32, upf: u32) -> Filter {
    let prefix = |dice: &mut Dice, address: IpAddr| match dice.below(3) {
        0 => (Address::default(), 0),
        1 => (Address::from(address), 128),
        _ => (Address::from(address), dice.below(129) as u8),
    };
    let range = |dice: &mut Dice| if dice.chance(60) { Filter::ANY_PORT } else { [0, dice.roll() as u16] };
    let [from, to] = users(dice.chance(50));
    let ((source, source_bits), (destination, destination_bits)) = (prefix(dice, from), prefix(dice, to));
    let leaves = dice.chance(50);
    Filter {
        source,
        destination,
        source_ports: range(dice),
        destination_ports: range(dice),
        target: if leaves { exit } else { upf },
        teid: if leaves { 0 } else { 1 + dice.below(60) as u32 },
        source_bits,
        destination_bits,
        protocol: dice.pick(&[0_u8, 0, 17, 6, 132]),
        reserved: 0,
    }
}
