use std::collections::VecDeque;

use pinion_steering::Heard;

use crate::{Copied, Copies};

/// How many bytes the ring has.
const RING: usize = 1 << 20;

/// What the kernel writes before an entry (Documentation/bpf/ringbuf.rst), and what its length is a multiple of.
const HEADER: usize = 8;

/// Copies of packets that are listened to, as many as there would be room for in the kernel.
#[derive(Default)]
pub(super) struct Ring {
    entries: VecDeque<Copied>,
    used: usize,
    pub(super) counted: Copies,
}

impl Ring {
    /// Takes a copy, if there is room for it.
    pub(super) fn push(&mut self, copied: Copied) {
        let used = self.used.saturating_add(size(&copied));
        // One byte stays free, so that full is not empty.
        if used >= RING {
            self.counted.lost = self.counted.lost.saturating_add(1);
            return;
        }
        self.used = used;
        self.counted.made = self.counted.made.saturating_add(1);
        self.entries.push_back(copied);
    }

    /// Hands out the oldest.
    pub(super) fn take(&mut self, most: usize) -> Vec<Copied> {
        let taken: Vec<Copied> = self.entries.drain(..most.min(self.entries.len())).collect();
        self.used = self.used.saturating_sub(taken.iter().map(size).sum());
        taken
    }
}

fn size(copied: &Copied) -> usize {
    (HEADER + size_of::<Heard>()).saturating_add(copied.bytes.len()).next_multiple_of(HEADER)
}
