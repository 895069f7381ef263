//! The part of the SCP.

use super::super::ask::columns::printable;
use crate::control::SbiStats;

/// What is worth telling of it.
pub(super) fn part(stats: &SbiStats) -> String {
    let responses: u64 = stats.statuses.iter().map(|(_, count)| count).sum();
    let mean = stats.spent.checked_div(u32::try_from(responses).unwrap_or(u32::MAX)).unwrap_or_default();
    let classes =
        |class: u16| stats.statuses.iter().filter(|(status, _)| status / 100 == class).map(|(_, it)| it).sum();
    super::counted([
        (
            format!("SCP {}: {responses} responses, {mean:.1?} each", printable(&stats.fqdn)),
            vec![
                (classes(3), "3xx"),
                (classes(4), "4xx"),
                (classes(5), "5xx"),
                (stats.causes.iter().map(|(_, count)| count).sum(), "of the SCP's own"),
                (stats.cancelled, "that nobody waited for"),
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
                (stats.searches, "searches remembered"),
            ],
        ),
    ])
}
