//! Simulated ends of N4 (PFCP, TS 29.244) and of the user plane behind it: SMF, UPF, gNB.
//!
//! [`Smf`] and [`Upf`] are machines without I/O: datagrams and the time go in, datagrams come out, and a seed
//! decides what is random. They talk to each other as well as to whatever stands between them, and list every
//! [`Violation`] of the protocol that they see. [`Between`] is Pinion's front end among them. [`Running`] gives a machine a socket in a namespace, [`Plane`] an UPF
//! its user plane, [`Gnb`] is the radio side.
//!
//! ```
//! use std::time::Duration;
//! use testbeds::n4::{Machine as _, Smf, SmfConfig, Upf, UpfConfig, Wire, Wish};
//!
//! let mut smf = Smf::new(SmfConfig::at([192, 0, 2, 1].into()));
//! let mut upf = Upf::new(UpfConfig::at([192, 0, 2, 9].into(), [198, 51, 100, 9].into()));
//! let mut wire = Wire::perfect();
//! smf.associate(upf.socket(), Duration::ZERO);
//! wire.run(&mut [&mut smf, &mut upf], Duration::ZERO);
//! let session = smf.establish(upf.socket(), &Wish::default(), Duration::ZERO);
//! wire.run(&mut [&mut smf, &mut upf], Duration::ZERO);
//! assert!(smf.session(session).and_then(|session| session.uplink).is_some());
//! assert_eq!((smf.violations(), upf.violations()), (&[][..], &[][..]));
//! ```

mod between;
mod exchanges;
mod gnb;
mod memory;
mod message;
mod plane;
mod running;
mod smf;
mod upf;
mod violation;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

pub use between::Between;
pub use exchanges::{Counts, Timing};
pub use gnb::Gnb;
pub use plane::Plane;
pub use running::Running;
pub use smf::{Association, Breakout, Reports, Session, Smf, SmfConfig, State, Wish};
pub use upf::{Bearer, Far, Pdr, Upf, UpfConfig, Uplink};
pub use violation::Violation;
pub use wire::Wire;

/// A UDP datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Where it comes from.
    pub from: SocketAddr,
    /// Where it goes.
    pub to: SocketAddr,
    /// Its payload.
    pub bytes: Vec<u8>,
}

/// One end of a GTP-U tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tunnel {
    /// Tunnel endpoint identifier.
    pub teid: u32,
    /// Where it is.
    pub address: Ipv4Addr,
}

/// A network function on N4. Times count from a moment of the caller's choice.
pub trait Machine {
    /// Its address and port on N4.
    fn socket(&self) -> SocketAddr;

    /// Takes a datagram that came to it.
    fn receive(&mut self, from: SocketAddr, datagram: &[u8], now: Duration);

    /// Does what is due: retransmissions, heartbeats.
    fn tick(&mut self, now: Duration);

    /// What it has to send, in order.
    fn take(&mut self) -> Vec<Datagram>;
}
