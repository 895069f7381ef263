"""Packets of people who mean harm, or cannot count."""

import struct

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting
from scapy.layers.l2 import Dot1Q, Ether
from scapy.layers.sctp import SCTP, SCTPChunkInit, SCTPChunkParamIPv4Addr
from scapy.packet import Raw

from recording import Recording, ip, mac

SHOWS = """
Damaged and hostile packets to the services 192.0.2.1 (SCTP 38412), 192.0.2.3 (GTP-U) and 192.0.2.5: headers cut at every layer, IPv4
and UDP and TCP lengths that lie, overlapping and endless fragments, long and circular chains of IPv6 extension headers, stacks of
VLAN tags, SCTP chunks and parameters of length 0 to 3 and longer than the packet, 70 parameters, INIT beside other chunks or with a
tag of zero, a wrong CRC32c, GTP-U extension headers of length zero, in a chain of 40, and past the end.
"""

CLIENT, SERVICE, UPF, OTHER = "192.0.2.66", "192.0.2.1", "192.0.2.3", "192.0.2.5"
CLIENT6, OTHER6 = "2001:db8:1::66", "2001:db8:1::5"
INIT, DATA, INIT_ACK, HEARTBEAT, COOKIE_ECHO, ASCONF = 1, 0, 2, 4, 10, 0xC1


def record():
    recording = Recording(1_760_003_000)
    for frame in [*ethernet(), *ipv4(), *ipv6(), *transport(), *chunks(), *parameters(), *gtp()]:
        recording.add(frame)
    return recording


def ethernet():
    whole = bytes(ip(CLIENT, OTHER) / UDP(sport=1, dport=7) / b"whole")
    for length in (1, 13, 14, 15, 33, 34, 41, 42):
        yield whole[:length]
    for count in (4, 16, 64):
        frame = Ether(src=mac(CLIENT), dst=mac(OTHER))
        for tag in range(count):
            frame /= Dot1Q(vlan=tag)
        yield frame / IP(src=CLIENT, dst=OTHER) / UDP(sport=1, dport=7) / b"deep"
    yield Ether(src=mac(CLIENT), dst=mac(OTHER), type=0x8100) / Raw(b"\0")  # half a tag


def ipv4():
    payload = UDP(sport=2, dport=7) / b"lengths"
    for fields in ({"ihl": 0}, {"ihl": 4}, {"ihl": 15}, {"len": 0}, {"len": 19}, {"len": 27}, {"len": 65_535},
                   {"version": 5}, {"version": 6}, {"ttl": 0}, {"chksum": 0xBAD0}):
        yield ip(CLIENT, OTHER, **fields) / payload
    yield ip("127.0.0.1", OTHER) / payload
    yield ip(OTHER, OTHER) / payload
    # Fragments: of the header alone, overlapping, past 65,535 bytes, empty, and a first one that is not alone.
    for flags, offset, data in (("MF", 0, b"\0\2\0"), ("MF", 1, bytes(16)), ("MF", 0, bytes(16)), (0, 8191, bytes(64)),
                                ("MF", 4, b""), ("MF+DF", 0, bytes(24))):
        yield ip(CLIENT, OTHER, id=666, flags=flags, frag=offset, proto=17) / Raw(data)


def ipv6():
    udp = UDP(sport=3, dport=7) / b"chains"
    for count in (8, 24):
        packet = ip(CLIENT6, OTHER6)
        for _ in range(count):
            packet /= IPv6ExtHdrDestOpt()
        yield packet / udp
    hop, option = IPv6ExtHdrHopByHop, IPv6ExtHdrDestOpt
    yield ip(CLIENT6, OTHER6) / option() / hop() / hop() / udp  # hop-by-hop, where it may not be, and twice
    yield ip(CLIENT6, OTHER6) / IPv6ExtHdrRouting(segleft=9, addresses=[CLIENT6]) / udp
    yield ip(CLIENT6, OTHER6, nh=60) / Raw(bytes([60, 255]) + bytes(14))  # longer than the packet
    yield ip(CLIENT6, OTHER6, nh=60) / Raw(bytes([60, 0]) + bytes(6) + bytes([60]))  # cut in the next one
    yield ip(CLIENT6, OTHER6, nh=0) / Raw(bytes([0, 0, 1, 4, 0, 0, 0, 0]) * 170)  # says of itself that it follows itself
    yield ip(CLIENT6, OTHER6, nh=59) / Raw(bytes(8))  # nothing follows
    for plen in (0, 7, 65_535):
        yield ip(CLIENT6, OTHER6, plen=plen) / udp
    for offset, more, data in ((0, 1, b"\0\3"), (0, 0, bytes(udp)), (8191, 0, bytes(64)), (1, 1, bytes(7))):
        yield ip(CLIENT6, OTHER6) / IPv6ExtHdrFragment(nh=17, offset=offset, m=more, id=666) / Raw(data)
    yield Ether(src=mac(CLIENT6), dst=mac(OTHER6), type=0x86DD) / Raw(bytes(IPv6())[:39])


def transport():
    for length in (0, 7, 9, 65_535):
        yield ip(CLIENT, OTHER) / UDP(sport=4, dport=7, len=length) / b"lengths"
    yield ip(CLIENT, OTHER) / UDP(sport=0, dport=7) / b"port 0"
    yield ip(CLIENT6, OTHER6) / UDP(sport=4, dport=7, chksum=0) / b"no checksum"
    for offset in (0, 4, 15):
        yield ip(CLIENT, OTHER) / TCP(sport=4, dport=4000, seq=1, dataofs=offset, flags="S")
    for flags in ("", "SF", "FSRPAUEC"):
        yield ip(CLIENT, OTHER) / TCP(sport=5, dport=4000, seq=1, flags=flags)
    yield ip(CLIENT, OTHER, proto=6) / Raw(bytes(19))
    yield ip(CLIENT, OTHER, proto=17) / Raw(bytes(7))
    yield ip(CLIENT, SERVICE, proto=132) / Raw(bytes(11))


def sctp(payload, tag=0x66666666, **fields):
    packet = ip(CLIENT, SERVICE) / SCTP(sport=6666, dport=38_412, tag=tag, **fields)
    return packet / Raw(payload) if payload else packet


def chunk(kind, body, length=None, flags=0):
    length = 4 + len(body) if length is None else length
    return struct.pack(">BBH", kind, flags, length) + body + bytes(-len(body) % 4)


def parameter(kind, body, length=None):
    length = 4 + len(body) if length is None else length
    return struct.pack(">HH", kind, length) + body + bytes(-len(body) % 4)


def init(extra, kind=INIT, tag=0x66666666, **fields):
    return chunk(kind, struct.pack(">IIHHI", tag, 131_072, 10, 10, 1) + extra, **fields)


def chunks():
    yield sctp(b"")
    for kind in (DATA, INIT, INIT_ACK, HEARTBEAT, COOKIE_ECHO, ASCONF, 63, 255):
        for length in (0, 3, 65_535):
            yield sctp(chunk(kind, bytes(16), length))
        yield sctp(chunk(kind, b""))
    yield sctp(chunk(14, b"")[:3])
    yield sctp(chunk(11, b"") * 300)
    yield sctp(chunk(DATA, bytes(12), flags=3))  # DATA without data
    yield sctp(init(b"") + chunk(DATA, bytes(16), flags=3), tag=0)  # INIT is to be alone
    yield sctp(chunk(11, b"") + init(b""), tag=0)
    yield sctp(init(b"", tag=0), tag=0)
    yield sctp(init(b""))  # with a tag in the header
    yield sctp(chunk(11, b""), tag=0)
    yield sctp(chunk(COOKIE_ECHO, bytes(200)), chksum=0xBAD0BAD0)
    yield sctp(chunk(COOKIE_ECHO, bytes(200)), chksum=0)


def parameters():
    address = parameter(5, bytes([192, 0, 2, 66]))
    for kind in (5, 6, 7, 0x8008, 0xC001):
        for length in (0, 3, 5, 65_535):
            yield sctp(init(parameter(kind, bytes(4), length)), tag=0)
    yield sctp(init(address[:6]), tag=0)
    yield sctp(init(address[:3]), tag=0)
    yield sctp(init(address * 70), tag=0)
    yield sctp(init(parameter(0x8003, b"") * 300), tag=0)
    yield sctp(init(parameter(5, bytes(4)) + parameter(5, b"\xff" * 4) + parameter(5, bytes([127, 0, 0, 1]))), tag=0)
    yield sctp(init(parameter(11, b"amf.example\0")), tag=0)  # a host name, not to be used any more
    yield sctp(init(parameter(0x4000, b"stop") + address), tag=0)  # unknown: stop here, and report
    yield sctp(init(address, kind=INIT_ACK))  # without a cookie
    nested = parameter(0xC001, struct.pack(">I", 1) + parameter(5, bytes(4), 65_535))
    yield sctp(chunk(ASCONF, struct.pack(">I", 1) + address + nested))
    yield sctp(chunk(ASCONF, struct.pack(">I", 1) + nested))  # without the address it must begin with
    yield (ip(CLIENT, SERVICE) / SCTP(sport=6666, dport=38_412, tag=0)
           / SCTPChunkInit(flags=0, init_tag=1, a_rwnd=0, n_out_streams=0, n_in_streams=0, init_tsn=1,
                           params=[SCTPChunkParamIPv4Addr(addr="224.0.0.1")]))


def gtp():
    def packet(flags, kind, rest, length=None, teid=0x10000001):
        header = struct.pack(">BBHI", flags, kind, len(rest) if length is None else length, teid)
        return ip(CLIENT, UPF) / UDP(sport=2152, dport=2152) / Raw(header + rest)

    inner = bytes(IP(src="10.60.0.66", dst="203.0.113.80", id=1) / UDP(sport=1, dport=7))
    for cut in (0, 1, 7):
        yield ip(CLIENT, UPF) / UDP(sport=2152, dport=2152) / Raw(b"\x30\xff\x00\x00\x10\x00\x00\x01"[:cut])
    for length in (0, 3, 65_535):
        yield packet(0x30, 255, inner, length)
    for flags in (0x00, 0x10, 0x48, 0x50, 0xF0):  # other versions, GTP'
        yield packet(flags, 255, inner)
    yield packet(0x30, 255, inner, teid=0)
    yield packet(0x34, 255, b"")  # no room for what the flags say
    yield packet(0x34, 255, bytes([0, 0, 0, 0x85]))  # no extension header
    yield packet(0x34, 255, bytes([0, 0, 0, 0x85, 0, 0, 0, 0]) + inner)  # of length zero
    yield packet(0x34, 255, bytes([0, 0, 0, 0x85, 255, 0, 1, 0]) + inner)  # past the end
    yield packet(0x34, 255, bytes([0, 0, 0, 0x85]) + bytes([1, 0x10, 1, 0x85]) * 40)  # a chain, cut off
    yield packet(0x34, 255, bytes([0, 0, 0, 0xC0]) + bytes([1, 0, 0, 0xC0]) * 40 + bytes([1, 0, 0, 0]) + inner)
    looped = inner
    for _ in range(8):  # a tunnel in a tunnel in a tunnel...
        looped = bytes(packet(0x30, 255, looped).payload)
    yield packet(0x30, 255, looped)
    yield packet(0x32, 1, b"")
    yield packet(0x32, 1, bytes(200))
