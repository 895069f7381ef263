//! A datagram or raw socket that tells of the ICMP errors that come for what it sent.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;

use nix::cmsg_space;
use nix::libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo, sock_extended_err, sockaddr_in6};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt, sockopt,
};
use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};
use std::io::{IoSlice, IoSliceMut};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::health::outcome::IcmpError;

/// The socket.
#[derive(Debug)]
pub(super) struct Packets {
    /// Any kind of socket: it is what tokio waits for, and nothing else of UDP is used of it.
    inner: UdpSocket,
    v6: bool,
}

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// A packet, this long.
    Packet {
        /// Who sent it.
        from: Option<IpAddr>,
        /// Its length.
        length: usize,
    },
    /// An ICMP error; what it quotes of the packet that it is for is this long.
    Error {
        /// Where that packet went.
        to: Option<IpAddr>,
        /// The error.
        icmp: IcmpError,
        /// The length of the quotation, from the header of this socket's protocol on.
        length: usize,
    },
}

/// A call that fails by an ICMP error of an earlier packet succeeds when it is made again; not more often than this.
const ERRORS_IN_A_ROW: u8 = 16;

/// `SO_EE_ORIGIN_ICMP` and `SO_EE_ORIGIN_ICMP6` of the kernel's errqueue.h.
const ORIGIN_ICMP: u8 = 2;
const ORIGIN_ICMP6: u8 = 3;

impl Packets {
    /// Opens one. With a filter, only what it lets through is received.
    ///
    /// # Errors
    ///
    /// The system's, such as `PermissionDenied` for a raw socket.
    pub(super) fn open(v6: bool, kind: Type, protocol: Protocol, filter: &[SockFilter]) -> io::Result<Self> {
        let socket = Socket::new(if v6 { Domain::IPV6 } else { Domain::IPV4 }, kind, Some(protocol))?;
        socket.set_nonblocking(true)?;
        if v6 {
            setsockopt(&socket, sockopt::Ipv6RecvErr, &true)?;
        } else {
            setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?;
        }
        if !filter.is_empty() {
            socket.attach_filter(filter)?;
        }
        Ok(Self { inner: UdpSocket::from_std(socket.into())?, v6 })
    }

    /// From now on packets go to and come from this address and port alone.
    ///
    /// # Errors
    ///
    /// The system's, such as `NetworkUnreachable`.
    pub(super) fn connect(&self, to: SocketAddr, from: Option<IpAddr>) -> io::Result<()> {
        let socket = SockRef::from(&self.inner);
        if let Some(from) = from {
            socket.bind(&SocketAddr::new(from, 0).into())?;
        }
        socket.connect(&to.into())
    }

    /// Sends a packet; `to` is left out on a connected socket.
    ///
    /// # Errors
    ///
    /// The system's; those that are left from ICMP errors of earlier packets are not among them, if the socket is not
    /// connected.
    pub(super) async fn send(&self, bytes: &[u8], to: Option<IpAddr>, from: Option<IpAddr>) -> io::Result<()> {
        let mut tries = 0;
        let socket = SockRef::from(&self.inner);
        loop {
            self.inner.writable().await?;
            match self.inner.try_io(Interest::WRITABLE, || send_now(&socket, bytes, to, from)) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    tries += 1;
                    if to.is_none() || tries == ERRORS_IN_A_ROW {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Waits for what comes next; its bytes are put into `buffer`.
    ///
    /// # Errors
    ///
    /// The system's.
    pub(super) async fn receive(&self, buffer: &mut [u8]) -> io::Result<Arrival> {
        let mut tries = 0;
        let socket = SockRef::from(&self.inner);
        loop {
            self.inner.ready(Interest::READABLE | Interest::ERROR).await?;
            let error =
                || receive_error(&socket, buffer, self.v6)?.ok_or_else(|| io::ErrorKind::WouldBlock.into());
            if let Ok(arrival) = self.inner.try_io(Interest::ERROR, error) {
                return Ok(arrival);
            }
            match self.inner.try_io(Interest::READABLE, || receive_packet(&socket, buffer)) {
                Ok(arrival) => return Ok(arrival),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // That of an ICMP error, which is told of next.
                Err(error) => {
                    tries += 1;
                    if tries == ERRORS_IN_A_ROW {
                        return Err(error);
                    }
                }
            }
        }
    }
}

fn send_now(socket: &Socket, bytes: &[u8], to: Option<IpAddr>, from: Option<IpAddr>) -> io::Result<()> {
    let (v4, v6);
    let source = match from {
        Some(IpAddr::V4(from)) => {
            v4 = packet_info_v4(from);
            Some(ControlMessage::Ipv4PacketInfo(&v4))
        }
        Some(IpAddr::V6(from)) => {
            v6 = packet_info_v6(from);
            Some(ControlMessage::Ipv6PacketInfo(&v6))
        }
        None => None,
    };
    let to = to.map(|to| SockaddrStorage::from(SocketAddr::new(to, 0)));
    sendmsg(socket.as_raw_fd(), &[IoSlice::new(bytes)], source.as_slice(), MsgFlags::empty(), to.as_ref())?;
    Ok(())
}

fn packet_info_v4(from: Ipv4Addr) -> in_pktinfo {
    let any = in_addr { s_addr: 0 };
    in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: in_addr { s_addr: u32::from_ne_bytes(from.octets()) },
        ipi_addr: any,
    }
}

fn packet_info_v6(from: Ipv6Addr) -> in6_pktinfo {
    in6_pktinfo { ipi6_addr: in6_addr { s6_addr: from.octets() }, ipi6_ifindex: 0 }
}

fn receive_packet(socket: &Socket, buffer: &mut [u8]) -> io::Result<Arrival> {
    let mut parts = [IoSliceMut::new(buffer)];
    let got = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, None, MsgFlags::MSG_DONTWAIT)?;
    Ok(Arrival::Packet { from: got.address.as_ref().and_then(address), length: got.bytes })
}

/// The next ICMP error that waits on a socket, if any.
pub(super) fn next_error(socket: &Socket, v6: bool) -> io::Result<Option<IcmpError>> {
    let arrival = receive_error(socket, &mut [], v6)?;
    Ok(arrival.and_then(|arrival| match arrival {
        Arrival::Error { icmp, .. } => Some(icmp),
        Arrival::Packet { .. } => None,
    }))
}

/// The next ICMP error that waits, if any.
fn receive_error(socket: &Socket, buffer: &mut [u8], v6: bool) -> io::Result<Option<Arrival>> {
    loop {
        let mut control = cmsg_space!(sock_extended_err, sockaddr_in6);
        let mut parts = [IoSliceMut::new(buffer)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let got = match recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags) {
            Ok(got) => got,
            Err(nix::Error::EAGAIN) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let to = got.address.as_ref().and_then(address);
        for message in got.cmsgs()? {
            let (error, from) = match message {
                ControlMessageOwned::Ipv4RecvErr(error, from) => {
                    (error, from.map(|from| IpAddr::from(from.sin_addr.s_addr.to_ne_bytes())))
                }
                ControlMessageOwned::Ipv6RecvErr(error, from) => {
                    (error, from.map(|from| IpAddr::from(from.sin6_addr.s6_addr)))
                }
                _ => continue,
            };
            let icmp = IcmpError { v6, kind: error.ee_type, code: error.ee_code, from };
            if matches!(error.ee_origin, ORIGIN_ICMP | ORIGIN_ICMP6) && icmp.is_fatal() {
                return Ok(Some(Arrival::Error { to, icmp, length: got.bytes }));
            }
        }
    }
}

fn address(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|address| IpAddr::from(address.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::from(address.ip())))
}
