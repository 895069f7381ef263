"""What else a balancer sees: flows of UDP and TCP, tags, fragments, neighbours, ICMP."""

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_Router_Alert, fragment
from scapy.layers.inet6 import (
    ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
    ICMPv6PacketTooBig, IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, fragment6)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

from recording import Recording, ip, mac

SHOWS = """
UDP to two ports and TCP (a whole connection, and one that is refused) over IPv4 and IPv6, to the services 192.0.2.5 and
2001:db8:1::5; the same with a VLAN tag, with QinQ and with three tags; IPv4 options; an IPv6 hop-by-hop header; fragments of both
families, in order and not; ARP and neighbour solicitation for the services, and the answers; echo; "fragmentation needed" and
"packet too big" about a connection of the service; frames that are neither IP nor ARP.
"""

PAIRS = [("192.0.2.21", "192.0.2.5"), ("2001:db8:1::21", "2001:db8:1::5")]


def record():
    recording = Recording(1_760_002_000)
    for client, service in PAIRS:
        neighbours(recording, client, service)
        echo(recording, client, service)
        udp(recording, client, service, 7)
        udp(recording, client, service, 4000)
        tcp(recording, client, service)
        refused(recording, client, service)
        tags(recording, client, service)
    header_options(recording)
    fragments(recording)
    too_big(recording)
    other_protocols(recording)
    return recording


def neighbours(recording, client, service):
    ours, theirs = mac(client), mac(service)
    if ":" in client:
        multicast = ip(client, "ff02::1:ff00:5", hlim=255)
        multicast[Ether].dst = "33:33:ff:00:00:05"
        recording.add(multicast / ICMPv6ND_NS(tgt=service) / ICMPv6NDOptSrcLLAddr(lladdr=ours))
        recording.add(ip(service, client, hlim=255)
                      / ICMPv6ND_NA(tgt=service, R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=theirs))
        return
    broadcast = Ether(src=ours, dst="ff:ff:ff:ff:ff:ff")
    recording.add(broadcast / ARP(op=1, hwsrc=ours, psrc=client, hwdst="00:00:00:00:00:00", pdst=service))
    recording.add(Ether(src=theirs, dst=ours) / ARP(op=2, hwsrc=theirs, psrc=service, hwdst=ours, pdst=client))


def echo(recording, client, service):
    if ":" in client:
        request, reply = ICMPv6EchoRequest(id=5, seq=1, data=b"ping"), ICMPv6EchoReply(id=5, seq=1, data=b"ping")
    else:
        request, reply = ICMP(type=8, id=5, seq=1) / b"ping", ICMP(type=0, id=5, seq=1) / b"ping"
    recording.add(ip(client, service) / request)
    recording.add(ip(service, client) / reply)


def udp(recording, client, service, port):
    for flow in range(3):
        for size in (4, 33):
            payload = Raw(bytes([flow]) * size)
            recording.add(ip(client, service) / UDP(sport=41_000 + flow, dport=port) / payload)
            recording.add(ip(service, client) / UDP(sport=port, dport=41_000 + flow) / payload)


def tcp(recording, client, service):
    up = {"sport": 42_000, "dport": 4000}
    down = {"sport": 4000, "dport": 42_000}
    options = [("MSS", 1460), ("SAckOK", b""), ("WScale", 7)]
    recording.add(ip(client, service) / TCP(**up, seq=100, flags="S", options=options))
    recording.add(ip(service, client) / TCP(**down, seq=900, ack=101, flags="SA", options=options))
    recording.add(ip(client, service) / TCP(**up, seq=101, ack=901, flags="A"))
    recording.add(ip(client, service) / TCP(**up, seq=101, ack=901, flags="PA") / b"hello")
    recording.add(ip(service, client) / TCP(**down, seq=901, ack=106, flags="PA") / b"hello yourself")
    recording.add(ip(client, service) / TCP(**up, seq=106, ack=915, flags="FA"))
    recording.add(ip(service, client) / TCP(**down, seq=915, ack=107, flags="FA"))
    recording.add(ip(client, service) / TCP(**up, seq=107, ack=916, flags="A"))


def refused(recording, client, service):
    recording.add(ip(client, service) / TCP(sport=42_001, dport=4001, seq=100, flags="S"))
    recording.add(ip(service, client) / TCP(sport=4001, dport=42_001, seq=0, ack=101, flags="RA"))


def tags(recording, client, service):
    for tag in (Dot1Q(vlan=100), Dot1AD(vlan=200) / Dot1Q(vlan=100), Dot1Q(vlan=1) / Dot1Q(vlan=2) / Dot1Q(vlan=3)):
        for source, destination, ports in ((client, service, (43_000, 7)), (service, client, (7, 43_000))):
            frame = ip(source, destination) / UDP(sport=ports[0], dport=ports[1]) / b"tagged"
            network = frame.payload.copy()
            recording.add(Ether(src=frame.src, dst=frame.dst) / tag / network)


def header_options(recording):
    (client, service), (client6, service6) = PAIRS
    recording.add(ip(client, service, options=[IPOption_Router_Alert()]) / UDP(sport=41_000, dport=4000) / b"options")
    recording.add(ip(client6, service6) / IPv6ExtHdrHopByHop() / UDP(sport=41_000, dport=4000) / b"options")


def fragments(recording):
    (client, service), (client6, service6) = PAIRS
    payload = bytes(index % 251 for index in range(3000))
    for identification, order in ((1, (0, 1, 2)), (2, (2, 0, 1))):
        whole = ip(client, service, id=identification, flags=0) / UDP(sport=44_000, dport=7) / payload
        pieces = fragment(whole, fragsize=1400)
        for index in order:
            recording.add(pieces[index])
        whole = (ip(client6, service6) / IPv6ExtHdrFragment(id=identification)
                 / UDP(sport=44_000, dport=7) / payload)
        pieces = fragment6(whole.payload, 1400)
        for index in order:
            recording.add(Ether(src=whole.src, dst=whole.dst) / pieces[index])


def too_big(recording):
    """A router on the way to the client cannot pass on what the service sent."""
    (client, service), (client6, service6) = PAIRS
    segment = TCP(sport=4000, dport=42_000, seq=901, ack=106, flags="A") / Raw(bytes(1440))
    sent = bytes(IP(src=service, dst=client, id=7, flags="DF") / segment)
    recording.add(ip("192.0.2.254", service) / ICMP(type=3, code=4, nexthopmtu=1400) / Raw(sent[:28]))
    sent = bytes(IPv6(src=service6, dst=client6) / segment)
    recording.add(ip("2001:db8:1::fffe", service6) / ICMPv6PacketTooBig(mtu=1400) / Raw(sent[:1232]))


def other_protocols(recording):
    source = mac("192.0.2.21")
    recording.add(Ether(src=source, dst="01:80:c2:00:00:0e", type=0x88CC)
                  / Raw(bytes.fromhex("0207040200000000210403706f72060200780000")))
    recording.add(Ether(src=source, dst="01:80:c2:00:00:00", type=38) / Raw(bytes.fromhex("424203").ljust(46, b"\0")))
