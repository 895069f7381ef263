//! Between a peer on a kernel's SCTP and a simulated gNB.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use pinion_simulators::n2::Outside;
use pinion_transport::{Event, Received};

use crate::packets::check::{hex, unhex};
use crate::sctp::{Carried, Peer};

/// Messages of an order: a line that the console of a User-Mode Linux has room for.
const BATCH: usize = 10;

/// Carries what a gNB sends and what comes to it, until it is dropped.
#[derive(Debug)]
pub(super) struct Carrier {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Carrier {
    pub(super) fn start(peer: Peer, name: String, outside: Outside) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ends);
        let thread = Some(thread::spawn(move || carry(peer, &name, outside, &seen)));
        Self { ends, thread }
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // If it panicked, what it carried is found missing.
            let _ = thread.join();
        }
    }
}

fn carry(mut peer: Peer, name: &str, mut outside: Outside, ends: &AtomicBool) {
    while !ends.load(Ordering::Relaxed) {
        let waiting = std::iter::from_fn(|| outside.output());
        let messages: Vec<Carried> =
            waiting.take(BATCH).map(|it| (it.stream, it.protocol, hex(&it.payload))).collect();
        let exchanged = match peer.exchange(name, &messages) {
            Ok(exchanged) => exchanged,
            Err(failure) => {
                eprintln!("{name}: {failure}");
                return outside.came(Event::Lost);
            }
        };
        for (stream, protocol, text) in exchanged.came {
            // What is none is then no message that anybody understands.
            let payload = unhex(&text).unwrap_or_default().into();
            outside.came(Event::Message(Received { stream, sequence: 0, protocol, unordered: false, payload }));
        }
        if let Some(reason) = exchanged.ended {
            eprintln!("{name}: {reason}");
            return outside.came(Event::Lost);
        }
    }
}
