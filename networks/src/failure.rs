//! What can go wrong while a network is built or changed.

use std::io;
use std::process::ExitStatus;

/// A step that did not work, and why.
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
    /// A file or a socket of a program could not be made.
    #[error("{what}: {source}")]
    File {
        /// What it was for.
        what: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// A program has ended that should run.
    #[error("it ended ({status}); its log:\n{log}")]
    Ended {
        /// How.
        status: ExitStatus,
        /// What it wrote.
        log: String,
    },
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
