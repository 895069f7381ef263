//! usrsctp's example programs (Debian's libusrsctp-examples): another SCTP in user space, on the addresses
//! that its host's kernel has.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use pinion_networks::Missing;
use pinion_networks::missing::find_program;
use pinion_networks::namespace::{Namespace, Process, tied};

use crate::failure::Failure;

/// The programs, found on this machine.
#[derive(Debug, Clone)]
pub struct Usrsctp {
    folder: PathBuf,
    stdbuf: PathBuf,
}

/// Where Debian has them.
const FOLDER: &str = "/usr/lib/usrsctp";
/// It sees to it that what it counted is heard, and is not to be slowed down by every line that it says.
const FLUSHES: &str = "tsctp";

impl Usrsctp {
    /// Finds them.
    ///
    /// # Errors
    ///
    /// [`Missing::Program`].
    pub fn find() -> Result<Self, Missing> {
        let stdbuf = find_program("stdbuf", "install coreutils")?;
        if !Path::new(FOLDER).join("tsctp").is_file() {
            return Err(Missing::Program { program: "tsctp", remedy: "install libusrsctp-examples" });
        }
        Ok(Self { folder: FOLDER.into(), stdbuf })
    }

    /// Starts one of them in a namespace whose kernel has the addresses.
    ///
    /// # Errors
    ///
    /// [`Failure::Network`], [`Failure::PeerGone`].
    pub fn start<S: AsRef<OsStr>>(
        &self,
        namespace: &Namespace,
        program: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Running, Failure> {
        let path = self.folder.join(program);
        let mut command = if program == FLUSHES {
            tied(path)
        } else {
            // Line by line, though it speaks into a pipe.
            let mut command = tied(&self.stdbuf);
            command.arg("-oL").arg(path);
            command
        };
        command.args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = namespace.spawn(command)?;
        let gone = || Failure::PeerGone { name: program.to_owned(), tail: String::new() };
        let (input, output) = (process.stdin().ok_or_else(gone)?, process.stdout().ok_or_else(gone)?);
        let (said, lines) = channel();
        std::thread::spawn(move || read(output, &said));
        Ok(Running { name: program.to_owned(), process, input: Some(input), lines })
    }
}

fn read(output: impl Read, said: &std::sync::mpsc::Sender<String>) {
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        if said.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
            return;
        }
    }
}

/// A running program; it is killed when it is dropped.
#[derive(Debug)]
pub struct Running {
    name: String,
    process: Process,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Running {
    /// Gives it a line.
    ///
    /// # Errors
    ///
    /// [`Failure::PeerGone`].
    pub fn say(&mut self, line: &str) -> Result<(), Failure> {
        let said = self.input.as_mut().map(|input| input.write_all(format!("{line}\n").as_bytes()));
        said.and_then(Result::ok).ok_or_else(|| Failure::PeerGone { name: self.name.clone(), tail: String::new() })
    }

    /// Ends its input.
    pub fn finish(&mut self) {
        self.input = None;
    }

    /// Waits for a line that says what is wanted.
    ///
    /// # Errors
    ///
    /// [`Failure::PeerSilent`] with what it said instead, [`Failure::PeerGone`].
    pub fn heard<T>(&mut self, wait: Duration, wanted: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
        let (end, mut tail) = (Instant::now() + wait, String::new());
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => match wanted(&line) {
                    Some(found) => return Ok(found),
                    None => tail = tail + "\n" + &line,
                },
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    return Err(Failure::PeerSilent { name: self.name.clone(), after: wait, tail });
                }
                Err(_) => return Err(Failure::PeerGone { name: self.name.clone(), tail }),
            }
        }
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// What `tsctp` says of an association that it served.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counted {
    /// Messages.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// From the first of them to the end.
    pub seconds: f64,
}

impl Counted {
    /// Reads the line: length of the first message, messages, calls, bytes, seconds, bytes a second,
    /// notifications.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split(", ").collect();
        let [_, messages, _, bytes, seconds, _, _] = fields.as_slice() else { return None };
        Some(Self { messages: messages.parse().ok()?, bytes: bytes.parse().ok()?, seconds: seconds.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_line_is_read() {
        let counted = Counted { messages: 300, bytes: 30_000, seconds: 2.0 };
        assert_eq!(Counted::read("100, 300, 310, 30000, 2.000000, 15000.000000, 0"), Some(counted));
        assert_eq!(Counted::read("Start sending 5 messages ..."), None);
    }
}
