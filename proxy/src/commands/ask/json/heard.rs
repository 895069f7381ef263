use serde::Serialize;

use crate::control::{Heard as Shown, HeardService};

/// What is heard of services that are listened to.
#[derive(Debug, Serialize)]
pub(super) struct Heard<'a> {
    copies: u64,
    copies_lost: u64,
    services: Vec<Service<'a>>,
}

#[derive(Debug, Serialize)]
struct Service<'a> {
    service: &'a str,
    associations: u64,
    ues: u64,
    packets: u64,
    messages: u64,
    malformed: u64,
    repeated: u64,
    missing: u64,
    unjoined: u64,
    met: u64,
    displaced: u64,
    silent: u64,
}

impl<'a> From<&'a Shown> for Heard<'a> {
    fn from(Shown { copies, services }: &'a Shown) -> Self {
        let services = services.iter().map(Service::from).collect();
        Self { copies: copies.made, copies_lost: copies.lost, services }
    }
}

impl<'a> From<&'a HeardService> for Service<'a> {
    fn from(HeardService { service, associations, ues, counts }: &'a HeardService) -> Self {
        Self {
            service,
            associations: *associations,
            ues: *ues,
            packets: counts.packets,
            messages: counts.messages,
            malformed: counts.malformed,
            repeated: counts.repeated,
            missing: counts.missing,
            unjoined: counts.unjoined,
            met: counts.met,
            displaced: counts.displaced,
            silent: counts.silent,
        }
    }
}
