//! The UPFs that are one function: which of them are there, and what they ask (TS 29.244 6.2).

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use pinion_protocols::pfcp::{Cause, ElementType, Message, MessageType};

use super::Standing;
use super::rounds::{Side, is_acceptance};
use crate::features;
use crate::front::{FrontEnd, began, needed, octets, stamp};
use crate::inbound::Origin;
use crate::pools::{self, Pool};
use crate::purpose::Purpose;
use crate::translate::Refusal;
use crate::upf::{self, State, Upf};

impl Upf {
    /// Whether new sessions may go to it, where it has an association.
    pub(super) fn may_be_placed_on(&self) -> bool {
        self.is_up() && self.configured && !self.config.drained && !self.leaving
    }
}

impl<Proof> FrontEnd<Proof> {
    /// Asks UPFs whether they are there: associations are their SMFs' to ask for.
    pub(crate) fn tend_redirected(&mut self) {
        let (now, next) = (self.now, self.now.saturating_add(self.settings.timers.heartbeat));
        let (mut due, mut leaves) = (Vec::new(), false);
        for (number, upf) in (0..).zip(&mut self.upfs) {
            if !upf.configured {
                leaves |= std::mem::replace(&mut upf.state, State::Down) == State::Up;
                self.redirect.forget(number);
            } else if upf.next <= now {
                upf.next = next;
                due.push((number, upf.config.address));
            }
        }
        if leaves {
            self.tell_of_function();
        }
        for (number, address) in due {
            self.ask_for_a_sign(address, Purpose::UpfHeartbeat(number));
        }
    }

    /// A UPF answers.
    pub(crate) fn upf_answers(&mut self, number: u16, began: u32) {
        let Some(upf) = self.upfs.get_mut(usize::from(number)).filter(|upf| upf.configured) else { return };
        let was = std::mem::replace(&mut upf.state, State::Up);
        if self.upf_says(number, began) || was != State::Up {
            self.say_upf(number, true, "it answers");
            self.keep_upf(number);
        }
        self.join_all(number);
    }

    /// A UPF that accepts an association says when it began (TS 29.244 7.4.4.2): what it had before is not to end what it gets
    /// from then on.
    pub(super) fn upf_accepts(&mut self, number: u16, message: &Message<'_>) {
        if is_acceptance(message)
            && let Some(began) = stamp(message)
            && self.upf_says(number, began)
        {
            self.keep_upf(number);
            self.join_all(number);
        }
    }

    /// A UPF says when it began; whether that is news. Where it began anew, what it had is gone.
    fn upf_says(&mut self, number: u16, began: u32) -> bool {
        let Some(upf) = self.upfs.get_mut(usize::from(number)).filter(|upf| upf.configured) else { return false };
        let before = upf.stamp.replace(began);
        if before.is_some_and(|before| before != began) {
            self.counts.upf_losses += 1;
            self.upf_forgot(number);
        }
        before != Some(began)
    }

    /// A UPF does not answer: it gets no new sessions. Those that it has SMFs ask it for themselves.
    pub(crate) fn upf_is_silent(&mut self, number: u16) {
        let Some(upf) = self.upfs.get_mut(usize::from(number)) else { return };
        if std::mem::replace(&mut upf.state, State::Down) == State::Up {
            self.counts.upf_losses += 1;
            tracing::warn!(upf = upf::name(&self.upfs, number), "a UPF does not answer");
        }
        self.say_upf(number, false, "it does not answer");
    }

    /// A UPF has no associations and no sessions any more.
    fn upf_forgot(&mut self, number: u16) {
        tracing::warn!(upf = upf::name(&self.upfs, number), "a UPF began anew");
        self.redirect.begins_anew(number);
        if let Some(upf) = self.upfs.get_mut(usize::from(number)) {
            upf.leaving = false;
        }
        let lost = self.sessions.iter().filter(|(_, session)| session.upf == number);
        for id in lost.map(|(id, _)| id).collect::<Vec<_>>() {
            self.counts.lost += 1;
            self.remove(id);
        }
    }

    /// Asks a UPF for the associations that it lacks.
    fn join_all(&mut self, upf: u16) {
        for smf in 0..u16::try_from(self.smfs.len()).unwrap_or(u16::MAX) {
            if matches!(self.redirect.standing.get(&(smf, upf)), None | Some(Standing::Refused)) {
                self.join(smf, upf);
            }
        }
    }

    /// Whether a UPF's Node ID is the one that all have; the first that says one says it for all.
    pub(super) fn shares_node(&mut self, number: u16, node: &[u8]) -> bool {
        if self.redirect.node.is_none() {
            self.redirect.node = Some(node.into());
            self.keep_front_end();
        }
        let shares = self.redirect.node.as_deref() == Some(node);
        if !shares {
            tracing::warn!(
                upf = upf::name(&self.upfs, number),
                "a UPF with another Node ID than the others gets no sessions"
            );
            self.say_upf(number, false, "its Node ID is another than that of the others");
        }
        shares
    }

    /// Takes down what a UPF says of itself, and tells it what it missed.
    pub(super) fn learn_function(&mut self, number: u16, message: &Message<'_>) {
        let Some(upf) = self.upfs.get_mut(usize::from(number)) else { return };
        if let Some(features) = octets(message, ElementType::UpFunctionFeatures).ok().flatten() {
            upf.features = features.to_vec();
        }
        self.hear_pools(number, message);
        self.keep_upf(number);
        self.say_upf(number, true, "association set up");
        if self.redirect.informed.insert(number) {
            self.send_all_pfds(number);
        }
    }

    /// UPFs that an SMF has associations with.
    fn function(&self, smf: u16) -> impl Iterator<Item = &Upf> {
        let up = move |number| self.redirect.standing.get(&(smf, number)) == Some(&Standing::Up);
        (0..).zip(&self.upfs).filter(move |(number, upf)| up(*number) && upf.configured).map(|(_, upf)| upf)
    }

    /// What all of them can.
    pub(super) fn function_features(&self, smf: u16) -> Vec<u8> {
        features::all(self.function(smf).map(|upf| upf.features.as_slice()))
    }

    /// Users' addresses that any of them has.
    pub(super) fn function_pools(&self, smf: u16) -> Vec<Pool> {
        pools::of_all(self.function(smf).map(|upf| upf.pools.as_slice()))
    }

    /// A UPF asks for an association: the function has one with each SMF already, of which the first is answered for.
    pub(super) fn upf_joins(&mut self, origin: Origin, message: &Message<'_>, number: u16) -> Result<(), Refusal> {
        let began = began(message)?;
        let node = needed(message, ElementType::NodeId)?;
        let smf = self.smf_where(|smf| smf.associated).ok_or(Refusal::plain(Cause::REJECTED))?;
        if !self.shares_node(number, node) {
            return Err(Refusal::about(Cause::MANDATORY_INCORRECT, ElementType::NodeId));
        }
        // Who sets up anew has no sessions any more.
        self.upf_forgot(number);
        self.redirect.standing.insert((smf, number), Standing::Up);
        if let Some(upf) = self.upfs.get_mut(usize::from(number)) {
            upf.stamp = Some(began);
            upf.state = State::Up;
        }
        let features = self.smfs.get(usize::from(smf)).map(|smf| smf.features.clone()).unwrap_or_default();
        self.accept_setup(origin, |writer| {
            writer.element(ElementType::CpFunctionFeatures, |out| out.extend_from_slice(&features));
        });
        self.learn_function(number, message);
        self.join_all(number);
        self.tell_of_function();
        Ok(())
    }

    /// A UPF changes. What it can do is told of with what the others can; that it is to be released is the function's
    /// wish where there is no other.
    pub(super) fn upf_changes(
        &mut self,
        origin: Origin,
        message: &Message<'_>,
        number: u16,
    ) -> Result<(), Refusal> {
        let leaves = upf::asks_for_release(message)?;
        self.learn_function(number, message);
        if let Some(upf) = self.upfs.get_mut(usize::from(number)) {
            upf.leaving |= leaves;
        }
        self.tell_of_function();
        if leaves && !self.upfs.iter().any(Upf::may_be_placed_on) {
            return self.pass_to_smfs(origin, message, number);
        }
        self.accept(origin, MessageType::AssociationUpdateResponse);
        Ok(())
    }

    /// A UPF ends its associations. The function does where there is no other UPF.
    pub(super) fn upf_leaves(
        &mut self,
        origin: Origin,
        message: &Message<'_>,
        number: u16,
    ) -> Result<(), Refusal> {
        self.upf_forgot(number);
        let again = self.now.saturating_add(self.settings.timers.heartbeat);
        if let Some(upf) = self.upfs.get_mut(usize::from(number)) {
            upf.state = State::Down;
            upf.next = again;
        }
        self.say_upf(number, false, "it released its association");
        if self.redirect.standing.values().any(|standing| *standing == Standing::Up) {
            self.accept(origin, MessageType::AssociationReleaseResponse);
            self.tell_of_function();
            return Ok(());
        }
        let asked = self.pass_to_smfs(origin, message, number);
        for smf in 0..u16::try_from(self.smfs.len()).unwrap_or(u16::MAX) {
            if let Some(smf) = self.smfs.get_mut(usize::from(smf)) {
                smf.associated = false;
            }
            self.keep_smf(smf);
        }
        asked
    }

    /// A UPF asks something of every SMF: of each once, although it asks for each of its associations.
    pub(super) fn pass_to_smfs(
        &mut self,
        origin: Origin,
        message: &Message<'_>,
        number: u16,
    ) -> Result<(), Refusal> {
        /// More are not known.
        const MOST: usize = 64;
        let now = self.now;
        let passed = &mut self.redirect.passed;
        while passed.len() >= MOST || passed.front().is_some_and(|(until, ..)| *until <= now) {
            passed.pop_front();
        }
        let kind = message.message_type();
        let what = FixedState::with_seed(0).hash_one((u8::from(kind), message.body()));
        if passed.iter().any(|(_, upf, of)| (*upf, *of) == (number, what)) {
            self.accept(origin, kind.response().unwrap_or(kind));
            return Ok(());
        }
        passed.push_back((now.saturating_add(self.settings.timers.t1), number, what));
        let whom: Vec<u16> =
            (0..).zip(&self.smfs).filter(|(_, smf)| smf.associated && !smf.away).map(|it| it.0).collect();
        if whom.is_empty() {
            return Err(Refusal::plain(Cause::NO_ASSOCIATION));
        }
        self.ask_all(origin, message, Side::Upf(number), &whom)
    }
}
