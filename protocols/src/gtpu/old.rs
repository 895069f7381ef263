//! Headers of GTP's other versions, so that a capture can be told what it holds: version 0
//! (TS 09.60 6) and GTP' (TS 32.295 6.1). Pinion steers neither.

use super::{Error, MessageType};
use crate::bytes;

/// UDP port of GTP version 0 and of GTP'.
pub const PORT: u16 = 3386;

/// A message of GTP version 0 or of GTP' in any version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    flags: u8,
    message_type: MessageType,
    length: u16,
    sequence: u16,
    header: usize,
    rest: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Parses the payload of a UDP datagram.
    ///
    /// # Errors
    ///
    /// [`Error::HeaderCut`]; [`Error::ProtocolType`] where it is GTP, not GTP', and not version 0;
    /// [`Error::Version`] where the version is above 2.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Error> {
        let Some([flags, kind, l0, l1, s0, s1]) = bytes::array_at(datagram, 0) else {
            return Err(Error::HeaderCut { have: datagram.len() });
        };
        let (version, prime) = (flags >> 5, flags & 0x10 == 0);
        if version > 2 {
            return Err(Error::Version { version });
        }
        if !prime && version != 0 {
            return Err(Error::ProtocolType);
        }
        // TS 32.295 6.1.1: GTP' version 0 has the long header unless bit 1 is set.
        let header = if version == 0 && !(prime && flags & 1 == 1) { 20 } else { 6 };
        let rest = datagram.get(header..).ok_or(Error::HeaderCut { have: datagram.len() })?;
        let length = u16::from_be_bytes([l0, l1]);
        Ok(Self {
            flags,
            message_type: MessageType::from(kind),
            length,
            sequence: u16::from_be_bytes([s0, s1]),
            header,
            rest: bytes::at_most(rest, usize::from(length)),
        })
    }

    /// First octet of the header.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// Whether this is GTP', the charging protocol.
    pub fn is_prime(&self) -> bool {
        self.flags & 0x10 == 0
    }

    /// Type of the message.
    pub fn message_type(&self) -> MessageType {
        self.message_type
    }

    /// The length field: everything after the header.
    pub fn length(&self) -> u16 {
        self.length
    }

    /// Sequence number.
    pub fn sequence(&self) -> u16 {
        self.sequence
    }

    /// Bytes of the header: 6 or 20.
    pub fn header_length(&self) -> usize {
        self.header
    }

    /// What follows the header: a T-PDU in a [`MessageType::GPdu`], else elements.
    pub fn body(&self) -> &'a [u8] {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_give_a_message_or_an_error() {
        bolero::check!().for_each(|bytes| {
            if let Ok(packet) = Packet::parse(bytes) {
                assert!(packet.header_length() + packet.body().len() <= bytes.len());
            }
        });
    }

    // scapy: GTPHeader(version=1, PT=0) has no such form; the bytes are frame 7 of a GTP' Echo
    // Request: version 0 with the short header, type 1, length 0, sequence 20.
    #[test]
    fn short_header_of_version_0() {
        let packet = Packet::parse(&[0x0f, 1, 0, 0, 0, 20]).unwrap();
        assert!(packet.is_prime());
        assert_eq!(packet.message_type(), MessageType::EchoRequest);
        assert_eq!((packet.sequence(), packet.header_length()), (20, 6));
    }
}
