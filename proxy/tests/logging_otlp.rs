//! Spans at a collector that speaks gRPC, read by messages of its own.
#![cfg(test)]
#![cfg(feature = "otlp")]

use std::io;

use pinion::logging::{Format, Logging, LoggingError, Options, filter};
use pinion::metrics::registry;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

#[path = "shared/collector.rs"]
mod collector;

use collector::{attribute, collect};

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
