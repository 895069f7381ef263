//! What the daemon needs of its process and its kernel, found out before anything is attached.
//!
//! [`Facts`] are read once from `/proc`; [`missing`] says what they lack, each with what to type. Locked memory is
//! not among them: since Linux 5.11 the memory of BPF maps counts for the cgroup, and RLIMIT_MEMLOCK no longer
//! bounds it.

mod facts;

use std::fmt;
use std::path::{Path, PathBuf};

pub use facts::{Facts, FactsError};
use pinion_loader::kernel;
pub use pinion_loader::kernel::Capability;

use crate::config::model::{Config, Probe, Transport};

/// Every capability that the daemon needs, and none more: those of the packet path, and one for what it sends itself.
pub const CAPABILITIES: [Capability; 4] = {
    let [bpf, perfmon, admin] = kernel::CAPABILITIES;
    [bpf, perfmon, admin, RAW]
};

const RAW: Capability = Capability {
    name: "CAP_NET_RAW",
    bit: 13,
    purpose: "probes by ICMP and SCTP, SCTP of its own, and announcing service addresses",
};

/// CAP_SYS_ADMIN, which mounting takes.
const SYS_ADMIN: u32 = 21;

/// The oldest kernel that the XDP program runs on: `bpf_loop`, and XDP on multi-buffer frames.
const KERNEL: (u32, u32) = (6, 1);

/// Files and sockets beside those of probes: maps, links, listeners, connections.
const FILES: usize = 256;

/// Probes that are out at once, each with a socket at the most.
const PROBES: usize = 512;

/// What a configuration asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Whether packets are steered in the kernel.
    pub steer: bool,
    /// Whether the daemon itself sends otherwise than by UDP, TCP and the kernel's SCTP; who steers does.
    pub raw: bool,
    /// Where maps and links are pinned.
    pub pins: PathBuf,
    /// How many files and sockets are open at the most.
    pub files: u64,
}

impl Needs {
    /// Those of a configuration. `sctp`: whether the kernel has SCTP, where that is known.
    #[must_use]
    pub fn of(config: &Config, pins: PathBuf, sctp: Option<bool>) -> Self {
        let endpoints: usize = config.pools.iter().map(|pool| pool.endpoints.len()).sum();
        let probes = config.pools.iter().filter_map(|pool| pool.health.as_ref()).map(|health| &health.probe);
        let mut ngap = config.services.iter().filter_map(|service| service.ngap.as_ref());
        Self {
            steer: config.steers(),
            raw: probes.into_iter().any(|probe| matches!(probe, Probe::Icmp | Probe::Sctp))
                || ngap.any(|it| {
                    it.transport == Transport::Userspace || it.transport == Transport::Auto && sctp == Some(false)
                }),
            pins,
            files: (FILES + endpoints.min(PROBES)) as u64,
        }
    }

    /// The capabilities.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability> {
        CAPABILITIES.into_iter().filter(|it| self.steer || self.raw && *it == RAW)
    }
}

/// Something that is missing, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The kernel is too old.
    Kernel {
        /// Its release.
        found: String,
    },
    /// The kernel is built without BPF.
    Bpf,
    /// A capability is not effective.
    Capability {
        /// That one.
        lacking: Capability,
        /// All that are needed.
        needed: Vec<Capability>,
    },
    /// No BPF file system is where pins go, and the daemon may not mount one.
    Bpffs {
        /// Where pins go.
        at: PathBuf,
    },
    /// Too few files may be open.
    Files {
        /// How many may be.
        found: u64,
        /// How many are needed.
        needed: u64,
    },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel { found } => write!(
                f,
                "the kernel is {found}, and the XDP program needs {}.{} or newer: boot a newer kernel",
                KERNEL.0, KERNEL.1
            ),
            Self::Bpf => {
                f.write_str("the kernel has no BPF file system: boot one that is built with CONFIG_BPF_SYSCALL")
            }
            Self::Capability { lacking: Capability { name, purpose, .. }, needed } => write!(
                f,
                "{name} is missing ({purpose}): run it as root (sudo), under its systemd unit, or after \
                 `setcap {}=ep $(command -v pinion)`",
                listed(needed)
            ),
            Self::Bpffs { at } => {
                let at = at.display();
                write!(
                    f,
                    "{at} is no BPF file system, and mounting one takes CAP_SYS_ADMIN: \
                     `mkdir -p {at} && mount -t bpf bpf {at}` as root, and let this user write there"
                )
            }
            Self::Files { found, needed } => write!(
                f,
                "{found} files may be open and {needed} are needed: `ulimit -n {needed}`, or LimitNOFILE={needed} \
                 in the systemd unit"
            ),
        }
    }
}

/// Capabilities as setcap reads them.
fn listed(capabilities: &[Capability]) -> String {
    let names: Vec<_> = capabilities.iter().map(|it| it.name.to_ascii_lowercase()).collect();
    names.join(",")
}

/// All that is missing, the most basic first; empty where the daemon can start.
#[must_use]
pub fn missing(facts: &Facts, needs: &Needs) -> Vec<Missing> {
    let mut missing = Vec::new();
    if needs.steer {
        if facts.kernel < KERNEL {
            missing.push(Missing::Kernel { found: facts.release.clone() });
        }
        if !facts.bpf {
            missing.push(Missing::Bpf);
        }
    }
    let needed: Vec<_> = needs.capabilities().collect();
    let lacking = needed.iter().filter(|it| !facts.can(it));
    missing.extend(lacking.map(|it| Missing::Capability { lacking: *it, needed: needed.clone() }));
    if needs.steer && facts.bpf && !facts.has(SYS_ADMIN) && !facts.is_bpffs(&needs.pins) {
        missing.push(Missing::Bpffs { at: needs.pins.clone() });
    }
    if facts.files < needs.files {
        missing.push(Missing::Files { found: facts.files, needed: needs.files });
    }
    missing
}

impl Facts {
    /// Whether the process has a capability, or the one that covers it.
    #[must_use]
    pub fn can(&self, capability: &Capability) -> bool {
        capability.is_in(self.capabilities)
    }

    const fn has(&self, bit: u32) -> bool {
        self.capabilities >> bit & 1 == 1
    }

    fn is_bpffs(&self, path: &Path) -> bool {
        // The last mount at the longest prefix is what is seen there.
        let over = self.mounts.iter().filter(|mount| path.starts_with(&mount.point));
        over.max_by_key(|mount| mount.point.components().count()).is_some_and(|mount| mount.kind == "bpf")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    /// Recorded in a container of Debian 12 that has CAP_NET_RAW and eleven others, and no bpffs.
    const CONTAINER: u64 = 0x0000_0000_a804_25fb;

    fn facts(capabilities: u64, mountinfo: &str) -> Facts {
        let status = format!("Name:\tpinion\nCapInh:\t0000000000000000\nCapEff:\t{capabilities:016x}\n");
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max open files            1024                 1048576              files     \n";
        Facts::parse(&status, limits, "6.1.0-28-amd64\n", mountinfo, "nodev\tproc\nnodev\tbpf\n").unwrap()
    }

    fn needs() -> Needs {
        Needs { steer: true, raw: true, pins: "/run/pinion/bpf".into(), files: 256 }
    }

    fn said(facts: &Facts, needs: &Needs) -> Vec<String> {
        missing(facts, needs).iter().map(ToString::to_string).collect()
    }

    const MOUNTED: &str = "\
        22 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n\
        25 28 0:23 / /run rw,nosuid,nodev shared:5 - tmpfs tmpfs rw,size=800000k\n\
        90 25 0:44 / /run/pinion/bpf rw,nosuid shared:50 - bpf pinion rw,mode=700\n";

    #[test]
    fn what_suffices_misses_nothing() {
        let four = CAPABILITIES.iter().fold(0, |set, it| set | 1 << it.bit);
        assert_eq!(said(&facts(four, MOUNTED), &needs()), [""; 0]);
        // Root of the host, who mounts the bpffs himself.
        assert_eq!(said(&facts(0x1ff_ffff_ffff, ""), &needs()), [""; 0]);
        // CAP_SYS_ADMIN covers CAP_BPF and CAP_PERFMON, but not those of networks.
        let said = said(&facts(1 << SYS_ADMIN, MOUNTED), &needs());
        assert!(said.len() == 2 && said.iter().all(|it| it.starts_with("CAP_NET_")), "{said:?}");
    }

    #[test]
    fn a_container_is_told_all_at_once() {
        let said = said(&facts(CONTAINER, ""), &needs());
        let begins = ["CAP_BPF is", "CAP_PERFMON is", "CAP_NET_ADMIN is", "/run/pinion/bpf is no BPF"];
        assert_eq!(said.len(), begins.len(), "{said:?}");
        for (said, begin) in said.iter().zip(begins) {
            assert!(said.starts_with(begin), "{said}");
        }
        assert!(said[0].contains("`setcap cap_bpf,cap_perfmon,cap_net_admin,cap_net_raw=ep"), "{}", said[0]);
        assert!(said[3].contains("`mkdir -p /run/pinion/bpf && mount -t bpf bpf /run/pinion/bpf`"), "{}", said[3]);
    }

    #[test]
    fn who_steers_nothing_needs_little_and_is_told_of_no_more() {
        let old = Facts { bpf: false, kernel: (5, 4), ..facts(0, "") };
        let needs = Needs { steer: false, ..needs() };
        assert_eq!(said(&Facts { capabilities: 1 << 13, ..old.clone() }, &needs), [""; 0]);
        let [said_raw] = said(&old, &needs).try_into().unwrap();
        assert!(said_raw.starts_with("CAP_NET_RAW") && said_raw.contains("`setcap cap_net_raw=ep"), "{said_raw}");
        assert_eq!(said(&old, &Needs { raw: false, ..needs }), [""; 0]);
    }

    #[test]
    fn a_configuration_says_what_it_needs() {
        let needs = |text: &str| {
            let pools = "pools: [{name: p, HEALTH endpoints: [{name: a, addresses: [10.0.0.1]}]}]\n";
            let (health, services) = text.split_once(';').unwrap();
            let text = format!("{}{services}", pools.replace("HEALTH", health));
            let config = config::parse(text.as_bytes(), &config::Host::default()).unwrap().config;
            let needs = Needs::of(&config, PathBuf::new(), Some(true));
            needs.capabilities().map(|it| it.name.trim_start_matches("CAP_")).collect::<Vec<_>>().join(" ")
        };
        const NGAP: &str = "services: [{name: amf, protocol: ngap, addresses: [192.0.2.1], pool: p}]";
        const PFCP: &str = "services: [{name: upf, protocol: pfcp, addresses: [192.0.2.1], pool: p}]";
        const UDP: &str = "services: [{name: dns, protocol: udp, port: 53, addresses: [192.0.2.1], pool: p}]";
        const FOUR: &str = "BPF PERFMON NET_ADMIN NET_RAW";
        assert_eq!(needs(&format!(";{NGAP}")), "");
        assert_eq!(needs(&format!(";{PFCP}")), "");
        assert_eq!(needs(&format!("health: {{kind: pfcp}},;{PFCP}")), "");
        assert_eq!(needs(&format!("health: {{kind: icmp}},;{PFCP}")), "NET_RAW");
        assert_eq!(needs(&format!(";{UDP}")), FOUR);
        assert_eq!(needs(&format!(";interfaces: [n2-a]\n{NGAP}")), "");
        let own = NGAP.replace("pool: p", "pool: p, ngap: {transport: userspace}");
        assert_eq!(needs(&format!(";{own}")), "NET_RAW");
    }

    #[test]
    fn a_mount_over_the_mount_counts() {
        let over = format!("{MOUNTED}91 90 0:50 / /run/pinion/bpf rw - tmpfs tmpfs rw\n");
        let four = CAPABILITIES.iter().fold(0, |set, it| set | 1 << it.bit);
        assert_eq!(missing(&facts(four, &over), &needs()), [Missing::Bpffs { at: needs().pins }]);
        let beneath = Needs { pins: "/run/pinion/bpf/one".into(), ..needs() };
        assert_eq!(missing(&facts(four, MOUNTED), &beneath), []);
        let beside = Needs { pins: "/run/pinion/bpf2".into(), ..needs() };
        assert_eq!(missing(&facts(four, MOUNTED), &beside).len(), 1);
    }

    #[test]
    fn files_and_kernels_are_counted() {
        let many = Needs { files: 4096, ..needs() };
        let said_files = said(&facts(u64::MAX, MOUNTED), &many);
        assert!(
            said_files[0].contains("1024 files") && said_files[0].contains("`ulimit -n 4096`"),
            "{said_files:?}"
        );
        let old = Facts { release: "5.15.0-91-generic".into(), kernel: (5, 15), ..facts(u64::MAX, MOUNTED) };
        assert!(said(&old, &needs())[0].contains("5.15.0-91-generic") && said(&old, &needs())[0].contains("6.1"));
        let without = Facts { bpf: false, ..facts(u64::MAX, MOUNTED) };
        assert_eq!(missing(&without, &needs()), [Missing::Bpf]);
    }
}
