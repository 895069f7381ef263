//! F3 and F6: producers that say nothing, and what that costs those who ask.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use pinion_scp::api_root::ApiRoot;
use pinion_scp::pools::{Holder, Standing};
use pinion_scp::settings::Settings;
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::nrf::{Nrf, ONE, OWN, TWO, in_turn, one_before_two, udm};
use crate::profiles;
use crate::support::{Answer, Client, Does, Producer, Running, SCP, get, prepared, scp, until};

/// Two producers that the NRF knows, the first to be chosen before the second, and an SCP.
struct Two {
    one: Producer,
    two: Producer,
    running: Running,
    client: Client,
}

impl Two {
    async fn start(one: Producer, two: Producer, settings: impl FnOnce(&mut Settings)) -> Self {
        let nrf = Nrf::with(one_before_two(&one, &two).into()).await;
        let mut told = nrf.settings();
        told.timeouts.attempt = Duration::from_millis(300);
        told.timeouts.response = Duration::from_hours(1);
        settings(&mut told);
        let running = scp(told).await;
        let client = Client::connect(running.address).await;
        Self { one, two, running, client }
    }

    /// Asks whom discovery finds.
    async fn ask(&self, method: &str, body: &str) -> Answer {
        let request = http::Request::builder().method(method).uri(format!("http://{SCP}/nudm-sdm/v2/x"));
        self.client.ask(request.header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body(body).unwrap()).await
    }

    /// How a producer stands.
    fn standing(&self, of: &Producer) -> Standing {
        let at = ApiRoot::parse(&of.root()).unwrap();
        let retries = pinion_scp::settings::Retries { probation: Duration::from_hours(1), ..Default::default() };
        self.running.scp.parts().pools.standing(&at, &Holder::Any, Instant::now(), true, &retries)
    }
}

async fn silent() -> Producer {
    Producer::with(|_| Does::Hangs).await
}

/// One that answers when it is told to.
async fn patient(told: watch::Receiver<bool>) -> Producer {
    Producer::with(move |_| Does::Waits(told.clone(), Response::new(Bytes::from_static(b"late")))).await
}

#[tokio::test]
async fn f6_a_silent_producer_costs_a_request_no_more_than_an_attempt() {
    let two = Two::start(silent().await, Producer::start().await, |_| {}).await;
    for (method, body) in [("GET", ""), ("PUT", "{}"), ("DELETE", "")] {
        let answer = two.ask(method, body).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("3gpp-Sbi-Producer-Id"),
            format!("nfinst={TWO}; nfservinst=sdm-1; nfset=set1.udmset.5gc.mnc012.mcc345")
        );
    }
    let bodies: Vec<_> = two.two.seen().into_iter().map(|it| it.body).collect();
    assert_eq!(bodies, [b"".as_slice(), b"{}", b""]);
    assert_eq!(two.two.seen()[0].headers["3gpp-sbi-request-info"], "retrans=true");
    // What it was asked is taken back from it.
    until(|| two.running.scp.parts().gate.load() == (0, 0)).await;
}

/// Nobody knows what it did with it.
#[tokio::test]
async fn f3_what_a_silent_producer_may_have_done_is_not_done_again() {
    let settings = |it: &mut Settings| it.timeouts.response = Duration::from_millis(1_500);
    let two = Two::start(silent().await, Producer::start().await, settings).await;
    let answer = two.ask("POST", "{}").await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (504, "TARGET_NF_NOT_REACHABLE"));
    assert_eq!((two.one.seen().len(), two.two.seen().len()), (1, 0));
}

#[tokio::test]
async fn f3_a_producer_that_is_silent_is_chosen_last_for_a_while() {
    let settings = |it: &mut Settings| {
        it.retries.failures = 2;
        it.retries.probation = Duration::from_hours(1);
    };
    let two = Two::start(silent().await, Producer::start().await, settings).await;
    for _ in 0..5 {
        assert_eq!(two.ask("GET", "").await.status, 200);
    }
    assert_eq!((two.one.seen().len(), two.two.seen().len()), (2, 5));
    // Where nothing may be done twice, too.
    assert_eq!(two.ask("POST", "{}").await.status, 200);
}

#[tokio::test]
async fn f6_who_alone_may_answer_is_waited_for() {
    let (tell, told) = watch::channel(false);
    let settings = |it: &mut Settings| it.retries.failures = 1;
    let two = Two::start(patient(told).await, Producer::start().await, settings).await;
    let asked = tokio::spawn({
        let (client, root) = (two.client.clone(), two.one.root());
        async move {
            client.ask(crate::support::get("/x").header("3gpp-Sbi-Target-apiRoot", root).body("").unwrap()).await
        }
    });
    until(|| two.standing(&two.one) == Standing::Bad).await;
    tell.send(true).unwrap();
    assert_eq!(asked.await.unwrap().body, b"late");
    assert_eq!((two.one.seen().len(), two.two.seen().len()), (1, 0));
    assert_eq!(two.standing(&two.one), Standing::Good);
}

#[tokio::test]
async fn f6_the_first_answer_counts_whoever_it_is_of() {
    let (tell, told) = watch::channel(false);
    let two = Two::start(patient(told).await, silent().await, |_| {}).await;
    let (answer, ()) = tokio::join!(two.ask("GET", ""), async {
        until(|| two.two.seen().len() == 1).await;
        tell.send(true).unwrap();
    });
    assert_eq!(answer.body, b"late");
    assert!(answer.header("3gpp-Sbi-Producer-Id").contains(ONE));
}

/// Otherwise a set of producers that are all slow would be asked several times over.
#[tokio::test]
async fn f3_attempts_beside_those_that_are_slow_have_a_budget() {
    let settings = |it: &mut Settings| {
        it.retries.budget = 0;
        it.retries.spare = 0;
        it.timeouts.response = Duration::from_millis(1_500);
    };
    let two = Two::start(silent().await, Producer::start().await, settings).await;
    assert_eq!(two.ask("GET", "").await.status, 504);
    assert!(two.two.seen().is_empty());
}

/// Who waits for less than two attempts has half of that for each.
#[tokio::test]
async fn f6_an_attempt_takes_no_more_than_half_of_the_time_that_is_left() {
    let settings = |it: &mut Settings| it.timeouts.attempt = Duration::from_hours(1);
    let two = Two::start(silent().await, Producer::start().await, settings).await;
    let request = crate::support::get("/nudm-sdm/v2/x")
        .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
        .header("3gpp-Sbi-Max-Rsp-Time", "4000");
    assert_eq!(two.client.ask(request.body("").unwrap()).await.status, 200);
}

/// Content that has not come yet cannot be given to another; who is still being sent it has said nothing wrong.
#[tokio::test]
async fn f6_who_is_still_sent_a_request_is_not_silent() {
    let settings = |it: &mut Settings| it.retries.failures = 1;
    let two = Two::start(Producer::start().await, Producer::start().await, settings).await;
    let request = http::Request::put(format!("http://{SCP}/nudm-sdm/v2/x"));
    let request = request.header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body(()).unwrap();
    let (response, mut stream) = two.client.sender.clone().send_request(request, false).unwrap();
    stream.send_data(Bytes::from_static(b"{"), false).unwrap();
    // Several attempts' time.
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    assert_eq!(two.standing(&two.one), Standing::Good);
    stream.send_data(Bytes::from_static(b"}"), true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
    assert_eq!((two.one.only().body.as_slice(), two.two.seen().len()), (b"{}".as_slice(), 0));
}

/// Whoever waits for less than any producer takes does not send it on probation for all the others.
#[tokio::test]
async fn f6_a_client_that_hardly_waits_says_nothing_of_a_producer() {
    let attempt = |settings: &mut Settings| settings.timeouts.attempt = Duration::from_hours(1);
    let two = Two::start(silent().await, Producer::start().await, attempt).await;
    for _ in 0..10 {
        let request = get("/nudm-sdm/v2/x").header("3gpp-Sbi-Target-apiRoot", two.one.root());
        let answer = two.client.ask(request.header("3gpp-Sbi-Max-Rsp-Time", "20").body("").unwrap()).await;
        assert_eq!(answer.status, 504);
    }
    assert_eq!(two.standing(&two.one), Standing::Good);
}

/// Otherwise one that is slow would have the next asked over and over.
#[tokio::test]
async fn f6_who_is_asked_beside_another_has_its_own_time() {
    let (tell, told) = watch::channel(false);
    let settings = |it: &mut Settings| {
        it.timeouts.attempt = Duration::from_millis(400);
        it.retries.attempts = 10;
    };
    let two = Two::start(silent().await, patient(told).await, settings).await;
    let (answer, ()) = tokio::join!(two.ask("GET", ""), async {
        until(|| two.two.seen().len() == 1).await;
        // The first turns slow again before the second does.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        tell.send(true).unwrap();
    });
    assert_eq!(answer.body, b"late");
    assert_eq!((two.one.seen().len(), two.two.seen().len()), (1, 1));
}

/// Whoever is asked has nothing to do with how long the NRF took for a token, neither for the first nor for another.
#[tokio::test]
async fn f6_what_a_token_takes_is_not_the_producers_silence() {
    let one = Producer::with(|seen| {
        let mut answer = Response::new(Bytes::from_static(b"one"));
        if seen.headers["authorization"] == "Bearer token-1" {
            *answer.status_mut() = StatusCode::UNAUTHORIZED;
            answer.headers_mut().insert("www-authenticate", HeaderValue::from_static("Bearer"));
        }
        Does::Answers(answer)
    })
    .await;
    let two = Producer::start().await;
    let nrf = Nrf::with(one_before_two(&one, &two).into()).await;
    nrf.knows.lock().unwrap().token_takes = Duration::from_millis(1_200);
    let mut settings = nrf.settings();
    settings.timeouts.attempt = Duration::from_secs(1);
    let running = scp(settings).await;
    let request = get("/nudm-sdm/v2/x")
        .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
        .header("3gpp-Sbi-Discovery-requester-nf-instance-id", OWN)
        .header("3gpp-Sbi-Access-Scope", "nudm-sdm");
    let answer = Client::connect(running.address).await.ask(request.body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (200, b"one".as_slice()));
    assert_eq!((one.seen().len(), two.seen().len()), (2, 0));
}

/// A producer that takes one request at a time, and answers `/hangs` when it is told to. Its profile, and what it saw.
async fn narrow(told: watch::Receiver<bool>) -> (Value, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let profile = profiles::udm(ONE, listener.local_addr().unwrap().port());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let saw = Arc::clone(&seen);
    tokio::spawn(async move {
        let mut builder = h2::server::Builder::new();
        let stream = listener.accept().await.unwrap().0;
        let mut connection = builder.max_concurrent_streams(1).handshake::<_, Bytes>(stream).await.unwrap();
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            let path = request.uri().path().to_owned();
            saw.lock().unwrap().push(path.rsplit('/').next().unwrap().to_owned());
            let mut told = told.clone();
            tokio::spawn(async move {
                if path.ends_with("/hangs") {
                    told.wait_for(|it| *it).await.unwrap();
                }
                respond.send_response(Response::new(()), true).unwrap();
            });
        }
    });
    (profile, seen)
}

/// An SCP whose requests wait in line for the only stream of the first of these, and have no budget for more attempts.
async fn in_line(one: Value, two: Value) -> (Running, Client) {
    let nrf = Nrf::with(in_turn([one, two]).into()).await;
    let mut settings = nrf.settings();
    settings.limits.producer_connections = 1;
    (settings.retries.budget, settings.retries.spare) = (0, 0);
    settings.timeouts.attempt = Duration::from_millis(300);
    settings.timeouts.response = Duration::from_secs(20);
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    // From now on it is known how many it takes.
    assert_eq!(posted(&client, "POST", "first").await, 200);
    let hanging = client.clone();
    tokio::spawn(async move { posted(&hanging, "POST", "hangs").await });
    until(|| running.scp.parts().gate.load().0 == 1).await;
    (running, client)
}

async fn posted(client: &Client, method: &str, path: &str) -> u16 {
    let request = http::Request::builder().method(method).uri(format!("http://{SCP}/nudm-sdm/v2/{path}"));
    let request = request.header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
    client.ask(request.body(if method == "GET" { "" } else { "{}" }).unwrap()).await.status.as_u16()
}

/// RFC 9113 8.7: nothing of it was sent, so that somebody else may have it whatever its method; and has it alone.
#[tokio::test]
async fn f3_what_waits_in_line_at_a_silent_producer_goes_to_another() {
    let (tell, told) = watch::channel(false);
    let (one, seen) = narrow(told).await;
    let two = Producer::start().await;
    let (running, client) = in_line(one, udm(TWO, &two)).await;
    for method in ["POST", "PATCH", "GET"] {
        assert_eq!(posted(&client, method, "x").await, 200, "{method}");
    }
    let methods: Vec<_> = two.seen().into_iter().map(|it| it.method).collect();
    assert_eq!(methods, ["POST", "PATCH", "GET"]);
    tell.send(true).unwrap();
    until(|| running.scp.parts().gate.load() == (0, 0)).await;
    assert_eq!(posted(&client, "POST", "last").await, 200);
    assert_eq!(*seen.lock().unwrap(), ["first", "hangs", "last"]);
}

/// Where nobody else can be reached, it keeps its place in line.
#[tokio::test]
async fn f3_what_waits_in_line_stays_there_where_nobody_else_is() {
    let gone = TcpSocket::new_v4().unwrap();
    gone.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (tell, told) = watch::channel(false);
    let (one, seen) = narrow(told).await;
    let (running, client) = in_line(one, profiles::udm(TWO, gone.local_addr().unwrap().port())).await;
    let begun = Instant::now();
    let waiting = tokio::spawn(async move { posted(&client, "POST", "x").await });
    let failed = || {
        let met = running.scp.parts().pools.met(Instant::now());
        met.iter().any(|(.., done)| done.answered == 0 && done.failed > 0)
    };
    until(|| failed() || begun.elapsed() > Duration::from_secs(2)).await;
    // Several attempts' time.
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    tell.send(true).unwrap();
    assert_eq!(waiting.await.unwrap(), 200);
    assert_eq!(*seen.lock().unwrap(), ["first", "hangs", "x"]);
}

/// Connections stay when settings change, and were made to wake those who wait for as long as the old ones say.
#[tokio::test]
async fn f6_a_new_time_for_attempts_holds_on_connections_that_are_there() {
    let one = Producer::with(|seen| match seen.path.ends_with("/first") {
        true => Does::Answers(Response::new(Bytes::from_static(b"one"))),
        false => Does::Hangs,
    });
    let (one, two) = (one.await, Producer::start().await);
    let nrf = Nrf::with(one_before_two(&one, &two).into()).await;
    let mut settings = nrf.settings();
    (settings.timeouts.attempt, settings.timeouts.response) = (Duration::from_hours(1), Duration::from_hours(3));
    let running = scp(settings.clone()).await;
    let client = Client::connect(running.address).await;
    let ask = |path| client.ask(get(path).header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body("").unwrap());
    assert_eq!(ask("/nudm-sdm/v2/first").await.body, b"one");
    settings.timeouts.attempt = Duration::from_millis(300);
    running.scp.apply(prepared(settings));
    assert_eq!(ask("/nudm-sdm/v2/x").await.status, 200);
    assert_eq!((one.seen().len(), two.seen().len()), (2, 1));
}
