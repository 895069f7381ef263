#![no_std]
#![no_main]
#![feature(asm_experimental_arch, core_intrinsics)]
#![allow(internal_features, reason = "whether an offset is a constant to the compiler has no stable form")]
//! Pinion's XDP program. Nothing decides here: it binds `pinion-steering` to the kernel.

#[macro_use]
mod access;
mod maps;
mod near;
mod packet;
mod tables;

use aya_ebpf::bindings::{xdp_action, xdp_md};
use aya_ebpf::helpers::generated::bpf_redirect;
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use pinion_steering::{Link, Outcome, Rare, Round, Step, Tables as _, Verdict, Work};

use packet::Frame;
use tables::Kernel;

/// The entry at each interface of a path.
#[xdp]
pub fn pinion(ctx: XdpContext) -> u32 {
    let told = common(ctx.ctx);
    if told < RARE {
        return told;
    }
    let Some(work) = maps::WORK.get_ptr_mut(0) else {
        return xdp_action::XDP_ABORTED;
    };
    let told = match general(ctx.ctx, work).wrapping_sub(RARE) {
        r if r == Rare::Place as u32 => place(ctx.ctx, work),
        r if r == Rare::Tunnel as u32 => tunnel(ctx.ctx, work),
        r if r == Rare::Echo as u32 => echo(ctx.ctx, work),
        r if r == Rare::Indication as u32 => relay(ctx.ctx, work),
        r if r == Rare::Classify as u32 => classify(ctx.ctx, work),
        r if r == Rare::Init as u32 => init(ctx.ctx, work),
        r if r == Rare::InitAck as u32 => init_ack(ctx.ctx, work),
        r if r == Rare::Control as u32 => control(ctx.ctx, work),
        r if r == Rare::Reset as u32 => reset(ctx.ctx, work),
        r if r == Rare::Unreachable as u32 => unreachable(ctx.ctx, work),
        r if r == Rare::Follow as u32 => follow(ctx.ctx, work),
        r if r == Rare::Refused as u32 => refused(ctx.ctx, work),
        r if r == Rare::Arp as u32 => arp(ctx.ctx, work),
        r if r == Rare::Solicitation as u32 => solicitation(ctx.ctx, work),
        r => r.wrapping_add(RARE),
    };
    // These are where others end.
    let told = if told == RARE + Rare::OutOfBlue as u32 { out_of_blue(ctx.ctx, work) } else { told };
    let told = if told == RARE + Rare::Parameters as u32 { parameters(ctx.ctx, work) } else { told };
    if told == RARE + Rare::Apply as u32 {
        apply(ctx.ctx, work)
    } else if told == RARE + Rare::Indicate as u32 {
        indicate(ctx.ctx, work)
    } else if told == RARE + Rare::BreakOut as u32 {
        break_out(ctx.ctx, work)
    } else if told == RARE + Rare::Reject as u32 {
        reject(ctx.ctx, work)
    } else {
        told
    }
}

/// Returns the clock's tick: how user space reads it.
#[xdp]
pub fn tick(ctx: XdpContext) -> u32 {
    Kernel::new(ctx.ctx).now()
}

/// Returned by [`common`] for [`general`], and by that plus a rare path's number, where the packet is to be
/// finished there.
const RARE: u32 = 0x100;

/// The common path, in the entry itself: where returns must not be predicted, a call costs a tenth of the packet.
/// So its frame adds to that of every other path.
#[inline(always)]
fn common(ctx: *mut xdp_md) -> u32 {
    let kernel = Kernel::new(ctx);
    let Some(mut frame) = Frame::checked(ctx) else {
        return RARE;
    };
    let step = pinion_steering::steer(&mut frame, &kernel);
    if step.rare == Rare::None { leave(step.outcome) } else { RARE }
}

/// The path of every packet that the common path is not for.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn general(ctx: *mut xdp_md, work: *mut Work) -> u32 {
    // SAFETY: this CPU's own value, or null, which the verifier wants ruled out.
    let Some(work) = (unsafe { work.as_mut() }) else {
        return xdp_action::XDP_ABORTED;
    };
    let kernel = Kernel::new(ctx);
    told(&kernel, pinion_steering::steer_general(&mut Frame::new(ctx), &kernel, work))
}

/// Has an answer leave by redirection where its interface wants that. What is forwarded knows it by its next hop.
#[inline(always)]
fn around(kernel: &Kernel, told: u32) -> u32 {
    if told != xdp_action::XDP_TX || kernel.imagined() {
        return told;
    }
    match kernel.link() {
        // SAFETY: a helper call with plain numbers.
        Some(link) if link.lower & Link::AROUND != 0 => unsafe { bpf_redirect(kernel.ingress(), 0) as u32 },
        _ => told,
    }
}

/// What the entry is told of a step.
#[inline(always)]
fn told(kernel: &Kernel, step: Step) -> u32 {
    match step.rare {
        Rare::None => around(kernel, finish(kernel, step.outcome)),
        path => RARE + path as u32,
    }
}

/// Counts an outcome and turns it into what XDP returns.
#[inline(always)]
fn finish(kernel: &Kernel, outcome: Outcome) -> u32 {
    kernel.count(outcome.reason);
    leave(outcome)
}

/// What XDP returns for an outcome.
#[inline(always)]
fn leave(outcome: Outcome) -> u32 {
    match outcome.verdict {
        Verdict::Pass => xdp_action::XDP_PASS,
        Verdict::Drop => xdp_action::XDP_DROP,
        Verdict::Transmit => xdp_action::XDP_TX,
        // SAFETY: a helper call with plain numbers.
        Verdict::Redirect => unsafe { bpf_redirect(outcome.out & !Link::AROUND, 0) as u32 },
    }
}

/// Declares rare paths as global functions, which the verifier checks once each.
macro_rules! rare {
    ($($name:ident: $path:ident,)+) => {
        $(
            #[doc = concat!("The rare path `", stringify!($path), "`.")]
            #[unsafe(no_mangle)]
            #[inline(never)]
            pub extern "C" fn $name(ctx: *mut xdp_md, work: *mut Work) -> u32 {
                access::used(ctx);
                // SAFETY: the entry's own per-CPU value, or null, which the verifier wants ruled out.
                let Some(work) = (unsafe { work.as_mut() }) else {
                    return xdp_action::XDP_ABORTED;
                };
                let kernel = Kernel::new(ctx);
                told(&kernel, pinion_steering::rare(Rare::$path, &mut Frame::new(ctx), &kernel, work))
            }
        )+
    };
}

rare! {
    apply: Apply,
    place: Place,
    tunnel: Tunnel,
    echo: Echo,
    indicate: Indicate,
    relay: Indication,
    classify: Classify,
    break_out: BreakOut,
    init: Init,
    init_ack: InitAck,
    parameters: Parameters,
    control: Control,
    out_of_blue: OutOfBlue,
    reset: Reset,
    unreachable: Unreachable,
    follow: Follow,
    refused: Refused,
    arp: Arp,
    solicitation: Solicitation,
    reject: Reject,
}

/// Declares the rounds of loops as global functions; they return 1 to end the loop.
macro_rules! rounds {
    ($($name:ident: $round:ident,)+) => {
        $(
            #[doc = concat!("One round of the loop `", stringify!($round), "`.")]
            #[unsafe(no_mangle)]
            #[inline(never)]
            pub extern "C" fn $name(ctx: *mut xdp_md, work: *mut Work) -> u32 {
                access::used(ctx);
                // SAFETY: as for the rare paths.
                let Some(work) = (unsafe { work.as_mut() }) else {
                    return 1;
                };
                u32::from(!pinion_steering::round(Round::$round, &mut Frame::new(ctx), &Kernel::new(ctx), work))
            }
        )+
    };
}

rounds! {
    scan_round: Scan,
    rewrite_round: Rewrite,
    mask_round: Mask,
    extension_round: Extension,
    least_round: Least,
    element_round: Element,
    inner_round: Inner,
    filter_round: Filter,
    sum_round: Sum,
}

/// Far call: a multiplication in GF(2), verified once.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn multiply(a: u32, b: u32) -> u32 {
    pinion_steering::crc32c::multiply(a, b)
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Helpers that only a GPL-compatible program may call are not used, but `bpf_loop` and tracing expect one.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
