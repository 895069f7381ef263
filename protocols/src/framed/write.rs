//! Writes messages: the views' other direction.

use ::bytes::{BufMut, BytesMut};
use core::fmt;
use core::marker::PhantomData;

use super::{Protocol, UNCOUNTED};

/// An element that can be written.
pub trait Value<P: Protocol + ?Sized> {
    /// Its type.
    fn kind(&self) -> P::ElementType;

    /// Appends its value, without what begins an element.
    fn write(&self, out: &mut BytesMut);
}

/// A message or an element of more than 65,535 bytes: its length field cannot say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// The protocol's name.
    pub protocol: &'static str,
    /// Bytes that there are.
    pub length: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} length: {} bytes do not fit into 16 bits", self.protocol, self.length)
    }
}

impl core::error::Error for TooLong {}

/// Appends one message to a buffer: its header, then element after element.
#[derive(Debug)]
pub struct MessageWriter<'a, P> {
    out: &'a mut BytesMut,
    start: usize,
    /// The first length that did not fit.
    too_long: Option<TooLong>,
    protocol: PhantomData<P>,
}

impl<'a, P: Protocol> MessageWriter<'a, P> {
    /// Begins a message at the end of `out`, with an endpoint identifier or without. Of the sequence number the lower 24
    /// bits count.
    pub(crate) fn begin(
        out: &'a mut BytesMut,
        kind: P::MessageType,
        identifier: Option<u64>,
        sequence: u32,
    ) -> Self {
        let start = out.len();
        out.put_u8(P::VERSION << 5 | identifier.map_or(0, |_| P::IDENTIFIED));
        out.put_u8(kind.into());
        out.put_u16(0);
        if let Some(identifier) = identifier {
            out.put_uint(identifier, P::IDENTIFIER);
        }
        out.put_u32(sequence << 8);
        Self { out, start, too_long: None, protocol: PhantomData }
    }

    /// Says that another message follows in the same datagram (TS 29.244 7.2.2.2, TS 29.274 5.5.1).
    pub fn follow_on(&mut self) -> &mut Self {
        self.or(0, P::FOLLOWED)
    }

    /// Adds an element whose value `value` writes.
    pub fn element(&mut self, kind: P::ElementType, value: impl FnOnce(&mut BytesMut)) -> &mut Self {
        self.nested(kind, |writer| value(writer.out))
    }

    /// Adds an element.
    pub fn add(&mut self, element: &P::Element<'_>) -> &mut Self {
        self.add_numbered(element, 0)
    }

    /// Adds elements that were taken from a message.
    pub fn raw(&mut self, elements: &[u8]) -> &mut Self {
        self.out.put_slice(elements);
        self
    }

    /// Adds a group whose elements `elements` writes.
    pub fn nested(&mut self, kind: P::ElementType, elements: impl FnOnce(&mut Self)) -> &mut Self {
        self.numbered(kind, 0, elements)
    }

    /// Adds an element that a number tells from others of its type, in protocols that have such.
    pub(crate) fn add_numbered(&mut self, element: &P::Element<'_>, number: u8) -> &mut Self {
        self.numbered(element.kind(), number, |writer| element.write(writer.out))
    }

    pub(crate) fn numbered(
        &mut self,
        kind: P::ElementType,
        number: u8,
        elements: impl FnOnce(&mut Self),
    ) -> &mut Self {
        let at = self.out.len();
        self.out.put_u32(0);
        let value = self.out.len();
        elements(self);
        if let Some(length) = self.length(value) {
            self.put(at, P::element_header(kind, number, length));
        }
        self
    }

    /// Puts in the length.
    ///
    /// # Errors
    ///
    /// [`TooLong`]; nothing was appended then.
    pub fn finish(mut self) -> Result<(), TooLong> {
        if let Some(length) = self.length(self.start.saturating_add(UNCOUNTED)) {
            self.put(self.start.saturating_add(2), length.to_be_bytes());
        }
        match self.too_long {
            None => Ok(()),
            Some(error) => {
                self.out.truncate(self.start);
                Err(error)
            }
        }
    }

    /// Sets bits of the header.
    pub(crate) fn or(&mut self, at: usize, bits: u8) -> &mut Self {
        if let Some(octet) = self.out.get_mut(self.start.saturating_add(at)) {
            *octet |= bits;
        }
        self
    }

    fn put<const N: usize>(&mut self, at: usize, octets: [u8; N]) {
        if let Some(place) = self.out.get_mut(at..at.saturating_add(N)) {
            place.copy_from_slice(&octets);
        }
    }

    fn length(&mut self, from: usize) -> Option<u16> {
        let length = self.out.len().saturating_sub(from);
        let counted = u16::try_from(length).ok();
        if counted.is_none() {
            self.too_long.get_or_insert(TooLong { protocol: P::NAME, length });
        }
        counted
    }
}
