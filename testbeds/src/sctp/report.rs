//! What peers say of their associations.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

/// An association as its kernel describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Association {
    /// The kernel's number of its state; see [`Association::ESTABLISHED`].
    pub state: u32,
    /// Own addresses.
    pub local: Vec<IpAddr>,
    /// Own port.
    pub source_port: u16,
    /// The peer's address that data goes to while it is active.
    pub primary: IpAddr,
    /// Each of the peer's addresses and its state: `active`, `inactive`,
    /// `potentially failed`, `unconfirmed`.
    pub paths: BTreeMap<IpAddr, String>,
    /// Streams in and out.
    pub streams: [u16; 2],
}

impl Association {
    /// The state of an association that carries data.
    pub const ESTABLISHED: u32 = 3;

    /// The peer's addresses that are in this state.
    #[must_use]
    pub fn paths_that_are(&self, state: &str) -> Vec<IpAddr> {
        self.paths
            .iter()
            .filter(|(_, is)| *is == state)
            .map(|(address, _)| *address)
            .collect()
    }
}

/// What became of the messages of a client.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Echoes {
    /// Messages sent.
    pub sent: u64,
    /// Messages that came back once, whole, with their stream and PPID.
    pub echoed: u64,
    /// Messages that did not come back.
    pub missing: u64,
    /// Messages that came back twice or otherwise than they were sent.
    pub wrong: u64,
    /// Messages that the own kernel refused to send.
    pub refused: u64,
    /// Messages that came back before an earlier one of their stream.
    pub unordered: u64,
    /// How many each server echoed.
    pub identities: BTreeMap<String, u64>,
    /// The longest time between two echoes, in milliseconds.
    pub longest_gap_ms: u64,
    /// Why the association ended, if it did.
    pub ended: Option<String>,
}

impl Echoes {
    /// Whether every message came back once, in order, as it was sent.
    #[must_use]
    pub fn whole(&self) -> bool {
        self.sent == self.echoed && self.wrong == 0 && self.unordered == 0 && self.ended.is_none()
    }
}

/// What a server has seen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Served {
    /// Associations it has now.
    pub associations: u32,
    /// Messages echoed.
    pub messages: u64,
    /// Messages of each stream.
    pub streams: BTreeMap<String, u64>,
    /// Messages of each payload protocol identifier.
    pub ppids: BTreeMap<String, u64>,
    /// Messages of each client: its primary address, a space, its port.
    pub senders: BTreeMap<String, u64>,
}
