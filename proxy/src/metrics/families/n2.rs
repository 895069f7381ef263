//! The families of N2 front ends.

use pinion_n2::{Counts, Latency};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::{Family, Sink, Value, counter, gauge};
use crate::control::{N2Amf, N2FrontEnd};
use crate::metrics::Snapshot;

const SERVICE: &[&str] = &["service"];
const AMF: &[&str] = &["service", "pool", "endpoint"];

pub(super) const FAMILIES: &[Family] = &[
    gauge("n2_gnbs", "gNBs that are set up.", SERVICE, |it, sink| {
        each(it, |view| sink(&[&view.service], Value::Whole(view.gnbs)));
    }),
    gauge("n2_ues", "UEs of an NGAP service; one that is handed over counts twice.", SERVICE, |it, sink| {
        each(it, |view| sink(&[&view.service], Value::Whole(view.ues)));
    }),
    counter(
        "n2_messages",
        "NGAP messages received, by procedure, up from gNBs and down from AMFs.",
        &["service", "procedure", "direction"],
        |it, sink| {
            each(it, |view| {
                for (procedure, of_gnbs, of_amfs) in &view.messages {
                    let procedure = procedure.to_string();
                    sink(&[&view.service, &procedure, "up"], Value::Whole(*of_gnbs));
                    sink(&[&view.service, &procedure, "down"], Value::Whole(*of_amfs));
                }
            });
        },
    ),
    counter("n2_messages_sent", "NGAP messages sent.", SERVICE, |it, sink| count(it, sink, |counts| counts.sent)),
    counter(
        "n2_dropped_messages",
        "NGAP messages that were not sent on, by reason.",
        &["service", "reason"],
        |it, sink| {
            each(it, |view| {
                let Counts { malformed, other_protocol, unexpected, undeliverable, .. } = view.counts;
                for (reason, dropped) in [
                    ("malformed", malformed),
                    ("other_protocol", other_protocol),
                    ("unexpected", unexpected),
                    ("undeliverable", undeliverable),
                ] {
                    sink(&[&view.service, reason], Value::Whole(dropped));
                }
            });
        },
    ),
    counter("n2_refused_ues", "UEs that were not taken, for want of room or of an AMF.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.refused);
    }),
    counter(
        "n2_throttled_ues",
        "UEs turned away because their gNBs sent more than they may.",
        SERVICE,
        |it, sink| {
            count(it, sink, |counts| counts.throttled);
        },
    ),
    counter(
        "n2_refused_associations",
        "Associations refused by the addresses of who made them.",
        SERVICE,
        |it, sink| count(it, sink, |counts| counts.foreign),
    ),
    counter("n2_refused_gnbs", "NG Setups of gNBs that were refused.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.setup_failures);
    }),
    counter("n2_error_indications", "Error Indications that the daemon made.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.error_indications);
    }),
    counter("n2_unanswered", "Procedures that ended without an answer.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.unanswered);
    }),
    counter("n2_ues_pinned", "UEs that came.", SERVICE, |it, sink| count(it, sink, |counts| counts.pinned)),
    counter("n2_ues_released", "UEs that left by release.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.released);
    }),
    counter("n2_ues_moved", "UEs that moved to another AMF.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.moved);
    }),
    counter("n2_ues_reset", "UEs that were reset.", SERVICE, |it, sink| count(it, sink, |counts| counts.reset)),
    counter(
        "n2_ues_mismatched",
        "UEs that were released because identifiers did not fit.",
        SERVICE,
        |it, sink| count(it, sink, |counts| counts.mismatches),
    ),
    counter(
        "n2_ues_steered",
        "UEs that went to another AMF because one had too much to do.",
        SERVICE,
        |it, sink| count(it, sink, |counts| counts.steered),
    ),
    counter("n2_ues_rerouted", "UEs that an AMF sent on to another one.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.rerouted);
    }),
    Family {
        name: "n2_procedure_duration",
        help: "From a request to its answer, by procedure and by who answers: gnb, amf, or pinion for all AMFs or a gNB.",
        unit: Some(Unit::Seconds),
        kind: MetricType::Histogram,
        labels: &["service", "procedure", "answered_by"],
        samples: |it, sink| {
            each(it, |view| {
                for (procedure, by, latency) in &view.latencies {
                    let (procedure, by) = (procedure.to_string(), by.to_string());
                    sink(&[&view.service, &procedure, &by], classes(latency));
                }
            });
        },
    },
    gauge("n2_amf_gnbs", "gNBs that are set up with an AMF: its upstream associations.", AMF, |it, sink| {
        each_amf(it, |labels, amf| sink(labels, Value::Whole(amf.gnbs.into())));
    }),
    gauge("n2_amf_ues", "UEs of an AMF.", AMF, |it, sink| {
        each_amf(it, |labels, amf| sink(labels, Value::Whole(amf.ues)));
    }),
    gauge("n2_amf_relative_capacity", "Relative capacity that an AMF said last, 0 to 255.", AMF, |it, sink| {
        each_amf(it, |labels, amf| sink(labels, Value::Whole(amf.capacity.into())));
    }),
    gauge(
        "n2_amf_overload_percent",
        "Percent of initial messages that an AMF asks to be spared, by the gNB that it asks most of; 0: none.",
        AMF,
        |it, sink| each_amf(it, |labels, amf| sink(labels, Value::Whole(amf.overload.into()))),
    ),
];

/// A histogram's classes, each with its longest time in seconds.
fn classes(latency: &Latency) -> Value {
    let bounds = Latency::BOUNDS.iter().map(std::time::Duration::as_secs_f64);
    let mut classes: Vec<_> = bounds.zip(latency.classes).collect();
    let beyond = latency.count.saturating_sub(latency.classes.iter().sum());
    classes.push((f64::INFINITY, beyond));
    Value::Classes { sum: latency.sum.as_secs_f64(), count: latency.count, classes }
}

fn each(snapshot: &Snapshot, of: impl FnMut(&N2FrontEnd)) {
    snapshot.stats.n2.iter().for_each(of);
}

fn count(snapshot: &Snapshot, sink: Sink<'_>, of: impl Fn(&Counts) -> u64) {
    each(snapshot, |view| sink(&[&view.service], Value::Whole(of(&view.counts))));
}

fn each_amf(snapshot: &Snapshot, mut of: impl FnMut(&[&str], &N2Amf)) {
    each(snapshot, |view| {
        for amf in &view.amfs {
            of(&[&view.service, &amf.pool, &amf.name], amf);
        }
    });
}
