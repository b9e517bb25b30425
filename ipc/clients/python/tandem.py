"""Starts tandem from a program and talks to it: one file, Python 3.9 or newer, nothing else needed.

    import tandem
    with tandem.launch(state_dir="state", user="anna", secret=ask) as t:
        print(t.call("status")["federated"])

call() finds the socket again after the supervisor was restarted, gives whatever changes something an opId, and repeats it
with the same one. Several threads may share a client.

MIT licence, as the rest of tandem.
"""
import base64
import errno
import hashlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
import uuid

# Made from the tables of ipc/ by ipc/clients/generate.py build/tests/ipc_tables --write
METHODS = {  # name: (who runs it, whether it changes something, how long a node may take)
    "status": ("supervisor", False, 0),
    "config.show": ("supervisor", False, 0),
    "provision": ("supervisor", True, 0),
    "deprovision": ("supervisor", True, 0),
    "secret.change": ("supervisor", True, 0),
    "backup.begin": ("supervisor", True, 0),
    "backup.key": ("supervisor", False, 0),
    "backup.progress": ("supervisor", False, 0),
    "backup.end": ("supervisor", True, 0),
    "restart": ("supervisor", True, 0),
    "store.repair": ("supervisor", True, 0),
    "listener.stop": ("supervisor", True, 0),
    "listener.start": ("supervisor", True, 0),
    "discovery.on": ("supervisor", True, 0),
    "discovery.off": ("supervisor", True, 0),
    "discovery.list": ("supervisor", False, 0),
    "down": ("supervisor", False, 0),
    "wait": ("supervisor", False, 0),
    "events.since": ("supervisor", False, 0),
    "pairing.invite": ("node", True, 30000),
    "pairing.invitations": ("node", False, 30000),
    "pairing.revoke": ("node", True, 30000),
    "pairing.accept": ("node", True, 60000),
    "pairing.waiting": ("node", False, 30000),
    "pairing.cancel": ("node", True, 30000),
    "contacts.list": ("node", False, 30000),
    "contact.name": ("node", True, 30000),
    "contact.forget": ("node", True, 30000),
    "contact.enable": ("node", True, 30000),
    "contact.disable": ("node", True, 30000),
    "endpoints.list": ("node", False, 30000),
    "connection.try": ("node", False, 30000),
    "connections.list": ("node", False, 30000),
    "chat.send": ("node", True, 30000),
    "chat.list": ("node", False, 30000),
    "chat.since": ("node", False, 45000),
    "chat.state": ("node", False, 45000),
    "chat.search": ("node", False, 30000),
    "chat.delete": ("node", True, 30000),
    "object.get": ("node", False, 30000),
    "object.current": ("node", False, 30000),
    "object.versions": ("node", False, 30000),
    "object.put": ("node", True, 30000),
    "object.delete": ("node", True, 30000),
    "recipe.add": ("node", True, 30000),
    "recipe.list": ("node", False, 30000),
    "blob.begin": ("node", True, 30000),
    "blob.chunk": ("node", False, 30000),
    "blob.commit": ("node", True, 60000),
    "blob.abort": ("node", True, 30000),
    "blob.stat": ("node", False, 60000),
    "blob.read": ("node", False, 60000),
    "blob.stream": ("node", False, 60000),
    "share.grant": ("node", True, 30000),
    "share.revoke": ("node", True, 30000),
    "share.list": ("node", False, 30000),
    "roots.list": ("node", False, 30000),
    "profile.get": ("node", False, 30000),
    "profile.set": ("node", True, 30000),
    "identity.list": ("node", False, 30000),
    "identity.add": ("node", True, 30000),
    "settings.set": ("node", True, 30000),
    "settings.get": ("node", False, 30000),
    "settings.list": ("node", False, 30000),
    "group.create": ("node", True, 30000),
    "group.list": ("node", False, 30000),
    "group.add": ("node", True, 30000),
    "group.remove": ("node", True, 30000),
    "channel.create": ("node", True, 30000),
    "channel.post": ("node", True, 30000),
    "channel.read": ("node", False, 30000),
    "channel.list": ("node", False, 30000),
    "topic.create": ("node", True, 30000),
    "topic.list": ("node", False, 30000),
    "topic.members": ("node", False, 30000),
    "topic.add": ("node", True, 30000),
    "topic.remove": ("node", True, 30000),
    "topic.rename": ("node", True, 30000),
    "topic.leave": ("node", True, 30000),
    "topic.read-up-to": ("node", True, 30000),
    "topic.send": ("node", True, 30000),
    "topic.read": ("node", False, 30000),
    "trust.list": ("node", False, 30000),
    "trust.certify": ("node", True, 30000),
    "trust.verify": ("node", False, 30000),
    "id": ("node", False, 30000),
    "storage": ("node", False, 30000),
    "rule.quota": ("node", True, 30000),
    "rule.add": ("node", True, 30000),
    "rule.list": ("node", False, 30000),
    "rule.remove": ("node", True, 30000),
    "stats": ("node", False, 30000),
    "report": ("node", False, 30000),
    "health": ("node", False, 30000),
    "trace": ("node", False, 30000),
    "metrics": ("node", False, 30000),
    "onedb.export": ("node", True, 30000),
    "store.verify": ("node", False, 30000),
    "job.wait": ("node", False, 45000),
    "job.cancel": ("node", True, 30000),
}

ERRORS = {  # code: (number, hint)
    "BAD-JSON": (-32700, "Send one JSON-RPC 2.0 request object as UTF-8 text."),
    "BAD-REQUEST": (-32600, "A request is {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":{}}; see docs/ipc.md."),
    "UNKNOWN-METHOD": (-32601, "docs/ipc.md lists the methods."),
    "BAD-PARAMS": (-32602, "The message says what is wrong; docs/ipc.md lists the parameters of each method."),
    "INTERNAL": (-32603, "This is a bug in tandem; please report it with the log."),
    "FAILED": (100, "The log says more: tandem log."),
    "IO": (101, "The message names the file or system call that failed."),
    "NOT-FOUND": (102, "Check the name or id; lists show what exists."),
    "EXISTS": (103, "It exists already; use it or choose another name."),
    "ALREADY-RUNNING": (104, "Stop the other one with 'tandem down'."),
    "BUSY": (105, "Wait for the call in flight, then try again."),
    "PORT-TAKEN": (106, "Stop the program that listens there, or choose another port with --listen HOST:PORT."),
    "STORE-MISSING": (107, "Make a new one with provision --recreate archive|sparse, or put a backup in its place: tandem restore DIR."),
    "STORE-CORRUPT": (108, "'tandem repair --node NODE' makes a database anew from what is left, 'tandem provision --recreate NODE' a store from what the other node has; installation.json has a copy, installation.json.copy."),
    "STORE-LOCKED": (109, "Another process uses this store; stop it first."),
    "STATE-TOO-NEW": (110, "This state was written by a newer tandem; install that version. Nothing was changed."),
    "DISK-FULL": (111, "Free some space; nothing that was acknowledged is lost."),
    "DISK-READ-ONLY": (112, "Remount the file system writable or use another --state-dir."),
    "NOT-PROVISIONED": (113, "Run 'tandem provision', the first time with --user NAME."),
    "NODE-DOWN": (114, "The node is starting or has failed; see 'tandem status', then 'tandem restart NODE'."),
    "NOT-A-NODE": (115, "The address answers, but not as a ONE or tandem node."),
    "UNREACHABLE": (116, "Check the address, the network and that the peer runs."),
    "TOO-BIG": (117, "A limit was passed; the message names it."),
    "BAD-KEY-FILE": (118, "Put the file that the message names back from a backup, or keys.json from keys.json.copy. A node's own key files come back with its kept keys when it is made anew: provision --recreate NODE; without DIR/NODE.keys it gets new ones."),
    "BAD-CONFIG": (119, "The message names the file, the line and the key."),
    "CLOSED": (120, "The other side went away; try again."),
    "NOT-LISTENING": (121, "Ask the archive node, with 'tandem listener start' if that was stopped, or tandem up --listen HOST:PORT; or register with a relay: tandem up --relay URL, tandem invite --via relay."),
    "NO-RELAY": (122, "Start with tandem up --relay URL."),
    "HOSTS-MISSING": (123, "Name the hosts by which it is reached: tandem up --host NAME, or listen.hosts in tandem.conf."),
    "BAD-ADDRESS": (124, "Use an address of this machine, as HOST:PORT."),
    "TLS-FAILED": (125, "Check the peer's certificate; tls.ca_file in tandem.conf names further authorities."),
    "CONNECTION-LOST": (126, "The network or the peer went away; try again."),
    "PEER-CLOSED": (127, "The peer ended the connection; its log may say why."),
    "BLOB-UNAVAILABLE": (128, "Its node is away; try again when it is connected."),
    "STORE-FAILED": (129, "See 'tandem log'; 'tandem doctor' checks disk and store."),
    "OUT-OF-MEMORY": (130, "Close other programs, or allow more locked memory: ulimit -l."),
    "OBJECT-DAMAGED": (131, "'tandem repair' fetches it from another node that has it, and says what nobody has."),
    "FILE-LIMIT": (132, "Allow more open files: ulimit -n, or LimitNOFILE= of the systemd unit."),
    "RELAY-LOST": (133, "The relay or the network went away; the node registers again by itself."),
    "LOCKED": (134, "Another process uses this folder; the message names it. Stop it first."),
    "SANDBOX": (135, "This system forbids seccomp or Landlock; allow them for the container or user."),
    "OR-GR1": (136, "Register the type first: tandem recipe add FILE; tandem recipe list shows what is known."),
    "DISCOVERY-NOT-BUILT": (137, "Install libavahi-client-dev and build again, or take tandem's package."),
    "DISCOVERY-UNAVAILABLE": (138, "It needs Avahi: 'apt install avahi-daemon', or 'systemctl start avahi-daemon' where it is stopped. Nothing else is to do: it is tried again by itself."),
    "BACKUP-DAMAGED": (150, "'tandem backup verify DIR' says what is damaged; an earlier generation may be whole: tandem restore --generation N."),
    "INSTANCE-TWICE": (152, "Stop one of the copies: the original, if it was restored elsewhere. Both write under one name, and each takes the connections of the other."),
    "RESTORE-UNFINISHED": (151, "Finish it: give the same 'tandem restore DIR' again; what is there already is not copied twice. Another --generation begins anew."),
    "USAGE": (200, "Every command explains itself with --help."),
    "SECRET-MISSING": (201, "Pipe the secret into stdin, use --secret-file FILE, or run on a terminal."),
    "NOT-RUNNING": (300, "Start it with 'tandem up'."),
    "REFUSED": (400, "The message says why; nothing was changed."),
    "BAD-SECRET": (401, "Nothing was changed; try again with the right secret."),
    "NO-PERMISSION": (402, "Check the owner and the mode of the file in the message."),
    "ALREADY-PROVISIONED": (403, "Without --user and e-mails 'tandem provision' opens it as it is; for somebody else take another --state-dir."),
    "EMAILS-EQUAL": (404, "The two nodes are two persons: give them different e-mail addresses."),
    "BAD-TEXT": (405, "Text must be valid UTF-8, without the character U+0000."),
    "BAD-ID": (406, "An id is 64 lower-case hex digits; --json shows all of them. Where that is said, its first 8 or more are enough."),
    "AMBIGUOUS-ID": (407, "Give more digits of the id."),
    "BAD-INVITATION": (408, "The message says what is wrong with it. An invitation is the JSON or link that 'tandem invite' prints."),
    "INVITATION-UNKNOWN": (410, "It was used already, or its node restarted since; ask for a new invitation."),
    "BAD-OBJECT": (411, "The message says which property breaks the recipe."),
    "BAD-INPUT": (413, "The message says what is wrong with the input."),
    "CONFIRMATION-MISSING": (414, "Add --yes if you really mean it."),
    "NOT-TRUSTED": (415, "Pair with this person first: tandem invite, tandem pair."),
    "TOO-MANY-INVITATIONS": (417, "Wait until some are used or expired."),
    "BAD-URL": (418, "An address begins with ws:// or wss://."),
    "EP-KEYMISSMATCH": (419, "Somebody lost the keys and made new ones, or is an impostor. If you asked and it is right, who has the old contact does: tandem contact forget PERSON; then pair again."),
    "EP-PERSONIDMISMATCH": (420, "The node at that address belongs to another person now; ask for a new invitation and pair again."),
    "EP-INSTANCEIDMISMATCH": (421, "The node was set up anew under its old key; ask for a new invitation and pair again."),
    "EP-KEYS-OWNER-MISMATCH": (422, "The peer is broken or an impostor; nothing was stored."),
    "IDENTITY-MISMATCH": (423, "The peer claimed to be somebody else than it proved to be; nothing was stored."),
    "INSTANCE-OWNER-MISMATCH": (424, "The peer is broken or an impostor; nothing was stored."),
    "OWN-PERSON": (440, "Whoever has the same e-mail is the same person to everybody. If you both chose it, one of you sets up anew with another one: tandem deprovision --wipe, tandem provision --user NAME. If not, it is an impostor; nothing was stored."),
    "OWN-NODE": (444, "Both own nodes belong together; 'tandem deprovision --wipe' ends the installation."),
    "OWN-INVITATION": (443, "Give it to somebody else: 'tandem pair -' on their side takes it."),
    "UNKNOWN-INSTANCE": (441, "Somebody says to be a contact, on another device. If you asked and it is right, who has the contact does: tandem invite --for PERSON, or tandem pair --for PERSON; otherwise it is an impostor."),
    "CHALLENGE-REFLECTED": (442, "The peer tried to have us prove that it is somebody else; nothing was stored."),
    "PAIRING-OFF": (425, "Set peers.pairing to true in tandem.conf and restart."),
    "OVER-BUDGET": (426, "A peer asks for more than it may have at a time; 'tandem status --json' shows who uses what."),
    "NO-WAY": (427, "Pair with this person first: tandem invite, tandem pair; 'tandem contacts' shows who is paired with whom."),
    "LINK-USED": (429, "Press Enter where 'tandem ui' runs, or run it again: it prints another link."),
    "OUTBOX-FULL": (428, "The archive node has been away for too long; see 'tandem status'. Nothing that waits is lost."),
    "TIMEOUT": (500, "See what became of it before you try again, or wait longer with --timeout SECONDS."),
    "CONN-TIMEOUT": (501, "The peer is slow, busy or no node; try again."),
    "PEER-SILENT": (502, "The peer fell silent; try again."),
    "NOT-HERE": (600, "Not here while the archive node is away: see 'tandem status', then 'tandem restart archive'."),
    "STILL-FETCHING": (601, "It goes on coming; try again in a moment."),
    "LOST-THERE": (602, "The archive lost it: 'tandem repair --node archive', or put a backup of the archive in its place."),
}

EVENTS = (
    "node.started",
    "node.ready",
    "node.provisioned",
    "node.restored",
    "node.stopped",
    "node.died",
    "node.failed",
    "secret.changed",
    "backup.started",
    "backup.progress",
    "backup.done",
    "backup.failed",
    "nodes.federated",
    "nodes.separated",
    "supervisor.stopping",
    "stream.gap",
    "connection.opened",
    "connection.state",
    "connection.closed",
    "connection.refused",
    "budget.exceeded",
    "person.verified",
    "key.mismatch",
    "instance.twice",
    "pairing.accepted",
    "safety.changed",
    "pairing.waiting",
    "pairing.done",
    "pairing.failed",
    "invitation.expired",
    "contact.added",
    "contact.changed",
    "contact.forgotten",
    "chum.started",
    "chum.stopped",
    "sync.completed",
    "sync.failed",
    "sync.stuck",
    "object.received",
    "objects.received",
    "object.stored",
    "objects.stored",
    "version.changed",
    "version.overwritten",
    "chat.received",
    "chat.sent",
    "chat.deleted",
    "deletion.progress",
    "object.deleted",
    "message.state",
    "intent.failed",
    "clock.ahead",
    "channel.changed",
    "topic.added",
    "blob.received",
    "share.changed",
    "share.withheld",
    "store.repaired",
    "store.failed",
    "listener.changed",
    "error.reported",
    "alert.raised",
    "alert.cleared",
    "job.progress",
)
# End of what is made.

GREETING = b"\0SP\0\0\x30\0\0"
EXPECTED = b"\0SP\0\0\x31\0\0"
REQUEST_ID = 0x80000001  # one request at a time on a connection
MESSAGE_MAX = 8 * 1024 * 1024
PIECE = 512 * 1024
STREAM_S = 600  # that a stream of raw bytes may stand still
PAUSE_MIN_S, PAUSE_MAX_S = 0.05, 2
PATIENCE_S = 30  # of a call, on top of what it waits for by itself
EVENTS_WAIT_MS = 20000
IDLE_MAX = 8
BACK_OFF_MIN_S, BACK_OFF_MAX_S, STEADY_S = 0.25, 30, 60
STOP_S = 5
HANDOVER_S = 10  # for the supervisor of a program that has just ended to stop
STOPPING_SEEN_MS = 1000  # by when it says so, its standard input having ended


class TandemError(Exception):
    """code, message and hint as the supervisor gave them; number is that of JSON-RPC."""

    def __init__(self, code, message, number=None, hint=None):
        super().__init__(f"{message} ({code})")
        known = ERRORS.get(code, ERRORS["FAILED"])
        self.code, self.message = code, message
        self.number = known[0] if number is None else number
        self.hint = known[1] if hint is None else hint


class UsageError(TandemError):
    """The call is wrong."""


class NotRunningError(TandemError):
    """There is no supervisor."""


class RefusedError(TandemError):
    """Bad input, secret, invitation or permission; nothing was changed."""


class TimedOutError(TandemError):
    """It may still happen."""


class ConnectionLostError(TandemError):
    """The connection ended before the answer came."""


KINDS = {2: UsageError, 3: NotRunningError, 4: RefusedError, 5: TimedOutError}


def error_of(code, message, number=None, hint=None):
    value = ERRORS.get(code, ERRORS["FAILED"])[0] if number is None else number
    kind = UsageError if code in ("BAD-PARAMS", "UNKNOWN-METHOD") else KINDS.get(value // 100, TandemError)
    return kind(code, message, number, hint)


def lost(why):
    return ConnectionLostError("CLOSED", why)


def default_state_dir():
    given = os.environ.get("TANDEM_STATE_DIR")
    return given or os.path.join(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"), "tandem")


def read_control(state_dir):
    """What run/control.json says of the supervisor that runs; NOT-RUNNING when none does."""
    try:
        with open(os.path.join(state_dir, "run", "control.json"), encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as e:
        raise error_of("NOT-RUNNING", f"no supervisor runs for {state_dir}") from e


def find_program(name, bin_dir=None):
    places = bin_dir or os.pathsep.join(
        filter(None, [os.environ.get("TANDEM_BIN"), os.environ.get("PATH"), "/usr/local/bin", "/usr/bin"]))
    found = shutil.which(name, path=places)
    if found is None:
        raise TandemError("NOT-FOUND", f"there is no program {name} in {bin_dir or 'TANDEM_BIN or PATH'}",
                          hint="Install tandem, or give bin_dir.")
    return os.path.abspath(found)


class Connection:
    """One request at a time over the SP protocol (REQ), as docs/ipc.md gives the bytes."""

    def __init__(self, path, deadline):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.settimeout(left(deadline))
            self.socket.connect(path)
            self.check_peer(path)
            self.socket.sendall(GREETING)
            if self.receive(len(EXPECTED)) != EXPECTED:
                raise lost("the other end of the socket is no supervisor")
        except BaseException:
            self.socket.close()
            raise

    def check_peer(self, path):
        """Who answers owns the file, and is the user. Root may ask anybody's."""
        if not hasattr(socket, "SO_PEERCRED"):
            return
        _, uid, _ = struct.unpack("3i", self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if uid != os.stat(path).st_uid or os.geteuid() not in (0, uid):
            raise error_of("NO-PERMISSION", f"{path} belongs to another user")

    def receive(self, length):
        data = bytearray()
        while len(data) < length:
            piece = self.socket.recv(min(length - len(data), 1 << 20))
            if not piece:
                raise lost("the supervisor closed the connection")
            data += piece
        return bytes(data)

    def ask(self, method, params, deadline):
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        body = json.dumps(request, ensure_ascii=False).encode()
        if len(body) > MESSAGE_MAX:
            raise error_of("TOO-BIG", f"a request of {len(body)} bytes; at most {MESSAGE_MAX} go")
        self.socket.settimeout(left(deadline))
        self.socket.sendall(b"\1" + struct.pack(">QI", len(body) + 4, REQUEST_ID) + body)
        kind, length = struct.unpack(">BQ", self.receive(9))
        if kind != 1 or not 4 <= length <= MESSAGE_MAX + 4:
            raise lost("the other end of the socket is no supervisor")
        return json.loads(self.receive(length)[4:])

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes whoever waits for an answer
        except OSError:
            pass
        self.socket.close()


def left(deadline):
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise error_of("TIMEOUT", "no answer in time")
    return remaining


def may_repeat(site, mutates, method, sent):
    """What a node does with an opId it does once, whatever happens to the connection or to the node. The supervisor's own
    changes it remembers only while it runs."""
    return not sent or site == "node" or method == "provision" or (not mutates and method != "down")


class Client:
    """Talks to the supervisor that runs for state_dir, whoever started it."""

    def __init__(self, state_dir=None):
        self.state_dir = os.path.abspath(state_dir or default_state_dir())
        self.lock = threading.Lock()
        self.idle, self.busy = [], set()
        self.met = False  # a supervisor has answered once: that there is none now may pass
        self.closed = threading.Event()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the connections and the calls that wait. The supervisor goes on."""
        self.closed.set()
        with self.lock:
            for connection in [*self.idle, *self.busy]:
                connection.close()
            self.idle.clear()

    def call(self, method, params=None, timeout=None, **named):
        """The result of a method of docs/ipc.md; parameters as a dictionary or by name (to=…, with_=…). Goes on trying for
        timeout seconds, whatever happens to the supervisor meanwhile."""
        if method not in METHODS:
            raise error_of("UNKNOWN-METHOD", f"there is no method {method}")
        site, mutates, node_ms = METHODS[method]
        request = {**(params or {}), **{name.rstrip("_"): value for name, value in named.items()}}
        if timeout is None:
            own = request.get("waitMs", request.get("timeoutMs", 60000 if method == "provision" else 0))
            timeout = PATIENCE_S + max(own, node_ms) / 1000
        if mutates:
            request.setdefault("opId", str(uuid.uuid4()))
        return self.repeat(site, mutates, method, request, time.monotonic() + timeout)

    def repeat(self, site, mutates, method, request, deadline):
        pause = PAUSE_MIN_S
        while True:
            connection = None
            if site == "node":
                self.usable(deadline)  # what it fails with is final
            try:
                connection = self.take(deadline)
                answer = self.ask(connection, method, request, deadline)
                if "error" not in answer:
                    return answer["result"]
                data = answer["error"].get("data", {})
                raise error_of(data.get("code", "FAILED"), answer["error"]["message"], answer["error"]["code"],
                               data.get("hint"))
            except TandemError as e:
                if self.closed.is_set() or not (self.passes(site, e) and may_repeat(site, mutates, method, connection)):
                    raise
                if time.monotonic() + pause > deadline:
                    raise
            self.closed.wait(pause)
            pause = min(2 * pause, PAUSE_MAX_S)

    def passes(self, site, e):
        if isinstance(e, ConnectionLostError):
            return True
        if isinstance(e, NotRunningError):
            return self.met
        return site == "node" and e.code in ("NODE-DOWN", "BUSY")

    def usable(self, deadline):
        """For those who know when nodes can be asked: Tandem waits here until they are provisioned."""

    def take(self, deadline):
        if self.closed.is_set():
            raise lost("the client was closed")
        with self.lock:
            connection = self.idle.pop() if self.idle else None
        if connection is None:
            path = read_control(self.state_dir)["control"]
            path = path[len("ipc://"):] if path.startswith("ipc://") else path
            try:
                connection = Connection(path, deadline)
            except OSError as e:
                raise error_of("NOT-RUNNING", f"nobody listens at {path}") from e
        with self.lock:
            self.busy.add(connection)
        return connection

    def ask(self, connection, method, request, deadline):
        """A connection on which something went wrong is not used again."""
        try:
            answer = connection.ask(method, request, deadline)
        except socket.timeout as e:
            self.give_back(connection, False)
            raise error_of("TIMEOUT", f"no answer to {method} in time") from e
        except (OSError, ValueError) as e:
            self.give_back(connection, False)
            raise lost("the connection to the supervisor broke") from e
        except BaseException:
            self.give_back(connection, False)
            raise
        self.met = True
        self.give_back(connection, True)
        return answer

    def give_back(self, connection, sound):
        with self.lock:
            self.busy.discard(connection)
            if sound and len(self.idle) < IDLE_MAX and not self.closed.is_set():
                self.idle.append(connection)
                return
        connection.close()

    def position(self):
        """Where the events are now: what follows from here is told to follow(after=position)."""
        page = self.call("events.since", {"from": "now"})
        return {"bootId": page["bootId"], "seq": page["next"]}

    def follow(self, after=None, start="now", node=None, type=None):
        """Every event once, in order, across restarts of the supervisor, until the loop is left or the client closed. Where
        some were overwritten before they could be read, an event stream.gap stands for them. event["position"] is for
        follow(after=…)."""
        only = {name: value for name, value in (("node", node), ("type", type)) if value is not None}
        place = dict(after) if after else {"from": start}
        while not self.closed.is_set():
            try:
                page = self.call("events.since", {**only, **place, "waitMs": EVENTS_WAIT_MS})
            except TandemError as e:
                if self.closed.is_set():
                    return
                if self.met and (e.code == "TIMEOUT" or self.passes("supervisor", e)):
                    continue  # it is away for long
                raise
            place = {"bootId": page["bootId"], "seq": page["next"]}
            if page["gap"]:
                yield {"node": "supervisor", "event": "stream.gap", "time": int(time.time() * 1000), "data": {},
                       "position": place}
            for event in page["events"]:
                yield {**event, "position": {"bootId": page["bootId"], "seq": event["seq"] + 1}}

    def put_blob(self, source, node=None):
        """Keeps bytes or an open binary file: {hash, size}, durable."""
        where = {} if node is None else {"node": node}
        blob = {**where, "blob": self.call("blob.begin", where)["blob"]}
        try:
            stream = self.stream_for(blob)
            if stream is not None:
                stream.fill(pieces_of(source))
            else:
                self.put_pieces(blob, source)
            return self.call("blob.commit", blob)
        except BaseException:
            try:
                self.call("blob.abort", blob, timeout=1)
            except TandemError:
                pass  # it is forgotten anyway
            raise

    def put_pieces(self, blob, source):
        offset = 0
        for piece in pieces_of(source):
            data = base64.b64encode(piece).decode()
            self.call("blob.chunk", {**blob, "offset": offset, "data": data})
            offset += len(piece)

    def get_blob(self, hash, node=None):
        """Yields the pieces of a file; fails when they are not those of the hash."""
        what = {"hash": hash} if node is None else {"hash": hash, "node": node}
        stream = self.stream_for(what)
        digest, offset = hashlib.sha256(), 0
        for piece, size in stream.pieces() if stream is not None else self.get_pieces(what):
            if not piece and offset < size:
                raise TandemError("FAILED", f"the file ends after {offset} of {size} bytes")
            offset += len(piece)
            digest.update(piece)
            if offset >= size and len(hash) == 64 and digest.hexdigest() != hash:
                raise TandemError("OBJECT-DAMAGED", f"what was read is not {hash}")
            yield piece

    def get_pieces(self, what):
        offset, size = 0, None
        while size is None or offset < size:
            answer = self.call("blob.read", {**what, "offset": offset, "length": PIECE})
            piece, size = base64.b64decode(answer["data"]), answer["size"]
            offset += len(piece)
            yield piece, size

    def stream_for(self, what):
        """A stream in or out; None: files go in pieces."""
        try:
            return Stream(self.call("blob.stream", what))
        except (TandemError, OSError) as e:
            if isinstance(e, OSError) or e.code in ("UNKNOWN-METHOD", "BUSY", "CLOSED"):
                return None
            raise


class Stream:
    """Raw bytes of one file, past the supervisor (docs/ipc.md, "Files as raw bytes")."""

    def __init__(self, way):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.settimeout(STREAM_S)
            self.socket.connect(way["socket"])
            self.socket.sendall(way["ticket"].encode() + b"\n")
        except BaseException:
            self.socket.close()
            raise

    def word(self):
        """The line of the node; what comes behind it is left."""
        line = bytearray()
        while not line.endswith(b"\n"):
            byte = self.socket.recv(1)
            if not byte:
                raise lost("the node broke the stream off")
            line += byte
        word = json.loads(line)
        if "error" in word:
            error = word["error"]
            raise error_of(error["data"]["code"], error["message"], error["code"], error["data"]["hint"])
        return word["size"]

    def fill(self, pieces):
        """Until the node has all of it on its disk."""
        with self.socket:
            for piece in pieces:
                try:
                    self.socket.sendall(piece)
                except OSError:
                    break  # it says why
            else:
                self.socket.shutdown(socket.SHUT_WR)
            self.word()

    def pieces(self):
        """Each with the size of the whole; an empty one when no more comes."""
        with self.socket:
            size = offset = self.word()
            while offset > 0:
                piece = self.socket.recv(min(offset, PIECE))
                yield piece, size
                offset -= len(piece)
            if size == 0:
                yield b"", 0


def pieces_of(source):
    if isinstance(source, (bytes, bytearray, memoryview)):
        view = memoryview(source)
        yield from (bytes(view[at:at + PIECE]) for at in range(0, len(view), PIECE))
    else:
        yield from iter(lambda: source.read(PIECE), b"")


class Supervisor:
    """One run of the program. It stops when its standard input ends, which the kernel sees to however we end."""

    alive = set()

    def __init__(self, program, args):
        self.process = subprocess.Popen([program, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        Supervisor.alive.add(self)

    def until_ready(self):
        """Its first line says that both nodes answer, or why they cannot. The others it may lose."""
        line = self.process.stdout.readline()
        said = json.loads(line) if line else {}
        if said.get("event") == "ready":
            return
        self.process.wait()
        error = said.get("error", {})
        raise error_of(error.get("code", "FAILED"), error.get("message", "the supervisor ended before it was ready"),
                       hint=error.get("hint"))

    def stop(self):
        self.let_go()
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                self.process.wait(STOP_S)
                break
            except subprocess.TimeoutExpired:
                self.process.send_signal(number)
        self.process.wait()
        self.process.stdout.close()
        Supervisor.alive.discard(self)

    def let_go(self):
        try:
            self.process.stdin.close()
        except OSError as e:
            if e.errno != errno.EPIPE:
                raise


def let_go_in_child():
    """A child by os.fork() must not hold what keeps the supervisor alive."""
    for supervisor in list(Supervisor.alive):
        supervisor.let_go()


os.register_at_fork(after_in_child=let_go_in_child)


class Provisioner(Client):
    """Gives up when the supervisor ends."""

    def __init__(self, state_dir, process):
        super().__init__(state_dir)
        self.process = process

    def passes(self, site, e):
        return self.process.poll() is None and super().passes(site, e)


class Tandem(Client):
    """A client that also runs what it talks to. on_state(state, error) hears of starting, running, restarting, stopped,
    failed and closed; another thread calls it."""

    def __init__(self, state_dir, user, secret, bin_dir, args, provision, timeout, on_state):
        super().__init__(state_dir)
        self.user, self.secret, self.bin_dir, self.args = user, secret, bin_dir, list(args)
        self.provision_params, self.timeout = dict(provision or {}), timeout
        self.on_state = on_state or (lambda state, error: None)
        self.state, self.supervisor, self.watcher = "starting", None, None
        self.provisioned, self.failure = None, None
        self.open = threading.Event()  # the nodes can be asked, or will not come back: failure

    @property
    def pid(self):
        return self.supervisor.process.pid

    def usable(self, deadline):
        if not self.open.wait(max(0, deadline - time.monotonic())):
            raise error_of("TIMEOUT", "the nodes were not there in time")
        if self.failure is not None:
            raise self.failure

    def start(self):
        try:
            self.start_once()
            self.go_on()
        except BaseException as e:
            self.set_state("failed", e)
            self.close()
            raise
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()

    def close(self):
        super().close()
        self.failure = self.failure or lost("the client was closed")
        self.open.set()
        if self.supervisor is not None:
            self.supervisor.stop()
        if self.watcher is not None and self.watcher is not threading.current_thread():
            self.watcher.join()
        self.set_state("closed", None)

    def set_state(self, state, error):
        if self.state not in (state, "closed"):
            self.state = state
            self.on_state(state, error)

    def start_once(self):
        """A program that is started again right after it was killed meets its old supervisor, which is about to stop."""
        program = find_program("tandem-supervisor", self.bin_dir)
        given = ["--state-dir", self.state_dir, "--json", "--stdin-lifetime", *self.args]
        end = time.monotonic() + HANDOVER_S
        while True:
            self.supervisor = Supervisor(program, given)
            try:
                return self.supervisor.until_ready()
            except TandemError as e:
                self.supervisor.stop()
                if e.code != "ALREADY-RUNNING" or time.monotonic() > end or self.other_stays(e):
                    raise
            self.closed.wait(BACK_OFF_MIN_S)

    def other_stays(self, error):
        """Whether the other one goes on, and is not about to stop; then the error says which it is, for Client()."""
        stopping = {"from": "run", "type": "supervisor.stopping", "waitMs": STOPPING_SEEN_MS}
        with Client(self.state_dir) as other:
            try:
                if other.call("events.since", stopping, timeout=HANDOVER_S)["events"]:
                    return False
                error.pid = read_control(self.state_dir)["pid"]
                return True
            except TandemError:
                return False

    def go_on(self):
        """The secret goes through the socket alone."""
        with Provisioner(self.state_dir, self.supervisor.process) as ours:
            if self.secret is None:  # the supervisor comes by it itself: autostart.secret
                self.provisioned = ours.call("wait", for_="federated", timeoutMs=int(self.timeout * 1000))
            else:
                secret = self.secret() if callable(self.secret) else self.secret
                user = {} if self.user is None else {"user": self.user}
                self.provisioned = ours.call("provision", {**self.provision_params, **user, "secret": secret,
                                                           "timeoutMs": int(self.timeout * 1000)})
        self.met = True
        self.open.set()
        self.set_state("running", None)

    def watch(self):
        pause = BACK_OFF_MIN_S
        while True:
            began = time.monotonic()
            status = self.supervisor.process.wait()
            if self.closed.is_set():
                return
            if status == 0:  # by 'tandem down' or SIGTERM: somebody meant it
                return self.give_up("stopped", error_of("NOT-RUNNING", "the supervisor was told to stop"))
            self.open.clear()
            self.set_state("restarting", lost(f"the supervisor ended with {status}"))
            pause = BACK_OFF_MIN_S if time.monotonic() - began > STEADY_S else pause
            pause = self.bring_back(pause)
            if pause is None:
                return

    def bring_back(self, pause):
        """Until it runs again; None when it must not be tried."""
        while not self.closed.wait(pause):
            pause = min(2 * pause, BACK_OFF_MAX_S)
            self.supervisor.stop()
            try:
                self.start_once()
                self.go_on()
                return pause
            except TandemError as e:
                if self.closed.is_set():
                    return None
                self.supervisor.stop()
                if e.code == "BAD-SECRET":
                    self.give_up("failed", e)
                    return None
        return None

    def give_up(self, state, error):
        self.failure = error
        self.open.set()
        self.set_state(state, error)


def launch(state_dir=None, user=None, secret=None, bin_dir=None, args=(), provision=None, timeout=60, on_state=None):
    """Starts tandem, provisions it and keeps it running until close() (or the end of with) or the end of the program, which
    no process of it outlives. secret is a text or a function that gives it each time it is needed. Fails with
    ALREADY-RUNNING when another program runs this installation; Client(state_dir) talks to that one."""
    t = Tandem(state_dir, user, secret, bin_dir, args, provision, timeout, on_state)
    t.start()
    return t
