//! What there is to see of GTPv2-C, over the wire and back.

use std::net::IpAddr;

use pinion_gtpc::{Counts, Interface, SessionView};

use super::decode::{MeaningError, address, unknown};
use super::v1;
use crate::control::{GtpcEndpoint, GtpcFilter, GtpcFrontEnd, GtpcPage, GtpcSessionView, PageAsk};

pub(super) fn encode_filter(filter: &GtpcFilter, page: &PageAsk) -> v1::ListGtpcSessionsRequest {
    v1::ListGtpcSessionsRequest {
        service: filter.service.clone(),
        endpoint: filter.endpoint.clone(),
        client: filter.client.as_ref().map(IpAddr::to_string),
        subscriber: filter.subscriber.clone(),
        limit: page.limit,
        cursor: page.cursor.clone(),
    }
}

pub(super) fn encode_page(page: GtpcPage) -> v1::ListGtpcSessionsResponse {
    let sessions = page.sessions.into_iter().map(encode_session).collect();
    v1::ListGtpcSessionsResponse { sessions, next: page.next }
}

pub(super) fn decode_page(wire: v1::ListGtpcSessionsResponse) -> Result<GtpcPage, MeaningError> {
    let sessions = wire.sessions.into_iter().map(decode_session).collect::<Result<_, _>>()?;
    Ok(GtpcPage { sessions, next: wire.next })
}

pub(super) fn encode_session(view: GtpcSessionView) -> v1::GtpcSession {
    let GtpcSessionView { service, session } = view;
    let interface = match session.interface {
        Interface::S11 => v1::GtpcInterface::S11,
        Interface::S5 => v1::GtpcInterface::S5,
    };
    v1::GtpcSession {
        service,
        number: session.number,
        interface: interface.into(),
        subscriber: session.subscriber,
        client_address: session.client.0.to_string(),
        client_teid: session.client.1,
        teid_for_client: session.client_teid,
        endpoint: session.endpoint.to_string(),
        endpoint_address: session.end.map(|(address, _)| address.to_string()),
        endpoint_teid: session.end.map_or(0, |(_, teid)| teid),
        teid_for_endpoint: session.endpoint_teid,
        bearers: session.bearers.into_iter().map(u32::from).collect(),
    }
}

pub(super) fn decode_session(wire: v1::GtpcSession) -> Result<GtpcSessionView, MeaningError> {
    let interface = match wire.interface() {
        v1::GtpcInterface::S11 => Interface::S11,
        v1::GtpcInterface::S5 => Interface::S5,
        v1::GtpcInterface::Unspecified => return Err(unknown("interface", wire.interface)),
    };
    let end = wire.endpoint_address.map(|text| address("endpoint_address", &text)).transpose()?;
    let bearer = |bearer: u32| u8::try_from(bearer).map_err(|_| MeaningError::Missing { field: "bearers" });
    let session = SessionView {
        number: wire.number,
        interface,
        subscriber: wire.subscriber,
        client: (address("client_address", &wire.client_address)?, wire.client_teid),
        client_teid: wire.teid_for_client,
        endpoint: wire.endpoint.into(),
        end: end.map(|address| (address, wire.endpoint_teid)),
        endpoint_teid: wire.teid_for_endpoint,
        bearers: wire.bearers.into_iter().map(bearer).collect::<Result<_, _>>()?,
    };
    Ok(GtpcSessionView { service: wire.service, session })
}

pub(super) fn encode_front_end(view: GtpcFrontEnd) -> v1::GtpcFrontEnd {
    let endpoint = |it: GtpcEndpoint| v1::GtpcEndpoint {
        endpoint: format!("{}/{}", it.pool, it.name),
        up: it.up,
        sessions: it.sessions,
    };
    v1::GtpcFrontEnd {
        service: view.service,
        sessions: view.sessions,
        counts: Some(encode_counts(view.counts)),
        endpoints: view.endpoints.into_iter().map(endpoint).collect(),
    }
}

pub(super) fn decode_front_end(wire: v1::GtpcFrontEnd) -> Result<GtpcFrontEnd, MeaningError> {
    let endpoint = |it: v1::GtpcEndpoint| {
        let (pool, name) = it
            .endpoint
            .split_once('/')
            .ok_or(MeaningError::Missing { field: "gtpc_front_ends.endpoints.endpoint" })?;
        Ok(GtpcEndpoint { pool: pool.to_owned(), name: name.to_owned(), up: it.up, sessions: it.sessions })
    };
    Ok(GtpcFrontEnd {
        service: wire.service,
        sessions: wire.sessions,
        counts: decode_counts(wire.counts.ok_or(MeaningError::Missing { field: "gtpc_front_ends.counts" })?),
        endpoints: wire.endpoints.into_iter().map(endpoint).collect::<Result<_, _>>()?,
    })
}

super::counts! {
    Counts, GtpcCounts:
    requests, answers, sent, malformed, unknown, unexpected, unasked, retransmitted, repeated, unanswered, refusals,
    not_found, created, deleted, moved, forsaken, lost, endpoint_losses,
}
