//! The part of an N4 front end.

use super::super::ask::columns::{Cell, Look, Side, printable, table};
use crate::control::{N4FrontEnd, N4Upf};

/// What is worth telling of a front end, and its UPFs.
pub(super) fn part(front_end: &N4FrontEnd, coloured: bool) -> String {
    let counts = &front_end.counts;
    let lines = [
        (
            format!("N4 {}: {} sessions", printable(&front_end.service), front_end.sessions),
            vec![
                (counts.established, "made"),
                (counts.deleted, "ended by their SMF"),
                (counts.restored, "moved to another UPF"),
                (counts.lost, "lost with their UPF"),
                (counts.forsaken, "ended as their SMF began anew or left"),
            ],
        ),
        (
            format!("{} requests of SMFs and UPFs", counts.requests),
            vec![
                (counts.retransmitted, "came again"),
                (counts.refusals, "refused here"),
                (counts.malformed, "malformed messages"),
                (counts.unknown, "of unknown types"),
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
    ];
    let mut text = super::counted(lines);
    let troubles = [
        (counts.upf_losses, "times a UPF was lost"),
        (counts.refused, "batches of tunnels not put in force"),
        (counts.unlearned, "rules that were to break out, and do not"),
    ];
    for (count, what) in troubles.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!("{count} {what}\n"));
    }
    if !front_end.upfs.is_empty() {
        text.push_str(&upfs(&front_end.upfs, coloured));
    }
    text
}

fn upfs(upfs: &[N4Upf], coloured: bool) -> String {
    let heads =
        [("UPF", Side::Left), ("ASSOCIATION", Side::Left), ("SESSIONS", Side::Right), ("LOAD", Side::Right)];
    let rows: Vec<_> = upfs
        .iter()
        .map(|upf| {
            let (up, look) = if upf.up { ("up", Look::Good) } else { ("down", Look::Bad) };
            vec![
                Cell::new(format!("{}/{}", upf.pool, upf.name)),
                Cell::looking(up, look),
                Cell::new(upf.sessions.to_string()),
                Cell::new(if upf.load > 0 { format!("{}%", upf.load) } else { "-".to_owned() }),
            ]
        })
        .collect();
    table(&heads, &rows, coloured)
}
