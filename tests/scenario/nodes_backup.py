"""Backups of a running installation: what they hold, who can read them, and what becomes of one that is restored."""
import json
import os
import shutil
import threading

from control import SECRET, Installation, main, until
from nodes import Pair, read, write
from nodes_recreate import Friend, talk

NEW = "battery staple"


def backup(t, folder):
    status, result = t.cli_json("backup", folder)
    assert status == 0 and result["damaged"] == [] and result["missing"] == [], result
    return result


def verify(t, folder, *options, stdin=""):
    return t.cli_json("backup", "verify", folder, *options, stdin=stdin)


def events(t, name):
    """All there were of these: their data."""
    found, seq, boot = [], 0, None
    while True:
        page = t.call("events.since", seq=seq, limit=1000, **({"bootId": boot} if boot else {}))
        found += [e["data"] for e in page["events"] if e["event"] == name]
        if not page["events"]:
            return found
        seq, boot = page["next"], page["bootId"]


def files_of(folder):
    return sorted(os.path.join(top, name) for top, _, names in os.walk(folder) for name in names)


def restore(t, folder, *options, secret=SECRET):
    return t.cli_json("restore", folder, *options, stdin=secret + "\n")


def open_again(t, secret=SECRET):
    t.up("--listen", "localhost:0")
    status, result = t.cli_json("provision", stdin=secret + "\n")
    assert status == 0 and not result["created"], result
    return result


def conversation(pair, friend):
    return [(m["text"], m.get("state")) for m in pair.ok("chat", "list", "--with", friend.person)]


def test_everything_goes_on_elsewhere(t):
    pair = Pair(t)
    friend = Friend(pair, "archive", "bob")
    folder = os.path.join(t.top, "disk", "backup")
    picture = pair.ok("blob", "put", write(os.path.join(t.top, "picture"), os.urandom(300000)))["hash"]
    pair.ok("invite", "--keep")
    talk(pair, friend, "one")
    assert ("to you one", "delivered") in until(
        lambda: ("to you one", "delivered") in conversation(pair, friend) and conversation(pair, friend), "delivered")

    # While messages flow, and again.
    stop = threading.Event()

    def chatter():
        while not stop.is_set():
            friend.says("in between")

    talking = threading.Thread(target=chatter)
    talking.start()
    try:
        first = backup(t, folder)
    finally:
        stop.set()
        talking.join()
    second = backup(t, folder)
    assert (first["generation"], second["generation"]) == (1, 2)
    assert first["newBytes"] > 300000 and second["newBytes"] < first["newBytes"] - 300000, (first, second)
    assert second["bytes"] >= first["bytes"]
    status, checked = verify(t, folder)
    assert status == 0 and checked["generations"] == 2, checked
    assert checked["bytes"] == first["newBytes"] + second["newBytes"], (first, second, checked)
    listed = [(g["generation"], g["state"]) for g in pair.ok("backup", "list", folder)]
    assert listed == [(1, "complete"), (2, "complete")], listed
    assert len(events(t, "backup.started")) == len(events(t, "backup.done")) == 2
    assert events(t, "backup.done")[1]["newBytes"] == second["newBytes"] and events(t, "backup.progress")
    assert not os.path.exists(t.path("archive", "backup")), "the copies are gone once they were fetched"

    # Nobody reads it without the secret.
    everything = b"".join(name.encode() + read(name) for name in files_of(folder))
    for word in ("to you one", "in between", "joe", "bob", "Recipe", picture, pair.archive, pair.sparse, friend.person):
        assert word.encode() not in everything and bytes.fromhex(word) not in everything if len(word) == 64 else \
            word.encode() not in everything, word

    # After it something is said, and the machine is gone.
    talk(pair, friend, "two")
    known = [pair.ok("--node", node, "id") for node in ("archive", "sparse")]
    assert t.stop() == 0
    shutil.rmtree(t.dir)
    friend.says("while you were away")
    status, error = restore(t, folder, secret="wrong")
    assert (status, error["error"]["code"]) == (4, "BAD-SECRET") and not os.path.exists(t.path("keys.json"))
    status, restored = restore(t, folder)
    assert status == 0 and restored["generation"] == 2, restored
    status, error = restore(t, folder)
    assert (status, error["error"]["code"]) == (1, "EXISTS"), error
    assert open_again(t)["federated"]
    assert [pair.ok("--node", node, "id") for node in ("archive", "sparse")] == known

    # Contacts go on without pairing, what was said meanwhile comes back, once, and is known to be there.
    talk(pair, friend, "three")
    expected = friend.hears()
    until(lambda: [text for text, _ in conversation(pair, friend)] == expected, "the conversation is whole")
    assert "while you were away" in expected and expected.count("to you two") == 1
    until(lambda: all(state == "delivered" for text, state in conversation(pair, friend) if text.startswith("to you")),
          "states are true")
    assert pair.ok("--node", "archive", "invite", "list") == [], "an invitation of that time may have been used since"
    pair.ok("wait", "idle")
    assert events(t, "node.restored"), "both nodes are even"
    assert len(read_blob(pair, picture)) == 300000
    third = backup(t, folder)
    assert third["generation"] == 3 and third["newBytes"] < first["newBytes"], third
    friend.end()


def read_blob(pair, picture):
    path = os.path.join(pair.t.top, "got")
    pair.ok("--node", "archive", "blob", "get", picture, "-o", path)
    return read(path)


def test_damage_is_named(t):
    Pair(t)
    folder = os.path.join(t.top, "backup")
    backup(t, folder)
    t.ok = lambda *words: t.cli_json(*words)
    assert t.ok("blob", "put", write(os.path.join(t.top, "more"), os.urandom(200000)))[0] == 0
    backup(t, folder)
    for path in files_of(folder):
        name = os.path.basename(path)
        if name == "lock":
            continue
        good = read(path)
        for bad in (good[:-1], good[:len(good) // 2], b"",
                    *(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:] for at in (0, len(good) // 2, len(good) - 3))):
            write(path, bad)
            status, result = verify(t, folder)
            is_named = status == 1 and (result.get("damaged") or result["error"]["code"] == "BACKUP-DAMAGED")
            is_refused = status == 4 and name in ("key", "keys.json") and result["error"]["code"] == "BAD-SECRET"
            assert is_named or is_refused, (path, status, result)
        os.remove(path)
        status, result = verify(t, folder)
        if name.endswith(".generation"):  # it is then a backup with one less
            assert status == 0 and result["generations"] == 1, result
        else:
            assert status == 1, (path, result)
            assert not name.endswith(".pack") or result["missing"] == [path], result
        write(path, good)
    assert verify(t, folder)[0] == 0

    # What is damaged is not restored, and says so; the generation before is whole.
    pack = next(path for path in files_of(folder) if path.endswith("00000002-0000.pack"))
    good = read(pack)
    write(pack, good[:5000] + b"x" + good[5001:])
    other = Installation()
    status, result = restore(other, folder)
    assert (status, result["error"]["code"]) == (1, "BACKUP-DAMAGED"), result
    shutil.rmtree(other.dir)
    status, result = restore(other, folder, "--generation", "1")
    assert (status, result["generation"]) == (0, 1), result
    other.clean()


def test_a_restore_replaces_nothing_unasked(t):
    pair = Pair(t)
    folder = os.path.join(t.top, "backup")
    backup(t, folder)
    pair.fails("EXISTS", 1, "backup", t.dir)
    pair.fails("NOT-FOUND", 1, "backup", "verify", os.path.join(t.top, "nothing"))
    status, error = restore(t, folder)
    assert (status, error["error"]["code"]) == (1, "ALREADY-RUNNING"), error
    assert t.stop() == 0
    pair.fails("NOT-RUNNING", 3, "backup", folder)
    status, error = restore(t, folder)
    assert (status, error["error"]["code"]) == (1, "EXISTS") and "--replace" in error["error"]["message"], error
    status, result = restore(t, folder, "--replace")
    assert status == 0, result
    assert os.path.exists(t.path("replaced-archive", "store", "store.db"))
    status, error = restore(t, folder, "--replace")
    assert (status, error["error"]["code"]) == (1, "EXISTS") and "replaced-" in error["error"]["message"], error
    open_again(t)


def test_each_secret_opens_its_own_time(t):
    pair = Pair(t)
    folder = os.path.join(t.top, "backup")
    backup(t, folder)
    pair.ok("secret", "change", stdin=f"{SECRET}\n{NEW}\n")
    assert verify(t, folder)[0] == 4, "the running installation has another secret now"
    second = backup(t, folder)
    assert second["generation"] == 2 and second["newBytes"] == second["bytes"], second
    status, checked = verify(t, folder)
    assert status == 0 and (checked["generations"], checked["unopened"]) == (1, 1), checked
    secret = write(os.path.join(t.top, "secret"), SECRET.encode() + b"\n")
    os.chmod(secret, 0o600)
    status, checked = verify(t, folder, "--secret-file", secret)
    assert status == 0 and (checked["generations"], checked["unopened"]) == (1, 1), checked
    assert t.stop() == 0
    for wanted, secret in ((1, SECRET), (2, NEW)):
        other = Installation()
        status, result = restore(other, folder, secret=secret)
        assert (status, result.get("generation")) == (0, wanted), result
        if wanted == 1:
            open_again(other, secret)
            assert other.stop() == 0
        other.clean()


def twice(pair):
    """What the archive of an installation noticed: whose instance, and whether that is its own."""
    return {(e["personId"], e["own"]) for e in events(pair.t, "instance.twice") if e["code"] == "INSTANCE-TWICE"}


def test_a_copy_beside_its_original_is_named(t):
    pair = Pair(t)
    friend = Friend(pair, "archive", "bob")
    folder = os.path.join(t.top, "backup")
    backup(t, folder)
    talk(pair, friend, "one")
    assert pair.ok("restart", "archive") == {}  # comes again, as another run, which is no copy
    talk(pair, friend, "two")
    assert not twice(pair) and not twice(friend.pair)
    other = Installation()
    assert restore(other, folder)[0] == 0
    open_again(other)
    until(lambda: (pair.archive, False) in twice(friend.pair), "the contact met both")
    until(lambda: (pair.archive, True) in twice(pair), "the contact tells the original")
    warnings = pair.ok("status")["archive"]["warnings"]
    assert any("INSTANCE-TWICE" in warning for warning in warnings), warnings
    status, health = pair.cli("--node", "archive", "health")
    assert status == 1 and health["health"] == "degraded" and health["twice"] >= 1, health
    status, report = pair.cli("doctor")
    checks = [c for c in report["checks"] if c["check"] == "copies"]
    assert status == 1 and False in {c["ok"] for c in checks}, report
    assert any(e["code"] == "INSTANCE-TWICE" for e in pair.ok("--node", "archive", "report", "--errors", "auth")), "report"
    other.stop()
    other.clean()
    friend.end()


if __name__ == "__main__":
    main(globals())
