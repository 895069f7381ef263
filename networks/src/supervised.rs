//! A program inside a namespace that tells its supervisor how it goes (sd_notify(3)), and whose log is kept.

use std::fs::{self, File};
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use nix::sys::signal::Signal;

use crate::failure::Failure;
use crate::namespace::{Namespace, Process};

/// A running program. It is killed when this is dropped.
#[derive(Debug)]
pub struct Supervised {
    process: Process,
    notify: UnixDatagram,
    log: PathBuf,
}

impl Supervised {
    /// Starts `command` inside `namespace`. In `folder` are the socket of its notifications, `notify.sock`, and what it
    /// writes on its error output, `log`, which goes on where another program's ended.
    ///
    /// # Errors
    ///
    /// [`Failure::Spawn`]; [`Failure::File`].
    pub fn start(namespace: &Namespace, mut command: Command, folder: &Path) -> Result<Self, Failure> {
        let address = folder.join("notify.sock");
        // A program before this one may have left it.
        let _ = fs::remove_file(&address);
        let notify = UnixDatagram::bind(&address).map_err(wrong("socket of notifications"))?;
        notify.set_nonblocking(true).map_err(wrong("socket of notifications"))?;
        let log = folder.join("log");
        let output = File::options().create(true).append(true).open(&log).map_err(wrong("log of a program"))?;
        command.env("NOTIFY_SOCKET", &address).stderr(output);
        Ok(Self { process: namespace.spawn(command)?, notify, log })
    }

    /// Whether it has told its supervisor `word` since this was asked last. Does not wait.
    ///
    /// # Errors
    ///
    /// [`Failure::Ended`] where it has ended instead.
    pub fn has_told(&mut self, word: &str) -> Result<bool, Failure> {
        let mut buffer = [0; 4096];
        while let Ok(length) = self.notify.recv(&mut buffer) {
            let told = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
            if told.lines().any(|line| line == word) {
                return Ok(true);
            }
        }
        match self.process.ended() {
            Ok(Some(status)) => Err(Failure::Ended { status, log: self.log() }),
            _ => Ok(false),
        }
    }

    /// The process's number, as seen by the caller.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    ///
    /// What kill(2) says.
    pub fn signal(&mut self, signal: Signal) -> io::Result<()> {
        self.process.signal(signal)
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    ///
    /// What waitpid(2) says.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.process.wait()
    }

    /// What it, and programs before it, have written on their error output.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

fn wrong(what: &'static str) -> impl Fn(io::Error) -> Failure {
    move |source| Failure::File { what, source }
}
