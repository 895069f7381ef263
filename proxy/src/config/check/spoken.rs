//! Services that Pinion itself speaks for, which have no place in the packet path: what is wrong with one, whatever it is
//! that is spoken.

use std::net::IpAddr;

use super::addresses::is_local;
use super::counted;
use crate::config::mistake::{Place, Wrong};
use crate::config::model::{Algorithm, Protocol};
use crate::config::written::Service;
use crate::config::{self, Host};

/// Whether it is one, and not something that is written wrong.
pub(super) fn is_spoken(service: &Service) -> bool {
    service.protocol.value.is_some_and(|protocol| config::kind(protocol).is_none())
}

/// Whether a service is of a protocol; `name` is what it has for that protocol alone, and where.
pub(super) fn is_of(
    service: &Service,
    wanted: Protocol,
    (name, at): (&str, Option<Place>),
    wrong: &mut Wrong,
) -> bool {
    let Some(protocol) = service.protocol.value else { return false };
    if let Some(at) = at
        && protocol != wanted
    {
        let words = format!(
            "`{name}` is for services of protocol {}, and this is {}; leave it out",
            wanted.as_written(),
            protocol.as_written()
        );
        wrong.mistake(at, words);
    }
    protocol == wanted
}

/// What is wrong with a service that speaks `what`, to `client` for `endpoint`.
pub(super) fn check(service: &Service, host: &Host, [what, client, endpoint]: [&str; 3], wrong: &mut Wrong) {
    check_steered(service, what, wrong);
    if let Some((at, Algorithm::SourceAffinity)) = service.algorithm.given() {
        let words = format!(
            "source_affinity would give {client} one {endpoint} for all its sessions; give maglev, round_robin, \
             weighted or least_sessions"
        );
        wrong.mistake(at, words);
    }
    own(service, host, what, 1, wrong);
}

/// What it has that is for packets alone.
pub(super) fn check_steered(service: &Service, what: &str, wrong: &mut Wrong) {
    let fields =
        [("unknown", service.unknown.at), ("all_down", service.all_down.at), ("timeouts", service.timeouts.at)];
    for (name, at) in fields {
        if let Some(at) = at {
            let words =
                format!("`{name}` is for packets that are steered, and {what} ends at Pinion; leave it out");
            wrong.mistake(at, words);
        }
    }
}

/// Whether it has at the most so many addresses, and they are this host's: the daemon itself speaks there.
pub(super) fn own(service: &Service, host: &Host, what: &str, most: usize, wrong: &mut Wrong) {
    count(service, what, most, "those that this host has", wrong);
    for (at, address) in service.addresses.each() {
        let address: IpAddr = address.0;
        if !host.addresses.is_empty() && !is_local(address, &host.addresses) {
            let words = format!(
                "{address} is no address of this host, which speaks {what} there; add it before the daemon starts, or \
                 give one that `ip address` shows"
            );
            wrong.warning(at, words);
        }
    }
}

/// Whether it has at the most so many addresses, and one at least.
pub(super) fn count(service: &Service, what: &str, most: usize, right: &str, wrong: &mut Wrong) {
    if let Some((at, addresses)) = service.addresses.given()
        && !(1..=most).contains(&addresses.0.len())
    {
        let count = counted(addresses.0.len(), "address", "addresses");
        let words = match most {
            1 => format!("{count}, and {what} is spoken at one; give one that this host has"),
            most => format!("{count}, and {what} is spoken at 1 to {most}; give {right}"),
        };
        wrong.mistake(at, words);
    }
}
