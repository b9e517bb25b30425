"""Every file of an installation, damaged in every way: it is named with a code and what to do, nothing is made anew
unasked, 'repair' or '--recreate' brings back all that exists anywhere, contacts are reached, and doctor is right before
and after.

TANDEM_MATRIX=full tries all of it; otherwise a few of each kind. TANDEM_MATRIX=NAME:WAY,… (either part may be empty)
tries those.
"""
import glob
import json
import os
import shutil
import sqlite3
import time
import traceback

from control import SECRET, Installation, fails_with, main, snapshot, until, within
from nodes import Friend, Pair, read, talk, write

MATRIX = os.environ.get("TANDEM_MATRIX", "")
NODES = ("archive", "sparse")
BIG = b"a picture " * 20000


# --- what is damaged -------------------------------------------------------------------------------------------------


def every_tenth(pattern):
    return lambda top: sorted(glob.glob(os.path.join(top, pattern)))[::10]


def first(pattern):
    return lambda top: sorted(glob.glob(os.path.join(top, pattern)))[:1]


FILES = {
    "keys.json": first("keys.json"),
    "installation.json": first("installation.json"),
    "format": first("format"),
    "port": first("port"),
    "lock": first("lock"),
    "tandem.conf": first("tandem.conf"),
    "archive.keys": first("archive.keys"),
    "sparse.keys": first("sparse.keys"),
    "archive/store/objects": every_tenth("archive/store/objects/*/*"),
    "archive/store/vheads": every_tenth("archive/store/vheads/*/*"),
    **{f"{node}/store/{name}": first(f"{node}/store/{name}")
       for node in NODES for name in ("store.db", "store.db-wal", "store.db-shm", "format", "lock")},
    **{f"{node}/private/{name}": first(f"{node}/private/{name}")
       for node in NODES for name in ("keychain_masterkey", "*.encrypt", "*.sign")},
}


def emptied(path, name, base):
    os.truncate(path, 0)


def deleted(path, name, base):
    os.remove(path)


def halved(path, name, base):
    os.truncate(path, os.path.getsize(path) // 2)


def zeroed(path, name, base):
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        file.seek(size // 3 // 4096 * 4096)
        file.write(bytes(min(4 * 4096, size - file.tell())))


def replaced(path, source):
    if os.path.exists(source):
        shutil.copyfile(source, path)
    else:
        write(path, b"something else")


def older(path, name, base):
    replaced(path, os.path.join(base.older, os.path.relpath(path, base.t.dir)))


def foreign(path, name, base):
    relative = os.path.relpath(path, base.t.dir)
    there = FILES[name](base.foreign)
    replaced(path, there[0] if there else os.path.join(base.foreign, relative))


def unreadable(path, name, base):
    os.chmod(path, 0)


def directory(path, name, base):
    os.remove(path)
    os.mkdir(path)


WAYS = {way.__name__: way for way in (emptied, deleted, halved, zeroed, older, foreign, directory)}
if os.geteuid() != 0:
    WAYS["unreadable"] = unreadable


# --- what it is damaged in -------------------------------------------------------------------------------------------


class Base:
    """An installation with a friend, as it was when it was stopped last, and before; and another one."""

    def __init__(self, t):
        self.t = t
        self.foreign = self.make_foreign(os.path.join(t.top, "foreign"))
        os.makedirs(t.dir, mode=0o700)
        write(t.path("tandem.conf"), b"[log]\nlevel = info\n")
        self.pair = Pair(t)
        self.friend = Friend(self.pair, "archive", "bob")
        talk(self.pair, self.friend, "at first")
        self.stop()
        self.older = self.copy("older")
        self.start()
        self.texts = [f"m{i}" for i in range(6)]
        for text in self.texts:
            self.pair.send("archive" if text < "m3" else "sparse", text)
        self.pair.send("sparse", "the picture", "--attach", write(os.path.join(t.top, "picture.bin"), BIG))
        talk(self.pair, self.friend, "before")
        self.pair.ok("wait", "idle")
        until(lambda: self.is_whole(), "all is at both nodes")
        self.crashed = self.copy("crashed")
        self.stop()
        self.good = self.copy("good")
        self.start()

    def copy(self, name):
        to = os.path.join(self.t.top, name)
        ignore = shutil.ignore_patterns("*.sock", "log")
        shutil.copytree(self.t.dir, to, ignore=ignore)
        setattr(self, name, to)
        return to

    @staticmethod
    def make_foreign(to):
        other = Installation()
        try:
            pair = Pair(other, user="eve")
            pair.send("archive", "of somebody else")
            pair.arrives("sparse", "of somebody else")
            other.stop()
            write(other.path("tandem.conf"), b"[log]\nlevel = warn\n")
            shutil.copytree(other.dir, to, ignore=shutil.ignore_patterns("*.sock"))
        finally:
            other.clean()
        return to

    def stop(self):
        if self.t.process is not None and self.t.process.poll() is None:
            self.t.stop()

    def start(self):
        self.t.up("--listen", "localhost:0")
        self.pair.ok("provision", stdin=SECRET + "\n")

    def restore(self, name):
        self.stop()
        shutil.rmtree(self.t.dir)
        shutil.copytree(self.crashed if name.endswith(("-wal", "-shm")) else self.good, self.t.dir)
        os.makedirs(self.t.path("log"), exist_ok=True)

    def is_whole(self):
        return all(set(self.texts) <= set(self.pair.texts(node)) for node in NODES)


# --- what has to follow ----------------------------------------------------------------------------------------------

NO_START = {"STORE-CORRUPT", "BAD-CONFIG", "IO", "NO-PERMISSION"}  # 'up' says so itself
NOT_SHOWN = ("Access", "IdAccess", "VersionNodeMerge")  # a friend may have equal ones of its own
NO_OPENING = {"STORE-MISSING", "STORE-CORRUPT", "BAD-KEY-FILE", "OBJECT-DAMAGED", "IO", "NO-PERMISSION"}
QUICK = [("keys.json", "foreign"), ("archive.keys", "zeroed"), ("archive.keys", "foreign"),
         ("archive/store/store.db", "foreign"), ("sparse/store/store.db", "zeroed"),
         ("archive/private/*.sign", "halved")]


def damage(base, name, way):
    paths = FILES[name](base.t.dir)
    assert paths, f"there is no {name}"
    for path in paths:
        WAYS[way](path, name, base)
    return paths


def starts(base, paths):
    """'tandem up', after what it asks for if it refuses."""
    base.t.spawn("--listen", "localhost:0")
    first = json.loads(base.t.process.stdout.readline())
    if first.get("event") == "ready":
        return
    base.t.wait_exit()
    error = first["error"]
    assert error["code"] in NO_START and error["hint"], error
    assert any(path in error["message"] for path in paths), (paths, error)
    for path in paths:
        if error["code"] == "NO-PERMISSION":
            os.chmod(path, 0o600)
        else:
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    base.t.up("--listen", "localhost:0")


def is_permitted(base, paths, error):
    """What may not be read is named, and nothing has to be repaired once it may."""
    assert any(os.path.dirname(path) in error["message"] for path in paths) and error["hint"], error
    for path in paths:
        os.chmod(path, 0o600)
    base.pair.ok("provision", stdin=SECRET + "\n")


def checks(base):
    return [c for c in base.pair.cli("doctor")[1]["checks"] if not c["ok"]]


def is_named(base, error):
    """By provision, status and doctor alike; returns which node it is."""
    assert error["code"] in NO_OPENING and error["hint"], error
    node = next(node for node in NODES if f"{node} node" in error["message"])
    failure = base.pair.ok("status")[node]["failure"]
    assert failure["code"] == error["code"] and failure["message"] in error["message"] and failure["hint"], failure
    assert any(c["check"] == node and failure["message"] in c["message"] for c in checks(base)), checks(base)
    status, looked = base.pair.cli("verify", "--node", node)
    assert status in (0, 1) and looked["nodes"][node]["open"] is False, looked
    return node


def exist_nowhere(base, node, lost):
    """What was had by this node alone is gone for good, and nothing else."""
    for item in lost:
        assert "conversation" not in item, item
        for other in set(NODES) - {node}:
            status, had = base.pair.cli("--node", other, "object", "get", item["hash"])
            assert status != 0, (other, item, had, base.pair.cli("--node", node, "object", "get", item["hash"]))
        status, had = base.friend.pair.cli("--node", "archive", "object", "get", item["hash"])
        assert status != 0 or had["type"] in NOT_SHOWN, (item, had)
    if lost:
        assert base.pair.cli("repair", "--node", node, "--forget-lost")[0] == 1


def says_why(base, paths):
    return any(c["check"] == "content" or any(path in c["message"] for path in paths) for c in checks(base))


def opens(base, name, paths):
    """Provisions; what does not open is named, and repaired or made anew when that is asked for."""
    left = snapshot(base.t.path("sparse", "store"))
    status, result = base.pair.cli("--timeout", "10", "provision", stdin=SECRET + "\n")
    if status == 0:
        assert result["created"] is False, f"{name}: made anew without a word"
        return False
    if result["error"]["code"] == "TIMEOUT":  # they open, but something is lost by which they know each other
        until(lambda: says_why(base, paths) or base.pair.ok("status")["federated"],
              "they meet, or doctor says why not")
        return False
    node = is_named(base, result["error"])
    if result["error"]["code"] == "NO-PERMISSION":
        is_permitted(base, paths, result["error"])
        return True
    if name.endswith(".json"):  # of another installation; the copy has what belongs here
        base.stop()
        shutil.copyfile(base.t.path(name + ".copy"), base.t.path(name))
        base.start()
        return True
    if result["error"]["code"] == "STORE-MISSING":
        now = snapshot(base.t.path("sparse", "store")).values()  # it may have been set aside
        gone = [path for path, content in left.items() if path.endswith(".db") and content not in now]
        assert not gone, f"something was made anew: {gone}"
    else:
        status, result = base.pair.cli("repair", "--node", node)
    if "error" not in result:
        exist_nowhere(base, node, result["lost"])
        base.pair.ok("provision", stdin=SECRET + "\n")
    else:
        assert result["error"]["code"] in NO_OPENING, result
        made = base.pair.ok("provision", "--recreate", node, stdin=SECRET + "\n")
        assert made["created"] and "pairAnew" not in made, made
    return True


def is_repaired(base, name, way, paths):
    """What is lost of a store that opens is named by verify, the rest can be read, and repair brings it back."""
    status, found = base.pair.cli("verify")
    if way == "older":  # most are still the same
        pass
    elif name == "archive/store/objects":
        assert status == 1 and (found["damaged"] or found["missing"]), found
    elif name == "archive/store/vheads":
        assert status == 1 and found["nodes"]["archive"]["indexFaults"], found
    if status == 0:
        return
    for node in NODES:  # what there is of it, or what is wrong
        status, answer = base.pair.cli("--node", node, "chat", "list", "--with", base.pair.other(node))
        assert status == 0 or answer["error"]["code"] in ("OBJECT-DAMAGED", "NOT-FOUND", "NO-PERMISSION"), answer
    for path in paths if way == "unreadable" else []:
        os.chmod(path, 0o600)
    began = time.monotonic()
    status, result = base.pair.cli("repair")
    assert "lost" in result, result
    if result["lost"]:  # the own nodes may have met each other anew meanwhile
        status, result = base.pair.cli("repair")
    until(base.is_whole, "every conversation is readable")
    assert time.monotonic() - began < within(10), time.monotonic() - began
    assert status == (1 if result["lost"] else 0), result
    for node in NODES:
        exist_nowhere(base, node, [item for item in result["lost"] if item["node"] == node])


def is_as_before(base, mark):
    pair = base.pair
    for node in NODES:
        assert pair.ok("--node", node, "id")["personId"] == getattr(pair, node)
        picture = next(m for m in pair.messages(node) if m["text"] == "the picture")["attachments"][0]["hash"]
        out = os.path.join(base.t.top, "out")
        until(lambda: pair.cli("--node", node, "blob", "get", picture, "-o", out)[0] == 0,
              f"the picture is at the {node} node")
        assert read(out) == BIG
        os.remove(out)
    assert {"to you before", "to me before"} <= {m["text"] for m in pair.ok(
        "--node", "archive", "chat", "list", "--with", base.friend.person, "--limit", "1000")}
    talk(pair, base.friend, mark)
    pair.ok("wait", "idle")
    status, found = pair.cli("verify")
    assert status == 0, found
    until(lambda: not checks(base), "doctor finds nothing")


def try_one(base, name, way):
    base.restore(name)
    paths = damage(base, name, way)
    starts(base, paths)
    if not opens(base, name, paths):
        is_repaired(base, name, way, paths)
    until(base.is_whole, "every message is at both nodes")
    is_as_before(base, f"{name} {way}")


def chosen():
    if not MATRIX:
        return QUICK
    every = [(name, way) for name in FILES for way in WAYS]
    wanted = [("", "")] if MATRIX == "full" else [part.split(":") for part in MATRIX.split(",")]
    return [(name, way) for name, way in every if any(w[0] in name and w[1] in way for w in wanted)]


def test_every_file_in_every_way(t):
    base = Base(t)
    failed = []
    try:
        assert not checks(base), checks(base)
        for name, way in chosen():
            began = time.monotonic()
            try:
                try_one(base, name, way)
                print(f"     {name} {way} ({time.monotonic() - began:.1f} s)", flush=True)
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                failed.append(f"{name} {way}: {where.name}: {where.line}: {error!r}")
                print("FAIL " + failed[-1][:1500], flush=True)
    finally:
        base.friend.end()
    assert not failed, "\n".join(failed)


# --- single things ---------------------------------------------------------------------------------------------------


def stored(t, kind, newest=True):
    """The file of the newest, or oldest, object of a type in the archive, once it has settled."""
    def settled():
        with sqlite3.connect(f"file:{t.path('archive', 'store', 'store.db')}?mode=ro", uri=True) as db:
            rows = db.execute("SELECT hex(o.hash) FROM object o JOIN type t ON t.id = o.type WHERE t.name = ? AND "
                              "NOT EXISTS(SELECT 1 FROM body b WHERE b.seq = o.seq) ORDER BY o.seq", (kind,)).fetchall()
        name = rows[-1 if newest else 0][0].lower() if rows else ""
        path = t.path("archive", "store", "objects", name[:2], name)
        return path if rows and os.path.isfile(path) else None

    return until(settled, f"a {kind} settles")


def test_what_is_lost_is_a_hole_in_a_conversation(t):
    pair = Pair(t)
    for i in range(5):
        pair.send("archive", f"m{i}")
    pair.arrives("sparse", "m4")
    pair.ok("wait", "idle")
    whole = [f"m{i}" for i in range(5)]
    for kind, holes in (("LinkedListEntry", 0), ("CreationTime", 1), ("ChatMessage", 1)):
        os.remove(stored(t, kind))
        pair.ok("restart", "archive")  # nothing of it is known from before
        listed = t.call("chat.list", node="archive", **{"with": pair.sparse})
        texts = [m["text"] for m in listed["items"]]
        assert texts == whole[:5 - holes] and listed.get("holes", 0) == holes, (kind, listed)
        answer = pair.ok("repair", "--node", "archive")  # unless it came back by itself when the nodes met again
        assert answer["repaired"] in (0, 1) and answer["lost"] == [] and answer["rebuilt"] == [], (kind, answer)
        assert pair.ok("verify", "--node", "archive")["sound"], kind
        until(lambda: pair.texts("archive") == whole, f"{kind} is back")


def test_verify_looks_at_all_while_the_nodes_run(t):
    pair = Pair(t)
    big = write(os.path.join(t.top, "big"), b"x" * 20_000_000)
    digest = pair.ok("--node", "archive", "blob", "put", big)["hash"]
    client = t.client()
    job = client.call("store.verify", node="archive")["jobId"]
    pair.send("archive", "meanwhile")
    assert client.call("job.wait", node="archive", jobId=job, waitMs=30000)["result"]["sound"] is True
    job = client.call("store.verify", node="archive")["jobId"]
    client.call("job.cancel", node="archive", jobId=job)
    fails_with("CLOSED", client.call, "job.wait", node="archive", jobId=job, waitMs=30000)
    client.close()
    with open(t.path("archive", "store", "objects", digest[:2], digest), "r+b") as file:
        file.seek(19_000_000)
        file.write(b"y")
    status, found = pair.cli("verify", "--node", "archive")
    assert status == 1 and found["damaged"] == [{"hash": digest, "type": "", "node": "archive"}], found
    assert t.cli("verify", "--node", "archive")[0] == 1


def test_what_nobody_has_is_told_and_given_up_when_asked(t):
    pair = Pair(t)
    lost = pair.ok("--node", "sparse", "object", "put", stdin=json.dumps({"$type$": "PersonName", "name": "y"}))["hash"]
    until(lambda: pair.cli("--node", "archive", "object", "get", lost)[0] == 0, "it is at both nodes")
    path = until(lambda: next(iter(glob.glob(t.path("archive", "store", "objects", "*", lost))), None), "it settles")
    os.remove(path)
    until(lambda: pair.cli("verify", "--node", "archive")[0] == 1, "the database has let go of the bytes, too")
    status, found = pair.cli("verify", "--node", "archive")
    assert (status, found["missing"]) == (1, [{"hash": lost, "type": "PersonName", "node": "archive"}]), found
    told = pair.ok("repair")  # at a start it would come by itself
    assert told["repaired"] == 1, told
    assert pair.ok("--node", "archive", "object", "get", lost)
    key = stored(t, "VersionNodeEdge", newest=False)  # of a recipe, which each node has by itself
    os.remove(key)
    status, result = pair.cli("repair", "--node", "archive")
    assert status == 1 and [x["type"] for x in result["lost"]] == ["VersionNodeEdge"], result
    assert pair.cli("verify", "--node", "archive")[0] == 1 and checks_of(pair) == ["content"]
    assert pair.cli("repair", "--node", "archive", "--forget-lost")[1]["lost"] == result["lost"]
    assert pair.cli("verify", "--node", "archive")[0] == 0 and checks_of(pair) == []


def checks_of(pair):
    return [c["check"] for c in pair.cli("doctor")[1]["checks"] if not c["ok"]]


if __name__ == "__main__":
    main(globals())
