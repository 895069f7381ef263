//! A map that fails when told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use pinion::sessions::PinTable;
use pinion_loader::{Cursor, LoadError, Paged};
use pinion_steering::{Address, Filter, Pin, PinKey};

#[derive(Clone, Default)]
pub(crate) struct Faulty {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// TEID to target.
    pins: BTreeMap<u32, u32>,
    /// After how many writes it fails, and how often in a row then.
    fail: (u8, u8),
}

impl Faulty {
    pub(crate) fn fail(&self, after: u8, times: u8) {
        self.state.lock().unwrap().fail = (after, times);
    }

    pub(crate) fn pins(&self) -> BTreeMap<u32, u32> {
        self.state.lock().unwrap().pins.clone()
    }
}

impl State {
    fn write(&mut self) -> Result<(), LoadError> {
        match &mut self.fail {
            (_, 0) => Ok(()),
            (0, times) => {
                *times -= 1;
                Err(LoadError::Bound { table: "PINS", bound: 0 })
            }
            (after, _) => {
                *after -= 1;
                Ok(())
            }
        }
    }
}

impl PinTable for Faulty {
    fn install(&mut self, key: &PinKey, pin: &Pin) -> Result<(), LoadError> {
        let mut state = self.state.lock().unwrap();
        state.write()?;
        state.pins.insert(key.teid, pin.target);
        Ok(())
    }

    fn install_all(&mut self, pins: &[(PinKey, Pin)]) -> Result<(), (usize, LoadError)> {
        let mut pins = pins.iter().enumerate();
        pins.try_for_each(|(at, (key, pin))| self.install(key, pin).map_err(|error| (at, error)))
    }

    fn leave(&mut self, _: &PinKey, _: &Pin) -> Result<(), LoadError> {
        Ok(())
    }

    fn lead(&mut self, _: (Address, u32), _: Option<&Pin>) -> Result<(), LoadError> {
        Ok(())
    }

    fn classify(&mut self, _: &PinKey, pin: &Pin, _: &[Filter]) -> Result<Pin, LoadError> {
        Ok(*pin)
    }

    fn filters(&self, _: &PinKey, _: &Pin) -> Result<Vec<Filter>, LoadError> {
        Ok(Vec::new())
    }

    fn withdraw(&mut self, key: &PinKey) -> Result<(), LoadError> {
        let mut state = self.state.lock().unwrap();
        state.write()?;
        state.pins.remove(&key.teid);
        Ok(())
    }

    fn installed(&self, _: Cursor, _: usize) -> Result<Paged<(PinKey, Pin)>, LoadError> {
        Ok(Paged { entries: Vec::new(), next: None })
    }
}
