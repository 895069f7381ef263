use std::io;
use std::net::{IpAddr, SocketAddr};

use pinion_protocols::pfcp::PORT;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

/// What a burst of requests may take in the kernel until the front end gets to it.
const BURST: usize = 8 << 20;

/// Why a service's PFCP port cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("service {service}: cannot listen at {address} for PFCP: {source}; {}", remedy(source))]
pub struct BindError {
    /// The service.
    pub service: String,
    /// Where.
    pub address: SocketAddr,
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

/// The PFCP port of a service (TS 29.244 4.2.2).
///
/// # Errors
/// [`BindError`].
pub fn bind(service: &str, address: IpAddr) -> Result<UdpSocket, BindError> {
    let address = SocketAddr::new(address, PORT);
    open(address).map_err(|source| BindError { service: service.to_owned(), address, source })
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
