use pinion_steering::{
    Flow, FlowKey, Link, NextHop, Pin, PinKey, Reason, Service, ServiceKey, Source, SourceKey, Target,
};

use crate::LoadError;

/// How many entries the tables hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// `FLOWS`: two for each UDP or TCP session over IPv4, three for each SCTP association.
    pub flows: u32,
    /// `FLOWS6`: two for each UDP or TCP session over IPv6.
    pub flows6: u32,
    /// `PINS`: one for each learned or configured tunnel.
    pub pins: u32,
    /// `SERVICES`: both banks; for each address of a service two.
    pub services: u32,
    /// `SOURCES`: one for each address of an endpoint.
    pub sources: u32,
    /// `TARGETS`: one for each path of each service and endpoint.
    pub targets: u32,
    /// The Maglev arena: a hundred for each endpoint of each service, twice over for reloads.
    pub maglev: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            flows: 200_000,
            flows6: 65_536,
            pins: 200_000,
            services: 65_536,
            sources: 16_384,
            targets: 65_536,
            maglev: 1 << 20,
        }
    }
}

/// What a packet left behind for user space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Why.
    pub reason: Reason,
    /// Length of the packet.
    pub length: u32,
    /// Its first bytes, at the most 2,048.
    pub bytes: Vec<u8>,
}

/// The tables as user space writes and reads them, of either host.
///
/// # Errors
/// Every method fails with [`LoadError::Map`] where the kernel refuses, or a bound is reached.
pub trait Maps {
    /// The bounds that the tables were made with.
    fn bounds(&self) -> Bounds;

    /// Writes an entry of `SERVICES`.
    fn put_service(&mut self, key: &ServiceKey, service: &Service) -> Result<(), LoadError>;
    /// Takes an entry out of `SERVICES`; one that is not there is as good.
    fn remove_service(&mut self, key: &ServiceKey) -> Result<(), LoadError>;
    /// Writes an entry of `SOURCES`.
    fn put_source(&mut self, key: &SourceKey, source: &Source) -> Result<(), LoadError>;
    /// Writes an entry of `TARGETS`.
    fn put_target(&mut self, index: u32, target: &Target) -> Result<(), LoadError>;
    /// Reads an entry of `TARGETS`.
    fn read_target(&self, index: u32) -> Result<Target, LoadError>;
    /// Writes a block of the arena.
    fn put_maglev(&mut self, base: u32, block: &[u32]) -> Result<(), LoadError>;
    /// Chooses the bank of `SERVICES` that is in force.
    fn activate(&mut self, bank: u8) -> Result<(), LoadError>;
    /// Writes an entry of `LINKS`.
    fn put_link(&mut self, ifindex: u32, link: &Link) -> Result<(), LoadError>;

    /// Writes an entry of `PINS`.
    fn put_pin(&mut self, key: &PinKey, pin: &Pin) -> Result<(), LoadError>;
    /// Takes an entry out of `PINS`; one that is not there is as good.
    fn remove_pin(&mut self, key: &PinKey) -> Result<(), LoadError>;

    /// Reads one entry of `FLOWS`.
    fn read_flow(&self, key: &FlowKey) -> Result<Option<Flow>, LoadError>;
    /// Reads all of `FLOWS`, sorted by nothing.
    fn flows(&self) -> Result<Vec<(FlowKey, Flow)>, LoadError>;
    /// Writes an entry of `FLOWS`: restoring, and tests.
    fn put_flow(&mut self, key: &FlowKey, flow: &Flow) -> Result<(), LoadError>;
    /// Takes an entry out of `FLOWS`; whether it was there.
    fn remove_flow(&mut self, key: &FlowKey) -> Result<bool, LoadError>;

    /// How many sessions an endpoint has, by its index in `TARGETS` on path 0.
    fn sessions(&self, target: u32) -> Result<u32, LoadError>;
    /// Says that sessions of an endpoint have ended; of restored ones, by a negative number, that they have begun.
    fn end_sessions(&mut self, target: u32, by: i32) -> Result<(), LoadError>;

    /// Writes an entry of the next-hop cache, on every CPU.
    fn put_hop(&mut self, slot: u32, hop: &NextHop) -> Result<(), LoadError>;
    /// How many packets there were for each reason, summed over CPUs, by [`Reason`] as a number.
    fn counters(&self) -> Result<Vec<u64>, LoadError>;
    /// Takes what packets left behind for user space.
    fn events(&mut self) -> Result<Vec<Event>, LoadError>;
}
