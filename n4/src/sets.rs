//! Sets of sessions, by what their peers marked them with: they end together, or are reported to another SMF together
//! (TS 29.244 6.2.9, 7.4.6, 7.4.7).

use std::net::IpAddr;

use pinion_protocols::pfcp::{Addresses, Cause, ElementType, Elements, Error, Message, MessageType, RawElement};

use crate::front::{FrontEnd, needed};
use crate::inbound::Origin;
use crate::sessions::{Phase, Session};
use crate::smf::alternatives;
use crate::translate::Refusal;

/// What a session is marked with: a connection set of a node (FQ-CSID), or a group.
pub(crate) type Mark = (ElementType, Box<[u8]>);

impl<Proof> FrontEnd<Proof> {
    /// A peer has lost a set of sessions: those of an SMF end, those of a UPF are lost like others with their UPF.
    pub(crate) fn delete_set(
        &mut self,
        origin: Origin,
        message: &Message<'_>,
        upf: Option<u16>,
    ) -> Result<(), Refusal> {
        needed(message, ElementType::FqCsid)?;
        let wanted = marks(message.elements())?;
        match upf {
            None => {
                let number = self.associated_smf(message)?;
                self.needs_origin(number, origin)?;
                self.forsake(number, "the SMF lost a set of sessions", |session| !any(&session.marks, &wanted));
            }
            Some(upf) => {
                let of_it = |it: &Session| it.upf == upf && it.phase == Phase::Open && any(&it.marks, &wanted);
                let ended: Vec<_> = self.sessions.iter().filter(|(_, it)| of_it(it)).map(|(id, _)| id).collect();
                for id in ended {
                    self.await_restore(id);
                }
            }
        }
        self.accept(origin, MessageType::SessionSetDeletionResponse);
        Ok(())
    }

    /// Reports of sets of sessions are to go to another SMF.
    pub(crate) fn modify_set(&mut self, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        let number = self.associated_smf(message)?;
        self.needs_origin(number, origin)?;
        needed(message, ElementType::SessionChangeInfo)?;
        for element in message.elements() {
            let element = element?;
            let Some(children) = element.group()?.filter(|_| element.kind() == ElementType::SessionChangeInfo)
            else {
                continue;
            };
            let other = alternatives(children.clone())?.first().copied();
            let missing = Refusal::about(Cause::MANDATORY_MISSING, ElementType::AlternativeSmfIpAddress);
            let other = other.ok_or(missing)?;
            let (wanted, entities) = (marks(children.clone())?, entities(children)?);
            for (_, session) in self.sessions.iter_mut() {
                let theirs = session.smf == number
                    || self.smfs.get(usize::from(session.smf)).is_some_and(|smf| smf.may_speak_from(other));
                let at = |entity: &Addresses| entity.contains(session.smf_address);
                if theirs && (any(&session.marks, &wanted) || entities.iter().any(at)) {
                    session.under_way.stand_in = Some(other);
                }
            }
        }
        self.accept(origin, MessageType::SessionSetModificationResponse);
        Ok(())
    }

    /// Who is to be asked about a session in its SMF's stead; none where that is to be asked itself.
    pub(crate) fn stand_in(&self, smf: u16, wished: Option<IpAddr>) -> Option<IpAddr> {
        wished.or_else(|| self.smfs.get(usize::from(smf))?.stand_in())
    }
}

/// The marks among elements; a set of several is several.
pub(crate) fn marks(elements: Elements<'_>) -> Result<Vec<Mark>, Error> {
    /// More are not kept.
    const MOST: usize = 32;
    let mut marks = Vec::new();
    for element in elements {
        let element = element?;
        match element.kind() {
            ElementType::FqCsid => marks.extend(connection_sets(&element)),
            ElementType::GroupId => marks.push((ElementType::GroupId, element.value().into())),
            _ => {}
        }
        marks.truncate(MOST);
    }
    Ok(marks)
}

/// The connection sets of an FQ-CSID, each with its node (TS 29.244 8.2.45).
fn connection_sets(element: &RawElement<'_>) -> Vec<Mark> {
    let Some((flags, rest)) = element.value().split_first() else { return Vec::new() };
    let length = if flags >> 4 == 1 { 16 } else { 4 };
    let Some((node, rest)) = rest.split_at_checked(length) else { return Vec::new() };
    let sets = rest.chunks_exact(2).take(usize::from(flags & 0x0f));
    sets.map(|set| (ElementType::FqCsid, [&[flags >> 4][..], node, set].concat().into())).collect()
}

fn entities(elements: Elements<'_>) -> Result<Vec<Addresses>, Error> {
    let mut entities = Vec::new();
    for element in elements {
        let element = element?;
        if element.kind() == ElementType::CpIpAddress {
            entities.extend(Addresses::parse(element.value()));
        }
    }
    Ok(entities)
}

fn any(marks: &[Mark], wanted: &[Mark]) -> bool {
    marks.iter().any(|mark| wanted.contains(mark))
}
