//! What the hosts of front ends share that the daemon itself speaks for ([`crate::n4`], [`crate::gtpc`]): a socket, files for
//! what outlives the daemon, and pages of their sessions.

mod endpoints;
mod journal;
mod pages;
mod socket;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

pub(crate) use endpoints::{name, placement, weight};
pub use journal::JournalError;
pub(crate) use journal::{Journal, Keyed};
#[cfg(test)]
pub(crate) use pages::MOST_LOOKED_AT;
pub(crate) use pages::{FrontEndSessions, Numbered, asked, find, knows, page};
pub use socket::BindError;
pub(crate) use socket::{LONGEST, Spoken, bind, read, send};

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

/// Asks a front end something, and waits for what it tells; of one that has ended there is nothing to tell.
pub(crate) async fn answered<A, T: Default>(
    asks: &mpsc::Sender<A>,
    question: impl FnOnce(oneshot::Sender<T>) -> A,
) -> T {
    let (tell, told) = oneshot::channel();
    // What is not taken is dropped, and `tell` with it.
    let _ = asks.send(question(tell)).await;
    told.await.unwrap_or_default()
}

/// A number that no other start has.
#[must_use]
pub fn seed() -> u64 {
    // Hashers are seeded by the system.
    RandomState::new().hash_one(std::process::id())
}
