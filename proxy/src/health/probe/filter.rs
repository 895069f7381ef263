//! Classic BPF for raw sockets, so that the kernel copies only what may be an answer (Linux
//! Documentation/networking/filter.rst). A raw IPv4 socket sees the IP header, a raw IPv6 socket does not.

use socket2::SockFilter;

/// Lets the packet through, whole.
pub(super) const ACCEPT: SockFilter = SockFilter::new(0x06, 0, 0, u32::MAX);

/// Lets nothing through.
pub(super) const DROP: SockFilter = SockFilter::new(0x06, 0, 0, 0);

/// Puts the length of the IPv4 header into X, where there is one.
pub(super) fn ip_header(v6: bool) -> Vec<SockFilter> {
    if v6 { Vec::new() } else { vec![SockFilter::new(0xb1, 0, 0, 0)] }
}

/// Loads the byte at `at` behind the IP header.
pub(super) const fn byte(v6: bool, at: u32) -> SockFilter {
    SockFilter::new(if v6 { 0x30 } else { 0x50 }, 0, 0, at)
}

/// Loads the 16-bit number at `at` behind the IP header.
pub(super) const fn half(v6: bool, at: u32) -> SockFilter {
    SockFilter::new(if v6 { 0x28 } else { 0x48 }, 0, 0, at)
}

/// Skips so many instructions where what was loaded is `value`, so many `otherwise`.
pub(super) const fn equal(value: u8, skip: u8, otherwise: u8) -> SockFilter {
    SockFilter::new(0x15, skip, otherwise, value as u32)
}

/// Skips so many instructions where what was loaded is `least` or more, so many `otherwise`.
pub(super) const fn at_least(least: u16, skip: u8, otherwise: u8) -> SockFilter {
    SockFilter::new(0x35, skip, otherwise, least as u32)
}
