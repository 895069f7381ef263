use core::ffi::c_void;

use aya_ebpf::bindings::xdp_md;
use aya_ebpf::helpers::generated::{bpf_loop, bpf_xdp_adjust_head, bpf_xdp_adjust_tail, bpf_xdp_get_buff_len};
use pinion_steering::{Packet, REACH, Round, Tables, Work};

use crate::access::{self, opaque};
use crate::near::{self, NEAR};

/// The packet under the XDP context; of a `CHECKED` one the first [`NEAR`] bytes are there, from `start` on.
pub struct Frame<const CHECKED: bool = false> {
    ctx: *mut xdp_md,
    start: usize,
}

impl Frame {
    #[inline(always)]
    pub fn new(ctx: *mut xdp_md) -> Self {
        Self { ctx, start: 0 }
    }
}

impl Frame<true> {
    /// `None` where the packet is shorter than [`NEAR`]. For a path that does not move the packet's start.
    #[inline(always)]
    pub fn checked(ctx: *mut xdp_md) -> Option<Self> {
        let frame = Self { ctx, start: opaque(start(ctx)) };
        (frame.start + NEAR <= end(ctx)).then_some(frame)
    }
}

#[inline(always)]
fn start(ctx: *mut xdp_md) -> usize {
    // SAFETY: the context is valid for the program's run.
    unsafe { core::ptr::read_volatile(&raw const (*ctx).data) as usize }
}

/// Read anew, volatile, at each check: otherwise the compiler infers one check from another, and the verifier
/// cannot follow.
#[inline(always)]
fn end(ctx: *mut xdp_md) -> usize {
    // SAFETY: as above.
    unsafe { core::ptr::read_volatile(&raw const (*ctx).data_end) as usize }
}

impl<const CHECKED: bool> Frame<CHECKED> {
    /// Whether `N` bytes at `at` were checked at once.
    #[inline(always)]
    fn is_near<const N: usize>(&self, at: usize) -> bool {
        CHECKED && core::intrinsics::is_val_statically_known(at) && at + N <= NEAR
    }

    #[inline(always)]
    fn at<const N: usize>(&self, at: usize) -> Option<usize> {
        let constant = core::intrinsics::is_val_statically_known(at);
        // A constant needs no check. Of another number the one that is checked is the one that is used, or the
        // verifier does not follow.
        let at = if constant && at <= REACH { at } else { opaque(at) };
        if at > REACH {
            return None;
        }
        let pointer = opaque(start(self.ctx) + at);
        if pointer + N > end(self.ctx) {
            return None;
        }
        Some(pointer)
    }
}

impl<const CHECKED: bool> Packet for Frame<CHECKED> {
    #[inline(always)]
    fn len(&self) -> usize {
        // A number from here on: sums must not be rearranged into pointers.
        opaque(end(self.ctx) - start(self.ctx))
    }

    #[inline(always)]
    fn holds(&self, end: usize) -> bool {
        if !CHECKED {
            return end <= self.len();
        }
        // Compared as the packet's pointers: a sum and no difference.
        opaque(self.start + (end & 0x1_ffff)) <= self::end(self.ctx)
    }

    #[inline(always)]
    fn whole(&self) -> usize {
        // SAFETY: a helper call with the context.
        unsafe { bpf_xdp_get_buff_len(self.ctx) as usize }
    }

    #[inline(always)]
    fn load<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        if self.is_near::<N>(at) {
            // SAFETY: `Frame::checked` checked them.
            return Some(unsafe { near::read(self.start, at) });
        }
        // SAFETY: within the packet, as just checked.
        self.at::<N>(at).map(|pointer| unsafe { access::read(pointer) })
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, at: usize, bytes: [u8; N]) -> Option<()> {
        if self.is_near::<N>(at) {
            // SAFETY: `Frame::checked` checked them.
            unsafe { near::write(self.start, at, bytes) };
            return Some(());
        }
        // SAFETY: within the packet, as just checked.
        self.at::<N>(at).map(|pointer| unsafe { access::write(pointer, bytes) })
    }

    #[inline(always)]
    fn grow_front(&mut self, by: usize) -> Option<()> {
        // SAFETY: a helper call; pointers into the packet are taken anew at each access.
        (unsafe { bpf_xdp_adjust_head(self.ctx, -(by as i32)) } == 0).then_some(())
    }

    #[inline(always)]
    fn shrink_front(&mut self, by: usize) -> Option<()> {
        // SAFETY: as above.
        (unsafe { bpf_xdp_adjust_head(self.ctx, by as i32) } == 0).then_some(())
    }

    #[inline(always)]
    fn resize_tail(&mut self, by: i32) -> Option<()> {
        // SAFETY: as above. The kernel zeroes what it adds.
        (unsafe { bpf_xdp_adjust_tail(self.ctx, by) } == 0).then_some(())
    }

    #[inline(always)]
    fn repeat<T: Tables>(&mut self, most: u32, round: Round, _tables: &T, work: &mut Work) {
        let body = match round {
            Round::Scan => scan as *const (),
            Round::Rewrite => rewrite as *const (),
            Round::Mask => mask as *const (),
            Round::Extension => extension as *const (),
            Round::Least => least as *const (),
            Round::Element => element as *const (),
            Round::Inner => inner as *const (),
            Round::Filter => filter as *const (),
            Round::Sum => sum as *const (),
        };
        let mut under = Under { ctx: self.ctx, work };
        // SAFETY: the body and what it is handed outlive the call.
        unsafe { bpf_loop(most, body as *mut c_void, (&raw mut under).cast(), 0) };
    }
}

/// What `bpf_loop` hands to a body.
struct Under {
    ctx: *mut xdp_md,
    work: *mut Work,
}

/// Declares the bodies of `bpf_loop`: each calls its round, a global function; 1 ends the loop.
macro_rules! bodies {
    ($($body:ident: $round:ident,)+) => {
        $(
            unsafe extern "C" fn $body(_index: u64, under: *mut Under) -> i64 {
                // SAFETY: `repeat` passes an Under.
                let under = unsafe { &*under };
                let ends = opaque(crate::$round(under.ctx, under.work) as usize);
                i64::from(ends != 0)
            }
        )+
    };
}

bodies! {
    scan: scan_round,
    rewrite: rewrite_round,
    mask: mask_round,
    extension: extension_round,
    least: least_round,
    element: element_round,
    inner: inner_round,
    filter: filter_round,
    sum: sum_round,
}
