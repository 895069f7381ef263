//! Chunk types.

use crate::sctp::Unrecognized;

/// Type of a chunk (IANA, SCTP parameters, chunk types).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChunkType {
    /// 0, RFC 9260.
    Data,
    /// 1, RFC 9260.
    Init,
    /// 2, RFC 9260.
    InitAck,
    /// 3, RFC 9260.
    Sack,
    /// 4, RFC 9260.
    Heartbeat,
    /// 5, RFC 9260.
    HeartbeatAck,
    /// 6, RFC 9260.
    Abort,
    /// 7, RFC 9260.
    Shutdown,
    /// 8, RFC 9260.
    ShutdownAck,
    /// 9, RFC 9260.
    Error,
    /// 10, RFC 9260.
    CookieEcho,
    /// 11, RFC 9260.
    CookieAck,
    /// 12, RFC 9260.
    Ecne,
    /// 13, RFC 9260.
    Cwr,
    /// 14, RFC 9260.
    ShutdownComplete,
    /// 15, RFC 4895.
    Auth,
    /// 16, draft-tuexen-tsvwg-sctp-multipath.
    NrSack,
    /// 64, RFC 8260.
    IData,
    /// 128, RFC 5061.
    AsconfAck,
    /// 129, draft-stewart-sctp-pktdrprep.
    PacketDrop,
    /// 130, RFC 6525.
    ReConfig,
    /// 132, RFC 4820.
    Pad,
    /// 192, RFC 3758.
    ForwardTsn,
    /// 193, RFC 5061.
    Asconf,
    /// 194, RFC 8260.
    IForwardTsn,
    /// Any other.
    Unknown(u8),
}

impl ChunkType {
    /// What is to be done with a chunk of this type by who does not know it (RFC 9260 3.2).
    pub fn unrecognized(self) -> Unrecognized {
        Unrecognized::from_high_bits(u16::from(u8::from(self)) >> 6)
    }
}

impl From<u8> for ChunkType {
    fn from(kind: u8) -> Self {
        match kind {
            0 => Self::Data,
            1 => Self::Init,
            2 => Self::InitAck,
            3 => Self::Sack,
            4 => Self::Heartbeat,
            5 => Self::HeartbeatAck,
            6 => Self::Abort,
            7 => Self::Shutdown,
            8 => Self::ShutdownAck,
            9 => Self::Error,
            10 => Self::CookieEcho,
            11 => Self::CookieAck,
            12 => Self::Ecne,
            13 => Self::Cwr,
            14 => Self::ShutdownComplete,
            15 => Self::Auth,
            16 => Self::NrSack,
            0x40 => Self::IData,
            0x80 => Self::AsconfAck,
            0x81 => Self::PacketDrop,
            0x82 => Self::ReConfig,
            0x84 => Self::Pad,
            0xc0 => Self::ForwardTsn,
            0xc1 => Self::Asconf,
            0xc2 => Self::IForwardTsn,
            other => Self::Unknown(other),
        }
    }
}

impl From<ChunkType> for u8 {
    fn from(kind: ChunkType) -> Self {
        match kind {
            ChunkType::Data => 0,
            ChunkType::Init => 1,
            ChunkType::InitAck => 2,
            ChunkType::Sack => 3,
            ChunkType::Heartbeat => 4,
            ChunkType::HeartbeatAck => 5,
            ChunkType::Abort => 6,
            ChunkType::Shutdown => 7,
            ChunkType::ShutdownAck => 8,
            ChunkType::Error => 9,
            ChunkType::CookieEcho => 10,
            ChunkType::CookieAck => 11,
            ChunkType::Ecne => 12,
            ChunkType::Cwr => 13,
            ChunkType::ShutdownComplete => 14,
            ChunkType::Auth => 15,
            ChunkType::NrSack => 16,
            ChunkType::IData => 0x40,
            ChunkType::AsconfAck => 0x80,
            ChunkType::PacketDrop => 0x81,
            ChunkType::ReConfig => 0x82,
            ChunkType::Pad => 0x84,
            ChunkType::ForwardTsn => 0xc0,
            ChunkType::Asconf => 0xc1,
            ChunkType::IForwardTsn => 0xc2,
            ChunkType::Unknown(other) => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        for kind in 0..=u8::MAX {
            assert_eq!(u8::from(ChunkType::from(kind)), kind);
        }
    }

    // RFC 9260 3.2: 00 stop, 01 stop and report, 10 skip, 11 skip and report.
    #[test]
    fn high_bits_say_what_becomes_of_unknown_chunks() {
        assert_eq!(ChunkType::Unknown(0x3f).unrecognized(), Unrecognized::Stop);
        assert_eq!(ChunkType::Unknown(0x7f).unrecognized(), Unrecognized::StopAndReport);
        assert_eq!(ChunkType::Unknown(0xbf).unrecognized(), Unrecognized::Skip);
        assert_eq!(ChunkType::Asconf.unrecognized(), Unrecognized::SkipAndReport);
    }
}
