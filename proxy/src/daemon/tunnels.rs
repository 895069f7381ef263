//! Tunnels of the configuration: pins that are there from the start.

use std::collections::HashSet;
use std::sync::Arc;

use pinion_steering::PinKey;

use super::state::Daemon;
use crate::config::model::{Config, Service, Tunnel};
use crate::sessions::{Change, CommitError, Names, NewPin, PinOrigin, Record, leads_as};

/// Why the tunnels of a configuration are not pinned; none of them is then.
#[derive(Debug, thiserror::Error)]
pub(super) enum TunnelError {
    /// The packet path does not know an endpoint.
    #[error("service {service} has no endpoint {endpoint} in force")]
    Endpoint {
        /// The service.
        service: String,
        /// The endpoint, as `POOL/NAME`.
        endpoint: String,
    },
    /// The pins are refused.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl Daemon {
    /// Pins what is configured, wherever it was pinned before, and ends what only `old` says; how many pins changed.
    /// What a decoder pinned anew meanwhile stays. After the services are in force.
    pub(super) async fn pin_tunnels(&self, old: Option<&Config>) -> Result<usize, TunnelError> {
        let (config, names) = {
            let state = self.state();
            (Arc::clone(&state.config), Arc::clone(&state.names))
        };
        let mut batch = Vec::new();
        let mut configured = HashSet::new();
        for (key, record) in records(&config, &names) {
            let record = record?;
            if !self.table.get(&key).await.is_some_and(|known| same(&known, &record)) {
                batch.push(Change::Replace(NewPin { key, record }));
            }
            configured.insert(key);
        }
        for (service, tunnel) in old.into_iter().flat_map(tunnels) {
            for (_, key) in keys(service, tunnel).filter(|(_, key)| !configured.contains(key)) {
                if self.table.get(&key).await.is_some_and(|known| known.origin != PinOrigin::Learned) {
                    batch.push(Change::Remove(key));
                }
            }
        }
        if batch.is_empty() {
            return Ok(0);
        }
        Ok(self.table.commit(batch).await?.changed())
    }
}

/// What a configuration's tunnels are to be in the table.
fn records<'a>(
    config: &'a Config,
    names: &'a Names,
) -> impl Iterator<Item = (PinKey, Result<Record, TunnelError>)> + 'a {
    tunnels(config).flat_map(move |(service, tunnel)| {
        let endpoint = format!("{}/{}", service.pool, tunnel.endpoint);
        keys(service, tunnel).map(move |(path, key)| {
            let record = names.record(&service.name, &endpoint, path, tunnel.endpoint_teid);
            let record = record.map(|record| Record { origin: PinOrigin::Configured, ..record });
            let unknown = || TunnelError::Endpoint { service: service.name.clone(), endpoint: endpoint.clone() };
            (key, record.ok_or_else(unknown))
        })
    })
}

fn tunnels(config: &Config) -> impl Iterator<Item = (&Service, &Tunnel)> {
    config.services.iter().flat_map(|service| service.tunnels.iter().map(move |tunnel| (service, tunnel)))
}

/// The path and the key of a tunnel at each address of its service.
fn keys(service: &Service, tunnel: &Tunnel) -> impl Iterator<Item = (u8, PinKey)> {
    let teid = tunnel.teid;
    (0..).zip(&service.addresses).map(move |(path, address)| (path, PinKey { address: (*address).into(), teid }))
}

fn same(known: &Record, wanted: &Record) -> bool {
    let place = |record: &Record| (Arc::clone(&record.place.service), Arc::clone(&record.place.endpoint));
    leads_as(&known.pin, &wanted.pin)
        && (known.origin, known.ends, place(known)) == (wanted.origin, wanted.ends, place(wanted))
}
