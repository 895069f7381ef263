//! The part of the SCP: what it does, and whom it asks.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::widgets::{Cell, Row};

use super::super::super::ask::columns::{Look, printable};
use super::super::super::ask::{time, words};
use super::super::state::{Pane, Snapshot, State};
use super::{chosen, rate, right, style, table, visible};

/// Draws it where there is an SCP.
pub(super) fn pane(state: &State, snapshot: &Snapshot, frame: &mut Frame<'_>, area: Rect) {
    let Some(sbi) = &snapshot.stats.sbi else { return };
    let rows = visible(&sbi.producers, state.producer, area).map(|(line, it)| {
        let (word, look) = words::sbi_state(it.state);
        let [answered, failed] = state.rates.sbi.producer(&it.api_root).map_or([None; 2], |it| it.map(Some));
        let shown = |now: Option<f64>| now.map_or_else(|| "-".to_owned(), rate);
        let failing = if failed.is_some_and(|failed| failed > 0.0) { Look::Bad } else { Look::Plain };
        let cells = vec![
            Cell::new(printable(&it.api_root)),
            Cell::new(printable(it.nf_type.as_deref().unwrap_or("-"))),
            Cell::new(word).style(style(look)),
            right(it.resources.to_string()),
            right(shown(answered)),
            right(shown(failed)).style(style(failing)),
            right(it.answered.to_string()),
            Cell::new(printable(&it.services.join(" "))),
        ];
        chosen(Row::new(cells), state.pane == Pane::Producers && line == state.producer)
    });
    let widths = [
        Constraint::Min(22),
        Constraint::Length(4),
        Constraint::Length(8),
        Constraint::Length(7),
        Constraint::Length(7),
        Constraint::Length(6),
        Constraint::Length(9),
        Constraint::Fill(1),
    ];
    let heads = ["PRODUCER", "NF", "STATE", "   PINS", "   RATE", " FAILS", " ANSWERED", "SERVICES"];
    let mut title = " SCP: ".to_owned();
    if let Some([requests, errors, retries]) = state.rates.sbi.all() {
        title.push_str(&format!("{} requests, {} 5xx, {} retries, ", rate(requests), rate(errors), rate(retries)));
    }
    if let Some(most) = state.rates.sbi.within(99) {
        title.push_str(&format!("99 % within {}, ", time::shown(most)));
    }
    title.push_str(&format!("{} pins, {} at work; {} ", sbi.resources, sbi.working, printable(&sbi.fqdn)));
    table(rows.collect(), widths, heads, title, state.pane == Pane::Producers, frame, area);
}
