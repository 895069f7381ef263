//! What is changed in messages is as pycrate would have encoded it.

use std::fmt::Write as _;

use bytes::BytesMut;
use pinion_protocols::ngap::value::{ConnectionList, NgapMessage, ResetType, RoutingId, UeConnection};
use pinion_protocols::ngap::{
    Criticality, ElementType, Envelope, Message, MessageWriter, NewIds, Outcome, Procedure, UeIds,
};

use super::python;
use super::vectors::vectors;

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[test]
fn the_script_makes_the_same_vectors() {
    let Some(program) = python::python() else { return };
    for (protocol, file) in [("NGAP", "ngap-vectors.tsv"), ("S1AP", "s1ap-vectors.tsv")] {
        let made = python::run(&program, &["ap_vectors.py", protocol], String::new());
        let kept = std::fs::read_to_string(super::vectors::folder().join(file)).unwrap();
        assert!(made == kept, "{protocol}");
    }
}

/// Identifiers of each count of octets.
const AMF: [u64; 6] = [0, 255, 256, 0x1_0000, 0x0100_0000, 0xff_ffff_ffff];
const RAN: [u32; 5] = [0, 255, 256, 0x1_0000, u32::MAX];

fn changed(bytes: &[u8], ids: &NewIds) -> Vec<u8> {
    let mut out = BytesMut::new();
    Message::parse(bytes).unwrap().with_ids(ids, &mut out).unwrap();
    out.to_vec()
}

#[test]
fn identifiers_are_changed_wherever_they_are() {
    let Some(program) = python::python() else { return };
    let mut lines = String::new();
    for (number, vector) in vectors().iter().enumerate() {
        let (amf, ran) = (AMF[number % AMF.len()], RAN[number % RAN.len()]);
        let (source, new) = (AMF[(number + 1) % AMF.len()], AMF[(number + 2) % AMF.len()]);
        let both = NewIds { amf: Some(amf), ran: Some(ran), source_amf: Some(source), new_amf: Some(new) };
        let wanted = format!(r#"{{"amf": {amf}, "ran": {ran}, "source_amf": {source}, "new_amf": {new}}}"#);
        let after = changed(&vector.bytes, &both);
        let _ = writeln!(lines, "{}\t{}\t{wanted}", hex(&vector.bytes), hex(&after));
        let alone = changed(&vector.bytes, &NewIds { amf: Some(amf), ..NewIds::default() });
        let _ = writeln!(lines, "{}\t{}\t{{\"amf\": {amf}}}", hex(&vector.bytes), hex(&alone));
        // Back to what it was. The message within a rerouted one has an identifier of its own.
        if !vector.name.starts_with("Reroute") && vector.ids.amf.is_some() && vector.ids.ran.is_some() {
            let ids = NewIds { amf: vector.ids.amf, ran: vector.ids.ran, ..NewIds::default() };
            let back = changed(&alone, &ids);
            assert_eq!(hex(&back), hex(&vector.bytes), "{}", vector.name);
        }
    }
    assert_eq!(python::run(&program, &["ngap_check.py"], lines), "");
}

#[test]
fn lists_of_resets_are_changed() {
    let Some(program) = python::python() else { return };
    let mut lines = String::new();
    let resets = vectors();
    let resets = resets.iter().filter(|vector| vector.name.starts_with("NGReset"));
    for vector in resets {
        let message = Message::parse(&vector.bytes).unwrap();
        for count in [1, 60, 5000] {
            let ids = |number: u32| UeIds {
                amf: (number % 3 != 1).then_some(u64::from(number) << 17),
                ran: (number % 3 != 2).then_some(number),
            };
            let list = ConnectionList::from((0..count).map(|it| UeConnection(ids(it))).collect::<Vec<_>>());
            let items = list.0.iter().map(|UeConnection(UeIds { amf, ran })| {
                let text = |id: Option<u64>| id.map_or("null".to_owned(), |id| id.to_string());
                format!("[{}, {}]", text(*amf), text(ran.map(u64::from)))
            });
            let wanted = format!(r#"{{"reset": [{}]}}"#, items.collect::<Vec<_>>().join(", "));
            let mut out = BytesMut::new();
            message.with_reset(&ResetType::Part(list), &mut out).unwrap();
            // An acknowledgement without a list gets one, for which pycrate's script has no place.
            if message
                .elements()
                .any(|raw| [ElementType::ResetType, ElementType::UeConnectionList].contains(&raw.unwrap().kind()))
            {
                let _ = writeln!(lines, "{}\t{}\t{wanted}", hex(&vector.bytes), hex(&out));
            }
        }
        if message.elements().find(ElementType::ResetType).unwrap().is_some() {
            let mut out = BytesMut::new();
            message.with_reset(&ResetType::All, &mut out).unwrap();
            let _ = writeln!(lines, "{}\t{}\t{{\"reset\": \"all\"}}", hex(&vector.bytes), hex(&out));
        }
    }
    assert!(lines.lines().count() >= 10);
    assert_eq!(python::run(&program, &["ngap_check.py"], lines), "");
}

#[test]
fn rerouted_messages_bring_what_they_are_given() {
    let Some(program) = python::python() else { return };
    let vectors = vectors();
    let named = |name: &str| vectors.iter().find(|vector| vector.name == name).unwrap();
    let mut lines = String::new();
    for outer in ["RerouteNASRequest", "RerouteNASRequest full"] {
        for inner in ["InitialUEMessage", "InitialUEMessage full"] {
            let inner = NgapMessage(named(inner).bytes.as_slice().into());
            let mut request = BytesMut::new();
            let message = Message::parse(&named(outer).bytes).unwrap();
            let kind = ElementType::NgapMessage;
            message.with(kind, Criticality::Reject, Some(&inner), &[], &mut request).unwrap();
            let mut out = BytesMut::new();
            Message::parse(&request).unwrap().rerouted(&mut out).unwrap();
            let _ = writeln!(lines, "{}\t{}\t{{\"reroute\": true}}", hex(&request), hex(&out));
        }
    }
    assert_eq!(python::run(&program, &["ngap_check.py"], lines), "");
}

/// Messages whose lengths go over each border, with values in fragments within values in fragments.
#[test]
fn lengths_go_over_all_borders() {
    let Some(program) = python::python() else { return };
    let mut lines = String::new();
    for length in [90, 100, 110, 120, 128, 16_300, 16_350, 16_370, 16_384, 32_768, 65_536, 70_000] {
        let mut inner = BytesMut::new();
        let mut writer =
            MessageWriter::new(&mut inner, Outcome::Initiating, Procedure::InitialUeMessage, Criticality::Ignore);
        writer.add(ElementType::RanUeNgapId, Criticality::Reject, &pinion_protocols::ngap::value::RanUeNgapId(7));
        writer.add(ElementType::NasPdu, Criticality::Reject, &RoutingId(vec![0x7e; length].into()));
        writer.finish().unwrap();
        let mut reroute = BytesMut::new();
        let mut writer = MessageWriter::new(
            &mut reroute,
            Outcome::Initiating,
            Procedure::RerouteNasRequest,
            Criticality::Reject,
        );
        writer.add(ElementType::RanUeNgapId, Criticality::Reject, &pinion_protocols::ngap::value::RanUeNgapId(7));
        writer.add(ElementType::NgapMessage, Criticality::Reject, &NgapMessage(inner.as_ref().into()));
        writer.add(ElementType::AmfSetId, Criticality::Reject, &pinion_protocols::ngap::value::AmfSetId(5));
        writer.finish().unwrap();
        for (message, rerouted) in [(&inner, false), (&reroute, true)] {
            for ran in RAN {
                let envelope = Envelope::parse(message).unwrap();
                let joined = envelope.value().joined();
                let mut out = BytesMut::new();
                let ids = NewIds { ran: Some(ran), ..NewIds::default() };
                envelope.open(&joined).unwrap().with_ids(&ids, &mut out).unwrap();
                let wanted = format!(r#"{{"nas": {length}, "ran": {ran}, "rerouted": {rerouted}}}"#);
                let _ = writeln!(lines, "{}\t{}\t{wanted}", hex(message), hex(&out));
            }
        }
    }
    assert_eq!(python::run(&program, &["ngap_check.py"], lines), "");
}
