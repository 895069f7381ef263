//! What outlives the process: what a front end knows, said as it changes, and taken over by the next one.
//!
//! With it peers notice nothing of a restart: the recovery time stamp stays, SEIDs and TEIDs mean what they meant. What was
//! under way is asked for again by whoever asked. What the host loses is found out as after any loss: a session is
//! not found.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use foldhash::HashMap;
use pinion_exchange::kept;
use pinion_protocols::pfcp::{Message, Place};
use serde::{Deserialize, Serialize};

use crate::chores::Chore;
use crate::front::{FrontEnd, Output};
use crate::outbound::{NUMBERS, Outbound};
use crate::peers::Peers;
use crate::pools::Pool;
use crate::purpose::{Parked, Purpose};
use crate::rules::Rules;
use crate::sessions::{Phase, Session, SessionId, UnderWay, Wish};
use crate::settings::{Mode, Settings};
use crate::smf::Smf;
use crate::tunnels::{TunnelChange, Tunnels};

/// What a value is of. Of several values of one, the last holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kept {
    /// The front end itself.
    FrontEnd,
    /// An SMF, by its number.
    Smf(u16),
    /// A UPF, by its number.
    Upf(u16),
    /// Packet flow descriptions that an SMF told of, by a number that counts them.
    Pfds(u64),
    /// A session, by its SEID.
    Session(u64),
}

/// Why a front end cannot take a value over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeError {
    /// A value is damaged.
    Value(Kept),
    /// The values are of a version that keeps them otherwise: its layout.
    Layout(u8),
    /// There is no value of the front end itself, which comes first.
    Nothing,
    /// The values are of a front end at another address: its peers know it by another name.
    Address(IpAddr),
    /// The values are of a front end of another mode.
    Mode,
}

impl std::fmt::Display for TakeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(of) => write!(f, "what was kept of {of:?} is damaged"),
            Self::Layout(found) => write!(
                f,
                "what was kept is whole, and has the layout of {} version ({found}; this one's is {LAYOUT})",
                if *found < LAYOUT { "an older" } else { "a newer" }
            ),
            Self::Nothing => write!(f, "nothing was kept"),
            Self::Address(address) => write!(f, "what was kept is of {address}"),
            Self::Mode => write!(f, "what was kept is of another mode"),
        }
    }
}

impl std::error::Error for TakeError {}

/// What a value of the front end begins with, so that another version's is known: to be raised whenever any value changes. Before it
/// there was one that began with 0 or 1, for the family of its address.
const LAYOUT: u8 = 5;

/// How many tunnels are put into force in one batch.
const TOGETHER: usize = 1_024;

#[derive(Serialize, Deserialize)]
struct KeptFrontEnd {
    layout: u8,
    address: IpAddr,
    stamp: u32,
    /// The number behind all that requests had: peers give old answers to those.
    numbers: u32,
    /// What SMFs were told of load.
    load: Option<(u32, u8)>,
    /// The number of what they were told of overload.
    overload: Option<u32>,
    mode: Mode,
    /// The Node ID that the UPFs share, where one is known.
    node: Option<Box<[u8]>>,
}

/// A UPF: when it began, where it has an association, and what it can do.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptUpf<'a> {
    pub(crate) name: &'a str,
    pub(crate) address: IpAddr,
    pub(crate) began: Option<u32>,
    pub(crate) features: &'a [u8],
    pub(crate) pools: Vec<Pool>,
}

#[derive(Serialize, Deserialize)]
struct KeptSession<'a> {
    smf: (u16, u64, IpAddr),
    /// How often all sessions of its SMF had ended before; where they did since, it is to end.
    smf_life: u32,
    upf: (u16, u64, IpAddr),
    tunnels: Vec<KeptTunnel>,
    /// The TEID of ours that the packets of a rule, or else of a traffic endpoint, come by; whether redundantly.
    places: Vec<(bool, u16, bool, u32)>,
    /// The clients' ends, by the numbers of FARs.
    peers: Vec<(u32, (IpAddr, u32))>,
    rules: Option<&'a [u8]>,
    /// What sets of sessions it is of.
    marks: Vec<(u16, Box<[u8]>)>,
    /// Sessions whose UPFs send to its tunnels directly.
    followers: Vec<u64>,
    /// Whether its SMF knows nothing of it any more, and of others still.
    forsaken: bool,
    /// What its SMF wished, where that is not answered.
    wish: Option<Wish>,
}

/// A tunnel: the TEID of ours, the UPF's, and where that is.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptTunnel {
    pub(crate) ours: u32,
    pub(crate) theirs: u32,
    pub(crate) addresses: [Option<IpAddr>; 2],
}

impl<Proof> FrontEnd<Proof> {
    /// A front end that goes on where another one ended. It has the tunnels of its sessions put into force, which they are
    /// already where the host lost none.
    ///
    /// # Errors
    /// [`TakeError`].
    pub fn take_over(
        settings: Settings,
        kept: impl IntoIterator<Item = (Kept, Bytes)>,
        seed: u64,
    ) -> Result<Self, TakeError> {
        let mut kept: Vec<(Kept, Bytes)> = kept.into_iter().collect();
        // The front end first, then its peers in their order, then sessions.
        kept.sort_by_key(|(of, _)| *of);
        let mut kept = kept.into_iter();
        let own: KeptFrontEnd = match kept.next() {
            Some((of @ Kept::FrontEnd, value)) => match value.first() {
                Some(&layout) if layout != LAYOUT => return Err(TakeError::Layout(layout)),
                _ => read(of, &value)?,
            },
            _ => return Err(TakeError::Nothing),
        };
        if own.address != settings.address {
            return Err(TakeError::Address(own.address));
        }
        if own.mode != settings.mode {
            return Err(TakeError::Mode);
        }
        let mut front_end = Self::new(settings, own.stamp, seed);
        front_end.outbound = Outbound::new(own.numbers, NUMBERS);
        front_end.load = own.load;
        // It is over, unless UPFs say so again.
        front_end.overload = own.overload.map(|number| (number, 0, Duration::ZERO));
        front_end.redirect.node = own.node;
        front_end.keep_front_end();
        let mut tunnels = Vec::new();
        // The numbers that UPFs had, and have now.
        let mut upfs = HashMap::default();
        for (of, value) in kept {
            match of {
                Kept::FrontEnd => {}
                Kept::Smf(number) => {
                    let smf: Smf = read(of, &value)?;
                    if usize::from(number) != front_end.smfs.len() {
                        return Err(TakeError::Value(of));
                    }
                    front_end.smfs.push(smf);
                }
                Kept::Upf(number) => drop(upfs.insert(number, front_end.upf_was(&read(of, &value)?))),
                Kept::Pfds(number) => drop(front_end.pfds.insert(number, value)),
                Kept::Session(seid) => {
                    let session: KeptSession<'_> = read(of, &value)?;
                    let upf = upfs.get(&session.upf.0).ok_or(TakeError::Value(of))?;
                    tunnels.extend(front_end.session_was(SessionId::of(seid), &session, *upf));
                }
            }
        }
        front_end.sessions.settle();
        front_end.go_on_redirecting();
        let mut tunnels = tunnels.into_iter().peekable();
        while tunnels.peek().is_some() {
            let batch = tunnels.by_ref().take(TOGETHER).collect();
            front_end.commit(batch, Parked::TakenOver);
        }
        front_end.classify_all();
        Ok(front_end)
    }

    /// All that is to be kept, sessions from behind a SEID on: what the values that were said so far come to.
    pub fn kept(&self, after: Option<u64>) -> impl Iterator<Item = (Kept, Bytes)> {
        let peers = || {
            let own = std::iter::once(self.kept_front_end());
            own.chain((0..).zip(&self.smfs).map(|(number, smf)| (Kept::Smf(number), kept::write(smf))))
                .chain((0..).zip(&self.upfs).map(|(number, upf)| (Kept::Upf(number), kept::write(&upf.kept()))))
                .chain(self.pfds.iter().map(|(number, elements)| (Kept::Pfds(*number), elements.clone())))
        };
        let first = after.is_none().then(peers).into_iter().flatten();
        let sessions = self.sessions.iter_after(after.map(SessionId::of));
        first.chain(
            sessions.filter_map(|(id, session)| Some((Kept::Session(id.seid()), self.kept_session(session)?))),
        )
    }

    /// Says what is to be kept of the front end itself.
    pub(crate) fn keep_front_end(&mut self) {
        let (of, value) = self.kept_front_end();
        self.push(Output::Keep { of, value: Some(value) });
    }

    /// Says what is to be kept of an SMF.
    pub(crate) fn keep_smf(&mut self, number: u16) {
        if let Some(smf) = self.smfs.get(usize::from(number)) {
            let value = kept::write(smf);
            self.push(Output::Keep { of: Kept::Smf(number), value: Some(value) });
        }
    }

    /// Says what is to be kept of a UPF.
    pub(crate) fn keep_upf(&mut self, number: u16) {
        if let Some(upf) = self.upfs.get(usize::from(number)) {
            let value = kept::write(&upf.kept());
            self.push(Output::Keep { of: Kept::Upf(number), value: Some(value) });
        }
    }

    /// Says what is to be kept of a session; nothing where it is no more.
    pub(crate) fn keep_session(&mut self, id: SessionId) {
        let session = self.sessions.get(id);
        if session.is_some_and(|session| session.phase == Phase::Restoring) {
            // What was said of it holds until it is there again, or is no more.
            return;
        }
        let value = session.and_then(|session| self.kept_session(session));
        self.push(Output::Keep { of: Kept::Session(id.seid()), value });
    }

    fn kept_front_end(&self) -> (Kept, Bytes) {
        let kept = KeptFrontEnd {
            layout: LAYOUT,
            address: self.settings.address,
            stamp: self.stamp,
            numbers: self.outbound.end(),
            load: self.load,
            overload: self.overload.map(|(number, ..)| number),
            mode: self.settings.mode,
            node: self.redirect.node.clone(),
        };
        (Kept::FrontEnd, kept::write(&kept))
    }

    fn kept_session(&self, session: &Session) -> Option<Bytes> {
        // One that is to end is there still until its UPF says so.
        let wish = session.under_way.wish.clone();
        let there = matches!(session.phase, Phase::Open | Phase::Closing) && session.upf_seid != 0;
        if !there && wish.is_none() {
            return None;
        }
        Some(kept::write(&KeptSession {
            smf: (session.smf, session.smf_seid, session.smf_address),
            smf_life: session.smf_life,
            upf: (session.upf, session.upf_seid, session.upf_address),
            tunnels: self.plane.kept(&session.tunnels),
            places: session
                .tunnels
                .places()
                .map(|((place, redundant), ours)| {
                    let (rule, number) = match place {
                        Place::Rule(number) => (true, number),
                        Place::Endpoint(number) => (false, number.into()),
                    };
                    (rule, number, redundant, ours)
                })
                .collect(),
            peers: session.tunnels.peers.kept().to_vec(),
            rules: session.rules.as_ref().map(Rules::bytes),
            marks: session.marks.iter().map(|(kind, mark)| ((*kind).into(), mark.clone())).collect(),
            followers: session.followers.iter().map(|follower| follower.seid()).collect(),
            forsaken: session.under_way.forsaken && session.smf_life == self.smf_life(session.smf),
            wish,
        }))
    }

    fn session_was(&mut self, id: SessionId, kept: &KeptSession<'_>, upf: u16) -> Vec<TunnelChange> {
        let places = kept.places.iter().map(|(rule, number, redundant, ours)| {
            let place = if *rule { Place::Rule(*number) } else { Place::Endpoint(number.to_be_bytes()[1]) };
            ((place, *redundant), *ours)
        });
        let (tunnels, changes) =
            self.plane.take_over(id, &kept.tunnels, Tunnels::placed(places, Peers::of(&kept.peers)));
        let (smf, smf_seid, smf_address) = kept.smf;
        let (_, upf_seid, upf_address) = kept.upf;
        let forsaken = kept.forsaken || kept.smf_life != self.smf_life(smf);
        let rules = kept.rules.map(Rules::kept);
        let lost = !self.upf_is_there(upf) && !self.redirects();
        let phase = match &kept.wish {
            Some(_) => Phase::Opening,
            // Its UPF was lost already, and it was to be made again.
            None if lost && !forsaken => Phase::Restoring,
            None => Phase::Open,
        };
        if phase == Phase::Restoring {
            self.chores.push_back(Chore::Restore(id));
        }
        let marks = kept.marks.iter().map(|(kind, mark)| ((*kind).into(), mark.clone())).collect();
        let wish = kept.wish.clone();
        let under_way = UnderWay { asked: wish.is_some(), wish, forsaken, ..UnderWay::default() };
        if forsaken {
            self.chores.push_back(Chore::Abandon(id));
        }
        let session = Session {
            phase,
            smf,
            smf_seid,
            smf_address,
            smf_life: kept.smf_life,
            upf,
            upf_seid,
            upf_address,
            tunnels,
            rules,
            marks,
            followers: kept.followers.iter().map(|seid| SessionId::of(*seid)).collect(),
            under_way,
        };
        self.sessions.put(id, session);
        self.lead(id);
        self.count_in(smf, upf);
        match &kept.wish {
            Some(wish) => self.wish_again(id, upf_address, wish),
            None => drop(self.before.insert((smf_address, smf_seid), id)),
        }
        changes
    }

    /// Asks a UPF once more what it was asked: where it has answered, it answers the same (TS 29.244 6.4).
    fn wish_again(&mut self, id: SessionId, to: IpAddr, wish: &Wish) {
        let bytes = Bytes::copy_from_slice(&wish.asked);
        let Ok(message) = Message::parse(&bytes) else { return self.end(id) };
        let (number, kind) = (message.sequence(), message.message_type());
        let request = wish.request.as_ref().map(|request| Bytes::copy_from_slice(request));
        // Its sender is answered as the UPF answers.
        self.see(wish.origin);
        self.post((to, number), kind, bytes, Purpose::Establish { origin: wish.origin, session: id, request });
    }
}

fn read<'a, T: Deserialize<'a>>(of: Kept, bytes: &'a [u8]) -> Result<T, TakeError> {
    kept::read(bytes).ok_or(TakeError::Value(of))
}
