//! Which session a message is of that comes here although it could go directly: some peers know one address of the other
//! side alone.

use std::collections::VecDeque;

use foldhash::HashMap;

use crate::sessions::{Session, SessionId, Sessions};

/// Sessions by the SEIDs that their peers chose. When they end is not heard of: the oldest go where there is no room.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    /// By the UPF's number, and its SEID.
    up: HashMap<(u16, u64), SessionId>,
    /// By the UPF's number, and the SMF's SEID: other SMFs may have chosen the same.
    cp: HashMap<(u16, u64), Vec<SessionId>>,
    order: VecDeque<SessionId>,
}

impl Pins {
    /// Takes a session in; one before it with the UPF's SEID has ended.
    pub(super) fn learn(&mut self, id: SessionId, session: &Session) {
        self.up.insert((session.upf, session.upf_seid), id);
        self.cp.entry((session.upf, session.smf_seid)).or_default().push(id);
        self.order.push_back(id);
    }

    pub(crate) fn forget(&mut self, id: SessionId, session: &Session) {
        let up = (session.upf, session.upf_seid);
        self.up.remove(&up).filter(|of| *of != id).map(|of| self.up.insert(up, of));
        let cp = (session.upf, session.smf_seid);
        if let Some(of) = self.cp.get_mut(&cp) {
            of.retain(|of| *of != id);
            if of.is_empty() {
                self.cp.remove(&cp);
            }
        }
    }

    /// The session that a UPF knows by its SEID.
    pub(super) fn of_upf(&self, upf: u16, seid: u64) -> Option<SessionId> {
        self.up.get(&(upf, seid)).copied()
    }

    /// The sessions at a UPF that SMFs know by a SEID: one of each SMF.
    pub(super) fn of_smfs(&self, upf: u16, seid: u64) -> &[SessionId] {
        self.cp.get(&(upf, seid)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The one that was taken in before all others.
    pub(super) fn oldest(&mut self, sessions: &Sessions) -> Option<SessionId> {
        while let Some(id) = self.order.pop_front() {
            if sessions.get(id).is_some() {
                return Some(id);
            }
        }
        None
    }

    /// Lets go of those that are no more, where they are many.
    pub(super) fn tidy(&mut self, sessions: &Sessions) {
        if self.order.len() > sessions.len().saturating_mul(2).max(1024) {
            self.order.retain(|id| sessions.get(*id).is_some());
        }
    }
}
