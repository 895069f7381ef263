//! The gNBs and their UEs.

mod downlink;
mod uplink;

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;
use pinion_exchange::random::Random;
use pinion_protocols::ngap::{FiveGSTmsi, Message, PAYLOAD_PROTOCOL};

use super::leg::Leg;
use super::messages::ng_setup;
use super::payload::Payload;
use super::violation::{Violation, Wrong};
use super::{Sent, below};

/// A UE that its gNB was told to forget, by NG Reset or by Error Indication, or a message for one that is not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Which UE.
    pub ue: u32,
    /// The number of the AMF that has it; none where that has said nothing yet.
    pub amf: Option<u32>,
    /// The number of the AMF that gave it its identity.
    pub of: Option<u8>,
}

/// How far a UE is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Gone,
    Idle,
    Connected,
}

/// A UE.
#[derive(Clone, Debug)]
struct Ue {
    state: State,
    /// Whether a procedure is under way.
    busy: bool,
    life: u32,
    gnb: usize,
    /// RAN UE NGAP ID of its connection.
    ran: u32,
    guti: Option<FiveGSTmsi>,
    /// Where it is handed over to: gNB, RAN UE NGAP ID.
    target: Option<(usize, u32)>,
    /// Whether it deregisters.
    leaves: bool,
}

/// What became of a UE at a gNB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Here,
    Left,
    Lost,
}

/// A UE at a gNB.
#[derive(Debug)]
struct Context {
    leg: Leg,
    fate: Fate,
    /// AMF UE NGAP ID.
    id: Option<u64>,
    /// The number of its AMF.
    amf: Option<u32>,
}

/// A gNB.
#[derive(Debug, Default)]
struct Gnb {
    /// Streams that may be sent on; none without an association.
    streams: Option<u16>,
    up: bool,
    given: u32,
    /// By RAN UE NGAP ID, those that left too.
    ues: HashMap<u32, Context>,
    /// How often each AMF paged.
    paged: BTreeMap<u32, u64>,
}

/// All gNBs, counted from 0, each with one association; and all UEs.
#[derive(Debug)]
pub struct Radio {
    gnbs: Vec<Gnb>,
    ues: Vec<Ue>,
    busy: usize,
    random: Random,
    mark: u32,
    outputs: VecDeque<(usize, Sent)>,
    messages: u64,
    done: BTreeMap<&'static str, u64>,
    losses: Vec<Loss>,
    strays: Vec<Loss>,
    violations: Vec<Violation>,
}

impl Radio {
    /// gNBs without associations, and UEs that are switched off.
    #[must_use]
    pub fn new(gnbs: usize, ues: u32, seed: u64) -> Self {
        let ue = |number: u32| Ue {
            state: State::Gone,
            busy: false,
            life: 0,
            gnb: usize::try_from(number).unwrap_or_default() % gnbs.max(1),
            ran: 0,
            guti: None,
            target: None,
            leaves: false,
        };
        Self {
            gnbs: std::iter::repeat_with(Gnb::default).take(gnbs).collect(),
            ues: (0..ues).map(ue).collect(),
            busy: 0,
            random: Random::new(seed),
            mark: 0,
            outputs: VecDeque::new(),
            messages: 0,
            done: BTreeMap::new(),
            losses: Vec::new(),
            strays: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// A gNB has an association, on which `streams` may be sent on: it asks to be set up.
    pub fn established(&mut self, gnb: usize, streams: u16) {
        if let Some(it) = self.gnbs.get_mut(gnb) {
            it.streams = Some(streams);
            let bytes = ng_setup(u32::try_from(gnb).unwrap_or_default());
            self.outputs.push_back((gnb, Sent { stream: 0, bytes }));
        }
    }

    /// A gNB's association ended, which is a [`Violation`].
    pub fn closed(&mut self, gnb: usize) {
        if let Some(it) = self.gnbs.get_mut(gnb) {
            (it.streams, it.up) = (None, false);
            self.violate(gnb, 0, None, Wrong::Closed);
        }
    }

    /// A gNB takes a user message of SCTP.
    pub fn receive(&mut self, gnb: usize, stream: u16, protocol: u32, bytes: &Bytes) {
        self.messages = self.messages.saturating_add(1);
        let message = Message::parse(bytes);
        let taken = match &message {
            _ if protocol != PAYLOAD_PROTOCOL => Err(Wrong::Protocol(protocol)),
            Err(error) => Err((*error).into()),
            Ok(message) => self.take(gnb, stream, message),
        };
        if let Err(wrong) = taken {
            let about = message.ok().as_ref().and_then(Payload::of).map(|payload| payload.ue);
            self.violate(gnb, stream, about, wrong);
        }
    }

    /// What is sent next, and by which gNB.
    pub fn output(&mut self) -> Option<(usize, Sent)> {
        self.outputs.pop_front()
    }

    /// From now on initial messages say that it is a later time of the test; which.
    pub fn mark(&mut self) -> u32 {
        self.mark = self.mark.saturating_add(1);
        self.mark
    }

    /// Whether every gNB is set up.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.gnbs.iter().all(|gnb| gnb.up)
    }

    /// How many gNBs there are.
    #[must_use]
    pub fn gnbs(&self) -> usize {
        self.gnbs.len()
    }

    /// How many UEs have a procedure under way.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.busy
    }

    /// How many UEs have a connection.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.ues.iter().filter(|ue| ue.state == State::Connected).count()
    }

    /// How many UEs are registered.
    #[must_use]
    pub fn registered(&self) -> usize {
        self.ues.iter().filter(|ue| ue.state != State::Gone).count()
    }

    /// Messages that came.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// How often what UEs do was begun, and answered to the end.
    #[must_use]
    pub fn done(&self) -> &BTreeMap<&'static str, u64> {
        &self.done
    }

    /// UEs that gNBs were told to forget.
    #[must_use]
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Messages for UEs that are not there any more.
    #[must_use]
    pub fn strays(&self) -> &[Loss] {
        &self.strays
    }

    /// How often each AMF paged at a gNB.
    #[must_use]
    pub fn paged(&self, gnb: usize) -> Option<&BTreeMap<u32, u64>> {
        self.gnbs.get(gnb).map(|gnb| &gnb.paged)
    }

    /// What gNBs saw that must not be.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The connections that there are: gNB, RAN UE NGAP ID, the AMF UE NGAP ID that the gNB knows, the AMF's number.
    pub fn connections(&self) -> impl Iterator<Item = (usize, u32, Option<u64>, Option<u32>)> {
        let all = self.all().filter(|(.., context)| context.fate == Fate::Here);
        all.map(|(gnb, ran, context)| (gnb, ran, context.id, context.amf))
    }

    /// The number of the AMF that gave each UE its identity, in the order of UEs; none where a UE has no identity.
    pub fn identities(&self) -> impl Iterator<Item = Option<u8>> {
        self.ues.iter().map(|ue| ue.guti.map(|guti| guti.pointer))
    }

    /// What was of UEs at gNBs: gNB, RAN UE NGAP ID, the AMF's number, messages that were sent, and whether it was lost.
    pub(super) fn sent(&self) -> impl Iterator<Item = (usize, u32, Option<u32>, u32, bool)> {
        self.all().map(|(gnb, ran, it)| (gnb, ran, it.amf, it.leg.sent, it.fate == Fate::Lost))
    }

    /// What was of a UE at a gNB, unless it was lost.
    pub(super) fn leg(&self, gnb: u32, ran: u32) -> Option<&Leg> {
        let context = self.gnbs.get(usize::try_from(gnb).ok()?)?.ues.get(&ran)?;
        (context.fate != Fate::Lost).then_some(&context.leg)
    }

    /// What was of UEs at gNBs and was not lost: gNB, RAN UE NGAP ID, the AMF's number.
    pub(super) fn legs(&self) -> impl Iterator<Item = (usize, u32, Option<u32>)> {
        let all = self.all().filter(|(.., context)| context.fate != Fate::Lost);
        all.map(|(gnb, ran, context)| (gnb, ran, context.amf))
    }

    fn all(&self) -> impl Iterator<Item = (usize, u32, &Context)> {
        let gnbs = self.gnbs.iter().enumerate();
        gnbs.flat_map(|(gnb, it)| it.ues.iter().map(move |(&ran, context)| (gnb, ran, context)))
    }

    fn context(&mut self, gnb: usize, ran: u32) -> Option<&mut Context> {
        self.gnbs.get_mut(gnb)?.ues.get_mut(&ran)
    }

    fn ue(&mut self, ue: u32) -> Option<&mut Ue> {
        self.ues.get_mut(usize::try_from(ue).ok()?)
    }

    /// A UE is at a gNB from now on, which gives it a RAN UE NGAP ID.
    fn arrive(&mut self, gnb: usize, ue: u32, life: u32) -> Option<u32> {
        let it = self.gnbs.get_mut(gnb)?;
        it.given = it.given.saturating_add(1);
        let context = Context { leg: Leg::new(ue, life), fate: Fate::Here, id: None, amf: None };
        it.ues.insert(it.given, context);
        Some(it.given)
    }

    /// A UE begins something.
    fn occupy(&mut self, ue: u32) {
        if let Some(it) = self.ue(ue).filter(|ue| !ue.busy) {
            it.busy = true;
            self.busy = self.busy.saturating_add(1);
        }
    }

    /// A UE is done with what it began.
    fn free(&mut self, ue: u32, what: Option<&'static str>) {
        if let Some(it) = self.ue(ue).filter(|ue| ue.busy) {
            it.busy = false;
            self.busy = self.busy.saturating_sub(1);
        }
        if let Some(what) = what {
            self.count(what);
        }
    }

    fn count(&mut self, what: &'static str) {
        let count = self.done.entry(what).or_default();
        *count = count.saturating_add(1);
    }

    /// A gNB other than one, by chance.
    fn other_gnb(&mut self, than: usize) -> usize {
        let others = self.gnbs.len().saturating_sub(1).max(1);
        let step = below(&mut self.random, others).saturating_add(1);
        than.saturating_add(step) % self.gnbs.len().max(1)
    }

    fn violate(&mut self, gnb: usize, stream: u16, about: Option<u32>, wrong: Wrong) {
        self.violations.push(Violation { who: format!("gNB {gnb}"), stream, about, wrong });
    }
}
