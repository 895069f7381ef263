"""N2: gNBs at a multi-homed AMF service."""

from scapy.layers import sctp

import ngap
from recording import Recording
from sctp import Association, End

SHOWS = """
N2 over multi-homed SCTP, CRC32c correct. Two gNBs with an address on each of two networks, at the service 192.0.2.1 and
198.51.100.1: INIT, INIT ACK with both addresses and a cookie of 248 bytes, NG Setup, Initial UE Message, Downlink and Uplink NAS
Transport, SACK, HEARTBEAT on both paths, a retransmission on the second path, ASCONF, SHUTDOWN; the other set up over the second
path, with DATA beside COOKIE ECHO, and ended by ABORT. A third gNB does the same over IPv6. Last a set-up that is not finished,
and an ABORT with the sender's own tag (T bit).
"""

PORT = 38_412
V4 = ["192.0.2.1", "198.51.100.1"]
V6 = ["2001:db8:1::1", "2001:db8:2::1"]


def record():
    recording = Recording(1_760_000_000)
    first_gnb(recording)
    second_gnb(recording)
    third_gnb(recording)
    unfinished(recording)
    return recording


def first_gnb(recording):
    client = End(["192.0.2.11", "198.51.100.11"], 40_011, 0x11111111, 0x00000100)
    server = End(V4, PORT, 0xA1A1A1A1, 0x00F00000)
    association = Association(recording, client, server)
    association.set_up()
    ng_setup(association, gnb=0x11, name="gnb-1")
    for ue in (1, 2, 3):
        registration(association, gnb=0x11, ue=ue)
    association.heartbeat(path=1)
    association.heartbeat(path=0)

    # The first path has gone: what was not acknowledged on it comes again on the second.
    lost = client.data(ngap.uplink_nas_transport(1, 1, 0x11), stream=1)
    association.up(lost)
    association.up(lost, path=1, after=1_000_000)
    association.down(client.ack(), path=1)

    add = sctp.SCTPChunkParamAddIPAddr(correlation_id=1, addr_type=5, addr="203.0.113.11")
    association.up(sctp.SCTPChunkAddressConf(
        flags=0, seq=0x100, params=[sctp.SCTPChunkParamIPv4Addr(addr=client.addresses[0]), add]))
    association.down(sctp.SCTPChunkAddressConfAck(
        flags=0, seq=0x100, params=[sctp.SCTPChunkParamSuccessIndication(correlation_id=1)]))
    association.shut_down()


def second_gnb(recording):
    client = End(["192.0.2.12", "198.51.100.12"], PORT, 0x22222222, 0xFFFFFFFE)
    server = End(V4, PORT, 0xA2A2A2A2, 0x00F10000)
    association = Association(recording, client, server)
    association.set_up(path=1, with_cookie=[client.data(ngap.ng_setup_request(0x12, "gnb-2"))])
    association.down(client.ack(), server.data(ngap.ng_setup_response("amf-1")), path=1)
    association.up(server.ack(), path=1, after=200_000)
    association.heartbeat(path=0)
    registration(association, gnb=0x12, ue=1, path=0)
    cause = b"\x00\x0c\x00\x04"  # user-initiated abort
    association.up(sctp.SCTPChunkAbort(reserved=0, TCB=0, error_causes=cause), after=500_000)


def third_gnb(recording):
    client = End(["2001:db8:1::13", "2001:db8:2::13"], 40_013, 0x33333333, 0x00000300)
    server = End(V6, PORT, 0xA3A3A3A3, 0x00F20000)
    association = Association(recording, client, server)
    association.set_up()
    ng_setup(association, gnb=0x13, name="gnb-3")
    registration(association, gnb=0x13, ue=1)
    association.heartbeat(path=1)
    registration(association, gnb=0x13, ue=2, path=1)
    association.shut_down(path=1)


def unfinished(recording):
    client = End(["192.0.2.14", "198.51.100.14"], 40_014, 0x44444444, 0x00000400)
    server = End(V4, PORT, 0xA4A4A4A4, 0x00F30000)
    association = Association(recording, client, server)
    for _ in range(2):
        association.up(client.init(sctp.SCTPChunkInit), tag=0, after=3_000_000)
    # The service knows nothing of this association: it answers with the tag that it was sent.
    association.up(client.data(ngap.uplink_nas_transport(9, 9, 0x14)))
    association.down(sctp.SCTPChunkAbort(reserved=0, TCB=1, error_causes=b""), tag=server.tag)


def ng_setup(association, gnb, name):
    client, server = association.client, association.server
    association.up(client.data(ngap.ng_setup_request(gnb, name)))
    association.down(client.ack())
    association.down(server.data(ngap.ng_setup_response("amf-1")), after=2_000)
    association.up(server.ack(), after=200_000)


def registration(association, gnb, ue, path=0):
    client, server = association.client, association.server
    amf_ue = (gnb << 32) | ue
    msin = bytes.fromhex("00000000%02x" % (0x10 * ue))
    association.up(client.data(ngap.initial_ue_message(ue, gnb, msin), stream=1), path=path, after=10_000)
    association.down(client.ack(), server.data(ngap.downlink_nas_transport(amf_ue, ue), stream=1), path=path)
    association.up(server.ack(), client.data(ngap.uplink_nas_transport(amf_ue, ue, gnb), stream=1), path=path)
    association.down(client.ack(), path=path, after=200_000)
