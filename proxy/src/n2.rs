//! Hosts the N2 front end ([`pinion_n2`]): SCTP, whosever it is, and the clock.

mod association;
mod aware;
mod carrier;
mod host;
mod links;
mod list;
mod settings;

pub use aware::{About, Associated, Aware};
pub use carrier::{Carrier, Quiet};
pub use host::{Asked, Host, Shown, Start, StartError, Told};
pub(crate) use list::{find, list, words};
pub use settings::settings;

/// NGAP (TS 38.412 7).
pub(crate) const PORT: u16 = pinion_protocols::ngap::PORT;
