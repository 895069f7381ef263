use serde::Serialize;

use super::super::words;
use crate::control;

/// A resource that the SCP keeps on its producer.
#[derive(Debug, Serialize)]
pub(crate) struct SbiResource<'a> {
    resource: &'a str,
    key: String,
    api_root: &'a str,
    nf_instance: Option<&'a str>,
    binding: Option<&'a str>,
    nf_sets: &'a [String],
    nf_service_sets: &'a [String],
}

impl<'a> From<&'a control::SbiResource> for SbiResource<'a> {
    fn from(it: &'a control::SbiResource) -> Self {
        Self {
            resource: &it.resource,
            key: format!("http://{}", it.resource),
            api_root: &it.api_root,
            nf_instance: it.nf_instance.as_deref(),
            binding: it.binding.as_deref(),
            nf_sets: &it.nf_sets,
            nf_service_sets: &it.nf_service_sets,
        }
    }
}

/// How it goes with the SCP.
#[derive(Debug, Serialize)]
pub(super) struct Scp<'a> {
    fqdn: &'a str,
    nf_instance: &'a str,
    responses: Vec<Responses>,
    problems: Vec<Problems<'a>>,
    cancelled: u64,
    spent_seconds: f64,
    working: u64,
    waiting: u64,
    client_connections: u64,
    producer_connections: u64,
    resources: u64,
    searches: u64,
    unlogged: u64,
    retries: u64,
    services: Vec<Service<'a>>,
    events: Vec<Event<'a>>,
    searched_seconds: f64,
    producers: Vec<Producer<'a>>,
}

#[derive(Debug, Serialize)]
struct Service<'a> {
    service: &'a str,
    nf_type: &'a str,
    responses: u64,
    failed: u64,
    problems: Vec<Problems<'a>>,
    spent_seconds: f64,
}

impl<'a> From<&'a control::SbiService> for Service<'a> {
    fn from(it: &'a control::SbiService) -> Self {
        let [.., server] = it.classes;
        Self {
            service: &it.service,
            nf_type: &it.nf_type,
            responses: it.classes.iter().sum(),
            failed: server,
            problems: problems(&it.causes),
            spent_seconds: it.spent.as_secs_f64(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Event<'a> {
    kind: &'a str,
    outcome: &'a str,
    count: u64,
}

impl<'a> From<&'a control::SbiEvent> for Event<'a> {
    fn from(it: &'a control::SbiEvent) -> Self {
        Self { kind: &it.kind, outcome: &it.outcome, count: it.count }
    }
}

#[derive(Debug, Serialize)]
struct Producer<'a> {
    api_root: &'a str,
    nf_type: Option<&'a str>,
    nf_instance: Option<&'a str>,
    services: &'a [String],
    state: &'static str,
    resources: u64,
    connections: u64,
    answered: u64,
    failed: u64,
}

impl<'a> From<&'a control::SbiProducer> for Producer<'a> {
    fn from(it: &'a control::SbiProducer) -> Self {
        Self {
            api_root: &it.api_root,
            nf_type: it.nf_type.as_deref(),
            nf_instance: it.nf_instance.as_deref(),
            services: &it.services,
            state: words::sbi_state(it.state).0,
            resources: it.resources,
            connections: it.connections,
            answered: it.answered,
            failed: it.failed,
        }
    }
}

#[derive(Debug, Serialize)]
struct Responses {
    status: u16,
    responses: u64,
}

#[derive(Debug, Serialize)]
struct Problems<'a> {
    cause: &'a str,
    responses: u64,
}

fn problems(causes: &[(String, u64)]) -> Vec<Problems<'_>> {
    causes.iter().map(|(cause, responses)| Problems { cause, responses: *responses }).collect()
}

impl<'a> From<&'a control::SbiStats> for Scp<'a> {
    fn from(it: &'a control::SbiStats) -> Self {
        let responses =
            it.statuses.iter().map(|(status, responses)| Responses { status: *status, responses: *responses });
        Self {
            fqdn: &it.fqdn,
            nf_instance: &it.nf_instance,
            responses: responses.collect(),
            problems: problems(&it.causes),
            cancelled: it.cancelled,
            spent_seconds: it.spent.as_secs_f64(),
            working: it.working,
            waiting: it.waiting,
            client_connections: it.client_connections,
            producer_connections: it.producer_connections,
            resources: it.resources,
            searches: it.searches,
            unlogged: it.unlogged,
            retries: it.retries,
            services: it.services.iter().map(Service::from).collect(),
            events: it.events.iter().map(Event::from).collect(),
            searched_seconds: it.searched.as_secs_f64(),
            producers: it.producers.iter().map(Producer::from).collect(),
        }
    }
}
