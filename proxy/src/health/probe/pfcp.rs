//! PFCP Heartbeat (TS 29.244 7.4.2). The request comes from any port, and its answer goes there (TS 29.244 6.6).

use std::time::SystemTime;

use super::low32;
use super::udp::Reading;
use crate::health::outcome::Failure;

/// UDP port of PFCP (TS 29.244 4.2.2).
pub const PORT: u16 = 8805;

const HEARTBEAT_REQUEST: u8 = 1;
const HEARTBEAT_RESPONSE: u8 = 2;
const VERSION_NOT_SUPPORTED: u8 = 11;

/// From 1900, where the NTP's time begins (RFC 5905 6), to 1970, in seconds.
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// A sequence number, 24 bits (TS 29.244 7.2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence([u8; 3]);

impl Sequence {
    /// The lowest 24 bits.
    pub fn from_low(bits: u64) -> Self {
        let [.., a, b, c] = bits.to_be_bytes();
        Self([a, b, c])
    }
}

/// A time as a Recovery Time Stamp (TS 29.244 8.2.65): seconds since 1900, which begin anew in 2036.
pub fn stamp(time: SystemTime) -> u32 {
    let unix = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    low32(unix.wrapping_add(NTP_TO_UNIX))
}

/// A Heartbeat Request with its Recovery Time Stamp, seconds since 1900.
pub fn heartbeat_request(Sequence([a, b, c]): Sequence, stamp: u32) -> [u8; 16] {
    let [s, t, u, v] = stamp.to_be_bytes();
    [0x20, HEARTBEAT_REQUEST, 0, 12, a, b, c, 0, 0, 96, 0, 4, s, t, u, v]
}

/// Whether a datagram is the answer to the request with this sequence number.
pub fn read(datagram: &[u8], sequence: Sequence) -> Reading {
    let Some((&[flags, kind, l0, l1, a, b, c, _], rest)) = datagram.split_first_chunk() else {
        return Reading::Other;
    };
    // The sequence number and the spare octet are counted by the length.
    let counted = usize::from(u16::from_be_bytes([l0, l1])).checked_sub(4);
    let whole = counted.is_some_and(|counted| counted <= rest.len());
    let without_seid = flags & 1 == 0;
    if !whole || !without_seid || Sequence([a, b, c]) != sequence {
        return Reading::Other;
    }
    match (flags >> 5, kind) {
        (1, HEARTBEAT_RESPONSE) => Reading::Answer,
        (_, VERSION_NOT_SUPPORTED) => Reading::Refusal(Failure::Version),
        _ => Reading::Other,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SEQUENCE: Sequence = Sequence([0x12, 0x34, 0x56]);

    /// scapy 2.8.0: `PFCP(version=1, S=0, seq=0x123456) /
    /// PFCPHeartbeatRequest(IE_list=[IE_RecoveryTimeStamp(timestamp=0xe0000001)])`.
    #[test]
    fn the_request_is_scapys() {
        let request = heartbeat_request(Sequence::from_low(0xff12_3456), 0xe000_0001);
        assert_eq!(request, *b"\x20\x01\x00\x0c\x12\x34\x56\0\x00\x60\x00\x04\xe0\0\0\x01");
    }

    /// scapy 2.8.0: the same with `PFCPHeartbeatResponse`.
    const RESPONSE: [u8; 16] = *b"\x20\x02\x00\x0c\x12\x34\x56\0\x00\x60\x00\x04\xe0\0\0\x02";

    /// scapy 2.8.0: `PFCP(version=1, S=0, seq=0x123456) / PFCPVersionNotSupportedResponse()`.
    const OTHER_VERSION: [u8; 8] = *b"\x20\x0b\x00\x04\x12\x34\x56\0";

    #[test]
    fn only_its_own_answer_counts() {
        assert_eq!(read(&RESPONSE, SEQUENCE), Reading::Answer);
        assert_eq!(read(&OTHER_VERSION, SEQUENCE), Reading::Refusal(Failure::Version));
        assert_eq!(read(&RESPONSE, Sequence([0x12, 0x34, 0x57])), Reading::Other);
        assert_eq!(read(&heartbeat_request(SEQUENCE, 1), SEQUENCE), Reading::Other);
        for length in 0..RESPONSE.len() {
            assert_eq!(read(&RESPONSE[..length], SEQUENCE), Reading::Other);
        }
        let mut with_seid = RESPONSE;
        with_seid[0] |= 1;
        assert_eq!(read(&with_seid, SEQUENCE), Reading::Other);
    }

    /// RFC 5905 figure 4: 1 January 1970 is 2,208,988,800 in NTP's era 0.
    #[test]
    fn the_stamp_counts_from_1900() {
        assert_eq!(stamp(SystemTime::UNIX_EPOCH), 2_208_988_800);
        assert_eq!(stamp(SystemTime::UNIX_EPOCH + Duration::from_secs(2_085_978_496)), 0);
    }

    #[test]
    fn any_bytes_are_read() {
        bolero::check!().with_type::<(Vec<u8>, [u8; 3])>().for_each(|(datagram, sequence)| {
            if read(datagram, Sequence(*sequence)) != Reading::Other {
                assert!(matches!(datagram[1], 2 | 11));
                assert_eq!(datagram[4..7], *sequence);
            }
        });
    }
}
