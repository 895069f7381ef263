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
    /// [`Missing::Network`].
    pub fn find() -> Result<Self, Missing> {
        let tshark = find_program("tshark", "install tshark (Wireshark's command line)")?;
        Ok(Self { tshark })
    }

    /// Every wrong checksum of a capture, of tunnelled packets too. A checksum
    /// that UDP leaves out is not wrong, nor one of a truncated packet, nor one
    /// of a packet that an ICMP error quotes.
    ///
    /// # Errors
    ///
    /// [`Failure::Network`], and [`Failure::Tool`] where tshark cannot read the file.
    pub fn wrong_checksums(&self, capture: &Path) -> Result<Vec<Wrong>, Failure> {
        let statuses = PROTOCOLS.map(|protocol| format!("{protocol}.checksum.status"));
        let mut arguments = vec!["-T", "fields", "-e", "frame.number"];
        arguments.extend(["-e", "icmp.type", "-e", "icmpv6.type"]);
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
        let numbers = self.read(capture, &["-Y", filter, "-T", "fields", "-e", "frame.number"])?;
        Ok(numbers.lines().count())
    }

    /// How many frames of a capture each of some display filters lets through, in one reading. A filter has no comma, and
    /// the capture lasts some time.
    ///
    /// # Errors
    ///
    /// As [`Judge::count`].
    pub fn counts(&self, capture: &Path, filters: &[&str]) -> Result<Vec<usize>, Failure> {
        let statistics = format!("io,stat,0,{}", filters.join(","));
        let table = self.read(capture, &["-q", "-z", &statistics])?;
        let counts = read_statistics(&table);
        if counts.len() != filters.len() {
            return Err(Failure::Tool { program: "tshark", reason: table });
        }
        Ok(counts)
    }

    /// The frames of a capture that a display filter lets through, a line each for people.
    ///
    /// # Errors
    ///
    /// As [`Judge::count`].
    pub fn frames(&self, capture: &Path, filter: &str) -> Result<Vec<String>, Failure> {
        Ok(self.read(capture, &["-Y", filter])?.lines().map(str::to_owned).collect())
    }

    fn read(&self, capture: &Path, arguments: &[&str]) -> Result<String, Failure> {
        let mut command = Command::new(&self.tshark);
        command.arg("-n").arg("-r").arg(capture).args(arguments);
        command.args(CHECKED.iter().flat_map(|preference| ["-o", preference]));
        let output = command.output().map_err(|source| pinion_networks::Failure::Spawn {
            program: self.tshark.display().to_string(),
            source,
        })?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Failure::Tool { program: "tshark", reason });
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

const PROTOCOLS: [&str; 6] = ["ip", "udp", "tcp", "sctp", "icmp", "icmpv6"];

/// Preferences without which tshark takes checksums as they are.
const CHECKED: [&str; 4] =
    ["ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE", "sctp.checksum:crc-32c"];

/// The one line with an interval, then frames and bytes by each filter.
fn read_statistics(table: &str) -> Vec<usize> {
    let line = table.lines().find(|line| line.contains("<>")).unwrap_or_default();
    line.split('|').skip(2).step_by(2).filter_map(|frames| frames.trim().parse().ok()).collect()
}

/// A frame's number, its ICMP types, then a list of statuses for each protocol.
fn read_line(line: &str) -> Vec<Wrong> {
    let mut cells = line.split('\t');
    let frame = cells.next().and_then(|number| number.parse().ok()).unwrap_or_default();
    let icmp = cells.next().is_some_and(|types| has_error(types, &ICMP_ERRORS));
    let icmpv6 = cells.next().is_some_and(|types| has_error(types, &ICMPV6_ERRORS));
    cells
        .zip(PROTOCOLS)
        .filter(|(statuses, protocol)| {
            let quoted = match *protocol {
                "ip" => icmp,
                "icmp" | "icmpv6" => false,
                _ => icmp || icmpv6,
            };
            is_wrong(statuses, quoted)
        })
        .map(|(_, protocol)| Wrong { frame, protocol })
        .collect()
}

/// Types of messages that quote the packet they are about (RFC 792, RFC 4443).
const ICMP_ERRORS: [&str; 5] = ["3", "4", "5", "11", "12"];
const ICMPV6_ERRORS: [&str; 4] = ["1", "2", "3", "4"];

fn has_error(types: &str, errors: &[&str]) -> bool {
    types.split(',').any(|kind| errors.contains(&kind))
}

/// 0 is bad, 4 is a value that the protocol forbids. What an error quotes
/// comes last and is cut short, which Wireshark does not always notice.
fn is_wrong(statuses: &str, quoted: bool) -> bool {
    let mut statuses = statuses.split(',');
    if quoted {
        statuses.next_back();
    }
    statuses.any(|status| matches!(status, "0" | "4"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_packets_are_not_judged_but_what_carries_them_is() {
        // number, icmp, icmpv6, ip, udp, tcp, sctp, icmp, icmpv6
        assert_eq!(read_line("7\t\t1\t\t\t\t0\t\t1"), []);
        assert_eq!(read_line("7\t3\t\t1,0\t1,0\t\t\t1\t"), []);
        let wrong = |protocol| vec![Wrong { frame: 7, protocol }];
        assert_eq!(read_line("7\t3\t\t0,1\t\t\t0\t1\t"), wrong("ip"));
        assert_eq!(read_line("7\t\t\t1\t\t\t0\t\t"), wrong("sctp"));
        assert_eq!(read_line("7\t\t128\t\t\t\t0\t\t1"), wrong("sctp"));
        assert_eq!(read_line("7\t\t1\t\t\t\t\t\t0"), wrong("icmpv6"));
    }
}
