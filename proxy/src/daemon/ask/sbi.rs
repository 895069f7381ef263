//! What the SCP tells, among the rest.

mod drain;

use pinion_scp::account::{Counts, ServiceCounts};
use pinion_scp::api_root::ApiRoot;
use pinion_scp::binding::Pin;
use pinion_scp::cause::Cause;
use pinion_scp::tally::{Event, Tally};

use crate::control::{
    ControlError, Explained, Explanation, PageAsk, SbiEvent, SbiFilter, SbiPage, SbiResource, SbiService, SbiStats,
};
use crate::daemon::state::Daemon;

impl Daemon {
    /// How it goes with the SCP.
    pub(super) async fn sbi_stats(&self) -> Option<SbiStats> {
        let running = self.sbi.lock().await;
        let host = running.as_ref()?;
        let (scp, parts) = (host.scp(), host.scp().parts());
        let Counts { statuses, causes, cancelled, times, spent, untold } = parts.account.counts();
        let (working, waiting) = parts.gate.load();
        let tally = scp.tally();
        Some(SbiStats {
            fqdn: host.fqdn().to_owned(),
            nf_instance: host.instance().to_owned(),
            statuses,
            causes: named(causes),
            cancelled,
            times: times.to_vec(),
            spent: std::time::Duration::from_micros(spent),
            unlogged: untold,
            working: working as u64,
            waiting: waiting as u64,
            client_connections: scp.connections() as u64,
            producer_connections: parts.pools.connections() as u64,
            resources: parts.pins.count() as u64,
            searches: parts.directory.size().0 as u64,
            retries: parts.budget.attempts(),
            services: parts.account.services().into_iter().map(service).collect(),
            events: Event::ALL.iter().map(|event| happened(&tally, *event)).collect(),
            searched: std::time::Duration::from_micros(tally.search_micros()),
            producers: host.producers(),
        })
    }

    /// A page of the resources that a filter lets through.
    pub(super) async fn sbi_page(&self, filter: &SbiFilter, page: &PageAsk) -> Result<SbiPage, ControlError> {
        let running = self.sbi.lock().await;
        let pins = running.as_ref().ok_or(ControlError::NoSbi)?.scp().parts().pins.clone();
        drop(running);
        let same = |wanted: &Option<String>, is: Option<&str>| wanted.as_deref().is_none_or(|it| Some(it) == is);
        let wanted = |_: &str, pin: &Pin| {
            same(&filter.producer, Some(pin.at.authority.as_str()))
                && same(&filter.nf_instance, pin.nf_instance.as_deref())
        };
        let most = page.limit as usize;
        let found = pins.after(page.cursor.as_deref().unwrap_or_default(), most, wanted);
        let next = (found.len() == most).then(|| found.last().map(|(key, _)| key.to_string())).flatten();
        Ok(SbiPage { resources: found.into_iter().map(resource).collect(), next })
    }

    /// Why requests for a resource, given as an absolute URI, go where they go; nothing where it is not pinned.
    pub(in crate::daemon) async fn explain_sbi(&self, uri: &str) -> Vec<Explanation> {
        let Ok(root) = ApiRoot::parse(uri.split(['?', '#']).next().unwrap_or_default()) else { return Vec::new() };
        let running = self.sbi.lock().await;
        let Some(host) = running.as_ref() else { return Vec::new() };
        let Some((key, pin)) = host.scp().parts().pins.find(root.transport, &root.authority, root.prefix()) else {
            return Vec::new();
        };
        let mut steps = vec![format!(
            "its producer answered the request that made {key} with this Location, and requests for it, and for what is below it, go to {}",
            pin.at
        )];
        if let Some(instance) = &pin.nf_instance {
            steps.push(format!("that is NF instance {instance}"));
        }
        let within = pin.persistent.then(|| "other instances of the service in the NF instance".to_owned());
        let others: Vec<_> =
            within.into_iter().chain([&pin.service_sets[..], &pin.nf_sets[..]].concat()).collect();
        steps.push(match (&pin.binding, others.is_empty()) {
            (Some(binding), _) => format!("where it is away, others may serve as its binding says: {binding}"),
            (None, false) => format!("where it is away, others that have it may serve: {}", others.join(", ")),
            (None, true) => "nobody else may serve, as its producer named neither a binding nor a set".to_owned(),
        });
        vec![Explanation { session: Explained::Sbi(resource((key, pin))), steps }]
    }
}

fn resource((key, pin): (std::sync::Arc<str>, Pin)) -> SbiResource {
    let Pin { at, nf_instance, binding, service_sets, nf_sets, .. } = pin;
    SbiResource {
        resource: key.to_string(),
        api_root: at.to_string(),
        nf_instance,
        binding,
        nf_sets,
        nf_service_sets: service_sets,
    }
}

fn named(causes: Vec<(Cause, u64)>) -> Vec<(String, u64)> {
    causes.into_iter().map(|(cause, count)| (cause.name().to_owned(), count)).collect()
}

fn service(of: ServiceCounts) -> SbiService {
    let ServiceCounts { service, nf_type, classes, causes, spent } = of;
    let spent = std::time::Duration::from_micros(spent);
    SbiService { service, nf_type, classes, causes: named(causes), spent }
}

fn happened(tally: &Tally, event: Event) -> SbiEvent {
    let (kind, outcome) = event.name();
    SbiEvent { kind: kind.to_owned(), outcome: outcome.to_owned(), count: tally.count(event) }
}
