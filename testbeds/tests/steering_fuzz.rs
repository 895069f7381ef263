//! Steering stands any bytes in any state, and keeps its promises about them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use pinion_loader::setup::Setup;
use pinion_loader::user::UserEngine;
use pinion_loader::{Bounds, Engine, INGRESS, Maps, Ran};
use pinion_steering::{Address, Flow, FlowKey, Link, Pin, PinKey, Reason, Verdict};
use testbeds::cases::places::{OURS, S, services};
use testbeds::cases::traffic::Traffic;
use testbeds::packets::check::{Sums, hex, sums};

const BOUNDS: Bounds = Bounds {
    flows: 40,
    flows6: 8,
    pins: 8,
    filters: 64,
    fragments: 8,
    services: 256,
    sources: 128,
    targets: 512,
    maglev: 1 << 14,
};

/// A seed of traffic and how much of it makes the state; bytes that are a frame; changes to frames of the traffic.
type Input = (u64, u8, Vec<u8>, Vec<(u16, u8)>);

#[test]
fn any_bytes_in_any_state() {
    // Laid out once: that takes longer than all packets of an input.
    let engine = Mutex::new(engine());
    bolero::check!().with_type::<Input>().for_each(|(seed, frames, bytes, changes)| {
        let engine = &mut *engine.lock().unwrap_or_else(PoisonError::into_inner);
        clear(engine);
        let mut traffic = Traffic::new(*seed, 10);
        for _ in 0..*frames {
            let frame = traffic.next_frame();
            traffic.learn(&promised(engine, &frame));
        }
        promised(engine, bytes);
        for change in changes.chunks(3) {
            let mut frame = traffic.next_frame();
            for (at, value) in change {
                let at = usize::from(*at) % frame.len().max(1);
                frame[at] ^= value;
            }
            promised(engine, &frame);
        }
    });
}

fn engine() -> UserEngine {
    let mut engine = UserEngine::new(BOUNDS);
    let mut setup = Setup::default();
    setup.apply(&mut engine, &services()).unwrap();
    engine.put_link(INGRESS, &Link { lower: INGRESS, vlan: 0, address: OURS }).unwrap();
    for teid in 1..8 {
        let pin = Pin { target: setup.base("n3", "b").unwrap(), teid: teid * 3, service: 0, path: 0, flags: 0 };
        engine.put_pin(&PinKey { address: Address::from(S), teid }, &pin).unwrap();
    }
    engine
}

fn clear(engine: &mut UserEngine) {
    for (key, _) in engine.flows().unwrap() {
        engine.remove_flow(&key).unwrap();
    }
    engine.events().unwrap();
}

fn flows(engine: &UserEngine) -> BTreeMap<FlowKey, Flow> {
    engine.flows().unwrap().into_iter().collect()
}

/// Runs a frame, and holds what became of it against what steering promises.
fn promised(engine: &mut UserEngine, frame: &[u8]) -> Ran {
    let (before, counters) = (flows(engine), engine.counters().unwrap());
    let ran = engine.run(frame).unwrap();
    let after = flows(engine);
    let shown = || format!("{:?} {:?}\nin  {}\nout {}", ran.verdict, ran.reason, hex(frame), hex(&ran.bytes));

    let long = after.keys().filter(|key| matches!(key, FlowKey::Long(_))).count();
    assert!(long <= BOUNDS.flows6 as usize && after.len() - long <= BOUNDS.flows as usize, "{}", shown());
    for (reason, (old, new)) in Reason::ALL.iter().zip(counters.iter().zip(engine.counters().unwrap())) {
        assert_eq!(new, old + u64::from(*reason == ran.reason), "{} {}", reason.name(), shown());
    }
    match ran.verdict {
        Verdict::Drop => {}
        Verdict::Pass => assert!(ran.bytes == frame, "passed and changed: {}", shown()),
        Verdict::Transmit | Verdict::Redirect => left(frame, &ran, &shown),
    }
    // How long a packet is, and whether it ends in whole words, matters only once its checksum is corrected.
    let late = matches!(ran.reason, Reason::TooBig | Reason::ChunkLength);
    if !late && matches!(ran.verdict, Verdict::Drop | Verdict::Pass) {
        assert!(before == after, "dropped, and the tables changed: {}\n{before:?}\n{after:?}", shown());
    }
    ran
}

/// A frame that left.
fn left(frame: &[u8], ran: &Ran, shown: &dyn Fn() -> String) {
    let (old, new) = (sums(frame), sums(&ran.bytes));
    let wrong = |sum: Option<bool>| sum == Some(false);
    match ran.reason {
        Reason::Placed | Reason::Pinned | Reason::Replied | Reason::Hashed | Reason::Followed => {
            // Right stays right, wrong stays wrong, none stays none.
            assert_eq!(old, new, "{}", shown());
            assert_eq!(frame.len() - link(frame), ran.bytes.len() - link(&ran.bytes), "{}", shown());
        }
        Reason::EchoAnswered
        | Reason::IndicationAnswered
        | Reason::NeighbourAnswered
        | Reason::ResetAnswered
        | Reason::AbortAnswered
        | Reason::UnreachableAnswered => {
            let Sums { network, transport } = new;
            assert!(!wrong(network) || wrong(old.network), "{}", shown());
            assert!(!wrong(transport), "{}", shown());
        }
        Reason::ArpAnswered => assert_eq!(frame.len(), ran.bytes.len(), "{}", shown()),
        _ => panic!("left for no reason to leave: {}", shown()),
    }
}

/// Length of the Ethernet header with its tags.
fn link(frame: &[u8]) -> usize {
    match (&frame[12..14], frame.get(16..18)) {
        ([0x81 | 0x88, 0x00 | 0xa8], Some([0x81, 0x00])) => 22,
        ([0x81, 0x00] | [0x88, 0xa8], _) => 18,
        _ => 14,
    }
}
