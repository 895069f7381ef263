//! NGAP services.

use std::net::IpAddr;

use pinion::config::Host;
use pinion_transport::link::Route;

use super::{Case, each, warned};

/// Two AMFs on two networks, and a service of another kind.
pub(crate) const N2: &str = "\
pools:
  - name: amfs
    endpoints:
      - {name: amf-1, addresses: [10.0.0.11, 10.1.0.11]}
      - {name: amf-2, addresses: [10.0.0.12, 10.1.0.12], weight: 3}
services:
  - name: n2
    protocol: ngap
    addresses: [192.0.2.1, 198.51.100.1]
    pool: amfs
    ngap: {transport: auto, amf_name: core}
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
        "    port: 53\n    ngap: ¶{}\n",
        &["`ngap` is for services of protocol ngap, and this is udp; leave it out"],
    ),
    (
        "{transport: auto, amf_name: core}",
        "{¶transprt: auto, transport: ¶sctp, interfaces: ¶n2-a, reset_after: ¶2h, gnbs: ¶0}",
        &[
            "unknown key `transprt`; did you mean `transport`? ngap has transport, interfaces, amf_name, amf_ids, \
             amf_loss, reset_after, ues, gnbs, associations, messages, admission, rules, timers and discover",
            "sctp is no transport; give auto, kernel or userspace",
            "n2-a is no list; give items that begin with `- `, or in brackets and separated by commas",
            "`reset_after` of 2h is out of range; give 0s to 1h",
            "0 is no number of gNBs; give a number from 1 to 65535",
        ],
    ),
    (
        "{transport: auto, amf_name: core}",
        "{associations: ¶65, messages: ¶0, rules: {pws: ¶any}, timers: {answer: ¶1ms, retry: ¶1h, reconnect: ¶soon}}",
        &[
            "65 is no number of associations; give a number from 1 to 64",
            "0 is no number of messages; give a number from 1 to 1000000",
            "any is no choice of AMFs; give first or all",
            "`answer` of 1ms is out of range; give 100ms to 1m",
            "`retry` of 1h is out of range; give 1s to 10m",
            "soon is no duration; give a number and its unit, such as 500ms, 10s, 5m or 2h",
        ],
    ),
    (
        "{transport: auto, amf_name: core}",
        "{admission: {nodes: [¶001-01-gnb-2a], plmns: [¶00101, ¶'0010'], tacs: [¶16777216, ¶'1'], prefixes: [¶10.0.0.1/8]}}",
        &[
            "001-01-gnb-2a is no Global RAN Node ID; give one as it is shown, such as 001-01-gnb-00002a/24 (hexadecimal, then \
             its bits), 001-01-ng-enb-0002a or 001-01-n3iwf-002a",
            "00101 is no PLMN; give country and network code, such as 001-01, or '00101' in quotes",
            "0010 is no PLMN; give country and network code, such as 001-01, or '00101' in quotes",
            "16777216 is no tracking area code; give a number from 0 to 16777215, or from 0x0 to 0xffffff",
            "1 in quotes is no tracking area code; give a number from 0 to 16777215, or from 0x0 to 0xffffff, without quotes",
            "10.0.0.1/8 is no prefix of gNBs' addresses; give an address and a length with no bit set beyond it, such as \
             10.45.0.0/16 or 2001:db8:1::/48",
        ],
    ),
    (
        "{transport: auto, amf_name: core}",
        "{discover: ¶amf..org}",
        &[
            "amf..org is no domain name; give labels of letters, digits, dashes and underscores with dots between, such as \
           amf.example.org",
        ],
    ),
    (
        "{transport: auto, amf_name: core}",
        "{discover: ¶{servers: [¶192.0.2.53, '192.0.2.53:5353']}}",
        &[
            "discover without `name`; give labels of letters, digits, dashes and underscores with dots between, such as \
             amf.example.org",
            "192.0.2.53 is no address with a port; give both, such as 127.0.0.1:9090 or '[::1]:9090'",
        ],
    ),
    (
        "{transport: auto, amf_name: core}",
        "{transport: kernel, interfaces: ¶[n2-a, n2-b]}",
        &["the kernel knows itself where its addresses are; leave `interfaces` out"],
    ),
    (
        "{transport: auto, amf_name: core}",
        "{transport: userspace, interfaces: ¶[n2-a]}",
        &["1 interface for 2 addresses; give one for each address, in their order"],
    ),
    (
        "addresses: [192.0.2.1, 198.51.100.1]\n    pool: amfs\n    ngap: {transport: auto",
        "addresses: ¶[]\n    pool: amfs\n    ngap: {transport: userspace",
        &["0 addresses, and NGAP is spoken at 1 to 4; give those that no host has yet"],
    ),
];

/// On a host that nobody looked at.
#[test]
fn ngap_services() {
    each(N2, CASES, &Host::default());
}

const IN_BOTH: [&str; 2] = ["192.0.2.254", "198.51.100.254"];

/// A host with these addresses, the first of each network of 24 bits on an interface of its own.
fn host(sctp: bool, addresses: &[&str]) -> Host {
    let addresses: Vec<IpAddr> = addresses.iter().map(|it| it.parse().unwrap()).collect();
    let names = ["n2-a", "n2-b", "n2-c"].map(str::to_owned);
    let networks =
        addresses.iter().zip(&names).map(|(to, name)| (name.clone(), Route { to: (*to, 24), via: None }));
    Host { networks: networks.collect(), addresses, interfaces: names.into(), sctp: Some(sctp), ..Host::default() }
}

/// Where the kernel has no SCTP, and the addresses are in networks of the host's.
#[test]
fn addresses_of_sctp_of_our_own() {
    let cases: &[Case] = &[
        (
            "transport: auto",
            "transport: ¶kernel",
            &["this host's kernel has no SCTP; have it load it by `modprobe sctp`, or give auto or userspace"],
        ),
        (
            "addresses: [192.0.2.1, 198.51.100.1]",
            "addresses: [¶192.0.2.254, 198.51.100.1]",
            &[
                "192.0.2.254 is an address of this host, and its kernel has no SCTP: `modprobe sctp`, or give an address \
               that no host has yet",
            ],
        ),
        (
            "addresses: [192.0.2.1, 198.51.100.1]",
            "addresses: [192.0.2.1, ¶203.0.113.1]",
            &[
                "no Ethernet of this host is in a network with 203.0.113.1, so that nobody would find it there; give one an \
               address of that network, or name its interface in `ngap: {interfaces: [...]}`",
            ],
        ),
    ];
    each(N2, cases, &host(false, &IN_BOTH));
    let own: &[Case] = &[(
        "addresses: [192.0.2.1, 198.51.100.1]",
        "addresses: [192.0.2.1, ¶198.51.100.254]",
        &[
            "198.51.100.254 is an address of this host, and its kernel would answer there too; give an address that no host \
           has yet, or transport kernel",
        ],
    )];
    each(&N2.replace("transport: auto", "transport: userspace"), own, &host(true, &IN_BOTH));
}

#[test]
fn what_is_odd_of_whose_sctp_it_is() {
    let missing = "this host has no interface n3-a; did you mean n2-a?";
    let named = N2.replace("transport: auto", "transport: userspace, interfaces: [¶n3-a, n2-b]");
    warned(&named, &[missing], &host(true, &["203.0.113.1"]));
    let absent = "198.51.100.1 is no address of this host, which speaks NGAP there; add it before the daemon starts, or give \
                  one that `ip address` shows";
    for transport in ["auto", "kernel"] {
        let text = N2
            .replace("transport: auto", &format!("transport: {transport}"))
            .replace("192.0.2.1, 198.51.100.1", "192.0.2.1, ¶198.51.100.1");
        warned(&text, &[absent], &host(true, &["192.0.2.1", "198.51.100.254"]));
    }
}
