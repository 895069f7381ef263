//! The families of N4 front ends.

use pinion_n4::Counts;

use super::{Family, Sink, Value, counter, flag, gauge};
use crate::control::{N4FrontEnd, N4Upf};
use crate::metrics::Snapshot;

const SERVICE: &[&str] = &["service"];
const UPF: &[&str] = &["service", "pool", "endpoint"];

pub(super) const FAMILIES: &[Family] = &[
    gauge("n4_sessions", "N4 sessions of a PFCP service.", SERVICE, |it, sink| {
        each(it, |view| sink(&[&view.service], Value::Whole(view.sessions)));
    }),
    counter("n4_requests", "PFCP requests received, retransmissions among them.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.requests);
    }),
    counter("n4_answers", "Answers to PFCP requests of the daemon's own.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.answers);
    }),
    counter("n4_sent", "PFCP datagrams sent.", SERVICE, |it, sink| count(it, sink, |counts| counts.sent)),
    counter("n4_malformed", "Messages that are none of PFCP, or cut.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.malformed);
    }),
    counter("n4_unknown", "PFCP messages of a type that is not known.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.unknown);
    }),
    counter("n4_unasked", "PFCP answers that nobody asked for, or that came twice.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.unasked);
    }),
    counter("n4_retransmitted", "PFCP requests that came again.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.retransmitted);
    }),
    counter("n4_repeated", "PFCP requests of the daemon's own that were sent again.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.repeated);
    }),
    counter("n4_unanswered", "PFCP requests of the daemon's own that nobody answered.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.unanswered);
    }),
    counter("n4_refusals", "PFCP requests that the daemon refused itself.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.refusals);
    }),
    counter("n4_refused", "Batches of tunnels that were not put into force.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.refused);
    }),
    counter("n4_established", "N4 sessions that were made.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.established);
    }),
    counter("n4_deleted", "N4 sessions that their SMF ended.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.deleted);
    }),
    counter("n4_restored", "N4 sessions that moved to another UPF.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.restored);
    }),
    counter("n4_lost", "N4 sessions that were lost with their UPF.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.lost);
    }),
    counter(
        "n4_forsaken",
        "N4 sessions that ended because their SMF began anew, or left.",
        SERVICE,
        |it, sink| {
            count(it, sink, |counts| counts.forsaken);
        },
    ),
    counter(
        "n4_unlearned",
        "Packet detection rules that were to break out, and did not become filters of their tunnels.",
        SERVICE,
        |it, sink| {
            count(it, sink, |counts| counts.unlearned);
        },
    ),
    counter("n4_upf_losses", "UPFs that began anew, or were silent too long.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.upf_losses);
    }),
    gauge("n4_upf_up", "Whether a UPF has an association: 1 or 0.", UPF, |it, sink| {
        each_upf(it, |labels, upf| sink(labels, flag(upf.up)));
    }),
    gauge("n4_upf_sessions", "N4 sessions on a UPF.", UPF, |it, sink| {
        each_upf(it, |labels, upf| sink(labels, Value::Whole(upf.sessions)));
    }),
    gauge(
        "n4_upf_load_percent",
        "Percent of its capacity that a UPF says is in use; 0 also where it says nothing.",
        UPF,
        |it, sink| each_upf(it, |labels, upf| sink(labels, Value::Whole(upf.load.into()))),
    ),
];

fn each(snapshot: &Snapshot, of: impl FnMut(&N4FrontEnd)) {
    snapshot.stats.front_ends.iter().for_each(of);
}

fn count(snapshot: &Snapshot, sink: Sink<'_>, of: impl Fn(&Counts) -> u64) {
    each(snapshot, |view| sink(&[&view.service], Value::Whole(of(&view.counts))));
}

fn each_upf(snapshot: &Snapshot, mut of: impl FnMut(&[&str], &N4Upf)) {
    each(snapshot, |view| {
        for upf in &view.upfs {
            of(&[&view.service, &upf.pool, &upf.name], upf);
        }
    });
}
