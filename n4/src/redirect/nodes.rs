//! What SMFs ask of the function that the UPFs are: each UPF is asked it, under the SMF's own Node ID (TS 29.244 6.2).

use bytes::{Bytes, BytesMut};
use pinion_protocols::pfcp::{Cause, Element, ElementType, Message, MessageType, MessageWriter, Patch, TooLong};

use super::rounds::{Round, Side, is_acceptance};
use super::{Standing, Task};
use crate::features;
use crate::front::{FrontEnd, began, needed, octets};
use crate::inbound::Origin;
use crate::pools;
use crate::purpose::Purpose;
use crate::smf::{Smf, alternatives, retained};
use crate::speak::built;
use crate::translate::Refusal;

impl<Proof> FrontEnd<Proof> {
    /// An SMF asks for an association: with each UPF that is there now, and with others as they come.
    pub(super) fn pass_setup(&mut self, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        let node = needed(message, ElementType::NodeId)?;
        let began = began(message)?;
        let features = octets(message, ElementType::CpFunctionFeatures)?.unwrap_or_default().to_vec();
        let others = alternatives(message.elements())?;
        retained(message)?;
        let setup = self.setup_of(message)?;
        let whom: Vec<u16> =
            (0..).zip(&self.upfs).filter(|(_, upf)| upf.is_up() && upf.configured).map(|it| it.0).collect();
        if whom.is_empty() {
            return Err(Refusal::plain(Cause::NO_RESOURCES));
        }
        let number = match self.smf(node) {
            Some(known) => known,
            None => self.take_in(Smf::new(node, origin.from.ip())).ok_or(Refusal::plain(Cause::NO_RESOURCES))?,
        };
        self.redirect.standing.retain(|(smf, _), _| *smf != number);
        self.redirect.standing.extend(whom.iter().map(|upf| ((number, *upf), Standing::Asked)));
        if let Some(smf) = self.smfs.get_mut(usize::from(number)) {
            smf.address = origin.from.ip();
            smf.associated = false;
            smf.away = false;
            smf.stamp = Some(began);
            smf.features = features;
            smf.others = others;
            smf.setup.clone_from(&setup);
        }
        // Also where every UPF refuses: it has a number by now, behind which others come.
        self.keep_smf(number);
        self.ask_all(origin, &Message::parse(&setup)?, Side::Smf(number), &whom)
    }

    /// What UPFs are asked where an SMF asks for an association: to have begun when the balancer says that it began.
    fn setup_of(&self, message: &Message<'_>) -> Result<Box<[u8]>, Refusal> {
        let began = message.elements().find(ElementType::RecoveryTimeStamp)?;
        let with = Some(Element::RecoveryTimeStamp(self.stamp));
        let patches: Vec<Patch<'_>> =
            began.into_iter().map(|it| Patch { offset: it.offset(), with: with.clone() }).collect();
        let setup = built(message.message_type(), None, 0, |writer| writer.splice(message.elements(), &patches))?;
        Ok(setup.as_ref().into())
    }

    /// UPFs answered to an SMF's wish for an association.
    pub(super) fn set_up_with_all(&mut self, round: &Round, smf: u16) {
        let mut accepted = Vec::new();
        for (upf, answer) in &round.answers {
            let Ok(answer) = Message::parse(answer) else { continue };
            if self.joined(&answer, smf, *upf) {
                accepted.push(answer);
            }
        }
        let Some(first) = accepted.first() else { return self.answer_for_all(round) };
        self.end_unretained(smf);
        let told = self.function_features(smf);
        let pools = self.function_pools(smf);
        let next = self.now.saturating_add(self.settings.timers.heartbeat);
        if let Some(smf) = self.smfs.get_mut(usize::from(smf)) {
            smf.associated = true;
            smf.told.clone_from(&told);
            smf.told_pools.clone_from(&pools);
            smf.heartbeat = next;
            tracing::info!(smf = %smf.address, upfs = accepted.len(), "association of an SMF with UPFs");
        }
        self.keep_smf(smf);
        match self.one_setup_response(round.origin, first, &accepted, (&told, &pools)) {
            Ok(answer) => self.finish(round.origin, answer),
            Err(error) => {
                tracing::warn!(%error, "an answer cannot be sent");
                self.inbound.forget(&round.origin);
            }
        }
    }

    /// The answer of the function: what all say where it is of all, else what the first says.
    fn one_setup_response(
        &self,
        origin: Origin,
        first: &Message<'_>,
        all: &[Message<'_>],
        (features, pools): (&[u8], &[pools::Pool]),
    ) -> Result<Bytes, TooLong> {
        let common = features::all(all.iter().map(flags));
        let mut out = BytesMut::new();
        let mut writer = MessageWriter::new(&mut out, first.message_type(), None, origin.sequence);
        for element in first.elements().map_while(Result::ok) {
            match element.kind() {
                ElementType::RecoveryTimeStamp => {
                    writer.add(&Element::RecoveryTimeStamp(self.stamp));
                }
                kind @ ElementType::UpFunctionFeatures => {
                    writer.element(kind, |out| out.extend_from_slice(features));
                }
                // That sessions are retained holds where all retained them (TS 29.244 8.2.146).
                kind @ ElementType::PfcpasrspFlags => {
                    if common.iter().any(|octet| *octet != 0) {
                        writer.element(kind, |out| out.extend_from_slice(&common));
                    }
                }
                ElementType::UeIpAddressPoolInformation => {}
                _ => {
                    writer.copy(&element);
                }
            }
        }
        pools::write(pools, &mut writer);
        writer.finish()?;
        Ok(out.freeze())
    }

    /// With a new association an SMF's sessions have ended on UPFs, but for those that it keeps (TS 29.244 6.2.6.2.2).
    fn end_unretained(&mut self, smf: u16) {
        let setup = self.smfs.get(usize::from(smf)).map(|smf| smf.setup.clone()).unwrap_or_default();
        let retained = Message::parse(&setup).ok().and_then(|setup| retained(&setup).ok().flatten());
        let keeps = |address| retained.as_ref().is_some_and(|it| it.keeps(address));
        let of_it = self.sessions.iter().filter(|(_, it)| it.smf == smf && !keeps(it.smf_address));
        for id in of_it.map(|(id, _)| id).collect::<Vec<_>>() {
            self.remove(id);
        }
    }

    /// An SMF asks something else of the function.
    pub(super) fn pass_to_upfs(&mut self, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        let number = self.speaking_smf(origin, message)?;
        let kind = message.message_type();
        if kind == MessageType::PfdManagementRequest {
            self.keep_pfds(message);
        }
        if kind == MessageType::AssociationUpdateRequest {
            self.smf_changes(number, message)?;
        }
        let standing = &self.redirect.standing;
        let there = |upf: &u16| {
            matches!(standing.get(&(number, *upf)), Some(Standing::Up | Standing::Spared))
                && self.upf_is_there(*upf)
        };
        let whom: Vec<u16> = (0..).zip(&self.upfs).map(|(upf, _)| upf).filter(there).collect();
        if !whom.is_empty() {
            return self.ask_all(origin, message, Side::Smf(number), &whom);
        }
        if kind == MessageType::AssociationReleaseRequest {
            self.smf_left(number);
            self.accept(origin, MessageType::AssociationReleaseResponse);
            return Ok(());
        }
        Err(Refusal::plain(Cause::NO_RESOURCES))
    }

    /// The SMF that a request is of; not all say who they are.
    fn speaking_smf(&self, origin: Origin, message: &Message<'_>) -> Result<u16, Refusal> {
        let number = match octets(message, ElementType::NodeId)? {
            Some(_) => self.associated_smf(message)?,
            None => {
                let from = origin.from.ip();
                let speaks = self.smf_where(|smf| smf.may_speak_from(from));
                speaks.ok_or(Refusal::plain(Cause::NO_ASSOCIATION))?
            }
        };
        self.needs_origin(number, origin)?;
        Ok(number)
    }

    /// Takes down what an SMF says of itself, for UPFs that come later too.
    fn smf_changes(&mut self, number: u16, message: &Message<'_>) -> Result<(), Refusal> {
        let others = alternatives(message.elements())?;
        let features = octets(message, ElementType::CpFunctionFeatures)?;
        let Some(smf) = self.smfs.get_mut(usize::from(number)) else { return Ok(()) };
        if !others.is_empty() {
            smf.others = others;
        }
        if let Some(features) = features {
            smf.features = features.to_vec();
            let before = Message::parse(&smf.setup)?;
            let setup = built(MessageType::AssociationSetupRequest, None, 0, |writer| {
                for element in before.elements() {
                    let element = element?;
                    if element.kind() != ElementType::CpFunctionFeatures {
                        writer.copy(&element);
                    }
                }
                writer.element(ElementType::CpFunctionFeatures, |out| out.extend_from_slice(features));
                Ok(())
            })?;
            smf.setup = setup.as_ref().into();
        }
        self.keep_smf(number);
        Ok(())
    }

    /// UPFs answered to what an SMF asked of the function.
    pub(super) fn asked_all(&mut self, round: &Round, smf: u16, kind: MessageType) {
        if kind == MessageType::AssociationUpdateRequest {
            for (upf, answer) in &round.answers {
                let takes = Message::parse(answer).is_ok_and(|answer| is_acceptance(&answer));
                self.took_change(smf, *upf, takes);
            }
        }
        if kind == MessageType::AssociationReleaseRequest {
            self.smf_left(smf);
        }
        self.answer_for_all(round);
    }

    /// TS 29.244 6.2.8: with the association the sessions end.
    fn smf_left(&mut self, number: u16) {
        if let Some(smf) = self.smfs.get_mut(usize::from(number)) {
            smf.associated = false;
            smf.setup = Box::default();
        }
        self.redirect.standing.retain(|(smf, _), _| *smf != number);
        self.end_unretained(number);
        self.keep_smf(number);
    }

    /// A UPF answered to a wish for an association; whether it is there.
    pub(super) fn joined(&mut self, message: &Message<'_>, smf: u16, upf: u16) -> bool {
        let node = octets(message, ElementType::NodeId).ok().flatten();
        let stands = is_acceptance(message) && node.is_some_and(|node| self.shares_node(upf, node));
        let standing = if stands { Standing::Up } else { Standing::Refused };
        self.redirect.standing.insert((smf, upf), standing);
        if stands {
            self.learn_function(upf, message);
            self.tell_of_function();
        } else {
            let cause = message.routing().ok().and_then(|routing| routing.cause);
            tracing::warn!(upf, ?cause, "a UPF refuses an SMF's association");
        }
        stands
    }

    /// Asks a UPF for the association that an SMF has with the others.
    pub(super) fn join(&mut self, smf: u16, upf: u16) {
        let known = self.smfs.get(usize::from(smf)).filter(|smf| smf.associated).map(|smf| smf.setup.clone());
        let (Some(setup), Some(to)) = (known, self.upf_address(upf)) else { return };
        let Ok(setup) = Message::parse(&setup) else { return };
        self.redirect.standing.insert((smf, upf), Standing::Asked);
        let _ = self.pass(to, &setup, Task::Join { smf, upf });
    }

    /// Tells SMFs what changed of the function since they were told (TS 29.244 6.2.7).
    pub(super) fn tell_of_function(&mut self) {
        let Some(node) = self.redirect.node.clone() else { return };
        for number in 0..u16::try_from(self.smfs.len()).unwrap_or(u16::MAX) {
            let (features, pools) = (self.function_features(number), self.function_pools(number));
            let Some(smf) = self.smfs.get_mut(usize::from(number)).filter(|smf| smf.associated) else { continue };
            if features.is_empty() || (smf.told == features && smf.told_pools == pools) {
                continue;
            }
            smf.told.clone_from(&features);
            smf.told_pools.clone_from(&pools);
            let to = smf.address;
            self.keep_smf(number);
            let _ = self.ask(to, MessageType::AssociationUpdateRequest, None, Purpose::Notice, |writer| {
                writer.element(ElementType::NodeId, |out| out.extend_from_slice(&node));
                writer.element(ElementType::UpFunctionFeatures, |out| out.extend_from_slice(&features));
                pools::write(&pools, writer);
                Ok(())
            });
        }
    }
}

/// PFCPASRsp-Flags; none are set where it is not there.
fn flags<'a>(message: &Message<'a>) -> &'a [u8] {
    octets(message, ElementType::PfcpasrspFlags).ok().flatten().unwrap_or_default()
}
