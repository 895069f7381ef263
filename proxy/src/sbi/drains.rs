//! Producers that are drained, for the daemon after this one: a line for each NF instance or API root, replaced whole.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Why it is not known who is drained.
#[derive(Debug, thiserror::Error)]
#[error("{path}: who is drained cannot be kept there: {source}; give a --state folder that is the daemon's")]
pub struct DrainsError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// The file.
#[derive(Clone, Debug)]
pub(super) struct Drains {
    path: PathBuf,
}

impl Drains {
    pub(super) fn of(folder: &Path) -> Self {
        Self { path: folder.join("drained") }
    }

    /// Who was drained.
    pub(super) fn read(&self) -> Result<BTreeSet<String>, DrainsError> {
        match fs::read_to_string(&self.path) {
            Ok(kept) => Ok(kept.lines().map(str::to_owned).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
            Err(source) => Err(self.error(source)),
        }
    }

    /// Keeps who is drained by now: all of them or, where that fails, those of before.
    pub(super) fn keep(&self, names: &BTreeSet<String>) -> Result<(), DrainsError> {
        let lines: String = names.iter().flat_map(|it| [it, "\n"]).collect();
        let beside = self.path.with_extension("new");
        let written = || {
            let mut file = File::create(&beside)?;
            file.write_all(lines.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, &self.path)
        };
        written().map_err(|source| self.error(source))
    }

    fn error(&self, source: io::Error) -> DrainsError {
        DrainsError { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let drains = Drains::of(folder.path());
        assert!(drains.read().unwrap().is_empty());
        let names = ["http://192.0.2.1:80", "54804518-4191-46b3-955c-ac631f953ed8"].map(str::to_owned).into();
        drains.keep(&names).unwrap();
        assert_eq!(drains.read().unwrap(), names);
        drains.keep(&BTreeSet::new()).unwrap();
        assert!(drains.read().unwrap().is_empty());
        assert!(Drains::of(&folder.path().join("none")).keep(&names).is_err());
    }
}
