//! The front end: datagrams, time and the host's answers come in; datagrams and changes of tunnels go out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use foldhash::HashMap;
use pinion_protocols::pfcp::{Cause, Element, ElementType, Error, Message, MessageType, MessageWriter, Messages};

use crate::chores::Chore;
use crate::counts::Counts;
use crate::filters::TunnelFilters;
use crate::inbound::{Inbound, Origin, Seen};
use crate::keep::Kept;
use crate::outbound::{Due, NUMBERS, Outbound};
use crate::peers::Lead;
use crate::purpose::{Parked, Purpose, Waiting};
use crate::random::Random;
use crate::redirect::Redirect;
use crate::sessions::{SessionId, Sessions};
use crate::settings::{Mode, Settings};
use crate::smf::Smf;
use crate::translate::Refusal;
use crate::tunnels::{Plane, TunnelChange};
use crate::upf::Upf;

/// What the host is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a datagram, from port 8805 of the front end's address.
    Send {
        /// Where to.
        to: SocketAddr,
        /// What.
        bytes: Bytes,
    },
    /// Put tunnels into force, all or none, and say so with [`FrontEnd::installed`] or [`FrontEnd::refused`]. Batches are
    /// to take effect in their order.
    Commit {
        /// Which batch.
        batch: Batch,
        /// What of it.
        changes: Vec<TunnelChange>,
    },
    /// Have clients' ends of tunnels lead to the UPFs that send there (TS 29.281 7.3.1), as far as there is room: nothing
    /// waits for it.
    Lead(Vec<Lead>),
    /// Have tunnels that are in force by now have other filters (TS 23.501 5.6.4.2), as far as there is room: nothing waits
    /// for it. A tunnel that ends, or that a batch moves, has none after that until it is said anew.
    Classify(Vec<TunnelFilters>),
    /// Keep a value for the front end after this one ([`FrontEnd::take_over`]), before what follows is done.
    Keep {
        /// What it is of.
        of: Kept,
        /// The value; `None`: it is to be forgotten.
        value: Option<Bytes>,
    },
    /// Take down that a UPF has an association, or none.
    Upf {
        /// Its name, `POOL/NAME`.
        name: Arc<str>,
        /// Whether it has.
        up: bool,
        /// Why that changed.
        why: &'static str,
    },
}

/// A batch of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Batch(u64);

/// One UPF to each SMF, one SMF to each UPF (TS 29.244). `Proof` is what the host shows for tunnels that are in force: no
/// message that makes a tunnel known is sent without.
#[derive(Debug)]
pub struct FrontEnd<Proof> {
    pub(crate) settings: Settings,
    /// Seconds since 1900 at which it began: peers take a change for a loss of all sessions.
    pub(crate) stamp: u32,
    pub(crate) now: Duration,
    pub(crate) random: Random,
    pub(crate) upfs: Vec<Upf>,
    /// Which UPF speaks from an address.
    pub(crate) upf_at: HashMap<IpAddr, u16>,
    pub(crate) smfs: Vec<Smf>,
    pub(crate) sessions: Sessions,
    pub(crate) plane: Plane,
    pub(crate) placed: u64,
    pub(crate) inbound: Inbound,
    pub(crate) outbound: Outbound<MessageType, Purpose>,
    pub(crate) parked: HashMap<Batch, Waiting>,
    /// Tunnels that the host did not end when it should have, and when it is asked again.
    pub(crate) owed: Option<(Duration, Vec<TunnelChange>)>,
    /// Sessions that no UPF takes, by when they are given up.
    pub(crate) homeless: BTreeSet<(Duration, SessionId)>,
    next_batch: u64,
    pub(crate) chores: VecDeque<Chore>,
    /// Sessions that the front end before had, by the SMF's end: whoever wishes for one of them was not answered.
    pub(crate) before: HashMap<(IpAddr, u64), SessionId>,
    /// How many chores are under way.
    pub(crate) busy: u32,
    /// PFD management requests that UPFs which come later are to get too, as the SMF sent their elements, in their order.
    pub(crate) pfds: BTreeMap<u64, Bytes>,
    /// What SMFs are told of the load of all UPFs: a number that counts changes, and percent.
    pub(crate) load: Option<(u32, u8)>,
    /// And of their overload: a number that counts changes, percent less that all ask for, and until when.
    pub(crate) overload: Option<(u32, u8, Duration)>,
    pub(crate) redirect: Redirect,
    outputs: VecDeque<Output>,
    pub(crate) counts: Counts,
    proof: PhantomData<fn(Proof)>,
}

impl<Proof> FrontEnd<Proof> {
    /// A front end without sessions. `stamp`: seconds since 1900 now; `seed`: of identifiers, different at each start.
    #[must_use]
    pub fn new(settings: Settings, stamp: u32, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut front_end = Self {
            stamp,
            now: Duration::ZERO,
            upfs: Vec::new(),
            upf_at: HashMap::default(),
            smfs: Vec::new(),
            sessions: Sessions::new(random.word()),
            plane: Plane::default(),
            placed: 0,
            inbound: Inbound::default(),
            outbound: Outbound::new(random.word(), NUMBERS),
            random,
            parked: HashMap::default(),
            owed: None,
            homeless: BTreeSet::new(),
            next_batch: 0,
            chores: VecDeque::new(),
            before: HashMap::default(),
            busy: 0,
            pfds: BTreeMap::new(),
            load: None,
            overload: None,
            redirect: Redirect::default(),
            outputs: VecDeque::new(),
            counts: Counts::default(),
            settings,
            proof: PhantomData,
        };
        front_end.settle();
        front_end.keep_front_end();
        front_end
    }

    /// Takes other settings over, but for the mode. A UPF that is configured no more gets no new sessions, and keeps those
    /// that it has.
    pub fn configure(&mut self, settings: Settings) {
        let mode = self.settings.mode;
        if settings.mode != mode {
            tracing::warn!("the mode stays as it is until the next start");
        }
        let breaks_out_elsewhere = settings.breakouts != self.settings.breakouts;
        self.settings = Settings { mode, ..settings };
        self.settle();
        if breaks_out_elsewhere {
            self.classify_all();
        }
    }

    pub(crate) fn redirects(&self) -> bool {
        self.settings.mode == Mode::Redirect
    }

    /// Takes a datagram.
    pub fn receive(&mut self, now: Duration, from: SocketAddr, datagram: &[u8]) {
        self.now = now;
        for message in Messages::new(datagram) {
            match message {
                Ok(message) if message.missing() == 0 => self.take(from, &message, datagram),
                Err(Error::Version { .. }) => self.other_version(from, datagram),
                Ok(_) | Err(_) => self.counts.malformed += 1,
            }
        }
        self.work();
    }

    /// Does what is due by time alone.
    pub fn tick(&mut self, now: Duration) {
        self.now = now;
        while let Some(due) = self.outbound.due(now, self.settings.timers.t1) {
            match due {
                Due::Again(to, bytes) => {
                    self.counts.repeated += 1;
                    self.send(to, bytes);
                }
                Due::Lost(asked, purpose) => self.unanswered(asked, purpose),
            }
        }
        self.inbound.expire(now);
        self.tend_upfs();
        self.tend_smfs();
        self.tend_homeless();
        self.tend_owed();
        self.tend_rounds();
        self.work();
    }

    /// When [`FrontEnd::tick`] is to be called next at the latest; perhaps too early.
    #[must_use]
    pub fn next(&self) -> Duration {
        if self.has_work() {
            return self.now;
        }
        let peers = self.upfs.iter().map(|upf| upf.next).chain(self.smfs.iter().filter_map(Smf::next));
        let soon = self.now.saturating_add(Duration::from_secs(1));
        peers.chain(self.outbound.next()).min().unwrap_or(soon).min(soon)
    }

    /// What the host is to do next.
    pub fn output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Sends what was to wait for tunnels: they are in force, as `proof` shows.
    pub fn installed(&mut self, now: Duration, batch: Batch, proof: Proof) {
        // Having it is all that is asked for.
        drop(proof);
        self.now = now;
        if let Some(waiting) = self.parked.remove(&batch) {
            self.in_force(batch, waiting);
        }
    }

    /// Takes back what was to wait for tunnels: they are not in force.
    pub fn refused(&mut self, now: Duration, batch: Batch) {
        self.now = now;
        self.counts.refused += 1;
        if let Some(waiting) = self.parked.remove(&batch) {
            self.not_in_force(batch, waiting);
        }
    }

    /// A message of a peer.
    fn take(&mut self, from: SocketAddr, message: &Message<'_>, datagram: &[u8]) {
        let kind = message.message_type();
        match kind.is_request() {
            None => self.counts.unknown += 1,
            Some(false) => match self.outbound.answered(from, message.sequence(), |wanted| {
                *wanted == kind || kind == MessageType::VersionNotSupportedResponse
            }) {
                Some(purpose) => {
                    self.counts.answers += 1;
                    self.answered(from, message, purpose);
                }
                None => self.counts.unasked += 1,
            },
            Some(true) => {
                self.counts.requests += 1;
                if kind == MessageType::HeartbeatRequest {
                    return self.heartbeat(from, message);
                }
                let end = message.body_offset().saturating_add(message.body().len());
                let bytes = datagram.get(message.offset()..end).unwrap_or_default();
                let origin = Origin::of(from, message.sequence(), bytes);
                match self.see(origin) {
                    Seen::New => self.request(origin, message, bytes),
                    Seen::Pending => self.counts.retransmitted += 1,
                    Seen::Answered(bytes) => {
                        self.counts.retransmitted += 1;
                        self.send(from, bytes);
                    }
                }
            }
        }
    }

    /// A request that is new.
    fn request(&mut self, origin: Origin, message: &Message<'_>, bytes: &[u8]) {
        let upf = self.upf_at.get(&origin.from.ip()).copied();
        let done = match (message.message_type(), upf) {
            _ if self.redirects() => self.redirect(origin, message, upf),
            (MessageType::AssociationSetupRequest, None) => self.smf_setup(origin, message),
            (MessageType::AssociationUpdateRequest, None) => self.smf_update(origin, message),
            (MessageType::AssociationReleaseRequest, None) => self.smf_release(origin, message),
            (MessageType::PfdManagementRequest, None) => self.manage_pfds(origin, message),
            (MessageType::SessionEstablishmentRequest, None) => self.establish(origin, message, bytes),
            (MessageType::SessionModificationRequest, None) => self.modify(origin, message, bytes),
            (MessageType::SessionDeletionRequest, None) => self.delete(origin, message),
            (MessageType::AssociationSetupRequest, Some(upf)) => self.upf_setup(origin, message, upf),
            (MessageType::AssociationUpdateRequest, Some(upf)) => self.upf_update(origin, message, upf),
            (MessageType::AssociationReleaseRequest, Some(upf)) => self.upf_release(origin, upf),
            (MessageType::NodeReportRequest, Some(upf)) => self.node_report(origin, message, upf),
            (MessageType::SessionSetDeletionRequest, upf) => self.delete_set(origin, message, upf),
            (MessageType::SessionSetModificationRequest, None) => self.modify_set(origin, message),
            (MessageType::SessionReportRequest, _) => self.report(origin, message, bytes),
            _ => Err(Refusal::plain(Cause::SERVICE_NOT_SUPPORTED)),
        };
        if let Err(refusal) = done {
            self.refuse(origin, message, refusal);
        }
    }

    /// Takes a request down, unless it is known.
    pub(crate) fn see(&mut self, origin: Origin) -> Seen {
        let timers = self.settings.timers;
        // Its sender has given up by then; and one T1 for what was long under way.
        let until = self.now.saturating_add(timers.t1.saturating_mul(u32::from(timers.n1) + 1));
        self.inbound.see(origin, until, self.settings.bounds.answers)
    }

    /// Has tunnels put into force; what waits for them is done then.
    pub(crate) fn commit(&mut self, changes: Vec<TunnelChange>, parked: Parked) {
        let of = parked.session().and_then(|id| self.sessions.get_mut(id));
        let of = of.map(|session| &mut session.under_way.batch);
        if changes.is_empty() {
            // It may tell of tunnels that are on their way.
            let before = of.and_then(|batch| *batch).and_then(|batch| self.parked.get_mut(&batch));
            match before {
                Some(waiting) => waiting.parked.push(parked),
                None => self.done(parked),
            }
            return;
        }
        let batch = Batch(self.next_batch);
        self.next_batch = self.next_batch.wrapping_add(1);
        if let Some(of) = of {
            *of = Some(batch);
        }
        let waiting = Waiting { changes: changes.clone(), parked: vec![parked], doomed: false };
        self.parked.insert(batch, waiting);
        self.push(Output::Commit { batch, changes });
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// TS 29.244 6.2.2: whoever asks is answered, also a stranger.
    fn heartbeat(&mut self, from: SocketAddr, message: &Message<'_>) {
        let mut out = BytesMut::new();
        let mut writer = MessageWriter::new(&mut out, MessageType::HeartbeatResponse, None, message.sequence());
        writer.add(&Element::RecoveryTimeStamp(self.stamp));
        if writer.finish().is_ok() {
            self.send(from, out.freeze());
        }
        self.suspect(from.ip(), message);
    }

    /// Asks a peer that seems to have begun anew. Its heartbeat alone is no proof: it may have been long on its way, and
    /// anybody can send one; what is answered to a question is.
    fn suspect(&mut self, from: IpAddr, message: &Message<'_>) {
        let Some(stamp) = stamp(message) else { return };
        match self.upf_at.get(&from).copied() {
            Some(upf) => self.suspect_upf(upf, stamp),
            None => self.suspect_smf(from, stamp),
        }
    }

    /// What the answer to a heartbeat says of when its sender began.
    pub(crate) fn heard(&mut self, from: IpAddr, message: &Message<'_>) {
        let Some(stamp) = stamp(message) else { return };
        match self.upf_at.get(&from).copied() {
            Some(upf) => self.upf_began(upf, stamp),
            None => self.smf_began(from, stamp),
        }
    }

    /// TS 29.244 7.4.4.7: whoever speaks another version is told which one is spoken here, where it asked something.
    fn other_version(&mut self, from: SocketAddr, datagram: &[u8]) {
        self.counts.malformed += 1;
        let [_, kind, ..] = datagram else { return };
        if MessageType::from(*kind).is_request() == Some(false) {
            return;
        }
        let long = datagram.first().is_some_and(|flags| flags & 1 != 0);
        let at = if long { 12 } else { 4 };
        let sequence = match datagram.get(at..at + 3) {
            Some([a, b, c]) => u32::from_be_bytes([0, *a, *b, *c]),
            _ => 0,
        };
        let mut out = BytesMut::new();
        if MessageWriter::new(&mut out, MessageType::VersionNotSupportedResponse, None, sequence).finish().is_ok()
        {
            self.send(from, out.freeze());
        }
    }
}

/// When the sender of a message began.
pub(crate) fn stamp(message: &Message<'_>) -> Option<u32> {
    match message.elements().find(ElementType::RecoveryTimeStamp).ok()??.parse().ok()? {
        Element::RecoveryTimeStamp(stamp) => Some(stamp),
        _ => None,
    }
}

/// When the sender of a message began, which it has to say.
pub(crate) fn began(message: &Message<'_>) -> Result<u32, Refusal> {
    stamp(message).ok_or(Refusal::about(Cause::MANDATORY_MISSING, ElementType::RecoveryTimeStamp))
}

/// The octets of an element's value; none where it is not there.
pub(crate) fn octets<'a>(message: &Message<'a>, kind: ElementType) -> Result<Option<&'a [u8]>, Error> {
    Ok(message.elements().find(kind)?.map(|element| element.value()))
}

/// The octets of an element's value, which has to be there.
pub(crate) fn needed<'a>(message: &Message<'a>, kind: ElementType) -> Result<&'a [u8], Refusal> {
    octets(message, kind)?.ok_or(Refusal::about(Cause::MANDATORY_MISSING, kind))
}

/// Whether a flag of an element's first octet is set; not where the element is not there.
pub(crate) fn flag(message: &Message<'_>, kind: ElementType, bit: u8) -> Result<bool, Error> {
    Ok(octets(message, kind)?.and_then(<[u8]>::first).is_some_and(|flags| flags & bit != 0))
}
