use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The frames that announce an address at a link address: for IPv4 an ARP request and a reply, as some neighbours mind
/// the one and some the other; for IPv6 an advertisement.
#[must_use]
pub fn frames(link: [u8; 6], address: IpAddr) -> Vec<Vec<u8>> {
    match address {
        IpAddr::V4(address) => vec![arp(link, address, 1), arp(link, address, 2)],
        IpAddr::V6(address) => vec![advertisement(link, address)],
    }
}

/// An ARP announcement: sender and target are the address (RFC 5227 2.3, 3).
fn arp(link: [u8; 6], address: Ipv4Addr, operation: u8) -> Vec<u8> {
    const ALL: [u8; 6] = [0xff; 6];
    let target = if operation == 1 { [0; 6] } else { ALL };
    let mut frame = ethernet(ALL, link, 0x0806);
    // Ethernet, IPv4, and their lengths.
    frame.extend([0, 1, 8, 0, 6, 4, 0, operation]);
    frame.extend(link);
    frame.extend(address.octets());
    frame.extend(target);
    frame.extend(address.octets());
    frame
}

/// An unsolicited neighbour advertisement to all nodes that overrides what they know (RFC 4861 4.4, 7.2.6).
fn advertisement(link: [u8; 6], address: Ipv6Addr) -> Vec<u8> {
    const NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    const OVERRIDE: u8 = 0x20;
    const ICMPV6: u8 = 58;
    const LENGTH: u8 = 32;
    let mut message = vec![136, 0, 0, 0, OVERRIDE, 0, 0, 0];
    message.extend(address.octets());
    // The target's link address.
    message.extend([2, 1]);
    message.extend(link);
    let sum = sum(&[&address.octets(), &NODES.octets(), &[0, 0, 0, LENGTH, 0, 0, 0, ICMPV6], &message]);
    let mut frame = ethernet([0x33, 0x33, 0, 0, 0, 1], link, 0x86dd);
    frame.extend([0x60, 0, 0, 0, 0, LENGTH, ICMPV6, 255]);
    frame.extend(address.octets());
    frame.extend(NODES.octets());
    let [_, _, _, _, rest @ ..] = message.as_slice() else { return frame };
    frame.extend([136, 0]);
    frame.extend(sum.to_be_bytes());
    frame.extend(rest);
    frame
}

fn ethernet(to: [u8; 6], from: [u8; 6], ethertype: u16) -> Vec<u8> {
    [&to[..], &from, &ethertype.to_be_bytes()].concat()
}

/// The Internet checksum of parts of even length (RFC 1071).
fn sum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.as_chunks::<2>().0);
    let mut sum: u32 = words.map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff).wrapping_add(sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: [u8; 6] = [2, 0xba, 0, 0, 0, 1];

    fn hex(frames: &[Vec<u8>]) -> Vec<String> {
        frames.iter().map(|frame| frame.iter().map(|byte| format!("{byte:02x}")).collect()).collect()
    }

    /// As scapy writes them: `ARP(op=1, hwsrc=m, psrc=a, pdst=a)`, `ARP(op=2, hwsrc=m, psrc=a, hwdst=broadcast, pdst=a)`.
    #[test]
    fn arp_is_announced_by_request_and_reply() {
        let frames = frames(LINK, [192, 0, 2, 1].into());
        let wanted = [
            "\
                ffffffffffff02ba000000010806000108000604000102ba00000001c0000201000000000000c000\
                0201",
            "\
                ffffffffffff02ba000000010806000108000604000202ba00000001c0000201ffffffffffffc000\
                0201",
        ];
        assert_eq!(hex(&frames), wanted);
    }

    /// `IPv6(dst='ff02::1', hlim=255)/ICMPv6ND_NA(R=0, S=0, O=1, tgt=a)/ICMPv6NDOptDstLLAddr(lladdr=m)`.
    #[test]
    fn ipv6_is_announced_by_an_advertisement() {
        let frames = frames(LINK, "2001:db8::1".parse().unwrap());
        let wanted = "\
            33330000000102ba0000000186dd6000000000203aff20010db8000000000000000000000001ff02\
            00000000000000000000000000018800f8702000000020010db80000000000000000000000010201\
            02ba00000001";
        assert_eq!(hex(&frames), [wanted]);
    }
}
