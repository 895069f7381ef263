//! Filters of tunnels: there are two banks for each pin, and it names the one that is asked. So a packet sees the old
//! filters, or the new ones.

use pinion_steering::{FILTERS_MOST, Filter, FilterKey, Pin, PinKey};

use crate::{LoadError, Maps};

/// Gives the pin that a key has other filters, at the most [`FILTERS_MOST`]; the pin as it is written then.
///
/// # Errors
/// What the tables refuse, and [`LoadError::Bound`] where there are more filters: the old ones are in force.
pub fn put<M: Maps + ?Sized>(maps: &mut M, key: &PinKey, pin: &Pin, filters: &[Filter]) -> Result<Pin, LoadError> {
    if filters.len() > FILTERS_MOST as usize {
        return Err(LoadError::Bound { table: "filters of a tunnel", bound: FILTERS_MOST });
    }
    let second = bank(pin) != Some(true);
    let asked = match (filters.is_empty(), second) {
        (true, _) => 0,
        (false, false) => Pin::CLASSIFIED,
        (false, true) => Pin::CLASSIFIED | Pin::SECOND,
    };
    let new = Pin { flags: pin.flags & !(Pin::CLASSIFIED | Pin::SECOND) | asked, ..*pin };
    let written = keys(key, second).zip(filters).try_for_each(|(at, filter)| maps.put_filter(&at, filter));
    if let Err(error) = written.and_then(|()| maps.put_pin(key, &new)) {
        // What stays is asked by nobody.
        let _ = clear(maps, key, second);
        return Err(error);
    }
    clear(maps, key, !second)?;
    Ok(new)
}

/// The filters that a pin asks, in their order.
///
/// # Errors
/// What the tables refuse.
pub fn read<M: Maps + ?Sized>(maps: &M, key: &PinKey, pin: &Pin) -> Result<Vec<Filter>, LoadError> {
    let Some(second) = bank(pin) else { return Ok(Vec::new()) };
    keys(key, second).map_while(|at| maps.read_filter(&at).transpose()).collect()
}

/// Takes out the filters of a pin, unless the pin that its key has now asks them too.
pub(crate) fn leave<M: Maps + ?Sized>(
    maps: &mut M,
    key: &PinKey,
    before: &Pin,
    now: Option<&Pin>,
) -> Result<(), LoadError> {
    match bank(before) {
        Some(second) if now.and_then(bank) != Some(second) => clear(maps, key, second),
        _ => Ok(()),
    }
}

fn clear<M: Maps + ?Sized>(maps: &mut M, key: &PinKey, second: bool) -> Result<(), LoadError> {
    for at in keys(key, second) {
        if maps.read_filter(&at)?.is_none() {
            break;
        }
        maps.remove_filter(&at)?;
    }
    Ok(())
}

/// Whether a pin asks the second bank; `None`: it asks none.
fn bank(pin: &Pin) -> Option<bool> {
    (pin.flags & Pin::CLASSIFIED != 0).then_some(pin.flags & Pin::SECOND != 0)
}

/// The places of a bank, in their order.
fn keys(key: &PinKey, second: bool) -> impl Iterator<Item = FilterKey> + use<> {
    let first = FilterKey::first(key, second);
    (first.at..first.at.saturating_add(FILTERS_MOST)).map(move |at| FilterKey { at, ..first })
}

#[cfg(test)]
mod tests {
    use pinion_steering::Address;

    use super::*;
    use crate::user::UserEngine;
    use crate::{Bounds, tunnels};

    const KEY: PinKey = PinKey { address: Address::v4([192, 0, 2, 1]), teid: 7 };

    fn engine(filters: u32) -> UserEngine {
        let mut engine = UserEngine::new(Bounds { pins: 8, filters, targets: 4, ..Bounds::default() });
        tunnels::put(&mut engine, &KEY, &Pin { target: 1, teid: 7, ..Pin::default() }).unwrap();
        engine
    }

    fn filter(teid: u32) -> Filter {
        Filter { teid, target: 2, ..Filter::default() }
    }

    fn give(engine: &mut UserEngine, teids: &[u32]) -> Result<(), LoadError> {
        let pin = engine.read_pin(&KEY).unwrap().unwrap();
        let filters: Vec<_> = teids.iter().map(|teid| filter(*teid)).collect();
        put(engine, &KEY, &pin, &filters).map(drop)
    }

    fn held(engine: &UserEngine) -> Vec<u32> {
        let pin = engine.read_pin(&KEY).unwrap().unwrap();
        read(engine, &KEY, &pin).unwrap().iter().map(|filter| filter.teid).collect()
    }

    fn written(engine: &UserEngine) -> usize {
        let at = (0..2 * FILTERS_MOST).map(|at| FilterKey { address: KEY.address, teid: KEY.teid, at });
        at.filter(|at| engine.read_filter(at).unwrap().is_some()).count()
    }

    #[test]
    fn the_last_ones_given_are_asked_and_no_others_are_left() {
        let mut engine = engine(64);
        for teids in [&[1, 2, 3][..], &[4], &[], &[5, 6]] {
            give(&mut engine, teids).unwrap();
            assert_eq!((held(&engine), written(&engine)), (teids.to_vec(), teids.len()));
        }
        let all: Vec<u32> = (1..=FILTERS_MOST).collect();
        give(&mut engine, &all).unwrap();
        assert_eq!(held(&engine), all);
        assert!(give(&mut engine, &[&all[..], &[17]].concat()).is_err());
        assert_eq!(held(&engine), all);
    }

    #[test]
    fn those_that_do_not_fit_leave_the_old_ones_in_force() {
        let mut engine = engine(3);
        give(&mut engine, &[1, 2]).unwrap();
        assert!(give(&mut engine, &[3, 4]).is_err());
        assert_eq!((held(&engine), written(&engine)), (vec![1, 2], 2));
    }

    #[test]
    fn they_go_with_their_pin() {
        let mut engine = engine(64);
        give(&mut engine, &[1, 2]).unwrap();
        tunnels::put(&mut engine, &KEY, &Pin { target: 2, teid: 7, ..Pin::default() }).unwrap();
        assert_eq!((held(&engine), written(&engine)), (vec![], 0));
        give(&mut engine, &[3]).unwrap();
        tunnels::remove(&mut engine, &KEY).unwrap();
        assert_eq!(written(&engine), 0);
    }
}
