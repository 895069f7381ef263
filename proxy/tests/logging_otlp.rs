//! Spans at a collector that speaks gRPC, read by messages of its own.
#![cfg(test)]
#![cfg(feature = "otlp")]

use std::convert::Infallible;
use std::io;

use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pinion::logging::{Format, Logging, LoggingError, Options, filter};
use pinion::metrics::registry;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// `opentelemetry/proto/collector/trace/v1/trace_service.proto` and what it imports, as far as it is looked at.
#[derive(Message)]
struct Export {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Message)]
struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
}

#[derive(Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Message)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    string: Option<String>,
    #[prost(int64, optional, tag = "3")]
    int: Option<i64>,
}

fn attribute<'a>(attributes: &'a [KeyValue], key: &str) -> &'a AnyValue {
    attributes.iter().find(|it| it.key == key).and_then(|it| it.value.as_ref()).unwrap()
}

/// Takes what is exported, one gRPC message a request, and hands it on.
async fn collect(listener: TcpListener, exports: mpsc::UnboundedSender<Export>) {
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

fn options(collector: &str) -> Options {
    let filter = filter(Some("info"), None).unwrap();
    Options { format: Format::Text, filter, colour: false, repeats: 10, collector: Some(collector.to_owned()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_come_to_the_collector() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (exports, mut received) = mpsc::unbounded_channel();
    tokio::spawn(collect(listener, exports));

    let (logging, subscriber) = Logging::new(options(&endpoint), io::sink, &mut registry()).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        let outer = tracing::info_span!("reload", services = 3);
        let _entered = outer.enter();
        tracing::info_span!("commit", table = "pins").in_scope(|| tracing::info!("done"));
        tracing::debug_span!("too much").in_scope(|| ());
        let procedure =
            tracing::debug_span!(target: pinion_n2::SPANS, parent: None, "procedure", otel.name = "NG Setup");
        drop(procedure);
    });
    logging.end().await;

    let export = received.recv().await.unwrap();
    let resource = &export.resource_spans[0];
    let service = attribute(&resource.resource.as_ref().unwrap().attributes, "service.name");
    assert_eq!(service.string.as_deref(), Some("pinion"));
    let spans: Vec<_> = resource.scope_spans.iter().flat_map(|it| &it.spans).collect();
    assert_eq!(spans.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["commit", "NG Setup", "reload"]);
    assert_eq!((&spans[0].parent_span_id, &spans[0].trace_id), (&spans[2].span_id, &spans[2].trace_id));
    assert!(spans[1].parent_span_id.is_empty(), "a procedure is a trace of its own");
    assert_eq!(attribute(&spans[0].attributes, "table").string.as_deref(), Some("pins"));
    assert_eq!(attribute(&spans[2].attributes, "services").int, Some(3));
}

/// It ends although nobody listens there.
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (logging, subscriber) = Logging::new(options(&endpoint), io::sink, &mut registry()).unwrap();
    tracing::subscriber::with_default(subscriber, || tracing::info_span!("lost").in_scope(|| ()));
    tokio::time::timeout(std::time::Duration::from_secs(60), logging.end()).await.unwrap();
}

#[tokio::test]
async fn a_collector_that_is_no_address_is_refused() {
    let error = Logging::new(options("not a url"), io::sink, &mut registry()).map(drop).unwrap_err();
    assert!(matches!(error, LoggingError::Collector { .. }), "{error}");
    assert!(error.to_string().contains("not a url"), "{error}");
}

#[test]
fn without_a_runtime_it_is_refused() {
    let error = Logging::new(options("http://127.0.0.1:4317"), io::sink, &mut registry()).map(drop).unwrap_err();
    assert!(matches!(error, LoggingError::Collector { .. }), "{error}");
}
