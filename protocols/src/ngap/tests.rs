//! The messages here were encoded by pycrate from the ASN.1 of TS 38.413 V17.4.

use std::string::ToString;
use std::vec::Vec;

use super::*;

/// UE Context Release Command: the pair 0xff00112233 and 0x80000001; cause NAS, normal release.
const RELEASE: [u8; 27] = [
    0x00, 0x29, 0x00, 0x17, 0x00, 0x00, 0x02, 0x00, 0x72, 0x00, 0x0b, 0x08, 0xff, 0x00, 0x11, 0x22, 0x33, 0xc0,
    0x80, 0x00, 0x00, 0x01, 0x00, 0x0f, 0x40, 0x01, 0x40,
];

/// Initial Context Setup Request: AMF-UE-NGAP-ID 2^39, RAN-UE-NGAP-ID 2^32 - 1, GUAMI with region 2, all of set and pointer.
const SETUP: [u8; 37] = [
    0x00, 0x0e, 0x00, 0x21, 0x00, 0x00, 0x03, 0x00, 0x0a, 0x00, 0x06, 0x80, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x55, 0x00, 0x05, 0xc0, 0xff, 0xff, 0xff, 0xff, 0x00, 0x1c, 0x00, 0x07, 0x00, 0x09, 0xf1, 0x07, 0x02, 0xff,
    0xff,
];

/// NG Setup Failure: a cause, and five seconds to wait.
const FAILURE: [u8; 17] =
    [0x40, 0x15, 0x00, 0x0d, 0x00, 0x00, 0x02, 0x00, 0x0f, 0x40, 0x01, 0x8a, 0x00, 0x6b, 0x40, 0x01, 0x20];

/// Initial UE Message: RAN-UE-NGAP-ID 300, a NAS PDU of the numbers 0 to 199, a 5G-S-TMSI, an establishment cause, AMF Set ID 0x155.
fn initial() -> Vec<u8> {
    let mut bytes = std::vec![
        0x00, 0x0f, 0x40, 0x80, 0xef, 0x00, 0x00, 0x05, 0x00, 0x55, 0x00, 0x03, 0x40, 0x01, 0x2c, 0x00, 0x26,
        0x00, 0x80, 0xca, 0x80, 0xc8,
    ];
    bytes.extend(0..200);
    bytes.extend([
        0x00, 0x1a, 0x00, 0x07, 0x2a, 0x55, 0x40, 0xde, 0xad, 0xbe, 0xef, 0x00, 0x5a, 0x40, 0x01, 0x20, 0x00,
        0x03, 0x40, 0x02, 0x55, 0x40,
    ]);
    bytes
}

fn elements(bytes: &[u8]) -> Vec<Element<'_>> {
    let message = Message::parse(bytes).unwrap();
    message.elements().map(|element| element.unwrap().parse().unwrap()).collect()
}

#[test]
fn ids_of_a_release_command() {
    let message = Message::parse(&RELEASE).unwrap();
    assert_eq!((message.procedure(), message.criticality()), (Procedure::UeContextRelease, Criticality::Reject));
    assert_eq!(message.ids(), Ok(UeIds { amf: Some(0xff_0011_2233), ran: Some(0x8000_0001) }));
}

#[test]
fn largest_ids_and_a_guami() {
    let message = Message::parse(&SETUP).unwrap();
    assert_eq!(message.ids(), Ok(UeIds { amf: Some(1 << 39), ran: Some(u32::MAX) }));
    let guami = Guami { plmn: [0x09, 0xf1, 0x07], region: 2, set: 0x3ff, pointer: 0x3f };
    assert_eq!(elements(&SETUP)[2], Element::Guami(guami));
}

#[test]
fn initial_ue_message() {
    let bytes = initial();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.ids(), Ok(UeIds { amf: None, ran: Some(300) }));
    let elements = elements(&bytes);
    let nas: Vec<u8> = (0..200).collect();
    assert!(matches!(elements[1], Element::NasPdu(octets) if octets.whole() == Some(&nas[..])));
    let tmsi = FiveGSTmsi { set: 0x2a5, pointer: 0x15, tmsi: [0xde, 0xad, 0xbe, 0xef] };
    assert_eq!(elements[2], Element::FiveGSTmsi(tmsi));
    assert_eq!(elements[4], Element::AmfSetId(0x155));
    let offsets: Vec<_> = message.elements().map(|element| element.unwrap().offset()).collect();
    assert_eq!(offsets, [8, 15, 222, 233, 238]);
}

#[test]
fn unsuccessful_outcome() {
    let message = Message::parse(&FAILURE).unwrap();
    assert_eq!((message.outcome(), message.procedure()), (Outcome::Unsuccessful, Procedure::NgSetup));
    assert_eq!(message.ids(), Ok(UeIds::default()));
    let kinds: Vec<_> = message.elements().map(|element| element.unwrap().kind()).collect();
    assert_eq!(kinds, [ElementType::Cause, ElementType::TimeToWait]);
}

// A handover notification that ended AMFs (their issue 4376): the identifier is 2^40.
#[test]
fn identifier_beyond_its_range() {
    let bytes = [
        0x00, 0x0b, 0x00, 0x17, 0x00, 0x00, 0x02, 0x00, 0x0a, 0x80, 0x07, 0xa0, 0x01, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x55, 0x40, 0x05, 0xc0, 0xff, 0xff, 0xff, 0xff,
    ];
    let error = Message::parse(&bytes).unwrap().ids().unwrap_err();
    assert_eq!(error, Error::Element { kind: ElementType::AmfUeNgapId, wrong: Wrong::Range { offset: 12 } });
    assert_eq!(error.to_string(), "NGAP AMF-UE-NGAP-ID at offset 12: a number is out of range");
}

#[test]
fn what_is_no_message() {
    assert_eq!(Message::parse(&[]), Err(Error::Frame(Wrong::Cut { offset: 0 })));
    assert_eq!(Message::parse(&[0x60, 0, 0, 3, 0, 0, 0]), Err(Error::Choice { offset: 0, choice: 3 }));
    assert_eq!(Message::parse(&[0x80, 0, 0, 3, 0, 0, 0]), Err(Error::Choice { offset: 0, choice: 4 }));
    assert_eq!(Message::parse(&[0x00, 0, 0xc0, 3, 0, 0, 0]), Err(Error::Frame(Wrong::Criticality { offset: 2 })));
    assert_eq!(Message::parse(&[0x00, 0, 0x00, 0xc5, 0, 0, 0]), Err(Error::Frame(Wrong::Fragment { offset: 3 })));
}

#[test]
fn cut_anywhere_it_is_said() {
    for end in 0..RELEASE.len() {
        assert!(
            matches!(Message::parse(&RELEASE[..end]), Err(Error::Frame(Wrong::Cut { offset })) if offset <= end),
            "{end}"
        );
    }
    // The count says three elements where there are two.
    let mut bytes = RELEASE;
    bytes[6] = 3;
    let last = Message::parse(&bytes).unwrap().elements().last();
    assert_eq!(last, Some(Err(Error::Frame(Wrong::Cut { offset: 27 }))));
}

#[test]
fn any_bytes_end() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let whole = [&[0, 46, 0x40, 0x7f, 0, 0, 9], bytes, &[0; 127]].concat();
        for bytes in [bytes, &whole] {
            let Ok(message) = Message::parse(bytes) else { continue };
            let _ = message.ids();
            for element in message.elements().flatten() {
                match element.parse() {
                    Ok(Element::AmfUeNgapId(id)) => assert!(id < 1 << 40),
                    Ok(_) => {}
                    Err(error) => assert!((element.offset()..=bytes.len()).contains(&error.offset())),
                }
            }
        }
    });
}
