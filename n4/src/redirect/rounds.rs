//! Questions that several peers are asked, of whose answers one is made.

use std::time::Duration;

use bytes::Bytes;
use pinion_protocols::pfcp::{Cause, Message, MessageType};

use super::passing::whole;
use super::{Standing, Task};
use crate::front::FrontEnd;
use crate::inbound::Origin;
use crate::translate::Refusal;

/// One that asked, and what others said so far.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) origin: Origin,
    pub(super) kind: MessageType,
    /// The SMF that asks UPFs; or that a UPF asks, with others.
    side: Side,
    /// How many have not answered yet.
    waits: usize,
    /// Who answered, and what.
    pub(super) answers: Vec<(u16, Bytes)>,
    /// When those that accepted are enough.
    until: Duration,
}

/// Who asks whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The SMF of this number asks UPFs.
    Smf(u16),
    /// The UPF of this number asks SMFs.
    Upf(u16),
}

impl<Proof> FrontEnd<Proof> {
    /// Asks UPFs, or SMFs, by their numbers.
    pub(super) fn ask_all(
        &mut self,
        origin: Origin,
        message: &Message<'_>,
        side: Side,
        whom: &[u16],
    ) -> Result<(), Refusal> {
        let number = self.redirect.next_round;
        self.redirect.next_round = number.wrapping_add(1);
        let kind = message.message_type();
        let mut waits = 0;
        for one in whom {
            let (to, task) = match side {
                Side::Smf(smf) => (self.upf_address(*one), Task::Round { round: number, smf, upf: *one, kind }),
                Side::Upf(upf) => {
                    let smf = self.smfs.get(usize::from(*one));
                    (smf.map(|smf| smf.address), Task::Round { round: number, smf: *one, upf, kind })
                }
            };
            let Some(to) = to else { continue };
            self.pass(to, message, task)?;
            waits += 1;
        }
        // Before its sender asks for the last time.
        let until = self.now.saturating_add(self.settings.timers.t1);
        let round = Round { origin, kind, side, waits, answers: Vec::new(), until };
        self.redirect.rounds.insert(number, round);
        Ok(())
    }

    /// One of several answered.
    pub(super) fn round_answered(
        &mut self,
        message: &Message<'_>,
        number: u32,
        (smf, upf): (u16, u16),
        kind: MessageType,
    ) {
        let Some(round) = self.redirect.rounds.get_mut(&number) else {
            return self.late(message, (smf, upf), kind);
        };
        let one = match round.side {
            Side::Smf(_) => upf,
            Side::Upf(_) => smf,
        };
        round.waits = round.waits.saturating_sub(1);
        if let Ok(answer) = whole(message, message.sequence()) {
            round.answers.push((one, answer));
        }
        self.conclude_when_done(number);
    }

    pub(super) fn round_lost(&mut self, number: u32, (smf, upf): (u16, u16), kind: MessageType) {
        if kind == MessageType::AssociationSetupRequest {
            self.redirect.standing.remove(&(smf, upf));
        }
        if let Some(round) = self.redirect.rounds.get_mut(&number) {
            round.waits = round.waits.saturating_sub(1);
            self.conclude_when_done(number);
        }
    }

    /// An answer to what was answered already, with that of others.
    fn late(&mut self, message: &Message<'_>, (smf, upf): (u16, u16), kind: MessageType) {
        match kind {
            MessageType::AssociationSetupRequest => drop(self.joined(message, smf, upf)),
            MessageType::AssociationUpdateRequest => self.took_change(smf, upf, is_acceptance(message)),
            _ => {}
        }
    }

    fn conclude_when_done(&mut self, number: u32) {
        if self.redirect.rounds.get(&number).is_some_and(|round| round.waits == 0)
            && let Some(round) = self.redirect.rounds.remove(&number)
        {
            self.conclude(&round);
        }
    }

    /// Answers where some are long in answering, and others accepted.
    pub(crate) fn tend_rounds(&mut self) {
        let now = self.now;
        let enough = |round: &Round| {
            let mut answers = round.answers.iter().filter_map(|(_, answer)| Message::parse(answer).ok());
            round.until <= now && answers.any(|answer| is_acceptance(&answer))
        };
        let done: Vec<Round> =
            self.redirect.rounds.extract_if(|_, round| enough(round)).map(|(_, round)| round).collect();
        for round in &done {
            self.conclude(round);
        }
    }

    fn conclude(&mut self, round: &Round) {
        if round.answers.is_empty() {
            return self.inbound.forget(&round.origin);
        }
        match (round.side, round.kind) {
            (Side::Smf(smf), MessageType::AssociationSetupRequest) => self.set_up_with_all(round, smf),
            (Side::Smf(smf), kind) => self.asked_all(round, smf, kind),
            (Side::Upf(_), _) => self.answer_for_all(round),
        }
    }

    /// Answers as the first that accepted; where none did, as the first.
    pub(super) fn answer_for_all(&mut self, round: &Round) {
        let answers = || round.answers.iter().filter_map(|(_, answer)| Message::parse(answer).ok());
        let answers = || answers().filter(|answer| Some(answer.message_type()) == round.kind.response());
        if let Some(answer) = answers().find(is_acceptance).or_else(|| answers().next()) {
            return self.pass_answer(round.origin, &answer);
        }
        self.inbound.forget(&round.origin);
    }

    /// A UPF takes a change of an SMF's association, or does not.
    pub(super) fn took_change(&mut self, smf: u16, upf: u16, takes: bool) {
        let Some(standing) = self.redirect.standing.get_mut(&(smf, upf)) else { return };
        match (*standing, takes) {
            (Standing::Up, false) => *standing = Standing::Spared,
            (Standing::Spared, true) => *standing = Standing::Up,
            _ => {}
        }
    }
}

pub(super) fn is_acceptance(message: &Message<'_>) -> bool {
    message.routing().ok().and_then(|routing| routing.cause).is_some_and(Cause::is_acceptance)
}
