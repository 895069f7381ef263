//! Whom requests of one kind choose from: at hand for as long as nothing else is known.

use std::sync::{Arc, PoisonError};

use tokio::time::Instant;

use super::{Picked, choose_among, eligible};
use crate::call::Call;
use crate::discovery::Factors;
use crate::producer::{Producer, Query};
use crate::tally::Event;

/// Those who may answer a kind of requests.
#[derive(Debug)]
pub(crate) struct Ready {
    /// What the directory was when they were found.
    version: u64,
    /// Until then they are what would be found.
    until: Instant,
    /// The place that is preferred.
    locality: Option<String>,
    all: Vec<Arc<Producer>>,
}

/// One of them, for a call's first attempt; none where they are to be looked for.
pub(super) fn pick(call: &Call) -> Option<Picked> {
    if !call.tried.is_empty() || call.context.selection {
        return None;
    }
    let directory = &call.parts().directory;
    let mut slot = call.context.ready.lock().unwrap_or_else(PoisonError::into_inner);
    let version = directory.version();
    if slot.as_ref().is_none_or(|it| it.version != version || it.until <= call.begun) {
        *slot = find(call, version);
    }
    let ready = slot.as_ref()?;
    let picked = choose_among(call, ready.all.iter(), ready.locality.as_deref())?;
    call.prepared().tally.one(Event::SearchRemembered);
    Some(picked)
}

fn find(call: &Call, version: u64) -> Option<Ready> {
    let prepared = call.prepared();
    let factors = Factors::of(call, &[]).ok()?;
    let (found, until) = call.parts().directory.at_hand(&factors, prepared, call.begun)?;
    let all = eligible::eligible(&found, &factors, &Query::ANYBODY, &[], None).ok()?;
    let locality = factors.get("preferred-locality").or(prepared.settings.discovery.locality.as_deref());
    Some(Ready { version, until, locality: locality.map(str::to_owned), all: all.into_iter().cloned().collect() })
}
