//! Hosts the N4 front end ([`pinion_n4`]): a socket, the clock, and the session table for it.
//!
//! One task owns a front end and its socket. Another one, the committer, puts its tunnels into force in their order
//! and hands back [`Installed`](crate::sessions::Installed), without which no answer that makes a tunnel known is sent.
//! What outlives the daemon is kept in files, so that peers notice nothing of a restart; and in the store, where nodes share one.

mod commit;
mod filters;
mod host;
mod list;
mod settings;
mod store;

pub(crate) use commit::way;
pub use host::{Asked, Host, Start};
pub(crate) use list::{find, list};
pub use settings::settings;
pub use store::N4Store;

use crate::spoken::Spoken;

/// PFCP (TS 29.244 4.2.2).
pub(crate) const PFCP: Spoken = Spoken { name: "PFCP", port: pinion_protocols::pfcp::PORT };
