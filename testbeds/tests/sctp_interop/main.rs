//! The project's own SCTP endpoint against those of others, as clients and as servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod common;
mod kernel;
mod lksctp;
mod usrsctp;
