//! An SMF: it makes a session for every user, tells the UPF where the gNB's end of its tunnel is, and has the gNB told
//! where the UPF's is. To it Pinion is the one UPF.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use pinion_protocols::pfcp::{
    Addresses, Cause, Element, ElementType, FSeid, FTeid, Message, MessageType, MessageWriter, NodeId,
    OuterHeaderCreation, OuterHeaderRemoval, PORT, UeAddress,
};
use pinion_protocols::sctp::endpoint::Time;
use pinion_transport::link::Packet;

use super::pfcp::{self, BEGAN, TunnelEnd};
use crate::demo::cast::{self, Member, Network, Role, Tunnel};

/// T1: until a request is sent again.
const AGAIN: Duration = Duration::from_millis(300);

/// Rules of every session, PDR and FAR alike: the uplink's, the downlink's.
const UPLINK: u16 = 1;
const DOWNLINK: u16 = 2;
/// Interfaces of packets (TS 29.244 8.2.2).
const ACCESS: u8 = 0;
const CORE: u8 = 1;
/// Apply Action (TS 29.244 8.2.26): FORW, BUFF.
const FORWARD: [u8; 1] = [0x02];
const HOLD: [u8; 1] = [0x04];

/// An SMF.
#[derive(Debug, Default)]
pub(crate) struct Smf {
    sessions: BTreeMap<u8, Session>,
    asked: BTreeMap<u32, Asked>,
    sequence: u32,
    out: VecDeque<Packet>,
    /// What gNBs are to be told of their tunnels.
    pub(crate) news: Vec<(Tunnel, TunnelEnd)>,
    /// How many sessions it made.
    pub(crate) made: u64,
}

/// A session that is there.
#[derive(Clone, Copy, Debug)]
struct Session {
    /// The SEID of the other side.
    seid: u64,
    /// The other side's end of the tunnel.
    end: TunnelEnd,
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Asked {
    wish: Wish,
    bytes: Bytes,
    again: Time,
}

/// What a request is for.
#[derive(Clone, Copy, Debug)]
enum Wish {
    Association,
    Session(Tunnel),
    /// That packets to the user go to its gNB.
    Downlink(Tunnel),
    End(Tunnel),
}

impl Smf {
    /// Asks for an association, and then for the sessions.
    pub(crate) fn begin(&mut self, now: Time) {
        self.ask(now, Wish::Association, MessageType::AssociationSetupRequest, None, |writer| {
            writer.add(&node()).add(&Element::RecoveryTimeStamp(BEGAN));
        });
    }

    /// Ends all sessions.
    pub(crate) fn end(&mut self, now: Time) {
        for tunnel in cast::tunnels() {
            let Some(session) = self.sessions.get(&tunnel.number).copied() else { continue };
            let kind = MessageType::SessionDeletionRequest;
            self.ask(now, Wish::End(tunnel), kind, Some(session.seid), |_| {});
        }
    }

    /// How many sessions it has.
    pub(crate) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    pub(super) fn receive(&mut self, now: Time, packet: &Packet) {
        let Some((message, port)) = pfcp::read(packet) else { return };
        if message.message_type() == MessageType::HeartbeatRequest {
            let answer = pfcp::write(MessageType::HeartbeatResponse, None, message.sequence(), |writer| {
                writer.add(&Element::RecoveryTimeStamp(BEGAN));
            });
            self.out.push_back(pfcp::packet(address(), (packet.source, port), &answer));
            return;
        }
        // Other requests than that are for SMFs that use more of PFCP.
        let accepted = message.routing().ok().and_then(|routing| routing.cause).is_some_and(Cause::is_acceptance);
        if let Some(Asked { wish, .. }) = self.asked.remove(&message.sequence()).filter(|_| accepted) {
            self.granted(now, wish, &message);
        }
    }

    fn granted(&mut self, now: Time, wish: Wish, message: &Message<'_>) {
        match wish {
            Wish::Association => cast::tunnels().for_each(|tunnel| self.establish(now, tunnel)),
            Wish::Session(tunnel) => {
                let Some(session) = Session::read(message) else { return };
                self.made = self.made.saturating_add(1);
                self.sessions.insert(tunnel.number, session);
                let kind = MessageType::SessionModificationRequest;
                self.ask(now, Wish::Downlink(tunnel), kind, Some(session.seid), |writer| downlink(writer, tunnel));
            }
            Wish::Downlink(tunnel) => {
                let session = self.sessions.get(&tunnel.number);
                self.news.extend(session.map(|session| (tunnel, session.end)));
            }
            Wish::End(tunnel) => drop(self.sessions.remove(&tunnel.number)),
        }
    }

    fn establish(&mut self, now: Time, tunnel: Tunnel) {
        let own = FSeid { seid: u64::from(tunnel.number) + 1, addresses: address().into() };
        self.ask(now, Wish::Session(tunnel), MessageType::SessionEstablishmentRequest, Some(0), |writer| {
            writer.add(&node()).add(&Element::FSeid(own));
            rules(writer, tunnel);
        });
    }

    fn ask(
        &mut self,
        now: Time,
        wish: Wish,
        kind: MessageType,
        seid: Option<u64>,
        fill: impl FnOnce(&mut MessageWriter<'_>),
    ) {
        self.sequence = self.sequence.wrapping_add(1);
        let bytes = pfcp::write(kind, seid, self.sequence, fill);
        self.out.push_back(request(&bytes));
        self.asked.insert(self.sequence, Asked { wish, bytes, again: now.after(AGAIN) });
    }

    pub(super) fn poll(&mut self) -> Option<Packet> {
        self.out.pop_front()
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.asked.values().map(|asked| asked.again).min()
    }

    pub(super) fn expire(&mut self, now: Time) {
        for asked in self.asked.values_mut().filter(|asked| asked.again <= now) {
            asked.again = now.after(AGAIN);
            self.out.push_back(request(&asked.bytes));
        }
    }
}

impl Session {
    /// What an answer to an establishment says.
    fn read(message: &Message<'_>) -> Option<Self> {
        let (theirs, _) = message.routing().ok()?.session?;
        match pfcp::find(message.elements(), &[ElementType::CreatedPdr, ElementType::FTeid])? {
            Element::FTeid(FTeid::Given { teid, addresses }) => {
                Some(Self { seid: theirs.seid, end: TunnelEnd { address: addresses.v4?.into(), teid } })
            }
            _ => None,
        }
    }
}

/// The rules of a session: packets from the tunnel, whose end the UPF is to choose, go on, and those to the user are held
/// until the gNB's end is known.
fn rules(writer: &mut MessageWriter<'_>, tunnel: Tunnel) {
    for rule in [UPLINK, DOWNLINK] {
        let up = rule == UPLINK;
        writer.nested(ElementType::CreatePdr, |writer| {
            writer.add(&Element::PdrId(rule)).add(&Element::Precedence(255));
            writer.nested(ElementType::Pdi, |writer| {
                writer.add(&Element::SourceInterface(if up { ACCESS } else { CORE }));
                if up {
                    writer.add(&Element::FTeid(FTeid::Choose { v4: true, v6: false, id: None }));
                }
                writer.add(&user(tunnel, !up));
            });
            if up {
                // GTP-U, UDP, IPv4 (TS 29.244 8.2.64).
                let header = OuterHeaderRemoval { description: 0, extensions: None };
                writer.add(&Element::OuterHeaderRemoval(header));
            }
            writer.add(&Element::FarId(rule.into()));
        });
    }
    writer.nested(ElementType::CreateFar, |writer| {
        writer.add(&Element::FarId(UPLINK.into()));
        writer.element(ElementType::ApplyAction, |out| out.extend_from_slice(&FORWARD));
        writer.nested(ElementType::ForwardingParameters, |writer| {
            writer.add(&Element::DestinationInterface(CORE));
        });
    });
    writer.nested(ElementType::CreateFar, |writer| {
        writer.add(&Element::FarId(DOWNLINK.into()));
        writer.element(ElementType::ApplyAction, |out| out.extend_from_slice(&HOLD));
    });
}

/// Packets to the user go to the gNB's end of its tunnel.
fn downlink(writer: &mut MessageWriter<'_>, tunnel: Tunnel) {
    let gnb = Member { role: Role::Gnb, number: tunnel.gnb };
    // GTP-U, UDP, IPv4 (TS 29.244 8.2.56).
    let header = OuterHeaderCreation {
        description: 0x0100,
        teid: Some(tunnel.gnb_teid()),
        addresses: gnb.address(Network::User).into(),
        port: None,
        c_tag: None,
        s_tag: None,
    };
    writer.nested(ElementType::UpdateFar, |writer| {
        writer.add(&Element::FarId(DOWNLINK.into()));
        writer.element(ElementType::ApplyAction, |out| out.extend_from_slice(&FORWARD));
        writer.nested(ElementType::UpdateForwardingParameters, |writer| {
            writer.add(&Element::DestinationInterface(ACCESS)).add(&Element::OuterHeaderCreation(header));
        });
    });
}

fn user(tunnel: Tunnel, destination: bool) -> Element<'static> {
    Element::UeIpAddress(UeAddress {
        addresses: Addresses { v4: Some(cast::user(tunnel.number)), v6: None },
        destination,
        delegated: None,
        prefix: None,
        choose_v4: false,
        choose_v6: false,
    })
}

fn request(bytes: &[u8]) -> Packet {
    pfcp::packet(address(), (cast::pfcp_service(), PORT), bytes)
}

fn node() -> Element<'static> {
    Element::NodeId(NodeId::Address(address()))
}

fn address() -> IpAddr {
    cast::SMF.address(Network::Control)
}

#[cfg(test)]
mod tests {
    use super::super::pfcp::scapy::{ANSWER, END, ESTABLISHMENT, MODIFICATION};
    use super::*;

    const NOW: Time = Time::ZERO;

    fn hear(smf: &mut Smf, message: &[u8]) {
        smf.receive(NOW, &pfcp::packet(cast::pfcp_service(), (address(), PORT), message));
    }

    /// What it sends, without the UDP header.
    fn sent(smf: &mut Smf) -> Vec<Bytes> {
        std::iter::from_fn(|| smf.poll()).map(|packet| packet.payload.slice(8..)).collect()
    }

    #[test]
    fn a_session_is_made_as_scapy_would() {
        let mut smf = Smf::default();
        smf.begin(NOW);
        assert_eq!(sent(&mut smf).len(), 1);
        let accepted = |kind: u8, sequence: u8| [0x20, kind, 0, 9, 0, 0, sequence, 0, 0, 19, 0, 1, 1];
        hear(&mut smf, &accepted(MessageType::AssociationSetupResponse.into(), 1));
        let asked = sent(&mut smf);
        assert_eq!((asked.len(), &asked[3][..]), (24, ESTABLISHMENT));
        hear(&mut smf, ANSWER);
        assert_eq!(sent(&mut smf), [MODIFICATION]);
        assert!(smf.news.is_empty(), "nothing is to be sent before answers find the way");
        hear(&mut smf, &accepted(MessageType::SessionModificationResponse.into(), 26));
        assert_eq!(smf.news, [(Tunnel { number: 3, gnb: 1 }, END)]);
    }

    #[test]
    fn what_is_not_answered_is_asked_again() {
        let mut smf = Smf::default();
        smf.begin(NOW);
        let first = sent(&mut smf);
        let due = smf.deadline().unwrap();
        smf.expire(due);
        assert_eq!(sent(&mut smf), first);
        assert_eq!(smf.deadline(), Some(due.after(AGAIN)));
    }
}
