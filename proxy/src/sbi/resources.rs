//! Pins of resources that outlive the daemon: in its files, and in the store that nodes share.
//!
//! A change is taken down when it is made, behind the answer that it came of, and written by one task: of each resource what is
//! so then. A value is a version, 1, and then, as postcard writes them:
//!
//! | what | as |
//! | --- | --- |
//! | the node that wrote it | text |
//! | since when it is so, in milliseconds of Unix time | number |
//! | the API root that requests go to | text |
//! | its NF instance, its service instance, and the binding that its producer gave | text each, or none |
//! | whether others of its NF instance have it | 0 or 1 |
//! | its sets of services, and its sets of NFs | lists of text |
//!
//! Of one resource the later holds: nodes that share a store have clocks that agree. They tell each other what changes while they
//! run; what ended while a node did not reach the store stays there until it is asked for in vain, or given up for want of room.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pinion_exchange::kept;
use pinion_scp::api_root::ApiRoot;
use pinion_scp::binding::{Full, Keeper, Pin, Pinned, Pins};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::spoken::{Journal, JournalError, Keyed};
use crate::store::{self, Behind, Heard};

/// The version of values that is written, and the only one that is read.
const VERSION: u8 = 1;

/// How many are written at once, before others get their turn.
const BATCH: usize = 256;

/// How many changes may wait for the files; where there are more, all is written anew.
const WAITING: usize = 1 << 20;

/// Pins of resources, and what keeps them. A clone is the same.
#[derive(Clone, Debug)]
pub struct Resources {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pins: Pins,
    behind: Behind,
    /// What this node is called.
    node: String,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The bound of pins, once there is an SCP that has some.
    most: Option<usize>,
    /// Numbers of pins that are otherwise than the files say.
    waiting: BTreeSet<u64>,
    /// Whether there were more than may wait.
    over: bool,
    /// Whether files kept some of before.
    before: bool,
    ends: bool,
    task: Option<JoinHandle<()>>,
}

/// A pin in the files, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kept(u64);

impl Keyed for Kept {
    const SESSIONS: &str = "resources of the SBI";

    fn written(self) -> (u8, u64) {
        (0, self.0)
    }

    fn read(kind: u8, number: u64) -> Option<Self> {
        (kind == 0).then_some(Self(number))
    }

    fn session(self) -> Option<u64> {
        Some(self.0)
    }
}

/// A pin as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    node: &'a str,
    since: u64,
    at: String,
    nf_instance: Option<&'a str>,
    service_instance: Option<&'a str>,
    binding: Option<&'a str>,
    persistent: bool,
    service_sets: Vec<&'a str>,
    nf_sets: Vec<&'a str>,
}

impl Resources {
    /// None yet; what changes is left for a store to be written, by a node of this name.
    #[must_use]
    pub fn new(behind: Behind, node: String) -> Self {
        let pins = Pins::default();
        let shared = Shared { pins, behind, node, state: Mutex::default(), changed: Notify::new() };
        Self { shared: Arc::new(shared) }
    }

    /// The pins.
    #[must_use]
    pub fn pins(&self) -> &Pins {
        &self.shared.pins
    }

    /// What a folder's files keep is in force again, `most` being the bound, and what changes from now on is kept there;
    /// whether it was not so already.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn begin(&self, folder: &Path, most: usize) -> Result<bool, JournalError> {
        if self.state().most.replace(most).is_some() {
            return Ok(false);
        }
        let (journal, kept) = Journal::<Kept>::open(folder).inspect_err(|_| self.state().most = None)?;
        let all = kept.len();
        for (Kept(number), value) in kept {
            let read: Option<(&str, &[u8])> = kept::read(&value);
            let usable = read.map(|(key, value)| Ok((Arc::from(key), pinned(value)?)));
            let done = match usable {
                None => Err("it is damaged".to_owned()),
                Some(Err(why)) => Err(why),
                Some(Ok((key, pinned))) => self
                    .pins()
                    .restore(Some(number), &key, pinned, most)
                    .map(drop)
                    .map_err(|it: Full| it.to_string()),
            };
            if let Err(why) = done {
                tracing::warn!(number, why, "a resource of the SBI is pinned no longer");
            }
        }
        if all > 0 {
            tracing::info!(resources = self.pins().count(), "resources of the SBI stay where they were");
        }
        self.pins().kept_by(Arc::new(self.clone()));
        let mut state = self.state();
        state.before = all > 0;
        state.task = Some(tokio::spawn(self.clone().write(journal)));
        Ok(true)
    }

    /// Ends once all is in the files.
    pub async fn end(&self) {
        let task = {
            let mut state = self.state();
            state.ends = true;
            state.task.take()
        };
        self.shared.changed.notify_one();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "who kept resources of the SBI broke");
        }
    }

    /// Writes what changes, until it is to end.
    async fn write(self, mut journal: Journal<Kept>) {
        loop {
            let (waiting, ends) = {
                let mut state = self.state();
                if std::mem::take(&mut state.over) {
                    journal.begin();
                }
                let waiting: Vec<u64> = std::iter::from_fn(|| state.waiting.pop_first()).take(BATCH).collect();
                (waiting, state.ends)
            };
            for number in &waiting {
                let value = self.pins().numbered(*number).map(|(key, pinned)| self.in_file(&key, &pinned));
                journal.keep(Kept(*number), value.as_deref());
            }
            journal.flush();
            if journal.is_walking() {
                journal.walk(|after| {
                    let from = after.map_or(Some(0), |after| after.checked_add(1));
                    let page = from.map(|from| self.pins().from(from, BATCH)).unwrap_or_default();
                    page.into_iter().map(|(number, key, pinned)| (Kept(number), self.in_file(&key, &pinned)))
                });
                tokio::task::yield_now().await;
            } else if waiting.is_empty() && ends {
                return;
            } else if waiting.is_empty() {
                self.shared.changed.notified().await;
            } else {
                tokio::task::yield_now().await;
            }
        }
    }

    fn in_file(&self, key: &str, pinned: &Pinned) -> Bytes {
        kept::write(&(key, &*self.value(pinned)))
    }

    /// What a pin is stored as.
    fn value(&self, Pinned { pin, since }: &Pinned) -> Bytes {
        let since = since.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let stored = Stored {
            node: &self.shared.node,
            since: u64::try_from(since).unwrap_or(u64::MAX),
            at: pin.at.to_string(),
            nf_instance: pin.nf_instance.as_deref(),
            service_instance: pin.service_instance.as_deref(),
            persistent: pin.persistent,
            binding: pin.binding.as_deref(),
            service_sets: pin.service_sets.iter().map(String::as_str).collect(),
            nf_sets: pin.nf_sets.iter().map(String::as_str).collect(),
        };
        kept::write(&(VERSION, stored))
    }

    /// Takes down that a pin is otherwise than the files say.
    fn wait(&self, number: u64) {
        let mut state = self.state();
        if state.over {
            return;
        }
        state.waiting.insert(number);
        if state.waiting.len() > WAITING {
            state.waiting.clear();
            state.over = true;
        }
        drop(state);
        self.shared.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper for Resources {
    fn changed(&self, number: u64, key: &Arc<str>, pinned: Option<&Pinned>) {
        self.shared.behind.push_resource(Arc::clone(key), pinned.map(|it| self.value(it)));
        self.wait(number);
    }
}

impl store::Resources for Resources {
    fn restore(&self, resource: &Arc<str>, value: &[u8]) -> Result<bool, String> {
        // Where there is no SCP yet, they are asked for once more when there is.
        let Some(most) = self.state().most else { return Ok(false) };
        let restored = self.pins().restore(None, resource, pinned(value)?, most).map_err(|it| it.to_string())?;
        if let Some(number) = restored {
            self.wait(number);
        }
        Ok(restored.is_some())
    }

    fn wanted(&self) -> bool {
        self.state().most.is_some()
    }

    fn heard(&self, of: &Heard) -> Result<Option<Bytes>, String> {
        let resource = &of.resource;
        let known = || self.pins().pinned(resource);
        let Some(value) = &of.value else {
            let ended = self.pins().end(resource, of.at);
            ended.into_iter().for_each(|number| self.wait(number));
            return Ok(known().map(|it| self.value(&it)));
        };
        if self.restore(resource, value)? {
            return Ok(None);
        }
        let told = pinned(value)?;
        Ok(known().filter(|it| it.is_younger_than(&told)).map(|it| self.value(&it)))
    }

    fn restored(&self) {
        // What the files kept may not have reached the store before.
        if std::mem::take(&mut self.state().before) {
            self.shared.behind.ask_again();
        }
    }

    fn from(&self, number: u64, most: usize) -> Vec<(u64, Arc<str>, Bytes)> {
        let page = self.pins().from(number, most).into_iter();
        page.map(|(number, key, pinned)| (number, key, self.value(&pinned))).collect()
    }

    fn has(&self, resource: &str) -> bool {
        self.pins().get(resource).is_some()
    }

    fn is_ours(&self, value: &[u8]) -> bool {
        self.state().most.is_some() && read(value).is_ok_and(|it| it.node == self.shared.node)
    }
}

fn read(value: &[u8]) -> Result<Stored<'_>, String> {
    match value.split_first() {
        Some((&VERSION, rest)) => kept::read(rest).ok_or_else(|| "it is damaged".to_owned()),
        Some((other, _)) => Err(format!(
            "it is of version {other}, and this build reads version {VERSION}: run the version that wrote it"
        )),
        None => Err("it is empty".to_owned()),
    }
}

fn pinned(value: &[u8]) -> Result<Pinned, String> {
    let stored = read(value)?;
    let (one, all) = (|it: &str| it.to_owned(), |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect());
    let pin = Pin {
        at: ApiRoot::parse(&stored.at).map_err(|error| format!("{}: {error}", stored.at))?,
        nf_instance: stored.nf_instance.map(one),
        service_instance: stored.service_instance.map(one),
        persistent: stored.persistent,
        binding: stored.binding.map(one),
        service_sets: all(&stored.service_sets),
        nf_sets: all(&stored.nf_sets),
    };
    let since = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(stored.since)).unwrap_or(UNIX_EPOCH);
    Ok(Pinned { pin, since })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Memory, Resources as _, Settings, Writer};

    const KEY: &str = "smf1.example/nsmf-pdusession/v1/sm-contexts/1";

    fn resources() -> Resources {
        let settings = Settings { backlog: 10, node: "a".to_owned(), seed: 1 };
        Resources::new(Writer::new(Memory::default(), settings).1, "a".to_owned())
    }

    fn sample() -> Pinned {
        let pin = Pin {
            nf_instance: Some("i".to_owned()),
            service_instance: Some("s".to_owned()),
            persistent: true,
            nf_sets: vec!["s1".to_owned(), "s2".to_owned()],
            ..Pin::new(ApiRoot::parse("http://smf1.example").unwrap())
        };
        Pinned { pin, since: UNIX_EPOCH + Duration::from_millis(300) }
    }

    /// As the table above says: other nodes read what this one wrote. Numbers from 128 on go in groups of seven bits, the
    /// lowest first.
    const BYTES: &[u8] = b"\x01\x01a\xac\x02\x13http://smf1.example\x01\x01i\x01\x01s\x00\x01\x00\x02\x02s1\x02s2";

    #[test]
    fn is_laid_out_as_documented() {
        assert_eq!(resources().value(&sample()), BYTES);
        assert_eq!(pinned(BYTES), Ok(sample()));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let why = |bytes: &[u8]| pinned(bytes).unwrap_err();
        assert_eq!((why(b""), why(&BYTES[..9])), ("it is empty".to_owned(), "it is damaged".to_owned()));
        assert!(why(b"\x02").starts_with("it is of version 2"));
        assert!(why(b"\x01\x01a\x00\x01/\x00\x00\x00\x00\x00\x00").starts_with("/: "));
        bolero::check!().for_each(|bytes: &[u8]| {
            if let Ok(read) = pinned(bytes) {
                assert_eq!(pinned(&resources().value(&read)).unwrap().pin, read.pin);
            }
        });
    }

    /// The files' pins, for who begins with them.
    async fn again(folder: &Path) -> Resources {
        let again = resources();
        assert!(again.begin(folder, 10).unwrap());
        again
    }

    #[tokio::test]
    async fn of_what_files_and_store_say_the_later_holds() {
        let folder = tempfile::tempdir().unwrap();
        let (one, key) = (again(folder.path()).await, Arc::from(KEY));
        let Pinned { pin, since } = sample();
        one.pins().insert(&key, pin.clone(), since, 10);
        one.pins().insert(&"a/2".into(), pin.clone(), since, 10);
        one.pins().remove("a/2");
        one.end().await;

        let other = again(folder.path()).await;
        assert_eq!(other.pins().from(0, 9), [(0, Arc::clone(&key), sample())]);
        let at = |root: &str, later: u64| {
            let pin = Pin { at: ApiRoot::parse(root).unwrap(), ..pin.clone() };
            other.value(&Pinned { pin, since: since + Duration::from_millis(later) })
        };
        assert_eq!(other.restore(&key, &at("http://old", 0)), Ok(false));
        assert_eq!(other.restore(&key, &at("http://new", 1)), Ok(true));
        assert_eq!(other.restore(&"a/3".into(), &at("http://three", 0)), Ok(true));
        other.end().await;
        let restored = again(folder.path()).await.pins().from(0, 9);
        let restored: Vec<_> = restored.iter().map(|(.., it)| it.pin.at.to_string()).collect();
        assert_eq!(restored, ["http://new", "http://three"]);
    }

    #[tokio::test]
    async fn of_what_two_nodes_say_the_younger_holds_on_both_whatever_comes_first() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let (one, other) = (again(folders[0].path()).await, again(folders[1].path()).await);
        let (key, Pinned { pin, since }) = (Arc::from(KEY), sample());
        let at = |root: &str| Pin { at: ApiRoot::parse(root).unwrap(), ..pin.clone() };
        let heard = |value: Option<Bytes>, at| Heard {
            resource: Arc::clone(&key),
            value: value.map(|it| it.to_vec()),
            at,
        };
        let tells = |from: &Resources| from.pins().pinned(&key).map(|it| from.value(&it));
        let later = since + Duration::from_millis(1);
        one.pins().insert(&key, at("http://old"), since, 10);
        other.pins().insert(&key, at("http://new"), later, 10);
        // Who knows the younger tells it once more, and is not told otherwise.
        let (first, second) = (tells(&one), tells(&other));
        assert_eq!(other.heard(&heard(first, since)), Ok(second.clone()));
        assert_eq!(one.heard(&heard(second, later)), Ok(None));
        assert_eq!(one.pins().get(&key), Some(at("http://new")));
        // What was pinned anew after it ended elsewhere stays.
        assert_eq!(one.heard(&heard(None, since)), Ok(tells(&one)));
        assert_eq!(one.heard(&heard(None, later)), Ok(None));
        assert_eq!((one.pins().count(), other.pins().count()), (0, 1));
        // Of the same millisecond, both come to hold the same.
        one.pins().insert(&key, at("http://same"), later + Duration::from_nanos(7), 10);
        let (first, second) = (tells(&one), tells(&other));
        let told = (one.heard(&heard(second, later)), other.heard(&heard(first.clone(), later)));
        assert_eq!(told, (Ok(first), Ok(None)));
        assert_eq!(one.pins().get(&key), other.pins().get(&key));
        one.end().await;
        other.end().await;
    }

    #[tokio::test]
    async fn where_more_waits_than_may_all_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let one = again(folder.path()).await;
        let Pinned { pin, since } = sample();
        // This test's runtime has one thread: nothing is written meanwhile.
        one.pins().insert(&"a/1".into(), pin.clone(), since, 10);
        one.pins().remove("a/1");
        one.pins().insert(&"a/2".into(), pin, since, 10);
        (0..=WAITING as u64).for_each(|number| one.wait(number));
        assert!(one.state().over && one.state().waiting.is_empty());
        one.end().await;
        let kept = again(folder.path()).await.pins().from(0, 9);
        assert_eq!(kept.iter().map(|(_, key, _)| &**key).collect::<Vec<_>>(), ["a/2"]);
    }
}
