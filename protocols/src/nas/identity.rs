//! 5GS mobile identity (TS 24.501 9.11.3.4).

use super::Error;
use crate::ngap::{FiveGSTmsi, Guami};
use crate::reader::Reader;

/// Who a UE says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Identity<'a> {
    /// It has none.
    None,
    /// SUCI.
    Suci(Suci<'a>),
    /// 5G-GUTI: the AMF that gave it, and what it is there.
    Guti {
        /// GUAMI.
        guami: Guami,
        /// 5G-TMSI.
        tmsi: [u8; 4],
    },
    /// 5G-S-TMSI.
    STmsi(FiveGSTmsi),
    /// Another: IMEI, IMEISV, MAC address, EUI-64; octets as they are, the first of them with the type in its lower three bits.
    Other(&'a [u8]),
}

/// A subscriber's concealed identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suci<'a> {
    /// An IMSI.
    Imsi {
        /// Home network, digits in half octets.
        plmn: [u8; 3],
        /// Routing indicator: up to four digits in half octets, the lower first, 0xf behind the last.
        routing: [u8; 2],
        /// Protection scheme identifier; 0: the output is the IMSI's other digits.
        scheme: u8,
        /// Home network public key identifier.
        key: u8,
        /// Scheme output.
        output: &'a [u8],
    },
    /// A network access identifier of the given SUPI format (1 to 7).
    Nai {
        /// SUPI format.
        format: u8,
        /// The identifier, in UTF-8.
        text: &'a [u8],
    },
}

/// Types of identities.
const NONE: u8 = 0;
const SUCI: u8 = 1;
const GUTI: u8 = 2;
const S_TMSI: u8 = 4;

impl<'a> Identity<'a> {
    /// Parses the identity that begins at an offset of the message.
    ///
    /// # Errors
    ///
    /// [`Error::Length`].
    pub(super) fn parse(value: &'a [u8], offset: usize) -> Result<Self, Error> {
        let mut reader = Reader::new(value);
        Self::read(&mut reader, value).ok_or(Error::Length { offset, length: value.len() })
    }

    fn read(reader: &mut Reader<'a>, value: &'a [u8]) -> Option<Self> {
        let first = reader.octet()?;
        Some(match first & 7 {
            NONE => Self::None,
            SUCI => Self::Suci(suci(reader, first >> 4 & 7)?),
            GUTI => {
                let (plmn, region) = (reader.array()?, reader.octet()?);
                let (set, pointer) = set_and_pointer(reader.u16()?);
                Self::Guti { guami: Guami { plmn, region, set, pointer }, tmsi: reader.array()? }
            }
            S_TMSI => {
                let (set, pointer) = set_and_pointer(reader.u16()?);
                Self::STmsi(FiveGSTmsi { set, pointer, tmsi: reader.array()? })
            }
            _ => Self::Other(value),
        })
    }
}

fn suci<'a>(reader: &mut Reader<'a>, format: u8) -> Option<Suci<'a>> {
    if format != 0 {
        return Some(Suci::Nai { format, text: reader.rest() });
    }
    let (plmn, routing) = (reader.array()?, reader.array()?);
    let (scheme, key) = (reader.octet()? & 0xf, reader.octet()?);
    Some(Suci::Imsi { plmn, routing, scheme, key, output: reader.rest() })
}

/// AMF Set ID, 10 bits, and AMF Pointer, 6 bits.
fn set_and_pointer(word: u16) -> (u16, u8) {
    let [_, low] = word.to_be_bytes();
    (word >> 6, low & 0x3f)
}
