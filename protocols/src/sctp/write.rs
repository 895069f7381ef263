//! Writes packets: the views' other direction.

use bytes::{BufMut, BytesMut};
use core::net::IpAddr;

use super::{CauseCode, ChunkType, GapBlock, HEADER_LENGTH, ParameterType, crc32c};

/// Appends one packet to a buffer: its common header, then chunk after chunk.
#[derive(Debug)]
pub struct PacketWriter<'a> {
    out: &'a mut BytesMut,
    start: usize,
}

impl<'a> PacketWriter<'a> {
    /// Begins a packet at the end of `out`, which may hold other packets of such a writer already.
    pub fn new(out: &'a mut BytesMut, source_port: u16, destination_port: u16, verification_tag: u32) -> Self {
        let start = out.len();
        out.put_u16(source_port);
        out.put_u16(destination_port);
        out.put_u32(verification_tag);
        out.put_u32(0);
        Self { out, start }
    }

    /// Bytes written, common header included.
    pub fn len(&self) -> usize {
        self.out.len().saturating_sub(self.start)
    }

    /// Whether there is no chunk yet.
    pub fn is_empty(&self) -> bool {
        self.len() <= HEADER_LENGTH
    }

    /// Adds a chunk whose value `value` writes. Its length and padding are seen to.
    pub fn chunk(&mut self, kind: ChunkType, flags: u8, value: impl FnOnce(&mut BytesMut)) -> &mut Self {
        let start = self.out.len();
        self.out.put_u8(kind.into());
        self.out.put_u8(flags);
        self.out.put_u16(0);
        value(self.out);
        close(self.out, start);
        pad(self.out);
        self
    }

    /// Adds a DATA chunk (RFC 9260 3.3.1).
    pub fn data(&mut self, data: &DataHeader, payload: &[u8]) -> &mut Self {
        let length = u16::try_from(payload.len().saturating_add(16)).unwrap_or(u16::MAX);
        let [l0, l1] = length.to_be_bytes();
        let [t0, t1, t2, t3] = data.tsn.to_be_bytes();
        let [s0, s1] = data.stream.to_be_bytes();
        let [n0, n1] = data.sequence.to_be_bytes();
        let [p0, p1, p2, p3] = data.protocol.to_be_bytes();
        let kind = u8::from(ChunkType::Data);
        self.out.put_slice(&[kind, data.flags, l0, l1, t0, t1, t2, t3, s0, s1, n0, n1, p0, p1, p2, p3]);
        self.out.put_slice(payload);
        pad(self.out);
        self
    }

    /// Adds a SACK chunk (RFC 9260 3.3.4). At most 65,535 of each list are written.
    pub fn sack(&mut self, cumulative_tsn: u32, a_rwnd: u32, gaps: &[GapBlock], duplicates: &[u32]) -> &mut Self {
        self.chunk(ChunkType::Sack, 0, |out| {
            out.put_u32(cumulative_tsn);
            out.put_u32(a_rwnd);
            out.put_u16(u16::try_from(gaps.len()).unwrap_or(u16::MAX));
            out.put_u16(u16::try_from(duplicates.len()).unwrap_or(u16::MAX));
            for gap in gaps.iter().take(usize::from(u16::MAX)) {
                out.put_u16(gap.start);
                out.put_u16(gap.end);
            }
            for &tsn in duplicates.iter().take(usize::from(u16::MAX)) {
                out.put_u32(tsn);
            }
        })
    }

    /// Takes back everything from `length` on, as [`PacketWriter::len`] counts.
    pub fn truncate(&mut self, length: usize) {
        self.out.truncate(self.start.saturating_add(length));
    }

    /// The packet so far, for what is computed over it.
    pub fn written(&mut self) -> &mut [u8] {
        self.out.get_mut(self.start..).unwrap_or_default()
    }

    /// Puts in the checksum (RFC 9260 6.8).
    pub fn finish(mut self) {
        let packet = self.written();
        let checksum = crc32c::of_packet(packet).to_le_bytes();
        if let Some(field) = packet.get_mut(8..HEADER_LENGTH) {
            field.copy_from_slice(&checksum);
        }
    }
}

/// The fields of a DATA chunk that is written (RFC 9260 3.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataHeader {
    /// E 1, B 2, U 4, I 8.
    pub flags: u8,
    /// Transmission sequence number.
    pub tsn: u32,
    /// Stream identifier.
    pub stream: u16,
    /// Stream sequence number.
    pub sequence: u16,
    /// Payload protocol identifier.
    pub protocol: u32,
}

/// Appends a parameter (RFC 9260 3.2.1) whose value `value` writes, at the next multiple of four bytes. The
/// last one is left without padding, which the length around it does not count (RFC 9260 3.2).
pub fn parameter(out: &mut BytesMut, kind: ParameterType, value: impl FnOnce(&mut BytesMut)) {
    item(out, kind.into(), value);
}

/// Appends an address parameter (RFC 9260 3.3.2.1.1, 3.3.2.1.2).
pub fn address(out: &mut BytesMut, address: IpAddr) {
    match address {
        IpAddr::V4(address) => parameter(out, ParameterType::Ipv4, |out| out.put_slice(&address.octets())),
        IpAddr::V6(address) => parameter(out, ParameterType::Ipv6, |out| out.put_slice(&address.octets())),
    }
}

/// Appends an error cause (RFC 9260 3.3.10) whose value `value` writes, as [`parameter`] does.
pub fn cause(out: &mut BytesMut, code: CauseCode, value: impl FnOnce(&mut BytesMut)) {
    item(out, code.into(), value);
}

fn item(out: &mut BytesMut, kind: u16, value: impl FnOnce(&mut BytesMut)) {
    pad(out);
    let start = out.len();
    out.put_u16(kind);
    out.put_u16(0);
    value(out);
    close(out, start);
}

/// Sets the length of the item that begins at `start` and ends here.
fn close(out: &mut BytesMut, start: usize) {
    let length = out.len().saturating_sub(start);
    if let Some(field) = out.get_mut(start.saturating_add(2)..start.saturating_add(4)) {
        field.copy_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
    }
}

fn pad(out: &mut BytesMut) {
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sctp::tests::hex;

    // scapy 2.6: SCTP(sport=1,dport=2,tag=3)/SCTPChunkSACK(cumul_tsn_ack=5,a_rwnd=6,
    // n_gap_ack=1,n_dup_tsn=1,gap_ack_list=['2:3'],dup_tsn_list=[9])/SCTPChunkData(beginning=1,
    // ending=1,tsn=7,stream_id=8,stream_seq=9,proto_id=60,data=b'hello')
    #[test]
    fn sack_and_data_are_what_scapy_writes() {
        let mut out = BytesMut::new();
        let mut packet = PacketWriter::new(&mut out, 1, 2, 3);
        packet.sack(5, 6, &[GapBlock { start: 2, end: 3 }], &[9]);
        let header = DataHeader { flags: 3, tsn: 7, stream: 8, sequence: 9, protocol: 60 };
        packet.data(&header, b"hello");
        packet.finish();
        assert_eq!(out.as_ref(), hex(SACK_AND_DATA));
    }
    const SACK_AND_DATA: &str = "0001000200000003a316dc700300001800000005000000060001000100020003000000090003001500000007000800090000003c68656c6c6f000000";

    // scapy 2.6: SCTP(sport=1,dport=2,tag=3)/SCTPChunkInit(len=0x35,init_tag=4,a_rwnd=5,n_out_streams=6,
    // n_in_streams=7,init_tsn=8,params=[SCTPChunkParamIPv4Addr(addr='192.0.2.1'),
    // SCTPChunkParamIPv6Addr(addr='2001:db8::1'),SCTPChunkParamSupportedExtensions(
    // supported_extensions=['re-config'])]). Of itself scapy counts the padding, which tshark 4.0 shows as
    // the chunk's only with this length.
    #[test]
    fn parameters_are_what_scapy_writes() {
        let mut out = BytesMut::new();
        let mut packet = PacketWriter::new(&mut out, 1, 2, 3);
        packet.chunk(ChunkType::Init, 0, |out| {
            out.put_u32(4);
            out.put_u32(5);
            out.put_u16(6);
            out.put_u16(7);
            out.put_u32(8);
            address(out, "192.0.2.1".parse().unwrap());
            address(out, "2001:db8::1".parse().unwrap());
            parameter(out, ParameterType::SupportedExtensions, |out| out.put_u8(0x82));
        });
        packet.finish();
        assert_eq!(out.as_ref(), hex(INIT));
    }
    const INIT: &str = "0001000200000003fc850688010000350000000400000005000600070000000800050008c00002010006001420010db80000000000000000000000018008000582000000";

    // scapy 2.6: SCTP(sport=1,dport=2,tag=3)/SCTPChunkAbort(len=17,error_causes=bytes.fromhex(
    // '000d000561000000000c000562000000')), where tshark 4.0 finds two causes and three bytes of chunk padding.
    #[test]
    fn rfc9260_3_2_padding_goes_between_causes_and_the_last_is_not_counted() {
        let mut out = BytesMut::new();
        let mut packet = PacketWriter::new(&mut out, 1, 2, 3);
        packet.chunk(ChunkType::Abort, 0, |out| {
            cause(out, CauseCode::ProtocolViolation, |out| out.put_u8(b'a'));
            cause(out, CauseCode::UserInitiatedAbort, |out| out.put_u8(b'b'));
        });
        packet.finish();
        assert_eq!(out.as_ref(), hex(ABORT));
    }
    const ABORT: &str = "0001000200000003183f34c006000011000d000561000000000c000562000000";
}
