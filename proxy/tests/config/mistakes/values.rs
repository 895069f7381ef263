//! Values of the wrong kind, or out of range.

use super::{Case, POOLED, each};
use pinion::config::Host;

pub(super) const CASES: &[Case] = &[
    ("port: 38412", "port: ¶0", &["0 is no port; give a number from 1 to 65535"]),
    ("port: 38412", "port: ¶70000", &["70000 is no port; give a number from 1 to 65535"]),
    ("port: 38412", "port: ¶-1", &["-1 is no port; give a number from 1 to 65535"]),
    ("port: 38412", "port: ¶38412.0", &["38412.0 is no port; give a number from 1 to 65535"]),
    (
        "port: 38412",
        "port: ¶'38412'",
        &["38412 in quotes is no port; give a number from 1 to 65535, without quotes"],
    ),
    ("port: 38412", "port: ¶ngap", &["ngap is no port; give a number from 1 to 65535"]),
    ("port: 38412", "port: ¶038412", &["038412 is no port; give a number from 1 to 65535"]),
    (
        "unknown: hash",
        "tunnels: [{teid: ¶0, endpoint: upf-1}, {teid: 1, endpoint: upf-1, endpoint_teid: ¶0x100000000}]",
        &[
            "0 is no TEID; give a number from 1 to 4294967295, or from 0x1 to 0xffffffff",
            "0x100000000 is no TEID; give a number from 1 to 4294967295, or from 0x1 to 0xffffffff",
        ],
    ),
    ("weight: 2", "weight: ¶-1", &["-1 is no weight; give a number from 0 to 65535"]),
    ("weight: 2", "weight: ¶65536", &["65536 is no weight; give a number from 0 to 65535"]),
    ("weight: 2", "weight: ¶heavy", &["heavy is no weight; give a number from 0 to 65535"]),
    ("weight: 2", "priority: ¶256", &["256 is no priority; give a number from 0 to 255, where 0 comes first"]),
    ("name: amf-1", "name: ¶''", &["'' is no name; give up to 64 letters, digits, dots, dashes or underscores"]),
    ("name: amf-1", "name: ¶a/b", &["a/b is no name; give up to 64 letters, digits, dots, dashes or underscores"]),
    ("name: amf-1", "name: ¶17", &["17 is no name without quotes; write '17'"]),
    ("name: amf-1", "name: ¶true", &["true is no name without quotes; write 'true'"]),
    (
        "name: amf-1",
        "name: ¶a123456789b123456789c123456789d123456789e123456789f123456789g1234",
        &[
            "a123456789b123456789c123456789d123456789e123456789f123456789… is no name; give up to 64 letters, digits, dots, dashes or underscores",
        ],
    ),
    ("10.2.0.21", "¶10.2.0.256", &["10.2.0.256 is no IP address; give one, such as 192.0.2.1 or 2001:db8::1"]),
    ("10.2.0.21", "¶10.2.0.21/32", &["10.2.0.21/32 is no IP address; give one, such as 192.0.2.1 or 2001:db8::1"]),
    (
        "10.2.0.21",
        "¶upf-1.example",
        &["upf-1.example is no IP address; give one, such as 192.0.2.1 or 2001:db8::1"],
    ),
    ("10.2.0.21", "¶17", &["17 is no IP address; give one, such as 192.0.2.1 or 2001:db8::1"]),
    (
        "slow_start: 30s",
        "slow_start: ¶30",
        &["30 is no duration; give a number and its unit, such as 500ms, 10s, 5m or 2h"],
    ),
    (
        "slow_start: 30s",
        "slow_start: ¶30 s",
        &["30 s is no duration; give a number and its unit, such as 500ms, 10s, 5m or 2h"],
    ),
    ("slow_start: 30s", "slow_start: ¶2h", &["`slow_start` of 2h is too long; give 1h at the most"]),
    ("drain: 10m", "drain: ¶169h", &["`drain` of 169h is too long; give 168h at the most"]),
    (
        "drain: 10m",
        "drain: ¶never",
        &["never is no duration; give a number and its unit, such as 500ms, 10s, 5m or 2h"],
    ),
    (
        "protocol: sctp",
        "protocol: ¶SCTP",
        &["SCTP is no protocol; give udp, tcp, sctp, gtpu, pfcp, gtpv2-c or ngap"],
    ),
    (
        "pool: amfs",
        "pool: amfs\n    algorithm: ¶hash",
        &["hash is no algorithm; give maglev, round_robin, weighted, least_sessions or source_affinity"],
    ),
    (
        "pool: amfs",
        "pool: amfs\n    all_down: ¶accept",
        &["accept is no choice for when no endpoint is up; give fail_open, drop or reject"],
    ),
    (
        "unknown: hash",
        "unknown: ¶forward",
        &["forward is no choice for packets of no session; give drop, hash, punt or indicate"],
    ),
    ("{established: 15m}", "{established: ¶0s}", &["`established` of 0s is out of range; give 1s to 168h"]),
    (
        "{established: 15m}",
        "{opening: ¶500ms, closing: ¶169h}",
        &[
            "`opening` of 500ms is out of range; give 1s to 168h",
            "`closing` of 169h is out of range; give 1s to 168h",
        ],
    ),
];

#[test]
fn values_of_the_wrong_kind_or_out_of_range() {
    each(POOLED, CASES, &Host::default());
}
