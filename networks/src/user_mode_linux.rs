//! User-Mode Linux, a Linux kernel as a process: whether there is one that starts here.

use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::missing::{Missing, find_program};
use crate::namespace::tied;

/// How long one may take to get to its first program.
const PATIENCE: Duration = Duration::from_secs(20);

/// Finds a kernel that starts: one that is as old as Debian 12's does not on a processor with AMX, as it has no room for what
/// a process has in such registers.
///
/// # Errors
///
/// [`Missing::Program`], or [`Missing::Processor`].
pub fn find() -> Result<PathBuf, Missing> {
    let kernel = find_program("linux.uml", "install user-mode-linux")?;
    match said(&kernel) {
        Ok(said) if !said.contains("set fp regs failed") => Ok(kernel),
        Ok(_) => Err(Missing::Processor("User-Mode Linux cannot set the registers of its processes")),
        Err(_) => Err(Missing::Processor("User-Mode Linux does not start")),
    }
}

/// The command for a kernel with so much memory, of which it takes what it touches, on the host's files, which it only reads.
/// `init` is its first program, `console` says where its console is (`null,fd:1`), in `folder` it keeps what it needs itself.
#[must_use]
pub fn command(kernel: &Path, memory: &str, init: &Path, console: &str, folder: &Path) -> Command {
    let mut command = tied(kernel);
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
    command
}

fn assigned(name: &str, value: impl AsRef<OsStr>) -> OsString {
    let mut argument = OsString::from(name);
    argument.push(value.as_ref());
    argument
}

/// What a kernel says that has nothing to do, and so ends by itself.
fn said(kernel: &Path) -> std::io::Result<String> {
    let folder = tempfile::tempdir()?;
    let mut command = command(kernel, "64M", Path::new("/bin/true"), "null,fd:1", folder.path());
    command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = command.spawn()?;
    let ended = ended(&mut process);
    let _ = process.kill();
    process.wait()?;
    let mut said = String::new();
    if let Some(mut output) = process.stdout.take().filter(|_| ended) {
        output.read_to_string(&mut said)?;
    }
    if ended { Ok(said) } else { Err(std::io::ErrorKind::TimedOut.into()) }
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
