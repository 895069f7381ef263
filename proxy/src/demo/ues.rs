//! The UEs: what they do, what gNBs and AMFs say of it, and what became of it.
//!
//! UEs register, fall idle, ask for service, are paged, move to other gNBs and leave, at a steady pace and whatever happens
//! to others. Every message says whose it is and which of its messages; who gets it looks
//! ([`pinion_simulators`]).

use std::collections::BTreeMap;
use std::time::Duration;

use pinion_protocols::sctp::endpoint::{Event, Time};
use pinion_simulators::n2::{AmfConfig, Place, Sent, Uplink, World};
use serde::Serialize;

use super::cast::{self, Member, Role};
use super::ledger::Tally;

/// Time from one thing that a UE begins to the next that one begins.
const PACE: Duration = Duration::from_millis(8);

/// What is random comes from here.
const SEED: u64 = 38;

/// How the UEs are driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// They are switched off.
    Off,
    /// They do what they do.
    Busy,
    /// The same, and those of an AMF that died come back.
    Returning,
    /// They come back, and begin nothing else.
    Quiet,
}

/// The UEs.
#[derive(Debug)]
pub(crate) struct Ues {
    world: World,
    mood: Mood,
    next: Time,
    /// The AMF that each UE had last.
    owners: Vec<Option<u8>>,
    /// Whether each UE was registered ever.
    known: Vec<bool>,
    /// From which AMF UEs moved to another.
    left: Vec<u8>,
    killed: Vec<u8>,
}

/// How often UEs did what they do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Deeds {
    /// They fell idle.
    pub(crate) idled: u64,
    /// They answered to paging.
    pub(crate) paged: u64,
    /// They moved to another gNB that told the AMF (Path Switch).
    pub(crate) switched: u64,
    /// They were handed over to another gNB by the AMF.
    pub(crate) handed_over: u64,
}

impl Deeds {
    /// Whether there was some of everything.
    pub(crate) fn are_all(self) -> bool {
        let Self { idled, paged, switched, handed_over } = self;
        [idled, paged, switched, handed_over].iter().all(|count| *count > 0)
    }
}

impl Ues {
    /// All switched off.
    pub(crate) fn new() -> Self {
        let ues = usize::try_from(cast::UES).unwrap_or_default();
        let amfs = (1..=cast::AMFS).map(AmfConfig::new).collect();
        Self {
            world: World::new(cast::GNBS.into(), cast::UES, amfs, SEED),
            mood: Mood::Off,
            next: Time::ZERO,
            owners: vec![None; ues],
            known: vec![false; ues],
            left: Vec::new(),
            killed: Vec::new(),
        }
    }

    /// They begin to do what they do.
    pub(crate) fn begin(&mut self, now: Time) {
        (self.mood, self.next) = (Mood::Busy, now);
    }

    /// Those of an AMF that died come back from now on, as soon as they know.
    pub(crate) fn come_back(&mut self) {
        self.mood = Mood::Returning;
    }

    /// They come to an end with what they are at, and those that are switched off come back.
    pub(crate) fn quiet(&mut self) {
        self.mood = Mood::Quiet;
    }

    /// An AMF dies.
    pub(crate) fn kill(&mut self, amf: Member) {
        if let Some(number) = amf.number.checked_sub(1) {
            self.killed.push(amf.number);
            self.world.kill(number.into());
        }
    }

    /// When [`Ues::expire`] is to be called, at the latest.
    pub(crate) fn deadline(&self) -> Option<Time> {
        (self.mood != Mood::Off).then_some(self.next)
    }

    /// Does what is due.
    pub(crate) fn expire(&mut self, now: Time) {
        if self.deadline().is_none_or(|due| due > now) {
            return;
        }
        // A pause of the program is not made up for.
        self.next = self.next.after(PACE).max(now);
        if matches!(self.mood, Mood::Returning | Mood::Quiet) {
            self.world.come_back();
        }
        if self.mood != Mood::Quiet {
            self.world.begin();
        }
    }

    /// Something happened on an association of a gNB or AMF.
    pub(crate) fn hear(&mut self, member: Member, association: u64, event: Event) {
        let Some(number) = member.number.checked_sub(1).map(usize::from) else { return };
        let place = match member.role {
            Role::Gnb => Place::Gnb(number),
            _ => Place::Amf(number, association),
        };
        match event {
            Event::Established { outbound_streams, .. } => self.world.established(place, outbound_streams),
            Event::Message(it) => {
                self.world.receive(place, it.stream, it.protocol, &it.payload);
                self.follow();
            }
            event if event.is_last() || event == Event::PeerShutdown => self.world.closed(place),
            _ => {}
        }
    }

    /// What is sent next, by whom, and on which association.
    pub(crate) fn output(&mut self) -> Option<(Member, u64, Sent)> {
        let (place, sent) = self.world.take()?;
        let (role, number, association) = match place {
            Place::Gnb(number) => (Role::Gnb, number, 0),
            Place::Amf(number, association) => (Role::Amf, number, association),
        };
        let number = u8::try_from(number).unwrap_or(u8::MAX).saturating_add(1);
        Some((Member { role, number }, association, sent))
    }

    /// Whether every gNB is set up, and with every AMF.
    pub(crate) fn is_set_up(&self) -> bool {
        let gnbs = self.world.radio().gnbs();
        self.world.radio().is_up() && self.world.amfs().iter().all(|amf| amf.is_up(gnbs))
    }

    /// Whether every UE has begun once, and was registered.
    pub(crate) fn have_all_begun(&self) -> bool {
        self.world.has_begun() && self.known.iter().all(|known| *known)
    }

    /// How many UEs each AMF has given their identity.
    pub(crate) fn owners(&self) -> BTreeMap<u8, u64> {
        let mut owners = BTreeMap::new();
        for owner in self.owners.iter().flatten() {
            let count: &mut u64 = owners.entry(*owner).or_default();
            *count = count.saturating_add(1);
        }
        owners
    }

    /// What UEs did.
    pub(crate) fn deeds(&self) -> Deeds {
        let done = self.world.radio().done();
        let many = |what: &str| done.get(what).copied().unwrap_or_default();
        Deeds {
            idled: many("falls idle"),
            paged: many("answers paging"),
            switched: many("moves by path switch"),
            handed_over: many("moves by handover"),
        }
    }

    /// What the UEs come to: `sent` are the messages of gNBs about them, and `answered` those that came to their AMF.
    pub(crate) fn tally(&self) -> Tally {
        let Uplink { sent, came, lost, excused } = self.world.uplink();
        let count = |many: usize| u64::try_from(many).unwrap_or(u64::MAX);
        Tally {
            sessions: count(self.owners.len()),
            sent,
            answered: came,
            lost,
            had_to_be_lost: excused,
            moved: count(self.left.len()),
            had_to_move: count(self.left.iter().filter(|amf| self.killed.contains(amf)).count()),
            silent: count(self.silent()),
        }
    }

    /// How many UEs are not registered, or at an AMF that was killed.
    pub(crate) fn silent(&self) -> usize {
        let is_dead = |amf: &u8| self.killed.contains(amf);
        self.owners.iter().filter(|owner| owner.as_ref().is_none_or(is_dead)).count()
    }

    /// Whether nobody waits for anything, and everybody is registered.
    pub(crate) fn are_settled(&self) -> bool {
        self.world.radio().busy() == 0 && self.silent() == 0 && self.faults().is_empty()
    }

    /// What must not be, once nobody waits for anything.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.world.faults()
    }

    /// Takes down who has moved.
    fn follow(&mut self) {
        let all = self.owners.iter_mut().zip(&mut self.known);
        for ((owner, known), now) in all.zip(self.world.radio().identities()) {
            let before = std::mem::replace(owner, now);
            *known |= now.is_some();
            self.left.extend(before.filter(|before| now.is_some_and(|now| now != *before)));
        }
    }
}
