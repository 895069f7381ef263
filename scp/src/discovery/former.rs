//! Who was found once, and whose resources are still asked for when the NRF knows it no more: the sets that it was in have them
//! (TS 29.500 6.10.3.2, 6.10.5.1, TS 23.527 6.5.3).

use std::collections::VecDeque;
use std::sync::Arc;

use crate::api_root::ApiRoot;
use crate::producer::Producer;
use crate::seldom::Seldom;

/// Those who are asked for though they do not answer, or went.
#[derive(Debug, Default)]
pub(crate) struct Former {
    all: Seldom<VecDeque<Arc<Producer>>>,
}

/// So many of them are remembered, the latest.
const MOST: usize = 1024;

impl Former {
    /// Who was at an API root.
    pub(crate) fn at(&self, root: &ApiRoot) -> Vec<Arc<Producer>> {
        self.those(|it| it.api_root.same(root))
    }

    /// What there was of an NF instance.
    pub(crate) fn of(&self, nf_instance: &str) -> Vec<Arc<Producer>> {
        self.those(|it| it.nf_instance.eq_ignore_ascii_case(nf_instance))
    }

    /// Remembers some.
    pub(crate) fn keep(&self, some: &[Arc<Producer>]) {
        let is_there = |one: &Arc<Producer>| self.all.some().is_some_and(|all| all.contains(one));
        for one in some.iter().filter(|it| !is_there(it)) {
            let mut all = self.all.write();
            all.retain(|it| !is_same(it, one));
            all.push_back(Arc::clone(one));
            if all.len() > MOST {
                all.pop_front();
            }
        }
    }

    fn those(&self, wanted: impl Fn(&Producer) -> bool) -> Vec<Arc<Producer>> {
        let all = self.all.some();
        all.iter().flat_map(|all| all.iter()).filter(|it| wanted(it)).cloned().collect()
    }
}

/// Whether two are the same service instance or NF instance at the same place, whatever else is known of them.
fn is_same(one: &Producer, other: &Producer) -> bool {
    one.nf_instance == other.nf_instance
        && one.service_instance == other.service_instance
        && one.service == other.service
        && one.api_root == other.api_root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nrf::fixture::root;

    #[test]
    fn the_latest_are_remembered_each_once() {
        let former = Former::default();
        let one = |number: usize, load| {
            let (nf_instance, at) = (number.to_string(), root(&format!("http://a:{}", number + 1)));
            Arc::new(Producer { nf_instance, load: Some(load), ..Producer::at(at) })
        };
        former.keep(&[one(0, 1), one(1, 1), one(0, 2)]);
        assert_eq!(former.of("0"), [one(0, 2)]);
        assert_eq!(former.at(&root("http://a:2")), [one(1, 1)]);
        former.keep(&(2..=MOST).map(|number| one(number, 1)).collect::<Vec<_>>());
        assert_eq!([former.of("1").len(), former.of("0").len(), former.of("1024").len()], [0, 1, 1]);
    }
}
