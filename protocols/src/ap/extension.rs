//! What types have beside what their first release gave them: containers of extensions, and alternatives of choices.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::{Criticality, Elements, Protocol, Reader, Value, Writer, Wrong};

/// The extensions of a sequence, as they came: `ProtocolExtensionContainer` (TS 38.413 9.4.8).
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Extensions(Box<[u8]>);

impl Extensions {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The extensions. Their offsets count from the first octet of the container.
    pub fn elements<P: Protocol>(&self) -> Elements<'_, P> {
        let mut reader = Reader::new(&self.0, 0);
        let count = reader.u16().map_or(0, |count| u32::from(count).saturating_add(1));
        let (offset, rest) = reader.rest();
        Elements::new(rest, offset, count)
    }

    /// Leaves out extensions of a type.
    #[must_use]
    pub fn without<P: Protocol>(&self, kind: P::ElementType) -> Self {
        let mut kept = Vec::with_capacity(self.0.len());
        kept.extend_from_slice(&[0, 0]);
        let mut count = 0_u16;
        for element in self.elements::<P>().flatten().filter(|element| element.kind() != kind) {
            kept.extend_from_slice(element.encoded());
            count = count.saturating_add(1);
        }
        let Some(counted) = count.checked_sub(1) else { return Self::default() };
        if let Some(place) = kept.first_chunk_mut() {
            *place = counted.to_be_bytes();
        }
        Self(kept.into())
    }

    /// Reads the container, where it is `there`.
    ///
    /// # Errors
    ///
    /// [`Wrong::Cut`], [`Wrong::Criticality`], [`Wrong::Fragment`].
    pub fn read(reader: &mut Reader<'_>, there: bool) -> Result<Self, Wrong> {
        if !there {
            return Ok(Self::default());
        }
        let (_, container) = reader.rest();
        let count = reader.u16()?;
        for _ in 0..=count {
            reader.u16()?;
            Criticality::read(reader)?;
            reader.counted()?;
        }
        let length = container.len().saturating_sub(reader.rest().1.len());
        Ok(Self(container.get(..length).unwrap_or_default().into()))
    }

    /// Writes the container, if there is one.
    pub fn write(&self, writer: &mut Writer<'_>) {
        if !self.is_empty() {
            writer.octets(&self.0);
        }
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extensions({} octets)", self.0.len())
    }
}

/// An alternative that a choice has got later: `ProtocolIE-SingleContainer`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Alternative {
    /// Identifier of the element that it is.
    pub id: u16,
    /// What a receiver does that does not know it.
    pub criticality: Criticality,
    /// Its octets.
    pub value: Box<[u8]>,
}

impl Value for Alternative {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let id = reader.u16()?;
        let criticality = Criticality::read(reader)?;
        Ok(Self { id, criticality, value: reader.counted()?.joined().into() })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u16(self.id);
        writer.bits(2, self.criticality.number());
        writer.counted(&self.value);
    }
}
