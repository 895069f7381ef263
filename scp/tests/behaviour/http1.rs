//! Clients that speak HTTP/1.1: probes, and people with curl.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, Response};
use pinion_scp::settings::Settings;
use pinion_scp::{Prepared, Speech};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::support::{Does, Producer, Running, run, settings, until};

async fn scp(settings: Settings) -> Running {
    run(Prepared::new(settings, None, None), Speech::Clear).await
}

/// A client's connection.
struct Client {
    stream: TcpStream,
    come: Vec<u8>,
}

/// An answer as it is on the wire.
struct Answer {
    head: String,
    body: Vec<u8>,
    trailers: String,
}

impl Client {
    async fn connect(to: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(to).await.unwrap(), come: Vec::new() }
    }

    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// What comes up to and with a mark.
    async fn until(&mut self, mark: &[u8]) -> Vec<u8> {
        loop {
            if let Some(at) = self.come.windows(mark.len()).position(|it| it == mark) {
                return self.come.drain(..at + mark.len()).collect();
            }
            assert_ne!(self.stream.read_buf(&mut self.come).await.unwrap(), 0, "the connection ended");
        }
    }

    async fn octets(&mut self, count: usize) -> Vec<u8> {
        while self.come.len() < count {
            assert_ne!(self.stream.read_buf(&mut self.come).await.unwrap(), 0, "the connection ended");
        }
        self.come.drain(..count).collect()
    }

    /// The next answer (RFC 9112 6.3).
    async fn answer(&mut self) -> Answer {
        let head = String::from_utf8(self.until(b"\r\n\r\n").await).unwrap();
        let mut answer = Answer { head, body: Vec::new(), trailers: String::new() };
        if answer.header("transfer-encoding") == "chunked" {
            loop {
                let size = String::from_utf8(self.until(b"\r\n").await).unwrap();
                let size = usize::from_str_radix(size.trim(), 16).unwrap();
                if size == 0 {
                    break;
                }
                answer.body.extend(self.octets(size).await);
                self.until(b"\r\n").await;
            }
            while !answer.trailers.ends_with("\r\n\r\n") && answer.trailers != "\r\n" {
                answer.trailers += std::str::from_utf8(&self.until(b"\r\n").await).unwrap();
            }
        } else if let Ok(length) = answer.header("content-length").parse() {
            answer.body = self.octets(length).await;
        }
        answer
    }

    /// Whether nothing more comes.
    async fn ended(&mut self) -> bool {
        self.come.is_empty() && self.stream.read_buf(&mut self.come).await.is_ok_and(|read| read == 0)
    }
}

impl Answer {
    fn status(&self) -> &str {
        &self.head[9..12]
    }

    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|it| it.split_once(':'));
        lines.into_iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
    }

    fn problem(&self, member: &str) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.head);
        serde_json::from_slice::<Value>(&self.body).unwrap()[member].clone()
    }
}

/// A request of the SCP's for a producer, but for the empty line at its end.
fn ask(method: &str, path: &str, producer: &Producer) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: scp.example\r\n3gpp-Sbi-Target-apiRoot: {}\r\n", producer.root())
}

/// Answers with the path that it was asked for.
async fn named() -> Producer {
    let answer =
        |path: &str| Response::builder().header("content-length", path.len()).body(path.to_owned().into());
    Producer::over(None, move |seen| Does::Answers(answer(&seen.path).unwrap())).await
}

async fn plain() -> Producer {
    Producer::over(None, |_| Does::Answers(Response::new(Bytes::new()))).await
}

#[tokio::test]
async fn one_connection_serves_request_after_request_and_those_sent_at_once_in_their_order() {
    let producer = named().await;
    let running = scp(settings()).await;
    let mut client = Client::connect(running.address).await;
    for path in ["/a", "/bc"] {
        client.send(&format!("{}\r\n", ask("GET", path, &producer))).await;
        let answer = client.answer().await;
        assert_eq!((answer.status(), answer.body.as_slice()), ("200", path.as_bytes()));
    }
    let both = format!("{}\r\n{}\r\n", ask("GET", "/first", &producer), ask("GET", "/second", &producer));
    client.send(&both).await;
    assert_eq!([client.answer().await.body, client.answer().await.body], [&b"/first"[..], b"/second"]);
    client.send(&format!("{}Connection: close\r\n\r\n", ask("GET", "/last", &producer))).await;
    assert_eq!(client.answer().await.body, b"/last");
    assert!(client.ended().await);
}

/// Trailers of a response only for who can have them, and where they are named before (RFC 9110 6.5.1).
#[tokio::test]
async fn content_in_chunks_and_its_trailers_pass_both_ways() {
    let producer = Producer::over(None, |_| {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-end", "response".parse().unwrap());
        Does::Trails(Response::builder().header("trailer", "x-end").body("hello".into()).unwrap(), trailers)
    })
    .await;
    let running = scp(settings()).await;
    let mut client = Client::connect(running.address).await;
    let head = ask("POST", "/x", &producer);
    let content = "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nx-end: request\r\n\r\n";
    client
        .send(&format!("{head}TE: trailers\r\nTrailer: x-end\r\nTransfer-Encoding: chunked\r\n\r\n{content}"))
        .await;
    let answer = client.answer().await;
    assert_eq!((answer.status(), answer.body.as_slice()), ("200", b"hello".as_slice()));
    assert_eq!(answer.trailers, "x-end: response\r\n\r\n");
    let seen = producer.only();
    assert_eq!(
        (seen.body.as_slice(), &seen.trailers.unwrap()["x-end"]),
        (b"abcdefg".as_slice(), &"request".parse().unwrap())
    );
    assert!(!seen.headers.contains_key("transfer-encoding"));
    client.send(&format!("{head}Content-Length: 0\r\n\r\n")).await;
    let answer = client.answer().await;
    assert_eq!((answer.body.as_slice(), answer.trailers.as_str()), (b"hello".as_slice(), "\r\n"));
}

/// RFC 9110 7.6.1, 7.8: they are of this connection, which stays HTTP/1.1.
#[tokio::test]
async fn headers_of_one_connection_end_here_and_upgrades_are_not_taken() {
    let producer = plain().await;
    let running = scp(settings()).await;
    let mut client = Client::connect(running.address).await;
    let own = "Connection: Upgrade, HTTP2-Settings, X-Own\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\
               X-Own: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nX-Kept: 1\r\n";
    client.send(&format!("{}{own}\r\n", ask("GET", "/x", &producer))).await;
    let answer = client.answer().await;
    assert!(answer.head.starts_with("HTTP/1.1 200"), "{}", answer.head);
    let mut names: Vec<_> = producer.only().headers.keys().map(ToString::to_string).collect();
    names.sort();
    assert_eq!(names, ["via", "x-kept"]);
}

#[tokio::test]
async fn head_has_the_length_and_no_content() {
    let producer = named().await;
    let running = scp(settings()).await;
    let mut client = Client::connect(running.address).await;
    let both = format!("{}\r\n{}\r\n", ask("HEAD", "/four", &producer), ask("GET", "/x", &producer));
    client.send(&both).await;
    let head = String::from_utf8(client.until(b"\r\n\r\n").await).unwrap();
    assert!(head.contains("content-length: 5\r\n"), "{head}");
    assert_eq!(client.answer().await.body, b"/x");
    client.send("HEAD /x HTTP/1.1\r\nHost: scp.example\r\n\r\n").await;
    let head = String::from_utf8(client.until(b"\r\n\r\n").await).unwrap();
    assert!(head.contains("application/problem+json"), "{head}");
    client.send(&format!("{}\r\n", ask("GET", "/y", &producer))).await;
    assert_eq!(client.answer().await.body, b"/y");
}

#[tokio::test]
async fn options_of_everything_stay_so() {
    let producer = plain().await;
    let mut settings = settings();
    settings.identity.prefix = "/1".to_owned();
    let running = scp(settings).await;
    let mut client = Client::connect(running.address).await;
    client.send(&format!("{}\r\n", ask("OPTIONS", "*", &producer))).await;
    assert_eq!(client.answer().await.status(), "200");
    assert_eq!(producer.only().path, "*");
}

/// The SCP asks for the content when it sends the request on; what it refuses itself it asks nothing for (RFC 9110 10.1.1).
#[tokio::test]
async fn who_expects_100_gets_it_where_the_request_goes_on() {
    let producer = plain().await;
    let running = scp(settings()).await;
    let mut client = Client::connect(running.address).await;
    let expects = "Content-Length: 4\r\nExpect: 100-continue\r\n";
    client.send(&format!("{}{expects}\r\n", ask("POST", "/x", &producer))).await;
    assert_eq!(client.answer().await.status(), "100");
    client.send("body").await;
    assert_eq!(client.answer().await.status(), "200");
    let seen = producer.only();
    assert_eq!((seen.body.as_slice(), seen.headers.contains_key("expect")), (b"body".as_slice(), false));
    client.send(&format!("POST /x HTTP/1.1\r\nHost: scp.example\r\n{expects}\r\n")).await;
    assert_eq!(client.answer().await.problem("cause"), "TARGET_NF_NOT_REACHABLE");
}

/// RFC 9112 3.2: none, several, and what is none.
#[tokio::test]
async fn a_request_must_have_one_host() {
    let producer = plain().await;
    let running = scp(settings()).await;
    for host in
        ["", "Host: scp.example\r\nHost: scp.example\r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: u@a\r\n"]
    {
        let mut client = Client::connect(running.address).await;
        client
            .send(&format!("GET /x HTTP/1.1\r\n{host}3gpp-Sbi-Target-apiRoot: {}\r\n\r\n", producer.root()))
            .await;
        let answer = client.answer().await;
        assert_eq!((answer.status(), answer.problem("cause")), ("400", "INVALID_MSG_FORMAT".into()), "{host}");
        assert_eq!(answer.problem("invalidParams")[0]["param"], "header host");
        assert_eq!(answer.header("server"), "SCP-scp.example");
    }
    assert!(producer.seen().is_empty());
    // HTTP/1.0 knows of none.
    let mut client = Client::connect(running.address).await;
    client.send(&format!("GET /x HTTP/1.0\r\n3gpp-Sbi-Target-apiRoot: {}\r\n\r\n", producer.root())).await;
    assert_eq!(client.answer().await.status(), "200");
}

#[tokio::test]
async fn errors_say_what_is_wrong() {
    let nrf = crate::nrf::Nrf::start().await;
    let mut settings = nrf.settings();
    let notify = pinion_scp::api_root::ApiRoot::parse("http://scp.example").unwrap();
    settings.nrf.as_mut().unwrap().notify = Some(notify);
    let running = scp(settings).await;
    let _tended = crate::notices::told_of(&nrf, &running).await;
    let mut client = Client::connect(running.address).await;
    client.send("GET /x HTTP/1.1\r\nHost: scp.example\r\n3gpp-Sbi-Message-Priority: 32\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!((answer.status(), answer.problem("cause")), ("400", "OPTIONAL_IE_INCORRECT".into()));
    let long = "x".repeat(1_100_000);
    let head = format!("POST {} HTTP/1.1\r\nHost: scp.example\r\n", nrf.place());
    client.send(&format!("{head}Content-Length: {}\r\n\r\n{long}", long.len())).await;
    let answer = client.answer().await;
    assert_eq!((answer.status(), answer.problem("cause")), ("413", "PAYLOAD_TOO_LARGE".into()));
}

/// A producer whose content does not end, and why its streams do.
async fn endless() -> (String, mpsc::UnboundedReceiver<Reason>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let (resets, reset) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut connection = h2::server::handshake(listener.accept().await.unwrap().0).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            let resets = resets.clone();
            tokio::spawn(async move {
                let mut stream = respond.send_response(Response::new(()), false).unwrap();
                loop {
                    stream.reserve_capacity(65_536);
                    match poll_fn(|task| stream.poll_capacity(task)).await {
                        Some(Ok(room)) => stream.send_data(vec![0; room].into(), false).unwrap(),
                        _ => break,
                    }
                }
                let _ = resets.send(poll_fn(|task| stream.poll_reset(task)).await.unwrap());
            });
        }
    });
    (root, reset)
}

/// Who does not read holds a stream to the producer no longer than a client of HTTP/2 would.
#[tokio::test]
async fn who_does_not_read_is_given_up() {
    let (root, mut resets) = endless().await;
    let mut settings = settings();
    settings.timeouts.stall = Duration::from_millis(300);
    let running = scp(settings).await;
    let mut client = Client::connect(running.address).await;
    client.send(&format!("GET /x HTTP/1.1\r\nHost: scp.example\r\n3gpp-Sbi-Target-apiRoot: {root}\r\n\r\n")).await;
    assert_eq!(resets.recv().await, Some(Reason::CANCEL));
    until(|| running.scp.connections() == 0).await;
}

/// And who waits for a producer that says no more is told so by the end of the connection.
#[tokio::test]
async fn content_that_does_not_come_is_given_up() {
    let producer = Producer::over(None, |_| {
        let response = Response::builder().header("content-length", 10);
        Does::Stalls(response.body(Bytes::from_static(b"half")).unwrap())
    })
    .await;
    let mut settings = settings();
    settings.timeouts.stall = Duration::from_millis(300);
    let running = scp(settings).await;
    let mut client = Client::connect(running.address).await;
    client.send(&format!("{}\r\n", ask("GET", "/x", &producer))).await;
    client.until(b"half").await;
    assert!(client.ended().await);
    until(|| running.scp.connections() == 0).await;
}

#[tokio::test]
async fn a_connection_without_requests_is_closed() {
    let producer = plain().await;
    let mut settings = settings();
    settings.timeouts.client_idle = Duration::from_millis(200);
    let running = scp(settings).await;
    let mut client = Client::connect(running.address).await;
    client.send(&format!("{}\r\n", ask("GET", "/x", &producer))).await;
    assert_eq!(client.answer().await.status(), "200");
    assert!(client.ended().await);
    until(|| running.scp.connections() == 0).await;
}

#[tokio::test]
async fn content_that_its_client_does_not_send_or_cannot_write_is_the_clients_fault() {
    let producer = plain().await;
    let mut settings = settings();
    settings.timeouts.stall = Duration::from_millis(300);
    let running = scp(settings).await;
    for content in ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n"] {
        let mut client = Client::connect(running.address).await;
        client.send(&format!("{}{content}", ask("POST", "/x", &producer))).await;
        let answer = client.answer().await;
        assert_eq!((answer.status(), answer.problem("cause")), ("400", "INVALID_MSG_FORMAT".into()), "{content}");
    }
    assert!(producer.seen().is_empty());
}

#[tokio::test]
async fn who_goes_away_takes_back_what_it_asked() {
    let producer = Producer::over(None, |_| Does::Hangs).await;
    let running = scp(settings()).await;
    let mut client = Client::connect(running.address).await;
    client.send(&format!("{}\r\n", ask("GET", "/x", &producer))).await;
    until(|| producer.seen().len() == 1).await;
    drop(client);
    until(|| running.scp.parts().gate.load() == (0, 0) && running.scp.connections() == 0).await;
}

/// RFC 9112 6.1, 6.3: how it came counts; a length beside that would be another's way to read it.
#[tokio::test]
async fn a_length_beside_chunks_is_not_passed_on() {
    let producer = plain().await;
    let running = scp(settings()).await;
    let mut client = Client::connect(running.address).await;
    let both = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    client.send(&format!("{}{both}", ask("POST", "/x", &producer))).await;
    assert_eq!(client.answer().await.status(), "200");
    let seen = producer.only();
    assert_eq!((seen.body.as_slice(), seen.headers.contains_key("content-length")), (b"body".as_slice(), false));
}
