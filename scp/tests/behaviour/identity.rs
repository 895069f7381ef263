//! A3, A1: whose certificate it is, and whose token.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use pinion_scp::settings::{Matching, Settings};
use pinion_scp::tls::{self, Clients, Pair};
use pinion_scp::{Prepared, Speech};
use rcgen::SanType;

use crate::authority::Authority;
use crate::nrf::{Nrf, ONE, TWO, one_before_two};
use crate::support::{Answer, Client, Does, Producer, Running, SCP, get, run};
use crate::tls::{client, roots};

const AMF: &str = "54804518-4191-46b3-955c-ac631f953ea1";
const SMF: &str = "54804518-4191-46b3-955c-ac631f953ea2";

/// A certificate of an NF instance at 127.0.0.1 (TS 33.310 6.1.3c).
fn of(authority: &Authority, instance: &str) -> Pair {
    let urn = format!("urn:uuid:{instance}");
    authority.sign(&[
        SanType::IpAddress("127.0.0.1".parse().unwrap()),
        SanType::DnsName("nf.example".try_into().unwrap()),
        SanType::URI(urn.try_into().unwrap()),
    ])
}

/// A producer with a certificate.
async fn producer(authority: &Authority, pair: Pair) -> Producer {
    let server = tls::server(pair, Clients::Known(Arc::new(roots(authority)))).unwrap();
    Producer::over(Some(server), |_| Does::Answers(Response::new(Bytes::new()))).await
}

/// An SCP whose clients must show certificates.
async fn scp(authority: &Authority, settings: Settings) -> Running {
    let server = tls::server(authority.dns(SCP), Clients::Known(Arc::new(roots(authority)))).unwrap();
    let own = client(authority, Some(authority.dns(SCP)));
    run(Prepared::new(settings, Some(server), Some(own)), Speech::Tls).await
}

/// Two UDMs at which nudm-sdm is served over TLS, the first to be chosen before the second.
async fn udms(one: &Producer, two: &Producer) -> Nrf {
    Nrf::with(one_before_two(one, two).into()).await
}

/// A request of model D of a consumer that says who it is.
fn says(consumer: &str) -> http::request::Builder {
    Request::get(format!("https://{SCP}/nudm-sdm/v2/x"))
        .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
        .header("3gpp-Sbi-Discovery-requester-nf-type", "AMF")
        .header("3gpp-Sbi-Discovery-requester-nf-instance-id", consumer)
}

/// What a consumer with a certificate is answered.
async fn asks(running: &Running, authority: &Authority, pair: Pair, request: http::request::Builder) -> Answer {
    let client = Client::secure(running.address, client(authority, Some(pair))).await.unwrap();
    client.ask(request.body("").unwrap()).await
}

fn outcome(answer: &Answer) -> (u16, String) {
    let cause = if answer.status == 200 { String::new() } else { answer.cause() };
    (answer.status.as_u16(), cause)
}

fn refused(cause: &str) -> (u16, String) {
    (403, cause.to_owned())
}

#[tokio::test]
async fn a3_a_client_is_whom_its_certificate_names() {
    let authority = Authority::new();
    let udm = producer(&authority, of(&authority, ONE)).await;
    let nrf = udms(&udm, &udm).await;
    let mut settings = nrf.settings();
    settings.identities.relays = vec!["scp2.example".to_owned()];
    let passed = (200, String::new());
    let mismatch = refused("NF_INSTANCE_MISMATCH");
    let plain = || authority.dns("amf.example");
    // What the policy is, whose certificate is shown, who it says it is, what comes of it.
    for (clients, pair, request, expected) in [
        (Matching::Off, of(&authority, AMF), says(SMF), &passed),
        (Matching::Told, of(&authority, AMF), says(AMF), &passed),
        (Matching::Told, of(&authority, AMF), says(SMF), &mismatch),
        (Matching::Told, plain(), says(AMF), &mismatch),
        (Matching::Told, plain(), says(""), &mismatch),
        (Matching::Required, of(&authority, AMF), says(AMF), &passed),
        (Matching::Required, plain(), says(AMF), &mismatch),
        (Matching::Required, authority.dns("scp2.example"), says(AMF), &passed),
    ] {
        let before = udm.seen().len();
        settings.identities.clients = clients;
        let running = scp(&authority, settings.clone()).await;
        let answer = asks(&running, &authority, pair, request).await;
        assert_eq!(outcome(&answer), *expected, "{clients:?}");
        assert_eq!(udm.seen().len() - before, usize::from(expected == &passed));
    }
}

/// The header that is not borne out is named, and client credentials have a cause of their own (TS 29.500 table 5.2.7.2-1).
#[tokio::test]
async fn a3_the_header_that_is_not_borne_out_is_named() {
    let authority = Authority::new();
    let udm = producer(&authority, of(&authority, ONE)).await;
    let mut settings = udms(&udm, &udm).await.settings();
    settings.identities.clients = Matching::Told;
    let running = scp(&authority, settings).await;
    // {"alg":"none"} and {"sub": SMF}.
    let credentials = "eyJhbGciOiJub25lIn0.eyJzdWIiOiI1NDgwNDUxOC00MTkxLTQ2YjMtOTU1Yy1hYzYzMWY5NTNlYTIifQ.AA";
    for (name, value, cause) in [
        ("3gpp-Sbi-Client-Credentials", credentials.to_owned(), "CCA_VERIFICATION_FAILURE"),
        ("3gpp-Sbi-NF-Peer-Info", format!("srcinst={SMF}"), "NF_INSTANCE_MISMATCH"),
        ("User-Agent", format!("SMF-{SMF} smf.example"), "NF_INSTANCE_MISMATCH"),
    ] {
        let answer = asks(&running, &authority, of(&authority, AMF), says(AMF).header(name, value)).await;
        assert_eq!(outcome(&answer), refused(cause), "{name}");
        let about = answer.problem("invalidParams")[0]["param"].as_str().unwrap().to_owned();
        assert!(about.eq_ignore_ascii_case(&format!("header {name}")), "{about}");
    }
    assert!(udm.seen().is_empty());
}

#[tokio::test]
async fn a3_without_tls_nobody_is_who_it_says() {
    let udm = Producer::start().await;
    let mut settings = Nrf::with(one_before_two(&udm, &udm).into()).await.settings();
    for (clients, status) in [(Matching::Told, 200), (Matching::Required, 403)] {
        settings.identities.clients = clients;
        let running = crate::support::scp(settings.clone()).await;
        let request = get("/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
        let answer = Client::connect(running.address).await.ask(request.body("").unwrap()).await;
        assert_eq!(answer.status, status, "{clients:?}");
    }
}

#[tokio::test]
async fn a3_a_producer_whose_certificate_names_another_is_not_asked() {
    let authority = Authority::new();
    let impostor = producer(&authority, of(&authority, SMF)).await;
    let two = producer(&authority, of(&authority, TWO)).await;
    let mut settings = udms(&impostor, &two).await.settings();
    for (producers, seen) in [(Matching::Off, (1, 0)), (Matching::Told, (1, 1)), (Matching::Required, (1, 2))] {
        settings.identities.producers = producers;
        let running = scp(&authority, settings.clone()).await;
        let answer = asks(&running, &authority, of(&authority, AMF), says(AMF)).await;
        assert_eq!(outcome(&answer), (200, String::new()), "{producers:?}");
        assert_eq!((impostor.seen().len(), two.seen().len()), seen, "{producers:?}");
    }
}

/// A target that the client names is no NF instance that is known; where one is required, its certificate names some.
#[tokio::test]
async fn a3_a_producer_that_names_no_instance_is_not_asked_where_one_must_be() {
    let authority = Authority::new();
    let unnamed = producer(&authority, authority.sign(&[SanType::IpAddress("127.0.0.1".parse().unwrap())])).await;
    let named = producer(&authority, of(&authority, ONE)).await;
    let clear = Producer::start().await;
    let [unnamed, named] = [unnamed, named].map(|it| it.root());
    for (producers, root, status) in [
        (Matching::Told, &unnamed, 200),
        (Matching::Told, &clear.root(), 200),
        (Matching::Required, &unnamed, 504),
        (Matching::Required, &clear.root(), 504),
        (Matching::Required, &named, 200),
    ] {
        let mut settings = crate::support::settings();
        settings.identities.producers = producers;
        let running = scp(&authority, settings).await;
        let request = Request::get(format!("https://{SCP}/x")).header("3gpp-Sbi-Target-apiRoot", root);
        let answer = asks(&running, &authority, of(&authority, AMF), request).await;
        assert_eq!(answer.status, status, "{producers:?} {root}");
    }
}

/// TS 29.500 6.4.3.4.5: of the sender's own load and overload; of another's only who may speak for others.
#[tokio::test]
async fn f7_nobody_says_of_another_that_it_is_overloaded() {
    let authority = Authority::new();
    let udm = producer(&authority, of(&authority, ONE)).await;
    let service_set = format!("set1.snudm-sdm.nfi{ONE}.5gc.mnc012.mcc345");
    let mut profile = crate::nrf::udm(ONE, &udm);
    profile["nfServices"][0]["nfServiceSetIdList"] = serde_json::json!([service_set]);
    let nrf = Nrf::with(vec![profile]).await;
    let mut settings = nrf.settings();
    settings.identities.relays = vec!["scp2.example".to_owned()];
    let relay = || authority.dns("scp2.example");
    // What the policy is, whose certificate is shown, of whom it is said, whether that is believed.
    for (clients, pair, scope, believed) in [
        (Matching::Off, of(&authority, AMF), format!("NF-Instance: {ONE}"), true),
        (Matching::Told, of(&authority, AMF), format!("NF-Instance: {ONE}"), false),
        (Matching::Required, of(&authority, AMF), format!("NF-Instance: {ONE}"), false),
        (Matching::Required, of(&authority, AMF), format!("NF-Service-Instance: sdm-1; NF-Inst: {ONE}"), false),
        (Matching::Required, of(&authority, AMF), "NF-Service-Instance: sdm-1".to_owned(), false),
        (Matching::Required, of(&authority, AMF), format!("NF-Service-Set: {service_set}"), false),
        (Matching::Required, of(&authority, ONE), format!("NF-Instance: {}", ONE.to_uppercase()), true),
        (Matching::Required, of(&authority, ONE), "NF-Service-Instance: sdm-1".to_owned(), true),
        (Matching::Required, of(&authority, ONE), format!("NF-Service-Set: {service_set}"), true),
        (Matching::Required, relay(), format!("NF-Instance: {ONE}"), true),
    ] {
        settings.identities.clients = clients;
        let running = scp(&authority, settings.clone()).await;
        let client = Client::secure(running.address, client(&authority, Some(pair))).await.unwrap();
        let oci = "Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; Period-of-Validity: 3600s; \
                   Overload-Reduction-Metric: 100%";
        let said = Request::get(format!("https://{SCP}/notify"))
            .header("3gpp-Sbi-Target-apiRoot", udm.root())
            .header("3gpp-Sbi-Callback", "Nudm_SDM_Notification")
            .header("3gpp-Sbi-Oci", format!("{oci}; {scope}"));
        assert_eq!(client.ask(said.body("").unwrap()).await.status, 200);
        let request = Request::get(format!("https://{SCP}/nudm-sdm/v2/x"));
        let request = request.header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
        let status = client.ask(request.body("").unwrap()).await.status.as_u16();
        assert_eq!(status, if believed { 503 } else { 200 }, "{clients:?} {scope}");
    }
}

/// Who claims another's NF instance gets nothing that was got for that other; whoever has new certificates is still the same.
#[tokio::test]
async fn a1_a_token_is_for_who_showed_the_certificate() {
    let authority = Authority::new();
    let udm = producer(&authority, of(&authority, ONE)).await;
    let mut settings = udms(&udm, &udm).await.settings();
    let wants = || says(AMF).header("3gpp-Sbi-Access-Scope", "nudm-sdm");
    let running = scp(&authority, settings.clone()).await;
    let token = async |pair: Pair| {
        asks(&running, &authority, pair, wants()).await.header("3gpp-sbi-access-token").to_owned()
    };
    assert_eq!(token(of(&authority, AMF)).await, "Bearer token-1");
    assert_eq!(token(of(&authority, SMF)).await, "Bearer token-2", "it only claims to be the other");
    assert_eq!(token(of(&authority, AMF)).await, "Bearer token-1", "a certificate renewed");
    let unnamed = || authority.sign(&[]);
    assert_eq!(token(unnamed()).await, "Bearer token-3");
    assert_eq!(token(unnamed()).await, "Bearer token-4", "another key is another holder");

    settings.identities.clients = Matching::Told;
    let running = scp(&authority, settings).await;
    let answer = asks(&running, &authority, of(&authority, SMF), wants()).await;
    assert_eq!(outcome(&answer), refused("NF_INSTANCE_MISMATCH"));
}
