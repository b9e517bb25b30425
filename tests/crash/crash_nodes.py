"""Kills a real node at its n-th operation on the disk while about 50 objects come to it, for n = 1, 2, …, and lets its
disk fail; then looks at what is left. Nothing acknowledged may be missing, and everything must arrive in the end.

CRASH_STEP=k tries every k-th operation only (1: all, which takes many minutes). TANDEM_FAULTY names the folder
of tandem-archive-fault and tandem-sparse-fault, TANDEM_BIN that of the programs.
"""
import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))

from control import Installation, RpcError, main, until  # noqa: E402
from nodes import Pair  # noqa: E402

STEP = int(os.environ.get("CRASH_STEP", "307"))
WAITING = [f"waiting {i}" for i in range(7)]  # seven objects each
OWN = [f"own {i}" for i in range(5)]


def faulty(node):
    return [f"--{node}-binary", os.path.join(os.environ["TANDEM_FAULTY"], f"tandem-{node}-fault")]


class Prepared:
    """A stopped installation in which messages wait for the receiver."""

    def __init__(self, t, receiver):
        self.dir, self.receiver = t.dir, receiver
        pair = Pair(t)
        self.persons = {"archive": pair.archive, "sparse": pair.sparse}
        pair.send(self.sender(), "before")
        pair.arrives(receiver, "before")
        os.kill(t.call("status")[receiver]["pid"], signal.SIGSTOP)
        for text in WAITING:
            pair.send(self.sender(), text)
        t.stop()

    def sender(self):
        return "archive" if self.receiver == "sparse" else "sparse"

    def other(self, node):
        return self.persons["sparse" if node == "archive" else "archive"]

    def run(self, fault=None, deaths=1):
        """A fresh copy of it, or with an installation that one again."""
        t = Installation()
        shutil.copytree(self.dir, t.dir)
        self.start(t, fault, deaths)
        return t

    def start(self, t, fault, deaths=1):
        t.environment["TANDEM_FAULT"] = fault or ""
        t.environment["TANDEM_RESTART_DEATHS"] = str(deaths)
        t.up("--listen", "localhost:0", *faulty(self.receiver))

    def send(self, t, node, text):
        return t.call("chat.send", node=node, to=self.other(node), text=text)

    def texts(self, t, node):
        found = t.call("chat.list", **{"node": node, "with": self.other(node), "limit": 100})
        return [message["text"] for message in found["items"]]

    def has_failed(self, t):
        return t.call("status")[self.receiver]["state"] == "failed"


def attempt(function, *arguments):
    """The result, or None while the node is away."""
    try:
        return function(*arguments)
    except RpcError:
        return None


def work_until_killed(prepared, t):
    """What the receiver acknowledged of its own messages, and whether it was killed before everything was there."""
    client = t.client()
    client.send("provision", user="joe", secret="correct horse")
    receiver, acknowledged, seen = prepared.receiver, [], []

    def is_over():
        nonlocal seen
        if len(acknowledged) < len(OWN):
            if attempt(prepared.send, t, receiver, OWN[len(acknowledged)]):
                acknowledged.append(OWN[len(acknowledged)])
        seen = attempt(prepared.texts, t, receiver) or seen
        return prepared.has_failed(t) or set(seen) >= {*WAITING, *OWN}

    until(is_over, "killed or done")
    killed = prepared.has_failed(t)
    client.close()
    return acknowledged, killed


def nothing_is_lost(prepared, t, acknowledged):
    prepared.start(t, None)
    t.provision()
    status = t.call("status")
    for node in ("archive", "sparse"):  # a sanitizer build has no sandbox and says so
        assert not [w for w in status[node]["warnings"] if "TANDEM_SANDBOX" not in w], status
    have = prepared.texts(t, prepared.receiver)
    assert "before" in have and set(acknowledged) <= set(have), (acknowledged, have)
    until(lambda: set(prepared.texts(t, prepared.receiver)) >= set(WAITING), "everything arrives")
    prepared.send(t, prepared.receiver, "the end")
    until(lambda: "the end" in prepared.texts(t, prepared.sender()), "and goes back")
    texts = {node: prepared.texts(t, node) for node in ("archive", "sparse")}
    assert len(set(texts["archive"])) == len(texts["archive"]), "a message is there twice"
    assert sorted(texts["archive"]) == sorted(texts["sparse"]), texts


def is_killed_at(prepared, effect, n):
    t = prepared.run(f"any:{n}:{effect}")
    try:
        acknowledged, killed = work_until_killed(prepared, t)
        t.stop()
        nothing_is_lost(prepared, t, acknowledged)
        t.stop()
        return killed
    except BaseException:
        print(f"{prepared.receiver}, {effect} at {n}; kept in {t.top}", flush=True)
        t.top = t.top + "-gone"  # clean() leaves the folder
        raise
    finally:
        t.clean()


def killed_everywhere(t, receiver, effect):
    prepared = Prepared(t, receiver)
    n = 1
    while is_killed_at(prepared, effect, n):
        n += STEP
    assert n > 1, "the fault never hit"
    print(f"     {receiver}: {effect} at {(n + STEP - 1) // STEP} of about {n} operations")


def test_the_archive_is_killed_at_every_operation(t):
    killed_everywhere(t, "archive", "kill")


def test_the_sparse_node_is_killed_at_every_operation(t):
    killed_everywhere(t, "sparse", "kill")


def test_the_archive_dies_in_the_middle_of_its_writes(t):
    killed_everywhere(t, "archive", "torn")


if __name__ == "__main__":
    main(globals())
