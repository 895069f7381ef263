//! What can go wrong while a testbed is built or driven.

use std::io;
use std::time::Duration;

/// A step of a testbed that did not work, and why.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A network could not be built or changed, or a program not be started.
    #[error(transparent)]
    Network(#[from] pinion_networks::Failure),
    /// A socket of a peer or a capture could not be made or used.
    #[error("{what}: {source}")]
    Socket {
        /// What it was for.
        what: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// A file could not be read or written.
    #[error("{what}: {source}")]
    File {
        /// What it was for.
        what: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// A peer program ended or closed its output.
    #[error("peer {name} ended; it last said: {tail}")]
    PeerGone {
        /// The peer's name.
        name: String,
        /// The last lines of its output that were no answers.
        tail: String,
    },
    /// A peer program did not answer in time.
    #[error("peer {name} gave no answer within {after:?}; it last said: {tail}")]
    PeerSilent {
        /// The peer's name.
        name: String,
        /// How long it was waited for.
        after: Duration,
        /// The last lines of its output that were no answers.
        tail: String,
    },
    /// A peer program answered that it failed.
    #[error("peer {name}: {reason}")]
    PeerRefused {
        /// The peer's name.
        name: String,
        /// Its words.
        reason: String,
    },
    /// A peer program's answer lacks a field or has another shape.
    #[error("peer {name} answered {answer}: {source}")]
    PeerAnswer {
        /// The peer's name.
        name: String,
        /// The answer.
        answer: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A tool ended with an error.
    #[error("{program} failed: {reason}")]
    Tool {
        /// The program.
        program: &'static str,
        /// What it wrote on its error output.
        reason: String,
    },
    /// The XDP program or its tables.
    #[error(transparent)]
    Steering(#[from] pinion_loader::LoadError),
}
