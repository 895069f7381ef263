//! The SCP: requests of the service-based interface, each to the producer that it is for (TS 29.500 6.10).

use std::net::SocketAddr;
use std::path::PathBuf;

use pinion_scp::authorization::Policy;
use pinion_scp::settings::{Matching, Redirects, Settings, When};

/// An SCP.
#[derive(Clone, Debug, PartialEq)]
pub struct Sbi {
    /// What it goes by; its NF instance, where none is given, is not known yet.
    pub settings: Settings,
    /// Where clients connect; at least one, no two at the same address and port.
    pub listeners: Vec<SbiListener>,
    /// Its certificates, and whose it takes.
    pub tls: Option<SbiTls>,
    /// DNS servers; those of the host where none is named.
    pub dns_servers: Vec<SocketAddr>,
    /// Where each request is written down.
    pub access_log: Option<PathBuf>,
}

/// Where clients connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SbiListener {
    /// There.
    pub socket: SocketAddr,
    /// Whether TLS is spoken; never without [`SbiTls::pair`].
    pub tls: bool,
}

/// TLS to clients and to producers; all files are PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SbiTls {
    /// Its certificate chain and its private key.
    pub pair: Option<(PathBuf, PathBuf)>,
    /// The authorities of producers and NRFs; `None`: none with https is met.
    pub authorities: Option<PathBuf>,
    /// The authorities whose certificates clients must show; `None`: they show none.
    pub clients: Option<PathBuf>,
}

/// What becomes of 307 and 308 of producers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SbiRedirects {
    /// The client gets them.
    #[default]
    Relay,
    /// The target that they name is asked instead.
    Follow,
}

impl From<SbiRedirects> for Redirects {
    fn from(redirects: SbiRedirects) -> Self {
        match redirects {
            SbiRedirects::Relay => Self::Relay,
            SbiRedirects::Follow => Self::Follow,
        }
    }
}

/// When clients are told to go to another SCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SbiWhen {
    /// Always.
    #[default]
    Always,
    /// While this one is hot.
    Hot,
    /// While it ends.
    Draining,
}

impl From<SbiWhen> for When {
    fn from(when: SbiWhen) -> Self {
        match when {
            SbiWhen::Always => Self::Always,
            SbiWhen::Hot => Self::Hot,
            SbiWhen::Draining => Self::Draining,
        }
    }
}

/// When a request gets an access token that came without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SbiTokens {
    /// Never.
    Never,
    /// Where the client asks for one, or its producer does.
    #[default]
    Needed,
    /// Always, but for callbacks.
    Always,
}

impl From<SbiTokens> for Policy {
    fn from(tokens: SbiTokens) -> Self {
        match tokens {
            SbiTokens::Never => Self::Never,
            SbiTokens::Needed => Self::Needed,
            SbiTokens::Always => Self::Always,
        }
    }
}

/// When a certificate must name an NF instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SbiMatching {
    /// Never.
    #[default]
    Off,
    /// Where there is a certificate, and it is told which NF instance it should be.
    Told,
    /// Always.
    Required,
}

impl From<SbiMatching> for Matching {
    fn from(matching: SbiMatching) -> Self {
        match matching {
            SbiMatching::Off => Self::Off,
            SbiMatching::Told => Self::Told,
            SbiMatching::Required => Self::Required,
        }
    }
}
