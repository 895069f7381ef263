//! Where pins are written so that another node, or the next run, finds them.
//!
//! A [`Store`] keeps values by key: [`Memory`] in this process, [`Redis`] where nodes share it. It is written
//! behind ([`Behind`]): a commit never waits for it, unless it is told to. What waits is bounded, and of a key only
//! the last state waits. A store that is slow, full, or gone makes it wait longer; when it is back, what was given up
//! meanwhile is written again from the session table, and what it should have forgotten is taken out.
//!
//! Only pins of user space are written: tunnels, and resources of the SBI ([`Resources`]). What XDP pins by itself (`FLOWS`) is not: a node that takes over places those
//! sessions by consistent hashing, which finds the same endpoint for most of them, but for SCTP associations, whose
//! tags it cannot know, and for what least-sessions or round robin placed.

mod backlog;
mod backoff;
mod behind;
mod encode;
mod feed;
mod key;
mod memory;
mod redis;
mod restore;
mod writer;

use std::time::SystemTime;

use crate::sessions::Moment;

pub(crate) use backlog::Teller;
pub use backoff::Backoff;
pub use behind::{Behind, Settings};
pub use encode::{DecodeError, Stored, VERSION};
pub use feed::{Feed, Heard};
use key::Content;
pub use key::{Key, Resources};
pub use memory::Memory;
pub use redis::Redis;
pub use restore::{Restored, Unusable};
pub use writer::Writer;

/// Keeps values by key.
///
/// One task uses it at a time. After an error of a method as a whole it is to be connected anew.
#[tonic::async_trait]
pub trait Store: Send + 'static {
    /// What it is, for display: never with a password.
    fn kind(&self) -> String;

    /// Makes a connection, or a new one. After it, nothing that was asked for over an earlier one takes effect.
    ///
    /// # Errors
    /// [`StoreError::Down`], [`StoreError::Refused`].
    async fn connect(&mut self) -> Result<Memories, StoreError>;

    /// Writes values and takes some out, in order; what became of each.
    ///
    /// # Errors
    /// [`StoreError::Down`] where it is not known what became of them; writing them once more does no harm.
    async fn write(&mut self, changes: &[Write]) -> Result<Vec<Result<(), StoreError>>, StoreError>;

    /// Some of the keys and their values, each at least once over all pages, in no order.
    ///
    /// # Errors
    /// [`StoreError::Down`], [`StoreError::Refused`].
    async fn page(&mut self, cursor: Option<u64>) -> Result<Page, StoreError>;

    /// What other nodes change of resources, where it tells.
    fn feed(&self) -> Option<Box<dyn Feed>> {
        None
    }
}

/// Whether a store may have forgotten what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memories {
    /// It is the one that it was, or the first.
    Whole,
    /// It began anew since the connection before.
    Doubtful,
}

/// What a key is to hold; `None`: nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The key.
    pub key: Key,
    /// The value, and when it ends by itself.
    pub value: Option<(Vec<u8>, Option<Moment>)>,
    /// When it came to be so.
    pub at: SystemTime,
}

/// A part of what a store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Keys and values.
    pub entries: Vec<(Key, Vec<u8>)>,
    /// Where the next begins; `None`: this was the last.
    pub next: Option<u64>,
}

/// Why a store does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The address cannot be understood.
    #[error("the store's address cannot be used: {0}; write redis://HOST:PORT/DATABASE")]
    Address(String),
    /// It does not answer.
    #[error("the store does not answer: {0}")]
    Down(String),
    /// It answers, and refuses: full, read-only, no permission.
    #[error("the store refuses: {0}")]
    Refused(String),
}
