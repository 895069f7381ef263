mod told;

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, IntoConnectionInfo as _, RedisError,
    RedisResult, ServerErrorKind, Value,
};

use super::{Feed, Key, Memories, Page, Store, StoreError, Write};
use told::{Channel, Listening};

/// A Redis or Valkey server, from 6.2 on.
///
/// A tunnel's pin is the string `PREFIXpin:ADDRESS/TEID`, the TEID in eight hexadecimal digits, with the value that
/// [`super::Stored`] documents; a resource's is `PREFIXsbi:AUTHORITY/PATH`, with that of [`crate::sbi::Resources`]. A pin that
/// ends by itself ends in the server at the same time (`EXAT`).
pub struct Redis {
    client: Client,
    /// Without user and password.
    address: String,
    prefix: String,
    channel: Channel,
    connection: Option<MultiplexedConnection>,
    before: Option<Connected>,
}

/// A connection, and the run of the server that it was made to, as the server calls them.
#[derive(Debug, Default)]
struct Connected {
    id: u64,
    run: String,
}

/// How long the server may take to accept a connection, and to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many keys a page asks for: some milliseconds of the server's time, in which nobody else is served.
const PAGE: usize = 4_000;

impl Redis {
    /// A server by its address, `redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]` or `redis+unix:///PATH`; nothing
    /// is connected yet. Keys begin with `prefix`.
    ///
    /// # Errors
    /// [`StoreError::Address`].
    pub fn new(address: &str, prefix: &str) -> Result<Self, StoreError> {
        let wrong = |error: RedisError| StoreError::Address(error.to_string());
        let info = address.into_connection_info().map_err(wrong)?;
        let database = info.redis_settings().db();
        let shown = match info.addr() {
            ConnectionAddr::Tcp(host, port) => format!("redis://{host}:{port}/{database}"),
            ConnectionAddr::TcpTls { host, port, .. } => format!("rediss://{host}:{port}/{database}"),
            ConnectionAddr::Unix(path) => format!("redis+unix://{}?db={database}", path.display()),
            _ => "redis".to_owned(),
        };
        let client = Client::open(info).map_err(wrong)?;
        let (prefix, channel) =
            (prefix.to_owned(), Channel { name: format!("{prefix}sbi"), own: crate::spoken::seed() });
        Ok(Self { client, address: shown, prefix, channel, connection: None, before: None })
    }

    fn connection(&mut self) -> Result<&mut MultiplexedConnection, StoreError> {
        self.connection.as_mut().ok_or_else(|| StoreError::Down("not connected".to_owned()))
    }

    fn key(&self, key: &Key) -> String {
        format!("{}{key}", self.prefix)
    }

    fn command(&self, write: &Write) -> Cmd {
        let key = self.key(&write.key);
        let Some((value, ends)) = &write.value else {
            return Cmd::del(key);
        };
        let mut command = redis::cmd("SET");
        command.arg(key).arg(value);
        if let Some(end) = ends {
            command.arg("EXAT").arg(end.0);
        }
        command
    }

    fn parse(&self, key: &str) -> Option<Key> {
        Key::read(key.strip_prefix(&self.prefix)?)
    }

    async fn read(&mut self, cursor: u64) -> RedisResult<(u64, Vec<(String, Option<Vec<u8>>)>)> {
        // `pin:` and `sbi:`, and hardly anything else, so that one walk finds both.
        let pattern = format!("{}[ps][ib][ni]:*", literal(&self.prefix));
        let Some(connection) = self.connection.as_mut() else {
            return Err((ErrorKind::Io, "not connected").into());
        };
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(PAGE);
        let (next, keys): (u64, Vec<String>) = scan.query_async(connection).await?;
        if keys.is_empty() {
            return Ok((next, Vec::new()));
        }
        let values: Vec<Option<Vec<u8>>> = Cmd::mget(&keys).query_async(connection).await?;
        Ok((next, keys.into_iter().zip(values).collect()))
    }
}

#[tonic::async_trait]
impl Store for Redis {
    fn kind(&self) -> String {
        self.address.clone()
    }

    async fn connect(&mut self) -> Result<Memories, StoreError> {
        self.connection = None;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await;
        let mut connection = connection.map_err(|error| told(&error))?;
        let now = connected(&mut connection).await?;
        let memories = match (&self.before, &now) {
            (None, _) => Memories::Whole,
            // Commands of the connection before may still lie in the socket of a server that was stopped; were they
            // carried out after those of this one, an old value would overwrite a new one.
            (Some(before), Some(now)) if before.run == now.run && kill(&mut connection, before.id).await? => {
                Memories::Whole
            }
            _ => Memories::Doubtful,
        };
        self.before = Some(now.unwrap_or_default());
        self.connection = Some(connection);
        Ok(memories)
    }

    async fn write(&mut self, changes: &[Write]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let mut pipeline = redis::pipe();
        pipeline.ignore_errors();
        if changes.is_empty() {
            pipeline.add_command(redis::cmd("PING"));
        }
        for change in changes {
            pipeline.add_command(self.command(change));
        }
        // Behind them all, so that who hears of one finds it; and what becomes of that is no matter of the writes.
        for told in changes.iter().filter_map(|it| self.channel.tell(it)) {
            pipeline.add_command(told);
        }
        let results: Vec<RedisResult<Value>> =
            pipeline.query_async(self.connection()?).await.map_err(|error| StoreError::Down(error.to_string()))?;
        if results.len() < changes.len() {
            return Err(StoreError::Down("it answered less than it was asked".to_owned()));
        }
        let results = results.into_iter().map(|result| result.map(drop).map_err(|error| told(&error)));
        Ok(results.take(changes.len()).collect())
    }

    async fn page(&mut self, cursor: Option<u64>) -> Result<Page, StoreError> {
        let (next, found) = self.read(cursor.unwrap_or(0)).await.map_err(|error| told(&error))?;
        let entries = found.into_iter().filter_map(|(key, value)| Some((self.parse(&key)?, value?))).collect();
        Ok(Page { entries, next: (next != 0).then_some(next) })
    }

    fn feed(&self) -> Option<Box<dyn Feed>> {
        let (client, channel) = (self.client.clone(), self.channel.clone());
        Some(Box::new(Listening { client, channel, connection: None }))
    }
}

/// Who the connection is to; `None`: the server does not let us ask.
async fn connected(connection: &mut MultiplexedConnection) -> Result<Option<Connected>, StoreError> {
    let mut pipeline = redis::pipe();
    pipeline.cmd("CLIENT").arg("ID").cmd("INFO").arg("server");
    let answer: RedisResult<(u64, String)> = pipeline.query_async(connection).await;
    let Some((id, info)) = permitted(answer)? else { return Ok(None) };
    let run = info.lines().find_map(|line| line.strip_prefix("run_id:"));
    Ok(run.map(|run| Connected { id, run: run.to_owned() }))
}

/// Ends another connection; whether the server let us.
async fn kill(connection: &mut MultiplexedConnection, id: u64) -> Result<bool, StoreError> {
    let mut kill = redis::cmd("CLIENT");
    kill.arg("KILL").arg("ID").arg(id);
    Ok(permitted(kill.query_async::<Value>(connection).await)?.is_some())
}

/// `None` where it is forbidden.
fn permitted<T>(answer: RedisResult<T>) -> Result<Option<T>, StoreError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => Ok(None),
        Err(error) => Err(told(&error)),
    }
}

/// An error in words; a server's refusal is none of the connection.
fn told(error: &RedisError) -> StoreError {
    match error.kind() {
        ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::AuthenticationFailed => {
            StoreError::Refused(error.to_string())
        }
        _ => StoreError::Down(error.to_string()),
    }
}

/// A text as a pattern that only it matches (Redis' glob style).
fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '^' | '-' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_shown_without_its_password() {
        for (address, shown) in [
            ("redis://pinion:secret@192.0.2.1:6380/3", "redis://192.0.2.1:6380/3"),
            ("redis://:secret@[2001:db8::1]", "redis://2001:db8::1:6379/0"),
            ("redis+unix:///run/redis.sock?pass=secret", "redis+unix:///run/redis.sock?db=0"),
        ] {
            assert_eq!(Redis::new(address, "pinion:").unwrap().kind(), shown);
        }
    }

    #[test]
    fn an_address_that_is_none_is_refused_without_its_password() {
        for address in ["http://:secret@h", "redis://:secret@h:port", "redis://:secret@h/db"] {
            let error = Redis::new(address, "").err().unwrap().to_string();
            assert!(error.contains("redis://HOST:PORT") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        let redis = Redis::new("redis://h", "a*:").unwrap();
        let key = Key::Resource("smf.example/1".into());
        assert_eq!(redis.key(&key), "a*:sbi:smf.example/1");
        assert_eq!(redis.parse("a*:sbi:smf.example/1"), Some(key));
        for other in ["sbi:smf.example/1", "a*:n4:n4"] {
            assert_eq!(redis.parse(other), None, "{other}");
        }
        assert_eq!(literal("a*[b]"), "a\\*\\[b\\]");
    }
}
