#![no_std]
#![forbid(unsafe_code)]
//! Bytes to values and back for the protocols that Pinion understands.
//!
//! Nothing here does I/O or reads a clock. A view allocates nothing: it borrows the bytes that it was
//! parsed from, and every way in which bytes can be wrong is a variant of the module's `Error` that says
//! where. Offsets in errors count from the first byte of the slice that was given to `parse`.

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod addresses;
pub mod ap;
mod bytes;
pub mod diameter;
pub mod framed;
pub mod gtpu;
pub mod gtpv2;
pub mod ip;
pub mod nas;
pub mod ngap;
mod numbered;
pub mod pfcp;
mod reader;
pub mod s1ap;
pub mod sbi;
pub mod sctp;
