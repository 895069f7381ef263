//! Procedures: how many messages they have, how long their answers take, and a span for each that is answered.
//!
//! Spans are of level `debug` and of the target [`SPANS`]. Each has `service`, `gnb`, `amf`, `procedure`,
//! `answered_by`, `ran_ue_ngap_id`, `amf_ue_ngap_id` (the AMF's) and `outcome`, as far as there is such a thing.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use pinion_protocols::ngap::{Outcome, Procedure};
use tracing::Span;
use tracing::field::Empty;

use crate::amfs::AmfId;
use crate::front::FrontEnd;
use crate::gnbs::GnbId;
use crate::latency::Latency;
use crate::pins::PinId;

/// The target of the spans of procedures, which are of level `debug`.
pub const SPANS: &str = "pinion_n2::procedure";

/// The most procedures that are waited with at a time; what begins beyond is not measured.
const MOST_OPEN: usize = 1 << 20;

/// Who answers a procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answerer {
    /// A gNB.
    Gnb,
    /// An AMF.
    Amf,
    /// The front end, for all AMFs or for a gNB.
    FrontEnd,
}

impl fmt::Display for Answerer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gnb => "gnb",
            Self::Amf => "amf",
            Self::FrontEnd => "pinion",
        })
    }
}

/// What a procedure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Ue(PinId),
    Upstream(GnbId, AmfId),
    Gnb(GnbId),
}

/// How a procedure ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Successful,
    Unsuccessful,
    /// Nobody answered in time.
    Unanswered,
    /// It is about what is gone, or began again.
    Lost,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Initiating | Outcome::Successful => Self::Successful,
            Outcome::Unsuccessful => Self::Unsuccessful,
        }
    }
}

impl Ended {
    fn word(self) -> &'static str {
        match self {
            Self::Successful => "successful",
            Self::Unsuccessful => "unsuccessful",
            Self::Unanswered => "unanswered",
            Self::Lost => "lost",
        }
    }
}

/// What tells an open procedure from others.
type Key = (Subject, u8, Answerer);

/// A procedure that is not answered yet.
#[derive(Debug)]
struct Open {
    began: Duration,
    span: Span,
}

/// What is known of procedures.
#[derive(Debug)]
pub(crate) struct Procedures {
    /// Messages by procedure code: of gNBs, and of AMFs.
    messages: Box<[(u64, u64); 256]>,
    latencies: BTreeMap<(u8, Answerer), Latency>,
    open: BTreeMap<Key, Open>,
}

impl Default for Procedures {
    fn default() -> Self {
        Self { messages: Box::new([(0, 0); 256]), latencies: BTreeMap::new(), open: BTreeMap::new() }
    }
}

impl Procedures {
    /// Counts a message of a gNB, or of an AMF.
    pub(crate) fn count(&mut self, procedure: Procedure, of_gnb: bool) {
        if let Some((up, down)) = self.messages.get_mut(usize::from(u8::from(procedure))) {
            let count = if of_gnb { up } else { down };
            *count = count.wrapping_add(1);
        }
    }

    /// Messages of gNBs and of AMFs, by procedure.
    pub(crate) fn messages(&self) -> impl Iterator<Item = (Procedure, u64, u64)> {
        let all = (0..=u8::MAX).zip(self.messages.iter());
        all.filter(|(_, counts)| **counts != (0, 0)).map(|(code, &(up, down))| (code.into(), up, down))
    }

    /// How long answers took, by procedure and by who gave them.
    pub(crate) fn latencies(&self) -> impl Iterator<Item = (Procedure, Answerer, &Latency)> {
        self.latencies.iter().map(|(&(code, by), latency)| (code.into(), by, latency))
    }

    /// What is not answered yet, and when it began.
    pub(crate) fn open(&self, of: Subject) -> impl Iterator<Item = (Procedure, Duration)> {
        let all = self.open.range((of, 0, Answerer::Gnb)..=(of, u8::MAX, Answerer::FrontEnd));
        all.map(|(&(_, code, _), open)| (code.into(), open.began))
    }
}

/// Whether a procedure about a UE has an answer (TS 38.413 8.1).
fn is_answered(procedure: Procedure) -> bool {
    matches!(
        procedure,
        Procedure::HandoverCancel
            | Procedure::HandoverPreparation
            | Procedure::HandoverResourceAllocation
            | Procedure::InitialContextSetup
            | Procedure::PathSwitchRequest
            | Procedure::PduSessionResourceModify
            | Procedure::PduSessionResourceModifyIndication
            | Procedure::PduSessionResourceRelease
            | Procedure::PduSessionResourceSetup
            | Procedure::UeContextModification
            | Procedure::UeContextRelease
            | Procedure::UeContextResume
            | Procedure::UeContextSuspend
            | Procedure::UeRadioCapabilityCheck
            | Procedure::UeRadioCapabilityIdMapping
    )
}

impl FrontEnd {
    /// Follows the procedure that a message about a UE is of; `from` says whose message it is.
    pub(crate) fn follow_procedure(&mut self, pin: PinId, kind: (Procedure, Outcome), from: Answerer) {
        match kind {
            (procedure, Outcome::Initiating) if is_answered(procedure) => {
                let by = if from == Answerer::Gnb { Answerer::Amf } else { Answerer::Gnb };
                self.begin(Subject::Ue(pin), procedure, by);
            }
            (_, Outcome::Initiating) => {}
            (procedure, outcome) => self.finish(Subject::Ue(pin), procedure, from, outcome.into()),
        }
    }

    /// A procedure begins that somebody is to answer. One that had begun and was not answered is lost.
    pub(crate) fn begin(&mut self, of: Subject, procedure: Procedure, by: Answerer) {
        let key = (of, procedure.into(), by);
        // What the fields need is looked up only where somebody looks at the span.
        let span = tracing::debug_span!(
            target: SPANS,
            parent: None,
            "procedure",
            otel.name = %procedure,
            service = &*self.settings.service,
            gnb = self.sides(of).0.and_then(|gnb| self.gnbs.get(&gnb)).map(|gnb| tracing::field::display(&gnb.node)),
            amf = self.sides(of).1.map(|amf| self.amfs.name(amf)).as_deref(),
            procedure = %procedure,
            answered_by = %by,
            ran_ue_ngap_id = Empty,
            amf_ue_ngap_id = Empty,
            outcome = Empty,
        );
        let open = Open { began: self.now, span };
        if let Some(before) = self.procedures.open.insert(key, open) {
            self.close(of, &before.span, Ended::Lost);
        } else if self.procedures.open.len() > MOST_OPEN {
            self.procedures.open.remove(&key);
        }
    }

    /// A procedure ends, if it is under way.
    pub(crate) fn finish(&mut self, of: Subject, procedure: Procedure, by: Answerer, ended: Ended) {
        let code = procedure.into();
        let Some(open) = self.procedures.open.remove(&(of, code, by)) else { return };
        if matches!(ended, Ended::Successful | Ended::Unsuccessful) {
            let took = self.now.saturating_sub(open.began);
            self.procedures.latencies.entry((code, by)).or_default().add(took);
        }
        self.close(of, &open.span, ended);
    }

    /// What procedures are about is gone.
    pub(crate) fn abandon(&mut self, of: Subject) {
        let all = (of, 0, Answerer::Gnb)..=(of, u8::MAX, Answerer::FrontEnd);
        while let Some((&key, _)) = self.procedures.open.range(all.clone()).next() {
            let open = self.procedures.open.remove(&key);
            if let Some(open) = open {
                self.close(of, &open.span, Ended::Lost);
            }
        }
    }

    /// Says in a span how its procedure ended.
    fn close(&self, of: Subject, span: &Span, ended: Ended) {
        if span.is_disabled() {
            return;
        }
        if let (_, Some(amf)) = self.sides(of) {
            span.record("amf", &*self.amfs.name(amf));
        }
        if let Subject::Ue(pin) = of
            && let Some(ids) = self.pins.get(pin).map(crate::pins::Pin::at_amf)
        {
            span.record("ran_ue_ngap_id", ids.ran);
            span.record("amf_ue_ngap_id", ids.amf);
        }
        span.record("outcome", ended.word());
    }

    fn sides(&self, of: Subject) -> (Option<GnbId>, Option<AmfId>) {
        match of {
            Subject::Ue(pin) => self.pins.get(pin).map_or((None, None), |pin| (Some(pin.gnb), Some(pin.amf))),
            Subject::Upstream(gnb, amf) => (Some(gnb), Some(amf)),
            Subject::Gnb(gnb) => (Some(gnb), None),
        }
    }
}
