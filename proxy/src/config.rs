//! The configuration file, in YAML: services and their endpoints, and what is around them.
//!
//! ```yaml
//! interfaces: [n2-a, {name: n2-b, attach: generic}]   # auto (the default), native, generic
//! api: {unix: /run/pinion/api.sock, mode: '0660'}  # or tls: {listen, certificate, key, clients}
//! metrics: 127.0.0.1:9090                # or {listen, public: true} for other than loopback
//! store: redis://192.0.2.10:6379/0       # or memory (the default), or {url, wait, backlog, prefix}
//! bounds: {flows: 200000}                # also flows6, pins, filters, fragments, services, sources, targets, maglev
//! on_exit: keep                          # or detach
//! pools:
//!   - name: amfs
//!     endpoints:
//!       - name: amf-1
//!         addresses: [10.0.0.11, 10.1.0.11]  # one for each path of the services
//!         port: 38412                    # the service's where it is left out
//!         weight: 1                      # 1 where it is left out; 0 gets no new sessions
//!         priority: 0                    # 0 where it is left out; the lowest that is up gets the new sessions
//!         pfcp:                          # behind a pfcp service: which sessions it takes, all where it is left out
//!           dnns: [internet]             # also slices: ['1', '1-0000ab'], network_instances, ue_addresses
//!     health: {kind: sctp, interval: 1s, timeout: 500ms, rise: 2, fall: 3, jitter: 10}
//!     slow_start: 30s                    # 0s where it is left out
//!     drain: 10m                         # until sessions end where it is left out
//! services:
//!   - name: amf
//!     protocol: sctp                     # udp, tcp, sctp, gtpu, pfcp, gtpv2-c or ngap
//!     port: 38412                        # gtpu: 2152, pfcp: 8805 where it is left out
//!     addresses: [192.0.2.1, 198.51.100.1]   # one for each path, at the most four
//!     pool: amfs                         # or endpoints, health, slow_start and drain as in a pool
//!     algorithm: maglev                  # the default; round_robin, weighted, least_sessions, source_affinity
//!     unknown: drop                      # sctp, gtpu: drop (the default), hash or punt
//!     aware: ngap                        # sctp: what is read of the packets, to show UEs; nothing by default
//!     all_down: drop                     # the default; fail_open, reject
//!     timeouts: {opening: 30s, established: 15m, closing: 30s, closed: 10s}
//!     tunnels:                           # gtpu: pinned at every address, whatever the control plane says
//!       - {teid: 0x1001, endpoint: upf-1, endpoint_teid: 0x2001}  # the same TEID where it is left out
//!     breakout: mec                      # gtpu: the pool where users' packets may leave their tunnels; none by default
//!     pfcp:                              # pfcp: Pinion is one UPF to each SMF, and one SMF to each UPF
//!       mode: terminate                  # the default; redirect: Pinion only places sessions
//!       user_plane: [upf]                # gtpu services that stand for the UPFs' tunnel addresses; none by default
//!       breakouts:                       # learned from SDF filters: what FARs forward to the core by these goes there
//!         - {network_instance: mec, pool: mec, endpoint: edge-1}   # of `breakout`: the packets leave their tunnels
//!       ue_addresses: pools              # where users' addresses lead: upf, pools or n6; for several UPFs
//!       restore: false                   # whether sessions of a lost UPF are made again on another
//!       smf_teids: false                 # whether SMFs may choose TEIDs
//!       heartbeat: 10s                   # also t1: 3s, n1: 3, sessions: 1000000, smfs: 1024
//!     ngap:                              # ngap: Pinion is one AMF to each gNB, and every gNB to each AMF
//!       transport: auto                  # whose SCTP: the kernel's where it has it, else Pinion's own; kernel, userspace
//!       interfaces: [n2-a, n2-b]         # userspace: where each address is; by default where its network is
//!       amf_ids: per-amf                 # the default; set-unique where the AMFs of a set share UEs
//!       amf_loss: reset                  # the default, with reset_after: 0s; rebind
//!       amf_name: amf                    # also ues: 1000000, gnbs: 4096, associations: 8
//!       messages: 1000                   # of a gNB in a second; beyond, its new UEs are refused. Any by default
//!       admission:                       # which gNBs are served, all by default; those that fit all that is given
//!         {nodes: [001-01-gnb-00002a/24], plmns: [001-01], tacs: [0x1], prefixes: [192.0.2.0/24]}
//!       discover: amf.example.org        # AMFs by DNS, too; or {name, servers: ['192.0.2.53:53']}
//!       rules: {pws: first, ran_configuration: first}   # the default; all
//!       timers: {answer: 5s, reconnect: 2s, retry: 10s, quarantine: 1m}
//! ```
//!
//! Only `services` is needed, or `sbi`, the SCP (TS 29.500 6.10), whose keys `pinion init --for sbi` shows. Every default is in the JSON Schema ([`schema`]), which is made from the types that
//! files are read into.
//!
//! A file is read into a tree of values first, and then field by field, so that every mistake is found at once;
//! each has its place. What is wrong as YAML ends the reading there.

mod check;
mod host;
mod mistake;
pub mod model;
mod nearest;
mod read;
mod scalar;
mod schema;
mod specs;
mod written;
mod yaml;

use std::fs::File;
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use mistake::{Place, Wrong};
use model::Config;
use pinion_transport::link::Route;
use read::Read as _;

pub use mistake::Mistake;
pub(crate) use scalar::pfcp::prefix;
pub(crate) use scalar::written as duration;
pub use schema::schema;
pub use specs::{exhausted, exit, kind, placement, specs, unknown};

/// The longest file that is read, in bytes.
pub const LONGEST: u64 = 64 << 20;

/// What is known of the host that a configuration is for. The default knows nothing, and finds nothing wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Its addresses, which no endpoint can have.
    pub addresses: Vec<IpAddr>,
    /// The names of its interfaces.
    pub interfaces: Vec<String>,
    /// The networks that its Ethernets are in, each with the name of its interface.
    pub networks: Vec<(String, Route)>,
    /// Whether its kernel has SCTP, where that is known.
    pub sctp: Option<bool>,
    /// Whether the files that a configuration names are on it and can be looked for.
    pub files: bool,
}

/// A configuration in which nothing is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// What it says.
    pub config: Config,
    /// What is odd in it and works, in the order of the file.
    pub warnings: Vec<Mistake>,
}

/// Why a configuration is refused. Nothing of one that is wrong is used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: cannot read: {source}; {}", remedy(.source))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is longer than [`LONGEST`].
    #[error("{path}: longer than 64 MiB; give a configuration file")]
    Long {
        /// The file.
        path: PathBuf,
    },
    /// It says something wrong: every mistake that was found.
    #[error("{}", lines(.path, .mistakes))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// In the order of the file; at least one.
        mistakes: Vec<Mistake>,
    },
}

impl ConfigError {
    /// The mistakes, where the file could be read.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        match self {
            Self::Wrong { mistakes, .. } => mistakes,
            Self::Read { .. } | Self::Long { .. } => &[],
        }
    }
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::PermissionDenied => "make it readable for this user",
        io::ErrorKind::IsADirectory => "give a file in it",
        _ => "check that it is a file, on a disk that works",
    }
}

/// `FILE:LINE:COLUMN: what; what would be right`, a mistake a line.
fn lines(path: &Path, mistakes: &[Mistake]) -> String {
    let lines: Vec<_> = mistakes.iter().map(|mistake| format!("{}:{mistake}", path.display())).collect();
    lines.join("\n")
}

/// Reads a configuration file.
///
/// # Errors
///
/// [`ConfigError`], with every mistake; nothing of a wrong configuration is given back.
pub fn read(path: &Path, host: &Host) -> Result<Read, ConfigError> {
    let failed = |source| ConfigError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LONGEST {
        return Err(ConfigError::Long { path: path.to_owned() });
    }
    parse(&bytes, host).map_err(|mistakes| ConfigError::Wrong { path: path.to_owned(), mistakes })
}

/// Reads a configuration from the bytes of its file.
///
/// # Errors
///
/// Every mistake, in the order of the file; at least one.
pub fn parse(bytes: &[u8], host: &Host) -> Result<Read, Vec<Mistake>> {
    let mut wrong = Wrong::default();
    let config = text(bytes, &mut wrong)
        .and_then(|text| yaml::parse(text, &mut wrong))
        .and_then(|root| written::File::read(&root, &mut wrong))
        .map(|file| check::config(&file, host, &mut wrong));
    let warnings = wrong.end()?;
    match config {
        Some(config) => Ok(Read { config, warnings }),
        // Whatever is not read is a mistake, so that this is not reached; but if it were, it must not be silent.
        None => Err(vec![Mistake::new(Place::START, "not a configuration; begin with `services:`")]),
    }
}

fn text<'a>(bytes: &'a [u8], wrong: &mut Wrong) -> Option<&'a str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let before = String::from_utf8_lossy(before).replace("\r\n", "\n");
            let line = before.matches(['\n', '\r']).count() as u64 + 1;
            let column = before.chars().rev().take_while(|c| !matches!(c, '\n' | '\r')).count() as u64 + 1;
            let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
            let what = format!("byte 0x{byte:02x} is no UTF-8; save the file as UTF-8");
            wrong.mistake(Place { line, column }, what);
            None
        }
    }
}
