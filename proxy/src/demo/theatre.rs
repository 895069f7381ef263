//! The players on a stage, before an audience: time passes, and everybody gets what comes.

use std::collections::BTreeMap;
use std::time::Duration;

use pinion_protocols::sctp::endpoint::Time;

use super::actor::Actor;
use super::actor::gnb::{Gnb, User};
use super::actor::smf::Smf;
use super::audience::{Audience, Client, Event, Kind, Picture, Server};
use super::cast::{Member, Network, Role};
use super::error::DemoError;
use super::ledger::Tally;
use super::node::{self, Node};
use super::sbi::Core;
use super::stage::{Arrived, Seen, Stage};
use super::ues::Ues;

/// How often the picture changes.
const FRAME: Duration = Duration::from_millis(100);

/// After this time nobody answers a packet any more.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Players, stage and audience.
pub(crate) struct Theatre<S, A> {
    /// The stage.
    pub(crate) stage: S,
    /// The network that is cut.
    pub(crate) cut: Option<Network>,
    /// Whether the daemon lives.
    pub(crate) daemon: bool,
    /// The UEs.
    pub(crate) ues: Ues,
    /// The functions of SBI, when they have come.
    pub(crate) core: Option<Core>,
    audience: A,
    nodes: Vec<Node>,
    killed: Vec<Member>,
    arrived: Vec<Arrived>,
    shown: Time,
}

/// How it is with the sessions that were made by N4, as SMF and UPFs count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Control {
    /// How many sessions the SMF made.
    pub(crate) made: u64,
    /// How many it has.
    pub(crate) sessions: usize,
    /// How many there are on UPFs that live.
    pub(crate) on_upfs: usize,
    /// How often a session was made again on another UPF, without the SMF.
    pub(crate) restored: u64,
}

impl<S: Stage, A: Audience> Theatre<S, A> {
    /// Everybody is there, and asks nothing yet.
    pub(crate) fn new(stage: S, audience: A) -> Self {
        Self {
            stage,
            cut: None,
            daemon: false,
            ues: Ues::new(),
            core: None,
            audience,
            nodes: node::everybody(),
            killed: Vec::new(),
            arrived: Vec::new(),
            shown: Time::ZERO,
        }
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// Where the stage broke, or nobody watches any more.
    pub(crate) async fn play(&mut self, time: Duration) -> Result<(), DemoError> {
        let end = self.stage.now().after(time);
        while self.stage.now() < end {
            self.step(end).await?;
        }
        Ok(())
    }

    /// Lets time pass until something is so; how long it took.
    ///
    /// # Errors
    /// As [`Theatre::play`]; [`DemoError::Late`].
    pub(crate) async fn until(
        &mut self,
        what: &str,
        within: Duration,
        so: impl Fn(&mut Self) -> Result<bool, DemoError>,
    ) -> Result<Duration, DemoError> {
        let begin = self.stage.now();
        while !so(self)? {
            if self.stage.now().since(begin) > within {
                return Err(DemoError::Late { what: what.to_owned(), seconds: within.as_secs() });
            }
            self.play(Duration::from_millis(20)).await?;
        }
        Ok(self.stage.now().since(begin))
    }

    /// Tells the audience.
    ///
    /// # Errors
    /// Where it cannot be told.
    pub(crate) fn tell(&mut self, kind: Kind, text: impl Into<String>) -> Result<(), DemoError> {
        self.audience.hear(&Event { at: self.stage.now(), kind, text: text.into() })
    }

    /// Everybody does what is due until the next frame comes.
    async fn step(&mut self, end: Time) -> Result<(), DemoError> {
        for (at, node) in self.nodes.iter_mut().enumerate() {
            while let Some((network, frame)) = node.poll() {
                self.stage.send(at, network, frame);
            }
        }
        let due = self.nodes.iter().filter_map(Node::deadline).chain(self.ues.deadline());
        let due = due.chain([end, self.shown.after(FRAME)]).min();
        self.arrived.clear();
        self.stage.receive(due.unwrap_or(end), &mut self.arrived).await?;
        let now = self.stage.now();
        for Arrived { node, network, frame } in self.arrived.drain(..) {
            if let Some(node) = self.nodes.get_mut(node) {
                node.receive(now, network, &frame);
            }
        }
        for node in self.nodes.iter_mut().filter(|node| node.deadline().is_some_and(|due| due <= now)) {
            node.expire(now);
        }
        self.ues.expire(now);
        self.signal(now);
        // AMFs would carry it to the gNBs, by NGAP.
        let news = self.smf_mut().map(|smf| std::mem::take(&mut smf.news)).unwrap_or_default();
        for (tunnel, end) in news {
            self.gnbs_mut().for_each(|gnb| gnb.learn(tunnel, end));
        }
        if now >= self.shown.after(FRAME) {
            self.shown = now;
            for gnb in self.gnbs_mut() {
                gnb.users.iter_mut().for_each(|user| user.ledger.give_up(now, PATIENCE));
            }
            let picture = self.picture();
            self.audience.see(&picture)?;
        }
        Ok(())
    }

    /// gNBs and AMFs hear and say what is about UEs.
    fn signal(&mut self, now: Time) {
        for node in &mut self.nodes {
            while let Some((association, event)) = node.heard() {
                self.ues.hear(node.member, association, event);
            }
        }
        while let Some((member, association, sent)) = self.ues.output() {
            if let Some(node) = self.nodes.iter_mut().find(|node| node.member == member) {
                node.say(now, association, sent);
            }
        }
    }

    /// Kills a player: it neither answers nor says goodbye.
    pub(crate) fn kill(&mut self, member: Member) {
        self.killed.push(member);
        if let Some(node) = self.nodes.iter_mut().find(|node| node.member == member) {
            node.alive = false;
        }
        if member.role == Role::Amf {
            self.ues.kill(member);
        }
    }

    /// The gNBs.
    pub(crate) fn gnbs(&self) -> impl Iterator<Item = &Gnb> {
        self.nodes.iter().filter_map(|node| match &node.actor {
            Actor::Gnb(gnb) => Some(&**gnb),
            Actor::Amf(_) | Actor::Upf(_) | Actor::Smf(_) => None,
        })
    }

    /// The gNBs, to be told something.
    pub(crate) fn gnbs_mut(&mut self) -> impl Iterator<Item = &mut Gnb> {
        self.nodes.iter_mut().filter_map(|node| match &mut node.actor {
            Actor::Gnb(gnb) => Some(&mut **gnb),
            Actor::Amf(_) | Actor::Upf(_) | Actor::Smf(_) => None,
        })
    }

    /// The SMF, to be told something.
    pub(crate) fn smf_mut(&mut self) -> Option<&mut Smf> {
        self.nodes.iter_mut().find_map(|node| match &mut node.actor {
            Actor::Smf(smf) => Some(smf),
            Actor::Gnb(_) | Actor::Amf(_) | Actor::Upf(_) => None,
        })
    }

    /// How it is with the sessions that were made by N4.
    pub(crate) fn control(&self) -> Control {
        let mut control = Control::default();
        let mut on_upfs = 0_u64;
        for node in &self.nodes {
            match &node.actor {
                Actor::Smf(smf) => {
                    control.made = smf.made;
                    control.sessions = smf.sessions();
                }
                Actor::Upf(upf) => {
                    on_upfs = on_upfs.saturating_add(upf.sessions.made);
                    control.on_upfs += if node.alive { upf.sessions.count() } else { 0 };
                }
                Actor::Gnb(_) | Actor::Amf(_) => {}
            }
        }
        // What UPFs had to make more often than the SMF had it made was made again for it.
        control.restored = on_upfs.saturating_sub(control.made);
        control
    }

    /// What the associations come to.
    pub(crate) fn associations(&self) -> Tally {
        let mut tally = Tally::default();
        let killed = self.killed(Role::Amf);
        self.gnbs().for_each(|gnb| tally.add(&gnb.messages, &killed));
        tally
    }

    /// What the tunnels come to.
    pub(crate) fn tunnels(&self) -> Tally {
        let mut tally = Tally::default();
        let killed = self.killed(Role::Upf);
        self.gnbs().flat_map(|gnb| &gnb.users).for_each(|user| tally.add(&user.ledger, &killed));
        tally
    }

    /// How many sessions each AMF, or UPF, answered last.
    pub(crate) fn owners(&self, role: Role) -> BTreeMap<u8, u64> {
        let mut owners = BTreeMap::new();
        for gnb in self.gnbs() {
            let tunnels = gnb.users.iter().map(|user| &user.ledger);
            let ledgers: Vec<_> = if role == Role::Upf { tunnels.collect() } else { vec![&gnb.messages] };
            for owner in ledgers.iter().filter_map(|ledger| ledger.owner) {
                let count: &mut u64 = owners.entry(owner).or_default();
                *count = count.saturating_add(1);
            }
        }
        owners
    }

    fn killed(&self, role: Role) -> Vec<u8> {
        self.killed.iter().filter(|member| member.role == role).map(|member| member.number).collect()
    }

    fn picture(&self) -> Picture {
        let sum = |users: &[User]| {
            users.iter().fold((0, 0), |(sent, answered): (u64, u64), User { ledger, .. }| {
                (sent.saturating_add(ledger.sent), answered.saturating_add(ledger.answered))
            })
        };
        let client = |(node, gnb): (&Node, &Gnb)| Client {
            member: node.member,
            paths: gnb.paths(),
            amf: gnb.messages.owner,
            messages: (gnb.messages.sent, gnb.messages.answered),
            packets: sum(&gnb.users),
        };
        let (seen, ues) = (self.stage.endpoints(), self.ues.owners());
        Picture {
            engine: S::ENGINE,
            now: self.stage.now().since(Time::ZERO),
            cut: self.cut,
            daemon: self.daemon,
            gnbs: self.nodes.iter().zip(self.gnbs()).map(client).collect(),
            servers: self.nodes.iter().filter_map(|node| self.server(node, &seen, &ues)).collect(),
            associations: self.associations(),
            tunnels: self.tunnels(),
            ues: self.ues.tally(),
            control: self.control(),
            core: self.core.as_ref().map(Core::view),
        }
    }

    fn server(&self, node: &Node, seen: &[Seen], ues: &BTreeMap<u8, u64>) -> Option<Server> {
        let answered = match &node.actor {
            Actor::Gnb(_) | Actor::Smf(_) => return None,
            Actor::Amf(amf) => amf.answered,
            Actor::Upf(upf) => upf.answered,
        };
        let Member { role, number } = node.member;
        Some(Server {
            member: node.member,
            alive: node.alive,
            up: Seen::of(seen, node.member).and_then(|seen| seen.up),
            sessions: self.owners(role).get(&number).copied().unwrap_or_default(),
            ues: (role == Role::Amf).then(|| ues.get(&number).copied().unwrap_or_default()),
            answered,
        })
    }
}
