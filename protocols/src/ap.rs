//! The frame that the application protocols of the radio access network share, NGAP (TS 38.413 9.4) and S1AP (TS 36.413 9.3): in aligned PER
//! (X.691) a message is a procedure and a list of information elements, each an identifier, a criticality and octets of its own.
//!
//! [`crate::ngap`] and [`crate::s1ap`] give these types their names, and read what is in the elements. What a message has of newer
//! releases is passed over by views, and copied by [`MessageWriter::splice`].
//!
//! The reader and the writer are by hand: the crates at hand for aligned PER (`asn1-codecs`, `rasn`) build owned trees of bit vectors, which
//! neither borrows nor keeps what they do not know, and know no fragments.

mod diagnostics;
mod element;
mod error;
mod extension;
mod message;
mod octets;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use core::fmt::{Debug, Display};

pub use diagnostics::{CriticalityDiagnostics, NotUnderstood};
pub use element::{Criticality, Elements, RawElement};
pub use error::{Error, Unfit, Wrong};
pub use extension::{Alternative, Extensions};
pub use message::{Change, Envelope, Message, MessageWriter, Outcome};
pub use octets::{Octets, Pieces};
pub use reader::Reader;
pub use writer::Writer;

/// What tells one protocol from the other.
pub trait Protocol: Copy + Debug + PartialEq {
    /// Its name, as errors say it.
    const NAME: &'static str;
    /// Its private message, whose elements are identified in another way: they are not looked at.
    const PRIVATE: u8;

    /// Code of a procedure.
    type Procedure: Copy + Debug + PartialEq + From<u8> + Into<u8>;
    /// Identifier of an element.
    type ElementType: Copy + Debug + Display + PartialEq + From<u16> + Into<u16>;
}

/// A value that is read from aligned PER, and written.
pub trait Value {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`Wrong`], which says where.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong>
    where
        Self: Sized;

    /// Writes it. What does not fit into its type is told when the message is finished.
    fn write(&self, writer: &mut Writer<'_>);
}
