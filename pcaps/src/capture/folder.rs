//! The captures of a folder.

use std::path::{Path, PathBuf};

/// The files in a folder and in those below it whose names end as a capture's do, in order: `.pcap`, `.pcapng`, `.cap`, and these
/// gzipped. None where there is no such folder, and none of a folder that cannot be read.
#[must_use]
pub fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // A link is not followed: it may lead around in a circle.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(below(&path));
        } else if is_capture(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn is_capture(path: &Path) -> bool {
    let unzipped = path.extension().is_some_and(|end| end == "gz").then(|| path.with_extension(""));
    let end = unzipped.as_deref().unwrap_or(path).extension().and_then(|end| end.to_str());
    matches!(end, Some("pcap" | "pcapng" | "cap"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_captures() {
        for name in ["n2.pcap", "a.b/n2.pcapng", "n2.cap", "n2.pcap.gz"] {
            assert!(is_capture(name.as_ref()), "{name}");
        }
        for name in ["pcap", "n2.tsv", "n2.tar.gz", "n2.pcap/readme"] {
            assert!(!is_capture(name.as_ref()), "{name}");
        }
    }

    #[test]
    fn captures_are_found_below_a_folder() {
        let room = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = below(room);
        assert!(found.contains(&room.join("captures/n2.pcap")));
        assert!(found.iter().all(|file| file.is_file()) && found.is_sorted());
        assert_eq!(below(&room.join("nowhere")), Vec::<PathBuf>::new());
    }
}
