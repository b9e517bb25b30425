"""A peer that proves who it is and then misbehaves: the hostile_peer program, CHUM answers by script, and bytes on a
bare WebSocket."""
import base64
import hashlib
import html
import json
import os
import queue
import re
import socket
import struct
import subprocess
import threading
import time

PROGRAM = os.environ["TANDEM_HOSTILE_PEER"]
PATIENCE_S = 20


# ---- Microdata (DATA-MODEL.md 2) ----

def digest(data):
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest()


def text(name, value):
    return f'<span itemprop="{name}">{html.escape(str(value), quote=False)}</span>'


def link(name, kind, target):
    return f'<a itemprop="{name}" data-type="{kind}">{target}</a>'


def links(name, kind, targets):
    items = "".join(f'<li><a data-type="{kind}">{t}</a></li>' for t in targets)
    return f'<ul itemprop="{name}">{items}</ul>'


def thing(kind, *properties):
    return f'<div itemscope itemtype="//refin.io/{kind}">{"".join(properties)}</div>'


def id_thing(kind, *properties):
    return f'<div data-id-object="true" itemscope itemtype="//refin.io/{kind}">{"".join(properties)}</div>'


def id_of(kind, *properties):
    return digest(id_thing(kind, *properties))


def edge(data):
    return thing("VersionNodeEdge", link("data", "obj", data), text("depth", 0), text("creationTime", 1700000000000))


# ---- The peer ----

class Exports:
    """What the peer answers to CHUM requests."""

    def __init__(self):
        self.roots = []
        self.children = {}  # hash → list, for roots
        self.texts = {}     # hash → text of objects and id objects
        self.files = {}     # hash → function(peer, request id)
        self.asked = []     # (service, arguments)

    def put(self, body):
        self.texts[digest(body)] = body
        return digest(body)

    def version(self, kind, identity, body, *below):
        """Offers a version: its root, with what lies below it; most dependent first."""
        data, id_hash = self.put(body), self.put(id_thing(kind, *identity))
        node = self.put(edge(data))
        self.roots.append({"type": "version_node", "node": node, "dataIdHash": id_hash, "dataType": kind})
        self.children[node] = [{"type": "object", "hash": data}, {"type": "id", "hash": id_hash}, *below]
        return node, data, id_hash

    def unversioned(self, kind, body, *below):
        data = self.put(body)
        self.roots.append({"type": "unversioned", "hash": data, "oneType": kind})
        self.children[data] = list(below)
        return data

    def answer(self, peer, request):
        service, arguments = request["serviceId"], request["args"]
        self.asked.append((service, arguments))
        if service == 8:
            return self.files[arguments[0]](peer, request["requestId"])
        if service == 1:
            data = 8
        elif service == 2:
            data = self.roots if isinstance(self.roots, str) else json.dumps(self.roots)
        elif service in (4, 5):
            below = self.children.get(arguments[0], [])
            data = below if isinstance(below, str) else json.dumps(below)
        else:
            data = self.texts.get(arguments[0], "nothing")
        return peer.say({"responseId": request["requestId"], "type": "data", "data": data})

    def times_asked(self, service):
        return sum(1 for asked, _ in self.asked if asked == service)


class Peer:
    def __init__(self, email, name="hostile"):
        self.email = email
        self.process = subprocess.Popen([PROGRAM, email, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events = queue.Queue()
        self.writing = threading.Lock()
        self.exports = Exports()
        self.person = id_of("Person", text("email", email))
        threading.Thread(target=self.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.process.kill()
        self.process.wait()

    def read(self):
        try:
            for line in self.process.stdout:
                event = json.loads(line)
                if event["event"] == "text":
                    self.heard(event["message"])
                else:
                    self.events.put(event)
        except (OSError, ValueError):
            pass  # it was killed meanwhile

    def heard(self, message):
        if message == "synchronisation":
            return
        message = json.loads(message)
        if message["type"] == "request":
            self.exports.answer(self, message)

    def do(self, command, **parameters):
        with self.writing:
            self.process.stdin.write(json.dumps({"do": command, **parameters}) + "\n")
            self.process.stdin.flush()

    def say(self, message):
        self.do("text", message=json.dumps(message))

    def wait(self, *names, patience=PATIENCE_S):
        """The next event of one of these names."""
        deadline = time.monotonic() + patience
        while True:
            event = self.events.get(timeout=max(0.01, deadline - time.monotonic()))
            if event["event"] in names:
                return event

    def pair(self, invitation, **other):
        self.do("pair", invitation=invitation, **other)
        result = self.wait("paired", "failed")
        self.wait("closed")
        return result

    def chum(self, invitation):
        """An authenticated CHUM connection."""
        self.do("chum", invitation=invitation)
        self.wait("ready")
        self.do("text", message="synchronisation")

    def close(self):
        self.do("close")
        self.wait("closed")


# ---- A bare WebSocket ----

class Socket:
    """As much of RFC 6455 as a client needs to be a nuisance."""

    def __init__(self, url, upgrade=True, origin=None):
        self.authority = re.match(r"ws://([^/]+)", url).group(1)
        self.socket = socket.create_connection(("127.0.0.1", int(self.authority.rsplit(":", 1)[1])), timeout=PATIENCE_S)
        self.origin = origin
        if upgrade:
            self.socket.sendall(self.request())
            self.status = self.socket.recv(4096).split(b"\r\n", 1)[0]

    def request(self):
        key = base64.b64encode(os.urandom(16)).decode()
        origin = f"Origin: {self.origin}\r\n" if self.origin else ""
        return (f"GET / HTTP/1.1\r\nHost: {self.authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{origin}\r\n").encode()

    def frame(self, opcode, payload, announced=None):
        size = len(payload) if announced is None else announced
        length = struct.pack(">B", 0x80 | size) if size < 126 else \
            struct.pack(">BH", 0xfe, size) if size < 1 << 16 else struct.pack(">BQ", 0xff, size)
        self.socket.sendall(struct.pack(">B", 0x80 | opcode) + length + b"\0\0\0\0" + payload)

    def ended(self, patience=PATIENCE_S):
        """Reads until the node closes; false if it does not in time."""
        self.socket.settimeout(patience)
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionError:
            pass
        except socket.timeout:
            return False
        return True

    def close(self):
        self.socket.close()
