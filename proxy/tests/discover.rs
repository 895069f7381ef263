//! Endpoints by DNS, asked of a server in this process.
#![cfg(test)]

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record};
use pinion::discover::{DiscoverError, Discoverer, Found};
use tokio::net::UdpSocket;

/// The name of an AMF set (TS 23.003 28.3.2.7), and those of two of its AMFs (28.3.2.5).
const SET: &str = "set001.region48.amfset.5gc.mnc001.mcc001.3gppnetwork.org";
const FIRST: &str = "pt01.set001.region48.amf.5gc.mnc001.mcc001.3gppnetwork.org";
const SECOND: &str = "pt02.set001.region48.amf.5gc.mnc001.mcc001.3gppnetwork.org";

type Zone = Arc<Mutex<Vec<Record>>>;

/// A server of these records; a name that has none does not exist.
async fn server(records: Vec<Record>) -> (SocketAddr, Zone) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (address, zone) = (socket.local_addr().unwrap(), Arc::new(Mutex::new(records)));
    let known = Arc::clone(&zone);
    tokio::spawn(async move {
        let mut room = [0; 4096];
        loop {
            let (length, from) = socket.recv_from(&mut room).await.unwrap();
            let asked = Message::from_vec(&room[..length]).unwrap();
            let query = asked.queries[0].clone();
            let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
            answer.metadata.recursion_available = true;
            let of_name: Vec<Record> =
                known.lock().unwrap().iter().filter(|it| it.name == query.name).cloned().collect();
            if of_name.is_empty() {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            for record in of_name.into_iter().filter(|it| it.record_type() == query.query_type) {
                answer.add_answer(record);
            }
            answer.add_query(query);
            socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
        }
    });
    (address, zone)
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{text}.")).unwrap()
}

fn record(of: &str, ttl: u32, data: RData) -> Record {
    Record::from_rdata(name(of), ttl, data)
}

fn address(of: &str, ttl: u32, address: &str) -> Record {
    match address.parse().unwrap() {
        IpAddr::V4(v4) => record(of, ttl, RData::A(A(v4))),
        IpAddr::V6(v6) => record(of, ttl, RData::AAAA(AAAA(v6))),
    }
}

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
