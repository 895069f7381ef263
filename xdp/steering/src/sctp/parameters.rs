//! The parameters of INIT and INIT ACK (RFC 9260 3.3.2.1, 3.3.3.1): walked, rewritten, masked.

use super::chunk;
use super::digest;
use super::init::Opening;
use crate::{Address, MAX_PATHS, Packet, Reason, Round, STEPS, Step, Tables, Walk, Work, crc32c};

/// Parameter types (RFC 9260 3.2.1, RFC 4820 3, RFC 5061 4.2.7).
mod kind {
    pub(super) const IPV4: u16 = 5;
    pub(super) const IPV6: u16 = 6;
    pub(super) const HOST_NAME: u16 = 11;
    pub(super) const PADDING: u16 = 0x8005;
    pub(super) const EXTENSIONS: u16 = 0x8008;
}

/// How many parameters are walked.
const MOST: u32 = 64;

/// How many words of a list of chunk types are walked: all 256 of them.
const MOST_WORDS: u32 = 64;

/// Checks every parameter and stores nothing: the digest of the addresses, beginning with `source`, and
/// where the supported extensions are, stay in the walk.
#[inline(always)]
pub(super) fn scan_all<P: Packet, T: Tables>(
    packet: &mut P,
    tables: &T,
    work: &mut Work,
    opening: &Opening,
    source: u32,
) -> Result<(), Reason> {
    // Field by field: the compiler would have all others zeroed by a function, byte by byte.
    let walk = &mut work.walk;
    walk.at = opening.parameters;
    walk.end = opening.end;
    walk.tail = opening.tail;
    walk.digest = source;
    walk.extensions = 0;
    walk.crc = 0;
    walk.path = 0;
    walk.failed = 0;
    packet.repeat(MOST / STEPS, Round::Scan, tables, work);
    work.walk.result()?;
    if work.walk.at < work.walk.end { Err(Reason::ParameterCount) } else { Ok(()) }
}

/// One parameter.
#[inline(always)]
pub(crate) fn scan<P: Packet>(packet: &P, work: &mut Work) -> bool {
    let walk = &mut work.walk;
    if walk.at >= walk.end {
        return false;
    }
    let (kind, length) = match header(packet, walk) {
        Ok(header) => header,
        Err(reason) => return walk.fail(reason),
    };
    let at = walk.at as usize;
    match kind {
        kind::IPV4 if length == 8 => match packet.load::<4>(at + 4) {
            Some(octets) => walk.digest = walk.digest.min(digest(&Address::v4(octets))),
            None => return walk.fail(Reason::ParameterLength),
        },
        kind::IPV6 if length == 20 => match packet.load::<16>(at + 4) {
            Some(octets) => walk.digest = walk.digest.min(digest(&Address::v6(octets))),
            None => return walk.fail(Reason::ParameterLength),
        },
        kind::IPV4 | kind::IPV6 => return walk.fail(Reason::ParameterLength),
        kind::HOST_NAME => return walk.fail(Reason::HostName),
        kind::EXTENSIONS => {
            walk.extensions = walk.at;
            walk.extensions_end = walk.at + length;
        }
        _ => {}
    }
    walk.at += padded(length);
    true
}

/// Type and length of the parameter that the walk is at, which lies within its chunk.
#[inline(always)]
fn header<P: Packet>(packet: &P, walk: &Walk) -> Result<(u16, u32), Reason> {
    let [a, b, c, d] = packet.load::<4>(walk.at as usize).ok_or(Reason::ParameterLength)?;
    let length = u16::from_be_bytes([c, d]) as u32;
    if length < 4 || length > walk.end.wrapping_sub(walk.at) {
        return Err(Reason::ParameterLength);
    }
    Ok((u16::from_be_bytes([a, b]), length))
}

#[inline(always)]
const fn padded(length: u32) -> u32 {
    (length + 3) & !3
}

/// Rewrites the parameters of a chunk that was scanned and pinned.
#[inline(always)]
pub(crate) fn parameters<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Step {
    if work.facts.kind == chunk::INIT_ACK {
        // The service's addresses, in place of the endpoint's.
        packet.repeat(MOST / STEPS, Round::Rewrite, tables, work);
    }
    let rewritten = work.walk.result().and_then(|()| mask_all(packet, tables, work));
    work.plan.crc = work.walk.crc;
    Step::planned(rewritten)
}

/// One parameter.
#[inline(always)]
pub(crate) fn rewrite<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> bool {
    let walk = &mut work.walk;
    if walk.at >= walk.end {
        return false;
    }
    let (kind, length) = match header(packet, walk) {
        Ok(header) => header,
        Err(reason) => return walk.fail(reason),
    };
    let done = match kind {
        kind::IPV4 => ipv4(packet, tables, walk),
        kind::IPV6 => ipv6(packet, tables, walk),
        _ => Ok(()),
    };
    match done {
        Ok(()) => {
            walk.at += padded(length);
            true
        }
        Err(reason) => walk.fail(reason),
    }
}

#[inline(always)]
fn ipv4<P: Packet, T: Tables>(packet: &mut P, tables: &T, walk: &mut Walk) -> Result<(), Reason> {
    let octets = packet.load::<4>(walk.at as usize + 4).ok_or(Reason::ParameterLength)?;
    match counterpart(tables, walk, &Address::v4(octets))? {
        Some(own) => put(packet, tables, walk, walk.at + 4, own.low()),
        None => {
            pad(packet, tables, walk, 8)?;
            put(packet, tables, walk, walk.at + 4, [0; 4])
        }
    }
}

#[inline(always)]
fn ipv6<P: Packet, T: Tables>(packet: &mut P, tables: &T, walk: &mut Walk) -> Result<(), Reason> {
    let octets = packet.load::<16>(walk.at as usize + 4).ok_or(Reason::ParameterLength)?;
    let own = match counterpart(tables, walk, &Address::v6(octets))? {
        Some(own) => own,
        None => {
            pad(packet, tables, walk, 20)?;
            Address::default()
        }
    };
    let [a, b, c, d] = own.0.map(u32::to_ne_bytes);
    put(packet, tables, walk, walk.at + 4, a)?;
    put(packet, tables, walk, walk.at + 8, b)?;
    put(packet, tables, walk, walk.at + 12, c)?;
    put(packet, tables, walk, walk.at + 16, d)
}

/// Turns a parameter's header into that of a padding parameter of the same length (RFC 4820 4).
#[inline(always)]
fn pad<P: Packet, T: Tables>(packet: &mut P, tables: &T, walk: &mut Walk, length: u16) -> Result<(), Reason> {
    let ([a, b], [c, d]) = (kind::PADDING.to_be_bytes(), length.to_be_bytes());
    put(packet, tables, walk, walk.at, [a, b, c, d])
}

/// The service's address for one of the endpoint's: that of the same path, or of the first path, if it is
/// of the same family. Addresses come in the order of their paths, mostly: the next path is tried first.
#[inline(always)]
fn counterpart<T: Tables>(tables: &T, walk: &mut Walk, address: &Address) -> Result<Option<Address>, Reason> {
    let is_on = |path: u32| {
        let theirs = tables.target(walk.endpoint.wrapping_add(path))?;
        (path < theirs.paths as u32 && theirs.address == *address).then_some(path)
    };
    let path = match is_on(walk.path) {
        Some(path) => path,
        None => (0..MAX_PATHS as u32).find_map(is_on).unwrap_or(0),
    };
    walk.path = path.wrapping_add(1);
    let found = tables.target(walk.own.wrapping_add(path)).ok_or(Reason::Inconsistent)?.address;
    Ok((found.is_v4() == address.is_v4()).then_some(found))
}

/// Takes ASCONF out of the chunk types that an end says it supports (RFC 5061 4.2.7), in a chunk that was scanned.
///
/// A later ASCONF would carry addresses that steering cannot rewrite when it is authenticated; so it is
/// prevented at the handshake. Its place in the list is taken by a duplicate of another type.
#[inline(always)]
fn mask_all<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Result<(), Reason> {
    let begin = work.walk.extensions;
    if begin == 0 {
        return Ok(());
    }
    work.walk.end = work.walk.extensions_end;
    work.walk.at = begin + 4;
    work.walk.other = chunk::ASCONF;
    work.walk.stores = 0;
    packet.repeat(MOST_WORDS / STEPS, Round::Mask, tables, work);
    if work.walk.other == chunk::ASCONF {
        // Nothing else is listed: the whole parameter becomes padding, whose contents mean nothing.
        work.walk.at = begin;
        let length = work.walk.end.wrapping_sub(begin) as u16;
        return pad(packet, tables, &mut work.walk, length);
    }
    work.walk.at = begin + 4;
    work.walk.stores = 1;
    packet.repeat(MOST_WORDS / STEPS, Round::Mask, tables, work);
    work.walk.result()
}

/// One word of four chunk types.
#[inline(always)]
pub(crate) fn mask<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> bool {
    let walk = &mut work.walk;
    if walk.at >= walk.end {
        return false;
    }
    let Some(old) = packet.load::<4>(walk.at as usize) else {
        return walk.fail(Reason::ParameterLength);
    };
    let room = walk.end.wrapping_sub(walk.at);
    let mut other = walk.other;
    let new = [
        masked(old[0], true, walk.stores, &mut other),
        masked(old[1], room > 1, walk.stores, &mut other),
        masked(old[2], room > 2, walk.stores, &mut other),
        masked(old[3], room > 3, walk.stores, &mut other),
    ];
    walk.other = other;
    if new != old
        && let Err(reason) = put(packet, tables, walk, walk.at, new)
    {
        return walk.fail(reason);
    }
    walk.at += 4;
    true
}

/// What stands in a list of chunk types in place of `old`.
#[inline(always)]
const fn masked(old: u8, listed: bool, stores: u8, other: &mut u8) -> u8 {
    if !listed {
        return old;
    }
    if !matches!(old, chunk::ASCONF | chunk::ASCONF_ACK) {
        *other = old;
        return old;
    }
    if stores != 0 { *other } else { old }
}

/// Stores a word inside a chunk, and corrects the checksum for it.
#[inline(always)]
fn put<P: Packet, T: Tables>(
    packet: &mut P,
    tables: &T,
    walk: &mut Walk,
    at: u32,
    new: [u8; 4],
) -> Result<(), Reason> {
    let old = packet.load::<4>(at as usize).ok_or(Reason::ParameterLength)?;
    let behind = walk.tail.wrapping_sub(at) as usize;
    walk.crc ^= crc32c::correction(tables, u32::from_le_bytes(old), u32::from_le_bytes(new), behind)
        .ok_or(Reason::TooBig)?;
    packet.store(at as usize, new).ok_or(Reason::ParameterLength)
}
