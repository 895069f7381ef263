//! A Linux kernel as a process, for its SCTP.
//!
//! It boots on the host's file system, read-only, and takes over its host's
//! veths through packet sockets: the namespace keeps the links, this kernel
//! answers for their addresses. Its console is the peer's orders and answers.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use pinion_networks::user_mode_linux::Kernel;
use tempfile::TempDir;

use crate::failure::Failure;
use crate::missing::{Missing, find_program};
use crate::puppet::{Cage, Puppet};
use crate::python::Python;
use crate::topology::{Host, Settlement};

/// What a User-Mode Linux with SCTP is made of, found on this machine.
#[derive(Debug, Clone)]
pub struct Uml {
    kernel: Kernel,
    modules: Vec<PathBuf>,
    python: Python,
}

/// Where Debian's package keeps its modules, one folder a version.
const MODULES: &str = "/usr/lib/uml/modules";
/// Sockets of SCTP and what its cookies and checksums need.
const NEEDED: &str = "crc32c_generic hmac sha1_generic md5 sha256_generic sctp";
/// Memory of one kernel; it takes only what it touches.
const MEMORY: &str = "256M";

impl Uml {
    /// Finds the kernel, its SCTP module and the tools its first script calls.
    ///
    /// # Errors
    ///
    /// [`Missing::Sctp`].
    pub fn find(python: Python) -> Result<Self, Missing> {
        let lacking = |missing: pinion_networks::Missing| Missing::Sctp(missing.to_string());
        for tool in ["ip", "modprobe"] {
            find_program(tool, "install iproute2 and kmod").map_err(lacking)?;
        }
        let kernel = Kernel::find().map_err(lacking)?;
        let folders = fs::read_dir(MODULES).into_iter().flatten().flatten();
        let with_sctp = |folder: &PathBuf| folder.join("kernel/net/sctp").is_dir();
        let modules: Vec<_> = folders.map(|entry| entry.path()).filter(with_sctp).collect();
        if modules.is_empty() {
            return Err(Missing::Sctp(format!("no SCTP module in {MODULES}")));
        }
        Ok(Self { kernel, modules, python })
    }

    /// Boots a kernel in the host's place, running `script`. Its files are in
    /// the folder returned.
    pub(super) fn start(&self, host: &Host, script: &str) -> Result<(Puppet, TempDir), Failure> {
        let folder = self
            .write_files(host, script)
            .map_err(|source| Failure::File { what: "files of a User-Mode Linux", source })?;
        host.unsettle()?;
        let init = folder.path().join("init");
        let mut command = self.kernel.command(MEMORY, &init, "fd:0,fd:1", folder.path());
        for (number, link) in host.links.iter().enumerate() {
            let end = &link.host.interface;
            let mac = end.mac.map(|mac| format!(",mac={mac}")).unwrap_or_default();
            command.arg(format!("vec{number}:transport=raw,ifname={}{mac}", end.name));
        }
        let puppet = Puppet::start(&host.name, &host.namespace, command, Cage::Closed)?;
        Ok((puppet, folder))
    }

    fn write_files(&self, host: &Host, script: &str) -> io::Result<TempDir> {
        let folder = tempfile::Builder::new().prefix("testbeds-uml-").tempdir()?;
        let modules = folder.path().join("lib/modules");
        fs::create_dir_all(&modules)?;
        for version in &self.modules {
            symlink(version, modules.join(version.file_name().unwrap_or_default()))?;
        }
        fs::write(folder.path().join("peer.py"), script)?;
        let init = folder.path().join("init");
        fs::write(&init, self.init(host, folder.path()))?;
        fs::set_permissions(&init, fs::Permissions::from_mode(0o755))?;
        Ok(folder)
    }

    /// The first program of the kernel: a shell script.
    fn init(&self, host: &Host, folder: &Path) -> String {
        let folder = folder.display();
        let mut script = format!(
            "#!/bin/sh\n\
             export PATH=/usr/sbin:/usr/bin:/sbin:/bin\n\
             mount -t proc proc /proc\n\
             mount -t sysfs sysfs /sys\n\
             mount -t tmpfs tmpfs /run\n\
             modprobe -d {folder} -a {NEEDED}\n\
             echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore\n\
             ip link set lo up\n"
        );
        for (number, link) in host.links.iter().enumerate() {
            let name = format!("vec{number}");
            // Writing to a string cannot fail.
            let _ = writeln!(script, "ip link set {name} mtu {} up", link.host.interface.mtu);
            let settlement = Settlement::of(link);
            for (address, length) in settlement.addresses {
                let at_once = if address.is_ipv6() { "nodad" } else { "" };
                let _ = writeln!(script, "ip address add {address}/{length} dev {name} {at_once}");
            }
            for (network, length, gateway) in settlement.routes {
                let _ = writeln!(script, "ip route add {network}/{length} via {gateway} dev {name}");
            }
        }
        let python = self.python.program.display();
        // -S, -E: nothing of the machine's Python but its standard library.
        let _ = write!(script, "{python} -S -E -u {folder}/peer.py\npoweroff -f\n");
        script
    }
}
