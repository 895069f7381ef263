//! Structures of linux/sctp.h as bytes, in the machine's order where nothing else is said.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::BorrowedFd;
use std::time::Duration;

use super::ffi;
use crate::{Config, PathStatus, Reach};

const RTOINFO: i32 = 0;
const ASSOCINFO: i32 = 1;
const INITMSG: i32 = 2;
const NODELAY: i32 = 3;
const PRIMARY_ADDR: i32 = 6;
const PEER_ADDR_PARAMS: i32 = 9;
const STATUS: i32 = 14;
const GET_PEER_ADDR_INFO: i32 = 15;
const RECVRCVINFO: i32 = 32;
const BINDX_ADD: i32 = 100;
const GET_PEER_ADDRS: i32 = 108;
const GET_LOCAL_ADDRS: i32 = 109;
const CONNECTX: i32 = 110;
const EVENT: i32 = 127;

/// Notifications that are asked for.
pub(super) const ASSOC_CHANGE: u16 = 0x8001;
pub(super) const PEER_ADDR_CHANGE: u16 = 0x8002;
pub(super) const REMOTE_ERROR: u16 = 0x8004;
pub(super) const SHUTDOWN_EVENT: u16 = 0x8005;
pub(super) const SEND_FAILED_EVENT: u16 = 0x800d;

/// Bytes of a `struct sockaddr_storage`.
pub(super) const STORAGE: usize = 128;
/// Bytes of a `struct sctp_paddrinfo`.
const PATH: usize = 152;

/// Applies a configuration to a socket that is not connected yet. What a kernel does not take stays its own.
pub(super) fn configure(socket: BorrowedFd<'_>, config: &Config) -> io::Result<()> {
    let streams = [config.outbound_streams, config.inbound_streams, config.max_init_retransmissions];
    let first = millis(config.rto_initial);
    let longest = u16::try_from(millis(config.rto_max)).unwrap_or(u16::MAX);
    let init: Vec<u8> = streams.into_iter().chain([longest]).flat_map(u16::to_ne_bytes).collect();
    ffi::set(socket, INITMSG, &init)?;
    let rto = [0, first, millis(config.rto_max), millis(config.rto_min)];
    ffi::set(socket, RTOINFO, &rto.into_iter().flat_map(u32::to_ne_bytes).collect::<Vec<_>>())?;
    let mut association = vec![0; 4];
    association.extend(config.association_max_retransmissions.to_ne_bytes());
    association.resize(16, 0);
    association.extend(millis(config.cookie_life).to_ne_bytes());
    ffi::set(socket, ASSOCINFO, &association)?;
    ffi::set(socket, PEER_ADDR_PARAMS, &path_parameters(config))?;
    ffi::set(socket, NODELAY, &i32::from(!config.nagle).to_ne_bytes())?;
    ffi::set(socket, RECVRCVINFO, &1_i32.to_ne_bytes())?;
    for event in [ASSOC_CHANGE, PEER_ADDR_CHANGE, REMOTE_ERROR, SHUTDOWN_EVENT, SEND_FAILED_EVENT] {
        let [low, high] = event.to_ne_bytes();
        ffi::set(socket, EVENT, &[0, 0, 0, 0, low, high, 1, 0])?;
    }
    Ok(())
}

/// `struct sctp_paddrparams` for every path: it is packed.
fn path_parameters(config: &Config) -> Vec<u8> {
    const HEARTBEATS: u32 = 1;
    const NO_HEARTBEATS: u32 = 2;
    let mut bytes = vec![0; 4 + STORAGE];
    let interval = config.heartbeat_interval;
    bytes.extend(interval.map_or(0, millis).to_ne_bytes());
    bytes.extend(config.path_max_retransmissions.to_ne_bytes());
    // MTU and SACK delay stay the kernel's.
    bytes.extend([0; 8]);
    bytes.extend(if interval.is_some() { HEARTBEATS } else { NO_HEARTBEATS }.to_ne_bytes());
    bytes.resize(156, 0);
    bytes
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// Binds a socket to several addresses and a port.
pub(super) fn bind(socket: BorrowedFd<'_>, addresses: &[IpAddr], port: u16) -> io::Result<()> {
    ffi::set(socket, BINDX_ADD, &packed(addresses, port))
}

/// Begins an association to several addresses of a peer.
pub(super) fn connect(socket: BorrowedFd<'_>, addresses: &[IpAddr], port: u16) -> io::Result<()> {
    match ffi::set(socket, CONNECTX, &packed(addresses, port)) {
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(()),
        done => done,
    }
}

/// Makes the path to an address the primary one.
pub(super) fn set_primary(socket: BorrowedFd<'_>, address: IpAddr, port: u16) -> io::Result<()> {
    let mut bytes = vec![0; 4];
    bytes.extend(packed(&[address], port));
    bytes.resize(4 + STORAGE, 0);
    ffi::set(socket, PRIMARY_ADDR, &bytes)
}

/// The paths of a socket's association; none where it has none.
pub(super) fn paths(socket: BorrowedFd<'_>) -> Vec<PathStatus> {
    let locals = addresses(socket, GET_LOCAL_ADDRS);
    let mut status = [0; 24 + PATH];
    if ffi::get(socket, STATUS, &mut status).is_err() {
        return Vec::new();
    }
    let primary = status.get(28..).and_then(address_of);
    let peers = addresses(socket, GET_PEER_ADDRS).into_iter();
    peers
        .filter_map(|remote| {
            let mut info = vec![0; 4];
            info.extend(packed(&[remote.ip()], remote.port()));
            info.resize(PATH, 0);
            ffi::get(socket, GET_PEER_ADDR_INFO, &mut info).ok()?;
            let local = locals.iter().find(|local| local.is_ipv4() == remote.is_ipv4());
            status_of(&info, remote.ip(), local.map_or(remote.ip(), SocketAddr::ip), primary == Some(remote))
        })
        .collect()
}

/// Reads the end of a `struct sctp_paddrinfo`.
fn status_of(info: &[u8], remote: IpAddr, local: IpAddr, primary: bool) -> Option<PathStatus> {
    let number = |at: usize| info.get(4 + STORAGE + at..)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
    let (state, round_trip) = (number(0)?, number(8)?);
    Some(PathStatus {
        local,
        remote,
        primary,
        reach: match state {
            0 => Reach::Inactive,
            1 => Reach::PotentiallyFailed,
            _ => Reach::Active,
        },
        confirmed: state != 3,
        round_trip: (round_trip > 0).then(|| Duration::from_millis(round_trip.into())),
        rto: Duration::from_millis(number(12)?.into()),
        window: number(4)?,
        outstanding: 0,
        mtu: u16::try_from(number(16)?).unwrap_or(u16::MAX),
    })
}

/// Addresses of one end, the option says which.
fn addresses(socket: BorrowedFd<'_>, option: i32) -> Vec<SocketAddr> {
    let mut bytes = vec![0; 4096];
    let Ok(length) = ffi::get(socket, option, &mut bytes) else { return Vec::new() };
    let mut rest = bytes.get(8..length.max(8)).unwrap_or_default();
    let mut all = Vec::new();
    while let Some(address) = address_of(rest) {
        all.push(address);
        rest = rest.get(if address.is_ipv4() { V4 } else { V6 }..).unwrap_or_default();
    }
    all
}

/// Bytes of `struct sockaddr_in` and `struct sockaddr_in6`.
const V4: usize = 16;
const V6: usize = 28;

/// Reads a socket address; those of IPv4 in IPv6's clothes are undressed.
pub(super) fn address_of(bytes: &[u8]) -> Option<SocketAddr> {
    let (family, rest) = bytes.split_first_chunk()?;
    let (port, rest) = rest.split_first_chunk()?;
    let port = u16::from_be_bytes(*port);
    let address: IpAddr = match i32::from(u16::from_ne_bytes(*family)) {
        libc::AF_INET => rest.first_chunk::<4>().map(|octets| (*octets).into())?,
        libc::AF_INET6 => {
            let octets: [u8; 16] = *rest.get(4..)?.first_chunk()?;
            Ipv6Addr::from(octets).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(address, port))
}

fn packed(addresses: &[IpAddr], port: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    for address in addresses {
        let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        bytes.extend(u16::try_from(family).unwrap_or_default().to_ne_bytes());
        bytes.extend(port.to_be_bytes());
        match address {
            IpAddr::V4(address) => {
                bytes.extend(address.octets());
                bytes.extend([0; 8]);
            }
            IpAddr::V6(address) => {
                bytes.extend([0; 4]);
                bytes.extend(address.octets());
                bytes.extend([0; 4]);
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    // Lengths of linux/sctp.h's structures, by a C compiler on x86-64.
    #[test]
    fn addresses_are_packed_and_read_again() {
        let (v4, v6): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), "2001:db8::1".parse().unwrap());
        let bytes = packed(&[v4, v6], 38412);
        assert_eq!(bytes.len(), 44);
        assert_eq!(address_of(&bytes), Some(SocketAddr::new(v4, 38412)));
        assert_eq!(address_of(&bytes[16..]), Some(SocketAddr::new(v6, 38412)));
        assert_eq!(address_of(&bytes[..6]), None);
        assert_eq!(path_parameters(&Config::default()).len(), 156);
    }
}
