//! A million pins. Prints what it took, and asserts no time: `cargo test --release --test sessions -- --ignored
//! --nocapture million`.

use std::time::Instant;

use pinion::control::{PageAsk, SessionFilter};
use pinion::sessions::{Change, Full, Names, NewPin, Owner, Place, Record, Settings, Table, Ticks, list};
use pinion_loader::user::UserEngine;
use pinion_loader::{Bounds, LoadError, Maps, kernel::Kernel};
use pinion_networks::missing::skipped;
use pinion_steering::{Flow, FlowKey, State};

use crate::pages::configure;
use crate::sample::{Places, pin, places};

const PINS: u32 = 1_000_000;
const BATCH: u32 = 250;

fn bounds() -> Bounds {
    Bounds { pins: PINS, flows: 2_000_000, ..Bounds::default() }
}

/// Resident memory, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

async fn insert(table: &Table, places: &Places) {
    for begin in (0..PINS).step_by(BATCH as usize) {
        let batch = (begin..begin + BATCH).map(|teid| Change::Insert(pin(&places[teid as usize % 3], teid)));
        let _ = table.commit(batch.collect()).await.unwrap();
    }
}

async fn measure<M: Maps + Send + 'static>(what: &str, mut maps: M) {
    let names = configure(&mut maps);
    let target = names.record("sip", "proxies/sip-1", 0, 0).unwrap().pin.target;
    let owner = Owner::new(maps);
    let table = Table::new(&owner, Settings { bound: PINS, full: Full::Refuse });
    let places = places();
    let begin = Instant::now();
    insert(&table, &places).await;
    println!("{what}: 1,000,000 pins in batches of {BATCH}: {:?}", begin.elapsed());
    let mut took = Vec::new();
    for teid in 0..10_000 {
        let begin = Instant::now();
        let _ = table.commit(vec![Change::Replace(pin(&places[1], teid))]).await.unwrap();
        took.push(begin.elapsed());
    }
    took.sort_unstable();
    println!("{what}: a commit of one pin: median {:?}, p99 {:?}", took[5_000], took[9_900]);
    let flows = owner.blocking(move |maps| {
        (0..1_000_000_u32).try_for_each(|tag| {
            let flow = Flow { target, state: State::Established as u8, ..Flow::default() };
            maps.put_flow(&FlowKey::association(tag, 1, 2), &flow)
        })
    });
    flows.unwrap();
    pages(what, &owner, &table, &names).await;
}

async fn pages<M: Maps + Send + 'static>(what: &str, owner: &Owner<M>, table: &Table, names: &Names) {
    let ticks = Ticks { now: 0, length: std::time::Duration::from_secs(1) };
    let client = SessionFilter { client: Some([203, 0, 113, 1].into()), ..SessionFilter::default() };
    for (name, filter) in [("no filter", SessionFilter::default()), ("a filter that nothing passes", client)] {
        let mut took = Vec::new();
        for _ in 0..5 {
            let begin = Instant::now();
            let ask = PageAsk { limit: 100, cursor: None };
            let _ = list(owner, table, names, &filter, &ask, ticks).await.unwrap();
            took.push(begin.elapsed());
        }
        took.sort_unstable();
        println!("{what}: first page of 2,000,000, {name}: median {:?}, worst {:?}", took[2], took[4]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures; takes seconds in a release build"]
async fn a_million_pins_in_the_kernel() {
    match Kernel::load(bounds()) {
        Ok(kernel) => measure("kernel", kernel).await,
        Err(error @ (LoadError::Privilege { .. } | LoadError::Kernel { .. })) => skipped(error),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures; takes seconds in a release build"]
async fn a_million_pins_in_memory() {
    println!("a record: {} B, a place: {} B", size_of::<Record>(), size_of::<Place>());
    println!("a new pin: {} B", size_of::<NewPin>());
    let owner = Owner::new(UserEngine::new(bounds()));
    let table = Table::new(&owner, Settings { bound: PINS, full: Full::Refuse });
    let (before, begin) = (resident(), Instant::now());
    insert(&table, &places()).await;
    println!("memory: 1,000,000 pins: {:?}", begin.elapsed());
    println!("memory: {} B a pin, table and engine", (resident() - before) * 1024 / u64::from(PINS));
}
