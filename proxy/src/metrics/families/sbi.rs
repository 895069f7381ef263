//! The families of the SCP.

use std::time::Duration;

use pinion_scp::account::BOUNDS;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::{Family, Labels, Samples, Sink, Value, counter, gauge, info};
use crate::control::{SbiProducer, SbiService, SbiState, SbiStats};
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
    counter(
        "sbi_service_responses",
        "Responses of the SCP, by service and the class of their status.",
        &["service", "nf_type", "class"],
        |it, sink| {
            each_service(it, |service| {
                for (class, count) in (1..).zip(service.classes).filter(|(_, count)| *count > 0) {
                    sink(&[&service.service, &service.nf_type, &format!("{class}xx")], Value::Whole(count));
                }
            });
        },
    ),
    counter(
        "sbi_service_problems",
        "Answers of the SCP's own, by service and cause.",
        &["service", "nf_type", "cause"],
        |it, sink| {
            each_service(it, |service| {
                for (cause, count) in &service.causes {
                    sink(&[&service.service, &service.nf_type, cause], Value::Whole(*count));
                }
            });
        },
    ),
    time("sbi_service", "Time of all responses together, by service.", &["service", "nf_type"], |it, sink| {
        each_service(it, |service| {
            sink(&[&service.service, &service.nf_type], Value::Seconds(service.spent.as_secs_f64()));
        });
    }),
    counter("sbi_discoveries", "Searches for producers, by what answered them.", &["outcome"], |it, sink| {
        happened(it, sink, "search");
    }),
    time("sbi_discovery", "Time that NRFs took to answer searches, or not to.", &[], |it, sink| {
        of(it, |sbi| sink(&[], Value::Seconds(sbi.searched.as_secs_f64())));
    }),
    counter(
        "sbi_notices",
        "Notifications of changes of NF instances, by whether they came where the NRF was told.",
        &["outcome"],
        |it, sink| {
            happened(it, sink, "notice");
        },
    ),
    counter(
        "sbi_tokens",
        "Access tokens that requests needed, by where they came from.",
        &["outcome"],
        |it, sink| {
            happened(it, sink, "token");
        },
    ),
    counter(
        "sbi_dials",
        "Connections to next hops that were tried, by what came of it.",
        &["outcome"],
        |it, sink| {
            happened(it, sink, "dial");
        },
    ),
    counter(
        "sbi_client_ends",
        "Connections of clients that the SCP ended or did not take, by why.",
        &["outcome"],
        |it, sink| {
            happened(it, sink, "client");
        },
    ),
    counter(
        "sbi_unpaid_retries",
        "Attempts that there might have been, but for the budget.",
        &["outcome"],
        |it, sink| {
            happened(it, sink, "retry");
        },
    ),
    counter(
        "sbi_pins",
        "Resources that were to be kept on their producers, by what became of them.",
        &["outcome"],
        |it, sink| {
            happened(it, sink, "pin");
        },
    ),
    counter(
        "sbi_overload",
        "Requests that overload told on: not sent to who asked to be spared, answered with the wish for fewer.",
        &["outcome"],
        |it, sink| {
            happened(it, sink, "overload");
        },
    ),
    counter(
        "sbi_redirects",
        "Redirections of producers, by what was done with them.",
        &["outcome"],
        |it, sink| {
            happened(it, sink, "redirect");
        },
    ),
    counter("sbi_unlogged", "Requests that the access log lacks, as it was too slow.", &[], |it, sink| {
        one(it, sink, |sbi| sbi.unlogged);
    }),
];

/// What happened of a kind, by what came of it.
fn happened(snapshot: &Snapshot, sink: Sink<'_>, kind: &str) {
    of(snapshot, |sbi| {
        for event in sbi.events.iter().filter(|it| it.kind == kind) {
            sink(&[&event.outcome], Value::Whole(event.count));
        }
    });
}

/// A time that only grows.
const fn time(name: &'static str, help: &'static str, labels: Labels, samples: Samples) -> Family {
    Family { name, help, unit: Some(Unit::Seconds), kind: MetricType::Counter, labels, samples }
}

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

fn each_service(snapshot: &Snapshot, mut with: impl FnMut(&SbiService)) {
    of(snapshot, |sbi| sbi.services.iter().for_each(&mut with));
}

fn one(snapshot: &Snapshot, sink: Sink<'_>, what: impl Fn(&SbiStats) -> u64) {
    of(snapshot, |sbi| sink(&[], Value::Whole(what(sbi))));
}
