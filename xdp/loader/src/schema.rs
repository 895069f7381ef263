//! The maps by name, type and layout, and the hash of it all that names their folder of pins.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// A map of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapSpec {
    /// Its name.
    pub name: &'static str,
    /// Its type, as the kernel numbers it (linux/bpf.h, enum `bpf_map_type`).
    pub kind: u32,
    /// Size of its key in bytes.
    pub key: u32,
    /// Size of its value in bytes.
    pub value: u32,
    /// Fields of key and value, with offsets.
    pub layout: &'static [&'static [Field]],
    /// What it is for.
    pub role: Role,
}

/// What a map is for: it decides what becomes of its entries when a build takes over that makes it otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It holds sessions that XDP pins.
    Flows,
    /// It counts these, for each endpoint.
    Tally,
    /// It holds what user space pins.
    Pins,
    /// It holds what is configured; such maps name each other's entries.
    Configuration,
    /// It is a cache, a counter or a queue: nobody misses what was in it.
    Passing,
}

/// A field of a key or value: name and offset.
pub type Field = (&'static str, usize);

/// The fields of a type, with their offsets.
macro_rules! fields {
    ($type:ident: $($field:ident),+) => {
        &[$((concat!(stringify!($type), ".", stringify!($field)), std::mem::offset_of!(pinion_steering::$type, $field))),+]
    };
}

const HASH: u32 = 1;
const ARRAY: u32 = 2;
const PERCPU_ARRAY: u32 = 6;
const LRU_HASH: u32 = 9;
const RINGBUF: u32 = 27;

macro_rules! size {
    ($type:ident) => {
        size_of::<pinion_steering::$type>() as u32
    };
}

const FLOW: &[Field] = fields!(Flow: target, seen, tag, peer, service, state, reply, from);
const PIN: &[Field] = fields!(Pin: target, teid, service, path, flags);

const HEARD: &[Field] = fields!(
    Heard: client, endpoint, server_tag, client_tag, length, service, service_port, client_port, reply, reserved
);

/// Every map of the object that is pinned. `WORK`, `COPY`, `REPLAY` and read-only data live no longer than their program.
pub const MAPS: &[MapSpec] = &[
    MapSpec {
        name: "FLOWS",
        kind: HASH,
        key: size!(ShortKey),
        value: size!(Flow),
        layout: &[FLOW],
        role: Role::Flows,
    },
    MapSpec {
        name: "FLOWS6",
        kind: HASH,
        key: size!(LongKey),
        value: size!(Flow),
        layout: &[fields!(LongKey: near, far, ports, protocol), FLOW],
        role: Role::Flows,
    },
    MapSpec {
        name: "PINS",
        kind: HASH,
        key: size!(ShortPinKey),
        value: size!(Pin),
        layout: &[fields!(ShortPinKey: address, teid), PIN],
        role: Role::Pins,
    },
    MapSpec {
        name: "PINS6",
        kind: HASH,
        key: size!(PinKey),
        value: size!(Pin),
        layout: &[fields!(PinKey: address, teid), PIN],
        role: Role::Pins,
    },
    MapSpec {
        name: "FILTERS",
        kind: HASH,
        key: size!(FilterKey),
        value: size!(Filter),
        layout: &[
            fields!(FilterKey: address, teid, at),
            fields!(
                Filter: source, destination, source_ports, destination_ports, target, teid, source_bits,
                destination_bits, protocol, reserved
            ),
        ],
        role: Role::Pins,
    },
    MapSpec {
        name: "FRAGMENTS",
        kind: LRU_HASH,
        key: size!(FragmentKey),
        value: size!(Fragment),
        layout: &[
            fields!(FragmentKey: source, destination, identification),
            fields!(Fragment: target, seen, reply, reserved),
        ],
        role: Role::Passing,
    },
    MapSpec {
        name: "SERVICES",
        kind: HASH,
        key: size!(ServiceKey),
        value: size!(Service),
        layout: &[
            fields!(ServiceKey: address, port, protocol, bank),
            fields!(Service: maglev, slots, own, id, kind, path, paths, unknown, placement, exhausted),
        ],
        role: Role::Configuration,
    },
    MapSpec {
        name: "SOURCES",
        kind: HASH,
        key: size!(SourceKey),
        value: size!(Source),
        layout: &[
            fields!(SourceKey: address, port, protocol, reserved),
            fields!(Source: own, service, path, paths),
        ],
        role: Role::Configuration,
    },
    MapSpec {
        name: "TARGETS",
        kind: ARRAY,
        key: 4,
        value: size!(Target),
        layout: &[fields!(Target: address, port, paths, up, owner, flags, reserved)],
        role: Role::Configuration,
    },
    MapSpec { name: "MAGLEV", kind: ARRAY, key: 4, value: 4, layout: &[], role: Role::Configuration },
    MapSpec { name: "ROUNDS", kind: ARRAY, key: 4, value: 8, layout: &[], role: Role::Passing },
    MapSpec { name: "PLACED", kind: ARRAY, key: 4, value: 8, layout: &[], role: Role::Tally },
    MapSpec { name: "ENDED", kind: ARRAY, key: 4, value: 8, layout: &[], role: Role::Tally },
    MapSpec { name: "ERRORS", kind: ARRAY, key: 4, value: 8, layout: &[], role: Role::Passing },
    MapSpec { name: "ACTIVE", kind: ARRAY, key: 4, value: 4, layout: &[], role: Role::Configuration },
    MapSpec {
        name: "LINKS",
        kind: HASH,
        key: 4,
        value: size!(Link),
        layout: &[fields!(Link: lower, vlan, address)],
        role: Role::Passing,
    },
    MapSpec {
        name: "HOPS",
        kind: PERCPU_ARRAY,
        key: 4,
        value: size!(NextHop),
        layout: &[
            fields!(NextHop: destination, target, asked, from, own, ifindex, port, reserved, mtu, vlan, header),
        ],
        role: Role::Passing,
    },
    MapSpec { name: "COUNTERS", kind: PERCPU_ARRAY, key: 4, value: 8, layout: &[], role: Role::Passing },
    MapSpec { name: "EVENTS", kind: RINGBUF, key: 0, value: 0, layout: &[], role: Role::Passing },
    MapSpec { name: "COPIES", kind: RINGBUF, key: 0, value: 0, layout: &[HEARD], role: Role::Passing },
    MapSpec { name: "COPIED", kind: PERCPU_ARRAY, key: 4, value: 8, layout: &[], role: Role::Passing },
];

/// Type and sizes of a map, in words.
pub(crate) fn describe(kind: u32, key: u32, value: u32) -> String {
    format!("a map of type {kind} with keys of {key} B and values of {value} B")
}

impl MapSpec {
    /// Whether what a build before this one wrote of its map by this name is what this build makes of it.
    #[must_use]
    pub fn is_described(&self, words: &str) -> bool {
        words == self.description() || ALIKE.contains(&(self.name, words))
    }

    /// Type, sizes and fields, in words that change with any of them; bounds are not in it.
    #[must_use]
    pub fn description(&self) -> String {
        let mut words = describe(self.kind, self.key, self.value);
        for (number, (field, at)) in self.layout.iter().copied().flatten().enumerate() {
            let before = if number == 0 { ": " } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(words, "{before}{field} at {at}");
        }
        if self.name == "COUNTERS" {
            let reasons = pinion_steering::Reason::ALL.iter().map(|reason| reason.name());
            let _ = write!(words, ": {}", reasons.collect::<Vec<_>>().join(", "));
        }
        words
    }
}

/// Descriptions of builds before this one whose maps mean the same to it, by name.
const ALIKE: [(&str, &str); 1] = [(
    "TARGETS",
    "a map of type 2 with keys of 4 B and values of 32 B: Target.address at 0, Target.port at 16, Target.paths at 18, \
     Target.up at 19, Target.owner at 20, Target.reserved at 24",
)];

/// The descriptions of all maps, by name.
#[must_use]
pub fn descriptions() -> BTreeMap<String, String> {
    MAPS.iter().map(|map| (map.name.to_owned(), map.description())).collect()
}

/// What a build before this one wrote down of the maps that it pinned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Its [`hash`]; empty where nobody wrote one down.
    pub schema: String,
    /// Its [`descriptions`]; empty where it was too old to write them.
    pub maps: BTreeMap<String, String>,
}

/// Sixteen hexadecimal digits that change with any name, type or layout; bounds are not in it.
#[must_use]
pub fn hash() -> String {
    let mut text = String::new();
    for map in MAPS {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {} {} {} {:?}", map.name, map.kind, map.key, map.value, map.layout);
    }
    for reason in pinion_steering::Reason::ALL {
        let _ = writeln!(text, "{} {}", *reason as u8, reason.name());
    }
    Sha256::digest(text.as_bytes()).iter().take(8).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::{MAPS, hash};

    #[test]
    fn names_a_folder() {
        assert_eq!(hash().len(), 16);
        assert!(hash().chars().all(|digit| digit.is_ascii_hexdigit()));
    }

    #[test]
    fn fits_what_the_kernel_keeps_a_value_in() {
        for map in MAPS.iter().filter(|map| !["HOPS", "FILTERS"].contains(&map.name)) {
            assert!(map.value <= 32, "{} has values of {} bytes", map.name, map.value);
        }
    }
}
