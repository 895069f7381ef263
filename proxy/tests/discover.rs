//! Endpoints by DNS, asked of a server in this process.
#![cfg(test)]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::proto::rr::rdata::{NAPTR, SRV};
use hickory_resolver::proto::rr::{RData, Record};
use pinion::discover::{DiscoverError, Discoverer, Found};

#[path = "shared/dns.rs"]
mod dns;

use dns::{address, name, record, server};

/// The name of an AMF set (TS 23.003 28.3.2.7), and those of two of its AMFs (28.3.2.5).
const SET: &str = "set001.region48.amfset.5gc.mnc001.mcc001.3gppnetwork.org";
const FIRST: &str = "pt01.set001.region48.amf.5gc.mnc001.mcc001.3gppnetwork.org";
const SECOND: &str = "pt02.set001.region48.amf.5gc.mnc001.mcc001.3gppnetwork.org";

fn pointer(flags: &str, services: &str, to: &str) -> Record {
    let bytes = |text: &str| text.as_bytes().into();
    record(SET, 300, RData::NAPTR(NAPTR::new(10, 50, bytes(flags), bytes(services), bytes(""), name(to))))
}

fn service(of: &str, to: &str) -> Record {
    record(of, 300, RData::SRV(SRV::new(0, 0, 38412, name(to))))
}

fn endpoints(all: &[(&str, &[&str])]) -> BTreeMap<String, Vec<IpAddr>> {
    let parsed = |addresses: &[&str]| addresses.iter().map(|it| it.parse().unwrap()).collect();
    all.iter().map(|(name, addresses)| ((*name).to_owned(), parsed(addresses))).collect()
}

#[tokio::test]
async fn each_address_of_a_name_is_an_endpoint_for_as_long_as_it_says() {
    let of = "amf.example.org";
    let (at, zone) = server(vec![address(of, 20, "192.0.2.21"), address(of, 30, "2001:db8::21")]).await;
    let discoverer = Discoverer::new(&[at]).unwrap();
    let both = endpoints(&[("192.0.2.21", &["192.0.2.21"]), ("2001:db8::21", &["2001:db8::21"])]);
    let expected = Found { endpoints: both, valid: Duration::from_secs(20) };
    assert_eq!(discoverer.look(of).await.unwrap(), expected);
    // Nothing is remembered: who asks knows for how long an answer holds.
    *zone.lock().unwrap() = vec![address(of, 0, "192.0.2.22")];
    let other = endpoints(&[("192.0.2.22", &["192.0.2.22"])]);
    let expected = Found { endpoints: other, valid: Duration::from_secs(1) };
    assert_eq!(discoverer.look(of).await.unwrap(), expected);
}

#[tokio::test]
async fn the_amfs_of_a_set_are_those_on_n2() {
    let records = vec![
        pointer("a", "x-3gpp-amf:x-n2", FIRST),
        pointer("S", "X-3GPP-AMF:x-n26:x-n2", "_n2._sctp.example.org"),
        pointer("a", "x-3gpp-amf:x-n26", "n26.example.org"),
        pointer("a", "x-3gpp-smf:x-n2", "smf.example.org"),
        service("_n2._sctp.example.org", SECOND),
        address(FIRST, 60, "192.0.2.21"),
        address(FIRST, 60, "198.51.100.21"),
        address(SECOND, 90, "192.0.2.22"),
    ];
    let (at, _) = server(records).await;
    let found = Discoverer::new(&[at]).unwrap().look(SET).await.unwrap();
    assert_eq!(
        found.endpoints,
        endpoints(&[(FIRST, &["192.0.2.21", "198.51.100.21"]), (SECOND, &["192.0.2.22"])])
    );
    assert_eq!(found.valid, Duration::from_secs(60));
}

#[tokio::test]
async fn services_name_hosts() {
    let of = "_n2._sctp.example.org";
    let records = vec![service(of, "AMF1.example.org"), address("amf1.example.org", 7200, "192.0.2.21")];
    let (at, _) = server(records).await;
    let found = Discoverer::new(&[at]).unwrap().look(of).await.unwrap();
    assert_eq!(found.endpoints, endpoints(&[("amf1.example.org", &["192.0.2.21"])]));
    assert_eq!(found.valid, Duration::from_secs(300));
}

#[tokio::test]
async fn a_name_that_stands_for_nobody() {
    let (at, _) = server(vec![pointer("a", "x-3gpp-smf:x-n11", "smf.example.org")]).await;
    let discoverer = Discoverer::new(&[at]).unwrap();
    for of in ["nobody.example.org", SET, "_n2._sctp.example.org"] {
        let error = discoverer.look(of).await.unwrap_err();
        assert!(matches!(error, DiscoverError::Asked { .. } | DiscoverError::Nobody { .. }), "{of}: {error}");
        assert!(error.to_string().contains(of), "{error}");
    }
}
