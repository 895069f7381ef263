//! Filters of tunnels, as N4 says them, for the packet path.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use pinion_n4::{FlowFilter, FlowSide, TunnelFilters};
use pinion_steering::{Filter, PinKey};

use crate::sessions::{CommitError, Names, Rule, Side, Table};

/// What N4 said of tunnels' filters last. A tunnel that has others by now has them from an operator, and keeps them until it
/// has none.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// A digest of each tunnel's, as there may be a million of them.
    said: HashMap<PinKey, u64>,
}

impl Learned {
    /// Gives tunnels the filters that N4 says; those of operators stay.
    pub(super) async fn put(&mut self, table: &Table, names: &Names, all: Vec<TunnelFilters>) {
        for TunnelFilters { at: (address, teid), service: (service, path), filters } in all {
            let key = PinKey { address: address.into(), teid };
            let meant: Option<Vec<Filter>> = filters.iter().map(|it| filter(it, &service, path, names)).collect();
            let filters = meant.unwrap_or_else(|| {
                tracing::warn!(
                    service = &*service, %address, teid,
                    "a tunnel's packets do not break out, as the packet path knows no such endpoint of the service"
                );
                Vec::new()
            });
            if let Err(error) = self.replace(table, key, filters).await {
                tracing::warn!(service = &*service, %address, teid, %error, "a tunnel's filters are not in force");
            }
        }
    }

    async fn replace(&mut self, table: &Table, key: PinKey, filters: Vec<Filter>) -> Result<(), CommitError> {
        let known = table.filters(&key).await?;
        let learned = known.is_empty() || known == filters || self.said.get(&key) == Some(&digest(&known));
        if !learned {
            return Ok(());
        }
        if filters.is_empty() {
            self.said.remove(&key);
        } else {
            self.said.insert(key, digest(&filters));
        }
        if known == filters { Ok(()) } else { table.classify(vec![(key, filters)]).await }
    }

    /// A tunnel has ended.
    pub(super) fn forget(&mut self, key: &PinKey) {
        self.said.remove(key);
    }
}

fn digest(filters: &[Filter]) -> u64 {
    let mut hasher = DefaultHasher::new();
    filters.hash(&mut hasher);
    hasher.finish()
}

/// What the packet path is given; none where the endpoint is not there, or is not of the kind that is meant.
fn filter(learned: &FlowFilter, service: &str, path: u8, names: &Names) -> Option<Filter> {
    let side = |FlowSide { prefix, ports }: FlowSide| Side { prefix, ports };
    let FlowFilter { protocol, from, to, via, teid } = learned;
    let rule =
        Rule { protocol: *protocol, from: side(*from), to: side(*to), via: via.as_ref().to_owned(), teid: *teid };
    let (target, leaves) = names.branch(service, via, path)?;
    (leaves == teid.is_none()).then(|| rule.filter(target))
}
