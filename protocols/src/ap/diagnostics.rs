//! Criticality Diagnostics (TS 38.413 9.3.1.3, TS 36.413 9.2.1.21): what of a message was not understood.

use alloc::vec::Vec;

use super::{Criticality, Extensions, Outcome, Reader, Value, Writer, Wrong};

/// What of a message was not understood.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CriticalityDiagnostics {
    /// Code of the procedure.
    pub procedure: Option<u8>,
    /// Which part of it the message was.
    pub triggering: Option<Outcome>,
    /// What a receiver does that does not know the procedure.
    pub criticality: Option<Criticality>,
    /// Elements of the message, at most 256.
    pub elements: Vec<NotUnderstood>,
    /// Extensions.
    pub extensions: Extensions,
}

/// An element that was not understood, or not there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NotUnderstood {
    /// Its criticality.
    pub criticality: Criticality,
    /// Its identifier.
    pub id: u16,
    /// Whether it was not there.
    pub missing: bool,
    /// Extensions.
    pub extensions: Extensions,
}

/// Elements that are named at most.
const MOST: usize = 256;

impl Value for CriticalityDiagnostics {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(5)?;
        let procedure = (present & 16 != 0).then(|| reader.octet()).transpose()?;
        let triggering = (present & 8 != 0).then(|| Outcome::read(reader)).transpose()?;
        let criticality = (present & 4 != 0).then(|| Criticality::read(reader)).transpose()?;
        let count = if present & 2 != 0 { reader.count(MOST)? } else { 0 };
        let elements = (0..count).map(|_| NotUnderstood::read(reader)).collect::<Result<_, _>>()?;
        let extensions = Extensions::read(reader, present & 1 != 0)?;
        reader.additions(added)?;
        Ok(Self { procedure, triggering, criticality, elements, extensions })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        let present = [
            self.procedure.is_some(),
            self.triggering.is_some(),
            self.criticality.is_some(),
            !self.elements.is_empty(),
            !self.extensions.is_empty(),
        ];
        writer.sequence(5, present.iter().fold(0, |bits, &there| bits << 1 | u8::from(there)));
        self.procedure.iter().for_each(|&code| writer.octets(&[code]));
        self.triggering.iter().for_each(|outcome| writer.bits(2, outcome.number()));
        self.criticality.iter().for_each(|criticality| writer.bits(2, criticality.number()));
        if !self.elements.is_empty() {
            writer.count(self.elements.len(), MOST);
            self.elements.iter().for_each(|element| element.write(writer));
        }
        self.extensions.write(writer);
    }
}

impl Value for NotUnderstood {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(1)?;
        let (criticality, id) = (Criticality::read(reader)?, reader.u16()?);
        let missing = reader.enumerated(1, 2)? == 1;
        let extensions = Extensions::read(reader, present & 1 != 0)?;
        reader.additions(added)?;
        Ok(Self { criticality, id, missing, extensions })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.sequence(1, (!self.extensions.is_empty()).into());
        writer.bits(2, self.criticality.number());
        writer.u16(self.id);
        writer.enumerated(1, 2, self.missing.into());
        self.extensions.write(writer);
    }
}
