use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aya::maps::MapInfo;

use super::bounded;
use crate::schema::{MAPS, MapSpec, Written, describe, hash};
use crate::{Bounds, LoadError};

/// A folder on a bpffs where maps, and the links of interfaces, outlive the process.
///
/// Maps lie in a folder named after their schema, so that a version never opens another version's; links lie
/// beside it, so that a newer version replaces the program of the same link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinFolder {
    root: PathBuf,
    maps: PathBuf,
    links: PathBuf,
}

/// Maps that a build before this one pinned, or this one with other bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub(super) path: PathBuf,
    /// What is known of their fields; `None` where they are this build's.
    written: Option<&'a Written>,
}

/// How a pinned map fits what this build makes in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is the same.
    Same,
    /// It has another bound.
    Resized,
    /// It is another map, and this is what is known of it.
    Other(String),
    /// There is none.
    Absent,
}

impl PinFolder {
    /// Where the daemon pins by default.
    pub const DEFAULT: &'static str = "/run/pinion/bpf";

    /// Uses `root`, which is made, and made a bpffs, where it is not one yet.
    ///
    /// # Errors
    /// [`LoadError::Pin`] where a folder cannot be made or mounted.
    pub fn open(root: &Path) -> Result<Self, LoadError> {
        make(root)?;
        if !is_bpffs(root).map_err(LoadError::pin(root, "reading the file system's type"))? {
            let flags = rustix::mount::MountFlags::NOSUID | rustix::mount::MountFlags::NOEXEC;
            rustix::mount::mount("pinion", root, "bpf", flags, None)
                .map_err(|error| LoadError::pin(root, "mounting a bpffs")(error.into()))?;
        }
        let folder = Self { root: root.to_owned(), maps: root.join(hash()), links: root.join("links") };
        make(&folder.maps)?;
        make(&folder.links)?;
        Ok(folder)
    }

    /// Whether maps of any build are pinned below `root`, as far as this process may see.
    #[must_use]
    pub fn is_used(root: &Path) -> bool {
        entries(root).is_ok_and(|paths| paths.iter().any(|path| is_of_maps(path) && holds_something(path)))
    }

    /// Where this schema's maps are.
    pub(super) fn maps(&self) -> &Path {
        &self.maps
    }

    /// Where maps are made that are to take the place of those in force.
    pub(super) fn new_maps(&self) -> PathBuf {
        self.root.join(format!("{}-new", hash()))
    }

    /// Where the maps are whose place was taken, until every link has the program that uses the others. What they
    /// hold of flows has this build's layout.
    pub(super) fn old_maps(&self) -> PathBuf {
        self.root.join(format!("{}-old", hash()))
    }

    /// Where an interface's link is.
    #[must_use]
    pub fn link(&self, interface: &str) -> PathBuf {
        self.links.join(interface)
    }

    /// The interfaces that links are pinned for.
    ///
    /// # Errors
    /// [`LoadError::Pin`] where the folder cannot be read.
    pub fn links(&self) -> Result<Vec<String>, LoadError> {
        let entries = entries(&self.links)?.into_iter();
        Ok(entries.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
    }

    /// Detaches the program from an interface that nobody holds open otherwise.
    ///
    /// # Errors
    /// [`LoadError::Pin`] where the pin cannot be removed.
    pub fn unlink(&self, interface: &str) -> Result<(), LoadError> {
        let path = self.link(interface);
        fs::remove_file(&path).map_err(LoadError::pin(&path, "removing the link's pin"))
    }

    /// Takes the maps away, other builds' too: what no program holds ends.
    ///
    /// # Errors
    /// [`LoadError::Pin`] where a pin cannot be removed.
    pub fn remove(&self) -> Result<(), LoadError> {
        self.remove_others()?;
        remove(&self.maps)
    }

    /// Takes away all maps but this build's.
    pub(super) fn remove_others(&self) -> Result<(), LoadError> {
        self.others()?.iter().try_for_each(|path| remove(path))
    }

    /// Whether every map that is already pinned is what this build makes: aya opens one by name without looking.
    ///
    /// # Errors
    /// [`LoadError::Schema`] with both descriptions.
    pub fn check(&self, bounds: &Bounds) -> Result<(), LoadError> {
        for map in MAPS {
            let path = self.maps.join(map.name);
            let Some(info) = info(map, &path)? else { continue };
            let bound = bound(map, bounds).unwrap_or(info.max_entries());
            let found = format!("{} and {} entries", kind(&info)?, info.max_entries());
            let needed = format!("{} and {bound} entries", sizes(map));
            if found != needed {
                return Err(LoadError::Schema { path, found, needed });
            }
        }
        Ok(())
    }

    /// Ends what a process began that died while it took over.
    pub(super) fn resume(&self) -> Result<(), LoadError> {
        let (new, old) = (self.new_maps(), self.old_maps());
        if !new.exists() {
            return Ok(());
        }
        if old.exists() && !holds_something(&self.maps) {
            return rename(&new, &self.maps);
        }
        remove(&new)
    }

    /// The maps that are in force: this build's, those that the layout's file was written for, or any others.
    pub(super) fn in_force<'a>(&self, written: &'a Written) -> Result<Option<Found<'a>>, LoadError> {
        if holds_something(&self.maps) {
            return Ok(Some(Found { path: self.maps.clone(), written: None }));
        }
        let mut others = self.others()?;
        others.retain(|path| *path != self.old_maps() && holds_something(path));
        let known = others.iter().find(|path| **path == self.root.join(&written.schema));
        Ok(known.or(others.first()).map(|path| Found { path: path.clone(), written: Some(written) }))
    }

    /// Puts maps in the place of those that were found.
    pub(super) fn switch(&self, found: &Found<'_>) -> Result<(), LoadError> {
        rename(&found.path, &self.old_maps())?;
        rename(&self.new_maps(), &self.maps)
    }

    /// Folders of maps that are not this build's.
    fn others(&self) -> Result<Vec<PathBuf>, LoadError> {
        Ok(entries(&self.root)?.into_iter().filter(|path| *path != self.maps && is_of_maps(path)).collect())
    }
}

impl Found<'_> {
    /// How a map of this build's fits what is there under its name.
    pub(super) fn fit(&self, map: &MapSpec, bounds: &Bounds) -> Result<Fit, LoadError> {
        let Some(info) = info(map, &self.path.join(map.name))? else { return Ok(Fit::Absent) };
        let kind = kind(&info)?;
        if kind != sizes(map) {
            return Ok(Fit::Other(kind));
        }
        match self.written.map(|written| written.maps.get(map.name)) {
            Some(None) => return Ok(Fit::Other(format!("{kind}, of which no fields were written down"))),
            Some(Some(words)) if !map.is_described(words) => return Ok(Fit::Other(words.clone())),
            _ => {}
        }
        let bound = bound(map, bounds).unwrap_or(info.max_entries());
        Ok(if info.max_entries() == bound { Fit::Same } else { Fit::Resized })
    }

    /// Whether they are this build's.
    pub(super) const fn is_own(&self) -> bool {
        self.written.is_none()
    }
}

/// The kernel's description of a pinned map, if there is one.
fn info(map: &MapSpec, path: &Path) -> Result<Option<MapInfo>, LoadError> {
    if !path.exists() {
        return Ok(None);
    }
    let info = MapInfo::from_pin(path);
    info.map(Some).map_err(|source| LoadError::Map { map: map.name, source: Box::new(source) })
}

/// How many entries a map has by its configured bound, if it has one.
fn bound(map: &MapSpec, bounds: &Bounds) -> Option<u32> {
    bounded(bounds).iter().find(|(name, _)| *name == map.name).map(|(_, bound)| *bound)
}

fn kind(info: &MapInfo) -> Result<String, LoadError> {
    let kind =
        info.map_type().map_err(|source| LoadError::Map { map: "a pinned one", source: Box::new(source) })?;
    Ok(describe(kind as u32, info.key_size(), info.value_size()))
}

fn sizes(map: &MapSpec) -> String {
    describe(map.kind, map.key, map.value)
}

pub(super) fn make(path: &Path) -> Result<(), LoadError> {
    fs::create_dir_all(path).map_err(LoadError::pin(path, "making a folder of pins"))
}

pub(super) fn remove(path: &Path) -> Result<(), LoadError> {
    fs::remove_dir_all(path).map_err(LoadError::pin(path, "removing the pins"))
}

fn rename(from: &Path, to: &Path) -> Result<(), LoadError> {
    fs::rename(from, to).map_err(LoadError::pin(from, "renaming the folder of pins"))
}

/// Whether a folder is named as those of maps are: what else there is in a bpffs is not ours.
fn is_of_maps(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let schema = name.strip_suffix("-new").or_else(|| name.strip_suffix("-old")).unwrap_or(&name);
    schema.len() == 16 && schema.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let read = LoadError::pin(folder, "reading the folder of pins");
    fs::read_dir(folder).map_err(&read)?.map(|entry| entry.map(|entry| entry.path()).map_err(&read)).collect()
}

fn holds_something(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

fn is_bpffs(path: &Path) -> io::Result<bool> {
    /// linux/magic.h, BPF_FS_MAGIC.
    const MAGIC: i64 = 0xcafe_4a11;
    let found = rustix::fs::statfs(path)?;
    Ok(found.f_type & 0xffff_ffff == MAGIC)
}
