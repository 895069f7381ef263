#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]
//! What the benches measure against: a program that does nothing, and a balancer written by hand that does the
//! least that any balancer must. IPv4 and UDP alone, no options, no fragments, no state but the flow.

#[path = "../access.rs"]
#[allow(dead_code, reason = "shared with the program, which uses all of it")]
mod access;

use aya_ebpf::bindings::{xdp_action, xdp_md};
use aya_ebpf::macros::{map, xdp};
use aya_ebpf::maps::{Array, HashMap, PerCpuArray};
use aya_ebpf::programs::XdpContext;

/// A flow: addresses, ports, protocol, as they lie in the packet.
#[repr(C)]
pub struct Flow {
    source: u32,
    destination: u32,
    ports: u32,
    protocol: u32,
}

/// An endpoint: address and the link addresses to reach it by.
#[repr(C)]
pub struct Endpoint {
    address: u32,
    gateway: [u8; 6],
    link: [u8; 6],
}

#[map]
static FLOWS: HashMap<Flow, u32> = HashMap::with_max_entries(200_000, 0);
#[map]
static ENDPOINTS: Array<Endpoint> = Array::with_max_entries(1024, 0);
#[map]
static COUNTER: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

/// Does nothing.
#[xdp]
pub fn empty(_ctx: XdpContext) -> u32 {
    xdp_action::XDP_PASS
}

/// Parses, looks up the flow and its endpoint, counts, rewrites, corrects the checksums, transmits.
#[xdp]
pub fn baseline(ctx: XdpContext) -> u32 {
    balance(ctx.ctx).unwrap_or(xdp_action::XDP_PASS)
}

#[inline(always)]
fn balance(ctx: *mut xdp_md) -> Option<u32> {
    // SAFETY: the context is valid for the program's run.
    let (start, end) = unsafe { ((*ctx).data as usize, (*ctx).data_end as usize) };
    let start = access::opaque(start);
    // Ethernet, IPv4, UDP.
    if start + 42 > end {
        return None;
    }
    // SAFETY: 42 bytes were checked.
    let header: [u8; 28] = unsafe { access::read(start + 14) };
    // SAFETY: as above.
    let [a, b]: [u8; 2] = unsafe { access::read(start + 12) };
    if [a, b] != [8, 0] || header[0] != 0x45 || header[9] != 17 {
        return None;
    }
    let word = |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let flow = Flow { source: word(12), destination: word(16), ports: word(20), protocol: 17 };
    // SAFETY: read at once.
    let endpoint = ENDPOINTS.get(*unsafe { FLOWS.get(&flow) }?)?;
    if let Some(counter) = COUNTER.get_ptr_mut(0) {
        // SAFETY: this CPU's own counter.
        unsafe { *counter += 1 };
    }
    let delta = u64::from(!word(16)) + u64::from(endpoint.address);
    // One hop less: the high byte of the big-endian word of TTL and protocol.
    let hop = u64::from(u16::from_ne_bytes([0xfe, 0xff]));
    let ip = update(u16::from_ne_bytes([header[10], header[11]]), delta + hop);
    // SAFETY: 42 bytes were checked.
    unsafe {
        access::write(start, endpoint.gateway);
        access::write(start + 6, endpoint.link);
        access::write(start + 22, [header[8].wrapping_sub(1)]);
        access::write(start + 24, ip.to_ne_bytes());
        access::write(start + 30, endpoint.address.to_ne_bytes());
    }
    // SAFETY: as above.
    let udp: [u8; 2] = unsafe { access::read(start + 40) };
    if udp != [0, 0] {
        // SAFETY: as above.
        unsafe { access::write(start + 40, update(u16::from_ne_bytes(udp), delta).to_ne_bytes()) };
    }
    Some(xdp_action::XDP_TX)
}

#[inline(always)]
fn update(check: u16, delta: u64) -> u16 {
    let sum = u64::from(!check) + delta;
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    !(((sum & 0xffff) + (sum >> 16)) as u16)
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
