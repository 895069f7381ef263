//! What outlives the process: values that the host keeps, and a front end that goes on from them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use bytes::Bytes;
use pinion_exchange::kept;
use pinion_exchange::outbound::Outbound;
use serde::{Deserialize, Serialize};

use crate::front::{FrontEnd, NUMBERS, Output};
use crate::interface::{End, Reference};
use crate::peers::{Client, Peer};
use crate::sessions::Session;
use crate::settings::Settings;

/// What a value is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kept {
    /// The front end itself.
    FrontEnd,
    /// Its clients' and endpoints' restart counters.
    Peers,
    /// A session, by its number.
    Session(u64),
}

/// Why a front end cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeError {
    /// A value is damaged, or of another version.
    Value(Kept),
    /// There is no value of the front end itself.
    Nothing,
    /// The values are of a front end at another address: peers know other F-TEIDs.
    Address(IpAddr),
}

impl std::fmt::Display for TakeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(of) => write!(f, "what was kept of {of:?} is damaged, or of another version"),
            Self::Nothing => write!(f, "nothing was kept"),
            Self::Address(address) => write!(f, "what was kept is of {address}"),
        }
    }
}

impl std::error::Error for TakeError {}

#[derive(Serialize, Deserialize)]
struct KeptFrontEnd {
    address: IpAddr,
    recovery: u8,
    /// The number behind all that requests had: peers give old answers to those.
    numbers: u32,
}

#[derive(Serialize, Deserialize)]
struct KeptPeers<'a> {
    clients: Vec<(IpAddr, u8)>,
    /// Number, name, and restart counter.
    #[serde(borrow)]
    endpoints: Vec<(u16, &'a str, Option<u8>)>,
}

#[derive(Serialize, Deserialize)]
struct KeptSession<'a> {
    reference: Reference,
    subscriber: Option<&'a [u8]>,
    client: End,
    peer: IpAddr,
    endpoint: u16,
    end: End,
    to_client: u32,
    to_endpoint: u32,
    connections: Vec<u8>,
}

/// The restart counter of a front end after the one that these values are of, where sessions are lost.
#[must_use]
pub fn recovery_after(value: &[u8]) -> Option<u8> {
    kept::read::<KeptFrontEnd>(value).map(|kept| kept.recovery.wrapping_add(1))
}

impl FrontEnd {
    /// A front end that goes on where another one ended.
    ///
    /// # Errors
    /// [`TakeError`].
    pub fn take_over(
        settings: Settings,
        kept: impl IntoIterator<Item = (Kept, Bytes)>,
        seed: u64,
    ) -> Result<Self, TakeError> {
        let mut kept: Vec<(Kept, Bytes)> = kept.into_iter().collect();
        kept.sort_by_key(|(of, _)| *of);
        let mut kept = kept.into_iter();
        let own: KeptFrontEnd = match kept.next() {
            Some((Kept::FrontEnd, value)) => read(Kept::FrontEnd, &value)?,
            _ => return Err(TakeError::Nothing),
        };
        if own.address != settings.address {
            return Err(TakeError::Address(own.address));
        }
        let nobody = Settings { endpoints: Vec::new(), ..settings.clone() };
        let mut front_end = Self::new(nobody, own.recovery, seed);
        front_end.outbound = Outbound::new(own.numbers, NUMBERS);
        let mut astray = Vec::new();
        for (of, value) in kept {
            match of {
                Kept::FrontEnd => {}
                Kept::Peers => {
                    let peers: KeptPeers<'_> = read(of, &value)?;
                    for (address, recovery) in peers.clients {
                        front_end
                            .clients
                            .insert(address, Client { recovery: Some(recovery), ..Client::default() });
                    }
                    for (number, name, recovery) in peers.endpoints {
                        if usize::from(number) != front_end.endpoints.len() {
                            return Err(TakeError::Value(of));
                        }
                        front_end.endpoints.push(Peer { recovery, ..Peer::gone(name) });
                    }
                }
                Kept::Session(id) => {
                    let session: KeptSession<'_> = read(of, &value)?;
                    match front_end.endpoint(session.endpoint) {
                        Some(_) => front_end.session_was(id, &session),
                        None => astray.push(of),
                    }
                }
            }
        }
        // What it said of a front end without all that is not to be kept.
        while front_end.output().is_some() {}
        // Endpoints keep their numbers, which sessions are kept with.
        front_end.configure(settings);
        front_end.keep_front_end();
        for of in astray {
            front_end.push(Output::Keep { of, value: None });
        }
        Ok(front_end)
    }

    /// All that is to be kept, sessions from behind a number on: what the values that were said so far come to.
    pub fn kept(&self, after: Option<u64>) -> impl Iterator<Item = (Kept, Bytes)> {
        let own = || [self.kept_front_end(), self.kept_peers()];
        let sessions = self.sessions.iter_after(after);
        let sessions = sessions.filter_map(|(id, session)| Some((Kept::Session(id), kept_session(session)?)));
        after.is_none().then(own).into_iter().flatten().chain(sessions)
    }

    /// Says what is to be kept of the front end itself.
    pub(crate) fn keep_front_end(&mut self) {
        let (of, value) = self.kept_front_end();
        self.push(Output::Keep { of, value: Some(value) });
    }

    /// Says what is to be kept of its peers.
    pub(crate) fn keep_peers(&mut self) {
        let (of, value) = self.kept_peers();
        self.push(Output::Keep { of, value: Some(value) });
    }

    /// Says what is to be kept of a session; nothing where it is no more.
    pub(crate) fn keep_session(&mut self, id: u64) {
        let value = self.sessions.get(id).and_then(kept_session);
        self.push(Output::Keep { of: Kept::Session(id), value });
    }

    fn kept_front_end(&self) -> (Kept, Bytes) {
        let (address, recovery, numbers) = (self.settings.address, self.recovery, self.outbound.end());
        (Kept::FrontEnd, kept::write(&KeptFrontEnd { address, recovery, numbers }))
    }

    fn kept_peers(&self) -> (Kept, Bytes) {
        let clients = self.clients.iter().filter_map(|(address, it)| Some((*address, it.recovery?))).collect();
        let endpoints =
            (0..).zip(&self.endpoints).map(|(number, it)| (number, &*it.config.name, it.recovery)).collect();
        (Kept::Peers, kept::write(&KeptPeers { clients, endpoints }))
    }

    fn session_was(&mut self, id: u64, kept: &KeptSession<'_>) {
        let session = Session {
            reference: kept.reference,
            subscriber: kept.subscriber.map(Into::into),
            client: kept.client,
            peer: kept.peer,
            endpoint: kept.endpoint,
            end: Some(kept.end),
            made: None,
            since: id,
            to_client: kept.to_client,
            to_endpoint: kept.to_endpoint,
            connections: kept.connections.iter().copied().collect::<BTreeSet<u8>>(),
        };
        self.count_in(session.client.address, session.endpoint);
        self.sessions.put(id, session);
    }
}

fn kept_session(session: &Session) -> Option<Bytes> {
    Some(kept::write(&KeptSession {
        reference: session.reference,
        subscriber: session.subscriber.as_deref(),
        client: session.client,
        peer: session.peer,
        endpoint: session.endpoint,
        end: session.end?,
        to_client: session.to_client,
        to_endpoint: session.to_endpoint,
        connections: session.connections.iter().copied().collect(),
    }))
}

fn read<'a, T: Deserialize<'a>>(of: Kept, bytes: &'a [u8]) -> Result<T, TakeError> {
    kept::read(bytes).ok_or(TakeError::Value(of))
}
