//! The processes of the bench, each ended with its value.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::BenchError;
use super::worker::{Certificate, TLS};
use crate::missing::find_program;

/// How long one may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A program that runs until this is dropped.
pub(super) struct Process {
    child: Child,
}

/// Where a program is.
pub(super) fn find(program: &'static str) -> Result<PathBuf, BenchError> {
    let remedy = "on Debian: apt install nghttp2-client nghttp2-proxy nghttp2-server";
    find_program(program, remedy).map_err(|missing| BenchError::Missing(missing.to_string()))
}

impl Process {
    /// nghttpd, with files.
    pub(super) fn backend(folder: &Path, port: u16) -> Result<Self, BenchError> {
        let mut command = Command::new(find("nghttpd")?);
        command.args(["--no-tls", "-n", "1", "-d"]).arg(folder).arg(port.to_string());
        Self::start(command, port)
    }

    /// nghttpx, as a plain proxy of HTTP/2, in the clear and over TLS; its certificate is put into `folder`.
    pub(super) fn theirs(port: u16, backend: u16, folder: &Path) -> Result<Self, BenchError> {
        let pair = ["certificate.pem", "key.pem"].map(|name| folder.join(name));
        let made = Certificate::new()
            .and_then(|made| pair.iter().zip(&made.pem).try_for_each(|(file, pem)| std::fs::write(file, pem)));
        made.map_err(|error| BenchError::Missing(format!("a certificate for nghttpx: {error}")))?;
        let mut command = Command::new(find("nghttpx")?);
        command.args(["--conf=/dev/null", "--workers=1", "--single-process"]);
        command.args(["--backend-read-timeout=600s", "--stream-read-timeout=600s"]);
        command.arg(format!("--frontend=127.0.0.1,{port};no-tls"));
        command.arg(format!("--frontend=127.0.0.1,{}", port + TLS));
        command.arg(format!("--backend=127.0.0.1,{backend};;proto=h2"));
        let [certificate, key] = pair;
        command.args([key, certificate]);
        Self::start(command, port)
    }

    /// This program, as an SCP.
    pub(super) fn ours(port: u16, nrf: u16) -> Result<Self, BenchError> {
        Self::own(port, ["--nrf", &nrf.to_string()])
    }

    /// This program, as a bare relay.
    pub(super) fn relay(port: u16, backend: u16) -> Result<Self, BenchError> {
        Self::own(port, ["--backend", &backend.to_string()])
    }

    fn own(port: u16, behind: [&str; 2]) -> Result<Self, BenchError> {
        let own = std::env::current_exe().map_err(|error| BenchError::Missing(error.to_string()))?;
        let mut command = Command::new(own);
        command.args(["scp", "--worker", &format!("127.0.0.1:{port}")]).args(behind);
        Self::start(command, port)
    }

    /// Its number.
    pub(super) fn worker(&self) -> u32 {
        self.child.id()
    }

    fn start(mut command: Command, port: u16) -> Result<Self, BenchError> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| BenchError::Missing(format!("{command:?}: {error}")))?;
        let process = Self { child };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if begun.elapsed() > PATIENCE {
                return Err(BenchError::Missing(format!("{command:?} does not listen on port {port}")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(process)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have something to write down first.
        if let Ok(number) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(number), Signal::SIGTERM);
        }
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
