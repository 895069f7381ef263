//! A request that is sent more than once is the same each time, but for what says so: whatever its headers, and why ever it is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use http::{Request, Response};
use pinion_scp::settings::{Redirects, Settings};
use pinion_scp::{Prepared, Speech};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::nrf::{Nrf, ONE, OWN, one_before_two, udm};
use crate::support::{Client, Does, Producer, SCP, Seen, run, scheme, scp, settings};

/// What clients send: names that come more than once, apart from each other, and those that make a kind of request between them.
const SENT: [(&str, &str); 16] = [
    ("x-first", "1"),
    ("accept", "application/json"),
    ("user-agent", "AMF-1"),
    ("x-many", "a"),
    ("3gpp-sbi-message-priority", "5"),
    ("accept", "application/problem+json"),
    ("x-many", "b, c"),
    ("3gpp-sbi-max-forward-hops", "5; nodetype=scp"),
    ("3gpp-sbi-max-forward-hops", "7; nodetype=sepp"),
    ("content-type", "application/json"),
    ("via", "2.0 SCP-other.example"),
    ("3gpp-sbi-correlation-info", "imsi-001010000000001"),
    ("x-many", "a"),
    ("x-empty", ""),
    ("x-octets", "a\tb"),
    ("x-last", "1"),
];

/// A request like that, with what says whom it is for.
fn request(method: &str, whom: &[(&str, &str)]) -> http::request::Builder {
    let request = Request::builder().method(method).uri(format!("{}://{SCP}/nudm-sdm/v2/x?a=b", scheme()));
    // Whom it is for comes in between.
    let (before, after) = SENT.split_at(5);
    before.iter().chain(whom).chain(after).fold(request, |it, (name, value)| it.header(*name, *value))
}

/// Whom discovery finds.
const FOUND: [(&str, &str); 3] = [
    ("3gpp-Sbi-Discovery-target-nf-type", "UDM"),
    ("3gpp-Sbi-Discovery-requester-nf-instance-id", OWN),
    ("3gpp-Sbi-Discovery-requester-snssai-list", "[{\"sst\":1}]"),
];

/// What a producer was told, in its order by name, but for what says that it is another attempt, or with which token.
fn told(seen: &Seen) -> Vec<(String, String)> {
    let not = ["3gpp-sbi-request-info", "authorization"];
    let all = seen.headers.iter().filter(|(name, _)| !not.contains(&name.as_str()));
    let mut all: Vec<_> =
        all.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    all.sort_by(|one, two| one.0.cmp(&two.0));
    all
}

/// All that were seen are the same, and what was sent is in them.
fn same(seen: &[Seen], times: usize) {
    assert_eq!(seen.len(), times);
    let first = told(&seen[0]);
    for another in seen {
        assert_eq!(told(another), first);
        assert_eq!(
            (&another.method, &another.path, &another.body),
            (&seen[0].method, &seen[0].path, &seen[0].body)
        );
    }
    let of = |name: &str| first.iter().filter(|it| it.0 == name).map(|it| it.1.clone()).collect::<Vec<_>>();
    for (name, _) in SENT {
        let mut sent: Vec<_> = SENT
            .iter()
            .filter(|it| it.0 == name)
            .map(|it| it.1.replace("5; nodetype=scp", "4; nodetype=scp"))
            .collect();
        if name == "via" {
            sent.push(format!("SCP-{SCP}"));
        }
        assert_eq!(of(name), sent, "{name}");
    }
}

async fn failing(reason: Reason) -> Producer {
    let asked = AtomicUsize::new(0);
    Producer::with(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Does::Resets(reason),
        _ => Does::Answers(Response::new(Bytes::new())),
    })
    .await
}

#[tokio::test]
async fn f3_who_is_asked_once_more_is_asked_the_same() {
    for (method, body, reason) in [
        ("POST", "{\"a\":1}", Reason::REFUSED_STREAM),
        ("GET", "", Reason::REFUSED_STREAM),
        ("PUT", "{\"a\":1}", Reason::INTERNAL_ERROR),
        ("GET", "", Reason::INTERNAL_ERROR),
    ] {
        let producer = failing(reason).await;
        let running = scp(settings()).await;
        let client = Client::connect(running.address).await;
        let root = producer.root();
        let request = request(method, &[("3gpp-Sbi-Target-apiRoot", &root)]);
        assert_eq!(client.ask(request.body(body).unwrap()).await.status, 200);
        same(&producer.seen(), 2);
    }
}

/// All is as of a kind that is known, or there is a header of that kind more than before, or they come in another order.
#[tokio::test]
async fn f3_the_same_is_asked_whatever_was_asked_before() {
    let asked = AtomicUsize::new(0);
    let producer = Producer::with(move |_| match asked.fetch_add(1, Ordering::SeqCst) % 2 {
        0 => Does::Resets(Reason::REFUSED_STREAM),
        _ => Does::Answers(Response::new(Bytes::new())),
    })
    .await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let mut turned = FOUND.to_vec();
    turned.reverse();
    let mut more = FOUND.to_vec();
    more.extend([("3gpp-Sbi-Discovery-requester-nf-type", "AMF"), ("3gpp-Sbi-Callback", "Nudm_SDM_Notification")]);
    let only = &FOUND[..1];
    let mut sent = 0;
    for whom in [&FOUND, &FOUND[..], &turned, &more, only, &more, &turned, &FOUND] {
        assert_eq!(client.ask(request("POST", whom).body("{}").unwrap()).await.status, 200);
        same(&producer.seen()[sent..], 2);
        sent += 2;
        let names = &producer.seen()[sent - 1].headers;
        for (name, value) in &more {
            let sent = whom.iter().any(|it| it.0 == *name);
            assert_eq!(names.get(name.to_lowercase()).map(|it| it.to_str().unwrap()), sent.then_some(*value));
        }
    }
    // Nothing but what makes the kind.
    for _ in 0..2 {
        let bare = Request::builder().method("GET").uri(format!("{}://{SCP}/nudm-sdm/v2/x", scheme()));
        let bare = FOUND.iter().fold(bare, |it, (name, value)| it.header(*name, *value));
        assert_eq!(client.ask(bare.body("").unwrap()).await.status, 200);
        let seen = producer.seen();
        assert_eq!(told(&seen[sent]), told(&seen[sent + 1]));
        sent += 2;
    }
}

#[tokio::test]
async fn f3_who_is_asked_beside_another_is_asked_the_same() {
    for (method, body) in [("GET", ""), ("PUT", "{\"a\":1}")] {
        let (one, two) = (Producer::with(|_| Does::Hangs).await, Producer::start().await);
        let nrf = Nrf::with(one_before_two(&one, &two).into()).await;
        let mut settings = nrf.settings();
        settings.timeouts.attempt = Duration::from_millis(200);
        let running = scp(settings).await;
        let client = Client::connect(running.address).await;
        assert_eq!(client.ask(request(method, &FOUND).body(body).unwrap()).await.status, 200);
        same(&[one.seen(), two.seen()].concat(), 2);
    }
}

#[tokio::test]
async fn a2_who_wants_a_token_is_asked_the_same() {
    let producer = Producer::with(|seen| {
        let fine = seen.headers.get("authorization").is_some_and(|it| it == "Bearer token-2");
        let answer = Response::builder().status(if fine { 200 } else { 401 }).header("www-authenticate", "Bearer");
        Does::Answers(answer.body(Bytes::new()).unwrap())
    })
    .await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let mut whom = FOUND.to_vec();
    whom.push(("3gpp-Sbi-Access-Scope", "nudm-sdm"));
    assert_eq!(client.ask(request("POST", &whom).body("{\"a\":1}").unwrap()).await.status, 200);
    same(&producer.seen(), 2);
}

#[tokio::test]
async fn f4_who_is_asked_by_a_redirection_is_asked_the_same() {
    let there = Producer::start().await;
    let location = format!("{}/nudm-sdm/v2/x?a=b", there.root());
    let here = Producer::with(move |_| {
        Does::Answers(Response::builder().status(307).header("location", &location).body(Bytes::new()).unwrap())
    })
    .await;
    let running = scp(Settings { redirects: Redirects::Follow, ..settings() }).await;
    let client = Client::connect(running.address).await;
    let root = here.root();
    let request = request("POST", &[("3gpp-Sbi-Target-apiRoot", &root)]);
    assert_eq!(client.ask(request.body("{\"a\":1}").unwrap()).await.status, 200);
    same(&[here.seen(), there.seen()].concat(), 2);
}

/// Of a client that speaks HTTP/1.1.
#[tokio::test]
async fn f3_what_came_as_http1_is_the_same_once_more() {
    let asked = AtomicUsize::new(0);
    let producer = Producer::over(None, move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Does::Resets(Reason::REFUSED_STREAM),
        _ => Does::Answers(Response::new(Bytes::new())),
    })
    .await;
    let running = run(Prepared::new(settings(), None, None), Speech::Clear).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let root = producer.root();
    let mut text =
        format!("POST /nudm-sdm/v2/x?a=b HTTP/1.1\r\nHost: {SCP}\r\nConnection: close, x-hop\r\nx-hop: 1\r\n");
    for (name, value) in SENT.iter().chain(&[("3gpp-Sbi-Target-apiRoot", root.as_str()), ("content-length", "7")])
    {
        text += &format!("{name}: {value}\r\n");
    }
    stream.write_all((text + "\r\n{\"a\":1}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let seen = producer.seen();
    same(&seen, 2);
    assert!(["x-hop", "connection", "host"].iter().all(|it| !seen[1].headers.contains_key(*it)));
}
