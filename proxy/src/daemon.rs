//! The daemon: what `pinion run` starts.
//!
//! It reads the configuration, takes over the packet path that an earlier one left, and from then on makes plans:
//! whenever health, an operator, a reload or the time changes which endpoints get sessions, the pools say what the
//! packet path is given, and [`packet_path::PacketPath`] puts it in force. Everybody who asks goes through
//! [`crate::control::Control`].

mod ask;
mod aware;
mod classify;
mod discovery;
mod end;
mod explain;
mod front_ends;
mod hold;
pub mod interfaces;
mod neighbours;
pub mod packet_path;
mod reload;
mod restore;
mod run;
mod sbi;
mod state;
mod tasks;
mod traffic;
mod tunnels;

pub use hold::InUse;
pub use run::{Options, RunError, run};
