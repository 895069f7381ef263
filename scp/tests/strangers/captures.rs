//! SBI that others captured, driven through the SCP as if live: requests and answers as tshark reads them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use pinion_networks::missing::skipped;
use serde_json::Value;

use crate::clear::scp;
use crate::differences::now;
use crate::exchange::{Exchange, Message, Prepared};
use crate::programs::{program, said};
use crate::running::{SCP, settings};

/// What every client of HTTP/2 sends first (RFC 9113 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Captures in which a connection of HTTP/2 begins.
fn captures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/pcaps");
    let folders = std::fs::read_dir(root).into_iter().flatten().flatten();
    let files = folders.filter_map(|it| std::fs::read_dir(it.path()).ok()).flatten().flatten().map(|it| it.path());
    let mut found: Vec<PathBuf> = files
        .filter(|it| it.extension().is_some_and(|it| it.to_string_lossy().contains("cap")))
        .filter(|it| std::fs::read(it).unwrap().windows(PREFACE.len()).any(|it| it == PREFACE))
        .collect();
    found.sort();
    found
}

/// One or many, as tshark writes them.
fn all(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// Requests and their answers, of whole exchanges, by connection and stream.
fn exchanges(packets: &Value) -> Vec<(Message, Message)> {
    let mut messages: BTreeMap<(u64, u64, bool), Message> = BTreeMap::new();
    // Which side of a connection asks is known from its requests.
    let mut clients: BTreeMap<u64, String> = BTreeMap::new();
    let number = |value: &Value| value.as_str().and_then(|it| it.parse::<u64>().ok());
    for packet in all(packets) {
        let layers = &packet["_source"]["layers"];
        let Some(connection) = number(&layers["tcp"]["tcp.stream"]) else { continue };
        let port = layers["tcp"]["tcp.srcport"].as_str().unwrap_or_default().to_owned();
        for frame in all(&layers["http2"]).into_iter().flat_map(|it| all(&it["http2.stream"])) {
            let Some(stream) = number(&frame["http2.streamid"]) else { continue };
            let fields: Vec<(String, String)> = all(&frame["http2.header"])
                .into_iter()
                .map(|it| {
                    [&it["http2.header.name"], &it["http2.header.value"]].map(|it| it.as_str().unwrap_or(""))
                })
                .map(|[name, value]| (name.to_owned(), value.to_owned()))
                .collect();
            if fields.iter().any(|(name, _)| name == ":method") {
                clients.insert(connection, port.clone());
            }
            let asks = clients.get(&connection) == Some(&port);
            let message = messages.entry((connection, stream, asks)).or_default();
            if message.headers.is_empty() {
                message.headers = fields;
            } else {
                message.trailers.extend(fields);
            }
            let data = frame["http2.data.data"].as_str().unwrap_or_default();
            message.body.push_str(&data.replace(':', ""));
        }
    }
    let asked = messages.iter().filter(|((.., asks), it)| *asks && sbi(it.field(":path")));
    let both = asked.filter_map(|((connection, stream, _), request)| {
        let answer = messages.get(&(*connection, *stream, false))?;
        (whole(request) && whole(answer)).then(|| (request.clone(), answer.clone()))
    });
    both.collect()
}

/// Whether a path is of an API of the SBI: `/nudm-sdm/v2/...` (TS 29.501 4.4.1).
fn sbi(path: &str) -> bool {
    let mut segments = path.split(['/', '?']).skip(1);
    let service = segments.next().unwrap_or_default();
    service.starts_with('n') && service.contains('-') && segments.next().is_some_and(|it| it.starts_with('v'))
}

/// Whether all of a message was captured.
fn whole(message: &Message) -> bool {
    let length = message.field("content-length");
    let octets = message.body.len() / 2;
    message.headers.iter().all(|(name, _)| !name.is_empty())
        && !(message.field(":method").is_empty() && message.field(":status").is_empty())
        && (length.is_empty() || length == octets.to_string())
}

#[tokio::test]
async fn captured_sbi_passes_as_if_live() {
    let captures = captures();
    if captures.is_empty() {
        skipped("no captures of HTTP/2 in ../shared/pcaps");
        return;
    }
    let Some(tshark) = program("tshark", "install tshark") else { return };
    let mut driven = 0;
    for capture in captures {
        let mut command = Command::new(&tshark);
        command.arg("-r").arg(&capture).args([
            "-Y",
            "http2",
            "-T",
            "json",
            "--no-duplicate-keys",
            "-J",
            "tcp http2",
        ]);
        let packets: Value = serde_json::from_str(&said(command).await).unwrap();
        let exchanges = exchanges(&packets);
        if !exchanges.is_empty() && !passes(&exchanges).await {
            return;
        }
        driven += exchanges.len();
    }
    if driven == 0 {
        skipped("no whole exchange of SBI in ../shared/pcaps");
    }
}

/// Drives exchanges through an SCP; false where there is nothing to drive them with.
async fn passes(exchanges: &[(Message, Message)]) -> bool {
    let prepared: Vec<Prepared> = exchanges
        .iter()
        .map(|(request, answer)| Prepared {
            method: request.field(":method").to_owned(),
            path: request.field(":path").to_owned(),
            answer: answer.clone(),
        })
        .collect();
    let Some(exchange) = Exchange::start(&prepared).await else { return false };
    let running = scp(settings()).await;
    let mut requests: Vec<Message> = exchanges.iter().map(|(request, _)| request.clone()).collect();
    for request in &mut requests {
        request.set(":authority", SCP);
        request.set("3gpp-sbi-target-apiroot", &exchange.server.root());
        if !request.field("3gpp-sbi-sender-timestamp").is_empty() {
            request.set("3gpp-sbi-sender-timestamp", &now());
        }
        if !request.field("3gpp-sbi-max-rsp-time").is_empty() {
            request.set("3gpp-sbi-max-rsp-time", "60000");
        }
    }
    let answers = exchange.ask(running.address.port(), &requests).await;
    let seen = exchange.seen();
    assert_eq!((answers.len(), seen.len()), (exchanges.len(), exchanges.len()));
    for (((request, mut seen), got), (_, answer)) in requests.into_iter().zip(seen).zip(answers).zip(exchanges) {
        let path = request.field(":path").to_owned();
        let mut wanted = request;
        wanted.set(":authority", &format!("127.0.0.1:{}", exchange.server.port));
        wanted.remove("3gpp-sbi-target-apiroot");
        wanted.remove("3gpp-sbi-routing-binding");
        wanted.headers.push(("via".to_owned(), format!("SCP-{SCP}")));
        for message in [&mut wanted, &mut seen] {
            // TS 29.500 6.11.2: these move with the time that was spent; the other test looks at how.
            message.remove("3gpp-sbi-sender-timestamp");
            message.remove("3gpp-sbi-max-rsp-time");
        }
        assert_eq!(seen.ordered(), wanted.ordered(), "{path}");
        let mut wanted = answer.clone();
        let location = wanted.field("location").to_owned();
        if location.starts_with('/') {
            wanted.set("location", &format!("{}{location}", exchange.server.root()));
        }
        if wanted.field(":status") >= "400" {
            wanted.headers.push(("via".to_owned(), format!("SCP-{SCP}")));
        }
        assert_eq!(got.ordered(), wanted.ordered(), "{path}");
    }
    true
}
