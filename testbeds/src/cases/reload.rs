//! Reloads: pins stay, new sessions go where the new configuration says.

use pinion_loader::setup::{EndpointSpec, ServiceSpec};
use pinion_steering::{Reason, State};

use super::places::{A, B, C, D, S, S1, U, V, services};
use super::{Act, Case, Key, Tunnel, drops, passes, replied, to, towards, transmits};
use crate::packets::gtpu::Gtpu;
use crate::packets::{End, gtpu, tcp, udp};

/// The services with every endpoint changed.
fn changed(change: impl Fn(&EndpointSpec) -> Option<EndpointSpec>) -> Vec<ServiceSpec> {
    let keep = |service: ServiceSpec| {
        let endpoints = service.endpoints.iter().filter_map(&change).collect();
        ServiceSpec { endpoints, ..service }
    };
    services().into_iter().map(keep).collect()
}

/// Endpoint a drains: new sessions go to b.
pub(super) fn moved() -> Vec<ServiceSpec> {
    changed(|endpoint| Some(EndpointSpec { weight: u32::from(endpoint.name == "b"), ..endpoint.clone() }))
}

/// Endpoint a is down: new sessions go to b.
pub(super) fn failed() -> Vec<ServiceSpec> {
    changed(|endpoint| {
        let up = endpoint.name != "a";
        Some(EndpointSpec { weight: u32::from(up), up, ..endpoint.clone() })
    })
}

/// Endpoint a is removed.
fn removed() -> Vec<ServiceSpec> {
    changed(|endpoint| (endpoint.name != "a").then(|| EndpointSpec { weight: 1, ..endpoint.clone() }))
}

/// A service is removed.
fn without(name: &str) -> Vec<ServiceSpec> {
    services().into_iter().filter(|service| service.name != name).collect()
}

const PHONE: End = (C, 40_000);

pub(super) fn cases() -> Vec<Case> {
    let hello = udp(PHONE, (S, 5060), b"REGISTER");
    let other = hello.clone().from(D, 40_000);
    let ok = udp((A, 5060), PHONE, b"200 OK");
    let placed = Case::new("placed").send(&hello, transmits(Reason::Placed, &towards(&hello, (A, 5060))));
    let stays = |name, services| {
        Case::new(name)
            .after(&placed)
            .act(Act::Reload(services))
            .send(&hello, transmits(Reason::Pinned, &towards(&hello, (A, 5060))))
            .send(&ok, transmits(Reason::Replied, &replied(&ok, (S, 5060))))
            .send(&other, transmits(Reason::Placed, &towards(&other, (B, 5060))))
    };
    let tunnel = gtpu((C, 2152), (S, 2152), &Gtpu::data(1, b"ip"));
    let taught = gtpu((C, 2152), (S, 2152), &Gtpu::data(7, b"ip"));
    let taught_out = gtpu((C, 2152), (S, 2152), &Gtpu::data(70, b"ip"));
    let pin = Act::Pin(Tunnel { address: S, teid: 7, service: "n3", endpoint: "a", owned: 70, path: 0 });
    let new_service = super::places::service(
        "new",
        pinion_steering::Kind::Flow,
        17,
        9000,
        &[S1],
        vec![super::places::endpoint("a", &[super::places::A1], 9000, 1)],
    );
    let fresh = udp(PHONE, (S1, 9000), b"x");
    vec![
        stays("reload: an endpoint that drains keeps its pins", moved()),
        stays("reload: an endpoint that is removed keeps its pins", removed()),
        Case::new("reload: three times, and pins stay")
            .after(&placed)
            .act(Act::Reload(moved()))
            .act(Act::Reload(services()))
            .act(Act::Reload(removed()))
            .send(&hello, transmits(Reason::Pinned, &towards(&hello, (A, 5060))))
            .flow(Key::Tuple((S, 5060), PHONE, 17), to("sip", "a", State::Established)),
        Case::new("reload: a failed endpoint gets no new session")
            .act(Act::Reload(failed()))
            .send(&hello, transmits(Reason::Placed, &towards(&hello, (B, 5060)))),
        Case::new("reload: an endpoint that comes back gets new sessions")
            .act(Act::Reload(failed()))
            .act(Act::Reload(services()))
            .send(&hello, transmits(Reason::Placed, &towards(&hello, (A, 5060)))),
        Case::new("reload: a service that is removed takes no new session; its pins stay")
            .after(&placed)
            .act(Act::Reload(without("sip")))
            .send(&hello, transmits(Reason::Pinned, &towards(&hello, (A, 5060))))
            .send(&other, passes(Reason::NotOurs)),
        Case::new("reload: a service that is new is there at once")
            .send(&fresh, passes(Reason::NotOurs))
            .act(Act::Reload([services(), vec![new_service]].concat()))
            .send(&fresh, transmits(Reason::Placed, &towards(&fresh, (super::places::A1, 9000)))),
        Case::new("reload: no services at all")
            .act(Act::Reload(Vec::new()))
            .send(&tcp(PHONE, (S, 443), 2, b""), passes(Reason::NotOurs)),
        Case::new("reload: a tunnel that was hashed stays where it is, a new one goes elsewhere")
            .send(&tunnel, transmits(Reason::Placed, &towards(&tunnel, (U, 2152))))
            .act(Act::Reload(moved()))
            .send(&tunnel, transmits(Reason::Pinned, &towards(&tunnel, (U, 2152))))
            .send(&taught, transmits(Reason::Placed, &towards(&taught, (V, 2152)))),
        Case::new("reload: a tunnel that was taught stays, though its service goes")
            .act(pin)
            .act(Act::Reload(without("n3")))
            .send(&taught, transmits(Reason::Pinned, &towards(&taught_out, (U, 2152)))),
        Case::new("reload: the last endpoint goes")
            .act(Act::Reload(changed(|_| None)))
            .send(&hello, drops(Reason::NoEndpoint)),
    ]
}
