//! What can go wrong while a testbed is built or driven.

use std::io;
use std::time::Duration;

/// A step of a testbed that did not work, and why.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A namespace could not be made or entered.
    #[error("network namespace, {call}: {source}")]
    Namespace {
        /// The system call.
        call: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel refused a change asked of it by netlink.
    #[error("{what}: {source}")]
    Netlink {
        /// The change, in words.
        what: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// No interface of this name is in the namespace.
    #[error("no interface {name} in this namespace")]
    NoInterface {
        /// The name looked for.
        name: String,
    },
    /// A sysctl could not be written.
    #[error("sysctl {name} = {value}: {source}")]
    Sysctl {
        /// Its name with slashes, without `/proc/sys`.
        name: String,
        /// The value written.
        value: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("start {program}: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// What the kernel said.
        source: io::Error,
    },
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
    /// A plan asks for more than its addresses have room for, or for nothing.
    #[error("{what} must be {least} to {most}, not {value}")]
    Plan {
        /// What was asked for.
        what: &'static str,
        /// The least.
        least: usize,
        /// The most.
        most: usize,
        /// What was asked.
        value: usize,
    },
}
