//! The N2 front end, `ue` (TS 38.413, 38.412): to each gNB the balancer is one AMF, to each AMF it is every gNB.
//!
//! [`FrontEnd`] is a state machine without I/O. Associations, user messages of SCTP and the time come in; what comes out,
//! [`Output`], are associations to open and to close, and messages to send:
//!
//! ```text
//!        gNB                    FrontEnd                   AMFs
//!         |  NG Setup Request      |                         |
//!         |----------------------->|  Open, to every AMF     |
//!         |                        |  NG Setup Request       |
//!         |                        |------------------------>|
//!         |  one answer for all    |<------------------------|
//!         |<-----------------------|                         |
//!         |  Initial UE Message    |  to the AMF that gave   |
//!         |----------------------->|  the UE its identity    |
//!         |                        |------------------------>|
//!         |  AMF UE NGAP ID that   |  AMF UE NGAP ID that    |
//!         |  no other AMF's UE has |  the AMF gave           |
//!         |<-----------------------|<------------------------|
//! ```
//!
//! A gNB is its Global RAN Node ID, and has one upstream association to each AMF, whatever it has of its own; so RAN UE
//! NGAP IDs never collide, and are left as they are. A UE is a pin: a gNB, its RAN UE NGAP ID, an AMF, the AMF's UE NGAP ID,
//! the identifier that the gNB has instead, and a stream on each side.
//!
//! The way of a message: `front` takes it and tells who sent it, `procedures` counts and times it. What is about a UE goes through
//! `uplink` or `downlink`, of which `initial` has `choice` choose the AMF, `mobility` makes further pins, and `mismatch` ends those whose identifiers are in doubt
//! (10.6). The rest is about an interface: `admission` says which gNBs are served, `setup` and `merge` make one AMF of many, `update` and `overload` tell gNBs what
//! changes, `reset` parts and joins lists, `common` knows where what is left goes. `loss` is what becomes of UEs whose AMF or
//! gNB is gone.
//!
//! [`observe`] is for the other mode, `association`, in which nothing is terminated: there the front end only looks on.

#![forbid(unsafe_code)]

mod admission;
mod allowance;
mod amfs;
mod choice;
mod common;
mod counts;
mod downlink;
mod front;
mod gnbs;
mod identities;
mod initial;
mod latency;
mod loss;
mod merge;
mod mismatch;
mod mobility;
pub mod observe;
mod overload;
mod pins;
mod procedures;
mod ran_update;
mod reset;
mod settings;
mod setup;
mod update;
mod uplink;
mod upstreams;
mod view;
mod write;

pub use admission::Admission;
pub use choice::{Barred, Candidate, Identity, Points, Rule};
pub use counts::Counts;
pub use front::{FrontEnd, Leg, Output};
pub use latency::Latency;
pub use pins::Reason;
pub use procedures::{Answerer, SPANS};
pub use settings::{Amf, AmfIds, AmfLoss, Bounds, Rules, Settings, Spread, Timers};
pub use view::{AmfView, GnbView, Placement, UeView};
