//! What all AMFs together say of themselves to a gNB.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use pinion_protocols::ngap::ElementType;
use pinion_protocols::ngap::Ngap;
use pinion_protocols::ngap::value::{AmfName, PlmnSupport, ServedGuami, SliceSupport};

use crate::amfs::Served;

/// The most GUAMIs, PLMNs and slices that lists may have (TS 38.413 9.2.6.2, 9.3.1.17).
const MOST: (usize, usize, usize) = (256, 12, 1_024);

/// What all AMFs together say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    pub(crate) guamis: Vec<ServedGuami>,
    pub(crate) capacity: u8,
    pub(crate) plmns: Vec<PlmnSupport>,
}

impl Merged {
    /// The union of what AMFs say, and the sum of their capacities, as far as they take UEs; `names` are those of pool members,
    /// which gNBs do not know: a backup AMF of such a name is none to them.
    pub(crate) fn of<'a>(served: impl Iterator<Item = (&'a Served, bool)>, names: &[&AmfName]) -> Self {
        let mut guamis = Vec::new();
        let mut seen = foldhash::HashSet::default();
        let mut plmns = BTreeMap::<_, PlmnSupport>::new();
        let mut capacity = 0_u8;
        for (served, open) in served {
            if open {
                capacity = capacity.saturating_add(served.capacity);
            }
            for guami in &served.guamis {
                if guamis.len() < MOST.0 && seen.insert(guami.guami) {
                    guamis.push(apart(guami, names));
                }
            }
            for plmn in &served.plmns {
                let room = plmns.len() < MOST.1;
                match plmns.get_mut(&plmn.plmn) {
                    Some(known) => join(&mut known.slices.0, &plmn.slices.0),
                    None if room => drop(plmns.insert(plmn.plmn, plmn.clone())),
                    None => {}
                }
            }
        }
        Self { guamis, capacity, plmns: plmns.into_values().collect() }
    }

    /// What tells it from another.
    pub(crate) fn digest(&self) -> u64 {
        FixedState::with_seed(0).hash_one((&self.guamis, self.capacity, &self.plmns))
    }

    /// Whether it can be said: lists have at least one item.
    pub(crate) fn is_empty(&self) -> bool {
        self.guamis.is_empty() || self.plmns.is_empty()
    }
}

/// A GUAMI without a backup AMF that is in the pool. The longer form of such a name is left out in any case.
fn apart(guami: &ServedGuami, names: &[&AmfName]) -> ServedGuami {
    ServedGuami {
        guami: guami.guami,
        backup: guami.backup.clone().filter(|backup| !names.contains(&backup)),
        extensions: guami.extensions.without::<Ngap>(ElementType::ExtendedBackupAmfName),
    }
}

fn join(known: &mut Vec<SliceSupport>, more: &[SliceSupport]) {
    for slice in more {
        if known.len() < MOST.2 && !known.iter().any(|it| it.slice == slice.slice) {
            known.push(slice.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use pinion_protocols::ngap::Guami;
    use pinion_protocols::ngap::value::{List, Plmn, Slice};

    use super::*;

    fn guami(pointer: u8, backup: Option<&str>) -> ServedGuami {
        let guami = Guami { plmn: [0, 0xf1, 0x10], region: 1, set: 1, pointer };
        ServedGuami { guami, backup: backup.map(|it| AmfName(it.into())), extensions: Default::default() }
    }

    fn served(guamis: Vec<ServedGuami>, plmns: &[(u8, &[u8])], capacity: u8) -> Served {
        let plmns = plmns.iter().map(|&(plmn, slices)| PlmnSupport {
            plmn: Plmn([plmn, 0xf1, 0x10]),
            slices: List(slices.iter().map(|&sst| Slice { sst, sd: None }.into()).collect()),
            extensions: Default::default(),
        });
        Served { name: None, guamis, plmns: plmns.collect(), capacity }
    }

    #[test]
    fn ng_setup_answer_is_the_union_and_the_sum() {
        let a = served(vec![guami(1, Some("b")), guami(2, Some("elsewhere"))], &[(0, &[1])], 200);
        let b = served(vec![guami(2, None), guami(3, None)], &[(1, &[1]), (0, &[1, 2])], 100);
        let names = [&AmfName("a".into()), &AmfName("b".into())];
        let merged = Merged::of([(&a, true), (&b, true)].into_iter(), &names);
        assert_eq!(merged.guamis, [guami(1, None), guami(2, Some("elsewhere")), guami(3, None)]);
        assert_eq!(merged.capacity, 255);
        assert_eq!(merged.plmns, served(vec![], &[(0, &[1, 2]), (1, &[1])], 0).plmns);
        assert_eq!(Merged::of([(&a, false), (&b, true)].into_iter(), &names).capacity, 100);
    }

    #[test]
    fn lists_are_no_longer_than_they_may_be() {
        let many: Vec<_> = (0..8_u8)
            .map(|region| {
                let guamis = (0..64).map(|pointer| {
                    let mut it = guami(pointer, None);
                    it.guami.region = region;
                    it
                });
                let plmns: Vec<_> = (0..4).map(|plmn| (region * 4 + plmn, &[1_u8][..])).collect();
                served(guamis.collect(), &plmns, 1)
            })
            .collect();
        let merged = Merged::of(many.iter().map(|it| (it, true)), &[]);
        assert_eq!((merged.guamis.len(), merged.plmns.len()), (256, 12));
    }
}
