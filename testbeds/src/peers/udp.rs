//! UDP by the kernel's sockets.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::{Echoes, LONGEST, Service, State, TICK, message, reply};
use crate::failure::Failure;
use crate::namespace::Namespace;

/// A server that answers each datagram with its identity, `|`, and the datagram.
#[derive(Debug)]
pub struct Server {
    service: Service,
}

impl Server {
    /// Listens on each of `addresses` inside the namespace until it is dropped.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`] where an address cannot be bound.
    pub fn start(namespace: &Namespace, identity: &str, addresses: &[SocketAddr]) -> Result<Self, Failure> {
        let mut service = Service::default();
        for address in addresses {
            let socket = bind(namespace, *address, TICK)?;
            let identity = identity.to_owned();
            let state = Arc::clone(&service.state);
            service.threads.push(thread::spawn(move || serve(&socket, &identity, &state)));
        }
        Ok(Self { service })
    }

    /// Datagrams answered so far.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.service.state.messages.load(Ordering::Relaxed)
    }
}

fn serve(socket: &UdpSocket, identity: &str, state: &State) {
    let mut buffer = vec![0; LONGEST];
    while !state.stopped() {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        state.count_one();
        // Whether the answer arrives is what the client finds out.
        let _ = socket.send_to(&reply(identity, buffer.get(..length).unwrap_or_default()), from);
    }
}

/// A client with a port of its own: one flow to each server.
#[derive(Debug)]
pub struct Client {
    socket: UdpSocket,
    next: u64,
}

impl Client {
    /// Binds `local`; port 0 lets the kernel choose.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`].
    pub fn bind(namespace: &Namespace, local: SocketAddr) -> Result<Self, Failure> {
        Ok(Self { socket: bind(namespace, local, TICK)?, next: 0 })
    }

    /// Its address and port.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`].
    pub fn local(&self) -> Result<SocketAddr, Failure> {
        self.socket.local_addr().map_err(failed)
    }

    /// Sends messages of `size` bytes (8 at least) to a server, one after the
    /// other's echo, each waited for up to `wait`. An ICMP error counts as no echo.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`] where sending fails.
    pub fn exchange(
        &mut self,
        server: SocketAddr,
        messages: u64,
        size: usize,
        wait: Duration,
    ) -> Result<Echoes, Failure> {
        self.socket.set_read_timeout(Some(wait)).map_err(failed)?;
        let mut echoes = Echoes::default();
        let mut buffer = vec![0; LONGEST];
        for _ in 0..messages {
            let sent = message(self.next, size);
            self.next = self.next.wrapping_add(1);
            self.socket.send_to(&sent, server).map_err(failed)?;
            // Answers from elsewhere than the server asked are wrong: the address was not put back.
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) if from == server => echoes.count(&sent, buffer.get(..length)),
                Ok(_) => echoes.count(&sent, Some(&[])),
                Err(_) => echoes.count(&sent, None),
            }
        }
        Ok(echoes)
    }
}

/// A socket in a namespace that waits so long for a datagram.
pub(crate) fn bind(namespace: &Namespace, address: SocketAddr, wait: Duration) -> Result<UdpSocket, Failure> {
    let made = namespace.run(|| -> io::Result<_> {
        let socket = bind_anew(address)?;
        socket.set_read_timeout(Some(wait))?;
        Ok(socket)
    })?;
    made.map_err(failed)
}

/// A process that another test starts has all sockets between fork and exec, so that one that was just closed may still be
/// there for a moment.
fn bind_anew(address: SocketAddr) -> io::Result<UdpSocket> {
    let begun = Instant::now();
    loop {
        match UdpSocket::bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && begun.elapsed() < CLOSING => {
                thread::sleep(Duration::from_millis(1));
            }
            bound => return bound,
        }
    }
}

/// How long a closed socket may still be there.
const CLOSING: Duration = Duration::from_secs(2);

pub(crate) fn failed(source: io::Error) -> Failure {
    Failure::Socket { what: "UDP peer", source }
}
