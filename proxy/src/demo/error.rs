//! Why a demonstration breaks off.

use std::io;

use pinion_loader::LoadError;

/// Why a demonstration breaks off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// A network of namespaces.
    #[error("the networks: {0}")]
    Network(#[from] pinion_networks::Failure),
    /// The packet path.
    #[error(transparent)]
    Path(#[from] LoadError),
    /// The demonstration's own configuration is refused.
    #[error("the demonstration's own configuration is refused: {0}")]
    Configuration(String),
    /// A file or a socket of the demonstration.
    #[error("{what}: {source}")]
    System {
        /// What it was for.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// What the kernel's engine needs is not there.
    #[error("{0}")]
    Missing(String),
    /// Something that had to happen did not.
    #[error("{what} did not happen within {seconds} s")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
    },
    /// The user ended it.
    #[error("ended by a signal")]
    Interrupted,
    /// The terminal.
    #[error("the terminal: {0}")]
    Terminal(io::Error),
}

impl DemoError {
    /// For `map_err`: what a call of the system was for.
    pub(crate) fn system(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}
