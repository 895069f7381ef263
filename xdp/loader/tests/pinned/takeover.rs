//! What becomes of entries when another build, or other bounds, take over.

use std::collections::BTreeMap;

use pinion_loader::kernel::Inherited;
use pinion_loader::schema::{Written, descriptions, hash};
use pinion_steering::{Filter, FilterKey, Pin, PinKey, Service, ServiceKey, Source, SourceKey, Target};

use super::*;

impl Room {
    fn take_over(&self, bounds: Bounds) -> Result<(Kernel, Inherited), LoadError> {
        Kernel::take_over(bounds, &self.folder, &Written::default())
    }

    /// Makes the pinned maps another schema's, which says this of `map`.
    fn estrange(&self, map: &str, says: Option<&str>) -> Written {
        let schema = "0123456789abcdef".to_owned();
        fs::rename(self.root.path().join(hash()), self.root.path().join(&schema)).unwrap();
        PinFolder::open(self.root.path()).unwrap();
        let mut maps = descriptions();
        match says {
            Some(words) => maps.insert(map.to_owned(), words.to_owned()),
            None => maps.remove(map),
        };
        Written { schema, maps }
    }

    /// The folders of maps that there are.
    fn folders(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> =
            names.filter(|name| name.starts_with(|first: char| first.is_ascii_hexdigit())).collect();
        names.sort();
        names
    }
}

const TARGETS: u32 = 20;

/// Fills every table a bit: endpoints 0 to 19, a flow to each of the first ten, the fifth one's in IPv6 too.
fn fill(kernel: &mut Kernel) {
    for index in 0..TARGETS {
        let target = Target { port: 80, paths: 1, up: 1, owner: index, ..Target::default() };
        kernel.put_target(index, &target).unwrap();
    }
    for (key, flow) in (0..10).map(flow).chain([five()]) {
        kernel.put_flow(&key, &flow).unwrap();
        kernel.end_sessions(flow.target, -1).unwrap();
    }
    kernel.put_pins(&pins()).map_err(|(_, error)| error).unwrap();
    kernel.put_filter(&filter().0, &filter().1).unwrap();
    for bank in [0, 1] {
        let key = ServiceKey { port: 80, bank, ..ServiceKey::default() };
        kernel.put_service(&key, &Service { maglev: 100, slots: 3, id: 7, ..Service::default() }).unwrap();
    }
    kernel
        .put_source(&SourceKey { port: 9, ..SourceKey::default() }, &Source { own: 3, ..Source::default() })
        .unwrap();
    kernel.put_maglev(100, &[4, 5, 6]).unwrap();
    kernel.activate(1).unwrap();
}

fn five() -> (FlowKey, Flow) {
    let (key, flow) = flow6();
    (key, Flow { target: 5, ..flow })
}

/// Of each family one.
fn pins() -> [(PinKey, Pin); 2] {
    [Address::default(), Address::v4([192, 0, 2, 1])]
        .map(|address| (PinKey { address, teid: 5 }, Pin { target: 4, ..Pin::default() }))
}

fn filter() -> (FilterKey, Filter) {
    (FilterKey::first(&pins()[0].0, true), Filter { target: 3, ..Filter::default() })
}

/// Whether it is all there, and counted.
fn assert_whole(kernel: &Kernel) {
    let found: BTreeMap<_, _> = kernel.flows().unwrap().into_iter().collect();
    assert_eq!(found, (0..10).map(flow).chain([five()]).collect());
    let counts: Vec<u32> = (0..12).map(|index| kernel.sessions(index).unwrap()).collect();
    assert_eq!(counts, [1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 0, 0]);
    for (key, pin) in pins() {
        assert_eq!(kernel.read_pin(&key).unwrap(), Some(pin));
    }
    assert_eq!(kernel.read_filter(&filter().0).unwrap(), Some(filter().1));
    assert_eq!(kernel.read_target(19).unwrap().owner, 19);
    assert_eq!(kernel.active().unwrap(), 1);
    assert!(kernel.services().unwrap().iter().any(|(key, service)| key.bank == 1 && service.id == 7));
}

#[test]
fn other_bounds_take_everything_along() {
    let Some(room) = Room::open() else { return };
    let (mut first, inherited) = room.take_over(BOUNDS).unwrap();
    assert_eq!(inherited, Inherited::default());
    fill(&mut first);
    drop(first);
    // It is nobody's business what others pin there.
    let others = room.root.path().join("others");
    fs::create_dir(&others).unwrap();
    let smallest = Bounds {
        flows: 10,
        flows6: 1,
        pins: 1,
        filters: 1,
        fragments: 1,
        services: 2,
        sources: 1,
        targets: 20,
        maglev: 103,
    };
    let copied = |bounds| {
        let (mut kernel, inherited) = room.take_over(bounds).unwrap();
        assert_whole(&kernel);
        assert_eq!(room.folders(), [hash(), format!("{}-old", hash())]);
        kernel.settle(&room.folder).unwrap();
        assert_whole(&kernel);
        assert_eq!(room.folders(), [hash()]);
        inherited.copied
    };
    let flows = [("FLOWS", 10), ("FLOWS6", 1)];
    assert_eq!(copied(Bounds { flows: 2000, ..BOUNDS }), flows);
    let pinned = [("PINS", 1), ("PINS6", 1), ("FILTERS", 1)];
    let configured = [("SERVICES", 1), ("SOURCES", 1), ("TARGETS", 20), ("MAGLEV", 103), ("ACTIVE", 1)];
    assert_eq!(copied(smallest), [&flows[..], &pinned, &configured].concat());
    assert_eq!(copied(Bounds { pins: 50, ..smallest }), pinned);
    assert_eq!(copied(Bounds { pins: 50, services: 10, ..smallest }), configured);
    // Nothing is to be copied, and there is nothing to settle.
    let (mut last, inherited) = room.take_over(Bounds { pins: 50, services: 10, ..smallest }).unwrap();
    assert_eq!(inherited, Inherited::default());
    last.settle(&room.folder).unwrap();
    assert_whole(&last);
    assert!(others.exists());
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let Some(room) = Room::open() else { return };
    fill(&mut room.take_over(BOUNDS).unwrap().0);
    let bounds = [
        (Bounds { flows: 9, ..BOUNDS }, "FLOWS needs 10 entries for what is in it, and bounds.flows is 9"),
        (Bounds { targets: 12, ..BOUNDS }, "TARGETS needs 20 entries for what is in it, and bounds.targets is 12"),
        (Bounds { maglev: 102, ..BOUNDS }, "MAGLEV needs 103 entries for what is in it, and bounds.maglev is 102"),
    ];
    for (bounds, words) in bounds {
        let error = room.take_over(bounds).err().unwrap().to_string();
        assert!(error.starts_with(words), "{error}");
        assert!(error.contains("Nothing was changed"), "{error}");
        assert_eq!(room.folders(), [hash()]);
        assert_whole(&room.take_over(BOUNDS).unwrap().0);
    }
}

#[test]
fn another_schema_is_taken_over_where_what_it_holds_is_the_same() {
    let Some(room) = Room::open() else { return };
    fill(&mut room.take_over(BOUNDS).unwrap().0);
    let written = room.estrange("COUNTERS", Some("counters of other reasons"));
    let (mut kernel, inherited) = Kernel::take_over(BOUNDS, &room.folder, &written).unwrap();
    // All that has the same bound too is not copied but kept.
    assert_eq!(inherited, Inherited::default());
    kernel.settle(&room.folder).unwrap();
    assert_whole(&kernel);
    assert_eq!(room.folders(), [hash()]);
}

#[test]
fn another_layout_is_refused_with_what_to_type() {
    let Some(room) = Room::open() else { return };
    fill(&mut room.take_over(BOUNDS).unwrap().0);
    let other = "a map of type 1 with keys of 16 B and values of 32 B: Flow.seen at 0";
    let size = size_of::<Flow>();
    let nobody =
        format!("a map of type 1 with keys of 16 B and values of {size} B, of which no fields were written down");
    for (says, found) in [(Some(other), other), (None, &nobody)] {
        let written = room.estrange("FLOWS", says);
        let error = Kernel::take_over(BOUNDS, &room.folder, &written).err().unwrap().to_string();
        let folder = room.root.path().join(&written.schema);
        let begins = format!("{}/FLOWS is {found}, and this build needs a map of type 1 with", folder.display());
        assert!(error.starts_with(&begins), "{error}");
        assert!(error.contains(&format!("type `rm -r {}`", folder.display())), "{error}");
        // As it was.
        assert_eq!(room.folders(), [written.schema.clone(), hash()]);
        fs::remove_dir(room.root.path().join(hash())).unwrap();
        fs::rename(folder, room.root.path().join(hash())).unwrap();
        assert_whole(&room.take_over(BOUNDS).unwrap().0);
    }
    // What is to be typed helps.
    let written = room.estrange("FLOWS", None);
    fs::remove_dir_all(room.root.path().join(&written.schema)).unwrap();
    let (kernel, _) = Kernel::take_over(BOUNDS, &room.folder, &written).unwrap();
    assert_eq!(kernel.flows().unwrap(), []);
}

/// The map of targets has flags where a build before this one had nothing.
#[test]
fn what_had_less_in_it_and_means_the_same_stays() {
    let Some(room) = Room::open() else { return };
    fill(&mut room.take_over(BOUNDS).unwrap().0);
    let before = "a map of type 2 with keys of 4 B and values of 32 B: Target.address at 0, Target.port at 16, \
                  Target.paths at 18, Target.up at 19, Target.owner at 20, Target.reserved at 24";
    let written = room.estrange("TARGETS", Some(before));
    let (mut kernel, _) = Kernel::take_over(BOUNDS, &room.folder, &written).unwrap();
    kernel.settle(&room.folder).unwrap();
    assert_whole(&kernel);
}

/// What packets do in the old tables until the links have the new program.
#[test]
fn flows_follow_that_begin_while_tables_are_copied() {
    let Some(room) = Room::open() else { return };
    let mut old = room.take_over(BOUNDS).unwrap().0;
    fill(&mut old);
    let bounds = Bounds { flows: 12, ..BOUNDS };
    let mut new = room.take_over(bounds).unwrap().0;
    // One goes on, one begins, one begins in both, elsewhere.
    let (further, begun, both) = (flow(3), flow(10), flow(11));
    old.put_flow(&further.0, &Flow { state: 4, ..further.1 }).unwrap();
    old.put_flow(&begun.0, &begun.1).unwrap();
    old.put_flow(&both.0, &both.1).unwrap();
    new.put_flow(&both.0, &Flow { target: 2, ..both.1 }).unwrap();
    drop(new);
    // As if the daemon had died then: the next one finds both tables.
    let mut new = room.take_over(bounds).unwrap().0;
    let late = new.catch_up(&room.folder).unwrap();
    assert_eq!((late.followed, late.lost), (1, 0));
    assert_eq!(new.read_flow(&further.0).unwrap().unwrap().state, 4);
    assert_eq!(new.read_flow(&begun.0).unwrap(), Some(begun.1));
    assert_eq!(new.read_flow(&both.0).unwrap().unwrap().target, 2);
    assert_eq!(new.sessions(10).unwrap(), 1);
    // The table is full by now.
    let last = flow(12);
    old.put_flow(&last.0, &last.1).unwrap();
    let late = new.settle(&room.folder).unwrap();
    assert_eq!((late.followed, late.lost), (0, 1));
    assert_eq!(room.folders(), [hash()]);
}

/// Wherever a process dies while it takes over, the next one goes on.
#[test]
fn a_process_that_dies_on_the_way_costs_nothing() {
    let Some(room) = Room::open() else { return };
    let path = |suffix: &str| room.root.path().join(format!("{}{suffix}", hash()));
    let other = Bounds { flows: 2000, ..BOUNDS };
    fill(&mut room.take_over(BOUNDS).unwrap().0);
    // While it fills new maps.
    fs::create_dir(path("-new")).unwrap();
    fs::rename(room.pin("EVENTS"), path("-new").join("FLOWS")).unwrap();
    assert_whole(&room.take_over(BOUNDS).unwrap().0);
    assert_eq!(room.folders(), [hash()]);
    // Between the two names that it changes.
    drop(room.take_over(other).unwrap());
    fs::rename(path(""), path("-new")).unwrap();
    let mut next = room.take_over(other).unwrap().0;
    assert_whole(&next);
    // Before it settles; and the next one has other bounds again.
    let begun = flow(11);
    let mut old = Kernel::take_over(BOUNDS, &room.folder, &Written::default()).unwrap().0;
    assert_whole(&old);
    old.put_flow(&begun.0, &begun.1).unwrap();
    drop(old);
    next = room.take_over(other).unwrap().0;
    assert_eq!(next.read_flow(&begun.0).unwrap(), Some(begun.1));
    next.settle(&room.folder).unwrap();
    assert_eq!(room.folders(), [hash()]);
}
