//! Whether the tables hold what is configured, by the sums of [`pinion_loader::setup`].

use pinion_loader::{Bounds, maglev};

use super::pools::Gathered;
use super::spoken::is_spoken;
use crate::config::mistake::{Place, Wrong};
use crate::config::model::Protocol;
use crate::config::written::{File, Service};

/// What services and their endpoints need of the tables; the others fill with traffic. What Pinion itself speaks is not in
/// the packet path.
pub(super) fn check(
    file: &File,
    pools: &[Gathered<'_>],
    members: &[Vec<&Service>],
    bounds: Bounds,
    wrong: &mut Wrong,
) {
    let (mut own, mut theirs, mut sources, mut slots) = (0_u64, 0_u64, 0_u64, 0_u64);
    for (pool, users) in pools.iter().zip(members) {
        let count = pool.endpoints.count();
        let addresses: usize = pool.endpoints.values().map(|endpoint| endpoint.addresses.count()).sum();
        // Replies of UDP and TCP are found by their flow alone.
        let by_source =
            |service: &&&Service| matches!(service.protocol.value, Some(Protocol::Sctp | Protocol::Gtpu));
        let found = users.iter().filter(by_source).count() as u64;
        let users = users.iter().filter(|service| !is_spoken(service)).count() as u64;
        sources = sources.saturating_add(found.saturating_mul(addresses as u64));
        theirs = theirs.saturating_add(users.saturating_mul(addresses as u64));
        slots = slots.saturating_add(users.saturating_mul(u64::from(maglev::length(count))));
    }
    let mut pins = 0_u64;
    for service in file.services.values().filter(|service| !is_spoken(service)) {
        let addresses = service.addresses.count() as u64;
        let tunnels = service.tunnels.count() as u64;
        own = own.saturating_add(addresses);
        let exits = service.breakout.value.as_ref().and_then(|name| {
            pools.iter().find(|pool| pool.name.value.as_ref().is_some_and(|known| known.0 == name.0))
        });
        theirs = theirs.saturating_add(exits.map_or(0, |pool| pool.endpoints.count() as u64));
        pins = pins.saturating_add(tunnels.saturating_mul(addresses));
    }
    let places = file.bounds.value.as_ref();
    let fallback = file.services.at.unwrap_or(Place::START);
    let tables = [
        ("pins", pins, bounds.pins, places.and_then(|bounds| bounds.pins.at)),
        ("services", 4 * own, bounds.services, places.and_then(|bounds| bounds.services.at)),
        ("sources", sources, bounds.sources, places.and_then(|bounds| bounds.sources.at)),
        ("targets", own + theirs, bounds.targets, places.and_then(|bounds| bounds.targets.at)),
        ("maglev", 2 * slots, bounds.maglev, places.and_then(|bounds| bounds.maglev.at)),
    ];
    for (name, needed, bound, at) in tables {
        if needed > u64::from(bound) {
            let what = format!(
                "table `{name}` holds {bound} entries and what is configured needs {needed}; \
                 raise it by `bounds: {{{name}: {needed}}}` or more, or configure less"
            );
            wrong.mistake(at.unwrap_or(fallback), what);
        }
    }
}
