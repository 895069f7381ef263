//! What there is to see of the SCP, over the wire and back.

use std::time::Duration;

use super::decode::{MeaningError, number};
use super::encode::micros;
use super::v1;
use crate::control::{
    PageAsk, SbiEvent, SbiFilter, SbiPage, SbiProducer, SbiResource, SbiService, SbiState, SbiStats,
};

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
    v1::SbiStats {
        fqdn: stats.fqdn,
        nf_instance: stats.nf_instance,
        statuses: stats.statuses.into_iter().map(status).collect(),
        causes: stats.causes.into_iter().map(encode_cause).collect(),
        cancelled: stats.cancelled,
        times: stats.times,
        spent_us: micros(stats.spent),
        unlogged: stats.unlogged,
        working: stats.working,
        waiting: stats.waiting,
        client_connections: stats.client_connections,
        producer_connections: stats.producer_connections,
        resources: stats.resources,
        searches: stats.searches,
        retries: stats.retries,
        services: stats.services.into_iter().map(encode_service).collect(),
        events: stats.events.into_iter().map(encode_event).collect(),
        searched_us: micros(stats.searched),
        producers: stats.producers.into_iter().map(encode_producer).collect(),
    }
}

fn encode_cause((cause, responses): (String, u64)) -> v1::SbiCause {
    v1::SbiCause { cause, responses }
}

fn encode_service(of: SbiService) -> v1::SbiService {
    let SbiService { service, nf_type, classes, causes, spent } = of;
    let causes = causes.into_iter().map(encode_cause).collect();
    v1::SbiService { service, nf_type, classes: classes.into(), causes, spent_us: micros(spent) }
}

fn decode_service(wire: v1::SbiService) -> SbiService {
    let v1::SbiService { service, nf_type, classes, causes, spent_us } = wire;
    let mut classes = classes.into_iter();
    SbiService {
        service,
        nf_type,
        classes: std::array::from_fn(|_| classes.next().unwrap_or(0)),
        causes: causes.into_iter().map(|it| (it.cause, it.responses)).collect(),
        spent: Duration::from_micros(spent_us),
    }
}

fn encode_event(event: SbiEvent) -> v1::SbiEvent {
    let SbiEvent { kind, outcome, count } = event;
    v1::SbiEvent { kind, outcome, count }
}

fn decode_event(wire: v1::SbiEvent) -> SbiEvent {
    let v1::SbiEvent { kind, outcome, count } = wire;
    SbiEvent { kind, outcome, count }
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
        services: wire.services.into_iter().map(decode_service).collect(),
        events: wire.events.into_iter().map(decode_event).collect(),
        searched: Duration::from_micros(wire.searched_us),
        producers: wire.producers.into_iter().map(decode_producer).collect(),
    })
}
