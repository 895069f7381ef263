//! The sessions of a UPF, as PFCP makes, changes and ends them (TS 29.244 7.5).

use bytes::Bytes;
use pinion_protocols::pfcp::{
    Cause, Element, ElementType, FSeid, FTeid, Message, MessageType, MessageWriter, NodeId, Place,
};

use super::super::pfcp::{self, BEGAN, TunnelEnd};
use crate::demo::cast::{Member, Network};

/// UP Function Features (TS 29.244 8.2.25): FTUP, it chooses TEIDs.
const FEATURES: [u8; 2] = [0x10, 0];

/// Where the gNB's end of a tunnel is, in a request to make a session and in one to change it.
const GNB: [[ElementType; 3]; 2] = [
    [ElementType::CreateFar, ElementType::ForwardingParameters, ElementType::OuterHeaderCreation],
    [ElementType::UpdateFar, ElementType::UpdateForwardingParameters, ElementType::OuterHeaderCreation],
];

/// The sessions of a UPF.
#[derive(Debug)]
pub(crate) struct Sessions {
    upf: Member,
    sessions: Vec<Session>,
    /// How many it was ever told to make.
    pub(crate) made: u64,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    /// The SEID of the other side.
    theirs: u64,
    /// The rule whose packets come by the tunnel.
    rule: u16,
    /// The TEID of the tunnel, which is the SEID too.
    teid: u32,
    gnb: Option<TunnelEnd>,
}

impl Sessions {
    pub(super) fn new(upf: Member) -> Self {
        Self { upf, sessions: Vec::new(), made: 0 }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.sessions.len()
    }

    /// The gNB's end of the tunnel whose end is here.
    pub(super) fn gnb(&self, teid: u32) -> Option<TunnelEnd> {
        self.sessions.iter().find(|session| session.teid == teid)?.gnb
    }

    /// Does what a request asks for; the answer.
    pub(super) fn answer(&mut self, message: &Message<'_>) -> Option<Bytes> {
        let accepted = Element::Cause(Cause::ACCEPTED);
        let own = Element::NodeId(NodeId::Address(self.upf.address(Network::Control)));
        let kind = message.message_type();
        let answer = |seid, fill: &dyn Fn(&mut MessageWriter<'_>)| {
            Some(pfcp::write(kind.response()?, seid, message.sequence(), fill))
        };
        match kind {
            MessageType::HeartbeatRequest => answer(None, &|writer| {
                writer.add(&Element::RecoveryTimeStamp(BEGAN));
            }),
            MessageType::AssociationSetupRequest => answer(None, &|writer| {
                writer.add(&own).add(&accepted).add(&Element::RecoveryTimeStamp(BEGAN));
                writer.element(ElementType::UpFunctionFeatures, |out| out.extend_from_slice(&FEATURES));
            }),
            MessageType::SessionEstablishmentRequest => {
                let Session { theirs, rule, teid, .. } = self.make(message)?;
                let addresses = self.upf.address(Network::Control).into();
                let seid = Element::FSeid(FSeid { seid: teid.into(), addresses });
                let addresses = self.upf.address(Network::User).into();
                let tunnel = Element::FTeid(FTeid::Given { teid, addresses });
                answer(Some(theirs), &|writer| {
                    writer.add(&own).add(&accepted).add(&seid);
                    writer.nested(ElementType::CreatedPdr, |writer| {
                        writer.add(&Element::PdrId(rule)).add(&tunnel);
                    });
                })
            }
            MessageType::SessionModificationRequest | MessageType::SessionDeletionRequest => {
                let is = |session: &Session| Some(u64::from(session.teid)) == message.seid();
                let Some(at) = self.sessions.iter().position(is) else {
                    return answer(Some(0), &|writer| {
                        writer.add(&Element::Cause(Cause::SESSION_NOT_FOUND));
                    });
                };
                let session = self.sessions.get_mut(at)?;
                session.gnb = gnb(message).or(session.gnb);
                let theirs = session.theirs;
                if kind == MessageType::SessionDeletionRequest {
                    self.sessions.swap_remove(at);
                }
                answer(Some(theirs), &|writer| {
                    writer.add(&accepted);
                })
            }
            // What else there is nobody asks for here.
            _ => None,
        }
    }

    /// Makes a session; what is asked for again is there already.
    fn make(&mut self, message: &Message<'_>) -> Option<Session> {
        let (FSeid { seid: theirs, .. }, _) = message.routing().ok()?.session?;
        if let Some(known) = self.sessions.iter().find(|session| session.theirs == theirs) {
            return Some(*known);
        }
        let mut chosen = message.local_tunnels().flatten();
        let rule = chosen.find_map(|local| match (local.tunnel, local.place) {
            (FTeid::Choose { .. }, Some(Place::Rule(rule))) => Some(rule),
            _ => None,
        })?;
        self.made = self.made.saturating_add(1);
        let teid = u32::from(self.upf.number) << 16 | u32::try_from(self.made).ok()?;
        let session = Session { theirs, rule, teid, gnb: gnb(message) };
        self.sessions.push(session);
        Some(session)
    }
}

/// The gNB's end of the tunnel, as a request says it.
fn gnb(message: &Message<'_>) -> Option<TunnelEnd> {
    GNB.iter().find_map(|way| match pfcp::find(message.elements(), way)? {
        Element::OuterHeaderCreation(header) => {
            Some(TunnelEnd { address: header.addresses.v4?.into(), teid: header.teid? })
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::pfcp::scapy::{ANSWER, END, ESTABLISHMENT, GNB_END, MODIFICATION};
    use super::*;
    use crate::demo::cast::Role;

    #[test]
    fn a_session_is_made_once_and_knows_its_gnb() {
        let mut sessions = Sessions::new(Member { role: Role::Upf, number: 1 });
        let mut asked = |bytes: &[u8]| {
            let answer = sessions.answer(&Message::parse(bytes).unwrap());
            (answer, sessions.gnb(END.teid), sessions.made)
        };
        let made = Some(Bytes::from_static(ANSWER));
        assert_eq!(asked(ESTABLISHMENT), (made.clone(), None, 1));
        assert_eq!(asked(ESTABLISHMENT), (made, None, 1));
        assert_eq!(asked(MODIFICATION).1, Some(GNB_END));
        // TS 29.244 7.3: session deletion is 54, and 65 the cause where there is no session (8.2.1).
        let deletion = [&[0x21, 54, 0, 12], &MODIFICATION[4..16]].concat();
        assert_eq!(asked(&deletion).1, None);
        assert_eq!(asked(&deletion).0.unwrap().last(), Some(&65));
    }

    #[test]
    fn anything_may_come() {
        let mut sessions = Sessions::new(Member { role: Role::Upf, number: 1 });
        bolero::check!().for_each(|bytes| {
            if let Ok(message) = Message::parse(bytes) {
                sessions.answer(&message);
            }
        });
    }
}
