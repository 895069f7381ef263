//! Scripted SMFs: what they ask for, and what they answer.

use std::net::{IpAddr, Ipv4Addr};

use bytes::BytesMut;
use pinion_protocols::pfcp::{
    Addresses, Cause, Element, ElementType, FSeid, FTeid, MessageType, MessageWriter, NodeId, OuterHeaderCreation,
    UeAddress,
};

use crate::stage::Said;

/// CP Function Features (TS 29.244 8.2.58): LOAD, and EPFAR.
pub(crate) const LOAD: u8 = 1;
pub(crate) const EPFAR: u8 = 4;

/// Any IPv4 F-TEID, chosen by the UPF (TS 29.244 8.2.3).
pub(crate) const CHOOSE: FTeid = FTeid::Choose { v4: true, v6: false, id: None };

/// An SMF, by its address.
#[derive(Clone, Debug)]
pub(crate) struct Smf {
    pub(crate) address: IpAddr,
    /// The number of its next request.
    pub(crate) sequence: u32,
    pub(crate) features: u8,
    /// Its name, as labels, where it has one.
    pub(crate) name: Option<&'static [u8]>,
}

impl Smf {
    pub(crate) fn new(number: u8) -> Self {
        Self { address: [192, 0, 2, 100 + number].into(), sequence: 1, features: LOAD | EPFAR, name: None }
    }

    pub(crate) fn node(&self) -> Element<'static> {
        Element::NodeId(self.name.map_or(NodeId::Address(self.address), NodeId::Name))
    }

    pub(crate) fn f_seid(&self, seid: u64) -> Element<'static> {
        Element::FSeid(FSeid { seid, addresses: self.address.into() })
    }

    /// A request with the number that is next; asked with twice it is a retransmission.
    pub(crate) fn request(
        &self,
        kind: MessageType,
        seid: Option<u64>,
        body: impl FnOnce(&mut MessageWriter<'_>),
    ) -> Vec<u8> {
        message(kind, seid, self.sequence, body)
    }

    /// An association; `stamp`: when it began.
    pub(crate) fn setup(&self, stamp: u32) -> Vec<u8> {
        self.setup_with(stamp, |_| {})
    }

    pub(crate) fn setup_with(&self, stamp: u32, more: impl FnOnce(&mut MessageWriter<'_>)) -> Vec<u8> {
        self.request(MessageType::AssociationSetupRequest, None, |writer| {
            writer.add(&self.node()).add(&Element::RecoveryTimeStamp(stamp));
            writer.element(ElementType::CpFunctionFeatures, |out| out.extend_from_slice(&[self.features]));
            more(writer);
        })
    }

    /// Session Retention Information for all sessions (TS 29.244 7.4.4.1).
    pub(crate) fn setup_retaining(&self, stamp: u32) -> Vec<u8> {
        self.setup_with(stamp, |writer| {
            writer.nested(ElementType::SessionRetentionInformation, |_| {});
        })
    }

    pub(crate) fn establish(&self, seid: u64, rules: impl FnOnce(&mut MessageWriter<'_>)) -> Vec<u8> {
        // TS 29.244 7.2.2.4.2: 0, as the UPF's is not known yet.
        self.request(MessageType::SessionEstablishmentRequest, Some(0), |writer| {
            writer.add(&self.node()).add(&self.f_seid(seid));
            rules(writer);
        })
    }

    /// A session of one uplink PDR (1) and a FAR (1).
    pub(crate) fn simple(&self, seid: u64) -> Vec<u8> {
        self.establish(seid, |writer| {
            create_pdr(writer, 1, Some(CHOOSE));
            create_far(writer, 1);
        })
    }

    pub(crate) fn modify(&self, seid: u64, rules: impl FnOnce(&mut MessageWriter<'_>)) -> Vec<u8> {
        self.request(MessageType::SessionModificationRequest, Some(seid), rules)
    }

    pub(crate) fn delete(&self, seid: u64) -> Vec<u8> {
        self.request(MessageType::SessionDeletionRequest, Some(seid), |_| {})
    }

    pub(crate) fn release(&self) -> Vec<u8> {
        self.request(MessageType::AssociationReleaseRequest, None, |writer| {
            writer.add(&self.node());
        })
    }

    pub(crate) fn heartbeat(&self, stamp: u32) -> Vec<u8> {
        self.request(MessageType::HeartbeatRequest, None, |writer| {
            writer.add(&Element::RecoveryTimeStamp(stamp));
        })
    }
}

/// A message.
pub(crate) fn message(
    kind: MessageType,
    seid: Option<u64>,
    sequence: u32,
    body: impl FnOnce(&mut MessageWriter<'_>),
) -> Vec<u8> {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, kind, seid, sequence);
    body(&mut writer);
    writer.finish().unwrap();
    out.to_vec()
}

/// An uplink PDR, with an F-TEID in its PDI.
pub(crate) fn create_pdr(writer: &mut MessageWriter<'_>, number: u16, tunnel: Option<FTeid>) {
    pdr(writer, ElementType::CreatePdr, number, tunnel);
}

pub(crate) fn pdr(writer: &mut MessageWriter<'_>, kind: ElementType, number: u16, tunnel: Option<FTeid>) {
    writer.nested(kind, |writer| {
        writer.add(&Element::PdrId(number)).add(&Element::Precedence(100));
        writer.nested(ElementType::Pdi, |writer| {
            writer.add(&Element::SourceInterface(0));
            if let Some(tunnel) = tunnel {
                writer.add(&Element::FTeid(tunnel));
            }
        });
        writer.add(&Element::FarId(1));
    });
}

pub(crate) fn remove_pdr(writer: &mut MessageWriter<'_>, number: u16) {
    writer.nested(ElementType::RemovePdr, |writer| {
        writer.add(&Element::PdrId(number));
    });
}

/// A FAR that forwards to the core.
pub(crate) fn create_far(writer: &mut MessageWriter<'_>, number: u32) {
    writer.nested(ElementType::CreateFar, |writer| {
        writer.add(&Element::FarId(number));
        writer.element(ElementType::ApplyAction, |out| out.extend_from_slice(&[2]));
        writer.nested(ElementType::ForwardingParameters, |writer| {
            writer.add(&Element::DestinationInterface(1));
        });
    });
}

/// FAR 1 forwards to this tunnel from now on.
pub(crate) fn forward(writer: &mut MessageWriter<'_>, header: OuterHeaderCreation) {
    writer.nested(ElementType::UpdateFar, |writer| {
        writer.add(&Element::FarId(1));
        writer.nested(ElementType::UpdateForwardingParameters, |writer| {
            writer.add(&Element::OuterHeaderCreation(header));
        });
    });
}

/// GTP-U to an F-TEID.
pub(crate) fn header(teid: u32, addresses: Addresses) -> OuterHeaderCreation {
    let description = if addresses.v6.is_some() { 0x0200 } else { 0x0100 };
    OuterHeaderCreation { description, teid: Some(teid), addresses, port: None, c_tag: None, s_tag: None }
}

/// A downlink PDR for a user that has this address; none: that the UPF chooses one (TS 29.244 8.2.62).
pub(crate) fn user_pdr(writer: &mut MessageWriter<'_>, number: u16, user: Option<Ipv4Addr>) {
    writer.nested(ElementType::CreatePdr, |writer| {
        writer.add(&Element::PdrId(number)).add(&Element::Precedence(100));
        writer.nested(ElementType::Pdi, |writer| {
            writer.add(&Element::SourceInterface(1)).add(&Element::UeIpAddress(UeAddress {
                addresses: Addresses { v4: user, v6: None },
                destination: true,
                delegated: None,
                prefix: None,
                choose_v4: user.is_none(),
                choose_v6: false,
            }));
        });
    });
}

/// What an SMF that began at `stamp` answers to what it is asked: yes.
pub(crate) fn answer(asked: &Said, stamp: u32) -> Option<Vec<u8>> {
    let request = asked.message();
    let kind = request.message_type().response()?;
    Some(message(kind, request.seid(), request.sequence(), |writer| match kind {
        MessageType::HeartbeatResponse => {
            writer.add(&Element::RecoveryTimeStamp(stamp));
        }
        MessageType::SessionReportResponse => {
            writer.add(&Element::Cause(Cause::ACCEPTED));
        }
        _ => {
            let node = NodeId::Address([192, 0, 2, 101].into());
            writer.add(&Element::NodeId(node)).add(&Element::Cause(Cause::ACCEPTED));
        }
    }))
}
