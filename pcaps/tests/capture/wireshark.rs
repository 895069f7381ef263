//! The reader against tshark: the same frames, times and lengths.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use pinion_pcaps::capture::{self, Reader};

static IS_HERE: LazyLock<bool> = LazyLock::new(|| {
    let is_here = Command::new("tshark").arg("--version").output().is_ok();
    if !is_here {
        let _ = writeln!(std::io::stderr(), "\nskipped: no tshark");
    }
    is_here
});

#[test]
fn every_capture_at_hand() {
    if !*IS_HERE {
        return;
    }
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in [room.join("captures"), room.join("../../shared/pcaps")] {
        let found = capture::below(&folder);
        if found.is_empty() {
            let _ = writeln!(std::io::stderr(), "\nskipped: no captures in {}", folder.display());
        }
        files.extend(found);
    }
    for file in files {
        let ours = lines(&mut capture::open(&file).unwrap());
        assert_eq!(ours, tshark(&fs::read(&file).unwrap()), "{}", file.display());
    }
}

/// Holds a capture that was built against tshark, where there is one.
pub(crate) fn agrees(bytes: &[u8]) {
    if *IS_HERE {
        let mut reader = Reader::new(std::io::Cursor::new(bytes.to_vec()), "built").unwrap();
        assert_eq!(lines(&mut reader), tshark(bytes));
    }
}

/// Number, time, length and captured length of each frame, as tshark prints them.
fn lines(reader: &mut Reader) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        let (seconds, nanoseconds) = (frame.time.as_secs(), frame.time.subsec_nanos());
        let (number, wire, captured) = (frame.number, frame.wire_len, frame.bytes.len());
        lines.push(format!("{number}\t{seconds}.{nanoseconds:09}\t{wire}\t{captured}"));
    }
    lines
}

fn tshark(bytes: &[u8]) -> Vec<String> {
    let mut tshark = Command::new("tshark")
        .args(["-n", "-r", "-", "-T", "fields"])
        .args(["-e", "frame.number", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.cap_len"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = tshark.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(bytes));
        tshark.wait_with_output().unwrap()
    });
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}
