//! Pins that user space makes, in batches: all of a batch, or nothing of it.

use pinion_steering::{Pin, PinKey};

use crate::{LoadError, Maps};

/// A change of `PINS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A pin is put there, in place of one that has the key.
    Put(PinKey, Pin),
    /// A pin is taken away, where it is there.
    Remove(PinKey),
}

impl Change {
    const fn key(&self) -> &PinKey {
        match self {
            Self::Put(key, _) | Self::Remove(key) => key,
        }
    }
}

/// Says that a batch is in the tables: what depends on it may leave now.
#[derive(Debug)]
#[must_use]
pub struct Installed(());

/// Carries a batch out, in order.
///
/// # Errors
/// What the tables refused: then they are as they were before. [`LoadError::Undo`] where that failed too.
pub fn commit(maps: &mut dyn Maps, batch: &[Change]) -> Result<Installed, LoadError> {
    let mut before = Vec::with_capacity(batch.len());
    for change in batch {
        before.push((*change.key(), maps.read_pin(change.key())?));
    }
    let mut done = 0;
    let result = run(maps, batch, &mut done);
    if let Err(error) = result {
        // What was refused may be half done too.
        let touched = before.get(..=done).unwrap_or(&before);
        return Err(match undo(maps, touched) {
            Ok(()) => error,
            Err(undo) => LoadError::Undo { error: Box::new(error), undo: Box::new(undo) },
        });
    }
    Ok(Installed(()))
}

/// Carries changes out; `done` is how many are.
fn run(maps: &mut dyn Maps, batch: &[Change], done: &mut usize) -> Result<(), LoadError> {
    let mut rest = batch;
    while let Some(change) = rest.first() {
        match change {
            Change::Remove(key) => {
                maps.remove_pin(key)?;
                *done += 1;
            }
            Change::Put(..) => {
                let puts = rest.iter().map_while(|change| match change {
                    Change::Put(key, pin) => Some((*key, *pin)),
                    Change::Remove(_) => None,
                });
                let puts: Vec<(PinKey, Pin)> = puts.collect();
                maps.put_pins(&puts).map_err(|(written, error)| {
                    *done += written;
                    error
                })?;
                *done += puts.len();
            }
        }
        rest = batch.get(*done..).unwrap_or_default();
    }
    Ok(())
}

/// Removes first, so that what was removed fits again.
fn undo(maps: &mut dyn Maps, before: &[(PinKey, Option<Pin>)]) -> Result<(), LoadError> {
    for (key, _) in before.iter().filter(|(_, pin)| pin.is_none()) {
        maps.remove_pin(key)?;
    }
    for (key, pin) in before {
        if let Some(pin) = pin {
            maps.put_pin(key, pin)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pinion_steering::Address;

    use super::*;
    use crate::user::UserEngine;
    use crate::{Bounds, Cursor};

    fn pin(teid: u32) -> (PinKey, Pin) {
        (PinKey { address: Address::v4([192, 0, 2, 1]), teid }, Pin { teid: teid + 1, ..Pin::default() })
    }

    fn put(teid: u32) -> Change {
        let (key, pin) = pin(teid);
        Change::Put(key, pin)
    }

    fn held(engine: &UserEngine) -> Vec<u32> {
        let mut teids: Vec<u32> =
            engine.pins_page(Cursor::default(), 100).unwrap().entries.iter().map(|(key, _)| key.teid).collect();
        teids.sort_unstable();
        teids
    }

    #[test]
    fn a_batch_that_does_not_fit_changes_nothing() {
        let mut engine = UserEngine::new(Bounds { pins: 4, ..Bounds::default() });
        let _ = commit(&mut engine, &[put(1), put(2), put(3)]).unwrap();
        let other = Change::Put(pin(1).0, Pin { teid: 99, ..Pin::default() });
        let error =
            commit(&mut engine, &[other, Change::Remove(pin(2).0), put(4), put(5), put(6), put(7)]).unwrap_err();
        assert!(matches!(error, LoadError::Bound { table: "PINS", .. }), "{error}");
        assert_eq!(held(&engine), [1, 2, 3]);
        assert_eq!(engine.read_pin(&pin(1).0).unwrap(), Some(pin(1).1));
    }

    #[test]
    fn removing_makes_room_within_a_batch() {
        let mut engine = UserEngine::new(Bounds { pins: 2, ..Bounds::default() });
        let _ = commit(&mut engine, &[put(1), put(2)]).unwrap();
        let _ = commit(&mut engine, &[Change::Remove(pin(1).0), put(3)]).unwrap();
        assert_eq!(held(&engine), [2, 3]);
    }
}
