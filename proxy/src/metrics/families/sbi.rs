//! The families of the SCP.

use std::time::Duration;

use pinion_scp::account::BOUNDS;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::{Family, Sink, Value, counter, gauge, info};
use crate::control::{SbiProducer, SbiState, SbiStats};
use crate::metrics::Snapshot;

pub(super) const FAMILIES: &[Family] = &[
    info("sbi", "Who the SCP is.", &["fqdn", "nf_instance"], |it, sink| {
        of(it, |sbi| sink(&[&sbi.fqdn, &sbi.nf_instance], Value::Info));
    }),
    counter("sbi_responses", "Responses of the SCP, by status.", &["status"], |it, sink| {
        of(it, |sbi| {
            for (status, count) in &sbi.statuses {
                sink(&[&status.to_string()], Value::Whole(*count));
            }
        });
    }),
    counter("sbi_problems", "Answers of the SCP's own, by cause.", &["cause"], |it, sink| {
        of(it, |sbi| {
            for (cause, count) in &sbi.causes {
                sink(&[cause], Value::Whole(*count));
            }
        });
    }),
    counter("sbi_cancelled", "Requests whose client did not wait for the response.", &[], |it, sink| {
        one(it, sink, |sbi| sbi.cancelled);
    }),
    Family {
        name: "sbi_response",
        help: "Time from a request's headers to those of its response.",
        unit: Some(Unit::Seconds),
        kind: MetricType::Histogram,
        labels: &[],
        samples: |it, sink| of(it, |sbi| sink(&[], classes(sbi))),
    },
    gauge("sbi_requests", "Requests that are worked on, and that wait for it.", &["state"], |it, sink| {
        of(it, |sbi| {
            sink(&["working"], Value::Whole(sbi.working));
            sink(&["waiting"], Value::Whole(sbi.waiting));
        });
    }),
    gauge("sbi_connections", "Connections of clients, and to producers and others.", &["side"], |it, sink| {
        of(it, |sbi| {
            sink(&["client"], Value::Whole(sbi.client_connections));
            sink(&["producer"], Value::Whole(sbi.producer_connections));
        });
    }),
    gauge("sbi_resources", "Resources that the SCP keeps on their producers.", &[], |it, sink| {
        one(it, sink, |sbi| sbi.resources);
    }),
    gauge("sbi_searches", "Searches whose answers are remembered.", &[], |it, sink| {
        one(it, sink, |sbi| sbi.searches);
    }),
    counter("sbi_retries", "Attempts beside the first of each request.", &[], |it, sink| {
        one(it, sink, |sbi| sbi.retries);
    }),
    counter(
        "sbi_attempts",
        "Attempts at a producer, by whether it answered.",
        &["producer", "outcome"],
        |it, sink| {
            each(it, |producer| {
                sink(&[&producer.api_root, "answered"], Value::Whole(producer.answered));
                sink(&[&producer.api_root, "failed"], Value::Whole(producer.failed));
            });
        },
    ),
    gauge(
        "sbi_producer_avoided",
        "Whether a producer failed too often in a row, and is asked only where there is nobody else: 1 or 0.",
        &["producer"],
        |it, sink| {
            each(it, |producer| {
                sink(&[&producer.api_root], Value::Whole(u64::from(producer.state == SbiState::Avoided)));
            });
        },
    ),
    counter("sbi_unlogged", "Requests that the access log lacks, as it was too slow.", &[], |it, sink| {
        one(it, sink, |sbi| sbi.unlogged);
    }),
];

fn of(snapshot: &Snapshot, of: impl FnMut(&SbiStats)) {
    snapshot.stats.sbi.iter().for_each(of);
}

fn each(snapshot: &Snapshot, mut of_each: impl FnMut(&SbiProducer)) {
    of(snapshot, |sbi| sbi.producers.iter().for_each(&mut of_each));
}

/// Prometheus' last class has all there is.
fn classes(sbi: &SbiStats) -> Value {
    let bounds = BOUNDS.iter().map(|micros| Duration::from_micros(*micros).as_secs_f64()).chain([f64::INFINITY]);
    let classes = bounds.zip(sbi.times.iter().copied()).collect();
    Value::Classes { sum: sbi.spent.as_secs_f64(), count: sbi.times.iter().sum(), classes }
}

fn one(snapshot: &Snapshot, sink: Sink<'_>, what: impl Fn(&SbiStats) -> u64) {
    of(snapshot, |sbi| sink(&[], Value::Whole(what(sbi))));
}
