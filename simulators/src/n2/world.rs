//! All of them.

mod uplink;

use bytes::Bytes;
use pinion_exchange::random::Random;

use super::amf::{Amf, AmfConfig};
use super::radio::{Loss, Radio};
use super::{Sent, below};

pub use uplink::Uplink;

/// One end of an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A gNB, whose only one it is.
    Gnb(usize),
    /// An AMF, and the association's number there.
    Amf(usize, u64),
}

/// An AMF that is to take nobody new.
#[derive(Debug)]
struct Drain {
    amf: usize,
    /// The first time of the test at which it may take nobody.
    since: u32,
    /// The first time at which it must not.
    after: Option<u32>,
}

/// gNBs, UEs and AMFs, without what is between them.
#[derive(Debug)]
pub struct World {
    radio: Radio,
    amfs: Vec<Amf>,
    /// AMFs that died.
    dead: Vec<usize>,
    drained: Vec<Drain>,
    /// What was wrong before an AMF drained or died.
    early: Vec<String>,
    /// UEs that have begun once.
    begun: u32,
    ues: u32,
    random: Random,
}

impl World {
    /// Nobody has an association yet, and UEs are switched off.
    #[must_use]
    pub fn new(gnbs: usize, ues: u32, amfs: Vec<AmfConfig>, seed: u64) -> Self {
        let amf = |config: AmfConfig| {
            let seed = seed.wrapping_add(config.number.into());
            Amf::new(config, seed)
        };
        Self {
            radio: Radio::new(gnbs, ues, seed),
            amfs: amfs.into_iter().map(amf).collect(),
            dead: Vec::new(),
            drained: Vec::new(),
            early: Vec::new(),
            begun: 0,
            ues,
            random: Random::new(!seed),
        }
    }

    /// The gNBs and UEs.
    #[must_use]
    pub fn radio(&self) -> &Radio {
        &self.radio
    }

    /// The AMFs.
    #[must_use]
    pub fn amfs(&self) -> &[Amf] {
        &self.amfs
    }

    /// How many UEs are registered.
    #[must_use]
    pub fn registered(&self) -> usize {
        self.radio.registered()
    }

    /// Messages that came to somebody.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.amfs.iter().map(Amf::messages).sum::<u64>().saturating_add(self.radio.messages())
    }

    /// There is an association, on which `streams` may be sent on.
    pub fn established(&mut self, at: Place, streams: u16) {
        match at {
            Place::Gnb(gnb) => self.radio.established(gnb, streams),
            Place::Amf(amf, association) => {
                if let Some(amf) = self.living(amf) {
                    amf.established(association, streams);
                }
            }
        }
    }

    /// An association ended.
    pub fn closed(&mut self, at: Place) {
        match at {
            Place::Gnb(gnb) => self.radio.closed(gnb),
            Place::Amf(amf, association) => {
                if let Some(amf) = self.living(amf) {
                    amf.closed(association);
                }
            }
        }
    }

    /// A user message of SCTP came.
    pub fn receive(&mut self, at: Place, stream: u16, protocol: u32, bytes: &Bytes) {
        match at {
            Place::Gnb(gnb) => self.radio.receive(gnb, stream, protocol, bytes),
            Place::Amf(amf, association) => {
                if let Some(amf) = self.living(amf) {
                    amf.receive(association, stream, protocol, bytes);
                }
            }
        }
    }

    /// What is sent next, and at which end of which association.
    pub fn take(&mut self) -> Option<(Place, Sent)> {
        if let Some((gnb, sent)) = self.radio.output() {
            return Some((Place::Gnb(gnb), sent));
        }
        let mut amfs = self.amfs.iter_mut().enumerate();
        amfs.find_map(|(number, amf)| {
            amf.output().map(|(association, sent)| (Place::Amf(number, association), sent))
        })
    }

    /// Has UEs begin something until so many are busy: at first those that never began.
    pub fn keep_busy(&mut self, most: usize) {
        // Those that are busy already are met by chance.
        for _ in 0..most.saturating_mul(4) {
            if self.radio.busy() >= most {
                return;
            }
            self.begin();
        }
    }

    /// Whether every UE has begun once.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun >= self.ues
    }

    /// A UE begins something, unless something is under way.
    pub fn begin(&mut self) {
        let ue = if self.begun < self.ues {
            self.begun = self.begun.saturating_add(1);
            self.begun.saturating_sub(1)
        } else {
            u32::try_from(below(&mut self.random, usize::try_from(self.ues).unwrap_or_default()))
                .unwrap_or_default()
        };
        if let Some(pointer) = self.radio.begin(ue) {
            let owner = self.amfs.iter().position(|amf| amf.config().number == pointer);
            if let Some(amf) = owner.and_then(|owner| self.living(owner)) {
                amf.page(ue);
            }
        }
    }

    /// Has every UE that is connected and not busy fall idle.
    pub fn rest(&mut self) {
        for ue in 0..self.ues {
            self.radio.rest(ue);
        }
    }

    /// UEs whose AMF died come to another, as soon as they know that they have lost their connection; and so do UEs that
    /// began once and are switched off.
    pub fn come_back(&mut self) {
        let Self { radio, amfs, dead, .. } = self;
        let pointers: Vec<_> = dead.iter().filter_map(|&amf| Some(amfs.get(amf)?.config().number)).collect();
        for ue in 0..self.begun {
            radio.come_back(ue, |pointer| pointers.contains(&pointer));
        }
    }

    /// An AMF dies: what comes from now on it does not see.
    pub fn kill(&mut self, amf: usize) {
        self.early.extend(self.strangers());
        self.dead.push(amf);
        if let Some(amf) = self.amfs.get_mut(amf) {
            while amf.output().is_some() {}
        }
    }

    /// From now on an AMF may take nobody new; it must not after [`World::drained`].
    pub fn drains(&mut self, amf: usize) {
        self.early.extend(self.strangers());
        let since = self.radio.mark();
        self.drained.push(Drain { amf, since, after: None });
    }

    /// What is begun from now on must not come to an AMF that drains.
    pub fn drained(&mut self) {
        let mark = self.radio.mark();
        for drain in &mut self.drained {
            drain.after.get_or_insert(mark);
        }
    }

    /// What must not be: violations, messages that were sent and never came, UEs of living AMFs that were lost. To be asked
    /// while nothing is under way; empty is good.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let living = self.amfs.iter().enumerate().filter(|(number, _)| !self.dead.contains(number));
        let violations = living.clone().flat_map(|(_, amf)| amf.violations()).chain(self.radio.violations());
        let mut faults: Vec<String> = violations.map(ToString::to_string).chain(self.early.clone()).collect();
        faults.extend(living.flat_map(|(_, amf)| self.unlike(amf)));
        let lost = self.radio.losses().iter().chain(self.radio.strays()).filter(|loss| !self.may_be(loss));
        faults.extend(lost.map(|loss| format!("UE {} of AMF {:?} is lost", loss.ue, loss.amf)));
        faults.extend(self.never_came());
        faults.extend(self.strangers());
        if self.radio.busy() > 0 {
            faults.push(format!("{} UEs wait", self.radio.busy()));
        }
        faults
    }

    fn living(&mut self, amf: usize) -> Option<&mut Amf> {
        if self.dead.contains(&amf) { None } else { self.amfs.get_mut(amf) }
    }

    fn is_dead(&self, number: u32) -> bool {
        self.dead.iter().filter_map(|&amf| self.amfs.get(amf)).any(|amf| u32::from(amf.config().number) == number)
    }

    /// Whether a UE may be lost: its AMF died, or had not yet answered, and it did not belong to one that lives.
    fn may_be(&self, loss: &Loss) -> bool {
        let may_leave = |number: u8| self.is_dead(number.into()) || self.drain_of(number).is_some();
        loss.amf.map_or_else(|| !self.dead.is_empty() && loss.of.is_none_or(may_leave), |amf| self.is_dead(amf))
    }

    fn drain_of(&self, number: u8) -> Option<&Drain> {
        let which = |amf: usize| self.amfs.get(amf).is_some_and(|amf| amf.config().number == number);
        self.drained.iter().find(|drain| which(drain.amf))
    }

    /// What of an AMF's UEs was not counted alike on both sides.
    fn unlike(&self, amf: &Amf) -> Vec<String> {
        let number = amf.config().number;
        let differs = amf.legs().filter_map(|(gnb, ran, there)| {
            let Some(here) = self.radio.leg(gnb, ran) else {
                return Some(format!("AMF {number} has UE {}, gNB {gnb} has not", there.ue));
            };
            let same = (here.ue, here.life, here.sent, here.got) == (there.ue, there.life, there.got, there.sent);
            let (up, down) = ((there.got, here.sent), (here.got, there.sent));
            (!same).then(|| {
                format!(
                    "UE {}, RAN UE NGAP ID {ran} of gNB {gnb}, AMF {number}: up {up:?} came, down {down:?}",
                    there.ue
                )
            })
        });
        let mut all: Vec<_> = differs.collect();
        for (&gnb, &sent) in amf.paged() {
            let paged = self.radio.paged(usize::try_from(gnb).unwrap_or_default());
            let came = paged.and_then(|paged| paged.get(&number.into())).copied().unwrap_or_default();
            if came != sent {
                all.push(format!("AMF {number} paged {sent} times at gNB {gnb}, where {came} came"));
            }
        }
        all
    }

    /// UEs at gNBs whose AMF lives and has never heard of them.
    fn never_came(&self) -> Vec<String> {
        let known: std::collections::BTreeSet<_> = self
            .amfs
            .iter()
            .flat_map(|amf| amf.legs().map(|(gnb, ran, _)| (u32::from(amf.config().number), gnb, ran)))
            .collect();
        let lacks = self.radio.legs().filter_map(|(gnb, ran, amf)| {
            let amf = amf?;
            let there = (amf, u32::try_from(gnb).unwrap_or_default(), ran);
            (!self.is_dead(amf) && !known.contains(&there))
                .then(|| format!("AMF {amf} has not UE {ran} of gNB {gnb}"))
        });
        lacks.collect()
    }

    /// UEs that came to another AMF than to that which gave them their identity, though that took them; and those that came
    /// to one that took nobody new.
    fn strangers(&self) -> Vec<String> {
        let mut all = Vec::new();
        for amf in &self.amfs {
            let number = amf.config().number;
            for stranger in amf.strangers() {
                // What was under way when it began to drain may go elsewhere.
                let drain = self.drain_of(stranger.of);
                let drains = drain.is_some_and(|drain| stranger.mark.saturating_add(1) >= drain.since);
                if !drains && !self.is_dead(stranger.of.into()) {
                    all.push(format!("UE {} of AMF {} came to AMF {number}", stranger.ue, stranger.of));
                }
            }
            let came = self.drain_of(number).and_then(|drain| Some(amf.initials_since(drain.after?)));
            if let Some(came) = came.filter(|&came| came > 0) {
                all.push(format!("{came} UEs came to AMF {number}, which is drained"));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two gNBs without anybody between them and one AMF; what `spoil` says of a message that was sent happens to it.
    fn run(spoil: impl Fn(usize, &Place, Sent) -> Option<(Place, Sent, u32)>) -> World {
        let mut world = World::new(2, 200, vec![AmfConfig::new(3)], 7);
        for gnb in [0, 1] {
            world.established(Place::Amf(0, gnb), 6);
            world.established(Place::Gnb(usize::try_from(gnb).unwrap()), 9);
        }
        let mut number = 0;
        for procedures in (0..250).rev() {
            if procedures > 0 {
                world.keep_busy(20);
            }
            while let Some((from, sent)) = world.take() {
                let to = match from {
                    Place::Gnb(gnb) => Place::Amf(0, gnb as u64),
                    Place::Amf(_, gnb) => Place::Gnb(usize::try_from(gnb).unwrap()),
                };
                number += 1;
                if let Some((to, sent, protocol)) = spoil(number, &to, sent) {
                    world.receive(to, sent.stream, protocol, &sent.bytes);
                }
            }
        }
        world
    }

    #[test]
    fn nothing_is_wrong_where_nobody_is_between_them() {
        let world = run(|_, &to, sent| Some((to, sent, 60)));
        assert_eq!(world.faults(), Vec::<String>::new());
        let done: Vec<_> = world.radio().done().keys().copied().collect();
        let wanted = [
            "answers paging",
            "connects",
            "deregisters",
            "falls idle",
            "is answered",
            "moves by handover",
            "moves by path switch",
        ];
        assert_eq!(done, wanted);
        assert!(world.messages() > 20_000);
        assert_eq!(world.radio().connected(), world.amfs()[0].ues());
    }

    #[test]
    fn what_is_lost_misrouted_or_on_another_stream_is_found() {
        let at = 5_000;
        let lost = run(|number, &to, sent| (number != at).then_some((to, sent, 60)));
        assert!(lost.faults().iter().any(|fault| fault.contains("came") || fault.contains("wait")));
        let elsewhere = run(|number, &to, sent| {
            let other = match to {
                Place::Gnb(gnb) => Place::Gnb(1 - gnb),
                Place::Amf(amf, gnb) => Place::Amf(amf, 1 - gnb),
            };
            Some((if number == at { other } else { to }, sent, 60))
        });
        assert!(elsewhere.faults().len() > 1);
        let streams = run(|number, &to, sent| {
            let stream = if number == at { 0 } else { sent.stream };
            Some((to, Sent { stream, ..sent }, 60))
        });
        assert!(
            streams.faults().iter().any(|fault| fault.contains("on another stream")),
            "{:?}",
            streams.faults()
        );
        let protocol = run(|number, &to, sent| Some((to, sent, if number == at { 0 } else { 60 })));
        assert!(protocol.faults().iter().any(|fault| fault.contains("payload protocol 0")));
    }

    #[test]
    fn an_amf_that_drains_or_dies_may_lose_what_others_may_not() {
        let mut world = run(|_, &to, sent| Some((to, sent, 60)));
        let dead = Loss { ue: 1, amf: Some(3), of: None };
        assert!(!world.may_be(&dead));
        world.kill(0);
        assert!(world.may_be(&dead) && world.may_be(&Loss { amf: None, of: Some(3), ..dead }));
        assert!(
            !world.may_be(&Loss { amf: Some(4), ..dead })
                && !world.may_be(&Loss { amf: None, of: Some(4), ..dead })
        );
    }
}
