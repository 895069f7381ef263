//! The front end between clients and endpoints that are simulated in memory.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

mod captures;
mod errors;
mod gateways;
mod mme;
mod moves;
mod mutations;
mod oracle;
mod reliability;
mod restarts;
mod sessions;
mod sgw;
mod stage;
mod takeover;
