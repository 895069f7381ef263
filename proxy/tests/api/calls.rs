//! The calls over gRPC: what clients other than `pinion` rely on.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use pinion::api::v1::pinion_client::PinionClient;
use pinion::api::{self, Client, REQUEST_BYTES, Target, v1};
use pinion::control::{GtpcFilter, N2Filter, N4Filter, PageAsk, SbiFilter, SessionFilter};
use prost::Message as _;
use tonic::Code;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1 as reflection;

use crate::daemon::{Local, runtime};
use crate::sample::{self, Sample};

/// gRPC's own client, with nothing of this project in it.
async fn channel(local: &Local) -> Channel {
    let path = local.socket();
    let connector = tower::service_fn(move |_: Uri| {
        let path = path.clone();
        async move { tokio::net::UnixStream::connect(path).await.map(TokioIo::new) }
    });
    Endpoint::from_static("http://localhost").connect_with_connector(connector).await.unwrap()
}

#[test]
fn what_the_daemon_shows_arrives_as_it_is() {
    let local = Local::start(Sample::with_sessions(50));
    runtime().block_on(async {
        let mut client = Client::connect(&Target::Unix(local.socket()), None).await.unwrap();
        assert_eq!(client.services().await.unwrap(), sample::services());
        assert_eq!(client.endpoints(None).await.unwrap(), sample::endpoints());
        assert_eq!(client.stats().await.unwrap(), sample::stats());
        let control: Arc<dyn pinion::control::Control> = Arc::new(Sample::with_sessions(50));
        let (filter, ask) = (SessionFilter::default(), PageAsk { limit: 50, cursor: None });
        let expected = control.sessions(&filter, &ask).await.unwrap();
        assert_eq!(client.sessions(&filter, &ask).await.unwrap(), expected);
        let expected = control.n4_sessions(&N4Filter::default(), &ask).await.unwrap();
        assert_eq!(client.n4_sessions(&N4Filter::default(), &ask).await.unwrap(), expected);
        let expected = control.gtpc_sessions(&GtpcFilter::default(), &ask).await.unwrap();
        assert_eq!(client.gtpc_sessions(&GtpcFilter::default(), &ask).await.unwrap(), expected);
        let expected = control.n2_ues(&N2Filter::default(), &ask).await.unwrap();
        assert_eq!(client.n2_ues(&N2Filter::default(), &ask).await.unwrap(), expected);
        for producer in [None, Some("192.0.2.62:8000".to_owned())] {
            let filter = SbiFilter { producer, nf_instance: None };
            let expected = control.sbi_resources(&filter, &ask).await.unwrap();
            assert_eq!(client.sbi_resources(&filter, &ask).await.unwrap(), expected);
        }
        let n2 = ["ue:102@001-01-gnb-000001/24", "tmsi:1-2-0x01020304"];
        for key in ["tag:305419896", "seid:0x500000001", "teid:0xa0000001"].into_iter().chain(n2) {
            assert_eq!(client.explain(key).await.unwrap(), control.explain(key).await.unwrap());
        }
        assert_eq!(client.reload().await.unwrap(), control.reload().await.unwrap());
    });
}

#[test]
fn requests_that_make_no_sense_have_precise_codes() {
    let local = Local::start(Sample::with_sessions(50));
    runtime().block_on(async {
        let mut client = PinionClient::new(channel(&local).await);
        let sessions = v1::ListSessionsRequest::default();
        for (request, code) in [
            (v1::ListSessionsRequest { client: Some("here".into()), ..sessions.clone() }, Code::InvalidArgument),
            (v1::ListSessionsRequest { state: 99, ..sessions.clone() }, Code::InvalidArgument),
            (v1::ListSessionsRequest { cursor: Some("x".into()), ..sessions.clone() }, Code::InvalidArgument),
            (v1::ListSessionsRequest { cursor: Some(String::new()), ..sessions.clone() }, Code::InvalidArgument),
            (v1::ListSessionsRequest { service: Some("n9".into()), ..sessions.clone() }, Code::NotFound),
        ] {
            assert_eq!(client.list_sessions(request.clone()).await.unwrap_err().code(), code, "{request:?}");
        }
        let sessions = v1::ListN4SessionsRequest::default();
        for (request, code) in [
            (v1::ListN4SessionsRequest { smf: Some("here".into()), ..sessions.clone() }, Code::InvalidArgument),
            (v1::ListN4SessionsRequest { upf: Some(String::new()), ..sessions.clone() }, Code::InvalidArgument),
            (v1::ListN4SessionsRequest { cursor: Some("x".into()), ..sessions.clone() }, Code::InvalidArgument),
            (
                v1::ListN4SessionsRequest { cursor: Some("1".repeat(5000)), ..sessions.clone() },
                Code::InvalidArgument,
            ),
            (v1::ListN4SessionsRequest { service: Some("n2".into()), ..sessions.clone() }, Code::NotFound),
        ] {
            assert_eq!(client.list_n4_sessions(request.clone()).await.unwrap_err().code(), code, "{request:?}");
        }
        let sessions = v1::ListGtpcSessionsRequest::default();
        for (request, code) in [
            (
                v1::ListGtpcSessionsRequest { client: Some("here".into()), ..sessions.clone() },
                Code::InvalidArgument,
            ),
            (
                v1::ListGtpcSessionsRequest { endpoint: Some(String::new()), ..sessions.clone() },
                Code::InvalidArgument,
            ),
            (v1::ListGtpcSessionsRequest { cursor: Some("x".into()), ..sessions.clone() }, Code::InvalidArgument),
            (v1::ListGtpcSessionsRequest { service: Some("n2".into()), ..sessions.clone() }, Code::NotFound),
        ] {
            assert_eq!(client.list_gtpc_sessions(request.clone()).await.unwrap_err().code(), code, "{request:?}");
        }
        let weight = v1::SetWeightRequest { endpoint: "amf-1".into(), weight: 65_536 };
        assert_eq!(client.set_weight(weight).await.unwrap_err().code(), Code::InvalidArgument);
        let drain = |deadline_ms| v1::DrainEndpointRequest { endpoint: "amf-1".into(), deadline_ms };
        assert_eq!(client.drain_endpoint(drain(Some(u64::MAX))).await.unwrap_err().code(), Code::InvalidArgument);
        assert!(client.drain_endpoint(drain(Some(31_536_000_000))).await.is_ok());
        let explain = v1::ExplainRequest { key: "x".repeat(REQUEST_BYTES) };
        // A message of gRPC that is too long, before anybody looks at it.
        assert_eq!(client.explain(explain).await.unwrap_err().code(), Code::OutOfRange);
    });
}

#[test]
fn a_page_has_its_default_and_its_bound() {
    let local = Local::start(Sample::with_sessions(30_000));
    runtime().block_on(async {
        let mut client = PinionClient::new(channel(&local).await).max_decoding_message_size(api::ANSWER_BYTES);
        for (limit, expected) in [(0, 100), (1, 1), (10_000, 10_000), (u32::MAX, 10_000)] {
            let request = v1::ListSessionsRequest { limit, ..v1::ListSessionsRequest::default() };
            let page = client.list_sessions(request).await.unwrap().into_inner();
            assert_eq!(page.sessions.len(), expected, "{limit}");
            assert_eq!(page.next, Some(expected.to_string()));
            let request = v1::ListN4SessionsRequest { limit, ..v1::ListN4SessionsRequest::default() };
            let page = client.list_n4_sessions(request).await.unwrap().into_inner();
            assert_eq!((page.sessions.len(), page.next), (expected, Some(expected.to_string())), "{limit}");
        }
    });
}

#[test]
fn a_call_of_another_version_is_said_to_be_one() {
    // What a daemon without this service answers.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.sock");
    let runtime = runtime();
    let listener = runtime.block_on(async { tokio::net::UnixListener::bind(&path).unwrap() });
    let (_, health) = tonic_health::server::health_reporter();
    let incoming = tokio_stream::wrappers::UnixListenerStream::new(listener);
    runtime.spawn(tonic::transport::Server::builder().add_service(health).serve_with_incoming(incoming));
    let output = crate::daemon::pinion(&path, &["services"]);
    assert_eq!(crate::daemon::code(&output), 1);
    let words = crate::daemon::err(&output);
    assert!(words.contains("it is of another version than this pinion"), "{words}");
}

#[test]
fn health_says_that_it_serves() {
    let local = Local::start(Sample::default());
    runtime().block_on(async {
        let mut client = HealthClient::new(channel(&local).await);
        for service in ["", "pinion.v1.Pinion"] {
            let request = tonic_health::pb::HealthCheckRequest { service: service.into() };
            let status = client.check(request).await.unwrap().into_inner().status;
            assert_eq!(status, i32::from(tonic_health::pb::health_check_response::ServingStatus::Serving));
        }
        let request = tonic_health::pb::HealthCheckRequest { service: "pinion.v9.Pinion".into() };
        assert_eq!(client.check(request).await.unwrap_err().code(), Code::NotFound);
    });
}

#[test]
fn reflection_lists_the_services_and_describes_them() {
    use reflection::server_reflection_request::MessageRequest;
    use reflection::server_reflection_response::MessageResponse;
    let local = Local::start(Sample::default());
    runtime().block_on(async {
        let mut client = reflection::server_reflection_client::ServerReflectionClient::new(channel(&local).await);
        let mut ask = async |message: MessageRequest| {
            let request =
                reflection::ServerReflectionRequest { host: String::new(), message_request: Some(message) };
            let mut answers =
                client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
            answers.message().await.unwrap().unwrap().message_response.unwrap()
        };
        let MessageResponse::ListServicesResponse(list) = ask(MessageRequest::ListServices("*".into())).await
        else {
            panic!("no list of services");
        };
        let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
        names.sort();
        let expected = ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "pinion.v1.Pinion"];
        assert_eq!(names, expected);
        let symbol = MessageRequest::FileContainingSymbol("pinion.v1.Pinion".into());
        let MessageResponse::FileDescriptorResponse(files) = ask(symbol).await else {
            panic!("no description");
        };
        let file = File::decode(files.file_descriptor_proto[0].as_slice()).unwrap();
        assert_eq!((file.name.as_str(), file.package.as_str()), ("pinion/v1/pinion.proto", "pinion.v1"));
    });
}

/// The first fields of a FileDescriptorProto.
#[derive(Clone, PartialEq, prost::Message)]
struct File {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    package: String,
}

#[test]
fn many_clients_at_once_are_answered_and_more_than_too_many_are_closed() {
    let local = Local::start(Sample::default());
    runtime().block_on(async {
        let target = Target::Unix(local.socket());
        let mut clients = Vec::new();
        for _ in 0..128 {
            clients.push(Client::connect(&target, None).await.unwrap());
        }
        for client in &mut clients {
            assert_eq!(client.services().await.unwrap().len(), 2);
        }
        let refused = Client::connect(&target, None).await.unwrap_err();
        assert!(refused.to_string().contains("has as many clients as it takes"), "{refused}");
        clients.truncate(1);
        // The places become free as the daemon notices.
        let mut tries = 0;
        while let Err(error) = Client::connect(&target, None).await {
            tries += 1;
            assert!(tries < 100, "{error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}
