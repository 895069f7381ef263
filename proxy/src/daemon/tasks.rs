use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pinion_loader::sweep::{Doom, Named};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::aware;
use super::discovery;
use super::front_ends;
use super::interfaces::Host;
use super::neighbours;
use super::packet_path::Pass;
use super::sbi;
use super::state::Daemon;
use super::traffic;
use crate::health::Change;
use crate::pool::Path;
use crate::sessions::Moment;
use crate::store::Writer;

/// How often interfaces that are missing are looked for.
const LOOK: Duration = Duration::from_secs(2);

/// How often pins and flows whose time has come are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// How many flows are looked at while nobody else is at the tables, and how often in one go.
const PAGE: usize = 128;
const PAGES: usize = 144;

/// How long others have the processor between two of these.
const PAUSE: Duration = Duration::from_millis(1);

/// How many pins end in one go.
const PINS: usize = 10_000;

/// How often it is read what the packet path left.
const LISTEN: Duration = Duration::from_millis(200);

/// How often copies of packets are read: 3,000 of 250 bytes have room meanwhile.
const HEAR: Duration = Duration::from_millis(50);

/// How often it is looked which associations that are listened to have ended.
const SETTLE: Duration = Duration::from_secs(1);

/// How long until a plan that could not be put in force is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Starts everything that goes on by itself.
pub(super) fn start(daemon: &Arc<Daemon>, changes: mpsc::Receiver<Change>) -> Vec<JoinHandle<()>> {
    vec![
        tokio::spawn(hear(Arc::clone(daemon), changes)),
        tokio::spawn(plan(Arc::clone(daemon))),
        tokio::spawn(every(SWEEP, Arc::clone(daemon), sweep)),
        tokio::spawn(every(LOOK, Arc::clone(daemon), look)),
        tokio::spawn(every(LISTEN, Arc::clone(daemon), traffic::refusals)),
        tokio::spawn(every(HEAR, Arc::clone(daemon), aware::listen)),
        tokio::spawn(every(SETTLE, Arc::clone(daemon), aware::settle)),
        tokio::spawn(every(sbi::LOOK, Arc::clone(daemon), sbi::refresh)),
    ]
}

/// Announces the service addresses: once the pins are there.
pub(super) fn announce(daemon: &Arc<Daemon>) -> JoinHandle<()> {
    tokio::spawn(neighbours::announce(Arc::clone(daemon)))
}

/// Finds endpoints by name: once front ends are there that may be told.
pub(super) fn discover(daemon: &Arc<Daemon>) -> JoinHandle<()> {
    tokio::spawn(discovery::discover(Arc::clone(daemon)))
}

/// Writes pins behind to the store.
pub(super) fn write_behind(daemon: &Arc<Daemon>, writer: Writer) -> JoinHandle<()> {
    let (table, daemon) = (daemon.table.clone(), Arc::clone(daemon));
    tokio::spawn(writer.run(table, move || Arc::clone(&daemon.state().names), moment))
}

/// The time, as pins and the store know it.
pub(super) fn moment() -> Moment {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Moment(u32::try_from(since.as_secs()).unwrap_or(u32::MAX))
}

/// Takes down what health finds.
async fn hear(daemon: Arc<Daemon>, mut changes: mpsc::Receiver<Change>) {
    while let Some(change) = changes.recv().await {
        let Change { pool, endpoint, path, up, why, round_trip, .. } = change;
        let now = daemon.now();
        let seen = Path { up: Some(up), why: why.clone(), round_trip, since: now };
        let whole = daemon.state().pools.path(&pool, &endpoint, path, seen, now);
        if !whole {
            continue;
        }
        let (pool, endpoint) = (&*pool, &*endpoint);
        if up {
            tracing::info!(pool, endpoint, why, "endpoint up");
        } else {
            tracing::warn!(pool, endpoint, why, "endpoint down");
        }
        daemon.replan.notify_one();
    }
}

/// Puts plans in force: when something changed, and when the time itself changes them.
async fn plan(daemon: Arc<Daemon>) {
    let mut forsaken = HashSet::new();
    loop {
        let next = match daemon.plan().await {
            Ok(next) => next.map(|next| next.saturating_sub(daemon.now())),
            Err(error) => {
                tracing::error!(%error, "a plan is not in force; the one before it is");
                Some(AGAIN)
            }
        };
        if let Err(error) = front_ends::settle(&daemon).await {
            tracing::error!("{error}");
        }
        forsaken = leave_forsaken(&daemon, &forsaken).await;
        tokio::select! {
            () = daemon.replan.notified() => {}
            () = until(next) => {}
        }
    }
}

/// Ends what can move of endpoints that went down since; which ones are down now.
async fn leave_forsaken(daemon: &Daemon, before: &HashSet<String>) -> HashSet<String> {
    let now: HashSet<String> = names(daemon.state().pools.forsaken());
    let new: HashSet<String> = now.difference(before).cloned().collect();
    end(daemon, &new, Doom::Movable, "down: what can move, moves").await;
    now
}

async fn until(next: Option<Duration>) {
    match next {
        Some(next) => sleep(next.max(Duration::from_millis(1))).await,
        None => std::future::pending().await,
    }
}

/// Ends what has outlived its time.
async fn sweep(daemon: Arc<Daemon>) {
    let overdue: HashSet<String> = {
        let now = daemon.now();
        let mut state = daemon.state();
        let mut overdue = names(state.pools.overdue(now));
        let left: Vec<String> =
            state.leaving.iter().filter(|(_, until)| **until <= now).map(|(name, _)| name.clone()).collect();
        for name in left {
            state.leaving.remove(&name);
            overdue.insert(name);
        }
        overdue
    };
    end(&daemon, &overdue, Doom::All, "its time to drain is over").await;
    sweep_flows(&daemon).await;
    if let Err(error) = daemon.table.expire(moment(), PINS).await {
        tracing::warn!(%error, "pins whose time has come stay");
    }
    let unsure = daemon.table.repair().await;
    if unsure > 0 {
        tracing::error!(unsure, "the packet path refuses to take pins back");
    }
}

/// Looks at a part of the flows; all of them within a minute, up to a million.
async fn sweep_flows(daemon: &Daemon) {
    for _ in 0..PAGES {
        match daemon.path.quick(|path| path.sweep(PAGE)).await {
            Ok(None) => sleep(PAUSE).await,
            Ok(Some(Pass { named, silent })) => {
                traffic::answers(daemon, &silent);
                return reclaim(daemon, named).await;
            }
            Err(error) => {
                tracing::error!(%error, "sessions whose time has come stay");
                return;
            }
        }
    }
}

/// Takes back the numbers of endpoints that are configured no more, once neither flows nor pins name them.
async fn reclaim(daemon: &Daemon, mut named: Named) {
    named.targets.extend(daemon.state().names.pinned());
    if let Err(error) = daemon.path.quick(move |path| path.reclaim(&named)).await {
        tracing::warn!(%error, "numbers of removed endpoints are not free yet");
    }
}

async fn end(daemon: &Daemon, endpoints: &HashSet<String>, doom: Doom, why: &str) {
    if endpoints.is_empty() {
        return;
    }
    match daemon.end(endpoints, doom).await {
        Ok(0) => {}
        Ok(ended) => tracing::info!(ended, endpoints = ?endpoints, "sessions ended: {why}"),
        Err(error) => tracing::error!(%error, endpoints = ?endpoints, "sessions stay that should end"),
    }
    if doom == Doom::All {
        for endpoint in endpoints {
            if let Err(error) = daemon.table.end_endpoint(endpoint).await {
                tracing::error!(%error, endpoint, "pins stay that should end");
            }
        }
    }
}

/// Attaches to interfaces that came since, or came anew.
async fn look(daemon: Arc<Daemon>) {
    let wanted = daemon.state().config.interfaces.clone();
    let Ok(host) = Host::read().await else { return };
    match daemon.path.long(move |path| path.attach(&wanted, &host)).await {
        Ok(lines) => lines.iter().for_each(|line| tracing::info!("{line}")),
        Err(error) => tracing::error!(%error, "an interface is without the packet path"),
    }
}

async fn every<F: Future<Output = ()>>(period: Duration, daemon: Arc<Daemon>, what: impl Fn(Arc<Daemon>) -> F) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        what(Arc::clone(&daemon)).await;
    }
}

fn names(pairs: Vec<(String, String)>) -> HashSet<String> {
    pairs.into_iter().map(|(pool, endpoint)| format!("{pool}/{endpoint}")).collect()
}
