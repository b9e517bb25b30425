"""A sparse node that is sparse: files stay at the archive until somebody reads them, and only there what it has is given
up here."""
import base64
import hashlib
import os
import shutil
import signal
import threading

os.environ.update(TANDEM_SPARSE_TAKE_KB="64", TANDEM_SPARSE_QUOTA_MB="32")  # smaller than the default: tests are

from control import SECRET, RpcError, fails_with, main, until
from converging import with_recipe
from nodes import Friend, Pair, dumps, read, write

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


def has(pair, node, hash):
    try:
        return stat(pair, hash, node)["presence"] == "present"
    except RpcError:
        return False


def dies(pair, node):
    os.kill(pair.t.call("status")[node]["pid"], signal.SIGKILL)
    until(lambda: pair.t.call("status")[node]["state"] != "running", f"the {node} is down")


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


def test_what_a_contact_asks_for_is_fetched_for_it(t):
    pair = with_recipe(Pair(t))
    friend = Friend(pair, "sparse", "bob")
    try:
        big = pair.ok("--node", "archive", "blob", "put", write(os.path.join(t.top, "in"), os.urandom(BIG)))["hash"]
        doc = {"$type$": "PeerTestDoc", "id": "with a file", "text": "see there", "blob": big}
        with_recipe(friend.pair)
        id_hash = pair.ok("--node", "archive", "object", "put", stdin=dumps(doc))["idHash"]
        pair.ok("--node", "archive", "share", "grant", "--id", id_hash, "--with", pair.sparse)
        until(lambda: pair.cli("--node", "sparse", "object", "current", id_hash)[0] == 0, "the sparse node has it")
        assert stat(pair, big)["presence"] == "remote"
        pair.ok("--node", "sparse", "share", "grant", "--id", id_hash, "--with", friend.person)
        until(lambda: stat(pair, big)["presence"] == "present", "it is fetched because the friend asks for it")
        until(lambda: friend.pair.cli("--node", "archive", "blob", "get", big, "-o", os.path.join(t.top, "out"))[0] == 0,
              "the friend has it")
    finally:
        friend.end()


def granted(pair, node, id_hash, person):
    pair.ok("--node", node, "share", "grant", "--id", id_hash, "--with", person)


def test_what_a_contact_could_not_give_comes_by_another_way(t):
    """Its sparse node brings what refers to a file, and only later its archive the file: then all of us have it."""
    t.environment["TANDEM_SPARSE_TAKE_KB"] = "1"
    t.environment["TANDEM_HEARTBEAT_SILENCE_S"] = "600"
    t.environment["TANDEM_RESTART_BACKOFF_MIN_MS"] = t.environment["TANDEM_RESTART_BACKOFF_MAX_MS"] = "60000"
    pair = with_recipe(Pair(t))
    sparse = t.call("status")["sparse"]["pid"]
    friend = Friend(pair, "sparse", "bob")
    bob = with_recipe(friend.pair)
    try:
        bob.ok("pair", "-", stdin=dumps(pair.ok("invite")))
        data = os.urandom(SMALL)
        file = pair.ok("--node", "archive", "blob", "put", write(os.path.join(t.top, "in"), data))["hash"]
        doc = {"$type$": "PeerTestDoc", "id": "with a file", "text": "see there", "blob": file}
        id_hash = pair.ok("--node", "archive", "object", "put", stdin=dumps(doc))["idHash"]
        granted(pair, "archive", id_hash, pair.sparse)
        until(lambda: pair.cli("--node", "sparse", "object", "current", id_hash)[0] == 0, "the sparse node has it")
        dies(pair, "archive")
        granted(pair, "sparse", id_hash, friend.person)
        until(lambda: bob.cli("--node", "archive", "object", "current", id_hash)[0] == 0, "bob has it")
        granted(bob, "archive", id_hash, bob.sparse)
        until(lambda: bob.cli("--node", "sparse", "object", "current", id_hash)[0] == 0, "bob's sparse node has it")
        assert not has(bob, "archive", file) and not has(bob, "sparse", file)

        os.kill(sparse, signal.SIGSTOP)
        pair.ok("restart", "archive")
        granted(pair, "archive", id_hash, friend.person)
        for node in ("archive", "sparse"):
            until(lambda: has(bob, node, file), f"bob's {node} has the file")
        for node in ("archive", "sparse"):
            bob.ok("restart", node)
        assert got(bob, file) == data
    finally:
        os.kill(sparse, signal.SIGCONT)
        friend.end()


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
    dies(pair, "archive")
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


def filled(pair, count, name="file"):
    """Files of the archive that were read in this order, and so are here."""
    files = [attached(pair, BIG, name=f"{name} {i}") for i in range(count)]
    pair.arrives("sparse", f"{name} {count - 1}")
    for hash, data in files:
        assert got(pair, hash) == data
    assert states(pair)["present"][0] == count
    return files


def here(pair):
    return states(pair).get("present", (0, 0))


def settled(pair):
    """What the change before began has been looked at: jobs of the store come back in their order."""
    for _ in range(3):
        pair.ok("storage", "quota")


def test_the_longest_unused_goes_first(t):
    pair = Pair(t)
    files = filled(pair, 5)
    assert pair.ok("storage", "quota") == {"quota": 32 << 20, "bytes": 5 * BIG, "files": 5}
    assert got(pair, files[0][0]) == files[0][1]
    pair.ok("storage", "quota", "650kB")
    until(lambda: here(pair)[0] == 2, "two are left")
    assert stat(pair, files[0][0])["presence"] == "present"
    path = t.path("sparse", "store", "objects", files[1][0][:2], files[1][0])
    until(lambda: not os.path.exists(path), "its bytes leave the disk")
    assert pair.ok("verify")["sound"]
    for hash, data in files:
        assert got(pair, hash) == data
    until(lambda: here(pair)[0] == 2, "two are left again")
    t.call("restart", node="sparse")
    assert pair.ok("storage", "quota")["quota"] == 650_000


def test_what_is_being_read_stays_whatever_room_it_takes(t):
    """A file above the quota comes whole to whoever reads it piece by piece, and goes then."""
    t.environment["TANDEM_SPARSE_KEEP_S"] = "600"
    pair = Pair(t)
    big, data = attached(pair, 3 * BIG, name="big")
    other, _ = attached(pair, BIG, name="other")
    pair.arrives("sparse", "other")
    pair.ok("storage", "quota", "0")
    first = t.call("blob.read", node="sparse", hash=big, offset=0, length=1000)
    assert base64.b64decode(first["data"]) == data[:1000]
    got(pair, other)
    until(lambda: stat(pair, other)["presence"] == "remote", "it was read to its end")
    assert stat(pair, big)["presence"] == "present"
    assert got(pair, big) == data
    until(lambda: here(pair)[0] == 0, "it goes, too")


def test_what_the_archive_does_not_hold_stays_here(t):
    t.environment["TANDEM_RESTART_BACKOFF_MIN_MS"] = t.environment["TANDEM_RESTART_BACKOFF_MAX_MS"] = "60000"
    pair = Pair(t)
    files = filled(pair, 67)  # more than are asked about together
    for hash, _ in files[:65]:
        os.remove(t.path("archive", "store", "objects", hash[:2], hash))
    dies(pair, "archive")
    pair.ok("storage", "quota", "0")
    settled(pair)
    assert here(pair)[0] == 67, "nothing goes while the archive is away"
    pair.ok("restart", "archive")
    until(lambda: here(pair)[0] == 65, "what the archive has is gone")
    for hash, data in files:
        assert got(pair, hash) == data


def test_a_lost_archive_takes_nothing_with_it(t):
    pair = Pair(t)
    files = filled(pair, 3)
    assert t.stop() == 0
    shutil.rmtree(t.path("archive"))
    t.up("--listen", "localhost:0")
    pair.ok("provision", "--recreate", "archive", stdin=SECRET + "\n")
    pair.ok("storage", "quota", "0")
    until(lambda: here(pair)[0] == 0, "the new archive has them")
    for hash, data in files:
        assert stat(pair, hash, "archive")["presence"] == "present"
        assert got(pair, hash) == data


def test_killed_while_files_go_nothing_is_lost(t):
    pair = Pair(t)
    files = filled(pair, 12)
    for i in range(5):
        for hash, _ in files:
            got(pair, hash)
        pair.ok("storage", "quota", str(i))
        node = "sparse" if i % 2 else "archive"
        os.kill(t.call("status")[node]["pid"], signal.SIGKILL)
        pair.ok("restart", node)
        pair.ok("wait", "idle")
        assert pair.ok("verify")["sound"]
    for hash, data in files:
        assert got(pair, hash) == data


def test_a_rule_of_size(t):
    pair = Pair(t)
    rule = pair.ok("sync", "rule", "add", "--size", "1MB")["id"]
    assert pair.ok("sync", "rule", "list") == [{"id": rule, "kind": "size", "size": 1000000}]
    settled(pair)
    big, _ = attached(pair, BIG, name="up to the rule")
    bigger, data = attached(pair, 1_000_001, name="above it")
    pair.arrives("sparse", "above it")
    until(lambda: stat(pair, big)["presence"] == "present", "it comes by itself")
    assert stat(pair, bigger)["presence"] == "remote" and got(pair, bigger) == data
    pair.ok("sync", "rule", "remove", str(rule))
    assert pair.ok("sync", "rule", "list") == []
    settled(pair)
    big, _ = attached(pair, BIG, name="again")
    pair.arrives("sparse", "again")
    assert stat(pair, big)["presence"] == "remote"
    pair.fails("NOT-FOUND", 1, "sync", "rule", "remove", str(rule))
    pair.fails("USAGE", 2, "sync", "rule", "add", "--size", "much")
    pair.fails("USAGE", 2, "sync", "rule", "add")
    pair.fails("REFUSED", 4, "sync", "rule", "add", "--type", "ChannelInfo")
    pair.fails("REFUSED", 4, "--node", "archive", "sync", "rule", "list")


def test_a_rule_of_age(t):
    pair = Pair(t)
    filled(pair, 2)
    pair.ok("sync", "rule", "add", "--age", "0")
    until(lambda: here(pair)[0] == 0, "none was used in the last 0 days")


def test_a_rule_of_topics(t):
    """Of two topics only one comes, and the other when the rule is gone."""
    pair = Pair(t)
    ids = {}
    for name in ("work", "play"):
        ids[name] = pair.ok("--node", "archive", "topic", "create", "--name", name, "--with", pair.sparse)["topicId"]
        pair.ok("--node", "archive", "topic", "send", ids[name], "before")
        until(lambda: texts(pair, ids[name]) == ["before"], f"{name} is here")
    rule = pair.ok("--node", "sparse", "sync", "rule", "add", "--topic", ids["work"])["id"]
    for name in ("play", "work"):
        pair.ok("--node", "archive", "topic", "send", ids[name], "after")
    until(lambda: texts(pair, ids["work"]) == ["before", "after"], "work goes on")
    pair.ok("wait", "idle")
    assert texts(pair, ids["play"]) == ["before"]
    pair.ok("--node", "sparse", "sync", "rule", "remove", str(rule))
    until(lambda: texts(pair, ids["play"]) == ["before", "after"], "play comes too")


def test_a_rule_of_types(t):
    pair = Pair(t)
    recipe = {"$type$": "Recipe", "name": "Note", "rule": [{"itemprop": "id", "isId": True}, {"itemprop": "text"}]}
    pair.ok("--node", "archive", "recipe", "add", write(os.path.join(t.top, "note.json"), dumps(recipe).encode()))
    rule = pair.ok("--node", "sparse", "sync", "rule", "add", "--type", "Note")["id"]
    put = pair.ok("--node", "archive", "object", "put", stdin=dumps({"$type$": "Note", "id": "n", "text": "one"}))
    pair.ok("--node", "archive", "share", "grant", "--id", put["idHash"], "--with", pair.sparse)
    pair.send("archive", "later")
    pair.arrives("sparse", "later")
    pair.ok("wait", "idle")
    assert pair.cli("--node", "sparse", "object", "get", put["hash"])[0] != 0
    pair.ok("--node", "sparse", "sync", "rule", "remove", str(rule))
    until(lambda: pair.cli("--node", "sparse", "object", "get", put["hash"])[0] == 0, "it comes")


def texts(pair, topic):
    status, messages = pair.cli("--node", "sparse", "topic", "read", topic)
    return [m["text"] for m in messages] if status == 0 else []


if __name__ == "__main__":
    main(globals())
