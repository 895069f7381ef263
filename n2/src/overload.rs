//! Overload Start and Stop (TS 38.413 8.7.7, 8.7.8): per AMF; a gNB is told what all of its AMFs ask for.

use pinion_protocols::ngap::value::{
    List, OverloadAction, OverloadResponse, RrcEstablishmentCause, Slice, SliceOverload, SliceOverloadList,
    TrafficLoadReduction,
};
use pinion_protocols::ngap::{Criticality, ElementType, Error, Message, Outcome, Procedure};

use crate::amfs::AmfId;
use crate::front::FrontEnd;
use crate::gnbs::{GnbId, Phase};
use crate::write;

/// What an AMF, or all of them, ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Overload {
    action: Option<OverloadAction>,
    /// Percent of what the action is about; all where it is not said.
    percent: Option<u8>,
    slices: Vec<(Slice, Option<OverloadAction>, Option<u8>)>,
}

impl Overload {
    fn read(message: &Message<'_>) -> Result<Self, Error> {
        let response = message.get::<OverloadResponse>(ElementType::AmfOverloadResponse)?;
        let percent = message.get::<TrafficLoadReduction>(ElementType::TrafficLoadReduction)?;
        let slices = message.get::<SliceOverloadList>(ElementType::OverloadStartNssaiList)?;
        let slices = slices.iter().flat_map(|list| &list.0).flat_map(|item| {
            let (action, percent) = (action(item.response.as_ref()), item.reduction.map(|it| it.0));
            item.slices.0.iter().map(move |it| (it.slice, action, percent))
        });
        // As many as a list of it may have.
        let slices = slices.take(1_024).collect();
        Ok(Self { action: action(response.as_ref()), percent: percent.map(|it| it.0), slices })
    }

    /// Percent that the AMF asks to be spared, whatever it is of; 0: nothing but slices.
    pub(crate) fn percent(&self) -> u8 {
        self.action.map_or(0, |_| self.percent.unwrap_or(100))
    }

    /// Percent of the UEs that come for a cause that the AMF would rather not have.
    pub(crate) fn spared(&self, cause: Option<RrcEstablishmentCause>) -> u8 {
        use RrcEstablishmentCause::{
            Emergency, HighPriorityAccess, McsPriorityAccess, MoData, MoSignalling, MoSms, MoVideoCall,
            MoVoiceCall, MpsPriorityAccess, MtAccess,
        };
        let (Some(action), Some(cause)) = (self.action, cause) else { return 0 };
        let data = matches!(cause, MoData | MoSms | MoVideoCall | MoVoiceCall);
        let about = match action {
            OverloadAction::RejectMobileOriginatedData => data,
            OverloadAction::RejectSignalling => data || cause == MoSignalling,
            OverloadAction::EmergencyAndMobileTerminated => !matches!(cause, Emergency | MtAccess),
            OverloadAction::HighPriorityAndMobileTerminated => {
                !matches!(cause, HighPriorityAccess | MpsPriorityAccess | McsPriorityAccess | MtAccess)
            }
            OverloadAction::Other(_) => false,
        };
        if about { self.percent() } else { 0 }
    }

    /// What both ask for: the milder of it.
    fn and(self, other: &Self) -> Self {
        let action = self.action.zip(other.action).map(|(one, other)| milder(one, other));
        let slices = self.slices.into_iter().filter_map(|(slice, action, percent)| {
            let (_, theirs, less) = other.slices.iter().find(|it| it.0 == slice)?;
            Some((slice, action.zip(*theirs).map(|(one, other)| milder(one, other)), least(percent, *less)))
        });
        let percent = action.and_then(|_| least(self.percent, other.percent));
        Self { action, percent, slices: slices.collect() }
    }

    fn is_nothing(&self) -> bool {
        self.action.is_none() && self.slices.is_empty()
    }
}

fn action(response: Option<&OverloadResponse>) -> Option<OverloadAction> {
    match response {
        Some(OverloadResponse::Action(action)) => Some(*action),
        _ => None,
    }
}

/// The earlier numbers leave more.
fn milder(one: OverloadAction, other: OverloadAction) -> OverloadAction {
    if u8::from(one) <= u8::from(other) { one } else { other }
}

fn least(one: Option<u8>, other: Option<u8>) -> Option<u8> {
    one.into_iter().chain(other).min()
}

impl FrontEnd {
    /// Overload Start: it replaces an earlier one.
    pub(crate) fn overload_start(&mut self, gnb: GnbId, amf: AmfId, message: &Message<'_>) -> Result<(), Error> {
        let overload = Overload::read(message)?;
        if let Some(upstream) = self.upstream_mut(gnb, amf) {
            upstream.overload = Some(Box::new(overload));
        }
        self.settle_overload(gnb);
        Ok(())
    }

    /// Overload Stop.
    pub(crate) fn overload_stop(&mut self, gnb: GnbId, amf: AmfId) {
        if let Some(upstream) = self.upstream_mut(gnb, amf) {
            upstream.overload = None;
        }
        self.settle_overload(gnb);
    }

    /// Tells a gNB of what all AMFs that take UEs ask for, where that changed.
    pub(crate) fn settle_overload(&mut self, gnb: GnbId) {
        let Some(it) = self.gnbs.get_mut(&gnb).filter(|it| it.phase == Phase::Up) else { return };
        let mut all = None::<Overload>;
        for (amf, upstream) in it.upstreams.iter().filter(|(_, upstream)| upstream.is_up()) {
            if !self.amfs.is_open(*amf) || upstream.served.capacity == 0 {
                continue;
            }
            let own = upstream.overload.as_deref().cloned().unwrap_or_default();
            all = Some(match all {
                Some(all) => all.and(&own),
                None => own,
            });
        }
        let all = all.filter(|all| !all.is_nothing());
        if all.as_ref() == it.overload.as_deref() {
            return;
        }
        let message = match &all {
            Some(all) => start(all),
            None => write::message(Outcome::Initiating, Procedure::OverloadStop, Criticality::Reject, |_| {}),
        };
        it.overload = all.map(Box::new);
        self.send_gnb(gnb, message);
    }
}

/// Overload Start (9.2.6.9).
fn start(overload: &Overload) -> Result<bytes::Bytes, pinion_protocols::ngap::Unfit> {
    write::message(Outcome::Initiating, Procedure::OverloadStart, Criticality::Ignore, |writer| {
        if let Some(action) = overload.action {
            let response = OverloadResponse::Action(action);
            writer.add(ElementType::AmfOverloadResponse, Criticality::Reject, &response);
        }
        if let Some(percent) = overload.percent {
            let percent = TrafficLoadReduction(percent);
            writer.add(ElementType::TrafficLoadReduction, Criticality::Ignore, &percent);
        }
        let slices = overload.slices.iter().map(|&(slice, action, percent)| SliceOverload {
            slices: List(vec![slice.into()]),
            response: action.map(OverloadResponse::Action),
            reduction: percent.map(TrafficLoadReduction),
            extensions: Default::default(),
        });
        let slices: SliceOverloadList = List(slices.collect());
        if !slices.0.is_empty() {
            writer.add(ElementType::OverloadStartNssaiList, Criticality::Ignore, &slices);
        }
    })
}
