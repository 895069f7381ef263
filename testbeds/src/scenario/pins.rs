//! A folder of pins that goes with the test.

use std::io;
use std::path::Path;

use pinion_loader::kernel::PinFolder;
use rustix::mount::{UnmountFlags, unmount};
use tempfile::TempDir;

use crate::failure::Failure;

/// A bpffs in a temporary folder. Dropping it unmounts it: what was pinned there alone ends.
#[derive(Debug)]
pub struct Pins {
    /// The folder as the loader uses it.
    pub folder: PinFolder,
    root: TempDir,
}

impl Pins {
    /// Mounts one.
    ///
    /// # Errors
    ///
    /// [`Failure::File`], [`Failure::Steering`].
    pub fn mount() -> Result<Self, Failure> {
        let wrong = |source: io::Error| Failure::File { what: "folder of pins", source };
        let root = tempfile::tempdir().map_err(wrong)?;
        Ok(Self { folder: PinFolder::open(root.path())?, root })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root.path()
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        // Lazily, as a failing test may still hold something open; a folder that stays mounted cannot be removed.
        let _ = unmount(self.root.path(), UnmountFlags::DETACH);
    }
}
