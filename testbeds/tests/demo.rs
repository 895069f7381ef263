//! `pinion demo` as it is typed: through the kernel as root, through the user-space engine as anybody, and nothing left
//! of it however it ends.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use testbeds::missing::find_program;
use testbeds::need;
use testbeds::scenario::probe;

const PINION: &str = env!("CARGO_BIN_EXE_daemon");
/// Nobody on Debian; any number that is not root's does.
const USER: &str = "65534";
const WAIT: Duration = Duration::from_secs(20);

/// A folder for what the demonstration makes, and nobody else.
fn room() -> TempDir {
    let room = tempfile::tempdir().unwrap();
    fs::set_permissions(room.path(), fs::Permissions::from_mode(0o777)).unwrap();
    room
}

/// The one object on its output.
fn summary(output: &Output) -> Value {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
    let count = |kind: &str, key: &str| summary[kind][key].as_u64().unwrap();
    let sessions = ["associations", "tunnels", "ues", "sbi"].map(|kind| count(kind, "sessions"));
    assert_eq!((sessions, &summary["sessions"]), ([6, 24, 120, 120], &270.into()), "{summary} {told}");
    assert_eq!((count("associations", "moved"), count("tunnels", "moved")), (2, 8), "{summary} {told}");
    assert_eq!(summary["moved"], 10 + count("ues", "moved") + count("sbi", "moved"), "{summary} {told}");
    assert_eq!(summary["moved"], summary["had_to_move"], "{summary} {told}");
    assert_eq!((&summary["learned"], &summary["restored"]), (&24.into(), &8.into()), "{summary} {told}");
    assert_eq!(summary["lost"], summary["had_to_be_lost"], "{summary} {told}");
    // UEs of the AMF that was killed are elsewhere; those of the others lost nothing.
    assert!(count("ues", "moved") > 10 && count("ues", "silent") == 0, "{summary} {told}");
    assert_eq!(count("ues", "lost"), count("ues", "had_to_be_lost"), "{summary} {told}");
    assert_eq!(summary["ues"]["faults"], Value::Array(Vec::new()), "{summary} {told}");
    // What the UDM had that was killed is with the others; all that the SCP could save is answered, and none did it twice.
    assert!(count("sbi", "moved") > 0 && count("sbi", "silent") == 0, "{summary} {told}");
    assert_eq!(count("sbi", "moved"), count("sbi", "had_to_move"), "{summary} {told}");
    assert_eq!(count("sbi", "sent"), count("sbi", "answered") + count("sbi", "lost"), "{summary} {told}");
    assert_eq!(summary["sbi"]["faults"], Value::Array(Vec::new()), "{summary} {told}");
    assert!(summary["requests"].as_u64().unwrap() > 500 && count("sbi", "searches") <= 4, "{summary} {told}");
    for deed in ["idled", "paged", "switched", "handed_over"] {
        assert!(count("ues", deed) > 0, "{deed}: {summary} {told}");
    }
    for line in [
        "120 UEs register",
        "its UEs are back",
        "messages of UEs, 0 lost",
        "24 sessions, 8 of them restored",
        "no UPF has any left",
        "60 subscriptions, by capacity: udm-1 has ",
        "60 SM contexts, by priority: smf-1 has ",
        "others of its set have them",
        "no UDM or SMF has any left",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert!(
        summary["messages"].as_u64().unwrap() > 1000 && summary["packets"].as_u64().unwrap() > 4000,
        "{summary}"
    );
    summary
}

/// Processes that were started with something of this folder.
fn processes(room: &Path) -> usize {
    let room = room.as_os_str().as_encoded_bytes();
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| line.windows(room.len()).any(|part| part == room)).count()
}

fn is_mounted(room: &Path) -> bool {
    fs::read_to_string("/proc/self/mounts").unwrap().contains(room.to_str().unwrap())
}

fn is_empty(room: &Path) -> bool {
    fs::read_dir(room).unwrap().next().is_none()
}

#[test]
fn the_kernel_loses_and_moves_what_it_must() {
    need!(probe());
    let room = room();
    let output =
        Command::new(PINION).args(["demo", "--format", "json"]).env("TMPDIR", room.path()).output().unwrap();
    let summary = summary(&output);
    assert_eq!((&summary["engine"], &summary["missing"]), (&"kernel".into(), &Value::Array(Vec::new())));
    assert!(is_empty(room.path()) && !is_mounted(room.path()));
    assert_eq!(processes(room.path()), 0);
}

#[test]
fn anybody_is_told_what_is_missing_and_sees_it_simulated() {
    let setpriv = need!(find_program("setpriv", "install util-linux"));
    need!(testbeds::missing::probe());
    let room = room();
    // The user may not be allowed where the program lies.
    let pinion = room.path().join("pinion");
    fs::copy(PINION, &pinion).unwrap();
    let mut command = Command::new(setpriv);
    command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]);
    command.arg(&pinion).args(["demo", "--format", "json"]).current_dir(room.path());
    let output = command.output().unwrap();
    let summary = summary(&output);
    assert_eq!(summary["engine"], "user");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    for word in ["root is missing", "CAP_SYS_ADMIN", "sudo pinion demo"] {
        assert!(told.contains(word) && summary["missing"][0].as_str().unwrap().contains(word), "{word}: {told}");
    }
}

/// Starts it, waits until the daemon has started, and sends a signal; how it ended.
fn interrupted(room: &Path, signal: Signal) -> ExitStatus {
    let mut child: Child = Command::new(PINION)
        .args(["demo", "--format", "json"])
        .env("TMPDIR", room)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("the daemon is ready")));
    assert_eq!(processes(room), 1);
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
    child.wait().unwrap()
}

#[test]
fn a_signal_leaves_nothing() {
    need!(probe());
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let room = room();
        assert_eq!(interrupted(room.path(), signal).code(), Some(1));
        assert!(is_empty(room.path()) && !is_mounted(room.path()), "{signal}");
        assert_eq!(processes(room.path()), 0, "{signal}");
    }
}

#[test]
fn even_killed_it_leaves_neither_daemon_nor_mount() {
    need!(probe());
    need!(find_program("setpriv", "install util-linux"));
    let room = room();
    interrupted(room.path(), Signal::SIGKILL);
    let end = Instant::now() + WAIT;
    while processes(room.path()) > 0 {
        assert!(Instant::now() < end, "the daemon goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!is_mounted(room.path()));
}
