//! Chunks (RFC 9260 3.2, 3.3).

mod association;
mod data;
mod extension;
mod kind;
mod sack;

pub use association::Init;
pub use data::{Data, DataFlags, ForwardTsn, Forwarded, IData, IForwardTsn, IForwarded, IForwardedList};
pub use extension::{Auth, PacketDrop, Serial};
pub use kind::ChunkType;
pub use sack::{GapBlock, GapBlocks, NrSack, Sack, TsnList};

use super::tlv::{Item, Items, Value};
use super::{Causes, Error, HEADER_LENGTH, List, Parameters};
use crate::bytes;

/// A chunk as a typed view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// Payload data (RFC 9260 3.3.1).
    Data(Data<'a>),
    /// Payload data that may be interleaved (RFC 8260 2.1).
    IData(IData<'a>),
    /// Asks for an association (RFC 9260 3.3.2).
    Init(Init<'a>),
    /// Answers an INIT (RFC 9260 3.3.3).
    InitAck(Init<'a>),
    /// Acknowledges DATA (RFC 9260 3.3.4).
    Sack(Sack<'a>),
    /// Acknowledges, telling apart what the receiver may still drop (draft-tuexen-tsvwg-sctp-multipath).
    NrSack(NrSack<'a>),
    /// Probes a path; its parameter is the sender's own (RFC 9260 3.3.5).
    Heartbeat(Parameters<'a>),
    /// Answers a HEARTBEAT with its parameter (RFC 9260 3.3.6).
    HeartbeatAck(Parameters<'a>),
    /// Ends the association at once (RFC 9260 3.3.7).
    Abort {
        /// The T bit: the verification tag is the sender's own, reflected (RFC 9260 8.5.1).
        reflected: bool,
        /// Why.
        causes: Causes<'a>,
    },
    /// Reports errors that end nothing (RFC 9260 3.3.10).
    Error(Causes<'a>),
    /// Begins a graceful end (RFC 9260 3.3.8).
    Shutdown {
        /// The last TSN received in sequence.
        cumulative_tsn: u32,
    },
    /// Answers a SHUTDOWN (RFC 9260 3.3.9).
    ShutdownAck,
    /// Ends the association (RFC 9260 3.3.13).
    ShutdownComplete {
        /// The T bit, as in ABORT.
        reflected: bool,
    },
    /// Returns the state cookie of an INIT ACK (RFC 9260 3.3.11).
    CookieEcho(&'a [u8]),
    /// Answers a COOKIE ECHO (RFC 9260 3.3.12).
    CookieAck,
    /// Echoes a congestion mark (RFC 4960 appendix A; reserved in RFC 9260 3.2).
    Ecne {
        /// The lowest TSN of the packet that was marked.
        lowest_tsn: u32,
    },
    /// Says that the congestion window was reduced (RFC 4960 appendix A; reserved in RFC 9260 3.2).
    Cwr {
        /// The TSN of the ECNE that is answered.
        lowest_tsn: u32,
    },
    /// Authenticates the chunks after it (RFC 4895 4.1).
    Auth(Auth<'a>),
    /// Moves the cumulative TSN past abandoned DATA (RFC 3758 3.2).
    ForwardTsn(ForwardTsn<'a>),
    /// The same for I-DATA (RFC 8260 2.3.1).
    IForwardTsn(IForwardTsn<'a>),
    /// Changes addresses; its first parameter is the address parameter (RFC 5061 4.1.1).
    Asconf(Serial<'a>),
    /// Answers an ASCONF (RFC 5061 4.1.2).
    AsconfAck(Serial<'a>),
    /// Changes streams (RFC 6525 3.1).
    ReConfig(Parameters<'a>),
    /// Padding (RFC 4820 3).
    Pad(&'a [u8]),
    /// Reports a dropped packet (draft-stewart-sctp-pktdrprep).
    PacketDrop(PacketDrop<'a>),
    /// A chunk of a type that is not known here.
    Unknown(RawChunk<'a>),
}

/// A chunk whose header is there and whose length fits; its value is not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawChunk<'a>(Item<'a>);

impl<'a> RawChunk<'a> {
    /// Type of the chunk.
    pub fn kind(&self) -> ChunkType {
        let [_, kind] = self.0.kind.to_be_bytes();
        ChunkType::from(kind)
    }

    /// The flags; what they mean depends on the type.
    pub fn flags(&self) -> u8 {
        bytes::u8_at(self.0.bytes, 1).unwrap_or_default()
    }

    /// The length field: header and value, not the padding; at least 4.
    pub fn length(&self) -> u16 {
        self.0.length
    }

    /// Where in the packet the chunk begins.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// Everything after the 4-byte header, without the padding.
    pub fn value(&self) -> &'a [u8] {
        self.0.value().bytes
    }

    /// Header and value, without the padding.
    pub fn bytes(&self) -> &'a [u8] {
        self.0.bytes
    }

    /// The chunk as a typed view. What a view holds as a list is parsed as it is asked for.
    ///
    /// # Errors
    ///
    /// [`Error::FieldCut`] where a fixed field is not inside of the chunk.
    pub fn parse(&self) -> Result<Chunk<'a>, Error> {
        let value = self.0.value();
        Ok(match self.kind() {
            ChunkType::Data => Chunk::Data(Data::parse(self.flags(), value)?),
            ChunkType::IData => Chunk::IData(IData::parse(self.flags(), value)?),
            ChunkType::Init => Chunk::Init(Init::parse(value)?),
            ChunkType::InitAck => Chunk::InitAck(Init::parse(value)?),
            ChunkType::Sack => Chunk::Sack(Sack::parse(value)?),
            ChunkType::NrSack => Chunk::NrSack(NrSack::parse(value)?),
            ChunkType::Heartbeat => Chunk::Heartbeat(heartbeat_info(value)?),
            ChunkType::HeartbeatAck => Chunk::HeartbeatAck(heartbeat_info(value)?),
            ChunkType::Abort => Chunk::Abort { reflected: self.reflected(), causes: Causes::new(value) },
            ChunkType::Error => Chunk::Error(Causes::new(value)),
            ChunkType::Shutdown => Chunk::Shutdown { cumulative_tsn: value.u32("Cumulative TSN Ack", 0)? },
            ChunkType::ShutdownAck => Chunk::ShutdownAck,
            ChunkType::ShutdownComplete => Chunk::ShutdownComplete { reflected: self.reflected() },
            ChunkType::CookieEcho => Chunk::CookieEcho(value.bytes),
            ChunkType::CookieAck => Chunk::CookieAck,
            ChunkType::Ecne => Chunk::Ecne { lowest_tsn: value.u32("Lowest TSN Number", 0)? },
            ChunkType::Cwr => Chunk::Cwr { lowest_tsn: value.u32("Lowest TSN Number", 0)? },
            ChunkType::Auth => Chunk::Auth(Auth::parse(value)?),
            ChunkType::ForwardTsn => Chunk::ForwardTsn(ForwardTsn::parse(value)?),
            ChunkType::IForwardTsn => Chunk::IForwardTsn(IForwardTsn::parse(value)?),
            ChunkType::Asconf => Chunk::Asconf(Serial::parse(value)?),
            ChunkType::AsconfAck => Chunk::AsconfAck(Serial::parse(value)?),
            ChunkType::ReConfig => Chunk::ReConfig(Parameters::new(value)),
            ChunkType::Pad => Chunk::Pad(value.bytes),
            ChunkType::PacketDrop => Chunk::PacketDrop(PacketDrop::parse(self.flags(), value)?),
            ChunkType::Unknown(_) => Chunk::Unknown(*self),
        })
    }

    /// The T bit of ABORT and SHUTDOWN COMPLETE.
    fn reflected(&self) -> bool {
        self.flags() & 1 == 1
    }
}

/// The parameters of a HEARTBEAT: there is one at least (RFC 9260 3.3.5).
fn heartbeat_info(value: Value<'_>) -> Result<Parameters<'_>, Error> {
    value.slice("Heartbeat Information", 0, 4)?;
    Ok(Parameters::new(value))
}

/// Chunks one after another. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Chunks<'a>(Items<'a>);

impl<'a> Chunks<'a> {
    pub(super) fn of_packet(packet: &'a [u8]) -> Self {
        Self::new(Value { offset: 0, bytes: packet }.after(HEADER_LENGTH))
    }

    pub(super) fn new(value: Value<'a>) -> Self {
        Self(Items::new(List::Chunks, value))
    }

    /// After [`Error::ItemCut`]: the chunk whose end is missing, with the bytes that are there. Of
    /// a packet captured with a short snap length this is all that can be read.
    pub fn cut(&self) -> Option<RawChunk<'a>> {
        self.0.cut().map(RawChunk)
    }

    /// The bytes that no chunk has been made of yet.
    pub fn rest(&self) -> &'a [u8] {
        self.0.rest().bytes
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<RawChunk<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|item| item.map(RawChunk))
    }
}
