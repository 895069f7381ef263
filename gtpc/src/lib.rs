//! The GTPv2-C front end (TS 29.274): to each MME, SGSN or SGW the balancer is one SGW or PGW, to each SGW or PGW behind it
//! one client.
//!
//! [`FrontEnd`] is a state machine without I/O. Datagrams and the time come in; what comes out, [`Output`], are datagrams
//! to send and values to keep:
//!
//! ```text
//!       client                     FrontEnd                   endpoint
//!         |  create session request  |                          |
//!         |  TEID 0, its F-TEID      |  placed by IMSI          |
//!         |------------------------->|  TEID 0, our F-TEID      |
//!         |                          |------------------------->|
//!         |                          |  our TEID, its F-TEID    |
//!         |  its TEID, our F-TEID    |<-------------------------|
//!         |<-------------------------|                          |
//!         |                          |  create bearer request   |
//!         |  its TEID                |  our TEID                |
//!         |<-------------------------|<-------------------------|
//! ```
//!
//! A session is a pair of control tunnels. Each of its two peers knows a TEID of ours, which no other session has; the header
//! of a message names the session, and the peer that it is from. Control F-TEIDs in messages are replaced (`told`), those of
//! the user plane stay: who steers GTP-U learns of it over N4, Sxa or Sxb. Messages about nodes end here: Echo is answered,
//! restart counters are the front end's own, and what is about sets of sessions (FQ-CSID) or about load is left out.
//!
//! The way of a message: `front` takes it, and joins what is piggybacked; `relay` asks the other side, `answers` is the end
//! of what was asked. [`inbound`] and [`outbound`] are the two halves of reliable delivery (7.6). `peers` are nodes and their
//! restarts (TS 23.007), `chores` the ends of sessions that peers are told of, and `keep` is what outlives the process.

#![forbid(unsafe_code)]

mod answers;
mod chores;
mod counts;
mod front;
mod interface;
mod keep;
mod peers;
mod purpose;
mod relay;
mod sessions;
mod settings;
mod told;
mod view;

#[cfg(doc)]
use pinion_exchange::{inbound, outbound};

pub use counts::Counts;
pub use front::{FrontEnd, Output};
pub use interface::Interface;
pub use keep::{Kept, TakeError, recovery_after};
pub use settings::{Bounds, Endpoint, Placement, Settings, Timers};
pub use view::{Backlog, EndpointView, SessionView};
