//! Packets that come in fragments (RFC 791 3.2, RFC 8200 4.5).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pinion_protocols::ip::Fragment;

use crate::Time;

/// Packets that are put together at a time; the oldest makes room.
const MOST: usize = 64;
/// How long the rest of one is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest payload of a packet, bytes.
const LARGEST: usize = 65_535;

/// Source, destination, protocol and identification.
type Name = (IpAddr, IpAddr, u8, u32);

/// What there is of packets that are not whole yet.
#[derive(Debug, Default)]
pub(super) struct Reassembly {
    partial: BTreeMap<Name, Partial>,
}

#[derive(Debug)]
struct Partial {
    since: Time,
    /// By where they begin.
    pieces: BTreeMap<usize, Bytes>,
    held: usize,
    /// Where the packet ends, once its last piece is there.
    end: Option<usize>,
}

impl Reassembly {
    /// Takes a fragment; the whole payload, if it was the last that was missing. Pieces that overlap spoil
    /// their packet (RFC 5722 4).
    pub(super) fn take(
        &mut self,
        now: Time,
        (source, destination, protocol): (IpAddr, IpAddr, u8),
        fragment: &Fragment,
        payload: &[u8],
    ) -> Option<Bytes> {
        self.partial.retain(|_, partial| now.since(partial.since) < PATIENCE);
        let name = (source, destination, protocol, fragment.identification);
        if self.partial.len() >= MOST && !self.partial.contains_key(&name) {
            let oldest = self.partial.iter().min_by_key(|(_, partial)| partial.since).map(|(name, _)| *name);
            self.partial.remove(&oldest?);
        }
        let new = || Partial { since: now, pieces: BTreeMap::new(), held: 0, end: None };
        let partial = self.partial.entry(name).or_insert_with(new);
        if !partial.add(fragment, payload) {
            self.partial.remove(&name);
            return None;
        }
        if partial.end != Some(partial.held) {
            return None;
        }
        let whole = self.partial.remove(&name)?;
        let mut bytes = BytesMut::with_capacity(whole.held);
        whole.pieces.values().for_each(|piece| bytes.extend_from_slice(piece));
        Some(bytes.freeze())
    }
}

impl Partial {
    /// Adds a piece; false where it fits no packet with the others.
    fn add(&mut self, fragment: &Fragment, payload: &[u8]) -> bool {
        let start = usize::from(fragment.offset);
        let end = start.saturating_add(payload.len());
        if payload.is_empty() || end > LARGEST || (fragment.more && !payload.len().is_multiple_of(8)) {
            return false;
        }
        let before = self.pieces.range(..=start).next_back();
        if before.is_some_and(|(at, piece)| *at == start && piece.len() == payload.len()) {
            // It came twice.
            return true;
        }
        let overlaps = before.is_some_and(|(at, piece)| at.saturating_add(piece.len()) > start)
            || self.pieces.range(start..).next().is_some_and(|(at, _)| *at < end);
        if !fragment.more {
            if self.end.is_some() {
                return false;
            }
            self.end = Some(end);
        }
        let last = self.pieces.last_key_value().map_or(0, |(at, piece)| at.saturating_add(piece.len()));
        if overlaps || self.end.is_some_and(|all| last.max(end) > all) {
            return false;
        }
        self.held = self.held.saturating_add(payload.len());
        self.pieces.insert(start, Bytes::copy_from_slice(payload));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn address(last: u8) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, last))
    }

    const ENDS: (IpAddr, IpAddr, u8) = (address(1), address(2), 132);

    fn piece(identification: u32, offset: u16, more: bool) -> Fragment {
        Fragment { identification, offset, more }
    }

    #[test]
    fn pieces_in_any_order_and_twice_make_a_packet() {
        let mut reassembly = Reassembly::default();
        let mut take = |fragment, payload: &[u8]| reassembly.take(Time::ZERO, ENDS, &fragment, payload);
        assert_eq!(take(piece(1, 16, false), b"end"), None);
        assert_eq!(take(piece(2, 0, true), b"another."), None);
        assert_eq!(take(piece(1, 0, true), b"01234567"), None);
        assert_eq!(take(piece(1, 0, true), b"01234567"), None);
        assert_eq!(take(piece(1, 8, true), b"89abcdef"), Some(Bytes::from_static(b"0123456789abcdefend")));
        assert_eq!(take(piece(2, 8, false), b"!"), Some(Bytes::from_static(b"another.!")));
    }

    #[test]
    fn rfc5722_4_pieces_that_overlap_spoil_their_packet() {
        for (second, payload) in [(piece(1, 8, true), 16), (piece(1, 0, true), 24), (piece(1, 24, true), 8)] {
            let mut reassembly = Reassembly::default();
            assert_eq!(reassembly.take(Time::ZERO, ENDS, &piece(1, 16, false), &[0; 3]), None);
            assert_eq!(reassembly.take(Time::ZERO, ENDS, &second, &vec![0; payload]), None);
            assert!(reassembly.partial.is_empty());
        }
    }

    #[test]
    fn what_stays_away_is_not_waited_for_forever_and_few_are() {
        let mut reassembly = Reassembly::default();
        for identification in 0..1000 {
            reassembly.take(Time::ZERO, ENDS, &piece(identification, 0, true), &[0; 8]);
        }
        assert_eq!(reassembly.partial.len(), MOST);
        let late = Time::ZERO.after(PATIENCE);
        assert_eq!(reassembly.take(late, ENDS, &piece(999, 8, false), &[0; 8]), None);
        assert_eq!(reassembly.partial.len(), 1);
    }
}
