//! An SMF that asks, and UPFs that answer: neither remembers anything of a session.

use std::net::{IpAddr, Ipv4Addr};

use bytes::BytesMut;
use pinion_protocols::pfcp::{
    Cause, Element, ElementType, FSeid, FTeid, Message, MessageType, MessageWriter, NodeId, OuterHeaderCreation,
    OuterHeaderRemoval, UeAddress,
};

use super::SMF;

/// Requests of an SMF, one after another.
#[derive(Debug, Default)]
pub(super) struct Asks {
    sequence: u32,
    sessions: u32,
}

impl Asks {
    pub(super) fn association() -> BytesMut {
        message(MessageType::AssociationSetupRequest, None, 0, |writer| {
            writer.add(&node(SMF)).add(&Element::RecoveryTimeStamp(0xe800_0001));
            writer.element(ElementType::CpFunctionFeatures, |out| out.extend_from_slice(&[0]));
        })
    }

    /// As an SMF of 5G asks for a session: two rules each way, their actions, a QoS flow, usage.
    pub(super) fn establishment(&mut self) -> BytesMut {
        self.sessions += 1;
        let user = Ipv4Addr::from_bits(0x0a00_0000 + self.sessions);
        let seid = FSeid { seid: self.sessions.into(), addresses: IpAddr::V4(SMF).into() };
        self.ask(MessageType::SessionEstablishmentRequest, 0, |writer| {
            writer.add(&node(SMF)).add(&Element::FSeid(seid));
            for (pdr, far, interface) in [(1, 1, 0), (2, 2, 1)] {
                writer.nested(ElementType::CreatePdr, |writer| {
                    writer.add(&Element::PdrId(pdr)).add(&Element::Precedence(255));
                    writer.nested(ElementType::Pdi, |writer| {
                        writer.add(&Element::SourceInterface(interface));
                        if interface == 0 {
                            writer.add(&Element::FTeid(FTeid::Choose { v4: true, v6: false, id: None }));
                        }
                        writer.add(&Element::NetworkInstance(b"internet"));
                        writer.add(&Element::UeIpAddress(UeAddress {
                            addresses: IpAddr::V4(user).into(),
                            destination: interface == 1,
                            delegated: None,
                            prefix: None,
                            choose_v4: false,
                            choose_v6: false,
                        }));
                    });
                    if interface == 0 {
                        let header = OuterHeaderRemoval { description: 0, extensions: None };
                        writer.add(&Element::OuterHeaderRemoval(header));
                    }
                    writer.add(&Element::FarId(far)).add(&Element::QerId(1)).add(&Element::UrrId(1));
                });
                writer.nested(ElementType::CreateFar, |writer| {
                    writer.add(&Element::FarId(far));
                    writer.element(ElementType::ApplyAction, |out| out.extend_from_slice(&[2]));
                    writer.nested(ElementType::ForwardingParameters, |writer| {
                        writer.add(&Element::DestinationInterface(1 - interface));
                        writer.add(&Element::NetworkInstance(b"internet"));
                    });
                });
            }
            writer.nested(ElementType::CreateQer, |writer| {
                writer.add(&Element::QerId(1)).add(&Element::Qfi(9));
                writer.element(ElementType::GateStatus, |out| out.extend_from_slice(&[0]));
            });
            writer.nested(ElementType::CreateUrr, |writer| {
                writer.add(&Element::UrrId(1));
                writer.element(ElementType::MeasurementMethod, |out| out.extend_from_slice(&[2]));
                writer.element(ElementType::ReportingTriggers, |out| out.extend_from_slice(&[0, 1]));
            });
            writer.add(&Element::PdnType(1));
        })
    }

    /// The gNB's end of the tunnel is known.
    pub(super) fn activation(&mut self, seid: u64) -> BytesMut {
        let header = OuterHeaderCreation {
            description: 0x0100,
            teid: Some(0x77),
            addresses: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)).into(),
            port: None,
            c_tag: None,
            s_tag: None,
        };
        self.ask(MessageType::SessionModificationRequest, seid, |writer| {
            writer.nested(ElementType::UpdateFar, |writer| {
                writer.add(&Element::FarId(2));
                writer.nested(ElementType::UpdateForwardingParameters, |writer| {
                    writer.add(&Element::OuterHeaderCreation(header));
                });
            });
        })
    }

    pub(super) fn query(&mut self, seid: u64) -> BytesMut {
        self.ask(MessageType::SessionModificationRequest, seid, |writer| {
            writer.nested(ElementType::QueryUrr, |writer| {
                writer.add(&Element::UrrId(1));
            });
        })
    }

    pub(super) fn deletion(&mut self, seid: u64) -> BytesMut {
        self.ask(MessageType::SessionDeletionRequest, seid, |_| {})
    }

    fn ask(&mut self, kind: MessageType, seid: u64, body: impl FnOnce(&mut MessageWriter<'_>)) -> BytesMut {
        self.sequence = (self.sequence + 1) & 0x00ff_ffff;
        message(kind, Some(seid), self.sequence, body)
    }
}

/// What a UPF at an address answers.
pub(super) fn answer(request: &[u8], at: IpAddr) -> Option<BytesMut> {
    let request = Message::parse(request).ok()?;
    let (kind, IpAddr::V4(at)) = (request.message_type().response()?, at) else { return None };
    // Its SEIDs are the front end's own, and its TEIDs follow from them: other UPFs have the same.
    let theirs = match request.routing().ok()?.session {
        Some((session, _)) => session.seid,
        None => request.seid().unwrap_or(0),
    };
    let seid = request.seid().map(|_| theirs);
    Some(message(kind, seid, request.sequence(), |writer| match kind {
        MessageType::HeartbeatResponse => {
            writer.add(&Element::RecoveryTimeStamp(0xe800_0002));
        }
        MessageType::AssociationSetupResponse => {
            writer.add(&node(at)).add(&Element::Cause(Cause::ACCEPTED));
            writer.add(&Element::RecoveryTimeStamp(0xe800_0002));
            writer.element(ElementType::UpFunctionFeatures, |out| out.extend_from_slice(&[0x10, 0]));
        }
        MessageType::SessionEstablishmentResponse => {
            writer.add(&node(at)).add(&Element::Cause(Cause::ACCEPTED));
            writer.add(&Element::FSeid(FSeid { seid: theirs, addresses: IpAddr::V4(at).into() }));
            writer.nested(ElementType::CreatedPdr, |writer| {
                let teid = (theirs & 0xffff_ffff) as u32 + 1;
                writer.add(&Element::PdrId(1));
                writer.add(&Element::FTeid(FTeid::Given { teid, addresses: IpAddr::V4(n3(at)).into() }));
            });
        }
        _ => {
            writer.add(&Element::Cause(Cause::ACCEPTED));
        }
    }))
}

/// The SEID that an SMF is told in an establishment's response.
pub(super) fn seid(response: &[u8]) -> Option<u64> {
    let response = Message::parse(response).ok()?;
    let made = response.message_type() == MessageType::SessionEstablishmentResponse;
    response.routing().ok()?.session.filter(|_| made).map(|(session, _)| session.seid)
}

/// Where the tunnels of a UPF end.
pub(super) fn n3(upf: Ipv4Addr) -> Ipv4Addr {
    let [_, _, _, last] = upf.octets();
    Ipv4Addr::new(198, 51, 100, last)
}

fn node(address: Ipv4Addr) -> Element<'static> {
    Element::NodeId(NodeId::Address(address.into()))
}

fn message(
    kind: MessageType,
    seid: Option<u64>,
    sequence: u32,
    body: impl FnOnce(&mut MessageWriter<'_>),
) -> BytesMut {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, kind, seid, sequence);
    body(&mut writer);
    // None is as long as that.
    let _ = writer.finish();
    out
}
