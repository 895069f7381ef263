//! The families of services that are listened to.

use pinion_n2::observe::Counts;

use super::{Family, Sink, Value, counter, gauge};
use crate::control::HeardService;
use crate::metrics::Snapshot;

const SERVICE: &[&str] = &["service"];

pub(super) const FAMILIES: &[Family] = &[
    counter("copies", "Copies of packets, made for services that are listened to.", &[], |it, sink| {
        sink(&[], Value::Whole(it.stats.heard.copies.made));
    }),
    counter("copies_lost", "Copies of packets that found no room; the packets went on.", &[], |it, sink| {
        sink(&[], Value::Whole(it.stats.heard.copies.lost));
    }),
    gauge("n2_heard_associations", "Associations that are listened to.", SERVICE, |it, sink| {
        each(it, |view| sink(&[&view.service], Value::Whole(view.associations)));
    }),
    gauge("n2_heard_ues", "UEs that are known by listening.", SERVICE, |it, sink| {
        each(it, |view| sink(&[&view.service], Value::Whole(view.ues)));
    }),
    counter("n2_heard_packets", "Copies of packets that were read.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.packets);
    }),
    counter("n2_heard_messages", "NGAP messages that were heard whole.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.messages);
    }),
    counter("n2_heard_malformed", "Packets and messages heard that cannot be decoded.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.malformed);
    }),
    counter("n2_heard_repeated", "DATA chunks that were heard again.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.repeated);
    }),
    counter("n2_heard_missing", "DATA chunks that were never heard, by their numbers.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.missing);
    }),
    counter("n2_heard_unjoined", "Fragments heard whose message never became whole.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.unjoined);
    }),
    counter("n2_heard_met", "UEs that were met by listening.", SERVICE, |it, sink| {
        count(it, sink, |counts| counts.met);
    }),
    counter(
        "n2_heard_displaced",
        "UEs that are known by listening no longer because others needed room.",
        SERVICE,
        |it, sink| count(it, sink, |counts| counts.displaced),
    ),
    counter(
        "n2_heard_silent",
        "UEs that are known by listening no longer because nothing was heard of them.",
        SERVICE,
        |it, sink| count(it, sink, |counts| counts.silent),
    ),
];

fn each(snapshot: &Snapshot, of: impl FnMut(&HeardService)) {
    snapshot.stats.heard.services.iter().for_each(of);
}

fn count(snapshot: &Snapshot, sink: Sink<'_>, count: fn(&Counts) -> u64) {
    each(snapshot, |view| sink(&[&view.service], Value::Whole(count(&view.counts))));
}
