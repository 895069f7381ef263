//! Benches: each prints rows with a ratio to a baseline that was measured in the same run.

mod baseline;
mod crowd;
mod decode;
mod frames;
mod n2;
mod n4;
mod report;
pub mod scp;
mod sctp;
mod steer;
mod tables;

use crate::figures::resident;
pub use report::{Report, Row};

/// The benches there are.
pub const NAMES: [&str; 8] = ["decode", "sctp", "steer", "tables", "crowd", "n2", "n4", "scp"];

/// Runs one bench by name.
///
/// # Errors
/// Where the kernel refuses the programs, or a namespace cannot be made.
pub fn run(name: &str, report: &mut Report) -> Result<(), BenchError> {
    match name {
        "decode" => decode::run(report),
        "sctp" => sctp::run(report),
        "steer" => steer::run(report),
        "tables" => tables::run(report),
        "crowd" => crowd::run(report),
        "n2" => n2::run(report),
        "n4" => n4::run(report),
        "scp" => scp::run(report),
        _ => Err(BenchError::Unknown { name: name.to_owned() }),
    }
}

/// Bytes of this process.
fn memory() -> Result<u64, BenchError> {
    resident("self").ok_or_else(|| BenchError::Missing("the memory of this process cannot be read".to_owned()))
}

/// Why a bench could not run.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// There is no bench of that name.
    #[error("no bench is called {name}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The program could not be loaded or run.
    #[error(transparent)]
    Load(#[from] pinion_loader::LoadError),
    /// The baseline's object could not be loaded or run.
    #[error("the baseline: {0}")]
    Baseline(String),
    /// Something of this machine, or of this build.
    #[error("{0}")]
    Missing(String),
    /// A namespace could not be made.
    #[error(transparent)]
    Namespace(#[from] pinion_networks::Failure),
    /// A peer did not do as it should.
    #[error(transparent)]
    Testbed(#[from] crate::failure::Failure),
    /// A measured packet took another way than the one that was to be measured.
    #[error("row {row}: the packet came out as {found} instead of {wanted}: the row would measure something else")]
    Astray {
        /// The row.
        row: String,
        /// What XDP returned.
        found: u32,
        /// What it should have returned.
        wanted: u32,
    },
}
