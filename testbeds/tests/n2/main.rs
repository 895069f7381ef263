//! gNBs and AMFs around the N2 front end, over SCTP in namespaces, while AMFs drain, die and come and paths are cut.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod daemon;
mod kernel;
mod story;
