//! SCTP packets: RFC 9260 with its extensions (RFC 3758, 4820, 4895, 5061, 6525, 8260, 9653).
//!
//! ```
//! use pinion_protocols::sctp::{Chunk, Packet};
//!
//! // A packet with one COOKIE ACK.
//! let bytes = [0x96, 0x0c, 0x96, 0x0c, 0, 0, 0, 9, 0, 0, 0, 0, 11, 0, 0, 4];
//! let packet = Packet::parse(&bytes)?;
//! assert_eq!(packet.destination_port(), 38412);
//! for chunk in packet.chunks() {
//!     assert_eq!(chunk?.parse()?, Chunk::CookieAck);
//! }
//! # Ok::<(), pinion_protocols::sctp::Error>(())
//! ```

mod cause;
mod chunk;
mod crc32c;
pub mod endpoint;
mod error;
mod parameter;
mod tlv;
pub mod write;

pub use cause::{Cause, CauseCode, Causes, RawCause};
pub use chunk::{
    Auth, Chunk, ChunkType, Chunks, Data, DataFlags, ForwardTsn, Forwarded, GapBlock, GapBlocks, IData,
    IForwardTsn, IForwarded, IForwardedList, Init, NrSack, PacketDrop, RawChunk, Sack, Serial, TsnList,
};
pub use crc32c::crc32c;
pub use error::{Error, List};
pub use parameter::{Parameter, ParameterType, Parameters, RawParameter, ReconfigRequest};
pub use tlv::{Numbers16, Unrecognized};

use crate::bytes;

/// Bytes of the common header (RFC 9260 3.1).
pub const HEADER_LENGTH: usize = 12;

/// A packet whose common header is there; its chunks are parsed as they are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    source_port: u16,
    destination_port: u16,
    verification_tag: u32,
    checksum: u32,
    bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Parses the payload of an IP packet, or of a UDP datagram (RFC 6951).
    ///
    /// # Errors
    ///
    /// [`Error::HeaderCut`] where there are fewer than 12 bytes.
    pub fn parse(packet: &'a [u8]) -> Result<Self, Error> {
        let Some([s0, s1, d0, d1, v0, v1, v2, v3, c0, c1, c2, c3]) = bytes::array_at(packet, 0) else {
            return Err(Error::HeaderCut { have: packet.len() });
        };
        Ok(Self {
            source_port: u16::from_be_bytes([s0, s1]),
            destination_port: u16::from_be_bytes([d0, d1]),
            verification_tag: u32::from_be_bytes([v0, v1, v2, v3]),
            checksum: u32::from_be_bytes([c0, c1, c2, c3]),
            bytes: packet,
        })
    }

    /// Port of the sender.
    pub fn source_port(&self) -> u16 {
        self.source_port
    }

    /// Port of the receiver.
    pub fn destination_port(&self) -> u16 {
        self.destination_port
    }

    /// The receiver's initiate tag; 0 in a packet with an INIT (RFC 9260 8.5.1).
    pub fn verification_tag(&self) -> u32 {
        self.verification_tag
    }

    /// The checksum as the four bytes read in network order. The CRC32c itself travels with its
    /// lowest byte first, so compare with [`Packet::checksum_matches`].
    pub fn checksum(&self) -> u32 {
        self.checksum
    }

    /// What the checksum of these bytes should be, in the form of [`Packet::checksum`].
    ///
    /// Time is linear in the packet's length.
    pub fn computed_checksum(&self) -> u32 {
        crc32c::of_packet(self.bytes).swap_bytes()
    }

    /// Whether the CRC32c is right (RFC 9260 6.8). A zero checksum, which peers may agree on
    /// (RFC 9653), is not right by this measure: see whether [`Packet::checksum`] is 0.
    pub fn checksum_matches(&self) -> bool {
        self.checksum == self.computed_checksum()
    }

    /// The chunks, in the order of the packet.
    pub fn chunks(&self) -> Chunks<'a> {
        Chunks::of_packet(self.bytes)
    }

    /// The whole packet.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

#[cfg(test)]
mod tests;
