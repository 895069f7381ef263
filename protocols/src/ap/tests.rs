use std::vec;
use std::vec::Vec;

use ::bytes::BytesMut;

use super::*;
use crate::ngap::{ElementType, Envelope, Error, Message, MessageWriter, Procedure};

type Lengths = (usize, usize, &'static [(usize, u8)]);

/// A string of octets of so many, how many octets it is with its lengths, and those lengths and where they are: as pycrate 0.8.1 encodes it.
#[rustfmt::skip]
const LENGTHS: [Lengths; 12] = [
    (0, 1, &[(0, 0x00)]),
    (127, 128, &[(0, 0x7f)]),
    (128, 130, &[(0, 0x80), (1, 0x80)]),
    (16_383, 16_385, &[(0, 0xbf), (1, 0xff)]),
    (16_384, 16_386, &[(0, 0xc1), (16_385, 0x00)]),
    (16_511, 16_513, &[(0, 0xc1), (16_385, 0x7f)]),
    (32_768, 32_770, &[(0, 0xc2), (32_769, 0x00)]),
    (65_535, 65_538, &[(0, 0xc3), (49_153, 0xbf), (49_154, 0xff)]),
    (65_536, 65_538, &[(0, 0xc4), (65_537, 0x00)]),
    (65_537, 65_539, &[(0, 0xc4), (65_537, 0x01)]),
    (131_072, 131_075, &[(0, 0xc4), (65_537, 0xc4), (131_074, 0x00)]),
    (150_000, 150_005, &[(0, 0xc4), (65_537, 0xc4), (131_074, 0xc1), (147_459, 0x89), (147_460, 0xf0)]),
];

fn counted(octets: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    let mut writer = Writer::new(&mut out);
    writer.counted(octets);
    writer.finish().unwrap();
    out.to_vec()
}

#[test]
fn lengths_of_every_form() {
    for (count, encoded, lengths) in LENGTHS {
        let mut expected = vec![0xaa; encoded];
        lengths.iter().for_each(|&(at, octet)| expected[at] = octet);
        let octets = vec![0xaa; count];
        assert!(counted(&octets) == expected, "{count}");

        let octets_read = Reader::new(&expected, 100).counted().unwrap();
        assert_eq!((octets_read.len(), octets_read.is_empty()), (count, count == 0));
        assert_eq!(octets_read.whole().is_some(), count < 16_384, "{count}");
        assert!(octets_read.joined() == octets, "{count}");
        let pieces: Vec<_> = octets_read.pieces().map(<[u8]>::len).collect();
        assert_eq!(pieces.iter().sum::<usize>(), count);
        // The whole pieces lie between the lengths.
        let between = lengths.windows(2).map(|pair| pair[1].0 - pair[0].0 - 1).filter(|&length| length > 0);
        assert!(pieces.starts_with(&between.collect::<Vec<_>>()), "{count}: {pieces:?}");
        for end in [0, 1, encoded / 2, encoded - 1].into_iter().filter(|&end| end < encoded) {
            let cut = Reader::new(&expected[..end], 100).counted();
            assert_eq!(cut, Err(Wrong::Cut { offset: 100 + end }), "{count} to {end}");
        }
    }
    for head in [0xc0, 0xc5, 0xff] {
        assert_eq!(Reader::new(&[head; 9], 7).counted(), Err(Wrong::Fragment { offset: 7 }));
    }
    let mut second = vec![0; 16_390];
    (second[0], second[16_385]) = (0xc1, 0xc9);
    assert_eq!(Reader::new(&second, 7).counted(), Err(Wrong::Fragment { offset: 16_392 }));
}

#[test]
fn a_list_as_long_as_can_be_comes_in_portions() {
    use crate::ngap::value::{ConnectionList, UeConnection};
    let item = UeConnection(crate::ngap::UeIds { amf: None, ran: Some(7) });
    // The lengths where pycrate writes those of octets of 16,400: an item is two octets.
    let list = ConnectionList::from(vec![item; 16_400]);
    let mut out = BytesMut::new();
    let mut writer = Writer::new(&mut out);
    list.write(&mut writer);
    writer.finish().unwrap();
    assert_eq!((out.len(), out[0], out[32_769]), (2 * 16_400 + 2, 0xc1, 16));
    assert_eq!((&out[1..3], &out[32_770..32_772]), (&[0x20, 0x07][..], &[0x20, 0x07][..]));
    assert_eq!(ConnectionList::read(&mut Reader::new(&out, 0)), Ok(list));

    let most = ConnectionList::from(vec![item; 65_537]);
    let mut writer = Writer::new(&mut out);
    most.write(&mut writer);
    assert_eq!(writer.finish(), Err(Unfit::Count { count: 65_537, most: 65_536 }));
}

/// An element: identifier, criticality, value.
type Part = (u16, Criticality, Vec<u8>);

fn built(parts: &[Part]) -> Vec<u8> {
    let mut out = BytesMut::new();
    out.extend_from_slice(b"before");
    let mut writer = MessageWriter::new(&mut out, Outcome::Successful, Procedure::NgSetup, Criticality::Reject);
    for (id, criticality, value) in parts {
        writer.element(ElementType::from(*id), *criticality, |writer| writer.octets(value));
    }
    writer.finish().unwrap();
    assert!(out.starts_with(b"before"));
    out[6..].to_vec()
}

fn parts(bytes: &[u8]) -> Vec<Part> {
    let envelope = Envelope::parse(bytes).unwrap();
    let joined = envelope.value().joined();
    let message = envelope.open(&joined).unwrap();
    let elements = message.elements().map(Result::unwrap);
    elements.map(|raw| (raw.kind().into(), raw.criticality(), raw.value().joined().into())).collect()
}

#[test]
fn a_message_of_fragments_is_read_whole() {
    let parts_in = vec![(10, Criticality::Reject, vec![0, 7]), (38, Criticality::Ignore, vec![0x55; 70_000])];
    let bytes = built(&parts_in);
    assert_eq!(parts(&bytes), parts_in);
    assert_eq!(Message::parse(&bytes), Err(Error::Frame(Wrong::Fragmented { offset: 3 })));
    let envelope = Envelope::parse(&bytes).unwrap();
    let joined = envelope.value().joined();
    let message = envelope.open(&joined).unwrap();
    assert_eq!(message.ids().unwrap().amf, Some(7));
    let mut out = BytesMut::new();
    message.spliced(&mut out, |_, _| Ok(Change::Keep)).unwrap();
    assert!(out == bytes);
    // Octets of a value in fragments are read once they were put together.
    let raw = message.elements().find(ElementType::NasPdu).unwrap().unwrap();
    let wrong = Wrong::Fragmented { offset: raw.value().offset() };
    assert_eq!(raw.parse(), Err(Error::Element { kind: ElementType::NasPdu, wrong }));
    let value = raw.value().joined();
    assert!(raw.with_value(&value).value().whole() == Some(&value[..]));
}

#[test]
fn what_is_behind_the_elements_stays() {
    // An addition behind the elements, announced by the first bit.
    let bytes = [0x00, 0x2e, 0x40, 0x0d, 0x80, 0, 1, 0, 10, 0, 2, 0, 7, 0x01, 0x80, 1, 0xaa];
    let message = Message::parse(&bytes).unwrap();
    let mut out = BytesMut::new();
    message.with_ids(&crate::ngap::NewIds { amf: Some(300), ..Default::default() }, &mut out).unwrap();
    assert_eq!(out[..], [0x00, 0x2e, 0x40, 0x0e, 0x80, 0, 1, 0, 10, 0, 3, 0x20, 1, 44, 0x01, 0x80, 1, 0xaa]);
}

// A private message, by pycrate: an element of the local identifier 5, which is `0a0b`.
#[test]
fn what_is_private_is_left_alone() {
    let bytes = [0x00, 0x1f, 0x40, 0x0a, 0, 0, 0, 0, 0, 5, 0x40, 2, 0x0a, 0x0b];
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.procedure(), message.elements().count()), (Procedure::PrivateMessage, 0));
    let ids = crate::ngap::NewIds { amf: Some(7), ran: Some(7), ..Default::default() };
    let mut out = BytesMut::new();
    message.with_ids(&ids, &mut out).unwrap();
    assert_eq!(out[..], bytes);
}

#[test]
fn too_many_elements_are_refused() {
    let mut out = BytesMut::from(&b"before"[..]);
    let mut writer = MessageWriter::new(&mut out, Outcome::Initiating, Procedure::Paging, Criticality::Ignore);
    for _ in 0..=u16::MAX {
        writer.element(ElementType::Cause, Criticality::Ignore, |writer| writer.octets(&[0]));
    }
    assert_eq!(writer.finish(), Err(Unfit::Count { count: 65_536, most: 65_535 }));
    assert_eq!(out[..], b"before"[..]);
}

/// What the property test does with an element.
#[derive(Clone, Copy, Debug, bolero::TypeGenerator)]
enum Doing {
    Keep,
    Remove,
    Replace(u16),
    Insert(u16, u16),
}

fn filled(length: u16) -> Vec<u8> {
    vec![0x11; length.into()]
}

#[test]
fn what_is_spliced_is_what_was_put_in() {
    type Input = Vec<(u16, u16, Doing)>;
    bolero::check!().with_type::<Input>().for_each(|input: &Input| {
        let parts_in: Vec<Part> =
            input.iter().map(|&(id, length, _)| (id, Criticality::Notify, filled(length))).collect();
        let bytes = built(&parts_in);
        let mut expected = Vec::new();
        for (part, (_, _, doing)) in parts_in.iter().zip(input) {
            match *doing {
                Doing::Keep => expected.push(part.clone()),
                Doing::Remove => {}
                Doing::Replace(length) => expected.push((part.0, part.1, filled(length))),
                Doing::Insert(id, length) => {
                    expected.push((id, Criticality::Ignore, filled(length)));
                    expected.push(part.clone());
                }
            }
        }
        let envelope = Envelope::parse(&bytes).unwrap();
        let joined = envelope.value().joined();
        let message = envelope.open(&joined).unwrap();
        let mut doings = input.iter().map(|&(_, _, doing)| doing);
        let mut out = BytesMut::new();
        message
            .spliced(&mut out, |raw, writer| {
                Ok(match doings.next().unwrap() {
                    Doing::Keep => Change::Keep,
                    Doing::Remove => Change::Done,
                    Doing::Replace(length) => {
                        writer.element(raw.kind(), raw.criticality(), |writer| writer.octets(&filled(length)));
                        Change::Done
                    }
                    Doing::Insert(id, length) => {
                        writer.element(ElementType::from(id), Criticality::Ignore, |writer| {
                            writer.octets(&filled(length));
                        });
                        Change::Keep
                    }
                })
            })
            .unwrap();
        assert!(out == built(&expected));
        assert_eq!(parts(&out), expected);
    });
}

#[test]
fn whatever_is_parsed_is_copied_as_it_was() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let whole = [&[0, 46, 0x40, 0x7f, 0, 0, 3], bytes, &[0; 127]].concat();
        for bytes in [bytes, &whole] {
            let Ok(envelope) = Envelope::parse(bytes) else { continue };
            let joined = envelope.value().joined();
            let Ok(message) = envelope.open(&joined) else { continue };
            let mut out = BytesMut::new();
            if message.spliced(&mut out, |_, _| Ok(Change::Keep)).is_ok() {
                assert_eq!(&out[..], message.encoded());
                assert!(bytes.starts_with(&out));
            }
        }
    });
}
