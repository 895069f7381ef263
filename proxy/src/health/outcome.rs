//! What a probe or the packet path found out, and how it is said.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::config::model::Probe;

/// What became of one probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The path answers.
    Answer(Answer),
    /// It does not.
    Failure(Failure),
    /// The balancer itself could not ask: nothing is known of the path.
    Unprobed(Obstacle),
}

/// A good answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To what was asked, and how long it took.
    To(&'static str, Duration),
    /// No ICMP unreachable came within this time, which is enough for a UDP probe that asks for no answer.
    Silence(Duration),
}

/// Why a path counts as not answering.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing came in time.
    #[error("no answer to {asked} within {}", Words(*.within))]
    Silent {
        /// What was asked.
        asked: &'static str,
        /// The time that was given.
        within: Duration,
    },
    /// A host on the way, or the endpoint's own, says that it cannot be delivered.
    #[error("{0}")]
    Icmp(IcmpError),
    /// TCP: a RST came for the SYN.
    #[error("connection refused (RST)")]
    Reset,
    /// SCTP: an ABORT came for the INIT, with its first error cause (RFC 9260 3.3.10), if any.
    #[error("association refused (ABORT{})", .0.map(|code| format!(", cause {code}")).unwrap_or_default())]
    Abort(Option<u16>),
    /// The balancer's own host has no way there.
    #[error("no way there from this host ({0})")]
    NoRoute(io::ErrorKind),
    /// PFCP: the peer speaks another version (TS 29.244 7.4.4.7).
    #[error("peer does not speak this version of PFCP")]
    Version,
    /// HTTP: a status outside 200 to 399.
    #[error("HTTP status {0}")]
    Status(u16),
    /// What answered does not speak HTTP/2.
    #[error("no HTTP/2: {0}")]
    Http(String),
    /// The packet path saw it.
    #[error("{0}")]
    Seen(Signal),
}

/// What the packet path saw of an endpoint without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Signal {
    /// A TCP RST for a SYN.
    #[error("connection refused by RST, seen in traffic")]
    Reset,
    /// An SCTP ABORT for an INIT.
    #[error("association refused by ABORT, seen in traffic")]
    Abort,
    /// An ICMP or ICMPv6 unreachable for a packet of a session.
    #[error("ICMP unreachable, seen in traffic")]
    Unreachable,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Self; 3] = [Self::Reset, Self::Abort, Self::Unreachable];

    /// Its name in metrics and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reset => "rst",
            Self::Abort => "abort",
            Self::Unreachable => "unreachable",
        }
    }
}

/// An ICMP error that came for a probe (RFC 792, RFC 4443).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// Whether it is ICMPv6.
    pub v6: bool,
    /// Its type.
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// Who sent it, where that is known.
    pub from: Option<IpAddr>,
}

/// Why the balancer could not ask.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// A call to the operating system failed.
    #[error("{doing}: {message}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// What the system says.
        message: String,
    },
    /// A raw socket was refused.
    #[error("a raw socket needs CAP_NET_RAW")]
    Privilege,
    /// As many probes of this kind wait for an answer as may.
    #[error("too many probes of this kind are out")]
    Crowded,
    /// The `from` address is of another family than the endpoint's.
    #[error("{from} cannot be the source of a probe of {to}")]
    Family {
        /// The address to probe from.
        from: IpAddr,
        /// The endpoint's.
        to: IpAddr,
    },
    /// The path or authority of an HTTP/2 probe cannot be sent.
    #[error("{0} cannot be asked for by HTTP")]
    Request(String),
    /// The probe itself failed: a mistake of the program.
    #[error("the probe broke off")]
    Broken,
}

impl Outcome {
    /// What a failed call says: of the path where there is no way, otherwise of the balancer.
    pub(crate) fn of_call(doing: &'static str, error: &io::Error) -> Self {
        use io::ErrorKind::{HostUnreachable, NetworkDown, NetworkUnreachable};
        match error.kind() {
            kind @ (HostUnreachable | NetworkDown | NetworkUnreachable) => Self::Failure(Failure::NoRoute(kind)),
            _ => Self::Unprobed(Obstacle::System { doing, message: error.to_string() }),
        }
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Obstacle> for Outcome {
    fn from(obstacle: Obstacle) -> Self {
        Self::Unprobed(obstacle)
    }
}

impl Answer {
    /// How long the answer took.
    pub fn round_trip(&self) -> Option<Duration> {
        match self {
            Self::To(_, after) => Some(*after),
            Self::Silence(_) => None,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::To(asked, _) => write!(f, "answers {asked}"),
            Self::Silence(within) => write!(f, "no ICMP unreachable within {}", Words(*within)),
        }
    }
}

impl IcmpError {
    /// Destination unreachable, time exceeded, or no such protocol there: what it was sent for did not arrive. Others, such as packet too
    /// big, say nothing of the endpoint.
    pub fn is_fatal(&self) -> bool {
        match (self.v6, self.kind) {
            (false, 3) => self.code != FRAGMENTATION_NEEDED,
            (false, 11) | (true, 1 | 3) => true,
            (true, 4) => self.code == UNKNOWN_NEXT_HEADER,
            _ => false,
        }
    }
}

const FRAGMENTATION_NEEDED: u8 = 4;

/// ICMPv6 says by a parameter problem what ICMP calls protocol unreachable (RFC 4443 3.4).
const UNKNOWN_NEXT_HEADER: u8 = 1;

impl fmt::Display for IcmpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verdict, what) = match (self.v6, self.kind, self.code) {
            (false, 3, 2) => ("connection refused", "protocol unreachable"),
            (true, 4, UNKNOWN_NEXT_HEADER) => ("connection refused", "unknown next header"),
            (false, 3, 3) | (true, 1, 4) => ("connection refused", "port unreachable"),
            (false, 3, 9 | 10 | 13) | (true, 1, 1) => ("connection refused", "administratively prohibited"),
            (false, 3, 0) | (true, 1, 0) => ("no way there", "network unreachable"),
            (false, 3, 1) | (true, 1, 3) => ("no way there", "host unreachable"),
            (false, 3, _) | (true, 1, _) => ("no way there", "destination unreachable"),
            (false, 11, _) | (true, 3, _) => ("no way there", "time exceeded"),
            _ => ("not delivered", "error"),
        };
        let icmp = if self.v6 { "ICMPv6" } else { "ICMP" };
        write!(f, "{verdict} ({icmp} {what}")?;
        match self.from {
            Some(from) => write!(f, " from {from})"),
            None => write!(f, ")"),
        }
    }
}

/// What a probe asks, in words.
pub(crate) fn asked(probe: &Probe) -> &'static str {
    match probe {
        Probe::Icmp => "ICMP echo",
        Probe::Tcp => "TCP SYN",
        Probe::Udp { .. } => "UDP datagram",
        Probe::Gtpu => "GTP-U Echo",
        Probe::Sctp => "SCTP INIT",
        Probe::Pfcp => "PFCP Heartbeat",
        Probe::Http2 { .. } => "HTTP/2 GET",
    }
}

/// A time as people write it.
struct Words(Duration);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        if millis.is_multiple_of(1000) { write!(f, "{} s", self.0.as_secs()) } else { write!(f, "{millis} ms") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_in_words() {
        let from = Some("10.0.0.1".parse().unwrap());
        let icmp = |v6, kind, code| IcmpError { v6, kind, code, from }.to_string();
        assert_eq!(icmp(false, 3, 3), "connection refused (ICMP port unreachable from 10.0.0.1)");
        assert_eq!(icmp(false, 3, 2), "connection refused (ICMP protocol unreachable from 10.0.0.1)");
        assert_eq!(icmp(true, 1, 3), "no way there (ICMPv6 host unreachable from 10.0.0.1)");
        let silent = |within| Failure::Silent { asked: asked(&Probe::Gtpu), within }.to_string();
        assert_eq!(silent(Duration::from_secs(1)), "no answer to GTP-U Echo within 1 s");
        assert_eq!(silent(Duration::from_millis(1500)), "no answer to GTP-U Echo within 1500 ms");
        assert_eq!(Failure::Abort(Some(3)).to_string(), "association refused (ABORT, cause 3)");
    }

    #[test]
    fn too_big_is_no_failure() {
        let fatal = |v6, kind, code| IcmpError { v6, kind, code, from: None }.is_fatal();
        assert!(
            fatal(false, 3, 1)
                && fatal(false, 11, 0)
                && fatal(true, 1, 4)
                && fatal(true, 3, 0)
                && fatal(true, 4, 1)
        );
        assert!(!fatal(false, 3, 4) && !fatal(true, 2, 0) && !fatal(false, 5, 1) && !fatal(true, 4, 0));
    }
}
