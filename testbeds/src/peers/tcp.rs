//! TCP by the kernel's sockets.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::{Echoes, LONGEST, Service, State, TICK, message, reply};
use crate::failure::Failure;
use crate::namespace::Namespace;

/// A server that answers each message with its identity, `|`, and the message.
/// A message has four bytes of length in front, big-endian, both ways.
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
            let listener = namespace.run(|| TcpListener::bind(address))?.map_err(failed)?;
            listener.set_nonblocking(true).map_err(failed)?;
            let identity = identity.to_owned();
            let state = Arc::clone(&service.state);
            service.threads.push(thread::spawn(move || listen(&listener, &identity, &state)));
        }
        Ok(Self { service })
    }

    /// Messages answered so far.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.service.state.messages.load(Ordering::Relaxed)
    }
}

fn listen(listener: &TcpListener, identity: &str, state: &State) {
    thread::scope(|connections| {
        while !state.stopped() {
            match listener.accept() {
                Ok((stream, _)) => {
                    // A connection that breaks ends alone; its client counts what is missing.
                    connections.spawn(move || serve(stream, identity, state));
                }
                Err(_) => thread::sleep(TICK),
            }
        }
    });
}

fn serve(mut stream: TcpStream, identity: &str, state: &State) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TICK))?;
    let going = || !state.stopped();
    while going()
        && let Some(message) = read_message(&mut stream, going)?
    {
        state.count_one();
        write_message(&mut stream, &reply(identity, &message))?;
    }
    Ok(())
}

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    next: u64,
}

impl Client {
    /// Connects from inside the namespace.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`] where there is no connection within `wait`.
    pub fn connect(namespace: &Namespace, server: SocketAddr, wait: Duration) -> Result<Self, Failure> {
        let stream = namespace.run(|| TcpStream::connect_timeout(&server, wait))?.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        Ok(Self { stream, next: 0 })
    }

    /// Its address and port.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`].
    pub fn local(&self) -> Result<SocketAddr, Failure> {
        self.stream.local_addr().map_err(failed)
    }

    /// Sends messages of `size` bytes (8 at least), one after the other's echo,
    /// each waited for up to `wait`. What breaks the connection ends it.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`] where the wait cannot be set.
    pub fn exchange(&mut self, messages: u64, size: usize, wait: Duration) -> Result<Echoes, Failure> {
        self.stream.set_read_timeout(Some(wait)).map_err(failed)?;
        let mut echoes = Echoes::default();
        for _ in 0..messages {
            let sent = message(self.next, size);
            self.next = self.next.wrapping_add(1);
            let back =
                write_message(&mut self.stream, &sent).and_then(|()| read_message(&mut self.stream, || false));
            match back {
                Ok(Some(back)) => echoes.count(&sent, Some(&back)),
                Ok(None) => {
                    echoes.count(&sent, None);
                    echoes.ended = Some("no answer in time, or closed by the server".to_owned());
                    break;
                }
                Err(error) => {
                    echoes.count(&sent, None);
                    echoes.ended = Some(error.to_string());
                    break;
                }
            }
        }
        Ok(echoes)
    }
}

fn write_message(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat())
}

/// Reads one message; none at the stream's end, or at a read timeout unless
/// `again` says to go on.
fn read_message(stream: &mut TcpStream, again: impl Fn() -> bool) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    if !fill(stream, &mut length, &again)? {
        return Ok(None);
    }
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(io::Error::other(format!("a message of {length} bytes")));
    }
    let mut message = vec![0; length];
    Ok(fill(stream, &mut message, &again)?.then_some(message))
}

fn fill(stream: &mut TcpStream, mut room: &mut [u8], again: &impl Fn() -> bool) -> io::Result<bool> {
    while !room.is_empty() {
        match stream.read(room) {
            Ok(0) => return Ok(false),
            Ok(read) => room = room.get_mut(read..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if !again() {
                    return Ok(false);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

fn failed(source: io::Error) -> Failure {
    Failure::Socket { what: "TCP peer", source }
}
