//! What happens is counted: by service, and by what it was and what came of it.

use http::Response;
use pinion_scp::authorization::Policy;
use pinion_scp::tally::Event;
use serde_json::json;

use crate::nrf::{Nrf, ONE, udm};
use crate::support::{Client, Does, Producer, Running, get, post, scp, until};

const CONSUMER: &str = "54804518-4191-46b3-955c-ac631f953ea1";

fn ask() -> http::request::Builder {
    get("/nudm-sdm/v2/imsi-001010000000001/nssai").header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
}

/// What was counted, of those that there were any of, without connections.
fn happened(running: &Running) -> Vec<(&'static str, &'static str, u64)> {
    let tally = running.scp.tally();
    let all = Event::ALL.iter().map(|event| (event.name().0, event.name().1, tally.count(*event)));
    all.filter(|(kind, _, count)| *count > 0 && *kind != "dial").collect()
}

#[tokio::test]
async fn searches_are_counted_by_what_answers_them() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let mut settings = nrf.settings();
    settings.discovery.pause = std::time::Duration::ZERO;
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let asked = async |more: &str| {
        client.ask(ask().header("3gpp-Sbi-Discovery-dnn", more).body("").unwrap()).await.status.as_u16()
    };
    assert_eq!([asked("a").await, asked("a").await, asked("a").await], [200; 3]);
    nrf.knows.lock().unwrap().validity = 0;
    assert_eq!(asked("b").await, 200);
    nrf.knows.lock().unwrap().broken = Some(500);
    assert_eq!([asked("b").await, asked("c").await], [200, 504], "what held before, and nothing");
    nrf.knows.lock().unwrap().broken = Some(404);
    assert_eq!(asked("d").await, 400);
    let expected = [
        ("search", "answered", 2),
        ("search", "remembered", 2),
        ("search", "stale", 1),
        ("search", "refused", 1),
        ("search", "failed", 2),
    ];
    assert_eq!(happened(&running), expected);
    assert!(running.scp.tally().search_micros() > 0);
}

#[tokio::test]
async fn tokens_are_counted_by_where_they_come_from() {
    let producer = Producer::with(|seen| {
        let refused = seen.headers.get("authorization").is_some_and(|it| it == "Bearer token-1");
        let status = if refused { 401 } else { 200 };
        Does::Answers(Response::builder().status(status).body("".into()).unwrap())
    })
    .await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let mut settings = nrf.settings();
    settings.authorization.tokens = Policy::Always;
    settings.discovery.pause = std::time::Duration::ZERO;
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let asked = async |consumer: &str| {
        let request = ask().header("3gpp-Sbi-Discovery-requester-nf-instance-id", consumer);
        let request = request.header("3gpp-Sbi-Discovery-requester-nf-type", "AMF");
        client.ask(request.body("").unwrap()).await.status.as_u16()
    };
    assert_eq!([asked(CONSUMER).await, asked(CONSUMER).await], [200; 2]);
    nrf.knows.lock().unwrap().token = Some((400, json!({"error": "unauthorized_client"})));
    assert_eq!(asked(ONE).await, 403);
    nrf.knows.lock().unwrap().token = Some((503, json!({})));
    assert_eq!(asked(ONE).await, 504);
    let tokens: Vec<_> = happened(&running).into_iter().filter(|(kind, ..)| *kind == "token").collect();
    let expected = [
        ("token", "granted", 2),
        ("token", "remembered", 1),
        ("token", "denied", 1),
        ("token", "failed", 1),
        ("token", "rejected", 1),
    ];
    assert_eq!(tokens, expected);
}

#[tokio::test]
async fn b5_resources_are_counted_and_so_are_those_given_up() {
    let producer = Producer::with(|seen| {
        let answer = match seen.method.as_str() {
            "POST" if !seen.uri.ends_with("/release") => {
                Response::builder().status(201).header("location", format!("{}/1", seen.uri))
            }
            _ => Response::builder().status(204),
        };
        Does::Answers(answer.body("".into()).unwrap())
    })
    .await;
    let mut settings = crate::support::settings();
    settings.limits.pins = 1;
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let made = async |path: &str| {
        let request = post(path).header("3gpp-Sbi-Target-apiRoot", producer.root());
        assert_eq!(client.ask(request.body("{}").unwrap()).await.status, 201);
    };
    made("/nsmf-pdusession/v1/sm-contexts").await;
    made("/nudm-uecm/v1/registrations").await;
    let release = post("/nudm-uecm/v1/registrations/1/release").header("3gpp-Sbi-Target-apiRoot", producer.root());
    client.ask(release.body("{}").unwrap()).await;
    assert_eq!(happened(&running), [("pin", "made", 2), ("pin", "ended", 1), ("pin", "given-up", 1)]);
}

#[tokio::test]
async fn connections_are_counted_by_what_comes_of_them() {
    let producer = Producer::start().await;
    let running = scp(crate::support::settings()).await;
    let client = Client::connect(running.address).await;
    let gone = Producer::start().await;
    gone.kill();
    until(|| std::net::TcpStream::connect(gone.address).is_err()).await;
    let clear = format!("https://{}", producer.address);
    for root in [&producer.root(), &gone.root(), &clear, "http://nobody.invalid"] {
        client.ask(get("/x").header("3gpp-Sbi-Target-apiRoot", root).body("").unwrap()).await;
    }
    let tally = running.scp.tally();
    let [connected, refused, untrusted, nameless] =
        [Event::DialConnected, Event::DialRefused, Event::DialUntrusted, Event::DialNameless]
            .map(|event| tally.count(event));
    assert_eq!(connected, 1);
    assert!(refused > 0 && untrusted > 0 && nameless > 0, "{refused} {untrusted} {nameless}");
}

/// By service and the type of NF that serves it; what it goes by may be replaced, and the counts go on.
#[tokio::test]
async fn answers_are_counted_by_service() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    client.ask(ask().body("").unwrap()).await;
    client.ask(get("/nudm-sdm/v9/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body("").unwrap()).await;
    let callback =
        post("/notify").header("3gpp-Sbi-Callback", "X").header("3gpp-Sbi-Target-apiRoot", producer.root());
    client.ask(callback.body("").unwrap()).await;
    client.ask(ask().header("3gpp-Sbi-Message-Priority", "99").body("").unwrap()).await;
    let counted: Vec<_> = running
        .scp
        .parts()
        .account
        .services()
        .into_iter()
        .map(|it| {
            let causes: Vec<_> = it.causes.iter().map(|(cause, count)| (cause.name(), *count)).collect();
            (it.service, it.nf_type, it.classes, causes)
        })
        .collect();
    let of =
        |service: &str, nf_type: &str, classes, causes| (service.to_owned(), nf_type.to_owned(), classes, causes);
    let expected = [
        of("notification", "", [0, 1, 0, 0, 0], vec![]),
        of("nudm-sdm", "UDM", [0, 1, 0, 2, 0], vec![("INVALID_API", 1), ("OPTIONAL_IE_INCORRECT", 1)]),
    ];
    assert_eq!(counted, expected);
}
