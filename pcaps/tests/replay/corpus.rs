//! Where the captures are.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The project's own captures.
pub(crate) fn own() -> Vec<PathBuf> {
    captures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures"))
}

/// The captures that lie beside the project; none, with a word, where there are none.
pub(crate) fn shared() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/pcaps");
    let found = captures(&folder);
    if found.is_empty() {
        let _ = writeln!(std::io::stderr(), "\nskipped: no captures in {}", folder.display());
    }
    found
}

fn captures(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let is_capture = path
            .extension()
            .is_some_and(|extension| ["pcap", "pcapng", "cap"].iter().any(|known| extension == *known));
        if path.is_dir() {
            found.extend(captures(&path));
        } else if is_capture {
            found.push(path);
        }
    }
    found.sort();
    found
}
