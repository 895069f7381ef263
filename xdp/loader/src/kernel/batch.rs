#![allow(unsafe_code, reason = "aya has no map operations on many entries: bpf(2) is called here")]
//! Many entries of a map in one system call (bpf(2), `BPF_MAP_*_BATCH`, Linux 5.6).

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use super::plain::Plain;
use super::refused;
use crate::LoadError;

/// linux/bpf.h, enum `bpf_cmd`.
const LOOKUP: libc::c_int = 24;
const UPDATE: libc::c_int = 26;

/// The kernel lets nobody else run while it copies: no more than this at once.
pub(super) const MOST: usize = 4096;

/// linux/bpf.h, union `bpf_attr`, the member of the batch commands.
#[repr(C)]
struct Attributes {
    from: u64,
    next: u64,
    keys: u64,
    values: u64,
    count: u32,
    map: u32,
    element_flags: u64,
    flags: u64,
}

/// A page of a map: entries, and where the next page begins.
pub(super) struct Page<K, V> {
    pub(super) entries: Vec<(K, V)>,
    pub(super) next: Option<u32>,
}

/// Reads entries from place `from` on, at the most `most`; of a hash whole buckets, and more where a bucket has more.
pub(super) fn read<K: Copy + Default, V: Copy + Default>(
    map: BorrowedFd<'_>,
    from: Option<u32>,
    most: usize,
) -> io::Result<Page<K, V>>
where
    Plain<K>: aya::Pod,
    Plain<V>: aya::Pod,
{
    let mut room = most.max(16);
    loop {
        let mut keys = vec![K::default(); room];
        let mut values = vec![V::default(); room];
        let (begin, mut next) = (from.unwrap_or_default(), 0_u32);
        let mut attributes = Attributes {
            from: if from.is_some() { &raw const begin as u64 } else { 0 },
            next: &raw mut next as u64,
            keys: keys.as_mut_ptr() as u64,
            values: values.as_mut_ptr() as u64,
            count: u32::try_from(room).unwrap_or(u32::MAX),
            map: map.as_raw_fd().unsigned_abs(),
            element_flags: 0,
            flags: 0,
        };
        // SAFETY: keys and values are as many as `count` says, of the sizes that the map was made or checked with
        // (`Plain`: any bytes are valid); the kernel writes no more.
        let result = unsafe { call(LOOKUP, &mut attributes) };
        let more = match result {
            Ok(()) => true,
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => false,
            // A bucket has more than there was room for.
            Err(error) if error.raw_os_error() == Some(libc::ENOSPC) && room < 1 << 20 => {
                room *= 2;
                continue;
            }
            Err(error) => return Err(error),
        };
        let held = attributes.count as usize;
        let entries = keys.into_iter().zip(values).take(held).collect();
        return Ok(Page { entries, next: more.then_some(next) });
    }
}

/// Calls `each` with the entries of a map, page by page.
pub(super) fn pages<K: Copy + Default, V: Copy + Default>(
    name: &'static str,
    map: BorrowedFd<'_>,
    mut each: impl FnMut(Vec<(K, V)>) -> Result<(), LoadError>,
) -> Result<(), LoadError>
where
    Plain<K>: aya::Pod,
    Plain<V>: aya::Pod,
{
    let mut from = None;
    loop {
        let page = read(map, from, MOST).map_err(refused(name))?;
        each(page.entries)?;
        from = page.next;
        if from.is_none() {
            return Ok(());
        }
    }
}

/// Writes entries, in order.
///
/// # Errors
/// How many were written before the one that the kernel refused, and why.
pub(super) fn write<K: Copy, V: Copy>(
    map: BorrowedFd<'_>,
    keys: &[K],
    values: &[V],
) -> Result<(), (usize, io::Error)>
where
    Plain<K>: aya::Pod,
    Plain<V>: aya::Pod,
{
    let mut done = 0;
    for (keys, values) in keys.chunks(MOST).zip(values.chunks(MOST)) {
        let count = keys.len().min(values.len());
        let mut attributes = Attributes {
            from: 0,
            next: 0,
            keys: keys.as_ptr() as u64,
            values: values.as_ptr() as u64,
            count: count as u32,
            map: map.as_raw_fd().unsigned_abs(),
            element_flags: 0,
            flags: 0,
        };
        // SAFETY: keys and values are as many as `count` says, initialised, of the sizes that the map was made or
        // checked with; the kernel only reads them.
        if let Err(error) = unsafe { call(UPDATE, &mut attributes) } {
            return Err((done + (attributes.count as usize).min(count), error));
        }
        done += count;
    }
    Ok(())
}

/// # Safety
/// What the attributes point to must be as the command wants it.
unsafe fn call(command: libc::c_int, attributes: &mut Attributes) -> io::Result<()> {
    // SAFETY: the caller's.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *attributes, size_of::<Attributes>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Waits until every packet that was under way has ended (membarrier(2)).
///
/// Where the kernel does not know how, time passes instead: a packet takes microseconds.
pub(super) fn settle() {
    const GLOBAL: libc::c_int = 1;
    // SAFETY: plain numbers.
    let done = unsafe { libc::syscall(libc::SYS_membarrier, GLOBAL, 0, 0) };
    if done < 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
