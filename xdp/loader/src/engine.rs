use pinion_steering::{Reason, Verdict};

use crate::{LoadError, Maps};

/// A host that runs single packets with an imagined clock, random numbers and next hops.
///
/// Both engines are this, so that replays, tables of cases and lockstep runs drive them alike.
pub trait Engine: Maps {
    /// Runs one frame as if it came in on interface [`INGRESS`].
    ///
    /// # Errors
    /// [`LoadError::Run`] where the kernel refuses to run the packet.
    fn run(&mut self, frame: &[u8]) -> Result<Ran, LoadError>;

    /// Sets the clock, in ticks of 2^30 ns, and the next random number.
    ///
    /// # Errors
    /// [`LoadError::Map`] where the kernel refuses.
    fn imagine(&mut self, tick: u32, random: u32) -> Result<(), LoadError>;
}

/// The interface that an engine's packets come in on: loopback's index in every network namespace.
pub const INGRESS: u32 = 1;

/// What became of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The verdict.
    pub verdict: Verdict,
    /// The counter that went up.
    pub reason: Reason,
    /// The packet as it left.
    pub bytes: Vec<u8>,
}

/// The least that the kernel runs a program on: an Ethernet header.
pub const LEAST: usize = 14;
