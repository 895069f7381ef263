//! What the caller knows of paths, and wants of them.

use core::net::IpAddr;
use core::time::Duration;

use super::asconf::Change;
use super::association::{Association, Context};
use super::message::AssociationId;
use super::path::{Heartbeats, Reach};
use super::{Endpoint, Time};

impl Endpoint {
    /// Makes the path to that address the primary one; false where there is none.
    pub fn set_primary(&mut self, id: AssociationId, remote: IpAddr) -> bool {
        let Some(slot) = self.slots.get_mut(id) else { return false };
        let Some(index) = slot.association.path_to(remote) else { return false };
        slot.association.primary = index;
        self.slots.wake(id);
        true
    }

    /// Says how large an IP packet a path carries, bytes (at least 512, of IPv6 1280), where somebody knows.
    /// False where there is no such path.
    pub fn set_mtu(&mut self, now: Time, id: AssociationId, remote: IpAddr, mtu: u16) -> bool {
        let set = |association: &mut Association, context: &mut Context<'_>| {
            let Some(index) = association.path_to(remote) else { return false };
            let Some(path) = association.path_mut(index) else { return false };
            path.told(context.now, mtu);
            true
        };
        self.with(now, id, set).unwrap_or(false)
    }

    /// Asks the peer to use an own address more (RFC 5061 4.2.1). False where the peer cannot be asked;
    /// [`Event::AddressAdded`] or [`Event::AddressRefused`] says what came of it.
    pub fn add_address(&mut self, now: Time, id: AssociationId, address: IpAddr) -> bool {
        self.with(now, id, |association, context| association.change(context, Change::Add(address)))
            .unwrap_or(false)
    }

    /// Asks the peer to use an own address no more (RFC 5061 4.2.2).
    pub fn delete_address(&mut self, now: Time, id: AssociationId, address: IpAddr) -> bool {
        self.with(now, id, |association, context| association.change(context, Change::Delete(address)))
            .unwrap_or(false)
    }

    /// Asks the peer to make the path to an own address its primary one (RFC 5061 4.2.4).
    pub fn ask_primary(&mut self, now: Time, id: AssociationId, address: IpAddr) -> bool {
        self.with(now, id, |association, context| association.change(context, Change::Primary(address)))
            .unwrap_or(false)
    }

    /// Asks an idle path every so often whether it answers, in place of what is configured; never where
    /// there is no interval (RFC 9260 8.3, 11.1.9). False where there is no such path.
    pub fn set_heartbeat(
        &mut self,
        now: Time,
        id: AssociationId,
        remote: IpAddr,
        interval: Option<Duration>,
    ) -> bool {
        let set = |association: &mut Association, context: &mut Context<'_>| {
            let Some(index) = association.path_to(remote) else { return false };
            let Some(path) = association.path_mut(index) else { return false };
            path.heartbeats = interval.map_or(Heartbeats::Never, Heartbeats::Every);
            if path.confirmed && path.reach == Reach::Active && path.heartbeat.is_none() {
                path.heartbeat_at = interval.map_or(Time::NEVER, |interval| context.now.after(interval));
            }
            true
        };
        self.with(now, id, set).unwrap_or(false)
    }

    /// Asks the peer at that address whether it is there, now (RFC 9260 8.3). False where there is no such
    /// path, or the association is not established.
    pub fn probe(&mut self, now: Time, id: AssociationId, remote: IpAddr) -> bool {
        let ask = |association: &mut Association, context: &mut Context<'_>| {
            let Some(index) = association.path_to(remote).filter(|_| association.may_probe()) else {
                return false;
            };
            association.ask_path(context, index);
            true
        };
        self.with(now, id, ask).unwrap_or(false)
    }
}
