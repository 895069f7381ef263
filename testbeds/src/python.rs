//! A Python for peers that are scripts.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::missing::{Missing, find_program};

/// An interpreter, by the path that it gives itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// The interpreter.
    pub program: PathBuf,
}

impl Python {
    /// The first of `PINION_PYTHON`, `target/venv/bin/python` and `python3`
    /// that can import `module`.
    ///
    /// # Errors
    ///
    /// [`Missing::PythonModule`].
    pub fn with(module: &'static str) -> Result<Self, Missing> {
        let named = std::env::var_os("PINION_PYTHON").map(PathBuf::from);
        let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/python");
        let system = find_program("python3", "install python3").ok();
        named
            .into_iter()
            .chain([made])
            .chain(system)
            .find_map(|candidate| ask(&candidate, module))
            .ok_or(Missing::PythonModule { module })
    }

    /// One that can import scapy, which peers of GTP-U and PFCP are made of.
    ///
    /// # Errors
    ///
    /// [`Missing::PythonModule`].
    pub fn with_scapy() -> Result<Self, Missing> {
        Self::with("scapy")
    }

    /// A command that runs `script` with it; the peer dies with this process.
    #[must_use]
    pub fn script(&self, script: &str) -> Command {
        let mut command = crate::namespace::tied(&self.program);
        command.args(["-u", "-c", script]);
        command
    }
}

/// Where the candidate says that it lies, if it can import the module: a shim
/// in PATH may choose an interpreter by folder or environment.
fn ask(candidate: &Path, module: &str) -> Option<Python> {
    let question = format!("import sys, {module}; print(sys.executable)");
    let output = Command::new(candidate).args(["-c", &question]).stderr(Stdio::null()).output().ok()?;
    let program = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    (output.status.success() && program.is_file()).then_some(Python { program })
}
