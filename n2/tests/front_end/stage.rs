//! The front end's surroundings: a clock, and associations with nobody behind them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pinion_n2::{Amf, FrontEnd, Leg, Output, Settings, Timers};
use pinion_protocols::ngap::value::{Cause, ConnectionList, ResetType};
use pinion_protocols::ngap::{ElementType, Envelope, Message, Outcome, Procedure, UeIds, Value};

use crate::messages::{First, Says, guami, ng_setup};

/// Streams of gNBs, and of AMFs.
pub(crate) const STREAMS: (u16, u16) = (12, 5);
pub(crate) const ANSWER: Duration = Duration::from_secs(5);
pub(crate) const RECONNECT: Duration = Duration::from_secs(2);

pub(crate) fn settings(amfs: u8) -> Settings {
    let timers = Timers {
        answer: ANSWER,
        reconnect: RECONNECT,
        retry: Duration::from_secs(10),
        quarantine: Duration::from_secs(60),
    };
    Settings { timers, ..Settings::new("pinion", (0..amfs).map(amf).collect()) }
}

pub(crate) fn amf(number: u8) -> Amf {
    Amf::new(name(number))
}

pub(crate) fn name(number: u8) -> Arc<str> {
    format!("amfs/{number}").into()
}

/// AMFs 0 and 1 are of set 1, AMFs 2 and 3 of set 2, and so on.
pub(crate) fn says(number: u8) -> Says {
    Says {
        name: format!("amf-{number}"),
        guamis: vec![(guami(1 + u16::from(number) / 2, number), None)],
        capacity: 100,
        slices: vec![1],
    }
}

/// A message as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) stream: u16,
    pub(crate) bytes: Bytes,
}

impl Said {
    pub(crate) fn with<T>(&self, look: impl FnOnce(&Message<'_>) -> T) -> T {
        let envelope = Envelope::parse(&self.bytes).unwrap();
        let joined = envelope.value().joined();
        look(&envelope.open(&joined).unwrap())
    }

    pub(crate) fn kind(&self) -> (Procedure, Outcome) {
        self.with(|message| (message.procedure(), message.outcome()))
    }

    pub(crate) fn ids(&self) -> UeIds {
        self.with(|message| message.ids().unwrap())
    }

    pub(crate) fn get<T: Value>(&self, kind: ElementType) -> Option<T> {
        self.with(|message| message.get(kind).unwrap())
    }

    pub(crate) fn cause(&self) -> Option<Cause> {
        self.get(ElementType::Cause)
    }

    /// The list of a reset, or of its acknowledgement.
    pub(crate) fn connections(&self) -> Option<Vec<UeIds>> {
        let list = match self.get::<ResetType>(ElementType::ResetType) {
            Some(ResetType::Part(list)) => Some(list),
            Some(_) => None,
            None => self.get::<ConnectionList>(ElementType::UeConnectionList),
        };
        list.map(|list| list.0.iter().map(|it| it.0).collect())
    }
}

pub(crate) struct Stage {
    pub(crate) front_end: FrontEnd,
    pub(crate) now: Duration,
    /// What was sent, and nobody has looked at.
    pub(crate) inbox: BTreeMap<Leg, Vec<Said>>,
    /// The upstreams that were asked for, the latest last.
    pub(crate) opened: Vec<(u64, Arc<str>)>,
    pub(crate) closed: Vec<Leg>,
    /// AMFs that came and went.
    pub(crate) events: Vec<(Arc<str>, bool)>,
    associations: u64,
}

impl Stage {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            front_end: FrontEnd::new(settings, 1),
            now: Duration::ZERO,
            inbox: BTreeMap::new(),
            opened: Vec::new(),
            closed: Vec::new(),
            events: Vec::new(),
            associations: 0,
        }
    }

    /// gNBs 1, 2 and so on, set up with all AMFs, on associations of these numbers.
    pub(crate) fn set_up(settings: Settings, gnbs: u32) -> Self {
        let amfs: Vec<_> = (0..).take(settings.amfs.len()).map(says).collect();
        Self::set_up_with(settings, gnbs, &amfs)
    }

    pub(crate) fn set_up_with(settings: Settings, gnbs: u32, amfs: &[Says]) -> Self {
        let mut stage = Self::new(settings);
        for gnb in 1..=gnbs {
            let leg = stage.accept();
            stage.say(leg, 0, &ng_setup(gnb));
            for (number, says) in (0..).zip(amfs) {
                let amf = stage.connect(number);
                assert_eq!(stage.one(amf).bytes, ng_setup(gnb));
                stage.say(amf, 0, &says.setup_response());
            }
            assert_eq!(stage.one(leg).kind(), (Procedure::NgSetup, Outcome::Successful));
        }
        stage
    }

    /// A gNB makes an association.
    pub(crate) fn accept(&mut self) -> Leg {
        self.associations += 1;
        self.front_end.accepted(self.now, self.associations, STREAMS.0);
        Leg::Gnb(self.associations)
    }

    /// A gNB asks to be set up: it, and the first AMF, which was asked.
    pub(crate) fn ask(&mut self) -> (Leg, Leg) {
        let gnb = self.accept();
        self.say(gnb, 0, &ng_setup(1));
        (gnb, self.connect(0))
    }

    /// The latest upstream to an AMF.
    pub(crate) fn upstream(&self, amf: u8) -> Leg {
        let found = self.opened.iter().rev().find(|(_, it)| *it == name(amf));
        Leg::Amf(found.unwrap_or_else(|| panic!("none to {amf}")).0)
    }

    /// The upstream of a gNB to an AMF, where all gNBs were set up one after the other.
    pub(crate) fn between(&self, gnb: usize, amf: u8) -> Leg {
        let mut all = self.opened.iter().filter(|(_, it)| *it == name(amf));
        Leg::Amf(all.nth(gnb - 1).unwrap().0)
    }

    /// The latest upstream to an AMF is there.
    pub(crate) fn connect(&mut self, amf: u8) -> Leg {
        let leg = self.upstream(amf);
        let Leg::Amf(upstream) = leg else { unreachable!() };
        self.front_end.connected(self.now, upstream, STREAMS.1);
        self.settle();
        leg
    }

    pub(crate) fn say(&mut self, leg: Leg, stream: u16, bytes: &Bytes) {
        self.front_end.receive(self.now, leg, stream, 60, bytes);
        self.settle();
    }

    pub(crate) fn close(&mut self, leg: Leg) {
        self.front_end.closed(self.now, leg);
        self.settle();
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.front_end.tick(self.now);
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        while let Some(output) = self.front_end.output() {
            match output {
                Output::Open { upstream, amf } => self.opened.push((upstream, amf)),
                Output::Close { leg } => self.closed.push(leg),
                Output::Amf { name, up, .. } => self.events.push((name, up)),
                Output::Send { leg, stream, bytes } => {
                    assert!(!self.closed.contains(&leg), "{leg:?} is closed");
                    let streams = if matches!(leg, Leg::Gnb(_)) { STREAMS.0 } else { STREAMS.1 };
                    assert!(stream < streams, "{leg:?} has no stream {stream}");
                    self.inbox.entry(leg).or_default().push(Said { stream, bytes });
                }
            }
        }
    }

    /// What somebody was sent.
    pub(crate) fn all(&mut self, leg: Leg) -> Vec<Said> {
        self.inbox.remove(&leg).unwrap_or_default()
    }

    /// The one message that somebody was sent.
    pub(crate) fn one(&mut self, leg: Leg) -> Said {
        let mut all = self.all(leg);
        assert_eq!(all.len(), 1, "{leg:?}: {all:?}");
        all.remove(0)
    }

    /// That nobody was sent anything that was not looked at.
    pub(crate) fn silent(&self) {
        assert!(self.inbox.is_empty(), "{:?}", self.inbox);
    }

    /// Which AMF was sent the one message that a gNB's message became, and it.
    pub(crate) fn reached(&mut self) -> (u8, Said) {
        assert_eq!(self.inbox.len(), 1, "{:?}", self.inbox);
        let leg = *self.inbox.keys().next().unwrap();
        let Leg::Amf(upstream) = leg else { panic!("{:?}", self.inbox) };
        let name = self.opened.iter().find(|(id, _)| *id == upstream).unwrap().1.clone();
        (name.strip_prefix("amfs/").unwrap().parse().unwrap(), self.one(leg))
    }

    /// A UE of a gNB at whatever AMF it gets, which gives it an identifier: the AMF, and the identifier that the gNB knows.
    pub(crate) fn come(&mut self, gnb: u64, first: &First, id: u64) -> (u8, u64) {
        self.say(Leg::Gnb(gnb), 3, &first.bytes());
        let leg = *self.inbox.keys().next().unwrap();
        let (amf, _) = self.reached();
        self.say(leg, 1, &crate::messages::down(id, first.ran, b"first"));
        let said = self.one(Leg::Gnb(gnb));
        assert_eq!(said.ids().ran, Some(first.ran));
        (amf, said.ids().amf.unwrap())
    }
}
