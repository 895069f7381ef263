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
        self.paths.iter().filter(|(_, is)| *is == state).map(|(address, _)| *address).collect()
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

/// What has become of a program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Ran {
    /// Its exit status; none while it runs. Negative: the signal that ended it.
    pub status: Option<i32>,
    /// What it has said, lines of both its outputs.
    pub output: String,
}

/// A message: its stream, its payload protocol identifier, its octets in hexadecimal.
pub type Carried = (u16, u32, String);

/// What came on an association that others say what is sent on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Exchanged {
    /// Messages, in their order.
    pub came: Vec<Carried>,
    /// Why it has ended, if it has.
    pub ended: Option<String>,
}
