//! Pinion's front end as a machine between SMFs and UPFs, with tunnels that are in force at once.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pinion_n4::{FrontEnd, Kept, Output, Settings, TakeError, TunnelChange};
use pinion_protocols::pfcp::PORT;

use super::{Datagram, Machine, Tunnel};

/// The front end, and where packets of each tunnel go.
#[derive(Debug)]
pub struct Between {
    front_end: FrontEnd<()>,
    address: IpAddr,
    now: Duration,
    pins: HashMap<(IpAddr, u32), (Arc<str>, u32)>,
    kept: BTreeMap<Kept, Bytes>,
    /// How long the front end itself took, and for how many datagrams.
    spent: (Duration, u64),
}

impl Between {
    /// Stands between peers with these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let address = settings.address;
        let front_end = FrontEnd::new(settings, 0xe800_0000, 7);
        let (now, spent) = (Duration::ZERO, (Duration::ZERO, 0));
        Self { front_end, address, now, pins: HashMap::new(), kept: BTreeMap::new(), spent }
    }

    /// The front end after this one, of a seed that none before had, as if its process had been killed: it has what was kept, and the packet path has its
    /// tunnels still, or lost them.
    ///
    /// # Errors
    ///
    /// [`TakeError`].
    pub fn killed(self, settings: Settings, seed: u64, loses_pins: bool) -> Result<Self, TakeError> {
        let front_end = FrontEnd::take_over(settings, self.kept.clone(), seed)?;
        let pins = if loses_pins { HashMap::new() } else { self.pins };
        Ok(Self { front_end, pins, ..self })
    }

    /// How long the front end itself took since this was asked last, and for how many datagrams.
    pub fn spent(&mut self) -> (Duration, u64) {
        std::mem::take(&mut self.spent)
    }

    /// The front end itself.
    #[must_use]
    pub fn front_end(&self) -> &FrontEnd<()> {
        &self.front_end
    }

    /// Where packets of a tunnel go: the endpoint, `POOL/NAME`, and the TEID as it knows it.
    #[must_use]
    pub fn pin(&self, tunnel: Tunnel) -> Option<(&str, u32)> {
        self.pins.get(&(tunnel.address.into(), tunnel.teid)).map(|(endpoint, teid)| (&**endpoint, *teid))
    }

    /// How many tunnels are in force.
    #[must_use]
    pub fn pins(&self) -> usize {
        self.pins.len()
    }

    fn commit(&mut self, change: TunnelChange) {
        match change {
            TunnelChange::Pin { at, to, .. } => {
                self.pins.insert(at, to);
            }
            TunnelChange::Unpin { at } => {
                self.pins.remove(&at);
            }
        }
    }
}

impl Machine for Between {
    fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.address, PORT)
    }

    fn receive(&mut self, from: SocketAddr, datagram: &[u8], now: Duration) {
        self.now = now;
        let begun = Instant::now();
        self.front_end.receive(now, from, datagram);
        self.spent.0 += begun.elapsed();
        self.spent.1 += 1;
    }

    fn tick(&mut self, now: Duration) {
        self.now = now;
        self.front_end.tick(now);
    }

    fn take(&mut self) -> Vec<Datagram> {
        let mut sent = Vec::new();
        while let Some(output) = self.front_end.output() {
            match output {
                Output::Send { to, bytes } => {
                    sent.push(Datagram { from: self.socket(), to, bytes: bytes.to_vec() });
                }
                Output::Commit { batch, changes } => {
                    changes.into_iter().for_each(|change| self.commit(change));
                    self.front_end.installed(self.now, batch, ());
                }
                Output::Keep { of, value: Some(value) } => {
                    self.kept.insert(of, value);
                }
                Output::Keep { of, value: None } => {
                    self.kept.remove(&of);
                }
                Output::Upf { .. } | Output::Lead(_) | Output::Classify(_) => {}
            }
        }
        sent
    }
}
