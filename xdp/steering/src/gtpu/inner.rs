//! What is in a tunnel: the headers of a user's packet.

use super::relay::open;
use crate::facts::{FRAGMENT, extension_size, is_extension};
use crate::values::Filter;
use crate::{Address, Packet, Reason, Round, Tables, Work, protocol};

/// How many IPv6 extension headers of a user's packet are walked.
const EXTENSIONS: u32 = 8;

/// What the headers of a user's packet say. Offsets are from the Ethernet header's first byte.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Inner {
    /// Where it is from.
    pub source: Address,
    /// Where it is sent.
    pub destination: Address,
    /// Source port; 0 where there is none.
    pub source_port: u16,
    /// Destination port; 0 where there is none.
    pub destination_port: u16,
    /// Offset of its IP header.
    pub at: u32,
    /// Length of the IP packet.
    pub length: u32,
    /// The filter that is next, by [`crate::FilterKey::at`].
    pub next: u32,
    /// Index in `TARGETS` of where the filter that matched sends it.
    pub target: u32,
    /// The TEID that the filter gives it; 0: it leaves its tunnel.
    pub teid: u32,
    /// Transport protocol.
    pub protocol: u8,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// Type of service, or traffic class.
    pub class: u8,
    /// Whether it is IPv6.
    pub v6: u8,
    /// Whether its ports are known: it has some, and is not a fragment behind the first.
    pub ported: u8,
    /// Whether a filter matched.
    pub matched: u8,
    /// Zero.
    pub reserved: [u8; 2],
}

impl Inner {
    /// Whether a filter is for it.
    #[inline(always)]
    fn is_for(&self, filter: &Filter) -> bool {
        let ports = self.ported != 0 || filter.any_port();
        (filter.protocol == 0 || filter.protocol == self.protocol)
            && ports
            && within(self.source_port, filter.source_ports)
            && within(self.destination_port, filter.destination_ports)
            && filter.source.holds(filter.source_bits, &self.source)
            && filter.destination.holds(filter.destination_bits, &self.destination)
    }
}

#[inline(always)]
const fn within(port: u16, [first, last]: [u16; 2]) -> bool {
    first <= port && port <= last
}

/// Reads the user's packet; `None` where it is no IP packet, or not whole.
#[inline(always)]
pub(super) fn read<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Option<()> {
    open(packet, tables, work).ok()?;
    let at = work.walk.at as usize;
    let room = work.walk.end.wrapping_sub(work.walk.at);
    let inner = &mut work.inner;
    inner.at = at as u32;
    inner.source_port = 0;
    inner.destination_port = 0;
    inner.ported = 0;
    let whole = match packet.byte(at)? >> 4 {
        4 => ipv4(packet, work)?,
        6 => ipv6(packet, tables, work)?,
        _ => return None,
    };
    let inner = &mut work.inner;
    // The rest may be in another fragment of the tunnel's packet.
    if inner.length > room && work.facts.fragment == 0 {
        return None;
    }
    let has_ports = matches!(inner.protocol, protocol::TCP | protocol::UDP | protocol::SCTP);
    let end = (inner.at + inner.length).min(work.walk.end);
    if whole && has_ports && work.walk.at + 4 <= end {
        let [a, b, c, d] = packet.load(work.walk.at as usize)?;
        inner.source_port = u16::from_be_bytes([a, b]);
        inner.destination_port = u16::from_be_bytes([c, d]);
        inner.ported = 1;
    }
    Some(())
}

/// Whether its transport header is there.
#[inline(always)]
fn ipv4<P: Packet>(packet: &P, work: &mut Work) -> Option<bool> {
    let at = work.walk.at as usize;
    let header = packet.load::<20>(at)?;
    let length = (header[0] & 0x0f) as u32 * 4;
    let inner = &mut work.inner;
    inner.v6 = 0;
    inner.class = header[1];
    inner.length = u16::from_be_bytes([header[2], header[3]]) as u32;
    inner.ttl = header[8];
    inner.protocol = header[9];
    inner.source = Address::v4([header[12], header[13], header[14], header[15]]);
    inner.destination = Address::v4([header[16], header[17], header[18], header[19]]);
    if length < 20 || inner.length < length {
        return None;
    }
    work.walk.at += length;
    Some(u16::from_be_bytes([header[6], header[7]]) & 0x1fff == 0)
}

/// As [`ipv4`]: what is behind the extension headers.
#[inline(always)]
fn ipv6<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Option<bool> {
    let at = work.walk.at as usize;
    let [a, b, _, _, c, d, next, ttl] = packet.load::<8>(at)?;
    let inner = &mut work.inner;
    inner.v6 = 1;
    inner.class = (a << 4) | (b >> 4);
    inner.length = u16::from_be_bytes([c, d]) as u32 + 40;
    inner.ttl = ttl;
    inner.protocol = next;
    inner.source = Address::v6(packet.load(at + 8)?);
    inner.destination = Address::v6(packet.load(at + 24)?);
    // On no wire (RFC 4291 2.5.5.2); here it would be taken for the IPv4 address.
    if inner.source.is_v4() || inner.destination.is_v4() {
        return None;
    }
    work.walk.at += 40;
    work.walk.failed = 0;
    packet.repeat(EXTENSIONS, Round::Inner, tables, work);
    Some(work.walk.failed == 0)
}

/// Steps over an extension header of a user's IPv6 packet.
#[inline(always)]
pub(crate) fn extension<P: Packet>(packet: &P, work: &mut Work) -> bool {
    let (inner, walk) = (&mut work.inner, &mut work.walk);
    let kind = inner.protocol;
    if !is_extension(kind) {
        return false;
    }
    let Some([next, length, a, b]) = packet.load::<4>(walk.at as usize) else {
        return walk.fail(Reason::IpTruncated);
    };
    let size = extension_size(kind, length);
    if size > walk.end.wrapping_sub(walk.at) {
        return walk.fail(Reason::IpLength);
    }
    inner.protocol = next;
    walk.at += size;
    if kind == FRAGMENT && u16::from_be_bytes([a, b]) & 0xfff8 != 0 {
        return walk.fail(Reason::Fragment);
    }
    true
}

/// Asks one filter; the first that matches is the last.
#[inline(always)]
pub(crate) fn filter<T: Tables>(tables: &T, work: &mut Work) -> bool {
    let inner = &mut work.inner;
    let key = crate::FilterKey { address: work.facts.destination, teid: work.facts.word, at: inner.next };
    let Some(filter) = tables.filter(&key) else {
        return false;
    };
    inner.next += 1;
    if !inner.is_for(&filter) {
        return true;
    }
    inner.matched = 1;
    inner.target = filter.target;
    inner.teid = filter.teid;
    false
}
