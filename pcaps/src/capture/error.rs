//! Why a capture cannot be read.

use std::fmt::Write as _;
use std::io;

/// Why a capture, or the rest of it, cannot be read. Offsets are bytes from the beginning of the file, unpacked where it is gzipped,
/// and are those of the record or block that is wrong. The file's name is not part of the message: whoever opened it knows it.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file cannot be opened.
    #[error("cannot open: {0}")]
    Open(#[source] io::Error),

    /// Reading failed.
    #[error("cannot read on at byte {offset}: {source}")]
    Io {
        /// Where reading stopped.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },

    /// The gzip wrapping is damaged.
    #[error("damaged gzip data, after {offset} bytes unpacked: {source}")]
    Gzip {
        /// How much could be unpacked, in bytes.
        offset: u64,
        /// What the unpacker said.
        source: io::Error,
    },

    /// There is not one byte.
    #[error("empty file")]
    Empty,

    /// The first bytes are those of no format that is read here.
    #[error("not a capture: begins with {}, neither pcap (d4 c3 b2 a1, 4d 3c b2 a1 or their reverse) nor pcapng (0a 0d 0d 0a)", hex(.begins))]
    NotACapture {
        /// The first four bytes, or as many as there are.
        begins: Vec<u8>,
    },

    /// The file ends inside the header that every capture of its format begins with.
    #[error("the file ends inside its header: {found} of {need} bytes")]
    HeaderCut {
        /// Bytes there are.
        found: u64,
        /// Bytes the header has.
        need: u64,
    },

    /// The file, or a section of a pcapng file, has a version that is not known: pcap has 2.4, pcapng 1.0 and 1.2.
    #[error("unknown version {major}.{minor} in the header at byte {offset}")]
    UnknownVersion {
        /// Where the header begins.
        offset: u64,
        /// Major version.
        major: u16,
        /// Minor version.
        minor: u16,
    },

    /// A section of a pcapng file does not say which byte order it has.
    #[error("section at byte {offset}: byte-order magic {}, neither 1a 2b 3c 4d nor 4d 3c 2b 1a", hex(.magic))]
    ByteOrder {
        /// Where the section begins.
        offset: u64,
        /// The four bytes in the magic's place.
        magic: [u8; 4],
    },

    /// A record of a pcap file, or a block of a pcapng file that must be held whole, is longer than [`MOST_BYTES`](super::MOST_BYTES).
    #[error("record at byte {offset} is {len} bytes long; at most {most} are read")]
    TooLarge {
        /// Where the record begins.
        offset: u64,
        /// Its length, headers counted.
        len: u64,
        /// The limit.
        most: u32,
    },

    /// The total length of a pcapng block is shorter than such a block can be, or no multiple of four.
    #[error("block of type {kind:#x} at byte {offset}: bad length {len}")]
    BlockLength {
        /// Where the block begins.
        offset: u64,
        /// Its type.
        kind: u32,
        /// Its total length.
        len: u32,
    },

    /// The total length at the end of a pcapng block is not the one at its beginning.
    #[error("block of type {kind:#x} at byte {offset}: length {len} at its beginning but {trailer} at its end")]
    BlockTrailer {
        /// Where the block begins.
        offset: u64,
        /// Its type.
        kind: u32,
        /// The length at its beginning.
        len: u32,
        /// The length at its end.
        trailer: u32,
    },

    /// A packet of a pcapng file claims more bytes than its block has.
    #[error("packet in the block at byte {offset}: {captured} bytes captured, but the block has room for {room}")]
    PacketLength {
        /// Where the block begins.
        offset: u64,
        /// Bytes that it says were captured.
        captured: u32,
        /// Bytes that are left in the block.
        room: u32,
    },

    /// A packet of a pcapng file names an interface that its section has not described before.
    #[error("packet in the block at byte {offset}: interface {interface}, but only {known} were described")]
    UnknownInterface {
        /// Where the block begins.
        offset: u64,
        /// The interface it names, from 0.
        interface: u32,
        /// How many the section has described.
        known: usize,
    },

    /// A section of a pcapng file describes more interfaces than are kept in memory.
    #[error("interface description at byte {offset}: more than {most} interfaces in one section")]
    TooManyInterfaces {
        /// Where the block begins.
        offset: u64,
        /// The limit.
        most: usize,
    },

    /// An option of an interface description does not fit its block, or has a length that this option cannot have.
    #[error("interface description at byte {offset}: option {code} has a bad length of {len}")]
    OptionLength {
        /// Where the block begins.
        offset: u64,
        /// The option's code.
        code: u16,
        /// The option's length.
        len: u16,
    },
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let gap = if text.is_empty() { "" } else { " " };
        let _ = write!(text, "{gap}{byte:02x}");
    }
    text
}
