//! Replays of every capture, of the project and of the shared folder.
#![cfg(test)]

mod corpus;
mod engines;
mod golden;
mod half;
mod partial;
mod replies;
mod services;

use std::path::Path;

use pinion_pcaps::capture::{self, Frame, Reader};
use pinion_pcaps::replay::{Choice, Record, Replay, ReplayError, Step, Summary, Survey};

/// Opens a capture as often as it is asked to.
type Open<'a> = &'a dyn Fn() -> Reader;

fn file(path: &Path) -> impl Fn() -> Reader + '_ {
    || capture::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// An engine with the services that a capture asks for.
fn auto(choice: Choice, open: Open<'_>) -> Result<Replay, ReplayError> {
    let mut survey = Survey::default();
    let mut reader = open();
    while let Some(frame) = reader.next().unwrap() {
        survey.frame(&frame);
    }
    Replay::auto(choice, survey, 7)
}

/// Replays a capture to its end.
fn run(
    replay: &mut Replay,
    open: Open<'_>,
    mut see: impl FnMut(&Frame<'_>, &Step<'_>),
) -> Result<Summary, ReplayError> {
    let mut reader = open();
    while let Some(frame) = reader.next().unwrap() {
        see(&frame, &replay.step(&frame)?);
    }
    replay.summary()
}

/// What `pinion replay --format json` prints of a capture's packets.
fn lines(choice: Choice, open: Open<'_>) -> Result<Vec<String>, ReplayError> {
    let mut lines = Vec::new();
    let mut replay = auto(choice, open)?;
    let summary = run(&mut replay, open, |frame, step| {
        let record = Record::new(None, frame, step).unwrap();
        lines.push(serde_json::to_string(&record).unwrap());
    })?;
    lines.push(serde_json::to_string(&summary).unwrap());
    Ok(lines)
}
