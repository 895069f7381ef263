//! What a packet socket is given, as classic BPF (socket(7), SO_ATTACH_FILTER): the kernel drops the rest before it is
//! copied.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use socket2::SockFilter;

use super::ethernet::{ARP, IPV4, IPV6};

const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const JUMP_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// The type of the packet, an extension at an offset of its own; and what it is of one that leaves here.
const PACKET_TYPE: u32 = 0xffff_f004;
const OUTGOING: u32 = 4;

/// Where Ethernet says what it carries, and where what it carries says to whom it goes.
const KIND: u32 = 12;
const TO_V4: u32 = 30;
const TO_V6: u32 = 38;

/// More addresses are too far to jump over: then everything that comes is let through.
const MOST: usize = 32;

const ALL: SockFilter = SockFilter::new(RETURN, 0, 0, u32::MAX);
const NOTHING: SockFilter = SockFilter::new(RETURN, 0, 0, 0);

/// Lets through what does not leave here.
pub(super) const INCOMING: [SockFilter; 4] = [load(LOAD_WORD, PACKET_TYPE), equal(OUTGOING, 0, 1), NOTHING, ALL];

/// Lets through what comes and is ARP, or to one of these addresses.
pub(super) fn only_to(addresses: &[IpAddr]) -> Vec<SockFilter> {
    if addresses.len() > MOST {
        return INCOMING.into();
    }
    let v4 = |address: &IpAddr| if let IpAddr::V4(v4) = address { Some(*v4) } else { None };
    let v6 = |address: &IpAddr| if let IpAddr::V6(v6) = address { Some(*v6) } else { None };
    let to_v4 = to_v4(addresses.iter().filter_map(v4));
    let over = u8::try_from(to_v4.len()).unwrap_or(u8::MAX);
    let mut filter = vec![load(LOAD_WORD, PACKET_TYPE), equal(OUTGOING, 0, 1), NOTHING];
    filter.extend([load(LOAD_HALF, KIND), equal(ARP.into(), 0, 1), ALL, equal(IPV4.into(), 0, over)]);
    filter.extend(to_v4);
    filter.extend([equal(IPV6.into(), 1, 0), NOTHING]);
    filter.extend(to_v6(addresses.iter().filter_map(v6)));
    filter
}

fn to_v4(addresses: impl Iterator<Item = Ipv4Addr>) -> Vec<SockFilter> {
    let each = addresses.flat_map(|address| [equal(address.to_bits(), 0, 1), ALL]);
    std::iter::once(load(LOAD_WORD, TO_V4)).chain(each).chain([NOTHING]).collect()
}

fn to_v6(addresses: impl Iterator<Item = Ipv6Addr>) -> Vec<SockFilter> {
    let each = addresses.flat_map(|address| {
        let words = address.to_bits().to_be_bytes();
        let (words, _) = words.as_chunks::<4>();
        // Past the words behind it, and the end.
        let others = [7, 5, 3, 1];
        let offsets = (TO_V6..).step_by(4);
        let compare = words.iter().zip(others).zip(offsets);
        compare
            .flat_map(|((word, others), at)| [load(LOAD_WORD, at), equal(u32::from_be_bytes(*word), 0, others)])
            .chain([ALL])
            .collect::<Vec<_>>()
    });
    each.chain([NOTHING]).collect()
}

const fn load(width: u16, at: u32) -> SockFilter {
    SockFilter::new(width, 0, 0, at)
}

/// Goes on so many instructions further where the value is that, and where it is another.
const fn equal(value: u32, if_so: u8, otherwise: u8) -> SockFilter {
    SockFilter::new(JUMP_EQUAL, if_so, otherwise, value)
}
