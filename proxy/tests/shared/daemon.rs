//! A daemon that runs, as a process.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixDatagram;

/// A place where daemons run, one after the other.
pub(crate) struct Place {
    folder: TempDir,
    daemon: Option<Child>,
}

impl Place {
    /// Starts one; `yaml` is the configuration but for the API.
    pub(crate) async fn start(yaml: &str) -> Self {
        let mut place = Self { folder: tempfile::tempdir().unwrap(), daemon: None };
        place.configure(yaml);
        place.resume().await;
        place
    }

    /// Writes another configuration.
    pub(crate) fn configure(&self, yaml: &str) {
        let api = self.file("api.sock");
        fs::write(self.file("pinion.yaml"), format!("api: {{unix: {}}}\n{yaml}", api.display())).unwrap();
    }

    /// A file of its own.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a daemon, and waits until it says that it is ready.
    pub(crate) async fn resume(&mut self) {
        let supervisor = self.file("notify.sock");
        let _ = fs::remove_file(&supervisor);
        let told = UnixDatagram::bind(&supervisor).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinion"));
        command.arg("run").arg(self.file("pinion.yaml"));
        command.arg("--pins").arg(self.file("bpf")).arg("--state").arg(self.file("state"));
        command.env("NOTIFY_SOCKET", &supervisor);
        command.stderr(File::options().create(true).append(true).open(self.file("log")).unwrap());
        self.daemon = Some(command.spawn().unwrap());
        let ready = async {
            let mut buffer = [0; 4096];
            loop {
                let length = told.recv(&mut buffer).await.unwrap();
                if String::from_utf8_lossy(&buffer[..length]).lines().any(|line| line == "READY=1") {
                    return;
                }
            }
        };
        let done = tokio::time::timeout(Duration::from_secs(60), ready).await;
        assert!(done.is_ok(), "it does not become ready: {}", self.log());
    }

    /// Ends the daemon as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().unwrap();
            daemon.wait().unwrap();
        }
    }

    /// Has it end, and waits until it has.
    pub(crate) fn stop(&mut self) {
        self.signal("TERM");
        let mut daemon = self.daemon.take().unwrap();
        assert!(daemon.wait().unwrap().success(), "{}", self.log());
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let daemon = self.daemon.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &daemon]).status().unwrap().success());
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap()
    }

    /// What the daemon says when it is asked.
    pub(crate) fn tell(&self, arguments: &[&str]) -> serde_json::Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinion"));
        command.args(arguments).args(["--format", "json", "--api"]);
        let output = command.arg(format!("unix:{}", self.file("api.sock").display())).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}{}", self.log());
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until something is so; a test that waits for ever fails.
pub(crate) async fn until(what: impl AsyncFn() -> bool) {
    let done = async {
        while !what().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), done).await.is_ok(), "it never came about");
}
