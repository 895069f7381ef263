"""N2 or S1: each message of each procedure."""

import pathlib

import sctp
from recording import Recording
from sctp import Association, End

HERE = pathlib.Path(__file__).resolve().parent


class Procedures:
    """A capture of the messages that a file of vectors has, up to a procedure."""

    def __init__(self, file, last, service, port, protocol, tag):
        self.__name__ = "procedures"
        self.SHOWS = f"""
            Each message of {file}, of procedures up to {last}, to the service {service}: with the elements that it must have, and with
            all. The values are made up: NAS PDUs and containers hold no messages.
            """
        self.arguments = (file, last, service, port, protocol, tag)

    def record(self):
        file, last, service, port, protocol, tag = self.arguments
        recording = Recording(1_760_004_000)
        client = End(["192.0.2.15"], port, tag, 1)
        association = Association(recording, client, End([service], port, tag + 0x50505050, 1))
        association.set_up()
        for line in (HERE / file).read_text().splitlines():
            fields = line.split("\t")
            if int(fields[1]) <= last:
                association.up(client.data(bytes.fromhex(fields[-1]), stream=1, protocol=protocol))
        association.down(client.ack())
        association.shut_down()
        return recording


# Those of Release 18 are not known to everybody.
NGAP = Procedures("ngap-vectors.tsv", 75, "192.0.2.1", 38_412, sctp.NGAP, 0x51515151)
S1AP = Procedures("s1ap-vectors.tsv", 66, "192.0.2.8", 36_412, 18, 0x52525252)
