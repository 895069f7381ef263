//! Information elements of GTP-U (TS 29.281 8).

use core::net::IpAddr;

use super::{Error, ExtensionType};
use crate::bytes;

/// Type of an information element (TS 29.281 8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementType {
    /// 14.
    Recovery,
    /// 16.
    TeidDataI,
    /// 133.
    PeerAddress,
    /// 141.
    ExtensionTypeList,
    /// 230.
    TunnelStatus,
    /// 231.
    RecoveryTimeStamp,
    /// 255.
    PrivateExtension,
    /// Any other.
    Unknown(u8),
}

impl From<u8> for ElementType {
    fn from(kind: u8) -> Self {
        match kind {
            14 => Self::Recovery,
            16 => Self::TeidDataI,
            133 => Self::PeerAddress,
            141 => Self::ExtensionTypeList,
            230 => Self::TunnelStatus,
            231 => Self::RecoveryTimeStamp,
            255 => Self::PrivateExtension,
            other => Self::Unknown(other),
        }
    }
}

impl From<ElementType> for u8 {
    fn from(kind: ElementType) -> Self {
        match kind {
            ElementType::Recovery => 14,
            ElementType::TeidDataI => 16,
            ElementType::PeerAddress => 133,
            ElementType::ExtensionTypeList => 141,
            ElementType::TunnelStatus => 230,
            ElementType::RecoveryTimeStamp => 231,
            ElementType::PrivateExtension => 255,
            ElementType::Unknown(other) => other,
        }
    }
}

/// An information element as a typed view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element<'a> {
    /// Restart counter; always 0 in GTP-U (TS 29.281 8.2).
    Recovery(u8),
    /// The tunnel that there is not (TS 29.281 8.3).
    TeidDataI(u32),
    /// Where the G-PDU was sent to (TS 29.281 8.4).
    PeerAddress(IpAddr),
    /// The extension headers that the sender knows (TS 29.281 8.5), one octet each.
    ExtensionTypeList(ExtensionTypes<'a>),
    /// Flags of a tunnel's state (TS 29.281 8.7).
    TunnelStatus(&'a [u8]),
    /// Seconds since 1900 at which the sender started (TS 29.281 8.8).
    RecoveryTimeStamp(u32),
    /// A vendor's own (TS 29.281 8.6).
    PrivateExtension {
        /// Enterprise number, as IANA gives them.
        vendor: u16,
        /// The vendor's own.
        value: &'a [u8],
    },
    /// An element of a type that is not known here.
    Unknown(RawElement<'a>),
}

/// Extension header types, one octet each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtensionTypes<'a>(&'a [u8]);

impl Iterator for ExtensionTypes<'_> {
    type Item = ExtensionType;

    fn next(&mut self) -> Option<ExtensionType> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(ExtensionType::from(first))
    }
}

/// An element whose length fits; its value is not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawElement<'a> {
    kind: ElementType,
    offset: usize,
    value: &'a [u8],
}

impl<'a> RawElement<'a> {
    /// Type of the element.
    pub fn kind(&self) -> ElementType {
        self.kind
    }

    /// Where in the message the element begins, with its type octet.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The value, without type and length.
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// The element as a typed view.
    ///
    /// # Errors
    ///
    /// [`Error::ElementLength`] where the value has not the length of its type.
    pub fn parse(&self) -> Result<Element<'a>, Error> {
        let value = self.value;
        let parsed = match self.kind {
            ElementType::Recovery => bytes::u8_at(value, 0).map(Element::Recovery),
            ElementType::TeidDataI => bytes::u32_at(value, 0).map(Element::TeidDataI),
            ElementType::PeerAddress => match value.len() {
                4 => bytes::array_at::<4>(value, 0).map(IpAddr::from),
                16 => bytes::array_at::<16>(value, 0).map(IpAddr::from),
                _ => None,
            }
            .map(Element::PeerAddress),
            ElementType::ExtensionTypeList => Some(Element::ExtensionTypeList(ExtensionTypes(value))),
            ElementType::TunnelStatus => Some(Element::TunnelStatus(value)),
            ElementType::RecoveryTimeStamp => bytes::u32_at(value, 0).map(Element::RecoveryTimeStamp),
            ElementType::PrivateExtension => bytes::u16_at(value, 0)
                .map(|vendor| Element::PrivateExtension { vendor, value: bytes::after(value, 2) }),
            ElementType::Unknown(_) => Some(Element::Unknown(*self)),
        };
        parsed.ok_or(Error::ElementLength {
            kind: self.kind.into(),
            offset: self.offset,
            length: u16::try_from(value.len()).unwrap_or(u16::MAX),
        })
    }
}

/// Information elements one after another. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    offset: usize,
    rest: &'a [u8],
    failed: bool,
}

impl<'a> Elements<'a> {
    pub(super) fn new(offset: usize, rest: &'a [u8]) -> Self {
        Self { offset, rest, failed: false }
    }

    fn split(&self, kind: u8) -> Result<(RawElement<'a>, usize), Error> {
        let (offset, have) = (self.offset, self.rest.len());
        let (header, length) = match ElementType::from(kind) {
            ElementType::Recovery => (1, 1),
            ElementType::TeidDataI => (1, 4),
            // The list alone counts in one octet (TS 29.281 8.5).
            ElementType::ExtensionTypeList => {
                let length =
                    bytes::u8_at(self.rest, 1).ok_or(Error::ElementCut { kind, offset, need: 2, have })?;
                (2, usize::from(length))
            }
            _ if kind >= 0x80 => {
                let length =
                    bytes::u16_at(self.rest, 1).ok_or(Error::ElementCut { kind, offset, need: 3, have })?;
                (3, usize::from(length))
            }
            _ => return Err(Error::ElementUnknown { kind, offset }),
        };
        let need = length.saturating_add(header);
        let value = self.rest.get(header..need).ok_or(Error::ElementCut { kind, offset, need, have })?;
        Ok((RawElement { kind: kind.into(), offset, value }, need))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<RawElement<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let kind = bytes::u8_at(self.rest, 0)?;
        match self.split(kind) {
            Ok((element, length)) => {
                self.offset = self.offset.saturating_add(length);
                self.rest = bytes::after(self.rest, length);
                Some(Ok(element))
            }
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        for kind in 0..=u8::MAX {
            assert_eq!(u8::from(ElementType::from(kind)), kind);
        }
    }
}
