//! Each message of NGAP, as pycrate encoded it: what is read of it, and that it is written the same.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use pinion_protocols::ap::{self, Protocol, Writer};
use pinion_protocols::ngap::value::{
    AllowedNssai, AmfName, AmfSetId, AmfUeNgapId, Cause, ConnectionList, CriticalityDiagnostics, ExtendedAmfName,
    GlobalRanNodeId, OverloadResponse, PlmnSupportList, RanUeNgapId, RelativeAmfCapacity, ResetType, RoutingId,
    RrcEstablishmentCause, ServedGuamiList, SliceOverloadList, SupportedTaList, TaiListForPaging, TimeToWait,
    TnlAssociationList, TnlFailureList, TnlToAddList, TnlToUpdateList, TrafficLoadReduction, UePagingIdentity,
    UnavailableGuamiList, UserLocation,
};
use pinion_protocols::ngap::{
    Change, Element, ElementType, Error, FiveGSTmsi, Guami, Message, MessageWriter, Outcome, Procedure,
    RawElement, UeIds, Value,
};

/// A line of the file; `captures/ap_vectors.py` says what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) procedure: u8,
    pub(crate) outcome: u8,
    pub(crate) elements: Vec<u16>,
    pub(crate) ids: UeIds,
    pub(crate) bytes: Vec<u8>,
}

impl Vector {
    /// Holds against it what a message says that it is, and what elements it has.
    pub(crate) fn assert_is<P: Protocol>(&self, message: &ap::Message<'_, P>) {
        assert_eq!(message.procedure(), P::Procedure::from(self.procedure), "{}", self.name);
        let outcome = [Outcome::Initiating, Outcome::Successful, Outcome::Unsuccessful][usize::from(self.outcome)];
        assert_eq!(message.outcome(), outcome, "{}", self.name);
        let elements: Vec<u16> = message.elements().map(|raw| raw.unwrap().kind().into()).collect();
        assert_eq!(elements, self.elements, "{}", self.name);
    }
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures")
}

pub(crate) fn vectors() -> Vec<Vector> {
    vectors_of("ngap-vectors.tsv")
}

pub(crate) fn vectors_of(file: &str) -> Vec<Vector> {
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    text.lines().map(vector).collect()
}

fn vector(line: &str) -> Vector {
    let [name, procedure, outcome, elements, amf, ran, hex] = line.split('\t').collect::<Vec<_>>()[..] else {
        panic!("{line}");
    };
    let elements = elements.split(',').filter_map(|id| id.parse().ok()).collect();
    let ids = UeIds { amf: amf.parse().ok(), ran: ran.parse().ok() };
    let (procedure, outcome) = (procedure.parse().unwrap(), outcome.parse().unwrap());
    Vector { name: name.to_owned(), procedure, outcome, elements, ids, bytes: octets(hex) }
}

pub(crate) fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn each_message_says_what_it_is_and_whose() {
    let mut procedures = BTreeSet::new();
    for vector in vectors() {
        let message = Message::parse(&vector.bytes).unwrap();
        procedures.insert(vector.procedure);
        vector.assert_is(&message);
        assert!(!matches!(message.procedure(), Procedure::Other(_)), "{}", vector.name);
        assert_eq!(message.ids(), Ok(vector.ids), "{}", vector.name);
        for raw in message.elements() {
            let raw = raw.unwrap();
            if let Element::NasPdu(nas) = raw.parse().unwrap() {
                assert_eq!(nas.len() + 1, raw.value().len(), "{}", vector.name);
            }
        }
    }
    // All but the private message, of which nothing is known.
    assert_eq!(procedures, (0..=80).filter(|&code| code != 31).collect());
}

/// Reads a value and writes it.
fn again<T: Value + Debug>(raw: &RawElement<'_>) -> Result<Vec<u8>, Error> {
    let value: T = raw.read()?;
    let mut out = BytesMut::new();
    let mut writer = Writer::new(&mut out);
    value.write(&mut writer);
    writer.finish().unwrap_or_else(|error| panic!("{value:?}: {error}"));
    Ok(out.to_vec())
}

/// The value of an element that is interpreted, read and written again.
pub(crate) fn rewritten(raw: &RawElement<'_>) -> Option<Result<Vec<u8>, Error>> {
    Some(match raw.kind() {
        ElementType::AllowedNssai => again::<AllowedNssai>(raw),
        ElementType::AmfName => again::<AmfName>(raw),
        ElementType::AmfOverloadResponse => again::<OverloadResponse>(raw),
        ElementType::ExtendedAmfName => again::<ExtendedAmfName>(raw),
        ElementType::AmfSetId => again::<AmfSetId>(raw),
        ElementType::TnlFailedToSetupList => again::<TnlFailureList>(raw),
        ElementType::TnlSetupList | ElementType::TnlToRemoveList => again::<TnlAssociationList>(raw),
        ElementType::TnlToAddList => again::<TnlToAddList>(raw),
        ElementType::TnlToUpdateList => again::<TnlToUpdateList>(raw),
        ElementType::TrafficLoadReduction => again::<TrafficLoadReduction>(raw),
        ElementType::AmfUeNgapId | ElementType::NewAmfUeNgapId | ElementType::SourceAmfUeNgapId => {
            again::<AmfUeNgapId>(raw)
        }
        ElementType::Cause => again::<Cause>(raw),
        ElementType::CriticalityDiagnostics => again::<CriticalityDiagnostics>(raw),
        ElementType::FiveGSTmsi => again::<FiveGSTmsi>(raw),
        ElementType::GlobalRanNodeId => again::<GlobalRanNodeId>(raw),
        ElementType::Guami | ElementType::NewGuami => again::<Guami>(raw),
        ElementType::OverloadStartNssaiList => again::<SliceOverloadList>(raw),
        ElementType::PlmnSupportList => again::<PlmnSupportList>(raw),
        ElementType::RanUeNgapId => again::<RanUeNgapId>(raw),
        ElementType::RelativeAmfCapacity => again::<RelativeAmfCapacity>(raw),
        ElementType::ResetType => again::<ResetType>(raw),
        ElementType::RoutingId => again::<RoutingId>(raw),
        ElementType::RrcEstablishmentCause => again::<RrcEstablishmentCause>(raw),
        ElementType::ServedGuamiList => again::<ServedGuamiList>(raw),
        ElementType::SupportedTaList => again::<SupportedTaList>(raw),
        ElementType::TaiListForPaging => again::<TaiListForPaging>(raw),
        ElementType::TimeToWait => again::<TimeToWait>(raw),
        ElementType::UeConnectionList => again::<ConnectionList>(raw),
        ElementType::UeNgapIds => again::<UeIds>(raw),
        ElementType::UePagingIdentity => again::<UePagingIdentity>(raw),
        ElementType::UnavailableGuamiList => again::<UnavailableGuamiList>(raw),
        ElementType::UserLocationInformation => again::<UserLocation>(raw),
        _ => return None,
    })
}

#[test]
fn what_is_interpreted_is_written_as_it_was() {
    let mut kinds = BTreeSet::new();
    for vector in vectors() {
        let message = Message::parse(&vector.bytes).unwrap();
        for raw in message.elements() {
            let raw = raw.unwrap();
            if let Some(value) = rewritten(&raw) {
                kinds.insert(u16::from(raw.kind()));
                assert_eq!(value.as_deref(), Ok(raw.value().whole().unwrap()), "{}, {}", vector.name, raw.kind());
            }
        }
    }
    assert_eq!(kinds.len(), 36, "{kinds:?}");
}

#[test]
fn messages_are_put_together_as_they_were() {
    for vector in vectors() {
        let message = Message::parse(&vector.bytes).unwrap();
        let mut out = BytesMut::new();
        let mut writer =
            MessageWriter::new(&mut out, message.outcome(), message.procedure(), message.criticality());
        for raw in message.elements() {
            let raw = raw.unwrap();
            writer.element(raw.kind(), raw.criticality(), |writer| writer.octets(raw.value().whole().unwrap()));
        }
        writer.finish().unwrap();
        assert_eq!(out, vector.bytes, "{}", vector.name);
        out.clear();
        message.spliced(&mut out, |_, _| Ok(Change::Keep)).unwrap();
        assert_eq!(out, vector.bytes, "{}", vector.name);
    }
}
