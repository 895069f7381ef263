//! The messages here were encoded by scapy's contrib.diameter.

use std::string::ToString;
use std::vec::Vec;

use super::*;

/// Update-Location-Request: Session-Id, Origin-Host, Destination-Realm, User-Name, a group of two pairs, and ULR-Flags of 3GPP.
const REQUEST: [u8; 156] = [
    0x01, 0x00, 0x00, 0x9c, 0xc0, 0x00, 0x01, 0x3c, 0x01, 0x00, 0x00, 0x23, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
    0x77, 0x88, 0x00, 0x00, 0x01, 0x07, 0x40, 0x00, 0x00, 0x17, 0x6d, 0x6d, 0x65, 0x2e, 0x65, 0x78, 0x61, 0x6d,
    0x70, 0x6c, 0x65, 0x3b, 0x31, 0x3b, 0x32, 0x00, 0x00, 0x00, 0x01, 0x08, 0x40, 0x00, 0x00, 0x13, 0x6d, 0x6d,
    0x65, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x00, 0x00, 0x00, 0x01, 0x1b, 0x40, 0x00, 0x00, 0x13,
    0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e, 0x6f, 0x72, 0x67, 0x00, 0x00, 0x00, 0x00, 0x01, 0x40, 0x00,
    0x00, 0x17, 0x30, 0x30, 0x31, 0x30, 0x31, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x00,
    0x00, 0x00, 0x01, 0x04, 0x40, 0x00, 0x00, 0x20, 0x00, 0x00, 0x01, 0x0a, 0x40, 0x00, 0x00, 0x0c, 0x00, 0x00,
    0x28, 0xaf, 0x00, 0x00, 0x01, 0x02, 0x40, 0x00, 0x00, 0x0c, 0x01, 0x00, 0x00, 0x23, 0x00, 0x00, 0x05, 0x7d,
    0xc0, 0x00, 0x00, 0x10, 0x00, 0x00, 0x28, 0xaf, 0x00, 0x00, 0x00, 0x22,
];

/// Update-Location-Answer: 2001, Origin-Host.
const ANSWER: [u8; 44] = [
    0x01, 0x00, 0x00, 0x2c, 0x40, 0x00, 0x01, 0x3c, 0x01, 0x00, 0x00, 0x23, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
    0x77, 0x88, 0x00, 0x00, 0x01, 0x0c, 0x40, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x07, 0xd1, 0x00, 0x00, 0x01, 0x08,
    0x40, 0x00, 0x00, 0x0b, 0x68, 0x73, 0x73, 0x00,
];

#[test]
fn header_of_a_request() {
    let message = Message::parse(&REQUEST).unwrap();
    assert!(message.is_request());
    assert_eq!((message.command(), message.application()), (Command::UpdateLocation, 16_777_251));
    assert_eq!((message.hop_by_hop(), message.end_to_end()), (0x1122_3344, 0x5566_7788));
    assert_eq!((message.length(), message.missing()), (156, 0));
}

#[test]
fn what_messages_are_routed_by() {
    let routing = Message::parse(&REQUEST).unwrap().routing().unwrap();
    assert_eq!(routing.session, Some(&b"mme.example;1;2"[..]));
    assert_eq!(routing.origin_host, Some(&b"mme.example"[..]));
    assert_eq!(routing.destination_realm, Some(&b"example.org"[..]));
    assert_eq!((routing.user, routing.destination_host), (Some(&b"001010123456789"[..]), None));
    let answer = Message::parse(&ANSWER).unwrap();
    assert!(!answer.is_request());
    let routing = answer.routing().unwrap();
    assert_eq!((routing.result, routing.origin_host), (Some(2001), Some(&b"hss"[..])));
}

#[test]
fn groups_and_vendors() {
    let avps: Vec<_> = Message::parse(&REQUEST).unwrap().avps().map(Result::unwrap).collect();
    let group = avps[4];
    assert!(group.known().is_some_and(AvpCode::is_group));
    let inner: Vec<_> = group.group().unwrap().map(|avp| avp.map(|avp| (avp.code(), avp.unsigned()))).collect();
    assert_eq!(inner, [Ok((266, Ok(10_415))), Ok((258, Ok(16_777_251)))]);
    let flags = avps[5];
    assert_eq!((flags.code(), flags.vendor(), flags.known()), (1405, Some(10_415), None));
    assert_eq!((flags.unsigned(), flags.is_mandatory(), flags.offset()), (Ok(0x22), true, 140));
}

// RFC 6733 4.1: no vendor, or 0, is the IETF.
#[test]
fn rfc6733_4_1_vendor_0_is_none() {
    let mut bytes = ANSWER.to_vec();
    bytes.truncate(20);
    bytes.extend([0, 0, 1, 0x0c, 0xc0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0x07, 0xd1]);
    bytes[3] = 36;
    assert_eq!(Message::parse(&bytes).unwrap().routing().unwrap().result, Some(2001));
    bytes[31] = 1;
    assert_eq!(Message::parse(&bytes).unwrap().routing().unwrap().result, None);
}

#[test]
fn header_that_is_wrong() {
    assert_eq!(Message::parse(&[]), Err(Error::HeaderCut { have: 0 }));
    assert_eq!(Message::parse(&REQUEST[..19]), Err(Error::HeaderCut { have: 19 }));
    assert_eq!(Message::parse(&[2, 0, 0, 20]), Err(Error::Version { version: 2 }));
    assert_eq!(Message::parse(&[1, 0, 0, 16]), Err(Error::Length { length: 16 }));
    let error = Message::parse(&[1, 0, 0, 22]).unwrap_err();
    assert_eq!(error.to_string(), "Diameter length at offset 1: 22 is less than 20, or no multiple of 4");
}

#[test]
fn pair_that_is_too_short_or_too_long() {
    let mut bytes = ANSWER;
    bytes[27] = 7;
    assert_eq!(
        Message::parse(&bytes).unwrap().routing(),
        Err(Error::AvpLength { code: 268, offset: 20, length: 7 })
    );
    bytes[27] = 25;
    let cut = Error::AvpCut { code: Some(268), offset: 20, need: 25, have: 24 };
    assert_eq!(Message::parse(&bytes).unwrap().routing(), Err(cut));
    bytes[27] = 11;
    assert_eq!(Message::parse(&bytes).unwrap().routing(), Err(Error::Value { code: 268, offset: 20, length: 3 }));
}

#[test]
fn cut_anywhere_it_is_said() {
    for end in 20..ANSWER.len() {
        let message = Message::parse(&ANSWER[..end]).unwrap();
        assert_eq!(message.missing(), ANSWER.len() - end);
        // The last octet is padding: the pair before it is whole without.
        let whole = [20, 32, 43].contains(&end);
        assert_eq!(message.routing().is_ok(), whole, "{end}");
    }
}

#[test]
fn any_bytes_end() {
    fn walk(avps: Avps<'_>) -> usize {
        avps.flatten().map(|avp| avp.group().map_or(0, walk) + 1).sum()
    }
    bolero::check!().for_each(|bytes: &[u8]| {
        let _ = Message::parse(bytes).map(|message| message.routing());
        assert!(walk(Avps::new(bytes, 0, 0)) <= bytes.len() / 8 * 17);
    });
}
