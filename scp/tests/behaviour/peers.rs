//! F8: who sent a message and who is to get it (3gpp-Sbi-NF-Peer-Info).

use bytes::Bytes;
use http::Response;
use pinion_scp::api_root::ApiRoot;
use pinion_scp::settings::{NextHop, Targets};

use crate::nrf::{Nrf, ONE, TWO, one_before_two};
use crate::support::{Client, Does, Producer, Seen, get, scp, settings, until};

const HEADER: &str = "3gpp-Sbi-NF-Peer-Info";
/// The consumer's.
const AMF: &str = "54804518-4191-46b3-955c-ac631f953ed5";

/// What is said, in an order that makes no difference.
fn sorted(said: &str) -> Vec<String> {
    let mut all: Vec<_> = said.split(';').map(|it| it.trim().to_owned()).collect();
    all.sort();
    all
}

fn said(seen: &Seen) -> Vec<String> {
    sorted(seen.headers[HEADER].to_str().unwrap())
}

/// A producer that says who it is to whoever asks.
async fn udm(instance: &'static str) -> Producer {
    Producer::with(move |_| {
        let said = format!("srcinst={instance}; srcservinst=sdm-1; dstinst={AMF}; dstscp=SCP-scp.example");
        Does::Answers(Response::builder().header(HEADER, said).body(Bytes::new()).unwrap())
    })
    .await
}

#[tokio::test]
async fn f8_nf_peer_info_names_who_was_chosen_and_this_scp() {
    let (one, two) = (udm(ONE).await, udm(TWO).await);
    let nrf = Nrf::with(one_before_two(&one, &two).into()).await;
    let running = scp(nrf.settings()).await;
    let client = Client::connect(running.address).await;
    let ask = async |said: String| {
        let request =
            get("/nudm-sdm/v2/x").header("3gpp-Sbi-Discovery-target-nf-type", "UDM").header(HEADER, said);
        client.ask(request.body("").unwrap()).await
    };
    // The consumer knows of the SCP, and once knew of another producer.
    let answer =
        ask(format!("srcinst={AMF}; srcservinst=a; dstscp=SCP-scp.example; dstinst={AMF}; dstservinst=old")).await;
    let expected = format!("srcinst={AMF};srcservinst=a;srcscp=SCP-scp.example;dstinst={ONE};dstservinst=sdm-1");
    assert_eq!(said(&one.only()), sorted(&expected));
    let expected = format!("srcinst={ONE};srcservinst=sdm-1;srcscp=SCP-scp.example;dstinst={AMF}");
    assert_eq!(sorted(answer.header(HEADER)), sorted(&expected));
    // Another takes it where the first is gone.
    one.kill();
    until(|| running.scp.parts().pools.connections() <= 1).await;
    ask(format!("srcinst={AMF}; srcscp=SCP-before.example; dstscp=SCP-scp.example; later=1")).await;
    let expected = format!("srcinst={AMF};later=1;srcscp=SCP-scp.example;dstinst={TWO};dstservinst=sdm-1");
    assert_eq!(said(&two.only()), sorted(&expected));
}

#[tokio::test]
async fn f8_nf_peer_info_of_a_producer_that_is_given_stays() {
    let one = udm(ONE).await;
    let running = scp(settings()).await;
    let client = Client::connect(running.address).await;
    let ask = async |said: &str| {
        let request = get("/nudm-sdm/v2/x").header("3gpp-Sbi-Target-apiRoot", one.root()).header(HEADER, said);
        client.ask(request.body("").unwrap()).await
    };
    let answer = ask(&format!("srcinst={AMF};srcscp=SCP-before.example;dstinst={ONE};dstservinst=sdm-1")).await;
    let expected = format!("srcinst={AMF};srcscp=SCP-scp.example;dstinst={ONE};dstservinst=sdm-1");
    assert_eq!(said(&one.only()), sorted(&expected));
    // The answer goes to the SCP that the request came by.
    let expected =
        format!("srcinst={ONE};srcservinst=sdm-1;srcscp=SCP-scp.example;dstinst={AMF};dstscp=SCP-before.example");
    assert_eq!(sorted(answer.header(HEADER)), sorted(&expected));
    // What cannot be read goes on.
    ask("nonsense").await;
    assert_eq!(one.seen()[1].headers[HEADER], "nonsense");
    // Who says nothing is told nothing that its producer does not say.
    let request = get("/nudm-sdm/v2/x").header("3gpp-Sbi-Target-apiRoot", one.root());
    client.ask(request.body("").unwrap()).await;
    assert!(!one.seen()[2].headers.contains_key(HEADER));
}

#[tokio::test]
async fn f8_nf_peer_info_names_the_next_scp_and_is_in_errors_too() {
    let next = Producer::start().await;
    let mut settings = settings();
    let api_root = ApiRoot::parse(&next.root()).unwrap();
    settings.next_hops.push(NextHop { targets: Targets::Domain("far.example".into()), api_root, delegate: false });
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let ask = async |root: &str| {
        let from = format!("srcinst={AMF};srcservinst=a;srcsepp=SEPP-s.example;dstinst={ONE}");
        let request = get("/nudm-sdm/v2/x").header("3gpp-Sbi-Target-apiRoot", root).header(HEADER, from);
        client.ask(request.body("").unwrap()).await
    };
    assert_eq!(ask("http://udm.far.example").await.header(HEADER), "");
    let expected =
        format!("srcinst={AMF};srcservinst=a;srcscp=SCP-scp.example;dstinst={ONE};dstscp=SCP-127.0.0.1");
    assert_eq!(said(&next.only()), sorted(&expected));
    let answer = ask("http://scp.example").await;
    assert_eq!(answer.cause(), "MSG_LOOP_DETECTED");
    let expected = format!("srcscp=SCP-scp.example;dstinst={AMF};dstservinst=a;dstsepp=SEPP-s.example");
    assert_eq!(sorted(answer.header(HEADER)), sorted(&expected));
}
