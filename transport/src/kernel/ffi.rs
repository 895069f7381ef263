//! System calls of SCTP sockets that no safe crate has: options as bytes, and messages with ancillary data
//! (RFC 6458). All of this crate's unsafe code is here.

#![allow(unsafe_code, reason = "options and ancillary data of SCTP have no safe wrapper")]

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd};

/// Level of options and ancillary data.
const SCTP: libc::c_int = 132;
/// Ancillary data of a message to be sent: `SCTP_SNDINFO`, `SCTP_PRINFO`.
const SNDINFO: libc::c_int = 2;
const PRINFO: libc::c_int = 5;
/// Ancillary data of a received message: `SCTP_RCVINFO`.
const RCVINFO: libc::c_int = 3;

/// Bytes of `struct sctp_sndinfo`, `struct sctp_prinfo` and `struct sctp_rcvinfo`.
pub(super) type SendInfo = [u8; 16];
pub(super) type Policy = [u8; 8];
pub(super) type ReceiveInfo = [u8; 28];

/// Room for ancillary data, aligned as its headers want to be.
#[repr(C, align(8))]
struct Room([u8; 128]);

/// Sets an option.
pub(super) fn set(socket: BorrowedFd<'_>, option: libc::c_int, value: &[u8]) -> io::Result<()> {
    let length = libc::socklen_t::try_from(value.len()).map_err(io::Error::other)?;
    // SAFETY: the kernel reads `length` bytes at `value`, which are there, and keeps nothing.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), SCTP, option, value.as_ptr().cast(), length) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Reads an option; `value` holds what it asks for, and how many bytes of it are the answer is returned.
pub(super) fn get(socket: BorrowedFd<'_>, option: libc::c_int, value: &mut [u8]) -> io::Result<usize> {
    let mut length = libc::socklen_t::try_from(value.len()).map_err(io::Error::other)?;
    // SAFETY: the kernel reads and writes at most `length` bytes at `value`, which are there, and `length`.
    let result =
        unsafe { libc::getsockopt(socket.as_raw_fd(), SCTP, option, value.as_mut_ptr().cast(), &raw mut length) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(usize::try_from(length).unwrap_or_default()) }
}

/// Sends a message, or nothing of it.
pub(super) fn send(
    socket: BorrowedFd<'_>,
    payload: &[u8],
    info: &SendInfo,
    policy: Option<&Policy>,
) -> io::Result<()> {
    let mut room = Room([0; 128]);
    let mut part = libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() };
    // SAFETY: a header of zeros names nothing.
    let mut header: libc::msghdr = unsafe { zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = room.0.as_mut_ptr().cast();
    header.msg_controllen = room.0.len();
    let mut used = 0_usize;
    let parts = [Some((SNDINFO, info.as_slice())), policy.map(|policy| (PRINFO, policy.as_slice()))];
    // SAFETY: the room is aligned for headers, zeroed, and large enough for both parts; the macros stay
    // within `msg_controllen`, and each part is copied to where CMSG_DATA says that it has room.
    unsafe {
        let mut place = libc::CMSG_FIRSTHDR(&raw const header);
        for (kind, bytes) in parts.into_iter().flatten() {
            if place.is_null() {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let length = libc::c_uint::try_from(bytes.len()).map_err(io::Error::other)?;
            (*place).cmsg_level = SCTP;
            (*place).cmsg_type = kind;
            (*place).cmsg_len = usize::try_from(libc::CMSG_LEN(length)).unwrap_or_default();
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), libc::CMSG_DATA(place), bytes.len());
            used = used.saturating_add(usize::try_from(libc::CMSG_SPACE(length)).unwrap_or_default());
            place = libc::CMSG_NXTHDR(&raw const header, place);
        }
    }
    header.msg_controllen = used;
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    // SAFETY: everything that the header points to outlives the call, which only reads it.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const header, flags) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What was received.
pub(super) struct Incoming {
    /// How many bytes.
    pub(super) length: usize,
    /// Whether they are a notification.
    pub(super) notification: bool,
    /// Whether a message or notification ends with them.
    pub(super) whole: bool,
    /// What is said of a message.
    pub(super) info: Option<ReceiveInfo>,
}

/// Receives a message, a part of one or a notification.
pub(super) fn receive(socket: BorrowedFd<'_>, into: &mut [u8]) -> io::Result<Incoming> {
    const NOTIFICATION: libc::c_int = 0x8000;
    let mut room = Room([0; 128]);
    let mut part = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    // SAFETY: a header of zeros names nothing.
    let mut header: libc::msghdr = unsafe { zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = room.0.as_mut_ptr().cast();
    header.msg_controllen = size_of::<Room>();
    // SAFETY: the kernel writes within the lengths given, to what outlives the call.
    let received = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_DONTWAIT) };
    let length = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    let mut info = None;
    // SAFETY: the kernel has set `msg_controllen` to what it wrote, and the macros stay within it; the
    // information is read only where its header says that it is long enough.
    unsafe {
        let mut place = libc::CMSG_FIRSTHDR(&raw const header);
        while !place.is_null() {
            let long = usize::try_from(libc::CMSG_LEN(28)).is_ok_and(|least| (*place).cmsg_len >= least);
            if (*place).cmsg_level == SCTP && (*place).cmsg_type == RCVINFO && long {
                info = Some(libc::CMSG_DATA(place).cast::<ReceiveInfo>().read_unaligned());
            }
            place = libc::CMSG_NXTHDR(&raw const header, place);
        }
    }
    Ok(Incoming {
        length,
        notification: header.msg_flags & NOTIFICATION != 0,
        whole: header.msg_flags & libc::MSG_EOR != 0,
        info,
    })
}

/// Bytes that were sent and are not acknowledged; none where the kernel does not tell.
pub(super) fn queued(socket: BorrowedFd<'_>) -> u32 {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the kernel writes one int to where it is told.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if result < 0 { 0 } else { u32::try_from(bytes).unwrap_or_default() }
}
