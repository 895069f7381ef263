//! Batches of tunnels: what waits for them, and what becomes of it where they cannot be put into force.

use std::collections::BTreeSet;

use pinion_protocols::pfcp::{Cause, Element, Message, MessageType};

use crate::front::{Batch, FrontEnd};
use crate::inbound::Origin;
use crate::purpose::{Parked, Waiting};
use crate::sessions::SessionId;
use crate::tunnels::TunnelChange;

impl<Proof> FrontEnd<Proof> {
    /// Tunnels are in force: what waited for them.
    pub(crate) fn in_force(&mut self, batch: Batch, waiting: Waiting) {
        if waiting.doomed {
            return self.not_in_force(batch, waiting);
        }
        for parked in &waiting.parked {
            self.settled(batch, parked.session());
        }
        self.plane.release(&waiting.changes);
        for parked in waiting.parked {
            self.done(parked);
        }
    }

    /// What waited for tunnels is done.
    pub(crate) fn done(&mut self, parked: Parked) {
        match parked {
            Parked::Answer { origin, session, answer, made } => {
                let kind = Message::parse(&answer).map(|answer| answer.message_type());
                if kind != Ok(MessageType::SessionDeletionResponse) && self.sessions.get(session).is_none() {
                    // It ended meanwhile, as with its UPF.
                    return self.refuse_with(origin, &answer, Cause::SESSION_NOT_FOUND);
                }
                self.counts.established += u64::from(made);
                self.classify(session);
                self.finish(origin, answer);
            }
            Parked::Remade { session } => {
                self.counts.restored += 1;
                self.classify(session);
            }
            Parked::Held { session } => self.classify(session),
            Parked::TakenOver | Parked::Nothing => {}
        }
    }

    /// Tunnels are not in force: there are none of a session where the batch was to change some, and whoever waited is
    /// told.
    pub(crate) fn not_in_force(&mut self, batch: Batch, waiting: Waiting) {
        let Waiting { changes, parked, .. } = waiting;
        if let [Parked::TakenOver] = *parked {
            return self.hold_each(&changes);
        }
        for id in parked.iter().filter_map(Parked::session) {
            self.settled(batch, Some(id));
            self.take_back(id, &changes);
            // What was answered since may tell of them.
            for (later, waiting) in &mut self.parked {
                waiting.doomed |= *later > batch && waiting.parked.iter().any(|it| it.session() == Some(id));
            }
        }
        let held = self.ends(&changes);
        if parked.iter().filter_map(Parked::session).any(|id| self.sessions.get(id).is_some()) {
            self.commit(held, Parked::Nothing);
        } else {
            self.owe(held);
        }
        for parked in parked {
            self.undone(parked);
        }
    }

    /// Tunnels of many sessions are not in force together: those of each are put into force for themselves, as they are by now.
    fn hold_each(&mut self, changes: &[TunnelChange]) {
        let at: BTreeSet<_> = changes.iter().map(TunnelChange::at).collect();
        let whose: BTreeSet<_> = at.iter().filter_map(|at| self.plane.owner(at.1, at.0.into())).collect();
        for id in whose {
            let Some(session) = self.sessions.get(id) else { continue };
            let mut changes = self.plane.all_pins(&session.tunnels);
            changes.retain(|change| at.contains(&change.at()));
            self.commit(changes, Parked::Held { session: id });
        }
    }

    /// Takes back what was learnt, and was not to be put into force yet.
    pub(crate) fn undo(&mut self, id: SessionId, changes: &[TunnelChange]) {
        self.take_back(id, changes);
        let held = self.ends(changes);
        self.commit(held, Parked::Nothing);
    }

    fn take_back(&mut self, id: SessionId, changes: &[TunnelChange]) {
        let tunnels = self.sessions.get_mut(id).map(|session| &mut session.tunnels);
        self.plane.take_back(id, tunnels, changes);
        // It was kept with what it was to have.
        self.keep_session(id);
    }

    /// What ends all that changes are about: where they were to move a tunnel, it still is where it was.
    fn ends(&mut self, changes: &[TunnelChange]) -> Vec<TunnelChange> {
        let at: BTreeSet<_> = changes.iter().map(TunnelChange::at).collect();
        self.plane.hold_on(at.into_iter().map(|at| TunnelChange::Unpin { at }).collect())
    }

    fn undone(&mut self, parked: Parked) {
        match parked {
            Parked::Answer { origin, session, answer, made } => {
                tracing::warn!(peer = %origin.from, "a session's tunnels cannot be put into force");
                let kind = Message::parse(&answer).map(|answer| answer.message_type());
                if kind == Ok(MessageType::SessionDeletionResponse) {
                    // Where the session is no more, nothing is missing.
                    return self.finish(origin, answer);
                }
                self.refuse_with(origin, &answer, Cause::NO_RESOURCES);
                if made {
                    self.abandon(session);
                }
            }
            // One that is to end ends anyhow.
            Parked::Held { session } if self.sessions.get(session).is_none_or(|it| it.under_way.forsaken) => {}
            Parked::Remade { session } | Parked::Held { session } => {
                self.dismiss(session);
                self.give_up(session);
            }
            Parked::TakenOver | Parked::Nothing => {}
        }
    }

    /// Answers otherwise than it was meant to be.
    fn refuse_with(&mut self, origin: Origin, answer: &[u8], cause: Cause) {
        let Ok(message) = Message::parse(answer) else { return };
        let (kind, seid) = (message.message_type(), message.seid());
        let made = kind == MessageType::SessionEstablishmentResponse;
        let unknown = cause == Cause::SESSION_NOT_FOUND;
        let seid = seid.map(|seid| if unknown && !made { 0 } else { seid });
        self.answer(origin, kind, seid, |own, writer| {
            if made {
                writer.add(&own);
            }
            writer.add(&Element::Cause(if made { Cause::NO_RESOURCES } else { cause }));
        });
    }

    /// Has tunnels end; nothing waits for that.
    pub(crate) fn end_tunnels(&mut self, changes: Vec<TunnelChange>) {
        let held = self.plane.hold(changes);
        if !held.is_empty() {
            self.commit(held, Parked::Nothing);
        }
    }

    /// Takes down that tunnels are to end, and still lead somewhere.
    fn owe(&mut self, held: Vec<TunnelChange>) {
        if held.is_empty() {
            return;
        }
        let again = self.now.saturating_add(self.settings.timers.t1);
        self.owed.get_or_insert((again, Vec::new())).1.extend(held);
    }

    /// Has tunnels end that should have ended before.
    pub(crate) fn tend_owed(&mut self) {
        let now = self.now;
        if let Some((_, changes)) = self.owed.take_if(|(again, _)| *again <= now) {
            let changes = self.plane.still_held(changes);
            self.commit(changes, Parked::Nothing);
        }
    }

    fn settled(&mut self, batch: Batch, id: Option<SessionId>) {
        if let Some(session) = id.and_then(|id| self.sessions.get_mut(id)) {
            session.under_way.batch.take_if(|of| *of == batch);
        }
    }
}
