//! The session table against a model, over maps that fail.
#![cfg(test)]

#[path = "sessions/faulty.rs"]
mod faulty;
#[path = "sessions/million.rs"]
mod million;
#[path = "sessions/pages.rs"]
mod pages;
#[path = "sessions/sample.rs"]
mod sample;

use std::collections::BTreeMap;

use bolero::TypeGenerator;
use faulty::Faulty;
use pinion::sessions::{Change, CommitError, Full, Interrupted, Moment, Owner, PinOrigin, Settings, Table};
use sample::{key, pin, places};

/// What a batch can say, over few keys.
#[derive(Clone, Copy, Debug, TypeGenerator)]
enum Step {
    Insert(u8, u8, Option<u8>),
    Replace(u8, u8, Option<u8>),
    InsertMissing(u8, u8),
    Remove(u8),
}

#[derive(Debug, TypeGenerator)]
enum Action {
    Commit(Vec<Step>),
    /// The write after so many fails; so many of those that come next, too.
    Fail(u8, u8),
    Expire(u8),
    EndEndpoint(u8),
    Repair,
}

/// Key to endpoint and end.
type Model = BTreeMap<u8, (u8, Option<u8>)>;

const KEYS: u8 = 24;
const BOUND: u32 = 12;
const ENDPOINTS: u8 = 3;

#[test]
fn a_batch_is_in_force_whole_or_not_at_all() {
    check(Full::Refuse);
}

#[test]
fn room_is_made_by_ending_the_soonest() {
    check(Full::EndSoonest);
}

fn check(full: Full) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    bolero::check!().with_type::<Vec<Action>>().for_each(|actions| runtime.block_on(run(full, actions)));
}

async fn run(full: Full, actions: &[Action]) {
    let places = places();
    let maps = Faulty::default();
    let table = Table::new(&Owner::new(maps.clone()), Settings { bound: BOUND, full });
    let mut model = Model::new();
    let mut unsure = 0;
    for action in actions {
        match action {
            Action::Commit(steps) => {
                let wanted = after(&model, steps);
                let batch = steps.iter().map(|step| change(&places, *step)).collect();
                match table.commit(batch).await {
                    Ok(_) if full == Full::EndSoonest => {
                        let evicted = table.level().evicted;
                        let now = read(&table).await;
                        assert!(evicted > 0 || Ok(&now) == wanted.as_ref().map_err(|_| ()));
                        model = now;
                    }
                    Ok(_) => model = wanted.expect("the batch contradicts the table, and is in force"),
                    Err(CommitError::Maps { unsure: more, .. }) => unsure += more,
                    Err(CommitError::Full { bound }) => {
                        assert_eq!(bound, BOUND);
                        assert!(full == Full::EndSoonest || wanted.is_err());
                    }
                    Err(CommitError::Taken { .. }) => assert!(wanted.is_err() || full == Full::EndSoonest),
                }
            }
            Action::Fail(after, times) => maps.fail(after % 32, times % 4),
            Action::Expire(now) => {
                let before = model.len();
                let due = |end: &Option<u8>| end.is_some_and(|end| end <= *now);
                match table.expire(Moment(u32::from(*now)), 5).await {
                    Ok(ended) if ended < 5 => {
                        model.retain(|_, (_, end)| !due(end));
                        assert_eq!(model.len() + ended, before);
                    }
                    other => {
                        unsure += refused(other);
                        let left = read(&table).await;
                        assert!(model.iter().all(|(key, (_, end))| left.contains_key(key) || due(end)));
                        model = left;
                    }
                }
            }
            Action::EndEndpoint(endpoint) => {
                let endpoint = endpoint % ENDPOINTS;
                match table.end_endpoint(&places[usize::from(endpoint)].endpoint).await {
                    Ok(_) => model.retain(|_, (owner, _)| *owner != endpoint),
                    other => {
                        unsure += refused(other);
                        model = read(&table).await;
                    }
                }
            }
            Action::Repair => {
                maps.fail(0, 0);
                assert_eq!(table.repair().await, 0);
                unsure = 0;
                assert_eq!(maps.pins(), kernel(&model), "repaired");
            }
        }
        assert_eq!(read(&table).await, model);
        assert_eq!(table.level().used as usize, model.len());
        assert!(model.len() <= BOUND as usize);
        for (index, place) in places.iter().enumerate() {
            let theirs = model.values().filter(|(owner, _)| usize::from(*owner) == index).count();
            assert_eq!(place.sessions(), theirs as u64);
        }
        if unsure == 0 {
            assert_eq!(maps.pins(), kernel(&model));
        }
    }
}

/// How many keys are left of which it is not known what the kernel's map holds.
fn refused(result: Result<usize, Interrupted>) -> usize {
    match result.map_err(|interrupted| interrupted.source) {
        Err(CommitError::Maps { unsure, .. }) => unsure,
        Err(error) => panic!("{error}"),
        Ok(_) => 0,
    }
}

/// What a batch makes of the model; `Err`: it is to be refused.
fn after(model: &Model, steps: &[Step]) -> Result<Model, &'static str> {
    let mut model = model.clone();
    for step in steps {
        match *step {
            Step::Remove(key) => {
                model.remove(&(key % KEYS));
            }
            Step::Insert(key, endpoint, end) => {
                if model.get(&(key % KEYS)).is_some_and(|(owner, _)| *owner != endpoint % ENDPOINTS) {
                    return Err("taken");
                }
                model.insert(key % KEYS, (endpoint % ENDPOINTS, end));
            }
            Step::Replace(key, endpoint, end) => {
                model.insert(key % KEYS, (endpoint % ENDPOINTS, end));
            }
            Step::InsertMissing(key, endpoint) => {
                model.entry(key % KEYS).or_insert((endpoint % ENDPOINTS, None));
            }
        }
        if model.len() > BOUND as usize {
            return Err("full");
        }
    }
    Ok(model)
}

fn change(places: &sample::Places, step: Step) -> Change {
    let new = |teid: u8, endpoint: u8, end: Option<u8>| {
        let mut new = pin(&places[usize::from(endpoint % ENDPOINTS)], u32::from(teid % KEYS));
        new.record.pin.target = u32::from(endpoint % ENDPOINTS);
        new.record.ends = end.map(|end| Moment(u32::from(end)));
        new
    };
    match step {
        Step::Insert(teid, endpoint, end) => Change::Insert(new(teid, endpoint, end)),
        Step::Replace(teid, endpoint, end) => Change::Replace(new(teid, endpoint, end)),
        Step::InsertMissing(teid, endpoint) => Change::InsertMissing(new(teid, endpoint, None)),
        Step::Remove(teid) => Change::Remove(key(u32::from(teid % KEYS))),
    }
}

async fn read(table: &Table) -> Model {
    let mut model = Model::new();
    for teid in 0..KEYS {
        if let Some(record) = table.get(&key(u32::from(teid))).await {
            model.insert(teid, (record.pin.target as u8, record.ends.map(|end| end.0 as u8)));
        }
    }
    model
}

fn kernel(model: &Model) -> BTreeMap<u32, u32> {
    model.iter().map(|(teid, (owner, _))| (u32::from(*teid), u32::from(*owner))).collect()
}

#[tokio::test]
async fn changes_of_one_key_take_effect_in_their_order() {
    let places = places();
    let maps = Faulty::default();
    let table = Table::new(&Owner::new(maps.clone()), Settings { bound: 8, full: Full::Refuse });
    let batch = vec![
        Change::Insert(pin(&places[0], 1)),
        Change::Remove(key(1)),
        Change::Insert(pin(&places[1], 1)),
        Change::Insert(pin(&places[1], 2)),
        Change::Remove(key(2)),
    ];
    assert_eq!(table.commit(batch).await.unwrap().changed(), 2);
    assert_eq!(&*table.get(&key(1)).await.unwrap().place.endpoint, "upf/b");
    assert_eq!(maps.pins().len(), 1);
}

#[tokio::test]
async fn a_key_of_another_endpoint_is_refused_with_its_name() {
    let places = places();
    let table = Table::new(&Owner::new(Faulty::default()), Settings { bound: 8, full: Full::Refuse });
    let _ = table.commit(vec![Change::Insert(pin(&places[0], 0x10))]).await.unwrap();
    let error = table.commit(vec![Change::Insert(pin(&places[1], 0x10))]).await.unwrap_err();
    assert_eq!(error.to_string(), "TEID 0x00000010 at 192.0.2.1 is already pinned to upf/a");
    // The same again is no contradiction, and may give it an end.
    let mut again = pin(&places[0], 0x10);
    again.record.ends = Some(Moment(9));
    again.record.origin = PinOrigin::Configured;
    let _ = table.commit(vec![Change::Insert(again)]).await.unwrap();
    assert_eq!(table.get(&key(0x10)).await.unwrap().ends, Some(Moment(9)));
}

#[tokio::test]
async fn what_is_configured_is_neither_learned_over_nor_forgotten() {
    let places = places();
    let table = Table::new(&Owner::new(Faulty::default()), Settings { bound: 8, full: Full::Refuse });
    let mut own = pin(&places[0], 0x10);
    own.record.origin = PinOrigin::Configured;
    let _ = table.commit(vec![Change::Replace(own)]).await.unwrap();
    // Not even where it would lead to the same endpoint.
    for place in &places[..2] {
        let batch = vec![Change::Learn(pin(place, 0x11)), Change::Learn(pin(place, 0x10))];
        let error = table.commit(batch).await.unwrap_err();
        assert_eq!(error.to_string(), "TEID 0x00000010 at 192.0.2.1 is already pinned to upf/a");
    }
    assert!(table.get(&key(0x11)).await.is_none());
    assert_eq!(table.commit(vec![Change::Forget(key(0x10))]).await.unwrap().changed(), 0);
    assert_eq!(table.get(&key(0x10)).await.unwrap().origin, PinOrigin::Configured);
    // What is learned is learned anew, and forgotten.
    for place in &places[..2] {
        let _ = table.commit(vec![Change::Learn(pin(place, 0x11))]).await.unwrap();
        assert_eq!(table.get(&key(0x11)).await.unwrap().place.endpoint, place.endpoint);
    }
    assert_eq!(table.commit(vec![Change::Forget(key(0x11))]).await.unwrap().changed(), 1);
    assert!(table.get(&key(0x11)).await.is_none());
}

#[tokio::test]
async fn a_batch_whose_caller_gave_up_is_whole() {
    let places = places();
    let owner = Owner::new(Faulty::default());
    let table = Table::new(&owner, Settings { bound: 64, full: Full::Refuse });
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (begun, began) = tokio::sync::oneshot::channel();
    let busy = owner.clone();
    let work = move |_: &mut Faulty| {
        begun.send(()).unwrap();
        wait.recv()
    };
    let busy = tokio::spawn(async move { busy.long(work).await });
    began.await.unwrap();
    let batch = (0..32).map(|teid| Change::Insert(pin(&places[0], teid))).collect();
    let commit = table.commit(batch);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(20), commit).await.is_err());
    go.send(()).unwrap();
    busy.await.unwrap().unwrap();
    // The next batch waits for the shards of the one before.
    let _ = table.commit((32..64).map(|teid| Change::Insert(pin(&places[0], teid))).collect()).await.unwrap();
    assert_eq!(table.level().used, 64);
    assert_eq!(owner.blocking(|maps| maps.pins().len()), 64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_over_the_same_shards_never_wait_for_each_other() {
    let places = places();
    let table = Table::new(&Owner::new(Faulty::default()), Settings { bound: 1_000, full: Full::Refuse });
    let tasks: Vec<_> = (0..8_usize)
        .map(|task| {
            let (table, place) = (table.clone(), places[task % 3].clone());
            tokio::spawn(async move {
                for round in 0..50_u32 {
                    let keys = (0..20).map(|step| (step * 7 + round * task as u32) % 100);
                    let _ =
                        table.commit(keys.map(|teid| Change::Replace(pin(&place, teid))).collect()).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(table.level().committed, 400);
}
