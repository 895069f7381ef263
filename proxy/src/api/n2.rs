//! What there is to see of N2, over the wire and back.

use std::time::Duration;

use pinion_n2::{Answerer, Barred, Candidate, Counts, Latency, Rule};
use pinion_protocols::ngap::Procedure;

use super::decode::{MeaningError, number, percent, text, unknown};
use super::encode::{micros, milliseconds};
use super::v1;
use crate::control::{N2Amf, N2Explained, N2Filter, N2FrontEnd, N2Mode, N2Page, N2Ue, N2UeView, PageAsk};

pub(super) fn encode_filter(filter: &N2Filter, page: &PageAsk) -> v1::ListN2UesRequest {
    v1::ListN2UesRequest {
        service: filter.service.clone(),
        endpoint: filter.endpoint.clone(),
        gnb: filter.gnb.clone(),
        mode: filter.mode.map_or(v1::N2Mode::Unspecified, encode_mode).into(),
        limit: page.limit,
        cursor: page.cursor.clone(),
    }
}

pub(super) fn encode_page(page: N2Page) -> v1::ListN2UesResponse {
    let ues = page.ues.into_iter().map(|N2UeView { service, ue }| encode_ue(service, ue)).collect();
    v1::ListN2UesResponse { ues, next: page.next }
}

pub(super) fn decode_page(wire: v1::ListN2UesResponse) -> Result<N2Page, MeaningError> {
    Ok(N2Page { ues: wire.ues.into_iter().map(decode_ue).collect::<Result<_, _>>()?, next: wire.next })
}

fn encode_mode(mode: N2Mode) -> v1::N2Mode {
    match mode {
        N2Mode::Ue => v1::N2Mode::Ue,
        N2Mode::Association => v1::N2Mode::Association,
    }
}

/// A mode; `None` where none is said.
pub(super) fn decode_mode(value: i32) -> Result<Option<N2Mode>, MeaningError> {
    Ok(match v1::N2Mode::try_from(value).map_err(|_| unknown("mode", value))? {
        v1::N2Mode::Unspecified => None,
        v1::N2Mode::Ue => Some(N2Mode::Ue),
        v1::N2Mode::Association => Some(N2Mode::Association),
    })
}

fn encode_ue(service: String, ue: N2Ue) -> v1::N2Ue {
    let procedures = ue.procedures.into_iter();
    v1::N2Ue {
        service,
        number: ue.number,
        mode: encode_mode(ue.mode).into(),
        gnb: ue.gnb,
        amf: ue.amf,
        ran_ue_ngap_id: ue.ran,
        amf_ue_ngap_id: ue.amf_id,
        amf_ue_ngap_id_at_gnb: ue.gnb_id,
        tmsi: ue.tmsi.map(|tmsi| tmsi.to_string()),
        guami: ue.guami.map(|guami| guami.to_string()),
        since_ms: milliseconds(ue.since),
        why: ue.why,
        procedures: procedures
            .map(|(procedure, since)| v1::N2OpenProcedure {
                code: u8::from(procedure).into(),
                name: procedure.to_string(),
                since_ms: milliseconds(since),
            })
            .collect(),
    }
}

fn decode_ue(wire: v1::N2Ue) -> Result<N2UeView, MeaningError> {
    let mode = decode_mode(wire.mode)?.ok_or(unknown("mode", wire.mode))?;
    let procedures = wire.procedures.into_iter();
    let procedures = procedures.map(|it| Ok((procedure(it.code)?, Duration::from_millis(it.since_ms))));
    let ue = N2Ue {
        number: wire.number,
        mode,
        gnb: wire.gnb,
        amf: wire.amf,
        ran: wire.ran_ue_ngap_id,
        amf_id: wire.amf_ue_ngap_id,
        gnb_id: wire.amf_ue_ngap_id_at_gnb,
        tmsi: wire.tmsi.map(|it| text("tmsi", it)).transpose()?,
        guami: wire.guami.map(|it| text("guami", it)).transpose()?,
        since: Duration::from_millis(wire.since_ms),
        why: wire.why,
        procedures: procedures.collect::<Result<_, _>>()?,
    };
    Ok(N2UeView { service: wire.service, ue })
}

fn procedure(code: u32) -> Result<Procedure, MeaningError> {
    number::<u8>("procedure code", code, u8::MAX.into()).map(Procedure::from)
}

pub(super) fn encode_explained(of: N2Explained) -> v1::N2Explanation {
    let N2Explained { service, ue, amfs } = of;
    v1::N2Explanation {
        ue: ue.map(|ue| encode_ue(service.clone(), ue)),
        service,
        amfs: amfs.iter().map(encode_candidate).collect(),
    }
}

pub(super) fn decode_explained(wire: v1::N2Explanation) -> Result<N2Explained, MeaningError> {
    Ok(N2Explained {
        service: wire.service,
        ue: wire.ue.map(decode_ue).transpose()?.map(|it| it.ue),
        amfs: wire.amfs.into_iter().map(decode_candidate).collect::<Result<_, _>>()?,
    })
}

/// What rules are on the wire.
const RULES: [(Rule, v1::N2Rule); 6] = [
    (Rule::Plmn, v1::N2Rule::Plmn),
    (Rule::Load, v1::N2Rule::Load),
    (Rule::NamedSet, v1::N2Rule::NamedSet),
    (Rule::Owner, v1::N2Rule::Owner),
    (Rule::Backup, v1::N2Rule::Backup),
    (Rule::SameSet, v1::N2Rule::SameSet),
];

/// What reasons not to choose an AMF are on the wire.
const BARRED: [(Barred, v1::N2Barred); 7] = [
    (Barred::NotSetUp, v1::N2Barred::NotSetUp),
    (Barred::Removed, v1::N2Barred::Removed),
    (Barred::Drained, v1::N2Barred::Drained),
    (Barred::NoWeight, v1::N2Barred::NoWeight),
    (Barred::NoCapacity, v1::N2Barred::NoCapacity),
    (Barred::NoGuami, v1::N2Barred::NoGuami),
    (Barred::LetGo, v1::N2Barred::LetGo),
];

fn encode_candidate(of: &Candidate) -> v1::N2Candidate {
    let barred = |why: Barred| BARRED.into_iter().find(|it| it.0 == why).map_or(0, |it| it.1.into());
    let points = of.verdict.unwrap_or_default();
    let given = RULES.into_iter().filter(|it| points.has(it.0));
    v1::N2Candidate {
        amf: of.amf.to_string(),
        barred: of.verdict.err().map_or(0, barred),
        rules: given
            .map(|(rule, wire)| v1::N2Points { rule: wire.into(), points: rule.points().into() })
            .collect(),
        points: points.sum().into(),
        weight: of.weight,
        share_percent: of.share.into(),
        overload_percent: of.overload.into(),
    }
}

fn decode_candidate(wire: v1::N2Candidate) -> Result<Candidate, MeaningError> {
    let rule = |it: v1::N2Points| {
        let known = RULES.into_iter().find(|(_, wire)| i32::from(*wire) == it.rule);
        known.map(|it| it.0).ok_or(unknown("rule", it.rule))
    };
    let verdict = match wire.barred() {
        v1::N2Barred::Unspecified if wire.barred == 0 => {
            Ok(wire.rules.into_iter().map(rule).collect::<Result<_, _>>()?)
        }
        barred => {
            let known = BARRED.into_iter().find(|it| it.1 == barred);
            Err(known.map(|it| it.0).ok_or(unknown("barred", wire.barred))?)
        }
    };
    Ok(Candidate {
        amf: wire.amf.into(),
        verdict,
        weight: wire.weight,
        share: percent("share_percent", wire.share_percent)?,
        overload: percent("overload_percent", wire.overload_percent)?,
    })
}

pub(super) fn encode_front_end(view: N2FrontEnd) -> v1::N2FrontEnd {
    let amf = |amf: N2Amf| v1::N2Amf {
        amf: format!("{}/{}", amf.pool, amf.name),
        gnbs: amf.gnbs,
        ues: amf.ues,
        relative_capacity: amf.capacity.into(),
        overload_percent: amf.overload.into(),
    };
    let messages = |(procedure, gnbs, amfs): (Procedure, u64, u64)| v1::N2Messages {
        code: u8::from(procedure).into(),
        name: procedure.to_string(),
        of_gnbs: gnbs,
        of_amfs: amfs,
    };
    let latency = |(procedure, by, latency): (Procedure, Answerer, Latency)| v1::N2Latency {
        code: u8::from(procedure).into(),
        name: procedure.to_string(),
        by: encode_answerer(by).into(),
        count: latency.count,
        sum_us: micros(latency.sum),
        classes: latency.classes.to_vec(),
    };
    v1::N2FrontEnd {
        service: view.service,
        gnbs: view.gnbs,
        ues: view.ues,
        counts: Some(encode_counts(view.counts)),
        amfs: view.amfs.into_iter().map(amf).collect(),
        messages: view.messages.into_iter().map(messages).collect(),
        latencies: view.latencies.into_iter().map(latency).collect(),
    }
}

pub(super) fn decode_front_end(wire: v1::N2FrontEnd) -> Result<N2FrontEnd, MeaningError> {
    let amf = |it: v1::N2Amf| {
        let (pool, name) =
            it.amf.split_once('/').ok_or(MeaningError::Missing { field: "n2_front_ends.amfs.amf" })?;
        Ok(N2Amf {
            pool: pool.to_owned(),
            name: name.to_owned(),
            gnbs: it.gnbs,
            ues: it.ues,
            capacity: number("relative_capacity", it.relative_capacity, u8::MAX.into())?,
            overload: percent("overload_percent", it.overload_percent)?,
        })
    };
    let latency = |it: v1::N2Latency| {
        let by = decode_answerer(it.by()).ok_or(unknown("by", it.by))?;
        let classes = it
            .classes
            .try_into()
            .map_err(|_| MeaningError::Missing { field: "n2_front_ends.latencies.classes" })?;
        Ok((procedure(it.code)?, by, Latency { count: it.count, sum: Duration::from_micros(it.sum_us), classes }))
    };
    let messages = wire.messages.into_iter().map(|it| Ok((procedure(it.code)?, it.of_gnbs, it.of_amfs)));
    Ok(N2FrontEnd {
        service: wire.service,
        gnbs: wire.gnbs,
        ues: wire.ues,
        counts: decode_counts(wire.counts.ok_or(MeaningError::Missing { field: "n2_front_ends.counts" })?),
        amfs: wire.amfs.into_iter().map(amf).collect::<Result<_, _>>()?,
        messages: messages.collect::<Result<_, _>>()?,
        latencies: wire.latencies.into_iter().map(latency).collect::<Result<_, _>>()?,
    })
}

fn encode_answerer(by: Answerer) -> v1::N2Answerer {
    match by {
        Answerer::Gnb => v1::N2Answerer::Gnb,
        Answerer::Amf => v1::N2Answerer::Amf,
        Answerer::FrontEnd => v1::N2Answerer::Pinion,
    }
}

fn decode_answerer(by: v1::N2Answerer) -> Option<Answerer> {
    match by {
        v1::N2Answerer::Unspecified => None,
        v1::N2Answerer::Gnb => Some(Answerer::Gnb),
        v1::N2Answerer::Amf => Some(Answerer::Amf),
        v1::N2Answerer::Pinion => Some(Answerer::FrontEnd),
    }
}

super::counts! {
    Counts, N2Counts:
    uplink, downlink, sent, malformed, other_protocol, unexpected, undeliverable, error_indications, mismatches, pinned,
    released, moved, reset, refused, steered, rerouted, setup_failures, unanswered,
    throttled, foreign,
}
