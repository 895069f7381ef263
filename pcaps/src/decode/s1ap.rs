//! Fields of S1AP messages.

use pinion_protocols::ap::CriticalityDiagnostics;
use pinion_protocols::s1ap::{ElementType, Elements, Envelope, Error, Outcome};

use super::Message;
use super::network::{Ends, Walk};

/// The message that a whole user message of SCTP is.
pub(super) fn message(walk: &mut Walk<'_>, ends: Ends, bytes: &[u8]) {
    let mut message = walk.message("S1AP", ends);
    if let Err(error) = fields(&mut message, bytes, true) {
        message.fail(error);
    }
    walk.keep(message);
}

/// Adds the fields of a message, which may be one that is within another: then it is not `outermost`.
fn fields(message: &mut Message, bytes: &[u8], outermost: bool) -> Result<(), Error> {
    // The kind and the procedure can be read of a message that is cut behind them.
    if let [choice @ (0 | 0x20 | 0x40), procedure, ..] = *bytes {
        message.add("s1ap.S1AP_PDU", choice >> 5);
        message.add("s1ap.procedureCode", procedure);
    }
    let envelope = Envelope::parse(bytes)?;
    let joined = envelope.value().joined();
    let s1ap = envelope.open(&joined)?;
    let outcome = match s1ap.outcome() {
        Outcome::Initiating => "",
        Outcome::Successful => ", done",
        Outcome::Unsuccessful => ", failed",
    };
    message.summarize(format!("{}{outcome}", s1ap.procedure()));
    elements(message, s1ap.elements(), outermost)
}

fn elements(message: &mut Message, elements_of: Elements<'_>, outermost: bool) -> Result<(), Error> {
    for raw in elements_of {
        let raw = raw?;
        message.add("s1ap.id", u16::from(raw.kind()));
        let ids = raw.ids()?;
        if let Some(id) = ids.mme {
            message.add("s1ap.MME_UE_S1AP_ID", id);
            message.summarize(format!("mme ue {id}"));
        }
        if let Some(id) = ids.enb {
            message.add("s1ap.ENB_UE_S1AP_ID", id);
            message.summarize(format!("enb ue {id}"));
        }
        if let Some(connections) = raw.connections()? {
            elements(message, connections, outermost)?;
        }
        match raw.kind() {
            ElementType::CriticalityDiagnostics => {
                if let Some(code) = raw.read::<CriticalityDiagnostics>()?.procedure {
                    message.add("s1ap.procedureCode", code);
                }
            }
            // What Reroute NAS Request has within belongs to it.
            ElementType::S1Message if outermost => {
                let joined = raw.value().joined();
                let within = raw.with_value(&joined).octets()?.joined();
                fields(message, &within, false)?;
            }
            _ => {}
        }
    }
    Ok(())
}
