//! Reading and writing packet bytes at constant offsets, the offset within the instruction.
//!
//! A sum in a register of its own would cost two instructions more for each access; and the compiler, which sees that
//! two accesses have one sum, would keep it on the stack from the first to the second.

use core::arch::asm;

/// How many bytes from the packet's start on are reached: the longest headers that the common path reads, Ethernet,
/// IPv4 and TCP. Ethernet pads what is shorter.
pub const NEAR: usize = 14 + 20 + 20;

/// Hands every offset below [`NEAR`] to another macro.
macro_rules! offsets {
    ($then:ident $($given:tt)*) => {
        $then!($($given)*;
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34
            35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53
        )
    };
}

/// The load whose offset is `$at`.
macro_rules! loads {
    ($type:literal $start:ident $at:ident $number:ty; $($offset:literal)*) => {
        match $at {
            $($offset => load!($type, $start, $offset, $number),)*
            _ => [0; size_of::<$number>()],
        }
    };
}

/// The store whose offset is `$at`.
macro_rules! stores {
    ($type:literal $start:ident $at:ident $bytes:ident $number:ty; $($offset:literal)*) => {
        match $at {
            $($offset => store!($type, $start, $offset, $bytes, $number),)*
            _ => {}
        }
    };
}

/// Declares reading and writing of one size of number.
macro_rules! sizes {
    ($($load:ident $store:ident $type:literal $number:ty;)+) => {
        $(
            #[inline(always)]
            unsafe fn $load(start: usize, at: usize) -> [u8; size_of::<$number>()] {
                // SAFETY: the caller's.
                unsafe { offsets!(loads $type start at $number) }
            }

            #[inline(always)]
            unsafe fn $store(start: usize, at: usize, bytes: [u8; size_of::<$number>()]) {
                // SAFETY: the caller's.
                unsafe { offsets!(stores $type start at bytes $number) }
            }
        )+
    };
}

sizes! {
    load1 store1 "u8" u8;
    load2 store2 "u16" u16;
    load4 store4 "u32" u32;
}

/// Reads `N` bytes, `N` being one of the sizes that steering loads.
///
/// # Safety
/// `start` must be the packet's start, of which [`NEAR`] bytes were checked; `at` a constant, `at + N` at the most [`NEAR`].
#[inline(always)]
pub unsafe fn read<const N: usize>(start: usize, at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    macro_rules! words {
        ($($offset:literal),*) => {
            $(
                if N >= $offset + 4 {
                    // SAFETY: the caller's.
                    let [a, b, c, d] = unsafe { load4(start, at + $offset) };
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
        let [a] = unsafe { load1(start, at) };
        bytes[0] = a;
    }
    if N == 2 {
        // SAFETY: the caller's.
        let [a, b] = unsafe { load2(start, at) };
        bytes[0] = a;
        bytes[1] = b;
    }
    if N == 6 {
        // SAFETY: the caller's.
        let [a, b] = unsafe { load2(start, at + 4) };
        bytes[4] = a;
        bytes[5] = b;
    }
    const { assert!(N == 1 || N == 2 || N == 6 || (N % 4 == 0 && N <= 32), "a size that is read near") };
    bytes
}

/// Writes `N` bytes, `N` being one of the sizes that steering loads.
///
/// # Safety
/// As [`read`].
#[inline(always)]
pub unsafe fn write<const N: usize>(start: usize, at: usize, bytes: [u8; N]) {
    macro_rules! words {
        ($($offset:literal),*) => {
            $(
                if N >= $offset + 4 {
                    let word = [bytes[$offset], bytes[$offset + 1], bytes[$offset + 2], bytes[$offset + 3]];
                    // SAFETY: the caller's.
                    unsafe { store4(start, at + $offset, word) };
                }
            )*
        };
    }
    words!(0, 4, 8, 12, 16, 20, 24, 28);
    if N == 1 {
        // SAFETY: the caller's.
        unsafe { store1(start, at, [bytes[0]]) };
    }
    if N == 2 {
        // SAFETY: the caller's.
        unsafe { store2(start, at, [bytes[0], bytes[1]]) };
    }
    if N == 6 {
        // SAFETY: the caller's.
        unsafe { store2(start, at + 4, [bytes[4], bytes[5]]) };
    }
    const { assert!(N == 1 || N == 2 || N == 6 || (N % 4 == 0 && N <= 32), "a size that is written near") };
}
