//! Mistakes, and the whole message for each.
//!
//! A case takes a good configuration and puts a mistake into it. `¶` marks each place that must be named, and is
//! taken out before the text is read: places are counted here, not by what is tested.

mod around;
mod endpoints;
pub(crate) mod gtpc;
pub(crate) mod ngap;
pub(crate) mod pfcp;
mod services;
mod values;
mod yaml;

use crate::mistakes_here;
use pinion::config::{Host, parse};

/// What is replaced, by what, and what is said of each `¶` in it.
pub(super) type Case = (&'static str, &'static str, &'static [&'static str]);

/// Pools, and services that share them; every other case begins here.
pub(super) const POOLED: &str = "\
interfaces: [n2-a, n2-b]
api: {unix: /run/pinion/api.sock}
metrics: 127.0.0.1:9090
store: memory
bounds: {flows: 200000}
pools:
  - name: amfs
    endpoints:
      - name: amf-1
        addresses: [10.0.0.11, 10.1.0.11]
        weight: 2
      - name: amf-2
        addresses: [10.0.0.12, 10.1.0.12]
    health: {kind: sctp}
    slow_start: 30s
    drain: 10m
  - name: upfs
    endpoints:
      - {name: upf-1, addresses: [10.2.0.21]}
services:
  - name: amf
    protocol: sctp
    port: 38412
    addresses: [192.0.2.1, 198.51.100.1]
    pool: amfs
    timeouts: {established: 15m}
  - name: upf
    protocol: gtpu
    addresses: [192.0.2.3]
    pool: upfs
    unknown: hash
  - name: dns
    protocol: udp
    port: 53
    addresses: ['2001:db8::53']
    endpoints:
      - {name: dns-1, addresses: ['2001:db8:1::1']}
";

/// `LINE:COLUMN` of each `¶`, from 1, and the text without them.
fn places(marked: &str) -> (Vec<String>, String) {
    let (mut places, mut text) = (Vec::new(), String::new());
    let (mut line, mut column) = (1, 1);
    for letter in marked.chars() {
        match letter {
            '¶' => places.push(format!("{line}:{column}")),
            '\n' => {
                text.push(letter);
                (line, column) = (line + 1, 1);
            }
            _ => {
                text.push(letter);
                column += 1;
            }
        }
    }
    (places, text)
}

/// Tries every case of a table: without its mistake nothing is wrong, and with it this and nothing else is.
fn each(good: &str, cases: &[Case], host: &Host) {
    assert_eq!(mistakes_here(good, host), [""; 0]);
    let mut unlike = Vec::new();
    for (from, to, messages) in cases {
        assert_eq!(good.matches(from).count(), 1, "{from:?} must be once in what it is replaced in");
        let (places, text) = places(&good.replace(from, to));
        assert_eq!(places.len(), messages.len(), "a place for each message: {to:?}");
        let expected: Vec<_> =
            places.iter().zip(*messages).map(|(place, what)| format!("{place}: {what}")).collect();
        let found = mistakes_here(&text, host);
        if found != expected {
            unlike.push(format!("{to:?}\n  expected {expected:#?}\n  found {found:#?}"));
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}

/// Nothing is wrong, and of each `¶` one thing is said.
fn warned(marked: &str, messages: &[&str], host: &Host) {
    let (places, text) = places(marked);
    assert_eq!(places.len(), messages.len(), "a place for each message: {marked:?}");
    let expected: Vec<_> = places.iter().zip(messages).map(|(place, what)| format!("{place}: {what}")).collect();
    let warnings = parse(text.as_bytes(), host).unwrap().warnings;
    assert_eq!(warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
}

/// Texts that are wrong as a whole.
fn whole(cases: &[(&str, &[&str])]) {
    for (marked, messages) in cases {
        let (places, text) = places(marked);
        let expected: Vec<_> =
            places.iter().zip(*messages).map(|(place, what)| format!("{place}: {what}")).collect();
        assert_eq!(mistakes_here(&text, &Host::default()), expected, "{marked:?}");
    }
}

#[test]
fn there_are_enough_of_them() {
    let tables = [
        yaml::CASES.len(),
        values::CASES.len(),
        services::CASES.len(),
        endpoints::CASES.len(),
        around::CASES.len(),
        pfcp::CASES.len(),
        gtpc::CASES.len(),
        ngap::CASES.len(),
    ];
    assert!(tables.iter().sum::<usize>() >= 60, "{tables:?}");
}

/// Many at once, of every kind, in the order of the file.
#[test]
fn all_are_said_at_once() {
    let wrong = "\
interfaces: [n2-a, ¶n2-a]
¶metric: 127.0.0.1:9090
store: {¶wait: 1, url: 'redis://192.0.2.10'}
pools:
  - name: amfs
    endpoints:
      - name: amf-1
        addresses: [¶10.0.0.256, ¶224.0.0.1]
        ¶wieght: 3
      - ¶addresses: [10.0.0.12, 10.1.0.12]
        port: ¶70000
    health: {kind: sctp, rise: ¶0}
    drain: ¶10
services:
  - name: amf
    protocol: ¶sctpp
    addresses: ¶[192.0.2.1]
    pool: ¶amf
  - ¶just-a-word
";
    let wrong =
        wrong.replace("{¶wait: 1", "{wait: ¶1").replace("addresses: ¶[192.0.2.1]", "addresses: [192.0.2.1]");
    let (places, text) = places(&wrong);
    let messages = [
        "interface n2-a is already at line 1; leave one of them out",
        "unknown key `metric`; did you mean `metrics`? a configuration has interfaces, api, metrics, store, bounds, \
         on_exit, pools, services and sbi",
        "1 is no yes or no; give true or false",
        "10.0.0.256 is no IP address; give one, such as 192.0.2.1 or 2001:db8::1",
        "224.0.0.1 is a multicast address; give one that one host answers to",
        "unknown key `wieght`; did you mean `weight`? an endpoint has name, addresses, port, weight, \
         priority and pfcp",
        "an endpoint without `name`; give up to 64 letters, digits, dots, dashes or underscores",
        "70000 is no port; give a number from 1 to 65535",
        "0 is no count of probes in a row; give a number from 1 to 255",
        "10 is no duration; give a number and its unit, such as 500ms, 10s, 5m or 2h",
        "sctpp is no protocol; give udp, tcp, sctp, gtpu, pfcp, gtpv2-c or ngap",
        "there is no pool amf; did you mean amfs?",
        "just-a-word is no service; give a mapping with name, protocol, port, addresses, pool, endpoints, health, \
         slow_start, drain, algorithm, unknown, aware, all_down, timeouts, tunnels, breakout, pfcp, gtpc and ngap",
    ];
    let expected: Vec<_> = places.iter().zip(messages).map(|(place, what)| format!("{place}: {what}")).collect();
    assert_eq!(places.len(), messages.len());
    assert_eq!(mistakes_here(&text, &Host::default()), expected);
}

/// What is odd and works.
#[test]
fn warnings_are_no_mistakes() {
    let host = Host { interfaces: vec!["lo".into(), "n2-a".into(), "n2-c".into()], ..Host::default() };
    let marked = POOLED.replace("[n2-a, n2-b]", "[n2-a, {name: ¶n3x}, ¶n2-d]").replace(
        "  - name: upfs",
        "  - name: ¶spare\n    endpoints: ¶[{name: s, addresses: [10.9.0.1], weight: 0}]\n  - name: upfs",
    );
    let messages = [
        "this host has no interface n3x; make it before the daemon starts, or name one of lo, n2-a and n2-c",
        "this host has no interface n2-d; did you mean n2-a?",
        "no service uses pool spare; name it in a service, or leave it out",
        "no endpoint of spare gets new sessions; give one a weight above 0",
    ];
    warned(&marked, &messages, &host);
}
