//! Captures: reading and writing them, and what a frame of one carries.

#![forbid(unsafe_code)]

pub mod capture;
pub mod decode;
pub mod link;
pub mod writer;
