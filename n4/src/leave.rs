//! The end of the service: nothing of it stays with its peers.

use std::net::IpAddr;
use std::time::Duration;

use pinion_protocols::pfcp::{ElementType, MessageType};

use crate::front::FrontEnd;
use crate::purpose::Purpose;
use crate::upf::Upf;

/// SARR: the user plane function asks for the release of the association (TS 29.244 8.2.77).
const SARR: u8 = 1;

impl<Proof> FrontEnd<Proof> {
    /// Begins to end: no new sessions are taken, those that are there end on their UPFs, and associations are released
    /// (TS 29.244 6.2.7.3, 6.2.8). Where the front end only relays, sessions are their peers' own, and stay.
    pub fn leave(&mut self, now: Duration) {
        self.now = now;
        if self.redirects() {
            return;
        }
        self.settings.upfs.clear();
        self.settle();
        let own = self.node();
        for (number, address) in (0..).zip(self.associated_at()) {
            self.forsake(number, "their service does", |_| false);
            let Some(address) = address else { continue };
            let _ = self.ask(address, MessageType::AssociationUpdateRequest, None, Purpose::Notice, |writer| {
                writer.add(&own).element(ElementType::AssociationReleaseReq, |out| out.extend_from_slice(&[SARR]));
                Ok(())
            });
        }
        self.work();
    }

    /// Whether nothing is left, after [`FrontEnd::leave`]: no session, no tunnel, and no association with a UPF; and SMFs know,
    /// but for those that do not answer.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let notices = || self.outbound.waits_for(|purpose| matches!(purpose, Purpose::Notice));
        let empty = self.session_count() == 0 && self.busy == 0 && self.parked.is_empty() && self.owed.is_none();
        self.redirects() || (empty && self.upfs.iter().all(Upf::is_gone) && !notices())
    }

    /// Where the SMF of each number is that has an association.
    fn associated_at(&self) -> Vec<Option<IpAddr>> {
        self.smfs.iter().map(|smf| smf.associated.then_some(smf.address)).collect()
    }
}
