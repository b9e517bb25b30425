"""What the cases against live peers share: the peer, driven through peer.mjs; a stage with one of our nodes and one peer
that know each other. Only Python's standard library is used.

ONE_PEER names the folder with the live peer's packages, TANDEM_BIN the one with our programs.
"""
import copy
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "scenario"))
from control import BIN, SECRET, Installation, RpcError  # noqa: E402,F401
from nodes import Pair  # noqa: E402
from proxy import Proxy  # noqa: E402,F401

PATIENCE_S = 40
PATIENCE_FACTOR = 6
EMPTY_HEAD = 'UTC-EHASH: Value "" is not a SHA-256 hash'
AS_METHODS = ("pairing.invite", "pairing.accept", "chat.send", "chat.list", "contacts.list")
NOT_TRIED = "–"  # what a case answers that makes no sense for the role
DOC_RECIPE = {"$type$": "Recipe", "name": "PeerTestDoc", "rule": [
    {"itemprop": "id", "isId": True, "itemtype": {"type": "string"}},
    {"itemprop": "text", "itemtype": {"type": "string"}},
    {"itemprop": "tags", "optional": True, "itemtype": {"type": "set", "item": {"type": "string"}}},
    {"itemprop": "blob", "optional": True, "itemtype": {"type": "referenceToBlob"}}]}
NOTE_RECIPE = {"$type$": "Recipe", "name": "PeerTestNote", "rule": [
    {"itemprop": "text", "itemtype": {"type": "string"}},
    {"itemprop": "long", "optional": True, "itemtype": {"type": "referenceToClob"}}]}

UNKNOWN_RECIPE = {"$type$": "Recipe", "name": "PeerTestUnknown", "rule": [
    {"itemprop": "id", "isId": True, "itemtype": {"type": "string"}}]}


def patience():
    """How many seconds to wait for what has to come."""
    return PATIENCE_S * min(slack(), PATIENCE_FACTOR)


def until(condition, what):
    """The first true value of condition()."""
    begun = time.monotonic()
    while time.monotonic() - begun < patience():
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"never happened: {what}")


def slack():
    """How many times a limit may be taken: as often as programs share each processor. Both sides slow down alike, and
    a peer that answers slowly has to be polled less often."""
    return max(1, os.getloadavg()[0] / os.cpu_count())


def now_ms():
    return time.time() * 1000


def free_port(host="localhost"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


class PeerEnded(AssertionError):
    """The peer's process is gone, though nobody told it to go."""


class Peer:
    """One live peer. Its events are kept until somebody waits for them."""
    PROGRAM = "peer.mjs"

    def __init__(self, name, *options, environment=None):
        self.name = name
        self.folder = tempfile.mkdtemp(prefix="tandem-peer-")
        self.environment = {**os.environ, **(environment or {})}
        self.news = threading.Condition()
        self.start(*options)

    def start(self, *options):
        """A new process on the same folder."""
        self.log = open(os.path.join(self.folder, "peer.log"), "a")
        self.process = subprocess.Popen(
            ["node", os.path.join(HERE, self.PROGRAM), "--name", self.name, "--dir", self.store(), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=self.environment)
        self.wanted = True
        self.events = []
        threading.Thread(target=self.read, args=(self.process, self.events), daemon=True).start()
        self.person = self.wait("ready")["person"]

    def store(self):
        return os.path.join(self.folder, "store")

    def read(self, process, events):
        for line in process.stdout:
            with self.news:
                events.append(json.loads(line))
                self.news.notify_all()
        with self.news:
            events.append({"event": "ended", "status": process.wait()})
            self.news.notify_all()

    def take(self, names, fits):
        for i, found in enumerate(self.events):
            if found["event"] in names and fits(found):
                return self.events.pop(i)
        return None

    def wait(self, event, fits=lambda e: True):
        """The first such event; event may also be several names."""
        names = (event,) if isinstance(event, str) else event
        begun = time.monotonic()
        with self.news:
            while True:
                found = self.take(names, fits)
                if found is not None:
                    return found
                if any(e["event"] == "ended" for e in self.events):
                    raise PeerEnded(f"the peer ended; {event} was expected")
                waited = time.monotonic() - begun
                assert waited < patience(), f"no {event} of {json.dumps(self.events)[-1500:]}"
                self.news.wait(1)

    def send(self, command, **parameters):
        try:
            self.process.stdin.write(json.dumps({"cmd": command, **parameters}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as why:
            raise PeerEnded(f"the peer ended before {command}") from why

    def ask(self, command, event, **parameters):
        """Sends a command and waits for its answer; an error of the peer is an error here. The peer writes the heads of
        versions in place, so that it sometimes reads an empty one: then it is asked again."""
        while True:
            self.send(command, **parameters)
            answer = self.wait((event, "error"), lambda e: e["event"] == event or e["cmd"] == command)
            if answer["event"] == event:
                return answer
            if EMPTY_HEAD not in answer["error"]:
                raise RuntimeError(answer["error"])

    def signal(self, number):
        self.process.send_signal(number)

    def check(self):
        """Fails if it has ended by itself."""
        if self.wanted and self.process.poll() is not None:
            raise PeerEnded("the peer ended")

    def stop(self):
        """Ends the peer; its folder stays. Files that it is writing would be left incomplete by a signal."""
        self.wanted = False
        if self.process.poll() is None:
            self.send("quit")
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def kill(self):
        self.wanted = False
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait(10)
        self.process.stdin.close()
        self.log.close()

    def clean(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Stage:
    """One installation of ours and one live peer. role "browser": the peer only dials, with an invitation of our archive;
    "node": the peer listens, our sparse node dials with the peer's invitation."""

    def __init__(self, role, *peer_options, up=(), environment=None, peer_environment=None, relay=None):
        self.play(role)
        self.peer = None
        self.others = []  # further peers
        self.identity = None  # a further one of our node; else the main one speaks
        self.relay = relay
        self.t = Installation()
        try:
            self.t.environment.update(environment or {})
            self.pair = Pair(self.t, *up)
            self.ours = self.pair.provisioned[self.node]["personId"]
            self.peer_environment = peer_environment
            self.bring(role, *peer_options)
        except BaseException:
            self.clean()
            raise

    def play(self, role):
        self.role = role
        self.node = "archive" if role == "browser" else "sparse"

    def bring(self, name, *peer_options):
        self.peer_options = peer_options or (
            ("--outgoing",) if self.role == "browser" else ("--listen", str(free_port())))
        self.peer = Peer(name, *self.peer_options, environment=self.peer_environment)
        self.theirs = self.peer.person

    def beside(self, name, *peer_options):
        """The same installation with another peer."""
        other = copy.copy(self)
        other.bring(name, *peer_options)
        self.others.append(other.peer)
        return other

    def speak_as(self, person):
        """From here on as this further identity of our node."""
        self.identity = self.ours = person
        return self

    def through(self, role):
        """The same peer with the other one of our nodes."""
        other = copy.copy(self)
        other.play(role)
        other.ours = self.pair.provisioned[other.node]["personId"]
        return other

    # --- asking ---

    def call(self, method, **params):
        if self.identity is not None and method in AS_METHODS:
            params["as"] = self.identity
        return self.t.call(method, node=self.node, **params)

    def items(self, method, **params):
        self.peer.check()
        return self.call(method, **params)["items"]

    def events(self, since=0):
        found, seq = [], since
        while True:
            answer = self.t.call("events.since", seq=seq, limit=1000)
            found += answer["events"]
            if not answer["events"]:
                return [e for e in found if e["node"] == self.node], answer["next"]
            seq = answer["next"]

    def event_since(self, since, name, fits=lambda data: True):
        return next((e for e in self.events(since)[0] if e["event"] == name and fits(e["data"])), None)

    def mark(self):
        return self.events()[1]

    def contact(self):
        return next((c for c in self.items("contacts.list") if c["personId"] == self.theirs), None)

    def connected(self):
        contact = self.contact()
        return contact is not None and contact["connected"]

    # --- pairing ---

    def pair_up(self, via="direct", change_url=None):
        """Pairs both, and waits for CHUM. The milliseconds from the end of the pairing to CHUM."""
        mark = self.mark()
        change = change_url or (lambda url: url)
        if self.role == "browser":
            invitation = self.call("pairing.invite", via=via)
            invitation["url"] = change(invitation["url"])
            self.peer.send("pair", invitation=invitation)
        else:
            invitation = self.peer.ask("invite", "invitation")["invitation"]
            invitation["url"] = change(invitation["url"])
            until(lambda: self.accepts(invitation), "our node accepts the invitation")
        paired = self.peer.wait("paired", lambda e: e["remotePerson"] == self.ours)
        assert paired["initiatedLocally"] == (self.role == "browser")
        until(lambda: self.event_since(mark, "pairing.accepted", lambda d: d["personId"] == self.theirs), "we have paired")
        return self.chum_after(paired["t"])

    def accepts(self, invitation):
        """False while the peer has not registered at its relay."""
        try:
            return self.call("pairing.accept", invitation=invitation)["personId"] == self.theirs
        except RpcError:
            if self.relay is None:
                raise
            return False

    def chum_after(self, begun_ms):
        theirs = self.peer.wait("protocol", lambda e: e["protocol"] == "chum" and e["remotePerson"] == self.ours)
        until(self.connected, "we are connected")
        return theirs["t"] - begun_ms

    # --- chat ---

    def we_say(self, text, **params):
        return self.call("chat.send", to=self.theirs, text=text, **params)

    def they_say(self, text):
        """When the peer had stored it, in ms since 1970."""
        return self.peer.ask("say", "said", other=self.ours, text=text)["t"]

    def messages(self):
        return self.items("chat.list", **{"with": self.theirs, "limit": 1000})

    def we_hear(self, text):
        return until(lambda: next((m for m in self.messages() if m["text"] == text), None), f"we hear {text}")

    def they_hear(self, text):
        return self.peer.wait("chat", lambda e: e["text"] == text)

    def they_list(self, text):
        """The peer tells of a message before it is in its list; until then it could lose it (WIRE.md 13.13)."""
        try:
            return text in self.peer.ask("messages", "messages", other=self.ours, last=1000)["texts"]
        except RuntimeError:  # it reads what it is writing
            return False

    def say_and_hear(self, text):
        self.we_say(text)
        assert self.they_hear(text)["sender"] == self.ours
        until(lambda: self.they_list(text), "the peer lists our message")

    def talk(self, first="they"):
        """One message each way, begun by either side."""
        tag = f"{self.peer.name} {time.monotonic_ns()}"
        if first == "we":
            self.say_and_hear(f"ours {tag}")
        self.they_say(f"theirs {tag}")
        heard = self.we_hear(f"theirs {tag}")
        assert heard["sender"] == heard["author"] == self.theirs, heard
        if first != "we":
            self.say_and_hear(f"ours {tag}")
        return heard

    # --- life ---

    def restart_peer(self, *options):
        self.peer.stop()
        self.peer_options = options or self.peer_options
        self.peer.start(*self.peer_options)

    def restart_ours(self):
        self.t.call("restart", node=self.node)

    def pid(self):
        return self.t.call("status")[self.node]["pid"]

    def report(self):
        """The ends of the logs of both sides, for a failure."""
        ours = tail(self.t.path("log", f"{self.node}.log"))
        return f"--- {self.node}.log\n{ours}\n--- peer.log\n{tail(os.path.join(self.peer.folder, 'peer.log'))}"

    def clean(self):
        for peer in filter(None, [self.peer, *self.others]):
            peer.clean()
        try:
            self.t.stop()
        finally:
            self.t.clean()


def tail(path, size=3000):
    try:
        with open(path) as file:
            return file.read()[-size:]
    except OSError:
        return ""
