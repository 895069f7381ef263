//! Reading and writing packet bytes as words.
//!
//! Packet data is aligned to nothing. The compiler would split each word into bytes; told that BPF may access
//! misaligned, it would do so on the stack too, which the verifier refuses. So the words are written out.

use core::arch::asm;

/// One load of a number at a constant offset. What the instruction leaves above the number is zero: told so, the
/// compiler does not mask it.
macro_rules! load {
    ($type:literal, $pointer:ident, $offset:literal, $number:ty) => {{
        let value: u64;
        asm!(
            concat!("{0} = *(", $type, " *)({1} + ", $offset, ")"),
            out(reg) value,
            in(reg) $pointer,
            options(pure, readonly, nostack, preserves_flags)
        );
        core::hint::assert_unchecked(value <= <$number>::MAX as u64);
        (value as $number).to_ne_bytes()
    }};
}

/// One store. Of the register the instruction takes as many bits as the number has.
macro_rules! store {
    ($type:literal, $pointer:ident, $offset:literal, $bytes:expr, $number:ty) => {
        asm!(
            concat!("*(", $type, " *)({0} + ", $offset, ") = {1}"),
            in(reg) $pointer,
            in(reg) <$number>::from_ne_bytes($bytes),
            options(nostack, preserves_flags)
        )
    };
}

/// Reads `N` bytes, `N` being one of the sizes that steering loads.
///
/// # Safety
/// `pointer` must point to `N` bytes of the packet, checked against its end.
#[inline(always)]
pub unsafe fn read<const N: usize>(pointer: usize) -> [u8; N] {
    let mut bytes = [0; N];
    macro_rules! words {
        ($($offset:literal),*) => {
            $(
                if N >= $offset + 4 {
                    // SAFETY: the caller's.
                    let [a, b, c, d] = unsafe { load!("u32", pointer, $offset, u32) };
                    bytes[$offset] = a;
                    bytes[$offset + 1] = b;
                    bytes[$offset + 2] = c;
                    bytes[$offset + 3] = d;
                }
            )*
        };
    }
    words!(0, 4, 8, 12, 16, 20, 24, 28);
    if N == 1 {
        // SAFETY: the caller's.
        let [a] = unsafe { load!("u8", pointer, 0, u8) };
        bytes[0] = a;
    }
    if N == 2 {
        // SAFETY: the caller's.
        let [a, b] = unsafe { load!("u16", pointer, 0, u16) };
        bytes[0] = a;
        bytes[1] = b;
    }
    if N == 6 {
        // SAFETY: the caller's.
        let [a, b] = unsafe { load!("u16", pointer, 4, u16) };
        bytes[4] = a;
        bytes[5] = b;
    }
    const { assert!(N == 1 || N == 2 || N == 6 || (N % 4 == 0 && N <= 32), "a size that is read") };
    bytes
}

/// Writes `N` bytes, `N` being one of the sizes that steering stores.
///
/// # Safety
/// As [`read`].
#[inline(always)]
pub unsafe fn write<const N: usize>(pointer: usize, bytes: [u8; N]) {
    macro_rules! words {
        ($($offset:literal),*) => {
            $(
                if N >= $offset + 4 {
                    let word = [bytes[$offset], bytes[$offset + 1], bytes[$offset + 2], bytes[$offset + 3]];
                    // SAFETY: the caller's.
                    unsafe { store!("u32", pointer, $offset, word, u32) };
                }
            )*
        };
    }
    words!(0, 4, 8, 12, 16, 20, 24, 28);
    if N == 1 {
        // SAFETY: the caller's.
        unsafe { store!("u8", pointer, 0, [bytes[0]], u8) };
    }
    if N == 2 {
        // SAFETY: the caller's.
        unsafe { store!("u16", pointer, 0, [bytes[0], bytes[1]], u16) };
    }
    if N == 6 {
        // SAFETY: the caller's.
        unsafe { store!("u16", pointer, 4, [bytes[4], bytes[5]], u16) };
    }
    const { assert!(N == 1 || N == 2 || N == 6 || (N % 4 == 0 && N <= 32), "a size that is written") };
}

/// Hides where a number or pointer comes from: the compiler must check and use one register. Otherwise it folds the
/// constants of neighbouring checks together and accesses by a sum that the verifier never saw checked.
#[inline(always)]
pub fn opaque(value: usize) -> usize {
    let hidden;
    // SAFETY: a register moved onto itself. No instruction at all would leave two line records at one offset,
    // which the kernel refuses.
    unsafe {
        asm!("{0} = {0}", inlateout(reg) value => hidden, options(nomem, nostack, preserves_flags));
    }
    hidden
}

/// Counts as a use of an argument: one that a function does not use is not passed, and the verifier misses it.
#[inline(always)]
pub fn used<T>(argument: *mut T) {
    // SAFETY: a register moved onto itself.
    unsafe { asm!("{0} = {0}", inlateout(reg) argument => _, options(nomem, nostack, preserves_flags)) };
}
