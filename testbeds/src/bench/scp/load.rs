//! h2load: so many requests on a few connections, and how long each took.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::worker::TLS;
use super::{BACKEND, BenchError, process};

/// Requests of a round, connections, and streams on each.
const REQUESTS: usize = 50_000;
const CLIENTS: usize = 4;
const STREAMS: usize = 25;

/// The resource that is asked for.
const RESOURCE: &str = "/nudm-sdm/v2/imsi-001010000000001";

/// Who says where a request goes.
#[derive(Clone, Copy)]
pub(super) enum Model {
    /// The client: 3gpp-Sbi-Target-apiRoot.
    C,
    /// The proxy, by discovery factors.
    D,
}

/// What is asked of a proxy.
#[derive(Clone, Copy)]
pub(super) struct Load {
    /// On this port.
    pub(super) port: u16,
    pub(super) model: Model,
    /// Whether over TLS: then on the port for that.
    pub(super) tls: bool,
    /// Octets of content of each request: with any, it is a POST.
    pub(super) content: usize,
}

/// What one round came to.
pub(super) struct Round {
    /// Requests a second.
    pub(super) rate: f64,
    /// Milliseconds that one of a hundred took longer than.
    pub(super) p99: f64,
}

/// What the backend serves.
pub(super) fn content(folder: &Path) -> Result<(), BenchError> {
    let file = folder.join(RESOURCE.trim_start_matches('/'));
    let made = file.parent().map_or(Ok(()), fs::create_dir_all);
    let content = br#"{"nssai":{"defaultSingleNssais":[{"sst":1,"sd":"000001"}]},"supportedFeatures":"5"}"#;
    made.and_then(|()| fs::write(&file, content))
        .map_err(|error| BenchError::Missing(format!("{}: {error}", file.display())))
}

/// One round.
pub(super) fn round(load: Load) -> Result<Round, BenchError> {
    let wrong = |why: String| BenchError::Missing(format!("h2load: {why}"));
    let Load { port, model, tls, content } = load;
    let log = tempfile::NamedTempFile::new().map_err(|error| wrong(error.to_string()))?;
    let mut command = Command::new(process::find("h2load")?);
    command.args(["-n", &REQUESTS.to_string(), "-c", &CLIENTS.to_string(), "-m", &STREAMS.to_string(), "-t", "1"]);
    command.arg("--log-file").arg(log.path());
    let headers: &[String] = match model {
        Model::C => &[format!("3gpp-Sbi-Target-apiRoot: http://127.0.0.1:{BACKEND}")],
        Model::D => &[
            "3gpp-Sbi-Discovery-target-nf-type: UDM".to_owned(),
            "3gpp-Sbi-Discovery-requester-nf-type: AMF".to_owned(),
            "3gpp-Sbi-Discovery-service-names: nudm-sdm".to_owned(),
        ],
    };
    for header in headers {
        command.args(["-H", header]);
    }
    let sent = tempfile::NamedTempFile::new().map_err(|error| wrong(error.to_string()))?;
    if content > 0 {
        fs::write(sent.path(), vec![b'a'; content]).map_err(|error| wrong(error.to_string()))?;
        command.arg("--data").arg(sent.path());
    }
    let (scheme, port) = if tls { ("https", port + TLS) } else { ("http", port) };
    command.arg(format!("{scheme}://127.0.0.1:{port}{RESOURCE}"));
    let output = command.output().map_err(|error| wrong(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let rate = said.lines().find_map(|line| {
        let (before, _) = line.strip_prefix("finished in ")?.split_once(" req/s")?;
        before.rsplit(' ').next()?.parse::<f64>().ok()
    });
    // Time, status, microseconds.
    let text = fs::read_to_string(log.path()).map_err(|error| wrong(error.to_string()))?;
    let mut took = Vec::with_capacity(REQUESTS);
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace().skip(1);
        if words.next() != Some("200") {
            return Err(wrong(format!("a request failed: {line}")));
        }
        took.extend(words.next().and_then(|it| it.parse::<f64>().ok()));
    }
    took.sort_by(f64::total_cmp);
    let p99 = took.get(took.len() * 99 / 100).map(|micros| micros / 1e3);
    match (rate, p99, took.len()) {
        (Some(rate), Some(p99), REQUESTS) => Ok(Round { rate, p99 }),
        (_, _, count) => Err(wrong(format!("{count} of {REQUESTS} requests were answered"))),
    }
}
