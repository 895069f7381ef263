//! Messages that the front end makes itself.

use bytes::{Bytes, BytesMut};
use pinion_protocols::ngap::value::{
    AmfName, AmfUeNgapId, Cause, ConnectionList, List, RanUeNgapId, RelativeAmfCapacity, ResetType, TimeToWait,
    TnlFailure, UeConnection,
};
use pinion_protocols::ngap::{
    Criticality, ElementType, Error, Message, MessageWriter, NewIds, Outcome, Procedure, UeIds, Unfit,
};

use crate::merge::Merged;

/// A message with what `elements` adds to it.
pub(crate) fn message(
    outcome: Outcome,
    procedure: Procedure,
    criticality: Criticality,
    elements: impl FnOnce(&mut MessageWriter<'_>),
) -> Result<Bytes, Unfit> {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, outcome, procedure, criticality);
    elements(&mut writer);
    writer.finish()?;
    Ok(out.freeze())
}

/// Error Indication (TS 38.413 9.2.7.1).
pub(crate) fn error_indication(ids: UeIds, cause: &Cause) -> Result<Bytes, Unfit> {
    message(Outcome::Initiating, Procedure::ErrorIndication, Criticality::Ignore, |writer| {
        if let Some(amf) = ids.amf {
            writer.add(ElementType::AmfUeNgapId, Criticality::Ignore, &AmfUeNgapId(amf));
        }
        if let Some(ran) = ids.ran {
            writer.add(ElementType::RanUeNgapId, Criticality::Ignore, &RanUeNgapId(ran));
        }
        writer.add(ElementType::Cause, Criticality::Ignore, cause);
    })
}

/// A failure that has a cause and perhaps a time to wait.
pub(crate) fn failure(procedure: Procedure, cause: &Cause, wait: Option<TimeToWait>) -> Result<Bytes, Unfit> {
    message(Outcome::Unsuccessful, procedure, Criticality::Reject, |writer| {
        writer.add(ElementType::Cause, Criticality::Ignore, cause);
        if let Some(wait) = wait {
            writer.add(ElementType::TimeToWait, Criticality::Ignore, &wait);
        }
    })
}

/// Handover Failure (9.2.3.6).
pub(crate) fn handover_failure(amf: u64, cause: &Cause) -> Result<Bytes, Unfit> {
    let procedure = Procedure::HandoverResourceAllocation;
    message(Outcome::Unsuccessful, procedure, Criticality::Reject, |writer| {
        writer.add(ElementType::AmfUeNgapId, Criticality::Ignore, &AmfUeNgapId(amf));
        writer.add(ElementType::Cause, Criticality::Ignore, cause);
    })
}

/// NG Setup Response (9.2.6.2).
pub(crate) fn setup_response(name: &AmfName, merged: Merged) -> Result<Bytes, Unfit> {
    message(Outcome::Successful, Procedure::NgSetup, Criticality::Reject, |writer| view(writer, name, merged))
}

/// AMF Configuration Update (9.2.6.4).
pub(crate) fn amf_update(name: &AmfName, merged: Merged) -> Result<Bytes, Unfit> {
    message(Outcome::Initiating, Procedure::AmfConfigurationUpdate, Criticality::Reject, |writer| {
        view(writer, name, merged);
    })
}

fn view(writer: &mut MessageWriter<'_>, name: &AmfName, merged: Merged) {
    writer
        .add(ElementType::AmfName, Criticality::Reject, name)
        .add(ElementType::ServedGuamiList, Criticality::Reject, &List::<_, 256>(merged.guamis))
        .add(ElementType::RelativeAmfCapacity, Criticality::Ignore, &RelativeAmfCapacity(merged.capacity))
        .add(ElementType::PlmnSupportList, Criticality::Reject, &List::<_, 12>(merged.plmns));
}

/// AMF Configuration Update Acknowledge (9.2.6.5), with the associations that are not made.
pub(crate) fn amf_update_acknowledge(failed: Vec<TnlFailure>) -> Result<Bytes, Unfit> {
    message(Outcome::Successful, Procedure::AmfConfigurationUpdate, Criticality::Reject, |writer| {
        if !failed.is_empty() {
            writer.add(ElementType::TnlFailedToSetupList, Criticality::Ignore, &List::<_, 32>(failed));
        }
    })
}

/// RAN Configuration Update Acknowledge (9.2.6.8).
pub(crate) fn ran_update_acknowledge() -> Result<Bytes, Unfit> {
    message(Outcome::Successful, Procedure::RanConfigurationUpdate, Criticality::Reject, |_| {})
}

/// NG Reset (9.2.6.11) of UEs.
pub(crate) fn reset(cause: &Cause, connections: Vec<UeConnection>) -> Result<Bytes, Unfit> {
    message(Outcome::Initiating, Procedure::NgReset, Criticality::Reject, |writer| {
        writer.add(ElementType::Cause, Criticality::Ignore, cause).add(
            ElementType::ResetType,
            Criticality::Reject,
            &ResetType::Part(List(connections)),
        );
    })
}

/// NG Reset Acknowledge (9.2.6.12), with the list that was reset, if it was one.
pub(crate) fn reset_acknowledge(connections: Vec<UeConnection>) -> Result<Bytes, Unfit> {
    message(Outcome::Successful, Procedure::NgReset, Criticality::Reject, |writer| {
        if !connections.is_empty() {
            let list: ConnectionList = List(connections);
            writer.add(ElementType::UeConnectionList, Criticality::Ignore, &list);
        }
    })
}

/// A message with other identifiers; as it came, where none is another.
pub(crate) fn with_ids(message: &Message<'_>, bytes: &Bytes, new: &NewIds) -> Result<Bytes, Error> {
    if *new == NewIds::default() {
        return Ok(bytes.clone());
    }
    let mut out = BytesMut::with_capacity(bytes.len().saturating_add(8));
    message.with_ids(new, &mut out)?;
    Ok(out.freeze())
}

/// A message without elements of some types.
pub(crate) fn without(message: &Message<'_>, kinds: &[ElementType]) -> Result<Bytes, Error> {
    use pinion_protocols::ngap::Change;
    let mut out = BytesMut::new();
    message
        .spliced(&mut out, |raw, _| Ok(if kinds.contains(&raw.kind()) { Change::Done } else { Change::Keep }))?;
    Ok(out.freeze())
}
