//! Tunnels between two UPFs of the balancer (N9), which go direct: an outer header that names a tunnel as clients know it
//! is told as the tunnel's own UPF knows it, and again when that changes (TS 29.244 8.2.56).

use pinion_protocols::pfcp::{
    Addresses, Element, ElementType, FTeid, MessageType, MessageWriter, OuterHeaderCreation,
};

use crate::front::FrontEnd;
use crate::purpose::Purpose;
use crate::sessions::{Phase, SessionId};

/// Sessions whose UPFs send to one session's tunnels, at the most; those beyond are not told again.
const MOST: usize = 16;

/// GTP-U over UDP, of each family (TS 29.244 8.2.56).
const GTPU_V4: u16 = 0x0100;
const GTPU_V6: u16 = 0x0200;

impl<Proof> FrontEnd<Proof> {
    /// Takes down that a session's UPF sends to another one's tunnels.
    pub(super) fn has_follower(&mut self, owner: SessionId, follower: SessionId) {
        let Some(session) = self.sessions.get_mut(owner) else { return };
        if owner != follower && session.followers.len() < MOST && !session.followers.contains(&follower) {
            session.followers.push(follower);
            self.keep_session(owner);
        }
    }

    /// Tells UPFs that send to a session's tunnels where these are now.
    pub(crate) fn tell_followers(&mut self, owner: SessionId) {
        let Some(session) = self.sessions.get_mut(owner) else { return };
        let mut followers = std::mem::take(&mut session.followers);
        followers.retain(|follower| self.is_told(*follower, owner));
        if let Some(session) = self.sessions.get_mut(owner) {
            session.followers = followers;
        }
    }

    /// Whether a session's UPF sends to another one's tunnels still; then it is told where they are.
    fn is_told(&mut self, follower: SessionId, owner: SessionId) -> bool {
        let Some(session) = self.sessions.get(follower) else { return false };
        let mut fars: Vec<(u32, FTeid)> = Vec::new();
        let mut follows = false;
        for (far, (address, teid)) in session.tunnels.peers.named() {
            let addresses = Addresses::from(address);
            if self.plane.owner(teid, addresses) != Some(owner) {
                continue;
            }
            follows = true;
            // It may be named by an address of each family.
            if fars.iter().all(|(known, _)| *known != far)
                && let Some(end) = self.end_of(owner, teid, addresses)
            {
                fars.push((far, end));
            }
        }
        // One that is being made is told with that, or goes by the balancer until the next time.
        if session.phase == Phase::Open && !fars.is_empty() {
            let (to, seid) = (session.upf_address, session.upf_seid);
            let kind = MessageType::SessionModificationRequest;
            let _ = self.ask(to, kind, Some(seid), Purpose::Notice, |writer| {
                fars.iter().for_each(|(far, end)| update(writer, *far, *end));
                Ok(())
            });
        }
        follows
    }
}

/// Has a FAR's packets get another outer header.
fn update(writer: &mut MessageWriter<'_>, far: u32, end: FTeid) {
    let FTeid::Given { teid, addresses } = end else { return };
    let family = |there: bool, bit| if there { bit } else { 0 };
    let header = OuterHeaderCreation {
        description: family(addresses.v4.is_some(), GTPU_V4) | family(addresses.v6.is_some(), GTPU_V6),
        teid: Some(teid),
        addresses,
        port: None,
        c_tag: None,
        s_tag: None,
    };
    writer.nested(ElementType::UpdateFar, |writer| {
        writer.add(&Element::FarId(far));
        writer.nested(ElementType::UpdateForwardingParameters, |writer| {
            writer.add(&Element::OuterHeaderCreation(header));
        });
    });
}
