//! `pinion top` on a terminal that `script` makes, and without one.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pinion::config::model::Api;
use pinion_networks::missing::skipped;
use tempfile::TempDir;

use crate::daemon::{Daemon, Local, code, err, out, pinion};
use crate::sample::Sample;

const PATIENCE: Duration = Duration::from_secs(30);

/// `pinion top` under way.
struct Screen {
    script: Child,
    shown: Arc<Mutex<Vec<u8>>>,
    folder: TempDir,
}

impl Screen {
    /// `None`, with a word, where there is no `script`.
    fn open(socket: &std::path::Path) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (pinion, place) = (env!("CARGO_BIN_EXE_pinion"), folder.path().display());
        let commands = format!(
            "stty rows 30 cols 100; stty -g > {place}/before; \
             sh -c 'echo $$ > {place}/pid; exec {pinion} top --interval 100ms --api unix:{}'; \
             echo $? > {place}/code; stty -g > {place}/after",
            socket.display()
        );
        let script = Command::new("script")
            .args(["-qec", &commands, "/dev/null"])
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut script) = script else {
            skipped("no `script`, which makes terminals");
            return None;
        };
        let shown = Arc::new(Mutex::new(Vec::new()));
        let mut output = script.stdout.take().unwrap();
        let kept = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut part) {
                kept.lock().unwrap().extend_from_slice(&part[..length]);
            }
        });
        Some(Self { script, shown, folder })
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Waits until something is drawn, and forgets it and what was drawn before.
    fn await_word(&self, word: &str) {
        let begun = Instant::now();
        loop {
            let mut shown = self.shown.lock().unwrap();
            if let Some(place) = shown.windows(word.len()).position(|part| part == word.as_bytes()) {
                shown.drain(..place + word.len());
                return;
            }
            drop(shown);
            assert!(begun.elapsed() < PATIENCE, "no {word} in\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&mut self, keys: &str) {
        let input = self.script.stdin.as_mut().unwrap();
        input.write_all(keys.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits for the end, and gives the exit code. The terminal must be as before.
    fn end(mut self) -> String {
        self.script.wait().unwrap();
        let read = |name| fs::read_to_string(self.file(name)).unwrap().trim().to_owned();
        assert_eq!(read("before"), read("after"), "the terminal's modes");
        read("code")
    }

    /// Leaves the other screen: what was on the terminal before is there again.
    fn await_leaving(&self) {
        self.await_word("\x1b[?1049l");
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Its terminal goes with it, and so does what runs there.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

#[test]
fn keys_move_drain_and_quit() {
    let local = Local::start(Sample::default());
    let Some(mut screen) = Screen::open(&local.socket()) else {
        return;
    };
    screen.await_word("amf/amf-2");
    screen.press("jd");
    screen.await_word("y/n");
    screen.press("n");
    let state = || out(&local.pinion(&["endpoints", "--format", "json"]));
    assert_eq!(state().matches("\"draining\"").count(), 1);
    screen.press("d");
    screen.await_word("y/n");
    screen.press("y");
    let begun = Instant::now();
    while state().matches("\"draining\"").count() < 2 {
        assert!(begun.elapsed() < PATIENCE, "{}", state());
        std::thread::sleep(Duration::from_millis(50));
    }
    screen.press("q");
    screen.await_leaving();
    assert_eq!(screen.end(), "0");
}

#[test]
fn a_daemon_that_goes_and_comes_is_waited_for() {
    let mut local = Local::start(Sample::default());
    let Some(mut screen) = Screen::open(&local.socket()) else {
        return;
    };
    screen.await_word("amf/amf-2");
    local.daemon.stop();
    screen.await_word("trying");
    // The headings come after the banner, and move when it comes and goes.
    screen.await_word("ENDPOINT");
    let api = Api::Unix { path: local.socket(), mode: 0o600 };
    let _again = Daemon::start(&api, Arc::new(Sample::default())).unwrap();
    screen.await_word("ENDPOINT");
    screen.press("\x03");
    screen.await_leaving();
    assert_eq!(screen.end(), "0");
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let local = Local::start(Sample::default());
    for signal in ["TERM", "HUP", "INT"] {
        let Some(screen) = Screen::open(&local.socket()) else {
            return;
        };
        screen.await_word("amf/amf-2");
        let pid = fs::read_to_string(screen.file("pid")).unwrap();
        let killed = Command::new("kill").args(["-s", signal, pid.trim()]).status().unwrap();
        assert!(killed.success());
        screen.await_leaving();
        assert_eq!(screen.end(), "0", "{signal}");
    }
}

#[test]
fn without_a_terminal_one_screen_is_text() {
    let local = Local::start(Sample::default());
    let output = local.pinion(&["top", "--once", "--interval", "100ms"]);
    assert_eq!((code(&output), err(&output)), (0, String::new()));
    insta::with_settings!({omit_expression => true}, {
        let screen = out(&output).replace(local.socket().to_str().unwrap(), "/run/pinion/api.sock");
        insta::assert_snapshot!("once", screen);
    });
    let output = local.pinion(&["top"]);
    assert_eq!((code(&output), out(&output)), (2, String::new()));
    assert!(err(&output).contains("use `pinion top --once`"), "{}", err(&output));
    for interval in ["1ms", "2m", "often"] {
        assert_eq!(code(&local.pinion(&["top", "--interval", interval])), 2);
    }
}

#[test]
fn one_screen_of_no_daemon_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let output = pinion(&folder.path().join("api.sock"), &["top", "--once"]);
    assert_eq!((code(&output), out(&output)), (1, String::new()));
    assert!(err(&output).contains("no daemon listens at"), "{}", err(&output));
}
