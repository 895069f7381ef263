"""SCTP associations (RFC 9260), seen from outside: both ends' packets, with their tags and sequence numbers."""

from scapy.layers import sctp
from scapy.layers.sctp import SCTP

from recording import ip

NGAP = 60  # payload protocol identifier
COOKIE = bytes(range(1, 249))
WINDOW = 131_072
EXTENSIONS = [192, 130, 193, 128]  # FORWARD TSN, RE-CONFIG, ASCONF, ASCONF ACK


class End:
    """One end of an association. `addresses` has one for each path."""

    def __init__(self, addresses, port, tag, tsn):
        self.addresses = addresses
        self.port = port
        self.tag = tag
        self.tsn = tsn  # of its next DATA chunk
        self.sequences = {}

    def init(self, kind, *parameters):
        return kind(
            flags=0, init_tag=self.tag, a_rwnd=WINDOW, n_out_streams=10, n_in_streams=10, init_tsn=self.tsn,
            params=[address_parameter(address) for address in self.addresses]
            + [*parameters, sctp.SCTPChunkParamSupportedExtensions(supported_extensions=EXTENSIONS)])

    def data(self, payload, stream=0, protocol=NGAP):
        chunk = sctp.SCTPChunkData(
            reserved=0, beginning=1, ending=1, tsn=self.tsn, stream_id=stream,
            stream_seq=self.sequences.get(stream, 0), proto_id=protocol, data=payload)
        self.tsn = (self.tsn + 1) % (1 << 32)
        self.sequences[stream] = self.sequences.get(stream, 0) + 1
        return chunk

    def ack(self, *gaps):
        """Acknowledges all that this end has sent; the other end sends it."""
        return sctp.SCTPChunkSACK(
            flags=0, cumul_tsn_ack=(self.tsn - 1) % (1 << 32), a_rwnd=WINDOW, gap_ack_list=list(gaps), dup_tsn_list=[])


class Association:
    def __init__(self, recording, client, server):
        self.recording = recording
        self.client = client
        self.server = server

    def up(self, *chunks, path=0, tag=None, after=250):
        self._send(self.client, self.server, chunks, path, tag, after)

    def down(self, *chunks, path=0, tag=None, after=250):
        self._send(self.server, self.client, chunks, path, tag, after)

    def _send(self, source, destination, chunks, path, tag, after):
        packet = ip(source.addresses[path], destination.addresses[path])
        packet /= SCTP(sport=source.port, dport=destination.port, tag=destination.tag if tag is None else tag)
        for chunk in chunks:
            packet /= chunk
        self.recording.add(packet, after)

    def set_up(self, path=0, with_cookie=()):
        """The four messages of a set-up; `with_cookie`: chunks that travel along with COOKIE ECHO."""
        types = sctp.SCTPChunkParamSupportedAddrTypes(addr_type_list=[6 if ":" in self.client.addresses[0] else 5])
        self.up(self.client.init(sctp.SCTPChunkInit, types), path=path, tag=0)
        cookie = sctp.SCTPChunkParamStateCookie(cookie=COOKIE)
        self.down(self.server.init(sctp.SCTPChunkInitAck, cookie), path=path)
        self.up(sctp.SCTPChunkCookieEcho(flags=0, cookie=COOKIE), *with_cookie, path=path)
        self.down(sctp.SCTPChunkCookieAck(flags=0), path=path)

    def heartbeat(self, path, after=250_000):
        """Each end probes the path once."""
        for send, answer in ((self.up, self.down), (self.down, self.up)):
            info = [sctp.SCTPChunkParamHeartbeatInfo(data=b"path %d" % path + bytes(30))]
            send(sctp.SCTPChunkHeartbeatReq(flags=0, params=info), path=path, after=after)
            answer(sctp.SCTPChunkHeartbeatAck(flags=0, params=info), path=path)

    def shut_down(self, path=0):
        self.up(sctp.SCTPChunkShutdown(flags=0, cumul_tsn_ack=self.server.tsn - 1), path=path, after=1_000_000)
        self.down(sctp.SCTPChunkShutdownAck(flags=0), path=path)
        self.up(sctp.SCTPChunkShutdownComplete(), path=path)


def address_parameter(address):
    kind = sctp.SCTPChunkParamIPv6Addr if ":" in address else sctp.SCTPChunkParamIPv4Addr
    return kind(addr=address)
