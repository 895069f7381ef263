//! Values of elements that have more to them than a number.

mod filter;
mod node;
mod tunnel;
mod user;

pub use filter::{Rule, SdfFilter};
pub use node::{Cause, FSeid, Flags, NodeId};
pub use tunnel::{FTeid, OuterHeaderCreation, OuterHeaderRemoval, RemotePeer, UserPlaneResource};
pub use user::{SNssai, UeAddress};
