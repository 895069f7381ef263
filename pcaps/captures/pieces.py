"""User messages of SCTP that are cut into several DATA chunks."""

from scapy.contrib.diameter import AVP, DiamReq
from scapy.layers import sctp

import ngap
from recording import Recording
from sctp import NGAP, Association, End

SHOWS = """
NGAP, S1AP and Diameter in several DATA chunks: in order; out of order and over both paths, with pieces sent again; of 17,000 octets, so
that the message is in fragments of PER too, while the sequence numbers wrap; unordered; the end of one beside the beginning of
another; one of which a piece never comes.
"""

S1AP, DIAMETER = 18, 46


def record():
    recording = Recording(1_760_006_000)
    client = End(["192.0.2.16", "198.51.100.16"], 40_016, 0x61616161, 0xFFFFFFF0)
    server = End(["192.0.2.1", "198.51.100.1"], 38_412, 0xA6A6A6A6, 0x00000100)
    association = Association(recording, client, server)
    association.set_up()
    in_order(association)
    out_of_order(association)
    long(association)
    unordered(association)
    side_by_side(association)
    unfinished(association)
    association.shut_down()
    others(recording)
    return recording


def in_order(association):
    for piece in pieces(association.client, initial(1, 3_000), 1_000):
        association.up(piece)
    association.down(association.client.ack())
    for piece in pieces(association.server, ngap.downlink_nas_transport(0x1_0000_0001, 1) + bytes(2_000), 900):
        association.down(piece)
    association.up(association.server.ack())


def out_of_order(association):
    first, second, third, fourth = pieces(association.client, initial(2, 3_500), 1_000)
    association.up(fourth)
    association.up(second, path=1)
    association.up(first)
    association.up(second)
    association.up(third, path=1)
    association.down(association.client.ack())


def long(association):
    for number, piece in enumerate(pieces(association.client, initial(3, 17_000), 1_400)):
        association.up(piece, path=number % 2)
    association.down(association.client.ack())


def unordered(association):
    for piece in pieces(association.client, initial(4, 1_500), 1_000):
        piece.unordered = 1
        association.up(piece)
    association.down(association.client.ack())


def side_by_side(association):
    first = pieces(association.client, initial(5, 1_500), 1_000, stream=1)
    second = pieces(association.client, initial(6, 1_500), 1_000, stream=2)
    association.up(first[0])
    association.up(first[1], second[0])
    association.up(second[1])
    association.down(association.client.ack())


def unfinished(association):
    first, _, third = pieces(association.client, initial(7, 2_500), 1_000)
    association.up(first)
    association.up(third)
    association.up(association.client.data(initial(8, 20), stream=1))


def others(recording):
    enb = End(["192.0.2.17"], 36_412, 0x62626262, 1)
    association = Association(recording, enb, End(["192.0.2.8"], 36_412, 0xA7A7A7A7, 1))
    association.set_up()
    for piece in pieces(enb, uplink_s1ap(7, 9, 1_500), 1_000, protocol=S1AP):
        association.up(piece)
    peer = End(["192.0.2.18"], 3_868, 0x63636363, 1)
    association = Association(recording, peer, End(["192.0.2.9"], 3_868, 0xA8A8A8A8, 1))
    association.set_up()
    request = bytes(DiamReq("Credit-Control", drHbHId=7, drEtEId=8, avpList=[
        AVP("Session-Id", val="client.example;1;2"), AVP("Origin-Host", val="client.example"),
        AVP("Origin-Realm", val="example"), AVP("Destination-Realm", val="example"),
        AVP("Service-Context-Id", val="x" * 1_500 + "@example")]))
    for piece in pieces(peer, request, 700, protocol=DIAMETER):
        association.up(piece)


def pieces(end, message, size, stream=1, protocol=NGAP):
    """The chunks of a message, each with at most so many octets of it."""
    cut = [message[at:at + size] for at in range(0, len(message), size)]
    chunks = []
    for number, octets in enumerate(cut):
        chunks.append(sctp.SCTPChunkData(
            reserved=0, beginning=number == 0, ending=number == len(cut) - 1, tsn=end.tsn, stream_id=stream,
            stream_seq=end.sequences.get(stream, 0), proto_id=protocol, data=octets))
        end.tsn = (end.tsn + 1) % (1 << 32)
    end.sequences[stream] = end.sequences.get(stream, 0) + 1
    return chunks


def initial(ran_ue, nas):
    return ngap.initiating(15, "ignore", "InitialUEMessage", [
        (85, "reject", "RAN-UE-NGAP-ID", ran_ue),
        (38, "reject", "NAS-PDU", security_protected(nas)),
        (121, "reject", "UserLocationInformation", ngap.location(0x16)),
        (90, "ignore", "RRCEstablishmentCause", "mo-Signalling"),
    ])


def security_protected(length):
    """NAS that is ciphered (TS 24.501 9.1.1)."""
    return b"\x7e\x02" + bytes(4) + b"\x01" + b"\x55" * (length - 7)


def uplink_s1ap(mme_ue, enb_ue, nas):
    from pycrate_asn1dir import S1AP as module
    pdu = module.S1AP_PDU_Descriptions.S1AP_PDU
    plmn = bytes.fromhex("00f110")
    pdu.set_val(("initiatingMessage", {"procedureCode": 13, "criticality": "ignore", "value": (
        "UplinkNASTransport", {"protocolIEs": [
            {"id": number, "criticality": "reject", "value": (name, value)} for number, name, value in (
                (0, "MME-UE-S1AP-ID", mme_ue), (8, "ENB-UE-S1AP-ID", enb_ue),
                (26, "NAS-PDU", b"\x27" + bytes(5) + b"\x55" * nas),
                (100, "EUTRAN-CGI", {"pLMNidentity": plmn, "cell-ID": (0x17, 28)}),
                (67, "TAI", {"pLMNidentity": plmn, "tAC": b"\0\1"}))]})}))
    return pdu.to_aper()
