//! The bytes here were encoded by scapy's contrib.pfcp.

use std::vec::Vec;

use ::bytes::{BufMut, BytesMut};
use core::net::{IpAddr, Ipv4Addr};

use super::*;

/// A session modification response with MP set, SEID 0x1000000000000001, sequence 0x12, priority 5; cause 73,
/// offending IE 1, failed rule PDR 77.
const FAILED: [u8; 34] = [
    0x23, 0x35, 0x00, 0x1e, 0x10, 0, 0, 0, 0, 0, 0, 0x01, 0x00, 0x00, 0x12, 0x50, 0x00, 0x13, 0x00, 0x01, 0x49,
    0x00, 0x28, 0x00, 0x02, 0x00, 0x01, 0x00, 0x72, 0x00, 0x03, 0x00, 0x00, 0x4d,
];

/// A created PDR: PDR ID 1, F-TEID 0x11 at 198.51.100.4.
const CREATED: [u8; 23] = [
    0x00, 0x08, 0x00, 0x13, 0x00, 0x38, 0x00, 0x02, 0x00, 0x01, 0x00, 0x15, 0x00, 0x09, 0x01, 0x00, 0x00, 0x00,
    0x11, 198, 51, 100, 4,
];

fn session(kind: MessageType, write: impl FnOnce(&mut MessageWriter<'_>)) -> Vec<u8> {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, kind, Some(1), 2);
    write(&mut writer);
    writer.finish().unwrap();
    out.to_vec()
}

#[test]
fn header_of_a_session_message() {
    let message = Message::parse(&FAILED).unwrap();
    assert_eq!(message.message_type(), MessageType::SessionModificationResponse);
    assert_eq!(message.seid(), Some(0x1000_0000_0000_0001));
    assert_eq!((message.sequence(), message.priority()), (0x12, Some(5)));
    assert!(!message.is_followed());
    assert_eq!((message.length(), message.missing()), (30, 0));
    assert_eq!(message.routing().unwrap().cause, Some(Cause::RULE_FAILURE));
    let last = message.elements().last().unwrap().unwrap();
    assert_eq!(last.parse().unwrap(), Element::FailedRule(Rule::Pdr(77)));
}

#[test]
fn header_that_is_wrong() {
    assert_eq!(Message::parse(&[]), Err(Error::HeaderCut { offset: 0, have: 0 }));
    assert_eq!(Message::parse(&[0x40, 1, 0, 4, 0, 0, 7, 0]), Err(Error::Version { offset: 0, version: 2 }));
    assert_eq!(Message::parse(&[0x20, 1, 0, 4, 0, 0, 7]), Err(Error::HeaderCut { offset: 0, have: 7 }));
    assert_eq!(
        Message::parse(&[0x21, 54, 0, 11, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 7, 0]),
        Err(Error::Length { offset: 0, length: 11 })
    );
}

#[test]
fn element_that_is_cut_ends_the_message() {
    let message = Message::parse(&FAILED[..32]).unwrap();
    assert_eq!(message.missing(), 2);
    let elements: Vec<_> = message.elements().collect();
    let cut = Error::ElementCut { kind: Some(ElementType::FailedRuleId), offset: 27, need: 7, have: 5 };
    assert_eq!(elements.last(), Some(&Err(cut)));
    assert_eq!(elements.len(), 3);
    assert_eq!(message.routing(), Err(cut));
    assert_eq!(std::format!("{cut}"), "PFCP element at offset 27: 5 bytes of 7 in Failed Rule ID");
}

#[test]
fn value_that_is_too_short_is_told_with_its_place() {
    let message = session(MessageType::SessionEstablishmentResponse, |message| {
        message.element(ElementType::FSeid, |out| out.put_slice(&[2, 0, 0]));
    });
    let error = Message::parse(&message).unwrap().routing().unwrap_err();
    assert_eq!(error, Error::Value { kind: ElementType::FSeid, offset: 16, length: 3 });
}

#[test]
fn bundle_is_split() {
    let mut first = session(MessageType::SessionDeletionRequest, |message| {
        message.follow_on();
    });
    let second = session(MessageType::SessionDeletionResponse, |message| {
        message.add(&Element::Cause(Cause::ACCEPTED));
    });
    first.extend_from_slice(&second);
    first.extend_from_slice(b"not a message");
    let messages: Vec<_> = Messages::new(&first).map(Result::unwrap).collect();
    assert_eq!(messages.iter().map(Message::offset).collect::<Vec<_>>(), [0, 16]);
    assert_eq!(messages[1].routing().unwrap().cause, Some(Cause::ACCEPTED));

    first.truncate(20);
    let last = Messages::new(&first).last();
    assert_eq!(last, Some(Err(Error::HeaderCut { offset: 16, have: 4 })));
}

#[test]
fn local_tunnels_of_a_response() {
    let message = session(MessageType::SessionEstablishmentResponse, |message| {
        message.add(&Element::Cause(Cause::ACCEPTED));
        message.nested(ElementType::CreatedTrafficEndpoint, |group| {
            group.add(&Element::TrafficEndpointId(4));
            group.add(&Element::FTeid(FTeid::Choose { v4: true, v6: false, id: Some(5) }));
        });
        message.nested(ElementType::CreatePdr, |group| {
            group.add(&Element::PdrId(7));
            group.nested(ElementType::Pdi, |group| {
                group.add(&Element::FTeid(given(0x12)));
                group.nested(ElementType::RedundantTransmissionDetectionParameters, |group| {
                    group.add(&Element::FTeid(given(0x13)));
                });
                group.add(&Element::FTeid(given(0x14)));
            });
        });
        // The end of a tunnel at a peer is none of the user plane function's own.
        message.nested(ElementType::ErrorIndicationReport, |group| {
            group.add(&Element::FTeid(given(0x15)));
        });
        // TS 29.244 7.5.3.2: the second is that for redundant transmission.
        message.nested(ElementType::CreatedPdr, |group| {
            group.add(&Element::PdrId(9)).add(&Element::FTeid(given(0x16))).add(&Element::FTeid(given(0x17)));
        });
    });
    let message = [message.as_slice(), &CREATED].concat();
    let mut message = message;
    message[3] = u8::try_from(message.len() - 4).unwrap();
    let parsed = Message::parse(&message).unwrap();
    let found: Vec<_> = parsed.local_tunnels().map(|found| found.unwrap()).collect();
    let place: Vec<_> = found.iter().map(|found| found.place.unwrap()).collect();
    let rule = Place::Rule(7);
    assert_eq!(place, [Place::Endpoint(4), rule, rule, rule, Place::Rule(9), Place::Rule(9), Place::Rule(1)]);
    let redundant: Vec<_> = found.iter().map(|found| found.redundant).collect();
    assert_eq!(redundant, [false, false, true, false, false, true, false]);
    let tunnels: Vec<_> = found.iter().map(|found| found.tunnel).collect();
    let chosen = FTeid::Choose { v4: true, v6: false, id: Some(5) };
    let given = [0x12, 0x13, 0x14, 0x16, 0x17, 0x11].map(given);
    assert_eq!(tunnels[0], chosen);
    assert_eq!(tunnels[1..], given);
    for found in &found {
        assert_eq!(message[found.offset..found.offset + 2], [0, 21]);
    }
}

fn given(teid: u32) -> FTeid {
    FTeid::Given { teid, addresses: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 4)).into() }
}

#[test]
fn groups_are_bounded() {
    let mut innermost = Vec::new();
    for _ in 0..64 {
        let mut outer = std::vec![0, 2];
        outer.extend(u16::try_from(innermost.len()).unwrap().to_be_bytes());
        outer.extend(innermost);
        innermost = outer;
    }
    let message = session(MessageType::SessionEstablishmentRequest, |message| {
        message.element(ElementType::CreatePdr, |out| out.put_slice(&innermost));
    });
    let depth = |mut elements: Elements<'_>| -> (usize, Error) {
        let mut depth = 0;
        loop {
            match elements.next().unwrap().unwrap().parse() {
                Ok(Element::Group(_, inner)) => (elements, depth) = (inner, depth + 1),
                Ok(other) => panic!("{other:?}"),
                Err(error) => return (depth, error),
            }
        }
    };
    let (depth, error) = depth(Message::parse(&message).unwrap().elements());
    assert_eq!((depth, error), (8, Error::Depth { kind: ElementType::Pdi, offset: 48 }));
}

#[test]
fn what_is_too_long_leaves_nothing_behind() {
    let mut out = BytesMut::from(&b"before"[..]);
    let mut writer = MessageWriter::new(&mut out, MessageType::HeartbeatRequest, None, 1);
    writer.element(ElementType::ApplicationId, |out| out.put_bytes(0, 0x1_0000));
    assert_eq!(writer.finish(), Err(TooLong { protocol: "PFCP", length: 0x1_0000 }));
    assert_eq!(out, &b"before"[..]);
}

#[test]
fn any_bytes_are_read_and_what_was_read_is_written() {
    bolero::check!().for_each(|bytes: &[u8]| {
        for message in Messages::new(bytes).flatten() {
            let _ = message.routing();
            assert!(message.local_tunnels().count() <= bytes.len());
        }
        rewrite(Elements::new(0, bytes, 0));
    });
}

/// What is written of an element reads as it did.
fn rewrite(elements: Elements<'_>) {
    for raw in elements.flatten() {
        match raw.parse() {
            Ok(Element::Group(_, group)) => rewrite(group),
            Ok(element) => {
                let message = session(MessageType::SessionReportRequest, |message| {
                    message.add(&element);
                });
                let again = Message::parse(&message).unwrap().elements().next().unwrap().unwrap();
                match (again.parse().unwrap(), element) {
                    (Element::Other(again), Element::Other(raw)) => assert_eq!(again.value(), raw.value()),
                    (again, element) => assert_eq!(again, element),
                }
            }
            Err(error) => assert!(error.offset() >= raw.offset()),
        }
    }
}
