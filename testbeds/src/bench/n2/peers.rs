//! gNBs that ask, and AMFs that answer and count from 1 each.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use pinion_protocols::ngap::value::{
    AmfName, AmfUeNgapId, GlobalRanNodeId, List, Plmn, PlmnSupport, RanUeNgapId, RelativeAmfCapacity,
    RrcEstablishmentCause, ServedGuami, Slice, Tai, UserLocation,
};
use pinion_protocols::ngap::{Criticality, ElementType, Guami, Message, MessageWriter, Outcome, Procedure, Value};

const PLMN: [u8; 3] = [0x00, 0xf1, 0x10];
/// Octets of NAS, as of a short request.
const NAS: [u8; 40] = [0x7e; 40];

/// The AMFs: which has an upstream, and the last identifier that it gave.
#[derive(Debug, Default)]
pub(super) struct Peers {
    upstreams: HashMap<u64, u16>,
    given: HashMap<u16, u64>,
}

impl Peers {
    pub(super) fn open(&mut self, upstream: u64, amf: &str) {
        let number = amf.strip_prefix("amfs/").and_then(|number| number.parse().ok()).unwrap_or_default();
        self.upstreams.insert(upstream, number);
    }

    /// What an AMF answers.
    pub(super) fn answer(&mut self, upstream: u64, bytes: &[u8]) -> Option<Bytes> {
        let amf = *self.upstreams.get(&upstream)?;
        let message = Message::parse(bytes).ok()?;
        let ids = message.ids().ok()?;
        match message.procedure() {
            Procedure::NgSetup => Some(setup_response(amf)),
            Procedure::InitialUeMessage => {
                let given = self.given.entry(amf).or_default();
                *given += 1;
                Some(about(Outcome::Initiating, Procedure::DownlinkNasTransport, *given, ids.ran?))
            }
            Procedure::UplinkNasTransport => {
                Some(about(Outcome::Initiating, Procedure::DownlinkNasTransport, ids.amf?, ids.ran?))
            }
            _ => None,
        }
    }
}

fn message(outcome: Outcome, procedure: Procedure, elements: impl FnOnce(&mut MessageWriter<'_>)) -> Bytes {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, outcome, procedure, Criticality::Ignore);
    elements(&mut writer);
    // All of it is in range; an empty message would be refused, and counted as none.
    match writer.finish() {
        Ok(()) => out.freeze(),
        Err(_) => Bytes::new(),
    }
}

fn add(writer: &mut MessageWriter<'_>, kind: ElementType, value: &dyn Value) {
    writer.add(kind, Criticality::Reject, value);
}

fn about(outcome: Outcome, procedure: Procedure, amf: u64, ran: u32) -> Bytes {
    message(outcome, procedure, |it| {
        add(it, ElementType::AmfUeNgapId, &AmfUeNgapId(amf));
        add(it, ElementType::RanUeNgapId, &RanUeNgapId(ran));
        it.element(ElementType::NasPdu, Criticality::Reject, |it| it.counted(&NAS));
    })
}

fn setup_response(amf: u16) -> Bytes {
    let [_, pointer] = amf.to_be_bytes();
    let guami = Guami { plmn: PLMN, region: 1, set: 1, pointer: pointer & 0x3f };
    let guami = ServedGuami { guami, backup: None, extensions: Default::default() };
    let slices = List(vec![Slice { sst: 1, sd: None }.into()]);
    let plmn = PlmnSupport { plmn: Plmn(PLMN), slices, extensions: Default::default() };
    message(Outcome::Successful, Procedure::NgSetup, |it| {
        add(it, ElementType::AmfName, &AmfName(format!("amf-{amf}")));
        add(it, ElementType::ServedGuamiList, &List::<_, 256>(vec![guami]));
        add(it, ElementType::RelativeAmfCapacity, &RelativeAmfCapacity(100));
        add(it, ElementType::PlmnSupportList, &List::<_, 12>(vec![plmn]));
    })
}

pub(super) fn ng_setup(gnb: u32) -> Bytes {
    message(Outcome::Initiating, Procedure::NgSetup, |it| {
        let node = GlobalRanNodeId::Gnb { plmn: Plmn(PLMN), id: gnb, bits: 24 };
        add(it, ElementType::GlobalRanNodeId, &node);
    })
}

pub(super) fn initial(ran: u32) -> Bytes {
    let tai = Tai { plmn: Plmn(PLMN), tac: [0, 0, 1] };
    let location = UserLocation::Nr { plmn: Plmn(PLMN), cell: 1, tai, time: None, extensions: Default::default() };
    message(Outcome::Initiating, Procedure::InitialUeMessage, |it| {
        add(it, ElementType::RanUeNgapId, &RanUeNgapId(ran));
        it.element(ElementType::NasPdu, Criticality::Reject, |it| it.counted(&NAS));
        add(it, ElementType::UserLocationInformation, &location);
        add(it, ElementType::RrcEstablishmentCause, &RrcEstablishmentCause::MoSignalling);
    })
}

pub(super) fn uplink(amf: u64, ran: u32) -> Bytes {
    about(Outcome::Initiating, Procedure::UplinkNasTransport, amf, ran)
}

/// The end of a UE, whose AMF has asked for it.
pub(super) fn released(amf: u64, ran: u32) -> Bytes {
    about(Outcome::Successful, Procedure::UeContextRelease, amf, ran)
}

/// What a gNB knows a UE by from now on.
pub(super) fn known(bytes: &[u8]) -> Option<(u64, u32)> {
    let ids = Message::parse(bytes).ok()?.ids().ok()?;
    ids.amf.zip(ids.ran)
}
