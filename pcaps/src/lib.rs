//! Captures: reading and writing them, what a frame of one carries, and what the steering code makes of it.

#![forbid(unsafe_code)]

pub mod capture;
pub mod datagram;
pub mod decode;
pub mod link;
pub mod replay;
pub mod writer;
