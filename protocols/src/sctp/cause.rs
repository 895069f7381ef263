//! Error causes (RFC 9260 3.3.10; RFC 4895 5; RFC 5061 4.3).

use super::tlv::{Item, Items, Value};
use super::{Chunks, Error, List, Numbers16, Parameters};

/// Code of an error cause (IANA, SCTP parameters, error cause codes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CauseCode {
    /// 1, RFC 9260.
    InvalidStreamIdentifier,
    /// 2, RFC 9260.
    MissingMandatoryParameter,
    /// 3, RFC 9260.
    StaleCookie,
    /// 4, RFC 9260.
    OutOfResource,
    /// 5, RFC 9260.
    UnresolvableAddress,
    /// 6, RFC 9260.
    UnrecognizedChunk,
    /// 7, RFC 9260.
    InvalidMandatoryParameter,
    /// 8, RFC 9260.
    UnrecognizedParameters,
    /// 9, RFC 9260.
    NoUserData,
    /// 10, RFC 9260.
    CookieWhileShuttingDown,
    /// 11, RFC 9260.
    RestartWithNewAddresses,
    /// 12, RFC 9260.
    UserInitiatedAbort,
    /// 13, RFC 9260.
    ProtocolViolation,
    /// 0xa0, RFC 5061.
    DeleteLastAddress,
    /// 0xa1, RFC 5061.
    ResourceShortage,
    /// 0xa2, RFC 5061.
    DeleteSourceAddress,
    /// 0xa3, RFC 5061.
    IllegalAsconfAck,
    /// 0xa4, RFC 5061.
    NotAuthorized,
    /// 0x105, RFC 4895.
    UnsupportedHmac,
    /// Any other.
    Unknown(u16),
}

impl From<u16> for CauseCode {
    fn from(code: u16) -> Self {
        match code {
            1 => Self::InvalidStreamIdentifier,
            2 => Self::MissingMandatoryParameter,
            3 => Self::StaleCookie,
            4 => Self::OutOfResource,
            5 => Self::UnresolvableAddress,
            6 => Self::UnrecognizedChunk,
            7 => Self::InvalidMandatoryParameter,
            8 => Self::UnrecognizedParameters,
            9 => Self::NoUserData,
            10 => Self::CookieWhileShuttingDown,
            11 => Self::RestartWithNewAddresses,
            12 => Self::UserInitiatedAbort,
            13 => Self::ProtocolViolation,
            0xa0 => Self::DeleteLastAddress,
            0xa1 => Self::ResourceShortage,
            0xa2 => Self::DeleteSourceAddress,
            0xa3 => Self::IllegalAsconfAck,
            0xa4 => Self::NotAuthorized,
            0x105 => Self::UnsupportedHmac,
            other => Self::Unknown(other),
        }
    }
}

impl From<CauseCode> for u16 {
    fn from(code: CauseCode) -> Self {
        match code {
            CauseCode::InvalidStreamIdentifier => 1,
            CauseCode::MissingMandatoryParameter => 2,
            CauseCode::StaleCookie => 3,
            CauseCode::OutOfResource => 4,
            CauseCode::UnresolvableAddress => 5,
            CauseCode::UnrecognizedChunk => 6,
            CauseCode::InvalidMandatoryParameter => 7,
            CauseCode::UnrecognizedParameters => 8,
            CauseCode::NoUserData => 9,
            CauseCode::CookieWhileShuttingDown => 10,
            CauseCode::RestartWithNewAddresses => 11,
            CauseCode::UserInitiatedAbort => 12,
            CauseCode::ProtocolViolation => 13,
            CauseCode::DeleteLastAddress => 0xa0,
            CauseCode::ResourceShortage => 0xa1,
            CauseCode::DeleteSourceAddress => 0xa2,
            CauseCode::IllegalAsconfAck => 0xa3,
            CauseCode::NotAuthorized => 0xa4,
            CauseCode::UnsupportedHmac => 0x105,
            CauseCode::Unknown(other) => other,
        }
    }
}

/// An error cause as a typed view.
#[derive(Clone, Debug)]
pub enum Cause<'a> {
    /// DATA came on a stream that there is not (RFC 9260 3.3.10.1).
    InvalidStreamIdentifier {
        /// The stream.
        stream: u16,
        /// Reserved; 0.
        reserved: u16,
    },
    /// Parameters are missing (RFC 9260 3.3.10.2).
    MissingMandatoryParameter {
        /// How many, as the sender counts them.
        count: u32,
        /// Their types.
        types: Numbers16<'a>,
    },
    /// The cookie is too old by so many microseconds (RFC 9260 3.3.10.3).
    StaleCookie(u32),
    /// A DATA chunk without data (RFC 9260 3.3.10.9).
    NoUserData {
        /// Its TSN.
        tsn: u32,
    },
    /// The chunk that was not known (RFC 9260 3.3.10.6).
    UnrecognizedChunk(Chunks<'a>),
    /// The parameters in question: of UnresolvableAddress, UnrecognizedParameters,
    /// RestartWithNewAddresses (RFC 9260 3.3.10.5, .8, .11) and of what RFC 5061 4.3 adds.
    Parameters(Parameters<'a>),
    /// The HMAC identifier that was not known (RFC 4895 5).
    UnsupportedHmac(u16),
    /// Everything else: what the cause holds is for people.
    Information(&'a [u8]),
}

/// An error cause whose header is there and whose length fits; its value is not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawCause<'a>(Item<'a>);

impl<'a> RawCause<'a> {
    /// Code of the cause.
    pub fn code(&self) -> CauseCode {
        CauseCode::from(self.0.kind)
    }

    /// The length field: header and value, not the padding; at least 4.
    pub fn length(&self) -> u16 {
        self.0.length
    }

    /// Where in the packet the cause begins.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// Everything after the 4-byte header, without the padding.
    pub fn value(&self) -> &'a [u8] {
        self.0.value().bytes
    }

    /// The cause as a typed view.
    ///
    /// # Errors
    ///
    /// [`Error::FieldCut`] where a field is not inside of the cause.
    pub fn parse(&self) -> Result<Cause<'a>, Error> {
        let value = self.0.value();
        Ok(match self.code() {
            CauseCode::InvalidStreamIdentifier => Cause::InvalidStreamIdentifier {
                stream: value.u16("Stream Identifier", 0)?,
                reserved: value.u16("Reserved", 2)?,
            },
            CauseCode::MissingMandatoryParameter => Cause::MissingMandatoryParameter {
                count: value.u32("Number of missing params", 0)?,
                types: Numbers16(value.after(4).bytes),
            },
            CauseCode::StaleCookie => Cause::StaleCookie(value.u32("Measure of Staleness", 0)?),
            CauseCode::NoUserData => Cause::NoUserData { tsn: value.u32("TSN", 0)? },
            CauseCode::UnrecognizedChunk => Cause::UnrecognizedChunk(Chunks::new(value)),
            CauseCode::UnresolvableAddress
            | CauseCode::UnrecognizedParameters
            | CauseCode::RestartWithNewAddresses
            | CauseCode::DeleteLastAddress
            | CauseCode::ResourceShortage
            | CauseCode::DeleteSourceAddress
            | CauseCode::NotAuthorized => Cause::Parameters(Parameters::new(value)),
            CauseCode::UnsupportedHmac => Cause::UnsupportedHmac(value.u16("HMAC Identifier", 0)?),
            CauseCode::OutOfResource
            | CauseCode::InvalidMandatoryParameter
            | CauseCode::CookieWhileShuttingDown
            | CauseCode::UserInitiatedAbort
            | CauseCode::ProtocolViolation
            | CauseCode::IllegalAsconfAck
            | CauseCode::Unknown(_) => Cause::Information(value.bytes),
        })
    }
}

/// Error causes one after another. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Causes<'a> {
    items: Items<'a>,
}

impl<'a> Causes<'a> {
    pub(super) fn new(value: Value<'a>) -> Self {
        Self { items: Items::new(List::Causes, value) }
    }

    /// After [`Error::ItemCut`]: the cause whose end is missing, with the bytes that are there.
    pub fn cut(&self) -> Option<RawCause<'a>> {
        self.items.cut().map(RawCause)
    }
}

impl PartialEq for Causes<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.items.rest() == other.items.rest()
    }
}

impl Eq for Causes<'_> {}

impl<'a> Iterator for Causes<'a> {
    type Item = Result<RawCause<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.items.next().map(|item| item.map(RawCause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        for code in 0..=u16::MAX {
            assert_eq!(u16::from(CauseCode::from(code)), code);
        }
    }
}
