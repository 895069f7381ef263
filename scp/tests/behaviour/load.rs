//! F7: overload that producers tell of is obeyed, overload of the SCP is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Response;
use pinion_protocols::sbi::{Oci, ScopeEntity, Value as _};
use pinion_scp::api_root::ApiRoot;
use pinion_scp::settings::{NextHop, Targets};

use crate::nrf::{Nrf, ONE, TWO, one_before_two, udm};
use crate::support::{Client, Does, Producer, Running, get, scp, settings, until};

/// Half of the requests are not to be sent, for longer than this takes.
const HALF: &str = "Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; Period-of-Validity: 3600s; \
                    Overload-Reduction-Metric: 50%; NF-Instance: 54804518-4191-46b3-955c-ac631f953ed8";

/// An SCP in front of two UDMs of which the first is chosen before the second, and a client of it.
async fn before(one: &Producer, two: &Producer) -> (Running, Client) {
    let nrf = Nrf::with(one_before_two(one, two).into()).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    (running, client)
}

/// For whichever UDM is chosen.
fn anybody() -> http::request::Builder {
    get("/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
}

#[tokio::test]
async fn f7_a_producer_that_is_overloaded_is_spared() {
    let producer = Producer::with(|_| {
        Does::Answers(Response::builder().header("3gpp-Sbi-Oci", HALF).body(Bytes::new()).unwrap())
    })
    .await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let ask = async |priority: &str| {
        let request = get("/x").header("3gpp-Sbi-Target-apiRoot", producer.root());
        client.ask(request.header("3gpp-Sbi-Message-Priority", priority).body("").unwrap()).await
    };
    // The first brings the news.
    assert_eq!(ask("24").await.status, 200);
    let mut refused = 0;
    for _ in 0..20 {
        let answer = ask("24").await;
        if answer.status == 503 {
            assert_eq!(answer.cause(), "NF_CONGESTION");
            assert!(answer.header("retry-after").parse::<u32>().unwrap() > 3000);
            refused += 1;
        }
    }
    assert_eq!(refused, 10);
    assert_eq!(producer.seen().len(), 11);
    for _ in 0..10 {
        assert_eq!(ask("1").await.status, 200);
    }
}

#[tokio::test]
async fn f7_clients_are_told_when_the_scp_is_hot() {
    let open = Arc::new(AtomicBool::new(false));
    let producer = Producer::with({
        let open = Arc::clone(&open);
        move |_| if open.load(Ordering::SeqCst) { Does::Answers(Response::new(Bytes::new())) } else { Does::Hangs }
    })
    .await;
    let mut settings = settings();
    settings.limits.requests = 4;
    settings.overload.hot = 50;
    // Those that hang are at work until the test ends, however long that takes.
    settings.timeouts.response = Duration::from_hours(1);
    settings.timeouts.ping = Duration::from_hours(1);
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let ask = async |client: Client, root: String| {
        client.ask(get("/x").header("3gpp-Sbi-Target-apiRoot", root).body("").unwrap()).await
    };
    for _ in 0..3 {
        tokio::spawn(ask(client.clone(), producer.root()));
    }
    until(|| running.scp.parts().gate.load() == (3, 0) && producer.seen().len() == 3).await;
    open.store(true, Ordering::SeqCst);
    let answer = ask(client.clone(), producer.root()).await;
    let Oci(elements) = Oci::parse(answer.header("3gpp-sbi-oci").as_bytes()).unwrap();
    assert_eq!(elements.len(), 1);
    assert_eq!(elements[0].scope.entity, ScopeEntity::Scp("scp.example"));
    assert_eq!(elements[0].reduction, 33);
    let calm = scp(crate::support::settings()).await;
    let answer = ask(Client::connect(calm.address).await, producer.root()).await;
    assert_eq!(answer.header("3gpp-sbi-oci"), "");
}

/// 6.4.3.5.1: what is not to be sent to a set is not sent to another of it either, be it at once or in another attempt.
#[tokio::test]
async fn f7_a_set_that_is_overloaded_is_spared_as_a_whole() {
    let set = "NF-Set: set1.udmset.5gc.mnc012.mcc345";
    let oci = HALF.rsplit_once(';').map(|(rest, _)| format!("{rest}; {set}")).unwrap();
    let mut producers = Vec::new();
    for _ in 0..4 {
        let oci = oci.clone();
        let answers = move |_: &_| {
            Does::Answers(Response::builder().header("3gpp-Sbi-Oci", &oci).body(Bytes::new()).unwrap())
        };
        producers.push(Producer::with(answers).await);
    }
    let profiles = producers.iter().zip([ONE, TWO, "three", "four"]).map(|(at, instance)| udm(instance, at));
    let nrf = Nrf::with(profiles.collect()).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let mut refused = 0;
    for _ in 0..200 {
        refused += usize::from(client.ask(anybody().body("").unwrap()).await.status == 503);
    }
    assert!((60..=140).contains(&refused), "{refused}");
}

/// 6.4.3.4.5: what a producer behind another SCP says is not of that SCP, which finds others; what that SCP says of itself is.
#[tokio::test]
async fn f7_a_producer_behind_another_scp_is_not_that_scp() {
    for (scope, refused) in
        [("NF-Instance: 54804518-4191-46b3-955c-ac631f953ed8", 0), ("SCP-FQDN: scp2.example", 10)]
    {
        let oci = HALF.rsplit_once(';').map(|(rest, _)| format!("{rest}; {scope}")).unwrap();
        let other = Producer::with(move |_| {
            Does::Answers(Response::builder().header("3gpp-Sbi-Oci", &oci).body(Bytes::new()).unwrap())
        })
        .await;
        for delegate in [true, false] {
            let mut settings = settings();
            let api_root = ApiRoot::parse(&other.root()).unwrap();
            settings.next_hops.push(NextHop { targets: Targets::All, api_root, delegate });
            let running = scp(settings).await;
            let client = Client::connect(running.address).await;
            let mut statuses = Vec::new();
            for number in 0..21 {
                // Where it discovers nothing the target is told, and is another each time.
                let request = match delegate {
                    true => anybody(),
                    false => {
                        get("/nudm-sdm/v2/x").header("3gpp-Sbi-Target-apiRoot", format!("http://udm{number}"))
                    }
                };
                statuses.push(client.ask(request.body("").unwrap()).await.status.as_u16());
            }
            let seen = statuses.iter().filter(|it| **it == 503).count();
            assert_eq!(seen, refused, "{scope}, {delegate}: {statuses:?}");
        }
    }
}

/// 6.4.3.4.5.2, .3: who is overloaded as a consumer gets less notifications, and as many requests as before; and the other way
/// round.
#[tokio::test]
async fn f7_what_is_said_of_a_consumer_is_not_of_it_as_a_producer() {
    let callback = "Nudm_SDM_Notification; apiversion=2";
    for (notified, scope, of_requests, of_notifications) in [
        (false, "NF-Instance: 54804518-4191-46b3-955c-ac631f953ed8", 10, 0),
        // As Rel-16 writes a consumer.
        (true, "NF-Instance: 54804518-4191-46b3-955c-ac631f953ed8", 0, 10),
        (true, "NFC-Instance: 54804518-4191-46b3-955c-ac631f953ed8", 0, 10),
        (true, "Callback-Uri: \"ROOT/notify\"", 0, 10),
        (true, "Callback-Uri: \"ROOT\"", 0, 10),
        (true, "Callback-Uri: \"ROOT/not\"", 0, 0),
        (true, "Callback-Uri: \"ROOT/notify/1\"", 0, 0),
        (true, "Callback-Uri: \"ROOT/other\"", 0, 0),
        // Which service a notification is bound to that names only where it goes, nobody knows.
        (true, "NFC-Instance: 54804518-4191-46b3-955c-ac631f953ed8; Service-Name: npcf-callback", 0, 0),
    ] {
        let oci = HALF.rsplit_once(';').map(|(rest, _)| format!("{rest}; {scope}")).unwrap();
        let nf = Producer::with(move |seen| {
            let root = seen.uri.rsplit_once('/').map(|(root, _)| root.to_owned()).unwrap_or_default();
            let mut answer = Response::builder();
            if seen.headers.contains_key("3gpp-sbi-callback") == notified {
                answer = answer.header("3gpp-Sbi-Oci", oci.replace("ROOT", &root));
            }
            Does::Answers(answer.body(Bytes::new()).unwrap())
        })
        .await;
        let running = scp(settings()).await;
        let client = Client::connect(running.address).await;
        let ask = async |notification: bool| {
            let mut request = get("/notify").header("3gpp-Sbi-Target-apiRoot", nf.root());
            if notification {
                request = request.header("3gpp-Sbi-Callback", callback);
            }
            client.ask(request.body("").unwrap()).await.status.as_u16()
        };
        assert_eq!(ask(notified).await, 200);
        let mut refused = [0, 0];
        for _ in 0..20 {
            refused[0] += usize::from(ask(false).await == 503);
            refused[1] += usize::from(ask(true).await == 503);
        }
        assert_eq!(refused, [of_requests, of_notifications], "{scope}");
    }
}

/// 6.4.3.4.1, 6.4.3.4.5.3: what a consumer says in a request, or a producer in a notification.
#[tokio::test]
async fn f7_what_is_said_in_requests_is_heard() {
    const ID: &str = "54804518-4191-46b3-955c-ac631f953ed8";
    let bound =
        &format!("bl=nf-set; nfset=set1; nfinst={ID}; nfservinst=s1; servname=npcf-callback; no-redundancy=true");
    for (notification, scope, of_bound, of_others, of_requests) in [
        (false, "Callback-Uri: \"ROOT/notify\"", 10, 10, 0),
        (false, "Callback-Uri: \"ROOT/other\"", 0, 0, 0),
        (false, &format!("NFC-Instance: {ID}"), 10, 0, 0),
        (false, &format!("NF-Instance: {ID}"), 10, 0, 0),
        (false, &format!("NFC-Instance: {ID}; Service-Name: npcf-callback"), 10, 0, 0),
        (false, &format!("NFC-Instance: {ID}; Service-Name: other"), 0, 0, 0),
        (false, "NFC-Set: set1", 10, 0, 0),
        (false, "NF-Service-Instance: s1", 10, 0, 0),
        (false, "NFC-Instance: 54804518-4191-46b3-955c-ac631f953ed0", 0, 0, 0),
        (true, &format!("NF-Instance: {ID}"), 0, 0, 20),
        (true, &format!("NFC-Instance: {ID}"), 20, 0, 0),
    ] {
        let nf = Producer::start().await;
        let nrf = Nrf::with(vec![udm(ID, &nf)]).await;
        let running = scp(nrf.settings()).await;
        let client = Client::connect(running.address).await;
        let oci = HALF.rsplit_once(';').map(|(rest, _)| format!("{rest}; {scope}")).unwrap();
        let oci = oci.replace("ROOT", &nf.root()).replace("50%", if notification { "100%" } else { "50%" });
        let other = Producer::start().await;
        let mut said = get("/said").header("3gpp-Sbi-Target-apiRoot", other.root()).header("3gpp-Sbi-Oci", &oci);
        if notification {
            said = said.header("3gpp-Sbi-Callback", "Nudm_SDM_Notification");
        }
        assert_eq!(client.ask(said.body("").unwrap()).await.status, 200);
        assert_eq!(other.only().headers["3gpp-sbi-oci"], oci);
        let callback = || {
            let request = get("/notify").header("3gpp-Sbi-Target-apiRoot", nf.root());
            request.header("3gpp-Sbi-Callback", "Nudm_SDM_Notification")
        };
        let mut refused = [0; 3];
        for _ in 0..20 {
            let asked = callback().header("3gpp-Sbi-Routing-Binding", bound);
            refused[0] += usize::from(client.ask(asked.body("").unwrap()).await.status == 503);
        }
        for _ in 0..20 {
            refused[1] += usize::from(client.ask(callback().body("").unwrap()).await.status == 503);
            refused[2] += usize::from(client.ask(anybody().body("").unwrap()).await.status == 503);
        }
        assert_eq!(refused, [of_bound, of_others, of_requests], "{scope}");
    }
}

/// 6.4.2.1, .2, .3: what is bound to nobody is diverted, what is for one goes there all the same, and nobody is without an answer.
#[tokio::test]
async fn f7_who_answers_that_it_has_too_much_to_do_gets_nothing_new() {
    let long = Some("3600");
    for (status, retry_after, server, diverted) in [
        (503, long, "UDM-54804518-4191-46b3-955c-ac631f953ed1", true),
        (429, long, "", true),
        (503, None, "", false),
        (503, Some("0"), "", false),
        (503, Some("soon"), "", false),
        (500, long, "", false),
        (503, long, "SCP-scp2.example", false),
    ] {
        let one = Producer::with(move |_| {
            let mut answer = Response::builder().status(status);
            for (name, value) in [("retry-after", retry_after), ("server", Some(server))] {
                if let Some(value) = value.filter(|it| !it.is_empty()) {
                    answer = answer.header(name, value);
                }
            }
            Does::Answers(answer.body(Bytes::from_static(b"busy")).unwrap())
        })
        .await;
        let two = Producer::start().await;
        let (_running, client) = before(&one, &two).await;
        let first = client.ask(anybody().body("").unwrap()).await;
        assert_eq!((first.status.as_u16(), first.body.as_slice()), (status, b"busy".as_slice()));
        let mut others = 0;
        for _ in 0..5 {
            others += usize::from(client.ask(anybody().body("").unwrap()).await.status == 200);
        }
        assert_eq!(others, if diverted { 5 } else { 0 }, "{status} {retry_after:?} {server}");
        let own = get("/nudm-sdm/v2/x").header("3gpp-Sbi-Target-apiRoot", one.root());
        assert_eq!(client.ask(own.body("").unwrap()).await.status, status);
        two.kill();
        assert_eq!(client.ask(anybody().body("").unwrap()).await.status, status, "there is nobody else");
    }
}

/// 6.4.2.2: who does not say for how long is watched, and gets no more new requests than it takes.
#[tokio::test]
async fn f7_who_refuses_most_of_what_it_gets_gets_less() {
    let one = Producer::with(|_| Does::Answers(Response::builder().status(503).body(Bytes::new()).unwrap())).await;
    let two = Producer::start().await;
    let (_running, client) = before(&one, &two).await;
    let ask = async || client.ask(anybody().body("").unwrap()).await.status == 200;
    let begun = Instant::now();
    while !ask().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing goes elsewhere");
    }
    let mut others = 0;
    for _ in 0..500 {
        others += usize::from(ask().await);
    }
    // Some go on to find out when it takes more.
    assert!((250..500).contains(&others), "{others}");
}

/// RFC 9110 10.2.3: of one that said nothing itself, for as long as what was said of its set holds.
#[tokio::test]
async fn f7_clients_are_told_for_how_long_a_set_is_overloaded() {
    let oci =
        HALF.rsplit_once(';').map(|(rest, _)| format!("{rest}; NF-Set: set1.udmset.5gc.mnc012.mcc345")).unwrap();
    let oci = oci.replace("50%", "100%");
    let one = Producer::with(move |_| {
        Does::Answers(Response::builder().header("3gpp-Sbi-Oci", &oci).body(Bytes::new()).unwrap())
    })
    .await;
    let two = Producer::start().await;
    let (_running, client) = before(&one, &two).await;
    assert_eq!(client.ask(anybody().body("").unwrap()).await.status, 200);
    let not_one = anybody().header("3gpp-Sbi-Selection-Info", format!("not-select-nfinst={ONE}"));
    let answer = client.ask(not_one.body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (503, "NF_CONGESTION"));
    assert!(answer.header("retry-after").parse::<u32>().unwrap() > 3000);
}

/// 6.3.3.2: a producer says how loaded it is in notifications, too.
#[tokio::test]
async fn d6_load_that_a_producer_tells_in_a_notification() {
    let (one, two) = (Producer::start().await, Producer::start().await);
    let nrf = Nrf::with(vec![udm(ONE, &one), udm(TWO, &two)]).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let lci = format!("Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; Load-Metric: 100%; NF-Instance: {ONE}");
    let told = get("/notify").header("3gpp-Sbi-Target-apiRoot", two.root()).header("3gpp-Sbi-Lci", lci);
    let told = told.header("3gpp-Sbi-Callback", "Nudm_SDM_Notification").body("").unwrap();
    assert_eq!(client.ask(told).await.status, 200);
    for _ in 0..50 {
        assert_eq!(client.ask(anybody().body("").unwrap()).await.status, 200);
    }
    // A full one has a share of one in ten thousand.
    assert!(one.seen().len() <= 2);
}
