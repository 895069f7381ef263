//! SCTP peers on a real kernel's SCTP, several addresses each.
//!
//! Where the kernel here has SCTP a peer is a process in its host's namespace.
//! Where it has none, a peer is a User-Mode Linux of its own, which takes over
//! the host's interfaces and addresses: for whoever is at the other end of the
//! link there is no difference.

mod peer;
mod report;
mod uml;
pub mod userspace;
pub mod usrsctp;

use std::net::IpAddr;
use std::process::{Command, Stdio};

use serde::Serialize;
use serde_json::json;

pub use peer::Peer;
pub use report::{Association, Carried, Exchanged, Ran, Served};
pub use uml::Uml;

use crate::failure::Failure;
use crate::missing::Missing;
use crate::puppet::{Cage, Puppet};
use crate::python::Python;
use crate::topology::Host;

/// Whose SCTP peers use.
#[derive(Debug, Clone)]
pub enum Stack {
    /// The kernel's that runs the test.
    Native(Python),
    /// One of a User-Mode Linux a peer.
    Uml(Uml),
}

impl Stack {
    /// Finds one, the kernel's own if it can.
    ///
    /// # Errors
    ///
    /// [`Missing::PythonModule`] without any Python, else [`Missing::Sctp`].
    pub fn find() -> Result<Self, Missing> {
        let python = Python::with("json")?;
        if kernel_has_sctp(&python) { Ok(Self::Native(python)) } else { Uml::find(python).map(Self::Uml) }
    }

    /// Starts a peer on a host and returns at once; a User-Mode Linux takes
    /// about two seconds until it answers its first order.
    ///
    /// # Errors
    ///
    /// [`Failure::Network`], [`Failure::File`].
    pub fn start(&self, host: &Host) -> Result<Peer, Failure> {
        let (mut puppet, folder) = match self {
            Self::Native(python) => {
                let command = python.script(SCRIPT);
                (Puppet::start(&host.name, &host.namespace, command, Cage::Open)?, None)
            }
            Self::Uml(uml) => uml.start(host, SCRIPT).map(|(puppet, folder)| (puppet, Some(folder)))?,
        };
        puppet.tell(&json!({ "do": "tune", "settings": QUICK }))?;
        Ok(Peer::new(puppet, folder))
    }
}

const SCRIPT: &str = include_str!("../peers/sctp_peer.py");

/// Timers (milliseconds) and retries that notice a dead path within seconds.
/// In this order: the kernel keeps rto_min below rto_max.
const QUICK: [(&str, u32); 7] = [
    ("rto_min", 100),
    ("rto_max", 400),
    ("rto_initial", 200),
    ("hb_interval", 300),
    ("path_max_retrans", 2),
    ("association_max_retrans", 20),
    ("max_init_retransmits", 10),
];

fn kernel_has_sctp(python: &Python) -> bool {
    let question = "import socket; socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)";
    let mut command = Command::new(&python.program);
    command.args(["-c", question]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A listening socket that echoes every message, its identity in front.
#[derive(Debug, Clone, Serialize)]
pub struct Server {
    /// What replies carry.
    pub identity: String,
    /// The addresses it is bound to, in INIT ACK's order.
    pub addresses: Vec<IpAddr>,
    /// The port.
    pub port: u16,
    /// Streams offered each way.
    pub streams: u16,
}

/// An association to open.
#[derive(Debug, Clone, Serialize)]
pub struct Connect {
    /// Tells a peer's associations apart.
    pub name: String,
    /// The addresses bound to; empty: all.
    pub local: Vec<IpAddr>,
    /// The port bound to; 0: the kernel's choice. Without local addresses it is not bound.
    pub source_port: u16,
    /// The server's addresses: INIT goes to the first, and to the next if none answers.
    pub remote: Vec<IpAddr>,
    /// The server's port.
    pub port: u16,
    /// Streams asked for each way; messages take them in turn.
    pub streams: u16,
    /// The payload protocol identifier of what it sends: 60 is NGAP.
    pub ppid: u32,
    /// Seconds until it gives up.
    pub timeout: f64,
}

impl Connect {
    /// NGAP from a host's addresses and a fixed port to a service: two streams.
    #[must_use]
    pub fn ngap(name: &str, local: Vec<IpAddr>, source_port: u16, remote: Vec<IpAddr>, port: u16) -> Self {
        Self { name: name.to_owned(), local, source_port, remote, port, streams: 2, ppid: 60, timeout: 5.0 }
    }
}
