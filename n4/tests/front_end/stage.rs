//! The front end's surroundings: a clock, the network, and a table of pins as its host would keep it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pinion_n4::{
    Batch, Bounds, FlowFilter, FrontEnd, Kept, Lead, Mode, Output, Placement, Serves, SessionView, Settings,
    Timers, TunnelChange, TunnelFilters,
};
use pinion_n4::{Upf, UserPlane};
use pinion_protocols::pfcp::{Cause, Element, ElementType, FSeid, FTeid, Message, MessageType, PORT};

use crate::smf::Smf;
use crate::upf::ScriptedUpf;

/// Where the front end is.
pub(crate) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// When it began.
pub(crate) const STAMP: u32 = 0xe900_0000;
/// The front end's timers, as TS 29.244 6.4 names them.
pub(crate) const T1: Duration = Duration::from_secs(3);
pub(crate) const N1: u32 = 3;
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(10);

/// The address of UPF `number` on N4.
pub(crate) fn upf_address(number: u8) -> IpAddr {
    [192, 0, 2, 10 + number].into()
}

/// Its addresses on N3.
pub(crate) fn n3(number: u8) -> (Ipv4Addr, Ipv6Addr) {
    ([198, 51, 100, 10 + number].into(), [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10 + u16::from(number)].into())
}

/// The addresses that gNBs know instead.
pub(crate) fn n3_here() -> (Ipv4Addr, Ipv6Addr) {
    ([198, 51, 100, 1].into(), [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into())
}

/// Settings with UPFs 1 to `upfs`, all of whose sessions are placed in turn.
pub(crate) fn settings(upfs: u8) -> Settings {
    let (v4, v6) = n3_here();
    Settings {
        address: HERE,
        upfs: (1..=upfs).map(upf).collect(),
        user_plane: vec![UserPlane {
            service: "n3".into(),
            addresses: vec![v4.into(), v6.into()],
            endpoints: (1..=upfs)
                .map(|number| (name(number), vec![n3(number).0.into(), n3(number).1.into()]))
                .collect(),
        }],
        breakouts: Vec::new(),
        placement: Placement::RoundRobin,
        restore: false,
        smf_teids: false,
        mode: Mode::Terminate,
        timers: Timers { heartbeat: HEARTBEAT, t1: T1, n1: 3 },
        bounds: Bounds::default(),
    }
}

pub(crate) fn name(number: u8) -> Arc<str> {
    format!("upfs/{number}").into()
}

pub(crate) fn upf(number: u8) -> Upf {
    Upf {
        name: name(number),
        address: upf_address(number),
        weight: 1,
        priority: 0,
        drained: false,
        serves: Serves::default(),
    }
}

/// A message as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said(pub(crate) Bytes);

impl Said {
    pub(crate) fn message(&self) -> Message<'_> {
        Message::parse(&self.0).unwrap()
    }

    pub(crate) fn kind(&self) -> MessageType {
        self.message().message_type()
    }

    pub(crate) fn is_request(&self) -> bool {
        self.kind().is_request() == Some(true)
    }

    pub(crate) fn cause(&self) -> Option<Cause> {
        self.message().routing().unwrap().cause
    }

    pub(crate) fn f_seid(&self) -> Option<FSeid> {
        self.message().routing().unwrap().session.map(|(session, _)| session)
    }

    /// The value of the first element of a type.
    pub(crate) fn value(&self, kind: ElementType) -> Option<Vec<u8>> {
        self.message().elements().find(kind).unwrap().map(|element| element.value().to_vec())
    }

    pub(crate) fn offending(&self) -> Option<ElementType> {
        let element = self.message().elements().find(ElementType::OffendingIe).unwrap()?;
        match element.parse().unwrap() {
            Element::OffendingElement(kind) => Some(kind),
            _ => None,
        }
    }

    /// Ends of tunnels that it tells of.
    pub(crate) fn tunnels(&self) -> Vec<FTeid> {
        self.message().local_tunnels().map_while(Result::ok).map(|local| local.tunnel).collect()
    }
}

/// What the host does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    PutsIntoForce,
    Waits,
    Refuses,
}

pub(crate) type Leads = BTreeMap<(IpAddr, u32), Arc<str>>;

pub(crate) type Pins = BTreeMap<(IpAddr, u32), (Arc<str>, u32)>;

pub(crate) struct Stage {
    pub(crate) front_end: FrontEnd<()>,
    pub(crate) now: Duration,
    pub(crate) upfs: Vec<ScriptedUpf>,
    /// What everybody else was sent, and has not looked at yet.
    pub(crate) inbox: Vec<(SocketAddr, Said)>,
    /// Whether SMFs answer to what they are asked.
    pub(crate) smfs_answer: bool,
    /// When SMFs say that they began, in answers to heartbeats.
    pub(crate) smf_stamp: u32,
    pub(crate) host: Host,
    /// Where clients send to, of which the host can put nothing into force.
    pub(crate) impossible: Option<(IpAddr, u32)>,
    /// Whether answers of UPFs are delivered only by [`Stage::deliver`].
    pub(crate) slow: bool,
    pub(crate) post: Vec<(SocketAddr, Vec<u8>)>,
    pub(crate) batches: VecDeque<(Batch, Vec<TunnelChange>)>,
    pub(crate) pins: Pins,
    /// What was in force, and was not asked for again since.
    ended: BTreeSet<(IpAddr, u32)>,
    /// How often it was said anew what is to be kept of sessions.
    pub(crate) said: usize,
    /// What outlives the front end.
    pub(crate) kept: BTreeMap<Kept, Bytes>,
    /// Whose clients' ends of tunnels are.
    pub(crate) leads: Leads,
    /// Which packets leave tunnels that are in force.
    pub(crate) filters: BTreeMap<(IpAddr, u32), Vec<FlowFilter>>,
    /// UPFs that came and went.
    pub(crate) events: Vec<(Arc<str>, bool)>,
}

impl Stage {
    /// UPFs that have no association yet.
    pub(crate) fn new(settings: Settings) -> Self {
        let upfs = settings.upfs.iter().zip(1..).map(|(_, number)| ScriptedUpf::new(number)).collect();
        Self {
            front_end: FrontEnd::new(settings, STAMP, 1),
            now: Duration::ZERO,
            upfs,
            inbox: Vec::new(),
            smfs_answer: true,
            smf_stamp: 7,
            host: Host::PutsIntoForce,
            impossible: None,
            slow: false,
            post: Vec::new(),
            batches: VecDeque::new(),
            pins: Pins::new(),
            ended: BTreeSet::new(),
            said: 0,
            kept: BTreeMap::new(),
            leads: Leads::new(),
            filters: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    /// UPFs with an association, and an SMF with one.
    pub(crate) fn set_up(settings: Settings) -> (Self, Smf) {
        let mut stage = Self::new(settings);
        stage.pass(Duration::ZERO);
        let mut smf = Smf::new(1);
        let answer = stage.ask(&smf, &smf.setup(7));
        assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
        smf.sequence += 1;
        (stage, smf)
    }

    /// Time passes, at once.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.front_end.tick(self.now);
        self.settle();
    }

    /// Time passes second by second.
    pub(crate) fn live(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.pass(Duration::from_secs(1).min(until - self.now));
        }
    }

    pub(crate) fn receive(&mut self, from: IpAddr, datagram: &[u8]) {
        self.front_end.receive(self.now, SocketAddr::new(from, PORT), datagram);
        self.settle();
    }

    /// Asks for the SMF, and takes the one answer.
    pub(crate) fn ask(&mut self, smf: &Smf, request: &[u8]) -> Said {
        self.receive(smf.address, request);
        let mut answers = self.answers(smf.address);
        assert_eq!(answers.len(), 1, "{answers:?}");
        answers.remove(0)
    }

    /// Takes the answers that somebody was sent.
    pub(crate) fn answers(&mut self, to: IpAddr) -> Vec<Said> {
        self.take(|address, said| address == to && !said.is_request())
    }

    /// Takes the requests that somebody was sent.
    pub(crate) fn requests(&mut self, to: IpAddr, kind: MessageType) -> Vec<Said> {
        self.take(|address, said| address == to && said.kind() == kind)
    }

    fn take(&mut self, is: impl Fn(IpAddr, &Said) -> bool) -> Vec<Said> {
        self.inbox.extract_if(.., |(to, said)| is(to.ip(), said)).map(|(_, said)| said).collect()
    }

    /// Does what the front end wants done, until it wants no more.
    pub(crate) fn settle(&mut self) {
        while let Some(output) = self.front_end.output() {
            match output {
                Output::Send { to, bytes } => self.send(to, Said(bytes)),
                Output::Keep { of, value } => {
                    self.said += usize::from(matches!(of, Kept::Session(_)) && value.is_some());
                    match value {
                        Some(value) => drop(self.kept.insert(of, value)),
                        None => drop(self.kept.remove(&of)),
                    }
                }
                Output::Upf { name, up, .. } => self.events.push((name, up)),
                Output::Lead(leads) => {
                    for Lead { client, to } in leads {
                        match to {
                            Some(to) => drop(self.leads.insert(client, to.endpoint)),
                            None => drop(self.leads.remove(&client)),
                        }
                    }
                }
                Output::Classify(all) => {
                    for TunnelFilters { at, filters, .. } in all {
                        self.filters.remove(&at);
                        if !filters.is_empty() && self.pins.contains_key(&at) {
                            self.filters.insert(at, filters);
                        }
                    }
                }
                Output::Commit { batch, changes } => {
                    for change in &changes {
                        self.ended.remove(&change.at());
                    }
                    let pins = |it: &TunnelChange| matches!(it, TunnelChange::Pin { at, .. } if self.impossible == Some(*at));
                    let impossible = changes.iter().any(pins);
                    self.batches.push_back((batch, changes));
                    match self.host {
                        Host::PutsIntoForce if impossible => self.refuse(),
                        Host::PutsIntoForce => self.install(),
                        Host::Refuses => self.refuse(),
                        Host::Waits => {}
                    }
                }
            }
        }
    }

    fn send(&mut self, to: SocketAddr, said: Said) {
        let upf = self.upfs.iter_mut().find(|upf| upf.speaks_at(to.ip()));
        let answer = match upf {
            Some(upf) => {
                let answer = upf.hear(&said);
                if self.slow {
                    self.post.extend(answer.map(|answer| (to, answer)));
                    return;
                }
                answer
            }
            None => {
                self.assert_in_force(&said);
                let answer = self.smfs_answer.then(|| crate::smf::answer(&said, self.smf_stamp)).flatten();
                self.inbox.push((to, said));
                answer
            }
        };
        if let Some(answer) = answer {
            self.front_end.receive(self.now, to, &answer);
        }
    }

    /// Delivers an answer of a UPF, if there is one.
    pub(crate) fn deliver(&mut self, which: usize) {
        if let Some(at) = which.checked_rem(self.post.len()) {
            let (from, answer) = self.post.remove(at);
            self.front_end.receive(self.now, from, &answer);
            self.settle();
        }
    }

    /// What an answer tells clients leads somewhere.
    fn assert_in_force(&self, said: &Said) {
        if said.is_request() || said.cause() != Some(Cause::ACCEPTED) {
            return;
        }
        for tunnel in said.tunnels() {
            let FTeid::Given { teid, addresses } = tunnel else { continue };
            for at in addresses.v4.map(IpAddr::V4).into_iter().chain(addresses.v6.map(IpAddr::V6)) {
                let here = at == n3_here().0 || at == n3_here().1;
                let there = self.pins.contains_key(&(at, teid)) || self.ended.contains(&(at, teid));
                assert!(!here || there, "{tunnel:?}");
            }
        }
    }

    /// The host puts the oldest batch into force.
    pub(crate) fn install(&mut self) {
        let Some((batch, changes)) = self.batches.pop_front() else { return };
        for change in changes {
            let place = self.pins.get(&change.at()).cloned();
            if !matches!(&change, TunnelChange::Pin { to, .. } if place.as_ref() == Some(to)) {
                self.filters.remove(&change.at());
            }
            match change {
                TunnelChange::Pin { at, to, .. } => self.pins.insert(at, to),
                TunnelChange::Unpin { at } => {
                    self.ended.insert(at);
                    self.pins.remove(&at)
                }
            };
        }
        self.front_end.installed(self.now, batch, ());
        self.settle();
    }

    /// The host refuses the oldest batch.
    pub(crate) fn refuse(&mut self) {
        let Some((batch, _)) = self.batches.pop_front() else { return };
        self.front_end.refused(self.now, batch);
        self.settle();
    }

    /// Where packets to an F-TEID go: the UPF's number and its TEID.
    pub(crate) fn leads(&self, tunnel: FTeid) -> Vec<(Arc<str>, u32)> {
        let FTeid::Given { teid, addresses } = tunnel else { return Vec::new() };
        let v4 = addresses.v4.map(IpAddr::V4).into_iter();
        v4.chain(addresses.v6.map(IpAddr::V6)).filter_map(|at| self.pins.get(&(at, teid)).cloned()).collect()
    }

    /// All sessions.
    pub(crate) fn sessions(&self) -> Vec<SessionView> {
        self.front_end.sessions(None).collect()
    }

    /// All that UPFs have.
    pub(crate) fn sessions_at_upfs(&self) -> usize {
        self.upfs.iter().map(|upf| upf.sessions.len()).sum()
    }
}
