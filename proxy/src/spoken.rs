//! What the hosts of front ends share that the daemon itself speaks for ([`crate::n4`], [`crate::gtpc`]): a socket, files for
//! what outlives the daemon, and pages of their sessions.

mod journal;
mod pages;
mod socket;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

pub use journal::JournalError;
pub(crate) use journal::{Journal, Keyed};
#[cfg(test)]
pub(crate) use pages::MOST_LOOKED_AT;
pub(crate) use pages::{FrontEndSessions, Numbered, find, page};
pub use socket::BindError;
pub(crate) use socket::{LONGEST, Spoken, bind, read};

/// What a front end found of an endpoint.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The endpoint, `POOL/NAME`.
    pub endpoint: Arc<str>,
    /// Whether it is there.
    pub up: bool,
    /// Why that changed.
    pub why: &'static str,
}

/// A number that no other start has.
#[must_use]
pub fn seed() -> u64 {
    // Hashers are seeded by the system.
    RandomState::new().hash_one(std::process::id())
}
