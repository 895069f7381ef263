//! PFCP peers: a script drives scapy, so that messages are another's work.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::namespace::Namespace;
use crate::puppet::{Cage, Puppet};
use crate::python::Python;

const SCRIPT: &str = include_str!("../../peers/pfcp_peer.py");
/// How long scapy may take to be imported, and any order.
const GRACE: Duration = Duration::from_secs(30);

/// An SMF or a UPF at port 8805. A UPF answers to what it is asked, and forwards nothing.
#[derive(Debug)]
pub struct Peer(Puppet);

impl Peer {
    /// An SMF at `address` that asks `remote`.
    ///
    /// # Errors
    ///
    /// [`Failure::Network`], and as [`Puppet::order`].
    pub fn smf(
        python: &Python,
        namespace: &Namespace,
        address: Ipv4Addr,
        remote: Ipv4Addr,
    ) -> Result<Self, Failure> {
        Self::start(python, namespace, &json!({ "do": "smf", "address": address, "remote": remote }))
    }

    /// A UPF at `address`.
    ///
    /// # Errors
    ///
    /// [`Failure::Network`], and as [`Puppet::order`].
    pub fn upf(python: &Python, namespace: &Namespace, address: Ipv4Addr) -> Result<Self, Failure> {
        Self::start(python, namespace, &json!({ "do": "upf", "address": address }))
    }

    /// Has it do something; what it answers.
    ///
    /// # Errors
    ///
    /// As [`Puppet::order`].
    pub fn order<T: DeserializeOwned>(&mut self, order: &Value) -> Result<T, Failure> {
        self.0.order(order, GRACE)
    }

    fn start(python: &Python, namespace: &Namespace, order: &Value) -> Result<Self, Failure> {
        let mut puppet = Puppet::start("pfcp", namespace, python.script(SCRIPT), Cage::Open)?;
        puppet.order::<Value>(order, GRACE)?;
        Ok(Self(puppet))
    }
}
