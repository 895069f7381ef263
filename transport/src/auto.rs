//! The kernel's SCTP where there is one, else the project's own.

use std::io;

use crate::kernel::{self, Kernel};
use crate::link::Link;
use crate::userspace::Userspace;
use crate::{Config, Transport};

/// Whose SCTP a transport uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The kernel's where socket(2) says that it has SCTP, else the project's own.
    #[default]
    Auto,
    /// The kernel's.
    Kernel,
    /// The project's own.
    Userspace,
}

/// A transport of that kind, within a tokio runtime. The links are opened, by `links`, only where the
/// project's own endpoint is to use them.
///
/// # Errors
///
/// The system's, from opening links; `Unsupported` for the kernel's SCTP where there is none.
pub fn auto(
    kind: Kind,
    config: Config,
    links: impl FnOnce() -> io::Result<Vec<Link>>,
) -> io::Result<Box<dyn Transport>> {
    match (kind, kernel::is_available()) {
        (Kind::Userspace, _) | (Kind::Auto, false) => Ok(Box::new(Userspace::start(links()?, &config)?)),
        (_, true) => Ok(Box::new(Kernel::new(config))),
        (Kind::Kernel, false) => {
            Err(io::Error::new(io::ErrorKind::Unsupported, "the kernel has no SCTP: modprobe sctp"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_that_is_asked_for_is_had() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _inside = runtime.enter();
        let none = || Ok(Vec::new());
        let own = auto(Kind::Userspace, Config::default(), none).unwrap();
        assert!(format!("{own:?}").starts_with("Userspace"));
        let found = auto(Kind::Auto, Config::default(), none).unwrap();
        let kernels = auto(Kind::Kernel, Config::default(), none);
        if kernel::is_available() {
            assert!(format!("{found:?}").starts_with("Kernel") && kernels.is_ok());
        } else {
            assert!(format!("{found:?}").starts_with("Userspace"));
            assert_eq!(kernels.unwrap_err().kind(), io::ErrorKind::Unsupported);
        }
    }
}
