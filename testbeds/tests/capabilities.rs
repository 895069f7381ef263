//! An ordinary user with four capabilities loads, attaches and pins the real program; with three, not: the daemon
//! says which is missing, and the kernel itself refuses what it is for.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aya::Ebpf;
use aya::maps::MapData;
use aya::programs::Xdp;
use aya::programs::xdp::XdpMode;
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
use pinion_loader::kernel::{Kernel, Mode, PROGRAM, PinFolder};
use pinion_loader::object::OBJECT;
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
/// Where the pins are, for a child.
const PINS: &str = "TESTBEDS_PINS";
/// A program that returns at once, beside a few maps.
static MINIMAL: &[u8] = aya::include_bytes_aligned!("../object/baseline.bpf.o");
const MINIMAL_PROGRAM: &str = "empty";
/// What the verifier says without CAP_PERFMON of the first thing that the real program needs it for: adding a number that
/// only its packet tells to a pointer. Later comes what it prohibits alike, the difference of two pointers.
const PERFMON: &str = "pointer with unsupported alu operation, pointer arithmetic with it prohibited for !root";
/// A map that is pinned before a child comes.
const MAP: &str = "map";

/// Does what the daemon does at its start, and says how far it came.
#[test]
#[ignore = "run by the other tests, as a user with few capabilities"]
fn child() {
    let step = |name: &str| println!("came to: {name}");
    let Some(root) = pins() else { return };
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
    if let Err(error) = forward() {
        return println!("refused: {error}");
    }
    step("probe");
    for family in [AddressFamily::Inet, AddressFamily::Packet] {
        if let Err(error) = raw(family) {
            return println!("refused: {error}");
        }
    }
    step("end");
}

/// Asks the kernel for each thing by itself, and nothing of the daemon's; says what it refused.
#[test]
#[ignore = "run by the other tests, as a user with few capabilities"]
fn bare() {
    let Some(root) = pins() else { return };
    let map = || MapData::from_pin(root.join(MAP));
    for (what, done) in [
        ("open", map().map(drop).map_err(Into::into)),
        ("pin", map().map_err(Into::into).and_then(|map| Ok(map.pin(root.join("own"))?))),
        ("make", Ebpf::load(MINIMAL).map(drop).map_err(Into::into)),
        ("load", load(MINIMAL, MINIMAL_PROGRAM)),
        ("steer", load(OBJECT, PROGRAM)),
        ("forward", forward().map_err(Into::into)),
        ("raw", raw(AddressFamily::Inet).map_err(Into::into)),
        ("packet", raw(AddressFamily::Packet).map_err(Into::into)),
    ] {
        if let Err::<(), Box<dyn Error>>(error) = done {
            // In one line, the verifier's log too.
            println!("refused: {what}: {}", format!("{error:?}").replace('\n', " "));
        }
    }
    println!("came to: end");
}

/// Where the pins are; nowhere outside the other tests.
fn pins() -> Option<PathBuf> {
    let root = std::env::var_os(PINS).map(PathBuf::from);
    if root.is_none() {
        skipped("it is run by the other tests");
    }
    root
}

/// Loads a program, and attaches it as long as it is there.
fn load(object: &[u8], program: &str) -> Result<(), Box<dyn Error>> {
    let mut ebpf = Ebpf::load(object)?;
    let program: &mut Xdp = ebpf.program_mut(program).ok_or("no such program")?.try_into()?;
    program.load()?;
    program.attach(INTERFACE, XdpMode::Driver)?;
    Ok(())
}

fn forward() -> io::Result<()> {
    fs::write("/proc/sys/net/ipv4/ip_forward", "1")
}

fn raw(family: AddressFamily) -> nix::Result<()> {
    let protocol = (family == AddressFamily::Inet).then_some(SockProtocol::Icmp);
    socket(family, SockType::Raw, SockFlag::empty(), protocol).map(drop)
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
        let out = self.output("child", capabilities)?;
        let step = out.lines().filter_map(|line| line.split_once("came to: ")).next_back();
        let step = step.unwrap_or_else(|| panic!("{out}")).1;
        let refused = out.split_once("refused: ").map_or_else(String::new, |(_, why)| why.to_owned());
        Ok((step.to_owned(), refused))
    }

    /// What the kernel refuses to a child with these capabilities, and why.
    fn refused(&self, capabilities: &[&str]) -> Result<BTreeMap<String, String>, Missing> {
        Ebpf::load(MINIMAL).unwrap().map("FLOWS").unwrap().pin(self.pins.root().join(MAP)).unwrap();
        let out = self.output("bare", capabilities)?;
        assert!(out.contains("came to: end"), "{out}");
        let refused = out.lines().filter_map(|line| line.split_once("refused: ")?.1.split_once(": "));
        Ok(refused.map(|(what, why)| (what.to_owned(), why.to_owned())).collect())
    }

    /// What a child with these capabilities says.
    fn output(&self, child: &str, capabilities: &[&str]) -> Result<String, Missing> {
        let root = self.pins.root();
        for path in [root.to_owned()].into_iter().chain(below(root)) {
            chown(&path, Some(USER), Some(USER)).unwrap();
        }
        let set: String = capabilities.iter().map(|it| format!(",+{it}")).collect();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &USER.to_string(), "--regid", &USER.to_string(), "--clear-groups"]);
        command.args(["bounding-set", "inh-caps", "ambient-caps"].map(|it| format!("--{it}=-all{set}")));
        // As under the unit; and locked memory is not what the maps need.
        command.args(["--no-new-privs", "prlimit", "--memlock=0:0"]);
        command.arg(self.tests.path().join("child"));
        command.args(["--exact", child, "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(PINS, root).current_dir("/").stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = self.namespace.run(|| command.output()).unwrap();
        let output = output.map_err(|_| Missing::Program { program: "setpriv", remedy: "install util-linux" })?;
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{out}{err}");
        Ok(out)
    }
}

fn below(root: &Path) -> Vec<PathBuf> {
    fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect()
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

#[test]
fn the_kernel_itself_refuses_what_each_is_for() {
    need!(probe());
    for (lacking, wanted) in [
        ("", [].as_slice()),
        ("bpf", &["load", "make", "steer"]),
        ("perfmon", &["steer"]),
        ("net_admin", &["forward", "load", "steer"]),
        ("net_raw", &["packet", "raw"]),
    ] {
        let rest: Vec<_> = CAPABILITIES.into_iter().filter(|it| *it != lacking).collect();
        let refused = need!(Room::new().refused(&rest));
        assert_eq!(refused.keys().collect::<Vec<_>>(), wanted, "without {lacking}: {refused:#?}");
        let verifier = refused.get("steer").filter(|_| lacking == "perfmon");
        assert!(verifier.is_none_or(|log| log.contains(PERFMON)), "{verifier:?}");
    }
}
