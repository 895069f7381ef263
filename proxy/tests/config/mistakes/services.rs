//! Services that contradict themselves or each other.

use super::{Case, POOLED, each};
use crate::mistakes;
use pinion::config::Host;

pub(super) const CASES: &[Case] = &[
    ("name: upf\n", "name: ¶amf\n", &["service amf is already at line 21; give each service its own name"]),
    ("pool: amfs", "pool: ¶amf", &["there is no pool amf; did you mean amfs?"]),
    (
        "pool: amfs",
        "pool: ¶core-network",
        &["there is no pool core-network; add it to `pools`, or name one of amfs, upfs"],
    ),
    (
        "  - name: upf\n    protocol: gtpu\n    addresses: [192.0.2.3]\n    pool: upfs",
        "  - ¶name: upf\n    protocol: gtpu\n    addresses: [192.0.2.3]",
        &["a service without endpoints; name a `pool`, or list `endpoints`"],
    ),
    (
        "    endpoints:\n      - {name: dns-1, ",
        "    pool: ¶upfs\n    endpoints:\n      - {name: dns-1, ",
        &["a `pool` beside `endpoints`; leave one of them out"],
    ),
    (
        "pool: amfs",
        "pool: amfs\n    health: ¶{kind: icmp}\n    drain: ¶1m\n    slow_start: ¶1m",
        &[
            "`health` beside `pool`; write it into the pool",
            "`drain` beside `pool`; write it into the pool",
            "`slow_start` beside `pool`; write it into the pool",
        ],
    ),
    (
        "name: dns\n",
        "name: ¶amfs\n",
        &["service amfs lists endpoints, and a pool of that name is at line 7; give one of them another name"],
    ),
    ("protocol: sctp\n    port: 38412", "protocol: ¶sctp", &["no port; give the one that clients address"]),
    (
        "protocol: gtpu",
        "protocol: gtpu\n    port: ¶2153",
        &["GTP-U is received at port 2152 (TS 29.281 4.4.2.3); leave the port out"],
    ),
    ("port: 53", "port: 53\n    unknown: ¶hash", &["every udp packet belongs to a session; leave `unknown` out"]),
    (
        "protocol: udp\n    port: 53",
        "protocol: tcp\n    port: 53\n    unknown: ¶drop",
        &["every tcp packet belongs to a session; leave `unknown` out"],
    ),
    (
        "pool: amfs",
        "pool: amfs\n    unknown: ¶indicate",
        &["Error Indications are GTP-U's; give drop, hash or punt"],
    ),
    (
        "    protocol: gtpu\n    addresses: [192.0.2.3]\n    pool: upfs",
        "    protocol: sctp\n    port: 38412\n    addresses: [¶198.51.100.1]\n    pool: upfs",
        &["198.51.100.1 port 38412 is already service amf's; give each service its own address or port"],
    ),
    (
        "[192.0.2.1, 198.51.100.1]",
        "[192.0.2.1, ¶192.0.2.1]",
        &["192.0.2.1 port 38412 is already service amf's; give each service its own address or port"],
    ),
    (
        "[192.0.2.1, 198.51.100.1]",
        "[¶0.0.0.0, 198.51.100.1]",
        &["0.0.0.0 stands for no address; give one that one host answers to"],
    ),
    (
        "[192.0.2.1, 198.51.100.1]",
        "[¶239.1.2.3, 198.51.100.1]",
        &["239.1.2.3 is a multicast address; give one that one host answers to"],
    ),
    (
        "[192.0.2.1, 198.51.100.1]",
        "[¶169.254.1.1, 198.51.100.1]",
        &["169.254.1.1 is a link-local address; give one that is routed"],
    ),
    (
        "[192.0.2.1, 198.51.100.1]",
        "[¶255.255.255.255, 198.51.100.1]",
        &["255.255.255.255 is the broadcast address; give one that one host answers to"],
    ),
    (
        "[192.0.2.1, 198.51.100.1]",
        "[¶0.1.2.3, 198.51.100.1]",
        &["0.1.2.3 is a reserved address; give one that one host answers to"],
    ),
    ("['2001:db8::53']", "[¶'fe80::1']", &["fe80::1 is a link-local address; give one that is routed"]),
    ("['2001:db8::53']", "[¶'ff02::1']", &["ff02::1 is a multicast address; give one that one host answers to"]),
    ("['2001:db8::53']", "[¶'::']", &[":: stands for no address; give one that one host answers to"]),
    (
        "['2001:db8::53']",
        "[¶'::ffff:192.0.2.1']",
        &["::ffff:192.0.2.1 is an IPv4 address in IPv6's clothes; write 192.0.2.1"],
    ),
    (
        "[192.0.2.1, 198.51.100.1]\n    pool: amfs",
        "[192.0.2.1]\n    pool: ¶amfs",
        &["pool amfs has 2 paths and the service has 1 address; give one for each path"],
    ),
    (
        "[192.0.2.1, 198.51.100.1]\n    pool: amfs",
        "[192.0.2.1, '2001:db8::1']\n    pool: ¶amfs",
        &["pool amfs is IPv4 and IPv4 and the service is IPv4 and IPv6; give the same family on each path"],
    ),
    (
        "unknown: hash",
        "tunnels: [{teid: 0x1001, endpoint: upf-1}, {teid: ¶4097, endpoint: upf-1, endpoint_teid: 1}]",
        &["TEID 0x1001 is already at line 31; give each tunnel of a service its own"],
    ),
    (
        "unknown: hash",
        "tunnels: [{teid: 1, endpoint: ¶upf1}]",
        &["upfs has no endpoint upf1; did you mean upf-1?"],
    ),
    (
        "unknown: hash",
        "tunnels: [{teid: 1, endpoint: ¶amf-core}]",
        &["upfs has no endpoint amf-core; add it, or name one of upf-1"],
    ),
    (
        "pool: amfs",
        "pool: amfs\n    tunnels: ¶[{teid: 1, endpoint: amf-1}]",
        &["no sctp service has tunnels; leave `tunnels` out"],
    ),
    (
        "unknown: hash",
        "tunnels: [¶{teid: 1}, ¶{endpoint: upf-1}]",
        &[
            "a tunnel without `endpoint`; give up to 64 letters, digits, dots, dashes or underscores",
            "a tunnel without `teid`; give a number from 1 to 4294967295, or from 0x1 to 0xffffffff",
        ],
    ),
    (
        "pool: amfs",
        "pool: amfs\n    breakout: ¶upfs",
        &["no sctp service has users' packets; leave `breakout` out"],
    ),
    ("unknown: hash", "breakout: ¶amf", &["there is no pool amf; did you mean amfs?"]),
    (
        "unknown: hash",
        "breakout: ¶upfs",
        &["pool upfs has the service's tunnels; name one whose endpoints have none"],
    ),
    ("['2001:db8::53']", "¶[]", &["0 addresses; give one for each path, at the most 4"]),
    (
        "['2001:db8::53']",
        "¶['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8::4', '2001:db8::5']",
        &["5 addresses; give one for each path, at the most 4"],
    ),
];

#[test]
fn services_that_contradict_themselves_or_each_other() {
    each(POOLED, CASES, &Host::default());
}

/// Where users' packets leave their tunnels there is one next hop each, and somebody asks for it.
#[test]
fn what_is_broken_out_to_is_probed_and_has_one_address() {
    let text = |pool: &str| {
        let pool = format!("  - name: mec\n    endpoints: [{pool}\nservices:");
        POOLED.replace("services:", &pool).replace("unknown: hash", "breakout: mec")
    };
    let health = "\n    health: {kind: icmp}";
    let one = "{name: edge-1, addresses: [10.3.0.5]}]";
    assert_eq!(mistakes(&text(&format!("{one}{health}"))), [""; 0]);
    assert_eq!(
        mistakes(&text(one)),
        ["33:15: nobody probes pool mec, and its endpoints' link addresses would not be known; give it `health`"]
    );
    let two = format!("{{name: edge-1, addresses: [10.3.0.5, 10.4.0.5]}}]{health}");
    assert_eq!(
        mistakes(&text(&two)),
        ["21:43: several addresses, where users' packets leave their tunnels to a next hop; give one"]
    );
}

/// Of the tables' targets there is one for each address of a service and of its endpoints, and for each place where packets
/// leave their tunnels.
#[test]
fn what_is_broken_out_to_takes_targets() {
    let text = |bound: u32| {
        POOLED
            .replace("{flows: 200000}", &format!("{{targets: {bound}}}"))
            .replace(
                "services:",
                "  - {name: mec, endpoints: [{name: edge-1, addresses: [10.3.0.5]}], health: {kind: icmp}}\nservices:",
            )
            .replace("unknown: hash", "breakout: mec")
    };
    // Of the three services 2, 1 and 1, of their endpoints 4, 1 and 1.
    assert_eq!(mistakes(&text(11)), [""; 0]);
    let told = mistakes(&text(10));
    assert!(told[0].contains("table `targets` holds 10 entries and what is configured needs 11"), "{told:?}");
}

/// A pin for each tunnel at each address.
#[test]
fn tunnels_fit_the_bound_of_pins() {
    let text = |bound: u32| {
        POOLED
            .replace("{flows: 200000}", &format!("{{pins: {bound}}}"))
            .replace("[192.0.2.3]", "[192.0.2.3, 198.51.100.3]")
            .replace("[10.2.0.21]", "[10.2.0.21, 10.3.0.21]")
            .replace("unknown: hash", "tunnels: [{teid: 1, endpoint: upf-1}, {teid: 2, endpoint: upf-1}]")
    };
    assert_eq!(mistakes(&text(4)), [""; 0]);
    assert_eq!(
        mistakes(&text(3)),
        [
            "5:16: table `pins` holds 3 entries and what is configured needs 4; raise it by `bounds: {pins: 4}` or more, or configure less"
        ]
    );
}

#[test]
fn there_are_4096_services_at_the_most() {
    let many = |count: u32| {
        let mut text = "bounds: {services: 100000, maglev: 2000000, targets: 100000}\npools: [{name: p, endpoints: [{name: e, addresses: [10.0.0.1]}]}]\nservices:\n".to_owned();
        for n in 0..count {
            let address = std::net::Ipv4Addr::from(0xc633_0000 + n);
            text += &format!("  - {{name: s{n}, protocol: udp, port: 1, addresses: [{address}], pool: p}}\n");
        }
        text
    };
    assert_eq!(mistakes(&many(4096)), [""; 0]);
    assert_eq!(mistakes(&many(4097)), ["4:3: 4097 services; 4096 are the most, use several hosts"]);
}
