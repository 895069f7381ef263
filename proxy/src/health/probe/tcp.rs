//! A TCP connection (RFC 9293 3.5): opened, and closed by RST at once.

use super::{Ends, Reply, stream};

/// Connects; without end, if nothing answers.
pub(super) async fn ask(ends: Ends) -> Reply {
    stream::connect(ends).await.map(drop)
}
