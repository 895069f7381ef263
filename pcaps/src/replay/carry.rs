//! Captured frames as steering takes them: whole Ethernet frames.

use crate::capture::Frame;
use crate::link;

/// The longest frame that is steered: two VLAN tags and the longest IP packet. What is behind that is no part of the packet.
pub(super) const LONGEST: usize = 14 + 2 * 4 + 65_535;

/// What had to be done to a captured frame before it could be steered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Carried {
    /// The capture's snap length cut it; zeros stand for what is missing.
    pub(super) padded: bool,
    /// It is longer than [`LONGEST`], and was cut there.
    pub(super) shortened: bool,
}

/// Puts a captured frame into `out` as Ethernet would carry it, as long as it was on the wire.
///
/// A frame that the capture's snap length cut contradicts its own IP header, and steering would drop it for that; with zeros in
/// place of what is missing it is steered as it was on the wire, since steering reads headers only.
///
/// `None` where its link layer carries no IP or ARP, or is not known.
pub(super) fn carry(frame: &Frame<'_>, out: &mut Vec<u8>) -> Option<Carried> {
    if !link::to_ethernet(frame.link, frame.bytes, out) {
        return None;
    }
    let wire = usize::try_from(frame.wire_len).unwrap_or(usize::MAX);
    let missing = wire.saturating_sub(frame.bytes.len());
    let whole = out.len().saturating_add(missing);
    out.resize(whole.min(LONGEST), 0);
    Some(Carried { padded: missing > 0, shortened: whole > LONGEST })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::LinkType;
    use std::time::Duration;

    fn frame(link: LinkType, wire_len: u32, bytes: &[u8]) -> Frame<'_> {
        Frame { number: 1, time: Duration::ZERO, link, wire_len, bytes }
    }

    #[test]
    fn what_was_cut_is_as_long_as_it_was() {
        let mut out = Vec::new();
        let cut = [0x45; 20];
        let carried = carry(&frame(LinkType::Raw, 100, &cut), &mut out).unwrap();
        assert!(carried.padded && !carried.shortened);
        assert_eq!(out.len(), 114);
        assert_eq!((&out[14..34], &out[34..]), (&cut[..], &[0; 80][..]));
    }

    #[test]
    fn a_claim_of_gigabytes_is_bounded() {
        let mut out = Vec::new();
        let carried = carry(&frame(LinkType::Ethernet, u32::MAX, &[1; 60]), &mut out).unwrap();
        assert!(carried.padded && carried.shortened);
        assert_eq!(out.len(), LONGEST);
    }

    #[test]
    fn an_unknown_link_carries_nothing() {
        let other = frame(LinkType::Other(252), 60, &[1; 60]);
        assert_eq!(carry(&other, &mut Vec::new()), None);
    }
}
