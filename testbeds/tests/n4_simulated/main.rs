//! Simulated SMFs and UPFs against each other, with nothing between.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod common;
mod crowd;
mod hostile;
mod namespaces;
mod oracle;
mod repeats;
mod restarts;
