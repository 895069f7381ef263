//! Bytes that nobody meant: the daemon neither falls nor stops answering.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use pinion::api::{Client, Target, v1};
use prost::Message as _;
use tonic::Code;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::daemon::{Local, runtime};
use crate::sample::Sample;

/// What a client begins with (RFC 9113 3.4), and empty SETTINGS.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

const CALLS: [&str; 14] = [
    "ListServices",
    "ListEndpoints",
    "ListSessions",
    "ListN4Sessions",
    "ListGtpcSessions",
    "ListN2Ues",
    "GetStats",
    "DrainEndpoint",
    "UndrainEndpoint",
    "SetWeight",
    "GetFilters",
    "SetFilters",
    "Reload",
    "Explain",
];

fn lives(local: &Local) {
    runtime().block_on(async {
        let mut client = Client::connect(&Target::Unix(local.socket()), None).await.unwrap();
        assert_eq!(client.services().await.unwrap().len(), 2);
    });
}

/// Sends bytes, and reads what comes back until the daemon has had enough or says nothing more.
fn send(socket: &Path, parts: &[&[u8]]) -> usize {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    for part in parts {
        if stream.write_all(part).is_err() {
            break;
        }
    }
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer.len()
}

#[test]
fn random_bytes_are_no_harm() {
    let local = Local::start(Sample::default());
    let socket = local.socket();
    bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
        send(&socket, &[bytes]);
    });
    lives(&local);
}

#[test]
fn random_frames_are_no_harm() {
    let local = Local::start(Sample::default());
    let socket = local.socket();
    // Type, flags, stream, payload.
    bolero::check!().with_type::<Vec<(u8, u8, u8, Vec<u8>)>>().for_each(|frames| {
        let mut bytes = Vec::new();
        for (kind, flags, stream, payload) in frames {
            let payload = &payload[..payload.len().min(0xFFFF)];
            let [.., high, low] = payload.len().to_be_bytes();
            bytes.extend([0, high, low, kind % 12, *flags, 0, 0, 0, *stream]);
            bytes.extend(payload);
        }
        assert!(send(&socket, &[PREFACE, &bytes]) < 1 << 20);
    });
    lives(&local);
}

#[test]
fn a_client_that_says_little_or_nothing_is_in_nobodys_way() {
    let local = Local::start(Sample::default());
    let mute: Vec<_> = (0..50).map(|_| UnixStream::connect(local.socket()).unwrap()).collect();
    let mut slow = UnixStream::connect(local.socket()).unwrap();
    slow.write_all(&PREFACE[..20]).unwrap();
    lives(&local);
    // After ten seconds they have lost their places.
    let mut rest = Vec::new();
    slow.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let _ = slow.read_to_end(&mut rest);
    assert!(rest.len() < 1000);
    drop(mute);
}

/// Sends any bytes as a message.
#[derive(Clone, Copy)]
struct Raw;

impl tonic::codec::Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl tonic::codec::Encoder for Raw {
    type Item = Vec<u8>;
    type Error = tonic::Status;

    fn encode(&mut self, bytes: Vec<u8>, buffer: &mut tonic::codec::EncodeBuf<'_>) -> Result<(), tonic::Status> {
        use prost::bytes::BufMut as _;
        buffer.put_slice(&bytes);
        Ok(())
    }
}

impl tonic::codec::Decoder for Raw {
    type Item = ();
    type Error = tonic::Status;

    fn decode(&mut self, buffer: &mut tonic::codec::DecodeBuf<'_>) -> Result<Option<()>, tonic::Status> {
        use prost::bytes::Buf as _;
        buffer.advance(buffer.remaining());
        Ok(Some(()))
    }
}

async fn channel(local: &Local) -> Channel {
    let path = local.socket();
    let connector = tower::service_fn(move |_: Uri| {
        let path = path.clone();
        async move { tokio::net::UnixStream::connect(path).await.map(TokioIo::new) }
    });
    Endpoint::from_static("http://localhost").connect_with_connector(connector).await.unwrap()
}

async fn call(channel: &Channel, call: &str, bytes: Vec<u8>) -> Result<(), tonic::Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.map_err(|_| tonic::Status::unavailable("the connection broke"))?;
    let path = format!("/pinion.v1.Pinion/{call}").parse().unwrap();
    client.unary(tonic::Request::new(bytes), path, Raw).await.map(|_| ())
}

/// What a daemon may say to a request that makes no sense; never that it failed or went away.
fn is_an_answer(result: &Result<(), tonic::Status>) -> bool {
    match result {
        Ok(()) => true,
        Err(status) => {
            matches!(status.code(), Code::InvalidArgument | Code::NotFound)
            // prost's word for bytes that are no message, as tonic passes it on.
            || status.code() == Code::Internal && status.message().contains("decode")
        }
    }
}

#[test]
fn random_messages_are_answered_or_refused() {
    let local = Local::start(Sample::default());
    let runtime = runtime();
    let channel = runtime.block_on(channel(&local));
    // What panics ends the test.
    let caller = AssertUnwindSafe(|name: &str, bytes| runtime.block_on(call(&channel, name, bytes)));
    bolero::check!().with_type::<(u8, Vec<u8>)>().for_each(|(number, bytes)| {
        let name = CALLS[usize::from(*number) % CALLS.len()];
        let answer = (*caller)(name, bytes.clone());
        assert!(is_an_answer(&answer), "{name}: {answer:?}");
    });
    lives(&local);
}

#[test]
fn random_requests_are_answered_or_refused() {
    type Texts = (Option<String>, Option<String>, Option<String>, Option<String>);
    let local = Local::start(Sample::default());
    let runtime = runtime();
    let channel = runtime.block_on(channel(&local));
    // What panics ends the test.
    let caller = AssertUnwindSafe(|name: &str, bytes| runtime.block_on(call(&channel, name, bytes)));
    bolero::check!().with_type::<(u8, Texts, i32, u32, Option<u64>)>().for_each(|request| {
        let (number, (first, second, third, fourth), state, small, large) = request.clone();
        let name = CALLS[usize::from(number) % CALLS.len()];
        let text = first.clone().unwrap_or_default();
        let bytes = match name {
            "ListEndpoints" => v1::ListEndpointsRequest { pool: first }.encode_to_vec(),
            "ListSessions" => v1::ListSessionsRequest {
                service: first,
                endpoint: second,
                client: third,
                state,
                limit: small,
                cursor: fourth,
            }
            .encode_to_vec(),
            "ListN4Sessions" => {
                v1::ListN4SessionsRequest { service: first, upf: second, smf: third, limit: small, cursor: fourth }
                    .encode_to_vec()
            }
            "ListGtpcSessions" => v1::ListGtpcSessionsRequest {
                service: first,
                endpoint: second,
                client: third,
                subscriber: Some(text),
                limit: small,
                cursor: fourth,
            }
            .encode_to_vec(),
            "ListN2Ues" => v1::ListN2UesRequest {
                service: first,
                endpoint: second,
                gnb: third,
                mode: state,
                limit: small,
                cursor: fourth,
            }
            .encode_to_vec(),
            "DrainEndpoint" => v1::DrainEndpointRequest { endpoint: text, deadline_ms: large }.encode_to_vec(),
            "UndrainEndpoint" => v1::UndrainEndpointRequest { endpoint: text }.encode_to_vec(),
            "SetWeight" => v1::SetWeightRequest { endpoint: text, weight: small }.encode_to_vec(),
            "GetFilters" => v1::GetFiltersRequest { service: first, teid: small }.encode_to_vec(),
            "SetFilters" => {
                v1::SetFiltersRequest { service: first, teid: small, filters: vec![text] }.encode_to_vec()
            }
            "Explain" => v1::ExplainRequest { key: text }.encode_to_vec(),
            _ => Vec::new(),
        };
        let answer = (*caller)(name, bytes);
        assert!(is_an_answer(&answer), "{name}: {answer:?}");
    });
    lives(&local);
}

#[test]
fn too_long_a_message_is_refused_unread() {
    let local = Local::start(Sample::default());
    runtime().block_on(async {
        let channel = channel(&local).await;
        let answer = call(&channel, "Explain", vec![0; 8 << 20]).await.unwrap_err();
        assert!(matches!(answer.code(), Code::OutOfRange | Code::ResourceExhausted), "{answer:?}");
    });
    lives(&local);
}
