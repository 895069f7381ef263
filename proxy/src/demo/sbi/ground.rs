//! Where network functions meet Pinion: TCP as the system has it, on loopback or in a network namespace.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use pinion_networks::namespace::Namespace;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::cast::Function;

/// Connections that wait to be accepted.
const WAITING: u32 = 128;

/// Where network functions are.
#[derive(Clone, Debug)]
pub(crate) enum Ground {
    /// On loopback, at ports that are free.
    Loopback,
    /// At their places in a namespace.
    Network(Arc<Namespace>),
}

impl Ground {
    /// Opens a function's port.
    pub(super) fn listen(&self, function: Function) -> io::Result<TcpListener> {
        let socket = self.socket()?;
        match self {
            Self::Loopback => socket.bind((Ipv4Addr::LOCALHOST, 0).into())?,
            Self::Network(_) => socket.bind(function.place())?,
        }
        socket.listen(WAITING)
    }

    /// Connects a function to another.
    pub(super) async fn connect(&self, function: Function, to: SocketAddr) -> io::Result<TcpStream> {
        let socket = self.socket()?;
        if let Self::Network(_) = self {
            socket.bind((function.place().ip(), 0).into())?;
        }
        socket.set_nodelay(true)?;
        socket.connect(to).await
    }

    fn socket(&self) -> io::Result<TcpSocket> {
        match self {
            Self::Loopback => TcpSocket::new_v4(),
            Self::Network(namespace) => namespace.run(TcpSocket::new_v4).map_err(io::Error::other)?,
        }
    }
}
