//! Information elements: four octets of type and length, then a value.

use core::marker::PhantomData;

use super::{Error, Protocol};
use crate::bytes;

/// Bytes of type, length and what else comes before the value.
const HEADER: usize = 4;

/// Groups within groups: no message of either protocol has more than four.
const DEEPEST: u8 = 8;

/// An element whose length fits; its value is not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawElement<'a, P: Protocol> {
    kind: P::ElementType,
    instance: u8,
    offset: usize,
    depth: u8,
    value: &'a [u8],
}

impl<'a, P: Protocol> RawElement<'a, P> {
    /// Type of the element.
    pub fn kind(&self) -> P::ElementType {
        self.kind
    }

    /// Where in the datagram the element begins, with its type.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Where in the datagram its value begins.
    pub fn value_offset(&self) -> usize {
        self.offset.saturating_add(HEADER)
    }

    /// The value, without type and length; of a vendor's own with the enterprise number.
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// The elements of a group; none where it is not one.
    ///
    /// # Errors
    ///
    /// [`Error::Depth`].
    pub fn group(&self) -> Result<Option<Elements<'a, P>>, Error<P>> {
        if !P::is_group(self.kind) {
            return Ok(None);
        }
        if self.depth >= DEEPEST {
            return Err(Error::Depth { kind: self.kind, offset: self.offset });
        }
        Ok(Some(Elements::new(self.value_offset(), self.value, self.depth.saturating_add(1))))
    }

    /// Tells elements of one type apart.
    pub(crate) fn number(&self) -> u8 {
        self.instance
    }

    /// That the value is shorter than its type and its flags need.
    pub(crate) fn too_short(&self) -> Error<P> {
        let length = u16::try_from(self.value.len()).unwrap_or(u16::MAX);
        Error::Value { kind: self.kind, offset: self.offset, length }
    }
}

/// Elements one after another, groups unopened. Ends after the first error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elements<'a, P> {
    offset: usize,
    rest: &'a [u8],
    depth: u8,
    protocol: PhantomData<P>,
}

impl<'a, P: Protocol> Elements<'a, P> {
    pub(crate) fn new(offset: usize, rest: &'a [u8], depth: u8) -> Self {
        Self { offset, rest, depth, protocol: PhantomData }
    }

    /// The bytes of those that were not taken yet.
    pub fn bytes(&self) -> &'a [u8] {
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

    fn split(&self) -> Result<RawElement<'a, P>, Error<P>> {
        let (offset, have) = (self.offset, self.rest.len());
        let kind = P::element_type(self.rest);
        let cut = |need| Error::ElementCut { kind, offset, need, have };
        let header = bytes::array_at(self.rest, 0).ok_or_else(|| cut(HEADER))?;
        let (length, instance) = P::length_and_instance(header);
        let need = usize::from(length).saturating_add(HEADER);
        let (value, kind) = self.rest.get(HEADER..need).zip(kind).ok_or_else(|| cut(need))?;
        Ok(RawElement { kind, instance, offset, depth: self.depth, value })
    }
}

impl<'a, P: Protocol> Iterator for Elements<'a, P> {
    type Item = Result<RawElement<'a, P>, Error<P>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let element = self.split();
        match &element {
            Ok(element) => {
                let length = element.value.len().saturating_add(HEADER);
                self.offset = self.offset.saturating_add(length);
                self.rest = bytes::after(self.rest, length);
            }
            Err(_) => self.rest = &[],
        }
        Some(element)
    }
}
