//! The SCTP endpoint against a network that is simulated, and against packets of others.

#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod network;
mod oracle;
mod simulation;
