use std::fs;

use crate::LoadError;
use crate::object::KERNEL;

/// What this process and kernel can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Effective capabilities, as a bit set.
    capabilities: u64,
    /// The kernel's release.
    release: String,
}

/// A capability that something needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Its name, such as `CAP_BPF`.
    pub name: &'static str,
    /// Its number (linux/capability.h).
    pub bit: u32,
    /// What it is for.
    pub purpose: &'static str,
}

/// What loading and attaching needs.
pub const CAPABILITIES: [Capability; 3] = [
    Capability { name: "CAP_BPF", bit: 39, purpose: "making maps and loading programs" },
    Capability {
        name: "CAP_PERFMON",
        bit: 38,
        purpose: "subtracting packet pointers, by which the XDP program knows a packet's length",
    },
    Capability {
        name: "CAP_NET_ADMIN",
        bit: 12,
        purpose: "loading and attaching XDP programs, and switching forwarding on",
    },
];

/// CAP_SYS_ADMIN.
const SYS_ADMIN: u32 = 21;

impl Capability {
    /// Whether a set of capabilities has it, or the one that covers it: before CAP_BPF and CAP_PERFMON there was
    /// CAP_SYS_ADMIN, which still stands for both (capabilities(7)).
    #[must_use]
    pub fn is_in(&self, set: u64) -> bool {
        let has = |bit: u32| set >> bit & 1 == 1;
        has(self.bit) || matches!(self.name, "CAP_BPF" | "CAP_PERFMON") && has(SYS_ADMIN)
    }
}

/// Reads what this process and kernel can do.
///
/// # Errors
/// [`LoadError::Pin`] where /proc cannot be read.
pub fn probe() -> Result<Probe, LoadError> {
    let status = read("/proc/self/status")?;
    let release = read("/proc/sys/kernel/osrelease")?.trim().to_owned();
    Ok(Probe { capabilities: effective(&status), release })
}

impl Probe {
    /// Whether the program can be loaded.
    ///
    /// # Errors
    /// [`LoadError::Kernel`] or [`LoadError::Privilege`], which say what to do.
    pub fn require(&self) -> Result<(), LoadError> {
        if version(&self.release) < version(KERNEL) {
            return Err(LoadError::Kernel { found: self.release.clone(), needed: KERNEL });
        }
        let missing = CAPABILITIES.iter().filter(|it| !it.is_in(self.capabilities)).map(|it| it.name);
        let missing: Vec<&str> = missing.collect();
        if missing.is_empty() { Ok(()) } else { Err(LoadError::Privilege { missing: missing.join(", ") }) }
    }
}

fn read(path: &str) -> Result<String, LoadError> {
    fs::read_to_string(path).map_err(LoadError::pin(path.as_ref(), "reading"))
}

fn effective(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0)
}

/// Major and minor number of a release.
fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|digits| digits.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(release: &str, capabilities: u64) -> Result<(), LoadError> {
        Probe { capabilities, release: release.to_owned() }.require()
    }

    #[test]
    fn names_what_is_missing() {
        let message = on("6.8.0-31-generic", 1 << 12).unwrap_err().to_string();
        assert!(message.contains("missing: CAP_BPF") && message.contains("sudo"), "{message}");
        let message = on("6.8.0", 0).unwrap_err().to_string();
        assert!(message.contains("CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN"), "{message}");
    }

    #[test]
    fn names_an_old_kernel() {
        let message = on("5.10.0-28-amd64", u64::MAX).unwrap_err().to_string();
        assert!(message.contains("5.10.0-28-amd64") && message.contains("6.1"), "{message}");
    }

    #[test]
    fn lets_enough_pass() {
        on("6.1.0", 1 << 39 | 1 << 38 | 1 << 12).unwrap();
        on("7.0-rc1", 1 << 21 | 1 << 12).unwrap();
    }

    #[test]
    fn reads_the_status_of_this_process() {
        assert_eq!(effective("Name:\tx\nCapEff:\t000001ffffffffff\n"), 0x1ff_ffff_ffff);
        probe().unwrap();
    }
}
