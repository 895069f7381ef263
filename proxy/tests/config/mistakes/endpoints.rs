//! Pools, their endpoints and how they are probed.

use super::{Case, POOLED, each};
use crate::mistakes;
use pinion::config::Host;

pub(super) const CASES: &[Case] = &[
    (
        "  - name: upfs\n",
        "  - {name: ¶amfs, endpoints: [{name: x, addresses: [10.9.0.1]}]}\n  - name: upfs\n",
        &["pool amfs is already at line 7; give each pool its own name"],
    ),
    (
        "name: amf-2",
        "name: ¶amf-1",
        &["endpoint amf-1 is already there; give each endpoint of a pool its own name"],
    ),
    (
        "[10.0.0.12, 10.1.0.12]",
        "¶[10.0.0.12]",
        &["1 address where endpoint amf-1 has 2 paths; give one for each path"],
    ),
    (
        "[10.0.0.12, 10.1.0.12]",
        "[10.0.0.12, ¶'2001:db8::12']",
        &["2001:db8::12 on path 1, where endpoint amf-1 has 10.1.0.11; give an IPv4 address"],
    ),
    (
        "['2001:db8:1::1']",
        "¶['2001:db8:1::1', 10.0.0.1]",
        &["2 addresses where the service has 1 path; give one for each path"],
    ),
    (
        "['2001:db8:1::1']",
        "[¶10.0.0.1]",
        &["10.0.0.1 on path 0, where the service has 2001:db8::53; give an IPv6 address"],
    ),
    (
        "[10.0.0.12, 10.1.0.12]",
        "[¶10.0.0.11, 10.1.0.12]",
        &["10.0.0.11 is already endpoint amf-1's; give each its own address or port"],
    ),
    (
        "[10.0.0.12, 10.1.0.12]",
        "[¶10.0.0.11, 10.1.0.12]\n        port: 38412",
        &["10.0.0.11 is already endpoint amf-1's; give each its own address or port"],
    ),
    (
        "[10.0.0.12, 10.1.0.12]",
        "[10.0.0.12, ¶10.0.0.12]",
        &["10.0.0.12 is on two paths; give one address for each path"],
    ),
    (
        "[10.0.0.12, 10.1.0.12]",
        "[¶192.0.2.3, 10.1.0.12]",
        &["192.0.2.3 is an address of service upf; give the endpoint's own"],
    ),
    (
        "[10.0.0.12, 10.1.0.12]",
        "[¶10.0.9.1, 10.1.0.12]",
        &[
            "10.0.9.1 is an address of this host, whose replies XDP never sees; give an endpoint on another host, or in a network namespace of its own",
        ],
    ),
    (
        "[10.0.0.12, 10.1.0.12]",
        "[¶127.8.0.1, 10.1.0.12]",
        &[
            "127.8.0.1 is an address of this host, whose replies XDP never sees; give an endpoint on another host, or in a network namespace of its own",
        ],
    ),
    (
        "[10.0.0.12, 10.1.0.12]",
        "[¶169.254.0.12, ¶240.0.0.1]",
        &[
            "169.254.0.12 is a link-local address; give one that is routed",
            "240.0.0.1 is a reserved address; give one that one host answers to",
        ],
    ),
    (
        "{name: upf-1, addresses: [10.2.0.21]}",
        "{name: upf-1, addresses: [10.2.0.21], port: ¶2153}",
        &["GTP-U is received at port 2152 (TS 29.281 4.4.2.3); leave the port out"],
    ),
    (
        "    endpoints:\n      - {name: upf-1, addresses: [10.2.0.21]}",
        "    endpoints: ¶[]",
        &["no endpoint; give one at least"],
    ),
    (
        "  - name: upfs\n    endpoints:\n      - {name: upf-1, addresses: [10.2.0.21]}",
        "  - ¶name: upfs",
        &["a pool without `endpoints`; give items that begin with `- `, or in brackets and separated by commas"],
    ),
    (
        "  - name: dns\n    protocol: udp\n    port: 53\n    addresses: ['2001:db8::53']\n    endpoints:\n      - {name: dns-1, addresses: ['2001:db8:1::1']}",
        "  - {name: upf-b, protocol: gtpu, addresses: [192.0.2.4], pool: ¶upfs}",
        &[
            "10.2.0.21 is already behind service upf, and its tunnels would all leave from there; give each gtpu service endpoints of its own",
        ],
    ),
    ("{kind: sctp}", "¶{rise: 2}", &["health without `kind`; give icmp, tcp, udp, gtpu, sctp, pfcp or http2"]),
    (
        "{kind: sctp}",
        "{kind: ¶ping}",
        &["ping is no kind of probe; give icmp, tcp, udp, gtpu, sctp, pfcp or http2"],
    ),
    (
        "{kind: sctp}",
        "{kind: ¶tcp}",
        &[
            "a tcp probe of service amf's port 38412, which is SCTP; give the TCP port that answers, such as `port: 38412`, or another kind",
        ],
    ),
    (
        "{kind: sctp}",
        "{kind: ¶gtpu}",
        &[
            "a gtpu probe of service amf's port 38412, which is SCTP; give the UDP port that answers, such as `port: 2152`, or another kind",
        ],
    ),
    (
        "['2001:db8:1::1']}",
        "['2001:db8:1::1']}\n    health: {kind: ¶pfcp}",
        &["a pfcp probe of service dns's port 53; give the port that answers, `port: 8805`, or another kind"],
    ),
    (
        "{kind: sctp}",
        "{kind: icmp, port: ¶7}",
        &["`port` is for any kind but icmp; leave it out, or give another kind"],
    ),
    (
        "{kind: sctp}",
        "{kind: sctp, payload: ¶ping, answer: ¶true}",
        &[
            "`payload` is for udp; leave it out, or give another kind",
            "`answer` is for udp; leave it out, or give another kind",
        ],
    ),
    (
        "{kind: sctp}",
        "{kind: sctp, path: ¶/, authority: ¶nrf}",
        &[
            "`path` is for http2; leave it out, or give another kind",
            "`authority` is for http2; leave it out, or give another kind",
        ],
    ),
    (
        "{kind: sctp}",
        "{kind: http2, port: 80, path: ¶healthz}",
        &["healthz is no path to ask for; give one that begins with `/`, such as /healthz"],
    ),
    (
        "{kind: sctp}",
        "{kind: http2, port: 80, authority: ¶'http://nrf'}",
        &["http://nrf is no authority; give a host and, if need be, a port, such as nrf.example:8000"],
    ),
    (
        "{kind: sctp}",
        "{kind: udp, port: 7, payload: ¶'0x123'}",
        &["0x123 is no payload; give up to 1,200 bytes, as text or as hex digits after 0x, in quotes"],
    ),
    ("{kind: sctp}", "{kind: udp, port: 7, answer: ¶yes}", &["yes is no yes or no; give true or false"]),
    (
        "{kind: sctp}",
        "{kind: sctp, interval: ¶9ms, timeout: 9ms}",
        &["`interval` of 9ms is out of range; give 10ms to 1h"],
    ),
    ("{kind: sctp}", "{kind: sctp, interval: ¶2h}", &["`interval` of 2h is out of range; give 10ms to 1h"]),
    (
        "{kind: sctp}",
        "{kind: sctp, interval: 1s, timeout: ¶1500ms}",
        &["`timeout` of 1500ms is longer than the interval; give 1s at the most"],
    ),
    (
        "{kind: sctp}",
        "{kind: sctp, timeout: ¶2s}",
        &["`timeout` of 2s is longer than the interval; give 1s at the most"],
    ),
    (
        "{kind: sctp}",
        "{kind: sctp, timeout: ¶0s}",
        &["`timeout` of 0s; give the time that an answer may take, such as 500ms"],
    ),
    (
        "{kind: sctp}",
        "{kind: sctp, jitter: ¶51}",
        &["51 is no jitter; give percents of the interval, from 0 to 50"],
    ),
    (
        "{kind: sctp}",
        "{kind: sctp, rise: ¶0, fall: ¶256}",
        &[
            "0 is no count of probes in a row; give a number from 1 to 255",
            "256 is no count of probes in a row; give a number from 1 to 255",
        ],
    ),
];

#[test]
fn pools_their_endpoints_and_how_they_are_probed() {
    let addresses = ["127.0.0.1", "10.0.9.1", "::1"].map(|text| text.parse().unwrap());
    each(POOLED, CASES, &Host { addresses: addresses.to_vec(), ..Host::default() });
}

#[test]
fn a_pool_has_1024_endpoints_at_the_most() {
    let many = |count: u32| {
        let mut text =
            "services:\n  - name: s\n    protocol: udp\n    port: 1\n    addresses: [192.0.2.1]\n    endpoints:\n"
                .to_owned();
        for n in 0..count {
            let address = std::net::Ipv4Addr::from(0x0a00_0001 + n);
            text += &format!("      - {{name: e{n}, addresses: [{address}]}}\n");
        }
        text
    };
    assert_eq!(mistakes(&many(1024)), [""; 0]);
    assert_eq!(mistakes(&many(1025)), ["7:7: 1025 endpoints; a pool has 1024 at the most, use several pools"]);
}

#[test]
fn endpoints_may_share_an_address_where_their_ports_differ() {
    let shared = POOLED.replace("[10.0.0.12, 10.1.0.12]", "[10.0.0.11, 10.1.0.11]\n        port: 38413");
    assert_eq!(mistakes(&shared), [""; 0]);
}
