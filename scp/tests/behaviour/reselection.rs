//! B1, B2, B4: who is asked in whose place, one after the other.

use bytes::Bytes;
use http::Response;
use pinion_scp::nrf::NfProfile;
use pinion_scp::settings::Settings;
use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::nrf::{Nrf, ONE, TWO, udm};
use crate::support::{Answer, Client, Does, Producer, get, post, scp, settings, until};

/// NF instances beside [`ONE`] and [`TWO`].
const THREE: &str = "54804518-4191-46b3-955c-ac631f953ed3";
const FOUR: &str = "54804518-4191-46b3-955c-ac631f953ed4";
const SET: &str = "set1.udmset.5gc.mnc012.mcc345";

/// A service set of an NF instance: those of the same number are equivalent (TS 23.003 28.13).
fn service_set(number: u8, instance: &str) -> String {
    format!("set{number}.snudm-sdm.nfi{instance}.5gc.mnc012.mcc345")
}

/// The profile of a UDM with service instances, each of a service set of a number or none.
fn profile(instance: &str, nf_sets: &[&str], services: &[(&Producer, Option<u8>)]) -> Value {
    let mut all = Vec::new();
    for (number, (at, set)) in (1..).zip(services) {
        let mut service = udm(instance, at)["nfServices"][0].take();
        service["serviceInstanceId"] = json!(format!("sdm-{number}"));
        service["nfServiceSetIdList"] = json!(set.iter().map(|it| service_set(*it, instance)).collect::<Vec<_>>());
        all.push(service);
    }
    let first = services.first().unwrap().0;
    let mut profile = udm(instance, first);
    profile["nfSetIdList"] = json!(nf_sets);
    profile["nfServices"] = json!(all);
    profile
}

/// Settings of an SCP that knows these, and tries as many as there are.
fn knowing(profiles: Vec<Value>) -> Settings {
    let mut settings = settings();
    let read = |it| serde_json::from_value::<NfProfile>(it).unwrap();
    settings.discovery.producers = profiles.into_iter().map(read).collect();
    settings.retries.attempts = 20;
    settings.retries.spare = 1000;
    settings
}

/// Ends one, and waits until it is gone.
async fn end(producer: &Producer) {
    producer.kill();
    until(|| std::net::TcpStream::connect(producer.address).is_err()).await;
}

async fn ask(client: &Client, root: &str, binding: &str) -> Answer {
    let request = get("/nudm-sdm/v2/imsi-001010000000001/nssai")
        .header("3gpp-Sbi-Target-apiRoot", root)
        .header("3gpp-Sbi-Routing-Binding", binding);
    client.ask(request.body("").unwrap()).await
}

async fn started<const N: usize>() -> [Producer; N] {
    let mut all = Vec::new();
    for _ in 0..N {
        all.push(Producer::start().await);
    }
    all.try_into().unwrap_or_else(|_| panic!("as many as were started"))
}

/// All of the list of TS 29.500 6.12.1: each is asked as soon as those before it are gone, and not before.
#[tokio::test]
async fn b2_each_entity_has_its_turn_when_those_before_it_are_gone() {
    // Of the NF instance that made the resource: who did, another of its service set, one of another service set.
    // Of its backup, and of another NF instance of its NF set: one of an equivalent service set, and another.
    for backup in ["backupamfinst", "backupnf"] {
        let all: [Producer; 7] = started().await;
        let [made, same_set, same_instance, backup_set, backup_other, other_set, other] = &all;
        let running = scp(knowing(vec![
            profile(FOUR, &[SET], &[(other, None)]),
            profile(THREE, &[SET], &[(other_set, Some(1))]),
            profile(TWO, &[], &[(backup_other, Some(2)), (backup_set, Some(1))]),
            profile(ONE, &[SET], &[(made, Some(1)), (same_set, Some(1)), (same_instance, Some(2))]),
        ]))
        .await;
        let client = Client::connect(running.address).await;
        let binding = format!(
            "bl=nfservice-instance; nfservinst=sdm-1; nfinst={ONE}; nfserviceset={}; nfset={SET}; {backup}={TWO}",
            service_set(1, ONE)
        );
        for (number, next) in all.iter().enumerate() {
            assert_eq!(ask(&client, &made.root(), &binding).await.status, 200, "{backup} {number}");
            let seen: Vec<_> = all.iter().map(|it| it.seen().len()).collect();
            let expected: Vec<_> = (0..all.len()).map(|it| usize::from(it <= number)).collect();
            assert_eq!(seen, expected, "{backup}");
            end(next).await;
        }
        let answer = ask(&client, &made.root(), &binding).await;
        assert_eq!(answer.cause(), "TARGET_NF_NOT_REACHABLE");
    }
}

/// The entity at the binding's level is first; what the binding does not name is nobody's.
#[tokio::test]
async fn b2_the_level_says_who_is_first_and_nothing_else_is_added() {
    let [made, same_set, same_instance, other] = &started().await;
    let profiles = || {
        vec![
            profile(TWO, &[SET], &[(other, Some(1))]),
            profile(ONE, &[SET], &[(made, Some(1)), (same_set, Some(1)), (same_instance, Some(2))]),
        ]
    };
    end(made).await;
    let set = service_set(1, ONE);
    for (binding, first) in [
        (format!("bl=nfservice-set; nfserviceset={set}; nfinst={TWO}"), Some(same_set)),
        (format!("bl=nf-instance; nfinst={TWO}; nfserviceset={set}"), Some(other)),
        (
            format!("bl=nfservice-instance; nfservinst=sdm-3; nfinst={ONE}; nfserviceset={set}"),
            Some(same_instance),
        ),
        (format!("bl=nfservice-instance; nfservinst=sdm-1; nfinst={TWO}"), Some(other)),
        (format!("bl=nf-instance; nfinst={THREE}"), None),
        (format!("bl=nf-instance; nfinst={TWO}; no-redundancy=true"), None),
    ] {
        let running = scp(knowing(profiles())).await;
        let client = Client::connect(running.address).await;
        let before = [same_set, same_instance, other].map(|it| it.seen().len());
        let answer = ask(&client, &made.root(), &binding).await;
        assert_eq!(answer.status == 200, first.is_some(), "{binding}");
        let asked: Vec<_> = [same_set, same_instance, other]
            .into_iter()
            .zip(before)
            .filter(|(it, before)| it.seen().len() > *before)
            .map(|(it, _)| it.address)
            .collect();
        assert_eq!(asked, first.iter().map(|it| it.address).collect::<Vec<_>>(), "{binding}");
    }
}

/// A response may have bindings for several scopes; that without one is of the resource (6.12.2).
#[tokio::test]
async fn b1_of_several_bindings_the_resources_own_is_kept() {
    let others = format!(
        "bl=nf-instance; nfinst={THREE}; scope=callback, bl=nf-instance; nfinst={FOUR}; scope=other-service"
    );
    let own = format!("bl=nf-instance; nfinst={TWO}");
    for lines in
        [vec![format!("{others}, {own}")], vec![others.clone(), own.clone()], vec![own.clone(), others.clone()]]
    {
        let one = Producer::with(move |_| {
            let mut answer =
                Response::builder().status(201).header("location", "/nudm-sdm/v2/a/sdm-subscriptions/1");
            for line in &lines {
                answer = answer.header("3gpp-Sbi-Binding", line);
            }
            Does::Answers(answer.body(Bytes::new()).unwrap())
        })
        .await;
        let all: [Producer; 3] = started().await;
        let profiles = [TWO, THREE, FOUR].into_iter().zip(&all).map(|(id, at)| profile(id, &[], &[(at, None)]));
        let running = scp(knowing(profiles.collect())).await;
        let client = Client::connect(running.address).await;
        let to = async |path: &str| {
            let request = post(path).header("3gpp-Sbi-Target-apiRoot", one.root());
            client.ask(request.body("{}").unwrap()).await
        };
        assert_eq!(to("/nudm-sdm/v2/a/sdm-subscriptions").await.status, 201);
        end(&one).await;
        until(|| running.scp.parts().pools.connections() == 0).await;
        assert_eq!(to("/nudm-sdm/v2/a/sdm-subscriptions/1/x").await.status, 200);
        assert_eq!(all.each_ref().map(|it| it.seen().len()), [1, 0, 0]);
    }
}

/// Once another endpoint took a notification the first is not asked any more, though it is back (6.12.4).
#[tokio::test]
async fn b4_who_took_a_notification_takes_those_that_follow() {
    let [two] = &started().await;
    // Nobody else gets its port while nobody listens there.
    let gone = TcpSocket::new_v4().unwrap();
    gone.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let [port, own] = [gone.local_addr().unwrap(), two.address].map(|it| format!(":{}", it.port()));
    let root = two.root().replace(&own, &port);
    let running = scp(knowing(vec![profile(TWO, &[SET], &[(two, None)])])).await;
    let client = Client::connect(running.address).await;
    let back = async |count: usize| {
        let request = post("/callbacks/7")
            .header("3gpp-Sbi-Target-apiRoot", &root)
            .header("3gpp-Sbi-Callback", "Nudm_SDM_Notification")
            .header("3gpp-Sbi-Routing-Binding", format!("bl=nf-set; nfset={SET}"))
            .header("3gpp-Sbi-Discovery-target-nf-type", "UDM");
        let answer = client.ask(request.body("{}").unwrap()).await;
        assert_eq!((answer.status.as_u16(), two.seen().len()), (200, count));
        assert_eq!(answer.header("3gpp-sbi-target-apiroot"), two.root());
    };
    back(1).await;
    let first = gone.listen(1).unwrap().into_std().unwrap();
    back(2).await;
    back(3).await;
    assert_eq!(first.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

/// The NF instance that a notification is for by default is gone; its profile says who else takes such (6.12.4).
#[tokio::test]
async fn b4_the_profiles_binding_says_who_takes_notifications_by_default() {
    let [gone, bound, free] = &started().await;
    end(gone).await;
    let lmf = |id: &str, at: &Producer, set: &str, binding: Option<&str>| {
        json!({
            "nfInstanceId": id, "nfType": "LMF", "nfStatus": "REGISTERED", "nfSetIdList": [set],
            "defaultNotificationSubscriptions": [{
                "notificationType": "LOCATION_NOTIFICATION", "callbackUri": format!("{}/located", at.root()), "binding": binding
            }]
        })
    };
    for (binding, served) in [
        (None, false),
        (Some(format!("bl=nf-set; nfset={SET}; scope=subscription-events")), false),
        (Some(format!("bl=nf-set; nfset={SET}")), true),
    ] {
        let running = scp(knowing(vec![
            lmf(ONE, gone, SET, binding.as_deref()),
            lmf(TWO, bound, SET, None),
            lmf(THREE, free, "other", None),
        ]))
        .await;
        let request = post("/scp-default-sub-notify-uri")
            .header("3gpp-Sbi-Callback", "Namf_Location_EventNotify")
            .header("3gpp-Sbi-Discovery-target-nf-type", "LMF")
            .header("3gpp-Sbi-Discovery-target-nf-instance-id", ONE)
            .header("3gpp-Sbi-Discovery-notification-type", "LOCATION_NOTIFICATION");
        let answer = Client::connect(running.address).await.ask(request.body("{}").unwrap()).await;
        assert_eq!(
            (answer.status == 200, bound.seen().len(), free.seen().len()),
            (served, usize::from(served), 0),
            "{binding:?}"
        );
    }
    assert_eq!(bound.only().uri, format!("{}/located", bound.root()));
}

/// Without a binding it is discovery factors that say who else takes a callback (6.10.3.2, TS 23.527 6.6): the NF instance that is
/// named, wherever it is, then others of its sets; or those of a set that is named.
#[tokio::test]
async fn b5_callbacks_go_by_discovery_factors_too() {
    let instance = ("3gpp-Sbi-Discovery-target-nf-instance-id", ONE);
    let set = ("3gpp-Sbi-Discovery-target-nf-set-id", SET);
    let kind = ("3gpp-Sbi-Discovery-service-names", "nudm-sdm");
    let bound = ("3gpp-Sbi-Routing-Binding", "bl=nf-instance; nfinst=54804518-4191-46b3-955c-ac631f953ed1");
    for (factor, ended, served) in [
        (instance, false, Some(0)),
        (instance, true, Some(1)),
        (set, true, Some(1)),
        (kind, false, None),
        (bound, true, None),
    ] {
        let all: [Producer; 3] = started().await;
        let [one, two, other] = &all;
        let running = scp(knowing(vec![
            profile(THREE, &["other"], &[(other, None)]),
            profile(TWO, &[SET], &[(two, None)]),
            profile(ONE, &[SET], &[(one, None)]),
        ]))
        .await;
        let [gone] = &started().await;
        end(gone).await;
        if ended {
            end(one).await;
        }
        let client = Client::connect(running.address).await;
        for count in 1..3 {
            let request = post("/callbacks/7")
                .header("3gpp-Sbi-Target-apiRoot", gone.root())
                .header("3gpp-Sbi-Callback", "Nudm_SDM_Notification")
                .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
                .header(factor.0, factor.1);
            let answer = client.ask(request.body("{}").unwrap()).await;
            assert_eq!(answer.status == 200, served.is_some(), "{factor:?}");
            let seen: Vec<_> = all.iter().map(|it| it.seen().len()).collect();
            let expected: Vec<_> = (0..3).map(|it| if Some(it) == served { count } else { 0 }).collect();
            assert_eq!(seen, expected, "{factor:?}");
        }
    }
}

/// The NF instance that is named went, and the NRF knows it no more (6.10.5.1 note 4).
#[tokio::test]
async fn b5_callbacks_of_who_went_go_to_others_of_its_set() {
    let [gone, two, other] = &started().await;
    end(gone).await;
    let known = vec![
        profile(THREE, &["other"], &[(other, None)]),
        profile(TWO, &[SET], &[(two, None)]),
        profile(ONE, &[SET], &[(gone, None)]),
    ];
    let nrf = Nrf::with(known).await;
    nrf.knows.lock().unwrap().by_instance = true;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    for number in 0..3 {
        if number > 0 {
            nrf.knows.lock().unwrap().profiles.truncate(2);
            running.scp.parts().directory.changed(ONE, "UDM", true);
        }
        // Others are bound to nobody yet.
        let request = post(&format!("/callbacks/{number}"))
            .header("3gpp-Sbi-Target-apiRoot", gone.root())
            .header("3gpp-Sbi-Callback", "Nudm_SDM_Notification")
            .header("3gpp-Sbi-Discovery-target-nf-type", "UDM")
            .header("3gpp-Sbi-Discovery-target-nf-instance-id", ONE);
        assert_eq!(client.ask(request.body("{}").unwrap()).await.status, 200, "{number}");
    }
    assert_eq!((two.seen().len(), other.seen().len()), (3, 0));
}
