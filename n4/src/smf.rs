//! Associations with SMFs: to each, the balancer is one UPF (TS 29.244 6.2.6).

use std::net::IpAddr;
use std::time::Duration;

use pinion_protocols::pfcp::{Addresses, Cause, Element, ElementType, Elements, Error, Message, MessageType};
use serde::{Deserialize, Serialize};

use crate::chores::Chore;
use crate::features;
use crate::front::{FrontEnd, began, needed, octets};
use crate::inbound::Origin;
use crate::pools::{self, Pool};
use crate::purpose::Purpose;
use crate::sessions::Session;
use crate::translate::Refusal;

/// An SMF. What of it outlives the process is serialized.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Smf {
    /// Its Node ID, as it is on the wire.
    pub(crate) node: Box<[u8]>,
    /// Where it speaks from.
    pub(crate) address: IpAddr,
    pub(crate) associated: bool,
    /// When it began, where it said so.
    pub(crate) stamp: Option<u32>,
    pub(crate) features: Vec<u8>,
    /// What it was told that its UPF can do.
    pub(crate) told: Vec<u8>,
    /// And which addresses of users it has.
    pub(crate) told_pools: Vec<Pool>,
    /// When it is asked whether it is there.
    #[serde(skip)]
    pub(crate) heartbeat: Duration,
    #[serde(skip)]
    pub(crate) sessions: u32,
    /// How often all of its sessions had to end: those from before are not its any more.
    pub(crate) life: u32,
    /// Others that stand in for it, in the order in which it named them (TS 29.244 8.2.141).
    pub(crate) others: Vec<IpAddr>,
    /// Whether it did not answer when it was last asked whether it is there.
    #[serde(skip)]
    pub(crate) away: bool,
    /// Whether sessions of it ended since the association was set up, and it was not told.
    pub(crate) misses: bool,
    /// What it asked to be associated with, for UPFs that come later; where UPFs are asked with that.
    pub(crate) setup: Box<[u8]>,
}

impl Smf {
    /// One without an association.
    pub(crate) fn new(node: &[u8], address: IpAddr) -> Self {
        Self {
            node: node.into(),
            address,
            associated: false,
            stamp: None,
            features: Vec::new(),
            told: Vec::new(),
            told_pools: Vec::new(),
            heartbeat: Duration::ZERO,
            sessions: 0,
            life: 0,
            others: Vec::new(),
            away: false,
            misses: false,
            setup: Box::default(),
        }
    }

    /// Whether it has an association, and speaks from an address.
    pub(crate) fn speaks_from(&self, address: IpAddr) -> bool {
        self.associated && self.address == address
    }

    /// Whether it speaks from an address, or may: that of its Node ID, or another one of its set in its stead.
    pub(crate) fn may_speak_from(&self, address: IpAddr) -> bool {
        self.associated && (self.address == address || self.others.contains(&address) || self.is_named_by(address))
    }

    /// Whether an address is its Node ID (TS 29.244 8.2.38).
    fn is_named_by(&self, address: IpAddr) -> bool {
        match (address, self.node.split_first()) {
            (IpAddr::V4(v4), Some((0, name))) => *name == v4.octets(),
            (IpAddr::V6(v6), Some((1, name))) => *name == v6.octets(),
            _ => false,
        }
    }

    /// Who is to be asked in its stead, while it does not answer.
    pub(crate) fn stand_in(&self) -> Option<IpAddr> {
        self.others.first().copied().filter(|_| self.away)
    }

    /// Whether it was told that its UPF has a feature.
    pub(crate) fn was_told(&self, feature: usize) -> bool {
        features::has(&self.told, feature)
    }

    pub(crate) fn next(&self) -> Option<Duration> {
        self.associated.then_some(self.heartbeat)
    }
}

impl<Proof> FrontEnd<Proof> {
    /// The SMF of a Node ID.
    pub(crate) fn smf(&self, node: &[u8]) -> Option<u16> {
        self.smf_where(|smf| *smf.node == *node)
    }

    /// The first SMF of which something holds.
    pub(crate) fn smf_where(&self, is: impl Fn(&Smf) -> bool) -> Option<u16> {
        u16::try_from(self.smfs.iter().position(is)?).ok()
    }

    pub(crate) fn smf_setup(&mut self, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        let node = needed(message, ElementType::NodeId)?;
        let began = began(message)?;
        let retains = retained(message)?;
        let features = octets(message, ElementType::CpFunctionFeatures)?.unwrap_or_default().to_vec();
        let others = alternatives(message.elements())?;
        let (told, pools) = (self.up_features(), self.up_pools());
        if !features::has(&told, features::up::FTUP) {
            // No UPF is there yet, or none that chooses TEIDs: with neither can sessions be made.
            return Err(Refusal::plain(Cause::NO_RESOURCES));
        }
        let before = self.smf(node);
        let known = before.is_some();
        let number = match before {
            Some(known) => {
                // TS 29.244 6.2.6.2.2: who sets up anew has no sessions any more, unless it says so.
                self.forsake(known, "association set up anew", |session| {
                    retains.as_ref().is_some_and(|it| it.keeps(session.smf_address))
                });
                known
            }
            None => {
                let new = Smf::new(node, origin.from.ip());
                self.take_in(new).ok_or(Refusal::plain(Cause::NO_RESOURCES))?
            }
        };
        let heartbeat = self.now.saturating_add(self.settings.timers.heartbeat);
        let Some(smf) = self.smfs.get_mut(usize::from(number)) else { return Ok(()) };
        smf.others = others;
        smf.away = false;
        let kept = retains.is_some() && known && !smf.misses;
        smf.misses = false;
        smf.address = origin.from.ip();
        smf.associated = true;
        smf.stamp = Some(began);
        smf.features = features;
        smf.told.clone_from(&told);
        smf.told_pools.clone_from(&pools);
        smf.heartbeat = heartbeat;
        let (address, sessions) = (smf.address, smf.sessions);
        self.keep_smf(number);
        tracing::info!(smf = %address, sessions, "association with an SMF");
        self.accept_setup(origin, |writer| {
            writer.element(ElementType::UpFunctionFeatures, |out| out.extend_from_slice(&told));
            pools::write(&pools, writer);
            if kept {
                // PSREI: the sessions are retained (TS 29.244 8.2.146).
                writer.element(ElementType::PfcpasrspFlags, |out| out.extend_from_slice(&[1]));
            }
        });
        self.tell_upfs();
        Ok(())
    }

    /// Takes an SMF in; its number. Where there is no room, in the place of one that has left, or is silent and has nothing.
    pub(crate) fn take_in(&mut self, new: Smf) -> Option<u16> {
        if self.smfs.len() < usize::from(self.settings.bounds.smfs) {
            self.smfs.push(new);
            return u16::try_from(self.smfs.len().saturating_sub(1)).ok();
        }
        let mut places = (0..).zip(&mut self.smfs);
        let (number, left) = places.find(|(_, smf)| (!smf.associated || smf.away) && smf.sessions == 0)?;
        *left = new;
        Some(number)
    }

    pub(crate) fn smf_update(&mut self, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        let number = self.associated_smf(message)?;
        self.needs_origin(number, origin)?;
        let others = alternatives(message.elements())?;
        if let Some(smf) = self.smfs.get_mut(usize::from(number)).filter(|_| !others.is_empty()) {
            smf.others = others;
        }
        if let Some(features) = octets(message, ElementType::CpFunctionFeatures)?
            && let Some(smf) = self.smfs.get_mut(usize::from(number))
        {
            smf.features = features.to_vec();
        }
        self.keep_smf(number);
        let told = self.up_features();
        self.answer(origin, MessageType::AssociationUpdateResponse, None, |own, writer| {
            writer.add(&own);
            writer.add(&Element::Cause(Cause::ACCEPTED));
            writer.element(ElementType::UpFunctionFeatures, |out| out.extend_from_slice(&told));
        });
        self.tell_upfs();
        Ok(())
    }

    pub(crate) fn smf_release(&mut self, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        let number = self.associated_smf(message)?;
        self.needs_origin(number, origin)?;
        self.forsake(number, "association released", |_| false);
        if let Some(smf) = self.smfs.get_mut(usize::from(number)) {
            smf.associated = false;
        }
        self.keep_smf(number);
        self.accept(origin, MessageType::AssociationReleaseResponse);
        self.tell_upfs();
        Ok(())
    }

    /// An association is used, changed and ended from where it is.
    pub(crate) fn needs_origin(&self, number: u16, origin: Origin) -> Result<(), Refusal> {
        let smf = self.smfs.get(usize::from(number));
        let from = origin.from.ip();
        smf.filter(|smf| smf.may_speak_from(from)).map(|_| ()).ok_or(Refusal::plain(Cause::NO_ASSOCIATION))
    }

    /// The SMF that a message is of, which has to have an association.
    pub(crate) fn associated_smf(&self, message: &Message<'_>) -> Result<u16, Refusal> {
        let node = needed(message, ElementType::NodeId)?;
        let number =
            self.smf(node).filter(|number| self.smfs.get(usize::from(*number)).is_some_and(|smf| smf.associated));
        number.ok_or(Refusal::plain(Cause::NO_ASSOCIATION))
    }

    /// An SMF whose restart was heard of has lost its sessions (TS 23.527 4.2).
    pub(crate) fn smf_began(&mut self, from: IpAddr, began: u32) {
        self.smf_answers(from, true);
        let mut there = (0..).zip(&mut self.smfs).filter(|(_, smf)| smf.speaks_from(from));
        // Where several are at one address, which of them it is is not said.
        let (Some((number, smf)), None) = (there.next(), there.next()) else { return };
        if smf.stamp.replace(began).is_some_and(|before| before != began) {
            smf.associated = false;
            self.keep_smf(number);
            if self.redirects() {
                // With its next association it says itself what becomes of its sessions.
                return;
            }
            self.forsake(number, "the SMF began anew", |_| false);
        }
    }

    /// Asks an SMF whether it began anew, unless it was just asked.
    pub(crate) fn suspect_smf(&mut self, from: IpAddr, began: u32) {
        let (now, timers) = (self.now, self.settings.timers);
        let mut doubted = false;
        for smf in self.smfs.iter_mut().filter(|smf| smf.associated && smf.speaks_from(from)) {
            if smf.stamp.is_some_and(|before| before != began) && !timers.just_asked(smf.heartbeat, now) {
                smf.heartbeat = now;
                doubted = true;
            }
        }
        if doubted {
            self.tend_smfs();
        }
    }

    /// Takes down whether an SMF answers.
    pub(crate) fn smf_answers(&mut self, from: IpAddr, answers: bool) {
        for smf in self.smfs.iter_mut().filter(|smf| smf.speaks_from(from)) {
            smf.away = !answers;
        }
    }

    /// How often all sessions of an SMF ended.
    pub(crate) fn smf_life(&self, number: u16) -> u32 {
        self.smfs.get(usize::from(number)).map_or(0, |smf| smf.life)
    }

    /// Ends the sessions of an SMF, on each UPF, but for those that it keeps.
    pub(crate) fn forsake(&mut self, number: u16, why: &'static str, keeps: impl Fn(&Session) -> bool) {
        let (mut ended, mut kept) = (Vec::new(), false);
        for (id, session) in self.sessions.iter_mut().filter(|(_, session)| session.smf == number) {
            if keeps(session) {
                kept = true;
            } else if !session.under_way.forsaken {
                session.under_way.forsaken = true;
                ended.push(id);
            }
        }
        let sessions = ended.len();
        // Where all end that is said of the SMF, once, and else of each.
        let chore = if kept { Chore::Mark } else { Chore::Abandon };
        self.chores.extend(ended.into_iter().map(chore));
        if let Some(smf) = self.smfs.get_mut(usize::from(number)).filter(|_| !kept && sessions > 0) {
            smf.life = smf.life.wrapping_add(1);
            self.keep_smf(number);
        }
        if sessions > 0 {
            tracing::info!(sessions, why, "the sessions of an SMF end");
        }
        if let Some(smf) = self.smfs.get_mut(usize::from(number)).filter(|smf| !smf.associated) {
            smf.misses |= sessions > 0;
            self.keep_smf(number);
        }
    }

    /// What SMFs are told that their UPF can do.
    pub(crate) fn up_features(&self) -> Vec<u8> {
        features::of_upfs(self.upfs.iter().filter(|upf| upf.is_up()).map(|upf| upf.features.as_slice()))
    }

    /// Which users' addresses they are told that it has: those that any UPF has.
    fn up_pools(&self) -> Vec<Pool> {
        pools::of_all(self.upfs.iter().filter(|upf| upf.is_up()).map(|upf| upf.pools.as_slice()))
    }

    /// Tells SMFs what changed since they were told.
    pub(crate) fn tell_smfs(&mut self) {
        let (told, pools) = (self.up_features(), self.up_pools());
        if !features::has(&told, features::up::FTUP) {
            return;
        }
        let mut whom = Vec::new();
        for smf in self.smfs.iter_mut().filter(|smf| smf.associated) {
            if smf.told == told && smf.told_pools == pools {
                continue;
            }
            smf.told.clone_from(&told);
            smf.told_pools.clone_from(&pools);
            whom.push(smf.address);
        }
        self.tell_features(whom, ElementType::UpFunctionFeatures, &told, &pools);
    }

    /// Asks SMFs whether they are there.
    pub(crate) fn tend_smfs(&mut self) {
        let now = self.now;
        let next = now.saturating_add(self.settings.timers.heartbeat);
        let mut due = Vec::new();
        for smf in self.smfs.iter_mut().filter(|smf| smf.associated && smf.heartbeat <= now) {
            smf.heartbeat = next;
            due.push(smf.address);
        }
        for address in due {
            self.ask_for_a_sign(address, Purpose::SmfHeartbeat(address));
        }
    }
}

/// SMFs that a message names to be asked in its sender's stead.
pub(crate) fn alternatives(elements: Elements<'_>) -> Result<Vec<IpAddr>, Error> {
    /// More are not kept.
    const MOST: usize = 16;
    let mut others = Vec::new();
    for element in elements {
        let element = element?;
        if element.kind() != ElementType::AlternativeSmfIpAddress {
            continue;
        }
        if let Element::AlternativeSmfAddress(addresses) = element.parse()? {
            others.extend(addresses);
        }
    }
    others.truncate(MOST);
    Ok(others)
}

/// Which sessions an SMF keeps that sets its association up anew (TS 29.244 7.4.4.1).
pub(crate) struct Retained(Vec<Addresses>);

impl Retained {
    /// Whether those at an address; all where none is said.
    pub(crate) fn keeps(&self, address: IpAddr) -> bool {
        self.0.is_empty() || self.0.iter().any(|entity| entity.contains(address))
    }
}

/// What an SMF keeps; none where it keeps nothing.
pub(crate) fn retained(message: &Message<'_>) -> Result<Option<Retained>, Error> {
    let Some(element) = message.elements().find(ElementType::SessionRetentionInformation)? else {
        return Ok(None);
    };
    let mut entities = Vec::new();
    for child in element.group()?.into_iter().flatten() {
        if let Element::CpEntityAddress(addresses) = child?.parse()? {
            entities.push(addresses);
        }
    }
    Ok(Some(Retained(entities)))
}
