//! The access log: each request and what became of it, a JSON object a line.

use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use http::uri::{Authority, PathAndQuery};
use pinion_scp::account::Entry;
use pinion_scp::cause::Cause;
use serde::Serialize;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

/// Requests that wait to be written down; beyond, they are left out, and counted.
const WAITING: usize = 8_192;
/// Requests that are written down at once.
const BATCH: usize = 256;

/// A request as it is written down.
#[derive(Debug, Serialize)]
struct Line<'a> {
    /// Seconds since 1970.
    time: f64,
    client: String,
    client_names: &'a [String],
    method: &'a str,
    authority: Option<&'a str>,
    path: Option<&'a str>,
    user_agent: Option<&'a str>,
    correlation: Option<&'a str>,
    trace_id: Option<String>,
    service: &'a str,
    status: Option<u16>,
    cause: Option<&'static str>,
    target: Option<String>,
    nf_instance: Option<&'a str>,
    seconds: f64,
}

impl<'a> From<&'a Entry> for Line<'a> {
    fn from(it: &'a Entry) -> Self {
        Self {
            time: it.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            client: it.client.to_string(),
            client_names: &it.names,
            method: it.method.as_str(),
            authority: it.authority.as_ref().map(Authority::as_str),
            path: it.path.as_ref().map(PathAndQuery::as_str),
            user_agent: it.agent.as_deref(),
            correlation: it.correlation.as_deref(),
            trace_id: it.trace.map(|parent| format!("{:032x}", parent.trace)),
            service: &it.service,
            status: it.status.map(|status| status.as_u16()),
            cause: it.cause.map(Cause::name),
            target: it.target.as_ref().map(ToString::to_string),
            nf_instance: it.nf_instance.as_deref(),
            seconds: it.took.as_secs_f64(),
        }
    }
}

/// Opens a log, to go on at its end.
pub(super) fn open(path: &Path) -> io::Result<std::fs::File> {
    std::fs::File::options().create(true).append(true).open(path)
}

/// Has requests written down in a log, until nobody tells of any more.
pub(super) fn begin(log: std::fs::File) -> mpsc::Sender<Entry> {
    let (tell, told) = mpsc::channel(WAITING);
    tokio::spawn(write(File::from_std(log), told));
    tell
}

async fn write(mut log: File, mut told: mpsc::Receiver<Entry>) {
    let (mut entries, mut lines) = (Vec::with_capacity(BATCH), Vec::new());
    while told.recv_many(&mut entries, BATCH).await > 0 {
        lines.clear();
        for entry in entries.drain(..) {
            // Writing to memory cannot fail, and ours have no keys but strings.
            let _ = serde_json::to_writer(&mut lines, &Line::from(&entry));
            lines.push(b'\n');
        }
        let written = match log.write_all(&lines).await {
            Ok(()) => log.flush().await,
            refused => refused,
        };
        if let Err(error) = written {
            tracing::warn!(%error, "the SCP's access log cannot be written: it ends until the next reload");
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use http::{Method, StatusCode};
    use pinion_scp::trace::Parent;
    use serde_json::{Value, json};

    use super::*;

    fn entry(path: &str) -> Entry {
        Entry {
            at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_500),
            client: "192.0.2.9:40000".parse().unwrap(),
            names: ["amf.example".to_owned()].into(),
            method: Method::POST,
            authority: Some("scp.example:7777".parse().unwrap()),
            path: Some(path.parse().unwrap()),
            agent: Some("AMF".to_owned()),
            correlation: None,
            trace: Some(Parent { trace: 0x4bf9, span: 7, flags: 1 }),
            service: "nudm-sdm".to_owned(),
            status: Some(StatusCode::GATEWAY_TIMEOUT),
            cause: Some(Cause::TargetNfNotReachable),
            target: None,
            nf_instance: None,
            took: Duration::from_millis(250),
        }
    }

    #[tokio::test]
    async fn each_request_is_a_line_and_what_was_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sbi.json");
        std::fs::write(&path, "{}\n").unwrap();
        let tell = begin(open(&path).unwrap());
        for number in 0..300 {
            tell.send(entry(&format!("/nudm-sdm/v2/{number}?a=%22b"))).await.unwrap();
        }
        drop(tell);
        let lines = loop {
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if lines.len() == 301 {
                break lines;
            }
            tokio::task::yield_now().await;
        };
        let last: Value = serde_json::from_str(&lines[300]).unwrap();
        let expected = json!({
            "time": 1.5, "client": "192.0.2.9:40000", "client_names": ["amf.example"], "method": "POST",
            "authority": "scp.example:7777", "path": "/nudm-sdm/v2/299?a=%22b", "user_agent": "AMF", "correlation": null,
            "trace_id": "00000000000000000000000000004bf9", "service": "nudm-sdm",
            "status": 504, "cause": "TARGET_NF_NOT_REACHABLE", "target": null, "nf_instance": null, "seconds": 0.25,
        });
        assert_eq!(last, expected);
    }
}
