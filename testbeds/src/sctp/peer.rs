//! A running peer and the orders it takes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Association, Carried, Connect, Exchanged, Ran, Served, Server};
use crate::failure::Failure;
use crate::peers::Echoes;
use crate::puppet::Puppet;

/// A running peer. Dropping it ends it, without a word to its associations.
#[derive(Debug)]
pub struct Peer {
    puppet: Puppet,
    started: bool,
    // Scripts that the peer runs from; removed after the puppet has ended.
    _folder: Option<TempDir>,
}

/// How long a peer may take to start: a User-Mode Linux on a busy machine.
const START: Duration = Duration::from_secs(60);
/// How long the peer's own waits may be overrun before it counts as silent.
const GRACE: Duration = Duration::from_secs(10);
/// How long what comes is waited for before there is something to be sent again, perhaps.
const MOMENT: Duration = Duration::from_millis(10);

impl Peer {
    /// A puppet that has been told how to tune its kernel, and no more.
    pub(super) fn new(puppet: Puppet, folder: Option<TempDir>) -> Self {
        Self { puppet, started: false, _folder: folder }
    }

    /// Waits until the peer runs.
    ///
    /// # Errors
    ///
    /// As [`Puppet::order`].
    pub fn ready(&mut self) -> Result<(), Failure> {
        if !self.started {
            self.puppet.answer::<Value>(START)?;
            self.started = true;
        }
        Ok(())
    }

    /// Listens. One server a port; it is known by its port.
    ///
    /// # Errors
    ///
    /// [`Failure::PeerRefused`] with the kernel's words, else as [`Peer::ready`].
    pub fn serve(&mut self, server: &Server) -> Result<(), Failure> {
        self.order::<Value>(&name(server.port), "serve", json!(server), GRACE).map(drop)
    }

    /// What the server on a port has seen.
    ///
    /// # Errors
    ///
    /// As [`Peer::serve`].
    pub fn served(&mut self, port: u16) -> Result<Served, Failure> {
        self.order(&name(port), "served", json!({}), GRACE)
    }

    /// Opens an association and says how it stands.
    ///
    /// # Errors
    ///
    /// [`Failure::PeerRefused`] where there is no association in time.
    pub fn connect(&mut self, connect: &Connect) -> Result<Association, Failure> {
        self.open(connect, "connect")
    }

    fn open(&mut self, connect: &Connect, what: &str) -> Result<Association, Failure> {
        let wait = Duration::try_from_secs_f64(connect.timeout).unwrap_or_default().saturating_add(GRACE);
        self.order(&connect.name, what, json!(connect), wait)
    }

    /// Opens an association on which others say what is sent, by [`Peer::exchange`], and says how it stands.
    ///
    /// # Errors
    ///
    /// As [`Peer::connect`].
    pub fn carry(&mut self, connect: &Connect) -> Result<Association, Failure> {
        self.open(connect, "carry")
    }

    /// Sends messages on such an association, and waits a moment for what comes.
    ///
    /// # Errors
    ///
    /// As [`Peer::serve`].
    pub fn exchange(&mut self, name: &str, messages: &[Carried]) -> Result<Exchanged, Failure> {
        let order = json!({ "messages": messages, "timeout": MOMENT.as_secs_f64() });
        self.order(name, "exchange", order, GRACE)
    }

    /// How an association stands.
    ///
    /// # Errors
    ///
    /// As [`Peer::serve`].
    pub fn association(&mut self, name: &str) -> Result<Association, Failure> {
        self.order(name, "association", json!({}), GRACE)
    }

    /// Chooses the peer's address that data goes to while it is active.
    ///
    /// # Errors
    ///
    /// As [`Peer::serve`].
    pub fn set_primary(&mut self, name: &str, address: IpAddr) -> Result<(), Failure> {
        self.order::<Value>(name, "primary", json!({ "address": address }), GRACE).map(drop)
    }

    /// Sends messages of `size` bytes (8 at least) at once, on the streams in
    /// turn, and waits up to `wait` for every echo.
    ///
    /// # Errors
    ///
    /// As [`Peer::serve`].
    pub fn echo(&mut self, name: &str, messages: u32, size: usize, wait: Duration) -> Result<Echoes, Failure> {
        let order = json!({ "messages": messages, "size": size, "timeout": wait.as_secs_f64() });
        self.order(name, "echo", order, wait.saturating_add(GRACE))
    }

    /// Starts to send messages of `size` bytes, one every `interval`, until
    /// [`Peer::finish_flow`].
    ///
    /// # Errors
    ///
    /// As [`Peer::serve`].
    pub fn start_flow(&mut self, name: &str, size: usize, interval: Duration) -> Result<(), Failure> {
        let order = json!({ "size": size, "interval": interval.as_secs_f64() });
        self.order::<Value>(name, "start", order, GRACE).map(drop)
    }

    /// Ends the flow, waits up to `wait` for the echoes on their way and says
    /// what became of every message.
    ///
    /// # Errors
    ///
    /// As [`Peer::serve`].
    pub fn finish_flow(&mut self, name: &str, wait: Duration) -> Result<Echoes, Failure> {
        self.order(name, "finish", json!({ "timeout": wait.as_secs_f64() }), wait.saturating_add(GRACE))
    }

    /// Ends an association with SHUTDOWN.
    ///
    /// # Errors
    ///
    /// As [`Peer::serve`].
    pub fn close(&mut self, name: &str) -> Result<(), Failure> {
        self.order::<Value>(name, "close", json!({ "abort": false }), GRACE).map(drop)
    }

    /// Ends an association with ABORT.
    ///
    /// # Errors
    ///
    /// As [`Peer::serve`].
    pub fn abort(&mut self, name: &str) -> Result<(), Failure> {
        self.order::<Value>(name, "close", json!({ "abort": true }), GRACE).map(drop)
    }

    /// Starts a program on the peer's kernel, such as `sctp_test`; it is known by a name and ends with the peer.
    ///
    /// # Errors
    ///
    /// [`Failure::PeerRefused`] where it cannot be started, else as [`Peer::ready`].
    pub fn run(&mut self, name: &str, arguments: &[String]) -> Result<(), Failure> {
        self.order::<Value>(name, "run", json!({ "arguments": arguments }), GRACE).map(drop)
    }

    /// What a program has said so far, and how it ended.
    ///
    /// # Errors
    ///
    /// As [`Peer::serve`].
    pub fn ran(&mut self, name: &str) -> Result<Ran, Failure> {
        self.order(name, "ran", json!({}), GRACE)
    }

    /// The kernel's counters of SCTP by their names in `/proc/net/sctp/snmp`:
    /// `SctpChecksumErrors`, `SctpOutOfBlues`, `SctpAborteds`, ...
    ///
    /// # Errors
    ///
    /// As [`Peer::serve`].
    pub fn counters(&mut self) -> Result<BTreeMap<String, u64>, Failure> {
        self.order("", "counters", json!({}), GRACE)
    }

    fn order<T: DeserializeOwned>(
        &mut self,
        name: &str,
        what: &str,
        mut order: Value,
        wait: Duration,
    ) -> Result<T, Failure> {
        self.ready()?;
        if let Some(fields) = order.as_object_mut() {
            fields.insert("do".to_owned(), what.into());
            fields.insert("name".to_owned(), name.into());
        }
        self.puppet.order(&order, wait)
    }
}

fn name(port: u16) -> String {
    port.to_string()
}
