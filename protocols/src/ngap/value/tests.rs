//! The values here were encoded by pycrate 0.8.1 from the ASN.1 of NGAP.

use core::fmt::Debug;
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

use bytes::BytesMut;

use super::super::{ElementType, Envelope, MessageWriter, Ngap, Procedure, UeIds};
use super::*;
use crate::ap::{Alternative, Criticality, Outcome, Unfit, Writer};

const P: Plmn = Plmn([0x00, 0xf1, 0x10]);
const Q: Plmn = Plmn([0x09, 0xf1, 0x07]);

fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn read<T: Value>(octets: &[u8]) -> Result<T, Wrong> {
    T::read(&mut Reader::new(octets, 0))
}

fn written(value: &impl Value) -> Result<String, Unfit> {
    let mut out = BytesMut::new();
    let mut writer = Writer::new(&mut out);
    value.write(&mut writer);
    writer.finish()?;
    Ok(out.iter().map(|octet| format!("{octet:02x}")).collect())
}

/// That pycrate's encoding is read as the value, and the value written as pycrate does.
fn both<T: Value + PartialEq + Debug>(hex: &str, value: &T) {
    let encoded = octets(hex);
    assert_eq!(read::<T>(&encoded).as_ref(), Ok(value), "{hex}");
    assert_eq!(written(value).as_deref(), Ok(hex));
    for end in 0..encoded.len() {
        assert_eq!(read::<T>(&encoded[..end]), Err(Wrong::Cut { offset: end }), "{hex} to {end}");
    }
}

/// Extensions, as their container is encoded.
fn extended(hex: &str) -> Extensions {
    Extensions::read(&mut Reader::new(&octets(hex), 0), true).unwrap()
}

fn none() -> Extensions {
    Extensions::default()
}

fn guami(plmn: Plmn, region: u8, set: u16, pointer: u8) -> Guami {
    Guami { plmn: plmn.0, region, set, pointer }
}

fn slices(slices: &[(u8, Option<[u8; 3]>)]) -> SliceSupportList {
    List(slices.iter().map(|&(sst, sd)| Slice { sst, sd }.into()).collect())
}

fn v4() -> TransportAddress {
    TransportAddress { v4: Some([192, 0, 2, 1].into()), v6: None }
}

fn v6() -> TransportAddress {
    TransportAddress { v4: None, v6: Some("2001:db8::1".parse().unwrap()) }
}

#[test]
fn what_an_amf_serves() {
    let first = ServedGuami { guami: guami(P, 2, 0x155, 0x2a), backup: None, extensions: none() };
    let name = AmfName("amf-2.example".to_string());
    let extensions = extended("000000b0400140");
    let kinds: Vec<_> = extensions.elements::<Ngap>().map(|element| element.unwrap().kind()).collect();
    assert_eq!(kinds, [ElementType::GuamiType]);
    assert!(extensions.without::<Ngap>(ElementType::GuamiType).is_empty());
    assert_eq!(extensions.without::<Ngap>(ElementType::Cause), extensions);
    let second = ServedGuami { guami: guami(Q, 255, 1, 0), backup: Some(name), extensions };
    both(
        "010000f11002556a6009f107ff00400600616d662d322e6578616d706c65000000b0400140",
        &ServedGuamiList::from(vec![first, second]),
    );
    both("c8", &RelativeAmfCapacity(200));
    let first = PlmnSupport { plmn: P, slices: slices(&[(1, None), (2, Some([1, 2, 3]))]), extensions: none() };
    let extensions = extended("0000010e000400000018");
    let second = PlmnSupport { plmn: Q, slices: slices(&[(255, None)]), extensions };
    both(
        "1000f1100001000880800102034009f107000007f80000010e000400000018",
        &PlmnSupportList::from(vec![first, second]),
    );
    let long = AmfName("x".repeat(151));
    both(&format!("808097{}", "78".repeat(151)), &long);
}

#[test]
fn which_node_it_is() {
    both("0000f11000aaf378", &GlobalRanNodeId::Gnb { plmn: P, id: 0x2a_bcde, bits: 22 });
    both("0000f11050deadbeef", &GlobalRanNodeId::Gnb { plmn: P, id: 0xdead_beef, bits: 32 });
    both("4009f10700abcde0", &GlobalRanNodeId::NgEnb { plmn: Q, id: NgEnbId::Macro(0xa_bcde) });
    both("4009f10740aaf340", &GlobalRanNodeId::NgEnb { plmn: Q, id: NgEnbId::Short(0x2_abcd) });
    both("4009f10780d5e6f0", &GlobalRanNodeId::NgEnb { plmn: Q, id: NgEnbId::Long(0x1a_bcde) });
    both("8000f1105f7780", &GlobalRanNodeId::N3iwf { plmn: P, id: 0xbeef });
    let value = octets("0000f1100000000007").into();
    let tngf = Alternative { id: 240, criticality: Criticality::Reject, value };
    both("c000f000090000f1100000000007", &GlobalRanNodeId::Other(tngf));
    let short = GlobalRanNodeId::Gnb { plmn: P, id: 1, bits: 21 };
    assert_eq!(written(&short), Err(Unfit::Number { number: 21, most: 32 }));
}

#[test]
fn where_ues_are() {
    let plmn = |plmn, slices_of: &[_]| BroadcastPlmn { plmn, slices: slices(slices_of), extensions: none() };
    let first = vec![plmn(P, &[(1, None)]), plmn(Q, &[(1, Some([0xff, 0xff, 0xfe])), (4, None)])];
    let ta = |tac, plmns| SupportedTa { tac, plmns: List(plmns), extensions: none() };
    let areas = List(vec![ta([0, 0, 7], first), ta([0xff; 3], vec![plmn(P, &[(9, None)])])]);
    both::<SupportedTaList>("01000000071000f1100000000809f10700011008fffffe0020ffffff0000f11000000048", &areas);
    let tai = Tai { plmn: Q, tac: [0, 0, 7] };
    let time = Some([0xe0, 1, 2, 3]);
    both(
        "5000f110123456789009f107000007e0010203",
        &UserLocation::Nr { plmn: P, cell: 0x1_2345_6789, tai, time, extensions: none() },
    );
    let extensions = extended("000001070006000000000050");
    both(
        "4800f110000000001009f107000007000001070006000000000050",
        &UserLocation::Nr { plmn: P, cell: 1, tai, time: None, extensions },
    );
    both(
        "0000f110abcdef1009f107000007",
        &UserLocation::Eutra { plmn: P, cell: 0xabc_def1, tai, time: None, extensions: none() },
    );
    both("80f8c00002011194", &UserLocation::N3iwf { address: v4(), port: 4500, extensions: none() });
    let value = octets("00036162630f80c0000201").into();
    let tngf = Alternative { id: 244, criticality: Criticality::Ignore, value };
    both("c000f4400b00036162630f80c0000201", &UserLocation::Other(tngf));
}

#[test]
fn whom_a_paging_is_for() {
    let tmsi = FiveGSTmsi { set: 0x155, pointer: 0x2a, tmsi: [0xc0, 0xff, 0xee, 1] };
    both("0aad40c0ffee01", &UePagingIdentity::FiveGSTmsi(tmsi));
    let item = |plmn, tac| TaiForPaging { tai: Tai { plmn, tac }, extensions: none() };
    both("1000f1100000010009f107010203", &TaiListForPaging::from(vec![item(P, [0, 0, 1]), item(Q, [1, 2, 3])]));
}

#[test]
fn identifiers() {
    let ids = |amf, ran| UeIds { amf, ran };
    both("00", &ResetType::All);
    let list = [ids(Some(1 << 39), Some(7)), ids(Some(0), None), ids(None, Some(u32::MAX)), ids(None, None)];
    let list = ConnectionList::from(list.map(UeConnection).to_vec());
    both("4004688000000000000740002cffffffff00", &ResetType::Part(list));
    both("0401000000ff", &ids(Some(65_536), Some(255)));
    both("60ffffffffff", &ids(Some((1 << 40) - 1), None));
    both("5540", &AmfSetId(0x155));
    both("03010203", &RoutingId([1, 2, 3].into()));
    both("0009f10702ffff", &guami(Q, 2, 0x3ff, 0x3f));
    assert_eq!(written(&AmfUeNgapId(1 << 40)), Err(Unfit::Number { number: 1 << 40, most: (1 << 40) - 1 }));
    assert_eq!(read::<AmfUeNgapId>(&octets("a0010000000000")), Err(Wrong::Range { offset: 1 }));
}

#[test]
fn what_an_overloaded_amf_wants() {
    both("30", &OverloadResponse::Action(OverloadAction::HighPriorityAndMobileTerminated));
    both("c4", &TrafficLoadReduction(99));
    let first = SliceOverload {
        slices: slices(&[(1, None), (2, Some([10, 11, 12]))]),
        response: Some(OverloadResponse::Action(OverloadAction::RejectSignalling)),
        reduction: Some(TrafficLoadReduction(40)),
        extensions: none(),
    };
    let second =
        SliceOverload { slices: slices(&[(3, None)]), response: None, reduction: None, extensions: none() };
    both("0001600001000880800a0b0c14e000000018", &SliceOverloadList::from(vec![first, second]));
    for percent in [0, 100] {
        assert_eq!(
            written(&TrafficLoadReduction(percent)),
            Err(Unfit::Number { number: percent.into(), most: 99 })
        );
    }
    assert_eq!(read::<TrafficLoadReduction>(&[0xc6]), Err(Wrong::Range { offset: 0 }));
}

#[test]
fn what_leaves_an_amf() {
    let first = UnavailableGuami {
        guami: guami(P, 2, 3, 4),
        timer: true,
        backup: Some(AmfName("b".to_string())),
        extensions: none(),
    };
    let second = UnavailableGuami { guami: guami(Q, 5, 6, 7), timer: false, backup: None, extensions: none() };
    both("016000f1100200c40000620009f107050187", &UnavailableGuamiList::from(vec![first, second]));
}

#[test]
fn associations_of_an_amf() {
    let here = TnlAddress::Endpoint(v4());
    let two = TransportAddress { v4: v4().v4, v6: v6().v6 };
    let add = |address: &TnlAddress, usage, weight| TnlToAdd {
        address: address.clone(),
        usage,
        weight,
        extensions: none(),
    };
    both(
        "0a07c0c000020120ff04f8c000020120010db800000000000000000000000100",
        &TnlToAddList::from(vec![
            add(&here, Some(TnlUsage::NonUe), 255),
            add(&TnlAddress::Endpoint(two), None, 0),
        ]),
    );
    let there = TnlAddress::Endpoint(v6());
    let value = octets("07c0c0000201960c").into();
    let port = TnlAddress::Other(Alternative { id: 169, criticality: Criticality::Reject, value });
    let association = |address: &TnlAddress| TnlAssociation { address: address.clone(), extensions: none() };
    both(
        "083f8020010db80000000000000000000000012000a9000807c0c0000201960c",
        &TnlAssociationList::from(vec![association(&there), association(&port)]),
    );
    let update = |usage, weight| TnlToUpdate { address: here.clone(), usage, weight, extensions: none() };
    both(
        "0b03e0c00002014009007cc0000201",
        &TnlToUpdateList::from(vec![update(Some(TnlUsage::Both), Some(9)), update(None, None)]),
    );
    let failed = |address: &TnlAddress, cause| TnlFailure { address: address.clone(), cause, extensions: none() };
    both(
        "080f80c0000201203f8020010db800000000000000000000000184",
        &TnlFailureList::from(vec![
            failed(&here, Cause::TRANSPORT_UNAVAILABLE),
            failed(&there, Cause::HARDWARE_FAILURE),
        ]),
    );
}

#[test]
fn causes_of_the_root_and_added() {
    for (hex, cause) in [
        ("0b00", Cause::RadioNetwork(44)),
        ("1000", Cause::RadioNetwork(45)),
        ("11a0", Cause::RadioNetwork(58)),
        ("28", Cause::Transport(1)),
        ("48", Cause::Nas(2)),
        ("5000", Cause::Nas(4)),
        ("6c", Cause::Protocol(6)),
        ("8a", Cause::UNSPECIFIED),
        ("0380", Cause::UNKNOWN_LOCAL_ID),
        ("03c0", Cause::INCONSISTENT_REMOTE_ID),
        ("68", Cause::SEMANTIC_ERROR),
        ("86", Cause::INTERVENTION),
    ] {
        both(hex, &cause);
    }
    both("40", &TimeToWait::TwentySeconds);
    both("50", &TimeToWait::OneMinute);
    assert_eq!(TimeToWait::TwentySeconds.duration().as_secs(), 20);
    both("20", &RrcEstablishmentCause::MoData);
    both("81", &RrcEstablishmentCause::MoExceptionData);
    let allowed = [Slice { sst: 1, sd: None }, Slice { sst: 2, sd: Some([1, 2, 3]) }];
    both("20011010010203", &AllowedNssai::from(allowed.map(AllowedSlice::from).to_vec()));
}

#[test]
fn names_in_any_characters_and_what_was_not_understood() {
    let name = |visible: Option<&str>, utf8: Option<&str>| {
        let [visible, utf8] = [visible, utf8].map(|text| text.map(ToString::to_string));
        ExtendedAmfName { visible, utf8, extensions: none() }
    };
    both("6010616d6604c3a46d66", &name(Some("amf"), Some("ämf")));
    both(&format!("2080c8{}", "c3a4".repeat(100)), &name(None, Some(&"ä".repeat(100))));
    assert_eq!(read::<ExtendedAmfName>(&octets("2001ff")), Err(Wrong::Text { offset: 2 }));
    let element = |criticality, id, missing| NotUnderstood { criticality, id, missing, extensions: none() };
    let diagnostics = CriticalityDiagnostics {
        procedure: Some(15),
        triggering: Some(Outcome::Successful),
        criticality: Some(Criticality::Notify),
        elements: vec![element(Criticality::Reject, 10, true), element(Criticality::Ignore, 0xffff, false)],
        extensions: none(),
    };
    both("780f600100000a44ffff00", &diagnostics);
}

#[test]
fn no_list_is_empty_or_too_long() {
    for count in [0, 9] {
        let list = AllowedNssai::from(vec![Slice { sst: 1, sd: None }.into(); count]);
        assert_eq!(written(&list), Err(Unfit::Count { count, most: 8 }));
    }
    assert_eq!(written(&AmfName(String::new())), Err(Unfit::Count { count: 0, most: 150 }));
}

/// Reads a value of a type, writes it and reads it again.
fn again<T: Value + PartialEq + Debug>(octets: &[u8]) {
    let Ok(value) = read::<T>(octets) else { return };
    let out = super::tests::octets(&written(&value).unwrap());
    assert_eq!(read::<T>(&out), Ok(value));
}

#[test]
fn whatever_is_read_is_written_the_same() {
    bolero::check!().for_each(|octets: &[u8]| {
        again::<ServedGuamiList>(octets);
        again::<PlmnSupportList>(octets);
        again::<GlobalRanNodeId>(octets);
        again::<SupportedTaList>(octets);
        again::<UePagingIdentity>(octets);
        again::<TaiListForPaging>(octets);
        again::<ResetType>(octets);
        again::<UeIds>(octets);
        again::<OverloadResponse>(octets);
        again::<SliceOverloadList>(octets);
        again::<UnavailableGuamiList>(octets);
        again::<TnlToAddList>(octets);
        again::<TnlAssociationList>(octets);
        again::<TnlToUpdateList>(octets);
        again::<TnlFailureList>(octets);
        again::<Cause>(octets);
        again::<TimeToWait>(octets);
        again::<RrcEstablishmentCause>(octets);
        again::<AllowedNssai>(octets);
        again::<UserLocation>(octets);
        again::<RoutingId>(octets);
        again::<AmfName>(octets);
        again::<ExtendedAmfName>(octets);
        again::<CriticalityDiagnostics>(octets);
    });
}

#[test]
fn a_list_of_more_octets_than_a_fragment_has_is_read() {
    let list = (0..20_000).map(|ran| UeConnection(UeIds { amf: None, ran: Some(ran) }));
    let list: ConnectionList = List(list.collect());
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, Outcome::Successful, Procedure::NgReset, Criticality::Reject);
    writer.add(ElementType::UeConnectionList, Criticality::Ignore, &list);
    writer.finish().unwrap();
    let envelope = Envelope::parse(&out).unwrap();
    let joined = envelope.value().joined();
    let message = envelope.open(&joined).unwrap();
    assert_eq!(message.get(ElementType::UeConnectionList), Ok(Some(list)));
}
