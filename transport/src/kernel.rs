//! SCTP of the host's kernel, where it has it. Sockets belong to the namespace of the thread that asks for
//! them.
//!
//! What a kernel does otherwise than this project's endpoint: streams, timers and buffers are taken from
//! the configuration, path MTU discovery and SACKs are the kernel's own; a path's bytes outstanding are not
//! known; an association's own address for a path is the first of its family; an abort carries no reason; a
//! message that is given up by its age is not told of; and a listener that is dropped shuts down what nobody
//! accepted.

mod accepting;
mod carried;
mod ffi;
mod notification;
mod options;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use crate::association::Ends;
use crate::{Association, Config, Connect, Listen, Listener, RequestError, Transport};
use accepting::Accepting;
use carried::Carried;

/// IP protocol of SCTP.
const SCTP: i32 = 132;

/// Whether this host's kernel has SCTP, as socket(2) says.
pub fn is_available() -> bool {
    Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::from(SCTP))).is_ok()
}

/// The kernel's SCTP, with one socket an association.
#[derive(Debug)]
pub struct Kernel {
    config: Config,
}

impl Kernel {
    /// With that configuration for every association.
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// A socket that is bound: to all addresses where none is given.
    fn socket(&self, addresses: &[IpAddr], like: &[IpAddr], port: u16) -> io::Result<Socket> {
        let all = if addresses.is_empty() { like } else { addresses };
        // Without an address of IPv6 there may be no IPv6; without any address, both are meant.
        let v6 = all.is_empty() || all.iter().any(IpAddr::is_ipv6);
        let domain = if v6 { Domain::IPV6 } else { Domain::IPV4 };
        let socket = Socket::new(domain, Type::STREAM.nonblocking().cloexec(), Some(Protocol::from(SCTP)))?;
        options::configure(socket.as_fd(), &self.config)?;
        for (forced, size) in [(true, self.config.send_buffer), (false, self.config.receive_buffer)] {
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            // Without CAP_NET_ADMIN the system's bounds hold.
            let _ = match forced {
                true => setsockopt(&socket, sockopt::SndBufForce, &size)
                    .or_else(|_| setsockopt(&socket, sockopt::SndBuf, &size)),
                false => setsockopt(&socket, sockopt::RcvBufForce, &size)
                    .or_else(|_| setsockopt(&socket, sockopt::RcvBuf, &size)),
            };
        }
        if addresses.is_empty() {
            let any: IpAddr = if v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
            socket.bind(&SocketAddr::new(any, port).into())?;
        } else {
            options::bind(socket.as_fd(), addresses, port)?;
        }
        Ok(socket)
    }
}

impl Transport for Kernel {
    fn listen(&self, listen: Listen) -> Result<Listener, RequestError> {
        if listen.port == 0 {
            return Err(RequestError::Port);
        }
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => RequestError::Listening { port: listen.port },
            _ => refused(error, &listen.addresses),
        };
        let socket = self.socket(&listen.addresses, &[], listen.port).map_err(failed)?;
        socket.listen(i32::try_from(listen.backlog).unwrap_or(i32::MAX)).map_err(failed)?;
        let socket = registered(socket)?;
        Ok(Listener::new(listen.port, Accepting::new(socket, listen.port, self.config.max_message)))
    }

    fn connect(&self, connect: Connect) -> Result<Association, RequestError> {
        if connect.remote_port == 0 {
            return Err(RequestError::Port);
        }
        if connect.remote.is_empty() {
            return Err(RequestError::NoRemoteAddress);
        }
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => RequestError::Taken,
            _ => refused(error, &connect.addresses),
        };
        let socket = self.socket(&connect.addresses, &connect.remote, connect.port).map_err(failed)?;
        options::connect(socket.as_fd(), &connect.remote, connect.remote_port).map_err(failed)?;
        let local_port = port_of(socket.local_addr());
        let ends = Ends { local_port, remote_port: connect.remote_port };
        Ok(Association::new(Carried::new(registered(socket)?, ends, self.config.max_message, false)))
    }
}

fn refused(error: io::Error, addresses: &[IpAddr]) -> RequestError {
    match (error.kind(), addresses.first()) {
        (io::ErrorKind::AddrNotAvailable, Some(address)) => RequestError::NotOwn { address: *address },
        _ => RequestError::System(error),
    }
}

fn registered(socket: Socket) -> io::Result<UdpSocket> {
    UdpSocket::from_std(OwnedFd::from(socket).into())
}

fn port_of(address: io::Result<socket2::SockAddr>) -> u16 {
    address.ok().and_then(|address| address.as_socket()).map_or(0, |address| address.port())
}
