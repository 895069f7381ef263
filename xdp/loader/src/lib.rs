//! Both hosts of the steering code, and what fills their tables.
//!
//! [`kernel`] loads, attaches and pins the BPF object and is a typed face of its maps; [`user`] keeps the same
//! tables in memory and runs the same steering crate. What fills them does not know which it fills: it writes
//! through [`Maps`]. [`setup`] turns services and endpoints into entries.

#![deny(unsafe_code)]

mod block;
mod engine;
mod error;
pub mod filters;
pub mod kernel;
pub mod maglev;
mod maps;
pub mod object;
pub mod schema;
pub mod sessions;
pub mod setup;
pub mod sweep;
pub mod tunnels;
pub mod user;

pub use engine::{Engine, INGRESS, LEAST, Ran};
pub use error::LoadError;
pub use maps::{Bounds, COPIES_MOST, Copied, Copies, Cursor, Event, Maps, Paged};
