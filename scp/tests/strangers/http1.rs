//! curl as a client of HTTP/1.1, through the SCP to nghttpd.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::clear::scp;
use crate::clients::{SMALL, connect_to, curl, files, headers};
use crate::programs::{Server, nghttpd, output, program, said};
use crate::running::{Running, SCP, settings};

/// A request of curl's for a file of a server.
fn ask(program: &Path, name: &str, server: &Server, running: &Running, into: &Path) -> Command {
    let mut command = curl(program, &format!("http://{SCP}/{name}"), into);
    command.args(["--http1.1", "--connect-to", &connect_to(running.address)]);
    command.args(["--header", &format!("3gpp-Sbi-Target-apiRoot: {}", server.root())]);
    command
}

fn content(folder: &TempDir) -> Vec<u8> {
    std::fs::read(folder.path().join("content")).unwrap()
}

#[tokio::test]
async fn curl_gets_one_after_the_other_over_one_connection() {
    let Some(program) = program("curl", "install curl") else { return };
    let files = files();
    let Some(server) = nghttpd(files.path(), &[]).await else { return };
    let running = scp(settings()).await;
    let folder = TempDir::new().unwrap();
    let mut command = ask(&program, "small.json", &server, &running, folder.path());
    command.arg(format!("http://{SCP}/large.bin")).arg("--output").arg(folder.path().join("large"));
    command.args(["--write-out", "%{http_version} %{http_code} %{num_connects}\n"]);
    assert_eq!(said(command).await, "1.1 200 1\n1.1 200 0\n");
    assert_eq!(content(&folder), SMALL.as_bytes());
    let large = |folder: &Path, name: &str| std::fs::read(folder.join(name)).unwrap();
    assert!(large(folder.path(), "large") == large(files.path(), "large.bin"));
}

#[tokio::test]
async fn curl_sends_in_chunks_and_may_wait_to_be_told_to() {
    let Some(program) = program("curl", "install curl") else { return };
    let files = files();
    let Some(server) = nghttpd(files.path(), &["--echo-upload"]).await else { return };
    let running = scp(settings()).await;
    let folder = TempDir::new().unwrap();
    let large = files.path().join("large.bin");
    // Longer than it may take altogether.
    let waits = ["--expect100-timeout", "600", "--header", "Expect: 100-continue"];
    for options in [&["--header", "Transfer-Encoding: chunked", "--header", "Expect:"], &waits] {
        let mut command = ask(&program, "echo", &server, &running, folder.path());
        command.args(options).arg("--data-binary").arg(format!("@{}", large.display()));
        said(command).await;
        let told = headers(folder.path()).iter().any(|it| it.trim() == "HTTP/1.1 100 Continue");
        assert_eq!(told, options == &waits);
        assert!(content(&folder) == std::fs::read(&large).unwrap());
    }
}

#[tokio::test]
async fn curl_asks_for_headers_alone_and_is_not_upgraded() {
    let Some(program) = program("curl", "install curl") else { return };
    let files = files();
    let Some(server) = nghttpd(files.path(), &[]).await else { return };
    let running = scp(settings()).await;
    let folder = TempDir::new().unwrap();
    let mut command = ask(&program, "small.json", &server, &running, folder.path());
    command.arg("--head");
    said(command).await;
    let length = format!("content-length: {}", SMALL.len());
    assert!(headers(folder.path()).iter().any(|it| it.trim() == length));
    let mut command = ask(&program, "small.json", &server, &running, folder.path());
    // The last of them counts: Upgrade: h2c.
    command.args(["--http2", "--write-out", "%{http_version}"]);
    assert_eq!(said(command).await, "1.1");
    assert_eq!(content(&folder), SMALL.as_bytes());
}

#[tokio::test]
async fn curl_is_told_what_is_wrong() {
    let Some(program) = program("curl", "install curl") else { return };
    let files = files();
    let Some(server) = nghttpd(files.path(), &[]).await else { return };
    let running = scp(settings()).await;
    let folder = TempDir::new().unwrap();
    let mut command = ask(&program, "small.json", &server, &running, folder.path());
    command.args(["--header", "Host: a b", "--write-out", "%{http_code} %{content_type}"]);
    let output = output(command).await;
    assert_eq!(String::from_utf8_lossy(&output.stdout), "400 application/problem+json");
    let problem: serde_json::Value = serde_json::from_slice(&content(&folder)).unwrap();
    assert_eq!((&problem["cause"], &problem["status"]), (&"INVALID_MSG_FORMAT".into(), &400.into()));
}
