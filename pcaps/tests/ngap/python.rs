//! A Python that has pycrate.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The first of `PINION_PYTHON`, the one that the tests install, and `python3` that can import pycrate; says so where there is none.
pub(crate) fn python() -> Option<PathBuf> {
    let named = std::env::var_os("PINION_PYTHON").map(PathBuf::from);
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/python");
    let found = named.into_iter().chain([made, "python3".into()]).find(|candidate| {
        let tried = Command::new(candidate).args(["-c", "import pycrate_asn1dir"]).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    });
    if found.is_none() {
        let _ = writeln!(std::io::stderr(), "\nskipped: no Python with pycrate");
    }
    found
}

/// What a script of `captures` writes, given its arguments and `input`.
pub(crate) fn run(python: &Path, script: &[&str], input: String) -> String {
    let (script, arguments) = script.split_first().unwrap();
    let mut child = Command::new(python)
        .arg("-B")
        .arg(super::vectors::folder().join(script))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}
