//! An AMF.

mod ues;

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;
use pinion_exchange::random::Random;
use pinion_protocols::ngap::value::{GlobalRanNodeId, UePagingIdentity};
use pinion_protocols::ngap::{ElementType, FiveGSTmsi, Guami, Message, Outcome, PAYLOAD_PROTOCOL, Procedure};

use super::leg::Leg;
use super::messages::{Says, add, guami, initiating, message};
use super::violation::{Violation, Wrong};
use super::{Sent, below};

/// What an AMF is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmfConfig {
    /// Its number, which its messages carry, and its AMF Pointer.
    pub number: u8,
    /// Its AMF Set ID.
    pub set: u16,
    /// Its relative capacity.
    pub capacity: u8,
    /// The first AMF UE NGAP ID that it gives, and by how much the next is greater.
    pub ids: (u64, u64),
}

impl AmfConfig {
    /// An AMF of set 1 that counts UEs from 1.
    #[must_use]
    pub fn new(number: u8) -> Self {
        Self { number, set: 1, capacity: 100, ids: (1, 1) }
    }

    /// What it says of itself at NG Setup.
    #[must_use]
    pub fn says(&self) -> Says {
        let (name, guamis) = (format!("amf-{}", self.number), vec![(self.guami(), None)]);
        Says { name, guamis, capacity: self.capacity, slices: vec![1] }
    }

    fn guami(&self) -> Guami {
        guami(self.set, self.number)
    }
}

/// A UE that came with an identity of another AMF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// Which UE.
    pub ue: u32,
    /// The number of the AMF that gave it its identity.
    pub of: u8,
    /// When it came, see [`super::Radio::mark`].
    pub mark: u32,
}

/// The machine. Its associations have numbers that whoever drives it gives.
#[derive(Debug)]
pub struct Amf {
    config: AmfConfig,
    upstreams: BTreeMap<u64, Upstream>,
    /// UEs by AMF UE NGAP ID.
    ues: HashMap<u64, Ue>,
    /// What UEs were before they moved on, or left.
    past: Vec<Ue>,
    given: u64,
    random: Random,
    outputs: VecDeque<(u64, Sent)>,
    messages: u64,
    strangers: Vec<Stranger>,
    initials: BTreeMap<u32, u64>,
    paged: BTreeMap<u32, u64>,
    violations: Vec<Violation>,
}

/// An association.
#[derive(Debug)]
struct Upstream {
    gnb: Option<u32>,
    streams: u16,
}

/// A UE at a gNB.
#[derive(Debug)]
struct Ue {
    leg: Leg,
    association: u64,
    gnb: u32,
    /// None until the gNB that it is handed over to says it.
    ran: Option<u32>,
    /// Downlink messages of a registration.
    step: u8,
    /// Its identifier at the other gNB while it is handed over.
    other: Option<u64>,
}

impl Amf {
    /// An AMF without gNBs.
    #[must_use]
    pub fn new(config: AmfConfig, seed: u64) -> Self {
        Self {
            config,
            upstreams: BTreeMap::new(),
            ues: HashMap::new(),
            past: Vec::new(),
            given: 0,
            random: Random::new(seed),
            outputs: VecDeque::new(),
            messages: 0,
            strangers: Vec::new(),
            initials: BTreeMap::new(),
            paged: BTreeMap::new(),
            violations: Vec::new(),
        }
    }

    /// What it is.
    #[must_use]
    pub fn config(&self) -> &AmfConfig {
        &self.config
    }

    /// A gNB made an association, on which `streams` may be sent on.
    pub fn established(&mut self, association: u64, streams: u16) {
        self.upstreams.insert(association, Upstream { gnb: None, streams });
    }

    /// An association ended, which is a [`Violation`].
    pub fn closed(&mut self, association: u64) {
        if let Some(upstream) = self.upstreams.remove(&association) {
            let who = self.who(upstream.gnb);
            self.violations.push(Violation { who, stream: 0, about: None, wrong: Wrong::Closed });
        }
    }

    /// Takes a user message of SCTP.
    pub fn receive(&mut self, association: u64, stream: u16, protocol: u32, bytes: &Bytes) {
        self.messages = self.messages.saturating_add(1);
        let message = Message::parse(bytes);
        let taken = match &message {
            _ if protocol != PAYLOAD_PROTOCOL => Err(Wrong::Protocol(protocol)),
            Err(error) => Err((*error).into()),
            Ok(message) => self.take(association, stream, message),
        };
        if let Err(wrong) = taken {
            let about = message.ok().as_ref().and_then(super::Payload::of).map(|payload| payload.ue);
            let who = self.who(self.upstreams.get(&association).and_then(|upstream| upstream.gnb));
            self.violations.push(Violation { who, stream, about, wrong });
        }
    }

    /// What it sends next, and on which association.
    pub fn output(&mut self) -> Option<(u64, Sent)> {
        self.outputs.pop_front()
    }

    /// Pages a UE at every gNB.
    pub fn page(&mut self, ue: u32) {
        let AmfConfig { set, number: pointer, .. } = self.config;
        let whom = UePagingIdentity::FiveGSTmsi(FiveGSTmsi { set, pointer, tmsi: ue.to_be_bytes() });
        let paging = initiating(Procedure::Paging, |it| add(it, ElementType::UePagingIdentity, &whom));
        for (&association, upstream) in &self.upstreams {
            if let Some(gnb) = upstream.gnb {
                let count = self.paged.entry(gnb).or_default();
                *count = count.saturating_add(1);
                self.outputs.push_back((association, Sent { stream: 0, bytes: paging.clone() }));
            }
        }
    }

    /// Whether every gNB is set up with it.
    #[must_use]
    pub fn is_up(&self, gnbs: usize) -> bool {
        self.upstreams.values().filter(|upstream| upstream.gnb.is_some()).count() == gnbs
    }

    /// UEs that it has.
    #[must_use]
    pub fn ues(&self) -> usize {
        self.ues.len()
    }

    /// Messages that came.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// UEs that came with an identity of another AMF.
    #[must_use]
    pub fn strangers(&self) -> &[Stranger] {
        &self.strangers
    }

    /// How many initial messages came that were sent at or after that time of the test.
    #[must_use]
    pub fn initials_since(&self, mark: u32) -> u64 {
        self.initials.range(mark..).map(|(_, count)| count).sum()
    }

    /// How often it paged at each gNB.
    #[must_use]
    pub fn paged(&self) -> &BTreeMap<u32, u64> {
        &self.paged
    }

    /// What it saw that must not be.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// What was of UEs here: gNB, RAN UE NGAP ID, and the count of messages.
    pub(super) fn legs(&self) -> impl Iterator<Item = (u32, u32, &Leg)> {
        let all = self.ues.values().chain(&self.past);
        all.filter_map(|ue| Some((ue.gnb, ue.ran?, &ue.leg)))
    }

    fn take(&mut self, association: u64, stream: u16, it: &Message<'_>) -> Result<(), Wrong> {
        let kind = (it.procedure(), it.outcome());
        let answer = match kind {
            (Procedure::NgSetup, Outcome::Initiating) => {
                let node = it.need(ElementType::GlobalRanNodeId);
                let Ok(GlobalRanNodeId::Gnb { id, .. }) = node else {
                    return Err(Wrong::Unexpected(kind.1, kind.0));
                };
                if let Some(upstream) = self.upstreams.get_mut(&association) {
                    upstream.gnb = Some(id);
                }
                self.config.says().setup_response()
            }
            (Procedure::RanConfigurationUpdate, Outcome::Initiating) => {
                message(Outcome::Successful, kind.0, |_| {})
            }
            (Procedure::InitialUeMessage, _) => return self.initial(association, stream, it),
            (Procedure::PathSwitchRequest, _) => return self.path_switch(association, stream, it),
            _ => return self.of_ue(association, stream, it),
        };
        self.outputs.push_back((association, Sent { stream: 0, bytes: answer }));
        if stream == 0 { Ok(()) } else { Err(Wrong::Stream(kind.0)) }
    }

    fn who(&self, gnb: Option<u32>) -> String {
        let gnb = gnb.map_or_else(String::new, |gnb| format!(" from gNB {gnb}"));
        format!("AMF {}{gnb}", self.config.number)
    }

    fn give_id(&mut self) -> u64 {
        let (first, step) = self.config.ids;
        let id = first.saturating_add(self.given.saturating_mul(step));
        self.given = self.given.saturating_add(1);
        id
    }

    /// A gNB other than one, by chance.
    fn other_gnb(&mut self, than: u32) -> Option<(u64, u32)> {
        let others = self.upstreams.iter().filter_map(|(&id, upstream)| Some((id, upstream.gnb?)));
        let others: Vec<_> = others.filter(|(_, gnb)| *gnb != than).collect();
        others.get(below(&mut self.random, others.len())).copied()
    }

    /// Sends what is about a UE.
    fn push(&mut self, id: u64, bytes: Bytes) {
        let Some(ue) = self.ues.get(&id) else { return };
        let streams = self.upstreams.get(&ue.association).map_or(1, |upstream| upstream.streams);
        self.outputs.push_back((ue.association, Sent { stream: super::stream(streams, id), bytes }));
    }
}
