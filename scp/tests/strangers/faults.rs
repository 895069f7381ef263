//! Faults while several clients ask: what can be had from another is had, and nothing is left of it.

use std::process::{Command, Stdio};
use std::time::Duration;

use pinion_networks::namespace::tied;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::clear::{get, scp};
use crate::loaded::Load;
use crate::profiles::{ONE, TWO, udm};
use crate::programs::{Server, nghttpd, program, said};
use crate::registry::{Registry, files};
use crate::running::{Running, comes, speak, until};

const CLIENTS: usize = 6;

/// Clients that ask for what discovery finds.
async fn load(running: &Running) -> Load {
    let mut connections = Vec::new();
    for _ in 0..CLIENTS {
        connections.push(speak(TcpStream::connect(running.address).await.unwrap()).await);
    }
    Load::start(&connections, 1, |_| {
        get("/nudm-sdm/v2/imsi-001010000000001/nssai")
            .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
            .header("3gpp-Sbi-Discovery-service-names", "nudm-sdm")
            .header("3gpp-Sbi-Discovery-requester-nf-type", "AMF")
            .body("")
            .unwrap()
    })
}

/// Ends it: no client was told of anything, and nothing of the clients is left in the SCP.
async fn end(load: Load, running: &Running) {
    load.end().await;
    let parts = running.scp.parts();
    until(|| running.scp.connections() == 0 && parts.gate.load() == (0, 0)).await;
    assert_eq!(parts.pins.count(), 0);
    // One to each producer, and one to the NRF.
    until(|| parts.pools.connections() <= 3).await;
}

/// Two producers of a set, an NRF that knows them, and an SCP.
async fn set() -> Option<(TempDir, [Server; 2], Registry, Running)> {
    let files = files();
    let producers = [nghttpd(files.path(), &[]).await?, nghttpd(files.path(), &[]).await?];
    let (registry, running) = among([producers[0].port, producers[1].port]).await?;
    Some((files, producers, registry, running))
}

/// An NRF that knows producers at these ports, and an SCP that asks it.
async fn among(ports: [u16; 2]) -> Option<(Registry, Running)> {
    let registry = Registry::with(&[udm(ONE, ports[0]), udm(TWO, ports[1])]).await?;
    let mut settings = registry.settings();
    settings.timeouts.attempt = Duration::from_millis(300);
    settings.retries.probation = Duration::from_hours(1);
    settings.retries.failures = 2;
    // As many as there are clients may fail at the same time.
    settings.retries.spare = 1_000;
    let running = scp(settings).await;
    Some((registry, running))
}

async fn signal(name: &str, server: &Server) {
    let mut kill = Command::new("kill");
    kill.args([name, &server.id()]);
    said(kill).await;
}

#[tokio::test]
async fn a_producer_that_is_killed_under_load_costs_no_client_an_error() {
    let Some((_files, [one, two], registry, running)) = set().await else { return };
    let load = load(&running).await;
    load.more(200).await;
    drop(one);
    load.more(200).await;
    end(load, &running).await;
    drop((two, registry));
}

/// nghttpx sends GOAWAY, answers what it has begun, and ends.
#[tokio::test]
async fn a_producer_that_takes_its_leave_under_load_costs_no_client_an_error() {
    let Some(nghttpx) = program("nghttpx", "install nghttp2-proxy") else { return };
    let files = files();
    let Some(behind) = nghttpd(files.path(), &[]).await else { return };
    let mut front = Server::start(|port| {
        let mut command = tied(&nghttpx);
        command.stderr(Stdio::null());
        command.args(["--conf=/dev/null", "--workers=1", "--errorlog-file=/dev/null"]);
        command.args([
            format!("--frontend=127.0.0.1,{port};no-tls"),
            format!("--backend=127.0.0.1,{};;proto=h2", behind.port),
        ]);
        command
    })
    .await;
    let Some((registry, running)) = among([front.port, behind.port]).await else { return };
    let load = load(&running).await;
    load.more(200).await;
    signal("-QUIT", &front).await;
    front.ends().await;
    load.more(100).await;
    end(load, &running).await;
    drop((behind, registry));
}

#[tokio::test]
async fn a_producer_that_stalls_under_load_costs_no_client_an_error() {
    let Some((_files, [one, two], registry, running)) = set().await else { return };
    let load = load(&running).await;
    load.more(100).await;
    for (name, answers) in [("-STOP", 200), ("-CONT", 100)] {
        signal(name, &one).await;
        load.more(answers).await;
    }
    end(load, &running).await;
    drop((one, two, registry));
}

#[tokio::test]
async fn an_nrf_that_is_away_under_load_costs_no_client_an_error() {
    let Some((_files, producers, registry, running)) = set().await else { return };
    let load = load(&running).await;
    load.more(100).await;
    let place = registry.kill();
    // Longer than what it said holds.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    load.more(200).await;
    let registry = Registry::again(place).await;
    let before = registry.asked("GET", "/nnrf-disc/").len();
    assert!(before >= 1);
    let again = comes(3_000, || registry.asked("GET", "/nnrf-disc/").len() > before).await;
    assert!(again, "it is not asked again");
    end(load, &running).await;
    drop(producers);
}
