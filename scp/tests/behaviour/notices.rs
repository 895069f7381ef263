//! D5, D6: what the NRF tells of changes, and who is not the NRF (TS 29.510 5.2.2.6).

use std::time::Duration;

use pinion_scp::api_root::ApiRoot;
use pinion_scp::tally::Event;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::nrf::{Nrf, ONE, TWO, udm};
use crate::registration::tend;
use crate::support::{Client, Producer, Running, get, post, prepared, scheme, scp, until};

fn ask() -> http::request::Builder {
    get("/nudm-sdm/v2/imsi-001010000000001/nssai").header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
}

async fn client(running: &Running) -> Client {
    Client::connect(running.address).await
}

/// Has a search made, and waits until the NRF is to tell of changes of what it found; dropped, that ends.
pub(crate) async fn told_of(nrf: &Nrf, running: &Running) -> watch::Sender<bool> {
    let (drain, _) = tend(running);
    client(running).await.ask(ask().body("").unwrap()).await;
    until(|| !nrf.asked("POST", "/nnrf-nfm/v1/subscriptions").is_empty()).await;
    drain
}

/// NFStatusNotify: one that is gone is chosen no more, without asking; one that is new is found, though the answer held.
#[tokio::test]
async fn d5_notifications_of_the_nrf_end_what_held() {
    let (one, two) = (Producer::start().await, Producer::start().await);
    let nrf = Nrf::with(vec![udm(ONE, &one)]).await;
    let mut settings = nrf.settings();
    let own = ApiRoot::parse("http://scp.example").unwrap();
    settings.nrf.as_mut().unwrap().notify = Some(own);
    settings.discovery.patience = Duration::from_secs(10);
    let running = scp(settings).await;
    let client = client(&running).await;
    let _tended = told_of(&nrf, &running).await;
    let notify = |event: &str, instance: &str, profile: serde_json::Value| {
        let uri = format!("{}/nnrf-nfm/v1/nf-instances/{instance}", nrf.producer.root());
        json!({"event": event, "nfInstanceUri": uri, "nfProfile": profile}).to_string()
    };
    let tell = |content: String| {
        let (client, place) = (client.clone(), nrf.place());
        async move {
            let request = post(&place).header("3gpp-Sbi-Callback", "Nnrf_NFManagement_NFStatusNotify");
            let request = request.header("content-type", "application/json").body(content.as_str()).unwrap();
            assert_eq!(client.ask(request).await.status, 204);
        }
    };
    nrf.knows.lock().unwrap().profiles = vec![udm(TWO, &two)];
    tell(notify("NF_REGISTERED", TWO, udm(TWO, &two))).await;
    client.ask(ask().body("").unwrap()).await;
    assert_eq!((nrf.searches().len(), one.seen().len(), two.seen().len()), (2, 1, 1));
    nrf.knows.lock().unwrap().broken = Some(503);
    tell(notify("NF_DEREGISTERED", TWO, json!(null))).await;
    let answer = client.ask(ask().body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (400, "NF_DISCOVERY_FAILURE"));
    assert_eq!(two.seen().len(), 1);
}

/// The NRF may answer a search from before, and tell meanwhile that one is there no more.
#[tokio::test]
async fn d5_who_goes_while_it_is_searched_for_is_not_chosen() {
    for cache_control in [None, Some("no-store")] {
        let (one, two) = (Producer::start().await, Producer::start().await);
        let nrf = Nrf::with(vec![udm(ONE, &one)]).await;
        let mut settings = nrf.settings();
        settings.nrf.as_mut().unwrap().notify = Some(ApiRoot::parse("http://scp.example").unwrap());
        settings.discovery.patience = Duration::from_secs(600);
        let running = scp(settings).await;
        let client = client(&running).await;
        let _tended = told_of(&nrf, &running).await;
        let (release, held) = watch::channel(false);
        {
            let mut knows = nrf.knows.lock().unwrap();
            (knows.held, knows.profiles) = (Some(held), vec![udm(TWO, &two)]);
            knows.cache_control = cache_control;
        }
        let searching = tokio::spawn({
            let client = client.clone();
            async move { client.ask(ask().header("User-Agent", "amf-1").body("").unwrap()).await }
        });
        until(|| nrf.searches().len() == 2).await;
        assert_eq!(tell(&client, &nrf.place(), &gone(TWO)).await, 204);
        release.send_replace(true);
        assert_eq!(searching.await.unwrap().cause(), "NF_DISCOVERY_FAILURE");
        assert!(two.seen().is_empty());
    }
}

/// A notification that does not end holds nothing for longer than any other request would.
#[tokio::test]
async fn d5_a_notification_that_does_not_end_is_not_waited_for() {
    let nrf = Nrf::start().await;
    let mut settings = nrf.settings();
    settings.nrf.as_mut().unwrap().notify = Some(ApiRoot::parse("http://scp.example").unwrap());
    settings.timeouts.response = Duration::from_millis(100);
    let running = scp(settings).await;
    let _tended = told_of(&nrf, &running).await;
    let mut client = client(&running).await.sender.ready().await.unwrap();
    let request = post(&nrf.place()).body(()).unwrap();
    let (response, _stream) = client.send_request(request, false).unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(10), response).await;
    assert_eq!(answer.expect("it should be answered").unwrap().status(), 504);
    until(|| running.scp.parts().gate.load() == (0, 0)).await;
}

/// Who reads what is told of requests does not learn where the NRF tells, and cannot tell in its name.
#[tokio::test]
async fn d5_where_the_nrf_tells_is_not_told_on() {
    let nrf = Nrf::start().await;
    let mut settings = nrf.settings();
    settings.nrf.as_mut().unwrap().notify = Some(ApiRoot::parse("http://scp.example").unwrap());
    let mut told = prepared(settings.clone());
    told.told = true;
    let running = scp(settings).await;
    let _tended = told_of(&nrf, &running).await;
    running.scp.apply(told);
    let (tell, mut reader) = tokio::sync::mpsc::channel(8);
    running.scp.parts().account.tell(Some(tell));
    client(&running).await.ask(post(&nrf.place()).body("{}").unwrap()).await;
    let path = reader.recv().await.unwrap().path.unwrap();
    assert_eq!(path, "/pinion-scp/v1/nf-status/");
}

/// A change of load alone: whoever is found stays found, and its share is another.
#[tokio::test]
async fn d6_load_that_the_nrf_tells_of() {
    let (one, two) = (Producer::start().await, Producer::start().await);
    let nrf = Nrf::with(vec![udm(ONE, &one), udm(TWO, &two)]).await;
    let mut settings = nrf.settings();
    let own = ApiRoot::parse("http://scp.example").unwrap();
    settings.nrf.as_mut().unwrap().notify = Some(own);
    let running = scp(settings).await;
    let client = client(&running).await;
    let _tended = told_of(&nrf, &running).await;
    let before = one.seen().len();
    let told = json!({"event": "NF_PROFILE_CHANGED", "nfInstanceUri": format!("http://nrf/nf-instances/{ONE}"),
        "profileChanges": [{"op": "REPLACE", "path": "/load", "newValue": 100}]});
    let request = post(&nrf.place()).body(told.to_string()).unwrap();
    assert_eq!(client.ask(request.map(|it| &*it.leak())).await.status, 204);
    for _ in 0..50 {
        client.ask(ask().body("").unwrap()).await;
    }
    assert_eq!(nrf.searches().len(), 1);
    // A full one has a share of one in ten thousand.
    assert!(one.seen().len() - before <= 2);
}

/// That an NF instance is there no more.
fn gone(instance: &str) -> Value {
    json!({"event": "NF_DEREGISTERED", "nfInstanceUri": format!("http://nrf/nf-instances/{instance}")})
}

/// Tells of a change at a path; the answer's status.
async fn tell(client: &Client, path: &str, change: &Value) -> u16 {
    client.ask(post(path).body(change.to_string().as_str()).unwrap()).await.status.as_u16()
}

/// Whoever reaches the listener may say anything; only the NRF knows where to say it.
#[tokio::test]
async fn d5_who_is_not_the_nrf_is_not_believed() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    let mut settings = nrf.settings();
    settings.nrf.as_mut().unwrap().notify = Some(ApiRoot::parse("http://scp.example").unwrap());
    let running = scp(settings).await;
    let _tended = told_of(&nrf, &running).await;
    let client = client(&running).await;
    let place = nrf.place();
    let (all, secret) = place.rsplit_once('/').unwrap();
    let types = all.rsplit_once('/').unwrap().0;
    for forged in [
        all.to_owned(),
        format!("{all}/"),
        format!("{all}/{}", "0".repeat(32)),
        format!("{all}/{}", &secret[1..]),
        format!("{types}/AMF/{secret}"),
    ] {
        let answer = client.ask(post(&forged).body(gone(ONE).to_string().as_str()).unwrap()).await;
        let expected = (404, "SUBSCRIPTION_NOT_FOUND".to_owned());
        assert_eq!((answer.status.as_u16(), answer.cause()), expected, "{forged}");
    }
    assert_eq!(client.ask(ask().body("").unwrap()).await.status, 200);
    assert_eq!(tell(&client, &place, &gone(ONE)).await, 204);
    nrf.knows.lock().unwrap().broken = Some(503);
    assert_eq!(client.ask(ask().body("").unwrap()).await.cause(), "NF_DISCOVERY_FAILURE");
    let tally = running.scp.tally();
    assert_eq!((tally.count(Event::NoticeStrange), tally.count(Event::NoticeTaken)), (5, 1));
}

/// However the place is written that the NRF tells at: a port that is the scheme's may be left out, or named.
#[tokio::test]
async fn d5_notifications_are_known_however_their_authority_is_written() {
    let nrf = Nrf::start().await;
    let mut settings = nrf.settings();
    let (scheme, port) = (scheme(), if scheme() == "https" { 443 } else { 80 });
    let own = ApiRoot::parse(&format!("{scheme}://notify.example:{port}")).unwrap();
    settings.nrf.as_mut().unwrap().notify = Some(own);
    let running = scp(settings).await;
    let _tended = told_of(&nrf, &running).await;
    let client = client(&running).await;
    let place = nrf.place();
    let content = gone(ONE).to_string();
    for authority in ["notify.example", "Notify.Example", "scp.example"].map(str::to_owned) {
        for authority in [format!("{authority}:{port}"), authority] {
            let request = http::Request::post(format!("{scheme}://{authority}{place}"));
            let answer = client.ask(request.body(content.as_str()).unwrap()).await;
            assert_eq!(answer.status, 204, "{authority}");
            let request = post(&place).header("3gpp-Sbi-Target-apiRoot", format!("{scheme}://{authority}"));
            let answer = client.ask(request.body(content.as_str()).unwrap()).await;
            assert_eq!(answer.status, 204, "{authority}");
        }
    }
    assert_eq!(running.scp.tally().count(Event::NoticeTaken), 12);
}

/// A subscription takes the place of another: what the other was for still arrives, until there is a third; and what the SCP
/// is told meanwhile changes nothing.
#[tokio::test]
async fn d5_notifications_arrive_while_subscriptions_take_turns() {
    let producer = Producer::start().await;
    let nrf = Nrf::with(vec![udm(ONE, &producer)]).await;
    nrf.knows.lock().unwrap().heartbeat = 1;
    let settings = crate::registration::registering(&nrf);
    let running = scp(settings.clone()).await;
    let (_drain, _) = tend(&running);
    let client = client(&running).await;
    client
        .ask(get("/scp/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM").body("").unwrap())
        .await;
    let mut places: Vec<String> = Vec::new();
    for subscriptions in 1..=3 {
        until(|| nrf.asked("POST", "/nnrf-nfm/v1/subscriptions").len() == subscriptions).await;
        places.push(nrf.place());
        running.scp.apply(prepared(settings.clone()));
        let mut told = Vec::new();
        for place in &places {
            told.push(tell(&client, place, &gone(TWO)).await);
        }
        let expected: &[u16] = [&[204][..], &[204, 204], &[404, 204, 204]][subscriptions - 1];
        assert_eq!(told, expected);
        nrf.knows.lock().unwrap().forgotten = true;
    }
}
