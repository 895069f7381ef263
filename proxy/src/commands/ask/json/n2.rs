use pinion_n2::{Barred, Candidate, Counts, Latency, Rule};
use serde::Serialize;

use super::super::words;
use super::seconds;
use crate::control::{self, N2Amf, N2Explained, N2FrontEnd};

/// A UE.
#[derive(Debug, Serialize)]
pub(crate) struct N2Ue<'a> {
    service: &'a str,
    key: String,
    number: u64,
    mode: &'static str,
    gnb: &'a str,
    amf: &'a str,
    ran_ue_ngap_id: Option<u32>,
    amf_ue_ngap_id: Option<u64>,
    amf_ue_ngap_id_at_gnb: Option<u64>,
    tmsi: Option<String>,
    guami: Option<String>,
    since_seconds: f64,
    why: &'a str,
    procedures: Vec<Open>,
}

#[derive(Debug, Serialize)]
struct Open {
    procedure: String,
    open_seconds: f64,
}

impl<'a> N2Ue<'a> {
    pub(crate) fn of(service: &'a str, ue: &'a control::N2Ue) -> Self {
        let procedures = ue.procedures.iter();
        Self {
            service,
            key: words::n2_key(ue),
            number: ue.number,
            mode: words::n2_mode(ue.mode),
            gnb: &ue.gnb,
            amf: &ue.amf,
            ran_ue_ngap_id: ue.ran,
            amf_ue_ngap_id: ue.amf_id,
            amf_ue_ngap_id_at_gnb: ue.gnb_id,
            tmsi: ue.tmsi.map(|tmsi| tmsi.to_string()),
            guami: ue.guami.map(|guami| guami.to_string()),
            since_seconds: seconds(ue.since),
            why: &ue.why,
            procedures: procedures
                .map(|(it, open)| Open { procedure: it.to_string(), open_seconds: seconds(*open) })
                .collect(),
        }
    }
}

/// Why a UE is at its AMF, or which one it would get.
#[derive(Debug, Serialize)]
pub(crate) struct N2Choice<'a> {
    service: &'a str,
    ue: Option<N2Ue<'a>>,
    amfs: Vec<Judged<'a>>,
}

/// What the rules say of an AMF.
#[derive(Debug, Serialize)]
struct Judged<'a> {
    amf: &'a str,
    barred: Option<&'static str>,
    rules: Vec<Points>,
    points: u8,
    weight: u64,
    share_percent: u8,
    overload_percent: u8,
}

#[derive(Debug, Serialize)]
struct Points {
    rule: &'static str,
    points: u8,
}

impl<'a> From<&'a N2Explained> for N2Choice<'a> {
    fn from(N2Explained { service, ue, amfs }: &'a N2Explained) -> Self {
        let ue = ue.as_ref().map(|ue| N2Ue::of(service, ue));
        Self { service, ue, amfs: amfs.iter().map(Judged::from).collect() }
    }
}

impl<'a> From<&'a Candidate> for Judged<'a> {
    fn from(of: &'a Candidate) -> Self {
        let points = of.verdict.unwrap_or_default();
        Self {
            amf: &of.amf,
            barred: of.verdict.err().map(barred),
            rules: points.rules().map(|it| Points { rule: rule(it), points: it.points() }).collect(),
            points: points.sum(),
            weight: of.weight,
            share_percent: of.share,
            overload_percent: of.overload,
        }
    }
}

fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::Plmn => "plmn",
        Rule::Load => "load",
        Rule::NamedSet => "named_set",
        Rule::Owner => "owner",
        Rule::Backup => "backup",
        Rule::SameSet => "same_set",
    }
}

fn barred(why: Barred) -> &'static str {
    match why {
        Barred::NotSetUp => "not_set_up",
        Barred::Removed => "removed",
        Barred::Drained => "drained",
        Barred::NoWeight => "no_weight",
        Barred::NoCapacity => "no_capacity",
        Barred::NoGuami => "no_guami",
        Barred::LetGo => "let_go",
    }
}

#[derive(Debug, Serialize)]
pub(super) struct FrontEnd<'a> {
    service: &'a str,
    gnbs: u64,
    ues: u64,
    pinned: u64,
    released: u64,
    moved: u64,
    reset: u64,
    mismatches: u64,
    refused: u64,
    steered: u64,
    rerouted: u64,
    setup_failures: u64,
    throttled: u64,
    foreign: u64,
    uplink: u64,
    downlink: u64,
    sent: u64,
    malformed: u64,
    other_protocol: u64,
    unexpected: u64,
    undeliverable: u64,
    error_indications: u64,
    unanswered: u64,
    amfs: Vec<Amf<'a>>,
    procedures: Vec<Procedure>,
    latencies: Vec<Answers>,
}

#[derive(Debug, Serialize)]
struct Amf<'a> {
    pool: &'a str,
    name: &'a str,
    gnbs: u32,
    ues: u64,
    relative_capacity: u8,
    overload_percent: u8,
}

#[derive(Debug, Serialize)]
struct Procedure {
    procedure: String,
    of_gnbs: u64,
    of_amfs: u64,
}

#[derive(Debug, Serialize)]
struct Answers {
    procedure: String,
    by: String,
    answers: u64,
    mean_seconds: f64,
    /// Of the slowest of a hundred, at the most; none where it is beyond what is told apart.
    p99_seconds: Option<f64>,
}

impl<'a> From<&'a N2FrontEnd> for FrontEnd<'a> {
    fn from(view: &'a N2FrontEnd) -> Self {
        let Counts { uplink, downlink, sent, malformed, other_protocol, unexpected, undeliverable, .. } =
            view.counts;
        let Counts { error_indications, mismatches, pinned, released, moved, reset, refused, .. } = view.counts;
        let Counts { steered, rerouted, setup_failures, unanswered, throttled, foreign, .. } = view.counts;
        let messages = view.messages.iter();
        Self {
            service: &view.service,
            gnbs: view.gnbs,
            ues: view.ues,
            pinned,
            released,
            moved,
            reset,
            mismatches,
            refused,
            steered,
            rerouted,
            setup_failures,
            throttled,
            foreign,
            uplink,
            downlink,
            sent,
            malformed,
            other_protocol,
            unexpected,
            undeliverable,
            error_indications,
            unanswered,
            amfs: view.amfs.iter().map(Amf::from).collect(),
            procedures: messages
                .map(|&(it, of_gnbs, of_amfs)| Procedure { procedure: it.to_string(), of_gnbs, of_amfs })
                .collect(),
            latencies: view.latencies.iter().map(answers).collect(),
        }
    }
}

fn answers(
    (procedure, by, latency): &(pinion_protocols::ngap::Procedure, pinion_n2::Answerer, Latency),
) -> Answers {
    Answers {
        procedure: procedure.to_string(),
        by: by.to_string(),
        answers: latency.count,
        mean_seconds: seconds(latency.mean()),
        p99_seconds: latency.within(99).map(seconds),
    }
}

impl<'a> From<&'a N2Amf> for Amf<'a> {
    fn from(view: &'a N2Amf) -> Self {
        let N2Amf { pool, name, gnbs, ues, capacity, overload } = view;
        Self { pool, name, gnbs: *gnbs, ues: *ues, relative_capacity: *capacity, overload_percent: *overload }
    }
}
