"""SCTP endpoints whose packets scapy builds and reads: what each does depends on the port that is asked.

Usage: sctp_peer.py ADDRESS. Prints one line for each packet that it reads.
"""

import socket
import sys

from scapy.layers.sctp import SCTP, SCTPChunkAbort, SCTPChunkInit, SCTPChunkInitAck, SCTPChunkParamStateCookie

ACCEPTS, REFUSES, STRANGERS_FIRST, STRANGERS_ONLY, MUTE = 38412, 38413, 38414, 38415, 38416
TAG = 0x11223344
NO_RESOURCE = bytes.fromhex("00040004")


def open_socket(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_SCTP)
    sock.bind((address, 0))
    return sock


def without_ip(packet, address):
    return packet if ":" in address else packet[(packet[0] & 15) * 4 :]


def checksum_is_right(packet):
    again = SCTP(packet)
    again.chksum = None
    return bytes(again) == packet


def init_ack(asked, tag):
    cookie = SCTPChunkParamStateCookie(cookie=b"cookie!!")
    chunk = SCTPChunkInitAck(init_tag=TAG, a_rwnd=65536, n_out_streams=5, n_in_streams=5, init_tsn=7, params=[cookie])
    return SCTP(sport=asked.dport, dport=asked.sport, tag=tag) / chunk


def abort(asked, tag):
    return SCTP(sport=asked.dport, dport=asked.sport, tag=tag) / SCTPChunkAbort(error_causes=NO_RESOURCE)


def answers(asked):
    right = asked[SCTPChunkInit].init_tag
    wrong = right ^ 1
    if asked.dport == ACCEPTS:
        return [init_ack(asked, right)]
    if asked.dport == REFUSES:
        return [abort(asked, right)]
    if asked.dport == STRANGERS_FIRST:
        return [abort(asked, wrong), init_ack(asked, right)]
    if asked.dport == STRANGERS_ONLY:
        return [init_ack(asked, wrong), abort(asked, wrong)]
    return []


def main():
    [address] = sys.argv[1:]
    sock = open_socket(address)
    print("ready", flush=True)
    while True:
        data, peer = sock.recvfrom(65536)
        packet = without_ip(data, address)
        asked = SCTP(packet)
        if not ACCEPTS <= asked.dport <= MUTE:
            continue
        right = "right" if checksum_is_right(packet) else "wrong"
        if SCTPChunkInit in asked:
            init = asked[SCTPChunkInit]
            print(f"init {asked.dport} vtag {asked.tag} checksum {right} streams {init.n_out_streams}", flush=True)
            for answer in answers(asked):
                sock.sendto(bytes(answer), (peer[0], 0))
        elif SCTPChunkAbort in asked:
            print(f"abort {asked.dport} vtag {asked.tag:#x} checksum {right}", flush=True)
        else:
            print(f"other {asked.summary()}", flush=True)


main()
