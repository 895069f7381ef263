//! What happens in an SCP beside its answers, counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::micros;

macro_rules! events {
    ($($kind:literal { $($(#[$doc:meta])* $variant:ident $outcome:literal,)* })*) => {
        /// Something that happens, and what came of it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event {
            $($($(#[$doc])* $variant,)*)*
        }

        impl Event {
            /// Every one.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// What happened, and what came of it, as they are written.
            #[must_use]
            pub const fn name(self) -> (&'static str, &'static str) {
                match self {
                    $($(Self::$variant => ($kind, $outcome),)*)*
                }
            }
        }
    };
}

events! {
    "search" {
        /// The NRF was asked, and answered.
        SearchAnswered "answered",
        /// What is remembered held.
        SearchRemembered "remembered",
        /// What held before served, the NRF giving no answer in time.
        SearchStale "stale",
        /// The NRF refused.
        SearchRefused "refused",
        /// No NRF answered.
        SearchFailed "failed",
    }
    "token" {
        /// An NRF granted it.
        TokenGranted "granted",
        /// One that was granted before was used.
        TokenRemembered "remembered",
        /// The NRF granted none.
        TokenDenied "denied",
        /// No NRF answered.
        TokenFailed "failed",
        /// A producer did not take it.
        TokenRejected "rejected",
    }
    "notice" {
        /// The NRF told of a change, where it was asked to.
        NoticeTaken "taken",
        /// Somebody told of one elsewhere: it is not believed.
        NoticeStrange "strange",
    }
    "dial" {
        /// A connection to a next hop was made.
        DialConnected "connected",
        /// Its name has no address.
        DialNameless "nameless",
        /// It could not be connected to.
        DialRefused "refused",
        /// TLS did not come about.
        DialUntrusted "untrusted",
        /// It took too long.
        DialLate "late",
    }
    "retry" {
        /// There could have been another attempt, but for the budget.
        RetryUnpaid "unpaid",
    }
    "pin" {
        /// A resource was made, and stays where it is.
        PinMade "made",
        /// A resource ended.
        PinEnded "ended",
        /// There was no room for one more, and this one was least asked for.
        PinGivenUp "given-up",
    }
    "overload" {
        /// A request was not sent to a producer that asked to be spared.
        OverloadSpared "spared",
        /// A client was told to send less.
        OverloadTold "told",
        /// A producer answered 429 or 503 and said for how long (Retry-After): what is for anybody goes to others.
        OverloadRests "rests",
    }
    "client" {
        /// There were as many connections of clients as there may be.
        ClientTooMany "too-many",
        /// TLS did not come about: its certificate is not of those that count, for one.
        ClientUntrusted "untrusted",
        /// It did not say within the time for it how it wants to speak.
        ClientLate "late",
        /// All that may be buffered was promised to others: it may send no more at a time than the least.
        ClientNarrow "narrow",
        /// It took back too much of what it asked (CVE-2023-44487).
        ClientResets "resets",
        /// It broke the protocol, or sent what is too much by it: floods of frames, headers without end (RFC 9113 10.5).
        ClientBroke "protocol",
    }
    "redirect" {
        /// A producer's was followed for the client.
        RedirectFollowed "followed",
    }
}

/// How often each happened. Copies share the counts.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: Arc<Counts>,
}

#[derive(Debug)]
struct Counts {
    events: [AtomicU64; Event::ALL.len()],
    searched: AtomicU64,
}

impl Default for Counts {
    fn default() -> Self {
        Self { events: [const { AtomicU64::new(0) }; Event::ALL.len()], searched: AtomicU64::new(0) }
    }
}

impl Tally {
    /// It happened once more.
    pub fn one(&self, event: Event) {
        if let Some(count) = self.counts.events.get(event as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// An NRF took so long to answer a search, or not to.
    pub(crate) fn searched(&self, took: Duration) {
        self.counts.searched.fetch_add(micros(took), Ordering::Relaxed);
    }

    /// Microseconds that searches of NRFs took together.
    #[must_use]
    pub fn search_micros(&self) -> u64 {
        self.counts.searched.load(Ordering::Relaxed)
    }

    /// How often it happened.
    #[must_use]
    pub fn count(&self, of: Event) -> u64 {
        self.counts.events.get(of as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_has_its_own_name_and_count() {
        let tally = Tally::default();
        let mut names: Vec<_> = Event::ALL.iter().map(|it| it.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Event::ALL.len());
        for (index, event) in Event::ALL.iter().enumerate() {
            (0..index).for_each(|_| tally.one(*event));
        }
        let counts: Vec<_> = Event::ALL.iter().map(|it| tally.count(*it)).collect();
        assert_eq!(counts, (0..Event::ALL.len() as u64).collect::<Vec<_>>());
    }
}
