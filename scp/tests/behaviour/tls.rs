//! A3: TLS with clients and producers, certificates that are checked, and new ones without a connection lost.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use pinion_scp::tally::Event;
use pinion_scp::tls::{self, Clients, Pair};
use pinion_scp::{Prepared, Speech};
use rcgen::SanType;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::authority::Authority;
use crate::loaded::Load;
use crate::support::{Client, Does, Producer, SCP, get, run, settings};

pub(crate) fn roots(authority: &Authority) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    roots
}

pub(crate) fn client(authority: &Authority, pair: Option<Pair>) -> Arc<ClientConfig> {
    tls::client(roots(authority), pair).unwrap()
}

/// An SCP whose clients must show certificates, as producers must, and a producer.
async fn both_sides(authority: &Authority) -> (Prepared, Producer) {
    let address = SanType::IpAddress("127.0.0.1".parse().unwrap());
    let known = Clients::Known(Arc::new(roots(authority)));
    let server = tls::server(authority.sign(&[address]), known.clone()).unwrap();
    let producer =
        Producer::over(Some(server), |_| Does::Answers(Response::new(Bytes::from_static(b"secret")))).await;
    let server = tls::server(authority.dns(SCP), known).unwrap();
    (Prepared::new(settings(), Some(server), Some(client(authority, Some(authority.dns(SCP))))), producer)
}

#[tokio::test]
async fn a3_both_sides_are_tls_with_certificates_that_are_checked() {
    let authority = Authority::new();
    let (prepared, producer) = both_sides(&authority).await;
    let running = run(prepared, Speech::Tls).await;
    let root = format!("https://{}", producer.address);
    let ask = async |config| {
        let client = Client::secure(running.address, config).await.map_err(|error| error.to_string())?;
        let request = http::Request::get(format!("https://{SCP}/x")).header("3gpp-Sbi-Target-apiRoot", &root);
        client.try_ask(request.body("").unwrap()).await.map_err(|error| error.to_string())
    };
    let known = client(&authority, Some(authority.dns("amf.example")));
    assert_eq!(ask(known).await.unwrap().body, b"secret");
    assert!(ask(client(&authority, None)).await.is_err());
    let stranger = Authority::new();
    assert!(ask(client(&authority, Some(stranger.dns("amf.example")))).await.is_err());
    assert_eq!(producer.only().uri, format!("{root}/x"));
    assert_eq!(running.scp.tally().count(Event::ClientUntrusted), 2);
}

#[tokio::test]
async fn a3_a_producer_that_no_authority_knows_is_not_reached() {
    let authority = Authority::new();
    let stranger = Authority::new();
    let (mut prepared, producer) = both_sides(&authority).await;
    prepared.client = Some(client(&stranger, None));
    let running = run(prepared, Speech::Clear).await;
    let client = Client::connect(running.address).await;
    let request = get("/x").header("3gpp-Sbi-Target-apiRoot", format!("https://{}", producer.address));
    let answer = client.ask(request.body("").unwrap()).await;
    assert_eq!(answer.cause(), "TARGET_NF_NOT_REACHABLE");
    assert!(producer.seen().is_empty());
}

#[tokio::test]
async fn a3_new_certificates_meet_new_connections_and_end_no_old_one() {
    let authority = Authority::new();
    let (prepared, producer) = both_sides(&authority).await;
    let client_config = prepared.client.clone();
    let running = run(prepared, Speech::Tls).await;
    let ask = async |client: &Client| {
        let request = http::Request::get(format!("https://{SCP}/x"))
            .header("3gpp-Sbi-Target-apiRoot", format!("https://{}", producer.address));
        client.try_ask(request.body("").unwrap()).await.unwrap().status
    };
    let old =
        Client::secure(running.address, client(&authority, Some(authority.dns("amf.example")))).await.unwrap();
    assert_eq!(ask(&old).await, 200);
    let next = Authority::new();
    let server = tls::server(next.dns(SCP), Clients::Known(Arc::new(roots(&next)))).unwrap();
    running.scp.apply(Prepared::new(settings(), Some(server), client_config));
    assert_eq!(ask(&old).await, 200);
    assert!(Client::secure(running.address, client(&authority, Some(next.dns("amf.example")))).await.is_err());
    let new = Client::secure(running.address, client(&next, Some(next.dns("amf.example")))).await.unwrap();
    assert_eq!(ask(&new).await, 200);
    assert_eq!(ask(&old).await, 200);
}

#[test]
fn a3_the_nf_instance_of_a_certificate_is_read() {
    let instance = "urn:uuid:54804518-4191-46b3-955c-ac631f953ed8";
    let names = [SanType::DnsName("amf1.example".try_into().unwrap()), SanType::URI(instance.try_into().unwrap())];
    let pair = Authority::new().sign(&names);
    assert_eq!(tls::names(&pair.chain[0]), ["amf1.example", instance]);
}

/// As they do each few weeks, with a hundred requests under way and clients that come and go.
#[tokio::test]
async fn a3_certificates_that_change_under_load_cost_no_client_an_error() {
    let authority = Authority::new();
    let (prepared, producer) = both_sides(&authority).await;
    let running = run(prepared, Speech::Tls).await;
    let known = client(&authority, Some(authority.dns("amf.example")));
    let connect = async || Client::secure(running.address, Arc::clone(&known)).await.unwrap();
    let root = format!("https://{}", producer.address);
    let request = move || {
        let request = http::Request::post(format!("https://{SCP}/x")).header("3gpp-Sbi-Target-apiRoot", &root);
        request.body("{}").unwrap()
    };
    let mut old = Vec::new();
    for _ in 0..4 {
        old.push(connect().await.sender);
    }
    let load = Load::start(&old, 25, {
        let request = request.clone();
        move |_| request()
    });
    for _ in 0..20 {
        let server = tls::server(authority.dns(SCP), Clients::Known(Arc::new(roots(&authority)))).unwrap();
        let towards = client(&authority, Some(authority.dns(SCP)));
        running.scp.apply(Prepared::new(settings(), Some(server), Some(towards)));
        load.more(50).await;
        assert_eq!(connect().await.ask(request()).await.status, 200);
    }
    load.end().await;
}
