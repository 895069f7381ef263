//! Filters of tunnels: at which addresses clients' packets meet them.

use std::net::IpAddr;
use std::sync::Arc;

use foldhash::HashMap;

use super::{Leg, Plane, Tunnels};
use crate::filters::{FlowFilter, TunnelFilters};

impl Plane {
    /// Filters of a session's tunnels, given by the TEIDs of ours, at each address of its service.
    pub(crate) fn filters(&self, tunnels: &Tunnels, all: &HashMap<u32, Vec<FlowFilter>>) -> Vec<TunnelFilters> {
        let legs =
            tunnels.tunnels.iter().flat_map(|it| it.legs.into_iter().flatten().map(move |leg| (leg, it.ours)));
        let filters = |(leg, ours): (Leg, u32)| {
            let service = self.services.get(usize::from(leg.service))?;
            Some(TunnelFilters {
                at: (*service.addresses.get(usize::from(leg.path))?, ours),
                service: (Arc::clone(&service.name), leg.path),
                filters: all.get(&ours)?.clone(),
            })
        };
        legs.filter_map(filters).collect()
    }

    /// Whether an address is that of an endpoint, `POOL/NAME`.
    pub(crate) fn is_at(&self, address: IpAddr, endpoint: &str) -> bool {
        let known = self.theirs.get(&address).and_then(|leg| self.endpoint(*leg));
        known.is_some_and(|known| &*known.name == endpoint)
    }
}
