//! Services that Pinion itself speaks for, which have no place in the packet path: what is wrong with one, whatever it is
//! that is spoken.

use std::net::IpAddr;

use super::addresses::is_local;
use super::counted;
use crate::config::Host;
use crate::config::mistake::Wrong;
use crate::config::model::{Algorithm, Protocol};
use crate::config::written::Service;

/// Whether it is one, and not something that is written wrong.
pub(super) fn is_spoken(service: &Service) -> bool {
    matches!(service.protocol.value, Some(Protocol::Pfcp | Protocol::Gtpc))
}

/// What is wrong with a service that speaks `what`, to `client` for `endpoint`.
pub(super) fn check(service: &Service, host: &Host, [what, client, endpoint]: [&str; 3], wrong: &mut Wrong) {
    let fields =
        [("unknown", service.unknown.at), ("all_down", service.all_down.at), ("timeouts", service.timeouts.at)];
    for (name, at) in fields {
        if let Some(at) = at {
            let words =
                format!("`{name}` is for packets that are steered, and {what} ends at Pinion; leave it out");
            wrong.mistake(at, words);
        }
    }
    if let Some((at, Algorithm::SourceAffinity)) = service.algorithm.given() {
        let words = format!(
            "source_affinity would give {client} one {endpoint} for all its sessions; give maglev, round_robin, \
             weighted or least_sessions"
        );
        wrong.mistake(at, words);
    }
    here(service, host, what, wrong);
}

/// Whether its address is one, and this host's: the daemon itself speaks there.
fn here(service: &Service, host: &Host, what: &str, wrong: &mut Wrong) {
    if let Some((at, addresses)) = service.addresses.given()
        && addresses.0.len() != 1
    {
        let count = counted(addresses.0.len(), "address", "addresses");
        wrong.mistake(at, format!("{count}, and {what} is spoken at one; give one that this host has"));
    }
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
