//! Targets, and what became of a probe of one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pinion::config::model::{Health, Probe};
use pinion::health::probe::{Prober, Sockets};
use pinion::health::{Answer, Outcome, Target};

pub(crate) fn target(to: SocketAddr, probe: Probe) -> Target {
    // Long enough for any machine to answer.
    let timeout = Duration::from_secs(10);
    let health =
        Health { probe, port: None, interval: Duration::from_secs(1), timeout, rise: 1, fall: 1, jitter: 0 };
    Target { pool: "pool".into(), endpoint: "endpoint".into(), path: 0, to, from: None, health: Arc::new(health) }
}

/// The same for a probe that waits in vain.
pub(crate) fn brief(target: Target) -> Target {
    let health = Health { timeout: Duration::from_millis(300), ..(*target.health).clone() };
    Target { health: Arc::new(health), ..target }
}

pub(crate) async fn probe(target: Target) -> Outcome {
    Sockets::new(SystemTime::now()).probe(Arc::new(target), [0x1234_5678_9abc_def0, 0x0fed_cba9_8765_4321]).await
}

pub(crate) fn answers(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Answer(Answer::To(..)))
}

pub(crate) fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answer(answer) => answer.to_string(),
        Outcome::Failure(failure) => failure.to_string(),
        Outcome::Unprobed(obstacle) => format!("cannot probe: {obstacle}"),
    }
}
