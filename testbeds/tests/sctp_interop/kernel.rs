//! Against Linux's SCTP: the kernel's own here, or that of a User-Mode Linux.

use std::time::Duration;

use pinion_transport::{Connect as Begin, Event, Message, Reach};
use testbeds::missing::probe;
use testbeds::need;
use testbeds::relay::{Impairment, Relay};
use testbeds::sctp::{Association, Connect, Server, Stack};
use testbeds::topology::Host;

use super::common::{
    CLIENT_PORT, Captures, OURS, Ours, PATIENCE, PORT, PROTOCOL, echoed, message, next, payload, topology, until,
    until_confirmed, until_reach,
};

const SIZES: [usize; 8] = [8, 100, 1_400, 1_452, 1_453, 10_000, 65_536, 256 << 10];

fn connect(client: &Host, endpoint: &Host, v6: bool) -> Connect {
    let connect = Connect::ngap("n2", client.addresses(v6), CLIENT_PORT, endpoint.addresses(v6), PORT);
    Connect { streams: 100, ppid: PROTOCOL, ..connect }
}

#[test]
fn the_kernel_connects_to_us() {
    need!(probe());
    let stack = need!(Stack::find());
    let topology = topology(2);
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let captures = Captures::start(&topology);
    let ours = Ours::in_place_of(endpoint);
    let mut events = ours.serve();
    let mut peer = stack.start(client).unwrap();
    for v6 in [false, true] {
        let association = peer.connect(&connect(client, endpoint, v6)).unwrap();
        assert_eq!(association.state, Association::ESTABLISHED);
        assert_eq!(association.streams[1], 100);
        let ends = endpoint.addresses(v6);
        until(|| peer.association("n2").unwrap().paths_that_are("active").len() >= ends.len());
        for size in SIZES {
            assert!(peer.echo("n2", 3, size, PATIENCE).unwrap().whole(), "{size}");
        }
        // Each of a hundred streams in turn.
        let echoes = peer.echo("n2", 200, 50, PATIENCE).unwrap();
        assert!(echoes.whole(), "{echoes:?}");
        assert_eq!(echoes.only_identity(), Some(OURS));

        peer.start_flow("n2", 300, Duration::from_millis(10)).unwrap();
        topology.cut(client, 1).unwrap();
        until(|| peer.association("n2").unwrap().paths_that_are("inactive").contains(&ends[0]));
        topology.restore(client, 1).unwrap();
        until(|| peer.association("n2").unwrap().paths_that_are("active").contains(&ends[0]));
        let echoes = peer.finish_flow("n2", PATIENCE).unwrap();
        assert!(echoes.whole(), "{echoes:?}");
        let (own, last) = match v6 {
            false => (peer.close("n2"), Event::Closed),
            true => (peer.abort("n2"), Event::Aborted { cause: 12, by_peer: true }),
        };
        own.unwrap();
        ours.wait(async {
            while let Some(event) = events.recv().await
                && event != last
            {
                assert!(!event.is_last(), "{event:?}");
            }
        });
    }
    assert_eq!(peer.counters().unwrap()["SctpChecksumErrors"], 0);
    drop(peer);
    assert!(captures.judge().is_none_or(|packets| packets > 1000));
}

#[test]
fn we_connect_to_the_kernel() {
    need!(probe());
    let stack = need!(Stack::find());
    let topology = topology(2);
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let captures = Captures::start(&topology);
    let mut peer = stack.start(endpoint).unwrap();
    let all = [endpoint.addresses(false), endpoint.addresses(true)].concat();
    let server = Server { identity: "amf".into(), addresses: all, port: PORT, streams: 100 };
    peer.serve(&server).unwrap();
    let ours = Ours::in_place_of(client);
    for v6 in [false, true] {
        let ends = endpoint.addresses(v6);
        let begin = Begin { addresses: client.addresses(v6), ..Begin::to(ends.clone(), PORT) };
        let association = ours.connect(begin);
        let established = ours.wait(next(&association, |event| matches!(event, Event::Established { .. })));
        let Event::Established { outbound_streams, inbound_streams, .. } = established else { panic!() };
        assert_eq!((outbound_streams, inbound_streams), (100, 100));
        until_confirmed(&association, ends.len());
        for size in [1, 2, 3].into_iter().chain(SIZES) {
            ours.wait(echoed(&association, 7, size, "amf|"));
        }
        for stream in 0..100 {
            ours.wait(echoed(&association, stream, 40, "amf|"));
        }
        topology.cut(endpoint, 1).unwrap();
        ours.wait(echoed(&association, 0, 1000, "amf|"));
        until_reach(&association, ends[0], Reach::Inactive);
        topology.restore(endpoint, 1).unwrap();
        until_reach(&association, ends[0], Reach::Active);
        assert!(association.set_primary(ends[1]));
        ours.wait(echoed(&association, 0, 1000, "amf|"));
        if v6 {
            association.abort(b"enough");
        } else {
            ours.close(&association);
        }
        until(|| peer.served(PORT).unwrap().associations == 0);
    }
    let counters = peer.counters().unwrap();
    assert_eq!(counters["SctpChecksumErrors"], 0);
    assert_eq!((counters["SctpShutdowns"], counters["SctpAborteds"]), (1, 1));
    drop(peer);
    assert!(captures.judge().is_none_or(|packets| packets > 1000));
}

/// Either side is gone without a word, and another comes in its place.
#[test]
fn a_restart_is_seen_by_both() {
    need!(probe());
    let stack = need!(Stack::find());
    let topology = topology(2);
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let ours = Ours::quiet_in_place_of(endpoint);
    let mut listener = ours.listen();
    let mut accepted = None;
    for life in 1..=2 {
        let mut peer = stack.start(client).unwrap();
        peer.connect(&connect(client, endpoint, false)).unwrap();
        let association = accepted.get_or_insert_with(|| ours.wait(listener.accept()).unwrap());
        let wanted = |event: &Event| match life {
            1 => matches!(event, Event::Established { accepted: true, .. }),
            _ => *event == Event::Restarted,
        };
        ours.wait(next(association, wanted));
        std::thread::scope(|scope| {
            let echoes = scope.spawn(|| peer.echo("n2", 5, 100, PATIENCE).unwrap());
            ours.wait(async {
                for _ in 0..5 {
                    let sent = message(association).await;
                    let answer = [OURS.as_bytes(), b"|", &sent.payload].concat();
                    association.send(Message::new(sent.stream, sent.protocol, answer.into())).await.unwrap();
                }
            });
            assert!(echoes.join().unwrap().whole());
        });
        // Whatever would be sent again to a peer that has begun anew would be refused.
        until(|| association.buffered() == 0);
        until_confirmed(association, 2);
        // What it says of the end of the first life is not heard, and what it has not sent yet goes with its kernel.
        for path in [1, 2] {
            topology.cut(client, path).unwrap();
        }
        peer.abort("n2").unwrap();
        drop(peer);
        for path in [1, 2] {
            topology.restore(client, path).unwrap();
        }
    }
    drop((accepted, listener));
    ours.vanish();

    let mut peer = stack.start(endpoint).unwrap();
    let addresses = endpoint.addresses(false);
    peer.serve(&Server { identity: "amf".into(), addresses: addresses.clone(), port: PORT, streams: 4 }).unwrap();
    for life in 1..=2 {
        let ours = Ours::in_place_of(client);
        let own = client.addresses(false);
        let begin = Begin { addresses: own, port: CLIENT_PORT, ..Begin::to(addresses.clone(), PORT) };
        let association = ours.connect(begin);
        ours.wait(echoed(&association, 1, 100, "amf|"));
        // It counts a message after its answer.
        until(|| peer.served(PORT).unwrap().messages == life);
        assert_eq!(peer.served(PORT).unwrap().associations, 1);
        drop(association);
        ours.vanish();
    }
}

#[test]
fn a_bad_network_loses_nothing() {
    need!(probe());
    let stack = need!(Stack::find());
    let topology = topology(1);
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let captures = Captures::start(&topology);
    let impairment = Impairment { lost: 3, doubled: 3, held: 5, damaged: 2 };
    let relay = Relay::start(&topology, impairment, 7).unwrap();
    let ours = Ours::in_place_of(client);
    let mut peer = stack.start(endpoint).unwrap();
    let all = [endpoint.addresses(false), endpoint.addresses(true)].concat();
    peer.serve(&Server { identity: "amf".into(), addresses: all, port: PORT, streams: 100 }).unwrap();
    for v6 in [false, true] {
        let begin = Begin { addresses: client.addresses(v6), ..Begin::to(endpoint.addresses(v6), PORT) };
        let association = ours.connect(begin);
        const MESSAGES: usize = 300;
        let sent = |number: usize| payload(8 + number * 37 % 5000);
        let send = async {
            for number in 0..MESSAGES {
                let message = Message::new(u16::try_from(number % 10).unwrap(), PROTOCOL, sent(number).into());
                association.send(message).await.unwrap();
            }
        };
        let receive = async {
            let mut seen = [0; 10];
            for _ in 0..MESSAGES {
                let answer = message(&association).await;
                let place = &mut seen[usize::from(answer.stream)];
                let number = *place * 10 + usize::from(answer.stream);
                *place += 1;
                assert!(answer.payload[4..] == sent(number), "{number}");
            }
        };
        ours.wait(async { tokio::join!(send, receive) });
        ours.close(&association);
    }
    let tally = relay.tally();
    for what in [tally.lost, tally.doubled, tally.held, tally.damaged] {
        assert!(what > 10, "{tally:?}");
    }
    drop(relay);
    drop(peer);
    assert!(captures.judge().is_none_or(|packets| packets > 500));
}

#[test]
fn the_kernel_loses_nothing_to_us_on_a_bad_network() {
    need!(probe());
    let stack = need!(Stack::find());
    let topology = topology(2);
    let (client, endpoint) = (&topology.clients[0], &topology.endpoints[0]);
    let captures = Captures::start(&topology);
    let relay = Relay::start(&topology, Impairment { lost: 3, doubled: 3, held: 5, damaged: 2 }, 13).unwrap();
    let ours = Ours::in_place_of(endpoint);
    let mut events = ours.serve();
    let mut peer = stack.start(client).unwrap();
    peer.ready().unwrap();
    for v6 in [false, true] {
        peer.connect(&connect(client, endpoint, v6)).unwrap();
        for (messages, size) in [(100, 8), (100, 1_000), (20, 10_000), (2, 65_536)] {
            let echoes = peer.echo("n2", messages, size, PATIENCE).unwrap();
            assert!(echoes.whole(), "{echoes:?}");
        }
        peer.close("n2").unwrap();
        ours.wait(async { while events.recv().await.unwrap() != Event::Closed {} });
    }
    assert!(relay.tally().damaged > 10, "{:?}", relay.tally());
    drop(relay);
    drop(peer);
    assert!(captures.judge().is_none_or(|packets| packets > 500));
}
