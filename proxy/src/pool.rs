//! Which endpoints get sessions: what the configuration says, what health found, what an operator asked for, and
//! the time, made into what the packet path is given.
//!
//! [`Pools`] is a state machine without I/O: time comes in as the [`Duration`] since the daemon began.

mod endpoint;
mod plan;
mod view;

use std::collections::HashMap;
use std::time::Duration;

use pinion_loader::setup::ServiceSpec;

use crate::config::model::{Config, Pool};
use crate::control::{ControlError, EndpointView};

pub use endpoint::{Endpoint, Path};

/// All pools and how their endpoints are.
#[derive(Clone, Debug, Default)]
pub struct Pools {
    pools: Vec<Entry>,
}

/// A pool and its endpoints, in the order of the configuration.
#[derive(Clone, Debug)]
struct Entry {
    config: Pool,
    endpoints: Vec<Endpoint>,
}

impl Entry {
    fn whole(&self) -> (&Pool, &[Endpoint]) {
        (&self.config, &self.endpoints)
    }
}

/// How many sessions an endpoint has, as the packet path counts them.
pub trait Sessions {
    /// Of the endpoint of this pool.
    fn of(&self, pool: &str, endpoint: &str) -> u64;
}

impl Pools {
    /// The pools of a configuration. What was known of an endpoint that stays (its name, and its addresses) is
    /// kept, but for a weight that an operator gave it: the configuration's is the newer word.
    #[must_use]
    pub fn configure(self, config: &Config, now: Duration) -> Self {
        let mut known: HashMap<(String, String), Endpoint> = HashMap::new();
        for entry in self.pools {
            for endpoint in entry.endpoints {
                known.insert((entry.config.name.clone(), endpoint.config.name.clone()), endpoint);
            }
        }
        let entry = |pool: &Pool| Entry {
            config: pool.clone(),
            endpoints: pool
                .endpoints
                .iter()
                .map(|endpoint| {
                    let kept = known.remove(&(pool.name.clone(), endpoint.name.clone()));
                    Endpoint::configured(endpoint, pool.health.is_some(), kept, now)
                })
                .collect(),
        };
        Self { pools: config.pools.iter().map(entry).collect() }
    }

    /// Takes down what a probe or a signal found of a path; whether the endpoint as a whole went up or down by it.
    pub fn path(&mut self, pool: &str, endpoint: &str, path: usize, seen: Path, now: Duration) -> bool {
        self.find(pool, endpoint).is_some_and(|found| found.see(path, seen, now))
    }

    /// Stops giving an endpoint new sessions. `deadline`: how long those that it has may stay; `None`: as long
    /// as its pool says.
    ///
    /// # Errors
    /// [`ControlError::NoEndpoint`], [`ControlError::Ambiguous`].
    pub fn drain(&mut self, name: &str, deadline: Option<Duration>, now: Duration) -> Result<(), ControlError> {
        let (pool, at) = self.locate(name)?;
        if let Some(entry) = self.pools.get_mut(pool) {
            let deadline = deadline.or(entry.config.drain);
            if let Some(endpoint) = entry.endpoints.get_mut(at) {
                endpoint.drain(deadline, now);
            }
        }
        Ok(())
    }

    /// Gives a drained endpoint new sessions again.
    ///
    /// # Errors
    /// As [`Pools::drain`].
    pub fn undrain(&mut self, name: &str, now: Duration) -> Result<(), ControlError> {
        self.named(name)?.undrain(now);
        Ok(())
    }

    /// Changes an endpoint's weight until the next reload.
    ///
    /// # Errors
    /// As [`Pools::drain`]; [`ControlError::Weight`].
    pub fn set_weight(&mut self, name: &str, weight: u32) -> Result<(), ControlError> {
        if weight > u32::from(u16::MAX) {
            return Err(ControlError::Weight(weight));
        }
        self.named(name)?.weight = weight;
        Ok(())
    }

    /// What the packet path is given now, and when that changes by time alone.
    #[must_use]
    pub fn plan(&self, config: &Config, now: Duration) -> (Vec<ServiceSpec>, Option<Duration>) {
        let specs = config.services.iter().filter_map(|service| {
            let pool = |name: &str| self.pools.iter().find(|entry| entry.config.name == name);
            let exits = service.breakout.as_deref().and_then(pool);
            plan::spec(service, pool(&service.pool)?.whole(), exits.map(Entry::whole), now)
        });
        let next = self
            .pools
            .iter()
            .flat_map(|entry| entry.endpoints.iter().map(|endpoint| (endpoint, entry.config.slow_start)))
            .filter_map(|(endpoint, slow)| endpoint.next(slow, now))
            .min();
        (specs.collect(), next)
    }

    /// The endpoints, as `(pool, endpoint)`, whose time to drain is over: their sessions are ended.
    #[must_use]
    pub fn overdue(&self, now: Duration) -> Vec<(String, String)> {
        let due = |entry: &Entry| {
            let over = entry.endpoints.iter().filter(|endpoint| endpoint.overdue(now));
            over.map(|endpoint| (entry.config.name.clone(), endpoint.config.name.clone())).collect::<Vec<_>>()
        };
        self.pools.iter().flat_map(due).collect()
    }

    /// The endpoints, as `(pool, endpoint)`, that are down while another of their pool serves: what can move, moves.
    #[must_use]
    pub fn forsaken(&self) -> Vec<(String, String)> {
        let down = |entry: &Entry| {
            let others = entry.endpoints.iter().any(Endpoint::eligible);
            let down = entry.endpoints.iter().filter(|endpoint| others && endpoint.up() == Some(false));
            down.map(|endpoint| (entry.config.name.clone(), endpoint.config.name.clone())).collect::<Vec<_>>()
        };
        self.pools.iter().flat_map(down).collect()
    }

    /// How endpoints are, of one pool or of all.
    ///
    /// # Errors
    /// [`ControlError::NoPool`].
    pub fn views(
        &self,
        pool: Option<&str>,
        sessions: &dyn Sessions,
        now: Duration,
    ) -> Result<Vec<EndpointView>, ControlError> {
        let asked = |entry: &&Entry| pool.is_none_or(|pool| entry.config.name == pool);
        if let Some(pool) = pool
            && !self.pools.iter().any(|entry| entry.config.name == pool)
        {
            return Err(ControlError::NoPool(pool.to_owned()));
        }
        Ok(self
            .pools
            .iter()
            .filter(asked)
            .flat_map(|entry| view::endpoints(&entry.config, &entry.endpoints, sessions, now))
            .collect())
    }

    /// How one endpoint is: `NAME` or `POOL/NAME`.
    ///
    /// # Errors
    /// As [`Pools::drain`].
    pub fn view(&self, name: &str, sessions: &dyn Sessions, now: Duration) -> Result<EndpointView, ControlError> {
        let (pool, at) = self.locate(name)?;
        let entry = self.pools.get(pool).ok_or_else(|| ControlError::NoEndpoint(name.to_owned()))?;
        view::endpoints(&entry.config, &entry.endpoints, sessions, now)
            .nth(at)
            .ok_or_else(|| ControlError::NoEndpoint(name.to_owned()))
    }

    /// The pool and the name of the endpoint that `NAME` or `POOL/NAME` means.
    ///
    /// # Errors
    /// As [`Pools::drain`].
    pub fn resolve(&self, name: &str) -> Result<(&str, &str), ControlError> {
        let (pool, at) = self.locate(name)?;
        self.pools
            .get(pool)
            .and_then(|entry| Some((entry.config.name.as_str(), entry.endpoints.get(at)?.config.name.as_str())))
            .ok_or_else(|| ControlError::NoEndpoint(name.to_owned()))
    }

    /// The endpoints of a pool, in the order of the configuration.
    pub fn of(&self, pool: &str) -> impl Iterator<Item = &Endpoint> {
        let entries = self.pools.iter().filter(move |entry| entry.config.name == pool);
        entries.flat_map(|entry| &entry.endpoints)
    }

    fn locate(&self, name: &str) -> Result<(usize, usize), ControlError> {
        let mut found = Vec::new();
        for (pool, entry) in self.pools.iter().enumerate() {
            let wanted = name.strip_prefix(&entry.config.name).and_then(|rest| rest.strip_prefix('/'));
            for (at, endpoint) in entry.endpoints.iter().enumerate() {
                if endpoint.config.name == name || wanted == Some(endpoint.config.name.as_str()) {
                    found.push((pool, at));
                }
            }
        }
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(ControlError::NoEndpoint(name.to_owned())),
            several => Err(ControlError::Ambiguous {
                name: name.to_owned(),
                pools: several
                    .iter()
                    .filter_map(|(pool, _)| Some(self.pools.get(*pool)?.config.name.clone()))
                    .collect(),
            }),
        }
    }

    fn named(&mut self, name: &str) -> Result<&mut Endpoint, ControlError> {
        let (pool, at) = self.locate(name)?;
        self.pools
            .get_mut(pool)
            .and_then(|entry| entry.endpoints.get_mut(at))
            .ok_or_else(|| ControlError::NoEndpoint(name.to_owned()))
    }

    fn find(&mut self, pool: &str, endpoint: &str) -> Option<&mut Endpoint> {
        let entry = self.pools.iter_mut().find(|entry| entry.config.name == pool)?;
        entry.endpoints.iter_mut().find(|found| found.config.name == endpoint)
    }
}

#[cfg(test)]
mod tests;
