//! Hosts the GTPv2-C front end ([`pinion_gtpc`]): a socket, the clock, and files for what outlives the daemon, so that peers
//! notice nothing of a restart.

mod host;
mod list;
mod settings;

pub use host::{Asked, Host, Start};
pub(crate) use list::{find, list};
pub use settings::settings;

use crate::spoken::Spoken;

/// GTPv2-C (TS 29.274 4.2.1.1).
pub(crate) const GTPV2_C: Spoken = Spoken { name: "GTPv2-C", port: pinion_protocols::gtpv2::PORT };
