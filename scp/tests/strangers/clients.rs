//! curl, h2load and httpx, in the clear and over TLS, through the SCP to nghttpd.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use pinion_scp::tls::{self, Clients};
use pinion_scp::{Prepared, Speech};
use serde_json::Value;
use tempfile::TempDir;

use crate::authority::Authority;
use crate::clear::scp;
use crate::programs::{nghttpd, output, program, python, said, script};
use crate::running::{SCP, run, settings};

pub(crate) const SMALL: &str = "{\"nfInstanceId\": \"54804518-4191-46b3-955c-ac631f953ed1\"}\n";

/// What nghttpd serves: a little JSON, and more than every window.
pub(crate) fn files() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("small.json"), SMALL).unwrap();
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_be_bytes).take(3_000_001).collect();
    std::fs::write(folder.path().join("large.bin"), large).unwrap();
    folder
}

pub(crate) fn curl(curl: &Path, url: &str, into: &Path) -> Command {
    let mut command = Command::new(curl);
    command.args(["--silent", "--show-error", "--max-time", "60", url]);
    command.arg("--dump-header").arg(into.join("headers")).arg("--output").arg(into.join("content"));
    command
}

/// Status and headers that curl got, but for the time that was.
pub(crate) fn headers(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("headers")).unwrap();
    text.lines().filter(|it| !it.starts_with("date:")).map(str::to_owned).collect()
}

pub(crate) fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort_unstable();
    lines
}

/// Leads what is asked of the SCP's name to where it listens.
pub(crate) fn connect_to(at: SocketAddr) -> String {
    format!("{SCP}:80:{at}")
}

#[tokio::test]
async fn curl_gets_of_nghttpd_what_it_gets_without_an_scp() {
    let Some(curl_at) = program("curl", "install curl") else { return };
    let files = files();
    let Some(server) = nghttpd(files.path(), &["--trailer=x-checksum: 5d41402a", "--trailer=x-end: 1"]).await
    else {
        return;
    };
    let running = scp(settings()).await;
    for name in ["small.json", "large.bin", "missing"] {
        let (straight, through) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let mut command = curl(&curl_at, &format!("{}/{name}", server.root()), straight.path());
        command.arg("--http2-prior-knowledge");
        said(command).await;
        let mut command = curl(&curl_at, &format!("http://{SCP}/{name}"), through.path());
        command.arg("--http2-prior-knowledge").args(["--connect-to", &connect_to(running.address)]);
        command.args(["--header", &format!("3gpp-Sbi-Target-apiRoot: {}", server.root())]);
        said(command).await;
        let mut wanted = headers(straight.path());
        if name == "missing" {
            // Errors of producers say whom they passed (TS 29.500 6.10.8).
            wanted.push(format!("via: SCP-{SCP}"));
        }
        assert_eq!(sorted(headers(through.path())), sorted(wanted), "{name}");
        let content = |folder: &TempDir| std::fs::read(folder.path().join("content")).unwrap();
        assert!(content(&straight) == content(&through), "{name} differs");
    }
}

#[tokio::test]
async fn curl_over_tls_checks_who_the_scp_is() {
    let Some(curl_at) = program("curl", "install curl") else { return };
    let files = files();
    let Some(server) = nghttpd(files.path(), &[]).await else { return };
    let (authority, stranger) = (Authority::new(), Authority::new());
    let config = tls::server(authority.dns(SCP), Clients::Any).unwrap();
    let running = run(Prepared::new(settings(), Some(config), None), Speech::Tls).await;
    for (authority, known) in [(&authority, true), (&stranger, false)] {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("authority.pem");
        std::fs::write(&file, authority.0.pem()).unwrap();
        let mut command = curl(&curl_at, &format!("https://{SCP}/small.json"), folder.path());
        command.args(["--http2", "--connect-to", &format!("{SCP}:443:{}", running.address)]);
        command.arg("--cacert").arg(file);
        command.args(["--header", &format!("3gpp-Sbi-Target-apiRoot: {}", server.root())]);
        let output = output(command).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), known, "{error}");
        if known {
            assert_eq!(std::fs::read_to_string(folder.path().join("content")).unwrap(), SMALL);
            assert_eq!(headers(folder.path())[0].trim(), "HTTP/2 200");
        }
    }
}

#[tokio::test]
async fn nghttp_gets_the_trailers_of_nghttpd() {
    let Some(nghttp) = program("nghttp", "install nghttp2-client") else { return };
    let files = files();
    let Some(server) = nghttpd(files.path(), &["--trailer=x-checksum: 5d41402a"]).await else { return };
    let running = scp(settings()).await;
    let mut command = Command::new(nghttp);
    command.args(["--null-out", "--verbose", "--no-dep", "--timeout=60"]);
    command.arg(format!("--header=:authority: {SCP}"));
    command.arg(format!("--header=3gpp-sbi-target-apiroot: {}", server.root()));
    command.arg(format!("http://{}/large.bin", running.address));
    let said = said(command).await;
    let end = said.rfind("DATA frame").unwrap();
    assert!(said.contains(":status: 200"), "{said}");
    assert!(said[end..].contains("x-checksum: 5d41402a"), "{}", &said[end..]);
}

#[tokio::test]
async fn h2load_gets_an_answer_to_each_request() {
    let Some(h2load) = program("h2load", "install nghttp2-client") else { return };
    let files = files();
    let Some(server) = nghttpd(files.path(), &[]).await else { return };
    let running = scp(settings()).await;
    let mut command = Command::new(h2load);
    command.args(["--requests=400", "--clients=4", "--max-concurrent-streams=25"]);
    command.arg(format!("--connect-to={}", running.address));
    command.arg(format!("--header=3gpp-sbi-target-apiroot: {}", server.root()));
    command.arg(format!("http://{SCP}/small.json"));
    let said = said(command).await;
    let counted = [
        "requests: 400 total, 400 started, 400 done, 400 succeeded, 0 failed, 0 errored, 0 timeout",
        "status codes: 400 2xx, 0 3xx, 0 4xx, 0 5xx",
    ];
    for line in counted {
        assert!(said.contains(line), "{said}");
    }
    assert!(said.contains(&format!("({}) data", 400 * SMALL.len())), "{said}");
}

#[tokio::test]
async fn httpx_asks_and_sends_in_the_clear_and_over_tls() {
    let Some(python) = python("httpx, h2") else { return };
    let files = files();
    let Some(server) = nghttpd(files.path(), &["--echo-upload"]).await else { return };
    let authority = Authority::new();
    let known = files.path().join("authority.pem");
    std::fs::write(&known, authority.0.pem()).unwrap();
    for speech in [Speech::Clear, Speech::Tls] {
        let config = tls::server(authority.dns(SCP), Clients::Any).unwrap();
        let running = run(Prepared::new(settings(), Some(config), None), speech).await;
        let scheme = if speech == Speech::Tls { "https" } else { "http" };
        let mut command = script(&python, "httpx_client.py");
        command.args([&format!("{scheme}://{}", running.address), SCP, &server.root()]);
        if speech == Speech::Tls {
            command.arg(&known);
        }
        let said: Value = serde_json::from_str(&said(command).await).unwrap();
        // By sha256sum.
        let small = "5bacdb91605c893f5719d488116b702fbef2f81f6175e687eefa590e0ff3f168";
        let got = Value::from(vec![Value::from(200), "HTTP/2".into(), small.into()]);
        assert_eq!((&said["get"], &said["missing"], &said["echoed"]), (&got, &404.into(), &true.into()));
        assert_eq!(said["many"], Value::from(vec![got; 200]));
    }
}
