//! Topologies, peers, scenarios and benches that Pinion is tested with.
//!
//! A topology is a value: network namespaces joined by virtual Ethernet, made
//! by system calls alone, gone when the value is dropped. Peers run inside its
//! namespaces. What a machine lacks is found by a probe that says so.

#![forbid(unsafe_code)]

pub mod bench;
pub mod bystander;
pub mod capture;
pub mod cases;
pub mod checksums;
pub mod daemon;
pub mod failure;
mod figures;
pub mod missing;
pub mod n2;
pub mod n4;
pub mod packets;
pub mod patience;
pub mod peers;
pub mod puppet;
pub mod python;
pub mod relay;
pub mod scenario;
pub mod sctp;

pub use pinion_networks::{namespace, topology};
