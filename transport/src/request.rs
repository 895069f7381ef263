//! What a transport is asked for.

use std::io;
use std::net::IpAddr;

/// Associations to be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Own addresses that peers are told of; all of the transport's where none is given.
    pub addresses: Vec<IpAddr>,
    /// Own port.
    pub port: u16,
    /// Associations that wait to be accepted; further ones are aborted.
    pub backlog: usize,
}

impl Listen {
    /// On every own address.
    pub fn on(port: u16) -> Self {
        Self { addresses: Vec::new(), port, backlog: 1024 }
    }
}

/// An association to be begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// Own addresses that the peer is told of; all of the transport's where none is given.
    pub addresses: Vec<IpAddr>,
    /// Own port; one that is free where it is 0.
    pub port: u16,
    /// The peer's addresses: the first becomes the primary path.
    pub remote: Vec<IpAddr>,
    /// The peer's port.
    pub remote_port: u16,
}

impl Connect {
    /// From every own address and a port that is free.
    pub fn to(remote: Vec<IpAddr>, remote_port: u16) -> Self {
        Self { addresses: Vec::new(), port: 0, remote, remote_port }
    }
}

/// Why there will be no association.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// An address is not one of the transport's.
    #[error("{address} is not an own address")]
    NotOwn {
        /// Which.
        address: IpAddr,
    },
    /// The transport has no address to send from.
    #[error("no own address")]
    NoOwnAddress,
    /// No address of the peer is of a family that an own address has.
    #[error("no address of the peer is of a family of an own address")]
    NoRemoteAddress,
    /// A port is 0 that may not be.
    #[error("port 0")]
    Port,
    /// Somebody listens on that port already.
    #[error("port {port} is listened on already")]
    Listening {
        /// Which.
        port: u16,
    },
    /// There is an association with that peer and these ports, or there are as many as allowed.
    #[error("the association exists, or there are too many")]
    Taken,
    /// The transport has ended.
    #[error("the transport has ended")]
    Ended,
    /// The system refused.
    #[error("{0}")]
    System(#[from] io::Error),
}
