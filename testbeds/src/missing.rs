//! What this machine lacks for a testbed, so that a test can say it and stop.

pub use pinion_networks::missing::{find_program, probe, skipped};

/// Something that a testbed needs and this machine has not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Root, namespaces or a program.
    #[error(transparent)]
    Network(#[from] pinion_networks::Missing),
    /// A Python that can import a module.
    #[error("a Python with {module} is missing: set PINION_PYTHON, or make a venv in target/venv")]
    PythonModule {
        /// The module.
        module: &'static str,
    },
    /// Neither does the kernel have SCTP, nor is User-Mode Linux there.
    #[error("SCTP is missing: `modprobe sctp`, or install user-mode-linux ({0})")]
    Sctp(String),
    /// The XDP program cannot be loaded.
    #[error("XDP is missing: {0}")]
    Xdp(String),
}

/// Unwraps a probe's result inside a test, or says what is missing and
/// returns from the test.
#[macro_export]
macro_rules! need {
    ($probe:expr) => {
        match $probe {
            Ok(found) => found,
            Err(missing) => {
                $crate::missing::skipped(missing);
                return;
            }
        }
    };
}
