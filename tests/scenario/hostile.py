"""A node that is attacked, and who attacks it: a peer that proves who it is and then misbehaves (the hostile_peer
program, which answers CHUM requests by script), and bytes on a bare WebSocket."""
import base64
import hashlib
import html
import itertools
import json
import os
import queue
import re
import socket
import struct
import subprocess
import threading
import time

from control import PATIENCE_S, RpcError, until
from nodes import Pair

MAIL, SPARSE_MAIL = "node-joe@lama.local", "joe@lama.local"  # of the victim's own persons
PROGRAM = os.environ["TANDEM_HOSTILE_PEER"]
SANITIZER = os.environ.get("TANDEM_SANITIZE")
GROWTH_KIB = 48 * 1024  # what any one attack may cost the node's memory at its height


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


NO_ENDPOINTS = links("communicationEndpoint", "obj", [])


def edge(data):
    return thing("VersionNodeEdge", link("data", "obj", data), text("depth", 0), text("creationTime", 1700000000000))


# ---- The peer ----

class Exports:
    """What the peer answers to CHUM requests."""

    def __init__(self):
        self.roots = []
        self.children = {}  # hash → list, for roots
        self.texts = {}     # hash → text of objects and id objects, or function(peer, request id)
        self.files = {}     # hash → function(peer, request id)
        self.asked = []     # (service, arguments)
        self.protocol = 8   # the version
        self.refusals = 0   # so many requests for roots fail

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
        if service == 2 and self.refusals > 0:
            self.refusals -= 1
            return peer.say({"responseId": request["requestId"], "type": "error", "data": "not now"})
        if service == 8:
            return self.files[arguments[0]](peer, request["requestId"])
        if service == 1:
            data = self.protocol
        elif service == 2:
            data = self.roots if isinstance(self.roots, str) else json.dumps(self.roots)
        elif service in (4, 5):
            below = self.children.get(arguments[0], [])
            data = below if isinstance(below, str) else json.dumps(below)
        else:
            data = self.texts.get(arguments[0], "nothing")
        if callable(data):
            return data(peer, request["requestId"])
        return peer.say({"responseId": request["requestId"], "type": "data", "data": data})

    def times_asked(self, service):
        return sum(1 for asked, _ in self.asked if asked == service)


class Peer:
    def __init__(self, email, name="hostile", program=PROGRAM):
        self.email = email
        self.process = subprocess.Popen([program, email, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events = queue.Queue()
        self.writing = threading.Lock()
        self.exports = Exports()
        self.answers = []  # to requests of ours
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
        else:
            self.answers.append(message)

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
        """How it ends: paired, failed, or closed before the pairing began."""
        self.do("pair", invitation=invitation, **other)
        result = self.wait("paired", "failed", "closed")
        if result["event"] != "closed":
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

    def keys(self):
        """Its public keys; of the instance that it is by now."""
        self.do("keys")
        return self.wait("keys")


class Crawl:
    """Takes all that it is shown in an open CHUM session."""

    numbers = itertools.count(10 ** 6)

    def __init__(self, peer):
        self.peer = peer
        self.roots = json.loads(self.ask(2)["data"])
        self.texts = {}  # by hash
        waiting = [(root[key], key != "node" and key != "hash") for root in self.roots
                   for key in ("node", "hash", "idHash", "dataIdHash") if key in root]
        while waiting:
            hash, is_id = waiting.pop()
            if hash in self.texts:
                continue
            self.texts[hash] = self.ask(7 if is_id else 6, hash).get("data", "")
            below = self.ask(5 if is_id else 4, hash)
            waiting += [(child["hash"], child["type"] == "id")
                        for child in json.loads(below["data"] if below["type"] == "data" else "[]")
                        if child["type"] in ("object", "id")]

    def ask(self, service, *arguments):
        number = next(self.numbers)
        self.peer.say({"requestId": number, "type": "request", "serviceId": service, "args": list(arguments)})
        return until(lambda: next((a for a in self.peer.answers if a["responseId"] == number), None), "an answer")

    def everything(self):
        return json.dumps([self.roots, self.texts])


# ---- A bare WebSocket ----

def is_dropped(connection, patience=PATIENCE_S):
    """Reads until the node closes; false if it does not in time."""
    connection.settimeout(patience)
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionError:
        pass
    except socket.timeout:
        return False
    return True


class Socket:
    """As much of RFC 6455 as a client needs to be a nuisance."""

    def __init__(self, url, upgrade=True, origin=None, source="127.0.0.1"):
        self.authority = re.match(r"ws://([^/]+)", url).group(1)
        address = ("127.0.0.1", int(self.authority.rsplit(":", 1)[1]))
        self.socket = socket.create_connection(address, timeout=PATIENCE_S, source_address=(source, 0))
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
        return is_dropped(self.socket, patience)

    def close(self):
        self.socket.close()


# ---- The node ----

class Victim(Pair):
    """An archive node, watched."""

    def __init__(self, t, *options, **who):
        super().__init__(t, *options, **{"mails": (MAIL, SPARSE_MAIL), **who})
        self.pid = t.call("status")["archive"]["pid"]
        self.client = t.client()
        self.boot = self.client.call("events.since", limit=1)["bootId"]
        self.resident = self.peak()
        if SANITIZER:
            print(f"     what it costs in memory is not looked at in a build with {SANITIZER}", flush=True)

    def ask(self, method, **parameters):
        return self.client.call(method, node="archive", **parameters)

    def invitation(self, **parameters):
        return self.ask("pairing.invite", **parameters)

    def peak(self):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    def events(self, name):
        found, seq = [], 0
        while True:
            page = self.client.call("events.since", bootId=self.boot, seq=seq, limit=1000)
            if not page["events"]:
                return found
            found += [e["data"] for e in page["events"] if e["event"] == name and e["node"] == "archive"]
            seq = page["next"]

    def told(self, name, peer):
        """The events of this name about this peer."""
        return [e for e in self.events(name) if e["personId"] == peer.person]

    def tells(self, name, **expected):
        return until(lambda: next((e for e in self.events(name) if expected.items() <= e.items()), None),
                     f"{name} with {expected}, among {self.events(name)[-5:]}")

    def is_well(self, growth=GROWTH_KIB):
        """Same process, bounded memory, and the others are still served."""
        status = self.client.call("status")
        assert status["archive"]["pid"] == self.pid and status["federated"], status
        assert SANITIZER or self.peak() - self.resident < growth, (self.resident, self.peak())
        mark = f"alive at {time.monotonic()}"
        self.send("sparse", mark)
        self.arrives("archive", mark)

    def connections(self, peer):
        return [c for c in self.ask("connections.list")["items"] if c["remotePersonId"] == peer.person]

    def persons(self):
        return {c["personId"] for c in self.ask("contacts.list")["items"]}

    def has(self, hash):
        try:
            self.ask("object.get", hash=hash)
            return True
        except RpcError as error:
            assert error.code == "NOT-FOUND", error
            return False


def befriend(victim, peer, **parameters):
    """Pairs for real and opens CHUM at once: the node may still be storing the contact."""
    invitation = victim.invitation(**parameters)
    assert peer.pair(invitation)["event"] == "paired"
    peer.chum(invitation)
    until(lambda: peer.exports.asked, "the node asks for what the peer has")
    return invitation


def offer_profile(peer, name):
    """Something that is the peer's own to say: the proof that the session is served on."""
    body = thing("PersonName", text("name", name))
    identity = (text("profileId", "default"), link("personId", "id", peer.person), link("owner", "id", peer.person))
    described = peer.exports.put(body)
    person = peer.exports.put(id_thing("Person", text("email", peer.email)))
    return peer.exports.version("Profile", identity,
                                thing("Profile", *identity, NO_ENDPOINTS, links("personDescription", "obj", [described])),
                                {"type": "object", "hash": described}, {"type": "id", "hash": person})
