//! The sessions, by a SEID that is one and the same towards SMF and UPF.

use std::net::IpAddr;
use std::time::Duration;

use pinion_protocols::pfcp::Addresses;
use serde::{Deserialize, Serialize};

use crate::front::Batch;
use crate::inbound::Origin;
use crate::rules::Rules;
use crate::sets::Mark;
use crate::tunnels::Tunnels;

/// Which session. The SEID that both its peers know it by: a place, and how often the place was taken before, so that
/// a session that ended is not mistaken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId {
    place: u32,
    life: u32,
}

impl SessionId {
    /// That of no session: lives begin with 1.
    pub(crate) const NONE: Self = Self { place: 0, life: 0 };

    /// The SEID.
    #[must_use]
    pub fn seid(self) -> u64 {
        u64::from(self.life) << 32 | u64::from(self.place)
    }

    pub(crate) fn of(seid: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = seid.to_be_bytes();
        Self { life: u32::from_be_bytes([a, b, c, d]), place: u32::from_be_bytes([e, f, g, h]) }
    }
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The UPF was asked to make it.
    Opening,
    /// It is there.
    Open,
    /// Its UPF is lost; another one is asked to make it.
    Restoring,
    /// The UPF was asked to end it.
    Closing,
}

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) phase: Phase,
    /// The SMF's number, its SEID, and where that is.
    pub(crate) smf: u16,
    pub(crate) smf_seid: u64,
    pub(crate) smf_address: IpAddr,
    /// How often all sessions of its SMF had ended before.
    pub(crate) smf_life: u32,
    /// The UPF's number, its SEID, and where that is.
    pub(crate) upf: u16,
    pub(crate) upf_seid: u64,
    pub(crate) upf_address: IpAddr,
    pub(crate) tunnels: Tunnels,
    /// What it takes to make it again.
    pub(crate) rules: Option<Rules>,
    /// What sets of sessions it is of.
    pub(crate) marks: Vec<Mark>,
    /// Sessions whose UPFs send to its tunnels directly.
    pub(crate) followers: Vec<SessionId>,
    pub(crate) under_way: UnderWay,
}

/// What of a session is only for now.
#[derive(Debug, Default)]
pub(crate) struct UnderWay {
    /// Whether a UPF was asked to make it, and did not answer yet.
    pub(crate) asked: bool,
    /// The wish of its SMF, as long as that is not answered.
    pub(crate) wish: Option<Wish>,
    /// Whether its SMF knows nothing of it any more: whoever speaks of it is told that there is none.
    pub(crate) forsaken: bool,
    /// The last of its batches that is not in force yet.
    pub(crate) batch: Option<Batch>,
    /// Who is to be told in its SMF's stead.
    pub(crate) stand_in: Option<IpAddr>,
    /// Until when it waits for a UPF that takes it.
    pub(crate) until: Option<Duration>,
}

/// An SMF's wish for a session, which outlives the process: it is done once, however often it comes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Wish {
    /// Who wished, and with which request.
    pub(crate) origin: Origin,
    /// What the UPF was asked.
    pub(crate) asked: Vec<u8>,
    /// The request, where it is looked into once more.
    pub(crate) request: Option<Vec<u8>>,
}

impl Session {
    /// One without tunnels that no UPF has made yet. Of its SMF: the number, its SEID, where that is; how often all
    /// sessions of it had ended before. Of its UPF: the number, where it is.
    pub(crate) fn new(phase: Phase, smf: (u16, u64, IpAddr), smf_life: u32, upf: (u16, IpAddr)) -> Self {
        let ((smf, smf_seid, smf_address), (upf, upf_address)) = (smf, upf);
        Self {
            phase,
            smf,
            smf_seid,
            smf_address,
            smf_life,
            upf,
            upf_seid: 0,
            upf_address,
            tunnels: Tunnels::default(),
            rules: None,
            marks: Vec::new(),
            followers: Vec::new(),
            under_way: UnderWay::default(),
        }
    }

    /// A UPF has made it: its SEID, and where that is.
    pub(crate) fn made_at(&mut self, seid: u64, addresses: Addresses) {
        self.upf_seid = seid;
        self.upf_address = addresses.like(self.upf_address).unwrap_or(self.upf_address);
    }

    /// An SMF says where its end is now: one of a set took the session over.
    pub(crate) fn taken_over(&mut self, seid: u64, addresses: Addresses) {
        self.smf_seid = seid;
        self.smf_address = addresses.like(self.smf_address).unwrap_or(self.smf_address);
        self.under_way.stand_in = None;
    }
}

/// All sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    places: Vec<(u32, Option<Session>)>,
    free: Vec<u32>,
    /// What lives are counted from: different after each start, so that old SEIDs mean nothing.
    first_life: u32,
}

impl Sessions {
    pub(crate) fn new(first_life: u32) -> Self {
        Self { places: Vec::new(), free: Vec::new(), first_life }
    }

    /// Takes a session in; none where there are `most` already.
    pub(crate) fn insert(&mut self, session: Session, most: u32) -> Option<SessionId> {
        if self.len() >= most as usize {
            return None;
        }
        if let Some(place) = self.free.pop() {
            let (life, slot) = self.places.get_mut(place as usize)?;
            *life = next(*life);
            *slot = Some(session);
            return Some(SessionId { place, life: *life });
        }
        let place = u32::try_from(self.places.len()).ok()?;
        let life = next(self.first_life);
        self.places.push((life, Some(session)));
        Some(SessionId { place, life })
    }

    /// Takes in a session of this SEID, which had it before; [`Sessions::settle`] after all of them.
    pub(crate) fn put(&mut self, id: SessionId, session: Session) {
        let place = id.place as usize;
        if self.places.len() <= place {
            let life = self.first_life;
            self.places.resize_with(place.saturating_add(1), || (life, None));
        }
        if let Some(slot) = self.places.get_mut(place) {
            *slot = (id.life, Some(session));
        }
    }

    /// Makes the places between those that were put in free.
    pub(crate) fn settle(&mut self) {
        let free = (0..).zip(&self.places).filter(|(_, (_, session))| session.is_none());
        self.free = free.map(|(place, _)| place).collect();
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<&Session> {
        let (life, session) = self.places.get(id.place as usize)?;
        session.as_ref().filter(|_| *life == id.life)
    }

    pub(crate) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        let (life, session) = self.places.get_mut(id.place as usize)?;
        session.as_mut().filter(|_| *life == id.life)
    }

    pub(crate) fn remove(&mut self, id: SessionId) -> Option<Session> {
        let (life, session) = self.places.get_mut(id.place as usize)?;
        if *life != id.life {
            return None;
        }
        let session = session.take()?;
        self.free.push(id.place);
        Some(session)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.iter_after(None)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (SessionId, &mut Session)> {
        (0..)
            .zip(&mut self.places)
            .filter_map(|(place, (life, session))| Some((SessionId { place, life: *life }, session.as_mut()?)))
    }

    /// Those at later places than that of a session.
    pub(crate) fn iter_after(&self, after: Option<SessionId>) -> impl Iterator<Item = (SessionId, &Session)> {
        let first = after.map_or(0, |after| (after.place as usize).saturating_add(1));
        (0..)
            .zip(&self.places)
            .skip(first)
            .filter_map(|(place, (life, session))| Some((SessionId { place, life: *life }, session.as_ref()?)))
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len().saturating_sub(self.free.len())
    }
}

/// A SEID of 0 means that there is none (TS 29.244 7.2.2.4.2).
fn next(life: u32) -> u32 {
    life.wrapping_add(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn session(smf_seid: u64) -> Session {
        let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Session::new(Phase::Open, (0, smf_seid, nowhere), 0, (0, nowhere))
    }

    #[test]
    fn a_seid_ends_with_its_session() {
        let mut sessions = Sessions::new(u32::MAX);
        let first = sessions.insert(session(1), 2).unwrap();
        assert_ne!(first.seid(), 0);
        assert_eq!(SessionId::of(first.seid()), first);
        assert_eq!(sessions.remove(first).map(|it| it.smf_seid), Some(1));
        let second = sessions.insert(session(2), 2).unwrap();
        assert_ne!(first, second);
        assert!(sessions.get(first).is_none() && sessions.remove(first).is_none());
        assert_eq!(sessions.get(second).map(|it| it.smf_seid), Some(2));
        assert_eq!(sessions.iter().map(|(id, _)| id).collect::<Vec<_>>(), [second]);
    }

    #[test]
    fn there_are_no_more_than_may_be() {
        let mut sessions = Sessions::new(0);
        let ids: Vec<_> = (0..3).filter_map(|seid| sessions.insert(session(seid), 2)).collect();
        assert_eq!((ids.len(), sessions.len()), (2, 2));
    }
}
