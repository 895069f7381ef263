use std::string::ToString;
use std::vec::Vec;

use ::bytes::BytesMut;
use core::net::{IpAddr, Ipv4Addr};

use super::*;

/// A create session request of scapy's contrib.gtp_v2: P and T set, TEID 0x01020304, sequence 0x1234, IMSI
/// 001010123456789, APN internet, F-TEID 0xabcdef01 of an S11 MME at 192.0.2.31, a bearer context with EBI 5.
const CREATE: [u8; 59] = [
    0x58, 0x20, 0x00, 0x37, 0x01, 0x02, 0x03, 0x04, 0x00, 0x12, 0x34, 0x00, 0x01, 0x00, 0x08, 0x00, 0x00, 0x01,
    0x01, 0x21, 0x43, 0x65, 0x87, 0xf9, 0x47, 0x00, 0x09, 0x00, 0x08, 0x69, 0x6e, 0x74, 0x65, 0x72, 0x6e, 0x65,
    0x74, 0x57, 0x00, 0x09, 0x00, 0x8a, 0xab, 0xcd, 0xef, 0x01, 0xc0, 0x00, 0x02, 0x1f, 0x5d, 0x00, 0x05, 0x00,
    0x49, 0x00, 0x01, 0x00, 0x05,
];

#[test]
fn create_session_request() {
    let message = Message::parse(&CREATE).unwrap();
    assert_eq!(message.message_type(), MessageType::CreateSessionRequest);
    assert_eq!((message.teid(), message.sequence(), message.priority()), (Some(0x0102_0304), 0x1234, None));
    let elements: Vec<_> = message.elements().map(|element| element.unwrap().parse().unwrap()).collect();
    let [Element::Imsi(imsi), Element::Apn(apn), Element::FTeid(tunnel), Element::Group(_, bearer)] =
        elements.as_slice()
    else {
        panic!("{elements:?}");
    };
    assert_eq!(imsi.to_string(), "001010123456789");
    assert_eq!(*apn, b"\x08internet");
    let addresses = Addresses { v4: Some(Ipv4Addr::new(192, 0, 2, 31)), v6: None };
    assert_eq!(*tunnel, FTeid { interface: 10, teid: 0xabcd_ef01, addresses });
    let bearer: Vec<_> = bearer.clone().map(|element| element.unwrap().parse().unwrap()).collect();
    assert_eq!(bearer, [Element::EpsBearerId(5)]);
}

#[test]
fn written_again_it_is_as_it_was() {
    fn written(message: &Message<'_>) -> BytesMut {
        let mut out = BytesMut::new();
        let mut writer = MessageWriter::new(&mut out, message.message_type(), message.teid(), message.sequence());
        for element in message.elements() {
            let element = element.unwrap();
            writer.add_instance(&element.parse().unwrap(), element.instance());
        }
        if message.is_followed() {
            writer.follow_on();
        }
        writer.finish().unwrap();
        out
    }
    assert_eq!(*written(&Message::parse(&CREATE).unwrap()), CREATE);
    let echo = [0x40, 1, 0, 9, 0, 0, 7, 0, 3, 0, 1, 0, 12];
    assert_eq!(*written(&Message::parse(&echo).unwrap()), echo);
}

/// The same request of scapy's with another F-TEID, and without the bearer context's EBI.
#[test]
fn patched_elements_keep_their_instance() {
    let mut bytes = CREATE;
    bytes[40] = 3; // The F-TEID's instance.
    let message = Message::parse(&bytes).unwrap();
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, message.message_type(), message.teid(), 0x00ab_cdef);
    let tunnel = FTeid { interface: 10, teid: 7, addresses: Addresses::from(IpAddr::from([10, 0, 0, 1])) };
    let patches = [Patch { offset: 37, with: Some(Element::FTeid(tunnel)) }, Patch { offset: 54, with: None }];
    writer.splice(message.elements(), &patches).unwrap();
    writer.priority(5);
    writer.finish().unwrap();
    let mut wanted = bytes[..54].to_vec();
    wanted[0] = 0x4c;
    wanted[3] -= 5;
    wanted[8..12].copy_from_slice(&[0xab, 0xcd, 0xef, 0x50]);
    wanted[42..50].copy_from_slice(&[0, 0, 0, 7, 10, 0, 0, 1]);
    wanted[52] = 0;
    assert_eq!(out, wanted);
}

#[test]
fn header_that_is_wrong() {
    assert_eq!(Message::parse(&[]), Err(Error::HeaderCut { offset: 0, have: 0 }));
    assert_eq!(Message::parse(&[0x30, 1, 0, 4]), Err(Error::Version { offset: 0, version: 1 }));
    assert_eq!(Message::parse(&CREATE[..11]), Err(Error::HeaderCut { offset: 0, have: 11 }));
    let error = Message::parse(&[0x48, 1, 0, 7, 0, 0, 0, 0, 0, 0, 1, 0]).unwrap_err();
    assert_eq!(error, Error::Length { offset: 0, length: 7 });
    assert_eq!(error.to_string(), "GTPv2 length at offset 2: 7 is less than the header");
}

#[test]
fn piggybacked_message_follows() {
    let echo = [0x40, 1, 0, 9, 0, 0, 7, 0, 3, 0, 1, 0, 12];
    let datagram = [CREATE.as_slice(), &echo].concat();
    let messages: Vec<_> = Messages::new(&datagram).map(Result::unwrap).collect();
    assert_eq!(messages.iter().map(Message::offset).collect::<Vec<_>>(), [0, 59]);
    assert_eq!(messages[1].teid(), None);
    assert_eq!(messages[1].elements().next().unwrap().unwrap().offset(), 67);
    let alone = Messages::new(&CREATE).last();
    assert_eq!(alone, Some(Err(Error::HeaderCut { offset: 59, have: 0 })));
}

#[test]
fn cut_anywhere_it_says_where() {
    for end in 12..CREATE.len() {
        let message = Message::parse(&CREATE[..end]).unwrap();
        assert_eq!(message.missing(), CREATE.len() - end);
        let wrong = message.elements().find_map(Result::err);
        let whole = [12, 24, 37, 50].contains(&end);
        assert_eq!(wrong.is_none(), whole, "{end}: {wrong:?}");
    }
}

#[test]
fn any_bytes_end() {
    fn walk(elements: Elements<'_>) {
        for element in elements.flatten() {
            match element.parse() {
                Ok(Element::Group(_, group)) => walk(group),
                Ok(Element::Imsi(imsi)) => assert!(imsi.to_string().len() <= imsi.octets().len() * 2),
                Ok(_) => {}
                Err(error) => assert!(error.offset() >= element.offset()),
            }
        }
    }
    bolero::check!().for_each(|bytes: &[u8]| {
        assert!(Messages::new(bytes).count() <= bytes.len() + 1);
        walk(Elements::new(0, bytes, 0));
    });
}
