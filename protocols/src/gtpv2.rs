//! GTPv2-C, the control of GTP tunnels in the evolved packet core (TS 29.274): S11, S5/S8, S10 and others.
//!
//! ```
//! use pinion_protocols::gtpv2::{Element, Message, MessageType};
//!
//! let bytes = [0x40, 1, 0, 9, 0, 0, 7, 0, 3, 0, 1, 0, 12];
//! let message = Message::parse(&bytes)?;
//! assert_eq!(message.message_type(), MessageType::EchoRequest);
//! let first = message.elements().next().ok_or("no element")??;
//! assert_eq!(first.parse()?, Element::Recovery(12));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod cause;
mod element;
mod kinds;
#[cfg(test)]
mod tests;
mod write;

pub use cause::Cause;
pub use element::{Element, FTeid, Imsi, PdnAddress};
pub use kinds::{ElementType, MessageType};

pub use crate::addresses::Addresses;
use crate::bytes;
pub use crate::framed::TooLong;
use crate::framed::{self, Protocol};

/// UDP port of requests (TS 29.274 4.2.1.1).
pub const PORT: u16 = 2123;

/// How GTPv2-C frames its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gtpv2 {}

impl Protocol for Gtpv2 {
    const NAME: &'static str = "GTPv2";
    const VERSION: u8 = 2;
    const IDENTIFIED: u8 = 0x08;
    const IDENTIFIER: usize = 4;
    const FOLLOWED: u8 = 0x10;

    type MessageType = MessageType;
    type ElementType = ElementType;
    type Element<'a> = Element<'a>;

    fn element_type(element: &[u8]) -> Option<ElementType> {
        bytes::u8_at(element, 0).map(ElementType::from)
    }

    fn length_and_instance([_, l0, l1, instance]: [u8; 4]) -> (u16, u8) {
        (u16::from_be_bytes([l0, l1]), instance & 0x0f)
    }

    fn element_header(kind: ElementType, instance: u8, length: u16) -> [u8; 4] {
        let [l0, l1] = length.to_be_bytes();
        [kind.into(), l0, l1, instance & 0x0f]
    }

    fn is_group(kind: ElementType) -> bool {
        kind.is_group()
    }
}

/// A message whose header is there. One that another is piggybacked on is followed by it (TS 29.274 5.5.1).
pub type Message<'a> = framed::Message<'a, Gtpv2>;

/// The messages of a datagram: one, and the one that is piggybacked on it.
pub type Messages<'a> = framed::Messages<'a, Gtpv2>;

/// Elements one after another.
pub type Elements<'a> = framed::Elements<'a, Gtpv2>;

/// An element whose value is not looked at yet.
pub type RawElement<'a> = framed::RawElement<'a, Gtpv2>;

/// Appends one message to a buffer: its header, then element after element.
pub type MessageWriter<'a> = framed::MessageWriter<'a, Gtpv2>;

/// What becomes of one element of a message that is copied.
pub type Patch<'a> = framed::Patch<'a, Gtpv2>;

/// Why bytes are not a GTPv2-C message.
pub type Error = framed::Error<Gtpv2>;

impl Message<'_> {
    /// Tunnel endpoint identifier for the control plane, chosen by the receiver; none in messages of a path, 0 where the
    /// sender does not know it (TS 29.274 5.5.2).
    pub fn teid(&self) -> Option<u32> {
        self.identifier().and_then(|teid| u32::try_from(teid).ok())
    }

    /// Message priority, 0 (highest) to 15, where the MP flag says that it means something (TS 29.274 5.4).
    pub fn priority(&self) -> Option<u8> {
        (self.flags() & 4 != 0).then(|| self.last_nibble())
    }
}
