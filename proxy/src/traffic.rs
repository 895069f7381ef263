//! What traffic shows of endpoints, beside what probes find: sessions that they refuse, and requests to which no reply
//! is seen.

mod ledger;
mod refusal;

pub(crate) use ledger::unanswered;
pub use ledger::{Ledger, Turned};
pub use refusal::{Refusal, refusal};
