"""Two installations, and two people who are contacts of each other, at work for a long time while nodes are killed,
frozen and restarted. At the end every message that was acknowledged is everywhere exactly once, all stores are sound,
and memory, descriptors and disk have not grown beyond what the messages need.

soak.py [--minutes N] [--seed N]: an hour unless told otherwise. TANDEM_BIN names the folder of the programs.
"""
import argparse
import collections
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "scenario"))

from control import SECRET, Installation, RpcError, until  # noqa: E402
from nodes import Friend, Pair, write  # noqa: E402

NODES = ("archive", "sparse")
SETTLES_S = 180  # for everything to come to everybody after the last disturbance
GROWTH = {"kB": 1.3, "descriptors": 1.3}  # from the first third to the end, beside what is allowed for anything
SPARE = {"kB": 30 << 10, "descriptors": 40}
DISK_PER_MESSAGE = 64 << 10  # of all four stores together, beside the files that were sent
DISK_SPARE = 64 << 20


class Side:
    """An installation: its two nodes write to each other, its archive also to the other side's."""

    def __init__(self, name, pair):
        self.name, self.pair, self.t = name, pair, pair.t
        self.peer = None  # person of the other side
        self.group = None

    def pids(self):
        status = self.t.call("status")
        return {node: status[node].get("pid") for node in NODES}

    def texts(self, node, method, chat):
        found, before = [], {}
        while True:
            page = self.t.call(method, node=node, limit=500, **chat, **before)["items"]
            found += [m["text"] for m in page]
            if len(page) < 500:
                return found
            before = {"before": page[0]["id"]}


class Soak:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.installation = Installation()
        ours = Pair(self.installation, user="joe")
        self.friend = Friend(ours, "archive", "bob")
        self.sides = [Side("ours", ours), Side("theirs", self.friend.pair)]
        self.sides[0].peer, self.sides[1].peer = self.friend.person, ours.archive
        self.chats = {}  # key: who reads it, by which parameters; the texts that have to be there
        self.refused, self.sent, self.sent_bytes = 0, 0, 0
        self.deeds = {}
        self.make_group()

    def make_group(self):
        ours, theirs = self.sides
        made = ours.pair.ok("--node", "archive", "topic", "create", "--name", "soak", "--with", ours.peer)
        ours.group = made["topicId"]
        until(lambda: any(x["topicId"] == ours.group for x in theirs.pair.ok("--node", "archive", "topic", "list")),
              "the group is at the friend's")
        theirs.group = ours.group

    # --- work ---

    def note(self, readers, text):
        for reader in readers:
            self.chats.setdefault(reader, []).append(text)

    def say(self):
        side, other = self.random.sample(self.sides, 2)
        kind = self.random.choice(("own", "own", "friend", "friend", "group"))
        node = self.random.choice(NODES) if kind == "own" else "archive"
        text = f"{kind} {side.name} {self.sent}"
        if kind == "own":
            where = ("chat", "send", "--to", side.pair.other(node))
            readers = [(side, n, "chat.list", ("with", side.pair.other(n))) for n in NODES]
        elif kind == "friend":
            where = ("chat", "send", "--to", side.peer)
            readers = [(s, "archive", "chat.list", ("with", s.peer)) for s in (side, other)]
        else:
            where = ("topic", "send", side.group)
            readers = [(s, "archive", "topic.read", ("topic", s.group)) for s in (side, other)]
        attach = []
        if self.random.random() < 0.1:
            size = self.random.choice((100, 20_000, 500_000))
            path = write(os.path.join(self.installation.top, "attached"), self.random.randbytes(size))
            attach = ["--attach", path]
        self.send(side, node, [*where, text, *attach], text, readers)
        if attach:
            self.sent_bytes += os.path.getsize(attach[1])

    def send(self, side, node, words, text, readers):
        try:
            status, _ = side.pair.cli("--node", node, "--timeout", "20", *words)
        except (ValueError, subprocess.TimeoutExpired):  # no answer
            status = 1
        self.sent += 1
        if status == 0:
            self.note(readers, text)
        else:
            self.refused += 1

    # --- disturbances ---

    def kill_node(self):
        side, node = self.random.choice(self.sides), self.random.choice(NODES)
        pid = side.pids()[node]
        if pid:
            os.kill(pid, signal.SIGKILL)

    def freeze_node(self):
        side, node = self.random.choice(self.sides), self.random.choice(NODES)
        pid = side.pids()[node]
        if not pid:
            return
        os.kill(pid, signal.SIGSTOP)
        try:
            for _ in range(3):
                self.say()
        finally:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass  # it was found not to answer, and started anew

    def restart_node(self):
        side, node = self.random.choice(self.sides), self.random.choice(NODES)
        side.pair.cli("restart", node)

    def restart_all(self):
        side = self.random.choice(self.sides)
        if self.random.random() < 0.5:
            side.t.stop()
        else:
            side.t.process.kill()
            side.t.process.wait()
        side.t.up("--listen", "localhost:0")
        until(lambda: side.pair.cli("provision", stdin=SECRET + "\n")[0] == 0, "it opens again")

    def step(self):
        disturbance = self.random.choices((None, self.kill_node, self.freeze_node, self.restart_node, self.restart_all),
                                          (94, 2, 1, 2, 1))[0]
        deed = disturbance or self.say
        self.deeds[deed.__name__] = self.deeds.get(deed.__name__, 0) + 1
        deed()

    # --- what is looked at ---

    def measure(self):
        """Of all processes of both sides together, and of the disk."""
        now = {"kB": 0, "descriptors": 0, "disk": 0, "messages": self.sent - self.refused, "files": self.sent_bytes}
        for side in self.sides:
            for pid in [side.t.process.pid, *side.pids().values()]:
                try:
                    with open(f"/proc/{pid}/status") as status:
                        now["kB"] += next(int(x.split()[1]) for x in status if x.startswith("VmRSS"))
                    now["descriptors"] += len(os.listdir(f"/proc/{pid}/fd"))
                except (OSError, StopIteration):
                    return None  # one is being started; another time
            for folder, _, names in os.walk(side.t.dir):
                for name in names:
                    try:
                        now["disk"] += os.lstat(os.path.join(folder, name)).st_blocks * 512
                    except OSError:
                        pass  # it went just now
        return now

    def is_there(self, reader, texts):
        return not self.missing(reader, texts)

    def missing(self, reader, texts):
        side, node, method, chat = reader
        try:
            have = side.texts(node, method, dict([chat]))
        except RpcError as error:
            return [error.code]
        twice = [x for x, count in collections.Counter(have).items() if count > 1]
        assert not twice, (side.name, node, method, twice)
        return sorted(set(texts) - set(have))

    def check(self):
        for reader, texts in self.chats.items():
            until_s(SETTLES_S, lambda: self.is_there(reader, texts),
                    lambda: f"{reader[0].name} {reader[1:]}: {self.missing(reader, texts)[:10]}")
        for side in self.sides:
            status, found = side.pair.cli("verify")
            assert status == 0, (side.name, found)

    def check_growth(self, early, late):
        for name, factor in GROWTH.items():
            if name == "kB" and os.environ.get("TANDEM_SANITIZE"):
                continue  # what was freed is kept there
            assert late[name] <= early[name] * factor + SPARE[name], (name, early, late)
        messages = late["messages"] - early["messages"]
        files = 4 * (late["files"] - early["files"])  # at most in every store
        assert late["disk"] - early["disk"] <= messages * DISK_PER_MESSAGE + files + DISK_SPARE, (early, late)

    def end(self):
        self.friend.end()
        self.installation.stop()
        self.installation.clean()


def until_s(seconds, condition, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            raise AssertionError("never happened: " + what())
        time.sleep(0.2)


def run(seed, minutes):
    soak = Soak(seed)
    began = told = time.monotonic()
    over = began + 60 * minutes
    early = None
    while time.monotonic() < over:
        soak.step()
        now = time.monotonic()
        if early is None and now >= began + 20 * minutes:
            early = soak.measure()
        if now >= told + 60:
            told = now
            print(f"{(now - began) / 60:.0f} min: {soak.sent} sent, {soak.refused} refused, {soak.deeds}, "
                  f"{soak.measure()}", flush=True)
    soak.check()
    late = until(soak.measure, "all run")
    soak.check_growth(early or late, late)
    print(f"all is there: {soak.sent} sent, {soak.refused} refused, {soak.deeds}, from {early} to {late}", flush=True)
    soak.end()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    asked = options.parse_args()
    print(f"seed {asked.seed}, {asked.minutes:g} minutes", flush=True)
    run(asked.seed, asked.minutes)


main()
