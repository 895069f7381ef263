use crate::{Tables, Work};

/// The furthest offset that [`Packet::load`] and [`Packet::store`] reach, whatever the packet's length.
///
/// The BPF verifier wants packet offsets bounded by a constant; all hosts share this one, so that
/// they agree on every packet. Headers lie within it; of a jumbo frame the first buffer is longer than it.
pub const REACH: usize = 0x7ff;

#[allow(clippy::len_without_is_empty, reason = "no host has an empty packet")]
/// A packet: bytes from the Ethernet header on, every access bounds-checked.
pub trait Packet: Sized {
    /// Length in bytes of what [`Packet::load`] can see, from the Ethernet header on. A host may keep the rest
    /// of a jumbo frame elsewhere.
    fn len(&self) -> usize;

    /// Whether what [`Packet::load`] can see is `end` bytes long, or longer.
    #[inline(always)]
    fn holds(&self, end: usize) -> bool {
        end <= self.len()
    }

    /// Length in bytes of the whole frame.
    fn whole(&self) -> usize;

    /// `N` bytes at offset `at`; `None` past the end or past [`REACH`].
    fn load<const N: usize>(&self, at: usize) -> Option<[u8; N]>;

    /// Writes `N` bytes at offset `at`; `None`, and nothing written, past the end or past [`REACH`].
    fn store<const N: usize>(&mut self, at: usize, bytes: [u8; N]) -> Option<()>;

    /// Makes room for `by` bytes in front. Offsets read before are void after it.
    fn grow_front(&mut self, by: usize) -> Option<()>;

    /// Takes `by` bytes off the front. Offsets read before are void after it.
    fn shrink_front(&mut self, by: usize) -> Option<()>;

    /// Lengthens (zeroed) or shortens the packet at its end by `by` bytes.
    fn resize_tail(&mut self, by: i32) -> Option<()>;

    /// Calls [`crate::round`] until it says stop, at the most `most` times.
    ///
    /// Every loop over what a packet contains goes through here: in the kernel it is `bpf_loop`, and the round is
    /// a function of its own, which the verifier checks once, whatever `most` is.
    fn repeat<T: Tables>(&mut self, most: u32, round: Round, tables: &T, work: &mut Work);

    /// One byte at `at`.
    #[inline(always)]
    fn byte(&self, at: usize) -> Option<u8> {
        self.load::<1>(at).map(|[byte]| byte)
    }

    /// A 16-bit number in network order at `at`.
    #[inline(always)]
    fn be16(&self, at: usize) -> Option<u16> {
        self.load(at).map(u16::from_be_bytes)
    }

    /// A 32-bit number in network order at `at`.
    #[inline(always)]
    fn be32(&self, at: usize) -> Option<u32> {
        self.load(at).map(u32::from_be_bytes)
    }
}

/// The loops over what a packet contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Round {
    /// Steps over an IPv6 extension header.
    Extension,
    /// Checks a parameter of INIT or INIT ACK, and stores nothing.
    Scan,
    /// Puts the service's address in place of the endpoint's in a parameter of INIT ACK.
    Rewrite,
    /// Takes ASCONF out of a word of supported chunk types.
    Mask,
    /// Looks at an endpoint for the one with the fewest sessions.
    Least,
    /// Steps over an extension header or an information element of GTP-U.
    Element,
    /// Steps over an IPv6 extension header of a user's packet.
    Inner,
    /// Asks a filter of a tunnel.
    Filter,
    /// Adds up what an ICMP error quotes.
    Sum,
}
