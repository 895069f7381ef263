//! How `profile/rustc` has rustc called, by a script in its place that says what it was called with.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder with the wrapper and a profile for LLVM 22, and a compiler of this LLVM.
fn compiler(llvm: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let wrapper = Path::new(env!("CARGO_MANIFEST_DIR")).join("../profile/rustc");
    fs::copy(wrapper, folder.path().join("rustc")).unwrap();
    fs::write(folder.path().join("llvm-22.profdata"), "").unwrap();
    let compiler = folder.path().join("compiler");
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = -vV ] && printf 'rustc 1.0.0\\nLLVM version: {llvm}\\n' && exit\nprintf '%s\\n' \"$@\"\n"
    );
    fs::write(&compiler, script).unwrap();
    fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).unwrap();
    (folder, compiler)
}

fn called(llvm: &str, profile: Option<&str>, arguments: &[&str]) -> Output {
    let (folder, compiler) = compiler(llvm);
    let mut command = Command::new(folder.path().join("rustc"));
    command.arg(compiler).args(arguments).env_remove("PINION_PROFILE");
    command.envs(profile.map(|it| ("PINION_PROFILE", it)));
    command.output().unwrap()
}

/// What is added to these arguments.
fn added(llvm: &str, profile: Option<&str>, arguments: &[&str]) -> Vec<String> {
    let output = called(llvm, profile, arguments);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let mut lines = said.lines();
    for argument in arguments {
        assert_eq!(lines.next(), Some(*argument));
    }
    lines.map(str::to_owned).collect()
}

const OPTIMISED: [&str; 4] = ["--crate-name", "a b", "-C", "opt-level=3"];

/// One test, for a script that is written while another test starts a process is busy to the kernel.
#[test]
fn optimised_code_and_nothing_else_goes_by_the_profile_of_its_llvm() {
    let goes_by = added("22.1.2", None, &OPTIMISED);
    let profile = goes_by.first().and_then(|it| it.strip_prefix("-Cprofile-use=/"));
    assert!(profile.is_some_and(|it| it.ends_with("/llvm-22.profdata")), "{goes_by:?}");

    assert_eq!(added("21.1.0", None, &OPTIMISED), [""; 0], "there is no profile of that");
    assert_eq!(added("22.1.2", None, &["--crate-name", "a"]), [""; 0]);
    for other in [&["--target", "bpfel-unknown-none"][..], &["-Cprofile-use=/own"], &["-Zsanitizer=address"]] {
        assert_eq!(added("22.1.2", None, &[&OPTIMISED[..], other].concat()), [""; 0], "{other:?}");
    }

    assert_eq!(added("22.1.2", Some("off"), &OPTIMISED), [""; 0]);
    assert_eq!(added("22.1.2", Some("make"), &OPTIMISED), ["-Cprofile-generate"]);
    let wrong = called("22.1.2", Some("on"), &OPTIMISED);
    assert_eq!(wrong.status.code(), Some(2));
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert_eq!(said, "profile/rustc: PINION_PROFILE is 'on': it may be use, make or off\n");
}
