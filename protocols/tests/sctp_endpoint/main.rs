//! The SCTP endpoint against a network that is simulated, and against a peer that a test makes up.

#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod attacks;
mod blue;
mod changes;
mod collisions;
mod ending;
mod extensions;
mod format;
mod handshake;
mod icmp;
mod interface;
mod mtu;
mod network;
mod opening;
mod oracle;
mod partial;
mod paths;
mod puppet;
mod receiving;
mod sending;
mod signer;
mod simulation;
mod states;
mod table;
mod threats;
mod transfer;
mod world;
