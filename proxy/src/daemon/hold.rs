//! Keeps a second daemon out of the folder in which a running one keeps its state.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// Another daemon keeps its state in this folder.
#[derive(Debug, thiserror::Error)]
#[error("{}: another daemon keeps its state there; end it first, or give --state (and --pins) another folder", .0.display())]
pub struct InUse(PathBuf);

/// Takes the folder for as long as what is given back lives; the kernel gives it back when the daemon dies.
///
/// Where the folder cannot be made, or be locked by its file system, nothing is held: who needs it says what is wrong with it.
pub(super) fn hold(folder: &Path) -> Result<Option<File>, InUse> {
    let Ok(held) = fs::create_dir_all(folder).and_then(|()| File::open(folder)) else {
        return Ok(None);
    };
    match held.try_lock() {
        Ok(()) => Ok(Some(held)),
        Err(TryLockError::WouldBlock) => Err(InUse(folder.to_owned())),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_until_its_holder_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("run/state");
        let held = hold(&state).unwrap();
        assert!(held.is_some());
        let refused = hold(&state).unwrap_err().to_string();
        assert!(refused.starts_with(&state.display().to_string()) && refused.contains("--state"), "{refused}");
        drop(held);
        assert!(hold(&state).unwrap().is_some());
    }

    #[test]
    fn what_is_no_folder_is_left_to_those_who_need_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(hold(&file.path().join("state")).unwrap().is_none());
    }
}
