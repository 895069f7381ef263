//! Memory while clients mean harm: in a process of its own, so that it is the SCP's, its clients' and no other test's.

use std::process::Command;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::attackers::{continuations, half_headers, rapid_resets, references, slow_content};
use crate::frames::Raw;
use crate::support::{Client, Producer, get, scp, settings, until};

/// What tells a process to be that one.
const TOLD: &str = "PINION_TEST_MEMORY";
const NAME: &str = "memory::waves_of_clients_that_mean_harm_leave_memory_as_it_was";

/// Clients of a wave, of each kind.
const CLIENTS: usize = 20;

/// Memory of this process in KiB: `VmRSS` is what is resident, `VmHWM` the most that ever was.
fn memory(which: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(which)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn waves_of_clients_that_mean_harm_leave_memory_as_it_was() {
    if std::env::var_os(TOLD).is_some() {
        return tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(waves());
    }
    let mut alone = Command::new(std::env::current_exe().unwrap());
    let said = alone.args(["--exact", NAME, "--nocapture"]).env(TOLD, "1").output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
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
