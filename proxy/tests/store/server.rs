//! A Redis server of the test's own, on a unix socket.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pinion::store::{Key, Redis, Store as _, Stored};
use pinion_networks::missing::skipped;
use pinion_steering::PinKey;
use tempfile::TempDir;

pub(crate) struct Server {
    folder: TempDir,
    child: Option<Child>,
    password: Option<&'static str>,
}

impl Server {
    /// `None`, and says so, where there is no Redis here.
    pub(crate) async fn start(password: Option<&'static str>) -> Option<Self> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            skipped("redis-server is not installed");
            return None;
        }
        let mut server = Self { folder: tempfile::tempdir().unwrap(), child: None, password };
        server.resume().await;
        Some(server)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    pub(crate) fn address(&self) -> String {
        let password = self.password.map_or(String::new(), |password| format!("?pass={password}"));
        format!("redis+unix://{}{password}", self.socket().display())
    }

    /// Starts it, with nothing in it.
    pub(crate) async fn resume(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]).arg(self.socket());
        command.args(["--dir"]).arg(self.folder.path());
        if let Some(password) = self.password {
            command.args(["--requirepass", password]);
        }
        self.child = Some(command.stdout(Stdio::null()).spawn().unwrap());
        let mut tries = 0;
        while self.connection().await.is_err() {
            tries += 1;
            assert!(tries < 1_000, "redis-server does not start");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id();
        let done = Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status().unwrap();
        assert!(done.success());
    }

    async fn connection(&self) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
        redis::Client::open(self.address())?.get_multiplexed_async_connection().await
    }

    pub(crate) async fn ask(&self, words: &[&str]) -> redis::Value {
        let mut connection = self.connection().await.unwrap();
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        command.query_async(&mut connection).await.unwrap()
    }

    pub(crate) fn store(&self) -> Redis {
        Redis::new(&self.address(), "test:").unwrap()
    }

    /// All that it holds.
    pub(crate) async fn pins(&self) -> Vec<(PinKey, Stored)> {
        let mut store = self.store();
        store.connect().await.unwrap();
        let mut pins = Vec::new();
        let mut cursor = None;
        loop {
            let page = store.page(cursor).await.unwrap();
            for (key, value) in page.entries {
                if let Key::Tunnel(key) = key {
                    pins.push((key, Stored::decode(&value).unwrap()));
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                pins.sort_by_key(|(key, _)| (key.address, key.teid));
                pins.dedup_by_key(|(key, _)| *key);
                return pins;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
