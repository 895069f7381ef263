//! Fields of NGAP messages.

use pinion_protocols::ngap::value::{
    AmfUeNgapId, ConnectionList, CriticalityDiagnostics, RanUeNgapId, ResetType, UeConnection,
};
use pinion_protocols::ngap::{ElementType, Envelope, Error, Outcome, RawElement, UeIds, Value};

use super::Message;
use super::network::{Ends, Walk};

/// The message that a whole user message of SCTP is.
pub(super) fn message(walk: &mut Walk<'_>, ends: Ends, bytes: &[u8]) {
    let mut message = walk.message("NGAP", ends);
    if let Err(error) = fields(&mut message, bytes, true) {
        message.fail(error);
    }
    walk.keep(message);
}

/// Adds the fields of a message, which may be one that is within another: then it is not `outermost`.
fn fields(message: &mut Message, bytes: &[u8], outermost: bool) -> Result<(), Error> {
    // The kind and the procedure can be read of a message that is cut behind them.
    if let [choice @ (0 | 0x20 | 0x40), procedure, ..] = *bytes {
        message.add("ngap.NGAP_PDU", choice >> 5);
        message.add("ngap.procedureCode", procedure);
    }
    let envelope = Envelope::parse(bytes)?;
    let joined = envelope.value().joined();
    let ngap = envelope.open(&joined)?;
    let outcome = match ngap.outcome() {
        Outcome::Initiating => "",
        Outcome::Successful => ", done",
        Outcome::Unsuccessful => ", failed",
    };
    message.summarize(format!("{}{outcome}", ngap.procedure()));
    for raw in ngap.elements() {
        let raw = raw?;
        message.add("ngap.id", u16::from(raw.kind()));
        match raw.kind() {
            ElementType::AmfUeNgapId | ElementType::SourceAmfUeNgapId | ElementType::NewAmfUeNgapId => {
                amf_id(message, raw.read::<AmfUeNgapId>()?.0);
            }
            ElementType::RanUeNgapId => ran_id(message, raw.read::<RanUeNgapId>()?.0),
            ElementType::UeNgapIds => ue_ids(message, raw.read()?),
            ElementType::ResetType => {
                if let ResetType::Part(list) = whole(&raw)? {
                    connections(message, &list);
                }
            }
            ElementType::UeConnectionList => connections(message, &whole(&raw)?),
            ElementType::CriticalityDiagnostics => {
                if let Some(code) = raw.read::<CriticalityDiagnostics>()?.procedure {
                    message.add("ngap.procedureCode", code);
                }
            }
            // What Reroute NAS Request has within belongs to it.
            ElementType::NgapMessage if outermost => {
                let joined = raw.value().joined();
                let within = raw.with_value(&joined).octets()?.joined();
                fields(message, &within, false)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// An element's value, which may be in fragments.
fn whole<T: Value>(raw: &RawElement<'_>) -> Result<T, Error> {
    let joined = raw.value().joined();
    raw.with_value(&joined).read()
}

fn connections(message: &mut Message, list: &ConnectionList) {
    for &UeConnection(ids) in &list.0 {
        ue_ids(message, ids);
    }
}

fn ue_ids(message: &mut Message, ids: UeIds) {
    ids.amf.iter().for_each(|&id| amf_id(message, id));
    ids.ran.iter().for_each(|&id| ran_id(message, id));
}

fn amf_id(message: &mut Message, id: u64) {
    message.add("ngap.AMF_UE_NGAP_ID", id);
    message.summarize(format!("amf ue {id}"));
}

fn ran_id(message: &mut Message, id: u32) {
    message.add("ngap.RAN_UE_NGAP_ID", id);
    message.summarize(format!("ran ue {id}"));
}
