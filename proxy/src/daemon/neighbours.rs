use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::state::Daemon;
use crate::announce::{Announcer, Place};
use crate::config::model::Config;

/// How often it is looked for addresses and interfaces that came.
const LOOK: Duration = Duration::from_secs(1);

/// Announces the service addresses to their neighbours, wherever one comes: for ever.
pub(super) async fn announce(daemon: Arc<Daemon>) {
    let mut announcer = match Announcer::open() {
        Ok(announcer) => announcer,
        Err(error) => {
            tracing::warn!(%error, "service addresses are not announced to their neighbours, who find out by asking");
            return;
        }
    };
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let config = Arc::clone(&daemon.state().config);
        let interfaces: Vec<&str> = config.interfaces.iter().map(|it| it.name.as_str()).collect();
        match announcer.announce(&interfaces, &addresses(&config), daemon.now()) {
            Ok(told) => told.into_iter().for_each(tell),
            Err(error) => tracing::warn!(%error, "interfaces are not listed: no service address is announced"),
        }
    }
}

/// The addresses that XDP answers for, each once; those that the daemon itself speaks at are the host's own.
fn addresses(config: &Config) -> Vec<IpAddr> {
    let mut addresses: Vec<_> = config.steered().flat_map(|service| service.addresses.iter().copied()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

fn tell((Place { interface, address, .. }, sent): (Place, io::Result<()>)) {
    match sent {
        Ok(()) => tracing::info!(interface, %address, "announced to the neighbours"),
        Err(error) => tracing::warn!(interface, %address, %error, "not announced to the neighbours"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn what_the_daemon_speaks_at_is_not_announced() {
        let text = "\
pools: [{name: upfs, endpoints: [{name: a, addresses: [10.0.0.1]}]}]
services:
  - {name: n3, protocol: gtpu, addresses: [192.0.2.3], pool: upfs}
  - {name: n4, protocol: pfcp, addresses: [192.0.2.4], pool: upfs}
  - {name: dns, protocol: udp, port: 53, addresses: [192.0.2.3], pool: upfs}
";
        let config = config::parse(text.as_bytes(), &config::Host::default()).unwrap().config;
        assert_eq!(addresses(&config), [IpAddr::from([192, 0, 2, 3])]);
    }
}
