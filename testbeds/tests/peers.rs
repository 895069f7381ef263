//! Each kind of peer through a balancer that only forwards.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use testbeds::capture::Capture;
use testbeds::checksums::Judge;
use testbeds::missing::probe;
use testbeds::namespace::Namespace;
use testbeds::need;
use testbeds::peers::{gtpu, tcp, udp};
use testbeds::python::Python;
use testbeds::topology::{Host, Plan, Topology};

const WAIT: Duration = Duration::from_secs(5);

fn all(host: &Host) -> Vec<IpAddr> {
    [host.addresses(false), host.addresses(true)].concat()
}

fn at(addresses: &[IpAddr], port: u16) -> Vec<SocketAddr> {
    addresses.iter().map(|address| SocketAddr::new(*address, port)).collect()
}

#[test]
fn udp_and_tcp_reach_each_endpoint_on_each_path() {
    need!(probe());
    let plan = Plan { clients: 1, endpoints: 2, paths: 2, ..Plan::default() };
    let topology = Topology::build(&plan).unwrap();
    let client = &topology.clients[0];
    let folder = tempfile::tempdir().unwrap();
    let capture = Capture::start(&client.namespace, "path1", &folder.path().join("it.pcap")).unwrap();
    for endpoint in &topology.endpoints {
        let sockets = at(&all(endpoint), 7000);
        let udp_server = udp::Server::start(&endpoint.namespace, &endpoint.name, &sockets).unwrap();
        let tcp_server = tcp::Server::start(&endpoint.namespace, &endpoint.name, &sockets).unwrap();
        for (server, local) in sockets.iter().zip(all(client)) {
            let local = SocketAddr::new(local, 5000);
            let mut flow = udp::Client::bind(&client.namespace, local).unwrap();
            let echoes = flow.exchange(*server, 5, 100, WAIT).unwrap();
            assert!(echoes.whole(), "{server}: {echoes:?}");
            assert_eq!(echoes.only_identity(), Some(endpoint.name.as_str()));
            let mut connection = tcp::Client::connect(&client.namespace, *server, WAIT).unwrap();
            // As long as a segment takes several.
            let echoes = connection.exchange(5, 10_000, WAIT).unwrap();
            assert!(echoes.whole(), "{server}: {echoes:?}");
            assert_eq!(echoes.only_identity(), Some(endpoint.name.as_str()));
        }
        assert_eq!((udp_server.messages(), tcp_server.messages()), (20, 20));
    }
    let file = capture.path().to_owned();
    assert!(capture.finish().unwrap() > 0);
    let judge = need!(Judge::find());
    assert_eq!(judge.wrong_checksums(&file).unwrap(), []);
    // Only the first path's; nothing was merged on its way.
    assert_eq!(judge.count(&file, "ip.addr == 10.2.0.0/16").unwrap(), 0);
    assert_eq!(judge.count(&file, "frame.len > 1514").unwrap(), 0);
    assert!(judge.count(&file, "tcp && frame.len == 1514").unwrap() > 0);
}

#[test]
fn a_cut_path_carries_nothing_until_it_is_restored() {
    need!(probe());
    let topology = Topology::build(&Plan { paths: 2, ..Plan::default() }).unwrap();
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let sockets = at(&all(endpoint), 7000);
    let _server = udp::Server::start(&endpoint.namespace, "it", &sockets).unwrap();
    let mut flow = udp::Client::bind(&client.namespace, "[::]:5000".parse().unwrap()).unwrap();
    let short = Duration::from_millis(200);
    let second = sockets.iter().find(|socket| socket.ip() == endpoint.addresses(true)[1]).unwrap();
    let first = sockets.iter().find(|socket| socket.ip() == endpoint.addresses(true)[0]).unwrap();
    assert!(flow.exchange(*second, 1, 8, WAIT).unwrap().whole());
    topology.cut(client, 2).unwrap();
    assert_eq!(flow.exchange(*second, 1, 8, short).unwrap().missing, 1);
    assert!(flow.exchange(*first, 1, 8, WAIT).unwrap().whole());
    topology.restore(client, 2).unwrap();
    assert!(flow.exchange(*second, 1, 8, WAIT).unwrap().whole());
}

#[test]
fn gtpu_goes_up_one_tunnel_and_down_another() {
    need!(probe());
    let python = need!(Python::with_scapy());
    let topology = Topology::build(&Plan::default()).unwrap();
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let folder = tempfile::tempdir().unwrap();
    let capture = Capture::start(&endpoint.namespace, "path1", &folder.path().join("it.pcap")).unwrap();
    let tunnels = BTreeMap::from([(0x1001, 0x2001)]);
    let address = endpoint.addresses(false)[0];
    let mut upf = gtpu::Upf::start(&python, &endpoint.namespace, "upf1", &[address], 2152, &tunnels).unwrap();
    let local = SocketAddr::new(client.addresses(false)[0], 2152);
    let mut gnb = gtpu::Gnb::start(&python, &client.namespace, local).unwrap();
    let to = SocketAddr::new(address, 2152);
    gnb.ping(to, 77, WAIT).unwrap();
    let session = gtpu::Session {
        uplink: 0x1001,
        downlink: 0x2001,
        terminal: "10.60.0.1".parse().unwrap(),
        beyond: "192.0.2.1".parse().unwrap(),
        qfi: Some(9),
    };
    let echoes = gnb.send(to, &session, 5, 64, WAIT).unwrap();
    assert!(echoes.whole(), "{echoes:?}");
    assert_eq!(echoes.only_identity(), Some("upf1"));
    // A tunnel that the UPF does not have is answered by Error Indication, which is no echo.
    let stranger = gtpu::Session { uplink: 0x3001, ..session };
    assert_eq!(gnb.send(to, &stranger, 2, 64, WAIT).unwrap().wrong, 2);
    let served = upf.served().unwrap();
    assert_eq!(served.packets, BTreeMap::from([(0x1001, 5)]));
    assert_eq!(served.unknown, BTreeMap::from([(0x3001, 2)]));

    let file = capture.path().to_owned();
    capture.finish().unwrap();
    let judge = need!(Judge::find());
    assert_eq!(judge.wrong_checksums(&file).unwrap(), []);
    assert_eq!(judge.count(&file, "gtp.teid == 0x1001 && gtp.ext_hdr.pdu_ses_con.qos_flow_id == 9").unwrap(), 5);
    assert_eq!(judge.count(&file, "gtp.teid == 0x2001").unwrap(), 5);
    assert_eq!(judge.count(&file, "gtp.message == 26").unwrap(), 2);
}

/// A checksum that is wrong is found: the judge is not blind.
#[test]
fn a_wrong_checksum_is_found() {
    need!(probe());
    let judge = need!(Judge::find());
    let [one, other] = [Namespace::new().unwrap(), Namespace::new().unwrap()];
    one.link_to(&other, &testbeds::namespace::Veth::named("here", "there")).unwrap();
    // Checksums are left to a network card that is not there.
    one.set_features("here", &[("tx-checksum-ip-generic", true)]).unwrap();
    one.add_address("here", "10.0.0.1".parse().unwrap(), 24).unwrap();
    other.add_address("there", "10.0.0.2".parse().unwrap(), 24).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let capture = Capture::start(&one, "here", &folder.path().join("it.pcap")).unwrap();
    let mut flow = udp::Client::bind(&one, "10.0.0.1:1".parse().unwrap()).unwrap();
    let server = udp::Server::start(&other, "it", &["10.0.0.2:2".parse().unwrap()]).unwrap();
    assert!(flow.exchange("10.0.0.2:2".parse().unwrap(), 1, 8, WAIT).unwrap().whole());
    drop(server);
    let file = capture.path().to_owned();
    capture.finish().unwrap();
    let wrong = judge.wrong_checksums(&file).unwrap();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(wrong[0].protocol, "udp");
}
