use std::sync::Arc;

use tokio::task::JoinHandle;

use super::state::Daemon;
use super::tasks::{self, moment};
use crate::sessions::Adopted;
use crate::store::Writer;

/// Puts back what the store holds and what a daemon before left in the kernel, and pins what is configured, before
/// anybody is told that this one is ready; from then on the store is written behind. A store that does not answer is
/// asked again later, and packets find their pins in the kernel meanwhile.
pub(super) async fn restore(daemon: &Arc<Daemon>, mut writer: Writer) -> JoinHandle<()> {
    // The configuration that pins are compared with stays until all are compared.
    let _one = daemon.reloading.lock().await;
    let names = Arc::clone(&daemon.state().names);
    writer = writer.with(Arc::new(daemon.resources.clone()));
    match writer.restore(&daemon.table, &names, moment()).await {
        Ok(restored) => tracing::info!("{restored}"),
        Err(error) => tracing::warn!(%error, "pins are restored when the store answers"),
    }
    let writing = tasks::write_behind(daemon, writer);
    match daemon.table.adopt(&names).await {
        Ok(adopted) if adopted.pins + adopted.strangers > 0 => {
            let Adopted { pins, strangers } = adopted;
            tracing::info!(pins, strangers, "pins of the daemon before are taken over");
        }
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "pins of the daemon before are not all known"),
    }
    match daemon.pin_tunnels(None).await {
        Ok(0) => {}
        Ok(pins) => tracing::info!(pins, "the configured tunnels are pinned"),
        Err(error) => tracing::error!(%error, "the configured tunnels are not pinned"),
    }
    writing
}
