//! B2 to B5: who else serves a request, and which resources stay where.

use bytes::Bytes;
use h2::Reason;
use http::Response;
use pinion_scp::api_root::ApiRoot;
use pinion_scp::settings::{NextHop, Targets};
use serde_json::json;
use tokio::net::TcpListener;

use crate::nrf::{Nrf, ONE, TWO, udm};
use crate::support::{Answer, Client, Does, Producer, get, post, scheme, scp};

/// An API root where nobody listens.
async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A profile of a member of these sets.
fn in_sets(mut profile: serde_json::Value, sets: &[&str]) -> serde_json::Value {
    profile["nfSetIdList"] = json!(sets);
    profile
}

const SET: &str = "set1.udmset.5gc.mnc012.mcc345";
const PATH: &str = "/nudm-sdm/v2/imsi-001010000000001/nssai";

#[tokio::test]
async fn b2_the_uri_is_first_and_then_the_entity_of_the_binding() {
    let [one, two] = [Producer::start().await, Producer::start().await];
    let nrf = Nrf::with(vec![udm(TWO, &two)]).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let ask = async |root: String| {
        let request = get(PATH)
            .header("3gpp-Sbi-Target-apiRoot", root)
            .header("3gpp-Sbi-Routing-Binding", format!("bl=nf-set; nfset={SET}"))
            .header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
        client.ask(request.body("").unwrap()).await
    };
    assert_eq!(ask(one.root()).await.status, 200);
    assert_eq!((one.seen().len(), two.seen().len()), (1, 0));
    let answer = ask(nowhere().await).await;
    assert_eq!(answer.status, 200);
    assert_eq!(two.seen().len(), 1);
    assert_eq!(answer.header("3gpp-sbi-target-apiroot"), two.root());
    assert_eq!(nrf.searches()[0]["target-nf-set-id"], SET);
}

#[tokio::test]
async fn b2_no_redundancy_forbids_all_others() {
    let two = Producer::start().await;
    let nrf = Nrf::with(vec![udm(TWO, &two)]).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let request = get(PATH)
        .header("3gpp-Sbi-Target-apiRoot", nowhere().await)
        .header("3gpp-Sbi-Routing-Binding", format!("bl=nf-set; nfset={SET}; no-redundancy=true"))
        .body("")
        .unwrap();
    assert_eq!(client.ask(request).await.cause(), "TARGET_NF_NOT_REACHABLE");
    assert!(two.seen().is_empty());
    assert!(nrf.searches().is_empty());
}

/// A resource of a producer that declares no set is on it alone.
#[tokio::test]
async fn b3_without_a_binding_a_resource_stays_on_its_instance() {
    let [one, two] = [Producer::with(|_| Does::Resets(Reason::REFUSED_STREAM)).await, Producer::start().await];
    let none: &[&str] = &[];
    for (sets, served) in [([none, none], false), ([&[SET], &["other"]], false), ([&[SET], &[SET]], true)] {
        let [first, second] = sets;
        let nrf = Nrf::with(vec![in_sets(udm(ONE, &one), first), in_sets(udm(TWO, &two), second)]).await;
        let running = scp(nrf.settings()).await;
        let client = Client::connect(running.address).await;
        let request = get(PATH)
            .header("3gpp-Sbi-Target-apiRoot", one.root())
            .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
            .header("3gpp-Sbi-Discovery-service-names", "nudm-sdm");
        let before = two.seen().len();
        let answer = client.ask(request.body("").unwrap()).await;
        assert_eq!((answer.status == 200, two.seen().len() - before), (served, usize::from(served)), "{sets:?}");
    }
}

/// An SMF's profile with a second service instance that another producer is.
fn twofold(one: &Producer, two: &Producer, persistent: bool) -> serde_json::Value {
    let (mut profile, mut other) = (smf(ONE, one), smf(ONE, two));
    let mut second = other["nfServices"][0].take();
    second["serviceInstanceId"] = json!("sdm-2");
    profile["nfServices"].as_array_mut().unwrap().push(second);
    profile["nfServicePersistence"] = json!(persistent);
    in_sets(profile, &[])
}

/// Another service instance of the NF instance has its resources where the profile says so (TS 23.527 6.5).
#[tokio::test]
async fn b3_resources_that_persist_are_with_other_service_instances_too() {
    for (persistent, made, served) in [(false, false, 0), (true, false, 1), (false, true, 0), (true, true, 1)] {
        let [one, two] = [minting(None).await, Producer::start().await];
        let nrf = Nrf::with(vec![twofold(&one, &two, persistent), in_sets(smf(TWO, &two), &[])]).await;
        let running = scp(nrf.settings()).await;
        let client = Client::connect(running.address).await;
        let root = one.root();
        let kind = "3gpp-Sbi-Discovery-target-nf-type";
        if made {
            // The SCP chose who made it, and knows who that is.
            let info = "not-select-nfservinst=sdm-2; not-select-nfinst=54804518-4191-46b3-955c-ac631f953ed1, \
                        not-select-nfinst=54804518-4191-46b3-955c-ac631f953ed2";
            let request = post(CONTEXTS).header(kind, "SMF").header("3gpp-Sbi-Selection-Info", info);
            let answer = client.ask(request.body("{}").unwrap()).await;
            assert_eq!(answer.header("location"), format!("{root}{CONTEXTS}/1"));
        }
        one.kill();
        let gone = || std::net::TcpStream::connect(one.address).is_err();
        crate::support::until(|| gone() && running.scp.parts().pools.connections() <= 1).await;
        let mut request = post(&format!("{CONTEXTS}/1/modify")).header("3gpp-Sbi-Target-apiRoot", &root);
        if !made {
            request = request.header(kind, "SMF");
        }
        let answer = client.ask(request.body("{}").unwrap()).await;
        assert_eq!((answer.status == 200, two.seen().len()), (served == 1, served), "{persistent} {made}");
    }
}

/// Its client names the set, and the NRF knows the one that is gone no more (6.10.5.1).
#[tokio::test]
async fn b2_whoever_is_in_the_set_that_the_client_names_serves_it() {
    let [one, two] = [minting(None).await, Producer::start().await];
    let nrf = Nrf::with(vec![in_sets(smf(TWO, &two), &[SET])]).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let root = one.root();
    // One of them is pinned, and its producer said nothing of others.
    assert_eq!(to(&client, &root, CONTEXTS).await.status, 201);
    one.kill();
    crate::support::until(|| std::net::TcpStream::connect(one.address).is_err()).await;
    for (count, path) in [(1, "2/modify"), (2, "1/modify")] {
        let request = post(&format!("{CONTEXTS}/{path}"))
            .header("3gpp-Sbi-Target-apiRoot", &root)
            .header("3gpp-Sbi-Discovery-target-nf-set-id", SET)
            .header("3gpp-Sbi-Discovery-target-nf-type", "SMF");
        let answer = client.ask(request.body("{}").unwrap()).await;
        assert_eq!((answer.status.as_u16(), two.seen().len()), (200, count), "{path}");
    }
}

/// TS 23.527 6.5.3: whoever shares a set with the one that is gone has its resources, and does when the NRF knows that one no
/// more; be they pinned or not, and whether the client names its NF instance (6.10.5.1 note 4).
#[tokio::test]
async fn b3_the_set_of_who_went_is_still_its_set() {
    for (named, tells) in [(false, true), (true, true), (false, false)] {
        let [one, two, other] = [minting(None).await, Producer::start().await, Producer::start().await];
        let known = vec![
            in_sets(smf(ONE, &one), &[SET]),
            in_sets(smf(TWO, &two), &[SET]),
            in_sets(smf("54804518-4191-46b3-955c-ac631f953ed3", &other), &["other"]),
        ];
        let nrf = Nrf::with(known.clone()).await;
        {
            let mut knows = nrf.knows.lock().unwrap();
            knows.by_instance = true;
            knows.validity = if tells { 60 } else { 0 };
        }
        let mut settings = nrf.settings();
        settings.discovery.stale = std::time::Duration::ZERO;
        let running = scp(settings).await;
        let client = Client::connect(running.address).await;
        let root = one.root();
        assert_eq!(to(&client, &root, CONTEXTS).await.status, 201);
        one.kill();
        crate::support::until(|| std::net::TcpStream::connect(one.address).is_err()).await;
        let modify = async |path: &str| {
            let mut request = post(&format!("{CONTEXTS}/{path}"))
                .header("3gpp-Sbi-Target-apiRoot", &root)
                .header("3gpp-Sbi-Discovery-target-nf-type", "SMF");
            if named {
                request = request.header("3gpp-Sbi-Discovery-target-nf-instance-id", ONE);
            }
            client.ask(request.body("{}").unwrap()).await.status.as_u16()
        };
        assert_eq!(modify("2/modify").await, 200);
        nrf.knows.lock().unwrap().profiles.remove(0);
        if tells {
            running.scp.parts().directory.changed(ONE, "SMF", true);
        }
        for path in ["2/modify", "3/modify", "1/modify", "1/modify"] {
            assert_eq!(modify(path).await, 200, "{path} {named} {tells}");
        }
        assert_eq!((two.seen().len(), other.seen().len()), (5, 0));
    }
}

/// The NRF tells of it before anybody asked the one that is gone.
#[tokio::test]
async fn b3_the_set_of_who_went_is_known_from_what_was_found_before() {
    let [one, two] = [Producer::start().await, Producer::start().await];
    let nrf = Nrf::with(vec![in_sets(smf(ONE, &one), &[SET]), in_sets(smf(TWO, &two), &[SET])]).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let kind = ("3gpp-Sbi-Discovery-target-nf-type", "SMF");
    let found = post(CONTEXTS).header(kind.0, kind.1);
    assert_eq!(client.ask(found.body("{}").unwrap()).await.status, 200);
    let root = one.root();
    one.kill();
    crate::support::until(|| std::net::TcpStream::connect(one.address).is_err()).await;
    nrf.knows.lock().unwrap().profiles.remove(0);
    running.scp.parts().directory.changed(ONE, "SMF", true);
    let before = two.seen().len();
    let request = post(&format!("{CONTEXTS}/1/modify")).header("3gpp-Sbi-Target-apiRoot", root);
    assert_eq!(client.ask(request.header(kind.0, kind.1).body("{}").unwrap()).await.status, 200);
    assert_eq!(two.seen().len() - before, 1);
}

/// The endpoint of a notification is gone: another of the consumer's set takes it, and those that follow.
#[tokio::test]
async fn b4_another_endpoint_is_found_and_kept() {
    let two = Producer::start().await;
    let nrf = Nrf::with(vec![udm(TWO, &two)]).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let gone = nowhere().await;
    for _ in 0..3 {
        let request = post("/callbacks/7")
            .header("3gpp-Sbi-Target-apiRoot", &gone)
            .header("3gpp-Sbi-Callback", "Nudm_SDM_Notification")
            .header("3gpp-Sbi-Routing-Binding", format!("bl=nf-set; nfset={SET}; servname=nudm-sdm"))
            .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
            .body("{}")
            .unwrap();
        assert_eq!(client.ask(request).await.status, 200);
    }
    let uris: Vec<_> = two.seen().into_iter().map(|it| it.uri).collect();
    assert_eq!(uris, vec![format!("{}/callbacks/7", two.root()); 3]);
    let gone = ApiRoot::parse(&gone).unwrap();
    let key = pinion_scp::binding::key(gone.transport, &gone.authority, "/callbacks/7");
    assert_eq!(running.scp.parts().pins.get(&key).unwrap().at.to_string(), two.root());
}

/// The binding is to a service, which has a prefix that the consumer's callbacks have not (6.12.4).
#[tokio::test]
async fn b4_another_service_instance_takes_a_callback_at_its_own_path() {
    let two = Producer::start().await;
    let service_set = format!("set1.snudm-sdm.nfi{TWO}.5gc.mnc012.mcc345");
    let mut profile = udm(TWO, &two);
    profile["nfServices"][0]["nfServiceSetIdList"] = json!([service_set]);
    profile["nfServices"][0]["apiPrefix"] = json!("/x");
    let nrf = Nrf::with(vec![profile]).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    for (count, binding) in [
        format!("bl=nfservice-set; nfserviceset={service_set}"),
        format!("bl=nfservice-instance; nfservinst=sdm-1; nfinst={TWO}"),
        format!("bl=nf-instance; nfinst={TWO}; servname=nudm-sdm"),
    ]
    .iter()
    .enumerate()
    {
        let gone = nowhere().await;
        for _ in 0..2 {
            let request = post(&format!("/callbacks/{count}"))
                .header("3gpp-Sbi-Target-apiRoot", &gone)
                .header("3gpp-Sbi-Callback", "Nudm_SDM_Notification")
                .header("3gpp-Sbi-Routing-Binding", binding)
                .header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
            assert_eq!(client.ask(request.body("{}").unwrap()).await.status, 200, "{binding}");
            assert_eq!(two.seen().last().unwrap().uri, format!("{}/callbacks/{count}", two.root()));
        }
    }
}

/// A producer of resources that all have the same path.
async fn minting(binding: Option<String>) -> Producer {
    Producer::with(move |seen| {
        let mut answer = Response::builder();
        if seen.method == "POST" && seen.uri.ends_with("/sm-contexts") {
            answer = answer.status(201).header("location", "/nsmf-pdusession/v1/sm-contexts/1");
            if let Some(binding) = &binding {
                answer = answer.header("3gpp-Sbi-Binding", binding);
            }
        }
        Does::Answers(answer.body(Bytes::new()).unwrap())
    })
    .await
}

const CONTEXTS: &str = "/nsmf-pdusession/v1/sm-contexts";

async fn to(client: &Client, root: &str, path: &str) -> Answer {
    client.ask(post(path).header("3gpp-Sbi-Target-apiRoot", root).body("{}").unwrap()).await
}

#[tokio::test]
async fn b5_resources_are_pinned_by_authority_and_path() {
    let [one, two] = [minting(None).await, minting(None).await];
    let running = scp(crate::support::settings()).await;
    let client = Client::connect(running.address).await;
    for producer in [&one, &two] {
        let answer = to(&client, &producer.root(), CONTEXTS).await;
        assert_eq!(answer.header("location"), format!("{}{CONTEXTS}/1", producer.root()));
    }
    // Two SMFs minted the same path.
    let pins = &running.scp.parts().pins;
    assert_eq!(pins.count(), 2);
    for producer in [&one, &two] {
        to(&client, &producer.root(), &format!("{CONTEXTS}/1/modify")).await;
        assert!(producer.seen().last().unwrap().uri.ends_with("/1/modify"));
    }
    // The path alone says nothing.
    let answer = client.ask(post(&format!("{CONTEXTS}/1/modify")).body("{}").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (504, "TARGET_NF_NOT_REACHABLE"));
    to(&client, &one.root(), &format!("{CONTEXTS}/1/release")).await;
    assert_eq!(pins.count(), 1);
}

/// What the producer said when it made the resource is enough for a client that says nothing of it.
#[tokio::test]
async fn b5_a_pinned_resource_moves_with_its_set_and_stays_there() {
    let one = minting(Some(format!("bl=nf-set; nfset={SET}"))).await;
    let two = Producer::start().await;
    let nrf = Nrf::with(vec![in_sets(smf(TWO, &two), &[SET])]).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let root = one.root();
    assert_eq!(to(&client, &root, CONTEXTS).await.status, 201);
    one.kill();
    crate::support::until(|| running.scp.parts().pools.connections() == 0).await;
    for count in 1..3 {
        let answer = to(&client, &root, &format!("{CONTEXTS}/1/modify")).await;
        assert_eq!((answer.status.as_u16(), two.seen().len()), (200, count));
        let told = format!("nfinst={TWO}; nfservinst=sdm-1; nfset={SET}");
        assert_eq!(answer.header("3gpp-sbi-producer-id"), told);
        assert_eq!(answer.header("3gpp-sbi-target-apiroot"), two.root());
    }
    let (.., pinned) = running.scp.parts().pins.from(0, 1).remove(0);
    assert_eq!(pinned.pin.at.to_string(), two.root());
    assert_eq!(nrf.searches().len(), 1);
}

/// A resource behind another SCP is not that SCP's, whatever is said of it later.
#[tokio::test]
async fn b5_a_resource_behind_another_scp_stays_its_producers() {
    let next = Producer::with(|seen| {
        let answer = Response::builder().header("3gpp-Sbi-Binding", format!("bl=nf-set; nfset={SET}"));
        let answer = if seen.uri.ends_with("/sm-contexts") { answer.status(201) } else { answer };
        let location = format!("http://smf.example{CONTEXTS}/1");
        Does::Answers(answer.header("location", location).body(Bytes::new()).unwrap())
    })
    .await;
    let mut settings = crate::support::settings();
    let api_root = ApiRoot::parse(&next.root()).unwrap();
    settings.next_hops = vec![NextHop { targets: Targets::All, api_root, delegate: false }];
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    to(&client, "http://smf.example", CONTEXTS).await;
    for _ in 0..2 {
        let answer = to(&client, "http://smf.example", &format!("{CONTEXTS}/1/modify")).await;
        assert_eq!(answer.status, 200);
    }
    for seen in next.seen() {
        assert_eq!(seen.headers["3gpp-sbi-target-apiroot"], "http://smf.example");
    }
}

/// Where its `Location` says that it is: at a name, the producer having been asked at an address, and below a prefix.
#[tokio::test]
async fn b5_a_resource_is_below_the_prefix_that_its_location_has() {
    let (asked, given) = ("/a", "/b/c");
    let one = Producer::with(move |seen| {
        let port = seen.uri.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()).unwrap();
        let location = format!("{}://localhost:{port}{given}{CONTEXTS}/1", scheme());
        Does::Answers(Response::builder().status(201).header("location", location).body(Bytes::new()).unwrap())
    })
    .await;
    let running = scp(crate::support::settings()).await;
    let client = Client::connect(running.address).await;
    let answer = to(&client, &format!("{}{asked}", one.root()), CONTEXTS).await;
    let root = answer.header("location").strip_suffix(&format!("{CONTEXTS}/1")).unwrap().to_owned();
    assert_eq!(running.scp.parts().pins.from(0, 1)[0].2.pin.at.to_string(), root);
    to(&client, &root, &format!("{CONTEXTS}/1/modify")).await;
    assert_eq!(one.seen().last().unwrap().uri, format!("{root}{CONTEXTS}/1/modify"));
}

fn smf(instance: &str, producer: &Producer) -> serde_json::Value {
    let mut profile = udm(instance, producer);
    profile["nfType"] = json!("SMF");
    for service in profile["nfServices"].as_array_mut().into_iter().flatten() {
        service["serviceName"] = json!("nsmf-pdusession");
        service["versions"] = json!([{"apiVersionInUri": "v1", "apiFullVersion": "1.0.0"}]);
    }
    profile
}
