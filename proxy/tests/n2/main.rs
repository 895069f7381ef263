//! The host of the N2 front end, between gNBs and AMFs in a network of this process, each with two addresses.
#![cfg(test)]

mod links;
mod messages;
mod slow;

use std::net::IpAddr;
use std::sync::Arc;

use messages::{PATIENCE, ids, initial, next, send, set_up};
use pinion::n2::{Host, Start, Told};
use pinion_n2::{Amf, Answerer, Identity, Settings};
use pinion_protocols::ngap::value::RelativeAmfCapacity;
use pinion_protocols::ngap::{ElementType, FiveGSTmsi, Message, Outcome, PORT, Procedure, UeIds};
use pinion_simulators::n2::messages::{down, ng_setup, up};
use pinion_transport::memory::{Memory, Network};
use pinion_transport::{Association, Config, Connect, Event, Listen, Listener, Transport};
use tokio::time::timeout;

/// The addresses of somebody, one on each path.
fn addresses(last: u8) -> Vec<IpAddr> {
    vec![[192, 0, 2, last].into(), [198, 51, 100, last].into()]
}

fn name(amf: u8) -> Arc<str> {
    format!("amfs/{amf}").into()
}

fn told(amfs: &[u8]) -> Told {
    Told {
        here: addresses(1),
        addresses: amfs.iter().map(|&amf| (name(amf), addresses(20 + amf))).collect(),
        settings: Settings::new("pinion", amfs.iter().map(|&amf| Amf::new(name(amf))).collect()),
    }
}

fn listen(network: &Network, amf: u8) -> Listener {
    network.join(&addresses(20 + amf), Config::default()).listen(Listen::on(PORT)).unwrap()
}

struct Core {
    network: Network,
    host: Host,
    gnb: Association,
    /// The AMFs' transport lives as long as its listener.
    listeners: Vec<Listener>,
    amfs: Vec<Association>,
    _radio: Memory,
}

async fn core() -> Core {
    let network = Network::default();
    let mut listeners = vec![listen(&network, 0), listen(&network, 1)];
    let transport = network.join(&addresses(1), Config::default());
    let start = Start { service: "n2".into(), transport: Box::new(transport), told: told(&[0, 1]), seed: 7 };
    let host = Host::start(start, |_| {}).unwrap();
    let radio = network.join(&addresses(10), Config::default());
    let gnb = radio.connect(Connect::to(addresses(1), PORT)).unwrap();
    send(&gnb, 0, ng_setup(1)).await;
    let mut amfs = Vec::new();
    for (amf, listener) in (0..).zip(&mut listeners) {
        amfs.push(set_up(listener, amf).await);
    }
    let (stream, answer) = next(&gnb).await;
    let answer = Message::parse(&answer).unwrap();
    assert_eq!((stream, answer.procedure(), answer.outcome()), (0, Procedure::NgSetup, Outcome::Successful));
    assert_eq!(answer.get(ElementType::RelativeAmfCapacity), Ok(Some(RelativeAmfCapacity(200))));
    Core { network, host, gnb, listeners, amfs, _radio: radio }
}

impl Core {
    /// A UE comes to an AMF, which knows it by `id`: what the gNB knows it by.
    async fn come(&self, ran: u32, amf: u8, id: u64) -> u64 {
        let there = &self.amfs[usize::from(amf)];
        send(&self.gnb, 3, initial(ran, amf)).await;
        let (stream, bytes) = next(there).await;
        assert_eq!((ids(&bytes).ran, stream == 0), (Some(ran), false));
        send(there, stream, down(id, ran, &[])).await;
        let (stream, bytes) = next(&self.gnb).await;
        assert_eq!((ids(&bytes).ran, stream), (Some(ran), 3));
        ids(&bytes).amf.unwrap()
    }

    async fn talk(&self, ran: u32, amf: u8, id: u64, here: u64) {
        send(&self.gnb, 3, up(here, ran, &[])).await;
        assert_eq!(ids(&next(&self.amfs[usize::from(amf)]).await.1), UeIds { amf: Some(id), ran: Some(ran) });
    }
}

#[tokio::test(start_paused = true)]
async fn ues_are_on_their_amfs_and_a_path_may_be_cut() {
    let core = core().await;
    let here = [core.come(5, 0, 1).await, core.come(6, 1, 1).await];
    assert_ne!(here[0], here[1]);
    for _ in 0..3 {
        core.talk(5, 0, 1, here[0]).await;
        core.talk(6, 1, 1, here[1]).await;
    }
    // The first path of everybody is cut.
    for last in [1, 10, 20, 21] {
        core.network.cut(addresses(last)[0]);
    }
    core.talk(5, 0, 1, here[0]).await;
    core.talk(6, 1, 1, here[1]).await;
    let shown = core.host.shown().await;
    assert_eq!((shown.ues, shown.gnbs.len(), shown.gnbs[0].amfs.len()), (2, 1, 2));
    assert_eq!(shown.counts.undeliverable, 0);
    assert_eq!(core.host.ues(None, 10).await.iter().map(|ue| ue.ran).collect::<Vec<_>>(), [Some(5), Some(6)]);
}

#[tokio::test(start_paused = true)]
async fn the_host_says_why_a_ue_is_where_it_is_and_where_one_would_go() {
    let core = core().await;
    core.come(5, 1, 1).await;
    let ue = core.host.ues(None, 10).await.remove(0);
    assert!(core.host.ues(Some(ue.number), 10).await.is_empty());
    let shares = |candidates: &[pinion_n2::Candidate]| candidates.iter().map(|it| it.share).collect::<Vec<_>>();
    assert_eq!(shares(&core.host.judged(ue.number).await), [0, 100]);
    let tmsi = FiveGSTmsi { set: 1, pointer: 0, tmsi: [9; 4] };
    let placements = core.host.placements(Identity::Tmsi(tmsi)).await;
    assert_eq!(shares(&placements[0].candidates), [100, 0]);
    let shown = core.host.shown().await;
    assert!(shown.messages.contains(&(Procedure::NgSetup, 1, 2)), "{:?}", shown.messages);
    let answered = shown.latencies.iter().find(|it| (it.0, it.1) == (Procedure::InitialUeMessage, Answerer::Amf));
    assert_eq!(answered.unwrap().2.count, 1);
}

#[tokio::test(start_paused = true)]
async fn an_amf_that_ends_takes_its_own_ues_only_and_one_that_is_added_is_asked() {
    let mut core = core().await;
    core.come(5, 0, 1).await;
    let here = core.come(6, 1, 1).await;
    core.amfs[0].abort(b"killed");
    core.listeners.remove(0);
    let (_, reset) = next(&core.gnb).await;
    assert_eq!(Message::parse(&reset).unwrap().procedure(), Procedure::NgReset);
    core.talk(6, 1, 1, here).await;
    let mut third = listen(&core.network, 2);
    let told = told(&[0, 1, 2]);
    assert!(core.host.ask(pinion::n2::Asked::Configure(Box::new(told))).await);
    set_up(&mut third, 2).await;
    core.talk(6, 1, 1, here).await;
    assert_eq!(core.host.shown().await.ues, 1);
}

#[tokio::test(start_paused = true)]
async fn an_amf_that_is_silent_is_left_before_sctp_notices() {
    let core = core().await;
    core.come(5, 0, 1).await;
    let here = core.come(6, 1, 1).await;
    for address in addresses(20) {
        core.network.cut(address);
    }
    let mut told = told(&[0, 1]);
    told.addresses.insert(name(0), Vec::new());
    assert!(core.host.ask(pinion::n2::Asked::Configure(Box::new(told.clone()))).await);
    let (_, reset) = next(&core.gnb).await;
    assert_eq!(Message::parse(&reset).unwrap().procedure(), Procedure::NgReset);
    core.talk(6, 1, 1, here).await;
    assert_eq!(core.host.shown().await.ues, 1);
    // It is back, and knows nothing of the association that it had. The host has a clock of its own.
    tokio::time::resume();
    let mut listener = listen(&core.network, 0);
    for address in addresses(20) {
        core.network.restore(address);
    }
    told.addresses.insert(name(0), addresses(20));
    assert!(core.host.ask(pinion::n2::Asked::Configure(Box::new(told))).await);
    set_up(&mut listener, 0).await;
    core.talk(6, 1, 1, here).await;
}

#[tokio::test(start_paused = true)]
async fn a_gnb_that_leaves_takes_its_upstreams_with_it() {
    let core = core().await;
    core.come(5, 0, 1).await;
    core.gnb.shutdown();
    for amf in &core.amfs {
        let ended = async { while amf.receive().await.is_some_and(|event| !event.is_last()) {} };
        timeout(PATIENCE, ended).await.unwrap();
    }
    let shown = core.host.shown().await;
    assert_eq!((shown.ues, shown.gnbs.len()), (0, 0));
}

/// What was sent before is not lost, and nobody is aborted.
#[tokio::test(start_paused = true)]
async fn one_that_leaves_shuts_every_association_down() {
    let core = core().await;
    core.come(5, 0, 1).await;
    for _ in 0..200 {
        send(&core.gnb, 3, initial(6, 1)).await;
    }
    let Core { host, gnb, amfs, .. } = &core;
    let last = async |association: &Association| loop {
        match association.receive().await {
            Some(event) if event.is_last() => break event,
            event => assert!(event.is_some()),
        }
    };
    let (_, first, second, third) = tokio::join!(host.leave(), last(gnb), last(&amfs[0]), last(&amfs[1]));
    assert_eq!([first, second, third], [Event::Closed, Event::Closed, Event::Closed]);
    // A second time there is nobody to tell.
    host.leave().await;
}
