//! Connections to producers: closed ones, idle ones, dead ones.

use std::future::poll_fn;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use pinion_scp::resolve::{Addresses, Looked, Resolve};
use pinion_scp::{Prepared, Speech};
use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::frames::{END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, Raw, SETTINGS};
use crate::nrf::{Nrf, ONE, TWO, in_turn, udm};
use crate::profiles;
use crate::support::{Client, Does, Producer, get, post, run, scp, settings, until};

/// A producer that closes each connection after so many requests, as one does that is restarted gently.
pub(crate) async fn restless(requests: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                let mut answered = 0;
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    tokio::spawn(async move {
                        let _ = crate::support::read(request.into_body()).await;
                        let mut stream = respond.send_response(Response::new(()), false).unwrap();
                        let _ = stream.send_data(Bytes::from_static(b"done"), true);
                    });
                    answered += 1;
                    if answered == requests {
                        connection.graceful_shutdown();
                    }
                }
            });
        }
    });
    root
}

/// POST: nothing may be done twice, and nothing is lost.
#[tokio::test]
async fn f3_connections_that_are_being_closed_lose_no_request() {
    let root = restless(3).await;
    let mut settings = settings();
    settings.retries.budget = 100;
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    for _ in 0..5 {
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (client, root) = (client.clone(), root.clone());
            all.spawn(async move {
                client.ask(post("/x").header("3gpp-Sbi-Target-apiRoot", root).body("{}").unwrap()).await
            });
        }
        while let Some(answer) = all.join_next().await {
            let answer = answer.unwrap();
            assert_eq!(answer.body, b"done", "{}", answer.status);
        }
    }
}

#[tokio::test]
async fn connections_without_requests_are_closed() {
    let producer = Producer::start().await;
    let mut settings = settings();
    settings.timeouts.ping = Duration::from_millis(20);
    settings.timeouts.producer_idle = Duration::from_millis(60);
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    for _ in 0..2 {
        let request = get("/x").header("3gpp-Sbi-Target-apiRoot", producer.root()).body("").unwrap();
        assert_eq!(client.ask(request).await.status, 200);
        until(|| running.scp.parts().pools.connections() == 0).await;
    }
}

#[tokio::test]
async fn f1_a_producer_that_dies_is_not_waited_for() {
    let producer = Producer::with(|_| Does::Hangs).await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let root = producer.root();
    let asked = tokio::spawn(async move {
        client.ask(get("/x").header("3gpp-Sbi-Target-apiRoot", root).body("").unwrap()).await
    });
    until(|| producer.seen().len() == 1).await;
    producer.kill();
    assert_eq!(asked.await.unwrap().cause(), "TARGET_NF_NOT_REACHABLE");
}

/// The connection stands, and nothing comes over it: PINGs find out long before the response is due.
#[tokio::test]
async fn f1_a_producer_that_falls_silent_is_found_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let _request = connection.accept().await;
        // Nobody reads any more.
        std::future::pending::<()>().await;
    });
    let mut settings = settings();
    settings.timeouts.ping = Duration::from_millis(50);
    settings.timeouts.response = Duration::from_secs(3600);
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let answer = client.ask(post("/x").header("3gpp-Sbi-Target-apiRoot", root).body("").unwrap()).await;
    assert_eq!(answer.cause(), "TARGET_NF_NOT_REACHABLE");
}

/// A name with an address that nobody answers at, before one that somebody does (RFC 8305).
#[tokio::test]
async fn names_are_looked_up() {
    let producer = Producer::start().await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let root = format!("http://localhost:{}", producer.address.port());
    let answer = client.ask(get("/x").header("3gpp-Sbi-Target-apiRoot", &root).body("").unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(producer.only().uri, format!("{root}/x"));
}

/// A producer that takes one request at a time, and breaks a connection that `/breaks` is asked on, when it is told to.
async fn narrow(breaks: Arc<Notify>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut builder = h2::server::Builder::new();
            let mut connection = builder.max_concurrent_streams(1).handshake::<_, Bytes>(stream).await.unwrap();
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                if request.uri().path() == "/breaks" {
                    breaks.notified().await;
                    break;
                }
                respond.send_response(Response::new(()), true).unwrap();
            }
        }
    });
    root
}

/// Nothing was sent of what waits for a stream of a connection that breaks: it goes over another.
#[tokio::test]
async fn f3_who_waits_for_a_stream_of_a_connection_that_breaks_gets_one_of_another() {
    let breaks = Arc::new(Notify::new());
    let root = narrow(Arc::clone(&breaks)).await;
    let mut settings = settings();
    settings.limits.producer_connections = 1;
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let ask = |path: &'static str| {
        let (client, root) = (client.clone(), root.clone());
        async move { client.ask(post(path).header("3gpp-Sbi-Target-apiRoot", root).body("").unwrap()).await.status }
    };
    // From now on it is known how many it takes.
    assert_eq!(ask("/x").await, 200);
    let mut all = tokio::task::JoinSet::new();
    let breaking = tokio::spawn(ask("/breaks"));
    until(|| running.scp.parts().gate.load().0 == 1).await;
    for _ in 0..4 {
        all.spawn(ask("/x"));
    }
    until(|| running.scp.parts().gate.load().0 == 5).await;
    breaks.notify_one();
    assert_eq!(breaking.await.unwrap(), 504);
    assert!(all.join_all().await.into_iter().all(|status| status == 200));
}

/// RFC 8305: the address of the other family is tried beside one that says nothing.
#[tokio::test]
async fn of_two_addresses_the_one_that_answers_is_used() {
    let producer = Producer::start().await;
    let silent = Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
    silent.set_only_v6(true).unwrap();
    silent.bind(&SocketAddr::from((Ipv6Addr::LOCALHOST, producer.address.port())).into()).unwrap();
    silent.listen(0).unwrap();
    // Its queue is full: who else connects is not answered.
    let to = silent.local_addr().unwrap().as_socket().unwrap();
    let connect = || std::net::TcpStream::connect_timeout(&to, Duration::from_millis(50));
    let mut queue = Vec::new();
    while let Ok(stream) = connect() {
        queue.push(stream);
    }
    let both = Given(vec![to.ip(), producer.address.ip()]);
    let prepared = Prepared { resolver: Arc::new(both), ..Prepared::new(settings(), None, None) };
    let running = run(prepared, Speech::Clear).await;
    let root = format!("http://udm.example:{}", producer.address.port());
    let request = get("/x").header("3gpp-Sbi-Target-apiRoot", root).body("").unwrap();
    let answer = Client::connect(running.address).await.ask(request).await;
    assert_eq!((answer.status, producer.seen().len()), (http::StatusCode::OK, 1));
}

/// Others may say where a host is than when its connections were made.
#[tokio::test]
async fn r1_a_host_that_there_are_connections_to_is_where_the_new_settings_know_it() {
    let one = Producer::start().await;
    let two =
        Producer::at(([127, 0, 0, 2], one.address.port()).into(), |_| Does::Answers(Response::default())).await;
    let by = |producer: &Producer| {
        let mut settings = settings();
        settings.timeouts.names = Duration::from_secs(1);
        let resolver = Arc::new(Given(vec![producer.address.ip()]));
        Prepared { resolver, ..Prepared::new(settings, None, None) }
    };
    let running = run(by(&one), Speech::Clear).await;
    let client = Client::connect(running.address).await;
    let root = format!("http://udm.example:{}", one.address.port());
    let ask = || client.ask(get("/x").header("3gpp-Sbi-Target-apiRoot", &root).body("").unwrap());
    assert_eq!((ask().await.status, one.seen().len()), (http::StatusCode::OK, 1));
    running.scp.apply(by(&two));
    let moves = async {
        while two.seen().is_empty() {
            assert_eq!(ask().await.status, 200);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), moves).await.expect("it should move");
}

/// Whatever is asked for is there.
#[derive(Debug)]
pub(crate) struct Given(pub Vec<IpAddr>);

impl Resolve for Given {
    fn look<'a>(&'a self, _: &'a str) -> Looked<'a> {
        let all = self.0.clone();
        Box::pin(async move { Ok(Addresses { all, valid: None }) })
    }
}

/// TS 29.500 5.2.6: no more than one PING a minute on each path.
#[test]
fn f1_pings_are_a_minute_apart_unless_configuration_says_otherwise() {
    assert!(settings().timeouts.ping >= Duration::from_mins(1));
}

/// Whoever has nobody else to ask asks again as often as it may: nothing was done.
#[tokio::test]
async fn f3_who_closed_connections_twice_is_asked_once_more_where_there_is_nobody_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        for _ in 0..2 {
            let mut raw = Raw::accept(listener.accept().await.unwrap().0).await;
            assert!(raw.next_of(&[HEADERS]).await.is_some());
            // Last stream 0, NO_ERROR.
            raw.send(GOAWAY, 0, 0, &[0; 8]).await.unwrap();
        }
        let mut connection = h2::server::handshake(listener.accept().await.unwrap().0).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            respond.send_response(Response::new(()), true).unwrap();
        }
    });
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let answer = client.ask(post("/x").header("3gpp-Sbi-Target-apiRoot", &root).body("{}").unwrap()).await;
    assert_eq!(answer.status, 200);
    served.abort();
}

/// A producer that ends its first so many connections when so many requests are on each, none of which it looked at; its port.
async fn recycling(connections: usize, requests: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for _ in 0..connections {
            let mut raw = Raw::accept(listener.accept().await.unwrap().0).await;
            for _ in 0..requests {
                let _ = raw.next_of(&[HEADERS]).await;
            }
            // Last stream 0, NO_ERROR.
            let _ = raw.send(GOAWAY, 0, 0, &[0; 8]).await;
        }
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    respond.send_response(Response::new(()), true).unwrap();
                }
            });
        }
    });
    port
}

/// What the second of two producers saw of requests, so many at a time, that may go to both.
async fn beside_recycling(connections: usize, at_a_time: usize, times: usize) -> usize {
    let two = Producer::start().await;
    let one = profiles::udm(ONE, recycling(connections, at_a_time).await);
    let nrf = Nrf::with(in_turn([one, udm(TWO, &two)]).into()).await;
    let mut settings = nrf.settings();
    settings.retries.probation = Duration::from_hours(1);
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    for _ in 0..times {
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..at_a_time {
            let client = client.clone();
            let request = post("/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
            all.spawn(async move { client.ask(request.body("{}").unwrap()).await.status.as_u16() });
        }
        assert!(all.join_all().await.into_iter().all(|status| status == 200));
    }
    two.seen().len()
}

/// RFC 9113 6.8: one connection that ends says nothing against who takes others.
#[tokio::test]
async fn f3_who_ends_a_connection_is_asked_on_another_and_not_spared() {
    assert_eq!(beside_recycling(1, 6, 2).await, 0);
}

/// Who ends all of them without an answer takes nothing.
#[tokio::test]
async fn f3_who_ends_every_connection_is_chosen_last() {
    assert!(beside_recycling(usize::MAX, 1, 20).await >= 15);
}

/// Otherwise a producer would take the SCP for one that means harm, and close a connection that others use.
#[tokio::test]
async fn what_clients_take_back_resets_no_more_streams_than_producers_bear() {
    const ASKED: usize = 60;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let served = tokio::spawn({
        let asked = Arc::clone(&asked);
        async move {
            let mut raw = Raw::accept(listener.accept().await.unwrap().0).await;
            let mut resets = 0;
            while asked.load(Ordering::Relaxed) <= ASKED {
                match raw.next_of(&[HEADERS, RST_STREAM]).await.unwrap().kind {
                    HEADERS => asked.fetch_add(1, Ordering::Relaxed),
                    _ => {
                        resets += 1;
                        0
                    }
                };
            }
            for number in 0..u32::try_from(ASKED + 1).unwrap() {
                // Static table, RFC 7541 appendix A: 8 is `:status: 200`.
                raw.send(HEADERS, END_HEADERS | END_STREAM, number * 2 + 1, &[0x80 | 8]).await.unwrap();
            }
            (resets, raw)
        }
    });
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request = || post("/x").header("3gpp-Sbi-Target-apiRoot", &root);
    let mut waiting = Vec::new();
    for _ in 0..ASKED {
        let mut sender = client.sender.clone().ready().await.unwrap();
        waiting.push(sender.send_request(request().body(()).unwrap(), true).unwrap().0);
    }
    until(|| asked.load(Ordering::Relaxed) == ASKED).await;
    drop(waiting);
    until(|| running.scp.parts().gate.load() == (0, 0)).await;
    assert_eq!(client.ask(request().body("").unwrap()).await.status, 200);
    let (resets, _raw) = served.await.unwrap();
    assert!((1..=20).contains(&resets), "{resets}");
}

/// Nobody but its client keeps a stream, though it is the only one that the producer allows.
#[tokio::test]
async fn what_a_client_takes_back_ends_where_it_is_all_that_a_connection_takes() {
    let (ended, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut builder = h2::server::Builder::new();
            let mut connection = builder.max_concurrent_streams(1).handshake::<_, Bytes>(stream).await.unwrap();
            let ended = ended.clone();
            tokio::spawn(async move {
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    let ended = ended.clone();
                    let waits = request.uri().path() == "/waits";
                    let mut stream = respond.send_response(Response::new(()), !waits).unwrap();
                    if waits {
                        tokio::spawn(async move {
                            let _ = ended.send(poll_fn(|context| stream.poll_reset(context)).await);
                        });
                    }
                }
            });
        }
    });
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let request = |path: &str| get(path).header("3gpp-Sbi-Target-apiRoot", &root);
    // The producer's SETTINGS are known after the first.
    assert_eq!(client.ask(request("/x").body("").unwrap()).await.status, 200);
    let mut sender = client.sender.clone().ready().await.unwrap();
    let (response, _) = sender.send_request(request("/waits").body(()).unwrap(), true).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200);
    drop((response, sender));
    let end = timeout(Duration::from_secs(5), ends.recv()).await;
    assert_eq!(end.expect("the producer is told").unwrap().unwrap(), h2::Reason::CANCEL);
}

/// RFC 9113 6.5: who waits for a stream has it when the producer allows more, and not only when another ends.
#[tokio::test]
async fn who_waits_for_a_stream_has_it_when_more_are_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let mut one = settings();
    one.limits.producer_connections = 1;
    let running = scp(one).await;
    let client = Client::connect(running.address).await;
    let ask = || client.ask(get("/x").header("3gpp-Sbi-Target-apiRoot", &root).body("").unwrap());
    // SETTINGS_MAX_CONCURRENT_STREAMS.
    let allowed = |streams: u8| [0, 3, 0, 0, 0, streams];
    let answers = END_HEADERS | END_STREAM;
    let (answer, mut raw) = tokio::join!(ask(), async {
        let mut raw = Raw::accept(listener.accept().await.unwrap().0).await;
        raw.next_of(&[HEADERS]).await.unwrap();
        raw.send(SETTINGS, 0, 0, &allowed(1)).await.unwrap();
        // `:status: 200`.
        raw.send(HEADERS, answers, 1, &[0x88]).await.unwrap();
        raw
    });
    assert_eq!(answer.status, 200);
    let (first, second, ()) = tokio::join!(ask(), ask(), async {
        raw.next_of(&[HEADERS]).await.unwrap();
        until(|| running.scp.parts().gate.load().0 == 2).await;
        raw.send(SETTINGS, 0, 0, &allowed(2)).await.unwrap();
        timeout(Duration::from_secs(10), raw.next_of(&[HEADERS])).await.unwrap().unwrap();
        for stream in [3, 5] {
            raw.send(HEADERS, answers, stream, &[0x88]).await.unwrap();
        }
    });
    assert_eq!((first.status, second.status), (http::StatusCode::OK, http::StatusCode::OK));
}
