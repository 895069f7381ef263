//! What a service manager hears, on a socket of its own.
#![cfg(test)]

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::Command;
use std::time::Duration;

use pinion::notify::{Notifier, NotifyError, monotonic};
use pinion_networks::missing::skipped;
use tempfile::TempDir;

/// A service manager.
struct Manager {
    socket: UnixDatagram,
    name: OsString,
    _folder: Option<TempDir>,
}

impl Manager {
    fn at_a_path() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("notify");
        Self::with(UnixDatagram::bind(&name).unwrap(), name.into(), Some(folder))
    }

    fn abstract_one(test: &str) -> Self {
        let name = format!("pinion-notify-{test}-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        Self::with(UnixDatagram::bind_addr(&address).unwrap(), format!("@{name}").into(), None)
    }

    fn with(socket: UnixDatagram, name: OsString, folder: Option<TempDir>) -> Self {
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self { socket, name, _folder: folder }
    }

    fn hear(&self) -> String {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }
}

#[test]
fn a_life_is_heard() {
    for manager in [Manager::at_a_path(), Manager::abstract_one("life")] {
        let notifier = Notifier::new(Some(&manager.name)).unwrap();
        assert!(notifier.is_heard());
        notifier.status("restoring pins").unwrap();
        assert_eq!(manager.hear(), "STATUS=restoring pins");
        notifier.ready("3 services").unwrap();
        assert_eq!(manager.hear(), "READY=1\nSTATUS=3 services");
        notifier.reloading(Duration::from_micros(1_234_567)).unwrap();
        assert_eq!(manager.hear(), "RELOADING=1\nMONOTONIC_USEC=1234567\nSTATUS=reading the configuration");
        notifier.alive().unwrap();
        assert_eq!(manager.hear(), "WATCHDOG=1");
        notifier.stopping("told to").unwrap();
        assert_eq!(manager.hear(), "STOPPING=1\nSTATUS=told to");
    }
}

#[test]
fn a_status_cannot_carry_another_key() {
    let manager = Manager::at_a_path();
    Notifier::new(Some(&manager.name)).unwrap().status("no\nMAINPID=1\r\0").unwrap();
    assert_eq!(manager.hear(), "STATUS=no MAINPID=1  ");
}

#[test]
fn systemd_says_the_same() {
    let manager = Manager::abstract_one("oracle");
    let mut command = Command::new("systemd-notify");
    command.args(["--no-block", "--ready", "--status=3 services"]).env("NOTIFY_SOCKET", &manager.name);
    match command.status() {
        Ok(status) => assert!(status.success()),
        Err(error) => return skipped(format_args!("systemd-notify: {error}")),
    }
    let theirs = manager.hear();
    Notifier::new(Some(&manager.name)).unwrap().ready("3 services").unwrap();
    let ours = manager.hear();
    let sorted = |text: &str| {
        // It adds the process that it speaks for.
        let mut lines: Vec<_> = text.lines().filter(|it| !it.starts_with("MAINPID=")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&ours), sorted(&theirs));
}

#[test]
fn nobody_is_told_without_a_socket() {
    let notifier = Notifier::new(None).unwrap();
    notifier.ready("3 services").unwrap();
    notifier.alive().unwrap();
}

#[test]
fn a_manager_that_is_gone_is_an_error() {
    let Manager { name, socket, _folder: folder } = Manager::at_a_path();
    drop((socket, folder));
    let error = Notifier::new(Some(&name)).unwrap().ready("3 services").unwrap_err();
    assert!(matches!(&error, NotifyError::Send { source, .. } if source.kind() == ErrorKind::NotFound), "{error}");
    assert!(error.to_string().contains("READY=1"), "{error}");
}

#[test]
fn a_manager_that_does_not_read_holds_nobody_up() {
    let manager = Manager::at_a_path();
    let notifier = Notifier::new(Some(&manager.name)).unwrap();
    // Linux queues net.unix.max_dgram_qlen datagrams, by default 10 or 512.
    let error = (0..100_000).find_map(|_| notifier.alive().err()).unwrap();
    assert!(
        matches!(&error, NotifyError::Send { source, .. } if source.kind() == ErrorKind::WouldBlock),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_is_told_twice_in_its_time_while_the_daemon_is_alive() {
    let manager = Manager::at_a_path();
    let notifier = Notifier::new(Some(&manager.name)).unwrap();
    let mut asked = 0;
    let limit = Duration::from_secs(30);
    let kept = notifier.keep_alive(limit, || {
        asked += 1;
        asked != 3
    });
    // At 0, 15, 30 (stuck), 45 and 60 s.
    tokio::time::timeout(Duration::from_secs(61), kept).await.unwrap_err();
    assert_eq!(asked, 5);
    manager.socket.set_nonblocking(true).unwrap();
    let mut bytes = [0; 64];
    let heard = std::iter::from_fn(|| manager.socket.recv(&mut bytes).ok()).count();
    assert_eq!(heard, 4);
}

#[test]
fn the_clock_is_the_systems() {
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    // /proc/uptime has the time asleep too.
    assert!(monotonic() > Duration::ZERO && monotonic().as_secs_f64() <= uptime + 60.0);
}
