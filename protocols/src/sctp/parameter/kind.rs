//! Parameter types.

use crate::sctp::Unrecognized;

/// Type of a parameter (IANA, SCTP parameters, chunk parameter types).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParameterType {
    /// 1, RFC 9260.
    HeartbeatInfo,
    /// 5, RFC 9260.
    Ipv4,
    /// 6, RFC 9260.
    Ipv6,
    /// 7, RFC 9260.
    StateCookie,
    /// 8, RFC 9260.
    Unrecognized,
    /// 9, RFC 9260.
    CookiePreservative,
    /// 11, RFC 9260.
    HostName,
    /// 12, RFC 9260.
    SupportedAddressTypes,
    /// 13, RFC 6525.
    OutgoingReset,
    /// 14, RFC 6525.
    IncomingReset,
    /// 15, RFC 6525.
    TsnReset,
    /// 16, RFC 6525.
    ReconfigResponse,
    /// 17, RFC 6525.
    AddOutgoing,
    /// 18, RFC 6525.
    AddIncoming,
    /// 0x8000, RFC 9260.
    Ecn,
    /// 0x8001, RFC 9653.
    ZeroChecksumAcceptable,
    /// 0x8002, RFC 4895.
    Random,
    /// 0x8003, RFC 4895.
    ChunkList,
    /// 0x8004, RFC 4895.
    HmacAlgorithms,
    /// 0x8005, RFC 4820.
    Padding,
    /// 0x8008, RFC 5061.
    SupportedExtensions,
    /// 0xc000, RFC 3758.
    ForwardTsnSupported,
    /// 0xc001, RFC 5061.
    AddAddress,
    /// 0xc002, RFC 5061.
    DeleteAddress,
    /// 0xc003, RFC 5061.
    ErrorCauseIndication,
    /// 0xc004, RFC 5061.
    SetPrimaryAddress,
    /// 0xc005, RFC 5061.
    SuccessIndication,
    /// 0xc006, RFC 5061.
    AdaptationLayer,
    /// Any other.
    Unknown(u16),
}

impl ParameterType {
    /// What is to be done with a parameter of this type by who does not know it (RFC 9260 3.2.1).
    pub fn unrecognized(self) -> Unrecognized {
        Unrecognized::from_high_bits(u16::from(self) >> 14)
    }
}

impl From<u16> for ParameterType {
    fn from(kind: u16) -> Self {
        match kind {
            1 => Self::HeartbeatInfo,
            5 => Self::Ipv4,
            6 => Self::Ipv6,
            7 => Self::StateCookie,
            8 => Self::Unrecognized,
            9 => Self::CookiePreservative,
            11 => Self::HostName,
            12 => Self::SupportedAddressTypes,
            13 => Self::OutgoingReset,
            14 => Self::IncomingReset,
            15 => Self::TsnReset,
            16 => Self::ReconfigResponse,
            17 => Self::AddOutgoing,
            18 => Self::AddIncoming,
            0x8000 => Self::Ecn,
            0x8001 => Self::ZeroChecksumAcceptable,
            0x8002 => Self::Random,
            0x8003 => Self::ChunkList,
            0x8004 => Self::HmacAlgorithms,
            0x8005 => Self::Padding,
            0x8008 => Self::SupportedExtensions,
            0xc000 => Self::ForwardTsnSupported,
            0xc001 => Self::AddAddress,
            0xc002 => Self::DeleteAddress,
            0xc003 => Self::ErrorCauseIndication,
            0xc004 => Self::SetPrimaryAddress,
            0xc005 => Self::SuccessIndication,
            0xc006 => Self::AdaptationLayer,
            other => Self::Unknown(other),
        }
    }
}

impl From<ParameterType> for u16 {
    fn from(kind: ParameterType) -> Self {
        match kind {
            ParameterType::HeartbeatInfo => 1,
            ParameterType::Ipv4 => 5,
            ParameterType::Ipv6 => 6,
            ParameterType::StateCookie => 7,
            ParameterType::Unrecognized => 8,
            ParameterType::CookiePreservative => 9,
            ParameterType::HostName => 11,
            ParameterType::SupportedAddressTypes => 12,
            ParameterType::OutgoingReset => 13,
            ParameterType::IncomingReset => 14,
            ParameterType::TsnReset => 15,
            ParameterType::ReconfigResponse => 16,
            ParameterType::AddOutgoing => 17,
            ParameterType::AddIncoming => 18,
            ParameterType::Ecn => 0x8000,
            ParameterType::ZeroChecksumAcceptable => 0x8001,
            ParameterType::Random => 0x8002,
            ParameterType::ChunkList => 0x8003,
            ParameterType::HmacAlgorithms => 0x8004,
            ParameterType::Padding => 0x8005,
            ParameterType::SupportedExtensions => 0x8008,
            ParameterType::ForwardTsnSupported => 0xc000,
            ParameterType::AddAddress => 0xc001,
            ParameterType::DeleteAddress => 0xc002,
            ParameterType::ErrorCauseIndication => 0xc003,
            ParameterType::SetPrimaryAddress => 0xc004,
            ParameterType::SuccessIndication => 0xc005,
            ParameterType::AdaptationLayer => 0xc006,
            ParameterType::Unknown(other) => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        for kind in 0..=u16::MAX {
            assert_eq!(u16::from(ParameterType::from(kind)), kind);
        }
    }

    // RFC 9260 3.2.1: 00 stop, 01 stop and report, 10 skip, 11 skip and report.
    #[test]
    fn high_bits_say_what_becomes_of_unknown_parameters() {
        assert_eq!(ParameterType::Unknown(0x3fff).unrecognized(), Unrecognized::Stop);
        assert_eq!(ParameterType::Unknown(0x7fff).unrecognized(), Unrecognized::StopAndReport);
        assert!(ParameterType::ZeroChecksumAcceptable.unrecognized().goes_on());
        assert!(!ParameterType::ZeroChecksumAcceptable.unrecognized().reports());
        assert_eq!(ParameterType::AddAddress.unrecognized(), Unrecognized::SkipAndReport);
    }
}
