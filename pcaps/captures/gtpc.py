"""S11 and S5: GTPv2-C between MMEs, SGWs and PGWs."""

from scapy.contrib.gtp_v2 import *
from scapy.layers.inet import UDP
from scapy.packet import Raw

from recording import Recording, ip

SHOWS = """
S11 and S5: GTPv2-C between the MMEs 192.0.2.71 and 2001:db8:1::71, the SGWs 192.0.2.61 and 2001:db8:1::61 and the PGW 192.0.2.81:
echo, another version; sessions that are made, with a create bearer request piggybacked on the create session response and a modify
bearer request on the create bearer response, bearers updated, released, notified of and ended by a command, sessions deleted;
FQ-CSIDs, load control and elements of a vendor and of no type that there is; a message with priority.
"""

MME, SGW, PGW = "192.0.2.71", "192.0.2.61", "192.0.2.81"
MME6, SGW6 = "2001:db8:1::71", "2001:db8:1::61"
ENB, SGW_U, PGW_U = "198.51.100.71", "198.51.100.61", "198.51.100.81"
PORT = 2123
MME_TEID, SGW_TEID, PGW_TEID, S5_TEID = 0x11, 0x6100_0001, 0x8100_0001, 0x22
COMMANDED = 0x800000


def record():
    recording = Recording(1_760_006_000)
    nodes(recording)
    s11(recording, MME, SGW, 0x100)
    s11(recording, MME6, SGW6, 0x200)
    s5(recording)
    return recording


def datagram(source, destination, *messages):
    return ip(source, destination) / UDP(sport=PORT, dport=PORT) / Raw(b"".join(bytes(message) for message in messages))


def gtp(sequence, message, teid=None, **header):
    if teid is None:
        header.update(T=0)
    else:
        header.update(T=1, teid=teid)
    # scapy writes no length of its own where another message follows.
    header.setdefault("P", 0)
    return GTPHeader(seq=sequence, **header) / message


def end(kind, teid, address, instance=0):
    family = dict(ipv6_present=1, ipv6=int.from_bytes(packed(address), "big")) if ":" in address else dict(ipv4_present=1, ipv4=address)
    return IE_FTEID(instance=instance, InterfaceType=kind, GRE_Key=teid, **family)


def packed(address):
    import ipaddress

    return ipaddress.ip_address(address).packed


def raw(kind, data, instance=0):
    """An element that scapy has no class for."""
    return IE_NotImplementedTLV(ietype=kind, instance=instance, data=data)


def cause(number=16):
    return IE_Cause(Cause=number)


def context(bearer, *elements, instance=0):
    return IE_BearerContext(instance=instance, IE_list=[IE_EPSBearerID(EBI=bearer), *elements])


def nodes(recording):
    echo = lambda counter: [IE_RecoveryRestart(restart_counter=counter)]
    recording.add(datagram(MME, SGW, gtp(1, GTPV2EchoRequest(IE_list=echo(9)))))
    recording.add(datagram(SGW, MME, gtp(1, GTPV2EchoResponse(IE_list=echo(3)))))
    # Version 3 is none that there is.
    recording.add(datagram(MME, SGW, Raw(bytes([0x60, 1, 0, 4, 0, 0, 2, 0]))))
    recording.add(datagram(SGW, MME, Raw(bytes([0x40, 3, 0, 4, 0, 0, 2, 0]))))


def s11(recording, mme, sgw, sequence):
    ask = lambda *messages: recording.add(datagram(mme, sgw, *messages))
    say = lambda *messages: recording.add(datagram(sgw, mme, *messages))
    user = [IE_IMSI(IMSI="001010123456789"), IE_APN(APN="internet"), IE_RAT(RAT_type=6)]
    qos = raw(80, bytes(22))
    request = [*user, end(10, MME_TEID, mme), end(7, 0, PGW, instance=1), IE_PDN_type(PDN_type=1),
               context(5, qos), IE_RecoveryRestart(restart_counter=9), raw(132, b"\x01" + bytes([192, 0, 2, 71, 0, 3])),
               raw(255, b"\x7e\xd9kept"), raw(254, b"not known yet")]
    ask(gtp(sequence, GTPV2CreateSessionRequest(IE_list=request), 0))
    load = raw(181, bytes(raw(183, bytes(4))) + bytes(raw(182, b"\x28")), instance=2)
    response = [cause(), end(11, SGW_TEID, sgw), end(7, PGW_TEID, PGW, instance=1),
                raw(79, bytes([1, 10, 60, 0, 1])),
                context(5, cause(), end(1, 0x6101, SGW_U), end(5, 0x8101, PGW_U, instance=2), qos),
                IE_RecoveryRestart(restart_counter=3), load]
    bearer = [IE_EPSBearerID(EBI=5), context(0, qos, end(1, 0x6102, SGW_U), end(5, 0x8102, PGW_U, instance=1))]
    say(gtp(sequence, GTPV2CreateSessionResponse(IE_list=response), MME_TEID, P=1),
        gtp(sequence + 1, GTPV2CreateBearerRequest(IE_list=bearer), MME_TEID))
    made = [cause(), context(6, cause(), end(0, 0x7102, ENB), end(1, 0x6102, SGW_U, instance=1))]
    modify = [context(5, end(0, 0x7101, ENB)), raw(170, bytes(4))]
    ask(gtp(sequence + 1, GTPV2CreateBearerResponse(IE_list=made), SGW_TEID, P=1),
        gtp(sequence + 2, GTPV2ModifyBearerRequest(IE_list=modify), SGW_TEID))
    say(gtp(sequence + 2, GTPV2ModifyBearerResponse(IE_list=[cause(), context(5, cause(), end(1, 0x6101, SGW_U))]), MME_TEID))
    ask(gtp(sequence + 3, GTPV2ReleaseBearerRequest(IE_list=[]), SGW_TEID))
    say(gtp(sequence + 3, GTPV2ReleaseBearerResponse(IE_list=[cause()]), MME_TEID))
    say(gtp(sequence + 4, GTPV2DownlinkDataNotif(IE_list=[IE_EPSBearerID(EBI=5)]), MME_TEID, MP=1, msg_priority=5))
    ask(gtp(sequence + 4, GTPV2DownlinkDataNotifAck(IE_list=[cause()]), SGW_TEID))
    say(gtp(sequence + 5, GTPV2UpdateBearerRequest(IE_list=[context(6, qos), raw(72, bytes(8))]), MME_TEID))
    ask(gtp(sequence + 5, GTPV2UpdateBearerResponse(IE_list=[cause(), context(6, cause())]), SGW_TEID))
    # What a command leads to has its number (TS 29.274 7.6).
    ask(gtp(COMMANDED | sequence, GTPV2DeleteBearerCommand(IE_list=[context(6)]), SGW_TEID))
    say(gtp(COMMANDED | sequence, GTPV2DeleteBearerRequest(IE_list=[raw(73, b"\x06", instance=1)]), MME_TEID))
    ask(gtp(COMMANDED | sequence, GTPV2DeleteBearerResponse(IE_list=[cause(), context(6, cause())]), SGW_TEID))
    delete = [IE_EPSBearerID(EBI=5), raw(77, bytes([8, 0]))]
    ask(gtp(sequence + 6, GTPV2DeleteSessionRequest(IE_list=delete), SGW_TEID))
    say(gtp(sequence + 6, GTPV2DeleteSessionResponse(IE_list=[cause()]), MME_TEID))


def s5(recording):
    user = [IE_IMSI(IMSI="001010123456789"), IE_APN(APN="internet")]
    request = [*user, end(6, S5_TEID, SGW), context(5, end(4, 0x6103, SGW_U, instance=2))]
    recording.add(datagram(SGW, PGW, gtp(0x300, GTPV2CreateSessionRequest(IE_list=request), 0)))
    response = [cause(), end(7, PGW_TEID, PGW, instance=1), context(5, cause(), end(5, 0x8103, PGW_U, instance=2))]
    recording.add(datagram(PGW, SGW, gtp(0x300, GTPV2CreateSessionResponse(IE_list=response), S5_TEID)))
    recording.add(datagram(SGW, PGW, gtp(0x301, GTPV2DeleteSessionRequest(IE_list=[IE_EPSBearerID(EBI=5)]), PGW_TEID)))
    recording.add(datagram(PGW, SGW, gtp(0x301, GTPV2DeleteSessionResponse(IE_list=[cause()]), S5_TEID)))
