//! Many pins and flows at once cost no packet; the bench `crowd` says how many a daemon stands, and how fast.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::Path;

use testbeds::daemon::{Crowd, Redis};
use testbeds::need;
use testbeds::scenario::probe;

const BINARY: &str = env!("CARGO_BIN_EXE_daemon");
const PINS: u32 = 20_000;
const FLOWS: u32 = 5_000;

#[test]
fn a_crowd_costs_no_packet() {
    need!(probe());
    let redis = need!(Redis::find());
    let crowd = Crowd::gather(Path::new(BINARY), &redis, PINS, FLOWS).unwrap();
    for (what, seen) in [("quiet", &crowd.quiet), ("inserted", &crowd.inserted), ("expired", &crowd.expired)] {
        println!("{what}: {:?}, longest wait {:?}, {} sent", seen.took, seen.longest, seen.echoes.sent);
        assert!(seen.echoes.sent > 0 && seen.echoes.whole(), "{what}: {:?}", seen.echoes);
        assert_eq!(seen.echoes.only_identity(), Some("endpoint1"), "{what}");
    }
    assert_eq!(crowd.all.0, PINS as usize);
    assert_eq!(crowd.nobody.1.trim(), "[]");
}
