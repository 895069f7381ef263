//! What is about neither a UE nor the front end: paging, warnings, `NRPPa`, transfers of configuration.

use bytes::Bytes;
use pinion_protocols::ngap::value::RoutingId;
use pinion_protocols::ngap::{ElementType, Error, FiveGSTmsi, Message, Outcome, Procedure, UeIds};

use crate::amfs::{AmfId, gave};
use crate::front::{AmfOrigin, FrontEnd, Origin};
use crate::gnbs::{Asked, Gnb, Phase};
use crate::procedures::{Answerer, Subject};
use crate::settings::Spread;

/// What answers repeat of a request, by which they are told apart: Message Identifier and Serial Number of a warning, and MBS
/// Session ID.
const KEYS: [ElementType; 3] = [ElementType::Other(35), ElementType::Other(95), ElementType::Other(299)];

/// What tells a request from others of its procedure.
fn key(message: &Message<'_>) -> Result<Vec<u8>, Error> {
    let mut key = Vec::new();
    for raw in message.elements() {
        let raw = raw?;
        if KEYS.contains(&raw.kind()) {
            key.extend_from_slice(&raw.value().joined());
        }
    }
    Ok(key)
}

/// Whether a gNB answers a request.
fn is_answered(procedure: Procedure) -> bool {
    matches!(
        procedure,
        Procedure::WriteReplaceWarning
            | Procedure::PwsCancel
            | Procedure::BroadcastSessionSetup
            | Procedure::BroadcastSessionModification
            | Procedure::BroadcastSessionRelease
            | Procedure::MulticastSessionActivation
            | Procedure::MulticastSessionDeactivation
            | Procedure::MulticastSessionUpdate
            | Procedure::Other(_)
    )
}

/// Whether a procedure is about no UE context (8.1): its messages name none.
fn is_common(procedure: Procedure) -> bool {
    is_answered(procedure)
        || matches!(
            procedure,
            Procedure::BroadcastSessionReleaseRequired
                | Procedure::BroadcastSessionTransport
                | Procedure::DistributionRelease
                | Procedure::DistributionSetup
                | Procedure::DownlinkNonUeAssociatedNrppaTransport
                | Procedure::DownlinkRanConfigurationTransfer
                | Procedure::DownlinkRimInformationTransfer
                | Procedure::MulticastGroupPaging
                | Procedure::Paging
                | Procedure::PrivateMessage
                | Procedure::PwsFailureIndication
                | Procedure::PwsRestartIndication
                | Procedure::RanPagingRequest
                | Procedure::RetrieveUeInformation
                | Procedure::TimingSynchronisationStatus
                | Procedure::TimingSynchronisationStatusReport
                | Procedure::UeInformationTransfer
                | Procedure::UplinkNonUeAssociatedNrppaTransport
                | Procedure::UplinkRanConfigurationTransfer
                | Procedure::UplinkRimInformationTransfer
        )
}

/// The identifiers of a message; none of one that is about no UE context.
pub(crate) fn about(message: &Message<'_>) -> Result<Option<UeIds>, Error> {
    let ids = message.ids()?;
    match ids == UeIds::default() {
        false => Ok(Some(ids)),
        true if is_common(message.procedure()) => Ok(None),
        true => Err(Error::Missing { kind: ElementType::RanUeNgapId }),
    }
}

impl FrontEnd {
    /// A message of an AMF goes to the one gNB whose upstream it came on (8.5.1).
    pub(crate) fn amf_common(
        &mut self,
        from: AmfOrigin,
        message: &Message<'_>,
        bytes: &Bytes,
    ) -> Result<(), Error> {
        let AmfOrigin { gnb, amf, .. } = from;
        let most = usize::from(self.settings.bounds.remembered);
        let procedure = message.procedure();
        let Some(it) = self.gnbs.get_mut(&gnb).filter(|it| it.phase == Phase::Up) else {
            self.counts.undeliverable += 1;
            return Ok(());
        };
        if message.outcome() == Outcome::Initiating && is_answered(procedure) {
            it.asked.push_back(Asked { procedure, key: key(message)?, amf });
            if it.asked.len() > most {
                it.asked.pop_front();
            }
        }
        if procedure == Procedure::DownlinkNonUeAssociatedNrppaTransport
            && let Some(id) = message.get::<RoutingId>(ElementType::RoutingId)?
        {
            it.routing.retain(|(other, _)| *other != id);
            it.routing.push_back((id, amf));
            if it.routing.len() > most {
                it.routing.pop_front();
            }
        }
        if message.outcome() == Outcome::Initiating && is_answered(procedure) {
            self.begin(Subject::Upstream(gnb, amf), procedure, Answerer::Gnb);
        }
        self.send_gnb(gnb, Ok(bytes.clone()));
        Ok(())
    }

    /// A message of a gNB goes to the AMF that it is for, or by rule.
    pub(crate) fn gnb_common(&mut self, from: Origin, message: &Message<'_>, bytes: &Bytes) -> Result<(), Error> {
        let Some(it) = self.gnbs.get_mut(&from.gnb) else { return Ok(()) };
        let procedure = message.procedure();
        if message.outcome() != Outcome::Initiating {
            let key = key(message)?;
            let place = it.asked.iter().position(|asked| asked.procedure == procedure && asked.key == key);
            match place.and_then(|place| it.asked.remove(place)) {
                Some(asked) => {
                    let ended = message.outcome().into();
                    self.finish(Subject::Upstream(from.gnb, asked.amf), procedure, Answerer::Gnb, ended);
                    self.send_amf(from.gnb, asked.amf, Ok(bytes.clone()));
                }
                None => self.counts.unexpected += 1,
            }
            return Ok(());
        }
        let rules = self.settings.rules;
        let (named, spread) = match procedure {
            Procedure::PwsRestartIndication | Procedure::PwsFailureIndication => (None, rules.pws),
            Procedure::UplinkRanConfigurationTransfer | Procedure::UplinkRimInformationTransfer => {
                (None, rules.ran_configuration)
            }
            Procedure::UplinkNonUeAssociatedNrppaTransport => {
                let id = message.get::<RoutingId>(ElementType::RoutingId)?;
                let last = it.routing.iter().find(|(known, _)| Some(known) == id.as_ref());
                (last.map(|(_, amf)| *amf), Spread::First)
            }
            Procedure::RetrieveUeInformation => {
                let tmsi = message.get::<FiveGSTmsi>(ElementType::FiveGSTmsi)?;
                (tmsi.and_then(|tmsi| owner(it, tmsi)), Spread::First)
            }
            _ => (None, Spread::First),
        };
        let up: Vec<_> = it.up().map(|(amf, _)| amf).collect();
        let named = named.filter(|amf| up.contains(amf));
        let some = match (named, spread) {
            (Some(amf), _) => vec![amf],
            (None, Spread::First) => up.into_iter().take(1).collect(),
            (None, Spread::All) => up,
        };
        if some.is_empty() {
            self.counts.undeliverable += 1;
        }
        for amf in some {
            self.send_amf(from.gnb, amf, Ok(bytes.clone()));
        }
        Ok(())
    }
}

/// The AMF that gave a UE its identity.
fn owner(gnb: &Gnb, tmsi: FiveGSTmsi) -> Option<AmfId> {
    let mut up = gnb.up();
    let owner = up.find(|(_, upstream)| upstream.served.guamis.iter().any(|it| gave(&it.guami, tmsi)));
    owner.map(|(amf, _)| amf)
}
