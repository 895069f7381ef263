"""NGAP messages (TS 38.413), encoded by pycrate: those of a start-up and of the beginning of a registration."""

from pycrate_asn1dir import NGAP
from pycrate_mobile.TS24501_FGMM import (
    FGMMAuthenticationRequest,
    FGMMAuthenticationResponse,
    FGMMRegistrationRequest,
)

PLMN = bytes.fromhex("00f110")  # 001 01
TAC = bytes.fromhex("000001")
SLICE = {"s-NSSAI": {"sST": b"\x01"}}


def ng_setup_request(gnb, name):
    return initiating(21, "reject", "NGSetupRequest", [
        (27, "reject", "GlobalRANNodeID", ("globalGNB-ID", {
            "pLMNIdentity": PLMN, "gNB-ID": ("gNB-ID", (gnb, 32))})),
        (82, "ignore", "RANNodeName", name),
        (102, "reject", "SupportedTAList", [{
            "tAC": TAC,
            "broadcastPLMNList": [{"pLMNIdentity": PLMN, "tAISliceSupportList": [SLICE]}]}]),
        (21, "ignore", "PagingDRX", "v128"),
    ])


def ng_setup_response(name):
    return encode("successfulOutcome", 21, "reject", "NGSetupResponse", [
        (1, "reject", "AMFName", name),
        (96, "reject", "ServedGUAMIList", [{"gUAMI": {
            "pLMNIdentity": PLMN, "aMFRegionID": (2, 8), "aMFSetID": (1, 10), "aMFPointer": (0, 6)}}]),
        (86, "ignore", "RelativeAMFCapacity", 255),
        (80, "reject", "PLMNSupportList", [{"pLMNIdentity": PLMN, "sliceSupportList": [SLICE]}]),
    ])


def initial_ue_message(ran_ue, gnb, msin):
    return initiating(15, "ignore", "InitialUEMessage", [
        (85, "reject", "RAN-UE-NGAP-ID", ran_ue),
        (38, "reject", "NAS-PDU", registration_request(msin)),
        (121, "reject", "UserLocationInformation", location(gnb)),
        (90, "ignore", "RRCEstablishmentCause", "mo-Signalling"),
    ])


def downlink_nas_transport(amf_ue, ran_ue):
    nas = FGMMAuthenticationRequest(val={"RAND": bytes(range(16)), "AUTN": bytes(range(16, 32))})
    return initiating(4, "ignore", "DownlinkNASTransport", [
        (10, "reject", "AMF-UE-NGAP-ID", amf_ue),
        (85, "reject", "RAN-UE-NGAP-ID", ran_ue),
        (38, "reject", "NAS-PDU", nas.to_bytes()),
    ])


def uplink_nas_transport(amf_ue, ran_ue, gnb):
    nas = FGMMAuthenticationResponse(val={"RES": bytes(range(32, 48))})
    return initiating(46, "ignore", "UplinkNASTransport", [
        (10, "reject", "AMF-UE-NGAP-ID", amf_ue),
        (85, "reject", "RAN-UE-NGAP-ID", ran_ue),
        (38, "reject", "NAS-PDU", nas.to_bytes()),
        (121, "ignore", "UserLocationInformation", location(gnb)),
    ])


def registration_request(msin):
    suci = b"\x01" + PLMN + b"\xf0\xff\x00\x00" + msin  # TS 24.501 9.11.3.4, null scheme
    return FGMMRegistrationRequest(val={
        "5GSRegType": {"FOR": 1, "Value": 1},
        "NAS_KSI": {"TSC": 0, "Value": 7},
        "5GSID": suci,
        "UESecCap": bytes.fromhex("a020"),  # 5G-EA0, 5G-EA2, 5G-IA2
    }).to_bytes()


def location(gnb):
    return ("userLocationInformationNR", {
        "nR-CGI": {"pLMNIdentity": PLMN, "nRCellIdentity": (gnb << 4 | 1, 36)},
        "tAI": {"pLMNIdentity": PLMN, "tAC": TAC}})


def initiating(procedure, criticality, name, ies):
    return encode("initiatingMessage", procedure, criticality, name, ies)


def encode(kind, procedure, criticality, name, ies):
    pdu = NGAP.NGAP_PDU_Descriptions.NGAP_PDU
    pdu.set_val((kind, {
        "procedureCode": procedure,
        "criticality": criticality,
        "value": (name, {"protocolIEs": [
            {"id": number, "criticality": ie_criticality, "value": (ie, value)}
            for number, ie_criticality, ie, value in ies]}),
    }))
    return pdu.to_aper()
