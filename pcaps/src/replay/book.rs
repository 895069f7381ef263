//! What is known of services and endpoints by their addresses.

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::fast::RandomState;
use pinion_loader::setup::{EndpointSpec, ServiceSpec, Setup};
use pinion_steering::{Address, Kind};

use super::headers::End;

/// The services of a replay, looked up by address.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) services: Vec<Service>,
    by_end: HashMap<End, (usize, usize), RandomState>,
    endpoints: HashMap<(usize, Address, u16), usize, RandomState>,
}

#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) protocol: u8,
    pub(super) port: u16,
    pub(super) addresses: Vec<Address>,
    /// The number that steering knows it by.
    pub(super) id: u16,
    /// Index in `TARGETS` of its own first path.
    pub(super) own: u32,
    pub(super) endpoints: Vec<Endpoint>,
}

#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) name: String,
    pub(super) addresses: Vec<Address>,
    pub(super) port: u16,
    /// Index in `TARGETS` of its first path.
    pub(super) base: u32,
}

impl Book {
    /// What `setup` laid out for `specs`.
    pub(super) fn new(specs: &[ServiceSpec], setup: &Setup) -> Self {
        let mut book = Self::default();
        for (index, spec) in specs.iter().enumerate() {
            let service = Service::new(spec, setup);
            for (path, address) in service.addresses.iter().enumerate() {
                let end = End { address: *address, port: spec.port, protocol: spec.protocol };
                book.by_end.insert(end, (index, path));
            }
            for (at, endpoint) in service.endpoints.iter().enumerate() {
                for address in &endpoint.addresses {
                    // The first of endpoints that share an address, as everywhere.
                    book.endpoints.entry((index, *address, endpoint.port)).or_insert(at);
                }
            }
            book.services.push(service);
        }
        book
    }

    /// The service at an end, and the path that its address is on.
    pub(super) fn at(&self, end: &End) -> Option<(usize, usize)> {
        self.by_end.get(end).copied()
    }

    pub(super) fn service(&self, index: usize) -> Option<&Service> {
        self.services.get(index)
    }

    /// The endpoint of a service at an address and port.
    pub(super) fn endpoint(&self, service: usize, address: Address, port: u16) -> Option<usize> {
        self.endpoints.get(&(service, address, port)).copied()
    }
}

impl Service {
    fn new(spec: &ServiceSpec, setup: &Setup) -> Self {
        let endpoints = spec.endpoints.iter();
        Self {
            name: spec.name.clone(),
            kind: spec.kind,
            protocol: spec.protocol,
            port: spec.port,
            addresses: addresses(&spec.addresses),
            id: setup.id(&spec.name).unwrap_or_default(),
            own: setup.own(&spec.name).unwrap_or_default(),
            endpoints: endpoints.map(|endpoint| Endpoint::new(spec, endpoint, setup)).collect(),
        }
    }

    /// The endpoint whose paths an index in `TARGETS` is one of.
    pub(super) fn owner(&self, target: u32) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| {
            let path = target.checked_sub(endpoint.base).and_then(|path| usize::try_from(path).ok());
            path.is_some_and(|path| path < endpoint.addresses.len())
        })
    }
}

impl Endpoint {
    fn new(service: &ServiceSpec, spec: &EndpointSpec, setup: &Setup) -> Self {
        let addresses = addresses(&spec.addresses);
        Self {
            name: spec.name.clone(),
            addresses,
            port: spec.port,
            base: setup.base(&service.name, &spec.name).unwrap_or_default(),
        }
    }
}

fn addresses(addresses: &[IpAddr]) -> Vec<Address> {
    addresses.iter().map(|address| Address::from(*address)).collect()
}
