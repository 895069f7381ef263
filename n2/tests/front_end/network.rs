//! A network in memory: 4 gNBs, AMFs that come and go, 10,000 UEs. Messages of one stream arrive in their order, those of different
//! streams in any; every message about a UE says whose it is and which of its messages, and whoever gets it looks.

mod wire;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use pinion_exchange::damage::Dice;
use pinion_n2::{Amf, AmfIds, FrontEnd, Leg, Output, Settings};
use pinion_simulators::n2::{AmfConfig, Place, World};

use crate::messages::node;
use crate::stage;
use wire::{Queue, Wire};

const GNBS: usize = 4;
/// UEs that have something under way.
const BUSY: usize = 40;

/// The world around the front end.
struct Network {
    front_end: FrontEnd,
    amf_ids: AmfIds,
    now: Duration,
    dice: Dice,
    wire: Wire,
    world: World,
    dead: Vec<usize>,
    /// AMFs by upstream.
    upstreams: HashMap<u64, usize>,
}

impl Network {
    /// AMFs 0 and 1 are of set 1, AMFs 2 and 3 of set 2.
    fn new(seed: u64, ues: u32, amf_ids: AmfIds) -> Self {
        let amf = |number: u8| {
            // Unique within the set, or not at all.
            let ids = if amf_ids == AmfIds::SetUnique { (1 + u64::from(number % 2), 2) } else { (1, 1) };
            AmfConfig { set: 1 + u16::from(number) / 2, ids, ..AmfConfig::new(number) }
        };
        let mut network = Self {
            front_end: FrontEnd::new(settings(&[0, 1, 2], None, amf_ids), seed),
            amf_ids,
            now: Duration::ZERO,
            dice: Dice::new(seed),
            wire: Wire::default(),
            world: World::new(GNBS, ues, (0..4).map(amf).collect(), seed),
            dead: Vec::new(),
            upstreams: HashMap::new(),
        };
        for gnb in 0..GNBS {
            network.front_end.accepted(network.now, gnb as u64, stage::STREAMS.0);
            network.world.established(Place::Gnb(gnb), stage::STREAMS.0);
        }
        network.run_dry();
        assert!(network.world.radio().is_up());
        network
    }

    fn configure(&mut self, amfs: &[u8], drained: Option<u8>) {
        self.front_end.configure(self.now, settings(amfs, drained, self.amf_ids));
        self.settle();
    }

    /// Does what everybody wants done.
    fn settle(&mut self) {
        while let Some(output) = self.front_end.output() {
            match output {
                Output::Open { upstream, amf } => {
                    let amf: usize = amf.strip_prefix("amfs/").unwrap().parse().unwrap();
                    if self.dead.contains(&amf) {
                        self.front_end.closed(self.now, Leg::Amf(upstream));
                    } else {
                        self.upstreams.insert(upstream, amf);
                        self.world.established(Place::Amf(amf, upstream), stage::STREAMS.1);
                        self.front_end.connected(self.now, upstream, stage::STREAMS.1);
                    }
                }
                Output::Send { leg, stream, bytes } => self.wire.put(Queue::Down(leg, stream), bytes),
                Output::Close { leg } => panic!("{leg:?} is closed"),
                Output::Amf { .. } => {}
            }
        }
        while let Some((place, sent)) = self.world.take() {
            let leg = match place {
                Place::Gnb(gnb) => Leg::Gnb(gnb as u64),
                Place::Amf(_, upstream) => Leg::Amf(upstream),
            };
            self.wire.put(Queue::Up(leg, sent.stream), sent.bytes);
        }
    }

    /// Delivers one message. False: there is none.
    fn deliver(&mut self) -> bool {
        let Some((queue, bytes)) = self.wire.take(&mut self.dice) else { return false };
        match queue {
            Queue::Up(leg, stream) => self.front_end.receive(self.now, leg, stream, 60, &bytes),
            Queue::Down(Leg::Gnb(gnb), stream) => {
                self.world.receive(Place::Gnb(gnb as usize), stream, 60, &bytes);
            }
            Queue::Down(Leg::Amf(upstream), stream) => {
                let amf = self.upstreams[&upstream];
                self.world.receive(Place::Amf(amf, upstream), stream, 60, &bytes);
            }
        }
        self.settle();
        true
    }

    fn run_dry(&mut self) {
        self.settle();
        while self.deliver() {}
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.front_end.tick(self.now);
        self.settle();
    }

    /// Delivers so many messages, while UEs do what they do.
    fn live(&mut self, messages: u32) {
        for number in 0..messages {
            self.world.keep_busy(BUSY);
            self.settle();
            self.deliver();
            if number % 5_000 == 0 {
                self.pass(Duration::from_millis(100));
            }
        }
    }

    fn kill(&mut self, amf: usize) {
        self.world.kill(amf);
        self.dead.push(amf);
        let upstreams: Vec<_> = self.upstreams.iter().filter(|(_, it)| **it == amf).map(|(&id, _)| id).collect();
        for upstream in upstreams {
            self.upstreams.remove(&upstream);
            self.wire.forget(Leg::Amf(upstream));
            self.front_end.closed(self.now, Leg::Amf(upstream));
            self.settle();
        }
    }

    /// That nothing is wrong, and that the front end and the gNBs know of the same UEs.
    fn check(&mut self) {
        self.run_dry();
        assert_eq!(self.world.faults(), Vec::<String>::new());
        let known: BTreeSet<_> = self
            .front_end
            .ues(None)
            .map(|it| (format!("{:?}", it.node), it.ran, it.amf, it.ids.map(|(_, here)| here)))
            .collect();
        let real: BTreeSet<_> = self
            .world
            .radio()
            .connections()
            .map(|(gnb, ran, here, amf)| {
                let amf = stage::name(u8::try_from(amf.unwrap()).unwrap());
                (format!("{:?}", node(gnb as u32)), Some(ran), amf, here)
            })
            .collect();
        assert_eq!(known, real);
        let here: BTreeSet<_> = known.iter().map(|it| it.3.unwrap()).collect();
        assert_eq!(here.len(), self.front_end.ue_count(), "no two UEs of the service share an identifier");
    }
}

fn settings(amfs: &[u8], drained: Option<u8>, amf_ids: AmfIds) -> Settings {
    let amf = |&number: &u8| Amf { drained: drained == Some(number), ..stage::amf(number) };
    Settings { amfs: amfs.iter().map(amf).collect(), amf_ids, ..stage::settings(0) }
}

#[test]
fn every_message_at_the_right_amf_while_amfs_come_and_go() {
    lives(Network::new(7, 10_000, AmfIds::PerAmf), 40_000);
    lives(Network::new(7, 1_000, AmfIds::SetUnique), 10_000);
}

/// So many messages between two events.
fn lives(mut network: Network, messages: u32) {
    while !network.world.has_begun() {
        network.live(100);
    }
    network.live(messages);
    network.check();
    network.live(1_000);
    network.world.drains(1);
    network.configure(&[0, 1, 2], Some(1));
    network.world.drained();
    network.live(messages);
    // AMF 3 is added, under load.
    network.configure(&[0, 1, 2, 3], Some(1));
    network.live(messages);
    network.check();
    let added = network.front_end.amfs().find(|amf| amf.name == stage::name(3)).unwrap();
    assert!(added.ues > 10 && added.gnbs == 4, "{added:?}");
    // AMF 2 is killed, under load.
    network.live(1_000);
    network.kill(2);
    network.live(messages);
    network.pass(Duration::from_secs(10));
    network.check();
    assert!(network.world.radio().losses().len() > 10);
    let counts = network.front_end.counts();
    assert_eq!((counts.malformed, counts.undeliverable, counts.refused), (0, 0, 0), "{counts:?}");
    let of_two = network.front_end.amfs().find(|amf| amf.name == stage::name(2)).unwrap();
    assert_eq!((of_two.ues, of_two.gnbs), (0, 0));
    // All that UEs do was done.
    let done = network.world.radio().done();
    assert!(done.len() >= 7 && done.values().all(|&count| count > u64::from(messages / 100)), "{done:?}");
    network.world.rest();
    network.check();
    assert_eq!((network.front_end.ue_count(), network.world.radio().connected()), (0, 0));
}
