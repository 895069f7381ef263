//! The host of the GTPv2-C front end, on loopback: a socket, a clock and files.
#![cfg(test)]

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use pinion::gtpc::{Host, Start};
use pinion::spoken::seed;
use pinion_gtpc::{Bounds, Endpoint, Placement, Settings, Timers};
use pinion_protocols::gtpv2::{
    Addresses, Cause, Element, ElementType, FTeid, Message, MessageType, MessageWriter, PORT,
};
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Nobody waits longer than that for what comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Addresses of a test's own.
fn address(last: u8) -> IpAddr {
    let [_, _, a, b] = std::process::id().to_be_bytes();
    IpAddr::from([127, a | 0x40, b, last])
}

async fn socket(last: u8) -> UdpSocket {
    UdpSocket::bind(SocketAddr::new(address(last), PORT)).await.unwrap()
}

fn settings(here: u8, sgws: &[u8]) -> Settings {
    let endpoint = |(number, last): (usize, &u8)| Endpoint {
        name: format!("sgws/sgw-{}", number + 1).into(),
        address: address(*last),
        weight: 1,
        priority: 0,
        drained: false,
    };
    Settings {
        address: address(here),
        endpoints: sgws.iter().enumerate().map(endpoint).collect(),
        placement: Placement::Hash,
        timers: Timers { echo: Duration::from_secs(60), t3: Duration::from_secs(3), n3: 3 },
        bounds: Bounds::default(),
    }
}

async fn start(folder: &Path, here: u8, sgws: &[u8]) -> Host {
    let (service, folder) = ("s11".to_owned(), folder.join("s11"));
    let (settings, seed, now) = (settings(here, sgws), seed(), SystemTime::now());
    Host::start(Start { service, socket: socket(here).await, settings, folder, seed, now }, |_| {}).unwrap()
}

fn message(
    kind: MessageType,
    teid: Option<u32>,
    number: u32,
    body: impl FnOnce(&mut MessageWriter<'_>),
) -> BytesMut {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, kind, teid, number);
    body(&mut writer);
    writer.finish().unwrap();
    out
}

fn tunnel(interface: u8, teid: u32, last: u8) -> Element<'static> {
    Element::FTeid(FTeid { interface, teid, addresses: Addresses::from(address(last)) })
}

/// What comes next, but for Echo Requests, which are answered.
async fn take(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 2048];
    loop {
        let (length, from) = timeout(PATIENCE, socket.recv_from(&mut buffer)).await.unwrap().unwrap();
        let received = Message::parse(&buffer[..length]).unwrap();
        if received.message_type() != MessageType::EchoRequest {
            return (buffer[..length].to_vec(), from);
        }
        let answer = message(MessageType::EchoResponse, None, received.sequence(), |writer| {
            writer.add(&Element::Recovery(5));
        });
        socket.send_to(&answer, from).await.unwrap();
    }
}

fn end(bytes: &[u8]) -> u32 {
    let message = Message::parse(bytes).unwrap();
    match message.elements().find(ElementType::FTeid).unwrap().unwrap().parse().unwrap() {
        Element::FTeid(tunnel) => {
            assert_eq!(tunnel.addresses, address(1).into());
            tunnel.teid
        }
        other => panic!("{other:?}"),
    }
}

/// Asks by the MME, answers by the SGW, and takes the MME's answer.
async fn exchange(mme: &UdpSocket, sgw: &UdpSocket, request: &[u8], with: &[Element<'_>]) -> (Vec<u8>, Vec<u8>) {
    mme.send_to(request, SocketAddr::new(address(1), PORT)).await.unwrap();
    let (asked, from) = take(sgw).await;
    let view = Message::parse(&asked).unwrap();
    let response = view.message_type().response().unwrap();
    let teid = if view.message_type() == MessageType::CreateSessionRequest { Some(end(&asked)) } else { Some(0) };
    let answer = message(response, teid, view.sequence(), |writer| {
        writer.add(&Element::Cause(Cause::Accepted, 0));
        for element in with {
            writer.add(element);
        }
    });
    sgw.send_to(&answer, from).await.unwrap();
    (asked, take(mme).await.0)
}

#[tokio::test]
async fn a_session_goes_on_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (mme, sgw) = (socket(11).await, socket(21).await);
    let host = start(folder.path(), 1, &[21]).await;
    let create = message(MessageType::CreateSessionRequest, Some(0), 1, |writer| {
        writer.element(ElementType::Imsi, |out| out.extend_from_slice(&[0, 1, 1, 0x21, 0x43, 0x65, 0x87, 0xf9]));
        writer.add(&tunnel(10, 0x11, 11));
        writer.nested(ElementType::BearerContext, |writer| {
            writer.add(&Element::EpsBearerId(5));
        });
    });
    let (_, answer) = exchange(&mme, &sgw, &create, &[tunnel(11, 0x21, 21)]).await;
    let view = Message::parse(&answer).unwrap();
    assert_eq!(
        (view.message_type(), view.teid(), view.sequence()),
        (MessageType::CreateSessionResponse, Some(0x11), 1)
    );
    let here = end(&answer);
    let before = host.sessions(None, 10).await;
    assert_eq!(before.len(), 1);
    assert_eq!((before[0].subscriber.as_deref(), before[0].client_teid), (Some("001010123456789"), here));
    drop(host);
    // The port is free once the task is gone.
    let again = loop {
        tokio::task::yield_now().await;
        if UdpSocket::bind(SocketAddr::new(address(1), PORT)).await.is_ok() {
            break start(folder.path(), 1, &[21]).await;
        }
    };
    assert_eq!(again.sessions(None, 10).await, before);
    let modify = message(MessageType::ModifyBearerRequest, Some(here), 2, |_| {});
    let (asked, answer) = exchange(&mme, &sgw, &modify, &[]).await;
    assert_eq!(Message::parse(&asked).unwrap().teid(), Some(0x21));
    let view = Message::parse(&answer).unwrap();
    assert_eq!((view.message_type(), view.sequence()), (MessageType::ModifyBearerResponse, 2));
    let (endpoints, counts) = again.endpoints().await;
    assert_eq!((&*endpoints[0].name, endpoints[0].sessions, counts.requests), ("sgws/sgw-1", 1, 1));
}

fn python() -> Option<PathBuf> {
    let named = std::env::var_os("PINION_PYTHON").map(PathBuf::from);
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/python");
    named.into_iter().chain([made, "python3".into()]).find(|python| {
        let asked =
            Command::new(python).args(["-c", "import scapy.contrib.gtp_v2"]).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    })
}

#[tokio::test]
async fn scapys_mme_and_sgws_speak_through_it() {
    let Some(python) = python() else {
        let why = "no Python with scapy: set PINION_PYTHON, or make a venv in target/venv";
        let _ = writeln!(std::io::stderr(), "\nskipped: {why}");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let host = start(folder.path(), 2, &[31, 32]).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gtpc/peers.py");
    let peers = [2, 12, 31, 32].map(|last| address(last).to_string());
    let run = move || Command::new(python).arg(script).args(peers).stdin(Stdio::null()).output().unwrap();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, "created 20\nmodified\nnotified\ndeleted\n", "{}", String::from_utf8_lossy(&output.stderr));
    let (endpoints, counts) = host.endpoints().await;
    assert_eq!(endpoints.iter().map(|it| it.sessions).sum::<u32>(), 10);
    // 20 of each of three kinds, and 10 that ended.
    assert_eq!((counts.requests, counts.created, counts.deleted, counts.unasked), (70, 20, 10, 0));
}
