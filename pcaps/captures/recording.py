"""Frames with their times, and hosts with their addresses."""

import ipaddress
from fractions import Fraction

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.utils import RawPcapNgWriter, RawPcapWriter

ETHERNET = 1


class Recording:
    """Frames in the order of their times; a clock of microseconds since 1970."""

    def __init__(self, start):
        self.now = start * 1_000_000
        self.frames = []

    def add(self, frame, after=250):
        """Records a frame, so many microseconds after the one before."""
        self.now += after
        self.frames.append((self.now, bytes(frame)))

    def write(self, path):
        if path.suffix == ".pcapng":
            writer = RawPcapNgWriter(str(path))
            writer.sync = False
            writer.linktype = ETHERNET
            writer.write_header(None)
            for time, frame in self.frames:
                writer.write_packet(frame, sec=Fraction(time, 1_000_000))
        else:
            writer = RawPcapWriter(str(path), linktype=ETHERNET, endianness="<")
            writer.write_header(None)
            for time, frame in self.frames:
                writer.write_packet(frame, sec=time // 1_000_000, usec=time % 1_000_000)
        writer.close()


def mac(address):
    """A locally administered MAC address, the same for the same IP address."""
    packed = ipaddress.ip_address(address).packed
    return "02:%02x:%02x:%02x:%02x:%02x" % (len(packed), *packed[1:3], *packed[-2:])


def ip(source, destination, **fields):
    """Ethernet and IP headers from one address to another."""
    ether = Ether(src=mac(source), dst=mac(destination))
    if ":" in source:
        return ether / IPv6(src=source, dst=destination, **fields)
    return ether / IP(src=source, dst=destination, **{"id": 0, "flags": "DF", **fields})
