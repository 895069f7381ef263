//! Checksums in a capture file, judged by Wireshark's dissectors.

use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::missing::{Missing, find_program};

/// A wrong checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The frame, from 1.
    pub frame: u64,
    /// Whose checksum: `ip`, `udp`, `tcp`, `sctp`, `icmp` or `icmpv6`.
    pub protocol: &'static str,
}

/// `tshark`, ready to judge.
#[derive(Debug)]
pub struct Judge {
    tshark: std::path::PathBuf,
}

impl Judge {
    /// Finds tshark.
    ///
    /// # Errors
    ///
    /// [`Missing::Program`].
    pub fn find() -> Result<Self, Missing> {
        let tshark = find_program("tshark", "install tshark (Wireshark's command line)")?;
        Ok(Self { tshark })
    }

    /// Every wrong checksum of a capture, of inner packets too. A checksum
    /// that UDP leaves out is not wrong, nor one of a truncated packet.
    ///
    /// # Errors
    ///
    /// [`Failure::Spawn`], and [`Failure::Tool`] where tshark cannot read the file.
    pub fn wrong_checksums(&self, capture: &Path) -> Result<Vec<Wrong>, Failure> {
        let statuses = PROTOCOLS.map(|protocol| format!("{protocol}.checksum.status"));
        let mut arguments = vec!["-T", "fields", "-e", "frame.number"];
        arguments.extend(CHECKED.iter().flat_map(|preference| ["-o", preference]));
        arguments.extend(statuses.iter().flat_map(|status| ["-e", status]));
        let table = self.read(capture, &arguments)?;
        Ok(table.lines().flat_map(read_line).collect())
    }

    /// How many frames of a capture a display filter lets through.
    ///
    /// # Errors
    ///
    /// As [`Judge::wrong_checksums`]; [`Failure::Tool`] for a bad filter too.
    pub fn count(&self, capture: &Path, filter: &str) -> Result<usize, Failure> {
        let numbers = self.read(
            capture,
            &["-Y", filter, "-T", "fields", "-e", "frame.number"],
        )?;
        Ok(numbers.lines().count())
    }

    fn read(&self, capture: &Path, arguments: &[&str]) -> Result<String, Failure> {
        let mut command = Command::new(&self.tshark);
        command.arg("-n").arg("-r").arg(capture).args(arguments);
        let output = command.output().map_err(|source| Failure::Spawn {
            program: self.tshark.display().to_string(),
            source,
        })?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Failure::Tool {
                program: "tshark",
                reason,
            });
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

const PROTOCOLS: [&str; 6] = ["ip", "udp", "tcp", "sctp", "icmp", "icmpv6"];

/// Preferences without which tshark takes checksums as they are.
const CHECKED: [&str; 4] = [
    "ip.check_checksum:TRUE",
    "udp.check_checksum:TRUE",
    "tcp.check_checksum:TRUE",
    "sctp.checksum:crc-32c",
];

/// A frame's number, then a list of statuses for each protocol: 0 is bad, 4
/// is a value that the protocol forbids.
fn read_line(line: &str) -> Vec<Wrong> {
    let mut cells = line.split('\t');
    let frame = cells
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or_default();
    cells
        .zip(PROTOCOLS)
        .filter(|(statuses, _)| {
            statuses
                .split(',')
                .any(|status| matches!(status, "0" | "4"))
        })
        .map(|(_, protocol)| Wrong { frame, protocol })
        .collect()
}
