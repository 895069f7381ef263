//! Associations that move from one endpoint to another.

use alloc::boxed::Box;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::Endpoint;
use super::association::{Association, State};
use super::message::AssociationId;
use super::time::Time;

/// The layout of [`Snapshot`] that this code writes and reads.
const VERSION: u8 = 2;

/// All there is to know of an association; it serialises.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    version: u8,
    /// How old the association is.
    age: Time,
    association: Box<Association>,
}

/// Why an association cannot go on here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportError {
    /// It was written by code that keeps other things, or in another way.
    Version {
        /// Which layout it has.
        found: u8,
    },
    /// There is one with its tag, or with its peer and ports, or there are as many as allowed.
    Taken,
    /// It has no path.
    NoPath,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { found } => write!(f, "layout {found} of an association, not {VERSION}"),
            Self::Taken => f.write_str("the association exists, or there are too many"),
            Self::NoPath => f.write_str("an association without a path"),
        }
    }
}

impl core::error::Error for ImportError {}

impl Snapshot {
    /// Ports and verification tags: the own ones first.
    pub fn identity(&self) -> ((u16, u32), (u16, u32)) {
        let association = &self.association;
        ((association.local_port, association.local_tag), (association.remote_port, association.peer_tag))
    }
}

impl Endpoint {
    /// Takes an association out, as it is; none where it ended. Nothing is sent for it any more.
    pub fn export(&mut self, now: Time, id: AssociationId) -> Option<Snapshot> {
        if self.slots.get(id)?.association.state == State::Closed {
            return None;
        }
        let slot = self.slots.remove(id)?;
        Some(Snapshot { version: VERSION, age: slot.epoch.local(now), association: slot.association })
    }

    /// What [`Endpoint::export`] would take out; the association stays.
    pub fn snapshot(&self, now: Time, id: AssociationId) -> Option<Snapshot> {
        let slot = self.slots.get(id).filter(|slot| slot.association.state != State::Closed)?;
        Some(Snapshot { version: VERSION, age: slot.epoch.local(now), association: slot.association.clone() })
    }

    /// Lets an association go on here, under this endpoint's configuration and clock.
    ///
    /// # Errors
    ///
    /// [`ImportError`] says why it cannot.
    pub fn import(&mut self, now: Time, snapshot: Snapshot) -> Result<AssociationId, ImportError> {
        let Snapshot { version, age, association } = snapshot;
        if version != VERSION {
            return Err(ImportError::Version { found: version });
        }
        if association.paths.is_empty() {
            return Err(ImportError::NoPath);
        }
        let (local, remote) = (association.local_port, association.remote_port);
        let taken = association.paths.iter().any(|path| self.slots.at(local, remote, path.remote).is_some());
        if taken || self.slots.is_full() || self.slots.tagged(association.local_tag).is_some() {
            return Err(ImportError::Taken);
        }
        Ok(self.slots.insert(now, age, *association))
    }
}
