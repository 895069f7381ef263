//! The daemon, as an operator runs it: a process in the balancer's namespace, its configuration a file, asked by
//! the command line.

mod build;
mod configuration;
mod crowd;
mod redis;
mod traffic;
mod views;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use pinion_networks::Supervised;
use serde_json::Value;
use tempfile::TempDir;

use crate::failure::Failure;
use crate::namespace::{Namespace, tied};
use crate::scenario::Pins;

pub use build::Build;
pub use configuration::{Configuration, Served};
pub use crowd::Crowd;
pub use redis::Redis;
pub use traffic::{Flow, Traffic};

/// How long a daemon may take to say that it is ready, or to end.
const WAIT: Duration = Duration::from_secs(20);
/// Time from one look whether it has to the next.
const PAUSE: Duration = Duration::from_millis(20);

/// A place that daemons run in, one after the other: their pins, socket and configuration.
#[derive(Debug)]
pub struct Place {
    binary: PathBuf,
    pins: Pins,
    folder: TempDir,
}

/// A running daemon. It is killed when this is dropped; what it pinned stays.
#[derive(Debug)]
pub struct Daemon {
    program: Supervised,
}

impl Place {
    /// A fresh place for the program `binary`.
    ///
    /// # Errors
    ///
    /// [`Failure::File`], [`Failure::Steering`].
    pub fn new(binary: impl Into<PathBuf>) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(wrong("folder of a daemon"))?;
        Ok(Self { binary: binary.into(), pins: Pins::mount()?, folder })
    }

    /// Where its pins are.
    #[must_use]
    pub const fn pins(&self) -> &Pins {
        &self.pins
    }

    /// Where the API listens, if the configuration says so.
    #[must_use]
    pub fn api(&self) -> PathBuf {
        self.folder.path().join("api.sock")
    }

    /// A file of this place.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the configuration.
    ///
    /// # Errors
    ///
    /// [`Failure::File`].
    pub fn configure(&self, configuration: &Configuration) -> Result<(), Failure> {
        self.configure_as(&configuration.yaml(&self.api()))
    }

    /// Writes a configuration of the test's own; it has to say that the API listens at [`Place::api`].
    ///
    /// # Errors
    ///
    /// [`Failure::File`].
    pub fn configure_as(&self, yaml: &str) -> Result<(), Failure> {
        fs::write(self.configuration(), yaml).map_err(wrong("configuration of a daemon"))
    }

    /// Starts the daemon in `namespace` and waits until it says that it is ready.
    ///
    /// # Errors
    ///
    /// [`Failure::Network`], with its log where it ends; [`Failure::Tool`] with its log where it says nothing in time.
    pub fn start(&self, namespace: &Namespace) -> Result<Daemon, Failure> {
        self.start_program(&self.binary, namespace)
    }

    /// As [`Place::start`], another build of the daemon.
    ///
    /// # Errors
    ///
    /// As [`Place::start`]; [`Failure::File`], [`Failure::Tool`] where there is no such build.
    pub fn start_build(&self, build: Build, namespace: &Namespace) -> Result<Daemon, Failure> {
        let program = self.file(&format!("pinion-{build:?}"));
        if !program.exists() {
            build.write(&self.binary, &program)?;
        }
        self.start_program(&program, namespace)
    }

    fn start_program(&self, program: &Path, namespace: &Namespace) -> Result<Daemon, Failure> {
        let mut command = tied(program);
        command
            .arg("run")
            .arg(self.configuration())
            .arg("--pins")
            .arg(self.pins.root())
            .arg("--state")
            .arg(self.file("state"));
        let mut daemon = Daemon { program: Supervised::start(namespace, command, self.folder.path())? };
        daemon.until("READY=1")?;
        Ok(daemon)
    }

    /// Runs a command of `pinion` that asks the daemon, and gives back the JSON that it prints.
    ///
    /// # Errors
    ///
    /// [`Failure::Tool`] with what it says where it fails or prints something else.
    pub fn ask(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let output = self.command(arguments)?;
        let said = || String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            return Err(Failure::Tool { program: "pinion", reason: said() });
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| Failure::Tool { program: "pinion", reason: format!("{error}: {}", said()) })
    }

    /// Runs a command of `pinion` that asks the daemon for JSON.
    ///
    /// # Errors
    ///
    /// [`Failure::Network`].
    pub fn command(&self, arguments: &[&str]) -> Result<Output, Failure> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).args(["--format", "json", "--api"]).arg(format!("unix:{}", self.api().display()));
        let refused = |source| pinion_networks::Failure::Spawn { program: "pinion".to_owned(), source };
        Ok(command.output().map_err(refused)?)
    }

    fn configuration(&self) -> PathBuf {
        self.file("pinion.yaml")
    }
}

impl Daemon {
    /// Has it read its configuration again, and waits until it is in force.
    ///
    /// # Errors
    ///
    /// [`Failure::Tool`] with its log where it does not say so in time.
    pub fn reload(&mut self) -> Result<(), Failure> {
        self.signal(Signal::SIGHUP)?;
        self.until("READY=1")
    }

    /// Kills it as a crash would.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`] where it cannot be signalled.
    pub fn kill(mut self) -> Result<(), Failure> {
        self.signal(Signal::SIGKILL)?;
        self.program.wait().map(drop).map_err(|source| Failure::Socket { what: "wait for the daemon", source })
    }

    /// Asks it to end, and waits until it has; whether it ended as it should.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`] where it cannot be signalled.
    pub fn stop(mut self) -> Result<bool, Failure> {
        self.signal(Signal::SIGTERM)?;
        let status = self.program.wait();
        status.map(|it| it.success()).map_err(|source| Failure::Socket { what: "wait for the daemon", source })
    }

    /// Sends it a signal.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`].
    pub fn signal(&mut self, signal: Signal) -> Result<(), Failure> {
        self.program.signal(signal).map_err(|source| Failure::Socket { what: "signal to the daemon", source })
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.program.log()
    }

    /// The end of what it has logged.
    #[must_use]
    pub fn tail(&self) -> String {
        const LINES: usize = 40;
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("\n")
    }

    /// Waits until it tells its supervisor `word`.
    fn until(&mut self, word: &str) -> Result<(), Failure> {
        let end = Instant::now() + WAIT;
        while Instant::now() < end {
            if self.program.has_told(word)? {
                return Ok(());
            }
            sleep(PAUSE);
        }
        let reason = format!("did not say {word} within {WAIT:?}:\n{}", self.tail());
        Err(Failure::Tool { program: "pinion run", reason })
    }
}

fn wrong(what: &'static str) -> impl Fn(io::Error) -> Failure {
    move |source| Failure::File { what, source }
}
