//! What there is to see of GTPv2-C: sessions that the daemon itself speaks for (TS 29.274).

use std::net::IpAddr;

use pinion_gtpc::{Counts, SessionView};

/// Which GTPv2-C sessions are asked for; a part that is `None` lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GtpcFilter {
    /// Of this service.
    pub service: Option<String>,
    /// On this SGW or PGW: `NAME` or `POOL/NAME`.
    pub endpoint: Option<String>,
    /// Of the client with this address.
    pub client: Option<IpAddr>,
    /// Of the user with this IMSI or MEI.
    pub subscriber: Option<String>,
}

/// A page of GTPv2-C sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GtpcPage {
    /// The sessions.
    pub sessions: Vec<GtpcSessionView>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

/// A GTPv2-C session and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GtpcSessionView {
    /// The service.
    pub service: String,
    /// The session.
    pub session: SessionView,
}

impl GtpcSessionView {
    pub(crate) fn of((service, session): (String, SessionView)) -> Self {
        Self { service, session }
    }
}

/// A GTPv2-C front end and how it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GtpcFrontEnd {
    /// The service.
    pub service: String,
    /// How many sessions it has.
    pub sessions: u64,
    /// What it did so far.
    pub counts: Counts,
    /// Its SGWs or PGWs.
    pub endpoints: Vec<GtpcEndpoint>,
}

/// An SGW or PGW, as a front end sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GtpcEndpoint {
    /// Its pool.
    pub pool: String,
    /// Its name.
    pub name: String,
    /// Whether it answers; `None`: not known yet.
    pub up: Option<bool>,
    /// How many sessions it has.
    pub sessions: u64,
}
