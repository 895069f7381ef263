//! Connections to next hops: a pool for each, within the streams that it allows, opened as they are needed and closed when
//! they are not.

mod cancel;
mod connect;
mod connection;
mod health;
mod names;
mod own;
mod pool;
mod send;
mod waits;

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};

use foldhash::fast::RandomState;
use http::Request;
use tokio::time::Instant;

use crate::api_root::ApiRoot;
use crate::body::Body;
use crate::prepared::Prepared;
use crate::resolve::Resolve;
use crate::settings::{Matching, Retries};
use crate::tls;

pub use connection::Held;
pub use health::{Done, Standing};
use pool::Pool;
pub use send::Sending;

/// All pools. Copies share them.
#[derive(Clone, Debug, Default)]
pub struct Pools {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    pools: RwLock<HashMap<Place, Arc<Pool>, RandomState>>,
    names: names::Names,
    own: own::Own,
}

/// Where an API root keeps the pool of its place: that of the first who asked, as long as it is there.
#[derive(Default)]
pub(crate) struct Slot(OnceLock<Weak<Pool>>);

/// Whom a pool is for: whatever the prefix.
#[derive(Clone, Debug)]
struct Place {
    root: ApiRoot,
    holder: Holder,
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.root.transport == other.root.transport
            && self.root.authority == other.root.authority
            && self.holder == other.holder
    }
}

impl Eq for Place {}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.root.transport.hash(state);
        // Sixteen letters at a time: an authority hashes itself letter by letter.
        for letters in self.root.authority.as_str().as_bytes().chunks(16) {
            let mut lower = [0; 16];
            for (lower, letter) in lower.iter_mut().zip(letters) {
                *lower = letter.to_ascii_lowercase();
            }
            state.write_u128(u128::from_ne_bytes(lower));
        }
        self.holder.hash(state);
    }
}

/// Whom a next hop's certificate must name, beside the host that was connected to (TS 33.310 6.1.3c).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Holder {
    /// Nobody else.
    #[default]
    Any,
    /// Some NF instance.
    Instance,
    /// This NF instance.
    This(Arc<str>),
}

impl Holder {
    /// Of a producer that is no NF instance that is known.
    pub(crate) const fn untold(matching: Matching) -> Self {
        match matching {
            Matching::Off | Matching::Told => Self::Any,
            Matching::Required => Self::Instance,
        }
    }

    /// Whether names in a certificate are its.
    fn is(&self, names: &[String]) -> bool {
        let mut instances = tls::instances(names);
        match self {
            Self::Any => true,
            Self::Instance => instances.next().is_some(),
            Self::This(instance) => instances.any(|it| it.eq_ignore_ascii_case(instance)),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("anybody"),
            Self::Instance => f.write_str("an NF instance"),
            Self::This(instance) => write!(f, "NF instance {instance}"),
        }
    }
}

/// How urgent a request is, and until when it is worth sending.
#[derive(Clone, Copy, Debug)]
pub struct Urgency {
    /// 0, the most urgent, to 31.
    pub priority: u8,
    /// When it was begun to be sent.
    pub begun: Instant,
    /// Then it is given up.
    pub deadline: Instant,
}

impl Pools {
    /// Sends a request and its content to a next hop; its URI must be absolute. The future is its response, or what went wrong,
    /// and whether the next hop may have acted on the request.
    pub fn send(
        &self,
        to: &ApiRoot,
        holder: &Holder,
        head: Request<()>,
        content: Body,
        urgency: Urgency,
        prepared: &Arc<Prepared>,
    ) -> Box<Sending> {
        Sending::new(self.pool(to, holder), head, content, urgency, prepared)
    }

    /// From now on this one says where hosts are, also those that there are connections to.
    pub(crate) fn resolve_by(&self, resolver: Arc<dyn Resolve>) {
        self.shared.names.ask(resolver);
    }

    /// This SCP listens at an address, so that it is no next hop, until what this gives is dropped.
    pub(crate) fn listens(&self, at: SocketAddr) -> own::Listens {
        self.shared.own.listens(at)
    }

    /// Whether a next hop is to be chosen. When its probation is over, one who asks and may try it is told that it is good.
    #[must_use]
    pub fn standing(
        &self,
        of: &ApiRoot,
        holder: &Holder,
        now: Instant,
        tries: bool,
        retries: &Retries,
    ) -> Standing {
        self.pool(of, holder).health.standing(now, tries, retries)
    }

    /// What a next hop did since it was met.
    pub(crate) fn done(&self, of: &ApiRoot, holder: &Holder, now: Instant) -> Done {
        self.pool(of, holder).health.done(now)
    }

    /// Connections that are open now, to all next hops.
    #[must_use]
    pub fn connections(&self) -> usize {
        let pools = self.shared.pools.read().unwrap_or_else(PoisonError::into_inner);
        pools.values().map(|it| it.connections()).sum()
    }

    /// Whoever was met: how many connections to it are open, and what it did.
    #[must_use]
    pub fn met(&self, now: Instant) -> Vec<(ApiRoot, usize, Done)> {
        let pools = self.shared.pools.read().unwrap_or_else(PoisonError::into_inner);
        pools.values().map(|it| (it.api_root.clone(), it.connections(), it.health.done(now))).collect()
    }

    fn pool(&self, of: &ApiRoot, holder: &Holder) -> Arc<Pool> {
        let near = of.pool.0.get().and_then(Weak::upgrade);
        if let Some(pool) = near.filter(|it| it.is_of(&self.shared) && it.holder == *holder) {
            return pool;
        }
        let pool = self.look_up(of, holder);
        // Where there is another already, of those that ask by turns, one finds it so.
        let _ = of.pool.0.set(Arc::downgrade(&pool));
        pool
    }

    fn look_up(&self, of: &ApiRoot, holder: &Holder) -> Arc<Pool> {
        let place = Place { root: of.clone(), holder: holder.clone() };
        if let Some(pool) = self.shared.pools.read().unwrap_or_else(PoisonError::into_inner).get(&place) {
            return Arc::clone(pool);
        }
        let mut pools = self.shared.pools.write().unwrap_or_else(PoisonError::into_inner);
        if pools.len() >= MOST {
            // Places that clients made up: whoever has no connection and nobody waiting can be made again.
            pools.retain(|_, pool| pool.in_use());
        }
        let made = || Arc::new(Pool::new(of.clone(), holder.clone(), Arc::downgrade(&self.shared)));
        Arc::clone(pools.entry(place).or_insert_with(made))
    }
}

/// Pools, before those that nobody uses are forgotten.
const MOST: usize = 4096;
