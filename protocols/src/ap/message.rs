//! Messages: their procedure, and their elements.

use ::bytes::BytesMut;

use super::{Criticality, Elements, Error, Octets, Protocol, RawElement, Reader, Unfit, Value, Writer, Wrong};
use crate::bytes;

/// Which part of a procedure a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It begins the procedure.
    Initiating,
    /// It answers: done.
    Successful,
    /// It answers: not done.
    Unsuccessful,
}

impl Outcome {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let offset = reader.offset();
        match reader.bits(2)? {
            0 => Ok(Self::Initiating),
            1 => Ok(Self::Successful),
            2 => Ok(Self::Unsuccessful),
            _ => Err(Wrong::Range { offset }),
        }
    }

    pub(super) fn number(self) -> u64 {
        match self {
            Self::Initiating => 0,
            Self::Successful => 1,
            Self::Unsuccessful => 2,
        }
    }
}

/// A message whose elements may be in fragments, of which [`Message::parse`] makes nothing.
///
/// ```
/// use pinion_protocols::ngap::Envelope;
///
/// let bytes = [0x00, 0x2e, 0x40, 0x0f, 0, 0, 2, 0, 10, 0, 2, 0, 7, 0, 85, 0, 2, 0, 1];
/// let envelope = Envelope::parse(&bytes)?;
/// let joined = envelope.value().joined();
/// let message = envelope.open(&joined)?;
/// assert_eq!(message.ids()?.amf, Some(7));
/// # Ok::<(), pinion_protocols::ngap::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a, P: Protocol> {
    outcome: Outcome,
    procedure: P::Procedure,
    criticality: Criticality,
    encoded: &'a [u8],
    value: Octets<'a>,
}

impl<'a, P: Protocol> Envelope<'a, P> {
    /// Parses a user message of SCTP. Octets behind the message are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Choice`], and [`Error::Frame`] of [`Wrong::Cut`], [`Wrong::Criticality`], [`Wrong::Fragment`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error<P>> {
        let mut reader = Reader::new(bytes, 0);
        let outcome = match reader.small(3)? {
            0 => Outcome::Initiating,
            1 => Outcome::Successful,
            2 => Outcome::Unsuccessful,
            choice => return Err(Error::Choice { offset: 0, choice }),
        };
        let procedure = P::Procedure::from(reader.octet()?);
        let criticality = Criticality::read(&mut reader)?;
        let value = reader.counted()?;
        let encoded = bytes::at_most(bytes, reader.offset());
        Ok(Self { outcome, procedure, criticality, encoded, value })
    }

    /// What the procedure's code announces: the elements with what is around them.
    pub fn value(&self) -> Octets<'a> {
        self.value
    }

    /// The message, from its value in one piece, which [`Octets::joined`] has made.
    ///
    /// # Errors
    ///
    /// [`Error::Frame`] of [`Wrong::Cut`].
    pub fn open<'b>(&self, joined: &'b [u8]) -> Result<Message<'b, P>, Error<P>>
    where
        'a: 'b,
    {
        let mut value = Reader::new(joined, self.value.offset());
        let private = self.procedure.into() == P::PRIVATE;
        // An extension marker; additions that it announces come behind the elements.
        let preamble = bytes::u8_at(joined, 0).unwrap_or(0);
        value.bit()?;
        let count = if private { 0 } else { value.u16()? };
        let (offset, elements) = value.rest();
        Ok(Message {
            outcome: self.outcome,
            procedure: self.procedure,
            criticality: self.criticality,
            preamble,
            count,
            offset,
            elements,
            encoded: self.encoded,
        })
    }
}

/// A message whose procedure is known and whose length fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a, P: Protocol> {
    outcome: Outcome,
    procedure: P::Procedure,
    criticality: Criticality,
    preamble: u8,
    count: u16,
    /// The elements, and where they begin.
    offset: usize,
    elements: &'a [u8],
    encoded: &'a [u8],
}

impl<'a, P: Protocol> Message<'a, P> {
    /// Parses a user message of SCTP. Octets behind the message are left out.
    ///
    /// # Errors
    ///
    /// Those of [`Envelope::parse`], and [`Error::Frame`] of [`Wrong::Fragmented`], for which there is [`Envelope`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error<P>> {
        let envelope = Envelope::parse(bytes)?;
        let value = envelope.value();
        envelope.open(value.whole().ok_or(Wrong::Fragmented { offset: value.offset() })?)
    }

    /// Which part of the procedure it is.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The procedure.
    pub fn procedure(&self) -> P::Procedure {
        self.procedure
    }

    /// What a receiver does that does not know the procedure.
    pub fn criticality(&self) -> Criticality {
        self.criticality
    }

    /// The message as it came.
    pub fn encoded(&self) -> &'a [u8] {
        self.encoded
    }

    /// The elements, in the order of the message; none of a private message.
    pub fn elements(&self) -> Elements<'a, P> {
        Elements::new(self.elements, self.offset, self.count.into())
    }

    /// The first element of a type, as a value.
    ///
    /// # Errors
    ///
    /// Those of [`Elements`] and [`RawElement::read`].
    pub fn get<T: Value>(&self, kind: P::ElementType) -> Result<Option<T>, Error<P>> {
        self.elements().find(kind)?.map(|raw| raw.read()).transpose()
    }

    /// The first element of a type, as a value, where the message must have one.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], and those of [`Message::get`].
    pub fn need<T: Value>(&self, kind: P::ElementType) -> Result<T, Error<P>> {
        self.get(kind)?.ok_or(Error::Missing { kind })
    }
}

/// What becomes of an element when a message is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is copied as it is.
    Keep,
    /// It is left out: what was written instead, if anything, stands for it.
    Done,
}

/// Appends one message to a buffer, element after element.
#[derive(Debug)]
pub struct MessageWriter<'a, P: Protocol> {
    writer: Writer<'a>,
    /// Where the message begins, and where its value does.
    start: usize,
    value: usize,
    count: usize,
    /// The message that is copied, as long as nothing of it was changed.
    copied: Option<Message<'a, P>>,
    changed: bool,
    /// What it has behind its elements.
    tail: &'a [u8],
}

/// Octets of the extension marker and of the count of elements.
const COUNT: usize = 3;

impl<'a, P: Protocol> MessageWriter<'a, P> {
    /// Begins a message at the end of `out`.
    pub fn new(
        out: &'a mut BytesMut,
        outcome: Outcome,
        procedure: P::Procedure,
        criticality: Criticality,
    ) -> Self {
        let start = out.len();
        let mut writer = Writer::new(out);
        writer.bits(3, outcome.number());
        writer.octets(&[procedure.into()]);
        writer.bits(2, criticality.number());
        writer.octets(&[0]);
        let value = writer.position();
        writer.octets(&[0; COUNT]);
        Self { writer, start, value, count: 0, copied: None, changed: true, tail: &[] }
    }

    /// Begins a message with the head of another, whose elements [`MessageWriter::splice`] copies with what newer releases have behind them.
    pub fn like(out: &'a mut BytesMut, message: &Message<'a, P>) -> Self {
        let new = Self::new(out, message.outcome, message.procedure, message.criticality);
        Self { copied: Some(*message), changed: false, ..new }
    }

    /// Adds an element whose value `value` writes.
    pub fn element(
        &mut self,
        kind: P::ElementType,
        criticality: Criticality,
        value: impl FnOnce(&mut Writer<'_>),
    ) -> &mut Self {
        self.changed = true;
        self.count = self.count.saturating_add(1);
        self.writer.u16(kind.into());
        self.writer.bits(2, criticality.number());
        self.writer.open(|writer| value(writer));
        self
    }

    /// Adds an element.
    pub fn add(
        &mut self,
        kind: P::ElementType,
        criticality: Criticality,
        value: &(impl Value + ?Sized),
    ) -> &mut Self {
        self.element(kind, criticality, |writer| value.write(writer))
    }

    /// Adds an element in the place of another, with its criticality.
    pub fn replace(&mut self, element: &RawElement<'_, P>, value: &(impl Value + ?Sized)) -> Change {
        self.add(element.kind(), element.criticality(), value);
        Change::Done
    }

    /// Adds an element as it is in another message.
    pub fn copy(&mut self, element: &RawElement<'_, P>) -> &mut Self {
        self.count = self.count.saturating_add(1);
        self.writer.octets(element.encoded());
        self
    }

    /// Adds the elements of a message, each as `change` wants it: kept as it is, or left out and replaced by what `change` writes itself.
    ///
    /// # Errors
    ///
    /// Those of [`Elements`] and of `change`; the message is of no use then.
    pub fn splice(
        &mut self,
        message: &Message<'a, P>,
        mut change: impl FnMut(&RawElement<'_, P>, &mut Self) -> Result<Change, Error<P>>,
    ) -> Result<(), Error<P>> {
        let mut elements = message.elements();
        for element in elements.by_ref() {
            let element = element?;
            match change(&element, self)? {
                Change::Keep => {
                    self.copy(&element);
                }
                Change::Done => self.changed = true,
            }
        }
        self.tail = elements.rest();
        Ok(())
    }

    /// Puts in the lengths. A message that was copied whole has all of its octets as they were.
    ///
    /// # Errors
    ///
    /// The first [`Unfit`]; nothing was appended then.
    pub fn finish(mut self) -> Result<(), Unfit> {
        if let Some(message) = self.copied
            && !self.changed
            && self.count == usize::from(message.count)
        {
            self.writer.truncate(self.start);
            self.writer.octets(message.encoded);
            return self.writer.finish();
        }
        self.writer.octets(self.tail);
        let preamble = self.copied.map_or(0, |message| message.preamble);
        let [high, low] = u16::try_from(self.count).map_or([u8::MAX; 2], u16::to_be_bytes);
        if self.count > usize::from(u16::MAX) {
            self.writer.fail(Unfit::Count { count: self.count, most: u16::MAX.into() });
        }
        self.writer.put_back(self.value, [preamble, high]);
        self.writer.put_back(self.value.saturating_add(1), [high, low]);
        self.writer.close(self.value);
        let start = self.start;
        let Self { mut writer, .. } = self;
        if writer.is_unfit() {
            writer.truncate(start);
        }
        writer.finish()
    }
}
