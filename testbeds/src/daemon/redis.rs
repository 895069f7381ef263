use std::io::{self, BufRead as _, BufReader, ErrorKind, Lines, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::failure::Failure;
use crate::missing::{Missing, find_program};
use crate::namespace::{Namespace, Process, tied};

/// How long a server may take to listen, or to answer.
const WAIT: Duration = Duration::from_secs(10);

/// A Redis server of its own, at a unix socket, that keeps nothing on disk. It is killed when this is dropped.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    socket: PathBuf,
}

impl Redis {
    /// The server's program.
    ///
    /// # Errors
    ///
    /// [`Missing::Network`].
    pub fn find() -> Result<PathBuf, Missing> {
        Ok(find_program("redis-server", "install redis-server, as Debian names it")?)
    }

    /// Starts an empty one that listens at `socket`, and waits until it does.
    ///
    /// # Errors
    ///
    /// [`Failure::Network`]; [`Failure::Tool`] where it does not answer in time.
    pub fn start(program: &Path, namespace: &Namespace, socket: &Path) -> Result<Self, Failure> {
        let mut command = tied(program);
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]).arg(socket);
        command.stdout(Stdio::null());
        let server = Self { process: namespace.spawn(command)?, socket: socket.to_owned() };
        let end = Instant::now() + WAIT;
        while let Err(failure) = server.keys("*") {
            if Instant::now() > end {
                return Err(failure);
            }
            sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// What a daemon is configured with to use the server at `socket`.
    #[must_use]
    pub fn address(socket: &Path) -> String {
        format!("redis+unix://{}", socket.display())
    }

    /// Stops it for a while, as a machine that hangs.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`] where it cannot be signalled.
    pub fn pause(&mut self) -> Result<(), Failure> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`] where it cannot be signalled.
    pub fn resume(&mut self) -> Result<(), Failure> {
        self.signal(Signal::SIGCONT)
    }

    /// The keys that match a pattern, in order, by the server's own protocol.
    ///
    /// # Errors
    ///
    /// [`Failure::Tool`] where it does not answer in time.
    pub fn keys(&self, pattern: &str) -> Result<Vec<String>, Failure> {
        let mut answer = self.ask(&format!("KEYS {pattern}"))?;
        let head = answer.line()?;
        let count = head.strip_prefix('*').and_then(|count| count.parse::<usize>().ok());
        let count = count.ok_or(Failure::Tool { program: "redis-server", reason: head })?;
        let mut keys = Vec::new();
        for _ in 0..count {
            // Before each text stands how long it is.
            answer.line()?;
            keys.push(answer.line()?);
        }
        keys.sort();
        Ok(keys)
    }

    /// How many fields a hash has.
    ///
    /// # Errors
    ///
    /// [`Failure::Tool`] where it does not answer in time.
    pub fn fields(&self, key: &str) -> Result<usize, Failure> {
        let head = self.ask(&format!("HLEN {key}"))?.line()?;
        let count = head.strip_prefix(':').and_then(|count| count.parse().ok());
        count.ok_or(Failure::Tool { program: "redis-server", reason: head })
    }

    fn ask(&self, command: &str) -> Result<Answer, Failure> {
        let mut stream = UnixStream::connect(&self.socket).map_err(|error| wrong(&error))?;
        stream.set_read_timeout(Some(WAIT)).map_err(|error| wrong(&error))?;
        write!(stream, "{command}\r\n").map_err(|error| wrong(&error))?;
        Ok(Answer(BufReader::new(stream).lines()))
    }

    fn signal(&mut self, signal: Signal) -> Result<(), Failure> {
        self.process.signal(signal).map_err(|source| Failure::Socket { what: "signal to redis-server", source })
    }
}

/// What the server says, line by line.
struct Answer(Lines<BufReader<UnixStream>>);

impl Answer {
    fn line(&mut self) -> Result<String, Failure> {
        self.0.next().unwrap_or_else(|| Err(ErrorKind::UnexpectedEof.into())).map_err(|error| wrong(&error))
    }
}

fn wrong(error: &io::Error) -> Failure {
    Failure::Tool { program: "redis-server", reason: error.to_string() }
}
