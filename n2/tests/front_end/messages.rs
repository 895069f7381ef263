//! Messages of gNBs and AMFs.

use bytes::{Bytes, BytesMut};
use pinion_protocols::ngap::value::{
    AmfName, AmfUeNgapId, BroadcastPlmn, Cause, ConnectionList, GlobalRanNodeId, List, Plmn, PlmnSupport,
    RanUeNgapId, RelativeAmfCapacity, ResetType, RrcEstablishmentCause, ServedGuami, Slice, SupportedTa, Tai,
    TimeToWait, UeConnection, UserLocation,
};
use pinion_protocols::ngap::{
    Criticality, ElementType, FiveGSTmsi, Guami, MessageWriter, Outcome, Procedure, UeIds, Value,
};

pub(crate) const PLMN: [u8; 3] = [0x00, 0xf1, 0x10];

pub(crate) fn message(
    outcome: Outcome,
    procedure: Procedure,
    elements: impl FnOnce(&mut MessageWriter<'_>),
) -> Bytes {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, outcome, procedure, Criticality::Ignore);
    elements(&mut writer);
    writer.finish().unwrap();
    out.freeze()
}

pub(crate) fn initiating(procedure: Procedure, elements: impl FnOnce(&mut MessageWriter<'_>)) -> Bytes {
    message(Outcome::Initiating, procedure, elements)
}

pub(crate) fn add(writer: &mut MessageWriter<'_>, kind: ElementType, value: &dyn Value) {
    writer.add(kind, Criticality::Reject, value);
}

pub(crate) fn node(number: u32) -> GlobalRanNodeId {
    GlobalRanNodeId::Gnb { plmn: Plmn(PLMN), id: number, bits: 24 }
}

pub(crate) fn areas(tac: u8) -> List<SupportedTa, 256> {
    let slices = List(vec![Slice { sst: 1, sd: None }.into()]);
    let plmn = BroadcastPlmn { plmn: Plmn(PLMN), slices, extensions: Default::default() };
    List(vec![SupportedTa { tac: [0, 0, tac], plmns: List(vec![plmn]), extensions: Default::default() }])
}

pub(crate) fn ng_setup(number: u32) -> Bytes {
    initiating(Procedure::NgSetup, |it| {
        add(it, ElementType::GlobalRanNodeId, &node(number));
        add(it, ElementType::SupportedTaList, &areas(1));
        it.element(ElementType::DefaultPagingDrx, Criticality::Ignore, |it| it.octets(&[0x40]));
    })
}

/// An AMF of region 1.
pub(crate) fn guami(set: u16, pointer: u8) -> Guami {
    Guami { plmn: PLMN, region: 1, set, pointer }
}

/// What an AMF says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Says {
    pub(crate) name: String,
    pub(crate) guamis: Vec<(Guami, Option<&'static str>)>,
    pub(crate) capacity: u8,
    pub(crate) slices: Vec<u8>,
}

impl Says {
    pub(crate) fn elements(&self, it: &mut MessageWriter<'_>) {
        let guamis = self.guamis.iter().map(|(guami, backup)| ServedGuami {
            guami: *guami,
            backup: backup.map(|name| AmfName(name.into())),
            extensions: Default::default(),
        });
        let slices = self.slices.iter().map(|&sst| Slice { sst, sd: None }.into()).collect();
        let plmn = PlmnSupport { plmn: Plmn(PLMN), slices: List(slices), extensions: Default::default() };
        add(it, ElementType::AmfName, &AmfName(self.name.clone()));
        add(it, ElementType::ServedGuamiList, &List::<_, 256>(guamis.collect()));
        add(it, ElementType::RelativeAmfCapacity, &RelativeAmfCapacity(self.capacity));
        add(it, ElementType::PlmnSupportList, &List::<_, 12>(vec![plmn]));
    }

    pub(crate) fn setup_response(&self) -> Bytes {
        message(Outcome::Successful, Procedure::NgSetup, |it| self.elements(it))
    }
}

pub(crate) fn setup_failure(cause: &Cause, wait: Option<TimeToWait>) -> Bytes {
    message(Outcome::Unsuccessful, Procedure::NgSetup, |it| {
        add(it, ElementType::Cause, cause);
        if let Some(wait) = wait {
            add(it, ElementType::TimeToWait, &wait);
        }
    })
}

pub(crate) fn tmsi(set: u16, pointer: u8) -> FiveGSTmsi {
    FiveGSTmsi { set, pointer, tmsi: [1, 2, 3, 4] }
}

/// A registration request in the clear, whose UE says that it has a 5G-GUTI of an AMF.
pub(crate) fn registration(guami: Guami) -> Vec<u8> {
    let [high, low] = (guami.set << 6 | u16::from(guami.pointer)).to_be_bytes();
    let mut nas = b"\x7e\x00\x41\x79\x00\x0b\xf2".to_vec();
    nas.extend(guami.plmn);
    nas.extend([guami.region, high, low, 1, 2, 3, 4]);
    nas
}

/// An initial message.
#[derive(Clone, Debug)]
pub(crate) struct First {
    pub(crate) ran: u32,
    pub(crate) nas: Vec<u8>,
    pub(crate) cause: RrcEstablishmentCause,
    pub(crate) tmsi: Option<FiveGSTmsi>,
}

impl First {
    pub(crate) fn new(ran: u32) -> Self {
        let nas = b"\x7e\x00\x41\x79\x00\x0d\x01\x00\xf1\x10\x21\x43\x01\x07\x01\x02\x03\x04\x05".to_vec();
        Self { ran, nas, cause: RrcEstablishmentCause::MoSignalling, tmsi: None }
    }

    pub(crate) fn with(ran: u32, tmsi: FiveGSTmsi) -> Self {
        Self { tmsi: Some(tmsi), ..Self::new(ran) }
    }

    pub(crate) fn bytes(&self) -> Bytes {
        let tai = Tai { plmn: Plmn(PLMN), tac: [0, 0, 1] };
        let location =
            UserLocation::Nr { plmn: Plmn(PLMN), cell: 1, tai, time: None, extensions: Default::default() };
        initiating(Procedure::InitialUeMessage, |it| {
            add(it, ElementType::RanUeNgapId, &RanUeNgapId(self.ran));
            it.element(ElementType::NasPdu, Criticality::Reject, |it| it.counted(&self.nas));
            add(it, ElementType::UserLocationInformation, &location);
            add(it, ElementType::RrcEstablishmentCause, &self.cause);
            if let Some(tmsi) = &self.tmsi {
                add(it, ElementType::FiveGSTmsi, tmsi);
            }
        })
    }
}

/// A message about a UE, with something in it that is no routing element.
pub(crate) fn about(outcome: Outcome, procedure: Procedure, ids: UeIds, rest: &[u8]) -> Bytes {
    message(outcome, procedure, |it| {
        if let Some(amf) = ids.amf {
            add(it, ElementType::AmfUeNgapId, &AmfUeNgapId(amf));
        }
        if let Some(ran) = ids.ran {
            add(it, ElementType::RanUeNgapId, &RanUeNgapId(ran));
        }
        it.element(ElementType::NasPdu, Criticality::Reject, |it| it.counted(rest));
    })
}

pub(crate) fn ids(amf: u64, ran: u32) -> UeIds {
    UeIds { amf: Some(amf), ran: Some(ran) }
}

pub(crate) fn down(amf: u64, ran: u32, rest: &[u8]) -> Bytes {
    about(Outcome::Initiating, Procedure::DownlinkNasTransport, ids(amf, ran), rest)
}

pub(crate) fn up(amf: u64, ran: u32, rest: &[u8]) -> Bytes {
    about(Outcome::Initiating, Procedure::UplinkNasTransport, ids(amf, ran), rest)
}

pub(crate) fn release_command(amf: u64, ran: Option<u32>) -> Bytes {
    initiating(Procedure::UeContextRelease, |it| {
        add(it, ElementType::UeNgapIds, &UeIds { amf: Some(amf), ran });
        add(it, ElementType::Cause, &Cause::NORMAL_RELEASE);
    })
}

pub(crate) fn release_complete(amf: u64, ran: u32) -> Bytes {
    about(Outcome::Successful, Procedure::UeContextRelease, ids(amf, ran), &[])
}

pub(crate) fn error(ids: UeIds, cause: &Cause) -> Bytes {
    initiating(Procedure::ErrorIndication, |it| {
        if let Some(amf) = ids.amf {
            it.add(ElementType::AmfUeNgapId, Criticality::Ignore, &AmfUeNgapId(amf));
        }
        if let Some(ran) = ids.ran {
            it.add(ElementType::RanUeNgapId, Criticality::Ignore, &RanUeNgapId(ran));
        }
        it.add(ElementType::Cause, Criticality::Ignore, cause);
    })
}

pub(crate) fn connections(list: &[UeIds]) -> Vec<UeConnection> {
    list.iter().copied().map(UeConnection).collect()
}

pub(crate) fn reset(kind: &ResetType) -> Bytes {
    initiating(Procedure::NgReset, |it| {
        add(it, ElementType::Cause, &Cause::INTERVENTION);
        add(it, ElementType::ResetType, kind);
    })
}

pub(crate) fn reset_acknowledge(list: Option<Vec<UeConnection>>) -> Bytes {
    message(Outcome::Successful, Procedure::NgReset, |it| {
        if let Some(list) = list {
            let list: ConnectionList = List(list);
            add(it, ElementType::UeConnectionList, &list);
        }
    })
}
