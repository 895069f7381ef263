//! Endpoints that are found by name come into the configuration that is in force, and go from it, as if somebody had written
//! them there: one that is found no more is drained, and leaves.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::state::Daemon;
use crate::config::model::{Config, Discover, Endpoint, Serves};
use crate::discover::{DiscoverError, Discoverer, Found};

/// How often it is looked whether an answer has grown too old.
const LOOK: Duration = Duration::from_secs(1);
/// How long until a name that stands for nobody, or a server that does not answer, is asked again.
const AGAIN: Duration = Duration::from_secs(5);

/// What was found for pools, by their names.
#[derive(Debug, Default)]
pub(super) struct Discovered(HashMap<String, Known>);

#[derive(Debug)]
struct Known {
    asked: Discover,
    found: Vec<Endpoint>,
}

impl Discovered {
    /// A configuration as it is written, with what was found for it.
    pub(super) fn added_to(&self, written: &Config) -> Config {
        let mut config = written.clone();
        for (pool, asked) in wanted(written) {
            let Some(known) = self.0.get(&pool).filter(|known| known.asked == asked) else { continue };
            let Some(pool) = config.pools.iter_mut().find(|it| it.name == pool) else { continue };
            for found in &known.found {
                let is_known = |it: &Endpoint| {
                    it.name == found.name || it.addresses.iter().any(|address| found.addresses.contains(address))
                };
                if !pool.endpoints.iter().any(is_known) {
                    pool.endpoints.push(found.clone());
                }
            }
        }
        config
    }
}

/// The pools whose endpoints are found by name.
fn wanted(config: &Config) -> Vec<(String, Discover)> {
    let discovers = config.services.iter().filter_map(|service| {
        let discover = service.ngap.as_ref()?.discover.clone()?;
        Some((service.pool.clone(), discover))
    });
    discovers.collect()
}

/// Asks for names whenever the answers have grown too old: for ever.
pub(super) async fn discover(daemon: Arc<Daemon>) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut due: HashMap<String, (Discover, Duration)> = HashMap::new();
    loop {
        ticks.tick().await;
        let config = Arc::clone(&daemon.state().config);
        for (pool, asked) in wanted(&config) {
            let waits = due.get(&pool).is_some_and(|(before, at)| *before == asked && *at > daemon.now());
            if waits {
                continue;
            }
            let valid = match look(&asked).await {
                Ok(Found { endpoints, valid }) => {
                    let found = endpoints.into_iter().map(|(name, addresses)| endpoint(name, addresses)).collect();
                    daemon.found(&pool, Known { asked: asked.clone(), found }).await;
                    valid
                }
                Err(error) => {
                    tracing::warn!(pool, %error, "endpoints are not found by name; those that were known stay");
                    AGAIN
                }
            };
            due.insert(pool, (asked, daemon.now().saturating_add(valid)));
        }
    }
}

async fn look(asked: &Discover) -> Result<Found, DiscoverError> {
    Discoverer::new(&asked.servers)?.look(&asked.name).await
}

fn endpoint(name: String, addresses: Vec<IpAddr>) -> Endpoint {
    Endpoint { name, addresses, port: None, weight: 1, priority: 0, serves: Serves::default() }
}

impl Daemon {
    /// Puts in force what was found for a pool.
    async fn found(&self, pool: &str, known: Known) {
        let _one = self.reloading.lock().await;
        let (old, new, written) = {
            let mut state = self.state();
            state.discovered.0.insert(pool.to_owned(), known);
            let written = Arc::clone(&state.written);
            (Arc::clone(&state.config), state.discovered.added_to(&written), written)
        };
        if *old == new {
            return;
        }
        if let Err(error) = self.replace(new, written).await {
            tracing::error!(%error, "what was found by name is not in force; it is tried again when it is asked for again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn config(ngap: &str) -> Config {
        let text = format!(
            "services: [{{name: n2, protocol: ngap, addresses: [192.0.2.1], ngap: {ngap}, endpoints: [
{{name: a, addresses: [192.0.2.21]}}, {{name: b, addresses: [192.0.2.22]}}]}}]"
        );
        config::parse(text.as_bytes(), &config::Host::default()).unwrap().config
    }

    #[test]
    fn what_is_found_is_added_to_what_is_written() {
        let written = config("{discover: amf.example.org}");
        let asked = wanted(&written).pop().unwrap();
        assert_eq!(asked, ("n2".to_owned(), Discover { name: "amf.example.org".into(), servers: Vec::new() }));
        let found = [("a", 23), ("c.example.org", 22), ("d.example.org", 24)];
        let found = found.map(|(name, last)| endpoint(name.to_owned(), vec![[192, 0, 2, last].into()])).to_vec();
        let discovered = Discovered([("n2".to_owned(), Known { asked: asked.1, found })].into());
        let names = |config: &Config| -> Vec<String> {
            config.pools[0].endpoints.iter().map(|it| it.name.clone()).collect()
        };
        // Neither name nor address is there twice.
        assert_eq!(names(&discovered.added_to(&written)), ["a", "b", "d.example.org"]);
        // Found by another name, or by none.
        assert_eq!(names(&discovered.added_to(&config("{discover: other.example.org}"))), ["a", "b"]);
        assert_eq!(names(&discovered.added_to(&config("{}"))), ["a", "b"]);
    }
}
