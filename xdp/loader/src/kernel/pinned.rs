use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aya::maps::MapInfo;

use super::bounded;
use crate::schema::{MAPS, MapSpec, hash};
use crate::{Bounds, LoadError};

/// A folder on a bpffs where maps, and the links of interfaces, outlive the process.
///
/// Maps lie in a folder named after their schema, so that a version never opens another version's; links lie
/// beside it, so that a newer version replaces the program of the same link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinFolder {
    maps: PathBuf,
    links: PathBuf,
}

impl PinFolder {
    /// Where the daemon pins by default.
    pub const DEFAULT: &'static str = "/run/pinion/bpf";

    /// Uses `root`, which is made, and made a bpffs, where it is not one yet.
    ///
    /// # Errors
    /// [`LoadError::Pin`] where a folder cannot be made or mounted.
    pub fn open(root: &Path) -> Result<Self, LoadError> {
        let wrong = |action| move |source: io::Error| LoadError::Pin { path: root.to_owned(), action, source };
        fs::create_dir_all(root).map_err(wrong("making the folder of pins"))?;
        if !is_bpffs(root).map_err(wrong("reading the file system's type"))? {
            let flags = rustix::mount::MountFlags::NOSUID | rustix::mount::MountFlags::NOEXEC;
            rustix::mount::mount("pinion", root, "bpf", flags, None)
                .map_err(|error| wrong("mounting a bpffs")(error.into()))?;
        }
        let folder = Self { maps: root.join(hash()), links: root.join("links") };
        for path in [&folder.maps, &folder.links] {
            fs::create_dir_all(path).map_err(|source| LoadError::Pin {
                path: path.clone(),
                action: "making a folder of pins",
                source,
            })?;
        }
        Ok(folder)
    }

    /// Where this schema's maps are.
    pub(super) fn maps(&self) -> &Path {
        &self.maps
    }

    /// Where an interface's link is.
    #[must_use]
    pub fn link(&self, interface: &str) -> PathBuf {
        self.links.join(interface)
    }

    /// Takes the maps away: what no program holds ends.
    ///
    /// # Errors
    /// [`LoadError::Pin`] where a pin cannot be removed.
    pub fn remove(&self) -> Result<(), LoadError> {
        fs::remove_dir_all(&self.maps).map_err(|source| LoadError::Pin {
            path: self.maps.clone(),
            action: "removing the pins",
            source,
        })
    }

    /// Whether every map that is already pinned is what this build makes: aya opens one by name without looking.
    ///
    /// # Errors
    /// [`LoadError::Schema`] with both descriptions.
    pub fn check(&self, bounds: &Bounds) -> Result<(), LoadError> {
        for map in MAPS {
            let path = self.maps.join(map.name);
            if !path.exists() {
                continue;
            }
            let info = MapInfo::from_pin(&path)
                .map_err(|source| LoadError::Map { map: map.name, source: Box::new(source) })?;
            let kind =
                info.map_type().map_err(|source| LoadError::Map { map: map.name, source: Box::new(source) })?;
            let bound = bounded(bounds).iter().find(|(name, _)| *name == map.name).map(|(_, bound)| *bound);
            let found = describe(kind as u32, info.key_size(), info.value_size(), info.max_entries());
            let needed = expected(map, bound.unwrap_or(info.max_entries()));
            if found != needed {
                return Err(LoadError::Schema { path, found, needed });
            }
        }
        Ok(())
    }
}

fn expected(map: &MapSpec, entries: u32) -> String {
    describe(map.kind, map.key, map.value, entries)
}

fn describe(kind: u32, key: u32, value: u32, entries: u32) -> String {
    format!("a map of type {kind} with keys of {key} B, values of {value} B and {entries} entries")
}

fn is_bpffs(path: &Path) -> io::Result<bool> {
    /// linux/magic.h, BPF_FS_MAGIC.
    const MAGIC: i64 = 0xcafe_4a11;
    let found = rustix::fs::statfs(path)?;
    Ok(found.f_type & 0xffff_ffff == MAGIC)
}
