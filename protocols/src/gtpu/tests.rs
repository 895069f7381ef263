//! Messages that scapy and pycrate encoded, and any bytes at all.

use std::vec::Vec;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.as_chunks().0.iter().map(|[high, low]| (high << 4 | low) as u8).collect()
}

fn extensions<'a>(packet: &Packet<'a>) -> Vec<Extension<'a>> {
    packet.extensions().map(|extension| extension.unwrap().parse().unwrap()).collect()
}

fn elements<'a>(packet: &Packet<'a>) -> Vec<Element<'a>> {
    packet.elements().unwrap().map(|element| element.unwrap().parse().unwrap()).collect()
}

// GTPHeader(teid=0x01020304,seq=0x1122,npdu=0,gtp_type=255,E=1,S=1,next_ex=0x85)/
// GTPPDUSessionContainer(type=1,QFI=9)/IP(src='10.1.1.1',dst='10.2.2.2')/UDP(sport=1,dport=2)/b'hi'
#[test]
fn uplink_g_pdu() {
    let bytes = hex("36ff00260102030411220085011009004500001e00010000401163c90a0101010a020202\
        00010002000a80686869");
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!(packet.message_type(), MessageType::GPdu);
    assert_eq!((packet.teid(), packet.length(), packet.missing()), (0x0102_0304, 38, 0));
    assert_eq!(packet.sequence(), Ok(Some(0x1122)));
    assert_eq!(packet.n_pdu(), Ok(None));
    let [Extension::PduSession(container)] = extensions(&packet)[..] else { panic!() };
    assert_eq!((container.pdu_type(), container.qos_flow()), (1, Some(9)));
    assert_eq!((container.reflective_qos(), container.paging_policy()), (None, None));
    assert_eq!(packet.body().unwrap(), &bytes[16..]);
}

// GTPHeader(teid=5,gtp_type=255,E=1,next_ex=0x85)/
// GTPPDUSessionContainer(type=0,QFI=1,PPP=1,RQI=1,PPI=3)/IP(src='10.1.1.1',dst='10.2.2.2')
#[test]
fn downlink_g_pdu() {
    let bytes = hex("34ff002000000005000000850200c160000000004500001400010000400063e40a010101\
        0a020202");
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!(packet.sequence(), Ok(None));
    let [Extension::PduSession(container)] = extensions(&packet)[..] else { panic!() };
    assert_eq!((container.pdu_type(), container.qos_flow()), (0, Some(1)));
    assert_eq!((container.reflective_qos(), container.paging_policy()), (Some(true), Some(3)));
    assert_eq!(packet.body().unwrap(), &bytes[20..]);
}

// GTPHeader(teid=0,seq=7,S=1)/GTPEchoResponse(IE_list=[IE_Recovery(restart_counter=3)])
#[test]
fn echo_response() {
    let bytes = hex("3202000600000000000700000e03");
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!(packet.message_type(), MessageType::EchoResponse);
    assert_eq!(packet.sequence(), Ok(Some(7)));
    assert_eq!(elements(&packet), [Element::Recovery(3)]);
}

// GTPHeader(teid=0,seq=8,S=1)/GTPErrorIndication(IE_list=[IE_TEIDI(TEIDI=0xabcdef01),
// IE_GSNAddress(length=4,ipv4_address='192.0.2.7')])
#[test]
fn error_indication() {
    let bytes = hex("32000010000000000008000010abcdef01850004c0000207");
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!(elements(&packet), [Element::TeidDataI(0xabcd_ef01), Element::PeerAddress([192, 0, 2, 7].into())]);
}

/// TS 29.281 8.5 counts the list of extension header types in one octet, tshark agrees:
/// `gtp.ext_hdr_type` is 133, 192.
#[test]
fn supported_extension_headers() {
    let bytes = hex("321f00080000000000090000 8d0285c0");
    let packet = Packet::parse(&bytes).unwrap();
    let [Element::ExtensionTypeList(list)] = elements(&packet)[..] else { panic!() };
    let list: Vec<_> = list.collect();
    assert_eq!(list, [ExtensionType::PduSession, ExtensionType::PdcpPduNumber]);
}

#[test]
fn extension_headers_in_a_chain() {
    // Service class 9, UDP port 4660, PDCP number 258, long PDCP number 0x3ffff, then 0xaa.
    let bytes = hex("34ff0019 00000001 00000020 01 0900 40 01 1234 c0 01 0102 82 02 03ffff000000 00 \
        aa");
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!(
        extensions(&packet),
        [
            Extension::ServiceClass(9),
            Extension::UdpPort(0x1234),
            Extension::PdcpPduNumber(0x0102),
            Extension::LongPdcpPduNumber(0x3_ffff),
        ]
    );
    assert_eq!(packet.body(), Ok(&[0xaa][..]));
}

#[test]
fn what_is_wrong_is_an_error() {
    assert_eq!(Packet::parse(&[]), Err(Error::HeaderCut { have: 0 }));
    assert_eq!(Packet::parse(&hex("30ff0000000000")), Err(Error::HeaderCut { have: 7 }));
    assert_eq!(Packet::parse(&hex("4820000000000000")), Err(Error::Version { version: 2 }));
    assert_eq!(Packet::parse(&hex("2001000000000000")), Err(Error::ProtocolType));

    let bytes = hex("34ff000200000001 0000");
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!(packet.body(), Err(Error::OptionalCut { have: 2 }));

    // A sequence number alone still takes four octets.
    let bytes = hex("32ff000200000001 0102");
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!(packet.sequence(), Ok(Some(0x0102)));
    assert_eq!(packet.body(), Err(Error::OptionalCut { have: 2 }));

    let bytes = hex("34ff000800000001 00000085 00100900");
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!(packet.body(), Err(Error::ExtensionLength { kind: 0x85, offset: 12 }));

    let bytes = hex("34ff000800000001 00000085 02100900");
    let packet = Packet::parse(&bytes).unwrap();
    let cut = Error::ExtensionCut { kind: 0x85, offset: 12, need: 8, have: 4 };
    assert_eq!(packet.body(), Err(cut));

    let bytes = hex("3201000600000000 00010000 7f00");
    let packet = Packet::parse(&bytes).unwrap();
    let mut elements = packet.elements().unwrap();
    let unknown = Error::ElementUnknown { kind: 0x7f, offset: 12 };
    assert_eq!(elements.next(), Some(Err(unknown)));
    assert_eq!(elements.next(), None);
}

#[test]
fn bytes_that_are_not_there_are_counted() {
    let bytes = hex("30ff000a00000001 4500");
    assert_eq!(Packet::parse(&bytes).unwrap().missing(), 8);
}

/// No bytes panic, and there is at most one item a byte: the walk is linear in the message.
#[test]
fn any_bytes_end() {
    bolero::check!().for_each(|bytes| {
        let mut bytes = bytes.to_vec();
        if let Some(flags) = bytes.first_mut() {
            *flags = 0x30 | *flags & 0x0f;
        }
        let Ok(packet) = Packet::parse(&bytes) else {
            return;
        };
        let mut items = 0;
        for extension in packet.extensions() {
            items += 1;
            match extension {
                Ok(extension) => {
                    assert!(extension.offset() + 2 + extension.content().len() <= bytes.len());
                    let _ = extension.parse();
                }
                Err(error) => assert!(error.offset() <= bytes.len()),
            }
        }
        let Ok(elements) = packet.elements() else {
            return;
        };
        for element in elements {
            items += 1;
            match element {
                Ok(element) => {
                    assert!(element.offset() + 1 + element.value().len() <= bytes.len());
                    let _ = element.parse();
                }
                Err(error) => assert!(error.offset() <= bytes.len()),
            }
        }
        assert!(items <= bytes.len());
    });
}
