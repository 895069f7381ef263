//! What an UPF says unasked (TS 29.244 7.4.4, 7.4.5, 7.5.8), and usage reports.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::BufMut as _;
use pinion_protocols::pfcp::{Element, ElementType, MessageType, MessageWriter, RemotePeer};

use super::super::Tunnel;
use super::super::message::own_node;
use super::{Bearer, Upf};

/// Report Type: DLDR, USAR, ERIR (TS 29.244 8.2.21).
const DOWNLINK: u8 = 0x01;
const USAGE: u8 = 0x02;
const ERROR: u8 = 0x04;

/// Usage Report Trigger (TS 29.244 8.2.41): VOLTH, IMMER, TERMR.
const THRESHOLD: [u8; 3] = [0x02, 0, 0];
pub(super) const ASKED: [u8; 3] = [0x80, 0, 0];
pub(super) const ENDED: [u8; 3] = [0, 0x08, 0];

impl Upf {
    /// Sets up an association from its side.
    pub fn associate(&mut self, smf: SocketAddr, now: Duration) {
        let (node, started, features) = (self.node_id(), self.config.started, self.features());
        self.exchanges.request(smf, MessageType::AssociationSetupRequest, None, None, now, |writer| {
            writer.add(&own_node(node)).add(&Element::RecoveryTimeStamp(started));
            writer.element(ElementType::UpFunctionFeatures, |out| out.put_slice(&features));
        });
    }

    /// UP Function Features (TS 29.244 8.2.25): FTUP; EMPU, PDIU, EPFAR; UEIP, BUNDL.
    pub(super) fn features(&self) -> [u8; 4] {
        let epfar = if self.config.epfar { 0x80 } else { 0 };
        let ueip = self.config.pool.map_or(0, |_| 0x04);
        [0x10, 0x03 | epfar, ueip | self.config.bundle.map_or(0, |_| 0x40), 0]
    }

    /// Sends a heartbeat to every SMF.
    pub fn heartbeat(&mut self, now: Duration) {
        let started = self.config.started;
        for peer in self.peers.values() {
            self.exchanges.request(peer.socket, MessageType::HeartbeatRequest, None, None, now, |writer| {
                writer.add(&Element::RecoveryTimeStamp(started));
            });
        }
    }

    /// Asks every SMF to release its association, within minutes (TS 29.244 6.2.8, 8.2.78).
    pub fn release_gracefully(&mut self, minutes: u8, now: Duration) {
        let node = self.node_id();
        for peer in self.peers.values() {
            let kind = MessageType::AssociationUpdateRequest;
            self.exchanges.request(peer.socket, kind, None, None, now, |writer| {
                writer.add(&own_node(node));
                writer.element(ElementType::AssociationReleaseReq, |out| out.put_u8(1));
                writer.add(&Element::GracefulReleasePeriod(0x20 | minutes & 0x1f));
            });
        }
    }

    /// Tells every SMF that a peer of the user plane is gone (TS 29.244 7.4.5.1).
    pub fn report_path_failure(&mut self, gnb: Ipv4Addr, now: Duration) {
        let node = self.node_id();
        for peer in self.peers.values() {
            self.exchanges.request(peer.socket, MessageType::NodeReportRequest, None, None, now, |writer| {
                writer.add(&own_node(node)).add(&Element::NodeReportType(1));
                writer.nested(ElementType::UserPlanePathFailureReport, |writer| {
                    writer.add(&Element::RemotePeer(RemotePeer {
                        addresses: IpAddr::V4(gnb).into(),
                        interface: None,
                        network: None,
                        recovery: None,
                    }));
                });
            });
        }
    }

    /// Reports the usage of a session that is measured.
    pub fn report_usage(&mut self, seid: u64, now: Duration) {
        let started = self.config.started;
        self.report(seid, USAGE, now, |writer, bearer| {
            let kind = ElementType::UsageReportSessionReportRequest;
            usage(writer, kind, bearer, None, THRESHOLD, (started, now));
        });
    }

    /// Reports that packets to the user are held.
    pub fn report_downlink(&mut self, seid: u64, now: Duration) {
        self.report(seid, DOWNLINK, now, |writer, bearer| {
            let Some((pdr, _)) = bearer.towards_user() else {
                return;
            };
            writer.nested(ElementType::DownlinkDataReport, |writer| {
                writer.add(&Element::PdrId(pdr));
            });
        });
    }

    /// Reports that a gNB does not know a tunnel.
    pub fn report_error(&mut self, seid: u64, gnb: Tunnel, now: Duration) {
        self.report(seid, ERROR, now, |writer, _| {
            writer.nested(ElementType::ErrorIndicationReport, |writer| {
                writer.add(&Element::FTeid(gnb.f_teid()));
            });
        });
    }

    /// Deletes a session by itself and says so (PSDBU, TS 29.244 8.2.123).
    pub fn give_up(&mut self, seid: u64, now: Duration) {
        let started = self.config.started;
        let measured = self.sessions.get(&seid).is_some_and(|bearer| !bearer.urrs.is_empty());
        self.report(seid, if measured { USAGE } else { 0 }, now, |writer, bearer| {
            writer.element(ElementType::PfcpsrreqFlags, |out| out.put_u8(1));
            let kind = ElementType::UsageReportSessionReportRequest;
            usage(writer, kind, bearer, None, ENDED, (started, now));
        });
        self.remove(seid);
    }

    fn report(
        &mut self,
        seid: u64,
        about: u8,
        now: Duration,
        fill: impl FnOnce(&mut MessageWriter<'_>, &mut Bearer),
    ) {
        let Some(bearer) = self.sessions.get_mut(&seid) else {
            return;
        };
        let (smf, theirs) = (bearer.smf, bearer.cp.seid);
        let kind = MessageType::SessionReportRequest;
        self.exchanges.request(smf, kind, Some(theirs), Some(seid), now, |writer| {
            writer.add(&Element::ReportType(about));
            fill(writer, bearer);
        });
    }
}

/// Reports the usage that one of a session's rules measures, or all of them.
pub(super) fn usage(
    writer: &mut MessageWriter<'_>,
    kind: ElementType,
    bearer: &mut Bearer,
    only: Option<u32>,
    trigger: [u8; 3],
    (started, now): (u32, Duration),
) {
    let (uplink, downlink) = (bearer.uplink.1, bearer.downlink.1);
    for (number, reports) in bearer.urrs.iter_mut().filter(|(number, _)| only.is_none_or(|only| only == **number))
    {
        writer.nested(kind, |writer| {
            writer.add(&Element::UrrId(*number));
            writer.element(ElementType::UrSeqn, |out| out.put_u32(*reports));
            writer.element(ElementType::UsageReportTrigger, |out| out.put_slice(&trigger));
            writer.element(ElementType::StartTime, |out| out.put_u32(started));
            writer.element(ElementType::EndTime, |out| out.put_u32(started.wrapping_add(now.as_secs() as u32)));
            writer.element(ElementType::VolumeMeasurement, |out| {
                out.put_u8(7);
                for octets in [uplink + downlink, uplink, downlink] {
                    out.put_u64(octets);
                }
            });
        });
        *reports = reports.wrapping_add(1);
    }
}
