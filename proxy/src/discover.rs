//! Endpoints by DNS: whoever a name stands for.
//!
//! A name is asked for NAPTR records of AMFs on N2 first, as access networks find the AMFs of a set (TS 29.303 7.2,
//! TS 23.003 28.3.2.7): `set001.region48.amfset.5gc.mnc001.mcc001.3gppnetwork.org`. Each record names an AMF, or a name with
//! SRV records. Where there is none, a name that begins with `_` is asked for SRV records, and each of their targets is an
//! endpoint, with all of its addresses; any other name is asked for addresses, and each of these is an endpoint.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::rdata::NAPTR;
use hickory_resolver::proto::rr::{RData, Record, RecordType};

/// The most endpoints that a name stands for, and addresses that one of them has; further ones are left out.
const ENDPOINTS: usize = 256;
const ADDRESSES: usize = 4;

/// How long an answer is taken to be right, whatever it says itself.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(3_600);

/// The service parameter of an AMF on N2 (TS 29.303 annex B).
const SERVICE: &str = "x-3gpp-amf";
const PROTOCOL: &str = "x-n2";

/// Whom a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Endpoints, by name, with their addresses: the name of a host, or the address.
    pub endpoints: BTreeMap<String, Vec<IpAddr>>,
    /// How long that is so, one second to one hour.
    pub valid: Duration,
}

/// Why nobody is found.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// There is no configuration of DNS on this host, or it is none.
    #[error("this host's DNS servers are not known: {0}; name them in `servers`")]
    System(NetError),
    /// No server says what was asked.
    #[error("{name}: {source}")]
    Asked {
        /// What was asked.
        name: String,
        /// What came of it.
        source: NetError,
    },
    /// The name is there, and has no addresses.
    #[error("{name} stands for nobody")]
    Nobody {
        /// Which.
        name: String,
    },
}

impl DiscoverError {
    /// Whether it is known that the name stands for nobody.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        match self {
            Self::System(_) => false,
            Self::Asked { source, .. } => source.is_no_records_found(),
            Self::Nobody { .. } => true,
        }
    }
}

/// Asks DNS servers.
#[derive(Debug)]
pub struct Discoverer {
    resolver: TokioResolver,
}

impl Discoverer {
    /// One that asks these servers, or where none is named those of `/etc/resolv.conf`. To be used within a tokio runtime.
    ///
    /// # Errors
    /// [`DiscoverError::System`].
    pub fn new(servers: &[SocketAddr]) -> Result<Self, DiscoverError> {
        let mut builder = if servers.is_empty() {
            TokioResolver::builder_tokio().map_err(DiscoverError::System)?
        } else {
            let config = ResolverConfig::from_parts(None, Vec::new(), servers.iter().map(server).collect());
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let options = builder.options_mut();
        // What is remembered, and how long, is the caller's business.
        options.cache_size = 0;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        Ok(Self { resolver: builder.build().map_err(DiscoverError::System)? })
    }

    /// Whom a name stands for.
    ///
    /// # Errors
    /// [`DiscoverError::Asked`], [`DiscoverError::Nobody`].
    pub async fn look(&self, name: &str) -> Result<Found, DiscoverError> {
        let mut gathered = Gathered::default();
        let pointers = gathered.records(self.records(name, RecordType::NAPTR).await?);
        let pointers: Vec<NAPTR> = pointers.into_iter().filter_map(pointer).filter(is_amf).collect();
        if pointers.is_empty() && !name.starts_with('_') {
            for address in gathered.addresses(&self.addresses(name).await?) {
                gathered.endpoints.insert(address.to_string(), vec![address]);
            }
        } else {
            let mut hosts = Vec::new();
            let mut services = vec![name.to_owned()];
            if !pointers.is_empty() {
                let to =
                    |flag: &'static [u8]| pointers.iter().filter(move |it| it.flags.eq_ignore_ascii_case(flag));
                hosts = to(b"a").map(|it| it.replacement.to_ascii()).collect();
                services = to(b"s").map(|it| it.replacement.to_ascii()).collect();
            }
            for service in services {
                let targets = gathered.records(self.records(&service, RecordType::SRV).await?);
                hosts.extend(targets.into_iter().filter_map(target));
            }
            for host in hosts.into_iter().take(ENDPOINTS) {
                let mut addresses = gathered.addresses(&self.addresses(&host).await?);
                addresses.truncate(ADDRESSES);
                gathered.endpoints.insert(host.trim_end_matches('.').to_ascii_lowercase(), addresses);
            }
        }
        gathered.found(name)
    }

    /// The addresses of a host, and how long that is so, one second to one hour.
    ///
    /// # Errors
    /// [`DiscoverError::Asked`], [`DiscoverError::Nobody`].
    pub async fn addresses_of(&self, host: &str) -> Result<(Vec<IpAddr>, Duration), DiscoverError> {
        let mut gathered = Gathered::default();
        let addresses = gathered.addresses(&self.addresses(host).await?);
        if addresses.is_empty() {
            return Err(DiscoverError::Nobody { name: host.to_owned() });
        }
        Ok((addresses, gathered.valid()))
    }

    /// The records of a name; none is no mistake.
    async fn records(&self, name: &str, kind: RecordType) -> Result<Vec<Record>, DiscoverError> {
        match self.resolver.lookup(name, kind).await {
            Ok(lookup) => Ok(lookup.answers().to_vec()),
            Err(error) if error.is_no_records_found() => Ok(Vec::new()),
            Err(source) => Err(DiscoverError::Asked { name: name.to_owned(), source }),
        }
    }

    async fn addresses(&self, name: &str) -> Result<Vec<Record>, DiscoverError> {
        match self.resolver.lookup_ip(name).await {
            Ok(lookup) => Ok(lookup.as_lookup().answers().to_vec()),
            Err(source) => Err(DiscoverError::Asked { name: name.to_owned(), source }),
        }
    }
}

fn server(address: &SocketAddr) -> NameServerConfig {
    let at = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    let connections = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
    NameServerConfig::new(address.ip(), true, connections)
}

/// What was found so far, and for how long the shortest of the answers holds.
#[derive(Debug, Default)]
struct Gathered {
    endpoints: BTreeMap<String, Vec<IpAddr>>,
    valid: Option<Duration>,
}

impl Gathered {
    fn records(&mut self, records: Vec<Record>) -> Vec<RData> {
        for record in &records {
            let valid = Duration::from_secs(record.ttl.into());
            self.valid = Some(self.valid.map_or(valid, |before| before.min(valid)));
        }
        records.into_iter().map(|record| record.data).collect()
    }

    fn addresses(&mut self, records: &[Record]) -> Vec<IpAddr> {
        let data = self.records(records.to_vec());
        let mut addresses: Vec<IpAddr> = data.iter().filter_map(RData::ip_addr).collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses.truncate(ENDPOINTS);
        addresses
    }

    fn found(mut self, name: &str) -> Result<Found, DiscoverError> {
        self.endpoints.retain(|_, addresses| !addresses.is_empty());
        if self.endpoints.is_empty() {
            return Err(DiscoverError::Nobody { name: name.to_owned() });
        }
        let valid = self.valid();
        Ok(Found { endpoints: self.endpoints, valid })
    }

    fn valid(&self) -> Duration {
        self.valid.unwrap_or(SHORTEST).clamp(SHORTEST, LONGEST)
    }
}

fn pointer(data: RData) -> Option<NAPTR> {
    if let RData::NAPTR(pointer) = data { Some(pointer) } else { None }
}

fn target(data: RData) -> Option<String> {
    if let RData::SRV(service) = data { Some(service.target.to_ascii()) } else { None }
}

fn is_amf(pointer: &NAPTR) -> bool {
    let services = String::from_utf8_lossy(&pointer.services);
    let mut parts = services.split(':');
    let is = |part: Option<&str>, word: &str| part.is_some_and(|part| part.eq_ignore_ascii_case(word));
    is(parts.next(), SERVICE) && parts.any(|part| part.eq_ignore_ascii_case(PROTOCOL))
}
