//! What a demonstration came to.

use std::io::{self, Write};

use pinion_protocols::sctp::endpoint::Time;
use serde::Serialize;

use super::ledger::Tally;
use super::sbi::SbiSummary;
use super::theatre::Control;
use super::ues::{Deeds, Ues};
use crate::commands::ask::columns::{Cell, Side, table};

/// What a demonstration came to, as its clients counted.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    /// What steered: `kernel` or `user`.
    engine: &'static str,
    /// What was missing for the kernel, and what to do about it.
    missing: Vec<String>,

    /// How long it took.
    seconds: f64,
    /// How many associations, tunnels, UEs and resources of SBI there were.
    sessions: u64,
    /// How many NGAP messages gNBs sent.
    messages: u64,
    /// How many user packets gNBs sent.
    packets: u64,
    /// How many SBI requests AMFs sent.
    requests: u64,
    /// How many of all these were never answered.
    lost: u64,
    /// How often sessions moved to another endpoint; those that were restored are among them.
    moved: u64,
    /// How many sessions were made by N4, so that their tunnels were learned.
    learned: u64,
    /// How often the N4 front end made a session again on another UPF.
    restored: u64,
    /// How many were lost with an endpoint that was killed.
    had_to_be_lost: u64,
    /// How many moved from an endpoint that was killed.
    had_to_move: u64,
    /// Whether nothing was lost or moved that did not have to be, and every session is answered at the end.
    as_it_should_be: bool,
    /// The same for each kind of session.
    associations: Tally,
    tunnels: Tally,
    ues: UesSummary,
    sbi: SbiSummary,
}

/// What the UEs came to: `sent` are the messages of gNBs about them, and `answered` those that came to their AMF.
#[derive(Clone, Debug, Serialize)]
struct UesSummary {
    #[serde(flatten)]
    tally: Tally,
    /// How often they did what.
    #[serde(flatten)]
    deeds: Deeds,
    /// What gNBs and AMFs saw that must not be, and messages that were sent and never came; empty.
    faults: Vec<String>,
}

impl UesSummary {
    /// Whether they did everything, those of the AMF that was killed came back elsewhere, and others noticed nothing.
    fn is_as_it_should_be(&self) -> bool {
        let Self { tally, deeds, faults } = self;
        tally.is_as_it_should_be()
            && tally.sent == tally.answered.saturating_add(tally.lost)
            && tally.moved > 0
            && deeds.are_all()
            && faults.is_empty()
    }
}

impl Summary {
    /// The summary at the end.
    pub(super) fn new(
        engine: &'static str,
        now: Time,
        associations: &Tally,
        tunnels: &Tally,
        ues: &Ues,
        control: Control,
        sbi: SbiSummary,
    ) -> Self {
        let ues = UesSummary { tally: ues.tally(), deeds: ues.deeds(), faults: ues.faults() };
        let all =
            |part: fn(&Tally) -> u64| [associations, tunnels, &ues.tally, &sbi.tally].into_iter().map(part).sum();
        Self {
            engine,
            missing: Vec::new(),

            seconds: std::time::Duration::from_millis(now.as_micros() / 1000).as_secs_f64(),
            sessions: all(|tally| tally.sessions),
            messages: associations.sent.saturating_add(ues.tally.sent),
            packets: tunnels.sent,
            requests: sbi.tally.sent,
            lost: all(|tally| tally.lost),
            moved: all(|tally| tally.moved),
            learned: control.made,
            restored: control.restored,
            had_to_be_lost: all(|tally| tally.had_to_be_lost),
            had_to_move: all(|tally| tally.had_to_move),
            as_it_should_be: associations.is_as_it_should_be()
                && tunnels.is_as_it_should_be()
                && ues.is_as_it_should_be()
                && sbi.is_as_it_should_be()
                && control.restored == tunnels.had_to_move,
            associations: *associations,
            tunnels: *tunnels,
            ues,
            sbi,
        }
    }

    /// The same, with what was missing for the kernel.
    pub(crate) fn lacking(mut self, missing: Vec<String>) -> Self {
        self.missing = missing;
        self
    }

    /// Whether nothing was lost, moved or left that should not have been.
    pub(crate) const fn is_as_it_should_be(&self) -> bool {
        self.as_it_should_be
    }

    /// Writes it as a table.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn table(&self, out: &mut impl Write) -> io::Result<()> {
        let heads = [
            ("", Side::Left),
            ("SESSIONS", Side::Right),
            ("SENT", Side::Right),
            ("ANSWERED", Side::Right),
            ("LOST", Side::Right),
            ("HAD TO BE", Side::Right),
            ("MOVED", Side::Right),
            ("HAD TO", Side::Right),
        ];
        let row = |name: &str, tally: &Tally| {
            let Tally { sessions, sent, answered, lost, had_to_be_lost, moved, had_to_move, .. } = *tally;
            let figures = [sessions, sent, answered, lost, had_to_be_lost, moved, had_to_move];
            let figures = figures.map(|figure| Cell::new(figure.to_string()));
            [Cell::new(name)].into_iter().chain(figures).collect::<Vec<_>>()
        };
        let rows = [
            row("associations", &self.associations),
            row("tunnels", &self.tunnels),
            row("UEs", &self.ues.tally),
            row("resources", &self.sbi.tally),
        ];
        write!(out, "\n{}", table(&heads, &rows, false))?;
        let verdict = if self.as_it_should_be {
            let (learned, restored) = (self.learned, self.restored);
            let Deeds { idled, paged, switched, handed_over } = self.ues.deeds;
            let moved = switched.saturating_add(handed_over);
            format!(
                "Nothing was lost and nothing moved but what was on the AMF, the UPF and the UDM\nthat were killed. \
                 Of {learned} sessions learned from N4, {restored} were restored. UEs fell idle\n{idled} times, were \
                 paged {paged} times, and went to another gNB {moved} times."
            )
        } else {
            "Something was lost, moved or left without an answer that should not have been.".to_owned()
        };
        writeln!(out, "\n{verdict}")
    }
}
