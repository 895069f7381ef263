//! The part of an N2 front end.

use super::super::ask::columns::{Cell, Look, Side, printable, table};
use super::super::ask::time;
use crate::control::{N2Amf, N2FrontEnd};

/// What is worth telling of a front end, its AMFs and its procedures.
pub(super) fn part(front_end: &N2FrontEnd, coloured: bool) -> String {
    let counts = &front_end.counts;
    let mut text = super::counted([
        (
            format!("N2 {}: {} UEs at {} gNBs", printable(&front_end.service), front_end.ues, front_end.gnbs),
            vec![
                (counts.pinned, "came"),
                (counts.released, "released"),
                (counts.moved, "moved to another AMF"),
                (counts.reset, "reset"),
                (counts.mismatches, "released as identifiers did not fit"),
            ],
        ),
        (
            format!("{} messages of gNBs, {} of AMFs", counts.uplink, counts.downlink),
            vec![
                (counts.sent, "sent"),
                (counts.malformed, "malformed"),
                (counts.other_protocol, "of another protocol"),
                (counts.unexpected, "that fit into no procedure"),
                (counts.undeliverable, "for which nobody was there"),
            ],
        ),
        (
            format!("{} Error Indications made", counts.error_indications),
            vec![
                (counts.refused, "UEs not taken"),
                (counts.throttled, "turned away as their gNBs sent too much"),
                (counts.steered, "steered from AMFs with too much to do"),
                (counts.rerouted, "sent on by AMFs"),
                (counts.setup_failures, "NG Setups refused"),
                (counts.foreign, "associations refused by their addresses"),
                (counts.unanswered, "procedures without an answer"),
            ],
        ),
    ]);
    if !front_end.amfs.is_empty() {
        text.push_str(&amfs(&front_end.amfs, coloured));
    }
    if !front_end.messages.is_empty() {
        text.push_str(&procedures(front_end, coloured));
    }
    text
}

fn amfs(amfs: &[N2Amf], coloured: bool) -> String {
    let heads = [
        ("AMF", Side::Left),
        ("GNBS", Side::Right),
        ("UES", Side::Right),
        ("CAPACITY", Side::Right),
        ("OVERLOAD", Side::Right),
    ];
    let rows: Vec<_> = amfs
        .iter()
        .map(|amf| {
            let overload = match amf.overload {
                0 => Cell::new("-"),
                percent => Cell::looking(format!("{percent}%"), Look::Warning),
            };
            vec![
                Cell::new(format!("{}/{}", amf.pool, amf.name)),
                Cell::looking(amf.gnbs.to_string(), if amf.gnbs > 0 { Look::Good } else { Look::Bad }),
                Cell::new(amf.ues.to_string()),
                Cell::new(amf.capacity.to_string()),
                overload,
            ]
        })
        .collect();
    table(&heads, &rows, coloured)
}

/// Messages by procedure, and how long answers took.
fn procedures(front_end: &N2FrontEnd, coloured: bool) -> String {
    let heads = [
        ("PROCEDURE", Side::Left),
        ("OF GNBS", Side::Right),
        ("OF AMFS", Side::Right),
        ("ANSWERED BY", Side::Left),
        ("ANSWERS", Side::Right),
        ("MEAN", Side::Right),
        ("99 %", Side::Right),
    ];
    let mut rows = Vec::new();
    for (procedure, of_gnbs, of_amfs) in &front_end.messages {
        let first =
            vec![Cell::new(procedure.to_string()), Cell::new(of_gnbs.to_string()), Cell::new(of_amfs.to_string())];
        let answers = front_end.latencies.iter().filter(|it| it.0 == *procedure);
        let answers = answers.map(|(_, by, latency)| {
            let within =
                latency.within(99).map_or_else(|| "more".to_owned(), |it| format!("<= {}", time::shown(it)));
            vec![
                Cell::new(by.to_string()),
                Cell::new(latency.count.to_string()),
                Cell::new(time::shown(latency.mean())),
                Cell::new(within),
            ]
        });
        let before = rows.len();
        for answers in answers {
            let begin = if rows.len() == before { first.clone() } else { vec![Cell::default(); 3] };
            rows.push([begin, answers].concat());
        }
        if rows.len() == before {
            rows.push([first, vec![Cell::default(); 4]].concat());
        }
    }
    table(&heads, &rows, coloured)
}
