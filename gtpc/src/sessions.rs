//! The sessions: pairs of control tunnels, one to a client and one to an endpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use foldhash::HashMap;
use pinion_exchange::random::Random;

use crate::interface::{End, Reference, Side};

/// What stands for tunnels for indirect forwarding among PDN connections: no bearer has this number.
pub(crate) const FORWARDING: u8 = 0;

/// A session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) reference: Reference,
    /// IMSI or MEI, with what it is; none where the client gave none.
    pub(crate) subscriber: Option<Box<[u8]>>,
    /// The client's end.
    pub(crate) client: End,
    /// Where the client's messages came from first.
    pub(crate) peer: IpAddr,
    /// The endpoint's number, and its end; none until it has accepted.
    pub(crate) endpoint: u16,
    pub(crate) end: Option<End>,
    /// The endpoint's restart counter when it accepted; none where that is not known.
    pub(crate) made: Option<u8>,
    /// What the next number was when the client took it: to be told from [`Sessions::mark`].
    pub(crate) since: u64,
    /// The TEIDs of ours that client and endpoint know.
    pub(crate) to_client: u32,
    pub(crate) to_endpoint: u32,
    /// The default bearers of its PDN connections.
    pub(crate) connections: BTreeSet<u8>,
}

impl Session {
    /// The TEID of ours that a side knows.
    pub(crate) fn teid(&self, side: Side) -> u32 {
        match side {
            Side::Client => self.to_client,
            Side::Endpoint => self.to_endpoint,
        }
    }
}

/// All sessions, by a number that counts them.
#[derive(Debug)]
pub(crate) struct Sessions {
    all: BTreeMap<u64, Session>,
    next: u64,
    by_teid: HashMap<u32, (u64, Side)>,
    by_subscriber: HashMap<Box<[u8]>, Vec<u64>>,
    random: Random,
}

impl Sessions {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            all: BTreeMap::new(),
            next: 1,
            by_teid: HashMap::default(),
            by_subscriber: HashMap::default(),
            random: Random::new(seed),
        }
    }

    /// A TEID that no session has.
    pub(crate) fn fresh_teid(&mut self) -> u32 {
        loop {
            let teid = self.random.word();
            if teid != 0 && !self.by_teid.contains_key(&teid) {
                return teid;
            }
        }
    }

    /// Takes a new session in; its number.
    pub(crate) fn insert(&mut self, session: Session) -> u64 {
        let id = self.next;
        self.put(id, session);
        id
    }

    /// Takes a session in that had this number before.
    pub(crate) fn put(&mut self, id: u64, session: Session) {
        self.next = self.next.max(id.saturating_add(1));
        for side in [Side::Client, Side::Endpoint] {
            self.by_teid.insert(session.teid(side), (id, side));
        }
        if let Some(subscriber) = &session.subscriber {
            self.by_subscriber.entry(subscriber.clone()).or_default().push(id);
        }
        self.all.insert(id, session);
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<Session> {
        let session = self.all.remove(&id)?;
        for side in [Side::Client, Side::Endpoint] {
            self.by_teid.remove(&session.teid(side));
        }
        if let Some(subscriber) = &session.subscriber
            && let Some(ids) = self.by_subscriber.get_mut(subscriber)
        {
            ids.retain(|it| *it != id);
            if ids.is_empty() {
                self.by_subscriber.remove(subscriber);
            }
        }
        Some(session)
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Session> {
        self.all.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut Session> {
        self.all.get_mut(&id)
    }

    /// The session of a TEID of ours, and who knows it by that.
    pub(crate) fn by_teid(&self, teid: u32) -> Option<(u64, Side)> {
        self.by_teid.get(&teid).copied()
    }

    /// Those of a user, the oldest first.
    pub(crate) fn of(&self, subscriber: &[u8]) -> impl DoubleEndedIterator<Item = (u64, &Session)> {
        let ids = self.by_subscriber.get(subscriber).into_iter().flatten();
        ids.filter_map(|id| Some((*id, self.all.get(id)?)))
    }

    /// Those behind a number, in their order.
    pub(crate) fn iter_after(&self, after: Option<u64>) -> impl Iterator<Item = (u64, &Session)> {
        self.all.range(after.map_or(0, |after| after.saturating_add(1))..).map(|(id, session)| (*id, session))
    }

    /// What the next number is.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// A number behind all that were next so far.
    pub(crate) fn mark(&mut self) -> u64 {
        self.next = self.next.saturating_add(1);
        self.next
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(sessions: &mut Sessions, subscriber: &[u8]) -> Session {
        let end = End { address: [192, 0, 2, 1].into(), teid: 7 };
        Session {
            reference: Reference::S11,
            subscriber: Some(subscriber.into()),
            client: end,
            peer: end.address,
            endpoint: 0,
            end: None,
            made: None,
            since: sessions.next(),
            to_client: sessions.fresh_teid(),
            to_endpoint: sessions.fresh_teid(),
            connections: BTreeSet::new(),
        }
    }

    #[test]
    fn what_a_session_is_found_by_ends_with_it() {
        let mut sessions = Sessions::new(1);
        let ids = [b"a", b"b", b"a"].map(|subscriber| {
            let session = session(&mut sessions, subscriber);
            sessions.insert(session)
        });
        let of = |sessions: &Sessions| sessions.of(b"a").map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!(of(&sessions), [ids[0], ids[2]]);
        let teid = sessions.get(ids[0]).unwrap().to_endpoint;
        assert_eq!(sessions.by_teid(teid), Some((ids[0], Side::Endpoint)));
        assert!(sessions.remove(ids[0]).is_some() && sessions.remove(ids[0]).is_none());
        assert_eq!((sessions.by_teid(teid), of(&sessions)), (None, vec![ids[2]]));
        sessions.remove(ids[2]);
        assert_eq!((sessions.by_subscriber.len(), sessions.by_teid.len(), sessions.len()), (1, 2, 1));
        assert_eq!(sessions.iter_after(None).map(|(id, _)| id).collect::<Vec<_>>(), [ids[1]]);
        assert_eq!(sessions.iter_after(Some(ids[1])).count(), 0);
    }
}
