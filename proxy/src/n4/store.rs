//! What front ends keep, in the store that nodes share: where a node is lost with its files, another one goes on.
//!
//! Of each service it is one hash, `PREFIXn4:SERVICE`, with a field of each value and one that says who writes: a node
//! that takes over writes its own name there, and what the one before still sends changes nothing. It is written behind:
//! of each value the last one waits, at the most as many as are configured. Where there are more, or the store began
//! anew, all is written once more, little by little.

mod writer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use pinion_n4::Kept;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult};
use tokio::sync::Notify;

use crate::store::StoreError;

/// How long the server may take to accept a connection, and to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many fields are read, or written, at once.
const PAGE: usize = 1_000;

/// Takes the hash away where whoever writes is this one.
const FORGET: &str = "
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and string.sub(owner, 1, #ARGV[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end
return 0";

/// Where a front end's values are kept for other nodes.
#[derive(Clone)]
pub struct N4Store {
    client: Client,
    key: String,
    /// Whoever writes: no other start has the number.
    seed: u64,
    backlog: usize,
}

impl std::fmt::Debug for N4Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The client knows a password.
        f.debug_struct("N4Store").field("key", &self.key).finish_non_exhaustive()
    }
}

impl N4Store {
    /// Of a service, in a server by its address. At the most so many values wait for it.
    ///
    /// # Errors
    /// [`StoreError::Address`].
    pub fn new(address: &str, prefix: &str, service: &str, seed: u64, backlog: usize) -> Result<Self, StoreError> {
        let client = Client::open(address).map_err(|error| StoreError::Address(error.to_string()))?;
        Ok(Self { client, key: format!("{prefix}n4:{service}"), seed, backlog })
    }

    /// What was kept.
    pub(super) async fn read(&self) -> RedisResult<BTreeMap<Kept, Bytes>> {
        let mut connection = self.connect().await?;
        let (mut kept, mut cursor) = (BTreeMap::new(), 0_u64);
        loop {
            let mut scan = redis::cmd("HSCAN");
            scan.arg(&self.key).arg(cursor).arg("COUNT").arg(PAGE);
            let (next, page): (u64, Vec<(String, Vec<u8>)>) = scan.query_async(&mut connection).await?;
            kept.extend(page.into_iter().filter_map(|(field, value)| Some((parse(&field)?, Bytes::from(value)))));
            if next == 0 {
                return Ok(kept);
            }
            cursor = next;
        }
    }

    /// Takes all away, unless another node writes by now: nothing of it is true any more.
    pub(super) async fn forget(&self) {
        let forgotten = match self.connect().await {
            Ok(mut connection) => {
                let mut forget = redis::cmd("EVAL");
                forget.arg(FORGET).arg(1).arg(&self.key).arg(self.name());
                forget.query_async::<i64>(&mut connection).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = forgotten {
            tracing::warn!(
                key = self.key, %error,
                "N4 sessions that ended stay in the store; remove the key before a service of this name begins anew"
            );
        }
    }

    /// What all its connections have in common.
    fn name(&self) -> String {
        format!("{:016x}:", self.seed)
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }
}

/// What waits for the store.
#[derive(Debug)]
pub(super) struct Behind {
    inner: Mutex<Waiting>,
    changed: Notify,
    bound: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    values: BTreeMap<Kept, Option<Bytes>>,
    /// While all is to be written once more: how far that is.
    walk: Option<Option<u64>>,
    /// Whether there were more than may wait: what comes is in what is written then.
    over: bool,
}

impl Behind {
    fn new(bound: usize) -> Arc<Self> {
        Arc::new(Self { inner: Mutex::default(), changed: Notify::new(), bound })
    }

    fn inner(&self) -> MutexGuard<'_, Waiting> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a value in; `None`: it is to be forgotten.
    pub(super) fn keep(&self, of: Kept, value: Option<Bytes>) {
        let mut inner = self.inner();
        if inner.over {
            return;
        }
        if inner.values.len() >= self.bound && !inner.values.contains_key(&of) {
            inner.values.clear();
            (inner.over, inner.walk) = (true, None);
        } else {
            inner.values.insert(of, value);
        }
        drop(inner);
        self.changed.notify_one();
    }

    /// Whether all is to be written once more, and there is room for some of it.
    pub(super) fn is_walking(&self) -> bool {
        let inner = self.inner();
        inner.walk.is_some() && inner.values.len() < self.bound / 2
    }

    /// Takes some of what is true in: of what there is behind a SEID.
    pub(super) fn walk<I: Iterator<Item = (Kept, Bytes)>>(&self, behind: impl FnOnce(Option<u64>) -> I) {
        let mut inner = self.inner();
        let Some(after) = inner.walk else { return };
        let mut last = None;
        for (of, value) in behind(after).take(PAGE) {
            if let Kept::Session(seid) = of {
                last = Some(seid);
            }
            // What waits of it is as new.
            inner.values.entry(of).or_insert(Some(value));
        }
        inner.walk = last.map(Some);
        drop(inner);
        self.changed.notify_one();
    }

    /// All is to be written once more.
    fn begin_again(&self) {
        let mut inner = self.inner();
        inner.values.clear();
        (inner.over, inner.walk) = (false, Some(None));
    }

    /// Takes out what is to be written next, in the order in which another node needs it.
    fn take(&self) -> Vec<(Kept, Option<Bytes>)> {
        let mut inner = self.inner();
        std::iter::from_fn(|| inner.values.pop_first()).take(PAGE).collect()
    }

    /// Takes back what was not written, but for what is newer.
    fn put_back(&self, values: Vec<(Kept, Option<Bytes>)>) {
        let mut inner = self.inner();
        if !inner.over {
            for (of, value) in values {
                inner.values.entry(of).or_insert(value);
            }
        }
    }

    fn is_over(&self) -> bool {
        self.inner().over
    }
}

/// A value's field.
fn field(of: Kept) -> String {
    match of {
        Kept::FrontEnd => "front-end".to_owned(),
        Kept::Smf(number) => format!("smf/{number}"),
        Kept::Upf(number) => format!("upf/{number}"),
        Kept::Pfds(number) => format!("pfds/{number}"),
        Kept::Session(seid) => format!("session/{seid:016x}"),
    }
}

fn parse(field: &str) -> Option<Kept> {
    Some(match field.split_once('/') {
        None if field == "front-end" => Kept::FrontEnd,
        Some(("smf", number)) => Kept::Smf(number.parse().ok()?),
        Some(("upf", number)) => Kept::Upf(number.parse().ok()?),
        Some(("pfds", number)) => Kept::Pfds(number.parse().ok()?),
        Some(("session", seid)) => Kept::Session(u64::from_str_radix(seid, 16).ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSIONS: u64 = 5_000;

    fn all() -> BTreeMap<Kept, Bytes> {
        let sessions = (1..=SESSIONS).map(|seid| (Kept::Session(seid), Bytes::from(seid.to_string())));
        [(Kept::FrontEnd, Bytes::from("front")), (Kept::Smf(0), Bytes::from("smf"))]
            .into_iter()
            .chain(sessions)
            .collect()
    }

    /// All of it, as the front end gives it page by page; what was written.
    fn walked(behind: &Behind) -> BTreeMap<Kept, Bytes> {
        let (all, mut written) = (all(), BTreeMap::new());
        loop {
            if behind.is_walking() {
                behind.walk(|after| {
                    let later = move |of: &Kept| after.is_none_or(|after| *of > Kept::Session(after));
                    all.iter().filter(move |(of, _)| later(of)).map(|(of, value)| (*of, value.clone()))
                });
            }
            let page = behind.take();
            if page.is_empty() && !behind.is_walking() {
                return written;
            }
            for (of, value) in page {
                match value {
                    Some(value) => written.insert(of, value),
                    None => written.remove(&of),
                };
            }
        }
    }

    #[test]
    fn of_each_value_the_last_waits() {
        let behind = Behind::new(10);
        behind.keep(Kept::Session(1), Some("old".into()));
        behind.keep(Kept::Upf(3), Some("upf".into()));
        behind.keep(Kept::Session(1), None);
        let taken = behind.take();
        assert_eq!(taken, [(Kept::Upf(3), Some("upf".into())), (Kept::Session(1), None)]);
        // What came meanwhile is newer.
        behind.keep(Kept::Session(1), Some("new".into()));
        behind.put_back(taken);
        assert_eq!(behind.take(), [(Kept::Upf(3), Some("upf".into())), (Kept::Session(1), Some("new".into()))]);
    }

    #[test]
    fn all_is_written_once_more_where_more_wait_than_may() {
        let behind = Behind::new(2_000);
        for seid in 1..=3_000 {
            behind.keep(Kept::Session(seid), Some("lost".into()));
        }
        assert!(behind.is_over() && behind.take().is_empty() && !behind.is_walking());
        behind.begin_again();
        // One that ended before the walk came to it.
        assert_eq!(walked(&behind), all());
        assert!(!behind.is_over());
    }

    #[test]
    fn fields_are_read_as_they_are_written() {
        for of in [Kept::FrontEnd, Kept::Smf(7), Kept::Upf(65_535), Kept::Pfds(1 << 40), Kept::Session(u64::MAX)] {
            assert_eq!(parse(&field(of)), Some(of));
        }
        for other in ["owner", "smf/65536", "session/g", "sessions/1", "front-end/1"] {
            assert_eq!(parse(other), None);
        }
    }
}
