//! Memory while clients mean harm: in a process of its own, so that it is the SCP's, its clients' and no other test's.

use std::future::Future;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use pinion_scp::tally::Event;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::attackers::{continuations, half_headers, rapid_resets, references, request, slow_content};
use crate::frames::{DATA, END_HEADERS, HEADERS, Raw, frame};
use crate::support::{Client, Producer, get, post, scp, settings, until};

/// What tells a process to be that one.
const TOLD: &str = "PINION_TEST_MEMORY";

/// Clients of a wave, of each kind.
const CLIENTS: usize = 20;

/// Memory of this process in KiB: `VmRSS` is what is resident, `VmHWM` the most that ever was.
fn memory(which: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(which)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

/// Runs a test in a process of its own.
fn alone(name: &str, test: impl Future<Output = ()>) {
    if std::env::var_os(TOLD).is_some() {
        return tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    }
    let mut alone = Command::new(std::env::current_exe().unwrap());
    let said = alone.args(["--exact", name, "--nocapture"]).env(TOLD, "1").output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

#[test]
fn waves_of_clients_that_mean_harm_leave_memory_as_it_was() {
    alone("memory::waves_of_clients_that_mean_harm_leave_memory_as_it_was", waves());
}

#[test]
fn content_for_producers_that_read_slowly_is_bounded_over_all_connections() {
    alone("memory::content_for_producers_that_read_slowly_is_bounded_over_all_connections", slow_readers());
}

#[test]
fn content_in_little_frames_takes_little_more_memory_than_its_octets() {
    alone("memory::content_in_little_frames_takes_little_more_memory_than_its_octets", little_frames());
}

async fn waves() {
    let producer = Producer::start().await;
    let mut settings = settings();
    settings.timeouts.stall = Duration::from_millis(300);
    settings.timeouts.handshake = Duration::from_millis(300);
    settings.timeouts.client_idle = Duration::from_millis(300);
    let running = scp(settings).await;
    let mut after = Vec::new();
    for _ in 0..5 {
        let mut clients = JoinSet::new();
        for kind in (0..5).flat_map(|kind| std::iter::repeat_n(kind, CLIENTS)) {
            let (to, root) = (running.address, producer.root());
            clients.spawn(async move {
                let mut raw = Raw::connect(to).await;
                match kind {
                    0 => rapid_resets(&mut raw, &root).await,
                    1 => continuations(&mut raw, &[]).await,
                    2 => half_headers(&mut raw).await,
                    3 => {
                        let _ = references(&mut raw, &root, 1).await;
                    }
                    _ => slow_content(&mut raw, &root, 100).await,
                }
                // Each stays for as long as it may.
                while raw.next().await.is_some() {}
            });
        }
        clients.join_all().await;
        until(|| running.scp.connections() == 0 && running.scp.parts().gate.load() == (0, 0)).await;
        after.push(memory("VmRSS"));
    }
    let client = Client::connect(running.address).await;
    let answer = client.ask(get("/x").header("3gpp-Sbi-Target-apiRoot", producer.root()).body("").unwrap()).await;
    assert_eq!(answer.status, 200);
    // The first wave makes room for all that come.
    assert!(after[4] <= after[1] + after[1] / 10, "{after:?} KiB");
    let most = memory("VmHWM");
    assert!(most < 128 * 1024, "{most} KiB");
}

/// A producer that takes nothing of what it is sent until it is told to, and then answers who sent all of it.
async fn sleeper(awake: watch::Receiver<bool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let awake = awake.clone();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    let mut awake = awake.clone();
                    tokio::spawn(async move {
                        awake.wait_for(|it| *it).await.unwrap();
                        let (mut content, mut octets) = (request.into_body(), 0);
                        while let Some(Ok(data)) = content.data().await {
                            octets += data.len();
                            content.flow_control().release_capacity(data.len()).unwrap();
                        }
                        let status = if octets == CONTENT { 200 } else { 400 };
                        let _ = respond.send_response(Response::builder().status(status).body(()).unwrap(), true);
                    });
                }
            });
        }
    });
    address
}

/// Octets of each request.
const CONTENT: usize = 300_000;

async fn slow_readers() {
    let (wake, awake) = watch::channel(false);
    let (producer, other) = (sleeper(awake).await, Producer::start().await);
    let mut settings = settings();
    // 8 MiB, and so much for each connection that nobody can have less.
    settings.limits.buffered = 8 << 20;
    let long = Duration::from_hours(1);
    (settings.timeouts.stall, settings.timeouts.response, settings.timeouts.attempt) = (long, long, long);
    (settings.timeouts.client_idle, settings.timeouts.ping) = (long, long);
    let running = scp(settings).await;
    // The clients take no memory for it.
    let content = Bytes::from(vec![b'x'; CONTENT]);
    let before = memory("VmRSS");
    let mut asked = JoinSet::new();
    for _ in 0..100 {
        let client = Client::connect(running.address).await;
        // By the second the client took note of what the SCP said first, and may be told to send more at a time.
        for _ in 0..2 {
            let request = post("/x").header("3gpp-Sbi-Target-apiRoot", other.root()).body("{}").unwrap();
            assert_eq!(client.ask(request).await.status, 200);
        }
        for _ in 0..8 {
            let request = post("/x").header("3gpp-Sbi-Target-apiRoot", format!("http://{producer}"));
            let request = request.body(()).unwrap();
            let mut sender = client.sender.clone().ready().await.unwrap();
            let (response, mut stream) = sender.send_request(request, false).unwrap();
            stream.send_data(content.clone(), true).unwrap();
            asked.spawn(async move { response.await.unwrap().status() });
        }
    }
    let all = || running.scp.parts().gate.load().0 == 800;
    until(all).await;
    // As much has come as may.
    let mut last = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = memory("VmRSS");
        if now <= last + 512 {
            break;
        }
        last = now;
    }
    let most = memory("VmHWM") - before;
    assert!(most < 64 * 1024, "{most} KiB");
    let tally = running.scp.tally();
    assert!(tally.count(Event::ClientNarrow) > 50, "{}", tally.count(Event::ClientNarrow));
    // No request fails for it.
    wake.send_replace(true);
    while let Some(status) = asked.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
}

/// A producer that reads all that it is sent, and counts the octets.
async fn reader() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, octets) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    tokio::spawn({
        let octets = Arc::clone(&octets);
        async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((request, respond))) = connection.accept().await {
                let octets = Arc::clone(&octets);
                tokio::spawn(async move {
                    let mut content = request.into_body();
                    while let Some(Ok(data)) = content.data().await {
                        octets.fetch_add(data.len(), Ordering::Relaxed);
                        content.flow_control().release_capacity(data.len()).unwrap();
                    }
                    drop(respond);
                });
            }
        }
    });
    (address, octets)
}

/// What is kept for another attempt is bounded in octets, in whatever frames they come.
async fn little_frames() {
    const STREAMS: u32 = 16;
    const FRAMES: usize = 20_000;
    // HTTP/2 as it is here takes no more little frames that nobody read yet.
    const AT_ONCE: usize = 50;
    let (producer, octets) = reader().await;
    let mut settings = settings();
    settings.limits.kept = FRAMES;
    let running = scp(settings).await;
    let (mut raw, mut came) = Raw::connect(running.address).await.parted();
    tokio::spawn(async move { while came.next().await.is_some() {} });
    let block = request(&format!("http://{producer}"));
    let (mut before, mut sent) = (0, 0);
    for stream in (0..STREAMS).map(|number| number * 2 + 1) {
        raw.send(HEADERS, END_HEADERS, stream, &block).await.unwrap();
        let some = frame(DATA, 0, stream, b"{").repeat(AT_ONCE);
        for _ in 0..FRAMES / AT_ONCE {
            raw.send_all(&some).await.unwrap();
            sent += AT_ONCE;
            let arrived = async {
                while octets.load(Ordering::Relaxed) < sent {
                    tokio::task::yield_now().await;
                }
            };
            timeout(Duration::from_secs(60), arrived).await.unwrap();
        }
        // By the first, all is there that it takes to run.
        if stream == 1 {
            before = memory("VmRSS");
        }
    }
    let more = memory("VmRSS") - before;
    assert!(more < 4 * 1024, "{more} KiB");
}
