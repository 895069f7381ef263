//! Neighbours are told where service addresses are: at the start, at a reload, and when an interface comes back; at
//! the start not before the pins of the store are there.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::net::IpAddr;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, socket};
use testbeds::daemon::{Configuration, Place, Redis, Served};
use testbeds::need;
use testbeds::scenario::{Service, probe, wake};
use testbeds::topology::{Families, Host, Plan, Topology};

const BINARY: &str = env!("CARGO_BIN_EXE_daemon");
const PATIENCE: Duration = Duration::from_secs(20);

/// Hears every frame of a host.
struct Ear(std::os::fd::OwnedFd);

impl Ear {
    fn new(host: &Host) -> Self {
        let flags = SockFlag::SOCK_NONBLOCK;
        let open = || socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll);
        Self(host.namespace.run(open).unwrap().unwrap())
    }

    /// How many announcements of an address are heard until nothing comes for a moment.
    fn announced(&self, address: IpAddr) -> usize {
        let mut heard = 0;
        let mut frame = [0; 2048];
        while let Ok(length) = recv(self.0.as_raw_fd(), &mut frame, MsgFlags::empty()) {
            heard += usize::from(announces(&frame[..length], address));
        }
        heard
    }

    fn wait(&self, address: IpAddr, times: usize) {
        let (end, mut heard) = (Instant::now() + PATIENCE, 0);
        while heard < times {
            assert!(Instant::now() < end, "{heard} announcements of {address} within {PATIENCE:?}, not {times}");
            heard += self.announced(address);
            sleep(Duration::from_millis(50));
        }
    }
}

/// ARP whose sender and target are the address (RFC 5227 3), or an unsolicited advertisement to all nodes.
fn announces(frame: &[u8], address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            frame.starts_with(&[0xff; 6])
                && frame[12..14] == [8, 6]
                && frame[28..32] == address.octets()
                && frame[38..42] == address.octets()
        }
        IpAddr::V6(address) => {
            frame.starts_with(&[0x33, 0x33, 0, 0, 0, 1])
                && frame.get(54) == Some(&136)
                && frame.get(62..78) == Some(&address.octets()[..])
        }
    }
}

/// A service of IPv4 at this address alone.
fn served(topology: &Topology, address: IpAddr) -> Served {
    Served { addresses: vec![address.to_string()], ..Served::by_all(Service::udp(false), topology) }
}

/// An address in the same network that nobody has.
fn beside(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            IpAddr::from([a, b, c, 99])
        }
        IpAddr::V6(v6) => {
            let mut segments = v6.segments();
            segments[7] = 0x99;
            IpAddr::from(segments)
        }
    }
}

#[test]
fn neighbours_are_told_at_the_start_at_a_reload_and_when_an_interface_comes_back() {
    need!(probe());
    let plan = Plan { clients: 1, endpoints: 1, families: Families::Both, ..Plan::default() };
    let topology = Topology::build(&plan).unwrap();
    let _wakers = wake(&topology).unwrap();
    let client = &topology.clients[0];
    let [v4, v6] = [false, true].map(|v6| beside(client.addresses(v6)[0]));
    let ear = Ear::new(client);
    let place = Place::new(BINARY).unwrap();
    let first = served(&topology, v4);
    place.configure(&Configuration::of(&topology, vec![first.clone()])).unwrap();
    let mut daemon = place.start(&topology.balancer).unwrap();
    // A request and a reply, three times.
    ear.wait(v4, 6);

    let second = Served { addresses: vec![v6.to_string()], ..Served::by_all(Service::udp(true), &topology) };
    place.configure(&Configuration::of(&topology, vec![first, second])).unwrap();
    daemon.reload().unwrap();
    ear.wait(v6, 3);
    sleep(Duration::from_secs(3));
    assert_eq!((ear.announced(v4), ear.announced(v6)), (0, 0), "announced for ever\n{}", daemon.log());

    topology.cut(client, 1).unwrap();
    sleep(Duration::from_secs(3));
    topology.restore(client, 1).unwrap();
    ear.wait(v4, 6);
}

#[test]
fn what_the_store_has_is_restored_before_an_address_is_announced() {
    need!(probe());
    let program = need!(Redis::find());
    let topology = Topology::build(&Plan { clients: 1, endpoints: 1, ..Plan::default() }).unwrap();
    let _wakers = wake(&topology).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("redis.sock");
    let _redis = Redis::start(&program, &topology.balancer, &socket).unwrap();
    let address = beside(topology.clients[0].addresses(false)[0]);
    let ear = Ear::new(&topology.clients[0]);
    let place = Place::new(BINARY).unwrap();
    place.configure(&stored(&topology, address, &socket)).unwrap();
    let daemon = place.start(&topology.balancer).unwrap();
    ear.wait(address, 2);
    let log = daemon.log();
    let (restored, announced) = (log.find("restored"), log.find("announced to the neighbours"));
    assert!(restored.is_some() && restored < announced, "{log}");
}

fn stored(topology: &Topology, address: IpAddr, socket: &Path) -> Configuration {
    let more = format!("store: '{}'\n", Redis::address(socket));
    Configuration { more, ..Configuration::of(topology, vec![served(topology, address)]) }
}
