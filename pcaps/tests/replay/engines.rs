//! Both engines make the same of every packet, and the same of it each time.

use std::io::Write as _;

use pinion_loader::LoadError;
use pinion_pcaps::capture::Frame;
use pinion_pcaps::link::LinkType;
use pinion_pcaps::replay::{Choice, ReplayError, Survey};
use pinion_steering::Verdict;

use crate::{auto, corpus, file, lines, run};

/// Says why there is no kernel engine, where the machine is to blame.
fn skipped(error: &ReplayError) -> bool {
    let skip = matches!(error, ReplayError::Engine(LoadError::Privilege { .. } | LoadError::Kernel { .. }));
    if skip {
        let _ = writeln!(std::io::stderr(), "\nskipped: {error}");
    }
    skip
}

#[test]
fn the_engines_do_not_differ_on_any_capture() {
    for path in corpus::own().into_iter().chain(corpus::shared()) {
        let open = file(&path);
        let mut replay = match auto(Choice::Both, &open) {
            Err(error) if skipped(&error) => return,
            replay => replay.unwrap(),
        };
        let ran = run(&mut replay, &open, |_, _| {});
        ran.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

#[test]
fn each_engine_alone_prints_the_same() {
    for path in corpus::own() {
        let open = file(&path);
        let kernel = match lines(Choice::Kernel, &open) {
            Err(error) if skipped(&error) => return,
            kernel => kernel.unwrap(),
        };
        assert_eq!(lines(Choice::User, &open).unwrap(), kernel, "{}", path.display());
    }
}

#[test]
fn the_same_input_gives_the_same_output() {
    for path in corpus::own().into_iter().chain(corpus::shared()) {
        let open = file(&path);
        let [once, again] = [(); 2].map(|()| lines(Choice::User, &open).unwrap());
        assert_eq!(once, again, "{}", path.display());
    }
}

/// A frame with a few bytes changed, and sometimes its end cut off: what `dice` say.
fn damaged(bytes: &[u8], dice: &mut impl FnMut() -> usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..dice() % 4 {
        // Most of what is steered by is near the beginning.
        let most = if dice().is_multiple_of(2) { 80 } else { bytes.len() };
        let at = dice() % most.min(bytes.len());
        bytes[at] = dice() as u8;
    }
    if dice().is_multiple_of(4) {
        bytes.truncate(dice() % bytes.len() + 1);
    }
    bytes
}

#[test]
fn the_engines_do_not_differ_on_damaged_packets() {
    let mut state = 1_u64;
    let mut dice = || {
        // Knuth's MMIX generator.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for path in corpus::own() {
        let open = file(&path);
        let mut replay = match auto(Choice::Both, &open) {
            Err(error) if skipped(&error) => return,
            replay => replay.unwrap(),
        };
        for _ in 0..20 {
            let mut reader = open();
            while let Some(frame) = reader.next().unwrap() {
                let bytes = damaged(frame.bytes, &mut dice);
                let damaged = Frame { bytes: &bytes, wire_len: bytes.len() as u32, ..frame };
                if let Err(error) = replay.step(&damaged) {
                    panic!("{}: {error}\n{bytes:02x?}", path.display());
                }
            }
        }
    }
}

#[test]
fn the_engines_do_not_differ_on_long_frames() {
    let hostile = corpus::own().into_iter().find(|path| path.ends_with("hostile.pcap")).unwrap();
    let mut replay = match auto(Choice::Both, &file(&hostile)) {
        Err(error) if skipped(&error) => return,
        replay => replay.unwrap(),
    };
    // Around the first buffer of XDP's, of a jumbo frame, and of the longest packet; a tail of padding; a claim of gigabytes.
    for length in [100_u16, 3520, 3521, 4096, 9000, 32_768, u16::MAX] {
        let mut bytes = vec![0; 14];
        bytes[12] = 8;
        bytes.extend([0x45, 0, 0, 0, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 66, 192, 0, 2, 5]);
        bytes[16..18].copy_from_slice(&length.to_be_bytes());
        bytes.extend([0, 9, 0, 7, 0, 0, 0, 0]);
        bytes[38..40].copy_from_slice(&(length - 20).to_be_bytes());
        let whole = 14 + u32::from(length);
        for (captured, wire_len) in [(whole, whole), (whole + 300, whole + 300), (60, whole), (60, u32::MAX)] {
            bytes.resize(captured as usize, 0xab);
            let frame = Frame {
                number: 1,
                time: std::time::Duration::ZERO,
                link: LinkType::Ethernet,
                wire_len,
                bytes: &bytes,
            };
            let step = replay.step(&frame).unwrap();
            assert_eq!(step.verdict, Verdict::Transmit, "{length}, {wire_len}");
        }
    }
}

#[test]
fn no_bytes_make_a_replay_panic() {
    let mut frames = Vec::new();
    for path in corpus::own() {
        let mut reader = file(&path)();
        while let Some(frame) = reader.next().unwrap() {
            frames.push((frame.link, frame.bytes.to_vec()));
        }
    }
    bolero::check!().with_type::<Vec<u16>>().for_each(|dice| {
        let mut dice = dice.iter().map(|number| usize::from(*number));
        let mut chosen = Vec::new();
        while let Some(choice) = dice.next() {
            let (link, bytes) = &frames[choice % frames.len()];
            chosen.push((*link, damaged(bytes, &mut || dice.next().unwrap_or(0))));
        }
        let frames = || {
            (1..).zip(&chosen).map(|(number, (link, bytes))| Frame {
                number,
                time: std::time::Duration::ZERO,
                link: *link,
                wire_len: bytes.len() as u32,
                bytes,
            })
        };
        let mut survey = Survey::default();
        frames().for_each(|frame| survey.frame(&frame));
        let mut replay = pinion_pcaps::replay::Replay::auto(Choice::User, survey, 0).unwrap();
        for frame in frames() {
            let step = replay.step(&frame).unwrap();
            step.pin().unwrap();
        }
        let summary = replay.summary().unwrap();
        assert_eq!(summary.packets, chosen.len() as u64);
    });
}
