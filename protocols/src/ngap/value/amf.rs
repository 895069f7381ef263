//! What an AMF says of itself.

use alloc::string::String;

use super::sequence::{Field, sequences};
use super::{Guami, List, extensions};
use crate::ap::{Extensions, Reader, Unfit, Value, Writer, Wrong};

/// Name of an AMF, 1 to 150 characters (TS 38.413 9.3.3.21).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AmfName(pub String);

/// Characters of a name, if no extension makes it longer.
const LONGEST: usize = 150;

impl Value for AmfName {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        visible(reader).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        write_visible(writer, &self.0);
    }
}

/// Extended AMF Name, and Extended Backup AMF Name among the extensions of GUAMIs (TS 38.413 9.3.3.51).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ExtendedAmfName {
    /// In visible characters, 1 to 150.
    pub visible: Option<String>,
    /// In any, 1 to 150.
    pub utf8: Option<String>,
    /// Extensions.
    pub extensions: Extensions,
}

impl Value for ExtendedAmfName {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(3)?;
        let visible = (present & 4 != 0).then(|| visible(reader)).transpose()?;
        let utf8 = (present & 2 != 0).then(|| utf8(reader)).transpose()?;
        Ok(Self { visible, utf8, extensions: extensions(reader, added, present & 1 != 0)? })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        let present = u8::from(self.visible.is_some()) << 2 | u8::from(self.utf8.is_some()) << 1;
        writer.sequence(3, present | u8::from(!self.extensions.is_empty()));
        self.visible.iter().for_each(|text| write_visible(writer, text));
        self.utf8.iter().for_each(|text| writer.counted(text.as_bytes()));
        self.extensions.write(writer);
    }
}

/// Visible characters, an octet each (X.691 30).
fn visible(reader: &mut Reader<'_>) -> Result<String, Wrong> {
    let octets = if reader.bit()? {
        reader.counted()?.joined()
    } else {
        let length = reader.count(LONGEST)?;
        reader.octets(length)?.into()
    };
    let wrong = Wrong::Text { offset: reader.offset().saturating_sub(octets.len()) };
    if octets.is_empty() || !octets.iter().all(|octet| (0x20..0x7f).contains(octet)) {
        return Err(wrong);
    }
    String::from_utf8(octets.into_owned()).map_err(|_| wrong)
}

/// UTF-8, whose length PER does not bound.
fn utf8(reader: &mut Reader<'_>) -> Result<String, Wrong> {
    let octets = reader.counted()?;
    String::from_utf8(octets.joined().into_owned()).map_err(|_| Wrong::Text { offset: octets.offset() })
}

fn write_visible(writer: &mut Writer<'_>, text: &str) {
    let long = text.len() > LONGEST;
    if text.is_empty() {
        writer.fail(Unfit::Count { count: 0, most: LONGEST });
    }
    writer.bit(long);
    if long {
        writer.counted(text.as_bytes());
    } else {
        writer.count(text.len(), LONGEST);
        writer.octets(text.as_bytes());
    }
}

/// Relative AMF Capacity (TS 38.413 9.3.1.32).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RelativeAmfCapacity(pub u8);

impl Value for RelativeAmfCapacity {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.octet().map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.octets(&[self.0]);
    }
}

/// Served GUAMI List (TS 38.413 9.2.6.2).
pub type ServedGuamiList = List<ServedGuami, 256>;

sequences! {
    /// An item of Served GUAMI List.
    ServedGuami {
        /// GUAMI.
        guami: Guami,
        /// Backup AMF Name. A longer or international one is among the extensions.
        backup: Option<AmfName>,
        /// Extensions: GUAMI Type, Extended Backup AMF Name.
        extensions: Extensions,
    }
}

/// Unavailable GUAMI List (TS 38.413 9.2.6.8).
pub type UnavailableGuamiList = List<UnavailableGuami, 256>;

sequences! {
    /// An item of Unavailable GUAMI List.
    UnavailableGuami {
        /// GUAMI.
        guami: Guami,
        /// Timer Approach for GUAMI Removal: UEs are not moved at once.
        timer: bool,
        /// Backup AMF Name. A longer or international one is among the extensions.
        backup: Option<AmfName>,
        /// Extensions: Extended Backup AMF Name.
        extensions: Extensions,
    }
}
