//! The N4 front end: how many messages it takes, what it adds to a procedure, what a session costs; in memory, and through
//! sockets.
//!
//! Its peers remember nothing, so that what is measured is the front end: each answer is made from its request.

mod peers;
mod wire;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use pinion_n4::{Bounds, FrontEnd, Mode, Output, Placement, Serves, Settings, Timers, Upf, UserPlane};
use pinion_protocols::pfcp::PORT;

use super::{BenchError, Report, memory};
use crate::figures::millis;
use peers::{Asks, answer};

const OWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);
const N3: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 100);
const SMF: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const UPFS: u8 = 3;

/// Sessions whose lives are measured, and those whose memory is.
const LIVES: u32 = 50_000;
const CROWD: u32 = 200_000;
/// As many sessions as there may be, and those that are made then.
const MILLION: u32 = 1_000_000;
const MORE: u32 = 20_000;
/// Sessions of the UPF that is lost.
const LOST: u32 = 10_000;
/// Establishments of which one in a hundred may take longer, and how many a second that is half of what there can be.
const TIMED: u32 = 20_000;

/// Runs the bench.
pub(super) fn run(report: &mut Report) -> Result<(), BenchError> {
    // What was in memory once stays with the process.
    let empty = memory()?;
    let (messages, took) = lives(false);
    report.row("n4/messages", "messages/s", messages as f64 / took.as_secs_f64(), None, "at least 200000");
    let (messages, took) = lives(true);
    report.row("n4/messages-restorable", "messages/s", messages as f64 / took.as_secs_f64(), None, "");
    report.row("n4/establishment-p99", "us", establishment_p99(), None, "at most 30");
    report.row("n4/session", "bytes", session_size(false)?, None, "at most 1024");
    report.row("n4/session-restorable", "bytes", session_size(true)?, None, "at most 4096");
    for (restore, bytes, rate, goal) in [
        (false, "n4/1000000-sessions", "n4/at-1000000", "at most 1024"),
        (true, "n4/1000000-restorable", "n4/at-1000000-restorable", "at most 4096"),
    ] {
        let Crowd { resident, first, last } = million(restore)?;
        let of_one = resident.saturating_sub(empty) as f64 / f64::from(MILLION);
        report.row(bytes, "bytes", of_one, None, goal);
        report.row(rate, "sessions/s", last, Some(first), "");
    }
    let (restored, took) = restored();
    if restored != LOST {
        return Err(BenchError::Missing(format!("{restored} of {LOST} sessions were restored")));
    }
    report.row("n4/restore-10000", "ms", millis(took), None, "at most 2000");
    let wire::Figures { most: [through, direct], p99: [slower, faster] } = wire::run()?;
    report.row("n4/wire-sessions", "sessions/s", through, Some(direct), "");
    report.row("n4/wire-p99", "us", slower, Some(faster), "");
    report.row("n4/wire-p99-added", "us", slower - faster, None, "");
    Ok(())
}

/// A front end between peers that remember nothing.
struct Stage {
    front_end: FrontEnd<()>,
    clock: Duration,
    /// How long the front end took, and for how many messages of peers.
    spent: Duration,
    messages: u64,
    /// The front end's SEIDs and F-TEIDs, as the SMF is told.
    told: Vec<u64>,
    /// A UPF that does not answer.
    dead: Option<IpAddr>,
}

impl Stage {
    fn new(restore: bool) -> Self {
        let front_end = FrontEnd::new(settings(restore), 0xe800_0000, 7);
        let mut stage = Self {
            front_end,
            clock: Duration::ZERO,
            spent: Duration::ZERO,
            messages: 0,
            told: Vec::new(),
            dead: None,
        };
        stage.tick(Duration::ZERO);
        stage.take(smf(), &Asks::association());
        stage
    }

    fn tick(&mut self, time: Duration) {
        self.clock += time;
        let begun = Instant::now();
        self.front_end.tick(self.clock);
        self.spent += begun.elapsed();
        self.put_out();
    }

    /// Gives it a message of a peer, and what the others answer to what comes out.
    fn take(&mut self, from: SocketAddr, message: &[u8]) {
        self.give(from, message);
        self.put_out();
    }

    fn give(&mut self, from: SocketAddr, message: &[u8]) {
        let begun = Instant::now();
        self.front_end.receive(self.clock, from, message);
        self.spent += begun.elapsed();
        self.messages += 1;
    }

    fn put_out(&mut self) {
        loop {
            let begun = Instant::now();
            let output = self.front_end.output();
            self.spent += begun.elapsed();
            match output {
                None => return,
                Some(Output::Send { to, bytes }) if to.ip() == IpAddr::V4(SMF) => {
                    self.told.extend(peers::seid(&bytes));
                }
                Some(Output::Send { to, bytes }) if Some(to.ip()) != self.dead => {
                    if let Some(answer) = answer(&bytes, to.ip()) {
                        self.give(to, &answer);
                    }
                }
                Some(Output::Commit { batch, .. }) => {
                    let begun = Instant::now();
                    self.front_end.installed(self.clock, batch, ());
                    self.spent += begun.elapsed();
                }
                Some(Output::Send { .. } | Output::Keep { .. } | Output::Upf { .. }) => {}
                Some(Output::Lead(_) | Output::Classify(_)) => {}
            }
        }
    }

    fn establish(&mut self, asks: &mut Asks, sessions: u32) {
        for _ in 0..sessions {
            let message = asks.establishment();
            self.take(smf(), &message);
        }
    }
}

/// Messages of whole lives, and what the front end took for them: made, given their gNB, asked, ended.
fn lives(restore: bool) -> (u64, Duration) {
    let (mut stage, mut asks) = (Stage::new(restore), Asks::default());
    (stage.spent, stage.messages) = (Duration::ZERO, 0);
    stage.establish(&mut asks, LIVES);
    let smf = smf();
    for seid in std::mem::take(&mut stage.told) {
        for message in [asks.activation(seid), asks.query(seid), asks.deletion(seid)] {
            stage.take(smf, &message);
        }
    }
    (stage.messages, stage.spent)
}

/// Microseconds that 99 of 100 establishments take at most, within the front end, all of it counted.
fn establishment_p99() -> f64 {
    let (mut stage, mut asks) = (Stage::new(false), Asks::default());
    let mut took: Vec<Duration> = (0..TIMED)
        .map(|_| {
            stage.spent = Duration::ZERO;
            stage.establish(&mut asks, 1);
            stage.spent
        })
        .collect();
    took.sort_unstable();
    took.get(took.len() * 99 / 100).map_or(f64::NAN, |it| it.as_secs_f64() * 1e6)
}

/// A million sessions: bytes of the process, and sessions made in a second, of the first ones and beyond the last.
struct Crowd {
    resident: u64,
    first: f64,
    last: f64,
}

fn million(restore: bool) -> Result<Crowd, BenchError> {
    let (mut stage, mut asks) = (Stage::new(restore), Asks::default());
    let mut rate = |stage: &mut Stage| {
        stage.spent = Duration::ZERO;
        stage.establish(&mut asks, MORE);
        // What the SMF remembers is not the front end's.
        stage.told = Vec::new();
        f64::from(MORE) / stage.spent.as_secs_f64()
    };
    let first = rate(&mut stage);
    for _ in 1..MILLION / MORE {
        rate(&mut stage);
    }
    let resident = memory()?;
    let last = rate(&mut stage);
    let sessions = stage.front_end.session_count();
    if sessions != (MILLION + MORE) as usize {
        return Err(BenchError::Missing(format!("{sessions} sessions were made of {}", MILLION + MORE)));
    }
    Ok(Crowd { resident, first, last })
}

/// Bytes of memory that a session takes.
fn session_size(restore: bool) -> Result<f64, BenchError> {
    let (mut stage, mut asks) = (Stage::new(restore), Asks::default());
    stage.told.reserve(CROWD as usize + 1);
    // What is remembered of answers has its bound, and is full by then.
    stage.establish(&mut asks, Bounds::default().answers * 2);
    let before = memory()?;
    stage.establish(&mut asks, CROWD);
    let after = memory()?;
    Ok(after.saturating_sub(before) as f64 / f64::from(CROWD))
}

/// How many sessions of a lost UPF are made again, and what the front end takes for it.
fn restored() -> (u32, Duration) {
    let (mut stage, mut asks) = (Stage::new(true), Asks::default());
    stage.establish(&mut asks, LOST * u32::from(UPFS));
    stage.dead = Some(upf(1).into());
    stage.spent = Duration::ZERO;
    let timers = Timers::default();
    // A heartbeat that nobody answers, as often as it is sent; then the sessions.
    for _ in 0..100 {
        stage.tick(timers.t1);
        if stage.front_end.counts().restored >= u64::from(LOST) {
            break;
        }
    }
    (u32::try_from(stage.front_end.counts().restored).unwrap_or(u32::MAX), stage.spent)
}

fn smf() -> SocketAddr {
    SocketAddr::new(SMF.into(), PORT)
}

fn upf(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, 10 + number)
}

fn settings(restore: bool) -> Settings {
    settings_at(OWN, upf, restore)
}

/// Of a front end at an address, with UPFs.
fn settings_at(own: Ipv4Addr, upf: impl Fn(u8) -> Ipv4Addr, restore: bool) -> Settings {
    let n3 = |number| IpAddr::V4(peers::n3(upf(number)));
    Settings {
        address: own.into(),
        upfs: (1..=UPFS)
            .map(|number| Upf {
                name: format!("upfs/upf-{number}").into(),
                address: upf(number).into(),
                weight: 1,
                priority: 0,
                drained: false,
                serves: Serves::default(),
            })
            .collect(),
        user_plane: vec![UserPlane {
            service: "n3".into(),
            addresses: vec![N3.into()],
            endpoints: (1..=UPFS).map(|number| (format!("n3/upf-{number}").into(), vec![n3(number)])).collect(),
        }],
        breakouts: Vec::new(),
        placement: Placement::LeastSessions,
        restore,
        smf_teids: false,
        mode: Mode::Terminate,
        timers: Timers::default(),
        bounds: Bounds { sessions: MILLION + MORE, ..Bounds::default() },
    }
}
