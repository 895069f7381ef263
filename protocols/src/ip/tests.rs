//! Packets that scapy encoded, and any bytes at all.

use std::vec::Vec;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.as_chunks().0.iter().map(|[high, low]| (high << 4 | low) as u8).collect()
}

// IP(src='10.1.1.1',dst='10.2.2.2',ttl=9,tos=184,options=[IPOption_RR(length=3)])/UDP(sport=7,dport=9)/b'hi'
#[test]
fn ipv4_with_options_and_udp() {
    let bytes = hex("46b800220001000009118e0a0a0101010a0202020703040000070009000a805b6869");
    let packet = Ipv4::parse(&bytes).unwrap();
    assert_eq!(packet.source.octets(), [10, 1, 1, 1]);
    assert_eq!(packet.destination.octets(), [10, 2, 2, 2]);
    assert_eq!((packet.ttl, packet.traffic_class, packet.protocol), (9, 184, protocol::UDP));
    assert_eq!(packet.options, [7, 3, 4, 0]);
    assert!(!packet.is_fragment());
    let udp = Udp::parse(packet.payload).unwrap();
    assert_eq!((udp.source_port, udp.destination_port, udp.length), (7, 9, 10));
    assert_eq!(udp.payload, b"hi");
}

#[test]
fn padding_is_left_out_and_missing_bytes_are_counted() {
    let bytes = hex("4500001600010000400063e40a0101010a020202 aabb 0000");
    assert_eq!(Ipv4::parse(&bytes).unwrap().payload, [0xaa, 0xbb]);
    assert_eq!(Ipv4::parse(&bytes[..21]).unwrap().missing, 1);
    // Total length 0, as a host hands large segments to its NIC.
    let bytes = hex("4500000000010000400063e40a0101010a020202 aabb");
    assert_eq!(Ipv4::parse(&bytes).unwrap().payload, [0xaa, 0xbb]);
}

// IP(src='127.0.0.1',dst='127.0.0.1',id=77,flags='MF',frag=185,proto=132)
#[test]
fn ipv4_fragment() {
    let bytes = hex("45000014004d20b940845b5e7f0000017f000001");
    let packet = Ipv4::parse(&bytes).unwrap();
    assert!(packet.is_fragment());
    assert_eq!(packet.fragment, Fragment { identification: 77, offset: 1480, more: true });
}

// IPv6(src='2001:db8::1',dst='2001:db8::2')/IPv6ExtHdrHopByHop(
// options=[PadN(optdata=b'\0'*4)])/IPv6ExtHdrDestOpt(options=[PadN(optdata=b'\0'*4)])/
// IPv6ExtHdrFragment(nh=132,id=5,offset=2,m=1)/b'12345678'
#[test]
fn ipv6_extension_headers() {
    let bytes = hex("6000000000200040 20010db8000000000000000000000001 \
        20010db8000000000000000000000002 3c00010400000000 2c00010400000000 8400001100000005 \
        3132333435363738");
    let packet = Ipv6::parse(&bytes).unwrap();
    assert_eq!(packet.protocol, protocol::SCTP);
    assert!(packet.is_fragment());
    assert_eq!(packet.fragment, Some(Fragment { identification: 5, offset: 16, more: true }));
    assert_eq!(packet.payload, b"12345678");
}

#[test]
fn tcp_ports_and_payload() {
    // TCP(sport=80,dport=1024,seq=9,flags='SA',options=[('NOP',None)])/b'x'
    let bytes = hex("00500400000000090000000060122000000000000100000078");
    let tcp = Tcp::parse(&bytes).unwrap();
    assert_eq!((tcp.source_port, tcp.destination_port, tcp.sequence), (80, 1024, 9));
    assert_eq!((tcp.flags, tcp.payload), (0x12, &b"x"[..]));
}

#[test]
fn what_is_wrong_is_an_error() {
    let cut = |field, need, have| Error::HeaderCut { field, need, have };
    assert_eq!(Ipv4::parse(&[0x45; 19]), Err(cut(Field::Ipv4, 20, 19)));
    assert_eq!(Ipv4::parse(&[0x55; 20]), Err(Error::Version { field: Field::Ipv4, version: 5 }));
    assert_eq!(Ipv6::parse(&[0x60; 39]), Err(cut(Field::Ipv6, 40, 39)));
    let short = Error::Length { field: Field::Ipv4, length: 16, least: 20 };
    assert_eq!(Ipv4::parse(&[0x44; 20]), Err(short));
    assert_eq!(Udp::parse(&[0; 7]), Err(cut(Field::Udp, 8, 7)));
    let short = Error::Length { field: Field::Udp, length: 7, least: 8 };
    assert_eq!(Udp::parse(&hex("0001000200070000")), Err(short));
    let bytes = hex("6000000000080040 00000000000000000000000000000001 \
        00000000000000000000000000000002 3c01000000000000");
    assert_eq!(Ipv6::parse(&bytes), Err(Error::ExtensionCut { offset: 40 }));
}

#[test]
fn any_bytes_give_a_packet_or_an_error() {
    bolero::check!().for_each(|bytes| {
        let mut bytes = bytes.to_vec();
        for version in [0x40, 0x60] {
            if let Some(first) = bytes.first_mut() {
                *first = version | *first & 0x0f;
            }
            if let Ok(packet) = Ipv4::parse(&bytes) {
                assert!(packet.payload.len() + packet.options.len() + 20 <= bytes.len());
            }
            if let Ok(packet) = Ipv6::parse(&bytes) {
                assert!(packet.payload.len() + 40 <= bytes.len());
            }
        }
        if let Ok(udp) = Udp::parse(&bytes) {
            assert!(udp.payload.len() + 8 <= bytes.len());
        }
        if let Ok(tcp) = Tcp::parse(&bytes) {
            assert!(tcp.payload.len() + 20 <= bytes.len());
        }
    });
}
