//! One of several: the same place first, then the lowest priority, and among those by capacity and what of it is free
//! (TS 29.510 6.2.6.2.3, TS 29.500 6.3, 6.4).

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::dice::Dice;
use crate::load::{Reported, Role};
use crate::producer::Producer;

/// What producers say of their load and overload in responses.
pub(super) trait Reports: fmt::Debug + Send + Sync {
    /// Percent of its capacity in use, where it said so (3gpp-Sbi-Lci).
    fn load(&self, producer: &Producer) -> Option<u8>;

    /// Whether a request of such a chance is one of those of a hundred that are not to be sent to it (3gpp-Sbi-Oci).
    fn spares(&self, producer: &Producer, chance: &dyn Fn() -> u64) -> bool;
}

impl Reports for (&Reported, Role) {
    fn load(&self, producer: &Producer) -> Option<u8> {
        self.0.load(producer)
    }

    fn spares(&self, producer: &Producer, chance: &dyn Fn() -> u64) -> bool {
        self.0.spares(producer, self.1, chance)
    }
}

/// What a choice goes by beside profiles.
pub(super) struct Knowledge<'a> {
    /// The place that is preferred.
    pub(super) locality: Option<&'a str>,
    /// Whether one is only to be chosen where there is nobody else. Asked of whom chance points at, not of all.
    pub(super) bad: &'a dyn Fn(&Producer) -> bool,
    /// What producers say.
    pub(super) reports: Option<&'a dyn Reports>,
    /// The request's own chance, the same in all of its attempts. Asked for where somebody is overloaded.
    pub(super) chance: &'a dyn Fn() -> u64,
}

/// Who was picked.
#[derive(Clone, Debug)]
pub(super) struct Picked {
    /// Who.
    pub(super) producer: Arc<Producer>,
    /// Whether it asked to be spared this request, and there is nobody else.
    pub(super) overloaded: bool,
}

/// Those who may be picked: a few, as a rule.
pub(super) type From<'a> = SmallVec<[&'a Arc<Producer>; 8]>;

/// One of them; none where there is none.
#[must_use]
pub(super) fn pick(mut from: From<'_>, knowledge: &Knowledge<'_>, dice: &Dice) -> Option<Picked> {
    let [mut failing, mut overloaded] = [None, None];
    while let Some(index) = draw(&from, knowledge, dice) {
        let producer = from.swap_remove(index);
        // The loss algorithm (TS 29.500 6.4.3.4.3): so many of a hundred go elsewhere.
        let spared = knowledge.reports.is_some_and(|it| it.spares(producer, knowledge.chance));
        if !spared && !(knowledge.bad)(producer) {
            return Some(Picked { producer: Arc::clone(producer), overloaded: false });
        }
        let otherwise = if spared { &mut overloaded } else { &mut failing };
        otherwise.get_or_insert(Picked { producer: Arc::clone(producer), overloaded: spared });
    }
    failing.or(overloaded)
}

/// Which is next, by weight among those that come first.
fn draw(from: &[&Arc<Producer>], knowledge: &Knowledge<'_>, dice: &Dice) -> Option<usize> {
    if from.len() < 2 {
        return (!from.is_empty()).then_some(0);
    }
    let rank = |producer: &Producer| {
        let elsewhere = knowledge.locality.is_some_and(|wanted| producer.locality.as_deref() != Some(wanted));
        (elsewhere, producer.priority)
    };
    let first = from.iter().map(|it| rank(it)).min()?;
    let among = || from.iter().enumerate().filter(|(_, it)| rank(it) == first);
    let weight = |producer: &Producer| {
        let load = knowledge.reports.and_then(|it| it.load(producer)).or(producer.load).unwrap_or(0).min(100);
        match u64::from(producer.capacity) * u64::from(100 - load) {
            // One that is full gets the least there is, one without capacity nothing while another has some.
            0 if producer.capacity > 0 => 1,
            weight => weight,
        }
    };
    let total: u64 = among().map(|(_, it)| weight(it)).sum();
    let mut point = dice.below(total.max(1));
    if total == 0 {
        let nth = dice.below(among().count() as u64);
        return among().nth(usize::try_from(nth).unwrap_or(0)).map(|(index, _)| index);
    }
    among().find_map(|(index, it)| {
        let weight = weight(it);
        if point < weight {
            return Some(index);
        }
        point -= weight;
        None
    })
}

#[cfg(test)]
pub(super) mod fixture {
    use crate::nrf::fixture::root;
    use crate::producer::Producer;

    pub(crate) fn producer(at: &str, priority: u16, capacity: u16) -> Producer {
        let (nf_type, service) = ("UDM".to_owned(), "nudm-sdm".to_owned());
        Producer { nf_type, service, priority, capacity, ..Producer::at(root(at)) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use smallvec::smallvec;

    use super::fixture::producer;
    use super::*;

    const GOOD: &dyn Fn(&Producer) -> bool = &|_| false;
    const NONE: Knowledge<'_> = Knowledge { locality: None, bad: GOOD, reports: None, chance: &|| 0 };

    /// How often each of them is picked of 10,000 times.
    fn picked(from: &[Producer], knowledge: &Knowledge<'_>) -> BTreeMap<String, u32> {
        let (dice, from) = (Dice::new(1), from.iter().cloned().map(Arc::new).collect::<Vec<_>>());
        let mut picked = BTreeMap::new();
        for _ in 0..10_000 {
            let producer = pick(from.iter().collect(), knowledge, &dice).unwrap().producer;
            *picked.entry(producer.api_root.host().to_owned()).or_default() += 1;
        }
        picked
    }

    fn about(picked: &BTreeMap<String, u32>, host: &str, share: u32) {
        let seen = picked.get(host).copied().unwrap_or_default();
        assert!(seen.abs_diff(share) <= 200, "{host}: {seen} and not about {share}");
    }

    #[test]
    fn d6_the_lowest_priority_and_the_place_before_it() {
        let mut from = vec![producer("http://a", 1, 1), producer("http://b", 2, 100), producer("http://c", 3, 1)];
        assert_eq!(picked(&from, &NONE).keys().collect::<Vec<_>>(), ["a"]);
        from[2].locality = Some("east".to_owned());
        let east = Knowledge { locality: Some("east"), ..NONE };
        assert_eq!(picked(&from, &east).keys().collect::<Vec<_>>(), ["c"]);
        let west = Knowledge { locality: Some("west"), ..east };
        assert_eq!(picked(&from, &west).keys().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn d6_shares_by_capacity_and_load() {
        let mut from =
            vec![producer("http://a", 0, 300), producer("http://b", 0, 100), producer("http://c", 0, 0)];
        let shares = picked(&from, &NONE);
        about(&shares, "a", 7_500);
        about(&shares, "b", 2_500);
        from[0].load = Some(50);
        from[1].load = Some(0);
        let shares = picked(&from, &NONE);
        about(&shares, "a", 6_000);
        about(&shares, "b", 4_000);
        let empty = [producer("http://a", 0, 0), producer("http://b", 0, 0)];
        about(&picked(&empty, &NONE), "a", 5_000);
    }

    #[derive(Debug)]
    struct Says;

    impl Reports for Says {
        fn load(&self, producer: &Producer) -> Option<u8> {
            (producer.api_root.host() == "a").then_some(90)
        }

        fn spares(&self, producer: &Producer, chance: &dyn Fn() -> u64) -> bool {
            producer.api_root.host() == "c" && chance() % 100 < 40
        }
    }

    #[test]
    fn d6_load_and_overload_that_producers_report() {
        let dice = Dice::new(1);
        let reports = Knowledge { reports: Some(&Says), chance: &|| dice.below(u64::MAX), ..NONE };
        let from = [producer("http://a", 0, 100), producer("http://b", 0, 100)];
        about(&picked(&from, &reports), "a", 909);
        let from = [producer("http://b", 1, 100), producer("http://c", 0, 100)];
        about(&picked(&from, &reports), "c", 6_000);
        let alone = Arc::new(from[1].clone());
        let spared = (0..10_000).filter(|_| pick(smallvec![&alone], &reports, &dice).unwrap().overloaded).count();
        assert!(spared.abs_diff(4_000) <= 200, "{spared}");
    }

    #[test]
    fn d6_who_fails_comes_last() {
        let bad = |producer: &Producer| producer.api_root.host() != "c";
        let knowledge = Knowledge { bad: &bad, ..NONE };
        let from = [producer("http://a", 0, 100), producer("http://b", 1, 100), producer("http://c", 2, 1)];
        assert_eq!(picked(&from, &knowledge).keys().collect::<Vec<_>>(), ["c"]);
        assert_eq!(picked(&from[..2], &knowledge).keys().collect::<Vec<_>>(), ["a"]);
    }
}
