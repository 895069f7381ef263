//! Spans of the SCP's requests at a collector, between those of clients and producers.
#![cfg(test)]
#![cfg(feature = "otlp")]

use std::convert::Infallible;

use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pinion::logging::{Format, Logging, Options, filter};
use pinion::metrics::registry;
use pinion::sbi::{Host, Next};
use pinion_scp::binding::Pins;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

#[path = "shared/collector.rs"]
mod collector;
#[path = "shared/free.rs"]
mod free;
#[path = "shared/sbi.rs"]
mod shared;

use collector::{Span, attribute, collect};
use free::free;
use shared::{Client, section};

/// A producer that tells of the headers that it gets.
async fn producer(tell: mpsc::UnboundedSender<HeaderMap>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tell = tell.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                tell.send(request.headers().clone()).unwrap();
                async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) }
            });
            let server = http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_of_the_scps_is_the_child_of_its_clients_and_the_parent_of_the_producers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (exports, mut received) = mpsc::unbounded_channel();
    tokio::spawn(collect(listener, exports));
    let filter = filter(Some("warn"), None).unwrap();
    let options = Options { format: Format::Text, filter, colour: false, repeats: 10, collector: Some(endpoint) };
    let logging = Logging::start(options, &mut registry()).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let (tell, mut told) = mpsc::unbounded_channel();
    let producer = producer(tell).await;
    let at = free().await;
    let host = Host::start(Next::new(&section(&[at]), folder.path(), None).unwrap(), Pins::default());
    let mut client = Client::connect(at).await.unwrap();
    // Who says nothing of a trace is in one from here on.
    client.ask(producer, "/other").await;
    let first = told.recv().await.unwrap()["traceparent"].to_str().unwrap().to_owned();
    let mut ask = async |headers: &[(&str, &str)]| {
        client.ask_with(producer, "/nudm-sdm/v2/x", headers).await;
        let seen = told.recv().await.unwrap();
        let of = |name: &str| seen.get(name).map(|it| it.to_str().unwrap().to_owned());
        (of("traceparent"), of("tracestate"))
    };
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let recorded = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let (child, state) = ask(&[("traceparent", &recorded), ("tracestate", "a=1")]).await;
    let child = child.unwrap();
    assert!(child.starts_with(&format!("00-{TRACE}-")) && child.ends_with("-01") && child != recorded, "{child}");
    assert_eq!(state.as_deref(), Some("a=1"));
    // What its client does not record is not recorded here, and nothing is changed.
    let silent = format!("00-{TRACE}-00f067aa0ba902b8-00");
    assert_eq!(ask(&[("traceparent", &silent)]).await, (Some(silent), None));
    // A trace that cannot be read is none: another begins.
    let (begun, state) = ask(&[("traceparent", "00-x"), ("tracestate", "a=1")]).await;
    assert_eq!(state, None);
    let begun = begun.unwrap();

    host.end().await;
    logging.end().await;
    let mut spans: Vec<Span> = Vec::new();
    while let Ok(export) = received.try_recv() {
        spans.extend(export.resource_spans.into_iter().flat_map(|it| it.scope_spans).flat_map(|it| it.spans));
    }
    let told: Vec<_> = spans
        .iter()
        .map(|it| (format!("00-{}-{}-01", hex(&it.trace_id), hex(&it.span_id)), hex(&it.parent_span_id)))
        .collect();
    let root = String::new;
    assert_eq!(told, [(first, root()), (child, "00f067aa0ba902b7".to_owned()), (begun, root())]);
    let span = &spans[1];
    assert_eq!(span.name, "GET nudm-sdm");
    assert_eq!(attribute(&span.attributes, "sbi.service").string.as_deref(), Some("nudm-sdm"));
    assert_eq!(attribute(&span.attributes, "http.response.status_code").int, Some(200));
    assert_eq!(attribute(&span.attributes, "sbi.producer").string, Some(format!("http://{producer}")));
}
