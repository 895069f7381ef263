//! Which AMF a UE gets: a short list of rules, each of which gives an AMF its points or none. The most points get the UE; among
//! those that have as many, capacity shares it out.

use std::sync::Arc;

use pinion_protocols::nas;
use pinion_protocols::ngap::value::{AmfSetId, Plmn, RrcEstablishmentCause, UserLocation};
use pinion_protocols::ngap::{ElementType, Error, FiveGSTmsi, Guami, Message};

use crate::amfs::{AmfId, gave, set_of};
use crate::front::FrontEnd;
use crate::gnbs::GnbId;
use crate::upstreams::Upstream;

/// What an AMF gets points for, the weightiest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It serves the UE's PLMN.
    Plmn,
    /// It does not ask to be spared such a UE (TS 38.413 8.7.7).
    Load,
    /// It is of the AMF set that the message was rerouted to (8.6.5).
    NamedSet,
    /// It gave the UE its identity: its GUAMI is that within 5G-S-TMSI or 5G-GUTI.
    Owner,
    /// It stands in for the one that did, which has given up that GUAMI (8.7.6).
    Backup,
    /// It is of the AMF set of the one that did.
    SameSet,
}

impl Rule {
    /// All, the weightiest first.
    pub const ALL: [Self; 6] = [Self::Plmn, Self::Load, Self::NamedSet, Self::Owner, Self::Backup, Self::SameSet];

    /// What it is worth: more than all behind it together.
    #[must_use]
    pub const fn points(self) -> u8 {
        match self {
            Self::Plmn => 32,
            Self::Load => 16,
            Self::NamedSet => 8,
            Self::Owner => 4,
            Self::Backup => 2,
            Self::SameSet => 1,
        }
    }
}

/// The points of an AMF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Points(u8);

impl Points {
    /// All together.
    #[must_use]
    pub const fn sum(self) -> u8 {
        self.0
    }

    /// Whether some are for this.
    #[must_use]
    pub const fn has(self, rule: Rule) -> bool {
        self.0 & rule.points() > 0
    }

    /// The rules that they are for, the weightiest first.
    pub fn rules(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.into_iter().filter(move |rule| self.has(*rule))
    }

    const fn with(self, rule: Rule, given: bool) -> Self {
        if given { Self(self.0 | rule.points()) } else { self }
    }
}

impl FromIterator<Rule> for Points {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        rules.into_iter().fold(Self::default(), |points, rule| points.with(rule, true))
    }
}

/// Why an AMF gets no initial message, whoever the UE is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Barred {
    /// The gNB is not set up with it.
    NotSetUp,
    /// It is configured no more.
    Removed,
    /// It is drained.
    Drained,
    /// Its weight is 0.
    NoWeight,
    /// Its relative capacity is 0.
    NoCapacity,
    /// It has given up all of its GUAMIs.
    NoGuami,
    /// It does not want this one.
    LetGo,
}

/// What the rules say of an AMF.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// The AMF, `POOL/NAME`.
    pub amf: Arc<str>,
    /// Its points, or why it cannot have any.
    pub verdict: Result<Points, Barred>,
    /// Relative capacity times configured weight.
    pub weight: u64,
    /// Percent of such UEs that it gets.
    pub share: u8,
    /// Percent of such UEs that it asks to be spared; 0: none.
    pub overload: u8,
}

/// What says which AMF a UE gets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// The AMF set that the message was rerouted to.
    pub(crate) set: Option<u16>,
    /// Who the UE is to its AMF.
    pub(crate) identity: Option<Identity>,
    pub(crate) plmn: Option<Plmn>,
    pub(crate) cause: Option<RrcEstablishmentCause>,
    /// An AMF that does not want it.
    pub(crate) not: Option<AmfId>,
}

/// Who a UE is to the AMF that it had last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// By 5G-S-TMSI, which says nothing of the region.
    Tmsi(FiveGSTmsi),
    /// By the GUAMI within a 5G-GUTI, and the 5G-TMSI where it is known.
    Guami(Guami, Option<[u8; 4]>),
}

impl Identity {
    /// The 5G-S-TMSI.
    #[must_use]
    pub fn tmsi(self) -> Option<FiveGSTmsi> {
        match self {
            Self::Tmsi(tmsi) => Some(tmsi),
            Self::Guami(Guami { set, pointer, .. }, tmsi) => Some(FiveGSTmsi { set, pointer, tmsi: tmsi? }),
        }
    }

    /// The GUAMI within a 5G-GUTI.
    pub(crate) fn guami(self) -> Option<Guami> {
        match self {
            Self::Guami(guami, _) => Some(guami),
            Self::Tmsi(_) => None,
        }
    }

    /// Whether an AMF of a GUAMI gave it.
    fn is_of(self, guami: &Guami) -> bool {
        match self {
            Self::Tmsi(tmsi) => gave(guami, tmsi),
            Self::Guami(own, _) => own == *guami,
        }
    }

    /// Whether a GUAMI is of the set of the AMF that gave it.
    fn is_akin(self, guami: &Guami) -> bool {
        match self {
            Self::Tmsi(tmsi) => guami.set == tmsi.set,
            Self::Guami(own, _) => set_of(&own) == set_of(guami),
        }
    }
}

impl Wish {
    pub(crate) fn read(message: &Message<'_>) -> Result<Self, Error> {
        let tmsi = message.get(ElementType::FiveGSTmsi)?;
        let location = message.get::<UserLocation>(ElementType::UserLocationInformation)?;
        let selected = message.get(ElementType::SelectedPlmn)?;
        Ok(Self {
            set: message.get::<AmfSetId>(ElementType::AmfSetId)?.map(|set| set.0),
            identity: match tmsi {
                Some(tmsi) => Some(Identity::Tmsi(tmsi)),
                None => in_the_clear(message)?,
            },
            plmn: selected.or(location.and_then(|location| location.tai()).map(|tai| tai.plmn)),
            cause: message.get(ElementType::RrcEstablishmentCause)?,
            not: None,
        })
    }

    /// Whether an AMF offers a GUAMI that fits the UE's identity.
    fn has(&self, upstream: &Upstream, fits: impl Fn(Identity, &Guami) -> bool) -> bool {
        self.identity.is_some_and(|identity| upstream.offered().any(|guami| fits(identity, guami)))
    }

    /// Whether an AMF stands in for one that gave up the GUAMI of the UE (8.7.6).
    fn is_backup<'a>(&self, upstream: &Upstream, mut others: impl Iterator<Item = &'a Upstream>) -> bool {
        let Some(identity) = self.identity else { return false };
        others.any(|other| {
            let given_up = other.unavailable.iter().filter(|it| identity.is_of(&it.guami));
            given_up.filter_map(|it| it.backup.as_ref()).any(|backup| upstream.is_named(backup))
        })
    }

    pub(crate) fn is_in_named_set(&self, upstream: &Upstream) -> bool {
        self.set.is_some_and(|set| upstream.offered().any(|it| it.set == set))
    }
}

/// The identity within a request in the clear. NAS that cannot be read is the AMF's affair.
pub(crate) fn in_the_clear(message: &Message<'_>) -> Result<Option<Identity>, Error> {
    let Some(raw) = message.elements().find(ElementType::NasPdu)? else { return Ok(None) };
    let pdu = raw.octets()?.joined();
    let identity = nas::Message::parse(&pdu).and_then(|message| message.identity());
    Ok(match identity {
        Ok(Some(nas::Identity::Guti { guami, tmsi })) => Some(Identity::Guami(guami, Some(tmsi))),
        Ok(Some(nas::Identity::STmsi(tmsi))) => Some(Identity::Tmsi(tmsi)),
        _ => None,
    })
}

/// What the rules say of an AMF, before it has a name.
#[derive(Clone, Copy, Debug)]
struct Judged {
    amf: AmfId,
    verdict: Result<Points, Barred>,
    weight: u64,
}

/// The AMFs that have the most points.
fn best(all: &[Judged]) -> impl Iterator<Item = (AmfId, Points, u64)> + Clone {
    let able = |it: &Judged| Some((it.amf, it.verdict.ok()?, it.weight));
    let most = all.iter().filter_map(able).map(|it| it.1).max();
    all.iter().filter_map(able).filter(move |it| Some(it.1) == most)
}

/// The one of the best that a number falls on, by weight.
fn drawn(all: &[Judged], roll: u32) -> Option<(AmfId, Points)> {
    let total = best(all).fold(0_u64, |sum, it| sum.saturating_add(it.2));
    let mut left = u64::from(roll).checked_rem(total)?;
    let chosen = best(all).find(|it| match left.checked_sub(it.2) {
        Some(less) => {
            left = less;
            false
        }
        None => true,
    });
    chosen.map(|(amf, points, _)| (amf, points))
}

impl FrontEnd {
    /// An AMF for a UE, and its points.
    pub(crate) fn choose(&mut self, gnb: GnbId, wish: &Wish) -> Option<(AmfId, Points)> {
        let mut random = self.random.clone();
        let all = self.judge(gnb, wish, |percent| random.word() % 100 < percent.into());
        let chosen = drawn(&all, random.word());
        self.random = random;
        let (_, points) = chosen?;
        // One that is not spared would have been as good.
        let is_spared = |it: &Judged| {
            let there = it.verdict.ok().filter(|it| !it.has(Rule::Load));
            there.is_some_and(|it| points.has(Rule::Load) && it.with(Rule::Load, true) >= points)
        };
        self.counts.steered += u64::from(all.iter().any(is_spared));
        chosen
    }

    /// What the rules say of every AMF for a UE of a gNB. `spares` says whether this UE is one of the percentage that an AMF
    /// asks to be spared.
    fn judge(&self, gnb: GnbId, wish: &Wish, mut spares: impl FnMut(u8) -> bool) -> Vec<Judged> {
        let Some(it) = self.gnbs.get(&gnb) else { return Vec::new() };
        let mut all = Vec::with_capacity(it.upstreams.len());
        for (&amf, upstream) in &it.upstreams {
            let weight = self.amfs.get(amf).map_or(0, |it| it.config.weight);
            let weight = u64::from(upstream.served.capacity).saturating_mul(weight.into());
            let verdict = match self.barred(amf, upstream) {
                Some(why) => Err(why),
                None if wish.not == Some(amf) => Err(Barred::LetGo),
                None => {
                    let asked = upstream.spared(wish.cause);
                    let points = Points::default()
                        .with(Rule::Plmn, wish.plmn.is_some_and(|plmn| upstream.served.serves(plmn)))
                        .with(Rule::Load, asked == 0 || !spares(asked))
                        .with(Rule::NamedSet, wish.is_in_named_set(upstream))
                        .with(Rule::Owner, wish.has(upstream, Identity::is_of))
                        .with(Rule::Backup, wish.is_backup(upstream, it.upstreams.values()))
                        .with(Rule::SameSet, wish.has(upstream, Identity::is_akin));
                    Ok(points)
                }
            };
            all.push(Judged { amf, verdict, weight });
        }
        all
    }

    /// Why an AMF gets no initial message at all.
    fn barred(&self, amf: AmfId, upstream: &Upstream) -> Option<Barred> {
        let Some(known) = self.amfs.get(amf).filter(|it| !it.gone) else { return Some(Barred::Removed) };
        if known.config.drained {
            Some(Barred::Drained)
        } else if known.config.weight == 0 {
            Some(Barred::NoWeight)
        } else if !upstream.is_up() {
            Some(Barred::NotSetUp)
        } else if upstream.served.capacity == 0 {
            Some(Barred::NoCapacity)
        } else if upstream.offered().next().is_none() {
            // It is leaving.
            Some(Barred::NoGuami)
        } else {
            None
        }
    }

    /// What the rules say by now of every AMF, by name, of a UE that comes to a gNB to signal. An AMF that asks to be spared
    /// some of them has no points for its load.
    pub(crate) fn candidates(&self, gnb: GnbId, wish: &Wish) -> Vec<Candidate> {
        let cause = wish.cause.or(Some(RrcEstablishmentCause::MoSignalling));
        let all = self.judge(gnb, &Wish { cause, ..wish.clone() }, |_| true);
        let total = best(&all).fold(0_u64, |sum, it| sum.saturating_add(it.2));
        let shown = |it: &Judged| {
            let weight = best(&all).find(|(amf, ..)| *amf == it.amf).map_or(0, |it| it.2);
            let share = weight.saturating_mul(100).checked_div(total).and_then(|it| u8::try_from(it).ok());
            Candidate {
                amf: self.amfs.name(it.amf),
                verdict: it.verdict,
                weight: it.weight,
                share: share.unwrap_or_default(),
                overload: self.upstream(gnb, it.amf).map_or(0, |it| it.spared(cause)),
            }
        };
        all.iter().map(shown).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_outweighs_all_behind_it() {
        for (place, rule) in Rule::ALL.iter().enumerate() {
            let behind: u8 = Rule::ALL[place + 1..].iter().map(|it| it.points()).sum();
            assert!(rule.points() > behind, "{rule:?}");
        }
    }

    #[test]
    fn the_best_share_what_comes_by_weight() {
        let judged = |amf, verdict, weight| Judged { amf: AmfId(amf), verdict, weight };
        let (known, unknown) = (Points(20), Points(16));
        let all = [
            judged(0, Ok(unknown), 1_000),
            judged(1, Ok(known), 10),
            judged(2, Err(Barred::Drained), 1_000),
            judged(3, Ok(known), 30),
        ];
        let count = |amf| (0..400).filter(|&roll| drawn(&all, roll).map(|it| it.0) == Some(AmfId(amf))).count();
        assert_eq!([0, 1, 2, 3].map(count), [0, 100, 0, 300]);
        assert_eq!(drawn(&all[2..3], 7), None);
    }
}
