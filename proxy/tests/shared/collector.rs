//! A collector that speaks gRPC, and reads spans by messages of its own.

use std::convert::Infallible;

use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// `opentelemetry/proto/collector/trace/v1/trace_service.proto` and what it imports, as far as it is looked at.
#[derive(Message)]
pub(crate) struct Export {
    #[prost(message, repeated, tag = "1")]
    pub(crate) resource_spans: Vec<ResourceSpans>,
}

#[derive(Message)]
pub(crate) struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    pub(crate) resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) scope_spans: Vec<ScopeSpans>,
}

#[derive(Message)]
pub(crate) struct Resource {
    #[prost(message, repeated, tag = "1")]
    pub(crate) attributes: Vec<KeyValue>,
}

#[derive(Message)]
pub(crate) struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    pub(crate) spans: Vec<Span>,
}

#[derive(Message)]
pub(crate) struct Span {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    pub(crate) name: String,
    #[prost(message, repeated, tag = "9")]
    pub(crate) attributes: Vec<KeyValue>,
}

#[derive(Message)]
pub(crate) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) value: Option<AnyValue>,
}

#[derive(Message)]
pub(crate) struct AnyValue {
    #[prost(string, optional, tag = "1")]
    pub(crate) string: Option<String>,
    #[prost(int64, optional, tag = "3")]
    pub(crate) int: Option<i64>,
}

pub(crate) fn attribute<'a>(attributes: &'a [KeyValue], key: &str) -> &'a AnyValue {
    attributes.iter().find(|it| it.key == key).and_then(|it| it.value.as_ref()).unwrap()
}

/// Takes what is exported, one gRPC message a request, and hands it on.
pub(crate) async fn collect(listener: TcpListener, exports: mpsc::UnboundedSender<Export>) {
    while let Ok((stream, _)) = listener.accept().await {
        let exports = exports.clone();
        let answer = move |request: Request<Incoming>| {
            let exports = exports.clone();
            async move {
                assert_eq!(request.uri().path(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
                let body = request.into_body().collect().await.unwrap().to_bytes();
                // A byte that says whether it is compressed, and four of length.
                let (head, message) = body.split_at(5);
                assert_eq!(
                    (head[0], u32::from_be_bytes(head[1..].try_into().unwrap())),
                    (0, message.len() as u32)
                );
                exports.send(Export::decode(message).unwrap()).unwrap();
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", HeaderValue::from_static("0"));
                let frames = [Frame::data(Bytes::from_static(&[0; 5])), Frame::trailers(trailers)];
                let body = StreamBody::new(tokio_stream::iter(frames.map(Ok::<_, Infallible>)));
                let response = Response::builder().header("content-type", "application/grpc");
                Ok::<_, Infallible>(response.body(body).unwrap())
            }
        };
        let served = http2::Builder::new(TokioExecutor::new());
        tokio::spawn(served.serve_connection(TokioIo::new(stream), service_fn(answer)));
    }
}
