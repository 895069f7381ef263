//! What this machine lacks for a network of namespaces.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::PathBuf;

use nix::unistd::geteuid;

use crate::namespace::{Namespace, Veth};

/// Something that is needed and this machine has not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Not root, so neither CAP_SYS_ADMIN nor CAP_NET_ADMIN.
    #[error("root (CAP_SYS_ADMIN and CAP_NET_ADMIN) is missing: run as root, for example with sudo")]
    Root,
    /// The kernel refuses a network namespace, or a veth, to root.
    #[error("network namespaces with veth are missing: {0}")]
    Namespaces(String),
    /// A program is not in PATH.
    #[error("{program} is missing: {remedy}")]
    Program {
        /// The program.
        program: &'static str,
        /// How to get it.
        remedy: &'static str,
    },
    /// What runs elsewhere does not on this processor.
    #[error("another processor is missing: {0}")]
    Processor(&'static str),
}

/// Whether namespaces and veths can be made here.
///
/// # Errors
///
/// The first thing that is missing.
pub fn probe() -> Result<(), Missing> {
    if !geteuid().is_root() {
        return Err(Missing::Root);
    }
    let tried = Namespace::new()
        .and_then(|one| Namespace::new().map(|other| (one, other)))
        .and_then(|(one, other)| one.link_to(&other, &Veth::named("a", "b")));
    tried.map(drop).map_err(|failure| Missing::Namespaces(failure.to_string()))
}

/// Finds `program` in PATH.
///
/// # Errors
///
/// [`Missing::Program`], with the remedy given.
pub fn find_program(program: &'static str, remedy: &'static str) -> Result<PathBuf, Missing> {
    // An ordinary user's PATH often lacks the administrator's folders.
    let extra = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(extra)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .ok_or(Missing::Program { program, remedy })
}

/// Says that a test is skipped, and why, on a line of its own on standard error: what `println!` and `eprintln!` write
/// is shown of a test that fails, and of no other.
pub fn skipped(why: impl Display) {
    // In one piece, as other tests write meanwhile; without a standard error there is nobody to tell.
    let _ = io::stderr().write_all(format!("\nskipped: {why}\n").as_bytes());
}
