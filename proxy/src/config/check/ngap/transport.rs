//! Whose SCTP an NGAP service is spoken over, and what that takes of its addresses.

use pinion_steering::MAX_PATHS;

use crate::config::Host;
use crate::config::check::addresses::is_local;
use crate::config::check::surroundings::missing;
use crate::config::check::{counted, spoken};
use crate::config::mistake::Wrong;
use crate::config::model::Transport;
use crate::config::read::{Field, List};
use crate::config::scalar::InterfaceName;
use crate::config::written::Service;

/// Whether the addresses, and the interfaces that may be named, are right for the SCTP that there will be.
pub(super) fn check(service: &Service, host: &Host, wrong: &mut Wrong) {
    let ngap = service.ngap.value.as_ref();
    let transport = ngap.map_or(&Field::ABSENT, |ngap| &ngap.transport);
    let interfaces = ngap.map_or(&Field::ABSENT, |ngap| &ngap.interfaces);
    if let (Some((at, Transport::Kernel)), Some(false)) = (transport.given(), host.sctp) {
        wrong.mistake(
            at,
            "this host's kernel has no SCTP; have it load it by `modprobe sctp`, or give auto or userspace",
        );
    }
    let chosen = transport.or(Transport::Auto);
    if chosen == Transport::Kernel
        && let Some(at) = interfaces.at
    {
        wrong.mistake(at, "the kernel knows itself where its addresses are; leave `interfaces` out");
    }
    match (chosen, host.sctp) {
        // Where nobody looked, addresses may be right for either.
        (Transport::Auto, None) => spoken::count(service, "NGAP", MAX_PATHS, "one for each path", wrong),
        (Transport::Kernel, _) | (Transport::Auto, Some(true)) => {
            spoken::own(service, host, "NGAP", MAX_PATHS, wrong);
        }
        (Transport::Userspace, _) | (Transport::Auto, Some(false)) => {
            spoken::count(service, "NGAP", MAX_PATHS, "those that no host has yet", wrong);
            foreign(service, host, chosen == Transport::Auto, wrong);
            if interfaces.is_given() {
                named(service, interfaces, host, wrong);
            } else {
                found(service, host, wrong);
            }
        }
    }
}

/// Whether the addresses are not the kernel's, which would answer at them too.
fn foreign(service: &Service, host: &Host, auto: bool, wrong: &mut Wrong) {
    let remedy = if auto {
        "its kernel has no SCTP: `modprobe sctp`, or give an address that no host has yet"
    } else {
        "its kernel would answer there too; give an address that no host has yet, or transport kernel"
    };
    for (at, address) in service.addresses.each().filter(|(_, address)| is_local(address.0, &host.addresses)) {
        wrong.mistake(at, format!("{} is an address of this host, and {remedy}", address.0));
    }
}

/// Whether each address has an interface by what is named.
fn named(service: &Service, interfaces: &Field<List<InterfaceName>>, host: &Host, wrong: &mut Wrong) {
    let (wanted, given) = (service.addresses.count(), interfaces.count());
    if let Some(at) = interfaces.at.filter(|_| wanted != given) {
        let (given, wanted) = (counted(given, "interface", "interfaces"), counted(wanted, "address", "addresses"));
        wrong.mistake(at, format!("{given} for {wanted}; give one for each address, in their order"));
    }
    for (at, name) in interfaces.each() {
        if !host.interfaces.is_empty() && !host.interfaces.contains(&name.0) {
            wrong.warning(at, missing(&name.0, &host.interfaces));
        }
    }
}

/// Whether each address has an interface by its network.
fn found(service: &Service, host: &Host, wrong: &mut Wrong) {
    let unknown = host.addresses.is_empty();
    for (at, address) in service.addresses.each() {
        if !unknown && !is_local(address.0, &host.addresses) && host.near(address.0).is_none() {
            let what = format!(
                "no Ethernet of this host is in a network with {}, so that nobody would find it there; give one an address \
                 of that network, or name its interface in `ngap: {{interfaces: [...]}}`",
                address.0
            );
            wrong.mistake(at, what);
        }
    }
}
