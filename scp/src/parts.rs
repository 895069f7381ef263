//! What the layers share.

use crate::account::Account;
use crate::authorization::Tokens;
use crate::binding::Pins;
use crate::discovery::Directory;
use crate::load::Reported;
use crate::overload::Gate;
use crate::pools::Pools;
use crate::retry::Budget;
use crate::selection::{Dice, Drained};

/// What the layers share. Copies share it too.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Connections to next hops.
    pub pools: Pools,
    /// Who may work and who waits.
    pub gate: Gate,
    /// What producers said of their load.
    pub reported: Reported,
    /// Resources that stay where they are.
    pub pins: Pins,
    /// What retries there may be.
    pub budget: Budget,
    /// Whom searches found.
    pub directory: Directory,
    /// Access tokens that were got for clients.
    pub tokens: Tokens,
    /// Chance, for choices among equals.
    pub dice: Dice,
    /// Producers that are to get nothing new.
    pub drained: Drained,
    /// What was done for whom.
    pub account: Account,
}
