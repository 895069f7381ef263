//! Behaviour of the SCP, line by line, over real sockets: clients on one side, producers on the other.
//!
//! A test is named after the line that it shows: R routing, D discovery and selection, B binding, F failure, A authorization,
//! N the NRF.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test may stop at the first surprise, as it may"
)]

#[path = "../shared/attackers.rs"]
mod attackers;
#[path = "../shared/authority.rs"]
mod authority;
#[path = "../shared/loaded.rs"]
mod loaded;
#[path = "../shared/profiles.rs"]
mod profiles;
#[path = "../shared/running.rs"]
mod running;

mod abuse;
mod advice;
mod authorization;
mod binding;
mod counted;
mod discovery;
mod drained;
mod ended;
mod failure;
mod faults;
mod forbearance;
mod frames;
mod http1;
mod identity;
mod interim;
mod load;
mod location;
mod memory;
mod notices;
mod nrf;
mod ourselves;
mod peers;
mod pools;
mod redirect;
mod registration;
mod repeats;
mod reselection;
mod retry;
mod routing;
mod searches;
mod secure;
mod silence;
mod streams;
mod support;
mod tls;
mod wanted;
