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

/// The network that all are of: 001/01.
pub const PLMN: [u8; 3] = [0x00, 0xf1, 0x10];

/// A message with elements.
#[must_use]
pub fn message(outcome: Outcome, procedure: Procedure, elements: impl FnOnce(&mut MessageWriter<'_>)) -> Bytes {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, outcome, procedure, Criticality::Ignore);
    elements(&mut writer);
    // A message that does not fit is none: whoever gets it says so.
    match writer.finish() {
        Ok(()) => out.freeze(),
        Err(_) => Bytes::new(),
    }
}

/// A message that begins a procedure.
#[must_use]
pub fn initiating(procedure: Procedure, elements: impl FnOnce(&mut MessageWriter<'_>)) -> Bytes {
    message(Outcome::Initiating, procedure, elements)
}

/// Adds an element that must be understood.
pub fn add(writer: &mut MessageWriter<'_>, kind: ElementType, value: &dyn Value) {
    writer.add(kind, Criticality::Reject, value);
}

/// A gNB.
#[must_use]
pub fn node(number: u32) -> GlobalRanNodeId {
    GlobalRanNodeId::Gnb { plmn: Plmn(PLMN), id: number, bits: 24 }
}

/// A tracking area and its slice.
#[must_use]
pub fn areas(tac: u8) -> List<SupportedTa, 256> {
    let slices = List(vec![Slice { sst: 1, sd: None }.into()]);
    let plmn = BroadcastPlmn { plmn: Plmn(PLMN), slices, extensions: Default::default() };
    List(vec![SupportedTa { tac: [0, 0, tac], plmns: List(vec![plmn]), extensions: Default::default() }])
}

/// A gNB's NG Setup Request.
#[must_use]
pub fn ng_setup(number: u32) -> Bytes {
    initiating(Procedure::NgSetup, |it| {
        add(it, ElementType::GlobalRanNodeId, &node(number));
        add(it, ElementType::SupportedTaList, &areas(1));
        it.element(ElementType::DefaultPagingDrx, Criticality::Ignore, |it| it.octets(&[0x40]));
    })
}

/// An AMF of region 1.
#[must_use]
pub fn guami(set: u16, pointer: u8) -> Guami {
    Guami { plmn: PLMN, region: 1, set, pointer }
}

/// What an AMF says of itself.
#[derive(Clone, Debug)]
pub struct Says {
    /// AMF Name.
    pub name: String,
    /// GUAMIs, and the AMF that takes over for each.
    pub guamis: Vec<(Guami, Option<&'static str>)>,
    /// Relative capacity.
    pub capacity: u8,
    /// Slice/service types.
    pub slices: Vec<u8>,
}

impl Says {
    /// Adds it to NG Setup Response, or to AMF Configuration Update.
    pub fn elements(&self, it: &mut MessageWriter<'_>) {
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

    /// NG Setup Response.
    #[must_use]
    pub fn setup_response(&self) -> Bytes {
        message(Outcome::Successful, Procedure::NgSetup, |it| self.elements(it))
    }
}

/// NG Setup Failure.
#[must_use]
pub fn setup_failure(cause: &Cause, wait: Option<TimeToWait>) -> Bytes {
    message(Outcome::Unsuccessful, Procedure::NgSetup, |it| {
        add(it, ElementType::Cause, cause);
        if let Some(wait) = wait {
            add(it, ElementType::TimeToWait, &wait);
        }
    })
}

/// A 5G-S-TMSI of an AMF.
#[must_use]
pub fn tmsi(set: u16, pointer: u8) -> FiveGSTmsi {
    FiveGSTmsi { set, pointer, tmsi: [1, 2, 3, 4] }
}

/// A registration request in the clear, whose UE says that it has a 5G-GUTI of an AMF.
#[must_use]
pub fn registration(guami: Guami) -> Vec<u8> {
    let [high, low] = (guami.set << 6 | u16::from(guami.pointer)).to_be_bytes();
    let mut nas = b"\x7e\x00\x41\x79\x00\x0b\xf2".to_vec();
    nas.extend(guami.plmn);
    nas.extend([guami.region, high, low, 1, 2, 3, 4]);
    nas
}

/// An initial message.
#[derive(Clone, Debug)]
pub struct First {
    /// RAN UE NGAP ID.
    pub ran: u32,
    /// NAS PDU.
    pub nas: Vec<u8>,
    /// Why the UE connects.
    pub cause: RrcEstablishmentCause,
    /// Its 5G-S-TMSI.
    pub tmsi: Option<FiveGSTmsi>,
}

impl First {
    /// A registration request in the clear, of a UE that says its SUCI.
    #[must_use]
    pub fn new(ran: u32) -> Self {
        let nas = b"\x7e\x00\x41\x79\x00\x0d\x01\x00\xf1\x10\x21\x43\x01\x07\x01\x02\x03\x04\x05".to_vec();
        Self { ran, nas, cause: RrcEstablishmentCause::MoSignalling, tmsi: None }
    }

    /// The same, with a 5G-S-TMSI.
    #[must_use]
    pub fn with(ran: u32, tmsi: FiveGSTmsi) -> Self {
        Self { tmsi: Some(tmsi), ..Self::new(ran) }
    }

    /// Initial UE Message.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
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
#[must_use]
pub fn about(outcome: Outcome, procedure: Procedure, ids: UeIds, rest: &[u8]) -> Bytes {
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

/// Both identifiers.
#[must_use]
pub fn ids(amf: u64, ran: u32) -> UeIds {
    UeIds { amf: Some(amf), ran: Some(ran) }
}

/// Downlink NAS Transport.
#[must_use]
pub fn down(amf: u64, ran: u32, rest: &[u8]) -> Bytes {
    about(Outcome::Initiating, Procedure::DownlinkNasTransport, ids(amf, ran), rest)
}

/// Uplink NAS Transport.
#[must_use]
pub fn up(amf: u64, ran: u32, rest: &[u8]) -> Bytes {
    about(Outcome::Initiating, Procedure::UplinkNasTransport, ids(amf, ran), rest)
}

/// UE Context Release Command.
#[must_use]
pub fn release_command(amf: u64, ran: Option<u32>) -> Bytes {
    initiating(Procedure::UeContextRelease, |it| {
        add(it, ElementType::UeNgapIds, &UeIds { amf: Some(amf), ran });
        add(it, ElementType::Cause, &Cause::NORMAL_RELEASE);
    })
}

/// UE Context Release Complete.
#[must_use]
pub fn release_complete(amf: u64, ran: u32) -> Bytes {
    about(Outcome::Successful, Procedure::UeContextRelease, ids(amf, ran), &[])
}

/// Error Indication.
#[must_use]
pub fn error(ids: UeIds, cause: &Cause) -> Bytes {
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

/// A reset's list.
#[must_use]
pub fn connections(list: &[UeIds]) -> Vec<UeConnection> {
    list.iter().copied().map(UeConnection).collect()
}

/// NG Reset.
#[must_use]
pub fn reset(kind: &ResetType) -> Bytes {
    initiating(Procedure::NgReset, |it| {
        add(it, ElementType::Cause, &Cause::INTERVENTION);
        add(it, ElementType::ResetType, kind);
    })
}

/// NG Reset Acknowledge.
#[must_use]
pub fn reset_acknowledge(list: Option<Vec<UeConnection>>) -> Bytes {
    message(Outcome::Successful, Procedure::NgReset, |it| {
        if let Some(list) = list {
            let list: ConnectionList = List(list);
            add(it, ElementType::UeConnectionList, &list);
        }
    })
}
