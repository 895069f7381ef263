//! The headers of a frame, read as steering reads them.

use pinion_steering::{Address, protocol};

/// VLAN tags of a frame that steering reads: 802.1Q or 802.1ad, and behind it 802.1Q.
const VLAN: u16 = 0x8100;
const QINQ: u16 = 0x88a8;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// IPv6 extension headers that steering walks.
const EXTENSIONS: usize = 8;

/// One end of a conversation: what a service or a client is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct End {
    pub(super) address: Address,
    pub(super) port: u16,
    pub(super) protocol: u8,
}

/// The headers of an unfragmented UDP, TCP or SCTP packet. Offsets are from the frame's first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Headers {
    pub(super) source: Address,
    pub(super) destination: Address,
    /// Where the IP header begins.
    pub(super) network: usize,
    /// Where the transport header begins.
    pub(super) transport: usize,
    /// The first byte behind the IP packet.
    pub(super) end: usize,
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    pub(super) protocol: u8,
    /// TCP: its flags. SCTP: the type of the first chunk.
    pub(super) kind: u8,
    /// SCTP: the flags of the first chunk.
    pub(super) flags: u8,
    /// SCTP: the verification tag.
    pub(super) tag: u32,
}

impl Headers {
    /// Reads the headers of an Ethernet frame; `None` where it carries anything else, or less than it says.
    pub(super) fn of(frame: &[u8]) -> Option<Self> {
        let (ethertype, network) = ethernet(frame)?;
        let mut headers = match ethertype {
            IPV4 => ipv4(frame, network),
            IPV6 => ipv6(frame, network),
            _ => None,
        }?;
        headers.read_transport(frame)?;
        Some(headers)
    }

    pub(super) fn from(&self) -> End {
        End { address: self.source, port: self.source_port, protocol: self.protocol }
    }

    pub(super) fn to(&self) -> End {
        End { address: self.destination, port: self.destination_port, protocol: self.protocol }
    }

    /// What follows the transport header's first `skip` bytes, up to the end of the IP packet.
    pub(super) fn payload<'a>(&self, frame: &'a [u8], skip: usize) -> &'a [u8] {
        let begin = self.transport.saturating_add(skip);
        frame.get(begin..self.end).unwrap_or_default()
    }

    fn read_transport(&mut self, frame: &[u8]) -> Option<()> {
        let header = frame.get(self.transport..self.end)?;
        let [a, b, c, d] = at(header, 0)?;
        self.source_port = u16::from_be_bytes([a, b]);
        self.destination_port = u16::from_be_bytes([c, d]);
        match self.protocol {
            protocol::UDP => at::<8>(header, 0).map(|_| ()),
            protocol::TCP => {
                at::<20>(header, 0)?;
                let [flags] = at(header, 13)?;
                self.kind = flags;
                Some(())
            }
            protocol::SCTP => {
                self.tag = at(header, 4).map(u32::from_be_bytes)?;
                let [kind, flags, ..]: [u8; 4] = at(header, 12)?;
                (self.kind, self.flags) = (kind, flags);
                Some(())
            }
            _ => None,
        }
    }

    fn new(protocol: u8, source: Address, destination: Address, offsets: [usize; 3]) -> Self {
        let [network, transport, end] = offsets;
        Self {
            source,
            destination,
            network,
            transport,
            end,
            source_port: 0,
            destination_port: 0,
            protocol,
            kind: 0,
            flags: 0,
            tag: 0,
        }
    }
}

/// The bytes at an offset.
pub(super) fn at<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

fn be16(bytes: &[u8], offset: usize) -> Option<u16> {
    at(bytes, offset).map(u16::from_be_bytes)
}

fn ethernet(frame: &[u8]) -> Option<(u16, usize)> {
    match be16(frame, 12)? {
        VLAN | QINQ => match be16(frame, 16)? {
            VLAN => Some((be16(frame, 20)?, 22)),
            inner => Some((inner, 18)),
        },
        ethertype => Some((ethertype, 14)),
    }
}

fn ipv4(frame: &[u8], network: usize) -> Option<Headers> {
    let header: [u8; 20] = at(frame, network)?;
    let [first, _, l0, l1, _, _, f0, f1, _, protocol, _, _, addresses @ ..] = header;
    let [s0, s1, s2, s3, d0, d1, d2, d3] = addresses;
    let size = usize::from(first & 0x0f).saturating_mul(4);
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    let end = network.saturating_add(length);
    let is_fragment = u16::from_be_bytes([f0, f1]) & 0x3fff != 0;
    if first >> 4 != 4 || size < 20 || length < size || end > frame.len() || is_fragment {
        return None;
    }
    let offsets = [network, network.saturating_add(size), end];
    let (source, destination) = ([s0, s1, s2, s3], [d0, d1, d2, d3]);
    Some(Headers::new(protocol, Address::v4(source), Address::v4(destination), offsets))
}

fn ipv6(frame: &[u8], network: usize) -> Option<Headers> {
    let [first, _, _, _, l0, l1, mut next, _] = at(frame, network)?;
    let source = at(frame, network.saturating_add(8)).map(Address::v6)?;
    let destination = at(frame, network.saturating_add(24)).map(Address::v6)?;
    let mut transport = network.saturating_add(40);
    let end = transport.saturating_add(usize::from(u16::from_be_bytes([l0, l1])));
    if first >> 4 != 6 || end > frame.len() {
        return None;
    }
    for _ in 0..=EXTENSIONS {
        // RFC 8200 4: hop-by-hop, routing, fragment, authentication, destination options, mobility, HIP, shim6.
        let units: fn(usize) -> usize = match next {
            0 | 43 | 60 | 135 | 139 | 140 => |length| length.saturating_add(1).saturating_mul(8),
            44 => |_| 8,
            51 => |length| length.saturating_add(2).saturating_mul(4),
            _ => {
                let offsets = [network, transport, end];
                return Some(Headers::new(next, source, destination, offsets));
            }
        };
        let [following, length, f0, f1] = at(frame.get(..end)?, transport)?;
        if next == 44 && u16::from_be_bytes([f0, f1]) & 0xfff9 != 0 {
            return None;
        }
        next = following;
        transport = transport.saturating_add(units(usize::from(length)));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// UDP from port 1 to port 2, of scapy.
    const V4: &str = "4500001c000100004011f6ccc0000201c00002020001000200087bd7";
    const V6: &str =
        "600000000008114020010db800000000000000000000000120010db8000000000000000000000002000100020008a466";

    fn frame(link: &str, packet: &str) -> Vec<u8> {
        let hex = format!("02000000000b02000000000a{link}{packet}");
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn reads_both_families_behind_tags() {
        for (link, packet, network, transport) in [
            ("0800", V4, 14, 34),
            ("810000050800", V4, 18, 38),
            ("88a8000781000005 86dd".replace(' ', "").as_str(), V6, 22, 62),
        ] {
            let headers = Headers::of(&frame(link, packet)).unwrap();
            assert_eq!((headers.network, headers.transport), (network, transport));
            assert_eq!((headers.source_port, headers.destination_port), (1, 2));
            assert_eq!(headers.protocol, protocol::UDP);
        }
    }

    #[test]
    fn leaves_alone_what_steering_leaves_alone() {
        // Three tags; a fragment; a length beyond the frame; ARP.
        let fragment = V4.replacen("00010000", "00012000", 1);
        let long = V4.replacen("001c", "001d", 1);
        for (link, packet) in
            [("8100000581000006810000070800", V4), ("0800", &fragment), ("0800", &long), ("0806", V4)]
        {
            assert_eq!(Headers::of(&frame(link, packet)), None, "{link} {packet}");
        }
    }

    #[test]
    fn stands_any_bytes() {
        bolero::check!().for_each(|bytes| {
            if let Some(headers) = Headers::of(bytes) {
                assert!(headers.transport <= headers.end && headers.end <= bytes.len());
            }
        });
    }
}
