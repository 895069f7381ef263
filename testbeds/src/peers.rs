//! Servers that echo with their name in front, and clients that count.

pub mod gtpu;
pub mod pfcp;
pub mod tcp;
pub mod udp;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Deserialize;

/// What became of the messages of a client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Echoes {
    /// Messages sent.
    pub sent: u64,
    /// Messages that came back once and whole.
    pub echoed: u64,
    /// Messages that did not come back.
    pub missing: u64,
    /// Messages that came back twice or otherwise than they were sent.
    pub wrong: u64,
    /// Messages that the own kernel refused to send.
    #[serde(default)]
    pub refused: u64,
    /// Messages that came back before an earlier one of their stream.
    #[serde(default)]
    pub unordered: u64,
    /// How many each server echoed.
    pub identities: BTreeMap<String, u64>,
    /// The longest time between two echoes, in milliseconds.
    #[serde(default)]
    pub longest_gap_ms: u64,
    /// Why the association or connection ended, if it did.
    #[serde(default)]
    pub ended: Option<String>,
}

impl Echoes {
    /// Whether every message came back once, in order, as it was sent.
    #[must_use]
    pub fn whole(&self) -> bool {
        self.sent == self.echoed && self.wrong == 0 && self.unordered == 0 && self.ended.is_none()
    }

    /// Whether one server alone echoed, and which.
    #[must_use]
    pub fn only_identity(&self) -> Option<&str> {
        let mut names = self.identities.keys();
        names.next().filter(|_| names.next().is_none()).map(String::as_str)
    }

    /// Adds what came back to the same client later.
    pub fn add(&mut self, later: Self) {
        self.sent = self.sent.saturating_add(later.sent);
        self.echoed = self.echoed.saturating_add(later.echoed);
        self.missing = self.missing.saturating_add(later.missing);
        self.wrong = self.wrong.saturating_add(later.wrong);
        self.refused = self.refused.saturating_add(later.refused);
        self.unordered = self.unordered.saturating_add(later.unordered);
        self.longest_gap_ms = self.longest_gap_ms.max(later.longest_gap_ms);
        self.ended = self.ended.take().or(later.ended);
        for (name, count) in later.identities {
            let of_name = self.identities.entry(name).or_default();
            *of_name = of_name.saturating_add(count);
        }
    }

    /// Counts what came back for `sent`: nothing, or an echo with a name in front.
    pub(crate) fn count(&mut self, sent: &[u8], back: Option<&[u8]>) {
        self.sent = self.sent.saturating_add(1);
        let Some(back) = back else {
            self.missing = self.missing.saturating_add(1);
            return;
        };
        let mut parts = back.splitn(2, |byte| *byte == SEPARATOR);
        let name = parts.next().unwrap_or_default();
        if parts.next() == Some(sent) {
            self.echoed = self.echoed.saturating_add(1);
            let name = String::from_utf8_lossy(name).into_owned();
            let of_name = self.identities.entry(name).or_default();
            *of_name = of_name.saturating_add(1);
        } else {
            self.wrong = self.wrong.saturating_add(1);
        }
    }
}

/// Between a server's name and what it echoes.
const SEPARATOR: u8 = b'|';
/// How often a waiting thread looks whether it should end.
pub(crate) const TICK: Duration = Duration::from_millis(20);
/// The longest message, in bytes.
pub(crate) const LONGEST: usize = 1 << 16;

pub(crate) fn reply(identity: &str, message: &[u8]) -> Vec<u8> {
    [identity.as_bytes(), &[SEPARATOR], message].concat()
}

/// A message of `size` bytes that no other number's equals, for sizes from 8.
pub(crate) fn message(number: u64, size: usize) -> Vec<u8> {
    let mut bytes = format!("{number:08x}").into_bytes();
    bytes.resize(size.max(bytes.len()), b'.');
    bytes
}

/// Threads that serve until they are told to stop, and what they have served.
#[derive(Debug, Default)]
pub(crate) struct Service {
    pub(crate) state: Arc<State>,
    pub(crate) threads: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    stop: AtomicBool,
    messages: AtomicU64,
}

impl State {
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn count_one(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            // A thread that panicked has stopped too.
            let _ = thread.join();
        }
    }
}
