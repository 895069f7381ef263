//! Pins with what leads back from them, by [`PinKey::back`]: an endpoint that tells a client of a tunnel names it as it
//! knows it, and where the TEID is translated, its TEID leads to the one that the client knows. A client that tells an
//! endpoint names its own end, and that leads to the endpoint.
//!
//! An entry that leads back from a pin that is there no more does no harm: steering asks the pin too.

use pinion_steering::{Address, Pin, PinKey};

use crate::{LoadError, Maps, filters};

/// Writes a pin and what leads back from it, in the place of what was there: both or neither.
///
/// # Errors
/// What the tables refuse.
pub fn put<M: Maps + ?Sized>(maps: &mut M, key: &PinKey, pin: &Pin) -> Result<(), LoadError> {
    let before = maps.read_pin(key)?;
    put_all(maps, &[(*key, *pin)]).map_err(|(_, error)| error)?;
    before.map_or(Ok(()), |before| left(maps, key, &before, Some(pin)))
}

/// Writes pins and what leads back from them, in order. Of what was pinned under their keys before, [`leave`] is the
/// caller's to call.
///
/// # Errors
/// How many were written before the one that was refused, and why.
pub fn put_all<M: Maps + ?Sized>(maps: &mut M, pins: &[(PinKey, Pin)]) -> Result<(), (usize, LoadError)> {
    let mut ways = Vec::new();
    for (key, pin) in pins {
        ways.extend(back(maps, key, pin).map_err(|error| (0, error))?);
    }
    let written = maps.put_pins(&ways).map_err(|(done, error)| (done, 0, error));
    let written = written.and_then(|()| maps.put_pins(pins).map_err(|(done, error)| (ways.len(), done, error)));
    let Err((led, done, error)) = written else { return Ok(()) };
    let kept = pins.iter().take(done).filter(|(key, pin)| key.teid != pin.teid).count();
    for (key, _) in ways.iter().take(led).skip(kept) {
        // What stays leads to no pin.
        let _ = maps.remove_pin(key);
    }
    Err((done, error))
}

/// Takes out what led back from a pin that its key has no more, and its filters.
///
/// # Errors
/// What the tables refuse.
pub fn leave<M: Maps + ?Sized>(maps: &mut M, key: &PinKey, before: &Pin) -> Result<(), LoadError> {
    let now = maps.read_pin(key)?;
    left(maps, key, before, now.as_ref())
}

/// Takes out a pin, its filters and what leads back from it; one that is not there is as good.
///
/// # Errors
/// What the tables refuse.
pub fn remove<M: Maps + ?Sized>(maps: &mut M, key: &PinKey) -> Result<(), LoadError> {
    let Some(before) = maps.read_pin(key)? else { return Ok(()) };
    maps.remove_pin(key)?;
    left(maps, key, &before, None)
}

/// As [`leave`], where it is known what the key has by now.
fn left<M: Maps + ?Sized>(maps: &mut M, key: &PinKey, before: &Pin, now: Option<&Pin>) -> Result<(), LoadError> {
    filters::leave(maps, key, before, now)?;
    let stays =
        now.is_some_and(|now| (now.target, now.path, now.teid) == (before.target, before.path, before.teid));
    if stays {
        return Ok(());
    }
    let Some((owned, way)) = back(maps, key, before)? else { return Ok(()) };
    // It may lead to another pin by now.
    let led = maps.read_pin(&owned)?.map(|led| led.teid);
    if led == Some(way.teid) { maps.remove_pin(&owned) } else { Ok(()) }
}

/// Has a client's end of a tunnel lead to the endpoint that sends to it, by the endpoint's pin; or to none.
///
/// # Errors
/// What the tables refuse.
pub fn lead<M: Maps + ?Sized>(
    maps: &mut M,
    (client, teid): (Address, u32),
    endpoint: Option<&Pin>,
) -> Result<(), LoadError> {
    let key = PinKey::back(client, teid);
    match endpoint {
        Some(pin) => maps.put_pin(&key, &Pin { teid: 0, flags: Pin::BACK, ..*pin }),
        None => maps.remove_pin(&key),
    }
}

/// What leads back from a pin; nothing where the TEID stays the same.
fn back<M: Maps + ?Sized>(maps: &M, key: &PinKey, pin: &Pin) -> Result<Option<(PinKey, Pin)>, LoadError> {
    if pin.teid == key.teid {
        return Ok(None);
    }
    let owner = maps.read_target(pin.target.saturating_add(u32::from(pin.path)))?;
    Ok(Some((PinKey::back(owner.address, pin.teid), Pin { teid: key.teid, flags: Pin::BACK, ..*pin })))
}

#[cfg(test)]
mod tests {
    use pinion_steering::{Address, Target};

    use super::*;
    use crate::Bounds;
    use crate::user::UserEngine;

    const ENDPOINT: Address = Address::v4([10, 0, 0, 1]);

    fn engine(pins: u32) -> UserEngine {
        let mut engine = UserEngine::new(Bounds { pins, ..Bounds::default() });
        for index in 0..2 {
            engine.put_target(index, &Target { address: ENDPOINT, ..Target::default() }).unwrap();
        }
        engine
    }

    fn key(teid: u32) -> PinKey {
        PinKey { address: Address::v4([192, 0, 2, 1]), teid }
    }

    fn pin(teid: u32) -> Pin {
        Pin { target: 1, teid, ..Pin::default() }
    }

    fn returned(engine: &UserEngine, teid: u32) -> Option<u32> {
        engine.read_pin(&PinKey::back(ENDPOINT, teid)).unwrap().map(|pin| pin.teid)
    }

    #[test]
    fn a_translated_pin_leads_back_as_long_as_it_is_there() {
        let mut engine = engine(8);
        put(&mut engine, &key(1), &pin(100)).unwrap();
        put(&mut engine, &key(2), &pin(2)).unwrap();
        assert_eq!([100, 2].map(|teid| returned(&engine, teid)), [Some(1), None]);
        put(&mut engine, &key(1), &pin(200)).unwrap();
        assert_eq!([100, 200].map(|teid| returned(&engine, teid)), [None, Some(1)]);
        put(&mut engine, &key(1), &pin(200)).unwrap();
        assert_eq!(returned(&engine, 200), Some(1));
        remove(&mut engine, &key(1)).unwrap();
        assert_eq!((returned(&engine, 200), engine.read_pin(&key(1)).unwrap()), (None, None));
        remove(&mut engine, &key(1)).unwrap();
    }

    #[test]
    fn what_leads_to_another_pin_by_now_stays() {
        let mut engine = engine(8);
        put(&mut engine, &key(1), &pin(100)).unwrap();
        put(&mut engine, &key(2), &pin(100)).unwrap();
        remove(&mut engine, &key(1)).unwrap();
        assert_eq!(returned(&engine, 100), Some(2));
    }

    #[test]
    fn of_pins_that_do_not_fit_nothing_leads_back() {
        let mut engine = engine(2);
        let pins = [(key(1), pin(100)), (key(2), pin(2)), (key(3), pin(300))];
        let (done, _) = put_all(&mut engine, &pins).unwrap_err();
        assert_eq!(done, 2);
        assert_eq!([100, 300].map(|teid| returned(&engine, teid)), [Some(1), None]);
    }
}
