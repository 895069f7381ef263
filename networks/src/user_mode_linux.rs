//! User-Mode Linux, a Linux kernel as a process: whether there is one that starts here.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::missing::{Missing, find_program};
use crate::namespace::tied;

/// How long one may take to get to its first program.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is preloaded where the processor has more registers than the kernel has room for.
const REGISTERS: &str = include_str!("user_mode_linux/registers.c");
const LIBRARY: &str = "registers.so";

/// A kernel that starts here.
#[derive(Debug, Clone)]
pub struct Kernel {
    program: PathBuf,
    /// The folder of [`REGISTERS`] as a library, where it starts with that alone.
    registers: Option<Arc<TempDir>>,
}

impl Kernel {
    /// Finds one. One that is as old as Debian 12's starts on a processor with AMX only with a library that `cc` makes, as it
    /// has no room for what a process has in such registers.
    ///
    /// # Errors
    ///
    /// [`Missing::Program`], or [`Missing::Processor`].
    pub fn find() -> Result<Self, Missing> {
        let program = find_program("linux.uml", "install user-mode-linux")?;
        let mut kernel = Self { program, registers: None };
        if kernel.starts()? {
            return Ok(kernel);
        }
        let compiler = find_program("cc", "install gcc")?;
        let library = library(&compiler).map_err(|_| Missing::Processor("cc made nothing of what would help"))?;
        kernel.registers = Some(Arc::new(library));
        if kernel.starts()? {
            return Ok(kernel);
        }
        Err(Missing::Processor("User-Mode Linux cannot set the registers of its processes"))
    }

    /// The command for it with so much memory, of which it takes what it touches, on the host's files, which it only reads.
    /// `init` is its first program, `console` says where its console is (`null,fd:1`), in `folder` it keeps what it needs
    /// itself. The kernel is kept until the command has run.
    #[must_use]
    pub fn command(&self, memory: &str, init: &Path, console: &str, folder: &Path) -> Command {
        let mut command = tied(&self.program);
        command
            .arg(assigned("mem=", memory))
            .args(["root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet", "con=null"])
            .arg(assigned("con0=", console))
            .arg(assigned("init=", init))
            .arg(assigned("uml_dir=", folder));
        // Left to itself it keeps its memory in /dev/shm rather than on a disk.
        for variable in ["TMPDIR", "TMP", "TEMP"] {
            command.env_remove(variable);
        }
        if let Some(folder) = &self.registers {
            command.env("LD_PRELOAD", folder.path().join(LIBRARY));
        }
        command
    }

    /// Whether it gets to its first program; if not, it is for want of room for registers.
    fn starts(&self) -> Result<bool, Missing> {
        match self.said() {
            Ok(said) => Ok(!said.contains("set fp regs failed")),
            Err(_) => Err(Missing::Processor("User-Mode Linux does not start")),
        }
    }

    /// What it says when it has nothing to do, and so ends by itself.
    fn said(&self) -> io::Result<String> {
        let folder = tempfile::tempdir()?;
        let mut command = self.command("64M", Path::new("/bin/true"), "null,fd:1", folder.path());
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn()?;
        let ended = ended(&mut process);
        let _ = process.kill();
        process.wait()?;
        let mut said = String::new();
        if let Some(mut output) = process.stdout.take().filter(|_| ended) {
            output.read_to_string(&mut said)?;
        }
        if ended { Ok(said) } else { Err(io::ErrorKind::TimedOut.into()) }
    }
}

/// Makes [`REGISTERS`] a library, in a folder of its own.
fn library(compiler: &Path) -> io::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("registers.c");
    fs::write(&source, REGISTERS)?;
    let mut command = Command::new(compiler);
    command.args(["-shared", "-fPIC", "-O2", "-o"]).arg(folder.path().join(LIBRARY)).arg(source).arg("-ldl");
    let made = command.stdin(Stdio::null()).stderr(Stdio::null()).status()?;
    if made.success() { Ok(folder) } else { Err(io::Error::other("cc failed")) }
}

fn assigned(name: &str, value: impl AsRef<OsStr>) -> OsString {
    let mut argument = OsString::from(name);
    argument.push(value.as_ref());
    argument
}

fn ended(process: &mut Child) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if !matches!(process.try_wait(), Ok(None)) {
            return true;
        }
        sleep(Duration::from_millis(20));
    }
    false
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::missing::skipped;

    /// Shells and their children have many pages that are not there yet, each a signal that takes registers away.
    #[test]
    fn programs_keep_their_registers() {
        let kernel = match Kernel::find() {
            Ok(kernel) => kernel,
            Err(missing) => {
                skipped(missing);
                return;
            }
        };
        let work = "seq 100000 | sort -rn | sha256sum";
        let here = Command::new("sh").args(["-c", work]).output().unwrap().stdout;
        let folder = tempfile::tempdir().unwrap();
        let init = folder.path().join("init");
        fs::write(&init, format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{work}\n")).unwrap();
        fs::set_permissions(&init, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = kernel.command("128M", &init, "null,fd:1", folder.path());
        command.current_dir(folder.path()).stdin(Stdio::null()).stderr(Stdio::null());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(String::from_utf8_lossy(&here).trim()), "{said}");
    }
}
