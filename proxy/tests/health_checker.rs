//! The checker, by a scripted prober and a clock that the test holds.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "the helpers of a test may stop at the first surprise, as it may")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pinion::config::model::{Health, Probe};
use pinion::health::probe::Prober;
use pinion::health::{Answer, Chance, Change, Checker, Failure, Limits, Outcome, Seen, Signal, Target};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// When each probe of each address started.
type Started = Arc<Mutex<HashMap<SocketAddr, Vec<Instant>>>>;

/// Answers as a function says: by address, and by how many probes went there before.
struct Script<F> {
    started: Started,
    out: Arc<Mutex<(usize, usize)>>,
    lasts: Duration,
    answers: F,
}

impl<F: Fn(SocketAddr, usize) -> bool + Send + Sync + 'static> Script<F> {
    fn new(answers: F) -> Self {
        Self { started: Started::default(), out: Arc::default(), lasts: Duration::from_millis(1), answers }
    }
}

impl<F: Fn(SocketAddr, usize) -> bool + Send + Sync + 'static> Prober for Script<F> {
    async fn probe(&self, target: Arc<Target>, _: [u64; 2]) -> Outcome {
        let before = {
            let mut started = self.started.lock().unwrap();
            let started = started.entry(target.to).or_default();
            started.push(Instant::now());
            started.len() - 1
        };
        {
            let (out, most) = &mut *self.out.lock().unwrap();
            *out += 1;
            *most = (*most).max(*out);
        }
        let answers = (self.answers)(target.to, before);
        sleep(if answers { self.lasts } else { target.health.timeout }).await;
        self.out.lock().unwrap().0 -= 1;
        if answers {
            Outcome::Answer(Answer::To("GTP-U Echo", self.lasts))
        } else {
            Outcome::Failure(Failure::Silent { asked: "GTP-U Echo", within: target.health.timeout })
        }
    }
}

fn health(rise: u8, fall: u8) -> Arc<Health> {
    let (interval, timeout) = (5 * SECOND, SECOND);
    Arc::new(Health { probe: Probe::Gtpu, port: None, interval, timeout, rise, fall, jitter: 20 })
}

/// Endpoint number `endpoint` on path number `path`.
fn target(endpoint: u8, path: u8, health: &Arc<Health>) -> Target {
    let to = SocketAddr::from(([10, path, 0, endpoint], 2152));
    let (pool, name) = ("upf".into(), format!("upf-{endpoint}").into());
    Target { pool, endpoint: name, path: path.into(), to, from: None, health: Arc::clone(health) }
}

fn start(targets: Vec<Target>, prober: impl Prober) -> (Checker, mpsc::Receiver<Change>) {
    Checker::start(targets, prober, Limits::default(), Chance::keyed([1, 2]))
}

/// What came in the time, as `upf-1/0 up`.
async fn turns(changes: &mut mpsc::Receiver<Change>, within: Duration) -> Vec<String> {
    let until = Instant::now() + within;
    let mut turns = Vec::new();
    while let Ok(Some(change)) = timeout(until - Instant::now(), changes.recv()).await {
        let state = if change.up { "up" } else { "down" };
        turns.push(format!("{}/{} {state}", change.endpoint, change.path));
    }
    turns
}

#[tokio::test(start_paused = true)]
async fn a_path_that_loses_every_second_probe_stays_up() {
    let (checker, mut changes) =
        start(vec![target(1, 0, &health(1, 3))], Script::new(|_, before| before % 2 == 0));
    assert_eq!(turns(&mut changes, 3600 * SECOND).await, ["upf-1/0 up"]);
    assert_eq!(checker.snapshot().await[0].view.up, Some(true));
}

#[tokio::test(start_paused = true)]
async fn a_path_that_is_down_stays_down_until_it_answers_in_a_row() {
    let script = Script::new(|_, before| before >= 3 && (before % 2 == 0 || before > 60));
    let started = Arc::clone(&script.started);
    let target = target(1, 0, &health(2, 3));
    let (_checker, mut changes) = start(vec![target.clone()], script);
    assert!(!changes.recv().await.unwrap().up);
    assert!(changes.recv().await.unwrap().up);
    // Numbers 60 and 61, counted from 0, are the first two in a row.
    assert_eq!(started.lock().unwrap()[&target.to].len(), 62);
}

#[tokio::test(start_paused = true)]
async fn it_goes_down_and_comes_back_and_says_why() {
    let script = Script::new(|_, before| !(4..10).contains(&before));
    let (checker, mut changes) = start(vec![target(1, 0, &health(2, 3))], script);
    let up = changes.recv().await.unwrap();
    assert_eq!((up.up, up.why.as_str()), (true, "answers GTP-U Echo"));
    assert_eq!(up.round_trip, Some(Duration::from_millis(1)));
    let down = changes.recv().await.unwrap();
    assert_eq!((down.up, down.endpoint_up), (false, Some(false)));
    assert_eq!(down.why, "no answer to GTP-U Echo within 1 s, 3 in a row");
    sleep(7 * SECOND).await;
    let view = checker.snapshot().await.remove(0).view;
    assert_eq!((view.up, view.since), (Some(false), 7 * SECOND));
    assert_eq!(view.why, "no answer to GTP-U Echo within 1 s, 4 in a row");
    assert_eq!(changes.recv().await.unwrap().why, "answers GTP-U Echo");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_up_while_one_path_is() {
    let health = health(1, 2);
    let script =
        Script::new(|to, before| before < 3 || to == SocketAddr::from(([10, 1, 0, 1], 2152)) && before < 9);
    let (_checker, mut changes) = start(vec![target(1, 0, &health), target(1, 1, &health)], script);
    let mut seen = Vec::new();
    for _ in 0..4 {
        let Change { path, up, endpoint_up, .. } = changes.recv().await.unwrap();
        seen.push((path, up, endpoint_up));
    }
    assert_eq!(
        seen,
        [(0, true, Some(true)), (1, true, Some(true)), (0, false, Some(true)), (1, false, Some(false))]
    );
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_signals_takes_nothing_down_that_answers() {
    let script = Script::new(|_, _| true);
    let started = Arc::clone(&script.started);
    let target = target(1, 0, &health(1, 3));
    let (checker, mut changes) = start(vec![target.clone()], script);
    assert_eq!(turns(&mut changes, 20 * SECOND).await, ["upf-1/0 up"]);
    let before = started.lock().unwrap()[&target.to].len();
    for _ in 0..2000 {
        checker.signal(seen(&target, Signal::Reset));
        sleep(Duration::from_millis(1)).await;
    }
    assert!(turns(&mut changes, 20 * SECOND).await.is_empty());
    let probes = started.lock().unwrap()[&target.to].len() - before;
    // Two seconds of signals: a probe each half of a second, then each five seconds.
    assert!((6..=10).contains(&probes), "{probes}");
}

#[tokio::test(start_paused = true)]
async fn a_signal_has_the_path_probed_at_once() {
    let script = Script::new(|_, before| before < 3);
    let started = Arc::clone(&script.started);
    let target = target(1, 0, &health(1, 2));
    let (checker, mut changes) = start(vec![target.clone()], script);
    let third = loop {
        sleep(Duration::from_millis(10)).await;
        if let Some(&third) = started.lock().unwrap().get(&target.to).and_then(|started| started.get(2)) {
            break third;
        }
    };
    sleep(SECOND).await;
    let told = Instant::now();
    checker.signal(seen(&target, Signal::Unreachable));
    assert_eq!(turns(&mut changes, 2 * SECOND).await, ["upf-1/0 up", "upf-1/0 down"]);
    let fourth = started.lock().unwrap()[&target.to][3];
    assert_eq!((fourth - told).as_millis() / 2, 0, "{:?} after the third", fourth - third);
}

#[tokio::test(start_paused = true)]
async fn a_signal_alone_takes_nothing_down_and_others_are_not_its_own() {
    let script = Script::new(|_, _| true);
    let started = Arc::clone(&script.started);
    let target = target(1, 0, &health(1, 1));
    let (checker, mut changes) = start(vec![target.clone()], script);
    assert_eq!(turns(&mut changes, 20 * SECOND).await, ["upf-1/0 up"]);
    let own = seen(&target, Signal::Abort);
    let probes = || started.lock().unwrap()[&target.to].len();
    let before = probes();
    for other in [
        Seen { address: "10.9.9.9".parse().unwrap(), ..own.clone() },
        Seen { pool: "another".into(), ..own.clone() },
        Seen { endpoint: "another".into(), ..own.clone() },
    ] {
        checker.signal(other);
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(probes(), before);
    checker.signal(own);
    assert!(turns(&mut changes, SECOND).await.is_empty());
    assert_eq!(probes(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_what_is_known_of_the_same() {
    let script = Script::new(|to, _| to.ip() != SocketAddr::from(([10, 0, 0, 2], 0)).ip());
    let started = Arc::clone(&script.started);
    let old = health(1, 3);
    let (checker, mut changes) = start(vec![target(1, 0, &old), target(2, 0, &old), target(3, 0, &old)], script);
    let mut turned = turns(&mut changes, 60 * SECOND).await;
    turned.sort();
    assert_eq!(turned, ["upf-1/0 up", "upf-2/0 down", "upf-3/0 up"]);

    let slower = Arc::new(Health { interval: 50 * SECOND, ..(*old).clone() });
    let mut moved = target(3, 0, &slower);
    moved.to = SocketAddr::from(([10, 0, 0, 33], 2152));
    checker.update(vec![target(2, 0, &slower), target(1, 0, &slower), moved.clone()]).await;
    let known: Vec<_> = checker.snapshot().await.iter().map(|it| (it.endpoint.to_string(), it.view.up)).collect();
    let expected = [("upf-2", Some(false)), ("upf-1", Some(true)), ("upf-3", None)];
    assert_eq!(known, expected.map(|(name, up)| (name.to_owned(), up)));

    let gone = SocketAddr::from(([10, 0, 0, 3], 2152));
    let before = started.lock().unwrap()[&gone].len();
    assert_eq!(turns(&mut changes, 200 * SECOND).await, ["upf-3/0 up"]);
    let started = started.lock().unwrap();
    assert_eq!(started[&gone].len(), before);
    let late = started[&moved.to].len();
    assert!((4..=6).contains(&late), "{late} probes in 200 s");
}

#[tokio::test(start_paused = true)]
async fn many_targets_neither_burst_nor_starve() {
    let mut script = Script::new(|_, _| true);
    script.lasts = Duration::from_millis(900);
    let (started, out) = (Arc::clone(&script.started), Arc::clone(&script.out));
    let health = health(1, 3);
    let targets: Vec<_> = (0..4).flat_map(|path| (0..=255).map(move |it| (it, path))).collect();
    let targets: Vec<_> = targets.into_iter().map(|(endpoint, path)| target(endpoint, path, &health)).collect();
    let limits = Limits { probes: 100, changes: 8 };
    let (_checker, mut changes) = Checker::start(targets, script, limits, Chance::keyed([3, 4]));
    let begun = Instant::now();
    assert_eq!(turns(&mut changes, 60 * SECOND).await.len(), 1024);
    // 1,024 probes of 0.9 s in 5 s are more than 100 at once.
    assert_eq!(out.lock().unwrap().1, 100);
    let started = started.lock().unwrap();
    let counts: Vec<_> = started.values().map(Vec::len).collect();
    assert_eq!(counts.len(), 1024);
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(*least >= 5 && most - least <= 2, "{least} to {most} probes");
    let first = started.values().filter(|it| it[0] - begun < Duration::from_millis(100)).count();
    assert!(first <= 25, "{first} probes in the first tenth of a second");
}

#[tokio::test(start_paused = true)]
async fn changes_that_nobody_reads_stall_nothing() {
    let health = health(1, 1);
    let script = Script::new(|_, before| before % 2 == 0);
    let started = Arc::clone(&script.started);
    let targets = (0..100).map(|endpoint| target(endpoint, 0, &health)).collect();
    let limits = Limits { probes: 512, changes: 1 };
    let (checker, mut changes) = Checker::start(targets, script, limits, Chance::keyed([5, 6]));
    sleep(600 * SECOND).await;
    assert!(started.lock().unwrap().values().all(|started| started.len() > 100));
    // One waits in the channel, and may be of long ago; the others are as paths are now.
    changes.recv().await.unwrap();
    let mut last = HashMap::new();
    while let Ok(change) = timeout(Duration::from_millis(10), changes.recv()).await {
        let Change { endpoint, up, .. } = change.unwrap();
        last.insert(endpoint, up);
    }
    let known = checker.snapshot().await;
    assert!(last.len() >= 99);
    assert!(
        known.iter().filter(|it| last.get(&it.endpoint).is_some_and(|&up| Some(up) != it.view.up)).count() <= 1
    );
    drop(changes);
    sleep(20 * SECOND).await;
    assert_eq!(checker.snapshot().await.len(), 100);
}

/// What the packet path saw of a target.
fn seen(target: &Target, signal: Signal) -> Seen {
    let (pool, endpoint) = (Arc::clone(&target.pool), Arc::clone(&target.endpoint));
    Seen { pool, endpoint, address: target.to.ip(), signal }
}
