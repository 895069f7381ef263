#![forbid(unsafe_code)]
//! SCTP for async programs, wherever it comes from, and the links that user space sends it over.

pub mod link;

pub use pinion_protocols::sctp::endpoint::Time;
