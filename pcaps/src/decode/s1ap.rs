//! Fields of S1AP messages.

use pinion_protocols::ap::CriticalityDiagnostics;
use pinion_protocols::s1ap::{ElementType, Envelope, Error, Outcome, RawElement};

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
    for raw in s1ap.elements() {
        let raw = raw?;
        ids(message, &raw)?;
        for connection in raw.connections()?.into_iter().flatten() {
            ids(message, &connection?)?;
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

fn ids(message: &mut Message, raw: &RawElement<'_>) -> Result<(), Error> {
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
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use pinion_protocols::ap::{MessageWriter, Writer};
    use pinion_protocols::s1ap::{Criticality, Procedure, S1ap};

    use super::*;

    /// A reset's list that has another in it, and so on: what comes from the network is not followed down.
    #[test]
    fn a_list_in_a_list_is_not_opened() {
        let mut list = vec![0x40, 0x00, 0x00, 0x5b, 0x40, 0x01, 0x00];
        for _ in 0..1_000 {
            let mut out = BytesMut::new();
            let mut writer = Writer::new(&mut out);
            writer.octets(&[0x40, 0x00, 0x00, 0x5c, 0x40]);
            writer.counted(&list);
            writer.finish().unwrap();
            list = out.to_vec();
        }
        let mut out = BytesMut::new();
        let mut writer =
            MessageWriter::<S1ap>::new(&mut out, Outcome::Initiating, Procedure::Reset, Criticality::Reject);
        writer.element(ElementType::ResetType, Criticality::Reject, |writer| writer.octets(&list));
        writer.finish().unwrap();
        let address = [192, 0, 2, 1].into();
        let mut message = Message::new(1, "S1AP", address, address);
        assert_eq!(fields(&mut message, &out, true), Ok(()));
        assert_eq!(message.all("s1ap.id"), [92_u16.into(), 92_u16.into()]);
    }
}
