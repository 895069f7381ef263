//! The daemon as N4 front end and N3 steering, in namespaces: SMFs and gNBs before it, UPFs with a user plane behind.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod bed;
mod failures;
mod leaving;
mod lives;
mod operators;
mod oracle;
mod prompt;
mod redirect;
mod restarts;
mod store;
