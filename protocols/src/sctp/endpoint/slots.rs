//! Where associations are kept, how they are found, and which of them want something.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::net::IpAddr;

use super::association::{Association, State};
use super::message::{AssociationId, Event};
use super::time::{Epoch, Time};

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) association: Box<Association>,
    pub(super) epoch: Epoch,
    generation: u32,
    /// The deadline that it is registered with.
    due: Time,
    /// It is in the queue of those that have packets to send.
    awake: bool,
    /// It is in the queue of those that have events.
    eventful: bool,
    /// What it can be found by.
    tag: u32,
    remotes: Vec<IpAddr>,
}

#[derive(Debug)]
pub(super) struct Slots {
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    generation: u32,
    most: usize,
    tags: BTreeMap<u32, AssociationId>,
    /// By own port, peer's port and peer's address.
    ends: BTreeMap<(u16, u16, IpAddr), AssociationId>,
    /// May be too early for an association, never too late.
    deadlines: BTreeSet<(Time, AssociationId)>,
    awake: VecDeque<AssociationId>,
    eventful: VecDeque<AssociationId>,
}

impl Slots {
    pub(super) fn new(most: u32) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            generation: 0,
            most: usize::try_from(most).unwrap_or(usize::MAX),
            tags: BTreeMap::new(),
            ends: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            awake: VecDeque::new(),
            eventful: VecDeque::new(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.slots.len().saturating_sub(self.free.len()) >= self.most
    }

    /// Takes an association that is `age` old.
    pub(super) fn insert(&mut self, now: Time, age: Time, association: Association) -> AssociationId {
        self.generation = self.generation.wrapping_add(1);
        let slot = Slot {
            tag: association.local_tag,
            association: Box::new(association),
            epoch: Epoch::new(now, age),
            generation: self.generation,
            due: Time::NEVER,
            awake: false,
            eventful: false,
            remotes: Vec::new(),
        };
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.slots.push(None);
                u32::try_from(self.slots.len().saturating_sub(1)).unwrap_or(u32::MAX)
            }
        };
        let id = AssociationId { slot: index, generation: self.generation };
        self.tags.insert(slot.tag, id);
        if let Some(place) = self.slots.get_mut(usize::try_from(index).unwrap_or(usize::MAX)) {
            *place = Some(slot);
        }
        self.changed(id);
        id
    }

    pub(super) fn get(&self, id: AssociationId) -> Option<&Slot> {
        let slot = self.slots.get(usize::try_from(id.slot).ok()?)?.as_ref()?;
        (slot.generation == id.generation).then_some(slot)
    }

    pub(super) fn get_mut(&mut self, id: AssociationId) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(usize::try_from(id.slot).ok()?)?.as_mut()?;
        (slot.generation == id.generation).then_some(slot)
    }

    pub(super) fn at(&self, local_port: u16, remote_port: u16, remote: IpAddr) -> Option<AssociationId> {
        self.ends.get(&(local_port, remote_port, remote)).copied()
    }

    pub(super) fn tagged(&self, tag: u32) -> Option<AssociationId> {
        self.tags.get(&tag).copied()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = AssociationId> + '_ {
        self.slots.iter().zip(0..).filter_map(|(slot, index)| {
            let slot = slot.as_ref().filter(|slot| slot.association.state != State::Closed)?;
            Some(AssociationId { slot: index, generation: slot.generation })
        })
    }

    /// Takes note of whatever a step may have changed, and that there may be packets to send.
    pub(super) fn changed(&mut self, id: AssociationId) {
        self.find_by(id);
        self.settle(id);
        self.wake(id);
    }

    pub(super) fn wake(&mut self, id: AssociationId) {
        if let Some(slot) = self.get_mut(id)
            && !slot.awake
        {
            slot.awake = true;
            self.awake.push_back(id);
        }
    }

    /// The association to be asked for packets; it stays the next one until it is asleep.
    pub(super) fn next_awake(&self) -> Option<AssociationId> {
        self.awake.front().copied()
    }

    /// The association that was next has nothing to send now.
    pub(super) fn asleep(&mut self, id: AssociationId) {
        self.awake.pop_front();
        if let Some(slot) = self.get_mut(id) {
            slot.awake = false;
        }
    }

    /// Takes note of its deadline and events.
    pub(super) fn settle(&mut self, id: AssociationId) {
        let Some(slot) = self.get_mut(id) else { return };
        let due = slot.epoch.global(slot.association.deadline());
        let old = slot.due;
        // A deadline that moved away is looked at again when the old one comes.
        let earlier = due < old;
        if earlier {
            slot.due = due;
        }
        let eventful = !slot.eventful && !slot.association.events.is_empty();
        slot.eventful |= eventful;
        if earlier {
            if old.is_set() {
                self.deadlines.remove(&(old, id));
            }
            self.deadlines.insert((due, id));
        }
        if eventful {
            self.eventful.push_back(id);
        }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|&(due, _)| due)
    }

    /// The associations whose deadline has come; their deadlines are forgotten until they settle.
    pub(super) fn due(&mut self, now: Time) -> Vec<AssociationId> {
        let mut ids = Vec::new();
        while let Some(&(due, id)) = self.deadlines.first()
            && due <= now
        {
            self.deadlines.pop_first();
            if let Some(slot) = self.get_mut(id) {
                slot.due = Time::NEVER;
            }
            ids.push(id);
        }
        ids
    }

    /// The next event; each association has its turn.
    pub(super) fn next_event(&mut self) -> Option<(AssociationId, Event)> {
        loop {
            let id = *self.eventful.front()?;
            let event = self.get_mut(id).and_then(|slot| slot.association.events.pop_front());
            let slot = self.get_mut(id);
            let more = slot.as_ref().is_some_and(|slot| !slot.association.events.is_empty());
            if !more {
                self.eventful.pop_front();
                if let Some(slot) = self.get_mut(id) {
                    slot.eventful = false;
                }
            } else if self.eventful.len() > 1 {
                self.eventful.rotate_left(1);
            }
            let Some(event) = event else { continue };
            if event.is_last() {
                self.remove(id);
            }
            return Some((id, event));
        }
    }

    /// The next association with events; it counts as one with events until the last of them is taken.
    pub(super) fn next_eventful(&mut self) -> Option<AssociationId> {
        loop {
            let id = self.eventful.pop_front()?;
            if self.get(id).is_some() {
                return Some(id);
            }
        }
    }

    pub(super) fn next_event_of(&mut self, id: AssociationId) -> Option<Event> {
        let slot = self.get_mut(id)?;
        let event = slot.association.events.pop_front();
        slot.eventful &= !slot.association.events.is_empty();
        if event.as_ref().is_some_and(Event::is_last) {
            self.remove(id);
        }
        event
    }

    pub(super) fn remove(&mut self, id: AssociationId) -> Option<Slot> {
        self.forget(id);
        let place = self.slots.get_mut(usize::try_from(id.slot).ok()?)?;
        let slot = place.take_if(|slot| slot.generation == id.generation)?;
        self.free.push(id.slot);
        if slot.due.is_set() {
            self.deadlines.remove(&(slot.due, id));
        }
        Some(slot)
    }

    /// Keeps what an association is found by up to date; once it ended it is not found any more. An
    /// address that another association has with the same ports stays with that one.
    fn find_by(&mut self, id: AssociationId) {
        let Some(slot) = self.get_mut(id) else { return };
        let association = &slot.association;
        if association.state == State::Closed {
            return self.forget(id);
        }
        let tag = association.local_tag;
        let same = association.paths.len() == slot.remotes.len()
            && association.paths.iter().zip(&slot.remotes).all(|(path, remote)| path.remote == *remote);
        if same && slot.tag == tag {
            return;
        }
        self.forget(id);
        let Some(slot) = self.get_mut(id) else { return };
        slot.tag = tag;
        let ports = (slot.association.local_port, slot.association.remote_port);
        let remotes: Vec<IpAddr> = slot.association.paths.iter().map(|path| path.remote).collect();
        slot.remotes.clone_from(&remotes);
        self.tags.insert(tag, id);
        for remote in remotes {
            self.ends.entry((ports.0, ports.1, remote)).or_insert(id);
        }
    }

    fn forget(&mut self, id: AssociationId) {
        let Some(slot) = self.get_mut(id) else { return };
        let ports = (slot.association.local_port, slot.association.remote_port);
        let (tag, remotes) = (slot.tag, core::mem::take(&mut slot.remotes));
        if self.tags.get(&tag) == Some(&id) {
            self.tags.remove(&tag);
        }
        for remote in remotes {
            let key = (ports.0, ports.1, remote);
            if self.ends.get(&key) == Some(&id) {
                self.ends.remove(&key);
            }
        }
    }
}
