//! A port that associations are accepted on.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use crate::Association;

/// Accepts associations, until it is dropped; those that it yielded go on.
pub struct Listener {
    port: u16,
    source: Box<dyn Source>,
}

/// Where accepted associations come from.
pub(crate) trait Source: Send {
    /// None where there will be no more.
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<Option<Association>>;
}

impl Listener {
    pub(crate) fn new(port: u16, source: impl Source + 'static) -> Self {
        Self { port, source: Box::new(source) }
    }

    /// Waits for the next association, which is established: its first event says so. None where the
    /// transport has ended.
    pub async fn accept(&mut self) -> Option<Association> {
        poll_fn(|context| self.source.poll_accept(context)).await
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("port", &self.port).finish_non_exhaustive()
    }
}
