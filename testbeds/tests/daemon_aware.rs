//! A service that is listened to: gNBs' associations are carried whole by XDP, and the daemon shows their UEs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use bytes::Bytes;
use pinion_protocols::ngap::{Message as Ngap, Outcome, PAYLOAD_PROTOCOL, PORT, Procedure};
use pinion_simulators::n2::messages::{
    First, down, message, ng_setup, release_command, release_complete, tmsi, up,
};
use pinion_transport::userspace::Userspace;
use pinion_transport::{Association, Config, Connect, Event, Listen, Listener, Message, Transport as _};
use serde_json::Value;
use testbeds::daemon::{Configuration, Place, Served};
use testbeds::need;
use testbeds::patience::wait_for;
use testbeds::scenario::{Service, probe, wake};
use testbeds::sctp::userspace::take_over;
use testbeds::topology::{Families, Host, Plan, Topology};
use tokio::runtime::Runtime;

const BINARY: &str = env!("CARGO_BIN_EXE_daemon");
const PATIENCE: Duration = Duration::from_secs(30);
const UES: u32 = 20;

/// What a UE says when it leaves.
const BYE: &[u8] = b"bye";

/// An AMF of a number: it gives UEs the identifiers from a thousand times its number on, and answers whatever they say.
async fn amf(mut listener: Listener, number: u8) {
    while let Some(association) = listener.accept().await {
        tokio::spawn(serve(association, number));
    }
}

async fn serve(association: Association, number: u8) {
    let mut given = u64::from(number) * 1000;
    while let Some(event) = association.receive().await {
        let Event::Message(it) = event else { continue };
        let heard = Ngap::parse(&it.payload).unwrap();
        let ids = heard.ids().unwrap();
        let answer = match (heard.procedure(), heard.outcome()) {
            (Procedure::NgSetup, _) => message(Outcome::Successful, Procedure::NgSetup, |_| {}),
            (Procedure::InitialUeMessage, _) => {
                given += 1;
                down(given, ids.ran.unwrap(), b"who are you")
            }
            (Procedure::UplinkNasTransport, _) if it.payload.ends_with(BYE) => {
                release_command(ids.amf.unwrap(), ids.ran)
            }
            (Procedure::UplinkNasTransport, _) => down(ids.amf.unwrap(), ids.ran.unwrap(), b"well"),
            (Procedure::UeContextRelease, Outcome::Successful) => continue,
            other => panic!("{other:?}"),
        };
        association.send(Message::new(it.stream, PAYLOAD_PROTOCOL, answer)).await.unwrap();
    }
}

/// A gNB and what its AMF calls its UEs.
struct Gnb {
    association: Association,
    ues: HashMap<u32, u64>,
}

impl Gnb {
    /// Sets up with whatever AMF it gets.
    async fn new(transport: &Userspace, service: &Service, number: u32) -> Self {
        let connect = Connect::to(service.addresses(2), PORT);
        let association = transport.connect(connect).unwrap();
        let gnb = Self { association, ues: HashMap::new() };
        let first = gnb.association.receive().await;
        assert!(matches!(first, Some(Event::Established { .. })), "{first:?}");
        gnb.say(0, ng_setup(number)).await;
        assert_eq!(gnb.hear().await.0, Procedure::NgSetup);
        gnb
    }

    async fn say(&self, stream: u16, message: Bytes) {
        self.association.send(Message::new(stream, PAYLOAD_PROTOCOL, message)).await.unwrap();
    }

    /// The next message: its procedure, and who it is about.
    async fn hear(&self) -> (Procedure, Option<(u64, u32)>) {
        loop {
            let event = self.association.receive().await.unwrap();
            if let Event::Message(it) = &event {
                let message = Ngap::parse(&it.payload).unwrap();
                let ids = message.ids().unwrap();
                return (message.procedure(), ids.amf.zip(ids.ran));
            }
            assert!(!event.is_last(), "{event:?}");
        }
    }

    async fn register(&mut self, ran: u32) {
        self.say(1, First::with(ran, tmsi(1, 7)).bytes()).await;
        let (_, ids) = self.hear().await;
        self.ues.insert(ran, ids.filter(|(_, its)| *its == ran).unwrap().0);
    }

    async fn leave(&mut self, ran: u32) {
        let amf = self.ues.remove(&ran).unwrap();
        self.say(1, up(amf, ran, BYE)).await;
        assert_eq!(self.hear().await, (Procedure::UeContextRelease, Some((amf, ran))));
        self.say(1, release_complete(amf, ran)).await;
    }

    /// So many long messages of a UE, each of which is answered.
    async fn talk(&self, ran: u32, times: usize, length: usize) {
        let amf = self.ues[&ran];
        for _ in 0..times {
            self.say(2, up(amf, ran, &vec![7; length])).await;
            assert_eq!(self.hear().await.1, Some((amf, ran)));
        }
    }

    /// Its UEs as the daemon is to list them, on the AMF that has them.
    fn shown(&self, number: u32) -> impl Iterator<Item = Ue> {
        self.ues.iter().map(move |(&ran, &amf)| {
            (format!("001-01-gnb-{number:06x}/24"), format!("ngap4/endpoint{}", amf / 1000), ran, Some(amf))
        })
    }
}

/// gNB, AMF, RAN UE NGAP ID, and AMF UE NGAP ID, once it is known.
type Ue = (String, String, u32, Option<u64>);

/// The UEs that the daemon lists.
fn listed(place: &Place) -> BTreeSet<Ue> {
    let list = place.ask(&["sessions", "n2"]).unwrap();
    let ue = |it: &Value| {
        assert_eq!((&it["mode"], &it["service"]), (&"association".into(), &"ngap4".into()));
        let text = |key: &str| it[key].as_str().unwrap().to_owned();
        let ran = it["ran_ue_ngap_id"].as_u64().unwrap() as u32;
        (text("gnb"), text("amf"), ran, it["amf_ue_ngap_id"].as_u64())
    };
    list.as_array().unwrap().iter().map(ue).collect()
}

/// The endpoints of a topology's hosts, each of which speaks SCTP itself.
struct Hosts {
    // Dropped before the runtime would end their drivers.
    gnbs: Vec<Userspace>,
    _amfs: Vec<Userspace>,
    runtime: Runtime,
}

impl Hosts {
    fn start(topology: &Topology) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let config = Config {
            rto_initial: Duration::from_millis(200),
            rto_min: Duration::from_millis(100),
            rto_max: Duration::from_millis(400),
            heartbeat_interval: Some(Duration::from_millis(300)),
            path_max_retransmissions: 2,
            association_max_retransmissions: 50,
            ..Config::default()
        };
        let inside = runtime.enter();
        let start = |host: &Host| take_over(host, runtime.handle(), &config).unwrap();
        let gnbs = topology.clients.iter().map(start).collect();
        let amfs: Vec<Userspace> = topology.endpoints.iter().map(start).collect();
        for (number, transport) in (1..).zip(&amfs) {
            let listener = runtime.block_on(async { transport.listen(Listen::on(PORT)) }).unwrap();
            runtime.spawn(amf(listener, number));
        }
        drop(inside);
        Self { gnbs, _amfs: amfs, runtime }
    }

    fn run<T>(&self, what: impl Future<Output = T>) -> T {
        let done = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, what).await });
        done.expect("it took too long")
    }
}

#[test]
fn ues_of_whole_associations_are_listed() {
    need!(probe());
    let plan = Plan { clients: 2, endpoints: 2, paths: 2, families: Families::V4, ..Plan::default() };
    let topology = Topology::build(&plan).unwrap();
    let _wakers = wake(&topology).unwrap();
    let service = Service::ngap(false);
    let mut served = Served::by_all(service, &topology);
    served.more.push("aware: ngap".to_owned());
    let place = Place::new(BINARY).unwrap();
    place.configure(&Configuration::of(&topology, vec![served])).unwrap();
    let daemon = place.start(&topology.balancer).unwrap();

    let hosts = Hosts::start(&topology);
    let mut gnbs: Vec<_> = (1..)
        .zip(&hosts.gnbs)
        .map(|(number, transport)| hosts.run(Gnb::new(transport, &service, number)))
        .collect();
    for gnb in &mut gnbs {
        hosts.run(async {
            for ran in 1..=UES {
                gnb.register(ran).await;
            }
            for ran in (2..=UES).step_by(2) {
                gnb.leave(ran).await;
            }
        });
    }
    let all = |gnbs: &[Gnb]| (1..).zip(gnbs).flat_map(|(number, gnb)| gnb.shown(number)).collect::<BTreeSet<_>>();
    wait_for(PATIENCE, || listed(&place) == all(&gnbs));
    let filtered = place.ask(&["sessions", "n2", "--gnb", "001-01-gnb-000002/24"]).unwrap();
    assert_eq!(filtered.as_array().unwrap().len(), UES as usize / 2);
    let first = &filtered[0];
    assert_eq!((first["tmsi"].as_str().unwrap(), first["guami"].as_str()), ("1-7-0x01020304", None));

    // On the other path it goes on.
    topology.cut(&topology.clients[0], 1).unwrap();
    hosts.run(gnbs[0].register(30));
    topology.restore(&topology.clients[0], 1).unwrap();
    wait_for(PATIENCE, || listed(&place) == all(&gnbs));

    // Nobody takes the copies, and the packets go on: more than there is room for.
    let lost = |place: &Place| place.ask(&["stats"]).unwrap()["heard"]["copies_lost"].as_u64().unwrap();
    assert_eq!(lost(&place), 0);
    drop(daemon);
    hosts.run(gnbs[1].talk(1, 1000, 1300));
    hosts.run(gnbs[1].register(31));
    let _daemon = place.start(&topology.balancer).unwrap();
    assert!(lost(&place) > 0);
    // The next one knows again whoever says something, and at which gNB's address.
    for gnb in &gnbs {
        let rans: Vec<u32> = gnb.ues.keys().copied().collect();
        hosts.run(async {
            for ran in rans {
                gnb.talk(ran, 1, 40).await;
            }
        });
    }
    let plain =
        |ues: BTreeSet<Ue>| ues.into_iter().map(|(_, amf, ran, id)| (amf, ran, id)).collect::<BTreeSet<_>>();
    wait_for(PATIENCE, || plain(listed(&place)) == plain(all(&gnbs)));

    // An association that ends takes its UEs with it.
    let gnb = gnbs.remove(0);
    gnb.association.shutdown();
    hosts.run(async { while gnb.association.receive().await.is_some() {} });
    wait_for(PATIENCE, || listed(&place).len() == gnbs[0].ues.len());
}
