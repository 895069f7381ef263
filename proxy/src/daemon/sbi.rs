//! The SCP among the rest of the daemon.

use std::sync::Arc;
use std::time::Duration;

use super::state::Daemon;
use crate::config::model::Config;
use crate::sbi::{Host, Next, StartError};
use crate::spoken::JournalError;

/// How often it is looked whether certificates changed.
pub(super) const LOOK: Duration = Duration::from_secs(5);

impl Daemon {
    /// Starts the SCP, where there is one: once pins are restored.
    pub(super) async fn begin_sbi(&self) -> Result<(), StartError> {
        let config = Arc::clone(&self.state().config);
        let next = self.ready_sbi(&config).await?;
        self.tell_sbi(next).await;
        Ok(())
    }

    /// Binds and reads what the SCP of a configuration needs; nothing is in force yet.
    pub(super) async fn ready_sbi(&self, config: &Config) -> Result<Option<Next>, StartError> {
        let running = self.sbi.lock().await;
        let next = |sbi| Next::new(sbi, &self.folder.join("sbi"), running.as_ref());
        let next = config.sbi.as_ref().map(next).transpose()?;
        if self.begin_resources(config)? {
            // The store was read when nobody wanted them.
            self.store.restore_again();
        }
        Ok(next)
    }

    /// Has resources that the daemon before pinned be pinned again, where there is an SCP; whether they were not already.
    pub(super) fn begin_resources(&self, config: &Config) -> Result<bool, JournalError> {
        let Some(sbi) = &config.sbi else { return Ok(false) };
        self.resources.begin(&self.folder.join("sbi").join("resources"), sbi.settings.limits.pins)
    }

    /// Puts in force what was made ready; without anything, an SCP that runs answers what is under way, and ends.
    pub(super) async fn tell_sbi(&self, next: Option<Next>) {
        let mut running = self.sbi.lock().await;
        match (next, running.as_mut()) {
            (Some(next), Some(host)) => host.tell(next),
            (Some(next), None) => *running = Some(Host::start(next, self.resources.pins().clone())),
            (None, Some(_)) => {
                tracing::info!("the SCP ends: it is configured no more");
                running.take().map(|host| tokio::spawn(host.end()));
            }
            (None, None) => {}
        }
    }

    /// Has the SCP take leave of the NRF.
    pub(super) async fn leave_sbi(&self) {
        if let Some(host) = self.sbi.lock().await.as_ref() {
            host.leave();
        }
    }

    /// Ends the SCP: it takes no more connections, and waits for what is under way as long as is configured.
    pub(super) async fn end_sbi(&self) {
        let running = self.sbi.lock().await.take();
        if let Some(host) = running {
            host.end().await;
        }
        self.resources.end().await;
    }
}

/// Has new connections meet new certificates where files changed.
pub(super) async fn refresh(daemon: Arc<Daemon>) {
    if let Some(host) = daemon.sbi.lock().await.as_mut() {
        host.refresh();
    }
}
