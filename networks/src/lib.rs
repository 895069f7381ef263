//! Networks made of namespaces and virtual Ethernet, as values.
//!
//! A topology is a value: network namespaces joined by virtual Ethernet, made
//! by system calls alone, gone when the value is dropped. What a machine lacks
//! for it is found by a probe that says so.

#![forbid(unsafe_code)]

pub mod failure;
pub mod missing;
pub mod namespace;
pub mod supervised;
pub mod topology;
pub mod user_mode_linux;

pub use failure::Failure;
pub use missing::Missing;
pub use supervised::Supervised;
