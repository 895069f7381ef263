//! The front end as the daemon hosts it, through sockets: what an establishment takes by way of it, and what directly,
//! at half of what there can be in a second.
//!
//! All of it is on loopback addresses of this process: an SMF that asks, UPFs that answer, and between them the host with
//! its session table in user space and its files.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::socket::{setsockopt, sockopt};
use pinion::n4::{Host, Start};
use pinion::sessions::{Full, Names, Owner, Settings as TableSettings, Table};
use pinion_loader::Bounds;
use pinion_loader::setup::{EndpointSpec, ServiceSpec, Setup};
use pinion_loader::user::UserEngine;
use pinion_protocols::pfcp::{Cause, Message, MessageType, PORT};
use pinion_steering::{Exhausted, Kind, Placement, Unknown};
use tokio::runtime::{Builder, Runtime};

use super::super::BenchError;
use super::peers::{Asks, answer, n3};
use super::{N3, UPFS, settings_at};

const SMF: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 1);
const OWN: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 100);

/// Establishments that are timed, and those that show what there can be.
const TIMED: u32 = 20_000;
const FILLING: u32 = 20_000;
/// Tunnels that there may be.
const PINS: u32 = 100_000;
/// How many are under way at once to show that.
const WINDOW: u32 = 64;
/// A datagram that is not there by then is lost.
const LOST: Duration = Duration::from_secs(2);

/// What was measured: by way of the host, and directly.
pub(super) struct Figures {
    /// Establishments a second, as many as there can be.
    pub(super) most: [f64; 2],
    /// Microseconds that 99 of 100 take at most, at half of what the host can.
    pub(super) p99: [f64; 2],
}

/// Measures.
pub(super) fn run() -> Result<Figures, BenchError> {
    let upfs = (1..=UPFS).map(|number| Answering::start(upf(number))).collect::<io::Result<Vec<_>>>();
    let _upfs = upfs.map_err(missing)?;
    let folder = tempfile::tempdir().map_err(missing)?;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(missing)?;
    let _host = host(&runtime, folder.path())?;
    let socket = open(SMF).map_err(missing)?;
    socket.set_read_timeout(Some(LOST)).map_err(missing)?;
    let through = SocketAddr::new(OWN.into(), PORT);
    let direct = SocketAddr::new(upf(1).into(), PORT);
    associate(&socket, through)?;
    let mut asks = Asks::default();
    let most = [filled(&socket, through, &mut asks)?, filled(&socket, direct, &mut asks)?];
    let apart = Duration::from_secs_f64(2.0 / most[0]);
    let p99 = [paced(&socket, through, &mut asks, apart)?, paced(&socket, direct, &mut asks, apart)?];
    Ok(Figures { most, p99 })
}

fn missing(error: impl Into<Box<dyn Error>>) -> BenchError {
    BenchError::Missing(error.into().to_string())
}

fn upf(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, 10 + number)
}

/// A PFCP port, with room for what comes while others have the processor.
fn open(at: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((at, PORT))?;
    // Without the capability there is less.
    let _ = setsockopt(&socket, sockopt::RcvBufForce, &(8 << 20));
    Ok(socket)
}

/// The daemon's host, on a thread of its own.
fn host(runtime: &Runtime, folder: &std::path::Path) -> Result<Host, BenchError> {
    let mut maps = UserEngine::new(Bounds { pins: PINS, ..Bounds::default() });
    let n3 = ServiceSpec {
        name: "n3".into(),
        kind: Kind::Gtpu,
        protocol: 17,
        port: 2152,
        addresses: vec![IpAddr::V4(N3)],
        unknown: Unknown::Drop,
        placement: Placement::Maglev,
        exhausted: Exhausted::Drop,
        endpoints: (1..=UPFS)
            .map(|number| EndpointSpec {
                name: format!("upf-{number}"),
                addresses: vec![n3(upf(number)).into()],
                port: 2152,
                weight: 1,
                up: true,
            })
            .collect(),
        aware: false,
        exits: Vec::new(),
    };
    let mut setup = Setup::default();
    let services = [n3];
    setup.apply(&mut maps, &services)?;
    let names = Arc::new(Names::new(&setup, &services, |_| Some("n3"), None));
    let table = Table::new(&Owner::new(maps), TableSettings { bound: PINS, full: Full::Refuse });
    let socket = open(OWN).map_err(missing)?;
    socket.set_nonblocking(true).map_err(missing)?;
    let _inside = runtime.enter();
    let start = Start {
        service: "n4".to_owned(),
        socket: tokio::net::UdpSocket::from_std(socket).map_err(missing)?,
        settings: settings_at(OWN, upf, false),
        table,
        folder: folder.to_owned(),
        store: None,
        seed: 7,
        now: SystemTime::now(),
    };
    runtime.block_on(Host::start(start, move || Arc::clone(&names), |_| {})).map_err(missing)
}

/// Asks for an association, once the host has those with UPFs.
fn associate(socket: &UdpSocket, to: SocketAddr) -> Result<(), BenchError> {
    thread::sleep(Duration::from_secs(1));
    socket.send_to(&Asks::association(), to).map_err(missing)?;
    let mut buffer = [0; 2048];
    let (length, _) = socket.recv_from(&mut buffer).map_err(missing)?;
    let answer = buffer.get(..length).and_then(|bytes| Message::parse(bytes).ok());
    match answer.and_then(|answer| answer.routing().ok()?.cause) {
        Some(Cause::ACCEPTED) => Ok(()),
        _ => Err(missing("the front end has no UPF")),
    }
}

/// Establishments a second, with so many under way that nobody waits for the SMF.
fn filled(socket: &UdpSocket, to: SocketAddr, asks: &mut Asks) -> Result<f64, BenchError> {
    let begun = Instant::now();
    for _ in 0..WINDOW {
        socket.send_to(&asks.establishment(), to).map_err(missing)?;
    }
    let mut buffer = [0; 2048];
    for sent in WINDOW..FILLING + WINDOW {
        while answered(socket, &mut buffer)?.is_none() {}
        if sent < FILLING {
            socket.send_to(&asks.establishment(), to).map_err(missing)?;
        }
    }
    Ok(f64::from(FILLING) / begun.elapsed().as_secs_f64())
}

/// Microseconds that 99 of 100 take at most, one after the other at a distance.
fn paced(socket: &UdpSocket, to: SocketAddr, asks: &mut Asks, apart: Duration) -> Result<f64, BenchError> {
    let requests: Vec<_> = (0..TIMED).map(|_| asks.establishment()).collect();
    let sender = socket.try_clone().map_err(missing)?;
    let sending = thread::spawn(move || -> io::Result<BTreeMap<u32, Instant>> {
        let (begun, mut sent) = (Instant::now(), BTreeMap::new());
        for (number, request) in (0..).zip(&requests) {
            thread::sleep((apart * number).saturating_sub(begun.elapsed()));
            let sequence = Message::parse(request).map(|request| request.sequence()).unwrap_or_default();
            sent.insert(sequence, Instant::now());
            sender.send_to(request, to)?;
        }
        Ok(sent)
    });
    let (mut buffer, mut came) = ([0; 2048], Vec::new());
    while came.len() < TIMED as usize {
        if let Some(sequence) = answered(socket, &mut buffer)? {
            came.push((sequence, Instant::now()));
        }
    }
    let sent = sending.join().map_err(|_| missing("the SMF has stopped"))?.map_err(missing)?;
    let took = came.into_iter().filter_map(|(number, at)| Some(at.duration_since(*sent.get(&number)?)));
    let mut took: Vec<Duration> = took.collect();
    took.sort_unstable();
    Ok(took.get(took.len() * 99 / 100).map_or(f64::NAN, |it| it.as_secs_f64() * 1e6))
}

/// Takes a datagram: which establishment it answers. A heartbeat is answered, and is none.
fn answered(socket: &UdpSocket, buffer: &mut [u8]) -> Result<Option<u32>, BenchError> {
    let (length, from) = socket.recv_from(buffer).map_err(|_| missing("a datagram was lost on loopback"))?;
    let bytes = buffer.get(..length).unwrap_or_default();
    let message = Message::parse(bytes).map_err(missing)?;
    if message.message_type() == MessageType::HeartbeatRequest {
        if let Some(answer) = answer(bytes, SMF.into()) {
            socket.send_to(&answer, from).map_err(missing)?;
        }
        return Ok(None);
    }
    let made = message.message_type() == MessageType::SessionEstablishmentResponse;
    Ok(made.then(|| message.sequence()))
}

/// A UPF that answers, until it is dropped.
struct Answering {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Answering {
    fn start(at: Ipv4Addr) -> io::Result<Self> {
        let socket = open(at)?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let ends = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            let mut buffer = [0; 2048];
            while !until.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let answer = buffer.get(..length).and_then(|request| answer(request, at.into()));
                // Whoever asked has gone, where it cannot be sent.
                let _ = answer.map(|answer| socket.send_to(&answer, from));
            }
        });
        Ok(Self { ends, thread: Some(thread) })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
