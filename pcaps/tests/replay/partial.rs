//! Captures that are not whole: begun late, cut short, without link layers.

use std::path::{Path, PathBuf};

use pinion_pcaps::capture::Reader;
use pinion_pcaps::link;
use pinion_pcaps::replay::Choice;
use pinion_steering::{Reason, Verdict};

use crate::{Open, auto, file, run};

fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name)
}

/// A pcap file of a link type; its packets are what `make` makes of a frame: bytes and length on the wire, or none.
fn remade(
    path: &Path,
    link: u32,
    make: impl Fn(u64, &[u8]) -> Option<(Vec<u8>, usize)>,
) -> Box<dyn Fn() -> Reader> {
    let mut remade = Vec::new();
    for word in [0xa1b2_3c4d_u32, 0x0002_0004, 0, 0, 65_535, link] {
        remade.extend(word.to_be_bytes());
    }
    let mut reader = file(path)();
    while let Some(frame) = reader.next().unwrap() {
        let Some((bytes, wire)) = make(frame.number, frame.bytes) else {
            continue;
        };
        let time = [frame.time.as_secs() as u32, frame.time.subsec_nanos()];
        for word in [time[0], time[1], bytes.len() as u32, wire as u32] {
            remade.extend(word.to_be_bytes());
        }
        remade.extend(bytes);
    }
    Box::new(move || Reader::new(std::io::Cursor::new(remade.clone()), "remade").unwrap())
}

type Outcome = (Verdict, Reason, Option<String>, Option<String>);

fn outcomes(open: Open<'_>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    run(&mut auto(Choice::User, open).unwrap(), open, |_, step| {
        let pin = step.pin().unwrap().map(|pin| pin.to_string());
        outcomes.push((step.verdict, step.reason, step.endpoint().map(str::to_owned), pin));
    })
    .unwrap();
    outcomes
}

#[test]
fn associations_that_were_under_way_are_restored() {
    let path = own("n2.pcap");
    // Of the first gNB's association neither INIT nor INIT ACK nor cookies: that it has two paths, its tags tell.
    let late = remade(&path, 1, |number, bytes| (number > 6).then(|| (bytes.to_vec(), bytes.len())));
    let mut reasons = Vec::new();
    let summary = run(&mut auto(Choice::User, &late).unwrap(), &late, |frame, step| {
        if frame.number <= 20 {
            reasons.push(step.reason);
        }
    })
    .unwrap();
    assert_eq!(summary.restored, 1);
    assert!(reasons.iter().all(|reason| matches!(reason, Reason::Pinned | Reason::Replied)), "{reasons:?}");
}

#[test]
fn a_wrong_tag_is_not_taken_for_an_association() {
    let path = own("n2.pcap");
    // A tag that belongs to nobody, in a packet behind the set-up.
    let spoofed = remade(&path, 1, |number, bytes| {
        let mut bytes = bytes.to_vec();
        if number == 13 {
            bytes[38] ^= 0xff;
        }
        let length = bytes.len();
        Some((bytes, length))
    });
    let (plain, spoofed) = (outcomes(&file(&path)), outcomes(&spoofed));
    assert_eq!((plain[12].0, plain[12].1), (Verdict::Transmit, Reason::Pinned));
    assert_eq!((spoofed[12].0, spoofed[12].1), (Verdict::Drop, Reason::OutOfTheBlue));
    assert_eq!((&plain[..12], &plain[13..]), (&spoofed[..12], &spoofed[13..]));
}

#[test]
fn flows_that_were_under_way_are_restored() {
    let path = own("mixed.pcapng");
    // Only what servers sent: nothing would be pinned by it.
    let whole = outcomes(&file(&path));
    let replies = remade(&path, 1, |number, bytes| {
        let replied = whole[number as usize - 1].1 == Reason::Replied;
        replied.then(|| (bytes.to_vec(), bytes.len()))
    });
    let again = outcomes(&replies);
    assert!(again.len() > 10);
    assert!(again.iter().all(|outcome| outcome.1 == Reason::Replied), "{again:?}");
}

#[test]
fn what_a_snap_length_cut_is_steered_all_the_same() {
    for (name, snap) in [("n3.pcap", 70), ("mixed.pcapng", 90)] {
        let path = own(name);
        let cut = remade(&path, 1, |_, bytes| Some((bytes[..bytes.len().min(snap)].to_vec(), bytes.len())));
        assert_eq!(outcomes(&file(&path)), outcomes(&cut), "{name}");
        let summary = run(&mut auto(Choice::User, &cut).unwrap(), &cut, |_, _| {}).unwrap();
        assert!(summary.padded > 10 && summary.packets > summary.padded, "{summary:?}");
    }
}

#[test]
fn the_link_layer_makes_no_difference() {
    let path = own("n2.pcap");
    let ethernet = outcomes(&file(&path));
    let packet = |bytes: &[u8]| {
        let network = link::network(link::LinkType::Ethernet, bytes).unwrap();
        (network.ethertype, bytes[network.offset..].to_vec())
    };
    let behind = |header: Vec<u8>, packet: Vec<u8>| {
        let bytes = [header, packet].concat();
        let length = bytes.len();
        Some((bytes, length))
    };
    let raw = remade(&path, 101, |_, bytes| behind(Vec::new(), packet(bytes).1));
    let cooked = remade(&path, 113, |_, bytes| {
        let (ethertype, packet) = packet(bytes);
        behind([vec![0; 14], ethertype.to_be_bytes().to_vec()].concat(), packet)
    });
    let tagged =
        remade(&path, 1, |_, bytes| behind([&bytes[..12], &[0x81, 0, 0, 5]].concat(), bytes[12..].to_vec()));
    for (name, open) in [("raw", &raw), ("cooked", &cooked), ("tagged", &tagged)] {
        assert_eq!(ethernet, outcomes(open), "{name}");
    }
}

#[test]
fn frames_of_an_unknown_link_are_passed_and_counted() {
    let path = own("n2.pcap");
    let unknown = remade(&path, 252, |_, bytes| Some((bytes.to_vec(), bytes.len())));
    let summary = run(&mut auto(Choice::User, &unknown).unwrap(), &unknown, |_, step| {
        assert_eq!((step.verdict, step.reason), (Verdict::Pass, Reason::NotIp));
    })
    .unwrap();
    assert_eq!((summary.packets, summary.skipped), (78, 78));
}
