//! IP packets in pieces (RFC 791 3.2, RFC 8200 4.5).

use super::ip::FRAGMENT;
use super::transport::Payload;
use super::{Frame, Network};

/// The frame's IP packet in pieces, each but the last with `size` bytes, a multiple of eight, of what is behind the IP
/// header. IPv4 has the lower half of the identification.
#[must_use]
pub fn pieces(frame: &Frame, identification: u32, size: usize) -> Vec<Frame> {
    let Network::Ip(whole) = &frame.network else { return vec![frame.clone()] };
    let payload = whole.payload.bytes(whole.from, whole.to);
    let last = payload.len().div_ceil(size).saturating_sub(1);
    let piece = |(number, bytes): (usize, &[u8])| {
        let (offset, more) = ((number * size / 8) as u16, number < last);
        frame.clone().ip(|ip| {
            ip.payload = Payload::Raw(whole.payload.protocol(), bytes.to_vec());
            if whole.to.is_ipv4() {
                ip.id = identification as u16;
                ip.fragment = offset | if more { 0x2000 } else { 0 };
            } else {
                let [a, b] = (offset << 3 | u16::from(more)).to_be_bytes();
                let [c, d, e, f] = identification.to_be_bytes();
                ip.extensions.push((FRAGMENT, vec![0, a, b, c, d, e, f]));
            }
        })
    };
    payload.chunks(size).enumerate().map(piece).collect()
}
