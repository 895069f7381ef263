//! Against usrsctp.

use std::net::IpAddr;

use pinion_transport::userspace::Encapsulation;
use pinion_transport::{Association, Connect as Begin, Event, Message, Reach};
use testbeds::missing::probe;
use testbeds::need;
use testbeds::relay::{Impairment, Relay};
use testbeds::sctp::usrsctp::{Counted, Running, Usrsctp};
use testbeds::topology::{Host, Topology};

use super::common::{
    CLIENT_PORT, Captures, OURS, Ours, PATIENCE, PORT, PROTOCOL, echoed, message, next, payload, topology,
    until_confirmed, until_reach,
};

/// Where its echo server listens.
const ECHO: u16 = 7;
/// Where `tsctp` listens.
const COUNTING: u16 = 5001;
/// The largest message that its echo server reads whole, bytes.
const LARGEST_ECHO: usize = 10_240;

/// An established association. A server says nothing of listening, and before it does, the kernel of its host
/// answers that there is no SCTP.
fn connected(ours: &Ours, begin: &Begin) -> Association {
    for _ in 0..100 {
        let association = ours.connect(begin.clone());
        let first = |event: &Event| event.is_last() || matches!(event, Event::Established { .. });
        let Event::Aborted { cause: 0, by_peer: true } = ours.wait(next(&association, first)) else {
            return association;
        };
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("nobody listens");
}

fn serve(usrsctp: &Usrsctp, host: &Host, program: &str) -> Running {
    usrsctp.start(&host.namespace, program, [""; 0]).unwrap()
}

#[test]
fn we_connect_to_usrsctp() {
    need!(probe());
    let usrsctp = need!(Usrsctp::find());
    let topology = topology(2);
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let captures = Captures::start(&topology);
    let mut server = serve(&usrsctp, endpoint, "echo_server");
    let ours = Ours::in_place_of(client);
    for v6 in [false, true] {
        let ends = endpoint.addresses(v6);
        let begin = Begin { addresses: client.addresses(v6), ..Begin::to(ends.clone(), ECHO) };
        let association = connected(&ours, &begin);
        for size in [1, 2, 3, 4, 100, 1_400, 1_452, 1_453, 5_000, LARGEST_ECHO] {
            ours.wait(echoed(&association, 1, size, ""));
        }
        // It answers on no more streams than it has; what it hears on the others it says.
        for stream in 0..100 {
            let size = 200 + usize::from(stream);
            ours.wait(association.send(Message::new(stream, PROTOCOL, payload(size).into()))).unwrap();
            let wanted = format!("Msg of length {size} received from ");
            let rest = format!(" on stream {stream} with SSN");
            server
                .heard(PATIENCE, |line| (line.starts_with(&wanted) && line.contains(&rest)).then_some(()))
                .unwrap();
        }
        path_comes_and_goes(&ours, &topology, &association, &ends);
        match v6 {
            false => {
                ours.close(&association);
            }
            true => association.abort(b"enough"),
        }
        server.heard(PATIENCE, |line| line.starts_with("Notification").then_some(())).unwrap();
    }
    drop(server);
    assert!(captures.judge().is_none_or(|packets| packets > 300));
}

/// The primary path is cut and restored; what is sent meanwhile takes the other one.
fn path_comes_and_goes(ours: &Ours, topology: &Topology, association: &Association, ends: &[IpAddr]) {
    // The peer's end: from the own one its address could still be reached by the other path.
    let endpoint = &topology.endpoints[0];
    until_confirmed(association, ends.len());
    topology.cut(endpoint, 1).unwrap();
    ours.wait(association.send(Message::new(1, PROTOCOL, payload(777).into()))).unwrap();
    ours.wait(async { while message(association).await.payload.len() != 777 {} });
    until_reach(association, ends[0], Reach::Inactive);
    topology.restore(endpoint, 1).unwrap();
    until_reach(association, ends[0], Reach::Active);
}

#[test]
fn usrsctp_connects_to_us() {
    need!(probe());
    let usrsctp = need!(Usrsctp::find());
    let topology = topology(2);
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let captures = Captures::start(&topology);
    let ours = Ours::in_place_of(endpoint);
    let mut events = ours.serve();
    let (port, own) = (PORT.to_string(), CLIENT_PORT.to_string());
    for v6 in [false, true] {
        let to = endpoint.addresses(v6)[0].to_string();
        let mut peer = usrsctp.start(&client.namespace, "client", [&to, &port, &own]).unwrap();
        for word in ["one", "another"] {
            peer.say(word).unwrap();
            let answer = format!("{OURS}|{word}");
            peer.heard(PATIENCE, |line| line.ends_with(&answer).then_some(())).unwrap();
        }
        if !v6 {
            // It is gone without a word, and another comes with its port.
            drop(peer);
            peer = usrsctp.start(&client.namespace, "client", [&to, &port, &own]).unwrap();
            peer.say("again").unwrap();
            peer.heard(PATIENCE, |line| line.ends_with("|again").then_some(())).unwrap();
            ours.wait(async { while events.recv().await.unwrap() != Event::Restarted {} });
        }
        // Its input ends, and with it the association.
        peer.finish();
        ours.wait(async { while events.recv().await.unwrap() != Event::Closed {} });
    }
    assert!(captures.judge().is_none_or(|packets| packets > 20));
}

/// RFC 6951, by the port that is registered for it and by one that is not.
#[test]
fn usrsctp_connects_to_us_in_udp() {
    need!(probe());
    let usrsctp = need!(Usrsctp::find());
    let topology = topology(1);
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let captures = Captures::start(&topology);
    let ours = Ours::in_udp_of(endpoint);
    let mut events = ours.serve();
    let (port, to) = (PORT.to_string(), endpoint.addresses(false)[0].to_string());
    let usual = Encapsulation::PORT.to_string();
    for own in [&usual, "19899"] {
        let arguments = [&to, &port, "0", own, &usual];
        let mut peer = usrsctp.start(&client.namespace, "client", arguments).unwrap();
        peer.say("in UDP").unwrap();
        peer.heard(PATIENCE, |line| line.ends_with("|in UDP").then_some(())).unwrap();
        peer.finish();
        ours.wait(async { while events.recv().await.unwrap() != Event::Closed {} });
    }
    assert!(captures.judge().is_none_or(|packets| packets > 10));
}

/// Messages up to 256 KiB, each way, through a network that loses, doubles, reorders and damages packets.
#[test]
fn a_bad_network_loses_nothing() {
    need!(probe());
    let usrsctp = need!(Usrsctp::find());
    let topology = topology(2);
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let captures = Captures::start(&topology);
    let relay = Relay::start(&topology, Impairment { lost: 2, doubled: 3, held: 5, damaged: 2 }, 11).unwrap();

    let ours = Ours::in_place_of(client);
    let mut server = serve(&usrsctp, endpoint, "tsctp");
    for (size, messages) in [(1, 500), (1_000, 500), (20_000, 50), (256 << 10, 5)] {
        let to = Begin::to(endpoint.addresses(false), COUNTING);
        let association = connected(&ours, &Begin { addresses: client.addresses(false), ..to });
        for _ in 0..messages {
            ours.wait(association.send(Message::new(0, PROTOCOL, payload(size).into()))).unwrap();
        }
        ours.close(&association);
        let counted = server.heard(PATIENCE, Counted::read).unwrap();
        assert_eq!((counted.messages, counted.bytes), (messages, messages * u64::try_from(size).unwrap()));
    }
    drop(server);
    drop(ours);
    client.settle().unwrap();

    let ours = Ours::in_place_of(endpoint);
    let mut listener = ours.listen();
    for (size, messages) in [(1, 500), (1_000, 500), (20_000, 50), (256 << 10, 5)] {
        let (port, to) = (PORT.to_string(), endpoint.addresses(false)[0].to_string());
        let (length, number) = (size.to_string(), messages.to_string());
        let arguments = ["-p", &port, "-l", &length, "-n", &number, "-S", "1000000", &to];
        let _peer = usrsctp.start(&client.namespace, "tsctp", arguments).unwrap();
        let received = ours.wait(async {
            let association = listener.accept().await.unwrap();
            let (mut received, mut last) = (Vec::new(), None);
            while let Some(event) = association.receive().await {
                match event {
                    Event::Message(message) => received.push(message.payload.len()),
                    event => last = Some(event),
                }
            }
            assert_eq!(last, Some(Event::Closed));
            received
        });
        assert_eq!(received, vec![size; messages]);
    }
    assert!(relay.tally().damaged > 10, "{:?}", relay.tally());
    drop(relay);
    assert!(captures.judge().is_none_or(|packets| packets > 500));
}

/// As above over IPv6, which `tsctp` does not listen on: echoes and lines.
#[test]
fn a_bad_network_of_ipv6_loses_nothing() {
    need!(probe());
    let usrsctp = need!(Usrsctp::find());
    let topology = topology(2);
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let captures = Captures::start(&topology);
    let relay = Relay::start(&topology, Impairment { lost: 2, doubled: 3, held: 5, damaged: 2 }, 17).unwrap();

    let ours = Ours::in_place_of(client);
    let server = serve(&usrsctp, endpoint, "echo_server");
    let to = Begin::to(endpoint.addresses(true), ECHO);
    let association = connected(&ours, &Begin { addresses: client.addresses(true), ..to });
    let sizes: Vec<_> = (0..60).map(|number| 1 + number * 150).chain([LARGEST_ECHO; 20]).collect();
    for &size in &sizes {
        ours.wait(association.send(Message::new(1, PROTOCOL, payload(size).into()))).unwrap();
    }
    for size in sizes {
        assert!(ours.wait(message(&association)).payload == payload(size), "{size}");
    }
    ours.close(&association);
    drop(server);
    drop(ours);
    client.settle().unwrap();

    let ours = Ours::in_place_of(endpoint);
    let mut events = ours.serve();
    let (port, own, to) = (PORT.to_string(), CLIENT_PORT.to_string(), endpoint.addresses(true)[0].to_string());
    let mut peer = usrsctp.start(&client.namespace, "client", [&to, &port, &own]).unwrap();
    for number in 0..50 {
        peer.say(&format!("line {number}")).unwrap();
    }
    for number in 0..50 {
        let answer = format!("|line {number}");
        peer.heard(PATIENCE, |line| line.ends_with(&answer).then_some(())).unwrap();
    }
    peer.finish();
    ours.wait(async { while events.recv().await.unwrap() != Event::Closed {} });
    assert!(relay.tally().damaged > 3, "{:?}", relay.tally());
    drop(relay);
    assert!(captures.judge().is_none_or(|packets| packets > 200));
}

/// We are gone without a word, and another of us comes with the same addresses and port.
#[test]
fn usrsctp_sees_us_restart() {
    need!(probe());
    let usrsctp = need!(Usrsctp::find());
    let topology = topology(2);
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let mut server = serve(&usrsctp, endpoint, "echo_server");
    for v6 in [false, true] {
        for life in 1..=2 {
            let ours = Ours::quiet_in_place_of(client);
            let to = Begin::to(endpoint.addresses(v6), ECHO);
            let begin = Begin { addresses: client.addresses(v6), port: CLIENT_PORT, ..to };
            let association = match life {
                1 => connected(&ours, &begin),
                // At once: the one before is neither refused nor waited for.
                _ => ours.connect(begin),
            };
            ours.wait(echoed(&association, 1, 100, ""));
            // A change of the association, and numbers that begin anew.
            server.heard(PATIENCE, |line| line.starts_with("Notification of length 24 ").then_some(())).unwrap();
            server.heard(PATIENCE, |line| line.contains(" on stream 1 with SSN 0 ").then_some(())).unwrap();
            drop(association);
            ours.vanish();
        }
    }
}
