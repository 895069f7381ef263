//! The packet path as the daemon holds it: the program and its tables, what was laid out in them, and the
//! interfaces that it is attached to.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use pinion_loader::kernel::{Attached, Inherited, Kernel, Late, Mode, PinFolder};
use pinion_loader::setup::{ServiceSpec, Setup};
use pinion_loader::sweep::{Named, Sweeper, Timeouts};
use pinion_loader::{Cursor, LoadError, Maps as _, Paged};

use pinion_steering::{Address, Filter, Flow, FlowKey, Pin, PinKey};

use super::interfaces::Host;
use crate::config::model::{self, Attach, Config, Protocol, Service};
use crate::control::{InterfaceView, TableLevel};
use crate::sessions::{FlowPages, PinTable};

/// What the layout of the tables is written down in, so that the next daemon knows it.
const LAYOUT: &str = "layout.json";

/// The program, its tables and its interfaces.
pub struct PacketPath {
    /// The program and its tables.
    pub kernel: Kernel,
    /// What was laid out where.
    pub setup: Setup,
    folder: PinFolder,
    attached: BTreeMap<String, On>,
    /// What is in force.
    specs: Vec<ServiceSpec>,
    sweeper: Sweeper,
    /// Flows' pins that the sweep under way has kept, and those of the last whole one.
    kept: u64,
    flows: u64,
}

/// What a pass through all flows has found.
#[derive(Debug)]
pub struct Pass {
    /// What they name.
    pub named: Named,
    /// Endpoints, by index in `TARGETS` on path 0, of which no reply is seen, and how many sessions wait for one.
    pub silent: BTreeMap<u32, u64>,
}

/// An interface that the program is attached to.
struct On {
    /// That of the interface that carries it, which its link is pinned under.
    name: String,
    index: u32,
    mode: Attach,
    native: bool,
    link: Attached,
}

impl PacketPath {
    /// Takes over the tables that are pinned below `folder`, with all that is pinned in them
    /// ([`Kernel::take_over`]). Nothing is attached yet; what came with them.
    ///
    /// # Errors
    /// What is missing, or what the kernel refuses; [`LoadError::Schema`] where the tables are of another layout,
    /// [`LoadError::Unfit`] where what is in them has no room.
    pub fn open(config: &Config, pins: &Path, state: &Path) -> Result<(Self, Inherited), LoadError> {
        let folder = PinFolder::open(pins)?;
        fs::create_dir_all(state).map_err(LoadError::pin(state, "making the folder of the layout"))?;
        let layout = state.join(LAYOUT);
        let (kernel, inherited) = Kernel::take_over(config.bounds, &folder, &Setup::written(&layout)?)?;
        let setup = Setup::restore(&kernel, &layout)?;
        let path = Self {
            kernel,
            setup,
            folder,
            attached: BTreeMap::new(),
            specs: Vec::new(),
            sweeper: Sweeper::default(),
            kept: 0,
            flows: 0,
        };
        Ok((path, inherited))
    }

    /// Has flows follow that began in the tables of a daemon before since they were copied.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn catch_up(&mut self) -> Result<Late, LoadError> {
        self.kernel.catch_up(&self.folder)
    }

    /// Ends the taking over, once the program is attached wherever it is to be: what a daemon before attached
    /// elsewhere is detached, and its tables go. The interfaces that it was detached from, and what followed from
    /// the tables.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn settle(&mut self, wanted: &[model::Interface]) -> Result<(Vec<String>, Late), LoadError> {
        let used = self.attached.values().map(|on| on.name.as_str());
        let used: HashSet<&str> = used.chain(wanted.iter().map(|interface| interface.name.as_str())).collect();
        let gone = self.folder.links()?.into_iter().filter(|name| !used.contains(name.as_str()));
        let gone: Vec<String> = gone.collect();
        gone.iter().try_for_each(|name| self.folder.unlink(name))?;
        Ok((gone, self.kernel.settle(&self.folder)?))
    }

    /// Puts services in force, whole or not at all; whether anything changed.
    ///
    /// # Errors
    /// What [`Setup::apply`] fails with.
    pub fn apply(&mut self, specs: Vec<ServiceSpec>) -> Result<bool, LoadError> {
        if specs == self.specs {
            return Ok(false);
        }
        self.setup.apply(&mut self.kernel, &specs)?;
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
        let swept = self.sweeper.step(&mut self.kernel, most)?;
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
        self.setup.reclaim(&mut self.kernel, named)
    }

    /// How full the tables of flows are, both together, as the last whole sweep found them.
    #[must_use]
    pub fn flows(&self) -> TableLevel {
        let bounds = self.kernel.bounds();
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
        let mut done = Vec::new();
        for interface in &host.interfaces {
            self.kernel.put_link(interface.index, &interface.link())?;
        }
        for interface in wanted {
            let Some(found) = host.interface(&interface.name) else { continue };
            let lower = host.interfaces.iter().find(|below| below.index == found.lower).unwrap_or(found);
            let known = self.attached.get(&interface.name);
            if known.is_some_and(|on| on.index == lower.index && on.mode == interface.attach) {
                continue;
            }
            let on = self.attach_one(&lower.name, lower.index, interface.attach)?;
            done.push(format!("{}: attached, {}", interface.name, how(on.native)));
            self.attached.insert(interface.name.clone(), on);
        }
        let gone: Vec<String> =
            self.attached.keys().filter(|name| wanted.iter().all(|it| it.name != **name)).cloned().collect();
        for name in gone {
            if let Some(on) = self.attached.remove(&name) {
                on.link.detach()?;
                done.push(format!("{name}: detached"));
            }
        }
        Ok(done)
    }

    fn attach_one(&mut self, name: &str, index: u32, attach: Attach) -> Result<On, LoadError> {
        let mut attached = |mode| self.kernel.attach_pinned(&self.folder, name, index, mode);
        let (link, native) = match attach {
            Attach::Native => (attached(Mode::Native)?, true),
            Attach::Generic => (attached(Mode::Generic)?, false),
            Attach::Auto => match attached(Mode::Native) {
                Ok(link) => (link, true),
                Err(_) => (attached(Mode::Generic)?, false),
            },
        };
        Ok(On { name: name.to_owned(), index, mode: attach, native, link })
    }

    /// The interfaces, and how the program is attached to each.
    #[must_use]
    pub fn interfaces(&self, wanted: &[model::Interface]) -> Vec<InterfaceView> {
        let view = |interface: &model::Interface| InterfaceView {
            name: interface.name.clone(),
            attached: self.attached.get(&interface.name).map_or("missing", |on| how(on.native)).to_owned(),
        };
        wanted.iter().map(view).collect()
    }

    /// Detaches the program from every interface and takes away what is pinned.
    ///
    /// # Errors
    /// The first that the kernel refuses.
    pub fn detach(&mut self) -> Result<(), LoadError> {
        for (_, on) in std::mem::take(&mut self.attached) {
            on.link.detach()?;
        }
        self.folder.remove()
    }
}

impl FlowPages for PacketPath {
    fn flow_page(&self, from: Cursor, most: usize) -> Result<Paged<(FlowKey, Flow)>, LoadError> {
        self.kernel.flows_page(from, most)
    }
}

impl PinTable for PacketPath {
    fn install(&mut self, key: &PinKey, pin: &Pin) -> Result<(), LoadError> {
        self.kernel.install(key, pin)
    }

    fn install_all(&mut self, pins: &[(PinKey, Pin)]) -> Result<(), (usize, LoadError)> {
        self.kernel.install_all(pins)
    }

    fn leave(&mut self, key: &PinKey, before: &Pin) -> Result<(), LoadError> {
        self.kernel.leave(key, before)
    }

    fn lead(&mut self, end: (Address, u32), endpoint: Option<&Pin>) -> Result<(), LoadError> {
        self.kernel.lead(end, endpoint)
    }

    fn classify(&mut self, key: &PinKey, pin: &Pin, filters: &[Filter]) -> Result<Pin, LoadError> {
        self.kernel.classify(key, pin, filters)
    }

    fn filters(&self, key: &PinKey, pin: &Pin) -> Result<Vec<Filter>, LoadError> {
        self.kernel.filters(key, pin)
    }

    fn withdraw(&mut self, key: &PinKey) -> Result<(), LoadError> {
        self.kernel.withdraw(key)
    }

    fn installed(&self, from: Cursor, most: usize) -> Result<Paged<(PinKey, Pin)>, LoadError> {
        self.kernel.pins_page(from, most)
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

const fn how(native: bool) -> &'static str {
    if native { "native" } else { "generic" }
}
