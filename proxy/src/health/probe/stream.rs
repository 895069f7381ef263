//! A TCP connection, and why there is none.

use std::future::pending;
use std::io;
use std::time::Duration;

use nix::libc::EINPROGRESS;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::TcpStream;

use super::Ends;
use super::socket::next_error;
use crate::health::outcome::{Failure, Outcome};

/// Connects; without end, if nothing answers.
pub(super) async fn connect(ends: Ends) -> Result<TcpStream, Outcome> {
    let stream = begin(ends).map_err(|error| Outcome::of_call("connect", &error))?;
    let failed = |error: &io::Error| Outcome::of_call("connect", error);
    stream.writable().await.map_err(|error| failed(&error))?;
    let Some(error) = stream.take_error().map_err(|error| failed(&error))? else { return Ok(stream) };
    if let Ok(Some(icmp)) = next_error(&SockRef::from(&stream), ends.to.is_ipv6()) {
        return Err(Failure::Icmp(icmp).into());
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Err(Failure::Reset.into()),
        // The kernel gave up sooner than the probe does.
        io::ErrorKind::TimedOut => pending().await,
        _ => Err(failed(&error)),
    }
}

fn begin(ends: Ends) -> io::Result<TcpStream> {
    let domain = if ends.to.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    if ends.to.is_ipv6() {
        setsockopt(&socket, sockopt::Ipv6RecvErr, &true)?;
    } else {
        setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?;
    }
    if let Some(from) = ends.from {
        socket.bind(&std::net::SocketAddr::new(from, 0).into())?;
    }
    // Closed by RST, so that probes leave no TIME-WAIT behind.
    socket.set_linger(Some(Duration::ZERO))?;
    match socket.connect(&ends.to.into()) {
        Err(error) if error.raw_os_error() != Some(EINPROGRESS) => Err(error),
        Ok(()) | Err(_) => TcpStream::from_std(socket.into()),
    }
}
