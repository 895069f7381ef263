//! The addresses that an SCTP INIT ACK names.

use pinion_protocols::sctp::{Chunk, Packet, Parameter};
use pinion_steering::Address;

/// The address parameters of an INIT ACK (RFC 9260 3.3.3.1), from the SCTP header on: where the address lies, and which it is. Ends
/// where the packet is damaged; nothing where its first chunk is another.
pub(super) fn of_init_ack(packet: &[u8]) -> Vec<(usize, Address)> {
    let Ok(parsed) = Packet::parse(packet) else {
        return Vec::new();
    };
    let first = parsed.chunks().next();
    let Some(Ok(Chunk::InitAck(ack))) = first.and_then(Result::ok).map(|chunk| chunk.parse()) else {
        return Vec::new();
    };
    let parameters = ack.parameters.map_while(Result::ok);
    parameters
        .filter_map(|parameter| {
            let address = match parameter.parse() {
                Ok(Parameter::Ipv4(address)) => Address::v4(address.octets()),
                Ok(Parameter::Ipv6(address)) => Address::v6(address.octets()),
                _ => return None,
            };
            Some((parameter.offset().checked_add(4)?, address))
        })
        .collect()
}
