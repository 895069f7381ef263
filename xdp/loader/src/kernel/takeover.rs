//! Taking over from a build before this one, or from this one with other bounds, while packets flow.
//!
//! What is the same is kept, and both programs use it. What has the same layout and another bound is made anew, and
//! its entries are copied; what has another layout and holds sessions, or what they name, is refused. The order: the
//! new maps are filled, they take the place of the old ones among the pins, the links get the new program
//! ([`Kernel::attach_pinned`]), flows that began in between follow ([`Kernel::catch_up`]), the old maps go
//! ([`Kernel::settle`]). Whenever the process dies on this way, packets are steered and the next one goes on.
//!
//! Where flows are copied, one that begins while some links have one program and some the other may miss its answers
//! that long: each link's change waits for the kernel's lock of interfaces (rtnl).

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use aya::maps::{MapData, MapError};
use pinion_steering::{Flow, FlowKey, LongKey, ShortKey};

use super::batch::{self, pages};
use super::copy::{copy, open};
use super::pinned::{Fit, Found, make, remove};
use super::{Kernel, PROGRAM, PinFolder, refused, wrong};
use crate::schema::{MAPS, MapSpec, Role, Written};
use crate::{Bounds, LoadError, Maps as _, sessions};

/// What came with a packet path that was taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inherited {
    /// The maps that were made anew, with how many entries were copied to each.
    pub copied: Vec<(&'static str, usize)>,
}

/// Flows of the old maps that began after they were copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Late {
    /// How many followed.
    pub followed: usize,
    /// How many found the new map full.
    pub lost: usize,
}

impl Kernel {
    /// Loads the object over the maps that are pinned in `folder`, and has the verifier check the program: adopts
    /// them where they are as this build makes them with these bounds, else fills new ones from them. `written` is
    /// what is known of another build's maps ([`crate::setup::Setup::written`]). Nothing is attached yet, and the
    /// program before goes on.
    ///
    /// # Errors
    /// [`LoadError::Schema`] where maps have another layout, [`LoadError::Unfit`] where the bounds are too small for
    /// what is in them, as [`Kernel::load`] otherwise: nothing was changed then.
    pub fn take_over(
        bounds: Bounds,
        folder: &PinFolder,
        written: &Written,
    ) -> Result<(Self, Inherited), LoadError> {
        folder.resume()?;
        let Some(found) = folder.in_force(written)? else { return Self::adopt(bounds, folder) };
        let fits = MAPS.iter().map(|map| Ok((map, found.fit(map, &bounds)?)));
        let fits = fits.collect::<Result<Vec<_>, LoadError>>()?;
        if found.is_own() && fits.iter().all(|(_, fit)| matches!(fit, Fit::Same | Fit::Absent)) {
            return Self::adopt(bounds, folder);
        }
        let result = Self::fill(bounds, folder, &found, &fits);
        if result.is_err() && folder.new_maps().exists() {
            remove(&folder.new_maps())?;
        }
        let (mut kernel, inherited) = result?;
        // Left by a process that died before it had come so far.
        if folder.old_maps().exists() {
            kernel.catch_up(folder)?;
            remove(&folder.old_maps())?;
        }
        folder.switch(&found)?;
        Ok((kernel, inherited))
    }

    /// Goes on with maps that were found to fit, or are not there yet.
    fn adopt(bounds: Bounds, folder: &PinFolder) -> Result<(Self, Inherited), LoadError> {
        let mut kernel = Self::load_as(bounds, false, Some(folder.maps()))?;
        kernel.verify(PROGRAM)?;
        Ok((kernel, Inherited::default()))
    }

    /// Makes maps beside those that were found, and fills them.
    fn fill(
        bounds: Bounds,
        folder: &PinFolder,
        found: &Found<'_>,
        fits: &[(&MapSpec, Fit)],
    ) -> Result<(Self, Inherited), LoadError> {
        let stay = |map: &MapSpec| match map.role {
            Role::Passing => all_same(fits, |other| other.name == map.name),
            // Counts belong to the flows that are counted.
            Role::Flows | Role::Tally => all_same(fits, |other| matches!(other.role, Role::Flows | Role::Tally)),
            role => all_same(fits, |other| other.role == role),
        };
        for (map, fit) in fits {
            if let (Fit::Other(found_there), Role::Flows | Role::Pins | Role::Configuration) = (fit, map.role) {
                let (path, found) = (found.path.join(map.name), found_there.clone());
                return Err(LoadError::Schema { path, found, needed: map.description() });
            }
        }
        let new = folder.new_maps();
        make(&new)?;
        for (map, _) in fits.iter().filter(|(map, _)| stay(map)) {
            let pinned = open(map.name, &found.path)?.pin(new.join(map.name));
            pinned.map_err(|error| wrong(map.name)(MapError::PinError { name: None, error }))?;
        }
        let mut kernel = Self::load_as(bounds, false, Some(&new))?;
        kernel.verify(PROGRAM)?;
        let mut inherited = Inherited::default();
        for (map, _) in fits.iter().filter(|(map, fit)| *fit != Fit::Absent && !stay(map)) {
            if !matches!(map.role, Role::Passing | Role::Tally) {
                inherited.copied.push((map.name, copy(map.name, &found.path, &new)?));
            }
        }
        if inherited.copied.iter().any(|(name, _)| name.starts_with("FLOWS")) {
            sessions::count_all(&mut kernel, batch::MOST)?;
        }
        Ok((kernel, inherited))
    }

    /// Has flows follow that began, or came further, in maps whose place was taken since they were copied. Where there
    /// is one by now, in another place, that one stays.
    ///
    /// # Errors
    /// [`LoadError::Map`] where the kernel refuses; it can be tried again.
    pub fn catch_up(&mut self, folder: &PinFolder) -> Result<Late, LoadError> {
        let old = folder.old_maps();
        let mut late = Late::default();
        if !old.exists() {
            return Ok(late);
        }
        if is_another("FLOWS", &old, &self.raw.flows)? {
            pages("FLOWS", open("FLOWS", &old)?.fd().as_fd(), |page: Vec<(ShortKey, Flow)>| {
                page.iter().try_for_each(|(key, flow)| self.follow(&FlowKey::Short(*key), flow, &mut late))
            })?;
        }
        if is_another("FLOWS6", &old, &self.raw.flows6)? {
            pages("FLOWS6", open("FLOWS6", &old)?.fd().as_fd(), |page: Vec<(LongKey, Flow)>| {
                page.iter().try_for_each(|(key, flow)| self.follow(&FlowKey::Long(*key), flow, &mut late))
            })?;
        }
        Ok(late)
    }

    fn follow(&mut self, key: &FlowKey, flow: &Flow, late: &mut Late) -> Result<(), LoadError> {
        match self.read_flow(key)? {
            Some(known) if known.target == flow.target && known.state < flow.state => self.put_flow(key, flow)?,
            Some(_) => {}
            None => match sessions::restore(self, key, flow) {
                Ok(_) => late.followed += 1,
                Err(error) if is_full(&error) => late.lost += 1,
                Err(error) => return Err(error),
            },
        }
        Ok(())
    }

    /// Ends the taking over, once every link has this program: flows that began in between follow, and the maps of
    /// before go, other builds' too.
    ///
    /// # Errors
    /// As [`Kernel::catch_up`]; [`LoadError::Pin`] where a pin cannot be removed.
    pub fn settle(&mut self, folder: &PinFolder) -> Result<Late, LoadError> {
        let late = self.catch_up(folder)?;
        folder.remove_others()?;
        Ok(late)
    }
}

/// Whether a pinned map is another one than an open one.
fn is_another(name: &'static str, folder: &Path, ours: &OwnedFd) -> Result<bool, LoadError> {
    let id = |map: MapData| map.info().map(|info| info.id()).map_err(wrong(name));
    let ours = MapData::from_fd(ours.try_clone().map_err(refused(name))?).map_err(wrong(name))?;
    Ok(id(open(name, folder)?)? != id(ours)?)
}

/// Whether a map had no room.
fn is_full(error: &LoadError) -> bool {
    const E2BIG: i32 = 7;
    let LoadError::Map { source, .. } = error else { return false };
    matches!(&**source, MapError::SyscallError(error) if error.io_error.raw_os_error() == Some(E2BIG))
}

fn all_same(fits: &[(&MapSpec, Fit)], of: impl Fn(&MapSpec) -> bool) -> bool {
    fits.iter().filter(|(map, _)| of(map)).all(|(_, fit)| *fit == Fit::Same)
}
