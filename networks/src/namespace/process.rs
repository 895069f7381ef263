//! A program that runs inside a namespace and ends with its value.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::{Namespace, refused};
use crate::failure::Failure;
use crate::missing::find_program;

/// A program inside a [`Namespace`], leader of its own process group.
/// Dropping it kills the group and waits for the program.
#[derive(Debug)]
pub struct Process {
    child: Child,
    // The parent as the kernel sees it is the thread that started the child,
    // so that thread lives as long as the child: see `tied`.
    anchor: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Namespace {
    /// Starts `command` inside the namespace.
    ///
    /// # Errors
    ///
    /// [`Failure::Spawn`] where it cannot be started.
    pub fn spawn(&self, command: Command) -> Result<Process, Failure> {
        self.spawn_with(command, CloneFlags::empty())
    }

    /// Starts `command` as the first process of a new process namespace:
    /// whatever it leaves running is killed with it.
    ///
    /// # Errors
    ///
    /// [`Failure::Spawn`] where it cannot be started.
    pub fn spawn_caged(&self, command: Command) -> Result<Process, Failure> {
        self.spawn_with(command, CloneFlags::CLONE_NEWPID)
    }

    fn spawn_with(&self, mut command: Command, unshared: CloneFlags) -> Result<Process, Failure> {
        command.process_group(0);
        let file = self.file.try_clone().map_err(refused("dup"))?;
        let (report, reported) = channel();
        let (release, released) = channel::<()>();
        let thread = thread::spawn(move || {
            let started = super::enter(&file).and_then(|()| {
                unshare(unshared).map_err(refused("unshare"))?;
                command.spawn().map_err(|source| Failure::Spawn {
                    program: command.get_program().to_string_lossy().into_owned(),
                    source,
                })
            });
            if report.send(started).is_ok() {
                // Ends with an error when the owner drops its half: that is the signal.
                let _ = released.recv();
            }
        });
        let child = reported.recv().unwrap_or_else(|_| {
            Err(Failure::Namespace { call: "thread", source: io::Error::other("it ended early") })
        })?;
        Ok(Process { child, anchor: Some((release, thread)) })
    }
}

impl Process {
    /// The process's number, as seen by the caller.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard input, once, if the command asked for a pipe.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Its standard output, once, if the command asked for a pipe.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Its standard error, once, if the command asked for a pipe.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Sends a signal to the program alone.
    ///
    /// # Errors
    ///
    /// What kill(2) says, of a program that has ended above all.
    pub fn signal(&mut self, signal: Signal) -> io::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(kill(pid_of(&self.child), signal)?)
    }

    /// Whether it has ended, and how.
    ///
    /// # Errors
    ///
    /// What waitpid(2) says.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    ///
    /// What waitpid(2) says.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when there is nobody left to kill or to wait for.
        let _ = killpg(pid_of(&self.child), Signal::SIGKILL);
        let _ = self.child.wait();
        if let Some((release, thread)) = self.anchor.take() {
            drop(release);
            let _ = thread.join();
        }
    }
}

/// A command for `program` that the kernel kills when this process is killed,
/// where util-linux's `setpriv` is there to ask for it.
#[must_use]
pub fn tied(program: impl AsRef<OsStr>) -> Command {
    let Ok(setpriv) = find_program("setpriv", "install util-linux") else {
        return Command::new(program);
    };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

fn pid_of(child: &Child) -> Pid {
    // Linux numbers processes below 2^22.
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX))
}
