//! Packet flow descriptions (TS 29.244 6.2.5): for all UPFs, also for those that come later, and after a restart.

use bytes::Bytes;
use pinion_protocols::pfcp::{Cause, Element, Message, MessageType};

use crate::front::{FrontEnd, Output};
use crate::inbound::Origin;
use crate::keep::Kept;
use crate::purpose::Purpose;
use crate::translate::Refusal;

/// How many requests are known at once; beyond, the oldest is forgotten.
const MOST: usize = 64;

impl<Proof> FrontEnd<Proof> {
    /// An SMF tells of PFDs.
    pub(crate) fn manage_pfds(&mut self, origin: Origin, message: &Message<'_>) -> Result<(), Refusal> {
        // A Node ID need not be there.
        if !self.smfs.iter().any(|smf| smf.may_speak_from(origin.from.ip())) {
            return Err(Refusal::plain(Cause::NO_ASSOCIATION));
        }
        let elements = self.keep_pfds(message);
        for number in 0..self.upfs.len() {
            if let Ok(number) = u16::try_from(number) {
                self.send_pfds(number, &elements);
            }
        }
        self.answer(origin, MessageType::PfdManagementResponse, None, |_, writer| {
            writer.add(&Element::Cause(Cause::ACCEPTED));
        });
        Ok(())
    }

    /// Takes down PFDs for UPFs that come later; the elements that tell of them.
    pub(crate) fn keep_pfds(&mut self, message: &Message<'_>) -> Bytes {
        let elements = Bytes::copy_from_slice(message.body());
        // What is sent again holds from now.
        let again = self.pfds.iter().find(|(_, known)| **known == elements).map(|(number, _)| *number);
        let oldest = || self.pfds.keys().next().copied().filter(|_| self.pfds.len() >= MOST);
        if let Some(gone) = again.or_else(oldest) {
            self.pfds.remove(&gone);
            self.push(Output::Keep { of: Kept::Pfds(gone), value: None });
        }
        let number = self.pfds.keys().next_back().map_or(0, |last| last.wrapping_add(1));
        self.pfds.insert(number, elements.clone());
        self.push(Output::Keep { of: Kept::Pfds(number), value: Some(elements.clone()) });
        elements
    }

    /// Tells a UPF that came of all PFDs.
    pub(crate) fn send_all_pfds(&mut self, number: u16) {
        let all: Vec<Bytes> = self.pfds.values().cloned().collect();
        for elements in all {
            self.send_pfds(number, &elements);
        }
    }

    fn send_pfds(&mut self, number: u16, elements: &Bytes) {
        let Some(address) = self.upf_address(number).filter(|_| self.upf_is_there(number)) else { return };
        let _ = self.ask(address, MessageType::PfdManagementRequest, None, Purpose::Notice, |writer| {
            writer.raw(elements);
            Ok(())
        });
    }
}
