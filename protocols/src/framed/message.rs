//! Headers, and several messages in one datagram.

use core::marker::PhantomData;

use super::{Elements, Error, Protocol, UNCOUNTED};
use crate::bytes;

/// Bytes of the header without an endpoint identifier.
const HEADER: usize = 8;

/// A message whose header is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a, P: Protocol> {
    flags: u8,
    message_type: P::MessageType,
    length: u16,
    identifier: Option<u64>,
    sequence: u32,
    last: u8,
    /// Where in the datagram the message begins, and its elements.
    start: usize,
    body_offset: usize,
    /// The elements, as far as they are there.
    body: &'a [u8],
    missing: usize,
}

impl<'a, P: Protocol> Message<'a, P> {
    /// Parses the first message of a datagram; where others may follow see [`Messages`]. Bytes beyond the length field are
    /// left out; of those that it counts some may not be there, as in a capture with a short snap length: see
    /// [`Message::missing`].
    ///
    /// # Errors
    ///
    /// [`Error::HeaderCut`], [`Error::Version`], [`Error::Length`].
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Error<P>> {
        Self::parse_at(datagram, 0)
    }

    fn parse_at(bytes: &'a [u8], start: usize) -> Result<Self, Error<P>> {
        let have = bytes.len();
        let cut = || Error::HeaderCut { offset: start, have };
        let flags = bytes::u8_at(bytes, 0).ok_or_else(cut)?;
        if flags >> 5 != P::VERSION {
            return Err(Error::Version { offset: start, version: flags >> 5 });
        }
        let [_, kind, l0, l1] = bytes::array_at(bytes, 0).ok_or_else(cut)?;
        let length = u16::from_be_bytes([l0, l1]);
        let identified = flags & P::IDENTIFIED != 0;
        let header = if identified { HEADER.saturating_add(P::IDENTIFIER) } else { HEADER };
        let end = usize::from(length).saturating_add(UNCOUNTED);
        if end < header {
            return Err(Error::Length { offset: start, length });
        }
        let counted = bytes.get(UNCOUNTED..header).ok_or_else(cut)?;
        let (identifier, [s0, s1, s2, last]) = counted.split_last_chunk().ok_or_else(cut)?;
        Ok(Self {
            flags,
            message_type: P::MessageType::from(kind),
            length,
            identifier: identified
                .then(|| identifier.iter().fold(0, |number, &octet| number << 8 | u64::from(octet))),
            sequence: u32::from_be_bytes([0, *s0, *s1, *s2]),
            last: *last,
            start,
            body_offset: start.saturating_add(header),
            body: bytes::after(bytes::at_most(bytes, end), header),
            missing: end.saturating_sub(have),
        })
    }

    /// First octet of the header: the version, and flags.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// Type of the message.
    pub fn message_type(&self) -> P::MessageType {
        self.message_type
    }

    /// The length field: everything after the first 4 bytes.
    pub fn length(&self) -> u16 {
        self.length
    }

    /// Sequence number, 24 bits: a response has that of its request.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// How many of the bytes that the length field counts are not there.
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// Where in the datagram the message begins.
    pub fn offset(&self) -> usize {
        self.start
    }

    /// Where in the datagram its elements begin.
    pub fn body_offset(&self) -> usize {
        self.body_offset
    }

    /// The bytes of the elements.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The elements of the message, groups unopened.
    pub fn elements(&self) -> Elements<'a, P> {
        Elements::new(self.body_offset, self.body, 0)
    }

    /// Whether another message follows in the same datagram.
    pub fn is_followed(&self) -> bool {
        self.flags & P::FOLLOWED != 0
    }

    /// Endpoint identifier, chosen by the receiver.
    pub(crate) fn identifier(&self) -> Option<u64> {
        self.identifier
    }

    /// The upper half of the header's last octet.
    pub(crate) fn last_nibble(&self) -> u8 {
        self.last >> 4
    }
}

/// The messages of a datagram, one after another as long as each says that another follows. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Messages<'a, P> {
    rest: Option<&'a [u8]>,
    offset: usize,
    protocol: PhantomData<P>,
}

impl<'a, P: Protocol> Messages<'a, P> {
    /// The messages of the payload of a UDP datagram.
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { rest: Some(datagram), offset: 0, protocol: PhantomData }
    }
}

impl<'a, P: Protocol> Iterator for Messages<'a, P> {
    type Item = Result<Message<'a, P>, Error<P>>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let message = Message::parse_at(rest, self.offset);
        if let Ok(message) = &message
            && message.is_followed()
            && message.missing() == 0
        {
            let length = usize::from(message.length()).saturating_add(UNCOUNTED);
            self.rest = Some(bytes::after(rest, length));
            self.offset = self.offset.saturating_add(length);
        }
        Some(message)
    }
}
