//! Frames that steering leaves as they are but for the time to live, so that a run can be repeated on its own
//! result: endpoint and service have one address.

/// The client.
pub(super) const CLIENT: [u8; 4] = [192, 0, 2, 10];
/// A port of it.
pub(super) const CLIENT_PORT: u16 = 40_000;
/// The service, and its endpoint.
pub(super) const SERVICE: [u8; 4] = [198, 51, 100, 1];
/// The service's port.
pub(super) const SERVICE_PORT: u16 = 9000;

/// An Ethernet and IPv4 header around `payload`, padded to `size` bytes in all with zeros behind the transport
/// header that the caller wrote. The time to live is the most there is, for a run takes one of it.
pub(super) fn ipv4(source: [u8; 4], destination: [u8; 4], protocol: u8, transport: &[u8], size: usize) -> Vec<u8> {
    let length = size.max(34 + transport.len()) - 14;
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    let [a, b] = (length as u16).to_be_bytes();
    frame.extend([0x45, 0, a, b, 0, 0, 0x40, 0, 255, protocol, 0, 0]);
    frame.extend(source);
    frame.extend(destination);
    let sum: u32 = frame.get(14..34).unwrap_or_default().chunks(2).map(pair).sum();
    let check = !((sum & 0xffff) + (sum >> 16)) as u16;
    for (byte, value) in frame.iter_mut().skip(24).zip(check.to_be_bytes()) {
        *byte = value;
    }
    frame.extend(transport);
    frame.resize(14 + length, 0);
    frame
}

fn pair(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// A UDP datagram with a checksum, which need not be right to be corrected.
pub(super) fn udp(source: u16, destination: u16, payload: &[u8], size: usize) -> Vec<u8> {
    let ([a, b], [c, d]) = (source.to_be_bytes(), destination.to_be_bytes());
    let [e, f] = ((size - 34) as u16).to_be_bytes();
    let mut datagram = vec![a, b, c, d, e, f, 0x12, 0x34];
    datagram.extend(payload);
    ipv4(CLIENT, SERVICE, 17, &datagram, size)
}

/// A GTP-U G-PDU.
pub(super) fn gtpu(teid: u32, size: usize) -> Vec<u8> {
    let [a, b] = ((size - 50) as u16).to_be_bytes();
    let [c, d, e, f] = teid.to_be_bytes();
    udp(2152, 2152, &[0x30, 255, a, b, c, d, e, f], size)
}

/// An SCTP packet with one chunk that fills it.
pub(super) fn sctp(ends: [[u8; 4]; 2], ports: [u16; 2], tag: u32, chunk: &[u8], size: usize) -> Vec<u8> {
    let [[a, b], [c, d]] = ports.map(u16::to_be_bytes);
    let mut packet = vec![a, b, c, d];
    packet.extend(tag.to_be_bytes());
    packet.extend([1, 2, 3, 4]);
    packet.extend(chunk);
    ipv4(ends[0], ends[1], 132, &packet, size)
}

/// A DATA chunk that fills a frame of `size` bytes, less what makes it end on a word, as SCTP packets do.
pub(super) fn data(size: usize) -> Vec<u8> {
    let length = (size - 46) & !3;
    let [a, b] = (length as u16).to_be_bytes();
    let mut chunk = vec![0, 3, a, b, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 60];
    chunk.resize(length.max(16), 0);
    chunk
}

/// An INIT ACK with `addresses`, and a cookie of 200 bytes.
pub(super) fn init_ack(tag: u32, addresses: &[[u8; 4]]) -> Vec<u8> {
    let length = 20 + 8 * addresses.len() + 204;
    let [a, b] = (length as u16).to_be_bytes();
    let mut chunk = vec![2, 0, a, b];
    chunk.extend(tag.to_be_bytes());
    chunk.extend([0, 1, 0, 0, 0, 10, 0, 10, 0, 0, 0, 1]);
    for address in addresses {
        chunk.extend([0, 5, 0, 8]);
        chunk.extend(address);
    }
    chunk.extend([0, 7, 0, 204]);
    chunk.resize(length, 0x5a);
    chunk
}
