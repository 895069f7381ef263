//! The SCP between programs that others wrote: clients curl, h2load and httpx, servers nghttpd and an NRF on hypercorn, the
//! h2 of Python as both, and captures that tshark reads. What is not installed is skipped, and said so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test may stop at the first surprise, as it may"
)]

#[path = "../shared/authority.rs"]
mod authority;
#[path = "../shared/loaded.rs"]
mod loaded;
#[path = "../shared/profiles.rs"]
mod profiles;
#[path = "../shared/running.rs"]
mod running;

mod captures;
mod clear;
mod clients;
mod differences;
mod exchange;
mod faults;
mod http1;
mod programs;
mod registry;
