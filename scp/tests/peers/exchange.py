"""Either side of HTTP/2 as it is on the wire, every header in its order: `exchange.py serve PORT ANSWERS SEEN`, which
ends with its standard input, and `exchange.py ask PORT REQUESTS`, which prints the answers.

REQUESTS is a list of messages, ANSWERS one of {"method", "path", "answer"}; each answer is given once, in order, to
what asks for its method and path. A message is {"headers": [[name, value], ...], "body": hex, "trailers": [...]}.
"""

import json
import os
import socket
import sys
import threading

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2 import events


class Wire:
    """A connection and the messages that come on its streams."""

    def __init__(self, wire, client):
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.wire = wire
        raw = {"header_encoding": None, "validate_outbound_headers": False, "normalize_outbound_headers": False}
        self.h2 = H2Connection(H2Configuration(client_side=client, **raw))
        self.messages = {}
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        if data := self.h2.data_to_send():
            self.wire.sendall(data)

    def pump(self):
        """Takes what comes next; the streams that have ended. None at the end of the connection."""
        data = self.wire.recv(65536)
        if not data:
            return None
        ended = []
        for event in self.h2.receive_data(data):
            stream = getattr(event, "stream_id", None)
            message = self.messages.setdefault(stream, {"headers": [], "body": "", "trailers": []})
            if isinstance(event, (events.RequestReceived, events.ResponseReceived)):
                message["headers"] = text(event.headers)
            elif isinstance(event, events.DataReceived):
                message["body"] += event.data.hex()
                self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
            elif isinstance(event, events.TrailersReceived):
                message["trailers"] = text(event.headers)
            elif isinstance(event, events.StreamEnded):
                ended.append(stream)
            elif isinstance(event, events.StreamReset):
                message["reset"] = int(event.error_code)
                ended.append(stream)
        self.flush()
        return ended

    def send(self, stream, message):
        """Sends a message; the streams that ended meanwhile."""
        ended = []
        body, trailers = bytes.fromhex(message["body"]), message["trailers"]
        self.h2.send_headers(stream, pairs(message["headers"]), end_stream=not body and not trailers)
        while body:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room == 0:
                self.flush()
                ended += self.pump() or []
                continue
            self.h2.send_data(stream, body[:room], end_stream=len(body) <= room and not trailers)
            body = body[room:]
        if trailers:
            self.h2.send_headers(stream, pairs(trailers), end_stream=True)
        self.flush()
        return ended


def text(headers):
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]


def pairs(headers):
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def answering(sock, answers, seen, lock):
    try:
        wire = Wire(sock, client=False)
        while (ended := wire.pump()) is not None:
            while ended:
                stream = ended.pop(0)
                message = wire.messages.pop(stream)
                names = dict(message["headers"])
                with lock:
                    with open(seen, "a") as file:
                        file.write(json.dumps(message) + "\n")
                    asked = (names[":method"], names[":path"])
                    found = next((it for it in answers if (it["method"], it["path"]) == asked), None)
                    if found:
                        answers.remove(found)
                unknown = {"headers": [[":status", "599"]], "body": "", "trailers": []}
                ended += wire.send(stream, found["answer"] if found else unknown)
    except OSError:
        pass


def serve(port, answers, seen):
    with open(answers) as file:
        answers = json.load(file)
    listener = socket.create_server(("127.0.0.1", int(port)))
    lock = threading.Lock()
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    while True:
        wire, _ = listener.accept()
        threading.Thread(target=answering, args=(wire, answers, seen, lock), daemon=True).start()


def ask(port, requests):
    with open(requests) as file:
        requests = json.load(file)
    wire = Wire(socket.create_connection(("127.0.0.1", int(port))), client=True)
    said = []
    for request in requests:
        stream = wire.h2.get_next_available_stream_id()
        ended = wire.send(stream, request)
        while stream not in ended:
            more = wire.pump()
            if more is None:
                sys.exit("the connection ended")
            ended += more
        said.append(wire.messages.pop(stream))
    print(json.dumps(said))


{"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
