"""A sparse node that is sparse: files stay at the archive until somebody reads them, and only there what it has is given
up here."""
import hashlib
import os
import signal
import threading

from control import fails_with, main, until
from nodes import Pair, read, write

BIG = 300_000
SMALL = 20_000


def attached(pair, size, node="archive", name="file"):
    """A message of the node with a file that nobody has yet; its hash, and its bytes."""
    data = os.urandom(size)
    path = write(os.path.join(pair.t.top, "in"), data)
    pair.send(node, name, "--attach", path)
    return hashlib.sha256(data).hexdigest(), data


def stat(pair, hash, node="sparse"):
    return pair.t.call("blob.stat", node=node, hash=hash)


def got(pair, hash):
    path = os.path.join(pair.t.top, "out")
    if os.path.exists(path):
        os.remove(path)
    pair.ok("--node", "sparse", "blob", "get", hash, "-o", path)
    return read(path)


def states(pair, node="sparse"):
    """Files there, by state: how many, and their bytes."""
    return {item["state"]: (item["objects"], item["bytes"]) for item in pair.ok("--node", node, "storage")["items"]
            if item["type"] == "BLOB"}


def archive_dies(pair):
    os.kill(pair.t.call("status")["archive"]["pid"], signal.SIGKILL)
    until(lambda: pair.t.call("status")["archive"]["state"] != "running", "the archive is down")


def test_files_stay_at_the_archive_until_they_are_read(t):
    pair = Pair(t)
    big, data = attached(pair, BIG, name="big")
    [attachment] = pair.arrives("sparse", "big")["attachments"]
    assert attachment["hash"] == big and attachment["size"] == BIG
    small, little = attached(pair, SMALL, name="small")
    pair.arrives("sparse", "small")
    assert stat(pair, big) == {"hash": big, "size": BIG, "presence": "remote"}
    assert stat(pair, small)["presence"] == stat(pair, big, "archive")["presence"] == "present"
    assert states(pair)["remote"] == (1, BIG)
    assert not os.path.exists(t.path("sparse", "store", "objects", big[:2], big))
    assert pair.ok("verify")["damaged"] == pair.ok("verify")["missing"] == []

    assert got(pair, big) == data
    assert stat(pair, big)["presence"] == "present" and "remote" not in states(pair)
    assert got(pair, small) == little


def test_all_that_lies_there_when_the_nodes_meet_stays_there(t):
    pair = Pair(t)
    files = dict(attached(pair, BIG + i, name=f"file {i}") for i in range(20))
    pair.arrives("sparse", "file 19")
    pair.t.call("restart", node="sparse")
    pair.ok("wait", "idle")
    assert states(pair)["remote"][0] == 20
    results = {}

    def reader(hash):
        results[hash] = pair.t.call("blob.read", node="sparse", hash=hash)["size"]

    readers = [threading.Thread(target=reader, args=(hash,)) for hash in list(files) * 2]
    for each in readers:
        each.start()
    for each in readers:
        each.join()
    assert results == {hash: len(data) for hash, data in files.items()}
    assert "remote" not in states(pair)


def test_what_is_not_here_says_so_while_the_archive_is_away(t):
    t.environment["TANDEM_RESTART_BACKOFF_MIN_MS"] = "60000"
    t.environment["TANDEM_RESTART_BACKOFF_MAX_MS"] = "60000"
    pair = Pair(t)
    here, _ = attached(pair, SMALL, name="small")
    there, data = attached(pair, BIG, name="big")
    pair.arrives("sparse", "big")
    archive_dies(pair)
    pair.fails("NOT-HERE", 6, "--node", "sparse", "blob", "get", there, "-o", os.path.join(t.top, "never"))
    assert not os.path.exists(os.path.join(t.top, "never"))
    got(pair, here)
    assert [m["text"] for m in pair.messages("sparse")] == ["small", "big"]
    assert stat(pair, there)["presence"] == "remote"

    pair.ok("restart", "archive")
    pair.ok("wait", "idle")
    assert got(pair, there) == data


def test_what_the_archive_lost_is_said_to_be_lost(t):
    pair = Pair(t)
    lost, _ = attached(pair, BIG, name="lost")
    pair.arrives("sparse", "lost")
    os.remove(t.path("archive", "store", "objects", lost[:2], lost))
    pair.fails("LOST-THERE", 6, "--node", "sparse", "blob", "get", lost, "-o", os.path.join(t.top, "never"))


def test_who_reads_does_not_wait_for_ever(t):
    t.environment["TANDEM_HEARTBEAT_SILENCE_S"] = "600"
    pair = Pair(t)
    there, data = attached(pair, BIG, name="big")
    pair.arrives("sparse", "big")
    pid = t.call("status")["archive"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        fails_with("STILL-FETCHING", t.call, "blob.read", node="sparse", hash=there)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert got(pair, there) == data


if __name__ == "__main__":
    main(globals())
