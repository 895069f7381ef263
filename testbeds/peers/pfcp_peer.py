"""A PFCP peer (TS 29.244) whose messages scapy builds and reads, told what to do by JSON lines: an SMF or a UPF."""

import json
import queue
import socket
import sys
import threading

from scapy.contrib.pfcp import (
    IE_ApplyAction,
    IE_Cause,
    IE_CPFunctionFeatures,
    IE_CreatedPDR,
    IE_CreateFAR,
    IE_CreatePDR,
    IE_DestinationInterface,
    IE_FAR_Id,
    IE_ForwardingParameters,
    IE_FSEID,
    IE_FTEID,
    IE_NetworkInstance,
    IE_NodeId,
    IE_OuterHeaderCreation,
    IE_OuterHeaderRemoval,
    IE_PDI,
    IE_PDR_Id,
    IE_Precedence,
    IE_RecoveryTimeStamp,
    IE_ReportType,
    IE_SourceInterface,
    IE_UE_IP_Address,
    IE_UpdateFAR,
    IE_UpdateForwardingParameters,
    IE_UPFunctionFeatures,
    PFCP,
    PFCPAssociationSetupRequest,
    PFCPAssociationSetupResponse,
    PFCPAssociationUpdateResponse,
    PFCPHeartbeatRequest,
    PFCPHeartbeatResponse,
    PFCPSessionDeletionRequest,
    PFCPSessionDeletionResponse,
    PFCPSessionEstablishmentRequest,
    PFCPSessionEstablishmentResponse,
    PFCPSessionModificationRequest,
    PFCPSessionModificationResponse,
    PFCPSessionReportRequest,
    PFCPSessionReportResponse,
)

PORT, ACCEPTED, NOT_FOUND = 8805, 1, 65
STARTED = 0xE8000000
TRIES, WAIT = 5, 1.0


def elements(of, kind):
    """The elements of a type right inside another one, or a message."""
    return [element for element in of.IE_list if isinstance(element, kind)]


def first(of, kind):
    return next(iter(elements(of, kind)), None)


class Peer:
    """What both have in common: one socket, one thread that reads it."""

    def __init__(self, order):
        self.address = order["address"]
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((self.address, PORT))
        self.answers = queue.Queue()
        self.wrong = []
        self.given = {}
        self.heartbeats = 0
        threading.Thread(target=self.run, daemon=True).start()

    def node(self):
        return IE_NodeId(id_type="IPv4", ipv4=self.address)

    def end(self, seid):
        return IE_FSEID(v4=1, seid=seid, ipv4=self.address)

    def run(self):
        while True:
            data, sender = self.sock.recvfrom(1 << 16)
            try:
                packet = PFCP(data)
                # What scapy reads and writes again is what came, or one of both is wrong.
                for layer in (packet, packet.payload):
                    if getattr(layer, "extra_data", b"") or type(layer).__name__ == "Raw":
                        self.wrong.append(data.hex())
                if packet.message_type in self.REQUESTS:
                    key = (sender, packet.seq)
                    if key not in self.given:
                        self.given[key] = self.answer(packet)
                    self.sock.sendto(self.given[key], sender)
                else:
                    self.answers.put(packet)
            except Exception as error:  # whatever it was, the test is to hear of it
                self.wrong.append(f"{type(error).__name__}: {error}: {data.hex()}")

    def heartbeat(self, packet):
        self.heartbeats += 1
        return reply(packet, PFCPHeartbeatResponse(IE_list=[IE_RecoveryTimeStamp(timestamp=STARTED)]))

    def updated(self, packet):
        body = PFCPAssociationUpdateResponse(IE_list=[self.node(), IE_Cause(cause=ACCEPTED)])
        return reply(packet, body)


def reply(packet, body, seid=None):
    return bytes(PFCP(S=int(seid is not None), seid=seid or 0, seq=packet.seq) / body)


class Smf(Peer):
    REQUESTS = {1, 7, 56}

    def __init__(self, order):
        self.remote = (order["remote"], PORT)
        self.sequence = 0
        self.sessions = {}
        self.reports = 0
        super().__init__(order)

    def answer(self, packet):
        if packet.message_type == 1:
            return self.heartbeat(packet)
        if packet.message_type == 7:
            return self.updated(packet)
        self.reports += 1
        known = self.sessions.get(packet.seid)
        cause = NOT_FOUND if known is None else ACCEPTED
        return reply(packet, PFCPSessionReportResponse(IE_list=[IE_Cause(cause=cause)]), known or 0)

    def ask(self, body, seid=None):
        self.sequence += 1
        data = bytes(PFCP(S=int(seid is not None), seid=seid or 0, seq=self.sequence) / body)
        for _ in range(TRIES):
            self.sock.sendto(data, self.remote)
            try:
                answer = self.answers.get(timeout=WAIT)
                while answer.seq != self.sequence:
                    answer = self.answers.get(timeout=WAIT)
                return answer
            except queue.Empty:
                continue
        raise TimeoutError(f"no answer to {type(body).__name__}")

    def associate(self):
        told = [self.node(), IE_RecoveryTimeStamp(timestamp=STARTED), IE_CPFunctionFeatures()]
        answer = self.ask(PFCPAssociationSetupRequest(IE_list=told))
        features = first(answer, IE_UPFunctionFeatures)
        return {"cause": first(answer, IE_Cause).cause, "ftup": bool(features and features.FTUP)}

    def establish(self, order):
        """A session of a user's address; the UPF chooses the tunnel."""
        seid, user, network = order["seid"], order["user"], IE_NetworkInstance(instance="internet")
        uplink = IE_PDI(
            IE_list=[
                IE_SourceInterface(interface="Access"),
                IE_FTEID(CH=1, V4=1),
                network,
                IE_UE_IP_Address(V4=1, ipv4=user),
            ]
        )
        downlink = IE_PDI(
            IE_list=[IE_SourceInterface(interface="Core"), network, IE_UE_IP_Address(V4=1, SD=1, ipv4=user)]
        )
        rules = [
            IE_CreatePDR(
                IE_list=[
                    IE_PDR_Id(id=1),
                    IE_Precedence(precedence=200),
                    uplink,
                    IE_OuterHeaderRemoval(header=0),
                    IE_FAR_Id(id=1),
                ]
            ),
            IE_CreatePDR(
                IE_list=[IE_PDR_Id(id=2), IE_Precedence(precedence=200), downlink, IE_FAR_Id(id=2)]
            ),
            IE_CreateFAR(
                IE_list=[
                    IE_FAR_Id(id=1),
                    IE_ApplyAction(FORW=1),
                    IE_ForwardingParameters(
                        IE_list=[IE_DestinationInterface(interface="Core"), network]
                    ),
                ]
            ),
            IE_CreateFAR(IE_list=[IE_FAR_Id(id=2), IE_ApplyAction(BUFF=1)]),
        ]
        answer = self.ask(PFCPSessionEstablishmentRequest(IE_list=[self.node(), self.end(seid), *rules]), 0)
        cause = first(answer, IE_Cause).cause
        if cause != ACCEPTED:
            return {"cause": cause}
        theirs, created = first(answer, IE_FSEID), first(answer, IE_CreatedPDR)
        tunnel = first(created, IE_FTEID)
        self.sessions[seid] = theirs.seid
        return {
            "cause": cause,
            "seid": answer.seid,
            "at": theirs.ipv4,
            "rule": first(created, IE_PDR_Id).id,
            "tunnel": [tunnel.TEID, tunnel.ipv4],
        }

    def activate(self, order):
        teid, address = order["gnb"]
        header = IE_OuterHeaderCreation(GTPUUDPIPV4=1, TEID=teid, ipv4=address)
        parameters = [IE_DestinationInterface(interface="Access"), header]
        update = IE_UpdateFAR(
            IE_list=[
                IE_FAR_Id(id=2),
                IE_ApplyAction(FORW=1),
                IE_UpdateForwardingParameters(IE_list=parameters),
            ]
        )
        return self.about(order["seid"], PFCPSessionModificationRequest(IE_list=[update]))

    def about(self, seid, body):
        answer = self.ask(body, self.sessions[seid])
        return {"cause": first(answer, IE_Cause).cause, "seid": answer.seid}

    def obey(self, order):
        match order["do"]:
            case "associate":
                return self.associate()
            case "heartbeat":
                answer = self.ask(PFCPHeartbeatRequest(IE_list=[IE_RecoveryTimeStamp(timestamp=STARTED)]))
                return first(answer, IE_RecoveryTimeStamp).timestamp
            case "establish":
                return self.establish(order)
            case "activate":
                return self.activate(order)
            case "delete":
                return self.about(order["seid"], PFCPSessionDeletionRequest())
            case "seen":
                return {"wrong": self.wrong, "heartbeats": self.heartbeats, "reports": self.reports}
            case other:
                raise ValueError(f"no order {other}")


class Upf(Peer):
    """Gives TEIDs from 1 on, and forwards nothing."""

    REQUESTS = {1, 5, 7, 50, 52, 54}

    def __init__(self, order):
        self.smf = None
        self.sessions = {}
        self.last = 0
        self.sequence = 0
        super().__init__(order)

    def answer(self, packet):
        match packet.message_type:
            case 1:
                return self.heartbeat(packet)
            case 5:
                told = [self.node(), IE_Cause(cause=ACCEPTED), IE_RecoveryTimeStamp(timestamp=STARTED)]
                body = PFCPAssociationSetupResponse(IE_list=[*told, IE_UPFunctionFeatures(FTUP=1, EMPU=1)])
                return reply(packet, body)
            case 7:
                return self.updated(packet)
            case 50:
                return self.establish(packet)
            case 52:
                return self.modify(packet)
            case 54:
                known = self.sessions.pop(packet.seid, None)
                cause = NOT_FOUND if known is None else ACCEPTED
                body = PFCPSessionDeletionResponse(IE_list=[IE_Cause(cause=cause)])
                return reply(packet, body, known["peer"] if known else 0)
        raise ValueError(f"message type {packet.message_type}")

    def establish(self, packet):
        peer = first(packet, IE_FSEID)
        self.last += 1
        seid, created = self.last, []
        session = {"peer": peer.seid, "smf": peer.ipv4, "user": None, "uplink": None, "downlink": None}
        for rule in elements(packet, IE_CreatePDR):
            inside = first(rule, IE_PDI)
            tunnel, user = first(inside, IE_FTEID), first(inside, IE_UE_IP_Address)
            session["user"] = user.ipv4 if user else session["user"]
            if tunnel is not None and tunnel.CH:
                session["uplink"] = seid
                told = IE_FTEID(V4=1, TEID=seid, ipv4=self.address)
                created.append(IE_CreatedPDR(IE_list=[IE_PDR_Id(id=first(rule, IE_PDR_Id).id), told]))
        self.sessions[seid] = session
        told = [self.node(), IE_Cause(cause=ACCEPTED), self.end(seid), *created]
        return reply(packet, PFCPSessionEstablishmentResponse(IE_list=told), peer.seid)

    def modify(self, packet):
        session = self.sessions.get(packet.seid)
        if session is None:
            return reply(packet, PFCPSessionModificationResponse(IE_list=[IE_Cause(cause=NOT_FOUND)]), 0)
        for rule in elements(packet, IE_UpdateFAR):
            parameters = first(rule, IE_UpdateForwardingParameters)
            header = parameters and first(parameters, IE_OuterHeaderCreation)
            if header:
                session["downlink"] = [header.TEID, header.ipv4]
        body = PFCPSessionModificationResponse(IE_list=[IE_Cause(cause=ACCEPTED)])
        return reply(packet, body, session["peer"])

    def report(self, order):
        """Says of a session that packets wait for its user; the cause that is answered."""
        session = self.sessions[order["seid"]]
        self.sequence += 1
        body = PFCPSessionReportRequest(IE_list=[IE_ReportType(UPIR=1)])
        data = bytes(PFCP(S=1, seid=session["peer"], seq=self.sequence) / body)
        self.sock.sendto(data, (session["smf"], PORT))
        answer = self.answers.get(timeout=TRIES * WAIT)
        return {"cause": first(answer, IE_Cause).cause, "seid": answer.seid}

    def obey(self, order):
        match order["do"]:
            case "sessions":
                return self.sessions
            case "report":
                return self.report(order)
            case "seen":
                return {"wrong": self.wrong, "heartbeats": self.heartbeats}
            case other:
                raise ValueError(f"no order {other}")


def main():
    peer = None
    # An empty line only wakes.
    for line in filter(str.strip, sys.stdin):
        try:
            order = json.loads(line)
            if order["do"] in ("smf", "upf"):
                peer = {"smf": Smf, "upf": Upf}[order["do"]](order)
                answer = {"ok": None}
            else:
                answer = {"ok": peer.obey(order)}
        except Exception as error:  # whatever it was, the test is to hear of it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
