use std::sync::Arc;
use std::time::SystemTime;

use super::{Backoff, Behind, Resources, StoreError};

/// What another node told that it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The resource.
    pub resource: Arc<str>,
    /// What it has of it; `None`: it ended.
    pub value: Option<Vec<u8>>,
    /// When it came to be so.
    pub at: SystemTime,
}

/// What other nodes change in a store, as they change it.
#[tonic::async_trait]
pub trait Feed: Send {
    /// Begins to listen, anew where it did before. What was changed until then is in the store.
    ///
    /// # Errors
    /// [`StoreError::Down`], [`StoreError::Refused`].
    async fn begin(&mut self) -> Result<(), StoreError>;

    /// The next change; after an error it is to begin anew.
    ///
    /// # Errors
    /// [`StoreError::Down`].
    async fn next(&mut self) -> Result<Heard, StoreError>;
}

/// Puts in force what other nodes change, for as long as it is polled. Of one resource the younger holds: where that is what is
/// known here, it is written once more, so that all come to know it, whatever order things reached the store in.
pub(super) async fn listen(
    feed: Option<Box<dyn Feed>>,
    resources: Option<Arc<dyn Resources>>,
    behind: Behind,
    seed: u32,
) {
    let (Some(mut feed), Some(resources)) = (feed, resources) else { return std::future::pending().await };
    let mut backoff = Backoff::new(seed);
    loop {
        let error = match feed.begin().await {
            Ok(()) => {
                backoff.reset();
                if resources.wanted() {
                    // What was told while nobody listened.
                    behind.learn_again();
                }
                hear(&mut *feed, &*resources, &behind).await
            }
            Err(error) => error,
        };
        tracing::debug!(%error, "what other nodes change is heard of later");
        tokio::time::sleep(backoff.wait()).await;
    }
}

async fn hear(feed: &mut dyn Feed, resources: &dyn Resources, behind: &Behind) -> StoreError {
    loop {
        let heard = match feed.next().await {
            Ok(heard) => heard,
            Err(error) => return error,
        };
        match resources.heard(&heard) {
            Ok(None) => {}
            Ok(Some(younger)) => {
                if !behind.push_resource_again(heard.resource, Some(younger)) {
                    behind.ask_again();
                }
            }
            Err(why) => {
                tracing::warn!(resource = %heard.resource, why, "what another node pinned is not known here");
            }
        }
    }
}
