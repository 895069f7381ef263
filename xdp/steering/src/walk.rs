/// How far a loop over a packet has come. Offsets are from the Ethernet header's first byte.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Walk {
    /// Where the next round begins.
    pub at: u32,
    /// First byte behind what is walked.
    pub end: u32,
    /// First byte behind the packet.
    pub tail: u32,
    /// The lowest [`crate::sctp::digest`] over the client's addresses.
    pub digest: u32,
    /// Offset of the Supported Extensions parameter; 0 where there is none.
    pub extensions: u32,
    /// First byte behind that parameter.
    pub extensions_end: u32,
    /// Index in `TARGETS` of the endpoint's first path.
    pub endpoint: u32,
    /// Index in `TARGETS` of the service's first path.
    pub own: u32,
    /// The path whose address is expected next.
    pub path: u32,
    /// What the checksum is XORed with so far.
    pub crc: u32,
    /// GTP-U: offset of the TEID that an element holds; 0 where none does.
    pub teid: u32,
    /// GTP-U: offset of the peer's address that an element holds; 0 where none does.
    pub peer: u32,
    /// The chunk type that takes ASCONF's place; ASCONF itself where there is no other.
    pub other: u8,
    /// GTP-U: the type of the extension header that is next; 0 where elements are.
    pub extension: u8,
    /// Whether the rounds store, or only look.
    pub stores: u8,
    /// Whether a round failed.
    pub failed: u8,
    /// Why it failed.
    pub reason: crate::Reason,
    /// Zero.
    pub reserved: [u8; 3],
}

impl Walk {
    /// Ends the walk with a reason.
    #[inline(always)]
    pub(crate) fn fail(&mut self, reason: crate::Reason) -> bool {
        self.failed = 1;
        self.reason = reason;
        false
    }

    /// What the walk came to.
    #[inline(always)]
    pub(crate) fn result(&self) -> Result<(), crate::Reason> {
        if self.failed != 0 { Err(self.reason) } else { Ok(()) }
    }
}
