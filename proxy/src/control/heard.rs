//! What the daemon hears of associations that the packet path carries whole.

use pinion_loader::Copies;
use pinion_n2::observe::Counts;

/// How it goes with listening.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Copies of packets that the packet path made, and those that found no room, since its tables are there.
    pub copies: Copies,
    /// The services that are listened to and of which anything was heard, by name.
    pub services: Vec<HeardService>,
}

/// A service that is listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardService {
    /// The service.
    pub service: String,
    /// How many associations are followed.
    pub associations: u64,
    /// How many UEs are known.
    pub ues: u64,
    /// What was met with, since the daemon began.
    pub counts: Counts,
}
