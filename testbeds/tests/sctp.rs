//! Multi-homed associations between kernels, through a balancer that only forwards.

use std::net::IpAddr;
use std::time::Duration;

use testbeds::capture::Capture;
use testbeds::checksums::Judge;
use testbeds::missing::probe;
use testbeds::need;
use testbeds::patience::wait_for;
use testbeds::sctp::{Association, Connect, Server, Stack};
use testbeds::topology::{Host, Plan, Topology};

const PORT: u16 = 38412;
const CLIENT_PORT: u16 = 9487;
const PATIENCE: Duration = Duration::from_secs(20);

fn server(identity: &str, addresses: Vec<IpAddr>) -> Server {
    Server { identity: identity.to_owned(), addresses, port: PORT, streams: 4 }
}

/// Two clients with one source port; one loses a path under way and gets it back.
#[test]
fn associations_outlive_a_path() {
    need!(probe());
    let stack = need!(Stack::find());
    let plan = Plan { clients: 2, endpoints: 1, paths: 2, ..Plan::default() };
    let topology = Topology::build(&plan).unwrap();
    let endpoint = &topology.endpoints[0];
    let folder = tempfile::tempdir().unwrap();
    let captures: Vec<_> = endpoint
        .links
        .iter()
        .map(|link| {
            let file = folder.path().join(format!("path{}.pcap", link.path));
            Capture::start(&endpoint.namespace, &link.host.interface.name, &file).unwrap()
        })
        .collect();
    let mut amf = stack.start(endpoint).unwrap();
    let mut gnbs: Vec<_> = topology.clients.iter().map(|host| stack.start(host).unwrap()).collect();
    let all = [endpoint.addresses(false), endpoint.addresses(true)].concat();
    amf.serve(&server("amf1", all)).unwrap();
    // The first speaks IPv4, the second IPv6.
    for ((gnb, host), v6) in gnbs.iter_mut().zip(&topology.clients).zip([false, true]) {
        let connect = Connect::ngap("n2", host.addresses(v6), CLIENT_PORT, endpoint.addresses(v6), PORT);
        let association = gnb.connect(&connect).unwrap();
        assert_eq!(association.state, Association::ESTABLISHED);
        assert_eq!(association.source_port, CLIENT_PORT);
        assert_eq!(association.local, host.addresses(v6));
        assert_eq!(association.primary, endpoint.addresses(v6)[0]);
        // The server's INIT ACK lists every address of the families that the client can use.
        for address in endpoint.addresses(v6) {
            assert!(association.paths.contains_key(&address), "{association:?}");
        }
        let echoes = gnb.echo("n2", 20, 200, PATIENCE).unwrap();
        assert!(echoes.whole(), "{echoes:?}");
        assert_eq!(echoes.identities["amf1"], 20);
    }
    let served = amf.served(PORT).unwrap();
    assert_eq!(served.associations, 2);
    assert_eq!(served.ppids["60"], 40);
    assert_eq!(served.streams["0"], 20);
    assert_eq!(served.streams["1"], 20);

    for ((gnb, host), v6) in gnbs.iter_mut().zip(&topology.clients).zip([false, true]) {
        let primary = endpoint.addresses(v6)[0];
        gnb.start_flow("n2", 100, Duration::from_millis(10)).unwrap();
        topology.cut(host, 1).unwrap();
        wait_for(PATIENCE, || gnb.association("n2").unwrap().paths_that_are("inactive").contains(&primary));
        topology.restore(host, 1).unwrap();
        wait_for(PATIENCE, || gnb.association("n2").unwrap().paths_that_are("active").contains(&primary));
        let echoes = gnb.finish_flow("n2", PATIENCE).unwrap();
        assert!(echoes.whole(), "{echoes:?}");
        gnb.set_primary("n2", endpoint.addresses(v6)[1]).unwrap();
        assert_eq!(gnb.association("n2").unwrap().primary, endpoint.addresses(v6)[1]);
        assert!(gnb.echo("n2", 20, 200, PATIENCE).unwrap().whole());
    }
    gnbs[0].close("n2").unwrap();
    gnbs[1].abort("n2").unwrap();
    wait_for(PATIENCE, || amf.served(PORT).unwrap().associations == 0);
    let counters = amf.counters().unwrap();
    assert_eq!(counters["SctpChecksumErrors"], 0);
    assert_eq!((counters["SctpShutdowns"], counters["SctpAborteds"]), (1, 1));

    for capture in captures {
        let file = capture.path().to_owned();
        assert!(capture.finish().unwrap() > 0);
        let judge = need!(Judge::find());
        assert_eq!(judge.wrong_checksums(&file).unwrap(), []);
        // 0 is DATA: both paths have carried messages of each client and their echoes.
        for filter in ["sctp.chunk_type == 0 && ip", "sctp.chunk_type == 0 && ipv6"] {
            assert!(judge.count(&file, filter).unwrap() > 1, "{filter}");
        }
    }
}

/// A client's kernel is gone without a word and another comes in its place, on
/// three paths of both families.
#[test]
fn a_client_that_starts_anew_restarts_its_association() {
    need!(probe());
    let stack = need!(Stack::find());
    let plan = Plan { endpoints: 1, paths: 3, ..Plan::default() };
    let topology = Topology::build(&plan).unwrap();
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let all = |host: &Host| [host.addresses(false), host.addresses(true)].concat();
    let mut amf = stack.start(endpoint).unwrap();
    let connect = Connect::ngap("n2", all(client), CLIENT_PORT, all(endpoint), PORT);
    for life in 1..=2 {
        let mut gnb = stack.start(client).unwrap();
        if life == 1 {
            amf.serve(&server("amf1", all(endpoint))).unwrap();
        }
        let association = gnb.connect(&connect).unwrap();
        assert_eq!(association.paths.len(), 6, "{association:?}");
        assert!(gnb.echo("n2", 5, 8, PATIENCE).unwrap().whole());
        wait_for(PATIENCE, || gnb.association("n2").unwrap().paths_that_are("active").len() == 6);
        let served = amf.served(PORT).unwrap();
        assert_eq!((served.associations, served.messages), (1, 5 * life));
    }
}
