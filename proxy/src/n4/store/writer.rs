use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pinion_n4::Kept;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisResult};
use tokio::time::{sleep, timeout};

use super::{Behind, N4Store, field};
use crate::store::Backoff;

/// Has the field of whoever writes say so; `0`: another one took over, `-1`: there is nothing any more. First of all,
/// whoever was before is not asked.
const CLAIM: &str = "
local owner = redis.call('HGET', KEYS[1], 'owner')
if ARGV[3] == 'again' then
  if not owner then return -1 end
  if string.sub(owner, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
end
if ARGV[3] == 'anew' then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'owner', ARGV[1] .. ARGV[2])
return 1";

/// Writes fields, and takes those out that are empty, where whoever writes is still the same.
const WRITE: &str = "
local owner = redis.call('HGET', KEYS[1], 'owner')
if not owner then return -1 end
if owner ~= ARGV[1] then return 0 end
for i = 2, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[i])
  else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return 1";

/// How long nothing is written at the most.
const IDLE: Duration = Duration::from_secs(2);

/// How the store is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    /// It has what this front end went on from.
    Over,
    /// What it has is of no use.
    Anew,
    /// After another connection.
    Again,
}

/// Why nothing more is written over a connection.
enum Ends {
    /// It failed.
    Failed(redis::RedisError),
    /// Another node writes by now.
    Anothers,
}

impl From<redis::RedisError> for Ends {
    fn from(error: redis::RedisError) -> Self {
        Self::Failed(error)
    }
}

impl N4Store {
    /// What is to be written goes there, and does so for as long as the task runs. `goes_on`: the store has what was
    /// taken over.
    pub(in crate::n4) fn behind(self, goes_on: bool) -> (Arc<Behind>, impl Future<Output = ()> + Send) {
        let behind = Behind::new(self.backlog);
        let writes = Arc::clone(&behind);
        behind.begin_again();
        (behind, async move { Writing { store: self, behind: writes, turn: 0 }.run(goes_on).await })
    }
}

struct Writing {
    store: N4Store,
    behind: Arc<Behind>,
    /// Which connection it is: what an earlier one still sends changes nothing.
    turn: u64,
}

impl Writing {
    async fn run(mut self, goes_on: bool) {
        let mut claim = if goes_on { Claim::Over } else { Claim::Anew };
        let mut backoff = Backoff::new((self.store.seed & u64::from(u32::MAX)) as u32);
        let mut fails = false;
        loop {
            match self.serve(&mut claim, &mut backoff, &mut fails).await {
                Ends::Anothers => {
                    tracing::error!(
                        key = self.store.key,
                        "another node keeps this service's N4 sessions in the store by now: this one's are kept in its files alone"
                    );
                    return;
                }
                Ends::Failed(error) => {
                    if !std::mem::replace(&mut fails, true) {
                        tracing::warn!(key = self.store.key, %error, "N4 sessions wait for the store");
                    }
                }
            }
            sleep(backoff.wait()).await;
        }
    }

    /// Writes over one connection, until it ends.
    async fn serve(&mut self, claim: &mut Claim, backoff: &mut Backoff, fails: &mut bool) -> Ends {
        let mut connection = match self.store.connect().await {
            Ok(connection) => connection,
            Err(error) => return error.into(),
        };
        if let Err(ends) = self.claim(&mut connection, claim).await {
            return ends;
        }
        backoff.reset();
        if std::mem::take(fails) {
            tracing::info!(key = self.store.key, "N4 sessions are written to the store again");
        }
        loop {
            if self.behind.is_over() {
                *claim = Claim::Anew;
                if let Err(ends) = self.claim(&mut connection, claim).await {
                    return ends;
                }
                self.behind.begin_again();
            }
            let mut values = self.behind.take();
            if values.is_empty() {
                // Where nothing comes it is asked whether it still has what it was told.
                let _ = timeout(IDLE, self.behind.changed.notified()).await;
                values = self.behind.take();
            }
            match self.write(&mut connection, &values).await {
                Ok(1) => {}
                Ok(0) => return Ends::Anothers,
                Ok(_) => {
                    // It began anew, empty.
                    *claim = Claim::Anew;
                    if let Err(ends) = self.claim(&mut connection, claim).await {
                        return ends;
                    }
                    self.behind.begin_again();
                }
                Err(error) => {
                    self.behind.put_back(values);
                    return error.into();
                }
            }
        }
    }

    async fn claim(&mut self, connection: &mut MultiplexedConnection, how: &mut Claim) -> Result<(), Ends> {
        self.turn = self.turn.wrapping_add(1);
        let word = match how {
            Claim::Over => "over",
            Claim::Anew => "anew",
            Claim::Again => "again",
        };
        let mut claim = self.script(CLAIM);
        claim.arg(self.store.name()).arg(self.turn).arg(word);
        match claim.query_async::<i64>(connection).await? {
            0 => return Err(Ends::Anothers),
            1 => {}
            _ => {
                let mut claim = self.script(CLAIM);
                claim.arg(self.store.name()).arg(self.turn).arg("anew");
                claim.query_async::<i64>(connection).await?;
                self.behind.begin_again();
            }
        }
        *how = Claim::Again;
        Ok(())
    }

    async fn write(
        &self,
        connection: &mut MultiplexedConnection,
        values: &[(Kept, Option<Bytes>)],
    ) -> RedisResult<i64> {
        let mut write = self.script(WRITE);
        write.arg(format!("{}{}", self.store.name(), self.turn));
        for (of, value) in values {
            write.arg(field(*of)).arg(value.as_deref().unwrap_or_default());
        }
        write.query_async(connection).await
    }

    fn script(&self, text: &str) -> Cmd {
        let mut script = redis::cmd("EVAL");
        script.arg(text).arg(1).arg(&self.store.key);
        script
    }
}
