//! The BPF object, as committed beside its sources' hashes.

/// The object, aligned as an ELF reader wants it.
pub static OBJECT: &[u8] = aya::include_bytes_aligned!("../object/pinion.bpf.o");

/// The sidecar: compiler, linker, hash of the object and of every source.
pub static SOURCES: &str = include_str!("../object/pinion.bpf.sources");

/// Oldest kernel that the program loads on.
pub const KERNEL: &str = "6.1";

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use sha2::{Digest, Sha256};

    use super::{OBJECT, SOURCES};

    fn hex(bytes: &[u8]) -> String {
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn entries(kind: &str) -> Vec<Vec<&'static str>> {
        SOURCES
            .lines()
            .map(|line| line.split(' ').collect::<Vec<_>>())
            .filter(|words| words.first() == Some(&kind))
            .collect()
    }

    #[test]
    fn the_object_is_the_one_of_its_sidecar() {
        let object = entries("object");
        assert_eq!(
            object[0][1],
            hex(OBJECT),
            "xdp/program/build was not run, or half of its result not committed"
        );
    }

    #[test]
    fn no_source_moved_since_the_object_was_built() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut listed = Vec::new();
        for words in entries("source") {
            let (hash, path) = (words[1], words[2]);
            let bytes = fs::read(root.join(path)).unwrap_or_default();
            assert_eq!(hash, hex(&bytes), "{path} moved: run xdp/program/build and commit the result");
            listed.push(path.to_owned());
        }
        for folder in ["xdp/steering/src", "xdp/program/src"] {
            for file in rust_files(&root.join(folder)) {
                let path = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
                assert!(listed.contains(&path), "{path} is new: run xdp/program/build and commit the result");
            }
        }
        assert!(listed.len() > 20, "the sidecar lists the sources");
    }

    fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(rust_files(&path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
        found
    }
}
