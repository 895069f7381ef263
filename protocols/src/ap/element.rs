//! Information elements: identifier, criticality, value.

use core::marker::PhantomData;

use super::{Error, Octets, Protocol, Reader, Value, Wrong};
use crate::bytes;

/// What a receiver does with what it does not know (TS 38.413 10.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Criticality {
    /// It refuses the message.
    Reject,
    /// It passes over it.
    Ignore,
    /// It passes over it, and says so.
    Notify,
}

impl Criticality {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let offset = reader.offset();
        Self::of(reader.small(2)?).ok_or(Wrong::Criticality { offset })
    }

    fn of(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Reject),
            1 => Some(Self::Ignore),
            2 => Some(Self::Notify),
            _ => None,
        }
    }

    /// Its number.
    pub(super) fn number(self) -> u64 {
        match self {
            Self::Reject => 0,
            Self::Ignore => 1,
            Self::Notify => 2,
        }
    }
}

/// An element whose length fits; its value is not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawElement<'a, P: Protocol> {
    kind: P::ElementType,
    criticality: Criticality,
    offset: usize,
    encoded: &'a [u8],
    value: Octets<'a>,
}

impl<'a, P: Protocol> RawElement<'a, P> {
    /// Identifier of the element.
    pub fn kind(&self) -> P::ElementType {
        self.kind
    }

    /// What a receiver does that does not know it.
    pub fn criticality(&self) -> Criticality {
        self.criticality
    }

    /// Where in the message the element begins, with its identifier.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The element as it is in the message, with identifier, criticality and length.
    pub fn encoded(&self) -> &'a [u8] {
        self.encoded
    }

    /// The octets of its value.
    pub fn value(&self) -> Octets<'a> {
        self.value
    }

    /// The same element with its value in one piece, which [`Octets::joined`] has made.
    pub fn with_value<'b>(&self, joined: &'b [u8]) -> RawElement<'b, P>
    where
        'a: 'b,
    {
        RawElement { value: Octets::new(joined, self.value.offset()), ..*self }
    }

    /// Reads the value, of which octets may be left. One in fragments is put together, and offsets are as if it were whole.
    ///
    /// # Errors
    ///
    /// [`Error::Element`], of what [`Value::read`] of this type says.
    pub fn read<T: Value>(&self) -> Result<T, Error<P>> {
        let value = T::read(&mut Reader::new(&self.value.joined(), self.value.offset()));
        value.map_err(|wrong| Error::Element { kind: self.kind, wrong })
    }

    /// The value of an element that is a string of octets: a NAS PDU, a message within a message.
    ///
    /// # Errors
    ///
    /// [`Error::Element`].
    pub fn octets(&self) -> Result<Octets<'a>, Error<P>> {
        self.read_with(Reader::counted)
    }

    /// Reads the value in a way of its own.
    pub(crate) fn read_with<T>(
        &self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Wrong>,
    ) -> Result<T, Error<P>> {
        let offset = self.value.offset();
        let octets = self.value.whole().ok_or(Wrong::Fragmented { offset });
        let value = octets.and_then(|octets| read(&mut Reader::new(octets, offset)));
        value.map_err(|wrong| Error::Element { kind: self.kind, wrong })
    }
}

/// Elements one after another. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Elements<'a, P> {
    rest: &'a [u8],
    offset: usize,
    left: u32,
    protocol: PhantomData<P>,
}

impl<'a, P: Protocol> Elements<'a, P> {
    pub(crate) fn new(rest: &'a [u8], offset: usize, count: u32) -> Self {
        Self { rest, offset, left: count, protocol: PhantomData }
    }

    /// The octets of those that were not taken yet, and what is behind the last.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The first element of a type.
    ///
    /// # Errors
    ///
    /// That of the first element that is cut before it.
    pub fn find(mut self, kind: P::ElementType) -> Result<Option<RawElement<'a, P>>, Error<P>> {
        Iterator::find(&mut self, |it| it.as_ref().map_or(true, |element| element.kind == kind)).transpose()
    }

    fn split(&mut self) -> Result<RawElement<'a, P>, Wrong> {
        if let Some(element) = self.short() {
            return Ok(element);
        }
        let mut reader = Reader::new(self.rest, self.offset);
        let kind = P::ElementType::from(reader.u16()?);
        let criticality = Criticality::read(&mut reader)?;
        let value = reader.counted()?;
        let (offset, before) = (self.offset, self.rest);
        (self.offset, self.rest) = reader.rest();
        let length = before.len().saturating_sub(self.rest.len());
        let encoded = before.get(..length).unwrap_or_default();
        Ok(RawElement { kind, criticality, offset, encoded, value })
    }

    /// An element of less than 128 octets, as most are: the same in less time.
    fn short(&mut self) -> Option<RawElement<'a, P>> {
        let [high, low, criticality, length @ 0..=0x7f, ..] = *self.rest else { return None };
        let criticality = Criticality::of(criticality >> 6)?;
        let (encoded, rest) = self.rest.split_at_checked(usize::from(length).saturating_add(SHORT))?;
        let offset = self.offset;
        let value = Octets::new(bytes::after(encoded, SHORT), offset.saturating_add(SHORT));
        self.offset = offset.saturating_add(encoded.len());
        self.rest = rest;
        Some(RawElement { kind: u16::from_be_bytes([high, low]).into(), criticality, offset, encoded, value })
    }
}

/// Octets before the value of a short element: identifier, criticality, length.
const SHORT: usize = 4;

impl<'a, P: Protocol> Iterator for Elements<'a, P> {
    type Item = Result<RawElement<'a, P>, Error<P>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let element = self.split();
        if element.is_err() {
            self.left = 0;
        }
        Some(element.map_err(Error::Frame))
    }
}
