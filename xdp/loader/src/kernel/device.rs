#![allow(unsafe_code, reason = "ioctl(2) and BPF_OBJ_GET have no safe form here")]
//! What the kernel knows of interfaces and of links that are pinned.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Whether an interface is one end of a veth pair: of the namespace that the calling thread is in.
pub(super) fn is_veth(ifindex: u32) -> bool {
    driver(ifindex).is_ok_and(|driver| driver == b"veth")
}

/// linux/ethtool.h, struct `ethtool_drvinfo`.
#[repr(C)]
struct DriverInfo {
    command: u32,
    driver: [u8; 32],
    rest: [u8; 160],
}

/// The name of an interface's driver (ethtool's `ETHTOOL_GDRVINFO`).
fn driver(ifindex: u32) -> io::Result<Vec<u8>> {
    const SIOCETHTOOL: libc::c_ulong = 0x8946;
    const GDRVINFO: u32 = 3;
    let mut info = DriverInfo { command: GDRVINFO, driver: [0; 32], rest: [0; 160] };
    // SAFETY: plain old data, for which zero is valid; it has room for the name that if_indextoname writes. The
    // ioctl writes `info`, which is as large as the kernel's, and outlives the call.
    let result = unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        if libc::if_indextoname(ifindex, request.ifr_name.as_mut_ptr()).is_null() {
            return Err(io::Error::last_os_error());
        }
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        let socket = OwnedFd::from_raw_fd(socket);
        request.ifr_ifru.ifru_data = (&raw mut info).cast();
        libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL, &raw mut request)
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(info.driver.into_iter().take_while(|byte| *byte != 0).collect())
}

/// The interface that a pinned link is attached to; 0 where that is gone.
pub(super) fn link_ifindex(pin: &Path) -> io::Result<u32> {
    /// linux/bpf.h, union `bpf_attr`, the member of `BPF_OBJ_GET`.
    #[repr(C)]
    struct Attributes {
        path: u64,
        descriptor: u32,
        flags: u32,
    }
    const OBJ_GET: libc::c_int = 7;
    let path = CString::new(pin.as_os_str().as_bytes()).map_err(io::Error::other)?;
    let attributes = Attributes { path: path.as_ptr() as u64, descriptor: 0, flags: 0 };
    // SAFETY: the path is a string that outlives the call; the result is a new descriptor of ours.
    let link = unsafe {
        let link = libc::syscall(libc::SYS_bpf, OBJ_GET, &raw const attributes, size_of::<Attributes>());
        if link < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(link as i32)
    };
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", link.as_raw_fd()))?;
    let ifindex = info.lines().find_map(|line| line.strip_prefix("ifindex:"));
    ifindex
        .and_then(|number| number.trim().parse().ok())
        .ok_or_else(|| io::Error::other("the kernel does not say which interface the link is on"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_no_veth() {
        assert!(!is_veth(1));
        assert!(!is_veth(u32::MAX));
    }

    #[test]
    fn what_is_no_link_is_told() {
        link_ifindex(Path::new("/nonexistent/link")).unwrap_err();
    }
}
