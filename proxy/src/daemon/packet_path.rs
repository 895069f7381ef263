//! The packet path as the daemon holds it: the tables, what was laid out in them, and, where they are the kernel's, the
//! program over them and the interfaces that it is attached to.
//!
//! A configuration that steers nothing has the tables in memory: whoever writes and reads them does not know the
//! difference, and the daemon needs no more of the kernel than any other program.

mod kernel;

use std::collections::BTreeMap;
use std::path::Path;

use pinion_loader::kernel::{Inherited, Late};
use pinion_loader::setup::{ServiceSpec, Setup};
use pinion_loader::sweep::{Named, Sweeper, Timeouts};
use pinion_loader::user::UserEngine;
use pinion_loader::{Bounds, Cursor, LoadError, Maps, Paged, filters, tunnels};

use pinion_steering::{Address, Filter, Flow, FlowKey, Pin, PinKey};

use super::interfaces::Host;
use crate::config::model::{self, Config, Protocol, Service};
use crate::control::{InterfaceView, TableLevel};
use crate::sessions::{FlowPages, PinTable};
use kernel::InKernel;

/// The tables and what is in them.
pub struct PacketPath {
    /// What was laid out where.
    pub setup: Setup,
    tables: Tables,
    /// What is in force.
    specs: Vec<ServiceSpec>,
    sweeper: Sweeper,
    /// Flows' pins that the sweep under way has kept, and those of the last whole one.
    kept: u64,
    flows: u64,
}

/// Whose the tables are.
enum Tables {
    /// The kernel's: packets are steered by them.
    Kernel(Box<InKernel>),
    /// This process's own.
    Memory(Box<UserEngine>),
}

impl Tables {
    fn maps(&self) -> &dyn Maps {
        match self {
            Self::Kernel(held) => &held.kernel,
            Self::Memory(engine) => &**engine,
        }
    }

    fn maps_mut(&mut self) -> &mut dyn Maps {
        match self {
            Self::Kernel(held) => &mut held.kernel,
            Self::Memory(engine) => &mut **engine,
        }
    }
}

/// What a pass through all flows has found.
#[derive(Debug)]
pub struct Pass {
    /// What they name.
    pub named: Named,
    /// Endpoints, by index in `TARGETS` on path 0, of which no reply is seen, and how many sessions wait for one.
    pub silent: BTreeMap<u32, u64>,
}

impl PacketPath {
    /// Takes over the tables that are pinned below `folder`, with all that is pinned in them
    /// ([`pinion_loader::kernel::Kernel::take_over`]). Nothing is attached yet; what came with them.
    ///
    /// # Errors
    /// What is missing, or what the kernel refuses; [`LoadError::Schema`] where the tables are of another layout,
    /// [`LoadError::Unfit`] where what is in them has no room.
    pub fn open(config: &Config, pins: &Path, state: &Path) -> Result<(Self, Inherited), LoadError> {
        let (kernel, setup, inherited) = InKernel::open(config.bounds, pins, state)?;
        Ok((Self::over(Tables::Kernel(Box::new(kernel)), setup), inherited))
    }

    /// Tables in memory, which steer nothing.
    #[must_use]
    pub fn in_memory(bounds: Bounds) -> Self {
        Self::over(Tables::Memory(Box::new(UserEngine::new(bounds))), Setup::default())
    }

    fn over(tables: Tables, setup: Setup) -> Self {
        Self { setup, tables, specs: Vec::new(), sweeper: Sweeper::default(), kept: 0, flows: 0 }
    }

    /// Whether packets are steered.
    #[must_use]
    pub const fn steers(&self) -> bool {
        matches!(self.tables, Tables::Kernel(_))
    }

    /// The tables, to read them.
    #[must_use]
    pub fn maps(&self) -> &dyn Maps {
        self.tables.maps()
    }

    /// The tables.
    pub fn maps_mut(&mut self) -> &mut dyn Maps {
        self.tables.maps_mut()
    }

    /// Has flows follow that began in the tables of a daemon before since they were copied.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn catch_up(&mut self) -> Result<Late, LoadError> {
        self.in_kernel().map_or(Ok(Late::default()), InKernel::catch_up)
    }

    /// Ends the taking over, once the program is attached wherever it is to be: what a daemon before attached
    /// elsewhere is detached, and its tables go. The interfaces that it was detached from, and what followed from
    /// the tables.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn settle(&mut self, wanted: &[model::Interface]) -> Result<(Vec<String>, Late), LoadError> {
        self.in_kernel().map_or(Ok(Default::default()), |kernel| kernel.settle(wanted))
    }

    fn in_kernel(&mut self) -> Option<&mut InKernel> {
        match &mut self.tables {
            Tables::Kernel(kernel) => Some(kernel),
            Tables::Memory(_) => None,
        }
    }

    /// Puts services in force, whole or not at all; whether anything changed.
    ///
    /// # Errors
    /// What [`Setup::apply`] fails with.
    pub fn apply(&mut self, specs: Vec<ServiceSpec>) -> Result<bool, LoadError> {
        if specs == self.specs {
            return Ok(false);
        }
        self.setup.apply(self.tables.maps_mut(), &specs)?;
        self.specs = specs;
        Ok(true)
    }

    /// Says how long sessions live without packets.
    pub fn set_timeouts(&mut self, config: &Config) {
        self.sweeper.reset();
        for service in config.steered() {
            if let Some(id) = self.setup.id(&service.name) {
                self.sweeper.set(id, timeouts(service));
            }
        }
    }

    /// Looks at about `most` flows, and ends those whose time has come. After the last of them: what they name, and
    /// which endpoints are silent.
    ///
    /// # Errors
    /// What the kernel refuses; the next step goes on where this one began.
    pub fn sweep(&mut self, most: usize) -> Result<Option<Pass>, LoadError> {
        let swept = self.sweeper.step(self.tables.maps_mut(), most)?;
        self.kept += swept.kept as u64;
        let Some(named) = swept.pass else { return Ok(None) };
        self.flows = std::mem::take(&mut self.kept);
        Ok(Some(Pass { named, silent: swept.silent }))
    }

    /// Takes back the numbers of what is configured no more and named no more.
    ///
    /// # Errors
    /// What [`Setup::reclaim`] fails with.
    pub fn reclaim(&mut self, named: &Named) -> Result<usize, LoadError> {
        self.setup.reclaim(self.tables.maps_mut(), named)
    }

    /// How full the tables of flows are, both together, as the last whole sweep found them.
    #[must_use]
    pub fn flows(&self) -> TableLevel {
        let bounds = self.maps().bounds();
        TableLevel {
            name: "FLOWS".into(),
            used: self.flows,
            bound: u64::from(bounds.flows) + u64::from(bounds.flows6),
        }
    }

    /// What is in force.
    #[must_use]
    pub fn specs(&self) -> &[ServiceSpec] {
        &self.specs
    }

    /// Attaches the program to the configured interfaces that are there and not attached yet, and detaches it from
    /// those that are configured no longer. What was done, a line each.
    ///
    /// # Errors
    /// The first interface that the kernel refuses; those before it are attached.
    pub fn attach(&mut self, wanted: &[model::Interface], host: &Host) -> Result<Vec<String>, LoadError> {
        self.in_kernel().map_or(Ok(Vec::new()), |kernel| kernel.attach(wanted, host))
    }

    /// The interfaces, and how the program is attached to each; none where nothing is steered.
    #[must_use]
    pub fn interfaces(&self, wanted: &[model::Interface]) -> Vec<InterfaceView> {
        match &self.tables {
            Tables::Kernel(kernel) => kernel.interfaces(wanted),
            Tables::Memory(_) => Vec::new(),
        }
    }

    /// Detaches the program from every interface and takes away what is pinned.
    ///
    /// # Errors
    /// The first that the kernel refuses.
    pub fn detach(&mut self) -> Result<(), LoadError> {
        self.in_kernel().map_or(Ok(()), InKernel::detach)
    }
}

impl FlowPages for PacketPath {
    fn flow_page(&self, from: Cursor, most: usize) -> Result<Paged<(FlowKey, Flow)>, LoadError> {
        self.maps().flows_page(from, most)
    }
}

impl PinTable for PacketPath {
    fn install(&mut self, key: &PinKey, pin: &Pin) -> Result<(), LoadError> {
        tunnels::put(self.maps_mut(), key, pin)
    }

    fn install_all(&mut self, pins: &[(PinKey, Pin)]) -> Result<(), (usize, LoadError)> {
        tunnels::put_all(self.maps_mut(), pins)
    }

    fn leave(&mut self, key: &PinKey, before: &Pin) -> Result<(), LoadError> {
        tunnels::leave(self.maps_mut(), key, before)
    }

    fn lead(&mut self, end: (Address, u32), endpoint: Option<&Pin>) -> Result<(), LoadError> {
        tunnels::lead(self.maps_mut(), end, endpoint)
    }

    fn classify(&mut self, key: &PinKey, pin: &Pin, filters: &[Filter]) -> Result<Pin, LoadError> {
        filters::put(self.maps_mut(), key, pin, filters)
    }

    fn filters(&self, key: &PinKey, pin: &Pin) -> Result<Vec<Filter>, LoadError> {
        filters::read(self.maps(), key, pin)
    }

    fn withdraw(&mut self, key: &PinKey) -> Result<(), LoadError> {
        tunnels::remove(self.maps_mut(), key)
    }

    fn installed(&self, from: Cursor, most: usize) -> Result<Paged<(PinKey, Pin)>, LoadError> {
        self.maps().pins_page(from, most)
    }
}

/// How long sessions of a service live without packets.
fn timeouts(service: &Service) -> Timeouts {
    let model::Timeouts { opening, established, closing, closed } = service.timeouts;
    let others = Timeouts::default();
    match service.protocol {
        Protocol::Udp => Timeouts { udp: established, ..others },
        Protocol::Pfcp | Protocol::Gtpc | Protocol::Ngap => others,
        Protocol::Gtpu => Timeouts { tunnel: established, ..others },
        Protocol::Tcp => Timeouts {
            tcp_opening: opening,
            tcp_established: established,
            tcp_closing: closing,
            tcp_closed: closed,
            ..others
        },
        Protocol::Sctp => Timeouts {
            sctp_opening: opening,
            sctp_established: established,
            sctp_closing: closing,
            sctp_closed: closed,
            ..others
        },
    }
}
