"""The members: four installations that know each other, their conversations, and what they hold of the machine."""
import json
import os
import shutil
import signal
import subprocess

from control import BIN, SECRET, Installation, until
from disk import Disk
from model import Conversation, Reader, Value
from nodes import Pair

NAMES = ("joe", "ann", "bob", "eve")
CALM = "eve"  # nothing happens to it but what the others do: what it holds tells whether anything grows
NODES = ("archive", "sparse")
GROUP = "group"
NO_ANSWER = {"error": {"code": "no answer"}}


class Member:
    def __init__(self, name, has_disk):
        self.name, self.t = name, Installation()
        self.disk = Disk(self.t.top) if has_disk else None
        self.backups = Installation()  # a folder elsewhere
        self.generations = []  # of the folder of backups: which, and when it was asked for
        self.pair = Pair(self.t, user=name)
        self.persons = {"archive": self.pair.archive, "sparse": self.pair.sparse}

    def call(self, method, node=None, **params):
        return self.t.call(method, **({"node": node} if node else {}), **params)

    def cli(self, node, *words, stdin=""):
        """Exit status and document; both tell nothing if there was no answer."""
        try:
            return self.pair.cli(*(("--node", node) if node else ()), *words, stdin=stdin)
        except (ValueError, subprocess.TimeoutExpired):
            return 1, NO_ANSWER

    def begin(self, *words):
        """A command that goes on beside others."""
        return subprocess.Popen([os.path.join(BIN, "tandem"), "--json", *words], env=self.t.environment,
                                stdout=subprocess.PIPE, text=True)

    def pids(self):
        status = self.t.call("status")
        return {node: status[node].get("pid") for node in NODES}

    def kill_all(self):
        pids = [self.t.process.pid, *self.pids().values()]
        for pid in pids:
            kill(pid)
        self.t.wait_exit()

    def start(self):
        self.t.up("--listen", "localhost:0")
        self.open()

    def open(self):
        until(lambda: self.cli(None, "provision", stdin=SECRET + "\n")[0] == 0, f"{self.name} opens again")

    def measure(self):
        """Of its processes together, and of its disk; None while one of them is being started."""
        now = {"kB": 0, "descriptors": 0, "disk": 0}
        for pid in [self.t.process.pid, *self.pids().values()]:
            try:
                with open(f"/proc/{pid}/status") as status:
                    now["kB"] += next(int(x.split()[1]) for x in status if x.startswith("VmRSS"))
                now["descriptors"] += len(os.listdir(f"/proc/{pid}/fd"))
            except (OSError, StopIteration):
                return None
        for folder, _, names in os.walk(self.t.dir):
            for name in names:
                try:
                    now["disk"] += os.lstat(os.path.join(folder, name)).st_blocks * 512
                except OSError:
                    pass  # it went just now
        return now

    def keep(self, folder):
        shutil.copytree(self.t.dir, os.path.join(folder, self.name), ignore=shutil.ignore_patterns("*.sock"))

    def end(self):
        self.t.stop()
        if self.disk:
            self.disk.end()
        self.t.clean()
        self.backups.clean()


def kill(pid):
    try:
        if pid:
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it was just ending


def topic(one, other):
    return "<->".join(sorted((one, other)))


def meet(one, other, *options):
    one.pair.ok(*options, "pair", "-", stdin=json.dumps(other.pair.ok("invite")))


def own(member):
    """What its two nodes say to each other."""
    return Conversation(member.name, [member.name],
                        [Reader(member, n, ("chat.list", {"with": member.pair.other(n)})) for n in NODES])


def between(one, other, also_sparse):
    """What two members say to each other, also by the first one's sparse node if that is paired, too."""
    ours = [one.persons[n] for n in NODES[:1 + also_sparse]]
    topics = [("topic.read", {"topic": topic(person, other.persons["archive"])}) for person in ours]
    readers = [Reader(member, node, *topics) for member in (one, other) for node in NODES]
    readers.append(Reader(one, None, ("chat.list", {"with": other.persons["archive"]})))
    readers.append(Reader(other, None, *(("chat.list", {"with": person}) for person in ours)))
    return Conversation((one.name, other.name), [one.name, other.name], readers)


def gather(model, has_disks):
    """The members, all paired and in one group; joe's sparse node knows bob itself."""
    crew = {name: Member(name, has_disks) for name in NAMES}
    for i, name in enumerate(NAMES):
        model.add(own(crew[name]))
        for other in NAMES[i + 1:]:
            meet(crew[name], crew[other])
            model.add(between(crew[name], crew[other], also_sparse=(name, other) == ("joe", "bob")))
            for whose, whom in ((name, other), (other, name)):
                model.names[whose, whom] = Value(None)
    meet(crew["joe"], crew["bob"], "--node", "sparse")
    for name in NAMES:
        until(lambda: len([c for c in crew[name].pair.ok("contacts") if not c["own"]]) >= 3, f"{name} knows all")
    others = [word for name in NAMES[1:] for word in ("--with", crew[name].persons["archive"])]
    made = crew["joe"].pair.ok("--node", "archive", "topic", "create", "--name", "soak", *others)["topicId"]
    model.names["joe", GROUP] = Value("soak")
    readers = [Reader(crew[name], node, ("topic.read", {"topic": made})) for name in NAMES for node in (*NODES, None)]
    model.add(Conversation(GROUP, list(NAMES), readers))
    for name in NAMES:
        until(lambda: made in [x["topicId"] for x in crew[name].pair.ok("topic", "list")], f"{name} is in the group")
    return crew, made
