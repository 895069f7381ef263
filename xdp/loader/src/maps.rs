use std::time::Duration;

use pinion_steering::{
    Filter, FilterKey, Flow, FlowKey, Heard, Link, NextHop, Pin, PinKey, Reason, Service, ServiceKey, Source,
    SourceKey, Target,
};

use crate::LoadError;

/// How many entries the tables hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// `FLOWS`: two for each UDP or TCP session over IPv4, three for each SCTP association.
    pub flows: u32,
    /// `FLOWS6`: two for each UDP or TCP session over IPv6.
    pub flows6: u32,
    /// `PINS`: one for each learned or configured tunnel over IPv4. As many of `PINS6`: one for each over IPv6, and for
    /// each that leads back from a tunnel's end ([`PinKey::back`]).
    pub pins: u32,
    /// `FILTERS`: one for each filter of a tunnel; for the moment that they are changed, twice as many.
    pub filters: u32,
    /// `FRAGMENTS`: one for each datagram that is cut in pieces, for some seconds; the oldest make room.
    pub fragments: u32,
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
            filters: 16_384,
            fragments: 16_384,
            services: 65_536,
            sources: 16_384,
            targets: 65_536,
            maglev: 1 << 20,
        }
    }
}

/// How many copies [`Maps::copies`] takes at once.
pub const COPIES_MOST: usize = 4096;

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

/// A copy of a packet of a service that is listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Whose it is.
    pub heard: Heard,
    /// Its first bytes from SCTP's common header on, at the most [`Heard::MOST`].
    pub bytes: Vec<u8>,
}

/// How many packets of services that are listened to there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// Of so many there was a copy.
    pub made: u64,
    /// For the copies of so many there was no room, as nobody took those before.
    pub lost: u64,
}

/// A place in a table, to read it page by page from; the default is its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cursor(u64);

impl Cursor {
    /// The cursor that [`Cursor::number`] gave; of another number, some place in the table.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// As a number, for those who ask page by page.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Bucket `at` of a table that is made of several; `None` is the beginning.
    pub(crate) fn at(table: u8, at: Option<u32>) -> Self {
        Self(u64::from(table) << 33 | at.map_or(0, |at| 1 << 32 | u64::from(at)))
    }

    /// What [`Cursor::at`] was given.
    pub(crate) fn place(self) -> (u8, Option<u32>) {
        let begun = self.0 >> 32 & 1 == 1;
        ((self.0 >> 33) as u8, begun.then_some(self.0 as u32))
    }
}

/// A page, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged<T> {
    /// What is in it.
    pub entries: Vec<T>,
    /// Where the next one begins; `None` where this was the last.
    pub next: Option<Cursor>,
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
    /// Writes entries of `SERVICES`.
    fn put_services(&mut self, services: &[(ServiceKey, Service)]) -> Result<(), LoadError>;
    /// Reads all of `SERVICES`, sorted by nothing.
    fn services(&self) -> Result<Vec<(ServiceKey, Service)>, LoadError>;
    /// Takes an entry out of `SERVICES`; one that is not there is as good.
    fn remove_service(&mut self, key: &ServiceKey) -> Result<(), LoadError>;
    /// Writes an entry of `SOURCES`.
    fn put_source(&mut self, key: &SourceKey, source: &Source) -> Result<(), LoadError>;
    /// Takes an entry out of `SOURCES`; one that is not there is as good.
    fn remove_source(&mut self, key: &SourceKey) -> Result<(), LoadError>;
    /// Writes an entry of `TARGETS`.
    fn put_target(&mut self, index: u32, target: &Target) -> Result<(), LoadError>;
    /// Reads an entry of `TARGETS`.
    fn read_target(&self, index: u32) -> Result<Target, LoadError>;
    /// Writes a block of the arena.
    fn put_maglev(&mut self, base: u32, block: &[u32]) -> Result<(), LoadError>;
    /// Chooses the bank of `SERVICES` that is in force.
    ///
    /// When it returns, no packet sees the other one any more.
    fn activate(&mut self, bank: u8) -> Result<(), LoadError>;
    /// The bank of `SERVICES` that is in force.
    fn active(&self) -> Result<u8, LoadError>;
    /// Writes an entry of `LINKS`.
    fn put_link(&mut self, ifindex: u32, link: &Link) -> Result<(), LoadError>;

    /// Writes an entry of `PINS` or `PINS6`.
    fn put_pin(&mut self, key: &PinKey, pin: &Pin) -> Result<(), LoadError>;
    /// Writes entries of `PINS` and `PINS6`, in order: some hundred thousand in a second.
    ///
    /// # Errors
    /// How many were written before the one that was refused, and why.
    fn put_pins(&mut self, pins: &[(PinKey, Pin)]) -> Result<(), (usize, LoadError)>;
    /// Reads one entry of `PINS` or `PINS6`.
    fn read_pin(&self, key: &PinKey) -> Result<Option<Pin>, LoadError>;
    /// Reads a page of `PINS` and `PINS6`, as [`Maps::flows_page`] does; what leads back is not in it.
    fn pins_page(&self, from: Cursor, most: usize) -> Result<Paged<(PinKey, Pin)>, LoadError>;
    /// Takes an entry out of `PINS` or `PINS6`; one that is not there is as good.
    fn remove_pin(&mut self, key: &PinKey) -> Result<(), LoadError>;

    /// Writes an entry of `FILTERS`.
    fn put_filter(&mut self, key: &FilterKey, filter: &Filter) -> Result<(), LoadError>;
    /// Reads one entry of `FILTERS`.
    fn read_filter(&self, key: &FilterKey) -> Result<Option<Filter>, LoadError>;
    /// Takes an entry out of `FILTERS`; one that is not there is as good.
    fn remove_filter(&mut self, key: &FilterKey) -> Result<(), LoadError>;

    /// Reads one entry of `FLOWS`.
    fn read_flow(&self, key: &FlowKey) -> Result<Option<Flow>, LoadError>;
    /// Reads all of `FLOWS`, sorted by nothing.
    fn flows(&self) -> Result<Vec<(FlowKey, Flow)>, LoadError>;
    /// Reads a page of `FLOWS`: at the most `most` entries, or a few more, and where the next page begins.
    ///
    /// A cursor is a place in the table and no entry: what is removed or inserted meanwhile harms nothing. Every entry
    /// that is there from the first page to the last is in one page.
    fn flows_page(&self, from: Cursor, most: usize) -> Result<Paged<(FlowKey, Flow)>, LoadError>;
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
    /// The clock that pins are seen by, in ticks; only differences mean something, and it wraps.
    fn clock(&mut self) -> Result<u32, LoadError>;
    /// How long a tick is.
    fn tick_length(&self) -> Duration;
    /// How many packets there were for each reason, summed over CPUs, by [`Reason`] as a number.
    fn counters(&self) -> Result<Vec<u64>, LoadError>;
    /// Takes what packets left behind for user space, or a part of it where much comes meanwhile.
    fn events(&mut self) -> Result<Vec<Event>, LoadError>;
    /// Takes copies of packets of services that are listened to, in their order, at the most [`COPIES_MOST`].
    fn copies(&mut self) -> Result<Vec<Copied>, LoadError>;
    /// How many copies there were since the tables are there.
    fn copies_counted(&self) -> Result<Copies, LoadError>;
}
