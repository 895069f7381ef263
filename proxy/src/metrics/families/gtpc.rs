//! The families of GTPv2-C front ends.

use pinion_gtpc::Counts;

use super::{Family, Sink, Value, counter, flag, gauge};
use crate::control::{GtpcEndpoint, GtpcFrontEnd};
use crate::metrics::Snapshot;

const SERVICE: &[&str] = &["service"];
const ENDPOINT: &[&str] = &["service", "pool", "endpoint"];

pub(super) const FAMILIES: &[Family] = &[
    gauge("gtpc_sessions", "GTPv2-C sessions of a service.", SERVICE, |it, sink| {
        each(it, |view| sink(&[&view.service], Value::Whole(view.sessions)));
    }),
    counter("gtpc_requests", "GTPv2-C requests received, retransmissions among them.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.requests);
    }),
    counter("gtpc_answers", "Answers to GTPv2-C requests of the daemon's own.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.answers);
    }),
    counter("gtpc_sent", "GTPv2-C datagrams sent.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.sent);
    }),
    counter("gtpc_malformed", "Messages that are none of GTPv2-C, or cut.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.malformed);
    }),
    counter("gtpc_unknown", "GTPv2-C messages of a type that is not known.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.unknown);
    }),
    counter(
        "gtpc_unexpected",
        "GTPv2-C messages that the side they came from does not send.",
        SERVICE,
        |it, sink| {
            count(it, sink, |counts| counts.unexpected);
        },
    ),
    counter("gtpc_unasked", "GTPv2-C answers that nobody asked for, or that came twice.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.unasked);
    }),
    counter("gtpc_retransmitted", "GTPv2-C requests that came again.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.retransmitted);
    }),
    counter("gtpc_repeated", "GTPv2-C requests of the daemon's own that were sent again.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.repeated);
    }),
    counter(
        "gtpc_unanswered",
        "GTPv2-C requests of the daemon's own that nobody answered.",
        SERVICE,
        |it, sink| {
            count(it, sink, |counts| counts.unanswered);
        },
    ),
    counter("gtpc_refusals", "GTPv2-C requests that the daemon refused itself.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.refusals);
    }),
    counter("gtpc_not_found", "GTPv2-C requests about a session that there is not.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.not_found);
    }),
    counter("gtpc_created", "GTPv2-C sessions that were made.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.created);
    }),
    counter("gtpc_deleted", "GTPv2-C sessions that ended by their peers' word.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.deleted);
    }),
    counter("gtpc_moved", "GTPv2-C sessions that another client took over.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.moved);
    }),
    counter(
        "gtpc_forsaken",
        "GTPv2-C sessions that ended because their client began anew.",
        SERVICE,
        |it, sink| {
            count(it, sink, |counts| counts.forsaken);
        },
    ),
    counter(
        "gtpc_lost",
        "GTPv2-C sessions that were lost because their endpoint began anew.",
        SERVICE,
        |it, sink| {
            count(it, sink, |counts| counts.lost);
        },
    ),
    counter(
        "gtpc_endpoint_losses",
        "SGWs or PGWs that began anew, or were silent too long.",
        SERVICE,
        |it, sink| {
            count(it, sink, |counts| counts.endpoint_losses);
        },
    ),
    gauge("gtpc_endpoint_up", "Whether an SGW or PGW answers: 1 or 0.", ENDPOINT, |it, sink| {
        each_endpoint(it, |labels, endpoint| sink(labels, flag(endpoint.up == Some(true))));
    }),
    gauge("gtpc_endpoint_sessions", "GTPv2-C sessions on an SGW or PGW.", ENDPOINT, |it, sink| {
        each_endpoint(it, |labels, endpoint| sink(labels, Value::Whole(endpoint.sessions)));
    }),
];

fn each(snapshot: &Snapshot, of: impl FnMut(&GtpcFrontEnd)) {
    snapshot.stats.gtpc.iter().for_each(of);
}

fn count(snapshot: &Snapshot, sink: Sink<'_>, of: impl Fn(&Counts) -> u64) {
    each(snapshot, |view| sink(&[&view.service], Value::Whole(of(&view.counts))));
}

fn each_endpoint(snapshot: &Snapshot, mut of: impl FnMut(&[&str], &GtpcEndpoint)) {
    each(snapshot, |view| {
        for endpoint in &view.endpoints {
            of(&[&view.service, &endpoint.pool, &endpoint.name], endpoint);
        }
    });
}
