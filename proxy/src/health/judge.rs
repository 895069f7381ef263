//! Whether a path is up, by what was heard of it.

use std::time::Duration;

use tokio::time::Instant;

use super::outcome::{Failure, Outcome, Signal};

/// The judge of one path.
///
/// Unknown at first; up after `rise` answers in a row, down after `fall` failures in a row. A failure ends a row of
/// answers, and an answer a row of failures: nothing adds up over time.
#[derive(Clone, Debug)]
pub struct Judge {
    rise: u8,
    fall: u8,
    up: Option<bool>,
    since: Instant,
    /// The last outcome of a probe, or signal.
    last: Option<Outcome>,
    /// How many of the same kind in a row.
    row: Row,
    round_trip: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    Answers(u32),
    Failures(u32),
}

impl Judge {
    /// A path of which nothing is known. `rise` and `fall` of 0 count as 1.
    pub fn new(rise: u8, fall: u8, now: Instant) -> Self {
        Self { rise, fall, up: None, since: now, last: None, row: Row::Answers(0), round_trip: None }
    }

    /// Takes in what became of a probe. Gives whether the path is up now, where that changed.
    pub fn hear(&mut self, outcome: Outcome, now: Instant) -> Option<bool> {
        let turned = match &outcome {
            Outcome::Answer(answer) => {
                self.round_trip = answer.round_trip();
                let row = match self.row {
                    Row::Answers(row) => row.saturating_add(1),
                    Row::Failures(_) => 1,
                };
                self.row = Row::Answers(row);
                (row >= u32::from(self.rise)).then_some(true)
            }
            Outcome::Failure(_) => {
                let row = match self.row {
                    Row::Failures(row) => row.saturating_add(1),
                    Row::Answers(_) => 1,
                };
                self.row = Row::Failures(row);
                (row >= u32::from(self.fall)).then_some(false)
            }
            Outcome::Unprobed(_) => None,
        };
        self.last = Some(outcome);
        let turned = turned.filter(|_| self.up != turned)?;
        self.up = Some(turned);
        self.since = now;
        Some(turned)
    }

    /// Takes in what the packet path saw of a path that is up: one failure more, but never the last that is missing.
    /// Anybody could have sent it, so a probe has the last word.
    pub fn see(&mut self, signal: Signal) {
        if self.up != Some(true) {
            return;
        }
        let before = match self.row {
            Row::Failures(row) => row,
            Row::Answers(_) => 0,
        };
        let most = u32::from(self.fall).saturating_sub(1);
        self.row = Row::Failures(before.saturating_add(1).min(most).max(before));
        self.last = Some(Outcome::Failure(Failure::Seen(signal)));
    }

    /// Judges by other counts from the next outcome on; what is known stays.
    pub fn recount(&mut self, rise: u8, fall: u8) {
        self.rise = rise;
        self.fall = fall;
    }

    /// Whether the path is up; `None` before that is known.
    pub fn up(&self) -> Option<bool> {
        self.up
    }

    /// Since when it is so.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// How long the last answer took.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// What was seen last, in words.
    pub fn why(&self) -> String {
        match (&self.last, self.row) {
            (None, _) => "not probed yet".to_owned(),
            (Some(Outcome::Unprobed(obstacle)), _) => format!("cannot probe: {obstacle}"),
            (Some(Outcome::Answer(answer)), _) if self.up == Some(true) => answer.to_string(),
            (Some(Outcome::Answer(answer)), Row::Answers(row) | Row::Failures(row)) => {
                format!("{answer}, {row} of {} in a row", self.rise)
            }
            (Some(Outcome::Failure(failure)), Row::Answers(row) | Row::Failures(row)) => {
                if row == 0 {
                    failure.to_string()
                } else if self.up != Some(false) {
                    format!("{failure}, {row} of {} in a row", self.fall)
                } else if row > 1 {
                    format!("{failure}, {row} in a row")
                } else {
                    failure.to_string()
                }
            }
        }
    }
}

/// Whether an endpoint is up, by its paths: up while any path is, down when all are, unknown otherwise.
pub fn endpoint_up(paths: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = None;
    for path in paths {
        match path {
            Some(true) => return Some(true),
            Some(false) => all = all.or(Some(Some(false))),
            None => all = Some(None),
        }
    }
    all.flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Answer, Obstacle};

    const ASKED: &str = "GTP-U Echo";

    fn answer() -> Outcome {
        Outcome::Answer(Answer::To(ASKED, Duration::from_millis(2)))
    }

    fn silent() -> Outcome {
        Outcome::Failure(Failure::Silent { asked: ASKED, within: Duration::from_secs(1) })
    }

    /// Feeds `+` answers, `-` failures, `s` signals and `?` obstacles; gives `U` and `D` where the path turns.
    fn turns(rise: u8, fall: u8, heard: &str) -> String {
        let mut judge = Judge::new(rise, fall, Instant::now());
        let turn = |heard| {
            let now = Instant::now();
            let turned = match heard {
                '+' => judge.hear(answer(), now),
                '-' => judge.hear(silent(), now),
                's' => {
                    judge.see(Signal::Reset);
                    None
                }
                _ => judge.hear(Obstacle::Privilege.into(), now),
            };
            match turned {
                Some(true) => 'U',
                Some(false) => 'D',
                None => '.',
            }
        };
        heard.chars().map(turn).collect()
    }

    #[test]
    fn rows_count_and_sums_do_not() {
        for (rise, fall, heard, turned) in [
            (2, 3, "++---++", ".U..D.U"),
            (2, 3, "++--+--+--+--", ".U..........."),
            (2, 3, "---+-+-+-++", "..D.......U"),
            (1, 1, "+-+-", "UDUD"),
            (1, 3, "+-+-+-+-+-+-+-", "U............."),
            (3, 3, "+-+-+-+-", "........"),
            (1, 3, "---", "..D"),
            (0, 0, "+-", "UD"),
            (1, 3, "++++++---", "U.......D"),
        ] {
            assert_eq!(turns(rise, fall, heard), turned, "rise {rise}, fall {fall}, {heard}");
        }
    }

    #[test]
    fn a_signal_is_one_failure_but_not_the_last() {
        assert_eq!(turns(1, 3, "+s+s+s+s"), "U.......");
        assert_eq!(turns(1, 3, "+ss+ss"), "U.....");
        assert_eq!(turns(1, 3, "+ssss+s+"), "U.......");
        assert_eq!(turns(1, 3, "+sss-"), "U...D");
        assert_eq!(turns(1, 3, "+s--"), "U..D");
        assert_eq!(turns(1, 1, "+s+s-"), "U...D");
    }

    #[test]
    fn a_signal_says_nothing_of_a_path_that_is_not_up() {
        assert_eq!(turns(2, 2, "s-"), "..");
        assert_eq!(turns(2, 1, "-+s+s+"), "D..U..");
    }

    #[test]
    fn what_could_not_be_asked_changes_nothing() {
        assert_eq!(turns(2, 3, "+?+-?-?-"), "..U....D");
        assert_eq!(turns(1, 1, "????"), "....");
    }

    #[test]
    fn it_says_why() {
        let mut judge = Judge::new(2, 3, Instant::now());
        let mut why = |heard: Outcome| {
            judge.hear(heard, Instant::now());
            judge.why()
        };
        assert_eq!(why(answer()), "answers GTP-U Echo, 1 of 2 in a row");
        assert_eq!(why(answer()), "answers GTP-U Echo");
        assert_eq!(why(silent()), "no answer to GTP-U Echo within 1 s, 1 of 3 in a row");
        assert_eq!(why(Obstacle::Privilege.into()), "cannot probe: a raw socket needs CAP_NET_RAW");
        assert_eq!(why(silent()), "no answer to GTP-U Echo within 1 s, 2 of 3 in a row");
        assert_eq!(why(silent()), "no answer to GTP-U Echo within 1 s, 3 in a row");
        assert_eq!(why(answer()), "answers GTP-U Echo, 1 of 2 in a row");
        assert_eq!(judge.round_trip(), Some(Duration::from_millis(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn since_is_when_it_turned() {
        let mut judge = Judge::new(1, 2, Instant::now());
        for (heard, elapsed) in [(answer(), 0), (answer(), 1), (silent(), 2), (silent(), 0), (silent(), 1)] {
            tokio::time::advance(Duration::from_secs(1)).await;
            judge.hear(heard, Instant::now());
            assert_eq!(judge.since().elapsed(), Duration::from_secs(elapsed));
        }
    }

    #[test]
    fn one_path_keeps_an_endpoint_up() {
        assert_eq!(endpoint_up([Some(false), Some(true)]), Some(true));
        assert_eq!(endpoint_up([Some(false), Some(false)]), Some(false));
        assert_eq!(endpoint_up([Some(false), None]), None);
        assert_eq!(endpoint_up([None, Some(false)]), None);
        assert_eq!(endpoint_up([None, Some(true)]), Some(true));
        assert_eq!(endpoint_up([]), None);
    }

    /// Down only after `fall` failures in a row, up only after `rise` answers in a row, whatever was heard.
    #[test]
    fn turns_only_at_the_end_of_a_row() {
        bolero::check!().with_type::<(u8, u8, Vec<bool>)>().for_each(|(rise, fall, heard)| {
            let now = Instant::now();
            let mut judge = Judge::new(*rise, *fall, now);
            for end in 0..heard.len() {
                let turned = judge.hear(if heard[end] { answer() } else { silent() }, now);
                if let Some(up) = turned {
                    let row = heard[..=end].iter().rev().take_while(|&&it| it == up).count();
                    assert_eq!(up, heard[end]);
                    assert!(row >= usize::from(if up { *rise } else { *fall }));
                }
            }
        });
    }
}
