//! A daemon in a thread of the test, and the program that asks it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread::JoinHandle;

use pinion::api::{BindError, Server};
use pinion::config::model::Api;
use pinion::control::Control;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// A daemon that ends with the test.
pub(crate) struct Daemon {
    pub(crate) address: Option<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Daemon {
    pub(crate) fn start(api: &Api, control: Arc<dyn Control>) -> Result<Self, BindError> {
        let runtime = runtime();
        let server = runtime.block_on(Server::bind(api))?;
        let address = server.address();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                server.serve(control, async { stopped.await.unwrap_or_default() }).await.unwrap();
            });
        });
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A daemon on a unix socket in a folder of its own.
pub(crate) struct Local {
    pub(crate) daemon: Daemon,
    pub(crate) folder: TempDir,
}

impl Local {
    pub(crate) fn start(control: impl Control) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let api = Api::Unix { path: socket(&folder), mode: 0o600 };
        Self { daemon: Daemon::start(&api, Arc::new(control)).unwrap(), folder }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        socket(&self.folder)
    }

    /// Runs `pinion` against it.
    pub(crate) fn pinion(&self, args: &[&str]) -> Output {
        pinion(&self.socket(), args)
    }
}

pub(crate) fn socket(folder: &TempDir) -> PathBuf {
    folder.path().join("api.sock")
}

pub(crate) fn pinion(socket: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinion"));
    command.args(args).env("PINION_API", format!("unix:{}", socket.display()));
    command.output().unwrap()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
