"""A multi-homed SCTP peer on the kernel's own SCTP, told what to do by JSON lines.

Python's standard library alone: it also runs inside User-Mode Linux.
Options are those of the kernel's linux/sctp.h, which Python has no names for.
"""

import collections
import ipaddress
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

IPPROTO_SCTP = 132

SO_SNDBUFFORCE = 32
SO_RCVBUFFORCE = 33

INITMSG = 2
PRIMARY_ADDR = 6
GET_ASSOC_NUMBER = 28
RECVRCVINFO = 32
BINDX_ADD = 100
CONNECTX = 110

SNDINFO = 2
RCVINFO = 3
SNDINFO_FORMAT = "=HHIIi"
RCVINFO_FORMAT = "=HHHxxIIIIi"

PATH_STATES = {0: "inactive", 1: "potentially failed", 2: "active", 3: "unconfirmed"}

# Room for the largest message of a test and the echo's name.
LONGEST = 1 << 20
# How often a reader looks whether its socket is to be closed, in seconds.
TICK = 0.05


def pack_address(address, port):
    address = ipaddress.ip_address(address)
    if address.version == 4:
        return struct.pack("=H", socket.AF_INET) + struct.pack(">H", port) + address.packed + bytes(8)
    return struct.pack("=H", socket.AF_INET6) + struct.pack(">HI", port, 0) + address.packed + bytes(4)


def open_socket(kind, addresses, streams):
    only_v4 = all(ipaddress.ip_address(address).version == 4 for address in addresses)
    family = socket.AF_INET if only_v4 else socket.AF_INET6
    sock = socket.socket(family, kind, IPPROTO_SCTP)
    sock.setsockopt(IPPROTO_SCTP, INITMSG, struct.pack("=HHHH", streams, streams, 0, 0))
    sock.setsockopt(IPPROTO_SCTP, RECVRCVINFO, 1)
    for option in (SO_SNDBUFFORCE, SO_RCVBUFFORCE):
        sock.setsockopt(socket.SOL_SOCKET, option, LONGEST)
    return sock


def bind(sock, addresses, port):
    packed = b"".join(pack_address(address, port) for address in addresses)
    sock.setsockopt(IPPROTO_SCTP, BINDX_ADD, packed)


def set_timeout(sock, option, seconds):
    # A timeout of Python's would make the socket non-blocking, and connectx with it.
    value = struct.pack("@ll", int(seconds), int(seconds % 1 * 1_000_000))
    sock.setsockopt(socket.SOL_SOCKET, option, value)


def send(sock, data, stream, ppid, association=0):
    # The kernel passes the payload protocol identifier on as it is: big-endian.
    (raw_ppid,) = struct.unpack("=I", struct.pack(">I", ppid))
    info = struct.pack(SNDINFO_FORMAT, stream, 0, raw_ppid, 0, association)
    sock.sendmsg([data], [(IPPROTO_SCTP, SNDINFO, info)])


def receive(sock):
    """A message, its stream, its PPID, its association and its sender; no message at the end."""
    data, control, flags, sender = sock.recvmsg(LONGEST, 256)
    while data and not flags & socket.MSG_EOR:
        more, _, flags, _ = sock.recvmsg(LONGEST, 256)
        data += more
    for level, kind, value in control:
        if level == IPPROTO_SCTP and kind == RCVINFO:
            stream, _, _, raw_ppid, _, _, _, association = struct.unpack(RCVINFO_FORMAT, value[:28])
            (ppid,) = struct.unpack(">I", struct.pack("=I", raw_ppid))
            return data, stream, ppid, association, sender
    return data, 0, 0, 0, sender


class Server:
    """Echoes every message with its own name in front."""

    def __init__(self, identity, addresses, port, streams):
        self.identity = identity.encode()
        self.sock = open_socket(socket.SOCK_SEQPACKET, addresses, streams)
        bind(self.sock, addresses, port)
        self.sock.listen(512)
        self.messages = 0
        self.streams = collections.Counter()
        self.ppids = collections.Counter()
        self.senders = collections.Counter()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                data, stream, ppid, association, sender = receive(self.sock)
                send(self.sock, self.identity + b"|" + data, stream, ppid, association)
            except OSError as error:
                # An association that was aborted meanwhile concerns that one alone.
                print(f"echo: {error}", flush=True)
                continue
            self.messages += 1
            self.streams[stream] += 1
            self.ppids[ppid] += 1
            self.senders[f"{sender[0].removeprefix('::ffff:')} {sender[1]}"] += 1

    def report(self):
        (associations,) = struct.unpack("=I", self.sock.getsockopt(IPPROTO_SCTP, GET_ASSOC_NUMBER, 4))
        return {
            "associations": associations,
            "messages": self.messages,
            "streams": dict(self.streams),
            "ppids": dict(self.ppids),
            "senders": dict(self.senders),
        }


class Client:
    """One association, and what came back on it."""

    def __init__(self, order):
        self.streams = order["streams"]
        self.ppid = order["ppid"]
        self.sock = open_socket(socket.SOCK_STREAM, order["local"] + order["remote"], self.streams)
        if order["local"]:
            bind(self.sock, order["local"], order["source_port"])
        set_timeout(self.sock, socket.SO_SNDTIMEO, order["timeout"])
        packed = b"".join(pack_address(address, order["port"]) for address in order["remote"])
        try:
            self.sock.setsockopt(IPPROTO_SCTP, CONNECTX, packed)
        except OSError:
            self.sock.close()
            raise
        self.lock = threading.Lock()
        self.sent = {}
        self.reset()
        self.flowing = threading.Event()
        self.flow = None
        self.end = None
        self.closing = False
        set_timeout(self.sock, socket.SO_SNDTIMEO, 0)
        set_timeout(self.sock, socket.SO_RCVTIMEO, TICK)
        self.reader = threading.Thread(target=self.run, daemon=True)
        self.reader.start()

    def reset(self):
        self.next = 0
        self.sent = {}
        self.echoed = 0
        self.wrong = 0
        self.refused = 0
        self.unordered = 0
        self.identities = collections.Counter()
        self.last_of_stream = {}
        self.last_echo = None
        self.longest_gap = 0.0

    def run(self):
        while not self.closing:
            try:
                data, stream, ppid, _, _ = receive(self.sock)
            except BlockingIOError:
                continue
            except OSError as error:
                self.end = str(error)
                return
            if not data:
                self.end = "shut down by the peer"
                return
            with self.lock:
                self.take(data, stream, ppid)

    def take(self, data, stream, ppid):
        identity, _, echo = data.partition(b"|")
        number = int(echo[:8], 16) if len(echo) >= 8 else -1
        # Gone from `sent` when it is echoed: a second echo of it is wrong.
        if self.sent.pop(number, None) != (stream, ppid, len(echo)):
            self.wrong += 1
            return
        now = time.monotonic()
        if self.last_echo is not None:
            self.longest_gap = max(self.longest_gap, now - self.last_echo)
        self.last_echo = now
        self.echoed += 1
        self.identities[identity.decode()] += 1
        if number < self.last_of_stream.get(stream, -1):
            self.unordered += 1
        self.last_of_stream[stream] = number

    def send_one(self, size):
        with self.lock:
            number = self.next
            self.next += 1
            stream = number % self.streams
            data = f"{number:08x}".encode().ljust(size, b".")
            self.sent[number] = (stream, self.ppid, len(data))
        try:
            send(self.sock, data, stream, self.ppid)
        except OSError:
            self.refused += 1
            self.end = self.end or "refused to send"

    def settle(self, seconds):
        """Waits for the echoes that are still on their way."""
        until = time.monotonic() + seconds
        while self.sent and self.end is None and time.monotonic() < until:
            time.sleep(0.005)
        with self.lock:
            return {
                "sent": self.next,
                "echoed": self.echoed,
                "missing": len(self.sent),
                "wrong": self.wrong,
                "refused": self.refused,
                "unordered": self.unordered,
                "identities": dict(self.identities),
                "longest_gap_ms": int(self.longest_gap * 1000),
                "ended": self.end,
            }

    def echo(self, order):
        self.reset()
        for _ in range(order["messages"]):
            self.send_one(order["size"])
        return self.settle(order["timeout"])

    def start_flow(self, order):
        self.reset()
        self.flowing.set()
        self.flow = threading.Thread(target=self.keep_sending, args=(order,), daemon=True)
        self.flow.start()

    def keep_sending(self, order):
        while self.flowing.is_set() and self.end is None:
            self.send_one(order["size"])
            time.sleep(order["interval"])

    def finish_flow(self, order):
        self.flowing.clear()
        self.flow.join()
        return self.settle(order["timeout"])

    def association(self):
        return association_of(self.sock)

    def set_primary(self, address):
        value = struct.pack("=i", 0) + pack_address(address, self.sock.getpeername()[1])
        self.sock.setsockopt(IPPROTO_SCTP, PRIMARY_ADDR, value.ljust(132, b"\0"))

    def close(self, abort):
        # While a reader waits on the socket, closing it would send nothing.
        self.closing = True
        self.reader.join()
        if abort:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
        self.sock.close()


class Carrier(Client):
    """One association for somebody else, who says what is sent and is told what comes."""

    def __init__(self, order):
        self.came = []
        super().__init__(order)

    def take(self, data, stream, ppid):
        self.came.append([stream, ppid, data.hex()])

    def exchange(self, order):
        for stream, ppid, data in order["messages"]:
            send(self.sock, bytes.fromhex(data), stream, ppid)
        until = time.monotonic() + order["timeout"]
        while not self.came and self.end is None and time.monotonic() < until:
            time.sleep(0.002)
        with self.lock:
            came, self.came = self.came, []
        return {"came": came, "ended": self.end}


def association_of(sock):
    """The association of a one-to-one socket as the kernel lists it.

    A row ends in own addresses, an arrow, the peer's (a star at the primary),
    the heartbeat interval, streams in and out. Python's getsockopt would serve
    less: the kernel understates the length of its address lists.
    """
    inode = str(os.fstat(sock.fileno()).st_ino)
    with open("/proc/net/sctp/assocs") as table:
        rows = [line.split() for line in table]
    row = next((row for row in rows[1:] if row[10] == inode), None)
    if row is None:
        raise LookupError("the kernel lists no association of this socket any more")
    arrow = row.index("<->")
    end = next(at for at in range(arrow + 1, len(row)) if not is_address(row[at]))
    remote = [plain(address) for address in row[arrow + 1 : end]]
    primary = next((plain(address) for address in row[arrow + 1 : end] if address[0] == "*"), remote[0])
    return {
        "state": int(row[4]),
        "local": [plain(address) for address in row[13:arrow]],
        "source_port": int(row[11]),
        "primary": primary,
        "paths": path_states(row[6], remote),
        "streams": [int(row[end + 1]), int(row[end + 2])],
    }


def plain(address):
    return str(ipaddress.ip_address(address.lstrip("*")))


def is_address(word):
    return "." in word or ":" in word


def path_states(association, wanted):
    """State of each of an association's peer addresses."""
    with open("/proc/net/sctp/remaddr") as table:
        rows = [line.split() for line in table][1:]
    states = {plain(row[0]): PATH_STATES.get(int(row[7]), row[7]) for row in rows if row[1] == association}
    return {address: states.get(address, "gone") for address in wanted}


class Program:
    """Another's program on this kernel, and what it says."""

    def __init__(self, arguments):
        # It ends with this peer, and says each line at once.
        wrapped = ["setpriv", "--pdeathsig", "KILL", "stdbuf", "-oL", *arguments]
        self.process = subprocess.Popen(
            wrapped, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True)
        self.reader.start()

    def report(self):
        status = self.process.poll()
        if status is not None:
            self.reader.join()
        return {"status": status, "output": "".join(self.lines)}


def counters():
    with open("/proc/net/sctp/snmp") as table:
        return {name: int(value) for name, value in (line.split() for line in table)}


def tune(settings):
    for name, value in settings:
        try:
            with open(f"/proc/sys/net/sctp/{name}", "w") as setting:
                setting.write(str(value))
        except OSError as error:
            raise ValueError(f"net.sctp.{name} = {value}: {error}") from error


def known(table, name):
    if name not in table:
        raise LookupError(f"nothing called {name!r} has been opened")
    return table[name]


class Peer:
    def __init__(self):
        self.servers = {}
        self.clients = {}
        self.programs = {}

    def obey(self, order):
        name = order.get("name", "")
        match order["do"]:
            case "tune":
                tune(order["settings"])
            case "serve":
                self.servers[name] = Server(
                    order["identity"], order["addresses"], order["port"], order["streams"]
                )
            case "served":
                return known(self.servers, name).report()
            case "connect":
                self.clients[name] = Client(order)
                return known(self.clients, name).association()
            case "carry":
                self.clients[name] = Carrier(order)
                return known(self.clients, name).association()
            case "exchange":
                return known(self.clients, name).exchange(order)
            case "association":
                return known(self.clients, name).association()
            case "primary":
                known(self.clients, name).set_primary(order["address"])
            case "echo":
                return known(self.clients, name).echo(order)
            case "start":
                known(self.clients, name).start_flow(order)
            case "finish":
                return known(self.clients, name).finish_flow(order)
            case "close":
                known(self.clients, name).close(order["abort"])
                del self.clients[name]
            case "run":
                self.programs[name] = Program(order["arguments"])
            case "ran":
                return known(self.programs, name).report()
            case "counters":
                return counters()
            case other:
                raise ValueError(f"no order {other}")
        return None


def main():
    if sys.stdin.isatty():
        # A kernel's console: no echo of orders, no limit on a line's length. Orders
        # that came before are kept.
        import termios
        import tty

        tty.setraw(sys.stdin.fileno(), termios.TCSANOW)
    peer = Peer()
    # An empty line only wakes.
    for line in filter(str.strip, sys.stdin):
        try:
            answer = {"ok": peer.obey(json.loads(line))}
        except Exception as error:  # whatever it was, the test is to hear of it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
