//! GTP-U peers: a script drives scapy, so that packets are another's work.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Echoes;
use crate::failure::Failure;
use crate::namespace::Namespace;
use crate::puppet::{Cage, Puppet};
use crate::python::Python;

const SCRIPT: &str = include_str!("../../peers/gtpu_peer.py");
/// How long scapy may take to be imported, and any order beyond its own wait.
const GRACE: Duration = Duration::from_secs(30);

/// An UPF, as far as packets see it.
#[derive(Debug)]
pub struct Upf(Puppet);

/// What an UPF has seen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Served {
    /// Packets of each of its uplink TEIDs.
    pub packets: BTreeMap<u32, u64>,
    /// Packets of TEIDs that are none of its, answered by Error Indication.
    pub unknown: BTreeMap<u32, u64>,
}

impl Upf {
    /// Listens on `addresses`, port `port`. `tunnels` maps uplink TEIDs to the
    /// downlink TEIDs that it answers with, its identity in front.
    ///
    /// # Errors
    ///
    /// [`Failure::Network`], and as [`Puppet::order`].
    pub fn start(
        python: &Python,
        namespace: &Namespace,
        identity: &str,
        addresses: &[IpAddr],
        port: u16,
        tunnels: &BTreeMap<u32, u32>,
    ) -> Result<Self, Failure> {
        let mut puppet = start(python, namespace, identity)?;
        let order = json!({
            "do": "serve", "identity": identity, "addresses": addresses, "port": port,
            "tunnels": tunnels,
        });
        puppet.order::<Value>(&order, GRACE)?;
        Ok(Self(puppet))
    }

    /// What it has seen.
    ///
    /// # Errors
    ///
    /// As [`Puppet::order`].
    pub fn served(&mut self) -> Result<Served, Failure> {
        self.0.order(&json!({ "do": "served" }), GRACE)
    }
}

/// A gNB, as far as packets see it.
#[derive(Debug)]
pub struct Gnb(Puppet);

/// A session's two tunnels and what goes through them.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    /// The TEID that it sends to.
    pub uplink: u32,
    /// The TEID that answers must come by.
    pub downlink: u32,
    /// The terminal's address.
    pub terminal: IpAddr,
    /// The address beyond the UPF.
    pub beyond: IpAddr,
    /// The QoS flow, in a PDU session container (TS 38.415); without, none.
    pub qfi: Option<u8>,
}

/// What an Error Indication told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Told {
    /// Where it came from.
    pub from: (IpAddr, u16),
    /// The tunnel that it names.
    pub teid: u32,
    /// The address that the tunnel is said to be at.
    pub address: IpAddr,
}

impl Gnb {
    /// Binds `local`: TS 29.281 lets its port be any.
    ///
    /// # Errors
    ///
    /// [`Failure::Network`], and as [`Puppet::order`].
    pub fn start(python: &Python, namespace: &Namespace, local: SocketAddr) -> Result<Self, Failure> {
        let mut puppet = start(python, namespace, "gnb")?;
        let order = json!({ "do": "bind", "address": local.ip(), "port": local.port() });
        puppet.order::<Value>(&order, GRACE)?;
        Ok(Self(puppet))
    }

    /// Sends inner UDP packets with `size` bytes of payload (8 at least), one
    /// after the other's answer, each waited for up to `wait`.
    ///
    /// # Errors
    ///
    /// As [`Puppet::order`].
    pub fn send(
        &mut self,
        to: SocketAddr,
        session: &Session,
        messages: u32,
        size: usize,
        wait: Duration,
    ) -> Result<Echoes, Failure> {
        let order = json!({
            "do": "send", "remote": to.ip(), "remote_port": to.port(),
            "uplink": session.uplink, "downlink": session.downlink, "qfi": session.qfi,
            "inner": [session.terminal, session.beyond],
            "messages": messages, "size": size, "timeout": wait.as_secs_f64(),
        });
        self.0.order(&order, wait.saturating_mul(messages).saturating_add(GRACE))
    }

    /// Sends a user packet and says which tunnel the Error Indication names that answers it.
    ///
    /// # Errors
    ///
    /// [`Failure::PeerRefused`] where none comes within `wait`, or something else.
    pub fn told(&mut self, to: SocketAddr, uplink: u32, wait: Duration) -> Result<Told, Failure> {
        let order = json!({
            "do": "told", "remote": to.ip(), "remote_port": to.port(), "uplink": uplink,
            "timeout": wait.as_secs_f64(),
        });
        self.0.order(&order, wait.saturating_add(GRACE))
    }

    /// Sends an Echo Request and says after how long its response came.
    ///
    /// # Errors
    ///
    /// [`Failure::PeerRefused`] where none comes within `wait`.
    pub fn ping(&mut self, to: SocketAddr, sequence: u16, wait: Duration) -> Result<Duration, Failure> {
        let order = json!({
            "do": "ping", "remote": to.ip(), "remote_port": to.port(), "sequence": sequence,
            "timeout": wait.as_secs_f64(),
        });
        self.0.order(&order, wait.saturating_add(GRACE)).map(Duration::from_millis)
    }
}

fn start(python: &Python, namespace: &Namespace, name: &str) -> Result<Puppet, Failure> {
    Puppet::start(name, namespace, python.script(SCRIPT), Cage::Open)
}
