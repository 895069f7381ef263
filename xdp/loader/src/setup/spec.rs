use std::collections::HashMap;
use std::net::IpAddr;

use pinion_steering::{Exhausted, Kind, MAX_PATHS, MOST, Placement, Unknown};

/// A service as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSpec {
    /// Its name.
    pub name: String,
    /// How its packets are pinned.
    pub kind: Kind,
    /// IP protocol: UDP, TCP or SCTP.
    pub protocol: u8,
    /// Its port.
    pub port: u16,
    /// Its address on each path, one to four.
    pub addresses: Vec<IpAddr>,
    /// What happens to packets that belong to no session.
    pub unknown: Unknown,
    /// How the endpoint of a new session is chosen.
    pub placement: Placement,
    /// What becomes of a new session where no endpoint takes one. To let all take some again ("fail open"), hand
    /// them in as up.
    pub exhausted: Exhausted,
    /// Whether user space gets copies of what carries NGAP ([`crate::Maps::copies`]); of SCTP alone.
    pub aware: bool,
    /// Its endpoints.
    pub endpoints: Vec<EndpointSpec>,
    /// Where users' packets may leave their tunnels: endpoints of other pools, by `POOL/NAME`, of one address each, which is
    /// their next hop.
    pub exits: Vec<EndpointSpec>,
}

/// An endpoint as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSpec {
    /// Its name.
    pub name: String,
    /// Its address on each path, as many as the service has.
    pub addresses: Vec<IpAddr>,
    /// Its port.
    pub port: u16,
    /// Its share relative to the others. With 0 it drains: it keeps its sessions, and gets no new ones.
    pub weight: u32,
    /// Whether it is up. One that is down gets no new sessions; those that it has keep going there, but for SCTP's
    /// INIT, which is placed anew.
    pub up: bool,
}

/// Why services cannot be laid out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// No address, or more than four.
    #[error("service {service}: has {found} addresses; give one for each path, at the most {MAX_PATHS}")]
    Paths {
        /// The service.
        service: String,
        /// How many addresses it has.
        found: usize,
    },
    /// An endpoint has not one address for each path of its service.
    #[error(
        "service {service}: endpoint {endpoint} has {found} addresses and the service has {needed} paths; give one for each path"
    )]
    EndpointPaths {
        /// The service.
        service: String,
        /// The endpoint.
        endpoint: String,
        /// How many addresses it has.
        found: usize,
        /// How many paths the service has.
        needed: usize,
    },
    /// An endpoint's address on a path is of the other family than the service's.
    #[error(
        "service {service}: endpoint {endpoint} has {address} on path {path}, where the service has an address of the other family"
    )]
    Family {
        /// The service.
        service: String,
        /// The endpoint.
        endpoint: String,
        /// The path, from 0.
        path: usize,
        /// The endpoint's address.
        address: IpAddr,
    },
    /// Where users' packets leave their tunnels has not one address.
    #[error("service {service}: {endpoint}, where packets leave their tunnels, has {found} addresses; give one")]
    Exit {
        /// The service.
        service: String,
        /// The endpoint, as `POOL/NAME`.
        endpoint: String,
        /// How many addresses it has.
        found: usize,
    },
    /// Two services have one address, protocol and port.
    #[error("service {service}: {address} port {port} is already the address of service {other}")]
    Duplicate {
        /// The service.
        service: String,
        /// The service that has it.
        other: String,
        /// The address.
        address: IpAddr,
        /// The port.
        port: u16,
    },
    /// More than fit in a table.
    #[error("{what}: {needed} are needed and the bound is {bound}: raise the bound, or configure less")]
    Bound {
        /// What there are too many of.
        what: &'static str,
        /// How many are needed.
        needed: usize,
        /// How many fit.
        bound: usize,
    },
}

/// Whether services contradict each other; [`Setup::apply`] asks it too.
///
/// # Errors
/// The first [`SetupError`] that it finds.
pub fn check(services: &[ServiceSpec]) -> Result<(), SetupError> {
    let mut taken: HashMap<(IpAddr, u8, u16), &str> = HashMap::new();
    for spec in services {
        let service = || spec.name.clone();
        let paths = spec.addresses.len();
        if paths == 0 || paths > MAX_PATHS {
            return Err(SetupError::Paths { service: service(), found: paths });
        }
        for address in &spec.addresses {
            if let Some(other) = taken.insert((*address, spec.protocol, spec.port), &spec.name) {
                let (address, port) = (*address, spec.port);
                return Err(SetupError::Duplicate { service: service(), other: other.to_owned(), address, port });
            }
        }
        if spec.endpoints.len() > MOST as usize {
            let what = "endpoints of a service";
            return Err(SetupError::Bound { what, needed: spec.endpoints.len(), bound: MOST as usize });
        }
        if let Some(exit) = spec.exits.iter().find(|exit| exit.addresses.len() != 1) {
            let (endpoint, found) = (exit.name.clone(), exit.addresses.len());
            return Err(SetupError::Exit { service: service(), endpoint, found });
        }
        for endpoint in &spec.endpoints {
            if endpoint.addresses.len() != paths {
                return Err(SetupError::EndpointPaths {
                    service: service(),
                    endpoint: endpoint.name.clone(),
                    found: endpoint.addresses.len(),
                    needed: paths,
                });
            }
            for (path, (own, theirs)) in spec.addresses.iter().zip(&endpoint.addresses).enumerate() {
                if own.is_ipv4() != theirs.is_ipv4() {
                    return Err(SetupError::Family {
                        service: service(),
                        endpoint: endpoint.name.clone(),
                        path,
                        address: *theirs,
                    });
                }
            }
        }
    }
    Ok(())
}
