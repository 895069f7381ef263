use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::state::Daemon;
use crate::announce::{Announcer, Place};

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
        let mut addresses: Vec<_> = config.services.iter().flat_map(|service| service.addresses.clone()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        match announcer.announce(&interfaces, &addresses, daemon.now()) {
            Ok(told) => told.into_iter().for_each(tell),
            Err(error) => tracing::warn!(%error, "interfaces are not listed: no service address is announced"),
        }
    }
}

fn tell((Place { interface, address, .. }, sent): (Place, io::Result<()>)) {
    match sent {
        Ok(()) => tracing::info!(interface, %address, "announced to the neighbours"),
        Err(error) => tracing::warn!(interface, %address, %error, "not announced to the neighbours"),
    }
}
