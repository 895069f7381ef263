//! Maps that outlive their process, in a bpffs of the test's own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

#[path = "pinned/takeover.rs"]
mod takeover;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use pinion_loader::kernel::{Kernel, PinFolder};
use pinion_loader::{Bounds, LoadError, Maps as _, schema};
use pinion_steering::{Address, Flow, FlowKey, protocol};
use rustix::mount::{UnmountFlags, unmount};
use tempfile::TempDir;

const BOUNDS: Bounds = Bounds {
    flows: 1000,
    flows6: 500,
    pins: 100,
    filters: 100,
    fragments: 100,
    services: 100,
    sources: 50,
    targets: 200,
    maglev: 4096,
};

/// A mounted folder, unmounted also where the test fails.
struct Room {
    root: TempDir,
    folder: PinFolder,
}

impl Room {
    /// None, and why is printed, where this machine lets nobody load BPF.
    fn open() -> Option<Self> {
        if let Err(error) = pinion_loader::kernel::probe().and_then(|probe| probe.require()) {
            let _ = writeln!(std::io::stderr(), "\nskipped: {error}");
            return None;
        }
        let root = tempfile::tempdir().unwrap();
        let folder = PinFolder::open(root.path()).unwrap();
        Some(Self { root, folder })
    }

    /// Where the loader pins a map.
    fn pin(&self, map: &str) -> PathBuf {
        self.root.path().join(schema::hash()).join(map)
    }

    fn load(&self, bounds: Bounds) -> Result<Kernel, LoadError> {
        Kernel::load_pinned(bounds, &self.folder)
    }

    /// What is wrong with the pins, in two descriptions.
    fn refused(&self, bounds: Bounds) -> (PathBuf, String, String) {
        match self.load(bounds).err() {
            Some(LoadError::Schema { path, found, needed }) => (path, found, needed),
            other => panic!("not refused for its schema: {other:?}"),
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // Lazily, as a failing test may still hold something open.
        let _ = unmount(self.root.path(), UnmountFlags::DETACH);
    }
}

fn flow(number: u8) -> (FlowKey, Flow) {
    let (near, far) = (Address::v4([192, 0, 2, 1]), Address::v4([198, 51, 100, number]));
    let flow = Flow { target: u32::from(number), seen: 7, service: 1, state: 3, ..Flow::default() };
    (FlowKey::tuple(near, 80, far, 1024, protocol::TCP), flow)
}

fn flow6() -> (FlowKey, Flow) {
    let (near, far) = (Address::v6([1; 16]), Address::v6([2; 16]));
    (FlowKey::tuple(near, 80, far, 1024, protocol::UDP), Flow { target: 9, ..Flow::default() })
}

#[test]
fn a_second_life_adopts_what_the_first_one_left() {
    let Some(room) = Room::open() else { return };
    let mut first = room.load(BOUNDS).unwrap();
    for (key, flow) in (1..=5).map(flow).chain([flow6()]) {
        first.put_flow(&key, &flow).unwrap();
    }
    drop(first);
    // As another process would find it.
    let folder = PinFolder::open(room.root.path()).unwrap();
    let second = Kernel::load_pinned(BOUNDS, &folder).unwrap();
    let mut found = second.flows().unwrap();
    found.sort_by_key(|(key, _)| *key);
    let mut left: Vec<_> = (1..=5).map(flow).chain([flow6()]).collect();
    left.sort_by_key(|(key, _)| *key);
    assert_eq!(found, left);
    // A life without pins has tables of its own.
    assert_eq!(Kernel::load(BOUNDS).unwrap().flows().unwrap(), []);
}

#[test]
fn the_folder_is_mounted_once_and_holds_every_map() {
    let Some(room) = Room::open() else { return };
    drop(room.load(BOUNDS).unwrap());
    PinFolder::open(room.root.path()).unwrap();
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let ours = mounts.lines().filter(|line| line.contains(room.root.path().to_str().unwrap()));
    assert_eq!(ours.count(), 1);
    for map in schema::MAPS {
        assert!(room.pin(map.name).exists(), "{}", map.name);
    }
}

#[test]
fn another_layout_or_type_under_a_name_is_refused() {
    let Some(room) = Room::open() else { return };
    drop(room.load(BOUNDS).unwrap());
    // As if another build had made them so.
    fs::rename(room.pin("FLOWS6"), room.pin("FLOWS")).unwrap();
    let (path, found, needed) = room.refused(BOUNDS);
    assert_eq!(path, room.pin("FLOWS"));
    assert!(found.contains("keys of 40 B") && needed.contains("keys of 16 B"), "{found}; {needed}");

    fs::remove_file(room.pin("FLOWS")).unwrap();
    fs::rename(room.pin("EVENTS"), room.pin("ACTIVE")).unwrap();
    let (path, found, needed) = room.refused(BOUNDS);
    assert_eq!(path, room.pin("ACTIVE"));
    assert!(found.contains("type 27") && needed.contains("type 2 "), "{found}; {needed}");

    // Without what is wrong, what is missing is made.
    fs::remove_file(room.pin("ACTIVE")).unwrap();
    drop(room.load(BOUNDS).unwrap());
}
