//! The service-based interface as it is written: an SCP (TS 29.500 6.10), named as TS 29.500 and TS 29.510 name things.

mod bounds;
mod nrf;
mod producer;

use crate::config::model::{SbiMatching, SbiRedirects, SbiWhen};
use crate::config::read::{Either, List, choice, record};
use crate::config::scalar::sbi::{ApiPrefix, Fqdn, Hops, Network, NfInstance, Root, ServiceName};
use crate::config::scalar::{Authority, Ip, Listen, Path, Port, Truth};

pub(in crate::config) use bounds::{Limits, Overload, Retries, SbiTimeouts, Statuses};
pub(in crate::config) use nrf::{Authorization, Discovery, Nrf, Registration};
pub(in crate::config) use producer::{DefaultSubscription, NfService, Producer};

record! {
    /// The SCP: requests of the service-based interface, each to the producer that it is for.
    Sbi = "sbi" {
        /// Its FQDN: errors of its own say `Server: SCP-` and this, what it relays `Via: SCP-` and this.
        required fqdn: Fqdn,
        /// Its NF instance (nfInstanceId). Left out: one is made at the first start, and kept.
        optional nf_instance_id: NfInstance,
        /// What clients put before the paths of APIs (scpPrefix). Left out: nothing.
        optional prefix: ApiPrefix,
        /// Where clients connect.
        required listeners: List<Listener>,
        /// Further authorities that clients know it by; a request for any other is routed to that. Left out: none beside its FQDN
        /// and its addresses, with the ports of its listeners.
        optional authorities: List<Authority>,
        /// Certificates, for listeners with tls and for producers and NRFs with https. They are read again when they change.
        optional tls: SbiTls,
        /// DNS servers, addresses with ports, for names that the hosts file does not have. Left out: those of /etc/resolv.conf.
        optional dns_servers: List<Listen>,
        /// The NRF, and how this SCP is known to it. Left out: who names no target is not served.
        optional nrf: Nrf,
        /// Producers beside those that the NRF knows. Left out: none.
        optional producers: List<Producer>,
        /// What is remembered of discovery.
        optional discovery: Discovery,
        /// When clients get access tokens.
        optional authorization: Authorization,
        /// The networks at home, MCC-MNC; the way to others is the SEPP. Left out: none is known.
        optional plmns: List<Network>,
        /// The SEPP. Left out: there is no way to other networks.
        optional sepp: Root,
        /// Which targets are reached through another SCP; the first that fits counts. Left out: none.
        optional next_hops: List<NextHop>,
        /// How many SCPs a request may pass after this one, where it does not say so itself. Left out: any number.
        optional forward_hops: Hops,
        /// What becomes of 307 and 308 of producers. Left out: relay.
        optional redirects: SbiRedirects,
        /// Which targets clients are told to reach through another SCP (307 or 308, SCP_REDIRECTION); the first that fits counts.
        /// Left out: none.
        optional redirections: List<Redirection>,
        /// Statuses that vendors differ in.
        optional statuses: Statuses,
        /// How long is waited.
        optional timeouts: SbiTimeouts,
        /// When another producer is tried.
        optional retries: Retries,
        /// What one client, one producer and all together may take.
        optional limits: Limits,
        /// What overload is, and whom it spares.
        optional overload: Overload,
        /// A file that each request is written down in, a JSON object a line; opened anew at each reload. Left out: none.
        optional access_log: Path,
    }
}

record! {
    /// Where clients connect.
    Listener = "a listener" {
        /// An address of this host.
        required address: Ip,
        /// The port. Left out: 80, with tls 443.
        optional port: Port,
        /// Whether TLS is spoken; otherwise cleartext, with HTTP/2 prior knowledge. Left out: false.
        optional tls: Truth,
    }
}

record! {
    /// TLS 1.3 or 1.2, to clients and to producers.
    SbiTls = "tls" {
        /// Its certificate chain, PEM: shown to clients of listeners with tls, and to producers that ask for one.
        optional certificate: Path,
        /// Its private key, PEM.
        optional key: Path,
        /// The authorities whose certificates producers and NRFs with https may show, PEM. Left out: none is met.
        optional authorities: Path,
        /// The authorities whose certificates clients of listeners with tls must show, PEM. Left out: they show none.
        optional clients: Path,
        /// When the certificate of a client must name the NF instance that its requests come from (`urn:uuid:` and the instance
        /// among its alternative names, TS 33.310). Left out: off.
        optional client_instances: SbiMatching,
        /// When the certificate of a producer must name the NF instance that was looked up. Left out: off.
        optional producer_instances: SbiMatching,
        /// DNS names in certificates of SCPs and SEPPs, who speak for other clients. Left out: none.
        optional relays: List<Fqdn>,
    }
}

record! {
    /// A way through another SCP.
    NextHop = "a next hop" {
        /// For which targets: all, or those of a domain or of services.
        required targets: Either<Everything, Targets>,
        /// The other SCP.
        required api_root: Root,
        /// Whether it discovers and selects, too. Left out: false.
        optional delegate: Truth,
    }
}

record! {
    /// Targets that clients are told to reach through another SCP.
    Redirection = "a redirection" {
        /// Which: all, or those of a domain, of services, or of networks.
        required targets: Either<Everything, Targets>,
        /// The other SCP.
        required api_root: Root,
        /// When clients are told. Left out: always.
        optional when: SbiWhen,
        /// Whether they are to remember it: 308 instead of 307. Left out: false.
        optional permanent: Truth,
    }
}

record! {
    /// Targets: by one of these.
    Targets = "targets" {
        /// Hosts that are this or end with it after a dot.
        optional domain: Fqdn,
        /// Services by name.
        optional services: List<ServiceName>,
        /// Networks, MCC-MNC.
        optional plmns: List<Network>,
    }
}

choice! {
    pub SbiWhen = "time of redirections", "always, hot or draining" {
        /// Always.
        "always" => SbiWhen::Always,
        /// While this SCP is hot, as `overload: {hot}` says.
        "hot" => SbiWhen::Hot,
        /// While the daemon ends, or a listener does.
        "draining" => SbiWhen::Draining,
    }
}

/// All targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Everything {
    All,
}

choice! {
    pub(in crate::config) Everything = "choice of targets", "all, or a mapping with `domain`, `services` or `plmns`" {
        /// All targets.
        "all" => Everything::All,
    }
}

choice! {
    pub SbiRedirects = "way of redirections", "relay or follow" {
        /// The client gets them.
        "relay" => SbiRedirects::Relay,
        /// The target that they name is asked instead.
        "follow" => SbiRedirects::Follow,
    }
}

choice! {
    pub SbiMatching = "choice of what certificates must name", "off, told or required" {
        /// That its authority knows it is enough.
        "off" => SbiMatching::Off,
        /// Where there is a certificate, and it is told which NF instance it should be, it must name that.
        "told" => SbiMatching::Told,
        /// There must be one, and it must name an NF instance: that which is told, where one is.
        "required" => SbiMatching::Required,
    }
}
