//! The screen: a function of how everybody is, what happened, and how large it is.

use pinion_protocols::sctp::endpoint::Reach;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Paragraph, Row, Table};

use super::super::{Client, Event, Kind, Picture, Server};
use crate::commands::ask::columns::{bar, printable};
use crate::demo::cast::{Member, Network, Role};
use crate::demo::ledger::Tally;
use crate::demo::sbi::View;
use crate::demo::theatre::Control;

const GOOD: Style = Style::new().fg(Color::Green);
const BAD: Style = Style::new().fg(Color::Red);
const DOUBTFUL: Style = Style::new().fg(Color::Yellow);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

/// Columns of what is beside each other; of the middle, at the least.
const GNBS: u16 = 38;
const MIDDLE: u16 = 26;
const SERVERS: u16 = 42;

/// Draws a screen.
pub(super) fn draw(picture: &Picture, events: &[Event], frame: &mut Frame<'_>) {
    let rows = picture.gnbs.len().max(picture.servers.len());
    let body = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(3);
    // A narrow screen has no room between gNBs and servers: what is there is a line above them.
    let wide = frame.area().width >= GNBS + MIDDLE + SERVERS;
    let [head, line, core, totals, log] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(u16::from(!wide)),
        Constraint::Length(body),
        Constraint::Length(if picture.core.is_some() { 7 } else { 6 }),
        Constraint::Min(3),
    ])
    .areas(frame.area());
    let [gnbs, middle, servers] =
        Layout::horizontal([Constraint::Length(GNBS), Constraint::Min(0), Constraint::Length(SERVERS)])
            .areas(core);
    frame.render_widget(Paragraph::new(title(picture)), head);
    clients(&picture.gnbs, frame, gnbs);
    if wide {
        networks(picture, frame, middle);
    } else {
        frame.render_widget(Paragraph::new(in_a_line(picture)), line);
    }
    match &picture.core {
        None => endpoints(&picture.servers, frame, servers),
        Some(core) => producers(core, frame, servers),
    }
    tallies(picture, frame, totals);
    happened(events, frame, log);
}

fn title(picture: &Picture) -> Line<'static> {
    let how = match picture.engine {
        "kernel" => "steered by XDP in the kernel",
        _ => "simulated, steered in user space",
    };
    Line::from(vec![
        Span::styled("pinion demo", BOLD),
        Span::raw(format!(": a small core, {how}; {:.1} s; q ends it", picture.now.as_secs_f64())),
    ])
}

fn clients(gnbs: &[Client], frame: &mut Frame<'_>, area: Rect) {
    let rows = gnbs.iter().map(|gnb| {
        let amf = gnb.amf.map(|number| Member { role: Role::Amf, number }.to_string()).unwrap_or_default();
        Row::new(vec![
            Cell::new(gnb.member.to_string()),
            Cell::new(paths(&gnb.paths)),
            Cell::new(amf),
            right(gnb.messages.1),
            right(gnb.packets.1),
        ])
    });
    let widths = [5, 5, 6, 8, 8].map(Constraint::Length);
    let head = Row::new(["GNB", "PATHS", "AMF", "MESSAGES", " PACKETS"]).style(DIM);
    let table = Table::new(rows, widths).header(head).column_spacing(1);
    frame.render_widget(table.block(Block::bordered().title(" gNBs ")), area);
}

/// A mark for each path of an association: it answers, it is doubtful, it is down.
fn paths(paths: &[Reach]) -> Line<'static> {
    if paths.is_empty() {
        return Line::styled("none", BAD);
    }
    let mark = |reach: &Reach| match reach {
        Reach::Active => Span::styled("● ", GOOD),
        Reach::PotentiallyFailed => Span::styled("◐ ", DOUBTFUL),
        Reach::Inactive => Span::styled("○ ", BAD),
    };
    Line::from(paths.iter().map(mark).collect::<Vec<_>>())
}

fn networks(picture: &Picture, frame: &mut Frame<'_>, area: Rect) {
    let side = usize::from(area.width.saturating_sub(8)) / 2;
    let mut lines = vec![Line::raw("")];
    let networks = Network::ALL.map(|network| (network.to_string(), picture.cut == Some(network))).into_iter();
    let networks: Vec<_> = networks.chain(picture.core.iter().map(|_| ("SBI".to_owned(), false))).collect();
    let last = networks.len().saturating_sub(1);
    for (at, (network, cut)) in networks.into_iter().enumerate() {
        let middle = match at {
            0 => "┌──────┐",
            1 => "│pinion│",
            at if at == last => "└──────┘",
            _ => "│      │",
        };
        let wire = if cut {
            format!("{}╳ ", "─".repeat(side.saturating_sub(9)))
        } else {
            "─".repeat(side.saturating_sub(7))
        };
        lines.push(Line::from(vec![
            Span::raw(format!(" {network:<5}")),
            Span::styled(format!("{wire:<width$}", width = side.saturating_sub(6)), if cut { BAD } else { GOOD }),
            Span::styled(middle, BOLD),
            Span::styled("─".repeat(side.saturating_sub(1)), GOOD),
        ]));
    }
    lines.push(Line::from_iter([Span::raw(" ")].into_iter().chain(daemon(picture))));
    lines.push(match picture.daemon {
        true => Line::raw(format!(" {}", up(picture))),
        false => Line::raw(" what it set up goes on"),
    });
    lines.push(Line::raw(format!(" {}", sessions(picture))));
    frame.render_widget(Paragraph::new(lines), area);
}

/// The same where there is one line for it.
fn in_a_line(picture: &Picture) -> Line<'static> {
    let mut spans = Vec::new();
    for network in Network::ALL {
        let (mark, style) = if picture.cut == Some(network) { ("╳", BAD) } else { ("─", GOOD) };
        spans.extend([Span::raw(format!(" {network} ")), Span::styled(mark, style)]);
    }
    spans.push(Span::raw("  "));
    spans.extend(daemon(picture));
    let rest = if picture.daemon { up(picture) } else { "the rest goes on".to_owned() };
    spans.push(Span::raw(format!("  {rest}  {}", sessions(picture))));
    Line::from(spans)
}

fn daemon(picture: &Picture) -> [Span<'static>; 2] {
    let how = if picture.daemon { Span::styled("● runs", GOOD) } else { Span::styled("○ killed", BAD) };
    [Span::raw("daemon "), how]
}

fn up(picture: &Picture) -> String {
    let up = picture.servers.iter().filter(|server| server.up == Some(true)).count();
    format!("{up} of {} up", picture.servers.len())
}

/// The sessions that were made by N4, or what SBI is about.
fn sessions(picture: &Picture) -> String {
    if let Some(View { searches, .. }) = picture.core {
        return format!("the NRF asked {searches} times");
    }
    let Control { sessions, restored, .. } = picture.control;
    if restored == 0 {
        format!("{sessions} sessions")
    } else {
        format!("{sessions} sessions, {restored} restored")
    }
}

fn endpoints(servers: &[Server], frame: &mut Frame<'_>, area: Rect) {
    let most = |role: Role| {
        let like = servers.iter().filter(|server| server.member.role == role);
        like.map(|server| server.sessions).max().unwrap_or_default()
    };
    let (amfs, upfs) = (most(Role::Amf), most(Role::Upf));
    let rows = servers.iter().map(|server| {
        let (word, style) = match (server.alive, server.up) {
            (false, Some(false)) => ("down", BAD),
            (false, _) => ("killed", BAD),
            (true, Some(true)) => ("up", GOOD),
            (true, Some(false)) => ("down", DOUBTFUL),
            (true, None) => ("unknown", DIM),
        };
        let most = if server.member.role == Role::Amf { amfs } else { upfs };
        Row::new(vec![
            Cell::new(server.member.to_string()),
            Cell::new(word).style(style),
            right(server.sessions),
            Cell::new(bar(server.sessions, most, 3)),
            server.ues.map_or_else(|| Cell::new(""), right),
            right(server.answered),
        ])
    });
    let widths = [5, 7, 8, 3, 4, 8].map(Constraint::Length);
    let head = Row::new(["NAME", "STATE", "SESSIONS", "", " UES", "ANSWERED"]).style(DIM);
    let table = Table::new(rows, widths).header(head).column_spacing(1);
    frame.render_widget(table.block(Block::bordered().title(" AMFs and UPFs ")), area);
}

fn producers(core: &View, frame: &mut Frame<'_>, area: Rect) {
    let most = |kind| {
        let like = core.producers.iter().filter(|it| it.function.kind == kind);
        like.map(|it| it.resources).max().unwrap_or_default()
    };
    let rows = core.producers.iter().map(|it| {
        let (word, style) = if it.alive { ("lives", GOOD) } else { ("killed", BAD) };
        Row::new(vec![
            Cell::new(it.function.to_string()),
            Cell::new(word).style(style),
            right(it.resources),
            Cell::new(bar(it.resources, most(it.function.kind), 3)),
            right(it.answered),
        ])
    });
    let widths = [5, 7, 9, 3, 8].map(Constraint::Length);
    let head = Row::new(["NAME", "STATE", "RESOURCES", "", "ANSWERED"]).style(DIM);
    let table = Table::new(rows, widths).header(head).column_spacing(1);
    frame.render_widget(table.block(Block::bordered().title(" UDMs and SMFs ")), area);
}

fn tallies(picture: &Picture, frame: &mut Frame<'_>, area: Rect) {
    let row = |name: &'static str, tally: &Tally| {
        let figures = [tally.sessions, tally.sent, tally.answered];
        let mut cells = vec![Cell::new(name)];
        cells.extend(figures.map(right));
        for (all, due) in [(tally.lost, tally.had_to_be_lost), (tally.moved, tally.had_to_move)] {
            cells.push(right(all).style(if all > due { BAD } else { Style::new() }));
            cells.push(right(due));
        }
        Row::new(cells)
    };
    let rows =
        [row("associations", &picture.associations), row("tunnels", &picture.tunnels), row("UEs", &picture.ues)];
    let rows = rows.into_iter().chain(picture.core.iter().map(|core| row("resources", &core.tally)));
    let widths = [12, 8, 8, 8, 6, 9, 6, 6].map(Constraint::Length);
    let heads = ["", "SESSIONS", "    SENT", "ANSWERED", "  LOST", "HAD TO BE", " MOVED", "HAD TO"];
    let table = Table::new(rows, widths).header(Row::new(heads).style(DIM)).column_spacing(1);
    let title = if picture.core.is_some() { " counted by gNBs and AMFs " } else { " counted by the gNBs " };
    frame.render_widget(table.block(Block::bordered().title(title)), area);
}

/// The last things that happened, the newest at the end.
fn happened(events: &[Event], frame: &mut Frame<'_>, area: Rect) {
    let room = usize::from(area.height.saturating_sub(2));
    let shown = events.get(events.len().saturating_sub(room)..).unwrap_or_default();
    let lines = shown.iter().map(|event| {
        let style = match event.kind {
            Kind::Build => Style::new(),
            Kind::Break => BAD,
            Kind::Mend => GOOD,
            Kind::Seen => DIM,
        };
        let tenths = event.at.as_micros() / 100_000;
        Line::from(vec![
            Span::raw(format!("{:>3}.{} ", tenths / 10, tenths % 10)),
            Span::styled(format!("{:<6}", event.kind.word()), style),
            Span::raw(printable(&event.text)),
        ])
    });
    let log = Paragraph::new(lines.collect::<Vec<_>>());
    frame.render_widget(log.block(Block::bordered().title(" what happened ")), area);
}

fn right(number: u64) -> Cell<'static> {
    Cell::new(Line::raw(number.to_string()).right_aligned())
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::demo::audience::Audience;
    use crate::demo::error::DemoError;
    use crate::demo::sbi::ProducerView;
    use crate::demo::sbi::cast::{Function, producers};
    use crate::demo::stage::user::UserStage;
    use crate::demo::theatre::Theatre;

    /// Keeps the screens of some moments, on a terminal of this size.
    struct Album {
        events: Vec<Event>,
        size: (u16, u16),
        moments: Vec<(u128, &'static str)>,
    }

    impl Audience for Album {
        fn hear(&mut self, event: &Event) -> Result<(), DemoError> {
            self.events.push(event.clone());
            Ok(())
        }

        fn see(&mut self, picture: &Picture) -> Result<(), DemoError> {
            let due = |(at, _): &mut (u128, &str)| picture.now.as_millis() >= *at;
            for (_, name) in self.moments.extract_if(.., due) {
                let mut picture = picture.clone();
                picture.core = name.ends_with("sbi").then(core);
                let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
                terminal.draw(|frame| draw(&picture, &self.events, frame)).unwrap();
                let screen = crate::commands::top::text(terminal.backend().buffer());
                insta::with_settings!({omit_expression => true}, { insta::assert_snapshot!(name, screen); });
            }
            if self.moments.is_empty() { Err(DemoError::Interrupted) } else { Ok(()) }
        }
    }

    /// What is no more the same every time, at a time when everything else is.
    fn core() -> View {
        let producer = |function: Function| ProducerView {
            function,
            alive: function.number != 2,
            resources: function.number.into(),
            answered: 100,
        };
        let tally =
            Tally { sessions: 12, sent: 604, answered: 600, lost: 4, had_to_be_lost: 4, ..Tally::default() };
        View { producers: producers().map(producer).collect(), searches: 3, tally }
    }

    async fn seen(size: (u16, u16), moments: Vec<(u128, &'static str)>) {
        let album = Album { events: Vec::new(), size, moments };
        let mut theatre = Theatre::new(UserStage::new(false).unwrap(), album);
        let ended = crate::demo::story::play(&mut theatre).await;
        assert!(matches!(ended, Err(DemoError::Interrupted)), "{ended:?}");
    }

    #[tokio::test]
    async fn the_story_as_it_is_seen() {
        let moments = vec![
            (4_000, "a_network_is_cut"),
            (9_000, "the_daemon_is_dead"),
            (14_700, "ues_return"),
            (19_300, "the_end"),
            (19_300, "sbi"),
        ];
        seen((110, 29), moments).await;
    }

    #[tokio::test]
    async fn eighty_columns_do() {
        let moments = vec![
            (4_000, "narrow_and_cut"),
            (9_000, "narrow_and_dead"),
            (14_700, "narrow_ues"),
            (19_300, "narrow_end"),
            (19_300, "narrow_sbi"),
        ];
        seen((80, 24), moments).await;
    }
}
