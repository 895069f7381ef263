//! An ordinary user with four capabilities loads, attaches and pins the real program; with three, not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
use pinion_loader::kernel::{Kernel, Mode, PROGRAM, PinFolder};
use pinion_networks::Missing;
use testbeds::missing::skipped;
use testbeds::namespace::{Namespace, Veth};
use testbeds::need;
use testbeds::scenario::{BOUNDS, Pins, probe};

/// What the daemon has under its unit.
const CAPABILITIES: [&str; 4] = ["bpf", "perfmon", "net_admin", "net_raw"];
/// Nobody on Debian; any number that is not root's does.
const USER: u32 = 65534;
const INTERFACE: &str = "path0";

/// Does what the daemon does at its start, and says how far it came.
#[test]
#[ignore = "run by the other tests, as a user with few capabilities"]
fn child() {
    let step = |name: &str| println!("came to: {name}");
    let Some(root) = std::env::var_os("TESTBEDS_PINS").map(PathBuf::from) else {
        return skipped("it is run by the other tests");
    };
    step("load");
    let folder = PinFolder::open(&root).unwrap();
    let mut kernel = match Kernel::load_pinned(BOUNDS, &folder) {
        Ok(kernel) => kernel,
        Err(error) => return println!("refused: {error}"),
    };
    step("verify");
    if let Err(error) = kernel.verify(PROGRAM) {
        return println!("refused: {error}");
    }
    step("attach");
    let index = nix::net::if_::if_nametoindex(INTERFACE).unwrap();
    if let Err(error) = kernel.attach_pinned(&folder, INTERFACE, index, Mode::Native) {
        return println!("refused: {error}");
    }
    step("forward");
    if let Err(error) = fs::write("/proc/sys/net/ipv4/ip_forward", "1") {
        return println!("refused: {error}");
    }
    step("probe");
    for (family, protocol) in [(AddressFamily::Inet, Some(SockProtocol::Icmp)), (AddressFamily::Packet, None)] {
        if let Err(error) = socket(family, SockType::Raw, SockFlag::empty(), protocol) {
            return println!("refused: {error}");
        }
    }
    step("end");
}

/// A room for one child: a namespace with an interface, and a bpffs that its user may write.
struct Room {
    namespace: Namespace,
    _other: Namespace,
    pins: Pins,
    tests: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        let (namespace, other) = (Namespace::new().unwrap(), Namespace::new().unwrap());
        namespace.link_to(&other, &Veth::named(INTERFACE, "far")).unwrap();
        let pins = Pins::mount().unwrap();
        let tests = tempfile::tempdir().unwrap();
        fs::set_permissions(tests.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // The user may not be allowed where this lies.
        fs::copy(std::env::current_exe().unwrap(), tests.path().join("child")).unwrap();
        Self { namespace, _other: other, pins, tests }
    }

    /// The last step that a child with these capabilities came to, and what it was refused.
    fn run(&self, capabilities: &[&str]) -> Result<(String, String), Missing> {
        let root = self.pins.root();
        for folder in [root.to_owned()].into_iter().chain(folders(root)) {
            chown(&folder, Some(USER), Some(USER)).unwrap();
        }
        let set: String = capabilities.iter().map(|it| format!(",+{it}")).collect();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &USER.to_string(), "--regid", &USER.to_string(), "--clear-groups"]);
        command.args(["bounding-set", "inh-caps", "ambient-caps"].map(|it| format!("--{it}=-all{set}")));
        // As under the unit; and locked memory is not what the maps need.
        command.args(["--no-new-privs", "prlimit", "--memlock=0:0"]);
        command.arg(self.tests.path().join("child"));
        command.args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env("TESTBEDS_PINS", root).current_dir("/").stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = self.namespace.run(|| command.output()).unwrap();
        let output = output.map_err(|_| Missing::Program { program: "setpriv", remedy: "install util-linux" })?;
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{out}{err}");
        let step = out.lines().filter_map(|line| line.split_once("came to: ")).next_back();
        let step = step.unwrap_or_else(|| panic!("{out}{err}")).1;
        let refused = out.split_once("refused: ").map_or_else(String::new, |(_, why)| why.to_owned());
        Ok((step.to_owned(), refused))
    }
}

fn folders(root: &Path) -> Vec<PathBuf> {
    fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

#[test]
fn four_capabilities_are_enough() {
    need!(probe());
    let room = Room::new();
    assert_eq!(need!(room.run(&CAPABILITIES)), ("end".to_owned(), String::new()));
    // What it left is what a second life adopts.
    assert!(room.pins.folder.link(INTERFACE).exists());
    assert_eq!(need!(room.run(&CAPABILITIES)), ("end".to_owned(), String::new()));
}

#[test]
fn each_of_them_is_needed() {
    need!(probe());
    for (lacking, step, why) in [
        ("bpf", "load", "CAP_BPF"),
        ("perfmon", "load", "CAP_PERFMON"),
        ("net_admin", "load", "CAP_NET_ADMIN"),
        ("net_raw", "probe", "EPERM"),
    ] {
        let rest: Vec<_> = CAPABILITIES.into_iter().filter(|it| *it != lacking).collect();
        let (came, refused) = need!(Room::new().run(&rest));
        assert!(came == step && refused.contains(why), "without {lacking} it came to {came}: {refused}");
    }
}
