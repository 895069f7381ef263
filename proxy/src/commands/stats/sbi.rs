//! The part of the SCP.

use super::super::ask::columns::{Cell, Look, Side, printable, table};
use super::super::ask::words;
use crate::control::{SbiProducer, SbiStats};

/// What is worth telling of it, and of whom it asks.
pub(super) fn part(stats: &SbiStats, coloured: bool) -> String {
    let responses: u64 = stats.statuses.iter().map(|(_, count)| count).sum();
    let mean = stats.spent.checked_div(u32::try_from(responses).unwrap_or(u32::MAX)).unwrap_or_default();
    let classes =
        |class: u16| stats.statuses.iter().filter(|(status, _)| status / 100 == class).map(|(_, it)| it).sum();
    let mut text = super::counted([
        (
            format!("SCP {}: {responses} responses, {mean:.1?} each", printable(&stats.fqdn)),
            vec![
                (classes(3), "3xx"),
                (classes(4), "4xx"),
                (classes(5), "5xx"),
                (stats.causes.iter().map(|(_, count)| count).sum(), "of the SCP's own"),
                (stats.cancelled, "that nobody waited for"),
                (stats.retries, "attempts beside the first"),
                (stats.unlogged, "not in the access log"),
            ],
        ),
        (
            format!("{} requests at work", stats.working),
            vec![
                (stats.waiting, "waiting"),
                (stats.client_connections, "connections of clients"),
                (stats.producer_connections, "connections to producers"),
                (stats.resources, "resources pinned"),
                (count(stats, "pin", "given-up"), "given up for want of room"),
                (stats.searches, "searches remembered"),
            ],
        ),
    ]);
    if !stats.producers.is_empty() {
        text.push_str(&producers(&stats.producers, coloured));
    }
    text
}

/// How often something happened.
fn count(stats: &SbiStats, kind: &str, outcome: &str) -> u64 {
    stats.events.iter().find(|it| it.kind == kind && it.outcome == outcome).map_or(0, |it| it.count)
}

fn producers(producers: &[SbiProducer], coloured: bool) -> String {
    let heads = [
        ("PRODUCER", Side::Left),
        ("NF", Side::Left),
        ("STATE", Side::Left),
        ("PINS", Side::Right),
        ("CONNECTIONS", Side::Right),
        ("ANSWERED", Side::Right),
        ("FAILED", Side::Right),
        ("SERVICES", Side::Left),
    ];
    let row = |it: &SbiProducer| {
        let (word, look) = words::sbi_state(it.state);
        let failed = if it.failed > 0 { Look::Warning } else { Look::Plain };
        vec![
            Cell::new(&it.api_root),
            Cell::new(it.nf_type.as_deref().unwrap_or("-")),
            Cell::looking(word, look),
            Cell::new(it.resources.to_string()),
            Cell::new(it.connections.to_string()),
            Cell::new(it.answered.to_string()),
            Cell::looking(it.failed.to_string(), failed),
            Cell::new(if it.services.is_empty() { "-".to_owned() } else { it.services.join(" ") }),
        ]
    };
    table(&heads, &producers.iter().map(row).collect::<Vec<_>>(), coloured)
}
