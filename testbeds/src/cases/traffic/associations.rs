//! SCTP associations, and what may go wrong with them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::cases::dice::Dice;
use crate::cases::places::{A, A1, A6, A61, B, B1, B6, B61, S, S1, S6, S61, X, X6};
use crate::packets::sctp::{
    Chunk, Parameter, abort, address, address_types, asconf, asconf_ack, cookie, cookie_ack, cookie_echo, data,
    error, extensions, forward_tsn, heartbeat, heartbeat_ack, host_name, init, init_ack, padding, parameter, sack,
    shutdown, shutdown_ack, shutdown_complete,
};
use crate::packets::{Frame, sctp};

/// The associations that are under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Associations {
    all: Vec<Association>,
    /// Which one the last frame was of, where it was to the service.
    last: Option<usize>,
}

/// An association between a client and a service.
#[derive(Clone, Debug)]
struct Association {
    client: [IpAddr; 2],
    client_port: u16,
    service: Service,
    client_tag: u32,
    server_tag: u32,
    /// Endpoint a or b, once it is known.
    endpoint: Option<[IpAddr; 2]>,
}

/// A service: its addresses and port, its endpoints' port.
#[derive(Clone, Copy, Debug)]
struct Service {
    own: [IpAddr; 2],
    endpoints: [[IpAddr; 2]; 2],
    port: u16,
    endpoint_port: u16,
}

const SERVICES: [Service; 8] = [
    Service { own: [S, S1], endpoints: [[A, A1], [B, B1]], port: 38412, endpoint_port: 38412 },
    Service { own: [S, S1], endpoints: [[A, A1], [B, B1]], port: 36412, endpoint_port: 36422 },
    Service { own: [S, S1], endpoints: [[A, A1], [B, B1]], port: 38413, endpoint_port: 38413 },
    Service { own: [S6, S61], endpoints: [[A6, A61], [B6, B61]], port: 38412, endpoint_port: 38412 },
    Service { own: [S, S61], endpoints: [[A, A61], [B, B61]], port: 38416, endpoint_port: 38416 },
    Service { own: [S, S], endpoints: [[A, A], [B, B]], port: 5085, endpoint_port: 5085 },
    Service { own: [S, S], endpoints: [[A, A], [B, B]], port: 5087, endpoint_port: 5087 },
    Service { own: [S, S6], endpoints: [[A, A6], [B, B6]], port: 5090, endpoint_port: 5090 },
];

/// How many associations there are at a time.
const MOST: usize = 48;

impl Associations {
    pub(super) fn next_frame(&mut self, dice: &mut Dice) -> Frame {
        if self.all.len() < MOST {
            self.all.push(Association::new(dice));
        }
        let at = dice.below(self.all.len());
        self.last = Some(at);
        let mut fresh = Association::new(dice);
        let association = self.all.get_mut(at).unwrap_or(&mut fresh);
        if dice.chance(1) {
            *association = Association::new(dice);
        }
        association.next_frame(dice)
    }

    /// Where the last frame went.
    pub(super) fn learn(&mut self, frame: &[u8]) {
        let destination = match frame.get(12..14) {
            Some([0x08, 0x00]) => frame.get(30..34).and_then(|o| o.first_chunk::<4>()).map(|o| IpAddr::from(*o)),
            Some([0x86, 0xdd]) => frame.get(38..54).and_then(|o| o.first_chunk::<16>()).map(|o| IpAddr::from(*o)),
            _ => None,
        };
        if let Some(association) = self.last.take().and_then(|at| self.all.get_mut(at))
            && let Some(destination) = destination
        {
            let endpoints = association.service.endpoints;
            let known = endpoints.into_iter().find(|addresses| addresses.contains(&destination));
            association.endpoint = known.or(association.endpoint);
        }
    }
}

impl Association {
    fn new(dice: &mut Dice) -> Self {
        let service = SERVICES.get(dice.below(SERVICES.len())).copied().unwrap_or(SERVICES[0]);
        let host = 2 + dice.below(6) as u8;
        let address = |path: u8, own: &IpAddr| match own {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(192, path, 2, host)),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::new(0xfd00, u16::from(path), 1, 0, 0, 0, 0, u16::from(host))),
        };
        let [first, second] = &service.own;
        Self {
            client: [address(0, first), address(1, second)],
            // Ports and tags from so few that they collide.
            client_port: dice.pick(&[9487_u16, 9487, 9488, 38412]),
            service,
            client_tag: 1 + dice.below(200) as u32,
            server_tag: 1 + dice.below(200) as u32,
            endpoint: None,
        }
    }

    fn next_frame(&mut self, dice: &mut Dice) -> Frame {
        if dice.chance(3) {
            self.client_tag = dice.below(200) as u32;
        }
        if self.endpoint.is_none() || dice.chance(12) {
            let parameters = parameters(dice, &self.client);
            return self.request(dice, 0, &[init(self.client_tag, &parameters)]);
        }
        let (ours, theirs) = (self.client_tag, self.server_tag);
        let tag = |dice: &mut Dice, right, other| if dice.chance(93) { right } else { dice.pick(&[other, 0, 77]) };
        if dice.chance(50) {
            let (chunk, reflects) = from_client(dice);
            let tag = if reflects { tag(dice, ours, theirs) } else { tag(dice, theirs, ours) };
            return self.request(dice, tag, &chunk);
        }
        if dice.chance(25) {
            self.server_tag = if dice.chance(80) { self.server_tag } else { 1 + dice.below(200) as u32 };
            let own = self.endpoint.unwrap_or([A, A1]);
            let parameters = parameters(dice, &own);
            return self.answer(dice, ours, &[init_ack(self.server_tag, &parameters)]);
        }
        let (chunk, reflects) = from_endpoint(dice);
        let tag = if reflects { tag(dice, theirs, ours) } else { tag(dice, ours, theirs) };
        self.answer(dice, tag, &chunk)
    }

    fn request(&self, dice: &mut Dice, tag: u32, chunks: &[Chunk]) -> Frame {
        let (from, to) = path(dice, self.client, self.service.own);
        sctp((from, self.client_port), (to, self.service.port), tag, chunks)
    }

    fn answer(&self, dice: &mut Dice, tag: u32, chunks: &[Chunk]) -> Frame {
        let own = self.endpoint.unwrap_or([A, A1]);
        let (from, to) = path(dice, own, self.client);
        sctp((from, self.service.endpoint_port), (to, self.client_port), tag, chunks)
    }
}

/// A pair of addresses of one family: mostly those of one path, now and then crosswise.
fn path(dice: &mut Dice, from: [IpAddr; 2], to: [IpAddr; 2]) -> (IpAddr, IpAddr) {
    let ([a, b], [c, d]) = (from, to);
    match dice.below(10) {
        0 if a.is_ipv4() == d.is_ipv4() => (a, d),
        1..4 => (b, d),
        _ => (a, c),
    }
}

/// Chunks of a client, and whether their tag is reflected.
fn from_client(dice: &mut Dice) -> (Vec<Chunk>, bool) {
    let reflects = dice.chance(20);
    let flags = u8::from(reflects);
    match dice.weighted(&[30, 20, 10, 10, 4, 4, 4, 4, 3, 2, 3]) {
        0 => (vec![data(&payload(dice))], false),
        1 => (vec![cookie_echo(&[0xc0; 40])], false),
        2 => (vec![heartbeat(&[1, 2, 3, 4])], false),
        3 => (vec![sack(), data(&payload(dice))], false),
        4 => (vec![shutdown()], false),
        5 => (vec![shutdown_ack()], false),
        6 => (vec![shutdown_complete().flags(flags)], reflects),
        7 => (vec![abort().flags(flags)], reflects),
        8 => (vec![error()], false),
        9 => (vec![asconf(A, X)], false),
        _ => (vec![Chunk { bare: true, ..data(&payload(dice)) }], false),
    }
}

/// Chunks of an endpoint, and whether their tag is reflected.
fn from_endpoint(dice: &mut Dice) -> (Vec<Chunk>, bool) {
    let reflects = dice.chance(20);
    let flags = u8::from(reflects);
    match dice.weighted(&[30, 20, 10, 4, 4, 4, 4, 3, 2, 2]) {
        0 => (vec![data(&payload(dice))], false),
        1 => (vec![cookie_ack()], false),
        2 => (vec![heartbeat_ack(&[1, 2, 3, 4])], false),
        3 => (vec![shutdown()], false),
        4 => (vec![shutdown_ack()], false),
        5 => (vec![shutdown_complete().flags(flags)], reflects),
        6 => (vec![abort().flags(flags)], reflects),
        7 => (vec![error(), data(&payload(dice))], false),
        8 => (vec![asconf(A, X)], false),
        _ => (vec![asconf_ack()], false),
    }
}

fn payload(dice: &mut Dice) -> Vec<u8> {
    let most = if dice.chance(2) { 9300 } else { 120 };
    vec![0x5a; dice.below(most)]
}

/// Parameters of INIT or INIT ACK, in any order.
fn parameters(dice: &mut Dice, own: &[IpAddr; 2]) -> Vec<Parameter> {
    let count = dice.below(7);
    let mut parameters: Vec<Parameter> = (0..count).map(|_| one(dice)).collect();
    if dice.chance(3) {
        // About as many as are walked.
        parameters = vec![forward_tsn(); 60 + dice.below(8)];
    }
    for address_of_path in own {
        if dice.chance(80) {
            let at = dice.below(parameters.len() + 1);
            parameters.insert(at, address(*address_of_path));
        }
    }
    parameters
}

fn one(dice: &mut Dice) -> Parameter {
    match dice.below(12) {
        0 => address(X),
        1 => address(X6),
        2 => cookie(dice.below(400)),
        3 | 4 => {
            let count = dice.below(9);
            let kinds: Vec<u8> = (0..count).map(|_| dice.pick(&[0xc1_u8, 0x80, 0xc0, 0x0f, 0x82])).collect();
            extensions(&kinds)
        }
        5 => padding(dice.below(40)),
        6 => parameter(dice.roll() as u16, &[7; 6]),
        7 if dice.chance(20) => host_name(),
        8 if dice.chance(20) => parameter(5, &[1; 5]),
        9 => forward_tsn().length(dice.pick(&[4_u16, 4, 4, 4, 0, 3, 5, 900])),
        _ => address_types(),
    }
}
