//! The session that a packet was steered by, as its client sees it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use pinion_loader::{LoadError, Maps};
use pinion_steering::{Flow, FlowKey, Kind, Reason, protocol};

use super::book::Book;
use super::headers::{Headers, at};

/// A pin, the same for both directions of its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// A UDP or TCP flow.
    Flow {
        /// `udp` or `tcp`.
        protocol: &'static str,
        /// The client.
        client: SocketAddr,
        /// The service, on the path that the client uses.
        service: SocketAddr,
    },
    /// A GTP-U tunnel.
    Tunnel {
        /// Its TEID, as the client sends it.
        teid: u32,
    },
    /// An SCTP association.
    Association {
        /// The client's port.
        port: u16,
        /// The tag of packets to the client; 0 where it is not known.
        client_tag: u32,
        /// The tag of packets to the service; 0 where it is not known yet.
        server_tag: u32,
    },
}

/// As it stands in `pinion replay`'s output.
impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flow { protocol, client, service } => write!(f, "{protocol} {client} > {service}"),
            Self::Tunnel { teid } => write!(f, "teid {teid:#010x}"),
            Self::Association { port, client_tag, server_tag } => {
                write!(f, "sctp port {port}")?;
                for (name, tag) in [("client", client_tag), ("server", server_tag)] {
                    if *tag != 0 {
                        write!(f, ", {name} tag {tag:#010x}")?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// A packet that was steered: how it came in, and how it left.
pub(super) struct Steered<'a> {
    pub(super) reason: Reason,
    pub(super) service: usize,
    pub(super) endpoint: Option<usize>,
    pub(super) came: &'a Headers,
    pub(super) left: &'a Headers,
    pub(super) frame: &'a [u8],
}

/// The pin that a packet was steered by; `None` where it needed none.
pub(super) fn pin(steered: &Steered<'_>, book: &Book, maps: &dyn Maps) -> Result<Option<Pin>, LoadError> {
    let replied = steered.reason == Reason::Replied;
    if !replied && !matches!(steered.reason, Reason::Pinned | Reason::Placed) {
        return Ok(None);
    }
    let Some(service) = book.service(steered.service) else {
        return Ok(None);
    };
    let came = steered.came;
    Ok(match service.kind {
        Kind::Flow => Some(flow(if replied { steered.left } else { came }, replied)),
        Kind::Gtpu => tunnel(came, steered.frame).filter(|_| !replied),
        Kind::Sctp => {
            let endpoint = steered.endpoint.and_then(|at| service.endpoints.get(at));
            let tags = |key: FlowKey| maps.read_flow(&key).map(|flow| flow.map_or(0, |flow: Flow| flow.tag));
            // An INIT asks for its tag, and carries none.
            let (port, client_tag, server_tag) = match (replied, endpoint) {
                (false, _) if came.tag == 0 => (came.source_port, initiate(came, steered.frame), 0),
                (false, _) => {
                    let port = came.source_port;
                    let client = tags(FlowKey::association(came.tag, service.port, port))?;
                    (port, client, came.tag)
                }
                (true, Some(endpoint)) => {
                    let port = came.destination_port;
                    let key = FlowKey::association(came.tag, port, endpoint.port);
                    (port, came.tag, tags(key)?)
                }
                (true, None) => return Ok(None),
            };
            Some(Pin::Association { port, client_tag, server_tag })
        }
    })
}

fn flow(headers: &Headers, replied: bool) -> Pin {
    let source = SocketAddr::new(IpAddr::from(headers.source), headers.source_port);
    let destination = SocketAddr::new(IpAddr::from(headers.destination), headers.destination_port);
    let (client, service) = if replied { (destination, source) } else { (source, destination) };
    let protocol = if headers.protocol == protocol::TCP { "tcp" } else { "udp" };
    Pin::Flow { protocol, client, service }
}

fn tunnel(headers: &Headers, frame: &[u8]) -> Option<Pin> {
    let teid = at(headers.payload(frame, 8), 4).map(u32::from_be_bytes)?;
    Some(Pin::Tunnel { teid })
}

fn initiate(headers: &Headers, frame: &[u8]) -> u32 {
    at(headers.payload(frame, 12), 4).map_or(0, u32::from_be_bytes)
}
