//! The packet path in the kernel: the program over its pinned tables, and the interfaces that it is attached to.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use pinion_loader::kernel::{Attached, Inherited, Kernel, Late, Mode, PinFolder};
use pinion_loader::setup::Setup;
use pinion_loader::{Bounds, LoadError, Maps as _};

use crate::config::model::{self, Attach};
use crate::control::InterfaceView;
use crate::daemon::interfaces::Host;

/// What the layout of the tables is written down in, so that the next daemon knows it.
const LAYOUT: &str = "layout.json";

/// The program, its tables and its interfaces.
pub(super) struct InKernel {
    /// The program and its tables.
    pub(super) kernel: Kernel,
    folder: PinFolder,
    attached: BTreeMap<String, On>,
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

impl InKernel {
    /// Takes over what is pinned below `pins`, and what `state` says of it.
    pub(super) fn open(bounds: Bounds, pins: &Path, state: &Path) -> Result<(Self, Setup, Inherited), LoadError> {
        let folder = PinFolder::open(pins)?;
        fs::create_dir_all(state).map_err(LoadError::pin(state, "making the folder of the layout"))?;
        let layout = state.join(LAYOUT);
        let (kernel, inherited) = Kernel::take_over(bounds, &folder, &Setup::written(&layout)?)?;
        let setup = Setup::restore(&kernel, &layout)?;
        Ok((Self { kernel, folder, attached: BTreeMap::new() }, setup, inherited))
    }

    pub(super) fn catch_up(&mut self) -> Result<Late, LoadError> {
        self.kernel.catch_up(&self.folder)
    }

    pub(super) fn settle(&mut self, wanted: &[model::Interface]) -> Result<(Vec<String>, Late), LoadError> {
        let used = self.attached.values().map(|on| on.name.as_str());
        let used: HashSet<&str> = used.chain(wanted.iter().map(|interface| interface.name.as_str())).collect();
        let gone = self.folder.links()?.into_iter().filter(|name| !used.contains(name.as_str()));
        let gone: Vec<String> = gone.collect();
        gone.iter().try_for_each(|name| self.folder.unlink(name))?;
        Ok((gone, self.kernel.settle(&self.folder)?))
    }

    pub(super) fn attach(&mut self, wanted: &[model::Interface], host: &Host) -> Result<Vec<String>, LoadError> {
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

    pub(super) fn interfaces(&self, wanted: &[model::Interface]) -> Vec<InterfaceView> {
        let view = |interface: &model::Interface| InterfaceView {
            name: interface.name.clone(),
            attached: self.attached.get(&interface.name).map_or("missing", |on| how(on.native)).to_owned(),
        };
        wanted.iter().map(view).collect()
    }

    pub(super) fn detach(&mut self) -> Result<(), LoadError> {
        for (_, on) in std::mem::take(&mut self.attached) {
            on.link.detach()?;
        }
        self.folder.remove()
    }
}

const fn how(native: bool) -> &'static str {
    if native { "native" } else { "generic" }
}
