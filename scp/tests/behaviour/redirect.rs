//! F4: 307 and 308 of producers, relayed or followed, and those of the SCP itself.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use pinion_scp::api_root::ApiRoot;
use pinion_scp::cause::Cause;
use pinion_scp::settings::{Identity, NextHop, Plmn, Redirection, Redirects, Settings, Targets, When};
use serde_json::{Value, json};

use crate::frames::{END_HEADERS, END_STREAM, GOAWAY, HEADERS, Raw, fields};
use crate::support::{Answer, Client, Does, Producer, SCP, get, post, scp, settings, until};

const INSTANCE: &str = "54804518-4191-46b3-955c-ac631f953ed8";

/// A producer that sends who comes to another place.
async fn moved(status: u16, location: String) -> Producer {
    Producer::with(move |_| {
        let answer = Response::builder().status(status).header("location", &location);
        let answer = answer.header("3gpp-Sbi-Target-Nf-Id", format!("nfinst={INSTANCE}"));
        Does::Answers(answer.body(Bytes::new()).unwrap())
    })
    .await
}

async fn here() -> Producer {
    Producer::with(|_| Does::Answers(Response::new(Bytes::from_static(b"here")))).await
}

async fn ask(settings: Settings, producer: &Producer) -> Answer {
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let request = Request::builder().method("POST").uri(format!("http://{SCP}/nudm-sdm/v1/a?b=c"));
    client.ask(request.header("3gpp-Sbi-Target-apiRoot", producer.root()).body("{\"a\":1}").unwrap()).await
}

fn following() -> Settings {
    Settings { redirects: Redirects::Follow, ..settings() }
}

#[tokio::test]
async fn f4_a_redirect_is_relayed() {
    let there = here().await;
    let location = format!("{}/p/nudm-sdm/v1/a", there.root());
    let producer = moved(307, location.clone()).await;
    let answer = ask(settings(), &producer).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (307, location.as_str()));
    assert_eq!(answer.header("3gpp-Sbi-Target-Nf-Id"), format!("nfinst={INSTANCE}"));
    assert!(there.seen().is_empty());
}

#[tokio::test]
async fn f4_a_redirect_is_followed_by_policy() {
    for status in [307, 308] {
        let there = here().await;
        let producer = moved(status, format!("{}/p/nudm-sdm/v1/a?b=d", there.root())).await;
        let answer = ask(following(), &producer).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (200, b"here".as_slice()));
        assert_eq!(answer.header("3gpp-Sbi-Target-apiRoot"), there.root());
        assert_eq!(answer.header("3gpp-Sbi-Producer-Id"), format!("nfinst={INSTANCE}"));
        let [seen] = &there.seen()[..] else { panic!("it was asked once") };
        assert_eq!(seen.uri, format!("{}/p/nudm-sdm/v1/a?b=d", there.root()));
        assert_eq!(seen.body, b"{\"a\":1}");
    }
}

/// Who asks this SCP again is its client.
#[tokio::test]
async fn f4_a_redirect_that_leads_back_here_is_relayed() {
    let location = format!("http://{SCP}:80/nudm-sdm/v1/a");
    let producer = moved(307, location.clone()).await;
    let answer = ask(following(), &producer).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (307, location.as_str()));
}

#[tokio::test]
async fn f4_redirects_are_not_followed_for_ever() {
    let producer = Producer::with(|seen| {
        let answer = Response::builder().status(307).header("location", format!("{}/again", seen.uri));
        Does::Answers(answer.body(Bytes::new()).unwrap())
    })
    .await;
    assert_eq!(ask(following(), &producer).await.status.as_u16(), 307);
    assert_eq!(producer.seen().len(), following().retries.attempts);
}

/// RFC 9110 15.4.8: what was asked for stays where it was, and each request is sent on anew. Of what is found below another path,
/// the place alone says nothing.
#[tokio::test]
async fn f4_what_was_found_elsewhere_stays_where_its_uri_says() {
    const CONTEXTS: &str = "/nsmf-pdusession/v1/sm-contexts";
    for (status, callback) in [(307, false), (308, false), (307, true), (308, true)] {
        let there = Producer::with(|seen| {
            let found = seen.path.starts_with("/p/") && seen.path.ends_with("/9/modify");
            let answer = Response::builder().status(if found { 200 } else { 404 });
            Does::Answers(answer.body(Bytes::new()).unwrap())
        })
        .await;
        let location = format!("{}/p{CONTEXTS}/9/modify", there.root());
        let first = Producer::with(move |seen| {
            let made = seen.path.ends_with("/sm-contexts");
            let (status, location) =
                if made { (201, format!("{CONTEXTS}/1")) } else { (status, location.clone()) };
            let answer = Response::builder().status(status).header("location", location);
            Does::Answers(answer.body(Bytes::new()).unwrap())
        })
        .await;
        let running = scp(following()).await;
        let client = Client::connect(running.address).await;
        let to = async |path: &str| {
            let mut request = post(path).header("3gpp-Sbi-Target-apiRoot", first.root());
            if callback {
                request = request.header("3gpp-Sbi-Callback", "Nsmf_PDUSession_Update");
            }
            client.ask(request.body("{}").unwrap()).await.status.as_u16()
        };
        let path = if callback { "/callbacks/1".to_owned() } else { format!("{CONTEXTS}/1/modify") };
        if !callback {
            assert_eq!(to(CONTEXTS).await, 201);
        }
        for _ in 0..3 {
            assert_eq!(to(&path).await, 200, "{status} {callback}");
        }
        let pins = running.scp.parts().pins.from(0, 2);
        assert_eq!(pins.len(), usize::from(!callback));
        assert!(pins.iter().all(|(.., it)| it.pin.at.to_string() == first.root()));
    }
}

/// An SCP or SEPP that sends who comes to another.
async fn sends(status: u16, content: impl Fn(&str) -> Value + Send + Sync + 'static) -> Producer {
    Producer::with(move |seen| {
        let own = seen.uri.split('/').take(3).collect::<Vec<_>>().join("/");
        let content = Bytes::from(content(&own).to_string());
        let answer = Response::builder().status(status).header("location", "http://nowhere.example/x");
        Does::Answers(answer.header("content-type", "application/json").body(content).unwrap())
    })
    .await
}

/// 6.10.9.1: the same is asked of the other SCP or SEPP, wherever Location leads.
#[tokio::test]
async fn f4_another_scp_or_sepp_is_asked_where_the_next_one_says_so() {
    let target = "http://udm.5gc.mnc410.mcc310.3gppnetwork.org";
    for (sepp, delegate) in [(false, false), (false, true), (true, false)] {
        for policy in [Redirects::Follow, Redirects::Relay] {
            let there = here().await;
            let (cause, member) =
                if sepp { ("SEPP_REDIRECTION", "targetSepp") } else { ("SCP_REDIRECTION", "targetScp") };
            let content = json!({"cause": cause, member: format!("{}/p", there.root())});
            let told = content.clone();
            let next = sends(307, move |_| told.clone()).await;
            let api_root = ApiRoot::parse(&next.root()).unwrap();
            let mut settings = Settings { redirects: policy, ..settings() };
            if sepp {
                settings.sepp = Some(api_root);
                settings.plmns = vec![Plmn { mcc: "001".to_owned(), mnc: "001".to_owned() }];
            } else {
                settings.next_hops = vec![NextHop { targets: Targets::All, api_root, delegate }];
            }
            let header = if delegate { DISCOVERY } else { ("3gpp-Sbi-Target-apiRoot", target) };
            let answer = ask_for(settings, "/nudm-sdm/v2/a?b=c", &[header]).await;
            if policy == Redirects::Relay {
                assert_eq!(answer.status.as_u16(), 307);
                assert_eq!(serde_json::from_slice::<Value>(&answer.body).unwrap(), content);
                assert!(there.seen().is_empty());
                continue;
            }
            assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (200, b"here".as_slice()));
            let seen = there.only();
            assert_eq!(seen.uri, format!("{}/p/nudm-sdm/v2/a?b=c", there.root()));
            let told = seen.headers.get("3gpp-sbi-target-apiroot").map(|it| it.to_str().unwrap());
            assert_eq!(told, (!delegate).then_some(target));
        }
    }
}

/// A search that is left to another SCP.
const DISCOVERY: (&str, &str) = ("3gpp-Sbi-Discovery-target-nf-type", "UDM");

#[tokio::test]
async fn f4_other_redirections_of_a_next_scp_are_relayed_as_they_are() {
    let long = "x".repeat(100_000);
    for content in [
        json!({"cause": "SCP_REDIRECTION", "targetScp": "nowhere"}),
        json!({"cause": "SCP_REDIRECTION"}),
        // It leads back here.
        json!({"cause": "SCP_REDIRECTION", "targetScp": format!("http://{SCP}")}),
        // Which is not of an SCP.
        json!({"cause": "SEPP_REDIRECTION", "targetSepp": OTHER}),
        json!({"cause": "OTHER", "targetScp": OTHER}),
        json!({"cause": "SCP_REDIRECTION", "targetScp": OTHER, "more": long}),
        json!([]),
    ] {
        let told = content.clone();
        let next = sends(308, move |_| told.clone()).await;
        let api_root = ApiRoot::parse(&next.root()).unwrap();
        let next_hops = vec![NextHop { targets: Targets::All, api_root, delegate: true }];
        let answer = ask_for(Settings { next_hops, ..following() }, "/nudm-sdm/v2/a", &[DISCOVERY]).await;
        assert_eq!(answer.status.as_u16(), 308);
        assert_eq!(serde_json::from_slice::<Value>(&answer.body).unwrap(), content);
        assert_eq!(next.seen().len(), 1);
    }
}

#[tokio::test]
async fn f4_scps_that_send_to_each_other_are_not_followed_for_ever() {
    let next = sends(307, |own| json!({"cause": "SCP_REDIRECTION", "targetScp": own})).await;
    let api_root = ApiRoot::parse(&next.root()).unwrap();
    let next_hops = vec![NextHop { targets: Targets::All, api_root, delegate: true }];
    let answer = ask_for(Settings { next_hops, ..following() }, "/nudm-sdm/v2/a", &[DISCOVERY]).await;
    assert_eq!(answer.status.as_u16(), 307);
    assert_eq!(next.seen().len(), following().retries.attempts);
}

const OTHER: &str = "http://scp2.example:7777/p";

/// Sends clients that ask for these to another SCP.
fn away(targets: Targets) -> Settings {
    let api_root = ApiRoot::parse(OTHER).unwrap();
    let redirection = Redirection { targets, api_root, when: When::Always, permanent: false };
    Settings { redirections: vec![redirection], ..settings() }
}

/// Asks an SCP for a path of its own, with headers.
async fn ask_for(settings: Settings, path: &str, headers: &[(&str, &str)]) -> Answer {
    let running = scp(settings).await;
    let mut request = get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Client::connect(running.address).await.ask(request.body("").unwrap()).await
}

/// TS 29.500 6.10.9.1, RedirectResponse of TS 29.571.
#[tokio::test]
async fn f4_clients_are_sent_to_another_scp_by_policy() {
    let there = here().await;
    let running =
        scp(Settings { identity: Identity { prefix: "/1".into(), ..settings().identity }, ..away(Targets::All) })
            .await;
    let client = Client::connect(running.address).await;
    let request = Request::post(format!("http://{SCP}/1/nudm-sdm/v1/a?b=c"));
    let answer = client.ask(request.header("3gpp-Sbi-Target-apiRoot", there.root()).body("{}").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (307, "application/json"));
    assert_eq!(answer.header("location"), "http://scp2.example:7777/p/nudm-sdm/v1/a?b=c");
    assert_eq!(answer.header("server"), "SCP-scp.example");
    let content: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(content, serde_json::json!({"cause": "SCP_REDIRECTION", "targetScp": OTHER}));
    assert!(there.seen().is_empty());
    let causes = running.scp.parts().account.counts().causes;
    assert_eq!(causes, [(Cause::ScpRedirection, 1)]);

    let mut lasting = away(Targets::All);
    lasting.redirections[0].permanent = true;
    assert_eq!(ask_for(lasting, "/nudm-sdm/v1/a", &[]).await.status, 308);
}

#[tokio::test]
async fn f4_only_what_another_scp_is_for_is_sent_there() {
    let plmn = |mcc: &str, mnc: &str| Plmn { mcc: mcc.to_owned(), mnc: mnc.to_owned() };
    let target = "3gpp-Sbi-Target-apiRoot";
    let far = [(target, "http://udm.far.example")];
    let near = [(target, "http://127.0.0.1:9")];
    let abroad = [(target, "http://udm.5gc.mnc410.mcc310.3gppnetwork.org")];
    let found = [("3gpp-Sbi-Discovery-target-plmn-list", r#"[{"mcc":"001","mnc":"01"}]"#)];
    let encoded =
        [("3gpp-Sbi-Discovery-target-plmn-list", "%5B%7B%22mcc%22%3A%22001%22%2C%22mnc%22%3A%2201%22%7D%5D")];
    let named = [("3gpp-Sbi-Discovery-service-names", "nudm-uecm,nudm-sdm")];
    let domain = || Targets::Domain("far.example".to_owned());
    let service = || Targets::Services(vec!["nudm-uecm".to_owned()]);
    let plmns = || Targets::Plmns(vec![plmn("310", "410"), plmn("001", "001")]);
    type Case<'a> = (Targets, &'a str, &'a [(&'a str, &'a str)], bool);
    let cases: [Case<'_>; 10] = [
        (domain(), "/x", &far, true),
        (domain(), "/x", &near, false),
        (service(), "/nudm-sdm/v2/x", &named, true),
        (service(), "/nudm-uecm/v1/x", &near, true),
        (service(), "/nudm-sdm/v2/x", &near, false),
        (plmns(), "/x", &abroad, true),
        (plmns(), "/x", &found, true),
        (plmns(), "/x", &encoded, true),
        (plmns(), "/x", &near, false),
        (Targets::All, "/x", &[], true),
    ];
    for (targets, path, headers, sent) in cases {
        let told = format!("{targets:?} {path} {headers:?}");
        assert_eq!(ask_for(away(targets), path, headers).await.status == 307, sent, "{told}");
    }
}

/// Who means the producer and knows of no SCP could not reach it by another.
#[tokio::test]
async fn f4_who_does_not_know_of_scps_is_sent_nowhere() {
    let there = here().await;
    let running = scp(away(Targets::All)).await;
    let client = Client::connect(running.address).await;
    let answer = client.ask(Request::get(format!("{}/x", there.root())).body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (200, b"here".as_slice()));
}

#[tokio::test]
async fn f4_clients_are_sent_to_another_scp_while_this_one_is_hot() {
    let producer = Producer::with(|seen| {
        if seen.uri.ends_with("long") { Does::Hangs } else { Does::Answers(Response::new(Bytes::new())) }
    })
    .await;
    let mut settings = away(Targets::All);
    settings.redirections[0].when = When::Hot;
    settings.limits.requests = 2;
    settings.overload.hot = 50;
    settings.timeouts.response = Duration::from_hours(1);
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let ask = |path: &str| get(path).header("3gpp-Sbi-Target-apiRoot", producer.root()).body("").unwrap();
    assert_eq!(client.ask(ask("/short")).await.status, 200);
    let long = tokio::spawn({
        let (client, long) = (client.clone(), ask("/long"));
        async move { client.ask(long).await }
    });
    until(|| producer.seen().len() == 2).await;
    assert_eq!(client.ask(ask("/short")).await.status, 307);
    long.abort();
}

/// What comes after the SCP has begun to end, and before its client has heard of it.
#[tokio::test]
async fn f4_clients_are_sent_to_another_scp_while_this_one_ends() {
    let there = here().await;
    let mut settings = away(Targets::All);
    settings.redirections[0].when = When::Draining;
    let running = scp(settings).await;
    let mut raw = Raw::connect(running.address).await;
    let block = fields(&[
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", SCP),
        (":path", "/x"),
        ("3gpp-sbi-target-apiroot", &there.root()),
    ]);
    raw.send(HEADERS, END_HEADERS | END_STREAM, 1, &block).await.unwrap();
    // Static table, RFC 7541 appendix A: 8 is `:status: 200`.
    assert_eq!(raw.next_of(&[HEADERS]).await.unwrap().payload[0], 0x80 | 8);
    running.drain.send(true).unwrap();
    assert!(raw.next_of(&[GOAWAY]).await.is_some());
    raw.send(HEADERS, END_HEADERS | END_STREAM, 3, &block).await.unwrap();
    assert!(raw.next_of(&[HEADERS]).await.is_some());
    assert_eq!(running.scp.parts().account.counts().causes, [(Cause::ScpRedirection, 1)]);
    assert_eq!(there.seen().len(), 1);
}
