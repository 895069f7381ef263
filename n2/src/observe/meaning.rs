//! What a message says of UEs (TS 38.413 8, 9.2).

use pinion_protocols::ngap::value::{Cause, GlobalRanNodeId, List, RanUeNgapId, ResetType, UeConnection};
use pinion_protocols::ngap::{ElementType, Error, FiveGSTmsi, Guami, Message, Outcome, Procedure, UeIds};

use super::Side;
use crate::choice::{Identity, in_the_clear};

/// It.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing.
    Nothing,
    /// A gNB begins, and has no UEs (8.7.1).
    SetUp(GlobalRanNodeId),
    /// It is this gNB's.
    Node(GlobalRanNodeId),
    /// A UE's first message.
    First { ran: u32, tmsi: Option<FiveGSTmsi>, guami: Option<Guami> },
    /// It is about a UE.
    About { ids: UeIds, guami: Option<Guami> },
    /// There is no such UE any more.
    Ended(UeIds),
    /// Nor any of these.
    Reset(Vec<UeIds>),
    /// Nor any.
    ResetAll,
}

/// What a message of one side says.
pub(super) fn meaning(message: &Message<'_>, from: Side) -> Result<Meaning, Error> {
    let kind = (from, message.procedure(), message.outcome());
    Ok(match kind {
        (Side::Gnb, Procedure::NgSetup, Outcome::Initiating) => {
            Meaning::SetUp(message.need(ElementType::GlobalRanNodeId)?)
        }
        (Side::Gnb, Procedure::RanConfigurationUpdate, Outcome::Initiating) => {
            message.get(ElementType::GlobalRanNodeId)?.map_or(Meaning::Nothing, Meaning::Node)
        }
        (Side::Gnb, Procedure::InitialUeMessage, Outcome::Initiating) => first(message)?,
        (_, Procedure::NgReset, Outcome::Initiating) => match message.need(ElementType::ResetType)? {
            ResetType::All => Meaning::ResetAll,
            ResetType::Part(List(list)) => Meaning::Reset(list.into_iter().map(|UeConnection(ids)| ids).collect()),
            ResetType::Other(_) => Meaning::Nothing,
        },
        (Side::Gnb, Procedure::UeContextRelease, Outcome::Successful)
        | (Side::Amf, Procedure::PathSwitchRequest, Outcome::Unsuccessful)
        | (Side::Amf, Procedure::RerouteNasRequest, Outcome::Initiating) => Meaning::Ended(message.ids()?),
        // Identifiers that do not fit release the UE (10.6).
        (_, Procedure::ErrorIndication, Outcome::Initiating) => match message.get::<Cause>(ElementType::Cause)? {
            Some(Cause::UNKNOWN_LOCAL_ID | Cause::INCONSISTENT_REMOTE_ID) => Meaning::Ended(message.ids()?),
            _ => Meaning::Nothing,
        },
        _ => match message.ids()? {
            UeIds { ran: None, .. } => Meaning::Nothing,
            ids => Meaning::About { ids, guami: message.get(ElementType::Guami)? },
        },
    })
}

/// Of Initial UE Message (9.2.5.1) only whose it is counts: what else may be wrong in it is the AMF's to say.
fn first(message: &Message<'_>) -> Result<Meaning, Error> {
    let ran = message.need::<RanUeNgapId>(ElementType::RanUeNgapId)?.0;
    let (tmsi, identity) = (message.get(ElementType::FiveGSTmsi)?, in_the_clear(message)?);
    let tmsi = tmsi.or(identity.and_then(Identity::tmsi));
    Ok(Meaning::First { ran, tmsi, guami: identity.and_then(Identity::guami) })
}
