//! The configuration file: services and their endpoints, in YAML.
//!
//! ```yaml
//! services:
//!   - name: amf
//!     protocol: sctp                  # udp, tcp, sctp or gtpu
//!     port: 38412                     # gtpu: 2152 where it is left out
//!     addresses: [192.0.2.1, 198.51.100.1]   # one for each path, at the most four
//!     unknown: drop                   # sctp, gtpu: drop (the default), hash or punt
//!     endpoints:
//!       - name: amf-1
//!         addresses: [10.0.0.11, 10.1.0.11]  # one for each path of the service
//!         port: 38412                 # the service's where it is left out
//!         weight: 1                   # 1 where it is left out; 0 gets no new sessions
//! ```

mod check;
pub mod model;
mod scalar;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pinion_loader::setup::ServiceSpec;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use scalar::{Ip, Port, Weight};

/// A configuration as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    services: Spanned<Vec<Service>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    name: Spanned<String>,
    protocol: Spanned<Protocol>,
    port: Option<Spanned<Port>>,
    addresses: Spanned<Vec<Spanned<Ip>>>,
    unknown: Option<Spanned<Unknown>>,
    endpoints: Spanned<Vec<Endpoint>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Endpoint {
    name: Spanned<String>,
    addresses: Spanned<Vec<Spanned<Ip>>>,
    port: Option<Spanned<Port>>,
    weight: Option<Spanned<Weight>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    Udp,
    Tcp,
    Sctp,
    Gtpu,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unknown {
    Drop,
    Hash,
    Punt,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: cannot read: {source}; check the path")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is nothing in it.
    #[error("{path}:1: nothing in it; begin with `services:`")]
    Empty {
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

/// Something wrong in a configuration: where, what, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    line: u64,
    column: u64,
    what: String,
}

impl Mistake {
    fn new(at: &Location, what: impl Into<String>) -> Self {
        Self { line: at.line(), column: at.column(), what: what.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

fn lines(path: &Path, mistakes: &[Mistake]) -> String {
    let lines: Vec<_> = mistakes.iter().map(|mistake| format!("{}:{mistake}", path.display())).collect();
    lines.join("\n")
}

/// Reads the services of a configuration file.
///
/// # Errors
///
/// [`ConfigError`]; nothing of a wrong configuration is given back.
pub(crate) fn read(path: &Path) -> Result<Vec<ServiceSpec>, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    if text.lines().all(|line| line.trim_start().is_empty() || line.trim_start().starts_with('#')) {
        return Err(ConfigError::Empty { path: path.to_owned() });
    }
    parse(&text).map_err(|mistakes| ConfigError::Wrong { path: path.to_owned(), mistakes })
}

fn parse(text: &str) -> Result<Vec<ServiceSpec>, Vec<Mistake>> {
    let options = serde_saphyr::options! { with_snippet: false };
    let file: File = serde_saphyr::from_str_with_options(text, options).map_err(|error| vec![mistake(&error)])?;
    check::services(&file)
}

/// A mistake that the reader of YAML found. It names the place, which is taken off.
fn mistake(error: &serde_saphyr::Error) -> Mistake {
    let at = error.location().unwrap_or(Location::UNKNOWN);
    let message = error.to_string();
    let place = format!(" at line {}, column {}", at.line(), at.column());
    let what = message.strip_suffix(&place).unwrap_or(&message);
    let what = what.strip_suffix(", set DuplicateKeyPolicy in Options if acceptable").unwrap_or(what);
    Mistake::new(&at, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinion_steering::{Kind, Unknown, protocol};

    const GOOD: &str = "\
services:
  - name: amf
    protocol: sctp
    port: 38412
    addresses: [192.0.2.1, '2001:db8::1']
    unknown: punt
    endpoints:
      - name: amf-1
        addresses: [10.0.0.11, '2001:db8::11']
        weight: 3
      - name: amf-2
        addresses: [10.0.0.12, '2001:db8::12']
        port: 38413
  - name: upf
    protocol: gtpu
    addresses: [192.0.2.3]
    endpoints:
      - name: upf-1
        addresses: [10.0.0.21]
";

    fn mistakes(text: &str) -> Vec<String> {
        parse(text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let services = parse(GOOD).unwrap();
        let [amf, upf] = services.as_slice() else { panic!("{services:?}") };
        assert_eq!((amf.kind, amf.protocol, amf.port), (Kind::Sctp, protocol::SCTP, 38_412));
        assert_eq!(amf.unknown, Unknown::Punt);
        let endpoints = amf.endpoints.iter().map(|endpoint| (endpoint.port, endpoint.weight));
        assert_eq!(endpoints.collect::<Vec<_>>(), [(38_412, 3), (38_413, 1)]);
        assert_eq!((upf.kind, upf.protocol, upf.port), (Kind::Gtpu, protocol::UDP, 2152));
        assert_eq!(upf.unknown, Unknown::Drop);
    }

    #[test]
    fn yaml_and_types_are_refused_with_their_place() {
        for (from, to, expected) in [
            (
                "port: 38413",
                "prot: 38413",
                "13:9: unknown field `prot`, expected one of name, addresses, port, weight",
            ),
            (
                "protocol: gtpu",
                "protocol: gtp",
                "15:15: unknown variant `gtp`, expected one of udp, tcp, sctp, gtpu",
            ),
            ("port: 38413", "port: 70000", "13:15: 70000 is no port; give a number from 1 to 65535"),
            ("port: 38413", "port: 0", "13:15: 0 is no port; give a number from 1 to 65535"),
            ("weight: 3", "weight: -1", "10:17: -1 is no weight; give a number from 0 to 65535"),
            (
                "10.0.0.21",
                "10.0.0.256",
                "19:21: 10.0.0.256 is no IP address; give one, such as 192.0.2.1 or 2001:db8::1",
            ),
            ("protocol: gtpu", "name: x", "15:5: duplicate mapping key: name"),
            ("    protocol: gtpu\n", "", "16:5: missing field `protocol`"),
        ] {
            assert_eq!(mistakes(&GOOD.replace(from, to)), [expected]);
        }
    }

    #[test]
    fn contradictions_are_refused_all_at_once() {
        let wrong = GOOD
            .replace("amf-2", "amf-1")
            .replace("[10.0.0.11, '2001:db8::11']", "[10.0.0.11]")
            .replace("[10.0.0.12, '2001:db8::12']", "['2001:db8::12', 10.0.0.12]")
            .replace("addresses: [10.0.0.21]", "addresses: [224.0.0.1]\n        port: 2153");
        assert_eq!(
            mistakes(&wrong),
            [
                "9:20: 1 address where the service has 2 paths; give one for each path",
                "11:15: endpoint amf-1 is already there; give each endpoint of a service its own name",
                "12:21: 2001:db8::12 on path 0, where the service has 192.0.2.1; give an address of the same family",
                "12:37: 10.0.0.12 on path 1, where the service has 2001:db8::1; give an address of the same family",
                "19:21: 224.0.0.1 is no unicast address; give one that one host answers to",
                "20:15: GTP-U is received at port 2152 (TS 29.281 4.4.2.3); leave the port out",
            ]
        );
    }

    #[test]
    fn services_must_not_meet() {
        let wrong = GOOD
            .replace("protocol: gtpu", "protocol: sctp\n    port: 38412\n    unknown: drop")
            .replace("192.0.2.3", "192.0.2.1")
            .replace("name: upf\n", "name: amf\n");
        assert_eq!(
            mistakes(&wrong),
            [
                "14:11: service amf is already there; give each service its own name",
                "18:17: 192.0.2.1 port 38412 is already service amf's; give each service its own address or port",
            ]
        );
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        let udp = "services: [{name: '', protocol: udp, addresses: [], unknown: hash, endpoints: []}]";
        assert_eq!(
            mistakes(udp),
            [
                "1:19: no name; give one",
                "1:33: no port; give the one that clients address",
                "1:49: 0 addresses; give one for each path, at the most 4",
                "1:62: every udp packet belongs to a session; leave `unknown` out",
                "1:79: no endpoint; give one at least",
            ]
        );
        assert_eq!(mistakes("services: []"), ["1:11: no service; give one at least"]);
    }
}
