"""Kills the archive, or the sparse node, at its n-th operation on the disk while messages of the outbox are carried to
the archive, for n = 1, 2, …: afterwards each message is posted once, under the id that was told, in its order.

CRASH_STEP=k tries every k-th operation only (default 1). TANDEM_FAULTY and TANDEM_BIN are those of crash_nodes.py.
"""
import json
import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))

from control import Installation, RpcError, main, until  # noqa: E402
from nodes import Pair, write  # noqa: E402

STEP = int(os.environ.get("CRASH_STEP", "1"))
TEXTS = [f"intent {i}" for i in range(6)]


class Prepared:
    """A stopped installation whose outbox holds messages to a contact of the archive."""

    def __init__(self, t):
        self.dir = t.dir
        second = Installation()
        joe, ann = Pair(t), Pair(second, user="ann")
        ann.ok("pair", "-", stdin=json.dumps(joe.ok("invite")))
        until(lambda: ann.archive in [c["personId"] for c in joe.ok("contacts")], "Joe knows Ann")
        self.ann = ann.archive
        joe.ok("chat", "send", "--to", self.ann, "before", "--wait")
        os.kill(t.call("status")["archive"]["pid"], signal.SIGSTOP)
        file = write(os.path.join(t.top, "file"), b"x" * 100000)
        self.ids = [joe.ok("chat", "send", "--to", self.ann, text, *(["--attach", file] if text == TEXTS[2] else []))["id"]
                    for text in TEXTS]
        assert {state for _, state in self.own(t)} == {"delivered", "pending"}
        t.stop()
        second.stop()
        second.clean()

    def own(self, t):
        found = t.call("chat.list", **{"with": self.ann, "limit": 100})["items"]
        return [(message["id"], message["state"]) for message in found]

    def start(self, t, victim, fault):
        t.environment.update(TANDEM_FAULT=fault, TANDEM_RESTART_DEATHS="1")
        t.up("--listen", "localhost:0", f"--{victim}-binary",
             os.path.join(os.environ["TANDEM_FAULTY"], f"tandem-{victim}-fault"))


def is_carried(prepared, t):
    try:
        return all(state != "pending" for _, state in prepared.own(t))
    except RpcError:
        return False


def is_killed_at(prepared, victim, n):
    t = Installation()
    try:
        shutil.copytree(prepared.dir, t.dir)
        prepared.start(t, victim, f"any:{n}:kill")
        client = t.client()
        client.send("provision", user="joe", secret="correct horse")
        has_failed = lambda: t.call("status")[victim]["state"] == "failed"
        until(lambda: has_failed() or is_carried(prepared, t), "killed or done")
        killed = has_failed()
        client.close()
        t.stop()
        prepared.start(t, victim, "")
        t.provision()
        until(lambda: is_carried(prepared, t), "all is carried")
        posted = t.call("chat.list", **{"node": "archive", "with": prepared.ann, "limit": 100})["items"]
        assert [m["id"] for m in posted][1:] == prepared.ids, posted
        assert [m["text"] for m in posted] == ["before", *TEXTS]
        assert all(m["attachments"][0]["present"] for m in posted if m["text"] == TEXTS[2])
        assert prepared.own(t)[1:] == [(i, "archived") for i in prepared.ids]
        t.stop()
        return killed
    except BaseException:
        print(f"{victim} at {n}; kept in {t.top}", flush=True)
        t.top = t.top + "-gone"  # clean() leaves the folder
        raise
    finally:
        t.clean()


def killed_everywhere(t, victim):
    prepared = Prepared(t)
    n = 1
    while is_killed_at(prepared, victim, n):
        n += STEP
    assert n > 1, "the fault never hit"
    print(f"     {victim}: killed at {(n + STEP - 1) // STEP} of about {n} operations")


def test_the_archive_is_killed_while_it_posts(t):
    killed_everywhere(t, "archive")


def test_the_sparse_node_is_killed_while_it_is_answered(t):
    killed_everywhere(t, "sparse")


if __name__ == "__main__":
    main(globals())
