use std::fs;
use std::path::PathBuf;

use aya::programs::ProgramError;
use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::xdp::{XdpLink, XdpMode};

use super::plain::Plain;
use super::{Kernel, PROGRAM, PinFolder, device, failed, wrong};
use crate::{LoadError, Maps as _};

/// How XDP runs on an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// In the driver where it can, else in the stack.
    #[default]
    Auto,
    /// In the driver only.
    Native,
    /// In the stack: slower, on every interface.
    Generic,
}

impl From<Mode> for XdpMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Auto => Self::Default,
            Mode::Native => Self::Driver,
            Mode::Generic => Self::Skb,
        }
    }
}

/// A program on an interface. Without a pin it ends when this is dropped; with one it stays.
#[derive(Debug)]
pub struct Attached {
    /// Kept open: for a link that is not pinned, closing it detaches.
    _link: FdLink,
    pin: Option<PathBuf>,
}

impl Attached {
    /// Detaches a pinned program; one that is not pinned ends by being dropped.
    ///
    /// # Errors
    /// [`LoadError::Pin`] where the pin cannot be removed.
    pub fn detach(self) -> Result<(), LoadError> {
        match &self.pin {
            None => Ok(()),
            Some(path) => fs::remove_file(path).map_err(LoadError::pin(path, "removing the link's pin")),
        }
    }
}

impl Kernel {
    /// Attaches the program to an interface, until the result is dropped. The program must have been verified.
    ///
    /// # Errors
    /// [`LoadError::Program`] where the kernel refuses.
    pub fn attach(&mut self, ifindex: u32, mode: Mode) -> Result<Attached, LoadError> {
        let program = self.program(PROGRAM)?;
        let id = program
            .attach_to_if_index(ifindex, mode.into())
            .map_err(|source| failed(PROGRAM, "attaching", source))?;
        let link = program.take_link(id).map_err(|source| failed(PROGRAM, "attaching", source))?;
        let attached = Attached { _link: into_fd(link)?, pin: None };
        self.learn(ifindex)?;
        Ok(attached)
    }

    /// Has answers leave a veth by redirection: its driver wakes the other end for what is sent otherwise only where
    /// that end runs a program too.
    fn learn(&mut self, ifindex: u32) -> Result<(), LoadError> {
        if !device::is_veth(ifindex) {
            return Ok(());
        }
        self.around.insert(ifindex);
        match self.links.get(&Plain(ifindex), 0) {
            Ok(Plain(link)) => self.put_link(ifindex, &link),
            Err(aya::maps::MapError::KeyNotFound) => Ok(()),
            Err(source) => Err(wrong("LINKS")(source)),
        }
    }

    /// Attaches the program to an interface for good: the link is pinned under the interface's name. Where a link
    /// is pinned there already, its program is replaced by this one, between two packets; unless that name is another
    /// interface's by now, removed and made anew or renamed, where the link is made anew too.
    ///
    /// # Errors
    /// [`LoadError::Program`] where the kernel refuses, [`LoadError::Pin`] where the link cannot be pinned.
    pub fn attach_pinned(
        &mut self,
        folder: &PinFolder,
        interface: &str,
        ifindex: u32,
        mode: Mode,
    ) -> Result<Attached, LoadError> {
        let path = folder.link(interface);
        let at = |action| LoadError::pin(&path, action);
        if path.exists() && device::link_ifindex(&path).map_err(at("reading the link"))? != ifindex {
            fs::remove_file(&path).map_err(at("removing the pin of another interface"))?;
        }
        if path.exists() {
            let pinned = PinnedLink::from_pin(&path)
                .map_err(|error| at("opening the link")(std::io::Error::other(error)))?;
            let link = XdpLink::try_from(FdLink::from(pinned))
                .map_err(|error| at("reading the link")(std::io::Error::other(error)))?;
            let program = self.program(PROGRAM)?;
            match program.attach_to_link(link) {
                Ok(id) => {
                    let link = program.take_link(id).map_err(|source| failed(PROGRAM, "replacing", source))?;
                    self.learn(ifindex)?;
                    return Ok(Attached { _link: into_fd(link)?, pin: Some(path) });
                }
                Err(error) if interface_is_gone(&error) => {
                    fs::remove_file(&path).map_err(at("removing the pin of an interface that is gone"))?;
                }
                Err(error) => return Err(failed(PROGRAM, "replacing", error)),
            }
        }
        let attached = self.attach(ifindex, mode)?;
        let pinned =
            attached._link.pin(&path).map_err(|error| at("pinning the link")(std::io::Error::other(error)))?;
        Ok(Attached { _link: pinned.into(), pin: Some(path) })
    }
}

/// Whether a link has outlived its interface.
fn interface_is_gone(error: &ProgramError) -> bool {
    const ENOLINK: i32 = 67;
    matches!(error, ProgramError::SyscallError(error) if error.io_error.raw_os_error() == Some(ENOLINK))
}

fn into_fd(link: XdpLink) -> Result<FdLink, LoadError> {
    let at = LoadError::pin("".as_ref(), "taking the link");
    FdLink::try_from(link).map_err(|error| at(std::io::Error::other(error)))
}
