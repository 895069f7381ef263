"""A GTP-U peer (TS 29.281) whose packets scapy builds and reads, told what to do by JSON lines."""

import collections
import json
import socket
import sys
import threading
import time

from scapy.contrib.gtp import (
    GTP_U_Header,
    GTPEchoRequest,
    GTPEchoResponse,
    GTPErrorIndication,
    GTPPDUSessionContainer,
    IE_GSNAddress,
    IE_Recovery,
    IE_TEIDI,
)
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

ECHO_REQUEST, ECHO_RESPONSE, ERROR_INDICATION, G_PDU = 1, 2, 26, 255
DOWNLINK, UPLINK = 0, 1


def open_socket(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((address, port))
    return sock


def ip(source, destination):
    if ":" in source:
        return IPv6(src=source, dst=destination)
    return IP(src=source, dst=destination)


def gsn_address(address):
    if ":" in address:
        return IE_GSNAddress(length=16, ipv6_address=address)
    return IE_GSNAddress(length=4, ipv4_address=address)


def g_pdu(teid, inner, direction, qfi):
    header = GTP_U_Header(teid=teid, gtp_type=G_PDU)
    if qfi is not None:
        header = header / GTPPDUSessionContainer(type=direction, QFI=qfi)
    return bytes(header / inner)


class Upf:
    """Answers inner UDP packets of its tunnels with its identity in front, by the downlink tunnel."""

    def __init__(self, order):
        self.identity = order["identity"].encode()
        self.tunnels = {int(up): down for up, down in order["tunnels"].items()}
        self.packets = collections.Counter()
        self.unknown = collections.Counter()
        for address in order["addresses"]:
            sock = open_socket(address, order["port"])
            threading.Thread(target=self.run, args=(sock, address), daemon=True).start()

    def run(self, sock, address):
        while True:
            data, sender = sock.recvfrom(1 << 16)
            answer = self.answer(GTP_U_Header(data), address)
            if answer is not None:
                sock.sendto(answer, sender)

    def answer(self, packet, address):
        if packet.gtp_type == ECHO_REQUEST:
            header = GTP_U_Header(gtp_type=ECHO_RESPONSE, teid=0, S=1, seq=packet.seq)
            return bytes(header / GTPEchoResponse(IE_list=[IE_Recovery(restart_counter=0)]))
        if packet.gtp_type != G_PDU:
            return None
        down = self.tunnels.get(packet.teid)
        if down is None:
            self.unknown[packet.teid] += 1
            header = GTP_U_Header(gtp_type=ERROR_INDICATION, teid=0, S=1)
            told = [IE_TEIDI(TEIDI=packet.teid), gsn_address(address)]
            return bytes(header / GTPErrorIndication(IE_list=told))
        self.packets[packet.teid] += 1
        outer = packet.getlayer(IP) or packet.getlayer(IPv6)
        udp = packet.getlayer(UDP)
        payload = self.identity + b"|" + bytes(udp.payload)
        inner = ip(outer.dst, outer.src) / UDP(sport=udp.dport, dport=udp.sport) / Raw(payload)
        qfi = packet[GTPPDUSessionContainer].QFI if GTPPDUSessionContainer in packet else None
        return g_pdu(down, inner, DOWNLINK, qfi)

    def report(self):
        return {"packets": dict(self.packets), "unknown": dict(self.unknown)}


class Gnb:
    """Sends by uplink tunnels and counts what comes back by downlink ones."""

    def __init__(self, order):
        self.sock = open_socket(order["address"], order["port"])

    def send(self, order):
        echoes = {"sent": 0, "echoed": 0, "missing": 0, "wrong": 0}
        identities = collections.Counter()
        self.sock.settimeout(order["timeout"])
        source, destination = order["inner"]
        for number in range(order["messages"]):
            payload = f"{number:08x}".encode().ljust(order["size"], b".")
            inner = ip(source, destination) / UDP(sport=40000, dport=7) / Raw(payload)
            packet = g_pdu(order["uplink"], inner, UPLINK, order["qfi"])
            self.sock.sendto(packet, (order["remote"], order["remote_port"]))
            echoes["sent"] += 1
            try:
                data, sender = self.sock.recvfrom(1 << 16)
            except TimeoutError:
                echoes["missing"] += 1
                continue
            identity = self.judge(GTP_U_Header(data), sender, payload, order)
            if identity is None:
                echoes["wrong"] += 1
            else:
                echoes["echoed"] += 1
                identities[identity] += 1
        return echoes | {"identities": dict(identities)}

    @staticmethod
    def judge(packet, sender, payload, order):
        from_server = sender[:2] == (order["remote"], order["remote_port"])
        if not from_server or packet.gtp_type != G_PDU or packet.teid != order["downlink"]:
            return None
        outer, udp = packet.getlayer(IP) or packet.getlayer(IPv6), packet.getlayer(UDP)
        identity, _, echo = bytes(udp.payload).partition(b"|")
        back = [outer.dst, outer.src] == order["inner"] and (udp.sport, udp.dport) == (7, 40000)
        return identity.decode() if back and echo == payload else None

    def told(self, order):
        """Sends a user packet and returns which tunnel the Error Indication names that answers it."""
        self.sock.settimeout(order["timeout"])
        packet = GTP_U_Header(teid=order["uplink"], gtp_type=G_PDU) / Raw(bytes(20))
        self.sock.sendto(bytes(packet), (order["remote"], order["remote_port"]))
        data, sender = self.sock.recvfrom(1 << 16)
        answer = GTP_U_Header(data)
        if answer.gtp_type != ERROR_INDICATION or answer.teid != 0:
            raise ValueError(f"no Error Indication: type {answer.gtp_type}, TEID {answer.teid}")
        teid, peer = answer[GTPErrorIndication].IE_list
        address = peer.ipv6_address if peer.length == 16 else peer.ipv4_address
        return {"from": [sender[0], sender[1]], "teid": teid.TEIDI, "address": address}

    def ping(self, order):
        """An echo request; the time to its response in milliseconds."""
        header = GTP_U_Header(gtp_type=ECHO_REQUEST, teid=0, S=1, seq=order["sequence"])
        self.sock.settimeout(order["timeout"])
        started = time.monotonic()
        self.sock.sendto(bytes(header / GTPEchoRequest()), (order["remote"], order["remote_port"]))
        packet = GTP_U_Header(self.sock.recv(1 << 16))
        if (packet.gtp_type, packet.seq) != (ECHO_RESPONSE, order["sequence"]):
            raise ValueError(f"not the response: type {packet.gtp_type}, sequence {packet.seq}")
        return int((time.monotonic() - started) * 1000)


class Peer:
    def __init__(self):
        self.upf = None
        self.gnb = None

    def obey(self, order):
        match order["do"]:
            case "ready":
                return None
            case "serve":
                self.upf = Upf(order)
            case "served":
                return self.upf.report()
            case "bind":
                self.gnb = Gnb(order)
            case "send":
                return self.gnb.send(order)
            case "told":
                return self.gnb.told(order)
            case "ping":
                return self.gnb.ping(order)
            case other:
                raise ValueError(f"no order {other}")
        return None


def main():
    peer = Peer()
    # An empty line only wakes.
    for line in filter(str.strip, sys.stdin):
        try:
            answer = {"ok": peer.obey(json.loads(line))}
        except Exception as error:  # whatever it was, the test is to hear of it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
