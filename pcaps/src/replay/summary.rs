//! What became of the packets of a replay, counted.

use std::collections::BTreeMap;

use pinion_loader::setup::ServiceSpec;
use pinion_steering::{FlowKind, Kind, Reason, Verdict, gtpu, protocol};
use serde::Serialize;

use super::book::{Book, Service};
use super::headers::Headers;

/// What a replay came to; serialized, the summary that ends `pinion replay --format json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Captures that were replayed.
    pub captures: u64,
    /// Frames that were read.
    pub packets: u64,
    /// Packets by verdict.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// Packets by reason; reasons that no packet had are left out.
    pub reasons: BTreeMap<&'static str, u64>,
    /// Packets by protocol: `udp` (GTP-U not counted), `gtpu`, `tcp`, `sctp`, and `other`, to which fragments belong.
    pub protocols: BTreeMap<&'static str, Fate>,
    /// Pins at the end, by kind: `tuple` (two for each UDP or TCP session), `tunnel`, `association`, `reply`, `peer`.
    pub flows: BTreeMap<&'static str, u64>,
    /// Sessions that `--config auto` took as under way when the capture began.
    pub restored: u64,
    /// Conversations that `--config auto` had no room for.
    pub left_out: u64,
    /// Copies of packets that steering left for user space.
    pub events: u64,
    /// Frames that a snap length had cut, steered with zeros for what was missing.
    pub padded: u64,
    /// Frames that are longer than the longest IP packet, steered without what is behind that.
    pub shortened: u64,
    /// Frames that carry no IP or ARP, or are of a link type that is not known; they count as passed.
    pub skipped: u64,
    /// The services, in the order of the configuration, or of their first packet.
    pub services: Vec<ServiceSummary>,
    /// What the captures lack.
    pub warnings: Vec<String>,
}

/// What became of the packets of a protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Fate {
    /// All of them.
    pub packets: u64,
    /// Transmitted or redirected.
    pub steered: u64,
    /// Left to the kernel's stack.
    pub passed: u64,
    /// Dropped.
    pub dropped: u64,
}

/// A service and its packets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceSummary {
    /// Its capture, where several are replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its name.
    pub name: String,
    /// `udp`, `tcp`, `sctp` or `gtpu`.
    pub protocol: &'static str,
    /// Its port.
    pub port: u16,
    /// Its address on each path.
    pub addresses: Vec<String>,
    /// Packets to it and from it, dropped ones counted.
    pub packets: u64,
    /// Its endpoints.
    pub endpoints: Vec<EndpointSummary>,
}

/// An endpoint and its packets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndpointSummary {
    /// Its name.
    pub name: String,
    /// Its address on each path.
    pub addresses: Vec<String>,
    /// Packets to it and from it.
    pub packets: u64,
}

impl Summary {
    /// Adds what another replay came to.
    pub fn add(&mut self, other: Self) {
        let sum = |into: &mut u64, more: u64| *into = into.saturating_add(more);
        let maps = [
            (&mut self.verdicts, other.verdicts),
            (&mut self.reasons, other.reasons),
            (&mut self.flows, other.flows),
        ];
        for (into, more) in maps {
            for (name, count) in more {
                sum(into.entry(name).or_default(), count);
            }
        }
        for (name, more) in other.protocols {
            let fate = self.protocols.entry(name).or_default();
            sum(&mut fate.packets, more.packets);
            sum(&mut fate.steered, more.steered);
            sum(&mut fate.passed, more.passed);
            sum(&mut fate.dropped, more.dropped);
        }
        sum(&mut self.captures, other.captures);
        sum(&mut self.packets, other.packets);
        sum(&mut self.restored, other.restored);
        sum(&mut self.left_out, other.left_out);
        sum(&mut self.events, other.events);
        sum(&mut self.padded, other.padded);
        sum(&mut self.shortened, other.shortened);
        sum(&mut self.skipped, other.skipped);
        self.services.extend(other.services);
        self.warnings.extend(other.warnings);
    }
}

/// Counts packets; cheap for each of them.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) packets: u64,
    pub(super) events: u64,
    pub(super) padded: u64,
    pub(super) shortened: u64,
    pub(super) skipped: u64,
    reasons: BTreeMap<Reason, u64>,
    verdicts: [u64; 4],
    protocols: [Fate; PROTOCOLS.len()],
    services: Vec<u64>,
    endpoints: Vec<Vec<u64>>,
}

const PROTOCOLS: [&str; 5] = ["gtpu", "udp", "tcp", "sctp", "other"];
const VERDICTS: [Verdict; 4] = [Verdict::Pass, Verdict::Drop, Verdict::Transmit, Verdict::Redirect];

impl Counts {
    pub(super) fn new(specs: &[ServiceSpec]) -> Self {
        Self {
            services: vec![0; specs.len()],
            endpoints: specs.iter().map(|spec| vec![0; spec.endpoints.len()]).collect(),
            ..Self::default()
        }
    }

    pub(super) fn count(
        &mut self,
        verdict: Verdict,
        reason: Reason,
        headers: Option<&Headers>,
        service: Option<usize>,
        endpoint: Option<usize>,
    ) {
        *self.reasons.entry(reason).or_default() += 1;
        if let Some(count) = self.verdicts.get_mut(verdict as usize) {
            *count += 1;
        }
        if let Some(fate) = self.protocols.get_mut(class(headers)) {
            fate.packets += 1;
            match verdict {
                Verdict::Pass => fate.passed += 1,
                Verdict::Drop => fate.dropped += 1,
                Verdict::Transmit | Verdict::Redirect => fate.steered += 1,
            }
        }
        if let Some(service) = service {
            if let Some(count) = self.services.get_mut(service) {
                *count += 1;
            }
            let counts = self.endpoints.get_mut(service);
            if let Some(count) = endpoint.and_then(|endpoint| counts?.get_mut(endpoint)) {
                *count += 1;
            }
        }
    }

    pub(super) fn summary(&self, book: &Book, flows: impl Iterator<Item = FlowKind>) -> Summary {
        let reasons = self.reasons.iter().map(|(reason, count)| (reason.name(), *count));
        let verdicts = VERDICTS.iter().map(|verdict| {
            let count = self.verdicts.get(*verdict as usize).copied().unwrap_or_default();
            (verdict.name(), count)
        });
        let protocols = PROTOCOLS.into_iter().zip(self.protocols);
        let mut kinds = BTreeMap::new();
        for kind in flows {
            *kinds.entry(kind_name(kind)).or_default() += 1;
        }
        let counts = self.services.iter().zip(&self.endpoints);
        Summary {
            captures: 1,
            packets: self.packets,
            verdicts: verdicts.collect(),
            reasons: reasons.collect(),
            protocols: protocols.filter(|(_, fate)| fate.packets > 0).collect(),
            flows: kinds,
            events: self.events,
            padded: self.padded,
            shortened: self.shortened,
            skipped: self.skipped,
            services: book.services.iter().zip(counts).map(service).collect(),
            ..Summary::default()
        }
    }
}

fn class(headers: Option<&Headers>) -> usize {
    match headers {
        None => 4,
        Some(headers) => match headers.protocol {
            protocol::UDP if [headers.source_port, headers.destination_port].contains(&gtpu::PORT) => 0,
            protocol::UDP => 1,
            protocol::TCP => 2,
            _ => 3,
        },
    }
}

fn kind_name(kind: FlowKind) -> &'static str {
    match kind {
        FlowKind::Tuple => "tuple",
        FlowKind::Association => "association",
        FlowKind::Peer => "peer",
        FlowKind::Tunnel => "tunnel",
    }
}

fn service((service, (packets, endpoints)): (&Service, (&u64, &Vec<u64>))) -> ServiceSummary {
    let text = |addresses: &[pinion_steering::Address]| {
        let addresses = addresses.iter().map(|address| std::net::IpAddr::from(*address).to_string());
        addresses.collect()
    };
    let endpoints = service.endpoints.iter().zip(endpoints).map(|(endpoint, packets)| EndpointSummary {
        name: endpoint.name.clone(),
        addresses: text(&endpoint.addresses),
        packets: *packets,
    });
    ServiceSummary {
        file: None,
        name: service.name.clone(),
        protocol: match (service.kind, service.protocol) {
            (Kind::Gtpu, _) => "gtpu",
            (_, protocol::TCP) => "tcp",
            (_, protocol::SCTP) => "sctp",
            _ => "udp",
        },
        port: service.port,
        addresses: text(&service.addresses),
        packets: *packets,
        endpoints: endpoints.collect(),
    }
}
