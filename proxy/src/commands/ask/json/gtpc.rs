use std::net::IpAddr;

use pinion_gtpc::{Counts, Interface};
use serde::Serialize;

use crate::control::{GtpcEndpoint, GtpcFrontEnd, GtpcSessionView};

/// A GTPv2-C session.
#[derive(Debug, Serialize)]
pub(crate) struct GtpcSession<'a> {
    service: &'a str,
    key: String,
    number: u64,
    interface: &'static str,
    subscriber: Option<&'a str>,
    client_address: IpAddr,
    client_teid: u32,
    teid_for_client: u32,
    endpoint: &'a str,
    endpoint_address: Option<IpAddr>,
    endpoint_teid: Option<u32>,
    teid_for_endpoint: u32,
    bearers: &'a [u8],
}

impl<'a> From<&'a GtpcSessionView> for GtpcSession<'a> {
    fn from(GtpcSessionView { service, session }: &'a GtpcSessionView) -> Self {
        Self {
            service,
            key: format!("teid:{}", session.client_teid),
            number: session.number,
            interface: match session.interface {
                Interface::S11 => "s11",
                Interface::S5 => "s5",
            },
            subscriber: session.subscriber.as_deref(),
            client_address: session.client.0,
            client_teid: session.client.1,
            teid_for_client: session.client_teid,
            endpoint: &session.endpoint,
            endpoint_address: session.end.map(|(address, _)| address),
            endpoint_teid: session.end.map(|(_, teid)| teid),
            teid_for_endpoint: session.endpoint_teid,
            bearers: &session.bearers,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct FrontEnd<'a> {
    service: &'a str,
    sessions: u64,
    created: u64,
    deleted: u64,
    moved: u64,
    forsaken: u64,
    lost: u64,
    requests: u64,
    retransmitted: u64,
    refusals: u64,
    not_found: u64,
    answers: u64,
    repeated: u64,
    unanswered: u64,
    sent: u64,
    malformed: u64,
    unknown: u64,
    unexpected: u64,
    unasked: u64,
    endpoint_losses: u64,
    endpoints: Vec<Endpoint<'a>>,
}

#[derive(Debug, Serialize)]
struct Endpoint<'a> {
    pool: &'a str,
    name: &'a str,
    up: Option<bool>,
    sessions: u64,
}

impl<'a> From<&'a GtpcFrontEnd> for FrontEnd<'a> {
    fn from(view: &'a GtpcFrontEnd) -> Self {
        let Counts { requests, answers, sent, malformed, unknown, unexpected, unasked, retransmitted, .. } =
            view.counts;
        let Counts { repeated, unanswered, refusals, not_found, created, deleted, .. } = view.counts;
        let Counts { moved, forsaken, lost, endpoint_losses, .. } = view.counts;
        Self {
            service: &view.service,
            sessions: view.sessions,
            created,
            deleted,
            moved,
            forsaken,
            lost,
            requests,
            retransmitted,
            refusals,
            not_found,
            answers,
            repeated,
            unanswered,
            sent,
            malformed,
            unknown,
            unexpected,
            unasked,
            endpoint_losses,
            endpoints: view.endpoints.iter().map(Endpoint::from).collect(),
        }
    }
}

impl<'a> From<&'a GtpcEndpoint> for Endpoint<'a> {
    fn from(view: &'a GtpcEndpoint) -> Self {
        Self { pool: &view.pool, name: &view.name, up: view.up, sessions: view.sessions }
    }
}
