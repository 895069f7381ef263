//! Whose SCTP a front end speaks over.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use pinion_transport::{Kind, Transport};

pub use super::links::Quiet;
use super::links::{self, Wanted};
use crate::config::model::{self, Config, Service};

/// Whose SCTP a front end speaks over, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    kind: Kind,
    /// The service's addresses, one a path, and their interfaces, where these are named.
    own: Vec<IpAddr>,
    homes: Vec<String>,
    /// Interfaces that packets come by too.
    interfaces: Vec<String>,
}

impl Carrier {
    /// That of a service; none where it has no such front end.
    #[must_use]
    pub fn of(config: &Config, service: &Service) -> Option<Self> {
        let ngap = service.ngap.as_ref()?;
        let kind = match ngap.transport {
            model::Transport::Auto => Kind::Auto,
            model::Transport::Kernel => Kind::Kernel,
            model::Transport::Userspace => Kind::Userspace,
        };
        let interfaces = config.interfaces.iter().map(|interface| interface.name.clone());
        Some(Self {
            kind,
            own: service.addresses.clone(),
            homes: ngap.interfaces.clone(),
            interfaces: interfaces.collect(),
        })
    }

    /// Whether one that speaks over the one speaks over the other; what else packets come by is looked at only once.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (self.kind, &self.own, &self.homes) == (other.kind, &other.own, &other.homes)
    }

    /// The SCTP, and what keeps the kernel out of it where it is Pinion's own. `peers`: whom there must be a way to, as far
    /// as they are known.
    ///
    /// # Errors
    /// `Unsupported` where the kernel has no SCTP and it must be the kernel's; `NotFound` where an address has no interface;
    /// the system's.
    pub async fn open(&self, peers: Vec<IpAddr>) -> io::Result<(Box<dyn Transport>, Option<Quiet>)> {
        let config = timers();
        if self.kind == Kind::Kernel || (self.kind == Kind::Auto && pinion_transport::kernel::is_available()) {
            return Ok((pinion_transport::auto(Kind::Kernel, config, || Ok(Vec::new()))?, None));
        }
        let Self { own, homes, interfaces, .. } = self;
        let (links, quiet) = links::open(Wanted { own, homes, interfaces, peers }).await?;
        Ok((pinion_transport::auto(Kind::Userspace, config, || Ok(links))?, Some(quiet)))
    }
}

/// Those of RFC 9260 16 notice after minutes that an AMF is gone, and its UEs wait all the while; these within half a minute.
pub(crate) fn timers() -> pinion_transport::Config {
    pinion_transport::Config {
        rto_min: Duration::from_millis(500),
        rto_max: Duration::from_secs(3),
        path_max_retransmissions: 4,
        association_max_retransmissions: 8,
        heartbeat_interval: Some(Duration::from_secs(5)),
        ..pinion_transport::Config::default()
    }
}
