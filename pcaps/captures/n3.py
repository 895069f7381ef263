"""N3: GTP-U between gNBs and a UPF service."""

from scapy.contrib.gtp import GTP_U_Header, GTPEchoRequest, GTPEchoResponse, GTPErrorIndication, GTPPDUSessionContainer
from scapy.contrib.gtp import IE_GSNAddress, IE_Recovery, IE_TEIDI
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.packet import Raw

from recording import Recording, ip

SHOWS = """
N3: GTP-U between two gNBs and the UPF service 192.0.2.3, and over IPv6 2001:db8:1::3: T-PDUs up and down with a PDU session
container, several tunnels and QoS flows, inner IPv4 and IPv6 (UDP, TCP, ICMP), with and without sequence numbers, one outer UDP
checksum of zero, one payload of 1,400 bytes; echo request and response, end markers, an error indication.
"""

PORT = 2152
UPF = "192.0.2.3"
UPF6 = "2001:db8:1::3"
T_PDU, ECHO_REQUEST, ECHO_RESPONSE, ERROR_INDICATION, END_MARKER = 255, 1, 2, 26, 254


def record():
    recording = Recording(1_760_001_000)
    for gnb in ("192.0.2.11", "192.0.2.12"):
        echo(recording, gnb, UPF)
    tunnels = [("192.0.2.11", 1), ("192.0.2.11", 2), ("192.0.2.12", 3)]
    for packet in range(3):
        for gnb, ue in tunnels:
            exchange(recording, gnb, UPF, ue, packet, Raw(b"%d of %d" % (packet, ue)))
    exchange(recording, "192.0.2.11", UPF, 1, 3, Raw(bytes(1400)))
    inner_protocols(recording)
    without_extras(recording)
    for gnb, ue in tunnels:
        end_marker(recording, UPF, gnb, 0x20000000 + ue)
    error_indication(recording)

    gnb = "2001:db8:1::13"
    echo(recording, gnb, UPF6)
    for packet in range(3):
        exchange(recording, gnb, UPF6, 4, packet, Raw(b"%d of 4" % packet))
    end_marker(recording, UPF6, gnb, 0x20000004)
    return recording


def exchange(recording, gnb, upf, ue, packet, payload):
    """A request of a UE and its answer, in UDP."""
    up = inner(ue) / UDP(sport=50_000 + ue, dport=7) / payload
    down = answer(ue) / UDP(sport=7, dport=50_000 + ue) / payload
    recording.add(tunnel(gnb, upf, 0x10000000 + ue, up, up=True, flow=1 + packet % 2))
    recording.add(tunnel(upf, gnb, 0x20000000 + ue, down, up=False, flow=1 + packet % 2))


def inner_protocols(recording):
    gnb, ue = "192.0.2.12", 3
    v6 = {"src": "2001:db8:60::3", "dst": "2001:db8:80::1"}
    back = {"src": v6["dst"], "dst": v6["src"]}
    pairs = [
        (inner(ue) / ICMP(type=8, id=1, seq=1) / b"ping", answer(ue) / ICMP(type=0, id=1, seq=1) / b"ping"),
        (inner(ue) / TCP(sport=50_003, dport=80, seq=1, flags="S"),
         answer(ue) / TCP(sport=80, dport=50_003, seq=9, ack=2, flags="SA")),
        (IPv6(**v6) / ICMPv6EchoRequest(id=1, seq=1, data=b"ping"), IPv6(**back) / ICMPv6EchoReply(id=1, seq=1, data=b"ping")),
        (IPv6(**v6) / UDP(sport=50_003, dport=7) / b"six", IPv6(**back) / UDP(sport=7, dport=50_003) / b"six"),
    ]
    for up, down in pairs:
        recording.add(tunnel(gnb, UPF, 0x10000000 + ue, up, up=True, flow=9))
        recording.add(tunnel(UPF, gnb, 0x20000000 + ue, down, up=False, flow=9))


def without_extras(recording):
    """No extension header, as on S1-U; with a sequence number; with a UDP checksum of zero."""
    gnb, teid = "192.0.2.11", 0x10000001
    payload = inner(1) / UDP(sport=50_001, dport=7) / b"plain"
    recording.add(outer(gnb, UPF) / GTP_U_Header(gtp_type=T_PDU, teid=teid) / payload)
    recording.add(outer(gnb, UPF) / GTP_U_Header(gtp_type=T_PDU, teid=teid, S=1, seq=77) / payload)
    recording.add(outer(gnb, UPF, chksum=0) / GTP_U_Header(gtp_type=T_PDU, teid=teid) / payload)


def tunnel(source, destination, teid, payload, up, flow):
    container = GTPPDUSessionContainer(type=1 if up else 0, QFI=flow)
    header = GTP_U_Header(gtp_type=T_PDU, teid=teid, E=1, next_ex=0x85)
    return outer(source, destination) / header / container / payload


def echo(recording, gnb, upf):
    request = GTP_U_Header(gtp_type=ECHO_REQUEST, teid=0, S=1, seq=1) / GTPEchoRequest()
    response = GTP_U_Header(gtp_type=ECHO_RESPONSE, teid=0, S=1, seq=1) / GTPEchoResponse(IE_list=[IE_Recovery(restart_counter=0)])
    recording.add(outer(gnb, upf) / request, after=1_000_000)
    recording.add(outer(upf, gnb) / response)


def end_marker(recording, source, destination, teid):
    recording.add(outer(source, destination) / GTP_U_Header(gtp_type=END_MARKER, teid=teid), after=50_000)


def error_indication(recording):
    """The gNB does not know a tunnel that the UPF sent to."""
    elements = [IE_TEIDI(TEIDI=0x200000FF), IE_GSNAddress(ipv4_address="192.0.2.11")]
    header = GTP_U_Header(gtp_type=ERROR_INDICATION, teid=0, S=1, seq=0)
    recording.add(outer("192.0.2.11", UPF) / header / GTPErrorIndication(IE_list=elements))


def outer(source, destination, **fields):
    return ip(source, destination) / UDP(sport=PORT, dport=PORT, **fields)


def inner(ue):
    return IP(src=f"10.60.0.{ue}", dst="203.0.113.80", id=ue)


def answer(ue):
    return IP(src="203.0.113.80", dst=f"10.60.0.{ue}", id=ue)
