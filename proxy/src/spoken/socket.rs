use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

/// What a burst of requests may take in the kernel until the front end gets to it.
const BURST: usize = 8 << 20;

/// The longest datagram there is.
pub(crate) const LONGEST: usize = 65_535;

/// How many datagrams are taken before others get their turn.
const TURN: usize = 64;

/// A protocol that the daemon speaks: its name, and its port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spoken {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
}

/// Why a service's port cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("service {service}: cannot listen at {address} for {protocol}: {source}; {}", remedy(source))]
pub struct BindError {
    /// The service.
    pub service: String,
    /// Where.
    pub address: SocketAddr,
    /// For what.
    pub protocol: &'static str,
    /// What the system said.
    pub source: io::Error,
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "end what listens there, or give the service another address",
        io::ErrorKind::AddrNotAvailable => "give this host the address (`ip address add`), or the service another",
        _ => "give the service another address",
    }
}

/// The port of a service.
///
/// # Errors
/// [`BindError`].
pub(crate) fn bind(service: &str, address: IpAddr, spoken: Spoken) -> Result<UdpSocket, BindError> {
    let address = SocketAddr::new(address, spoken.port);
    let wrong = |source| BindError { service: service.to_owned(), address, protocol: spoken.name, source };
    open(address).map_err(wrong)
}

/// Takes what a socket has, up to a turn's share.
pub(crate) fn read(socket: &UdpSocket, service: &str, buffer: &mut [u8], mut take: impl FnMut(SocketAddr, &[u8])) {
    for _ in 0..TURN {
        match socket.try_recv_from(buffer) {
            Ok((length, from)) => take(from, buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // Of a datagram sent before: who is not there is found by silence.
            Err(error) => tracing::trace!(service, %error, "a peer cannot be reached"),
        }
    }
}

/// Sends a datagram. It is asked for again, or sent again, where it does not arrive.
pub(crate) async fn send(socket: &UdpSocket, service: &str, to: SocketAddr, bytes: &[u8]) {
    if let Err(error) = socket.send_to(bytes, to).await {
        tracing::debug!(service, %to, %error, "a datagram is not sent");
    }
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // Less than is asked for does too.
    let _ = socket.set_recv_buffer_size(BURST);
    let _ = socket.set_send_buffer_size(BURST);
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}
