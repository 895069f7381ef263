//! Fields of NGAP messages.

use pinion_protocols::ngap::value::{AmfUeNgapId, RanUeNgapId};
use pinion_protocols::ngap::{ElementType, Envelope, Error, Outcome, UeIds};

use super::Message;
use super::network::{Ends, Walk};

/// The message that a whole user message of SCTP is.
pub(super) fn message(walk: &mut Walk<'_>, ends: Ends, bytes: &[u8]) {
    let mut message = walk.message("NGAP", ends);
    if let Err(error) = fields(&mut message, bytes) {
        message.fail(error);
    }
    walk.keep(message);
}

fn fields(message: &mut Message, bytes: &[u8]) -> Result<(), Error> {
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
        let ids = match raw.kind() {
            ElementType::AmfUeNgapId | ElementType::SourceAmfUeNgapId | ElementType::NewAmfUeNgapId => {
                UeIds { amf: Some(raw.read::<AmfUeNgapId>()?.0), ran: None }
            }
            ElementType::RanUeNgapId => UeIds { amf: None, ran: Some(raw.read::<RanUeNgapId>()?.0) },
            ElementType::UeNgapIds => raw.read()?,
            _ => continue,
        };
        if let Some(id) = ids.amf {
            amf_id(message, id);
        }
        if let Some(id) = ids.ran {
            ran_id(message, id);
        }
    }
    Ok(())
}

fn amf_id(message: &mut Message, id: u64) {
    message.add("ngap.AMF_UE_NGAP_ID", id);
    message.summarize(format!("amf ue {id}"));
}

fn ran_id(message: &mut Message, id: u32) {
    message.add("ngap.RAN_UE_NGAP_ID", id);
    message.summarize(format!("ran ue {id}"));
}
