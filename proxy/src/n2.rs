//! Hosts the N2 front end ([`pinion_n2`]): SCTP, whosever it is, and the clock.
//!
//! What is bounded: an AMF or a gNB that takes no messages has up to 8,192 of them, or 16 MiB, waiting for it, and is given
//! up then, alone; of what peers send, 32 MiB wait at the most, and then the peers do.
//!
//! Pins of UEs end with the front end, on purpose. Its associations are shut down where it is told to end, or its service is
//! configured no more; gNBs make new ones and begin with NG Setup, by which both sides erase what UE contexts they had
//! (TS 38.413 8.7.1). A pin that were kept would be one of nobody.

mod association;
mod aware;
mod carrier;
mod host;
mod links;
mod list;
mod settings;

pub use aware::{About, Associated, Aware};
pub(crate) use carrier::timers;
pub use carrier::{Carrier, Quiet};
pub use host::{Asked, Host, Shown, Start, StartError, Told};
pub(crate) use list::{find, given, list};
pub use settings::settings;

/// NGAP (TS 38.412 7).
pub(crate) const PORT: u16 = pinion_protocols::ngap::PORT;
