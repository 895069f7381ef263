//! GTPv2-C services.

use super::{Case, each};
use pinion::config::Host;

/// Two SGWs, and a service of another kind.
pub(crate) const S11: &str = "\
pools:
  - name: sgws
    endpoints:
      - {name: sgw-1, addresses: [198.51.100.11], weight: 3}
      - {name: sgw-2, addresses: [198.51.100.12], priority: 5}
services:
  - name: s11
    protocol: gtpv2-c
    addresses: [192.0.2.10]
    pool: sgws
    gtpc: {echo: 30s, t3: 5s}
  - name: dns
    protocol: udp
    port: 53
    addresses: [192.0.2.30]
    endpoints:
      - {name: dns-1, addresses: [203.0.113.53]}
";

pub(super) const CASES: &[Case] = &[
    (
        "    port: 53\n",
        "    port: 53\n    gtpc: ¶{}\n",
        &["`gtpc` is for services of protocol gtpv2-c, and this is udp; leave it out"],
    ),
    (
        "{echo: 30s, t3: 5s}",
        "{¶ecko: 30s, echo: ¶10ms, t3: ¶2m, n3: ¶0, sessions: ¶0, clients: ¶65536}",
        &[
            "unknown key `ecko`; did you mean `echo`? gtpc has echo, t3, n3, sessions and clients",
            "`echo` of 10ms is out of range; give 1s to 1h",
            "`t3` of 2m is out of range; give 100ms to 1m",
            "0 is no number of tries; give a number from 1 to 20",
            "0 is no number of sessions; give a number from 1 to 16777216",
            "65536 is no number of clients; give a number from 1 to 65535",
        ],
    ),
    (
        "    protocol: gtpv2-c\n    addresses: [192.0.2.10]\n",
        "    protocol: gtpv2-c\n    port: ¶2124\n    algorithm: ¶source_affinity\n    all_down: ¶drop\n    addresses: [192.0.2.10]\n",
        &[
            "GTPv2-C is received at port 2123 (TS 29.274 4.2.1.1); leave the port out",
            "source_affinity would give a client one endpoint for all its sessions; give maglev, round_robin, weighted or \
             least_sessions",
            "`all_down` is for packets that are steered, and GTPv2-C ends at Pinion; leave it out",
        ],
    ),
    (
        "addresses: [192.0.2.10]",
        "addresses: ¶[192.0.2.10, 192.0.2.11]",
        &["2 addresses, and GTPv2-C is spoken at one; give one that this host has"],
    ),
    (
        "[198.51.100.12]",
        "[198.51.100.12], pfcp: ¶{dnns: [ims]}",
        &["`pfcp` is for UPFs behind a pfcp service, and sgws is behind none; leave it out"],
    ),
];

#[test]
fn gtpc_services_and_their_endpoints() {
    each(S11, CASES, &Host::default());
}
