//! How it goes, for those who ask.

use std::net::IpAddr;
use std::sync::Arc;

use crate::counts::Counts;
use crate::front::FrontEnd;
use crate::interface::Interface;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Its number here, which counts them.
    pub number: u64,
    /// What it is one of.
    pub interface: Interface,
    /// IMSI or MEI, as digits; none where the client gave none.
    pub subscriber: Option<String>,
    /// The client's address and TEID.
    pub client: (IpAddr, u32),
    /// The TEID of ours that the client knows.
    pub client_teid: u32,
    /// The endpoint's name, `POOL/NAME`.
    pub endpoint: Arc<str>,
    /// Its address and TEID; none until it has accepted.
    pub end: Option<(IpAddr, u32)>,
    /// The TEID of ours that the endpoint knows.
    pub endpoint_teid: u32,
    /// The default bearers of its PDN connections.
    pub bearers: Vec<u8>,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointView {
    /// Its name, `POOL/NAME`.
    pub name: Arc<str>,
    /// Whether it answers; none as long as that is not known.
    pub up: Option<bool>,
    /// How many sessions it has.
    pub sessions: u32,
}

/// What is under way, or only remembered for a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Requests of its own that were not answered yet.
    pub asked: usize,
    /// Requests of peers that are remembered with their answers.
    pub remembered: usize,
    /// Ends of sessions that peers were not told of yet.
    pub chores: usize,
    /// Clients that are remembered.
    pub clients: usize,
}

impl FrontEnd {
    /// What is under way.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        Backlog {
            asked: self.outbound.len(),
            remembered: self.inbound.len(),
            chores: self.farewells.len(),
            clients: self.clients.len(),
        }
    }

    /// What it did so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Its restart counter.
    #[must_use]
    pub fn recovery(&self) -> u8 {
        self.recovery
    }

    /// The endpoints that are configured.
    pub fn endpoints(&self) -> impl Iterator<Item = EndpointView> {
        self.endpoints.iter().filter(|peer| !peer.gone).map(|peer| EndpointView {
            name: Arc::clone(&peer.config.name),
            up: peer.up,
            sessions: peer.sessions,
        })
    }

    /// How many sessions there are.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// The sessions behind a number, in their order.
    pub fn sessions(&self, after: Option<u64>) -> impl Iterator<Item = SessionView> {
        self.sessions.iter_after(after).map(|(number, session)| SessionView {
            number,
            interface: session.reference.interface(),
            subscriber: session.subscriber.as_deref().map(digits),
            client: (session.client.address, session.client.teid),
            client_teid: session.to_client,
            endpoint: self
                .endpoint(session.endpoint)
                .map_or_else(|| Arc::from(""), |peer| Arc::clone(&peer.config.name)),
            end: session.end.map(|end| (end.address, end.teid)),
            endpoint_teid: session.to_endpoint,
            bearers: session.connections.iter().copied().collect(),
        })
    }
}

/// What a subscriber is called: the digits behind what they are of, the lower half of each octet first.
fn digits(subscriber: &[u8]) -> String {
    let halves = subscriber.iter().skip(1).flat_map(|octet| [octet & 0x0f, octet >> 4]);
    halves.filter_map(|half| char::from_digit(u32::from(half), 10)).collect()
}
