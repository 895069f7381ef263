"""N4: PFCP between SMFs and UPFs, every type of message."""

import struct

from scapy.contrib.pfcp import *
from scapy.layers.inet import UDP
from scapy.packet import Raw

from recording import Recording, ip

SHOWS = """
N4: PFCP between the SMFs 192.0.2.21 and 2001:db8:1::21 and UPFs, every type of message of TS 29.244: heartbeat, PFD management,
association set-up, update and release, node report, version not supported, session set deletion and modification; sessions with
F-TEIDs chosen by the UPF (CHOOSE) and given by the SMF, traffic endpoints, SDF filters, usage and error reports, failed rules,
session retention, load and overload control, S-NSSAI, UE addresses to be chosen, elements of a vendor and of no type that there
is; two session messages in one datagram; a message with priority.
"""

SMF, UPF = "192.0.2.21", "192.0.2.4"
SMF6, UPF6 = "2001:db8:1::21", "2001:db8:1::4"
N3, GNB, UE, UE6 = "198.51.100.4", "198.51.100.11", "10.60.0.1", "2001:db8:60::"
PORT = 8805
CP_SEID, UP_SEID = 0x1000000000000001, 0x2000000000000002
STARTED = 3_968_000_000


def record():
    recording = Recording(1_760_002_000)
    nodes(recording, SMF, UPF)
    sessions(recording)
    bundle(recording)
    nodes(recording, SMF6, UPF6)
    ends(recording)
    return recording


def exchange(recording, smf, upf, sequence, request, response, up=True, seids=(None, None), **header):
    """A request and its response; `up` where the SMF asks."""
    (source, destination) = (smf, upf) if up else (upf, smf)
    recording.add(datagram(source, destination, pfcp(sequence, request, seids[0], **header)))
    recording.add(datagram(destination, source, pfcp(sequence, response, seids[1])))


def datagram(source, destination, payload):
    return ip(source, destination) / UDP(sport=PORT, dport=PORT) / payload


def pfcp(sequence, message, seid=None, **header):
    if seid is not None:
        header.update(S=1, seid=seid)
    return PFCP(seq=sequence, **header) / message


def raw(kind, value):
    """An element that scapy has no class for."""
    return IE_NotImplemented(ietype=kind, data=value)


def accepted():
    return IE_Cause(cause=1)


def node(address):
    return IE_NodeId(id_type=1, ipv6=address) if ":" in address else IE_NodeId(id_type=0, ipv4=address)


def nodes(recording, smf, upf):
    """What concerns no session."""
    stamp = lambda: IE_RecoveryTimeStamp(timestamp=STARTED)
    exchange(recording, smf, upf, 1, PFCPHeartbeatRequest(IE_list=[stamp()]), PFCPHeartbeatResponse(IE_list=[stamp()]))
    retention = raw(183, bytes(raw(185, b"\x02" + bytes([192, 0, 2, 21]))))
    setup = [node(smf), stamp(), IE_CPFunctionFeatures(LOAD=1, OVRL=1), retention,
             raw(180, b"\0" + b"\x04set1\x05smfs3"), raw(178, b"\x02" + bytes([192, 0, 2, 22]))]
    resources = IE_UserPlaneIPResourceInformation(
        V4=1, ASSONI=1, ASSOSI=1, TEIDRI=2, teid_range=0x40, ipv4=N3, network_instance="access", interface="Access")
    answer = [IE_NodeId(id_type="FQDN", id="upf1.example.org"), accepted(), stamp(),
              IE_UPFunctionFeatures(FTUP=1, EMPU=1, PDIU=1), resources]
    exchange(recording, smf, upf, 2, PFCPAssociationSetupRequest(IE_list=setup),
             PFCPAssociationSetupResponse(IE_list=answer))
    load = IE_LoadControlInformation(IE_list=[IE_SequenceNumber(number=7), IE_Metric(metric=40)])
    overload = IE_OverloadControlInformation(IE_list=[
        IE_SequenceNumber(number=8), IE_Metric(metric=10), IE_Timer(timer_unit="1 minute", timer_value=5)])
    update = [node(upf), IE_UPFunctionFeatures(FTUP=1), IE_GracefulReleasePeriod(release_timer_unit="1 minute", release_timer_value=3),
              load, overload]
    exchange(recording, smf, upf, 3, PFCPAssociationUpdateRequest(IE_list=update),
             PFCPAssociationUpdateResponse(IE_list=[node(smf), accepted()]), up=False)
    peer = IE_RemoteGTP_U_Peer(V4=1, ipv4=GNB)
    report = [node(upf), IE_NodeReportType(UPFR=1), IE_UserPlanePathFailureReport(IE_list=[peer])]
    exchange(recording, smf, upf, 4, PFCPNodeReportRequest(IE_list=report),
             PFCPNodeReportResponse(IE_list=[node(smf), accepted()]), up=False)
    pfds = IE_ApplicationID_PFDs(IE_list=[IE_ApplicationId(id="video")])
    exchange(recording, smf, upf, 5, PFCPPFDManagementRequest(IE_list=[pfds]),
             PFCPPFDManagementResponse(IE_list=[accepted()]))
    exchange(recording, smf, upf, 6, PFCPSessionSetDeletionRequest(IE_list=[node(smf)]),
             PFCPSessionSetDeletionResponse(IE_list=[node(upf), IE_Cause(cause="Request rejected")]))
    recording.add(datagram(smf, upf, Raw(bytes([0x40, 1, 0, 4, 0, 0, 7, 0]))))
    recording.add(datagram(upf, smf, pfcp(7, PFCPVersionNotSupportedResponse())))
    # TS 29.244 7.4.7: scapy has no classes for the newest pair.
    body = bytes(node(smf)) + bytes(raw(178, b"\x02" + bytes([192, 0, 2, 22])))
    recording.add(datagram(smf, upf, Raw(struct.pack("!BBHI", 0x20, 16, len(body) + 4, 8 << 8) + body)))
    body = bytes(node(upf)) + bytes(accepted())
    recording.add(datagram(upf, smf, Raw(struct.pack("!BBHI", 0x20, 17, len(body) + 4, 8 << 8) + body)))


def sessions(recording):
    seids = (UP_SEID, CP_SEID)
    up = IE_CreatePDR(IE_list=[
        IE_PDR_Id(id=1), IE_Precedence(precedence=255), uplink(IE_FTEID(CH=1, CHID=1, V4=1, V6=1, choose_id=5)),
        IE_OuterHeaderRemoval(header="GTP-U/UDP/IPv4"), IE_FAR_Id(id=1), IE_URR_Id(id=1), IE_QER_Id(id=1)])
    filters = IE_SDF_Filter(FD=1, TTC=1, BID=1, flow_description="permit out 17 from 203.0.113.0/24 to assigned",
                            tos_traffic_class=0x20, tos_traffic_mask=0xfc, sdf_filter_id=9)
    down = IE_CreatePDR(IE_list=[
        IE_PDR_Id(id=2), IE_Precedence(precedence=200),
        IE_PDI(IE_list=[IE_SourceInterface(interface="Core"), IE_NetworkInstance(instance="internet"),
                        IE_UE_IP_Address(V4=1, V6=1, SD=1, ipv4=UE, ipv6=UE6), filters, IE_QFI(QFI=9)]),
        IE_FAR_Id(id=2)])
    far_up = IE_CreateFAR(IE_list=[IE_FAR_Id(id=1), IE_ApplyAction(FORW=1), IE_ForwardingParameters(IE_list=[
        IE_DestinationInterface(interface="Core"), IE_NetworkInstance(instance="internet")])])
    far_down = IE_CreateFAR(IE_list=[IE_FAR_Id(id=2), IE_ApplyAction(BUFF=1, NOCP=1)])
    qer = IE_CreateQER(IE_list=[IE_QER_Id(id=1), IE_GateStatus(), IE_MBR(ul=1_000_000, dl=2_000_000), IE_QFI(QFI=9)])
    urr = IE_CreateURR(IE_list=[IE_URR_Id(id=1), IE_LinkedURR_Id(id=0x80000002)])
    bar = IE_Create_BAR(IE_list=[IE_BAR_Id(id=3)])
    chosen = raw(93, bytes([0x30]))
    vendor = IE_EnterpriseSpecific(ietype=0x8001, enterprise_id=32473, data=b"kept")
    newer = raw(5000, b"not known yet")
    request = [node(SMF), IE_FSEID(v4=1, v6=1, seid=CP_SEID, ipv4=SMF, ipv6=SMF6), up, down, far_up, far_down, qer, urr, bar,
               endpoint(IE_CreateTrafficEndpoint, 4), chosen, IE_PDNType(pdn_type="IPv4"), raw(257, b"\x01\x00\x00\x01"),
               raw(159, b"\x08internet"), vendor, newer]
    created = [IE_CreatedPDR(IE_list=[IE_PDR_Id(id=1), IE_FTEID(V4=1, TEID=0x11, ipv4=N3)]),
               IE_CreatedTrafficEndpoint(IE_list=[IE_TrafficEndpointId(id=4), IE_FTEID(V4=1, V6=1, TEID=0x12, ipv4=N3, ipv6=UPF6)])]
    response = [node(UPF), accepted(), IE_FSEID(v4=1, seid=UP_SEID, ipv4=UPF), *created]
    exchange(recording, SMF, UPF, 0x10, PFCPSessionEstablishmentRequest(IE_list=request),
             PFCPSessionEstablishmentResponse(IE_list=response), seids=(0, CP_SEID), MP=1, priority=5)
    tunnel = IE_OuterHeaderCreation(GTPUUDPIPV4=1, TEID=0x20000001, ipv4=GNB)
    change = [IE_UpdateFAR(IE_list=[IE_FAR_Id(id=2), IE_ApplyAction(FORW=1), IE_UpdateForwardingParameters(IE_list=[
        IE_DestinationInterface(interface="Access"), tunnel])]), IE_RemoveURR(IE_list=[IE_URR_Id(id=1)])]
    exchange(recording, SMF, UPF, 0x11, PFCPSessionModificationRequest(IE_list=change),
             PFCPSessionModificationResponse(IE_list=[accepted()]), seids=seids)
    failed = [IE_Cause(cause="Rule creation/modification Failure"), IE_OffendingIE(type=1), IE_FailedRuleId(type="PDR", pdr_id=77)]
    exchange(recording, SMF, UPF, 0x12, PFCPSessionModificationRequest(IE_list=[
        IE_CreatePDR(IE_list=[IE_PDR_Id(id=77), uplink(IE_FTEID(V4=1, V6=1, TEID=0xabcdef01, ipv4=N3, ipv6=UPF6))])]),
        PFCPSessionModificationResponse(IE_list=failed), seids=seids)
    error = IE_ErrorIndicationReport(IE_list=[IE_FTEID(V4=1, TEID=0x20000001, ipv4=GNB)])
    exchange(recording, SMF, UPF, 0x13, PFCPSessionReportRequest(IE_list=[IE_ReportType(ERIR=1), error]),
             PFCPSessionReportResponse(IE_list=[accepted()]), up=False, seids=(CP_SEID, UP_SEID))
    usage = IE_UsageReport_SRR(IE_list=[IE_URR_Id(id=1), IE_UR_SEQN(number=3), IE_UsageReportTrigger(VOLTH=1),
                                        IE_VolumeMeasurement(TOVOL=1, total=123_456_789)])
    exchange(recording, SMF, UPF, 0x14, PFCPSessionReportRequest(IE_list=[IE_ReportType(USAR=1, DLDR=1), usage]),
             PFCPSessionReportResponse(IE_list=[accepted()]), up=False, seids=(CP_SEID, UP_SEID))
    exchange(recording, SMF, UPF, 0x15, PFCPSessionDeletionRequest(), PFCPSessionDeletionResponse(IE_list=[accepted()]), seids=seids)
    exchange(recording, SMF, UPF, 0x16, PFCPSessionDeletionRequest(),
             PFCPSessionDeletionResponse(IE_list=[IE_Cause(cause="Session context not found")]), seids=(UP_SEID, 0))


def uplink(tunnel):
    return IE_PDI(IE_list=[IE_SourceInterface(interface="Access"), tunnel, IE_NetworkInstance(instance="access"),
                           IE_UE_IP_Address(V4=1, ipv4=UE)])


def endpoint(group, number):
    return group(IE_list=[IE_TrafficEndpointId(id=number), IE_FTEID(CH=1, V4=1), IE_NetworkInstance(instance="access")])


def bundle(recording):
    """Two messages in one datagram: the first says that another follows."""
    first = bytes(pfcp(0x20, PFCPSessionDeletionRequest(), 1, spare_b4=1))
    second = bytes(pfcp(0x21, PFCPSessionDeletionRequest(), 2))
    recording.add(datagram(SMF, UPF, Raw(first + second)))
    answer = lambda sequence, seid, **more: bytes(pfcp(sequence, PFCPSessionDeletionResponse(IE_list=[accepted()]), seid, **more))
    recording.add(datagram(UPF, SMF, Raw(answer(0x20, 101, spare_b4=1) + answer(0x21, 102))))


def ends(recording):
    release = [node(UPF)]
    exchange(recording, SMF, UPF, 0x30, PFCPAssociationReleaseRequest(IE_list=[node(SMF)]),
             PFCPAssociationReleaseResponse(IE_list=release + [accepted()]))
