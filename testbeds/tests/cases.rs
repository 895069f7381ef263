//! Every case, on both engines.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::HashSet;

use pinion_loader::kernel::{Kernel, PROGRAM};
use pinion_loader::user::UserEngine;
use pinion_loader::{Bounds, Engine, LoadError};
use testbeds::cases::places::HOSTS;
use testbeds::cases::stage::Stage;
use testbeds::cases::{self, Case};
use testbeds::missing::skipped;

/// Tables as small as the cases need them: a kernel zeroes them at each load.
const BOUNDS: Bounds = Bounds {
    flows: 64,
    flows6: 64,
    pins: 64,
    filters: 256,
    fragments: 1024,
    services: 256,
    sources: 128,
    targets: 512,
    maglev: 1 << 14,
};

#[test]
fn on_the_user_space_engine() {
    on(|bounds| Ok(UserEngine::new(bounds)));
}

#[test]
fn on_the_kernel() {
    on(|bounds| {
        let mut kernel = Kernel::load_imagined(bounds)?;
        kernel.verify(PROGRAM)?;
        Ok(kernel)
    });
}

/// Runs every case, and tells of all that fail.
fn on<E: Engine>(make: impl Fn(Bounds) -> Result<E, LoadError>) {
    let mut wrong = Vec::new();
    for (bounds, cases) in [(BOUNDS, cases::all()), (cases::full::BOUNDS, cases::full::cases())] {
        let mut engine = match make(bounds) {
            Ok(engine) => engine,
            Err(error @ (LoadError::Privilege { .. } | LoadError::Kernel { .. })) => {
                skipped(error);
                return;
            }
            Err(error) => panic!("{error}"),
        };
        let mut stage = Stage::new(&mut engine).unwrap();
        wrong.extend(cases.iter().filter_map(|case| stage.run(case).err()));
    }
    let all: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    assert!(all.is_empty(), "{} cases fail:\n{}", all.len(), all.join("\n"));
}

#[test]
fn the_table_is_sound() {
    let all: Vec<Case> = [cases::all(), cases::full::cases()].concat();
    println!("{} cases", all.len());
    assert!(all.len() >= 130);
    let names: HashSet<&str> = all.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), all.len(), "two cases have one name");
    let slots: HashSet<u32> = HOSTS.iter().map(|host| pinion_steering::hop::slot(&(*host).into())).collect();
    assert_eq!(slots.len(), HOSTS.len(), "two hosts share a place in the cache of next hops");
}
