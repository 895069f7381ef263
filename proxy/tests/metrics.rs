//! What Prometheus reads, over HTTP.
#![cfg(test)]

#[path = "api/sample/n4/counts.rs"]
mod counts;
#[path = "metrics/fake.rs"]
mod fake;
#[path = "api/sample/gtpc/counts.rs"]
mod gtpc_counts;
#[path = "api/sample/heard.rs"]
mod heard;
#[path = "api/sample/n2/counts.rs"]
mod n2_counts;
#[path = "metrics/oracles.rs"]
mod oracles;
#[path = "metrics/scraper.rs"]
mod scraper;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pinion::logging::{Format, Logging, Options};
use pinion::metrics::{Limits, Page, Readiness, registry, serve};
use prometheus_client::registry::Registry;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use fake::Fake;
use scraper::{Answer, Scraper, ask};

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that registers metrics of its own, as the daemon has it.
fn components() -> Registry {
    let mut registry = registry();
    let filter = pinion::logging::filter(None, None).unwrap();
    let options = Options { format: Format::Text, filter, colour: false, repeats: 1, collector: None };
    Logging::new(options, std::io::sink, &mut registry).map(drop).unwrap();
    registry
}

async fn stand(control: Fake, limits: Limits) -> Scraper {
    let (_, readiness) = watch::channel(Readiness::Ready);
    stand_with(control, limits, readiness).await
}

async fn stand_with(control: Fake, limits: Limits, readiness: watch::Receiver<Readiness>) -> Scraper {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let page = Arc::new(Page::new(Arc::new(control), components(), readiness, limits));
    tokio::spawn(serve(listener, page));
    Scraper { address }
}

async fn page(accept: &str) -> String {
    let scraper = stand(Fake::default(), Limits::default()).await;
    let answer = scraper.get("/metrics", &[("Accept", accept)]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// A row of the table: name, type, labels, help.
type Row = (String, String, String, String);

fn documented() -> BTreeSet<Row> {
    let table = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md")).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `pinion_"));
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', ""));
        let mut next = || cells.next().unwrap();
        (next(), next(), next(), next())
    })
    .collect()
}

fn exposed(page: &str) -> BTreeSet<Row> {
    let families = oracles::families(page);
    let rows = families.into_iter().map(|(name, family)| {
        let labels: Vec<_> = family.labels.into_iter().collect();
        (name, family.kind, labels.join(", "), family.help)
    });
    rows.collect()
}

#[tokio::test]
async fn the_table_is_what_is_exposed() {
    let (documented, exposed) = (documented(), exposed(&page("text/plain").await));
    let row = |(name, kind, labels, help): &Row| {
        let labels: Vec<_> = labels.split(", ").filter(|it| !it.is_empty()).map(|it| format!("`{it}`")).collect();
        format!("| `{name}` | {kind} | {} | {help} |", labels.join(", "))
    };
    let missing: Vec<_> = exposed.difference(&documented).map(row).collect();
    let surplus: Vec<_> = documented.difference(&exposed).map(row).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "docs/metrics.md lacks:\n{}\nand has in vain:\n{}",
        missing.join("\n"),
        surplus.join("\n")
    );
}

#[tokio::test]
async fn what_control_tells_is_shown() {
    let page = page("text/plain").await;
    for line in [
        "pinion_build_info{version=\"1.2.3\"} 1",
        "pinion_uptime_seconds 90.5",
        "pinion_packets_total{reason=\"ip_truncated\",verdict=\"drop\"} 7",
        "pinion_sessions 12",
        "pinion_sbi_responses_total{status=\"504\"} 1",
        "pinion_sbi_response_seconds_bucket{le=\"0.0005\"} 3",
        "pinion_sbi_response_seconds_bucket{le=\"0.0025\"} 7",
        "pinion_sbi_response_seconds_bucket{le=\"+Inf\"} 8",
        "pinion_sbi_response_seconds_sum 6.25",
        "pinion_sbi_requests{state=\"working\"} 4",
        "pinion_sbi_service_responses_total{service=\"nudm-sdm\",nf_type=\"UDM\",class=\"5xx\"} 1",
        "pinion_sbi_service_problems_total{service=\"nudm-sdm\",nf_type=\"UDM\",cause=\"TARGET_NF_NOT_REACHABLE\"} 1",
        "pinion_sbi_service_seconds_total{service=\"nudm-sdm\",nf_type=\"UDM\"} 6.25",
        "pinion_sbi_discoveries_total{outcome=\"remembered\"} 11",
        "pinion_sbi_discovery_seconds_total 1.5",
        "pinion_sbi_tokens_total{outcome=\"granted\"} 15",
        "pinion_table_bound_entries{table=\"flows\"} 200000",
        "pinion_store_lag_seconds 0.25",
        "pinion_interface_attached{interface=\"eth1\",mode=\"missing\"} 0",
        "pinion_service_info{service=\"n2\",protocol=\"sctp\",pool=\"amfs\",algorithm=\"least_sessions\"} 1",
        "pinion_endpoint_state{pool=\"amfs\",endpoint=\"amf-1\",state=\"draining\"} 1",
        "pinion_endpoint_state{pool=\"amfs\",endpoint=\"amf-1\",state=\"up\"} 0",
        "pinion_endpoint_drain_remaining_seconds{pool=\"amfs\",endpoint=\"amf-1\"} 30.0",
        "pinion_path_up{pool=\"amfs\",endpoint=\"amf-1\",path=\"0\"} 1",
        "pinion_path_up{pool=\"amfs\",endpoint=\"amf-1\",path=\"1\"} 0",
        "pinion_n4_requests_total{service=\"n4\"} 101",
        "pinion_n4_answers_total{service=\"n4\"} 102",
        "pinion_n4_sent_total{service=\"n4\"} 103",
        "pinion_n4_malformed_total{service=\"n4\"} 104",
        "pinion_n4_unknown_total{service=\"n4\"} 105",
        "pinion_n4_unasked_total{service=\"n4\"} 106",
        "pinion_n4_retransmitted_total{service=\"n4\"} 107",
        "pinion_n4_repeated_total{service=\"n4\"} 108",
        "pinion_n4_unanswered_total{service=\"n4\"} 109",
        "pinion_n4_refusals_total{service=\"n4\"} 110",
        "pinion_n4_refused_total{service=\"n4\"} 111",
        "pinion_n4_established_total{service=\"n4\"} 112",
        "pinion_n4_deleted_total{service=\"n4\"} 113",
        "pinion_n4_restored_total{service=\"n4\"} 114",
        "pinion_n4_lost_total{service=\"n4\"} 115",
        "pinion_n4_forsaken_total{service=\"n4\"} 116",
        "pinion_n4_upf_losses_total{service=\"n4\"} 117",
        "pinion_n4_unlearned_total{service=\"n4\"} 118",
        "pinion_n4_sessions{service=\"n4\"} 1003",
        "pinion_n4_upf_up{service=\"n4\",pool=\"n4\",endpoint=\"upf-1\"} 1",
        "pinion_n4_upf_up{service=\"n4\",pool=\"n4\",endpoint=\"upf-2\"} 0",
        "pinion_n4_upf_sessions{service=\"n4\",pool=\"n4\",endpoint=\"upf-2\"} 502",
        "pinion_n4_upf_load_percent{service=\"n4\",pool=\"n4\",endpoint=\"upf-1\"} 70",
        "pinion_gtpc_requests_total{service=\"s11\"} 201",
        "pinion_gtpc_answers_total{service=\"s11\"} 202",
        "pinion_gtpc_sent_total{service=\"s11\"} 203",
        "pinion_gtpc_malformed_total{service=\"s11\"} 204",
        "pinion_gtpc_unknown_total{service=\"s11\"} 205",
        "pinion_gtpc_unexpected_total{service=\"s11\"} 206",
        "pinion_gtpc_unasked_total{service=\"s11\"} 207",
        "pinion_gtpc_retransmitted_total{service=\"s11\"} 208",
        "pinion_gtpc_repeated_total{service=\"s11\"} 209",
        "pinion_gtpc_unanswered_total{service=\"s11\"} 210",
        "pinion_gtpc_refusals_total{service=\"s11\"} 211",
        "pinion_gtpc_not_found_total{service=\"s11\"} 212",
        "pinion_gtpc_created_total{service=\"s11\"} 213",
        "pinion_gtpc_deleted_total{service=\"s11\"} 214",
        "pinion_gtpc_moved_total{service=\"s11\"} 215",
        "pinion_gtpc_forsaken_total{service=\"s11\"} 216",
        "pinion_gtpc_lost_total{service=\"s11\"} 217",
        "pinion_gtpc_endpoint_losses_total{service=\"s11\"} 218",
        "pinion_gtpc_sessions{service=\"s11\"} 2003",
        "pinion_gtpc_endpoint_up{service=\"s11\",pool=\"sgws\",endpoint=\"sgw-1\"} 1",
        "pinion_gtpc_endpoint_up{service=\"s11\",pool=\"sgws\",endpoint=\"sgw-2\"} 0",
        "pinion_gtpc_endpoint_sessions{service=\"s11\",pool=\"sgws\",endpoint=\"sgw-2\"} 602",
        "pinion_copies_total 900",
        "pinion_copies_lost_total 7",
        "pinion_n2_heard_associations{service=\"amf\"} 8",
        "pinion_n2_heard_ues{service=\"amf\"} 41",
        "pinion_n2_heard_packets_total{service=\"amf\"} 880",
        "pinion_n2_heard_messages_total{service=\"amf\"} 871",
        "pinion_n2_heard_malformed_total{service=\"amf\"} 1",
        "pinion_n2_heard_repeated_total{service=\"amf\"} 2",
        "pinion_n2_heard_missing_total{service=\"amf\"} 3",
        "pinion_n2_heard_unjoined_total{service=\"amf\"} 4",
        "pinion_n2_heard_met_total{service=\"amf\"} 60",
        "pinion_n2_heard_displaced_total{service=\"amf\"} 5",
        "pinion_n2_heard_silent_total{service=\"amf\"} 6",
        "pinion_n2_gnbs{service=\"n2\"} 3",
        "pinion_n2_ues{service=\"n2\"} 3003",
        "pinion_n2_messages_total{service=\"n2\",procedure=\"NG Setup\",direction=\"up\"} 3",
        "pinion_n2_messages_total{service=\"n2\",procedure=\"NG Setup\",direction=\"down\"} 6",
        "pinion_n2_messages_sent_total{service=\"n2\"} 303",
        "pinion_n2_dropped_messages_total{service=\"n2\",reason=\"malformed\"} 304",
        "pinion_n2_dropped_messages_total{service=\"n2\",reason=\"other_protocol\"} 305",
        "pinion_n2_dropped_messages_total{service=\"n2\",reason=\"unexpected\"} 306",
        "pinion_n2_dropped_messages_total{service=\"n2\",reason=\"undeliverable\"} 307",
        "pinion_n2_error_indications_total{service=\"n2\"} 308",
        "pinion_n2_ues_mismatched_total{service=\"n2\"} 309",
        "pinion_n2_ues_pinned_total{service=\"n2\"} 310",
        "pinion_n2_ues_released_total{service=\"n2\"} 311",
        "pinion_n2_ues_moved_total{service=\"n2\"} 312",
        "pinion_n2_ues_reset_total{service=\"n2\"} 313",
        "pinion_n2_refused_ues_total{service=\"n2\"} 314",
        "pinion_n2_ues_steered_total{service=\"n2\"} 315",
        "pinion_n2_ues_rerouted_total{service=\"n2\"} 316",
        "pinion_n2_refused_gnbs_total{service=\"n2\"} 317",
        "pinion_n2_throttled_ues_total{service=\"n2\"} 319",
        "pinion_n2_refused_associations_total{service=\"n2\"} 320",
        "pinion_n2_unanswered_total{service=\"n2\"} 318",
        "pinion_n2_amf_gnbs{service=\"n2\",pool=\"amfs\",endpoint=\"amf-1\"} 3",
        "pinion_n2_amf_ues{service=\"n2\",pool=\"amfs\",endpoint=\"amf-2\"} 702",
        "pinion_n2_amf_relative_capacity{service=\"n2\",pool=\"amfs\",endpoint=\"amf-1\"} 90",
        "pinion_n2_amf_overload_percent{service=\"n2\",pool=\"amfs\",endpoint=\"amf-1\"} 20",
        "pinion_n2_procedure_duration_seconds_bucket{le=\"0.001\",service=\"n2\",procedure=\"NG Setup\",answered_by=\"amf\"} 1",
        "pinion_n2_procedure_duration_seconds_bucket{le=\"0.05\",service=\"n2\",procedure=\"NG Setup\",answered_by=\"amf\"} 2",
        "pinion_n2_procedure_duration_seconds_bucket{le=\"10.0\",service=\"n2\",procedure=\"NG Setup\",answered_by=\"amf\"} 2",
        "pinion_n2_procedure_duration_seconds_bucket{le=\"+Inf\",service=\"n2\",procedure=\"NG Setup\",answered_by=\"amf\"} 3",
        "pinion_n2_procedure_duration_seconds_count{service=\"n2\",procedure=\"NG Setup\",answered_by=\"amf\"} 3",
        "pinion_n2_procedure_duration_seconds_sum{service=\"n2\",procedure=\"NG Setup\",answered_by=\"amf\"} 20.031",
        "pinion_path_round_trip_seconds{pool=\"amfs\",endpoint=\"amf-1\",path=\"0\"} 0.0015",
    ] {
        assert!(page.lines().any(|it| it == line), "{line} is not in\n{page}");
    }
    assert!(!page.contains("path=\"2\""), "a path that is not probed has no series");
}

#[tokio::test]
async fn a_name_of_any_kind_is_quoted() {
    let page = page("text/plain").await;
    assert!(page.contains(r#"interface="a\"b\\c\nd""#), "{page}");
}

#[tokio::test]
async fn both_formats_are_read_by_others() {
    oracles::read_by_prometheus_client("openmetrics", &page("application/openmetrics-text").await);
    oracles::read_by_prometheus_client("text", &page("text/plain").await);
    oracles::checked_by_promtool(&page("text/plain").await);
}

#[tokio::test]
async fn the_format_is_what_was_asked_for() {
    let scraper = stand(Fake::default(), Limits::default()).await;
    let open = scraper.get("/metrics", &[("Accept", "application/openmetrics-text;version=1.0.0")]).await;
    assert_eq!(open.header("content-type"), Some(OPEN));
    assert!(open.body.ends_with("# EOF\n") && open.body.contains("# TYPE pinion_packets counter\n"));
    let text = scraper.get("/metrics", &[]).await;
    assert_eq!(text.header("content-type"), Some(TEXT));
    assert!(!text.body.contains("# EOF") && text.body.contains("# TYPE pinion_packets_total counter\n"));
}

#[tokio::test]
async fn only_get_and_head_of_two_pages_are_answered() {
    let scraper = stand(Fake::default(), Limits::default()).await;
    for path in ["/metrics", "/ready"] {
        let head = scraper.send("HEAD", path, &[]).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = scraper.send(method, path, &[]).await;
            assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method} {path}");
        }
    }
    for path in ["/", "/metrics/", "/metrics2", "/../metrics", "/%6detrics"] {
        assert_eq!(scraper.get(path, &[]).await.status, 404, "{path}");
    }
    assert_eq!(scraper.get("/metrics?x=1", &[]).await.status, 200);
}

#[tokio::test]
async fn readiness_is_shown_as_it_changes() {
    let (set, readiness) = watch::channel(Readiness::Not("reading the configuration".to_owned()));
    let scraper = stand_with(Fake::default(), Limits::default(), readiness).await;
    let Answer { status, body, .. } = scraper.get("/ready", &[]).await;
    assert_eq!((status, body.as_str()), (503, "reading the configuration\n"));
    set.send(Readiness::Ready).unwrap();
    assert_eq!(scraper.get("/ready", &[]).await.status, 200);
    set.send(Readiness::Not("stopping".to_owned())).unwrap();
    assert_eq!(scraper.get("/ready", &[]).await.status, 503);
}

#[tokio::test]
async fn a_daemon_that_cannot_tell_is_said_so() {
    let scraper = stand(Fake { broken: true, ..Fake::default() }, Limits::default()).await;
    let answer = scraper.get("/metrics", &[]).await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("cannot be read") && answer.body.contains("EPERM"), "{}", answer.body);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_does_not_answer_is_not_waited_for() {
    let (_set, readiness) = watch::channel(Readiness::Ready);
    let page =
        Page::new(Arc::new(Fake { stuck: true, ..Fake::default() }), components(), readiness, Limits::default());
    let (client, server) = tokio::io::duplex(1 << 16);
    let served = pinion::metrics::connection(server, Arc::new(page));
    let (answer, ()) = tokio::join!(ask(client, "GET", "/metrics", &[]), served);
    assert_eq!((answer.status, answer.body.as_str()), (503, "the metrics could not be gathered in time\n"));
}

/// Scrapers that do not ask, or ask half, more of them than there may be.
#[tokio::test]
async fn slow_scrapers_hold_nobody_up() {
    let limits = Limits { connections: 4, deadline: Duration::from_secs(600), ..Limits::default() };
    let scraper = stand(Fake::default(), limits).await;
    let mut slow = Vec::new();
    for number in 0..12 {
        let mut stream = TcpStream::connect(scraper.address).await.unwrap();
        if number % 2 == 0 {
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHo").await.unwrap();
        }
        slow.push(stream);
    }
    let answer = scraper.get("/metrics", &[]).await;
    assert_eq!(answer.status, 200);
    // Twelve and this one, of which four may stay.
    assert!(answer.body.contains("\npinion_scrape_connections_cut_total 9\n"), "{}", answer.body);
    drop(slow);
}

#[tokio::test(start_paused = true)]
async fn a_connection_ends_at_its_deadline() {
    let (_set, readiness) = watch::channel(Readiness::Ready);
    let fake = Fake { endpoints: 1000, ..Fake::default() };
    let page = Arc::new(Page::new(Arc::new(fake), components(), readiness, Limits::default()));
    // One says nothing, one says half, one does not read.
    for said in ["", "GET /metrics HTTP/1.1\r\nHost", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let (mut client, server) = tokio::io::duplex(1024);
        client.write_all(said.as_bytes()).await.unwrap();
        let begin = tokio::time::Instant::now();
        pinion::metrics::connection(server, Arc::clone(&page)).await;
        assert_eq!(begin.elapsed().as_secs(), 10, "{said:?}");
    }
}

#[tokio::test]
async fn a_page_is_bounded() {
    let limits = Limits { endpoints: 10, ..Limits::default() };
    let scraper = stand(Fake { endpoints: 13, ..Fake::default() }, limits).await;
    let body = scraper.get("/metrics", &[]).await.body;
    assert_eq!(body.lines().filter(|it| it.starts_with("pinion_endpoint_weight{")).count(), 10);
    assert_eq!(body.lines().filter(|it| it.starts_with("pinion_n4_upf_up{")).count(), 10);
    assert!(body.contains("\npinion_metrics_left_out_endpoints 3\n"));
}
