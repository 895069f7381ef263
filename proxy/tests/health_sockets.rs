//! Probes over real sockets, on loopback.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of a test may stop at the first surprise, as it may"
)]

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pinion::config::model::Probe;
use pinion::health::probe::{Prober, Sockets};
use pinion::health::{Outcome, Target};
use pinion_networks::missing::skipped;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, UdpSocket};

#[path = "health/common.rs"]
mod common;

use common::{answers, brief, probe, target, words};

const V4: &str = "127.0.0.1:0";
const V6: &str = "[::1]:0";

/// Whether this host has the address; without ::1, what needs it is left out.
async fn bound(address: &str) -> Option<UdpSocket> {
    match UdpSocket::bind(address).await {
        Ok(socket) => Some(socket),
        Err(error) => {
            skipped(format_args!("{address} cannot be bound: {error}"));
            None
        }
    }
}

/// An address of loopback at which nothing listens.
async fn closed(address: &str) -> Option<SocketAddr> {
    Some(bound(address).await?.local_addr().unwrap())
}

/// Answers each datagram with what `answer` makes of it.
async fn peer(
    address: &str,
    answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
) -> Option<(SocketAddr, impl Future<Output = SocketAddr>)> {
    let socket = bound(address).await?;
    let at = socket.local_addr().unwrap();
    let (asked, first) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let mut asked = Some(asked);
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            if let Some(asked) = asked.take() {
                let _ = asked.send(from);
            }
            for datagram in answer(&buffer[..length]) {
                socket.send_to(&datagram, from).await.unwrap();
            }
        }
    });
    Some((at, async { first.await.unwrap() }))
}

fn udp(payload: &[u8], answer: bool) -> Probe {
    Probe::Udp { payload: payload.to_vec(), answer }
}

#[tokio::test]
async fn udp_counts_answers_silence_and_unreachables() {
    for address in [V4, V6] {
        let Some((echo, _)) = peer(address, |datagram| vec![datagram.to_vec()]).await else { continue };
        let (mute, _) = peer(address, |_| Vec::new()).await.unwrap();
        let nobody = closed(address).await.unwrap();
        for asks in [true, false] {
            assert!(answers(&probe(target(echo, udp(b"ping", asks))).await));
            let icmp = if nobody.is_ipv6() { "ICMPv6" } else { "ICMP" };
            assert_eq!(
                words(&probe(target(nobody, udp(b"ping", asks))).await),
                format!("connection refused ({icmp} port unreachable from {})", nobody.ip())
            );
        }
        assert_eq!(
            words(&probe(brief(target(mute, udp(b"", true)))).await),
            "no answer to UDP datagram within 300 ms"
        );
        assert_eq!(words(&probe(brief(target(mute, udp(b"", false)))).await), "no ICMP unreachable within 300 ms");
    }
}

#[tokio::test]
async fn gtpu_echo_is_answered_by_its_own_sequence_number() {
    for address in [V4, V6] {
        // Echo Response as scapy 2.8.0 builds it, with the request's sequence number.
        let response = |request: &[u8], more: u8| {
            assert_eq!(request[..8], *b"\x32\x01\0\x04\0\0\0\0");
            vec![0x32, 2, 0, 6, 0, 0, 0, 0, request[8], request[9].wrapping_add(more), 0, 0, 14, 0]
        };
        let Some((good, _)) = peer(address, move |request| vec![response(request, 0)]).await else { continue };
        let (late, _) = peer(address, move |request| vec![response(request, 1)]).await.unwrap();
        let (both, _) =
            peer(address, move |request| vec![response(request, 1), response(request, 0)]).await.unwrap();
        assert!(answers(&probe(target(good, Probe::Gtpu)).await));
        assert!(answers(&probe(target(both, Probe::Gtpu)).await));
        assert_eq!(words(&probe(brief(target(late, Probe::Gtpu))).await), "no answer to GTP-U Echo within 300 ms");
    }
}

#[tokio::test]
async fn pfcp_heartbeat_tells_when_the_balancer_began() {
    let (stamps, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let (at, _) = peer(V4, move |request| {
        assert_eq!(request[..4], *b"\x20\x01\0\x0c");
        stamps.send(request[12..16].to_vec()).unwrap();
        // Heartbeat Response as scapy 2.8.0 builds it.
        let [s, t, u] = [request[4], request[5], request[6]];
        vec![vec![0x20, 2, 0, 12, s, t, u, 0, 0, 96, 0, 4, 0xe0, 0, 0, 2]]
    })
    .await
    .unwrap();
    let sockets = Sockets::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    for draw in [1, 2] {
        assert!(answers(&sockets.probe(Arc::new(target(at, Probe::Pfcp)), [draw, draw]).await));
        // RFC 5905: one second after 2,208,988,800.
        assert_eq!(seen.recv().await.unwrap(), 2_208_988_801_u32.to_be_bytes());
    }
    let (other, _) = peer(V4, |request| vec![[b"\x20\x0b\0\x04", &request[4..7], b"\0"].concat()]).await.unwrap();
    assert_eq!(words(&probe(target(other, Probe::Pfcp)).await), "peer does not speak this version of PFCP");
}

#[tokio::test]
async fn tcp_connects_or_is_refused() {
    for address in [V4, V6] {
        let Some(nobody) = closed(address).await else { continue };
        let listener = TcpListener::bind(address).await.unwrap();
        let at = listener.local_addr().unwrap();
        assert!(answers(&probe(target(at, Probe::Tcp)).await));
        assert_eq!(words(&probe(target(nobody, Probe::Tcp)).await), "connection refused (RST)");
        // It was closed by RST: nothing is left in TIME-WAIT.
        let (stream, _) = listener.accept().await.unwrap();
        stream.readable().await.unwrap();
        assert_eq!(stream.try_read(&mut [0]).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn probes_come_from_the_address_that_is_given() {
    let from: IpAddr = "127.0.0.7".parse().unwrap();
    for kind in [udp(b"x", true), Probe::Gtpu] {
        let (at, first) = peer(V4, |_| Vec::new()).await.unwrap();
        probe(Target { from: Some(from), ..brief(target(at, kind)) }).await;
        assert_eq!(first.await.ip(), from);
    }
    let listener = TcpListener::bind(V4).await.unwrap();
    let at = listener.local_addr().unwrap();
    assert!(answers(&probe(Target { from: Some(from), ..target(at, Probe::Tcp) }).await));
    assert_eq!(listener.accept().await.unwrap().1.ip(), from);
}

#[tokio::test]
async fn what_hinders_the_balancer_is_no_failure_of_the_path() {
    let at: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let elsewhere = Some("198.51.100.1".parse().unwrap());
    for kind in [udp(b"x", true), Probe::Tcp] {
        let outcome = probe(Target { from: elsewhere, ..target(at, kind) }).await;
        assert!(matches!(outcome, Outcome::Unprobed(_)), "{}", words(&outcome));
    }
    let outcome = probe(Target { from: Some("::1".parse().unwrap()), ..target(at, Probe::Tcp) }).await;
    assert_eq!(words(&outcome), "cannot probe: ::1 cannot be the source of a probe of 127.0.0.1");
}

/// Answers each HTTP/2 request on one connection after another: its path is the status.
async fn http2_server() -> (SocketAddr, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind(V4).await.unwrap();
    let at = listener.local_addr().unwrap();
    let (asked, seen) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let asked = asked.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                asked.send(format!("{} {}", request.method(), request.uri())).unwrap();
                let status = request.uri().path().trim_start_matches('/').parse::<u16>().unwrap();
                std::future::ready(Response::builder().status(status).body(Empty::<Bytes>::new()))
            });
            let connection =
                http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    (at, seen)
}

fn get(path: &str, authority: Option<&str>) -> Probe {
    Probe::Http2 { path: path.to_owned(), authority: authority.map(str::to_owned) }
}

#[tokio::test]
async fn http2_counts_by_status() {
    let (at, mut seen) = http2_server().await;
    assert_eq!(words(&probe(target(at, get("/204", None))).await), "answers HTTP/2 GET");
    assert_eq!(seen.recv().await.unwrap(), format!("GET http://{at}/204"));
    assert_eq!(words(&probe(target(at, get("/302?a=b", Some("nrf.5gc:80")))).await), "answers HTTP/2 GET");
    assert_eq!(seen.recv().await.unwrap(), "GET http://nrf.5gc:80/302?a=b");
    assert_eq!(words(&probe(target(at, get("/503", None))).await), "HTTP status 503");
}

#[tokio::test]
async fn what_speaks_no_http2_is_told_from_what_is_not_there() {
    let nobody = closed(V4).await.unwrap();
    assert_eq!(words(&probe(target(nobody, get("/", None))).await), "connection refused (RST)");
    for said in ["HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", ""] {
        let listener = TcpListener::bind(V4).await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(said.as_bytes()).await.unwrap();
        });
        let said = words(&probe(target(at, get("/", None))).await);
        assert!(said.starts_with("no HTTP/2: "), "{said}");
    }
    // It accepts, and says nothing.
    let listener = TcpListener::bind(V4).await.unwrap();
    let at = listener.local_addr().unwrap();
    let said = words(&probe(brief(target(at, get("/", None)))).await);
    assert_eq!(said, "no answer to HTTP/2 GET within 300 ms");
}
