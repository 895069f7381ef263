//! Two daemons on one host: what one keeps is not the other's.
#![cfg(test)]

use std::fs::{self, File};
use std::net::SocketAddr;
use std::process::{Child, Command};
use std::time::Duration;

#[path = "shared/daemon.rs"]
mod daemon;
#[path = "shared/free.rs"]
mod free;

use daemon::{Place, until};
use free::free;

fn scp(listener: SocketAddr) -> String {
    let (address, port) = (listener.ip(), listener.port());
    format!("sbi:\n  fqdn: scp.example\n  listeners: [{{address: {address}, port: {port}}}]\n")
        + "  nrf: {api_roots: ['http://127.0.0.1:1']}\n"
}

/// Another daemon, with a configuration of its own; it does not outlive the test.
struct Second(Child);

impl Second {
    /// Starts one in a folder where one runs.
    fn start(place: &Place, yaml: &str) -> Self {
        let config = place.file("second.yaml");
        fs::write(&config, format!("api: {{unix: {}}}\n{yaml}", place.file("second.sock").display())).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinion"));
        command
            .arg("run")
            .arg(config)
            .arg("--pins")
            .arg(place.file("bpf"))
            .arg("--state")
            .arg(place.file("state"));
        Self(command.stderr(File::create(place.file("second.log")).unwrap()).spawn().unwrap())
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_second_daemon_does_not_take_the_state_of_one_that_runs() {
    let mut place = Place::start(&scp(free().await)).await;
    let other = scp(free().await);
    let mut second = Second::start(&place, &other);
    let said = || fs::read_to_string(place.file("second.log")).unwrap();
    while second.0.try_wait().unwrap().is_none() {
        assert!(!said().contains("ready: "), "it runs beside the other");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(second.0.wait().unwrap().code(), Some(1), "{}", said());
    let expected = format!("{}: another daemon keeps its state there", place.file("state").display());
    assert!(said().contains(&expected), "{}", said());

    // The one that ran goes on, and what a dead one held is the next one's.
    until(async || place.tell(&["stats"])["sbi"]["fqdn"] == "scp.example").await;
    place.kill();
    place.configure(&other);
    place.resume().await;
    until(async || place.tell(&["stats"])["sbi"]["fqdn"] == "scp.example").await;
    place.stop();
}
