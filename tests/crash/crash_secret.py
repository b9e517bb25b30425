"""Kills the supervisor or a node at each of its operations on the disk while the secret is being changed. Afterwards
either the old secret opens everything or the new one does, and the other one nothing.

CRASH_STEP=k tries every k-th operation only (1: all; that was 43 of the supervisor, seven of a node). TANDEM_FAULTY names
the folder of the tandem-*-fault programs, TANDEM_BIN that of the others.
"""
import json
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))

from control import BIN, Installation, RpcError, SECRET, main  # noqa: E402
from nodes import Pair  # noqa: E402

NEW = "battery staple"
FAULTY = os.environ["TANDEM_FAULTY"]


class Prepared:
    """A stopped installation with a message in it."""

    def __init__(self, t):
        self.dir = t.dir
        self.pair = Pair(t)
        self.pair.send("sparse", "precious")
        self.pair.arrives("archive", "precious")
        t.stop()

    def copy(self):
        t = Installation()
        shutil.copytree(self.dir, t.dir)
        return t


def start(t, victim=None, fault=None):
    """Like Installation.up, with one faulty program. False if it did not get ready."""
    program = {node: os.path.join(BIN, f"tandem-{node}") for node in ("supervisor", "archive", "sparse")}
    if victim:
        program[victim] = os.path.join(FAULTY, f"tandem-{victim}-fault")
    t.environment.update(TANDEM_FAULT=fault or "", TANDEM_RESTART_DEATHS="1")
    t.process = subprocess.Popen([program["supervisor"], "--state-dir", t.dir, "--json", "--stdin-lifetime", "--listen",
                                  "localhost:0", "--archive-binary", program["archive"], "--sparse-binary",
                                  program["sparse"]], env=t.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 text=True)
    first = json.loads(t.process.stdout.readline() or "{}")
    t.socket_path = first.get("control", "")[len("ipc://"):]
    return first.get("event") == "ready"


def change(t):
    """True when it was acknowledged."""
    try:
        return t.call("secret.change", secret=SECRET, newSecret=NEW) == {}
    except (ConnectionError, RpcError):
        return False


def opens(t, secret):
    try:
        t.call("provision", secret=secret, wait=False)
        return True
    except RpcError as error:
        assert error.code == "BAD-SECRET", error
        return False


def what_opens(prepared, t):
    """The one secret that does; everything is there."""
    assert start(t)
    fits = [secret for secret in (SECRET, NEW) if opens(t, secret)]
    assert len(fits) == 1, fits
    for node in ("archive", "sparse"):
        found = t.call("chat.list", **{"node": node, "with": prepared.pair.other(node)})
        assert [message["text"] for message in found["items"]] == ["precious"], found
    t.stop()
    return fits[0]


def clean_ends(t, node):
    with open(t.path("log", node + ".log")) as log:
        return log.read().count("node.stopping")


def was_killed(prepared, t, victim, exit_status):
    if victim == "supervisor":
        return exit_status == -signal.SIGKILL
    return clean_ends(t, victim) == clean_ends(prepared.pair.t, victim)


def is_hit_by(prepared, victim, fault):
    """What opens it afterwards, or None when the fault came too late."""
    t = prepared.copy()
    try:
        acknowledged = start(t, victim, fault) and change(t)
        killed = was_killed(prepared, t, victim, t.stop())
        right = what_opens(prepared, t)
        assert killed or acknowledged
        assert right == NEW or not acknowledged, "what was acknowledged did not happen"
        return right if killed else None
    finally:
        t.clean()


def hit_everywhere(t, victim, operation, effect, step=3):
    """What opens it after a fault at the first such operation, at one that is some steps later, and so on."""
    prepared = Prepared(t)
    step = int(os.environ.get("CRASH_STEP", step))
    outcomes = []
    while (right := is_hit_by(prepared, victim, f"{operation}:{1 + step * len(outcomes)}:{effect}")) is not None:
        outcomes.append(right)
    changed = outcomes.count(NEW)
    assert outcomes == [SECRET] * (len(outcomes) - changed) + [NEW] * changed, outcomes
    print(f"     {victim}, {effect}: the old secret after {len(outcomes) - changed}, the new one after {changed}")
    return set(outcomes)


def test_the_supervisor_is_killed_at_every_operation(t):
    assert hit_everywhere(t, "supervisor", "any", "kill", 7) == {SECRET, NEW}


def test_the_archive_is_killed_at_every_operation(t):
    assert hit_everywhere(t, "archive", "any", "kill") == {SECRET, NEW}


def test_the_sparse_node_is_killed_at_every_operation(t):
    assert hit_everywhere(t, "sparse", "any", "kill") == {SECRET, NEW}


def test_the_supervisor_dies_in_the_middle_of_its_writes(t):
    assert SECRET in hit_everywhere(t, "supervisor", "write", "torn")


def test_the_archive_dies_in_the_middle_of_its_writes(t):
    assert SECRET in hit_everywhere(t, "archive", "write", "torn")


def answer(t):
    try:
        return t.call("secret.change", secret=SECRET, newSecret=NEW) == {}
    except RpcError:
        return False


def test_what_is_answered_is_what_is_true(t):
    """Replacing keys.json fails, before and after the rename (its folder is the ninth to be synced, behind the copies of sealed keys); nobody dies."""
    prepared = Prepared(t)
    answers = set()
    for fault in ("rename:2:EIO", "rename:4:EIO", "fsync:8:EIO", "fsync:9:EIO", "fsync:9+:EIO"):
        t = prepared.copy()
        try:
            assert start(t, "supervisor", fault)
            changed = answer(t)
            answers.add(changed)
            right, wrong = (NEW, SECRET) if changed else (SECRET, NEW)
            t.stop()
            assert what_opens(prepared, t) == right, f"{fault}: changed {changed}"
        finally:
            t.clean()
    assert answers == {True, False}


if __name__ == "__main__":
    main(globals())
