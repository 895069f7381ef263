//! Messages of gNBs and AMFs, and associations that they go over.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pinion_protocols::ngap::value::{
    AmfName, AmfUeNgapId, GlobalRanNodeId, List, Plmn, PlmnSupport, RanUeNgapId, RelativeAmfCapacity, ServedGuami,
    Slice,
};
use pinion_protocols::ngap::{
    Criticality, ElementType, FiveGSTmsi, Guami, Message, MessageWriter, Outcome, Procedure, UeIds,
};
use pinion_transport::{Association, Event, Listener, Message as Sent};
use tokio::time::timeout;

/// Nobody waits longer than that for what comes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const PLMN: [u8; 3] = [0x00, 0xf1, 0x10];

pub(crate) fn message(
    outcome: Outcome,
    procedure: Procedure,
    elements: impl FnOnce(&mut MessageWriter<'_>),
) -> Bytes {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, outcome, procedure, Criticality::Reject);
    elements(&mut writer);
    writer.finish().unwrap();
    out.freeze()
}

pub(crate) fn ng_setup() -> Bytes {
    message(Outcome::Initiating, Procedure::NgSetup, |it| {
        let node = GlobalRanNodeId::Gnb { plmn: Plmn(PLMN), id: 1, bits: 24 };
        it.add(ElementType::GlobalRanNodeId, Criticality::Reject, &node);
    })
}

/// An AMF of set 1.
pub(crate) fn setup_response(amf: u8) -> Bytes {
    message(Outcome::Successful, Procedure::NgSetup, |it| {
        let guami = Guami { plmn: PLMN, region: 1, set: 1, pointer: amf };
        let guami = ServedGuami { guami, backup: None, extensions: Default::default() };
        let slices = List(vec![Slice { sst: 1, sd: None }.into()]);
        let plmn = PlmnSupport { plmn: Plmn(PLMN), slices, extensions: Default::default() };
        it.add(ElementType::AmfName, Criticality::Reject, &AmfName(format!("amf-{amf}")))
            .add(ElementType::ServedGuamiList, Criticality::Reject, &List::<_, 256>(vec![guami]))
            .add(ElementType::RelativeAmfCapacity, Criticality::Ignore, &RelativeAmfCapacity(100))
            .add(ElementType::PlmnSupportList, Criticality::Reject, &List::<_, 12>(vec![plmn]));
    })
}

pub(crate) fn initial(ran: u32, amf: u8) -> Bytes {
    message(Outcome::Initiating, Procedure::InitialUeMessage, |it| {
        it.add(ElementType::RanUeNgapId, Criticality::Reject, &RanUeNgapId(ran));
        let tmsi = FiveGSTmsi { set: 1, pointer: amf, tmsi: [1, 2, 3, 4] };
        it.add(ElementType::FiveGSTmsi, Criticality::Reject, &tmsi);
    })
}

pub(crate) fn about(procedure: Procedure, amf: u64, ran: u32) -> Bytes {
    message(Outcome::Initiating, procedure, |it| {
        it.add(ElementType::AmfUeNgapId, Criticality::Reject, &AmfUeNgapId(amf));
        it.add(ElementType::RanUeNgapId, Criticality::Reject, &RanUeNgapId(ran));
    })
}

pub(crate) fn ids(bytes: &Bytes) -> UeIds {
    Message::parse(bytes).unwrap().ids().unwrap()
}

pub(crate) async fn send(association: &Association, stream: u16, bytes: Bytes) {
    association.send(Sent::new(stream, 60, bytes)).await.unwrap();
}

/// The next message, with its stream.
pub(crate) async fn next(association: &Association) -> (u16, Bytes) {
    let message = async {
        loop {
            match association.receive().await {
                Some(Event::Message(message)) => break message,
                event => assert!(event.as_ref().is_some_and(|event| !event.is_last()), "{event:?}"),
            }
        }
    };
    let message = timeout(PATIENCE, message).await.unwrap();
    assert_eq!(message.protocol, 60);
    (message.stream, message.payload)
}

/// An AMF answers NG Setup.
pub(crate) async fn set_up(listener: &mut Listener, amf: u8) -> Association {
    let association = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    assert_eq!(next(&association).await, (0, ng_setup()));
    send(&association, 0, setup_response(amf)).await;
    association
}
