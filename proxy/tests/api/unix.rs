//! The unix socket: who gets in, and what becomes of what is already there.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pinion::api::{BindError, Client, Target};
use pinion::config::model::Api;
use pinion_networks::missing::skipped;

use crate::daemon::{Daemon, Local, code, err, out, pinion, runtime, socket};
use crate::sample::Sample;

fn start(folder: &tempfile::TempDir, mode: u32) -> Result<Daemon, BindError> {
    Daemon::start(&Api::Unix { path: socket(folder), mode }, Arc::new(Sample::default()))
}

fn names(folder: &tempfile::TempDir) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_socket_has_the_permissions_that_are_configured_and_goes_with_its_daemon() {
    for mode in [0o600, 0o660, 0o666] {
        let folder = tempfile::tempdir().unwrap();
        let mut daemon = start(&folder, mode).unwrap();
        let metadata = fs::symlink_metadata(socket(&folder)).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o7777, mode);
        assert_eq!(names(&folder), ["api.sock", "api.sock.lock"]);
        daemon.stop();
        assert_eq!(names(&folder), ["api.sock.lock"]);
    }
}

#[test]
fn the_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/pinion/api.sock");
    let api = Api::Unix { path: path.clone(), mode: 0o600 };
    let _daemon = Daemon::start(&api, Arc::new(Sample::default())).unwrap();
    assert_eq!(code(&pinion(&path, &["services"])), 0);
}

#[test]
fn what_a_dead_daemon_left_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    drop(std::os::unix::net::UnixListener::bind(socket(&folder)).unwrap());
    // Left by one that died while it made its socket.
    fs::create_dir(folder.path().join("api.sock.new")).unwrap();
    drop(std::os::unix::net::UnixListener::bind(folder.path().join("api.sock.new/s")).unwrap());
    fs::write(folder.path().join("api.sock.lock"), "").unwrap();
    let _daemon = start(&folder, 0o600).unwrap();
    assert_eq!(code(&pinion(&socket(&folder), &["services"])), 0);
    assert_eq!(names(&folder), ["api.sock", "api.sock.lock"]);
}

#[test]
fn a_live_daemon_keeps_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    let _daemon = start(&folder, 0o600).unwrap();
    let error = start(&folder, 0o600).err().unwrap();
    assert!(matches!(error, BindError::Alive { .. }));
    let words = format!("{}: another daemon listens there; end it first,", socket(&folder).display());
    assert!(error.to_string().starts_with(&words), "{error}");
    assert_eq!(code(&pinion(&socket(&folder), &["services"])), 0);
}

#[test]
fn a_socket_that_another_program_serves_stays_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let listener = std::os::unix::net::UnixListener::bind(socket(&folder)).unwrap();
    assert!(matches!(start(&folder, 0o600), Err(BindError::Alive { .. })));
    listener.accept().unwrap();
}

#[test]
fn of_daemons_that_start_at_once_one_listens() {
    let folder = tempfile::tempdir().unwrap();
    let started: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| start(&folder, 0o600))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(started.iter().filter(|daemon| daemon.is_ok()).count(), 1);
    let refused = started.iter().filter(|daemon| matches!(daemon, Err(BindError::Alive { .. })));
    assert_eq!(refused.count(), 7);
    assert_eq!(code(&pinion(&socket(&folder), &["services"])), 0);
}

#[test]
fn what_is_no_socket_stays() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(socket(&folder), "precious").unwrap();
    assert!(matches!(start(&folder, 0o600), Err(BindError::NotASocket { .. })));
    assert_eq!(fs::read(socket(&folder)).unwrap(), b"precious");
}

#[test]
fn a_path_that_cannot_be_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let bind = |path| {
        let daemon = Daemon::start(&Api::Unix { path, mode: 0o600 }, Arc::new(Sample::default()));
        daemon.err().unwrap().to_string()
    };
    let words = bind(file.join("pinion/api.sock"));
    assert!(words.contains("cannot make this folder: Not a directory"), "{words}");
    let words = bind(folder.path().join("x".repeat(120)));
    assert!(words.contains("cannot listen there"), "{words}");
    assert_eq!(names(&folder).iter().filter(|name| !name.ends_with(".lock")).count(), 1, "{:?}", names(&folder));
}

/// Runs the command as a user who owns nothing; `None`, with a word, where that cannot be arranged.
fn as_nobody(folder: &tempfile::TempDir, args: &[&str]) -> Option<Output> {
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("pinion");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_pinion"), &program).unwrap();
    }
    let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all"];
    let mut command = Command::new("setpriv");
    command.args(nobody).arg("--inh-caps=-all").arg("--").arg(&program).args(args);
    command.env("PINION_API", format!("unix:{}", socket(folder).display()));
    let output = command.output().ok().filter(|output| !err(output).contains("setpriv:"));
    if output.is_none() {
        skipped("no setpriv, or no root to give up");
    }
    output
}

#[test]
fn another_user_is_kept_out_unless_the_permissions_let_him_in() {
    let closed = Local::start(Sample::default());
    let Some(output) = as_nobody(&closed.folder, &["services"]) else {
        return;
    };
    assert_eq!((code(&output), out(&output)), (1, String::new()));
    let expected = format!("pinion: permission denied at {}; ask as root", closed.socket().display());
    assert!(err(&output).starts_with(&expected), "{}", err(&output));
    // The same user, a door further.
    let open = tempfile::tempdir().unwrap();
    let _daemon = start(&open, 0o666).unwrap();
    let output = as_nobody(&open, &["services"]).unwrap();
    assert_eq!((code(&output), err(&output)), (0, String::new()));
}

#[test]
fn a_request_under_way_ends_before_its_daemon() {
    let mut local = Local::start(Sample::with_slow_reload(Duration::from_millis(400)));
    let target = Target::Unix(local.socket());
    let asker = std::thread::spawn(move || {
        runtime().block_on(async { Client::connect(&target, None).await.unwrap().reload().await })
    });
    // Until the daemon sleeps in the request.
    std::thread::sleep(Duration::from_millis(200));
    local.daemon.stop();
    assert_eq!(asker.join().unwrap().unwrap().services, 2);
}

#[test]
fn an_idle_client_does_not_keep_a_daemon_from_ending() {
    let mut local = Local::start(Sample::default());
    let mute = std::os::unix::net::UnixStream::connect(local.socket()).unwrap();
    let runtime = runtime();
    let target = Target::Unix(local.socket());
    let mut client = runtime.block_on(Client::connect(&target, None)).unwrap();
    runtime.block_on(client.services()).unwrap();
    let begun = Instant::now();
    local.daemon.stop();
    assert!(begun.elapsed() < pinion::api::GRACE * 3);
    assert!(runtime.block_on(client.services()).unwrap_err().is_passing());
    drop(mute);
}

#[test]
fn a_client_that_goes_away_leaves_nothing_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let control = Arc::new(Sample::with_slow_reload(Duration::from_millis(300)));
    let api = Api::Unix { path: socket(&folder), mode: 0o600 };
    let _daemon = Daemon::start(&api, Arc::clone(&control) as Arc<_>).unwrap();
    runtime().block_on(async {
        let mut client = Client::connect(&Target::Unix(socket(&folder)), None).await.unwrap();
        let asked = tokio::time::timeout(Duration::from_millis(100), client.reload()).await;
        assert!(asked.is_err());
    });
    let begun = Instant::now();
    while *control.reloads.lock().unwrap() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the reload was given up");
        std::thread::sleep(Duration::from_millis(10));
    }
}
