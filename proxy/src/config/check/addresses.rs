//! Addresses that a service or an endpoint can have.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::config::mistake::{Place, Wrong};
use crate::config::model::Protocol;
use crate::config::scalar::shown;
use crate::config::written::File;

/// The services' addresses, with the name of the service that has each. Two services may share an address, but
/// not with one protocol and one port.
pub(super) fn services(file: &File, wrong: &mut Wrong) -> HashMap<IpAddr, String> {
    let mut names = HashMap::new();
    let mut taken: HashMap<(IpAddr, bool, bool, u16), String> = HashMap::new();
    for service in file.services.values() {
        let name = shown(service.name.value.as_ref());
        let protocol = service.protocol.value;
        let port = super::services::port(service);
        for (at, address) in service.addresses.each() {
            unicast(at, address.0, wrong);
            names.insert(address.0, name.clone());
            let (Some(protocol), Some(port)) = (protocol, port) else {
                continue;
            };
            // GTP-U is UDP.
            let key = (address.0, protocol == Protocol::Tcp, protocol == Protocol::Sctp, port);
            if let Some(other) = taken.get(&key) {
                let what = format!(
                    "{} port {port} is already service {other}'s; give each service its own address or port",
                    address.0
                );
                wrong.mistake(at, what);
            } else {
                taken.insert(key, name.clone());
            }
        }
    }
    names
}

/// Refuses what no single host on a network answers to.
pub(super) fn unicast(at: Place, address: IpAddr, wrong: &mut Wrong) {
    let kind = match address {
        _ if address.is_unspecified() => "stands for no address",
        _ if address.is_multicast() => "is a multicast address",
        IpAddr::V4(v4) if v4.is_broadcast() => "is the broadcast address",
        IpAddr::V4(v4) if v4.is_link_local() => "is a link-local address",
        IpAddr::V4(v4) if matches!(v4.octets(), [0 | 240..=255, ..]) => "is a reserved address",
        IpAddr::V6(v6) if v6.is_unicast_link_local() => "is a link-local address",
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped() {
                wrong.mistake(at, format!("{address} is an IPv4 address in IPv6's clothes; write {v4}"));
            }
            return;
        }
        IpAddr::V4(_) => return,
    };
    let right = match address {
        IpAddr::V6(v6) if v6.is_unicast_link_local() => "give one that is routed",
        IpAddr::V4(v4) if v4.is_link_local() => "give one that is routed",
        _ => "give one that one host answers to",
    };
    wrong.mistake(at, format!("{address} {kind}; {right}"));
}

/// Whether a host with these addresses answers to this one.
pub(super) fn is_local(address: IpAddr, local: &[IpAddr]) -> bool {
    // The loopback range is a host's as a whole (RFC 1122 3.2.1.3, RFC 4291 2.5.3).
    let loopback = address.is_loopback() && local.iter().any(IpAddr::is_loopback);
    loopback || local.contains(&address)
}

/// The family's name.
pub(super) fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "IPv4" } else { "IPv6" }
}

/// What a list of addresses is, path by path.
pub(super) fn families(addresses: &[IpAddr]) -> String {
    let families: Vec<_> = addresses.iter().map(|address| family(*address)).collect();
    crate::config::read::listed(&families, "and")
}
