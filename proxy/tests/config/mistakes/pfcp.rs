//! PFCP services and the UPFs behind them.

use super::{Case, each, warned};
use pinion::config::{Host, parse};

/// Two UPFs, and the gtpu service that stands for their tunnel addresses.
pub(crate) const N4: &str = "\
pools:
  - name: upfs
    endpoints:
      - name: upf-1
        addresses: [198.51.100.11]
        pfcp: {dnns: [internet, ims], slices: ['1', '1-0000ab'], ue_addresses: [10.45.0.0/17, '2001:db8:1::/48']}
      - name: upf-2
        addresses: [198.51.100.12]
        pfcp: {network_instances: [core], ue_addresses: [10.45.128.0/17]}
  - name: upfs-n3
    endpoints:
      - {name: upf-1, addresses: [203.0.113.11]}
      - {name: upf-2, addresses: [203.0.113.12]}
services:
  - name: n3
    protocol: gtpu
    addresses: [192.0.2.20]
    pool: upfs-n3
  - name: n4
    protocol: pfcp
    addresses: [192.0.2.10]
    pool: upfs
    pfcp: {user_plane: [n3], ue_addresses: pools}
  - name: dns
    protocol: udp
    port: 53
    addresses: [192.0.2.30]
    endpoints:
      - {name: dns-1, addresses: [203.0.113.53]}
";

const UNATTRACTED: &str = "\
2 UPFs, and nothing says how packets to a user reach the one of its session; give `ue_addresses: upf` where UPFs \
allocate users' addresses, pools where SMFs do from pools of each UPF, or n6 where N6 passes through Pinion or host \
routes are announced";

pub(super) const CASES: &[Case] = &[
    (
        "{user_plane: [n3], ue_addresses: pools}",
        "{user_plane: [n3], ue_addresses: pools, breakouts: [{network_instance: mec, pool: ¶upfs, endpoint: upf-1}, \
         {network_instance: ¶MEC, pool: upfs-n3, endpoint: ¶upf-3}]}",
        &[
            "packets of the user plane do not go to pool upfs; name it as the `breakout` of one of the gtpu services in \
             `user_plane`, or give the pool of one of them",
            "network instance MEC breaks out at line 23 already; say it once",
            "pool upfs-n3 has no endpoint upf-3; give one that it has",
        ],
    ),
    (
        "    port: 53\n",
        "    port: 53\n    pfcp: ¶{}\n",
        &["`pfcp` is for services of protocol pfcp, and this is udp; leave it out"],
    ),
    (
        "[203.0.113.53]",
        "[203.0.113.53], pfcp: ¶{dnns: [ims]}",
        &["`pfcp` is for UPFs behind a pfcp service, and dns is behind none; leave it out"],
    ),
    (
        "{user_plane: [n3], ue_addresses: pools}",
        "{¶mod: terminate, mode: ¶redirekt, user_plane: [n3], ue_addresses: ¶smf}",
        &[
            "unknown key `mod`; did you mean `mode`? pfcp has mode, user_plane, breakouts, ue_addresses, restore, smf_teids, \
             heartbeat, t1, n1, sessions and smfs",
            "redirekt is no mode of a pfcp service; give terminate or redirect",
            "smf is no way of users' addresses to UPFs; give upf, pools or n6",
        ],
    ),
    (
        "{network_instances: [core], ue_addresses: [10.45.128.0/17]}",
        "{¶network_instance: [core], ue_addresses: [10.45.128.0/17]}",
        &[
            "unknown key `network_instance`; did you mean `network_instances`? an endpoint's pfcp has dnns, slices, \
             network_instances and ue_addresses",
        ],
    ),
    // Who is behind what.
    ("user_plane: [n3]", "user_plane: [¶n33]", &["there is no service n33; did you mean n3?"]),
    (
        "user_plane: [n3]",
        "user_plane: [¶tunnels]",
        &["there is no service tunnels; add it, or name one that is gtpu, such as n3"],
    ),
    (
        "user_plane: [n3]",
        "user_plane: [n3, ¶dns, ¶n4]",
        &[
            "service dns is udp; name one that is gtpu, such as n3",
            "service n4 is pfcp; name one that is gtpu, such as n3",
        ],
    ),
    (
        "user_plane: [n3]",
        "user_plane: [n3, ¶n3]",
        &["gtpu service n3 is already a user plane at line 23; give each to one pfcp service, once"],
    ),
    (
        "  - name: dns\n",
        "  - {name: n4-b, protocol: pfcp, addresses: [192.0.2.11], pool: upfs, pfcp: {ue_addresses: n6, user_plane: [¶n3]}}\n  - name: dns\n",
        &["gtpu service n3 is already a user plane at line 23; give each to one pfcp service, once"],
    ),
    (
        "      - name: upf-2\n",
        "      - name: ¶upf-3\n",
        &[
            "UPF upf-3 is not behind n3, so that gNBs cannot reach it; add an endpoint of that name, with the UPF's N3 \
             address, to upfs-n3",
        ],
    ),
    // Where a user's packets go.
    ("{user_plane: [n3], ue_addresses: pools}", "¶{user_plane: [n3]}", &[UNATTRACTED]),
    (
        "protocol: pfcp\n    addresses: [192.0.2.10]\n    pool: upfs\n    pfcp: {user_plane: [n3], ue_addresses: pools}",
        "protocol: ¶pfcp\n    addresses: [192.0.2.10]\n    pool: upfs",
        &[UNATTRACTED],
    ),
    (
        "name: upf-2\n        addresses: [198.51.100.12]\n        pfcp: {network_instances: [core], ue_addresses: [10.45.128.0/17]}",
        "name: ¶upf-2\n        addresses: [198.51.100.12]\n        pfcp: {network_instances: [core]}",
        &[
            "UPF upf-2 has no `ue_addresses`, and sessions are placed by them; give it `pfcp: {ue_addresses: [...]}` \
             with the prefixes that SMFs allocate from for it",
        ],
    ),
    (
        "ue_addresses: [10.45.128.0/17]",
        "ue_addresses: [10.46.0.0/16, ¶10.45.64.0/18, ¶'2001:db8:1:8000::/49']",
        &[
            "10.45.64.0/18 overlaps with 10.45.0.0/17 of UPF upf-1; give each UPF of a priority prefixes of its own",
            "2001:db8:1:8000::/49 overlaps with 2001:db8:1::/48 of UPF upf-1; give each UPF of a priority prefixes of \
             its own",
        ],
    ),
    (
        "{network_instances: [core], ue_addresses: [10.45.128.0/17]}",
        "{ue_addresses: [10.44.0.0/16, 10.46.0.0/16, ¶10.45.0.0/17, 10.47.0.0/24, 10.47.0.0/16]}",
        &["10.45.0.0/17 overlaps with 10.45.0.0/17 of UPF upf-1; give each UPF of a priority prefixes of its own"],
    ),
    (
        "ue_addresses: pools",
        "ue_addresses: upf, restore: ¶true",
        &[
            "`restore` where a lost UPF's users have addresses of its own; give `ue_addresses: pools` or n6, or leave it out",
        ],
    ),
    // What does not go with messages that pass by.
    (
        "    pool: upfs\n    pfcp: {user_plane: [n3], ue_addresses: pools}",
        "    pool: upfs\n    algorithm: ¶least_sessions\n    pfcp: {mode: redirect, user_plane: ¶[n3], ue_addresses: pools, restore: ¶true, smf_teids: ¶true}",
        &[
            "least_sessions in mode redirect, where sessions end without Pinion; give maglev, round_robin or weighted",
            "`user_plane` in mode redirect, where gNBs are told the UPFs' own tunnels; leave it out, or give `mode: \
             terminate`",
            "`restore` in mode redirect, where Pinion does not know what a session has become; leave it out, or give \
             `mode: terminate`",
            "`smf_teids` in mode redirect, where TEIDs are between SMF and UPF; leave it out, or give `mode: terminate`",
        ],
    ),
    // Where it is spoken.
    (
        "[192.0.2.10]",
        "¶[192.0.2.10, 192.0.2.11]",
        &["2 addresses, and PFCP is spoken at one; give one that this host has"],
    ),
    ("[192.0.2.10]", "¶[]", &["0 addresses, and PFCP is spoken at one; give one that this host has"]),
    (
        "protocol: pfcp\n",
        "protocol: pfcp\n    port: ¶8806\n",
        &["PFCP is received at port 8805 (TS 29.244 4.2.2); leave the port out"],
    ),
    (
        "addresses: [198.51.100.12]\n",
        "addresses: [198.51.100.12]\n        port: ¶8806\n",
        &["PFCP is received at port 8805 (TS 29.244 4.2.2); leave the port out"],
    ),
    (
        "port: 53\n    addresses: [192.0.2.30]",
        "port: 8805\n    addresses: [¶192.0.2.10]",
        &["192.0.2.10 port 8805 is already service n4's; give each service its own address or port"],
    ),
    (
        "addresses: [198.51.100.12]\n",
        "addresses: [¶192.0.2.10]\n",
        &["192.0.2.10 is an address of service n4; give the endpoint's own"],
    ),
    (
        "addresses: [198.51.100.12]\n",
        "addresses: ¶[198.51.100.12, 198.51.100.13]\n",
        &["2 addresses where endpoint upf-1 has 1 path; give one for each path"],
    ),
    // What is of packets that are steered.
    (
        "    pool: upfs\n",
        "    pool: upfs\n    algorithm: ¶source_affinity\n    unknown: ¶drop\n    all_down: ¶reject\n    timeouts: ¶{}\n    tunnels: ¶[]\n",
        &[
            "source_affinity would give an SMF one UPF for all its sessions; give maglev, round_robin, weighted or \
             least_sessions",
            "`unknown` is for packets that are steered, and PFCP ends at Pinion; leave it out",
            "`all_down` is for packets that are steered, and PFCP ends at Pinion; leave it out",
            "`timeouts` is for packets that are steered, and PFCP ends at Pinion; leave it out",
            "no pfcp service has tunnels; leave `tunnels` out",
        ],
    ),
    // Numbers and names.
    (
        "ue_addresses: pools}",
        "ue_addresses: pools, heartbeat: ¶99ms, t1: ¶61s, n1: ¶0, sessions: ¶0, smfs: ¶65536}",
        &[
            "`heartbeat` of 99ms is out of range; give 100ms to 1h",
            "`t1` of 61s is out of range; give 100ms to 1m",
            "0 is no number of tries; give a number from 1 to 20",
            "0 is no number of sessions; give a number from 1 to 16777216",
            "65536 is no number of SMFs; give a number from 1 to 65535",
        ],
    ),
    (
        "ue_addresses: pools}",
        "ue_addresses: pools, heartbeat: ¶2h, t1: ¶3, n1: ¶21, sessions: ¶16777217, restore: ¶yes}",
        &[
            "`heartbeat` of 2h is out of range; give 100ms to 1h",
            "3 is no duration; give a number and its unit, such as 500ms, 10s, 5m or 2h",
            "21 is no number of tries; give a number from 1 to 20",
            "16777217 is no number of sessions; give a number from 1 to 16777216",
            "yes is no yes or no; give true or false",
        ],
    ),
    (
        "dnns: [internet, ims], slices: ['1', '1-0000ab']",
        "dnns: [¶'inter net', ¶a..b], slices: [¶1, ¶'256', ¶'1-ab']",
        &[
            "inter net is no data network name; give letters, digits and dashes, with dots between labels, such as internet",
            "a..b is no data network name; give letters, digits and dashes, with dots between labels, such as internet",
            "1 is no slice; give a type from 0 to 255, or a type and six hex digits, in quotes, such as '1' or '1-0000ab'",
            "256 is no slice; give a type from 0 to 255, or a type and six hex digits, in quotes, such as '1' or '1-0000ab'",
            "1-ab is no slice; give a type from 0 to 255, or a type and six hex digits, in quotes, such as '1' or '1-0000ab'",
        ],
    ),
    (
        "{network_instances: [core], ue_addresses: [10.45.128.0/17]}",
        "¶all",
        &["all is no endpoint's pfcp; give a mapping with dnns, slices, network_instances and ue_addresses"],
    ),
    (
        "{user_plane: [n3], ue_addresses: pools}",
        "¶terminate",
        &[
            "terminate is no pfcp; give a mapping with mode, user_plane, breakouts, ue_addresses, restore, smf_teids, heartbeat, \
             t1, n1, sessions and smfs",
        ],
    ),
    (
        "dnns: [internet, ims], slices: ['1', '1-0000ab'], ue_addresses: [10.45.0.0/17, '2001:db8:1::/48']",
        "dnns: ¶[], slices: ¶[], network_instances: ¶[], ue_addresses: ¶[]",
        &[
            "no dnns; give those that the UPF takes, or leave `dnns` out to take all",
            "no slices; give those that the UPF takes, or leave `slices` out to take all",
            "no network_instances; give those that the UPF takes, or leave `network_instances` out to take all",
            "no ue_addresses; give those that the UPF takes, or leave `ue_addresses` out to take all",
        ],
    ),
    (
        "{network_instances: [core], ue_addresses: [10.45.128.0/17]}",
        "{network_instances: [¶'the core'], ue_addresses: [¶10.45.128.0/16, ¶10.45.128.1, 10.46.0.0/16]}",
        &[
            "the core is no network instance; give up to 100 printable characters without blanks, such as access",
            "10.45.128.0/16 is no prefix of users' addresses; give an address and a length with no bit set beyond it, \
             such as 10.45.0.0/16 or 2001:db8:1::/48",
            "10.45.128.1 is no prefix of users' addresses; give an address and a length with no bit set beyond it, \
             such as 10.45.0.0/16 or 2001:db8:1::/48",
        ],
    ),
];

#[test]
fn pfcp_services_and_the_upfs_behind_them() {
    each(N4, CASES, &Host::default());
}

/// One UPF attracts all users' packets; and nobody takes its sessions over.
#[test]
fn one_upf_needs_no_word_of_users_addresses() {
    let one = "\
services:
  - {name: n4, protocol: pfcp, addresses: [192.0.2.10], endpoints: [{name: upf-1, addresses: [198.51.100.11]}], pfcp: {}}
";
    const RESTORE: &[&str] =
        &["`restore` without `ue_addresses`; give `ue_addresses: pools` or n6, or leave it out"];
    each(one, &[("pfcp: {}", "pfcp: {restore: ¶true}", RESTORE)], &Host::default());
}

/// The daemon itself speaks PFCP: at an address of this host, and to UPFs wherever they are.
#[test]
fn pfcp_is_spoken_at_an_address_of_this_host() {
    let host = Host { addresses: vec![[192, 0, 2, 10].into(), [198, 51, 100, 11].into()], ..Host::default() };
    warned(N4, &[], &host);
    warned(
        &N4.replace("[192.0.2.10]", "[¶192.0.2.9]"),
        &[
            "192.0.2.9 is no address of this host, which speaks PFCP there; add it before the daemon starts, or give one \
           that `ip address` shows",
        ],
        &host,
    );
    let case = (
        "[203.0.113.53]",
        "[¶192.0.2.10]",
        &["192.0.2.10 is an address of service n4; give the endpoint's own"][..],
    );
    each(N4, &[case], &host);
}

#[test]
fn what_is_odd_around_pfcp_is_said() {
    let host = Host::default();
    let other = N4.replace(
        "      - {name: upf-2, ",
        "      - {name: ¶upf-9, addresses: [203.0.113.19]}\n      - {name: upf-2, ",
    );
    let messages = [
        "endpoint upf-9 of upfs-n3 is no UPF of upfs, so that it gets no sessions; add it there, or leave it out",
    ];
    warned(&other, &messages, &host);
    let many = N4.replace("ue_addresses: pools", "ue_addresses: pools, sessions: ¶200001");
    let messages =
        ["200001 sessions, of a tunnel each at the least, where table `pins` holds 200000 entries; raise it by \
                     `bounds: {pins: 200001}` or more, or give 200000 at the most"];
    warned(&many, &messages, &host);
    warned(&many.replace("¶", "").replace("user_plane: [n3], ", ""), &[], &host);
    // A spare has the prefix of the first, and of the second it has not.
    let spare = "      - {name: upf-3, addresses: [198.51.100.13], priority: 1, pfcp: {ue_addresses: [10.45.0.0/17, '2001:db8::/32']}}\n";
    let spare = N4
        .replace("  - name: upfs-n3", &format!("{spare}  - name: upfs-n3"))
        .replace("user_plane: [n3], ue_addresses: pools", "ue_addresses: pools, restore: ¶true")
        .replace("[10.45.128.0/17]", "[¶10.45.128.0/17]")
        .replace("'2001:db8::/32'", "¶'2001:db8::/32'");
    let messages = ["10.45.128.0/17", "2001:db8::/32"].iter().zip(["upf-2", "upf-3"]).map(|(prefix, name)| {
        format!(
            "no UPF but {name} has {prefix}, so that its sessions are restored nowhere; give the prefix to one of \
             another priority besides"
        )
    });
    let tunnels = "`restore` without `user_plane`: gNBs keep the tunnels of the UPF that is lost, and go on sending to it; \
                   name the gtpu service that stands for the UPFs";
    let messages: Vec<_> = messages.chain([tunnels.to_owned()]).collect();
    warned(&spare, &messages.iter().map(String::as_str).collect::<Vec<_>>(), &host);
}

/// PFCP takes no place in tables that are of the packet path.
#[test]
fn pfcp_is_not_in_the_packet_path() {
    let text = |services: u32, targets: u32| format!("bounds: {{services: {services}, targets: {targets}}}\n{N4}");
    // Without n4: two addresses of services, three of endpoints.
    assert!(parse(text(8, 5).as_bytes(), &Host::default()).is_ok());
    assert!(parse(text(7, 5).as_bytes(), &Host::default()).is_err());
    assert!(parse(text(8, 4).as_bytes(), &Host::default()).is_err());
}
