//! What nodes that share a server tell each other of resources, by the channel `PREFIXsbi`. Nothing is kept there: who did not
//! listen looks for it in the server.
//!
//! A message is, as postcard writes it: who tells it, the milliseconds of Unix time since when it is so, the resource, and its value
//! where it has one.

use std::time::{Duration, UNIX_EPOCH};

use futures_util::StreamExt as _;
use pinion_exchange::kept;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Client, Cmd, RedisResult};
use tokio::time::{Instant, timeout, timeout_at};

use super::super::{Feed, Heard, Key, StoreError, Write};
use super::{PATIENCE, told};

/// How long nothing is heard before the server is asked whether it is there.
const QUIET: Duration = Duration::from_secs(5);

/// A channel, for one who tells and listens.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) name: String,
    /// Who tells: no other start has the number.
    pub(super) own: u64,
}

impl Channel {
    /// What is to be told of a change; nothing of a tunnel.
    pub(super) fn tell(&self, Write { key, value, at }: &Write) -> Option<Cmd> {
        let Key::Resource(resource) = key else { return None };
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let since = u64::try_from(since).unwrap_or(u64::MAX);
        let value = value.as_ref().map(|(value, _)| value.as_slice());
        let message = kept::write(&(self.own, since, &**resource, value));
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(&self.name).arg(&*message);
        Some(publish)
    }

    /// What another one told; nothing of one's own.
    fn read(&self, message: &[u8]) -> Option<Heard> {
        let (by, since, resource, value): (u64, u64, &str, Option<&[u8]>) = kept::read(message)?;
        let at = UNIX_EPOCH.checked_add(Duration::from_millis(since))?;
        (by != self.own).then(|| Heard { resource: resource.into(), value: value.map(<[u8]>::to_vec), at })
    }
}

/// Who listens.
pub(super) struct Listening {
    pub(super) client: Client,
    pub(super) channel: Channel,
    pub(super) connection: Option<(PubSubSink, PubSubStream)>,
}

impl Listening {
    async fn subscribe(&self) -> RedisResult<(PubSubSink, PubSubStream)> {
        let (mut sink, stream) = self.client.get_async_pubsub().await?.split();
        sink.subscribe(&self.channel.name).await?;
        Ok((sink, stream))
    }
}

fn late<E>(_: E) -> StoreError {
    StoreError::Down(format!("nothing within {} s", PATIENCE.as_secs()))
}

#[tonic::async_trait]
impl Feed for Listening {
    async fn begin(&mut self) -> Result<(), StoreError> {
        self.connection = None;
        let begun = timeout(PATIENCE, self.subscribe()).await.map_err(late)?;
        self.connection = Some(begun.map_err(|error| told(&error))?);
        Ok(())
    }

    async fn next(&mut self) -> Result<Heard, StoreError> {
        let ended = || StoreError::Down("the connection ended".to_owned());
        let (sink, stream) = self.connection.as_mut().ok_or_else(ended)?;
        loop {
            match timeout_at(Instant::now() + QUIET, stream.next()).await {
                Ok(message) => {
                    if let Some(heard) = self.channel.read(message.ok_or_else(ended)?.get_payload_bytes()) {
                        return Ok(heard);
                    }
                }
                Err(_) => {
                    let there = timeout(PATIENCE, sink.ping::<redis::Value>()).await.map_err(late)?;
                    there.map_err(|error| told(&error))?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(own: u64) -> Channel {
        Channel { name: "pinion:sbi".to_owned(), own }
    }

    #[test]
    fn what_one_tells_another_hears() {
        for value in [None, Some((b"value".to_vec(), None))] {
            let at = UNIX_EPOCH + Duration::from_millis(1_234);
            let write = Write { key: Key::Resource("a/1".into()), value: value.clone(), at };
            let packed = channel(1).tell(&write).unwrap();
            let Some(redis::Arg::Simple(message)) = packed.args_iter().last() else { panic!("it has a message") };
            let heard = Heard { resource: "a/1".into(), value: value.map(|(value, _)| value), at };
            assert_eq!((channel(2).read(message), channel(1).read(message)), (Some(heard), None));
        }
    }

    #[test]
    fn any_message_is_read_or_passed_over() {
        bolero::check!().for_each(|message: &[u8]| {
            let _ = channel(1).read(message);
        });
    }
}
