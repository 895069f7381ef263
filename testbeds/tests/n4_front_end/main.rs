//! Pinion's N4 front end between simulated SMFs and UPFs, in memory.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

mod redirect;
mod stage;
mod terminate;
