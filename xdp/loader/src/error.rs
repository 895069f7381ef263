use std::path::{Path, PathBuf};

/// Why loading, attaching, pinning or a map operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Not enough privilege for BPF.
    #[error(
        "loading BPF programs needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN (missing: {missing}): run it with sudo, or grant them with setcap"
    )]
    Privilege {
        /// The capabilities that the process lacks.
        missing: String,
    },
    /// The running kernel is older than what the program needs.
    #[error("the kernel is {found}; Pinion's XDP program needs {needed} or newer (bpf_loop, bpf_xdp_load_bytes)")]
    Kernel {
        /// The release that is running.
        found: String,
        /// The least release.
        needed: &'static str,
    },
    /// The object could not be parsed or its maps not made.
    #[error("the BPF object cannot be loaded: {0}")]
    Object(#[source] Box<aya::EbpfError>),
    /// The verifier, or the attaching, refused a program.
    #[error("program {program}: {action} failed: {source}")]
    Program {
        /// The program's name in the object.
        program: &'static str,
        /// What was tried.
        action: &'static str,
        /// What the kernel said.
        source: Box<aya::programs::ProgramError>,
    },
    /// A program or map that the object should have is not in it.
    #[error(
        "the BPF object has no {what} {name}: it was built from other sources; rebuild it with xdp/program/build"
    )]
    Absent {
        /// `program` or `map`.
        what: &'static str,
        /// Its name.
        name: &'static str,
    },
    /// A map operation failed.
    #[error("map {map}: {source}")]
    Map {
        /// The map's name.
        map: &'static str,
        /// What the kernel said.
        source: Box<aya::maps::MapError>,
    },
    /// A table of the user-space engine is full, or an index is outside of it.
    #[error("table {table} is bounded to {bound} entries: raise the bound, or configure less")]
    Bound {
        /// The table's name.
        table: &'static str,
        /// Its bound.
        bound: u32,
    },
    /// The kernel refused to run the program on a packet.
    #[error("BPF_PROG_TEST_RUN on a packet of {length} bytes: {source}")]
    Run {
        /// Length of the packet.
        length: usize,
        /// What the kernel said.
        source: Box<aya::programs::ProgramError>,
    },
    /// The program gave up on a packet: a map that it needs was not there.
    #[error("the BPF program aborted on a packet of {length} bytes")]
    Aborted {
        /// Length of the packet.
        length: usize,
    },
    /// A file or folder of the pins could not be used.
    #[error("{path}: {action}: {source}")]
    Pin {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A pinned map is not what this build makes under that name.
    #[error(
        "{} is {found}, and this build needs {needed}; nothing was changed, and packets are steered as before. Run the version that pinned it; or, to begin with empty tables, type `rm -r {}` and start again: each session is then placed anew by its next packet, and those that only their endpoint of before knows end",
        path.display(),
        path.parent().unwrap_or(path).display()
    )]
    Schema {
        /// The pinned map.
        path: PathBuf,
        /// What is known of it.
        found: String,
        /// What is needed.
        needed: String,
    },
    /// What pinned maps hold does not fit the bounds that are configured now.
    #[error(
        "{map} needs {held} entries for what is in it, and bounds.{} is {bound}: set it to {held} or more; or run with the bounds of before until sessions have ended and less is configured. Nothing was changed, and packets are steered as before",
        bound_of(map)
    )]
    Unfit {
        /// The map.
        map: &'static str,
        /// How many entries it needs.
        held: usize,
        /// How many it would have.
        bound: u32,
    },
    /// The file that says what the pinned maps' numbers mean contradicts them.
    #[error("{path}: {what}")]
    Layout {
        /// The file.
        path: PathBuf,
        /// What contradicts what, and what to do.
        what: String,
    },
    /// The configuration cannot be laid out in the tables.
    #[error(transparent)]
    Setup(#[from] crate::setup::SetupError),
}

impl LoadError {
    /// That a file or folder of the pins could not be used, when the system says why.
    pub fn pin(path: &Path, action: &'static str) -> impl Fn(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Pin { path: path.clone(), action, source }
    }
}

/// What the configuration calls a map's bound.
fn bound_of(map: &str) -> String {
    match map {
        "PINS6" => "pins".to_owned(),
        _ => map.to_lowercase(),
    }
}
