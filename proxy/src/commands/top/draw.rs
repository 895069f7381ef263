//! The screen: a function of what it shows and how large it is.

mod sbi;

use std::net::IpAddr;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Paragraph, Row, Table};

use super::super::ask::columns::{Look, bar, printable};
use super::super::ask::{time, words};
use super::super::{endpoints, stats};
use super::state::{Action, Pane, Snapshot, State};
use crate::control::{EndpointView, ServiceView};

/// The smallest screen that anything can be told on.
const SMALLEST: (u16, u16) = (40, 10);

/// Draws a screen.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = format!("{} by {} characters at least", SMALLEST.0, SMALLEST.1);
        return frame.render_widget(Paragraph::new(text), area);
    }
    let banner = u16::from(state.away.is_some());
    let [head, away, body, foot] = Layout::vertical([
        Constraint::Length(3),
        Constraint::Length(banner),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(head_lines(state)), head);
    if let Some(why) = &state.away {
        let style = Style::new().fg(Color::White).bg(Color::Red);
        frame.render_widget(Paragraph::new(format!(" away, trying again: {}", printable(why))).style(style), away);
    }
    if let Some(snapshot) = &state.snapshot {
        panes(state, snapshot, frame, body);
    }
    frame.render_widget(Paragraph::new(foot_line(state)), foot);
}

fn panes(state: &State, snapshot: &Snapshot, frame: &mut Frame<'_>, area: Rect) {
    if snapshot.is_scp_alone() {
        return sbi::pane(state, snapshot, frame, area);
    }
    // A frame takes two lines, the headings one.
    let lines = |rows: usize| u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(3);
    let services = lines(snapshot.services.len()).min((area.height / 4).max(6));
    let packets = lines(snapshot.stats.packets.len()).min((area.height / 3).max(4));
    let producers = match &snapshot.stats.sbi {
        Some(sbi) => lines(sbi.producers.len()).min((area.height / 4).max(5)),
        None => 0,
    };
    let [services, endpoints, producers, packets] = Layout::vertical([
        Constraint::Length(services),
        Constraint::Min(4),
        Constraint::Length(producers),
        Constraint::Length(packets),
    ])
    .areas(area);
    services_pane(state, &snapshot.services, frame, services);
    endpoints_pane(state, frame, endpoints);
    sbi::pane(state, snapshot, frame, producers);
    packets_pane(state, snapshot, frame, packets);
}

fn head_lines(state: &State) -> Vec<Line<'static>> {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let Some(Snapshot { stats, .. }) = &state.snapshot else {
        return vec![Line::styled(format!("pinion at {}", printable(&state.target)), bold)];
    };
    let mut sessions = format!("{} sessions", stats.sessions);
    if let Some((placed, ended)) = state.rates.turnover() {
        sessions.push_str(&format!(", {} placed, {} ended", rate(placed), rate(ended)));
    }
    let store = match (stats.store.up, stats.store.waiting, stats.store.lost) {
        (false, ..) => Look::Bad,
        (true, 0, 0) => Look::Plain,
        _ => Look::Warning,
    };
    let mut tables = Vec::new();
    for level in &stats.tables {
        let (percent, look) = stats::fill(level.used, level.bound);
        tables.push(Span::raw(format!("{} {percent}% ", printable(&level.name))));
        tables.push(Span::styled(format!("{}  ", bar(level.used, level.bound, 10)), style(look)));
    }
    for interface in stats.interfaces.iter().filter(|interface| interface.attached == "missing") {
        tables.push(Span::styled(format!("{} missing  ", printable(&interface.name)), style(Look::Bad)));
    }
    vec![
        Line::from(vec![
            Span::styled(format!("pinion {}", printable(&stats.version)), bold),
            Span::raw(format!(" at {}, up {}; {sessions}", printable(&state.target), time::shown(stats.uptime))),
        ]),
        Line::styled(format!("store {}", stats::store(&stats.store)), style(store)),
        Line::from(tables),
    ]
}

fn services_pane(state: &State, services: &[ServiceView], frame: &mut Frame<'_>, area: Rect) {
    let most = services.iter().map(|service| service.sessions).max().unwrap_or(0);
    let rows = visible(services, state.service, area).map(|(line, service)| {
        let serving = match service.serving {
            0 => Look::Bad,
            serving if serving < service.endpoints => Look::Warning,
            _ => Look::Good,
        };
        let addresses: Vec<_> = service.addresses.iter().map(IpAddr::to_string).collect();
        let cells = vec![
            Cell::new(printable(&service.name)),
            Cell::new(service.protocol.as_written()),
            right(service.sessions.to_string()),
            Cell::new(bar(service.sessions, most, 8)),
            Cell::new(format!("{} of {}", service.serving, service.endpoints)).style(style(serving)),
            Cell::new(printable(&service.pool)),
            Cell::new(format!("{} port {}", addresses.join(", "), service.port)),
        ];
        chosen(Row::new(cells), state.pane == Pane::Services && line == state.service)
    });
    let widths = [
        Constraint::Max(20),
        Constraint::Length(8),
        Constraint::Length(10),
        Constraint::Length(8),
        Constraint::Length(12),
        Constraint::Max(16),
        Constraint::Fill(1),
    ];
    let heads = ["SERVICE", "PROTOCOL", "  SESSIONS", "", "SERVING", "POOL", "ADDRESSES"];
    let title = format!(" services {} ", services.len());
    table(rows.collect(), widths, heads, title, state.pane == Pane::Services, frame, area);
}

fn endpoints_pane(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let endpoints = state.endpoints();
    let line_chosen = state.endpoint();
    let most = endpoints.iter().map(|endpoint| endpoint.sessions).max().unwrap_or(0);
    let rows = visible(&endpoints, line_chosen, area).map(|(line, endpoint)| {
        let (word, look) = words::endpoint_state(endpoint.state);
        let cells = vec![
            Cell::new(printable(&format!("{}/{}", endpoint.pool, endpoint.name))),
            Cell::new(word).style(style(look)),
            Cell::new(paths(endpoint)),
            right(endpoint.sessions.to_string()),
            Cell::new(bar(endpoint.sessions, most, 8)),
            right(change(state.rates.sessions(&endpoint.pool, &endpoint.name))),
            right(endpoints::weight(endpoint)),
            Cell::new(why(endpoint)),
        ];
        chosen(Row::new(cells), state.pane == Pane::Endpoints && line == line_chosen)
    });
    let widths = [
        // More than a Length: on a narrow screen the others give way.
        Constraint::Min(16),
        Constraint::Length(8),
        Constraint::Length(5),
        Constraint::Length(10),
        Constraint::Length(8),
        Constraint::Length(8),
        Constraint::Length(10),
        Constraint::Fill(1),
    ];
    let heads = ["ENDPOINT", "STATE", "PATHS", "  SESSIONS", "", "  CHANGE", "    WEIGHT", "WHY"];
    let title = format!(" endpoints {}, {} ", endpoints.len(), state.sort.name());
    table(rows.collect(), widths, heads, title, state.pane == Pane::Endpoints, frame, area);
}

fn packets_pane(state: &State, snapshot: &Snapshot, frame: &mut Frame<'_>, area: Rect) {
    let packets = &snapshot.stats.packets;
    // What the columns before leave between the borders.
    let width = usize::from(area.width.saturating_sub(2 + 8 + 18 + 10 + 12 + 4));
    let rows = visible(packets, state.packet, area).map(|(line, count)| {
        let rates = state.rates.packets(&count.verdict, &count.reason);
        let look = if count.packets == 0 { Look::Faint } else { stats::verdict(&count.verdict) };
        let cells = vec![
            Cell::new(printable(&count.verdict)).style(style(look)),
            Cell::new(printable(&count.reason)),
            right(rates.last().map_or_else(|| "-".to_owned(), |now| rate(*now))),
            Cell::new(format!("{:>12}", count.packets)),
            Cell::new(spark(&rates, width)).style(style(look)),
        ];
        chosen(Row::new(cells), state.pane == Pane::Packets && line == state.packet)
    });
    let widths = [
        Constraint::Length(8),
        Constraint::Length(18),
        Constraint::Length(10),
        Constraint::Length(12),
        Constraint::Fill(1),
    ];
    let heads = ["VERDICT", "REASON", "      RATE", "     PACKETS", ""];
    table(rows.collect(), widths, heads, " packets ".to_owned(), state.pane == Pane::Packets, frame, area);
}

fn foot_line(state: &State) -> Line<'static> {
    match (&state.question, &state.note) {
        (Some(Action::Drain { endpoint, sessions }), _) => Line::styled(
            format!(
                "Give {} no new sessions? The {sessions} that it has stay until they end. y/n",
                printable(endpoint)
            ),
            style(Look::Warning),
        ),
        (Some(Action::Undo { endpoint }), _) => {
            let text = format!("Give {} new sessions again? y/n", printable(endpoint));
            Line::styled(text, style(Look::Warning))
        }
        (None, Some(note)) => Line::raw(printable(note)),
        (None, None) => Line::styled("q quit  tab pane  arrows move  d drain or undo  s sort", style(Look::Faint)),
    }
}

fn table<const N: usize>(
    rows: Vec<Row<'static>>,
    widths: [Constraint; N],
    heads: [&'static str; N],
    title: String,
    is_focused: bool,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let look = if is_focused { Style::new().fg(Color::Cyan) } else { style(Look::Faint) };
    let head = Row::new(heads).style(Style::new().add_modifier(Modifier::BOLD));
    let block = Block::bordered().title(title).border_style(look);
    frame.render_widget(Table::new(rows, widths).header(head).block(block), area);
}

/// The lines that fit, the chosen one among them.
fn visible<T>(rows: &[T], chosen: usize, area: Rect) -> impl Iterator<Item = (usize, &T)> {
    let room = usize::from(area.height.saturating_sub(3));
    let first = chosen.saturating_add(1).saturating_sub(room);
    rows.iter().enumerate().skip(first).take(room)
}

fn chosen(row: Row<'static>, is_chosen: bool) -> Row<'static> {
    if is_chosen { row.style(Style::new().add_modifier(Modifier::REVERSED)) } else { row }
}

fn right(text: String) -> Cell<'static> {
    Cell::new(Line::raw(text).right_aligned())
}

fn style(look: Look) -> Style {
    match look {
        Look::Plain => Style::new(),
        Look::Good => Style::new().fg(Color::Green),
        Look::Bad => Style::new().fg(Color::Red),
        Look::Warning => Style::new().fg(Color::Yellow),
        Look::Faint => Style::new().add_modifier(Modifier::DIM),
    }
}

/// A sign for each path: up, down, not probed.
fn paths(endpoint: &EndpointView) -> Line<'static> {
    let sign = |up| match up {
        Some(true) => Span::styled("●", style(Look::Good)),
        Some(false) => Span::styled("○", style(Look::Bad)),
        None => Span::styled("·", style(Look::Faint)),
    };
    Line::from(endpoint.paths.iter().map(|path| sign(path.up)).collect::<Vec<_>>())
}

fn why(endpoint: &EndpointView) -> String {
    let mut text = format!("{} for {}", endpoint.why, time::shown(endpoint.since));
    if let Some(load) = endpoints::load(endpoint) {
        text.push_str(&format!(", {load}"));
    }
    if let Some(deadline) = endpoints::deadline(endpoint) {
        text.push_str(&format!(", sessions end in {}", time::shown(deadline)));
    }
    printable(&text)
}

/// A rate in three digits.
fn rate(rate: f64) -> String {
    let (number, unit) = match rate {
        ..1e3 => (rate, ""),
        ..1e6 => (rate / 1e3, "k"),
        ..1e9 => (rate / 1e6, "M"),
        _ => (rate / 1e9, "G"),
    };
    if number < 10.0 && number > 0.0 { format!("{number:.1}{unit}/s") } else { format!("{number:.0}{unit}/s") }
}

fn change(rate_of_change: f64) -> String {
    if rate_of_change == 0.0 {
        return String::new();
    }
    format!("{}{}", if rate_of_change < 0.0 { '-' } else { '+' }, rate(rate_of_change.abs()))
}

/// The latest rates as columns, the last at the right.
fn spark(rates: &[f64], width: usize) -> String {
    const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let shown = rates.get(rates.len().saturating_sub(width)..).unwrap_or_default();
    let most = shown.iter().copied().fold(0.0, f64::max);
    let column = |rate: &f64| {
        let part = if most > 0.0 { rate / most } else { 0.0 };
        let steps = (1..8u8).filter(|step| part > f64::from(*step) / 8.0).count();
        match STEPS.get(steps) {
            Some(step) if *rate > 0.0 => *step,
            _ => ' ',
        }
    };
    let columns: String = shown.iter().map(column).collect();
    format!("{columns:>width$}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::sample;
    use super::super::state::Key;
    use super::*;

    fn screen(state: &State, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(state, frame)).unwrap();
        super::super::text(terminal.backend().buffer())
    }

    #[test]
    fn the_screen() {
        assert_snapshot!("wide", screen(&sample::moving(), 120, 30));
        assert_snapshot!("narrow", screen(&sample::moving(), 80, 24));
        assert_snapshot!("tiny", screen(&sample::moving(), 40, 10));
        assert_snapshot!("too_small", screen(&sample::moving(), 39, 10));
    }

    #[test]
    fn the_scp_alone_and_beside_others() {
        assert_snapshot!("scp", screen(&sample::scp(), 120, 12));
        assert_snapshot!("narrow_scp", screen(&sample::scp(), 80, 12));
        let mut state = sample::moving();
        let mut beside = sample::snapshot();
        beside.stats.sbi = Some(sample::sbi());
        state.observe(beside, Duration::from_secs(31));
        assert_snapshot!("scp_beside", screen(&state, 100, 30));
    }

    #[test]
    fn before_the_daemon_answers() {
        let mut state = State::new("/run/pinion/api.sock".into());
        assert_snapshot!("nothing_yet", screen(&state, 80, 10));
        state.away = Some("no daemon listens at /run/pinion/api.sock".into());
        assert_snapshot!("away_at_first", screen(&state, 80, 10));
    }

    #[test]
    fn a_daemon_that_went_away_leaves_what_it_said() {
        let mut state = sample::moving();
        state.away = Some("no daemon listens at /run/pinion/api.sock".into());
        assert_snapshot!("away", screen(&state, 100, 24));
    }

    #[test]
    fn questions_and_notes_are_at_the_foot() {
        let mut state = sample::moving();
        state.key(Key::Drain);
        assert_snapshot!("question", screen(&state, 80, 10));
        state.key(Key::Other);
        state.note = Some("amf/amf-1 drains".into());
        assert!(screen(&state, 80, 10).ends_with("amf/amf-1 drains\n"));
    }

    #[test]
    fn of_many_endpoints_the_chosen_one_is_seen() {
        let mut state = sample::state();
        let mut many = sample::snapshot();
        let first = many.endpoints[0].clone();
        many.endpoints =
            (0..2000).map(|number| EndpointView { name: format!("amf-{number}"), ..first.clone() }).collect();
        state.observe(many, Duration::from_secs(100));
        state.key(Key::Last);
        let screen = screen(&state, 100, 24);
        assert!(screen.contains("amf/amf-1999") && screen.contains("endpoints 2000"), "{screen}");
    }

    #[test]
    fn any_size_can_be_drawn() {
        let state = sample::moving();
        for (width, height) in [(0, 0), (1, 1), (40, 10), (41, 11), (500, 10), (40, 200), (300, 100)] {
            screen(&state, width, height);
        }
    }

    #[test]
    fn sparks_end_at_the_right() {
        assert_eq!(spark(&[], 4), "    ");
        assert_eq!(spark(&[0.0, 1.0, 4.0, 8.0], 6), "   ▁▄█");
        assert_eq!(spark(&[9.0, 9.0, 1.0, 0.5], 2), "█▄");
    }

    #[test]
    fn rates_have_three_digits() {
        let shown = [0.0, 0.25, 9.94, 10.4, 999.4, 1500.0, 25_000.0, 7.25e6, 3e9].map(rate);
        assert_eq!(shown, ["0/s", "0.2/s", "9.9/s", "10/s", "999/s", "1.5k/s", "25k/s", "7.2M/s", "3.0G/s"]);
    }
}
