//! Where a daemon of the demonstration has its files, and its pins.

use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, unshare};
use pinion_loader::kernel::PinFolder;
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};
use tempfile::TempDir;

use crate::demo::error::DemoError;

/// A folder of its own with a bpffs in it. Dropping it removes both.
pub(super) struct Place {
    folder: TempDir,
}

impl Place {
    /// Makes one.
    pub(super) fn new() -> Result<Self, DemoError> {
        // Where this thread has mounts of its own, a bpffs is gone with it, even if nobody can unmount it.
        // Where that is refused, there is still the unmounting below.
        if unshare(CloneFlags::CLONE_NEWNS).is_ok() {
            let _ = mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC);
        }
        let folder =
            tempfile::Builder::new().prefix("pinion-demo-").tempdir().map_err(DemoError::system("folder"))?;
        let place = Self { folder };
        std::fs::create_dir(place.pins()).map_err(DemoError::system("folder of pins"))?;
        PinFolder::open(&place.pins())?;
        Ok(place)
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn pins(&self) -> PathBuf {
        self.folder.path().join("pins")
    }

    pub(super) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(super) fn configuration(&self) -> PathBuf {
        self.folder.path().join("pinion.yaml")
    }

    pub(super) fn api(&self) -> PathBuf {
        self.folder.path().join("api.sock")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Lazily, as a daemon may still have it open; a folder that stays mounted cannot be removed.
        let _ = unmount(self.pins(), UnmountFlags::DETACH);
    }
}
