//! What an SMF asks (TS 29.244 7.4, 7.5).

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BufMut as _;
use pinion_protocols::pfcp::{
    Element, ElementType, FTeid, MessageType, MessageWriter, OuterHeaderCreation, OuterHeaderRemoval, SdfFilter,
};

use super::super::Tunnel;
use super::super::message::{own, own_node, session_socket, user, v4};
use super::{Association, Breakout, Session, Smf, State, Wish};

/// Rules of every session: the uplink's, the downlink's; and of what breaks out.
const UPLINK: u16 = 1;
const DOWNLINK: u16 = 2;
const BREAKOUT: u16 = 3;
/// Its one traffic endpoint.
const ENDPOINT: u8 = 1;
/// Its one QER and URR.
const ONLY: u32 = 1;

/// Interfaces of packets (TS 29.244 8.2.2).
const ACCESS: u8 = 0;
const CORE: u8 = 1;
/// Apply Action (TS 29.244 8.2.26): FORW, and BUFF with NOCP, in the first of two octets.
const FORWARD: [u8; 2] = [0x02, 0];
const HOLD: [u8; 2] = [0x0c, 0];
/// Removal of an outer header of GTP-U, UDP, IPv4 (TS 29.244 8.2.64).
const REMOVE_GTPU_V4: u8 = 0;

impl Smf {
    /// Sets up an association, or sets it up anew, which ends its sessions.
    pub fn associate(&mut self, upf: SocketAddr, now: Duration) {
        self.end_all(|session| session.upf == upf, State::Lost);
        self.set_up(upf, false, now);
    }

    pub(super) fn set_up(&mut self, upf: SocketAddr, retain: bool, now: Duration) {
        self.associations.insert(upf, Association::default());
        let (node, started, features) = (self.config.address, self.config.started, self.features());
        self.exchanges.request(upf, MessageType::AssociationSetupRequest, None, None, now, |writer| {
            writer.add(&own_node(node)).add(&Element::RecoveryTimeStamp(started));
            writer.element(ElementType::CpFunctionFeatures, |out| out.put_slice(&features));
            if retain {
                writer.nested(ElementType::SessionRetentionInformation, |writer| {
                    writer.add(&Element::CpEntityAddress(v4(node)));
                });
            }
        });
    }

    /// CP Function Features (TS 29.244 8.2.58): EPFAR; BUNDL where it bundles.
    pub(super) fn features(&self) -> [u8; 1] {
        [0x04 | self.config.bundle.map_or(0, |_| 0x10)]
    }

    /// Says that it gives up the association.
    pub fn release(&mut self, upf: SocketAddr, now: Duration) {
        let node = self.config.address;
        self.exchanges.request(upf, MessageType::AssociationReleaseRequest, None, None, now, |writer| {
            writer.add(&own_node(node));
        });
    }

    /// Sends a heartbeat.
    pub fn heartbeat(&mut self, upf: SocketAddr, now: Duration) {
        let started = self.config.started;
        self.exchanges.request(upf, MessageType::HeartbeatRequest, None, None, now, |writer| {
            writer.add(&Element::RecoveryTimeStamp(started));
        });
    }

    /// Establishes a session and says its SEID. The downlink is held until [`Smf::activate`].
    pub fn establish(&mut self, upf: SocketAddr, wish: &Wish, now: Duration) -> u64 {
        let seid = self.next_seid;
        self.next_seid = seid.wrapping_add(1);
        self.sessions.insert(seid, Session::new(wish.clone(), upf));
        let node = self.config.address;
        let kind = MessageType::SessionEstablishmentRequest;
        self.exchanges.request(upf, kind, Some(0), Some(seid), now, |writer| {
            writer.add(&own_node(node)).add(&own(seid, node));
            rules(writer, wish);
        });
        seid
    }

    /// Tells the UPF where the gNB is, and lets packets through to the user.
    pub fn activate(&mut self, seid: u64, gnb: Tunnel, now: Duration) {
        if let Some(session) = self.sessions.get_mut(&seid) {
            session.gnb = Some(gnb);
        }
        self.modify(seid, now, |writer, wish| {
            update_downlink(writer, FORWARD, |writer| {
                writer.nested(ElementType::UpdateForwardingParameters, |writer| {
                    writer.add(&Element::DestinationInterface(ACCESS));
                    writer.add(&Element::NetworkInstance(wish.dnn.as_bytes()));
                    writer.add(&outer_header(gnb));
                });
            });
        });
    }

    /// Has packets to the user held, and the first of them reported: the user is idle.
    pub fn deactivate(&mut self, seid: u64, now: Duration) {
        self.modify(seid, now, |writer, _| update_downlink(writer, HOLD, |_| {}));
    }

    /// Says again where the uplink ends, as some SMFs do.
    pub fn confirm(&mut self, seid: u64, now: Duration) {
        let told = self.sessions.get(&seid).map(|session| (session.uplink, session.ue));
        let Some((Some(uplink), ue)) = told else {
            return;
        };
        self.modify(seid, now, |writer, wish| {
            let wish = Wish { uplink: Some(uplink), ue, ..wish.clone() };
            if wish.endpoint {
                writer.nested(ElementType::UpdateTrafficEndpoint, |writer| endpoint(writer, &wish));
            } else {
                writer.nested(ElementType::UpdatePdr, |writer| {
                    writer.add(&Element::PdrId(UPLINK));
                    writer.nested(ElementType::Pdi, |writer| pdi(writer, &wish, UPLINK));
                });
            }
        });
    }

    /// Has no packets break out any more.
    pub fn withdraw(&mut self, seid: u64, now: Duration) {
        self.modify(seid, now, |writer, _| {
            writer.nested(ElementType::RemovePdr, |writer| {
                writer.add(&Element::PdrId(BREAKOUT));
            });
        });
    }

    /// Asks for the usage so far.
    pub fn query(&mut self, seid: u64, now: Duration) {
        self.modify(seid, now, |writer, _| {
            writer.nested(ElementType::QueryUrr, |writer| {
                writer.add(&Element::UrrId(ONLY));
            });
        });
    }

    /// Deletes a session.
    pub fn delete(&mut self, seid: u64, now: Duration) {
        let Some(session) = self.sessions.get_mut(&seid) else {
            return;
        };
        session.state = State::Deleting;
        let (to, theirs) = session.other_end();
        self.exchanges.request(to, MessageType::SessionDeletionRequest, Some(theirs), Some(seid), now, |_| {});
    }

    /// Says that all sessions of this SMF are to go (TS 29.244 7.4.6).
    pub fn delete_set(&mut self, upf: SocketAddr, now: Duration) {
        let node = self.config.address;
        self.exchanges.request(upf, MessageType::SessionSetDeletionRequest, None, None, now, |writer| {
            writer.add(&own_node(node));
        });
    }

    fn modify(&mut self, seid: u64, now: Duration, fill: impl FnOnce(&mut MessageWriter<'_>, &Wish)) {
        let Some(session) = self.sessions.get(&seid) else {
            return;
        };
        let ((to, theirs), wish) = (session.other_end(), &session.wish);
        let kind = MessageType::SessionModificationRequest;
        self.exchanges.request(to, kind, Some(theirs), Some(seid), now, |writer| fill(writer, wish));
    }
}

impl Session {
    /// Where its messages go, and the SEID in them; 0 where it is not known.
    fn other_end(&self) -> (SocketAddr, u64) {
        let up = self.up.as_ref();
        let to = up.map_or(self.upf, |up| session_socket(up, self.upf));
        (to, up.map_or(0, |up| up.seid))
    }
}

fn rules(writer: &mut MessageWriter<'_>, wish: &Wish) {
    writer.nested(ElementType::CreatePdr, |writer| pdr(writer, wish, UPLINK));
    writer.nested(ElementType::CreatePdr, |writer| pdr(writer, wish, DOWNLINK));
    if wish.endpoint {
        writer.nested(ElementType::CreateTrafficEndpoint, |writer| endpoint(writer, wish));
    }
    to_core(writer, UPLINK, &wish.dnn);
    if let Some(Breakout { network, .. }) = &wish.breakout {
        writer.nested(ElementType::CreatePdr, |writer| pdr(writer, wish, BREAKOUT));
        to_core(writer, BREAKOUT, network);
    }
    writer.nested(ElementType::CreateFar, |writer| {
        writer.add(&Element::FarId(DOWNLINK.into()));
        writer.element(ElementType::ApplyAction, |out| out.put_slice(&HOLD));
    });
    if wish.urr {
        writer.nested(ElementType::CreateUrr, urr);
    }
    writer.nested(ElementType::CreateQer, |writer| qer(writer, wish.qfi));
    writer.add(&Element::PdnType(1));
    if let Some(slice) = wish.slice {
        writer.add(&Element::SNssai(slice));
    }
    let dnn = wish.dnn.as_bytes();
    writer.element(ElementType::ApnDnn, |out| {
        out.put_u8(dnn.len() as u8);
        out.put_slice(dnn);
    });
}

fn pdr(writer: &mut MessageWriter<'_>, wish: &Wish, number: u16) {
    let precedence = if number == BREAKOUT { 1 } else { 255 };
    writer.add(&Element::PdrId(number)).add(&Element::Precedence(precedence));
    writer.nested(ElementType::Pdi, |writer| pdi(writer, wish, number));
    if number != DOWNLINK {
        let header = OuterHeaderRemoval { description: REMOVE_GTPU_V4, extensions: None };
        writer.add(&Element::OuterHeaderRemoval(header));
    }
    writer.add(&Element::FarId(number.into()));
    if wish.urr {
        writer.add(&Element::UrrId(ONLY));
    }
    writer.add(&Element::QerId(ONLY));
}

fn pdi(writer: &mut MessageWriter<'_>, wish: &Wish, number: u16) {
    let up = number != DOWNLINK;
    writer.add(&Element::SourceInterface(if up { ACCESS } else { CORE }));
    if up && wish.endpoint {
        writer.add(&Element::TrafficEndpointId(ENDPOINT));
    } else if up {
        writer.add(&local(wish));
    }
    if !up || !wish.endpoint {
        writer.add(&Element::NetworkInstance(wish.dnn.as_bytes())).add(&user(wish.ue, !up));
    }
    if number == UPLINK {
        writer.add(&Element::Qfi(wish.qfi));
    }
    if let Some(Breakout { flow, .. }) = wish.breakout.as_ref().filter(|_| number == BREAKOUT) {
        let flow = Some(flow.as_bytes());
        let filter = SdfFilter { flow, traffic_class: None, security: None, flow_label: None, id: None };
        writer.add(&Element::SdfFilter(filter));
    }
}

/// What goes to the core, by a network instance.
fn to_core(writer: &mut MessageWriter<'_>, number: u16, network: &str) {
    writer.nested(ElementType::CreateFar, |writer| {
        writer.add(&Element::FarId(number.into()));
        writer.element(ElementType::ApplyAction, |out| out.put_slice(&FORWARD));
        writer.nested(ElementType::ForwardingParameters, |writer| {
            let network = Element::NetworkInstance(network.as_bytes());
            writer.add(&Element::DestinationInterface(CORE)).add(&network);
        });
    });
}

fn endpoint(writer: &mut MessageWriter<'_>, wish: &Wish) {
    writer.add(&Element::TrafficEndpointId(ENDPOINT)).add(&local(wish));
    writer.add(&Element::NetworkInstance(wish.dnn.as_bytes())).add(&user(wish.ue, false));
}

/// The UPF's end of the uplink, or the wish that it chooses one.
fn local(wish: &Wish) -> Element<'static> {
    // Rules of one tunnel say so (TS 29.244 8.2.3).
    let choose = FTeid::Choose { v4: true, v6: false, id: wish.breakout.as_ref().map(|_| 1) };
    Element::FTeid(wish.uplink.map_or(choose, Tunnel::f_teid))
}

/// By volume, reported when a gigabyte is through (TS 29.244 8.2.40, 8.2.19, 8.2.13).
fn urr(writer: &mut MessageWriter<'_>) {
    writer.add(&Element::UrrId(ONLY));
    writer.element(ElementType::MeasurementMethod, |out| out.put_u8(2));
    writer.element(ElementType::ReportingTriggers, |out| out.put_slice(&[2, 0, 0]));
    writer.element(ElementType::VolumeThreshold, |out| {
        out.put_u8(1);
        out.put_u64(1 << 30);
    });
}

/// Gates open, a gigabit per second each way (TS 29.244 8.2.7, 8.2.8).
fn qer(writer: &mut MessageWriter<'_>, qfi: u8) {
    writer.add(&Element::QerId(ONLY));
    writer.element(ElementType::GateStatus, |out| out.put_u8(0));
    writer.element(ElementType::Mbr, |out| {
        for _ in 0..2 {
            out.put_u8(0);
            out.put_u32(1_000_000);
        }
    });
    writer.add(&Element::Qfi(qfi));
}

/// GTP-U, UDP, IPv4 around packets to a tunnel (TS 29.244 8.2.56).
fn outer_header(to: Tunnel) -> Element<'static> {
    Element::OuterHeaderCreation(OuterHeaderCreation {
        description: 0x0100,
        teid: Some(to.teid),
        addresses: v4(to.address),
        port: None,
        c_tag: None,
        s_tag: None,
    })
}

fn update_downlink(writer: &mut MessageWriter<'_>, action: [u8; 2], more: impl FnOnce(&mut MessageWriter<'_>)) {
    writer.nested(ElementType::UpdateFar, |writer| {
        writer.add(&Element::FarId(DOWNLINK.into()));
        writer.element(ElementType::ApplyAction, |out| out.put_slice(&action));
        more(writer);
    });
}
