//! Both engines make the same of every packet, and the same of it each time.

use pinion_loader::LoadError;
use pinion_pcaps::replay::{Choice, ReplayError};

use crate::{auto, corpus, file, lines, run};

/// Says why there is no kernel engine, where the machine is to blame.
fn skipped(error: &ReplayError) -> bool {
    let skip = matches!(
        error,
        ReplayError::Engine(LoadError::Privilege { .. } | LoadError::Kernel { .. })
    );
    if skip {
        eprintln!("skipped: {error}");
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
        assert_eq!(
            lines(Choice::User, &open).unwrap(),
            kernel,
            "{}",
            path.display()
        );
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
