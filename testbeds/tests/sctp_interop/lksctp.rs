//! Against `sctp_test` of lksctp-tools, the kernel developers' own test program, on Linux's SCTP.

use std::collections::BTreeMap;
use std::net::IpAddr;

use pinion_transport::{Connect as Begin, Event, Message};
use testbeds::missing::{find_program, probe};
use testbeds::need;
use testbeds::sctp::{Peer, Stack};

use super::common::{
    CLIENT_PORT, Captures, Ours, PORT, PROTOCOL, next, payload, topology, until, until_confirmed,
};

const PROGRAM: &str = "sctp_test";
const REMEDY: &str = "install lksctp-tools";
/// Sizes that it sends in its case 4, and with it we to it.
const SIZES: [usize; 10] = [1, 1_000, 2_000, 3_000, 5_000, 10_000, 15_000, 20_000, 25_000, 32_768];
/// How often it sends each of them.
const REPEATS: usize = 5;

/// The program on some addresses of its host.
fn run(peer: &mut Peer, name: &str, own: &[IpAddr], port: u16, rest: &[&str]) {
    let mut arguments = vec![PROGRAM.to_owned(), "-H".into(), own[0].to_string(), "-P".into(), port.to_string()];
    for more in &own[1..] {
        arguments.extend(["-B".to_owned(), more.to_string()]);
    }
    arguments.extend(rest.iter().map(|&one| one.to_owned()));
    peer.run(name, &arguments).unwrap();
}

/// Sizes of the messages on stream 0 that it says it has received. The kernel may give it one in pieces.
fn heard(output: &str) -> Vec<usize> {
    let mut sizes = BTreeMap::new();
    for part in output.split("recvmsg(") {
        let Some((size, rest)) = part.split_once("Data ").and_then(|(_, rest)| rest.split_once(" bytes")) else {
            continue;
        };
        // It says no number of the very first.
        let number = rest.split_once(" ssn=").and_then(|(_, rest)| rest.split_once(' '));
        let number: usize = number.map_or(0, |(number, _)| number.parse().unwrap());
        *sizes.entry(number).or_default() += size.parse::<usize>().unwrap();
    }
    sizes.into_values().collect()
}

#[test]
fn sctp_test_connects_to_us() {
    need!(probe());
    need!(find_program(PROGRAM, REMEDY));
    let stack = need!(Stack::find());
    let topology = topology(2);
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let captures = Captures::start(&topology);
    let ours = Ours::in_place_of(endpoint);
    let mut listener = ours.listen();
    let mut peer = stack.start(client).unwrap();
    peer.ready().unwrap();
    for (name, v6) in [("v4", false), ("v6", true)] {
        let own = client.addresses(v6);
        let (to, port, repeats) = (endpoint.addresses(v6)[0].to_string(), PORT.to_string(), REPEATS.to_string());
        // Case 4, all of it in order, on streams 0 to 3.
        let rest = ["-h", &to, "-p", &port, "-s", "-c", "4", "-x", &repeats, "-o", "1", "-M", "3"];
        run(&mut peer, name, &own, CLIENT_PORT, &rest);
        let (mut lengths, paths) = ours.wait(async {
            let association = listener.accept().await.unwrap();
            let (mut lengths, mut paths) = (Vec::new(), Vec::new());
            loop {
                match association.receive().await.unwrap() {
                    Event::Message(message) => {
                        assert!(message.stream <= 3, "{}", message.stream);
                        lengths.push(message.payload.len());
                        paths = association.paths().iter().map(|path| path.remote).collect();
                    }
                    Event::Closed => break (lengths, paths),
                    event => assert!(!event.is_last(), "{event:?}"),
                }
            }
        });
        until(|| peer.ran(name).unwrap().status.is_some());
        let ran = peer.ran(name).unwrap();
        assert_eq!(ran.status, Some(0), "{}", ran.output);
        lengths.sort_unstable();
        assert_eq!(lengths, SIZES.map(|size| [size; REPEATS]).concat());
        assert!(own.iter().all(|address| paths.contains(address)), "{paths:?}");
    }
    assert_eq!(peer.counters().unwrap()["SctpChecksumErrors"], 0);
    drop(peer);
    assert!(captures.judge().is_none_or(|packets| packets > 300));
}

#[test]
fn we_connect_to_sctp_test() {
    need!(probe());
    need!(find_program(PROGRAM, REMEDY));
    let stack = need!(Stack::find());
    let topology = topology(2);
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let captures = Captures::start(&topology);
    let mut peer = stack.start(endpoint).unwrap();
    let ours = Ours::in_place_of(client);
    for (name, v6, port) in [("v4", false, PORT), ("v6", true, PORT + 1)] {
        let ends = endpoint.addresses(v6);
        run(&mut peer, name, &ends, port, &["-l"]);
        until(|| peer.ran(name).unwrap().output.contains("Server: Receiving packets"));
        let begin = Begin { addresses: client.addresses(v6), ..Begin::to(ends.clone(), port) };
        let association = ours.connect(begin);
        ours.wait(next(&association, |event| matches!(event, Event::Established { .. })));
        until_confirmed(&association, ends.len());
        for cut in [false, true] {
            if cut {
                topology.cut(endpoint, 1).unwrap();
            }
            for size in SIZES {
                ours.wait(association.send(Message::new(0, PROTOCOL, payload(size).into()))).unwrap();
            }
            let times = if cut { 2 } else { 1 };
            until(|| heard(&peer.ran(name).unwrap().output) == SIZES.repeat(times));
        }
        topology.restore(endpoint, 1).unwrap();
        ours.close(&association);
    }
    assert_eq!(peer.counters().unwrap()["SctpChecksumErrors"], 0);
    drop(peer);
    assert!(captures.judge().is_none_or(|packets| packets > 150));
}
