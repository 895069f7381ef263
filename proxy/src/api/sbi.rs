//! What there is to see of the SCP, over the wire and back.

use std::time::Duration;

use super::decode::{MeaningError, number};
use super::v1;
use crate::control::{PageAsk, SbiFilter, SbiPage, SbiProducer, SbiResource, SbiState, SbiStats};

pub(super) fn encode_filter(filter: &SbiFilter, page: &PageAsk) -> v1::ListSbiResourcesRequest {
    let SbiFilter { producer, nf_instance } = filter.clone();
    v1::ListSbiResourcesRequest { producer, nf_instance, limit: page.limit, cursor: page.cursor.clone() }
}

pub(super) fn encode_page(page: SbiPage) -> v1::ListSbiResourcesResponse {
    let resources = page.resources.into_iter().map(encode_resource).collect();
    v1::ListSbiResourcesResponse { resources, next: page.next }
}

pub(super) fn decode_page(wire: v1::ListSbiResourcesResponse) -> SbiPage {
    SbiPage { resources: wire.resources.into_iter().map(decode_resource).collect(), next: wire.next }
}

pub(super) fn encode_resource(resource: SbiResource) -> v1::SbiResource {
    let SbiResource { resource, api_root, nf_instance, binding, nf_sets, nf_service_sets } = resource;
    v1::SbiResource { resource, api_root, nf_instance, binding, nf_sets, nf_service_sets }
}

pub(super) fn decode_resource(wire: v1::SbiResource) -> SbiResource {
    let v1::SbiResource { resource, api_root, nf_instance, binding, nf_sets, nf_service_sets } = wire;
    SbiResource { resource, api_root, nf_instance, binding, nf_sets, nf_service_sets }
}

pub(super) fn encode_stats(stats: SbiStats) -> v1::SbiStats {
    let status = |(status, responses): (u16, u64)| v1::SbiStatus { status: status.into(), responses };
    let cause = |(cause, responses): (String, u64)| v1::SbiCause { cause, responses };
    v1::SbiStats {
        fqdn: stats.fqdn,
        nf_instance: stats.nf_instance,
        statuses: stats.statuses.into_iter().map(status).collect(),
        causes: stats.causes.into_iter().map(cause).collect(),
        cancelled: stats.cancelled,
        times: stats.times,
        spent_us: u64::try_from(stats.spent.as_micros()).unwrap_or(u64::MAX),
        unlogged: stats.unlogged,
        working: stats.working,
        waiting: stats.waiting,
        client_connections: stats.client_connections,
        producer_connections: stats.producer_connections,
        resources: stats.resources,
        searches: stats.searches,
        retries: stats.retries,
        producers: stats.producers.into_iter().map(encode_producer).collect(),
    }
}

fn encode_producer(producer: SbiProducer) -> v1::SbiProducer {
    let SbiProducer { api_root, nf_type, nf_instance, services, state, resources, connections, answered, failed } =
        producer;
    let state = match state {
        SbiState::Unknown => v1::SbiState::Unspecified,
        SbiState::Up => v1::SbiState::Up,
        SbiState::Failing => v1::SbiState::Failing,
        SbiState::Avoided => v1::SbiState::Avoided,
        SbiState::Draining => v1::SbiState::Draining,
    };
    let state = state.into();
    v1::SbiProducer { api_root, nf_type, nf_instance, services, state, resources, connections, answered, failed }
}

fn decode_producer(wire: v1::SbiProducer) -> SbiProducer {
    // A state of a newer daemon's is none that is known here.
    let state = match wire.state() {
        v1::SbiState::Unspecified => SbiState::Unknown,
        v1::SbiState::Up => SbiState::Up,
        v1::SbiState::Failing => SbiState::Failing,
        v1::SbiState::Avoided => SbiState::Avoided,
        v1::SbiState::Draining => SbiState::Draining,
    };
    let v1::SbiProducer {
        api_root, nf_type, nf_instance, services, resources, connections, answered, failed, ..
    } = wire;
    SbiProducer { api_root, nf_type, nf_instance, services, state, resources, connections, answered, failed }
}

pub(super) fn decode_stats(wire: v1::SbiStats) -> Result<SbiStats, MeaningError> {
    let status = |it: v1::SbiStatus| Ok((number("statuses.status", it.status, u16::MAX.into())?, it.responses));
    Ok(SbiStats {
        fqdn: wire.fqdn,
        nf_instance: wire.nf_instance,
        statuses: wire.statuses.into_iter().map(status).collect::<Result<_, _>>()?,
        causes: wire.causes.into_iter().map(|it| (it.cause, it.responses)).collect(),
        cancelled: wire.cancelled,
        times: wire.times,
        spent: Duration::from_micros(wire.spent_us),
        unlogged: wire.unlogged,
        working: wire.working,
        waiting: wire.waiting,
        client_connections: wire.client_connections,
        producer_connections: wire.producer_connections,
        resources: wire.resources,
        searches: wire.searches,
        retries: wire.retries,
        producers: wire.producers.into_iter().map(decode_producer).collect(),
    })
}
