"""Disks that are full or read-only while the archive runs, truncated object files, damaged databases: each is said by
its name, nothing acknowledged is lost, and the nodes go on.

TANDEM_FAULTY names the folder of tandem-archive-fault, TANDEM_BIN that of the programs.
"""
import glob
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))

from control import fails_with, main, until  # noqa: E402
from nodes import Pair  # noqa: E402

FAULTY = ["--archive-binary", os.path.join(os.environ["TANDEM_FAULTY"], "tandem-archive-fault")]
BEGIN, END = 500, 640  # operations of the archive; opening and pairing take about 250


def restarted(t, *options, **environment):
    t.stop()
    t.up("--listen", "localhost:0", *options, **environment)
    return t.provision()


def restarted_with(t, fault):
    return restarted(t, *FAULTY, TANDEM_FAULT=fault)


# --- disks ---


def send_until_refused(pair):
    """The texts acknowledged until the archive's disk failed, and how it said so."""
    acknowledged = []

    def refused():
        text = f"m{len(acknowledged)}"
        status, result = pair.cli("--node", "archive", "chat", "send", "--to", pair.sparse, text)
        if status == 0:
            acknowledged.append(text)
        return result.get("error")

    return acknowledged, until(refused, "the disk fails")


def works_again_after(t, effect, code):
    pair = Pair(t, *FAULTY)
    restarted_with(t, f"any:{BEGIN}-{END}:{effect}")
    pid = t.call("status")["archive"]["pid"]
    acknowledged, error = send_until_refused(pair)
    assert error["code"] == code and error["hint"], error
    until(lambda: pair.cli("--node", "archive", "chat", "send", "--to", pair.sparse, "again")[0] == 0, "it works again")
    assert t.call("status")["archive"]["pid"] == pid, "the archive died"
    pair.arrives("sparse", "again")
    assert set(acknowledged) <= set(pair.texts("archive"))
    restarted(t, TANDEM_FAULT="")
    assert {*acknowledged, "again"} <= set(pair.texts("archive"))


def test_a_full_disk(t):
    works_again_after(t, "ENOSPC", "DISK-FULL")


def test_a_read_only_disk(t):
    works_again_after(t, "EROFS", "DISK-READ-ONLY")


def cannot_be_opened(t, effect, code):
    pair = Pair(t, *FAULTY)
    pair.send("archive", "before")
    t.stop()
    t.up("--listen", "localhost:0", *FAULTY, TANDEM_FAULT=f"any:1+:{effect}")
    fails_with(code, t.provision)
    assert t.call("status")["archive"]["state"] == "unprovisioned", t.call("status")
    restarted(t, TANDEM_FAULT="")
    assert pair.texts("archive") == ["before"]


def test_a_full_disk_at_the_start(t):
    cannot_be_opened(t, "ENOSPC", "DISK-FULL")


def test_a_disk_that_has_room_again(t):
    pair = Pair(t, *FAULTY)
    pair.send("archive", "before")
    t.stop()
    t.up("--listen", "localhost:0", *FAULTY, TANDEM_FAULT="any:1-2:ENOSPC")
    fails_with("DISK-FULL", t.provision)
    until(lambda: pair.cli("--node", "archive", "chat", "list", "--with", pair.sparse)[0] == 0, "it opens by itself")
    assert pair.texts("archive") == ["before"]


def test_a_read_only_disk_at_the_start(t):
    cannot_be_opened(t, "EROFS", "DISK-READ-ONLY")


# --- damage ---


def object_file(t, digest):
    return t.path("archive", "store", "objects", digest[:2], digest)


def damage(t, node):
    """Random bytes over the whole database, with the log of its last transactions gone."""
    path = t.path(node, "store", "store.db")
    with open(path, "r+b") as file:
        file.write(os.urandom(os.path.getsize(path)))
    for log in glob.glob(path + "-*"):
        os.unlink(log)


def settled(t):
    """Nothing of the archive lies in the database alone any more."""
    def is_settled():
        with sqlite3.connect(f"file:{t.path('archive', 'store', 'store.db')}?mode=ro", uri=True) as db:
            return db.execute("SELECT count(*) FROM body").fetchone()[0] == 0

    until(is_settled, "everything settles into files")


def has_said(t, node, word):
    assert any(word in warning for warning in t.call("status")[node]["warnings"]), t.call("status")[node]
    events = t.call("events.since", bootId="any", seq=0, limit=1000)["events"]
    assert any(event["event"] == "store.repaired" and event["node"] == node for event in events), events


def test_a_truncated_object_file_is_fetched_anew(t):
    pair = Pair(t)
    digest = pair.send("archive", "precious")["id"]
    pair.arrives("sparse", "precious")
    path = until(lambda: os.path.exists(object_file(t, digest)) and object_file(t, digest), "the object settles")
    t.stop()
    os.truncate(path, os.path.getsize(path) // 2)
    t.up("--listen", "localhost:0")
    t.provision()
    pair.cli("--node", "archive", "object", "get", digest)  # finds it, if nothing has yet
    until(lambda: pair.cli("--node", "archive", "object", "get", digest)[0] == 0, "it is whole again")
    assert pair.texts("archive") == ["precious"]


def test_a_damaged_archive_database_is_rebuilt_from_the_files(t):
    pair = Pair(t)
    for i in range(10):
        pair.send("archive", f"m{i}")
    until(lambda: pair.texts("sparse") == [f"m{i}" for i in range(10)], "all cross")
    settled(t)
    t.stop()
    damage(t, "archive")
    t.up("--listen", "localhost:0")
    t.provision()
    has_said(t, "archive", "database")
    until(lambda: pair.texts("archive") == [f"m{i}" for i in range(10)], "all are back")
    pair.send("archive", "after")
    pair.arrives("sparse", "after")


def test_a_damaged_sparse_database_is_refilled_from_the_archive(t):
    pair = Pair(t)
    for i in range(10):
        pair.send("sparse", f"m{i}")
    until(lambda: pair.texts("archive") == [f"m{i}" for i in range(10)], "all cross")
    t.stop()
    damage(t, "sparse")
    t.up("--listen", "localhost:0")
    fails_with("STORE-MISSING", t.provision)  # nothing of it can be told from random bytes
    assert t.provision(recreate="sparse")["sparse"]["personId"] == pair.sparse
    has_said(t, "sparse", "What was left of the store")
    until(lambda: pair.texts("sparse") == [f"m{i}" for i in range(10)], "all are back")
    pair.send("sparse", "after")
    pair.arrives("archive", "after")


if __name__ == "__main__":
    main(globals())
