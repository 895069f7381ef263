//! GTP-U whose packets scapy builds and reads, through XDP.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use pinion_loader::setup::ServiceSpec;
use pinion_loader::{Maps as _, tunnels};
use pinion_steering::{Address, Pin, PinKey, Reason, Unknown};
use testbeds::checksums::Judge;
use testbeds::need;
use testbeds::peers::gtpu::{Gnb, Session, Told, Upf};
use testbeds::python::Python;
use testbeds::scenario::{Captures, Scenario, Service, probe};
use testbeds::topology::{Plan, Topology};

const WAIT: Duration = Duration::from_secs(5);
/// How many user packets of a size that no link here carries in one piece go through each tunnel, and their size.
const LARGE: (u32, usize) = (2, 3000);
/// How long an answer is waited for that must not come.
const SHORT: Duration = Duration::from_millis(300);
/// Tunnels: the client's uplink TEID, who has it and by which TEID, and the downlink TEID.
const TUNNELS: [(u32, usize, u32, u32); 3] =
    [(0x1001, 0, 0x1001, 0x2001), (0x1002, 1, 0x5002, 0x2002), (0x1003, 1, 0xfedc_ba98, 0x2003)];
const STRANGER: u32 = 0x1004;
/// A tunnel that its endpoint has lost: as the client knows it, and as the endpoint did.
const TAUGHT: (u32, u32) = (0x1005, 0x0a0b_0c0d);

#[test]
fn tunnels_over_ipv4() {
    tunnels(false);
}

#[test]
fn tunnels_over_ipv6() {
    tunnels(true);
}

fn tunnels(v6: bool) {
    need!(probe());
    let python = need!(Python::with_scapy());
    let topology = Topology::build(&Plan::default()).unwrap();
    let service = Service::gtpu(v6);
    let mut scenario = Scenario::start(&topology, &[service.spec(&topology)]).unwrap();
    let mut captures = Captures::start(&topology).unwrap();
    for (uplink, owner, teid, _) in TUNNELS {
        let key = PinKey { address: Address::from(service.socket().ip()), teid: uplink };
        let target = scenario.setup.base(service.name, &topology.endpoints[owner].name).unwrap();
        let id = scenario.setup.id(service.name).unwrap();
        scenario.kernel.put_pin(&key, &Pin { target, teid, service: id, path: 0, flags: 0 }).unwrap();
    }
    let upfs = topology.endpoints.iter().enumerate().map(|(number, host)| {
        let of_host = TUNNELS.iter().filter(|(_, owner, _, _)| *owner == number);
        let tunnels: BTreeMap<_, _> = of_host.map(|(_, _, teid, downlink)| (*teid, *downlink)).collect();
        let (addresses, port) = (host.addresses(v6), service.endpoint_port);
        Upf::start(&python, &host.namespace, &host.name, &addresses, port, &tunnels).unwrap()
    });
    let mut upfs: Vec<_> = upfs.collect();
    let client = &topology.clients[0];
    let local = SocketAddr::new(client.addresses(v6)[0], service.port);
    let mut gnb = Gnb::start(&python, &client.namespace, local).unwrap();

    // An endpoint would answer too: that none was asked is seen below.
    gnb.ping(service.socket(), 4711, WAIT).unwrap();
    assert_eq!(scenario.count(Reason::EchoAnswered).unwrap(), 1);

    for (uplink, owner, _, downlink) in TUNNELS {
        let qfi = (uplink & 1 == 1).then_some(9);
        let session = Session { qfi, ..session(uplink, downlink) };
        // An answer from another address than the service's is no echo.
        let echoes = gnb.send(service.socket(), &session, 5, 100, WAIT).unwrap();
        assert!(echoes.whole(), "{uplink:#x}: {echoes:?}, {:?}", scenario.counted().unwrap());
        assert_eq!(echoes.only_identity(), Some(topology.endpoints[owner].name.as_str()));
    }
    let echoes = gnb.send(service.socket(), &session(STRANGER, 0x2004), 2, 100, SHORT).unwrap();
    assert_eq!(echoes.missing, 2, "{echoes:?}");
    assert_eq!(scenario.count(Reason::UnknownTunnel).unwrap(), 2);
    let [pinned, replied, unresolved] =
        [Reason::Pinned, Reason::Replied, Reason::Unresolved].map(|reason| scenario.count(reason).unwrap());
    assert_eq!(pinned + replied + unresolved, 2 * 15, "{:?}", scenario.counted().unwrap());
    assert!(unresolved <= 3);
    for (number, upf) in upfs.iter_mut().enumerate() {
        let of_host = TUNNELS.iter().filter(|(_, owner, _, _)| *owner == number);
        let served = upf.served().unwrap();
        assert_eq!(served.packets, of_host.map(|(_, _, teid, _)| (*teid, 5)).collect());
        assert_eq!(served.unknown, BTreeMap::new());
    }
    for (uplink, owner, _, downlink) in TUNNELS {
        let session = session(uplink, downlink);
        let echoes = gnb.send(service.socket(), &session, LARGE.0, LARGE.1, WAIT).unwrap();
        assert!(echoes.whole(), "{uplink:#x}: {echoes:?}, {:?}", scenario.counted().unwrap());
        assert_eq!(echoes.only_identity(), Some(topology.endpoints[owner].name.as_str()));
    }
    // In three pieces, there and back.
    assert_eq!(scenario.count(Reason::Followed).unwrap(), 3 * u64::from(LARGE.0) * 2 * 2);

    captures.finish().unwrap();
    let judge = need!(Judge::find());
    assert_eq!(captures.wrong_checksums(&judge, &topology).unwrap(), []);
    for host in &topology.endpoints {
        assert_eq!(judge.count(&captures.file(host, 1), "gtp.message == 1").unwrap(), 0);
    }
    let translated = captures.file(&topology.endpoints[1], 1);
    assert_eq!(
        judge.count(&translated, "gtp.teid == 0xfedcba98 && gtp.ext_hdr.pdu_ses_con.qos_flow_id == 9").unwrap(),
        5
    );
    assert_eq!(judge.count(&translated, "gtp.teid == 0x5002").unwrap(), 5 + LARGE.0 as usize);
    let back = captures.file(client, 1);
    let source = service.socket().ip();
    let family = if v6 { "ipv6.src" } else { "ip.src" };
    assert_eq!(
        judge.count(&back, &format!("gtp.message == 255 && {family} == {source}")).unwrap(),
        15 + 3 * LARGE.0 as usize
    );
    assert_eq!(judge.count(&back, &format!("gtp.message == 2 && {family} == {source}")).unwrap(), 1);
}

#[test]
fn nobody_knows_the_tunnel_over_ipv4() {
    nobody_knows(false);
}

#[test]
fn nobody_knows_the_tunnel_over_ipv6() {
    nobody_knows(true);
}

fn nobody_knows(v6: bool) {
    need!(probe());
    let python = need!(Python::with_scapy());
    let topology = Topology::build(&Plan::default()).unwrap();
    let service = Service::gtpu(v6);
    let spec = ServiceSpec { unknown: Unknown::Indicate, ..service.spec(&topology) };
    let mut scenario = Scenario::start(&topology, &[spec]).unwrap();
    // The endpoint has none of the tunnels that it is said to have.
    let host = &topology.endpoints[1];
    let key = PinKey { address: Address::from(service.socket().ip()), teid: TAUGHT.0 };
    let target = scenario.setup.base(service.name, &host.name).unwrap();
    let id = scenario.setup.id(service.name).unwrap();
    let pin = Pin { target, teid: TAUGHT.1, service: id, path: 0, flags: 0 };
    tunnels::put(&mut scenario.kernel, &key, &pin).unwrap();
    let addresses = host.addresses(v6);
    let mut upf =
        Upf::start(&python, &host.namespace, &host.name, &addresses, service.endpoint_port, &BTreeMap::new())
            .unwrap();
    let mut captures = Captures::start(&topology).unwrap();
    let client = &topology.clients[0];
    let local = SocketAddr::new(client.addresses(v6)[0], service.port);
    let mut gnb = Gnb::start(&python, &client.namespace, local).unwrap();

    let (address, port) = (service.socket().ip(), service.port);
    let told = gnb.told(service.socket(), STRANGER, WAIT).unwrap();
    assert_eq!(told, Told { from: (address, port), teid: STRANGER, address });
    assert_eq!(scenario.count(Reason::IndicationAnswered).unwrap(), 1);

    let told = gnb.told(service.socket(), TAUGHT.0, WAIT).unwrap();
    assert_eq!(told, Told { from: (address, port), teid: TAUGHT.0, address });
    assert_eq!(upf.served().unwrap().unknown, BTreeMap::from([(TAUGHT.1, 1)]));

    captures.finish().unwrap();
    let judge = need!(Judge::find());
    assert_eq!(captures.wrong_checksums(&judge, &topology).unwrap(), []);
    let named = format!("gtp.message == 26 && gtp.teid_data == {STRANGER:#x} && udp.srcport == 2152");
    assert_eq!(judge.count(&captures.file(client, 1), &named).unwrap(), 1);
}

fn session(uplink: u32, downlink: u32) -> Session {
    Session {
        uplink,
        downlink,
        terminal: "10.60.0.1".parse().unwrap(),
        beyond: "192.0.2.1".parse().unwrap(),
        qfi: None,
    }
}
