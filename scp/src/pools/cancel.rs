//! Requests that nobody waits for any more. So many streams a second are reset; of more than that the answers are taken and thrown
//! away, or where content is missing the resets come later: who resets many has its connections closed by its peer
//! (CVE-2023-44487), and with them the requests of others.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use h2::client::ResponseFuture;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

use super::connection::Held;
use crate::pump::Pump;

/// Streams of one connection that may be reset in a second.
const MOST: u32 = 10;

/// How long a reset waits for its turn, and how often it looks. By then the peer has looked at the stream.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(100);

/// What may be reset of a connection's streams.
#[derive(Debug, Default)]
pub(super) struct Resets {
    state: Mutex<(Option<Instant>, u32)>,
}

impl Resets {
    /// Whether another may be, now.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, taken) = &mut *state;
        if since.is_none_or(|since| now.saturating_duration_since(since) >= Duration::from_secs(1)) {
            (*since, *taken) = (Some(now), 0);
        }
        *taken = taken.saturating_add(1);
        *taken <= MOST
    }
}

/// Takes the answer to a request, for at most so long, and throws it away; the stream counts until then.
pub(super) fn let_end(response: ResponseFuture, held: Held, most: Duration) {
    // Without a runtime all ends anyway.
    let Ok(runtime) = Handle::try_current() else { return };
    runtime.spawn(async move {
        let whole = async {
            let Ok(response) = response.await else { return };
            let mut content = response.into_body();
            while let Some(Ok(data)) = content.data().await {
                let _ = content.flow_control().release_capacity(data.len());
            }
        };
        let _ = timeout(most, whole).await;
        drop(held);
    });
}

/// Resets a stream when it may be; it counts until then.
pub(super) fn reset_later(response: ResponseFuture, pump: Box<Pump>, held: Held) {
    let Ok(runtime) = Handle::try_current() else { return };
    runtime.spawn(async move {
        let begun = Instant::now();
        loop {
            sleep(PAUSE).await;
            if held.connection.resets.take(Instant::now()) || begun.elapsed() >= PATIENCE {
                break;
            }
        }
        drop((response, pump));
        drop(held);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_a_second() {
        let (resets, now) = (Resets::default(), Instant::now());
        let taken = |at| (0..50).filter(|_| resets.take(at)).count();
        assert_eq!(taken(now), 10);
        assert_eq!(taken(now + Duration::from_millis(900)), 0);
        assert_eq!(taken(now + Duration::from_secs(1)), 10);
    }
}
