use std::time::Duration;

use pinion_steering::{Address, Flow, FlowKey, Pin, PinKey, State, Target};

use super::*;
use crate::user::UserEngine;
use crate::{Bounds, Engine as _};

const OWN: u32 = 0;
const ENDPOINT: u32 = 1;

fn address(last: u8) -> Address {
    Address::v4([192, 0, 2, last])
}

/// A service at .1 port 80, its endpoint at .2 port 8080; the clock at tick 1000.
fn engine() -> UserEngine {
    let mut engine = UserEngine::new(Bounds { flows: 1000, flows6: 10, targets: 8, ..Bounds::default() });
    for (index, last, port) in [(OWN, 1, 80), (ENDPOINT, 2, 8080)] {
        let target = Target { address: address(last), port, paths: 1, up: 1, owner: index, flags: 0, reserved: 0 };
        engine.put_target(index, &target).unwrap();
    }
    engine.imagine(1000, 0).unwrap();
    engine
}

fn flow(seen: u32, state: State) -> Flow {
    Flow { target: ENDPOINT, seen, service: 3, state: state as u8, ..Flow::default() }
}

fn put(engine: &mut UserEngine, pins: &[(FlowKey, Flow)]) {
    for (key, flow) in pins {
        assert!(sessions::restore(engine, key, flow).unwrap());
    }
}

/// Both pins of a UDP or TCP flow of client port `port`, last seen at these ticks.
fn pair(port: u16, protocol: u8, [forth, back]: [u32; 2], state: State) -> [(FlowKey, Flow); 2] {
    [
        (FlowKey::tuple(address(1), 80, address(9), port, protocol), flow(forth, state)),
        (
            FlowKey::tuple(address(9), port, address(2), 8080, protocol),
            Flow { target: OWN, reply: 1, ..flow(back, state) },
        ),
    ]
}

/// The pins of an association: server's tag 7, client's tag 5.
fn association(seen: [u32; 3], state: State) -> [(FlowKey, Flow); 3] {
    let [forth, back, peer] = seen;
    [
        (FlowKey::association(7, 80, 99), Flow { tag: 5, peer: 77, from: OWN, ..flow(forth, state) }),
        (
            FlowKey::association(5, 99, 8080),
            Flow { tag: 7, peer: 77, reply: 1, target: OWN, from: ENDPOINT, ..flow(back, state) },
        ),
        (FlowKey::peer(3, 99, 77), Flow { tag: 5, peer: 77, from: OWN, ..flow(peer, state) }),
    ]
}

/// Sweeps once through; the sessions that ended.
fn sweep(engine: &mut UserEngine, sweeper: &mut Sweeper) -> (Vec<Ended>, Named) {
    let mut ended = Vec::new();
    loop {
        let swept = sweeper.step(engine, 4).unwrap();
        ended.extend(swept.ended);
        if swept.done {
            return (ended, swept.pass.unwrap_or_default());
        }
    }
}

fn timeouts(udp: u64) -> Timeouts {
    Timeouts { udp: Duration::from_secs(udp), ..Timeouts::default() }
}

#[test]
fn a_flow_lives_as_long_as_either_direction() {
    for (seen, live) in [([1000, 880], true), ([880, 1000], true), ([880, 880], false), ([1001, 1001], true)] {
        let mut engine = engine();
        put(&mut engine, &pair(1, 17, seen, State::Established));
        let (ended, _) = sweep(&mut engine, &mut Sweeper::default());
        assert_eq!(ended.is_empty(), live, "{seen:?}");
        assert_eq!(engine.flows().unwrap().len(), if live { 2 } else { 0 });
        assert_eq!(engine.sessions(ENDPOINT).unwrap(), u32::from(live));
    }
}

#[test]
fn what_stays_of_flows_is_counted_and_pins_of_user_space_are_not() {
    let mut engine = engine();
    put(&mut engine, &pair(1, 17, [1000; 2], State::Established));
    put(&mut engine, &pair(2, 17, [800; 2], State::Established));
    engine.put_pin(&PinKey::default(), &Pin::default()).unwrap();
    let mut sweeper = Sweeper::default();
    let mut kept = 0;
    loop {
        let swept = sweeper.step(&mut engine, 1).unwrap();
        kept += swept.kept;
        if swept.pass.is_some() {
            break;
        }
    }
    assert_eq!(kept, 2);
}

#[test]
fn timeouts_go_by_protocol_state_and_service() {
    // (TCP, 1.07 s a tick): established and closing.
    let mut engine = engine();
    put(&mut engine, &pair(1, 6, [500, 500], State::Established));
    put(&mut engine, &pair(2, 6, [500, 500], State::Closing));
    put(&mut engine, &pair(3, 17, [950, 950], State::Established));
    let mut sweeper = Sweeper::default();
    assert_eq!(sweep(&mut engine, &mut sweeper).0.len(), 1);
    assert_eq!(engine.flows().unwrap().len(), 4);
    sweeper.set(3, timeouts(10));
    assert_eq!(sweep(&mut engine, &mut sweeper).0.len(), 1);
    assert_eq!(engine.sessions(ENDPOINT).unwrap(), 1);
}

#[test]
fn an_association_ends_with_all_its_pins() {
    for first in 0..3 {
        let mut engine = engine();
        let mut pins = association([10, 10, 10], State::Established);
        pins.rotate_left(first);
        put(&mut engine, &pins);
        let (ended, named) = sweep(&mut engine, &mut Sweeper::default());
        assert_eq!(ended.len(), 1);
        assert!(engine.flows().unwrap().is_empty());
        assert_eq!(engine.sessions(ENDPOINT).unwrap(), 0);
        assert_eq!(named, Named::default());
    }
}

#[test]
fn a_client_pin_is_as_old_as_its_association() {
    let mut engine = engine();
    put(&mut engine, &association([1000, 10, 10], State::Established));
    let (ended, named) = sweep(&mut engine, &mut Sweeper::default());
    assert!(ended.is_empty());
    assert_eq!(engine.flows().unwrap().len(), 3);
    assert!(named.targets.contains(&ENDPOINT) && named.services.contains(&3));
}

#[test]
fn an_association_that_was_restarted_leaves_its_client() {
    let mut engine = engine();
    let [forth, back, (peer, client)] = association([10, 10, 1000], State::Closed);
    // The client's pin names its new association by now.
    let new = (
        FlowKey::association(6, 99, 8080),
        Flow { reply: 1, peer: 77, target: OWN, from: ENDPOINT, ..flow(1000, State::Opening) },
    );
    put(&mut engine, &[forth, back, new, (peer, Flow { tag: 6, state: 3, ..client })]);
    let (ended, _) = sweep(&mut engine, &mut Sweeper::default());
    assert_eq!(ended.len(), 1);
    assert_eq!(engine.flows().unwrap().len(), 2);
    assert_eq!(engine.sessions(ENDPOINT).unwrap(), 1);
}

#[test]
fn a_doomed_endpoint_loses_its_sessions() {
    let mut engine = engine();
    put(&mut engine, &pair(1, 6, [1000, 1000], State::Established));
    put(&mut engine, &association([1000; 3], State::Established));
    let (ended, _) = sweep(&mut engine, &mut Sweeper::dooming([ENDPOINT], Doom::All));
    assert!(ended.len() == 2 && ended.iter().all(|ended| ended.doomed));
    assert!(engine.flows().unwrap().is_empty());
    let (_, named) = sweep(&mut engine, &mut Sweeper::default());
    assert!(!named.targets.contains(&ENDPOINT));
}

#[test]
fn who_ends_sessions_goes_through_flows_alone() {
    let mut engine = engine();
    put(&mut engine, &pair(1, 6, [1000, 1000], State::Established));
    engine.put_pin(&PinKey::default(), &Pin { target: ENDPOINT, ..Pin::default() }).unwrap();
    let swept = Sweeper::dooming([ENDPOINT], Doom::All).step(&mut engine, 16).unwrap();
    assert_eq!((swept.ended.len(), swept.done, swept.pass), (1, true, None));
}

#[test]
fn what_cannot_move_stays_and_so_do_others() {
    let mut engine = engine();
    put(&mut engine, &pair(1, 17, [1000, 1000], State::Established));
    put(&mut engine, &association([10; 3], State::Established));
    let (ended, _) = sweep(&mut engine, &mut Sweeper::dooming([ENDPOINT + 1], Doom::All));
    assert_eq!((ended, engine.flows().unwrap().len()), (Vec::new(), 5));
    let (ended, _) = sweep(&mut engine, &mut Sweeper::dooming([ENDPOINT], Doom::Movable));
    assert_eq!((ended.len(), engine.flows().unwrap().len()), (1, 3));
}

/// A flow with a state of each direction.
fn directions(port: u16, protocol: u8, seen: u32, [forth, back]: [State; 2]) -> [(FlowKey, Flow); 2] {
    let [(key, flow), (reply, backward)] = pair(port, protocol, [seen, seen], forth);
    [(key, flow), (reply, Flow { state: back as u8, ..backward })]
}

#[test]
fn an_endpoint_of_which_no_reply_is_seen_is_silent() {
    use State::{Acked, Closed, Established, Opening};
    const UDP: u8 = 17;
    const TCP: u8 = 6;
    type Case<'a> = (&'a str, Vec<(FlowKey, Flow)>, &'a [(u32, u64)]);
    let flow = |protocol, seen, states| directions(1, protocol, seen, states).to_vec();
    let other = |protocol, states| directions(2, protocol, 990, states).to_vec();
    let cases: [Case<'_>; 9] = [
        ("a datagram waits", flow(UDP, 990, [Established, Opening]), &[(ENDPOINT, 1)]),
        ("not for long", flow(UDP, 998, [Established, Opening]), &[]),
        ("it is answered", flow(UDP, 990, [Established, Established]), &[]),
        (
            "one of two is answered",
            [flow(UDP, 990, [Established, Opening]), other(UDP, [Established, Established])].concat(),
            &[],
        ),
        ("a SYN waits", flow(TCP, 990, [Opening, Opening]), &[(ENDPOINT, 1)]),
        ("its client goes on", flow(TCP, 990, [Established, Opening]), &[]),
        ("it is refused", flow(TCP, 990, [Opening, Closed]), &[]),
        ("an INIT waits", association([990; 3], Opening)[1..].to_vec(), &[(ENDPOINT, 1)]),
        ("it is answered", association([990; 3], Acked).to_vec(), &[]),
    ];
    for (name, pins, silent) in cases {
        let mut engine = engine();
        put(&mut engine, &pins);
        let mut sweeper = Sweeper::default();
        let swept = loop {
            let swept = sweeper.step(&mut engine, 1).unwrap();
            if swept.pass.is_some() {
                break swept;
            }
        };
        assert_eq!(swept.silent, silent.iter().copied().collect(), "{name}");
    }
}

#[test]
fn half_a_session_ends_too() {
    let mut engine = engine();
    put(&mut engine, &pair(1, 17, [10, 10], State::Established)[1..]);
    put(&mut engine, &association([10; 3], State::Opening)[2..]);
    assert_eq!(sweep(&mut engine, &mut Sweeper::default()).0.len(), 2);
    assert!(engine.flows().unwrap().is_empty());
}
