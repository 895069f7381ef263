//! Mistakes, and the whole message for each.

use super::mistakes;

const GOOD: &str = "\
services:
  - name: amf
    protocol: sctp
    port: 38412
    addresses: [192.0.2.1, '2001:db8::1']
    unknown: punt
    endpoints:
      - name: amf-1
        addresses: [10.0.0.11, '2001:db8::11']
        weight: 3
      - name: amf-2
        addresses: [10.0.0.12, '2001:db8::12']
        port: 38413
  - name: upf
    protocol: gtpu
    addresses: [192.0.2.3]
    endpoints:
      - name: upf-1
        addresses: [10.0.0.21]
";

#[test]
fn contradictions_are_refused_all_at_once() {
    let wrong = GOOD
        .replace("amf-2", "amf-1")
        .replace("[10.0.0.11, '2001:db8::11']", "[10.0.0.11]")
        .replace("[10.0.0.12, '2001:db8::12']", "['2001:db8::12', 10.0.0.12]")
        .replace("addresses: [10.0.0.21]", "addresses: [224.0.0.1]\n        port: 2153")
        .replace("weight: 3", "wieght: 3");
    assert_eq!(
        mistakes(&wrong),
        [
            "9:20: 1 address where the service has 2 paths; give one for each path",
            "10:9: unknown key `wieght`; did you mean `weight`? an endpoint has name, addresses, port, weight and priority",
            "11:15: endpoint amf-1 is already there; give each endpoint of a service its own name",
            "12:21: 2001:db8::12 on path 0, where the service has 192.0.2.1; give an IPv4 address",
            "12:37: 10.0.0.12 on path 1, where the service has 2001:db8::1; give an IPv6 address",
            "19:21: 224.0.0.1 is a multicast address; give one that one host answers to",
            "20:15: GTP-U is received at port 2152 (TS 29.281 4.4.2.3); leave the port out",
        ]
    );
}
