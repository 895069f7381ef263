//! Information elements (TS 29.274 8.2.1): type, length, instance, value.

use core::fmt;

use super::{Cause, ElementType, Elements, Error, RawElement};
use crate::addresses::Addresses;
use crate::bytes;
use crate::reader::Reader;

/// An information element as a typed view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element<'a> {
    /// Any group.
    Group(ElementType, Elements<'a>),
    /// 1 (TS 29.274 8.3).
    Imsi(Imsi<'a>),
    /// 2: with PCE, BCE and CS in the lower three bits of the octet behind it; which element it is about is not looked at
    /// (TS 29.274 8.4).
    Cause(Cause, u8),
    /// 3: restart counter (TS 29.274 8.5).
    Recovery(u8),
    /// 71: labels of the DNS (TS 29.274 8.6).
    Apn(&'a [u8]),
    /// 73: 0 to 15 (TS 29.274 8.8).
    EpsBearerId(u8),
    /// 79 (TS 29.274 8.14).
    PdnAddress(PdnAddress),
    /// 82 (TS 29.274 8.17).
    RatType(u8),
    /// 87 (TS 29.274 8.22).
    FTeid(FTeid),
    /// 99: 1 IPv4, 2 IPv6, 3 both, 4 not IP, 5 Ethernet (TS 29.274 8.34).
    PdnType(u8),
    /// An element that is not looked into here.
    Other(RawElement<'a>),
}

/// The subscriber's identity, as digits in half octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Imsi<'a>(&'a [u8]);

impl<'a> Imsi<'a> {
    /// The octets, the lower half of each first; what equals them is the same subscriber.
    pub fn octets(self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Display for Imsi<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for octet in self.0 {
            for digit in [octet & 0x0f, octet >> 4] {
                if digit < 10 {
                    write!(f, "{digit}")?;
                }
            }
        }
        Ok(())
    }
}

/// One end of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FTeid {
    /// Whose end on which interface, 0 to 63: 6 is an S5/S8 SGW for GTP-C, 10 an S11 MME, 11 an S11 SGW.
    pub interface: u8,
    /// Tunnel endpoint identifier, or a GRE key.
    pub teid: u32,
    /// Where packets are sent to.
    pub addresses: Addresses,
}

impl FTeid {
    fn parse(value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let flags = reader.octet()?;
        Some(Self {
            interface: flags & 0x3f,
            teid: reader.u32()?,
            addresses: Addresses::read(&mut reader, flags & 0x80 != 0, flags & 0x40 != 0)?,
        })
    }
}

/// The user's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PdnAddress {
    /// 1 IPv4, 2 IPv6, 3 both, 4 not IP, 5 Ethernet.
    pub kind: u8,
    /// Length of the prefix that the IPv6 address stands for.
    pub prefix: Option<u8>,
    /// The addresses.
    pub addresses: Addresses,
}

impl PdnAddress {
    fn parse(value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let kind = reader.octet()? & 7;
        let prefix = reader.when(matches!(kind, 2 | 3), Reader::octet)?;
        // The IPv6 address comes first.
        let v6 = reader.when(matches!(kind, 2 | 3), Reader::v6)?;
        let v4 = reader.when(matches!(kind, 1 | 3), Reader::v4)?;
        Some(Self { kind, prefix, addresses: Addresses { v4, v6 } })
    }
}

impl<'a> RawElement<'a> {
    /// Tells elements of one type apart, 0 to 15.
    pub fn instance(&self) -> u8 {
        self.number()
    }

    /// The element as a typed view. Octets behind what is known of a value are ignored: later releases append.
    ///
    /// # Errors
    ///
    /// [`Error::Value`] where the value is too short, [`Error::Depth`].
    pub fn parse(&self) -> Result<Element<'a>, Error> {
        if let Some(elements) = self.group()? {
            return Ok(Element::Group(self.kind(), elements));
        }
        self.view().ok_or_else(|| self.too_short())
    }

    fn view(&self) -> Option<Element<'a>> {
        let value = self.value();
        let octet = || bytes::u8_at(value, 0);
        Some(match self.kind() {
            ElementType::Imsi => Element::Imsi(Imsi(value)),
            ElementType::Cause => Element::Cause(octet()?.into(), bytes::u8_at(value, 1)?),
            ElementType::Recovery => Element::Recovery(octet()?),
            ElementType::Apn => Element::Apn(value),
            ElementType::EpsBearerId => Element::EpsBearerId(octet()? & 0x0f),
            ElementType::PdnAddress => Element::PdnAddress(PdnAddress::parse(value)?),
            ElementType::RatType => Element::RatType(octet()?),
            ElementType::FTeid => Element::FTeid(FTeid::parse(value)?),
            ElementType::PdnType => Element::PdnType(octet()? & 0x07),
            _ => Element::Other(*self),
        })
    }
}
