"""An MME and two SGWs that speak GTPv2-C by scapy, with Pinion between them.

    peers.py PINION MME SGW SGW

Prints a line for each step that went well.
"""

import socket
import sys
import threading

from scapy.contrib.gtp_v2 import *

PORT = 2123
USERS = 20
PINION, MME, *SGWS = sys.argv[1:]


def listen(address):
    there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    there.bind((address, PORT))
    there.settimeout(20)
    return there


def gtp(sequence, message, teid=None):
    header = dict(T=0) if teid is None else dict(T=1, teid=teid)
    return bytes(GTPHeader(P=0, seq=sequence, **header) / message)


def end(kind, teid, address):
    return IE_FTEID(InterfaceType=kind, GRE_Key=teid, ipv4_present=1, ipv4=address)


def elements(message, kind):
    return [element for element in message.payload.IE_list if element.ietype == kind]


def accepted(*more):
    return [IE_Cause(Cause=16), *more]


class Sgw(threading.Thread):
    """Counts its TEIDs from 1, as the other one does."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.socket, self.users, self.next = address, listen(address), {}, 1
        self.start()

    def run(self):
        while True:
            datagram, peer = self.socket.recvfrom(4096)
            if peer[0] != PINION:
                continue
            asked = GTPHeader(datagram)
            answer = self.answer(asked)
            if answer:
                self.socket.sendto(answer, peer)

    def answer(self, asked):
        if asked.gtp_type == 1:
            return gtp(asked.seq, GTPV2EchoResponse(IE_list=[IE_RecoveryRestart(restart_counter=3)]))
        if asked.gtp_type == 32:
            teid, self.next = self.next, self.next + 1
            self.users[teid] = elements(asked, 87)[0].GRE_Key
            context = IE_BearerContext(IE_list=[IE_EPSBearerID(EBI=5), IE_Cause(Cause=16)])
            made = GTPV2CreateSessionResponse(IE_list=accepted(end(11, teid, self.address), context))
            return gtp(asked.seq, made, self.users[teid])
        known = self.users.get(asked.teid)
        answers = {34: GTPV2ModifyBearerResponse, 36: GTPV2DeleteSessionResponse}
        if known is None or asked.gtp_type not in answers:
            return None
        if asked.gtp_type == 36:
            del self.users[asked.teid]
        return gtp(asked.seq, answers[asked.gtp_type](IE_list=accepted()), known)

    def notify(self, teid, sequence):
        request = GTPV2DownlinkDataNotif(IE_list=[IE_EPSBearerID(EBI=5)])
        self.socket.sendto(gtp(sequence, request, self.users[teid]), (PINION, PORT))


class Mme:
    def __init__(self):
        self.socket, self.sequence = listen(MME), 0

    def take(self):
        return GTPHeader(self.socket.recv(4096))

    def ask(self, message, teid):
        self.sequence += 1
        self.socket.sendto(gtp(self.sequence, message, teid), (PINION, PORT))
        answer = self.take()
        assert answer.seq == self.sequence and elements(answer, 2)[0].Cause == 16, answer.show(dump=True)
        return answer

    def create(self, user):
        context = IE_BearerContext(IE_list=[IE_EPSBearerID(EBI=5)])
        request = [IE_IMSI(IMSI="0010100000%05d" % user), end(10, 1000 + user, MME), IE_APN(APN="internet"), context]
        answer = self.ask(GTPV2CreateSessionRequest(IE_list=request), 0)
        assert (answer.gtp_type, answer.teid) == (33, 1000 + user)
        given = elements(answer, 87)[0]
        assert given.ipv4 == PINION
        return given.GRE_Key


def main():
    sgws, mme = [Sgw(address) for address in SGWS], Mme()
    teids = [mme.create(user) for user in range(USERS)]
    assert len(set(teids)) == USERS and all(sgw.users for sgw in sgws)
    print("created", sum(len(sgw.users) for sgw in sgws), flush=True)
    for user, teid in enumerate(teids):
        answer = mme.ask(GTPV2ModifyBearerRequest(IE_list=[]), teid)
        assert (answer.gtp_type, answer.teid) == (35, 1000 + user)
    print("modified", flush=True)
    notified = set()
    for sgw in sgws:
        for number, teid in enumerate(sgw.users):
            sgw.notify(teid, number + 1)
            asked = mme.take()
            assert asked.gtp_type == 176
            notified.add(asked.teid)
            answer = GTPV2DownlinkDataNotifAck(IE_list=accepted())
            mme.socket.sendto(gtp(asked.seq, answer, teids[asked.teid - 1000]), (PINION, PORT))
    assert notified == {1000 + user for user in range(USERS)}
    print("notified", flush=True)
    for teid in teids[:USERS // 2]:
        mme.ask(GTPV2DeleteSessionRequest(IE_list=[IE_EPSBearerID(EBI=5)]), teid)
    print("deleted", flush=True)


main()
