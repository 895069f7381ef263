use std::net::IpAddr;

use pinion_loader::LoadError;
use pinion_steering::PinKey;

use super::record::NewPin;

/// One change of a batch. Several of one key take effect in their order.
#[derive(Clone, Debug)]
pub enum Change {
    /// Pins a key that is free. One that is pinned to the same endpoint and TEID already takes the new origin and
    /// end; one that is pinned otherwise is refused: [`CommitError::Taken`].
    Insert(NewPin),
    /// Pins a key, wherever it was before.
    Replace(NewPin),
    /// Pins a key that is free, and leaves one that is not as it is.
    InsertMissing(NewPin),
    /// Pins a key, wherever it was before, unless it is configured: [`CommitError::Taken`].
    Learn(NewPin),
    /// Ends a pin; one that is not there is as good.
    Remove(PinKey),
    /// Ends a pin, and leaves one that is configured as it is.
    Forget(PinKey),
}

/// The proof that the kernel's maps have a batch: [`super::Table::commit`] alone makes it.
///
/// A message that makes an endpoint reachable is sent by a function that takes this value.
///
/// ```compile_fail
/// let forged = pinion::sessions::Installed { changed: 1 };
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a binding message is sent with it"]
pub struct Installed {
    changed: usize,
}

impl Installed {
    pub(super) fn new(changed: usize) -> Self {
        Self { changed }
    }

    /// How many keys the batch changed.
    #[must_use]
    pub fn changed(&self) -> usize {
        self.changed
    }
}

/// Why a batch is not in force; nothing of it is.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// No room, and none could be made.
    #[error("all {bound} pins are taken: raise bounds.pins, or let pins end sooner")]
    Full {
        /// How many fit.
        bound: u32,
    },
    /// A key is pinned elsewhere, or configured.
    #[error("TEID {teid:#010x} at {address} is already pinned to {endpoint}")]
    Taken {
        /// The service's address.
        address: IpAddr,
        /// The TEID.
        teid: u32,
        /// Where it is pinned to, as `POOL/NAME`.
        endpoint: String,
    },
    /// The kernel refused a write; those before it were taken back.
    #[error("the packet path refuses the pins: {source}")]
    Maps {
        /// What it said.
        source: LoadError,
        /// How many writes it refused to take back as well; [`super::Table::repair`] tries again.
        unsure: usize,
    },
}

/// Why a walk over the table stopped in the middle. What was done before stays done, and the walk can be begun anew.
#[derive(Debug, thiserror::Error)]
#[error("stopped after {done} sessions: {source}")]
pub struct Interrupted {
    /// How many sessions it had ended, or taken over.
    pub done: usize,
    /// Why the next could not be.
    pub source: CommitError,
}
