"""Kills the archive, or the sparse node, at its n-th operation on the disk between what a person writes and the message
that the archive makes of it, for n = 1, 2, … until all is done without a kill: each message is posted once, under the id
that was told, in its order. One installation is killed and heals again and again. The supervisor, which writes nothing
then, is killed at its n-th event.

CRASH_STEP=k tries every k-th operation only, or k/4-th or k/10-th where there are few (1: all; that was 511 operations
and 14 events, in 7 minutes). TANDEM_FAULTY and TANDEM_BIN are those of crash_nodes.py.
"""
import json
import os
import signal
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))

from control import SECRET, Installation, RpcError, main, until  # noqa: E402
from nodes import Pair, write  # noqa: E402

STEP = int(os.environ.get("CRASH_STEP", "71"))


class Bench:
    """Joe, of whose nodes the victim is one with faults, and Ann, a contact of his archive who is away."""

    def __init__(self, t, victim):
        self.t, self.victim, self.round, self.posted, self.events = t, victim, 0, [], []
        os.mkdir(t.dir, 0o700)
        self.left = write(os.path.join(t.dir, "left"), bytes(8))  # operations until the kill, 0 = none
        t.environment.update(TANDEM_FAULT="shared:" + self.left, TANDEM_RESTART_DEATHS="64",
                             TANDEM_RESTART_WINDOW_S="1", TANDEM_RESTART_BACKOFF_MAX_MS="20")
        faulty = os.path.join(os.environ["TANDEM_FAULTY"], f"tandem-{victim}-fault")
        joe = Pair(t, *([f"--{victim}-binary", faulty] if victim != "supervisor" else []))
        second = Installation()
        try:
            ann = Pair(second, user="ann")
            ann.ok("pair", "-", stdin=json.dumps(joe.ok("invite")))
            self.ann = ann.archive
            until(lambda: self.ann in [c["personId"] for c in joe.ok("contacts")], "Joe knows Ann")
            self.posted.append(joe.ok("chat", "send", "--to", self.ann, "before", "--wait")["id"])
            second.stop()
        finally:
            second.clean()
        self.file = joe.ok("blob", "put", write(os.path.join(t.top, "file"), b"x" * 100000))["hash"]
        joe.ok("wait", "federated")

    def arm(self, n):
        with open(self.left, "r+b") as file:
            file.write(struct.pack("<q", n))

    def remaining(self):
        with open(self.left, "rb") as file:
            return struct.unpack("<q", file.read())[0]

    def pid(self, node):
        return until(lambda: self.t.call("status")[node]["pid"], f"the {node} node runs")

    def send(self, text, **more):
        """As a client does: the same request again until it is answered."""
        op = f"{self.round}.{text}"

        def attempt():
            try:
                return self.t.call("chat.send", to=self.ann, text=f"{op} of it", opId=op, **more)["id"]
            except RpcError:
                return None
        return until(attempt, "it is taken")

    def states(self):
        try:
            return {m["id"]: m["state"] for m in self.page()}
        except RpcError:
            return {}

    def page(self, **more):
        return self.t.call("chat.list", **{"with": self.ann, "limit": 8, **more})["items"]

    def check(self, ids):
        """All is carried, once and in its order."""
        until(lambda: all(self.states().get(i) == "archived" for i in ids), "all is carried")
        left = self.remaining()
        self.arm(0)
        self.posted += ids
        posted = until(self.at_archive, "the archive answers")
        assert [m["id"] for m in posted] == self.posted[-8:], (posted, self.posted[-8:])
        assert all(m["attachments"][0]["present"] for m in posted if m["attachments"])
        return left

    def is_killed_at(self, n, starting):
        self.round += 1
        files = [{"hash": self.file, "name": "file"}]
        if starting:  # the victim is counted from its start, and all waits for the archive
            archive = self.pid("archive")
            os.kill(archive, signal.SIGSTOP)
            ids = [self.send("one"), self.send("two", attachments=files), self.send("three")]
            self.arm(n)
            os.kill(self.pid(self.victim), signal.SIGKILL)
            if self.victim == "sparse":
                os.kill(archive, signal.SIGCONT)
        else:
            self.arm(n)
            ids = [self.send("one", attachments=files)]
        return self.check(ids) == 0

    def listen(self):
        """The supervisor's events, as it prints them."""
        self.events = events = []
        threading.Thread(target=lambda out: [events.append(line) for line in out], args=(self.t.process.stdout,),
                         daemon=True).start()

    def is_supervisor_killed_at(self, n):
        self.round += 1
        seen = len(self.events)
        ids = [self.send(text) for text in ("one", "two", "three")]
        is_over = lambda: all(self.states().get(i) == "archived" for i in ids)
        until(lambda: len(self.events) - seen >= n or is_over(), "so many events")
        killed = not is_over()
        self.t.process.kill()
        self.t.process.wait()
        self.t.process.stdin.close()
        self.t.up("--listen", "localhost:0")
        self.listen()
        until(lambda: self.t.cli("provision", stdin=SECRET + "\n")[0] == 0, "its nodes are there again")
        self.check(ids)
        return killed

    def at_archive(self):
        try:
            return self.page(node="archive")
        except RpcError:
            return None


def killed_everywhere(t, victim, starting, step=max(1, STEP // 4)):
    bench = Bench(t, victim)
    n = 1
    while bench.is_killed_at(n, starting):
        n += step
    assert n > 1, "the fault never hit"
    whole = t.call("chat.list", **{"node": "archive", "with": bench.ann, "limit": 1000})["items"]
    assert [m["id"] for m in whole] == bench.posted[-1000:] and len(set(bench.posted)) == len(bench.posted)
    print(f"     {victim}: killed at {(n - 1) // step} of about {n - 1} operations; {len(bench.posted)} messages, each once")
    assert t.stop() == 0


def test_the_archive_is_killed_while_it_posts(t):
    killed_everywhere(t, "archive", False)


def test_the_archive_is_killed_while_it_starts_and_posts(t):
    killed_everywhere(t, "archive", True, STEP)


def test_the_sparse_node_is_killed_while_it_writes_and_is_answered(t):
    killed_everywhere(t, "sparse", False)


def test_the_sparse_node_is_killed_while_it_starts_and_is_answered(t):
    killed_everywhere(t, "sparse", True)


def test_the_supervisor_is_killed_while_it_carries(t):
    bench = Bench(t, "supervisor")
    bench.listen()
    n = 1
    while bench.is_supervisor_killed_at(n):
        n += max(1, STEP // 10)
    print(f"     supervisor: killed at {(n - 1) // max(1, STEP // 10)} of about {n - 1} events")


if __name__ == "__main__":
    main(globals())
