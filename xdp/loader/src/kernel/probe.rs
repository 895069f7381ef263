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

/// Linux capability numbers (linux/capability.h).
const NEEDED: [(&str, u32); 3] = [("CAP_BPF", 39), ("CAP_PERFMON", 38), ("CAP_NET_ADMIN", 12)];
const ALL_POWERFUL: u32 = 21;

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
        let has = |bit: u32| self.capabilities >> bit & 1 == 1;
        let missing: Vec<&str> = NEEDED.iter().filter(|(_, bit)| !has(*bit)).map(|(name, _)| *name).collect();
        // Before CAP_BPF and CAP_PERFMON there was CAP_SYS_ADMIN, which still covers them.
        let covered = |name: &str| name != "CAP_NET_ADMIN" && has(ALL_POWERFUL);
        let missing: Vec<&str> = missing.into_iter().filter(|name| !covered(name)).collect();
        if missing.is_empty() { Ok(()) } else { Err(LoadError::Privilege { missing: missing.join(", ") }) }
    }
}

fn read(path: &str) -> Result<String, LoadError> {
    fs::read_to_string(path).map_err(|source| LoadError::Pin { path: path.into(), action: "reading", source })
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
