mod gtpc;
mod heard;
mod n2;
mod n4;
mod sbi;

use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::snapshot::Snapshot;
use crate::control::{EndpointState, EndpointView, PathView, TrafficView};
use crate::health::Signal;

/// A sample's value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A count, or a level in whole things.
    Whole(u64),
    /// A time, in seconds.
    Seconds(f64),
    /// How many of how many took how long, by classes, each with its greatest value.
    Classes {
        /// All together.
        sum: f64,
        /// How many.
        count: u64,
        /// The greatest value of a class, and how many are in it and in none before.
        classes: Vec<(f64, u64)>,
    },
    /// Nothing but its labels.
    Info,
}

/// Takes a sample: the values of the family's labels, and its own.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&[&str], Value);

/// A family of metrics that is read off a [`Snapshot`].
pub(super) struct Family {
    /// Its name, without prefix, unit and suffix.
    pub(super) name: &'static str,
    /// What it says, in a sentence.
    pub(super) help: &'static str,
    /// Its unit, where it has one.
    pub(super) unit: Option<Unit>,
    /// Its type.
    pub(super) kind: MetricType,
    /// The names of its labels.
    pub(super) labels: Labels,
    /// Hands over its samples.
    pub(super) samples: Samples,
}

/// What hands over a family's samples.
type Samples = fn(&Snapshot, Sink<'_>);
/// The names of a family's labels.
type Labels = &'static [&'static str];

const fn gauge(name: &'static str, help: &'static str, labels: Labels, samples: Samples) -> Family {
    Family { name, help, unit: None, kind: MetricType::Gauge, labels, samples }
}

const fn seconds(name: &'static str, help: &'static str, labels: Labels, samples: Samples) -> Family {
    Family { name, help, unit: Some(Unit::Seconds), kind: MetricType::Gauge, labels, samples }
}

const fn counter(name: &'static str, help: &'static str, labels: Labels, samples: Samples) -> Family {
    Family { name, help, unit: None, kind: MetricType::Counter, labels, samples }
}

const fn info(name: &'static str, help: &'static str, labels: Labels, samples: Samples) -> Family {
    Family { name, help, unit: None, kind: MetricType::Info, labels, samples }
}

const ENDPOINT: &[&str] = &["pool", "endpoint"];
const PATH: &[&str] = &["pool", "endpoint", "path"];

/// Every family, in the order of the page.
pub(super) fn families() -> impl Iterator<Item = &'static Family> {
    let front_ends = n2::FAMILIES.iter().chain(n4::FAMILIES).chain(gtpc::FAMILIES).chain(heard::FAMILIES);
    FAMILIES.iter().chain(front_ends).chain(sbi::FAMILIES)
}

const FAMILIES: &[Family] = &[
    info("build", "The daemon's version.", &["version"], |it, sink| sink(&[&it.stats.version], Value::Info)),
    seconds("uptime", "How long the daemon has run.", &[], |it, sink| {
        sink(&[], Value::Seconds(it.stats.uptime.as_secs_f64()));
    }),
    counter("packets", "Packets, by what became of them and why.", &["reason", "verdict"], |it, sink| {
        for count in &it.stats.packets {
            sink(&[&count.reason, &count.verdict], Value::Whole(count.packets));
        }
    }),
    gauge("sessions", "Sessions that are pinned.", &[], |it, sink| sink(&[], Value::Whole(it.stats.sessions))),
    counter("sessions_placed", "Sessions placed since the tables were made.", &[], |it, sink| {
        sink(&[], Value::Whole(it.stats.placed));
    }),
    counter("sessions_ended", "Sessions that ended, by timeout or otherwise.", &[], |it, sink| {
        sink(&[], Value::Whole(it.stats.ended));
    }),
    gauge("table_entries", "Entries in a table.", &["table"], |it, sink| {
        for table in &it.stats.tables {
            sink(&[&table.name], Value::Whole(table.used));
        }
    }),
    gauge("table_bound_entries", "Entries that fit in a table.", &["table"], |it, sink| {
        for table in &it.stats.tables {
            sink(&[&table.name], Value::Whole(table.bound));
        }
    }),
    info("store", "Where pins are written behind.", &["kind"], |it, sink| {
        sink(&[&it.stats.store.kind], Value::Info);
    }),
    gauge("store_up", "Whether the store answers: 1 or 0.", &[], |it, sink| sink(&[], flag(it.stats.store.up))),
    gauge("store_waiting_changes", "Changes that wait for the store.", &[], |it, sink| {
        sink(&[], Value::Whole(it.stats.store.waiting));
    }),
    seconds("store_lag", "How long the oldest change has waited for the store.", &[], |it, sink| {
        sink(&[], Value::Seconds(it.stats.store.lag.as_secs_f64()));
    }),
    counter("store_changes_written", "Changes written to the store.", &[], |it, sink| {
        sink(&[], Value::Whole(it.stats.store.written));
    }),
    counter("store_changes_lost", "Changes given up: the store does not have them.", &[], |it, sink| {
        sink(&[], Value::Whole(it.stats.store.lost));
    }),
    gauge(
        "interface_attached",
        "Whether XDP is attached to an interface: 1, or 0 where it is gone.",
        &["interface", "mode"],
        |it, sink| {
            for interface in &it.stats.interfaces {
                sink(&[&interface.name, &interface.attached], flag(interface.attached != "missing"));
            }
        },
    ),
    info("service", "A service and what it is.", &["service", "protocol", "pool", "algorithm"], |it, sink| {
        for view in &it.services {
            let labels = [&view.name, view.protocol.as_written(), &view.pool, view.choice()];
            sink(&labels, Value::Info);
        }
    }),
    gauge("service_sessions", "Sessions of a service.", &["service"], |it, sink| {
        for view in &it.services {
            sink(&[&view.name], Value::Whole(view.sessions));
        }
    }),
    gauge("service_endpoints", "Endpoints of a service.", &["service"], |it, sink| {
        for view in &it.services {
            sink(&[&view.name], Value::Whole(view.endpoints.into()));
        }
    }),
    gauge(
        "service_serving_endpoints",
        "Endpoints of a service that get new sessions.",
        &["service"],
        |it, sink| {
            for view in &it.services {
                sink(&[&view.name], Value::Whole(view.serving.into()));
            }
        },
    ),
    gauge("endpoint_sessions", "Sessions on an endpoint.", ENDPOINT, |it, sink| {
        each_endpoint(it, |view| sink(&[&view.pool, &view.name], Value::Whole(view.sessions)));
    }),
    gauge("endpoint_weight", "Weight that an endpoint is given.", ENDPOINT, |it, sink| {
        each_endpoint(it, |view| sink(&[&view.pool, &view.name], Value::Whole(view.weight.into())));
    }),
    gauge(
        "endpoint_effective_weight",
        "Weight that an endpoint has now: less in slow start, 0 without new sessions.",
        ENDPOINT,
        |it, sink| {
            each_endpoint(it, |view| sink(&[&view.pool, &view.name], Value::Whole(view.effective.into())));
        },
    ),
    gauge(
        "endpoint_state",
        "Whether an endpoint is in a state: 1 in the one that it is in, else 0.",
        &["pool", "endpoint", "state"],
        |it, sink| {
            each_endpoint(it, |view| {
                for (state, name) in STATES {
                    sink(&[&view.pool, &view.name, name], flag(view.state == *state));
                }
            });
        },
    ),
    counter(
        "endpoint_refusals",
        "Sessions that an endpoint refused, or that could not reach it, as traffic showed.",
        &["pool", "endpoint", "signal"],
        |it, sink| {
            each_endpoint(it, |view| {
                let TrafficView { resets, aborts, unreachables, .. } = view.traffic;
                for (signal, count) in Signal::ALL.iter().zip([resets, aborts, unreachables]) {
                    sink(&[&view.pool, &view.name, signal.name()], Value::Whole(count));
                }
            });
        },
    ),
    gauge(
        "endpoint_unanswered_sessions",
        "Sessions that wait for a reply of an endpoint; 0 where a reply of any was seen.",
        ENDPOINT,
        |it, sink| {
            each_endpoint(it, |view| sink(&[&view.pool, &view.name], Value::Whole(view.traffic.unanswered)));
        },
    ),
    seconds(
        "endpoint_drain_remaining",
        "How long until the sessions of a draining endpoint are ended; absent without a deadline.",
        ENDPOINT,
        |it, sink| {
            each_endpoint(it, |view| {
                if let Some(deadline) = view.deadline {
                    sink(&[&view.pool, &view.name], Value::Seconds(deadline.as_secs_f64()));
                }
            });
        },
    ),
    gauge("path_up", "Whether a path answers: 1 or 0; absent where it is not probed.", PATH, |it, sink| {
        each_path(it, |labels, path| {
            if let Some(up) = path.up {
                sink(labels, flag(up));
            }
        });
    }),
    seconds("path_round_trip", "How long a path's last answer took; absent where none came.", PATH, |it, sink| {
        each_path(it, |labels, path| {
            if let Some(took) = path.round_trip {
                sink(labels, Value::Seconds(took.as_secs_f64()));
            }
        });
    }),
    gauge(
        "metrics_left_out_endpoints",
        "Endpoints whose metrics are left out, so that a page stays bounded.",
        &[],
        |it, sink| sink(&[], Value::Whole(it.left_out as u64)),
    ),
];

const STATES: &[(EndpointState, &str)] = &[
    (EndpointState::Unknown, "unknown"),
    (EndpointState::Up, "up"),
    (EndpointState::Down, "down"),
    (EndpointState::Draining, "draining"),
    (EndpointState::Drained, "drained"),
];

fn each_endpoint(snapshot: &Snapshot, mut of: impl FnMut(&EndpointView)) {
    for view in &snapshot.endpoints {
        of(view);
    }
}

fn each_path(snapshot: &Snapshot, mut of: impl FnMut(&[&str], &PathView)) {
    for view in &snapshot.endpoints {
        for (number, path) in view.paths.iter().enumerate() {
            of(&[&view.pool, &view.name, &number.to_string()], path);
        }
    }
}

const fn flag(on: bool) -> Value {
    Value::Whole(on as u64)
}
