//! Programs that run beside a test, and are ended with it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use pinion_networks::missing::{find_program, skipped};
use pinion_networks::namespace::tied;
use tokio::net::{TcpListener, TcpStream};

/// Where a program is; where it is not, that what needs it is skipped is said.
pub(crate) fn program(name: &'static str, remedy: &'static str) -> Option<PathBuf> {
    find_program(name, remedy).map_err(skipped).ok()
}

/// A Python that has a module.
pub(crate) fn python(module: &str) -> Option<PathBuf> {
    let named = std::env::var_os("PINION_PYTHON").map(PathBuf::from);
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/python");
    let found = named.into_iter().chain([made, "python3".into()]).find(|python| {
        let asked = Command::new(python).args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    });
    if found.is_none() {
        skipped(format!("no Python with {module}: set PINION_PYTHON, or make a venv in target/venv"));
    }
    found
}

/// A script of `tests/peers`.
pub(crate) fn script(python: &Path, name: &str) -> Command {
    let mut command = tied(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name));
    command
}

/// What a command says, when it has ended.
pub(crate) async fn output(mut command: Command) -> Output {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap()
}

/// What a command says on its standard output, where all went well.
pub(crate) async fn said(command: Command) -> String {
    let told = format!("{command:?}");
    let output = output(command).await;
    assert!(output.status.success(), "{told}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A server that listens on a port of 127.0.0.1.
pub(crate) struct Server {
    pub port: u16,
    child: Child,
}

impl Server {
    /// Starts what a port that is free is told to.
    pub(crate) async fn start(command: impl FnOnce(u16) -> Command) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        Self::at(port, command(port)).await
    }

    /// Starts one that listens at a port, and waits until it does.
    pub(crate) async fn at(port: u16, mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let server = Self { port, child: command.spawn().unwrap() };
        for _ in 0..3_000 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{command:?} does not listen");
    }

    /// Its API root.
    pub(crate) fn root(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ends(&mut self) {
        while self.child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its process.
    pub(crate) fn id(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An nghttpd with these files, where there is one.
pub(crate) async fn nghttpd(files: &Path, options: &[&str]) -> Option<Server> {
    let program = program("nghttpd", "install nghttp2-server")?;
    let start = |port: u16| {
        let mut command = tied(&program);
        command.args(["--no-tls", "--address=127.0.0.1"]).args(options);
        command.arg("--htdocs").arg(files).arg(port.to_string());
        command
    };
    Some(Server::start(start).await)
}
