//! `pinion init`: a commented configuration to begin with.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  pinion init --for n2
      Writes pinion.yaml with a service for AMFs; so does --for ngap, with one that keeps UEs, not associations.
  pinion init --for all -
      Shows what there is, on standard output.

Exit codes: 0 done; 1 the file cannot be written; 2 bad usage, or the file is there already.";

/// Write a commented configuration to begin with
///
/// Its addresses are for documentation (RFC 5737, RFC 3849): put your own in, and ask `pinion check`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What is balanced
    #[arg(long = "for", value_name = "FRONT", value_enum, default_value_t = Front::All)]
    front: Front,

    /// Write over a file that is there
    #[arg(long)]
    force: bool,

    /// Where to write; `-` is standard output
    #[arg(value_name = "FILE", default_value = "pinion.yaml")]
    file: PathBuf,
}

/// What is balanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Front {
    /// NGAP over SCTP, from gNBs to AMFs, association by association
    N2,
    /// NGAP that Pinion speaks itself, from gNBs to AMFs, UE by UE
    Ngap,
    /// PFCP, from SMFs to UPFs, and the GTP-U of the same UPFs
    N4,
    /// GTPv2-C, from MMEs to SGWs or from SGWs to PGWs
    Gtpc,
    /// GTP-U, from gNBs to UPFs
    N3,
    /// Diameter over SCTP and TCP, to HSSs or PCRFs
    Diameter,
    /// The service-based interface: an SCP between consumers and producers
    Sbi,
    /// All of these
    All,
}

const HEAD: &str = include_str!("../../samples/head.yaml");
const INTERFACES: &str = include_str!("../../samples/interfaces.yaml");
const AROUND: &str = include_str!("../../samples/around.yaml");
const SERVICES: &str = "\nservices:\n";
const N2: &str = include_str!("../../samples/n2.yaml");
const NGAP: &str = include_str!("../../samples/ngap.yaml");
const N4: &str = include_str!("../../samples/n4.yaml");
const GTPC: &str = include_str!("../../samples/gtpc.yaml");
const N3: &str = include_str!("../../samples/n3.yaml");
const DIAMETER: &str = include_str!("../../samples/diameter.yaml");
const SBI: &str = include_str!("../../samples/sbi.yaml");

impl Front {
    /// A whole configuration.
    fn sample(self) -> String {
        let parts = match self {
            Self::N2 => &[SERVICES, N2][..],
            Self::Ngap => &[SERVICES, NGAP],
            Self::N4 => &[SERVICES, N4, N3],
            Self::Gtpc => &[SERVICES, GTPC],
            Self::N3 => &[SERVICES, N3],
            Self::Diameter => &[SERVICES, DIAMETER],
            Self::Sbi => &[SBI],
            Self::All => &[SERVICES, N2, NGAP, N4, N3, GTPC, DIAMETER, SBI],
        };
        // Pinion itself speaks for these alone, and steers nothing.
        let interfaces = if matches!(self, Self::Ngap | Self::Gtpc | Self::Sbi) { "" } else { INTERFACES };
        format!("{HEAD}{interfaces}{AROUND}{}", parts.join(""))
    }
}

/// Why nothing is written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It would be written over something.
    #[error("{path}: is there already; give another name, or say --force to write over it")]
    There {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("{path}: cannot write: {source}; give the name of a file in a folder that is there and yours")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// The exit code that it ends the command with.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::There { .. } => ExitCode::from(2),
            Self::Write { .. } => ExitCode::FAILURE,
        }
    }
}

/// Writes a sample.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    let sample = args.front.sample();
    if args.file == Path::new("-") {
        return match io::stdout().write_all(sample.as_bytes()) {
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::Write { path: args.file.clone(), source })
            }
            _ => Ok(ExitCode::SUCCESS),
        };
    }
    let mut options = OpenOptions::new();
    options.write(true).truncate(args.force).create(args.force).create_new(!args.force);
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => Error::There { path: args.file.clone() },
        _ => Error::Write { path: args.file.clone(), source },
    };
    let mut file = options.open(&args.file).map_err(failed)?;
    file.write_all(sample.as_bytes()).map_err(failed)?;
    let name = args.file.display();
    eprintln!("wrote {name}; put your addresses in, and then: pinion check {name}");
    Ok(ExitCode::SUCCESS)
}
