//! `pinion stats`: counters and fill levels.

mod gtpc;
mod heard;
mod n2;
mod n4;
mod sbi;

use std::fmt::Write as _;
use std::process::ExitCode;

use super::ask::columns::{Cell, Look, Side, bar, printable, table};
use super::ask::{self, Error, Format, How, json, time};
use crate::control::{Stats, StoreLevel};

const EXAMPLES: &str = "\
Examples:
  pinion stats
      Sessions, packets by what became of them, tables, store and interfaces, and for each service of PFCP, GTPv2-C or NGAP what
      was said.
  pinion stats --format json | jq '[.packets[] | select(.verdict == \"drop\") | .packets] | add'
      How many packets were dropped.

JSON: an object with version, uptime_seconds, sessions, placed, ended, packets: objects with verdict (pass, drop, transmit,
redirect), reason, packets; tables: objects with name, used, bound; store: an object with kind (memory, or its address), up, why,
waiting, lag_seconds, written, lost; interfaces: objects with name, attached (native, generic, missing); n4: an object
for each PFCP service, with service, sessions, established, deleted, restored, lost, forsaken (sessions, since the daemon began:
made, ended by their SMF, moved to another UPF, lost with their UPF, ended as their SMF began anew or left), requests (received),
retransmitted (of them: again), refusals (of them: refused by Pinion itself), answers (to requests of Pinion's), repeated,
unanswered (requests of Pinion's: sent again, given up), sent, malformed, unknown, unasked (datagrams sent; messages that are none
of PFCP, of an unknown type, answers to nothing), refused (batches of tunnels that were not put in force), upf_losses,
unlearned (rules that were to break out, and did not become filters of their tunnels), and upfs: objects with pool, name, up, sessions, load_percent; gtpc: an object for each GTPv2-C service, with the same keys where they mean
the same, created, moved (sessions that another client took over), not_found (refusals: no such session), unexpected (messages that
a side does not send), endpoint_losses, and endpoints: objects with pool, name, up (null: not known yet), sessions; n2: an object for
each NGAP service, with service, gnbs (set up), ues, pinned, released, moved, reset, mismatches, refused, steered, rerouted (UEs: that
came, left by release, moved to another AMF, were reset, released as identifiers did not fit, not taken, steered from an AMF with too
much to do, sent on by one), setup_failures (NG Setups refused), throttled (UEs turned away as
their gNBs sent too much), foreign (associations refused by their addresses), uplink, downlink (messages of gNBs, of AMFs), sent, malformed,
other_protocol, unexpected, undeliverable (messages: sent, none of NGAP, of another protocol, that fit into no procedure, for which
nobody was there), error_indications, unanswered, amfs: objects with pool, name, gnbs, ues, relative_capacity, overload_percent;
procedures: objects with procedure, of_gnbs, of_amfs (messages); latencies: objects with procedure, by (who answers: gnb, amf, or
pinion for all AMFs or a gNB), answers, mean_seconds, p99_seconds (at the most; null: more than 10 s); heard: an object with copies, copies_lost (of packets of
services with `aware`: made, without room), and services: objects with service, associations, ues, packets, messages, malformed,
repeated, missing, unjoined (DATA chunks: heard again, never heard; fragments of messages that lack others), met, displaced, silent
(UEs: that were met, made room for others, were not heard of for long); sbi: null, or
an object of the SCP with fqdn, nf_instance, responses: objects with status, responses; problems (answers of the SCP's own): objects
with cause, responses; cancelled (requests whose client did not wait), spent_seconds (the time of all responses together), working,
waiting (requests), client_connections, producer_connections, resources (that are pinned), searches (that are remembered), unlogged,
retries (attempts beside the first of each request), services: objects with service, nf_type, responses, failed (with 5xx), problems,
spent_seconds; events: objects with kind (search, token, dial, retry, pin, overload, client: a
connection of one was ended or not taken, redirect), outcome, count; searched_seconds
(that NRFs took), and producers: objects of whom it asks with api_root, nf_type and nf_instance
(null: not known), services, state (up, failing: did not answer last, avoided: did not too often in a row, draining,
unknown: not asked yet), resources (pinned to it), connections, answered, failed (attempts).

Exit codes: 0 done; 1 the daemon does not answer, or refuses; 2 bad usage.";

/// Show counters and fill levels
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    how: How,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    ask::ask(&args.how.daemon, async |mut client| {
        let stats = client.stats().await?;
        match args.how.format {
            Format::Json => ask::print_json(&json::All::from(&stats)),
            Format::Table => ask::print(&text(&stats, ask::coloured())),
        }
    })
}

fn text(stats: &Stats, coloured: bool) -> String {
    let mut text = format!("pinion {}, up {}\n", printable(&stats.version), time::shown(stats.uptime));
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{} sessions, {} placed, {} ended", stats.sessions, stats.placed, stats.ended);
    let _ = writeln!(text, "store {}", store(&stats.store));
    let sections = [packets(stats, coloured), tables(stats, coloured), interfaces(stats, coloured)];
    let n4 = stats.front_ends.iter().map(|front_end| n4::part(front_end, coloured));
    let gtpc = stats.gtpc.iter().map(|front_end| gtpc::part(front_end, coloured));
    let n2 = stats.n2.iter().map(|front_end| n2::part(front_end, coloured));
    let sbi = stats.sbi.iter().map(|stats| sbi::part(stats, coloured));
    let front_ends = n4.chain(gtpc).chain(n2).chain(heard::part(&stats.heard)).chain(sbi);
    for section in sections.into_iter().flatten().chain(front_ends) {
        text.push('\n');
        text.push_str(&section);
    }
    text
}

/// Lines of what a front end counts: what comes first in each, and what of the rest there is any of.
fn counted<const N: usize>(lines: [(String, Vec<(u64, &str)>); N]) -> String {
    let mut text = String::new();
    for (first, more) in lines {
        text.push_str(&first);
        for (count, what) in more.into_iter().filter(|(count, _)| *count > 0) {
            text.push_str(&format!(", {count} {what}"));
        }
        text.push('\n');
    }
    text
}

/// A line on the store.
pub(super) fn store(store: &StoreLevel) -> String {
    let mut text = printable(&store.kind);
    if !store.up {
        text.push_str(" is away");
        if !store.why.is_empty() {
            text.push_str(&format!(" ({})", printable(&store.why)));
        }
    }
    text.push_str(&format!(", {} written", store.written));
    if store.waiting > 0 {
        text.push_str(&format!(", {} waiting for {}", store.waiting, time::shown(store.lag)));
    }
    if store.lost > 0 {
        text.push_str(&format!(", {} given up", store.lost));
    }
    text
}

fn packets(stats: &Stats, coloured: bool) -> Option<String> {
    let seen: Vec<_> = stats.packets.iter().filter(|count| count.packets > 0).collect();
    let most = seen.iter().map(|count| count.packets).max()?;
    let heads = [("VERDICT", Side::Left), ("REASON", Side::Left), ("PACKETS", Side::Right), ("", Side::Left)];
    let rows: Vec<_> = seen
        .iter()
        .map(|count| {
            vec![
                Cell::looking(&count.verdict, verdict(&count.verdict)),
                Cell::new(&count.reason),
                Cell::new(count.packets.to_string()),
                Cell::new(bar(count.packets, most, 20)),
            ]
        })
        .collect();
    Some(table(&heads, &rows, coloured))
}

pub(super) fn verdict(verdict: &str) -> Look {
    match verdict {
        "drop" => Look::Bad,
        "transmit" | "redirect" => Look::Good,
        _ => Look::Plain,
    }
}

fn tables(stats: &Stats, coloured: bool) -> Option<String> {
    if stats.tables.is_empty() {
        return None;
    }
    let heads = [
        ("TABLE", Side::Left),
        ("USED", Side::Right),
        ("OF", Side::Right),
        ("FULL", Side::Right),
        ("", Side::Left),
    ];
    let rows: Vec<_> = stats
        .tables
        .iter()
        .map(|level| {
            let (percent, look) = fill(level.used, level.bound);
            vec![
                Cell::new(&level.name),
                Cell::new(level.used.to_string()),
                Cell::new(level.bound.to_string()),
                Cell::looking(format!("{percent}%"), look),
                Cell::new(bar(level.used, level.bound, 20)),
            ]
        })
        .collect();
    Some(table(&heads, &rows, coloured))
}

/// How full a table is, in whole percent, and how bad that is.
pub(super) fn fill(used: u64, bound: u64) -> (u64, Look) {
    let percent = u128::from(used) * 100 / u128::from(bound.max(1));
    let percent = u64::try_from(percent).unwrap_or(u64::MAX);
    let look = match percent {
        ..80 => Look::Plain,
        80..95 => Look::Warning,
        _ => Look::Bad,
    };
    (percent, look)
}

fn interfaces(stats: &Stats, coloured: bool) -> Option<String> {
    if stats.interfaces.is_empty() {
        return None;
    }
    let rows: Vec<_> = stats
        .interfaces
        .iter()
        .map(|interface| {
            let look = if interface.attached == "missing" { Look::Bad } else { Look::Plain };
            vec![Cell::new(&interface.name), Cell::looking(&interface.attached, look)]
        })
        .collect();
    Some(table(&[("INTERFACE", Side::Left), ("ATTACHED", Side::Left)], &rows, coloured))
}
