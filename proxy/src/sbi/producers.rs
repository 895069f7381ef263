//! Whom an SCP asks, and how they are.

use std::collections::BTreeMap;

use pinion_scp::Scp;
use pinion_scp::settings::Settings;
use tokio::time::Instant;

use crate::control::{SbiProducer, SbiState};

/// Those that were asked or are known, in the order of their types and places; of the same place one.
pub(super) fn producers(scp: &Scp, settings: &Settings, now: Instant) -> Vec<SbiProducer> {
    let parts = scp.parts();
    let mut all: BTreeMap<String, SbiProducer> = BTreeMap::new();
    for known in parts.directory.known(&settings.discovery) {
        let it = at(&mut all, known.api_root.to_string());
        it.nf_type.get_or_insert_with(|| known.nf_type.clone());
        it.nf_instance.get_or_insert_with(|| known.nf_instance.clone());
        if let Err(place) = it.services.binary_search(&known.service) {
            it.services.insert(place, known.service.clone());
        }
    }
    for nrf in settings.nrf.iter().flat_map(|nrf| &nrf.roots) {
        at(&mut all, nrf.to_string()).nf_type.get_or_insert_with(|| "NRF".to_owned());
    }
    for (api_root, connections, done) in parts.pools.met(now) {
        let asked = done.answered > 0 || done.failed > 0;
        let place = api_root.to_string();
        // A place that nobody was sent to is one that a client made up, or that is known anyway.
        if !asked && !all.contains_key(&place) {
            continue;
        }
        let it = at(&mut all, place);
        it.connections = it.connections.saturating_add(connections as u64);
        it.answered = it.answered.saturating_add(done.answered);
        it.failed = it.failed.saturating_add(done.failed);
        let state = match (asked, done.failing, done.bad) {
            (false, ..) => SbiState::Unknown,
            (true, false, _) => SbiState::Up,
            (true, true, false) => SbiState::Failing,
            (true, true, true) => SbiState::Avoided,
        };
        // Where it is met as several, as it goes with the worst.
        it.state = it.state.max(state);
    }
    for (api_root, count) in parts.pins.places() {
        at(&mut all, api_root.to_string()).resources = count;
    }
    for it in all.values_mut().filter(|it| parts.drained.any(it.nf_instance.as_deref(), &it.api_root)) {
        it.state = SbiState::Draining;
    }
    let mut all: Vec<_> = all.into_values().collect();
    // Those whose type nobody knows come last.
    all.sort_by(|one, other| {
        (one.nf_type.is_none(), &one.nf_type).cmp(&(other.nf_type.is_none(), &other.nf_type))
    });
    all
}

fn at(all: &mut BTreeMap<String, SbiProducer>, api_root: String) -> &mut SbiProducer {
    all.entry(api_root.clone()).or_insert_with(|| SbiProducer { api_root, ..SbiProducer::default() })
}
