//! Simulated network functions, for tests and demonstrations.
//!
//! They are machines without I/O: what came goes in, what is to be sent comes out, and a seed decides what is random.
//! Every message says whose it is and which of its messages, and whoever gets it looks: what must not be is a
//! violation, and what was sent and never came is found by comparing both ends.

#![forbid(unsafe_code)]

pub mod n2;
