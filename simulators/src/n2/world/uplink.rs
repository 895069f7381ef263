//! What gNBs sent about UEs, and what of it came.

use std::collections::HashMap;

use super::World;

/// Messages about UEs that gNBs sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uplink {
    /// All.
    pub sent: u64,
    /// Those that came to an AMF.
    pub came: u64,
    /// Those that did not, of UEs that were lost or whose AMF died. What is neither is under way.
    pub lost: u64,
    /// Those of them that an AMF that died was to have.
    pub excused: u64,
}

impl World {
    /// Counts at both ends.
    #[must_use]
    pub fn uplink(&self) -> Uplink {
        let all = self.amfs.iter().flat_map(|amf| {
            let number = u32::from(amf.config().number);
            amf.legs()
                .map(move |(gnb, ran, leg)| ((usize::try_from(gnb).unwrap_or_default(), ran, number), leg.got))
        });
        let got: HashMap<_, _> = all.collect();
        let numbers: Vec<_> = self.amfs.iter().map(|amf| u32::from(amf.config().number)).collect();
        let mut total = Uplink::default();
        for (gnb, ran, amf, sent, is_lost) in self.radio.sent() {
            // One that has said nothing yet may have got it all the same.
            let known = numbers.iter().filter(|&&number| amf.is_none_or(|amf| amf == number));
            let came: u32 = known.filter_map(|&number| got.get(&(gnb, ran, number))).sum();
            let (sent, came) = (u64::from(sent), u64::from(came));
            total.sent = total.sent.saturating_add(sent);
            total.came = total.came.saturating_add(came);
            let is_dead = amf.map_or(is_lost && !self.dead.is_empty(), |amf| self.is_dead(amf));
            if is_lost || is_dead {
                let missing = sent.saturating_sub(came);
                total.lost = total.lost.saturating_add(missing);
                total.excused = total.excused.saturating_add(if is_dead { missing } else { 0 });
            }
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use pinion_protocols::ngap::value::{List, ResetType, UeConnection};

    use super::*;
    use crate::n2::messages::{ids, reset};
    use crate::n2::{AmfConfig, Place};

    /// Carries messages between the gNB and an AMF.
    fn deliver(world: &mut World, amf: usize) {
        while let Some((from, sent)) = world.take() {
            let to = if from == Place::Gnb(0) { Place::Amf(amf, 1) } else { Place::Gnb(0) };
            world.receive(to, sent.stream, 60, &sent.bytes);
        }
    }

    #[test]
    fn ues_of_an_amf_that_died_come_back_to_another() {
        let mut world = World::new(1, 3, vec![AmfConfig::new(4), AmfConfig::new(5)], 7);
        for amf in [1, 0] {
            world.established(Place::Amf(amf, 1), 8);
            world.established(Place::Gnb(0), 8);
            deliver(&mut world, amf);
        }
        // Its first message, two answers, and one that its context is set up.
        for ue in 1..=3 {
            world.begin();
            deliver(&mut world, 0);
            assert_eq!(world.uplink(), Uplink { sent: 4 * ue, came: 4 * ue, lost: 0, excused: 0 });
        }
        assert_eq!(world.radio().identities().collect::<Vec<_>>(), [Some(4); 3]);

        let before = world.uplink().sent;
        world.kill(0);
        world.rest();
        let asked = world.take().is_some();
        while world.take().is_some() {}
        assert!(asked && world.radio().busy() == 3);
        assert_eq!(world.uplink(), Uplink { sent: before + 3, came: before, lost: 3, excused: 3 });
        world.come_back();
        assert!(world.take().is_none(), "they wait for an AMF that they do not know to be dead");

        let lost = [1, 2, 3].map(|ran| UeConnection(ids(ran.into(), ran)));
        world.receive(Place::Gnb(0), 0, 60, &reset(&ResetType::Part(List(lost.to_vec()))));
        // The answer is for who is dead.
        while world.take().is_some() {}
        world.come_back();
        deliver(&mut world, 1);
        assert_eq!(world.radio().identities().collect::<Vec<_>>(), [Some(5); 3]);
        let Uplink { sent, came, lost, excused } = world.uplink();
        assert_eq!((sent - came, lost, excused), (3, 3, 3));
        assert_eq!(world.faults(), Vec::<String>::new());
    }
}
