use std::collections::HashSet;
use std::sync::Arc;

use pinion_loader::LoadError;
use pinion_loader::sweep::{Doom, Sweeper};

use super::state::Daemon;

/// How many flows are looked at while nobody else is at the tables.
const STRIDE: usize = 128;

impl Daemon {
    /// Ends sessions of endpoints, given as `POOL/NAME`; how many sessions of the packet path went.
    ///
    /// # Errors
    /// Where the kernel refuses; some sessions may have ended.
    pub(super) async fn end(&self, endpoints: &HashSet<String>, doom: Doom) -> Result<usize, LoadError> {
        let names = Arc::clone(&self.state().names);
        let mut sweeper = Sweeper::dooming(names.targets(endpoints), doom);
        let mut ended = 0;
        loop {
            let (back, swept) = self
                .path
                .quick(move |path| {
                    let swept = sweeper.step(path.maps_mut(), STRIDE);
                    (sweeper, swept)
                })
                .await;
            let swept = swept?;
            ended += swept.ended.len();
            if swept.done {
                return Ok(ended);
            }
            sweeper = back;
            tokio::task::yield_now().await;
        }
    }
}
