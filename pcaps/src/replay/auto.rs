//! `--config auto`: the services that a capture's conversations need, and the sessions that were under way when it began.

use std::net::IpAddr;
use std::time::Duration;

use pinion_loader::setup::{EndpointSpec, ServiceSpec};
use pinion_loader::{LoadError, Maps};
use pinion_steering::{Address, Exhausted, Flow, FlowKey, Kind, Placement, State, Unknown, protocol, sctp};

use super::book::{Book, Endpoint, Service};
use super::sample::Samples;
use super::survey::{Association, Begun, Served, Surveyed};
use super::tick;

/// How many sample endpoints a service has.
const ENDPOINTS: usize = 3;

/// Services, and what is to be restored.
#[derive(Debug)]
pub(super) struct Auto {
    pub(super) specs: Vec<ServiceSpec>,
    /// Conversations that have no service: there are too many, or no more sample addresses.
    pub(super) left_out: u64,
    begun: Vec<Begun>,
    associations: Vec<Association>,
    /// Which of `specs` a service of the survey became.
    became: Vec<Option<usize>>,
    first: Duration,
}

impl Auto {
    pub(super) fn new(surveyed: Surveyed) -> Self {
        let mut samples = Samples::new(surveyed.taken);
        let mut specs = Vec::new();
        let mut left_out = surveyed.left_out;
        let mut became = Vec::with_capacity(surveyed.services.len());
        for served in &surveyed.services {
            let spec = spec(served, &mut samples);
            if spec.is_none() && !served.addresses.is_empty() {
                left_out = left_out.saturating_add(1);
            }
            became.push(spec.is_some().then_some(specs.len()));
            specs.extend(spec);
        }
        Self {
            specs,
            left_out,
            begun: surveyed.begun,
            associations: surveyed.associations,
            became,
            first: surveyed.first,
        }
    }

    /// Pins what was under way to sample endpoints, in turn; says how many sessions that were.
    pub(super) fn restore(&self, book: &Book, maps: &mut dyn Maps) -> Result<u64, LoadError> {
        let mut restored = 0_u64;
        for begun in &self.begun {
            let Some((service, path)) = book.at(&begun.service) else {
                continue;
            };
            let Some((service, endpoint)) = turn(book, Some(service), restored) else {
                continue;
            };
            // Tunnels are pinned by TEID, and their signalling not at all.
            if service.kind != Kind::Flow {
                continue;
            }
            let flow = self.established(service);
            for (key, flow) in flow_pins(begun, service, endpoint, path, flow) {
                maps.put_flow(&key, &flow)?;
            }
            restored = restored.saturating_add(1);
        }
        for association in &self.associations {
            let spec = self.became.get(association.service.0).copied().flatten();
            let Some((service, endpoint)) = turn(book, spec, restored) else {
                continue;
            };
            let flow = self.established(service);
            for (key, flow) in association_pins(association, service, endpoint, flow) {
                maps.put_flow(&key, &flow)?;
            }
            restored = restored.saturating_add(1);
        }
        Ok(restored)
    }

    fn established(&self, service: &Service) -> Flow {
        Flow { seen: tick(self.first), service: service.id, state: State::Established as u8, ..Flow::default() }
    }
}

fn turn(book: &Book, service: Option<usize>, turn: u64) -> Option<(&Service, &Endpoint)> {
    let service = book.service(service?)?;
    let count = u64::try_from(service.endpoints.len()).ok()?;
    let at = usize::try_from(turn.checked_rem(count)?).ok()?;
    Some((service, service.endpoints.get(at)?))
}

/// Both directions of a UDP or TCP flow.
fn flow_pins(
    begun: &Begun,
    service: &Service,
    endpoint: &Endpoint,
    path: usize,
    flow: Flow,
) -> Vec<(FlowKey, Flow)> {
    let (own, client) = (begun.service, begun.client);
    let offset = u32::try_from(path).unwrap_or_default();
    let Some(&address) = endpoint.addresses.get(path) else {
        return Vec::new();
    };
    let forward = FlowKey::tuple(own.address, own.port, client.address, client.port, own.protocol);
    let back = FlowKey::tuple(client.address, client.port, address, endpoint.port, own.protocol);
    vec![
        (forward, Flow { target: endpoint.base.saturating_add(offset), ..flow }),
        (back, Flow { target: service.own.saturating_add(offset), reply: 1, ..flow }),
    ]
}

/// The three pins of an SCTP association, as far as its tags are known.
fn association_pins(
    association: &Association,
    service: &Service,
    endpoint: &Endpoint,
    flow: Flow,
) -> Vec<(FlowKey, Flow)> {
    let (port, digest) = (association.client_port, sctp::digest(&association.client));
    let flow = Flow { peer: digest, ..flow };
    let to_endpoint = Flow { target: endpoint.base, from: service.own, tag: association.client_tag, ..flow };
    let mut pins = Vec::with_capacity(3);
    if association.server_tag != 0 {
        let key = FlowKey::association(association.server_tag, service.port, port);
        pins.push((key, to_endpoint));
    }
    if association.client_tag != 0 {
        let key = FlowKey::association(association.client_tag, port, endpoint.port);
        let back =
            Flow { target: service.own, from: endpoint.base, tag: association.server_tag, reply: 1, ..flow };
        pins.push((key, back));
        pins.push((FlowKey::peer(service.id, port, digest), to_endpoint));
    }
    pins
}

/// `None` where another service took it in, or there are no more sample addresses.
fn spec(served: &Served, samples: &mut Samples) -> Option<ServiceSpec> {
    let first = served.addresses.first()?;
    let endpoints = (1..=ENDPOINTS).map(|number| {
        let paths = served.addresses.iter().enumerate();
        let addresses = paths.map(|(path, own)| samples.next(path, own.is_v4()).map(IpAddr::from));
        Some(EndpointSpec {
            name: format!("sample-{number}"),
            addresses: addresses.collect::<Option<_>>()?,
            port: served.port,
            weight: 1,
            up: true,
        })
    });
    Some(ServiceSpec {
        name: name(served, first),
        kind: served.kind,
        protocol: served.protocol,
        port: served.port,
        addresses: served.addresses.iter().map(|address| IpAddr::from(*address)).collect(),
        unknown: if served.kind == Kind::Gtpu { Unknown::Hash } else { Unknown::Drop },
        placement: Placement::Maglev,
        exhausted: Exhausted::Drop,
        endpoints: endpoints.collect::<Option<_>>()?,
        aware: false,
        exits: Vec::new(),
    })
}

fn name(served: &Served, first: &Address) -> String {
    let protocol = match (served.kind, served.protocol) {
        (Kind::Gtpu, _) => "gtpu",
        (_, protocol::TCP) => "tcp",
        (_, protocol::SCTP) => "sctp",
        _ => "udp",
    };
    match IpAddr::from(*first) {
        IpAddr::V4(address) => format!("{protocol}-{address}-{}", served.port),
        IpAddr::V6(address) => format!("{protocol}-[{address}]-{}", served.port),
    }
}
