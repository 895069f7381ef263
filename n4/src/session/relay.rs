//! What a message of one side becomes for the other, with what is known of its session.

use bytes::Bytes;
use pinion_protocols::pfcp::{Addresses, Cause, FTeid, Message, Patch};

use crate::front::{FrontEnd, Output};
use crate::inbound::Origin;
use crate::peers::{self, End, Lead};
use crate::sessions::SessionId;
use crate::speak::{built, prioritize};
use crate::translate::{self, Downwards, Own, Refusal};
use crate::tunnels::{TunnelChange, Tunnels};
use crate::upf;

impl<Proof> FrontEnd<Proof> {
    /// What a message of an SMF is to become for its session's UPF.
    pub(crate) fn downwards(
        &mut self,
        id: SessionId,
        message: &Message<'_>,
        anew: bool,
    ) -> Result<Vec<Patch<'static>>, Refusal> {
        let session = self.sessions.get(id).ok_or(Refusal::plain(Cause::SESSION_NOT_FOUND))?;
        let downwards = Downwards {
            own: self.own(id),
            plane: &self.plane,
            tunnels: &session.tunnels,
            upf: upf::name(&self.upfs, session.upf),
            anew,
            smf_teids: self.settings.smf_teids,
        };
        let mut owners = Vec::new();
        let patches = downwards.patches(message, |owner, teid, addresses| {
            owners.push(owner);
            self.end_of(owner, teid, addresses)
        })?;
        for owner in owners {
            self.has_follower(owner, id);
        }
        Ok(patches)
    }

    /// The UPF's end of a tunnel of a session.
    pub(super) fn end_of(&self, id: SessionId, teid: u32, addresses: Addresses) -> Option<FTeid> {
        self.plane.theirs(&self.sessions.get(id)?.tunnels, teid, addresses)
    }

    /// What a message of a UPF is to become for its session's SMF, its tunnels aside.
    pub(crate) fn upwards(&self, id: SessionId, message: &Message<'_>) -> Result<Vec<Patch<'static>>, Refusal> {
        Ok(translate::upwards(message, self.own(id))?)
    }

    /// Learns the tunnels that a UPF tells of: adds to what its message is to become, and to what is to be in force.
    pub(crate) fn learn(
        &mut self,
        id: SessionId,
        message: &Message<'_>,
        lost: Option<&Tunnels>,
        said: (&mut Vec<Patch<'static>>, &mut Vec<TunnelChange>),
    ) -> Result<(), Refusal> {
        let own = self.own(id);
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        let upf = upf::name(&self.upfs, session.upf);
        let ends = (&mut self.plane, &mut session.tunnels);
        translate::learn(message, (own, upf), ends, lost, &mut self.random, said)
    }

    /// The tunnels that an SMF chose itself.
    pub(super) fn chosen(&mut self, id: SessionId, request: &Bytes) -> Result<Vec<TunnelChange>, Refusal> {
        if !self.settings.smf_teids {
            return Ok(Vec::new());
        }
        let own = self.own(id);
        let request = Message::parse(request)?;
        let Some(session) = self.sessions.get_mut(id) else { return Ok(Vec::new()) };
        let upf = upf::name(&self.upfs, session.upf);
        let ends = (&mut self.plane, &mut session.tunnels);
        Ok(translate::chosen(&request, own, ends, upf, &mut self.random)?)
    }

    /// Learns where clients' ends of a session's tunnels are, from a request that was granted; and has them lead to its UPF.
    pub(super) fn follow(&mut self, id: SessionId, request: &Bytes) -> Result<(), Refusal> {
        let request = Message::parse(request)?;
        if let Some(session) = self.sessions.get_mut(id)
            && peers::tells(&request)?
        {
            let gone = session.tunnels.peers.follow(&request)?;
            self.lead_from(gone.into_iter());
            self.lead(id);
        }
        Ok(())
    }

    /// Has clients' ends of a session's tunnels lead to its UPF.
    pub(crate) fn lead(&mut self, id: SessionId) {
        let leads = self.sessions.get(id).map(|session| self.plane.leads(&session.tunnels)).unwrap_or_default();
        if !leads.is_empty() {
            self.push(Output::Lead(leads));
        }
    }

    /// Has clients' ends lead nowhere.
    pub(crate) fn lead_from(&mut self, ends: impl Iterator<Item = End>) {
        let leads: Vec<Lead> = ends.map(|client| Lead { client, to: None }).collect();
        if !leads.is_empty() {
            self.push(Output::Lead(leads));
        }
    }

    fn own(&self, session: SessionId) -> Own {
        Own { address: self.settings.address, session }
    }

    /// An answer to an SMF or to a UPF, made from that of the other side.
    pub(super) fn relayed(
        &self,
        message: &Message<'_>,
        origin: Origin,
        (seid, smf): (u64, Option<u16>),
        patches: &[Patch<'_>],
    ) -> Result<Bytes, Refusal> {
        let kind = message.message_type();
        built(kind, Some(seid), origin.sequence, |writer| {
            prioritize(writer, message);
            writer.splice(message.elements(), patches)?;
            self.add_load(writer, kind, smf);
            Ok(())
        })
    }
}
