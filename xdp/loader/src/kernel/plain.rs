#![allow(unsafe_code, reason = "aya takes map values by a marker trait that is unsafe to implement")]

use pinion_steering::{
    Filter, FilterKey, Flow, Heard, Link, LongKey, NextHop, Pin, PinKey, Service, ServiceKey, ShortKey,
    ShortPinKey, Source, SourceKey, Target,
};

/// A key or value as aya wants it.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Plain<T>(pub(super) T);

macro_rules! plain {
    ($($type:ty),+) => {
        // SAFETY: `repr(C)` structs of numbers without padding (steering's tests hold their sizes to it):
        // any bytes are a valid value, and every byte is initialised.
        $(unsafe impl aya::Pod for Plain<$type> {})+
    };
}

plain!(u32, Filter, FilterKey, Flow, Heard, Link, LongKey, NextHop, Pin, PinKey, Service, ServiceKey);
plain!(ShortKey, ShortPinKey, Source, SourceKey, Target);

/// A value from the bytes that it begins; `None` where there are fewer.
pub(super) fn read<T: Copy>(bytes: &[u8]) -> Option<Plain<T>>
where
    Plain<T>: aya::Pod,
{
    let value = bytes.get(..size_of::<T>())?.as_ptr();
    // SAFETY: as many bytes as a value has, and any bytes are one.
    Some(unsafe { value.cast::<Plain<T>>().read_unaligned() })
}
