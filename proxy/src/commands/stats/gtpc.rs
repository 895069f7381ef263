//! The part of a GTPv2-C front end.

use super::super::ask::columns::{Cell, Look, Side, printable, table};
use crate::control::GtpcFrontEnd;

/// What is worth telling of a front end, and its endpoints.
pub(super) fn part(front_end: &GtpcFrontEnd, coloured: bool) -> String {
    let counts = &front_end.counts;
    let mut text = super::counted([
        (
            format!("GTPv2-C {}: {} sessions", printable(&front_end.service), front_end.sessions),
            vec![
                (counts.created, "made"),
                (counts.deleted, "ended by their peers"),
                (counts.moved, "taken over by another client"),
                (counts.lost, "lost with their endpoint"),
                (counts.forsaken, "ended as their client began anew"),
            ],
        ),
        (
            format!("{} requests of clients and endpoints", counts.requests),
            vec![
                (counts.retransmitted, "came again"),
                (counts.refusals, "refused here"),
                (counts.not_found, "of those about no session"),
                (counts.malformed, "malformed messages"),
                (counts.unknown, "of unknown types"),
                (counts.unexpected, "from the wrong side"),
            ],
        ),
        (
            format!("{} answers to requests of its own", counts.answers),
            vec![
                (counts.repeated, "requests sent again"),
                (counts.unanswered, "unanswered"),
                (counts.unasked, "answers that nobody waited for"),
            ],
        ),
    ]);
    if counts.endpoint_losses > 0 {
        text.push_str(&format!("{} times an endpoint was lost\n", counts.endpoint_losses));
    }
    let heads = [("ENDPOINT", Side::Left), ("ANSWERS", Side::Left), ("SESSIONS", Side::Right)];
    let rows: Vec<_> = front_end
        .endpoints
        .iter()
        .map(|endpoint| {
            let (up, look) = match endpoint.up {
                Some(true) => ("yes", Look::Good),
                Some(false) => ("no", Look::Bad),
                None => ("unknown", Look::Warning),
            };
            let name = format!("{}/{}", endpoint.pool, endpoint.name);
            vec![Cell::new(name), Cell::looking(up, look), Cell::new(endpoint.sessions.to_string())]
        })
        .collect();
    if !rows.is_empty() {
        text.push_str(&table(&heads, &rows, coloured));
    }
    text
}
