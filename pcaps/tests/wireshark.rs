//! The reader against tshark: the same frames, times and lengths, in every capture at hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pinion_pcaps::capture;

#[test]
fn every_frame_is_as_tshark_reads_it() {
    if Command::new("tshark").arg("--version").output().is_err() {
        println!("skipped: no tshark");
        return;
    }
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in [
        repository.join("../shared/pcaps"),
        repository.join("pcaps/captures"),
    ] {
        let before = files.len();
        list(&folder, &mut files);
        if files.len() == before {
            println!("skipped: no captures in {}", folder.display());
        }
    }
    for file in files {
        assert_eq!(ours(&file), tsharks(&file), "{}", file.display());
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(&path, files);
        } else if let Some("pcap" | "pcapng" | "cap" | "gz") =
            path.extension().and_then(|end| end.to_str())
        {
            files.push(path);
        }
    }
}

/// Number, time, length and captured length of each frame, as tshark prints them.
fn ours(file: &Path) -> Vec<String> {
    let mut reader = capture::open(file).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        let (seconds, nanoseconds) = (frame.time.as_secs(), frame.time.subsec_nanos());
        frames.push(format!(
            "{}\t{seconds}.{nanoseconds:09}\t{}\t{}",
            frame.number,
            frame.wire_len,
            frame.bytes.len()
        ));
    }
    frames
}

fn tsharks(file: &Path) -> Vec<String> {
    let output = Command::new("tshark")
        .args([
            "-n",
            "--disable-protocol",
            "ip",
            "--disable-protocol",
            "ipv6",
            "-T",
            "fields",
        ])
        .args([
            "-e",
            "frame.number",
            "-e",
            "frame.time_epoch",
            "-e",
            "frame.len",
            "-e",
            "frame.cap_len",
            "-r",
        ])
        .arg(file)
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}
