//! Messages of the DATA chunks of one direction of an association, whatever of them is seen.

use std::borrow::Cow;
use std::collections::VecDeque;

use foldhash::HashMap;
use pinion_protocols::sctp::Data;

use super::Counts;

/// How far behind the newest a chunk may come.
const WINDOW: u32 = 1024;

/// How far ahead of the newest one may be; what is further away, or too far behind, begins anew.
const FAR: u32 = 1 << 16;

/// The most bytes of fragments: NG Reset of 65,536 UEs has some 750,000 (TS 38.413 9.2.6.11).
const MOST: usize = 1 << 20;

const BITS: u32 = u64::BITS;

/// What was seen of a direction.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    window: Option<Window>,
    fragments: HashMap<u32, Fragment>,
    /// The numbers of fragments as they came; some may be gone.
    order: VecDeque<u32>,
    held: usize,
}

#[derive(Debug)]
struct Fragment {
    beginning: bool,
    end: bool,
    bytes: Box<[u8]>,
}

impl Joiner {
    /// Bytes of fragments.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Takes a chunk: the message that it is, or makes whole. It keeps at the most `room` bytes.
    pub(super) fn take<'a>(&mut self, data: &Data<'a>, room: usize, counts: &mut Counts) -> Option<Cow<'a, [u8]>> {
        let window = self.window.get_or_insert_with(|| Window::new(data.tsn));
        match window.see(data.tsn) {
            Place::Repeated => {
                counts.repeated = counts.repeated.saturating_add(1);
                return None;
            }
            Place::New { missing } => counts.missing = counts.missing.saturating_add(missing),
            Place::Elsewhere => self.clear(counts),
        }
        let (beginning, end) = (data.flags.beginning(), data.flags.end());
        if beginning && end {
            return Some(Cow::Borrowed(data.payload));
        }
        self.leave_behind(counts);
        if self.held.saturating_add(data.payload.len()) > room.min(MOST) {
            self.clear(counts);
            if data.payload.len() > room {
                counts.unjoined = counts.unjoined.saturating_add(1);
                return None;
            }
        }
        self.held = self.held.saturating_add(data.payload.len());
        self.order.push_back(data.tsn);
        self.fragments.insert(data.tsn, Fragment { beginning, end, bytes: data.payload.into() });
        self.join(data.tsn)
    }

    /// The message that a fragment is of, where all of it is there. Its fragments have numbers in a row (RFC 9260 6.9).
    fn join(&mut self, tsn: u32) -> Option<Cow<'static, [u8]>> {
        let back = self.run(tsn, |tsn| tsn.wrapping_sub(1), |fragment| fragment.beginning)?;
        let ahead = self.run(tsn, |tsn| tsn.wrapping_add(1), |fragment| fragment.end)?;
        let mut whole = Vec::new();
        for step in 0..=back.saturating_add(ahead) {
            let fragment = self.fragments.remove(&tsn.wrapping_sub(back).wrapping_add(step))?;
            self.held = self.held.saturating_sub(fragment.bytes.len());
            whole.extend_from_slice(&fragment.bytes);
        }
        Some(Cow::Owned(whole))
    }

    /// How many steps it is from a fragment to the one at the message's end; `None` where one on the way is not there.
    fn run(&self, mut tsn: u32, step: impl Fn(u32) -> u32, is_end: impl Fn(&Fragment) -> bool) -> Option<u32> {
        let mut steps = 0_u32;
        while !is_end(self.fragments.get(&tsn)?) {
            tsn = step(tsn);
            steps = steps.saturating_add(1);
        }
        Some(steps)
    }

    /// Gives up fragments that the window has left behind.
    fn leave_behind(&mut self, counts: &mut Counts) {
        let Some(window) = &self.window else { return };
        while let Some(tsn) = self.order.front()
            && (window.newest.wrapping_sub(*tsn) >= WINDOW || !self.fragments.contains_key(tsn))
        {
            if let Some(fragment) = self.order.pop_front().and_then(|tsn| self.fragments.remove(&tsn)) {
                self.held = self.held.saturating_sub(fragment.bytes.len());
                counts.unjoined = counts.unjoined.saturating_add(1);
            }
        }
    }

    fn clear(&mut self, counts: &mut Counts) {
        counts.unjoined = counts.unjoined.saturating_add(self.fragments.len() as u64);
        self.fragments.clear();
        self.order.clear();
        self.held = 0;
    }
}

/// Which numbers were seen: the newest, and as far as [`WINDOW`] behind it.
#[derive(Debug)]
struct Window {
    newest: u32,
    /// From the newest on, backwards: the lowest bit of the first.
    seen: [u64; (WINDOW / BITS) as usize],
}

enum Place {
    /// It was not seen before, and so many that are now too far behind never were.
    New { missing: u64 },
    /// It was seen, or is older than the first that was.
    Repeated,
    /// It is far from all that were seen, and the window is there now.
    Elsewhere,
}

impl Window {
    /// One that begins with a number: those before it are never missed.
    fn new(first: u32) -> Self {
        let mut seen = [u64::MAX; (WINDOW / BITS) as usize];
        if let Some(word) = seen.first_mut() {
            *word = u64::MAX << 1;
        }
        Self { newest: first, seen }
    }

    fn see(&mut self, tsn: u32) -> Place {
        let ahead = tsn.wrapping_sub(self.newest);
        let behind = self.newest.wrapping_sub(tsn);
        if behind < WINDOW {
            let word = self.seen.get_mut((behind / BITS) as usize);
            let bit = 1_u64 << (behind % BITS);
            return match word {
                Some(word) if *word & bit == 0 => {
                    *word |= bit;
                    Place::New { missing: 0 }
                }
                _ => Place::Repeated,
            };
        }
        if ahead > FAR {
            *self = Self::new(tsn);
            self.see(tsn);
            return Place::Elsewhere;
        }
        let missing = self.shift(ahead);
        self.newest = tsn;
        if let Some(word) = self.seen.first_mut() {
            *word |= 1;
        }
        Place::New { missing }
    }

    /// Moves on by some numbers; how many that were never seen are too far behind now.
    fn shift(&mut self, by: u32) -> u64 {
        let mut missing = u64::from(by.saturating_sub(WINDOW));
        let whole = (by.min(WINDOW) / BITS) as usize;
        for _ in 0..whole {
            let last = self.seen.last().copied().unwrap_or_default();
            missing = missing.saturating_add(u64::from(last.count_zeros()));
            self.seen.rotate_right(1);
            if let Some(first) = self.seen.first_mut() {
                *first = 0;
            }
        }
        let bits = if by >= WINDOW { 0 } else { by % BITS };
        if bits > 0 {
            let mut carried = 0;
            for word in &mut self.seen {
                let out = *word >> BITS.saturating_sub(bits);
                *word = *word << bits | carried;
                carried = out;
            }
            missing = missing.saturating_add(u64::from(bits.saturating_sub(carried.count_ones())));
        }
        missing
    }
}
