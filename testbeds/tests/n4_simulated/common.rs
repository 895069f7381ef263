//! Machines, and what all tests do with them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use testbeds::n4::{Machine as _, Smf, SmfConfig, State, Tunnel, Upf, UpfConfig, Wire, Wish};
use testbeds::packets::ip::Ip;
use testbeds::packets::transport::{Payload, Udp};

pub(crate) const NOW: Duration = Duration::ZERO;
pub(crate) const BEYOND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 200);

pub(crate) fn smf_config(number: u8) -> SmfConfig {
    SmfConfig::at([192, 0, 2, number].into())
}

/// Users' addresses that it chooses are of a pool of its own.
pub(crate) fn upf_config(number: u8) -> UpfConfig {
    let pool = Some(([10, number, 0, 1].into(), 20_000));
    UpfConfig { pool, ..UpfConfig::at([192, 0, 2, number].into(), [198, 51, 100, number].into()) }
}

pub(crate) fn gnb(number: u32) -> Tunnel {
    Tunnel { teid: 0x8000_0000 | number, address: [203, 0, 113, 1].into() }
}

/// An SMF and an UPF that are associated.
pub(crate) fn pair(smf: SmfConfig, upf: UpfConfig) -> (Smf, Upf) {
    let (mut smf, mut upf) = (Smf::new(smf), Upf::new(upf));
    smf.associate(upf.socket(), NOW);
    Wire::perfect().run(&mut [&mut smf, &mut upf], NOW);
    assert!(smf.associations()[&upf.socket()].is_up());
    (smf, upf)
}

/// A session that is there, packets flowing.
pub(crate) fn session(smf: &mut Smf, upf: &mut Upf, wire: &mut Wire, wish: &Wish) -> u64 {
    let seid = smf.establish(upf.socket(), wish, NOW);
    wire.run(&mut [smf, upf], NOW);
    smf.activate(seid, gnb(seid as u32), NOW);
    wire.run(&mut [smf, upf], NOW);
    assert_eq!(smf.session(seid).unwrap().state, State::Established);
    seid
}

pub(crate) fn flawless(smf: &Smf, upf: &Upf) {
    assert_eq!((smf.violations(), upf.violations()), (&[][..], &[][..]));
}

/// A user's packet, or one for a user.
pub(crate) fn packet(from: Ipv4Addr, to: Ipv4Addr) -> Vec<u8> {
    let udp = Udp { ports: (40_000, 7), data: b"hello".to_vec(), ..Udp::default() };
    Ip::new(IpAddr::V4(from), IpAddr::V4(to), Payload::Udp(udp)).bytes()
}

/// The gNB's socket of the user plane.
pub(crate) fn radio() -> SocketAddr {
    "203.0.113.1:2152".parse().unwrap()
}
