//! The N4 front end (TS 29.244): to each SMF the balancer is one UPF, to each UPF one SMF.
//!
//! [`FrontEnd`] is a state machine without I/O. Datagrams, the time and the host's answers come in; what comes out,
//! [`Output`], are datagrams to send and batches of tunnels to put into force:
//!
//! ```text
//!        SMF                    FrontEnd                     UPF
//!         |  establishment         |                          |
//!         |----------------------->|  placed; SEID, Node ID   |
//!         |                        |------------------------->|
//!         |                        |     F-SEID, F-TEIDs      |
//!         |                        |<-------------------------|
//!         |                Output::Commit ---> maps           |
//!         |                installed(proof) <-- maps          |
//!         |   response with our    |                          |
//!         |   F-SEID and F-TEIDs   |                          |
//!         |<-----------------------|                          |
//! ```
//!
//! The way of a message: `front` takes it (who, new or known), `smf`, `upf` and `session` do what it asks for, `speak` says what follows,
//! `translate` says what of it is said differently to the other side, `tunnels` which tunnels it tells of, and `force`
//! waits until they are in force. [`outbound`] and [`inbound`] are the two halves of reliable delivery (6.4),
//! `answers` the end of what was asked. `chores` are procedures that nobody asked for, `sets` those of many sessions at once, and `keep` is what
//! outlives the process. `filters` says which packets leave their tunnels by what `rules` have become, and `flows` reads
//! what those are described by.
//!
//! That is [`Mode::Terminate`]. With [`Mode::Redirect`] the front end only places sessions, and SMF and UPF speak to each
//! other directly then: `redirect`.

#![forbid(unsafe_code)]

mod answers;
mod chores;
mod counts;
mod features;
mod filters;
mod flows;
mod force;
mod front;
mod keep;
mod leave;
mod load;
mod peers;
mod pfds;
mod placement;
mod pools;
mod purpose;
mod redirect;
mod rules;
mod session;
mod sessions;
mod sets;
mod settings;
mod smf;
mod speak;
mod translate;
mod tunnels;
mod upf;
mod view;

use pinion_exchange::{inbound, outbound, random};

pub use counts::Counts;
pub use filters::{FILTERS_MOST, FlowFilter, FlowSide, TunnelFilters};
pub use front::{Batch, FrontEnd, Output};
pub use keep::{Kept, TakeError};
pub use peers::{Lead, Sender};
pub use sessions::{Phase, SessionId};
pub use settings::{Bounds, Breakout, Mode, Placement, Serves, Settings, Timers, Upf, UserPlane};
pub use tunnels::TunnelChange;
pub use view::{Backlog, SessionView, TunnelView, UpfView};
