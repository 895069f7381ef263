//! Machines on sockets: an SMF and two gNBs as clients, an UPF as endpoint.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use testbeds::missing::probe;
use testbeds::n4::{Gnb, Machine as _, Plane, Running, Smf, SmfConfig, State, Tunnel, Upf, UpfConfig, Wish};
use testbeds::namespace::Namespace;
use testbeds::need;
use testbeds::peers::Echoes;
use testbeds::peers::gtpu::{self, Session};
use testbeds::python::Python;
use testbeds::topology::{Host, Plan, Topology};

use super::common::BEYOND;

const WAIT: Duration = Duration::from_secs(5);
/// How long what must not come is waited for.
const SHORT: Duration = Duration::from_millis(300);
const DOWNLINK: u32 = 0x2001;

#[test]
fn a_user_reaches_the_data_network() {
    need!(probe());
    let plan = Plan { clients: 2, endpoints: 1, ..Plan::default() };
    let topology = Topology::build(&plan).unwrap();
    let [control, radio] = &topology.clients[..] else { panic!("two clients") };
    let mut gnb = Gnb::start(&radio.namespace, SocketAddr::new(address(radio).into(), 2152)).unwrap();
    lives(&topology.endpoints[0], control, radio, |to, session, count, wait| {
        gnb.send(to, session, count, 64, wait).unwrap()
    });
    assert_eq!(gnb.errors().len(), 2);
}

/// The same, with packets of another's making.
#[test]
fn scapy_reaches_the_data_network() {
    need!(probe());
    let python = need!(Python::with_scapy());
    let plan = Plan { clients: 2, endpoints: 1, ..Plan::default() };
    let topology = Topology::build(&plan).unwrap();
    let [control, radio] = &topology.clients[..] else { panic!("two clients") };
    let local = SocketAddr::new(address(radio).into(), 2152);
    let mut gnb = gtpu::Gnb::start(&python, &radio.namespace, local).unwrap();
    gnb_pings(&mut gnb, &topology.endpoints[0]);
    lives(&topology.endpoints[0], control, radio, |to, session, count, wait| {
        gnb.send(to, session, count, 64, wait).unwrap()
    });
}

fn gnb_pings(gnb: &mut gtpu::Gnb, host: &Host) {
    let (upf, _plane) = upf(&host.namespace, address(host));
    gnb.ping(SocketAddr::new(address(host).into(), 2152), 77, WAIT).unwrap();
    drop(upf);
}

/// A session's life, and traffic in each part of it.
fn lives(
    endpoint: &Host,
    control: &Host,
    radio: &Host,
    mut send: impl FnMut(SocketAddr, &Session, u32, Duration) -> Echoes,
) {
    let (upf, _plane) = upf(&endpoint.namespace, address(endpoint));
    let smf = Smf::new(SmfConfig::at(address(control)));
    let smf = Running::start(&control.namespace, smf).unwrap();
    let to = SocketAddr::new(address(endpoint).into(), 8805);
    smf.with(|smf, now| smf.associate(to, now));
    assert!(smf.until(WAIT, |smf| smf.associations()[&to].is_up()));
    let wish = Wish { ue: None, ..Wish::default() };
    let seid = smf.with(|smf, now| smf.establish(to, &wish, now));
    assert!(smf.until(WAIT, |smf| smf.session(seid).unwrap().state == State::Established));
    let (tunnel, ue) = smf.with(|smf, _| {
        let session = smf.session(seid).unwrap();
        (session.uplink.unwrap(), session.ue.unwrap())
    });
    let session = Session {
        uplink: tunnel.teid,
        downlink: DOWNLINK,
        terminal: IpAddr::V4(ue),
        beyond: IpAddr::V4(BEYOND),
        qfi: Some(9),
    };
    let n3 = SocketAddr::new(tunnel.address.into(), 2152);

    // The user is idle: the answer is held, and reported once.
    assert_eq!(send(n3, &session, 2, SHORT).missing, 2);
    assert!(smf.until(WAIT, |smf| smf.session(seid).unwrap().reports.downlink == 1));
    let gnb = Tunnel { teid: DOWNLINK, address: address(radio) };
    smf.with(|smf, now| smf.activate(seid, gnb, now));
    assert!(smf.until(WAIT, Smf::is_quiet));
    let echoes = send(n3, &session, 5, WAIT);
    assert!(echoes.whole(), "{echoes:?}");
    assert_eq!(echoes.only_identity(), Some("upf9"));

    smf.with(|smf, now| smf.delete(seid, now));
    assert!(smf.until(WAIT, |smf| smf.session(seid).unwrap().state == State::Deleted));
    // Error Indications, which are no echoes.
    assert_eq!(send(n3, &session, 2, WAIT).wrong, 2);
    upf.with(|upf, _| {
        assert_eq!(upf.unknown().get(&session.uplink), Some(&2));
        assert_eq!(upf.violations(), []);
    });
    smf.with(|smf, _| assert_eq!(smf.violations(), []));
}

fn upf(namespace: &Namespace, address: Ipv4Addr) -> (Running<Upf>, Plane) {
    let pool = Some(([10, 60, 0, 1].into(), 100));
    let upf = Upf::new(UpfConfig { pool, ..UpfConfig::at(address, address) });
    assert_eq!(upf.socket().port(), 8805);
    let upf = Running::start(namespace, upf).unwrap();
    let plane = Plane::start(namespace, &upf, "upf9").unwrap();
    (upf, plane)
}

fn address(host: &Host) -> Ipv4Addr {
    match host.addresses(false)[0] {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => panic!("asked for IPv4"),
    }
}
