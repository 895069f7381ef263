//! Associations with UPFs: to each, the balancer is one SMF (TS 29.244 6.2.6).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use pinion_protocols::pfcp::{Cause, Element, ElementType, Error, Message, MessageType, Patch};

use crate::features;
use crate::front::{FrontEnd, Output, began, flag, needed, octets, stamp};
use crate::inbound::Origin;
use crate::keep::KeptUpf;
use crate::load::Load;
use crate::pools::{self, Pool};
use crate::purpose::Purpose;
use crate::sessions::{Phase, Session};
use crate::settings;
use crate::translate::Refusal;

/// How an association is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// There is none.
    Down,
    /// It was asked for.
    Asked,
    /// It is there.
    Up,
}

/// A UPF.
#[derive(Debug)]
pub(crate) struct Upf {
    pub(crate) config: settings::Upf,
    /// Whether it is still configured.
    pub(crate) configured: bool,
    pub(crate) state: State,
    /// When it began, where it said so.
    pub(crate) stamp: Option<u32>,
    pub(crate) features: Vec<u8>,
    /// Users' addresses that it has.
    pub(crate) pools: Vec<Pool>,
    /// What it was told that its SMF can do.
    told: Vec<u8>,
    pub(crate) load: Load,
    /// Whether it asked for its release: it gets no new sessions.
    pub(crate) leaving: bool,
    /// When it is asked for an association, or whether it is there.
    pub(crate) next: Duration,
    pub(crate) sessions: u32,
    /// What the host was told of it last.
    said: Option<(bool, &'static str)>,
}

impl Upf {
    fn new(config: settings::Upf, now: Duration) -> Self {
        Self {
            config,
            configured: true,
            state: State::Down,
            stamp: None,
            features: Vec::new(),
            pools: Vec::new(),
            told: Vec::new(),
            load: Load::default(),
            leaving: false,
            next: now,
            sessions: 0,
            said: None,
        }
    }

    /// What outlives the process.
    pub(crate) fn kept(&self) -> KeptUpf<'_> {
        let (name, address, features) = (&self.config.name, self.config.address, &self.features);
        let pools = self.pools.clone();
        KeptUpf { name, address, began: self.stamp.filter(|_| self.is_up()), features, pools }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// Whether nothing is left of one that is configured no more.
    pub(crate) fn is_gone(&self) -> bool {
        !self.configured && self.sessions == 0 && self.state == State::Down
    }

    /// Whether its association is there to no purpose any more.
    fn is_done(&self) -> bool {
        self.is_up() && self.sessions == 0 && (self.leaving || !self.configured)
    }

    /// Whether it may get new sessions.
    pub(crate) fn takes_sessions(&self) -> bool {
        let able = features::has(&self.features, features::up::FTUP);
        able && self.is_up() && self.configured && !self.config.drained && !self.leaving
    }
}

impl<Proof> FrontEnd<Proof> {
    /// Takes over what the settings say of UPFs and of tunnels.
    pub(crate) fn settle(&mut self) {
        self.plane.configure(&self.settings.user_plane);
        for upf in &mut self.upfs {
            upf.configured = false;
        }
        let mut news = self.settings.upfs.clone();
        news.retain(|config| {
            let is = |upf: &&mut Upf| upf.config.name == config.name && upf.config.address == config.address;
            let Some(upf) = self.upfs.iter_mut().find(is) else { return true };
            upf.config.clone_from(config);
            upf.configured = true;
            false
        });
        for config in news {
            let new = Upf::new(config, self.now);
            match (0..).zip(&mut self.upfs).find(|(_, upf)| upf.is_gone()) {
                Some((number, gone)) => {
                    *gone = new;
                    self.redirect.forget(number);
                    // What the one before is still asked is not the new one's to answer.
                    self.outbound.cancel(|purpose| {
                        matches!(purpose, Purpose::Setup(of) | Purpose::UpfHeartbeat(of) | Purpose::Late(of) if *of == number)
                    });
                }
                None => self.upfs.push(new),
            }
        }
        self.upf_at.clear();
        // One that is configured takes the address of one that was.
        for configured in [false, true] {
            let upfs = (0..).zip(&self.upfs).filter(|(_, upf)| upf.configured == configured && !upf.is_gone());
            for (number, upf) in upfs {
                self.upf_at.insert(upf.config.address, number);
            }
        }
    }

    /// Takes over what was known of a UPF; its number now. One that is configured no more is known on.
    pub(crate) fn upf_was(&mut self, kept: &KeptUpf<'_>) -> u16 {
        let KeptUpf { name, address, began, features, ref pools } = *kept;
        let is = |upf: &Upf| *upf.config.name == *name && upf.config.address == address;
        let at = self.upfs.iter().position(is).unwrap_or_else(|| {
            let config = settings::Upf {
                name: name.into(),
                address,
                weight: 0,
                priority: 0,
                drained: true,
                serves: settings::Serves::default(),
            };
            self.upfs.push(Upf { configured: false, ..Upf::new(config, self.now) });
            self.upfs.len().saturating_sub(1)
        });
        let number = u16::try_from(at).unwrap_or(u16::MAX);
        self.upf_at.entry(address).or_insert(number);
        if let Some(upf) = self.upfs.get_mut(at)
            && began.is_some()
        {
            upf.state = State::Up;
            upf.stamp = began;
            upf.features = features.to_vec();
            upf.pools.clone_from(pools);
            self.say_upf(number, true, "its association goes on");
        }
        number
    }

    /// Asks UPFs for associations, and whether they are there.
    pub(crate) fn tend_upfs(&mut self) {
        if self.redirects() {
            return self.tend_redirected();
        }
        let done: Vec<u16> = (0..).zip(&self.upfs).filter(|(_, upf)| upf.is_done()).map(|it| it.0).collect();
        for number in done {
            self.release(number);
        }
        let (now, timers) = (self.now, self.settings.timers);
        let mut due = Vec::new();
        for (number, upf) in (0..).zip(&mut self.upfs) {
            if upf.next <= now && (upf.configured || upf.sessions > 0) {
                upf.next = now.saturating_add(timers.heartbeat);
                due.push(number);
            }
        }
        for number in due {
            let state = self.upfs.get(usize::from(number)).map(|upf| upf.state);
            match state {
                Some(State::Down) => self.ask_for_association(number),
                Some(State::Up) => {
                    let Some(address) = self.upf_address(number) else { continue };
                    self.ask_for_a_sign(address, Purpose::UpfHeartbeat(number));
                }
                Some(State::Asked) | None => {}
            }
        }
    }

    /// Ends the association with a UPF that has no sessions any more (TS 29.244 6.2.8).
    fn release(&mut self, number: u16) {
        let (own, heartbeat) = (self.node(), self.settings.timers.heartbeat);
        let Some(upf) = self.upfs.get_mut(usize::from(number)) else { return };
        upf.state = State::Down;
        upf.stamp = None;
        upf.next = self.now.saturating_add(heartbeat);
        let address = upf.config.address;
        self.say_upf(number, false, "released");
        self.keep_upf(number);
        let _ = self.ask(address, MessageType::AssociationReleaseRequest, None, Purpose::Notice, |writer| {
            writer.add(&own);
            Ok(())
        });
        self.tell_smfs();
    }

    fn ask_for_association(&mut self, number: u16) {
        let Some(address) = self.upf_address(number) else { return };
        let (own, began, features) = (self.node(), self.stamp, self.cp_features());
        let Some(upf) = self.upfs.get_mut(usize::from(number)) else { return };
        upf.state = State::Asked;
        upf.told.clone_from(&features);
        let purpose = Purpose::Setup(number);
        let _ = self.ask(address, MessageType::AssociationSetupRequest, None, purpose, |writer| {
            writer.add(&own).add(&Element::RecoveryTimeStamp(began));
            writer.element(ElementType::CpFunctionFeatures, |out| out.extend_from_slice(&features));
            Ok(())
        });
    }

    /// A UPF answered to the wish for an association.
    pub(crate) fn set_up(&mut self, number: u16, message: &Message<'_>) {
        let cause = message.routing().ok().and_then(|routing| routing.cause);
        let accepted = cause.is_some_and(Cause::is_acceptance);
        let features = octets(message, ElementType::UpFunctionFeatures).ok().flatten().unwrap_or_default();
        self.hear_pools(number, message);
        match stamp(message).filter(|_| accepted) {
            Some(began) => self.upf_is_up(number, began, features),
            None => {
                tracing::warn!(upf = name(&self.upfs, number), cause = ?cause, "a UPF refuses an association");
                self.not_set_up(number, "it refuses an association");
            }
        }
    }

    /// A UPF asks for an association itself (TS 29.244 6.2.6.3).
    pub(crate) fn upf_setup(&mut self, origin: Origin, message: &Message<'_>, number: u16) -> Result<(), Refusal> {
        let began = began(message)?;
        needed(message, ElementType::NodeId)?;
        let theirs = octets(message, ElementType::UpFunctionFeatures)?.unwrap_or_default().to_vec();
        self.hear_pools(number, message);
        let features = self.cp_features();
        self.accept_setup(origin, |writer| {
            writer.element(ElementType::CpFunctionFeatures, |out| out.extend_from_slice(&features));
        });
        if let Some(upf) = self.upfs.get_mut(usize::from(number)) {
            upf.told = features;
            // Who sets up anew has no sessions any more.
            let had = upf.state == State::Up && upf.sessions > 0 && upf.stamp == Some(began);
            if had {
                self.lose_upf(number, "it set its association up anew");
            }
        }
        self.upf_is_up(number, began, &theirs);
        Ok(())
    }

    fn upf_is_up(&mut self, number: u16, began: u32, features: &[u8]) {
        if !features::has(features, features::up::FTUP) {
            tracing::warn!(
                upf = name(&self.upfs, number),
                "a UPF that does not choose TEIDs (FTUP) takes no sessions"
            );
        }
        let known = self.upfs.get(usize::from(number)).filter(|upf| upf.is_up());
        if known.is_some_and(|upf| upf.stamp != Some(began) || !features::has(features, features::up::FTUP)) {
            self.lose_upf(number, "it began anew");
        }
        let next = self.now.saturating_add(self.settings.timers.heartbeat);
        let Some(upf) = self.upfs.get_mut(usize::from(number)) else { return };
        let was = upf.state;
        upf.state = if features::has(features, features::up::FTUP) { State::Up } else { State::Down };
        upf.stamp = Some(began);
        upf.features = features.to_vec();
        upf.leaving = false;
        upf.load = Load::default();
        upf.next = next;
        if !upf.is_up() {
            return self.say_upf(number, false, "it does not choose TEIDs (FTUP)");
        }
        let name = Arc::clone(&upf.config.name);
        self.keep_upf(number);
        if was != State::Up {
            tracing::info!(upf = &*name, "association with a UPF");
            self.say_upf(number, true, "association set up");
        }
        self.send_all_pfds(number);
        self.tell_smfs();
        self.house_homeless();
    }

    pub(crate) fn upf_update(
        &mut self,
        origin: Origin,
        message: &Message<'_>,
        number: u16,
    ) -> Result<(), Refusal> {
        let features = octets(message, ElementType::UpFunctionFeatures)?.map(<[u8]>::to_vec);
        let graceful = asks_for_release(message)?;
        let Some(upf) = self.upfs.get_mut(usize::from(number)).filter(|upf| upf.is_up()) else {
            return Err(Refusal::plain(Cause::NO_ASSOCIATION));
        };
        if let Some(features) = features {
            upf.features = features;
        }
        if graceful {
            upf.leaving = true;
            tracing::info!(
                upf = &*upf.config.name,
                sessions = upf.sessions,
                "a UPF asks for its release: it drains"
            );
        }
        self.hear_pools(number, message);
        self.keep_upf(number);
        let features = self.cp_features();
        self.answer(origin, MessageType::AssociationUpdateResponse, None, |own, writer| {
            writer.add(&own).add(&Element::Cause(Cause::ACCEPTED));
            writer.element(ElementType::CpFunctionFeatures, |out| out.extend_from_slice(&features));
        });
        self.tell_smfs();
        Ok(())
    }

    /// Takes down which users' addresses a UPF has, where it says so.
    pub(crate) fn hear_pools(&mut self, number: u16, message: &Message<'_>) {
        if let (Some(upf), Ok(Some(pools))) = (self.upfs.get_mut(usize::from(number)), pools::of(message)) {
            upf.pools = pools;
        }
    }

    pub(crate) fn upf_release(&mut self, origin: Origin, number: u16) -> Result<(), Refusal> {
        self.accept(origin, MessageType::AssociationReleaseResponse);
        self.lose_upf(number, "it released its association");
        let again = self.now.saturating_add(self.settings.timers.heartbeat);
        if let Some(upf) = self.upfs.get_mut(usize::from(number)) {
            upf.next = again;
        }
        Ok(())
    }

    /// What a UPF reports of its node is for every SMF that has sessions there.
    pub(crate) fn node_report(
        &mut self,
        origin: Origin,
        message: &Message<'_>,
        number: u16,
    ) -> Result<(), Refusal> {
        let own = self.node();
        let node = message.elements().find(ElementType::NodeId)?;
        let patches: Vec<Patch<'_>> =
            node.into_iter().map(|it| Patch { offset: it.offset(), with: Some(own.clone()) }).collect();
        let mut concerned = vec![false; self.smfs.len()];
        for (_, session) in self.sessions.iter().filter(|(_, session)| session.upf == number) {
            if let Some(concerned) = concerned.get_mut(usize::from(session.smf)) {
                *concerned = true;
            }
        }
        let whom: Vec<_> =
            self.smfs.iter().zip(concerned).filter(|(_, is)| *is).map(|(smf, _)| smf.address).collect();
        for smf in whom {
            self.ask(smf, MessageType::NodeReportRequest, None, Purpose::Notice, |writer| {
                writer.splice(message.elements(), &patches)
            })?;
        }
        self.accept(origin, MessageType::NodeReportResponse);
        Ok(())
    }

    /// A UPF whose restart was heard of has lost its sessions (TS 23.527 4.3).
    pub(crate) fn upf_began(&mut self, number: u16, began: u32) {
        if self.redirects() {
            return self.upf_answers(number, began);
        }
        let Some(upf) = self.upfs.get_mut(usize::from(number)) else { return };
        if upf.is_up() && upf.stamp.is_some_and(|before| before != began) {
            self.lose_upf(number, "it began anew");
        }
    }

    /// Asks a UPF whether it began anew, unless it was just asked.
    pub(crate) fn suspect_upf(&mut self, number: u16, began: u32) {
        let (now, timers) = (self.now, self.settings.timers);
        let Some(upf) = self.upfs.get_mut(usize::from(number)) else { return };
        let another = upf.is_up() && upf.stamp.is_some_and(|before| before != began);
        if another && !timers.just_asked(upf.next, now) {
            upf.next = now;
            self.tend_upfs();
        }
    }

    /// A UPF is no more, or knows nothing any more: its sessions are made again elsewhere, or end.
    pub(crate) fn lose_upf(&mut self, number: u16, why: &'static str) {
        let now = self.now;
        let Some(upf) = self.upfs.get_mut(usize::from(number)) else { return };
        if upf.state == State::Up {
            self.counts.upf_losses += 1;
        }
        upf.state = State::Down;
        upf.stamp = None;
        upf.next = now;
        let (name, sessions) = (Arc::clone(&upf.config.name), upf.sessions);
        self.keep_upf(number);
        tracing::warn!(upf = &*name, sessions, why, "a UPF is lost");
        self.say_upf(number, false, why);
        // Nothing will answer any more: whoever waits may ask anew.
        let sessions = &self.sessions;
        let of_it = |id| sessions.get(id).is_some_and(|session| session.upf == number);
        let asked = self.outbound.cancel(|purpose| match purpose {
            Purpose::UpfHeartbeat(of) | Purpose::Late(of) => *of == number,
            purpose => purpose.of_upf().is_some_and(of_it),
        });
        for purpose in asked {
            match purpose {
                Purpose::UpfHeartbeat(_) => {}
                purpose => self.lost(purpose),
            }
        }
        // What is not open is being made elsewhere, or ends.
        let theirs = |session: &Session| session.upf == number && session.phase == Phase::Open;
        let open: Vec<_> = self.sessions.iter().filter(|(_, it)| theirs(it)).map(|(id, _)| id).collect();
        for id in open {
            self.await_restore(id);
        }
        self.tell_smfs();
    }

    /// What UPFs are told that their SMF can do.
    fn cp_features(&self) -> Vec<u8> {
        features::of_smfs(self.smfs.iter().filter(|smf| smf.associated).map(|smf| smf.features.as_slice()))
    }

    /// Tells UPFs what changed since they were told.
    pub(crate) fn tell_upfs(&mut self) {
        let told = self.cp_features();
        let mut whom = Vec::new();
        for upf in self.upfs.iter_mut().filter(|upf| upf.is_up() && upf.told != told) {
            upf.told.clone_from(&told);
            whom.push(upf.config.address);
        }
        self.tell_features(whom, ElementType::CpFunctionFeatures, &told, &[]);
    }

    /// Tells the host how a UPF is, where it does not know; not of one whose name may be another's by now.
    pub(crate) fn say_upf(&mut self, number: u16, up: bool, why: &'static str) {
        let Some(upf) = self.upfs.get_mut(usize::from(number)).filter(|upf| upf.configured) else { return };
        if upf.said.replace((up, why)) != Some((up, why)) {
            let name = Arc::clone(&upf.config.name);
            self.push(Output::Upf { name, up, why });
        }
    }

    /// Nobody answered to the wish for an association, or its answer was no.
    pub(crate) fn not_set_up(&mut self, number: u16, why: &'static str) {
        if let Some(upf) = self.upfs.get_mut(usize::from(number))
            && upf.state == State::Asked
        {
            upf.state = State::Down;
            self.say_upf(number, false, why);
        }
    }

    /// Where a UPF speaks PFCP.
    pub(crate) fn upf_address(&self, number: u16) -> Option<IpAddr> {
        self.upfs.get(usize::from(number)).map(|upf| upf.config.address)
    }

    /// Whether a UPF has an association.
    pub(crate) fn upf_is_there(&self, number: u16) -> bool {
        self.upfs.get(usize::from(number)).is_some_and(Upf::is_up)
    }
}

/// Whether a UPF wants its association to end (TS 29.244 6.2.7.2).
pub(crate) fn asks_for_release(message: &Message<'_>) -> Result<bool, Error> {
    let asks = flag(message, ElementType::PfcpaureqFlags, 1)?;
    Ok(octets(message, ElementType::GracefulReleasePeriod)?.is_some()
        || octets(message, ElementType::AssociationReleaseReq)?.is_some()
        || asks)
}

/// The name of a UPF, `POOL/NAME`; empty where there is none of the number.
pub(crate) fn name(upfs: &[Upf], number: u16) -> &str {
    upfs.get(usize::from(number)).map_or("", |upf| &upf.config.name)
}
