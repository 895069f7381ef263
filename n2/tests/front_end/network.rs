//! A network in memory: 4 gNBs, AMFs that come and go, 10,000 UEs. Messages of one stream arrive in their order, those of different
//! streams in any; every message about a UE says whose it is and which of its messages, and whoever gets it looks.

mod amf;
mod gnb;
mod wire;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use bytes::Bytes;
use pinion_n2::{Amf, FrontEnd, Leg, Output, Settings};
use pinion_protocols::ngap::{Message, Outcome, Procedure, UeIds};

use crate::messages::ng_setup;
use crate::mutations::Dice;
use crate::stage;
use wire::{Queue, Wire, payload};

const GNBS: usize = 4;
const UES: u32 = 10_000;

/// How far a UE is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Gone,
    Idle,
    Connected,
}

/// A UE as it really is.
#[derive(Clone, Debug)]
struct Ue {
    state: State,
    /// Whether a procedure is under way.
    busy: bool,
    gnb: usize,
    ran: u32,
    /// Whether its gNB said that it let it go.
    leaving: bool,
    /// What its gNB knows it by.
    here: Option<u64>,
    amf: usize,
    upstream: u64,
    amf_id: u64,
    /// The AMF that gave it an identity.
    owner: Option<usize>,
    /// Where it is handed over to.
    target: Option<(usize, u32, u64, u64, u64)>,
    /// Which of its connections, and messages of it that were sent and that arrived: up and down.
    epoch: u32,
    sent: [u32; 2],
    got: [u32; 2],
    /// Streams on which messages arrived, up and down.
    streams: [Option<(Leg, u16)>; 2],
}

/// An AMF as it really is.
#[derive(Clone, Debug, Default)]
struct AmfState {
    alive: bool,
    drained: bool,
    next: u64,
    /// gNBs by upstream.
    gnbs: HashMap<u64, usize>,
}

struct Network {
    front_end: FrontEnd,
    now: Duration,
    dice: Dice,
    wire: Wire,
    amfs: Vec<AmfState>,
    /// AMFs by upstream.
    upstreams: HashMap<u64, usize>,
    ues: Vec<Ue>,
    by_ran: Vec<HashMap<u32, usize>>,
    next_ran: u32,
    /// What arrived.
    messages: u64,
    lost_with_amf: u64,
    kinds: BTreeSet<String>,
}

impl Network {
    fn new(seed: u64) -> Self {
        let ue = |number: u32| Ue {
            state: State::Gone,
            busy: false,
            gnb: usize::try_from(number).unwrap() % GNBS,
            ran: 0,
            leaving: false,
            here: None,
            amf: 0,
            upstream: 0,
            amf_id: 0,
            owner: None,
            target: None,
            epoch: 0,
            sent: [0; 2],
            got: [0; 2],
            streams: [None; 2],
        };
        let amfs = vec![AmfState { alive: true, next: 1, ..AmfState::default() }; 4];
        let mut network = Self {
            front_end: FrontEnd::new(settings(&[0, 1, 2], None), seed),
            now: Duration::ZERO,
            dice: Dice(seed),
            wire: Wire::default(),
            amfs,
            upstreams: HashMap::new(),
            ues: (0..UES).map(ue).collect(),
            by_ran: vec![HashMap::new(); GNBS],
            next_ran: 0,
            messages: 0,
            lost_with_amf: 0,
            kinds: BTreeSet::new(),
        };
        for gnb in 0..GNBS {
            network.front_end.accepted(network.now, gnb as u64, stage::STREAMS.0);
            network.wire.put(Queue::Up(Leg::Gnb(gnb as u64), 0), ng_setup(gnb as u32));
        }
        network.settle();
        network.run_dry();
        network
    }

    /// Does what the front end wants done.
    fn settle(&mut self) {
        while let Some(output) = self.front_end.output() {
            match output {
                Output::Open { upstream, amf } => {
                    let amf: usize = amf.strip_prefix("amfs/").unwrap().parse().unwrap();
                    if self.amfs[amf].alive {
                        self.upstreams.insert(upstream, amf);
                        self.front_end.connected(self.now, upstream, stage::STREAMS.1);
                    } else {
                        self.front_end.closed(self.now, Leg::Amf(upstream));
                    }
                }
                Output::Send { leg, stream, bytes } => self.wire.put(Queue::Down(leg, stream), bytes),
                Output::Close { leg } => panic!("{leg:?} is closed"),
                Output::Amf { .. } => {}
            }
        }
    }

    /// Delivers one message. False: there is none.
    fn deliver(&mut self) -> bool {
        let Some((queue, bytes)) = self.wire.take(&mut self.dice) else { return false };
        self.messages += 1;
        match queue {
            Queue::Up(leg, stream) => {
                let allowed = self.allowed(leg, &bytes);
                self.front_end.receive(self.now, leg, stream, 60, &bytes);
                if let Some((ue, allowed)) = allowed {
                    let Some(Output::Send { leg: Leg::Amf(upstream), stream, bytes }) = self.front_end.output()
                    else {
                        panic!("an initial message went nowhere");
                    };
                    let amf = self.upstreams[&upstream];
                    assert!(allowed.contains(&amf), "{amf} is none of {allowed:?}");
                    self.ues[ue].amf = amf;
                    self.wire.put(Queue::Down(Leg::Amf(upstream), stream), bytes);
                }
                self.settle();
            }
            Queue::Down(Leg::Gnb(gnb), stream) => self.at_gnb(gnb as usize, stream, &bytes),
            Queue::Down(Leg::Amf(upstream), stream) => self.at_amf(upstream, stream, &bytes),
        }
        true
    }

    /// Which AMFs an initial message may go to.
    fn allowed(&self, leg: Leg, bytes: &Bytes) -> Option<(usize, Vec<usize>)> {
        let Leg::Gnb(gnb) = leg else { return None };
        let message = Message::parse(bytes).unwrap();
        if message.procedure() != Procedure::InitialUeMessage {
            return None;
        }
        let (ue, ..) = payload(&message);
        let gnb = gnb as usize;
        let open = |amf: usize| {
            let it = &self.amfs[amf];
            it.alive && !it.drained && it.gnbs.values().any(|&other| other == gnb)
        };
        let all: Vec<_> = (0..self.amfs.len()).filter(|&amf| open(amf)).collect();
        match self.ues[ue].owner {
            Some(owner) if open(owner) => Some((ue, vec![owner])),
            _ => Some((ue, all)),
        }
    }

    fn run_dry(&mut self) {
        while self.deliver() {}
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.front_end.tick(self.now);
        self.settle();
    }

    /// Begins so many procedures, and delivers what comes of them meanwhile.
    fn live(&mut self, procedures: u32) {
        for number in 0..procedures {
            let ue = self.dice.below(self.ues.len());
            self.begin(ue);
            for _ in 0..self.dice.below(12) {
                self.deliver();
            }
            if number % 500 == 0 {
                self.pass(Duration::from_millis(100));
            }
        }
    }

    /// Counts a message that is sent about a UE, and makes what it carries.
    fn send(&mut self, ue: usize, way: usize) -> Vec<u8> {
        let it = &mut self.ues[ue];
        let number = it.sent[way];
        it.sent[way] += 1;
        wire::carry(ue, it.epoch, number, way)
    }

    /// Looks whether a message about a UE is the next of it, and on the stream of the others. False: its connection is over.
    fn take(&mut self, ue: usize, way: usize, leg: Leg, stream: u16, message: &Message<'_>) -> bool {
        let (named, epoch, number, sent) = payload(message);
        let it = &mut self.ues[ue];
        assert_eq!((named, sent), (ue, way), "{:?}", message.procedure());
        self.kinds.insert(format!("{} {:?}", message.procedure(), message.outcome()));
        if epoch != it.epoch {
            return false;
        }
        assert_eq!(number, it.got[way], "{ue} {}", message.procedure());
        it.got[way] += 1;
        match it.streams[way] {
            Some((other, known)) if other == leg => assert_eq!(stream, known, "{ue}"),
            _ => it.streams[way] = Some((leg, stream)),
        }
        assert_ne!(stream, 0);
        true
    }

    /// A UE's connection ended.
    fn end(&mut self, ue: usize, state: State) {
        let it = &mut self.ues[ue];
        assert_eq!(it.sent, it.got, "{ue}");
        (it.state, it.busy, it.here, it.target, it.leaving) = (state, false, None, None, false);
        self.by_ran[it.gnb].remove(&it.ran);
    }

    /// A UE was lost with its AMF.
    fn lose(&mut self, ue: usize) {
        let it = &mut self.ues[ue];
        assert!(!self.amfs[it.amf].alive, "{ue} is of {}, which lives", it.amf);
        if it.state == State::Connected || it.busy {
            self.lost_with_amf += 1;
        }
        (it.state, it.busy, it.here, it.leaving) = (State::Gone, false, None, false);
        it.epoch += 1;
        let target = it.target.take();
        self.by_ran[it.gnb].remove(&it.ran);
        if let Some((gnb, ran, ..)) = target {
            self.by_ran[gnb].remove(&ran);
        }
    }

    fn kill(&mut self, amf: usize) {
        self.amfs[amf].alive = false;
        let upstreams: Vec<_> = self.upstreams.iter().filter(|(_, it)| **it == amf).map(|(&id, _)| id).collect();
        for upstream in upstreams {
            self.upstreams.remove(&upstream);
            self.wire.forget(Leg::Amf(upstream));
            self.front_end.closed(self.now, Leg::Amf(upstream));
            self.settle();
        }
        self.amfs[amf].gnbs.clear();
    }

    /// That the front end and the network know of the same UEs.
    fn check(&mut self) {
        self.run_dry();
        for ue in 0..self.ues.len() {
            // The last that was heard of it was to an AMF that is dead.
            if self.ues[ue].leaving && !self.amfs[self.ues[ue].amf].alive {
                self.lose(ue);
            }
        }
        let mut known: Vec<_> = self.front_end.ues(None).map(|it| (it.node, it.ran, it.amf, it.ids)).collect();
        let connected = self.ues.iter().filter(|ue| ue.state == State::Connected);
        let mut real: Vec<_> = connected
            .map(|ue| {
                assert!(!ue.busy, "{ue:?}");
                assert_eq!(ue.sent, ue.got);
                let ids = (ue.amf_id, ue.here.unwrap());
                (crate::messages::node(ue.gnb as u32), Some(ue.ran), stage::name(ue.amf as u8), Some(ids))
            })
            .collect();
        let key = |it: &(_, Option<u32>, _, Option<(u64, u64)>)| (format!("{:?}", it.0), it.1);
        known.sort_by_key(key);
        real.sort_by_key(key);
        assert_eq!(known, real);
        let here: BTreeSet<_> = known.iter().map(|it| it.3.unwrap().1).collect();
        assert_eq!(here.len(), known.len(), "no two UEs of the service share an identifier");
    }
}

fn settings(amfs: &[u8], drained: Option<u8>) -> Settings {
    let amf = |&number: &u8| Amf { drained: drained == Some(number), ..stage::amf(number) };
    Settings { amfs: amfs.iter().map(amf).collect(), ..stage::settings(0) }
}

#[test]
fn every_message_at_the_right_amf_while_amfs_come_and_go() {
    let mut network = Network::new(7);
    for ue in 0..network.ues.len() {
        network.begin(ue);
        for _ in 0..4 {
            network.deliver();
        }
    }
    network.check();
    assert_eq!(network.front_end.ue_count(), UES as usize);
    network.live(10_000);
    // AMF 1 is drained.
    network.amfs[1].drained = true;
    network.front_end.configure(network.now, settings(&[0, 1, 2], Some(1)));
    network.settle();
    network.live(10_000);
    // AMF 3 is added, under load.
    network.front_end.configure(network.now, settings(&[0, 1, 2, 3], Some(1)));
    network.settle();
    network.live(10_000);
    network.check();
    let before = network.front_end.amfs().find(|amf| amf.name == stage::name(3)).unwrap();
    assert!(before.ues > 100 && before.gnbs == 4, "{before:?}");
    // AMF 2 is killed, under load.
    network.live(500);
    network.kill(2);
    network.live(10_000);
    network.pass(Duration::from_secs(10));
    network.check();
    assert!(network.lost_with_amf > 100, "{}", network.lost_with_amf);
    let counts = network.front_end.counts();
    assert_eq!((counts.malformed, counts.undeliverable, counts.refused), (0, 0, 0), "{counts:?}");
    let of_two = network.front_end.amfs().find(|amf| amf.name == stage::name(2)).unwrap();
    assert_eq!((of_two.ues, of_two.gnbs), (0, 0));
    // All that UEs do was done.
    let done = [
        "Initial UE Message",
        "Initial Context Setup",
        "Uplink NAS Transport",
        "Downlink NAS Transport",
        "UE Context Release",
        "Path Switch Request",
        "Handover Preparation",
        "Handover Resource Allocation",
        "Handover Notification",
    ];
    for name in done {
        assert!(network.kinds.iter().any(|it| it.starts_with(name)), "{name}: {:?}", network.kinds);
    }
    assert!(network.messages > 200_000, "{}", network.messages);
}

/// The identifiers of a message.
fn ids_of(message: &Message<'_>) -> UeIds {
    message.ids().unwrap()
}

/// What a message is.
fn kind_of(message: &Message<'_>) -> (Procedure, Outcome) {
    (message.procedure(), message.outcome())
}
