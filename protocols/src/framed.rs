//! Messages framed as GTPv2-C frames them (TS 29.274 5.1, 8.2.1) and PFCP after it (TS 29.244 7.2.2, 8.1.1): a header with a
//! length, perhaps an endpoint identifier, and a sequence number; then elements, groups of elements among them. A message may
//! say that another follows in its datagram.
//!
//! [`crate::gtpv2`] and [`crate::pfcp`] give these types their names, and read what is in the elements.

mod elements;
mod error;
mod message;
mod splice;
mod write;

use core::fmt::{Debug, Display};

pub use elements::{Elements, RawElement};
pub use error::Error;
pub use message::{Message, Messages};
pub use splice::Patch;
pub use write::{MessageWriter, TooLong, Value};

/// Bytes of a message that its length field does not count.
pub(crate) const UNCOUNTED: usize = 4;

/// What tells one protocol from the other.
pub trait Protocol {
    /// Its name, as errors say it.
    const NAME: &'static str;
    /// The version in the upper three bits of a header.
    const VERSION: u8;
    /// The flag that says that an endpoint identifier is there.
    const IDENTIFIED: u8;
    /// Bytes of that identifier.
    const IDENTIFIER: usize;
    /// The flag that says that another message follows.
    const FOLLOWED: u8;

    /// Type of a message.
    type MessageType: Copy + Debug + PartialEq + From<u8> + Into<u8>;
    /// Type of an element.
    type ElementType: Copy + Debug + Display + PartialEq;
    /// An element as it is written.
    type Element<'a>: Value<Self>;

    /// The type that begins an element, as far as its octets are there.
    fn element_type(element: &[u8]) -> Option<Self::ElementType>;

    /// Length and, where the protocol has one, instance of an element, in the four octets that begin it.
    fn length_and_instance(header: [u8; 4]) -> (u16, u8);

    /// The four octets that begin an element.
    fn element_header(kind: Self::ElementType, instance: u8, length: u16) -> [u8; 4];

    /// Whether the value of an element is elements itself.
    fn is_group(kind: Self::ElementType) -> bool;
}
