use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// What a process may and a kernel can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Effective capabilities, as a bit set.
    pub(super) capabilities: u64,
    /// How many files may be open.
    pub(super) files: u64,
    /// The kernel's release.
    pub(super) release: String,
    /// Its major and minor number.
    pub(super) kernel: (u32, u32),
    /// What is mounted, in order.
    pub(super) mounts: Vec<Mount>,
    /// Whether the kernel knows the BPF file system.
    pub(super) bpf: bool,
}

/// A file system that is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// Where.
    pub(super) point: PathBuf,
    /// Its type.
    pub(super) kind: String,
}

/// Why it is not known what the process may.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// A file of /proc cannot be read.
    #[error("{path}: {source}; is /proc mounted?")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `status` has no line CapEff, or one that is no hexadecimal number.
    #[error("/proc/self/status does not say which capabilities are effective")]
    Capabilities,
    /// `limits` has no line on open files, or one without a number.
    #[error("/proc/self/limits does not say how many files may be open")]
    Limits,
    /// `osrelease` does not begin with two numbers.
    #[error("/proc/sys/kernel/osrelease is {0}, which begins with no version")]
    Release(String),
}

impl Facts {
    /// Reads them of this process, beneath `proc`, which is `/proc`.
    ///
    /// # Errors
    /// [`FactsError`].
    pub fn read(proc: &Path) -> Result<Self, FactsError> {
        let read = |name| {
            let path = proc.join(name);
            // A mount point can have any bytes in its name.
            let bytes = fs::read(&path).map_err(|source| FactsError::Read { path, source })?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        Self::parse(
            &read("self/status")?,
            &read("self/limits")?,
            &read("sys/kernel/osrelease")?,
            &read("self/mountinfo")?,
            &read("filesystems")?,
        )
    }

    /// Reads them from the texts of `status`, `limits`, `osrelease`, `mountinfo` and `filesystems` (proc(5)).
    ///
    /// # Errors
    /// All of [`FactsError`] but [`FactsError::Read`].
    pub fn parse(
        status: &str,
        limits: &str,
        release: &str,
        mountinfo: &str,
        filesystems: &str,
    ) -> Result<Self, FactsError> {
        let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        let capabilities = capabilities.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
        let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
        let files = files.and_then(|rest| rest.split_whitespace().next()).and_then(|soft| match soft {
            "unlimited" => Some(u64::MAX),
            number => number.parse().ok(),
        });
        let release = release.trim();
        Ok(Self {
            capabilities: capabilities.ok_or(FactsError::Capabilities)?,
            files: files.ok_or(FactsError::Limits)?,
            release: release.to_owned(),
            kernel: version(release).ok_or_else(|| FactsError::Release(release.to_owned()))?,
            mounts: mountinfo.lines().filter_map(mount).collect(),
            bpf: filesystems.lines().any(|line| line.split_whitespace().last() == Some("bpf")),
        })
    }
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// A line of mountinfo: the fifth field is the point; after a dash come type and source.
fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let point = unescape(before.split(' ').nth(4)?);
    Some(Mount { point, kind: after.split(' ').next()?.to_owned() })
}

/// A path of mountinfo, in which spaces and the like are written as three octal digits.
fn unescape(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if *first == b'\\' => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tsh\nCapEff:\t000001fffeffffff\n";
    const LIMITS: &str = "Max open files            1048576              1048576              files     \n";

    #[test]
    fn this_process_is_read() {
        let facts = Facts::read(Path::new("/proc")).unwrap();
        assert!(facts.files > 0 && facts.kernel.0 >= 3 && !facts.mounts.is_empty(), "{facts:?}");
        let error = Facts::read(Path::new("/proc/self/fd")).unwrap_err().to_string();
        assert!(error.contains("/proc/self/fd/self/status"), "{error}");
    }

    #[test]
    fn what_proc_does_not_say_is_an_error() {
        let parse = |status, limits, release| Facts::parse(status, limits, release, "", "");
        assert!(matches!(parse("CapEff:\tx", LIMITS, "6.1"), Err(FactsError::Capabilities)));
        assert!(matches!(parse(STATUS, "", "6.1"), Err(FactsError::Limits)));
        assert!(matches!(parse(STATUS, LIMITS, "newest"), Err(FactsError::Release(_))));
        assert_eq!(parse(STATUS, LIMITS, "7.0-rc1").unwrap().kernel, (7, 0));
    }

    #[test]
    fn a_point_with_a_space_is_read() {
        let line = r"90 25 0:44 / /run/a\040b\134c rw,nosuid shared:50 master:3 - bpf none rw";
        let found = mount(line).unwrap();
        assert_eq!((found.point, found.kind.as_str()), (PathBuf::from(r"/run/a b\c"), "bpf"));
    }

    #[test]
    fn any_text_is_read_without_a_panic() {
        bolero::check!().with_type::<(String, String)>().for_each(|(one, other)| {
            let _ = Facts::parse(one, other, one, other, one);
            let _ = Facts::parse(STATUS, LIMITS, one, other, one);
        });
    }
}
