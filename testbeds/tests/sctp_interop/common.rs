//! A topology with the project's endpoint in one host's place, and what passes its links.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use pinion_transport::userspace::{Encapsulation, Userspace};
use pinion_transport::{
    Association, Config, Connect, Event, Listen, Listener, Message, Reach, Received, Transport,
};
use tempfile::TempDir;
use testbeds::capture::Capture;
use testbeds::checksums::Judge;
use testbeds::missing::skipped;
use testbeds::patience::wait_for;
use testbeds::sctp::userspace::{echo, take_over};
use testbeds::topology::{Host, Plan, Topology};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// One that tshark has no dissector of its own for, which would find our payloads malformed.
pub(crate) const PORT: u16 = 40_404;
pub(crate) const CLIENT_PORT: u16 = 9487;
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// A payload protocol identifier that tshark looks behind for nothing.
pub(crate) const PROTOCOL: u32 = 0x7777;
/// The name in front of what the project's endpoint echoes.
pub(crate) const OURS: &str = "ours";

/// One client, one endpoint, and the balancer between them.
pub(crate) fn topology(paths: usize) -> Topology {
    Topology::build(&Plan { endpoints: 1, paths, ..Plan::default() }).unwrap()
}

/// The project's endpoint and the thread that drives it.
pub(crate) struct Ours {
    // Dropped before the runtime would end the driver.
    pub(crate) transport: Userspace,
    pub(crate) runtime: Runtime,
}

impl Ours {
    pub(crate) fn in_place_of(host: &Host) -> Self {
        Self::with(host, &config())
    }

    /// One that does not ask whether its peers are there, and waits longer than they delay what they acknowledge.
    pub(crate) fn quiet_in_place_of(host: &Host) -> Self {
        Self::with(host, &Config { heartbeat_interval: None, ..Config::default() })
    }

    /// One that speaks over UDP of the host's kernel, at its addresses of IPv4.
    pub(crate) fn in_udp_of(host: &Host) -> Self {
        let runtime = runtime();
        let transport = host.namespace.run(|| {
            let _inside = runtime.enter();
            Userspace::over_udp(&host.addresses(false), Encapsulation::default(), &config()).unwrap()
        });
        Self { transport: transport.unwrap(), runtime }
    }

    fn with(host: &Host, config: &Config) -> Self {
        let runtime = runtime();
        let _inside = runtime.enter();
        let transport = take_over(host, runtime.handle(), config).unwrap();
        drop(_inside);
        Self { transport, runtime }
    }

    /// Echoes what comes to the port; what else happens to associations is told.
    pub(crate) fn serve(&self) -> UnboundedReceiver<Event> {
        let listener = self.listen();
        let (told, events) = unbounded_channel();
        self.runtime.spawn(echo(listener, OURS, told));
        events
    }

    /// Begins an association, and does not wait for it.
    pub(crate) fn connect(&self, begin: Connect) -> Association {
        self.runtime.block_on(async { self.transport.connect(begin) }).unwrap()
    }

    pub(crate) fn listen(&self) -> Listener {
        self.runtime.block_on(async { self.transport.listen(Listen::on(PORT)) }).unwrap()
    }

    /// Ends an association, and waits until the peer has, too.
    #[track_caller]
    pub(crate) fn close(&self, association: &Association) {
        association.shutdown();
        self.wait(next(association, |event| *event == Event::Closed));
    }

    /// What becomes of something, in time.
    #[track_caller]
    pub(crate) fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        let done = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, what).await });
        done.expect("it took too long")
    }

    /// It is gone without a word to anybody.
    pub(crate) fn vanish(self) {
        let Self { transport, runtime } = self;
        runtime.shutdown_timeout(PATIENCE);
        drop(transport);
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Timers that notice a dead path within a second or two.
fn config() -> Config {
    Config {
        rto_initial: Duration::from_millis(200),
        rto_min: Duration::from_millis(100),
        rto_max: Duration::from_millis(400),
        heartbeat_interval: Some(Duration::from_millis(300)),
        path_max_retransmissions: 2,
        // A peer's kernel may take long to start anew.
        association_max_retransmissions: 500,
        max_init_retransmissions: 10,
        outbound_streams: 100,
        receive_buffer: 2 << 20,
        send_buffer: 2 << 20,
        max_message: 300 << 10,
        ..Config::default()
    }
}

/// The next event of that kind.
pub(crate) async fn next(association: &Association, wanted: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = association.receive().await.expect("it has not ended");
        if wanted(&event) {
            return event;
        }
        assert!(!event.is_last(), "{event:?}");
    }
}

pub(crate) async fn message(association: &Association) -> Received {
    match next(association, |event| matches!(event, Event::Message(_))).await {
        Event::Message(message) => message,
        event => panic!("{event:?}"),
    }
}

/// Bytes that differ from place to place, and are text.
pub(crate) fn payload(length: usize) -> Vec<u8> {
    (0..length).map(|at| b'a' + u8::try_from((at * 7 + at / 26) % 26).unwrap()).collect()
}

/// Sends a message and waits for its echo.
pub(crate) async fn echoed(association: &Association, stream: u16, size: usize, name: &str) {
    association.send(Message::new(stream, PROTOCOL, payload(size).into())).await.unwrap();
    let answer = message(association).await;
    assert_eq!((answer.stream, answer.protocol), (stream, PROTOCOL));
    assert_eq!(answer.payload.len(), size + name.len());
    assert!(answer.payload.starts_with(name.as_bytes()) && answer.payload.ends_with(&payload(size)));
}

/// Captures of both hosts' links, at the hosts' end.
pub(crate) struct Captures {
    running: Vec<(Capture, String)>,
    _folder: TempDir,
}

impl Captures {
    pub(crate) fn start(topology: &Topology) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let of_host = |host: &Host| {
            let links = host.links.iter().map(|link| {
                let file: PathBuf = folder.path().join(format!("{}-{}.pcap", host.name, link.path));
                let capture = Capture::start(&host.namespace, &link.host.interface.name, &file).unwrap();
                // What the host itself sends: the rest may have been damaged on the way.
                // ICMP quotes what came, damaged as it was, after the end of a stack too.
                (capture, format!("eth.src == {} && !icmp && !icmpv6", link.host.interface.mac.unwrap()))
            });
            links.collect::<Vec<_>>()
        };
        let running = topology.hosts().flat_map(of_host).collect();
        Self { running, _folder: folder }
    }

    /// Nothing that a host sent is malformed or has a wrong checksum; says how many packets carried SCTP.
    pub(crate) fn judge(self) -> Option<usize> {
        let judge = Judge::find().inspect_err(|missing| skipped(missing)).ok()?;
        let count = |(capture, sent): (Capture, String)| {
            let file = capture.path().to_owned();
            capture.finish().unwrap();
            let bad = "_ws.malformed || sctp.checksum.status == 0 || ip.checksum.status == 0";
            let bad = judge.frames(&file, &format!("{sent} && ({bad})")).unwrap();
            assert!(bad.is_empty(), "{} frames, {:?}", bad.len(), &bad[..bad.len().min(3)]);
            judge.count(&file, &format!("{sent} && sctp.checksum.status == 1")).unwrap()
        };
        Some(self.running.into_iter().map(count).sum())
    }
}

/// Waits until so many paths of an association are confirmed.
#[track_caller]
pub(crate) fn until_confirmed(association: &Association, paths: usize) {
    until(|| association.paths().iter().filter(|path| path.confirmed).count() >= paths);
}

/// Waits until a path of an association answers, or does not.
#[track_caller]
pub(crate) fn until_reach(association: &Association, remote: IpAddr, reach: Reach) {
    until(|| association.paths().iter().any(|path| path.remote == remote && path.reach == reach));
}

/// Waits until something has happened.
#[track_caller]
pub(crate) fn until(done: impl FnMut() -> bool) {
    wait_for(PATIENCE, done);
}
