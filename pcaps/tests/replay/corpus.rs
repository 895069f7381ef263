//! Where the captures are.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use pinion_pcaps::capture;

/// The project's own captures.
pub(crate) fn own() -> Vec<PathBuf> {
    capture::below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures"))
}

/// The captures that lie beside the project; none, with a word, where there are none.
pub(crate) fn shared() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/pcaps");
    let found = capture::below(&folder);
    if found.is_empty() {
        let _ = writeln!(std::io::stderr(), "\nskipped: no captures in {}", folder.display());
    }
    found
}
