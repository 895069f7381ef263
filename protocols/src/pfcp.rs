//! PFCP, the control of user plane functions (TS 29.244): N4, Sxa, Sxb, Sxc.
//!
//! Two faces: views that borrow ([`Message`], [`Elements`], [`Routing`]) read and find what has to be
//! rewritten; [`MessageWriter`] and [`Element::write`] make messages, and copy them with some elements changed.
//!
//! ```
//! use pinion_protocols::pfcp::{Element, Message, MessageType};
//!
//! let bytes = [0x20, 1, 0, 12, 0, 0, 7, 0, 0, 96, 0, 4, 0xe4, 0x80, 0, 0];
//! let message = Message::parse(&bytes)?;
//! assert_eq!(message.message_type(), MessageType::HeartbeatRequest);
//! assert_eq!(message.sequence(), 7);
//! let first = message.elements().next().ok_or("no element")??;
//! assert_eq!(first.parse()?, Element::RecoveryTimeStamp(0xe480_0000));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod element;
mod element_type;
mod message_type;
mod routing;
mod value;
mod write;

pub use element::Element;
pub use element_type::ElementType;
pub use message_type::MessageType;
pub use routing::{LocalTunnel, LocalTunnels, Place, Routing};
pub use value::{
    Cause, FSeid, FTeid, Flags, NodeId, OuterHeaderCreation, OuterHeaderRemoval, RemotePeer, Rule, SNssai,
    SdfFilter, UeAddress, UserPlaneResource,
};

pub use crate::addresses::Addresses;
use crate::bytes;
pub use crate::framed::TooLong;
use crate::framed::{self, Protocol};

/// UDP port of PFCP requests (TS 29.244 6.3).
pub const PORT: u16 = 8805;

/// Bytes of the header of a node message (TS 29.244 7.2.2.2).
pub const NODE_HEADER_LENGTH: usize = 8;

/// Bytes of the header of a session message, which carries a SEID (TS 29.244 7.2.2.3).
pub const SESSION_HEADER_LENGTH: usize = 16;

/// How PFCP frames its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pfcp {}

impl Protocol for Pfcp {
    const NAME: &'static str = "PFCP";
    const VERSION: u8 = 1;
    const IDENTIFIED: u8 = 0x01;
    const IDENTIFIER: usize = 8;
    const FOLLOWED: u8 = 0x04;

    type MessageType = MessageType;
    type ElementType = ElementType;
    type Element<'a> = Element<'a>;

    fn element_type(element: &[u8]) -> Option<ElementType> {
        bytes::u16_at(element, 0).map(ElementType::from)
    }

    fn length_and_instance([_, _, l0, l1]: [u8; 4]) -> (u16, u8) {
        (u16::from_be_bytes([l0, l1]), 0)
    }

    fn element_header(kind: ElementType, _: u8, length: u16) -> [u8; 4] {
        let ([t0, t1], [l0, l1]) = (u16::from(kind).to_be_bytes(), length.to_be_bytes());
        [t0, t1, l0, l1]
    }

    fn is_group(kind: ElementType) -> bool {
        kind.is_group()
    }
}

/// A message whose header is there. Only session messages may be followed by another in their datagram, and only
/// where the peers agreed upon it (TS 29.244 6.5).
pub type Message<'a> = framed::Message<'a, Pfcp>;

/// The messages of a datagram.
pub type Messages<'a> = framed::Messages<'a, Pfcp>;

/// Elements one after another.
pub type Elements<'a> = framed::Elements<'a, Pfcp>;

/// An element whose value is not looked at yet.
pub type RawElement<'a> = framed::RawElement<'a, Pfcp>;

/// Appends one message to a buffer: its header, then element after element.
pub type MessageWriter<'a> = framed::MessageWriter<'a, Pfcp>;

/// What becomes of one element of a message that is copied.
pub type Patch<'a> = framed::Patch<'a, Pfcp>;

/// Why bytes are not a PFCP message.
pub type Error = framed::Error<Pfcp>;

impl<'a> Message<'a> {
    /// Session endpoint identifier, chosen by the receiver; none in a node message. 0 where the sender does not
    /// know it (TS 29.244 7.2.2.4.2).
    pub fn seid(&self) -> Option<u64> {
        self.identifier()
    }

    /// Message priority, 0 (highest) to 15, where the MP flag says that it means something (TS 29.244 7.2.2.3).
    pub fn priority(&self) -> Option<u8> {
        (self.flags() & 0x03 == 0x03).then(|| self.last_nibble())
    }

    /// What a message is routed by: those of Node ID, F-SEID and Cause that it has. What is behind all that there can be is
    /// not looked at.
    ///
    /// # Errors
    ///
    /// Those of [`Elements`] and of [`RawElement::parse`].
    pub fn routing(&self) -> Result<Routing<'a>, Error> {
        Routing::of(self)
    }

    /// Every F-TEID of the user plane function's own, in the groups that tell of one.
    pub fn local_tunnels(&self) -> LocalTunnels<'a> {
        LocalTunnels::of(self)
    }
}

#[cfg(test)]
mod tests;
