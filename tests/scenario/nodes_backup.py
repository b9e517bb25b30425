"""Backups of a running installation: what they hold, who can read them, and what is said of damage."""
import os
import shutil
import signal
import subprocess

from control import BIN, SECRET, Installation, fails_with, main, until
from nodes import Pair, read, write

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
        if name == "00000001-0000.pack":  # most of what there is
            lines = t.cli("backup", "verify", folder)[1].splitlines()
            shown = [line.split()[1] for line in lines if line.startswith("damaged  ")]
            everything = [one["what"] for one in result["damaged"]]
            assert len(shown) == 10 and shown == everything[:10] and f"Damaged      {len(everything)}" in lines, lines
            assert f"and {len(everything) - 10} more of {len(everything)}; --json has all" in lines, lines
            assert f"missing  {path}" in lines and len(lines) < 30, lines
        write(path, good)
    assert verify(t, folder)[0] == 0

    # What is damaged is not restored, and says so; the generation before is whole.
    pack = next(path for path in files_of(folder) if path.endswith("00000002-0000.pack"))
    good = read(pack)
    write(pack, good[:5000] + b"x" + good[5001:])
    other = Installation()
    status, result = restore(other, folder)
    assert (status, result["error"]["code"]) == (1, "BACKUP-DAMAGED"), result
    checks = {check["check"]: check["ok"] for check in other.cli_json("doctor")[1]["checks"]}
    assert checks["restore"] is False, checks  # half of it is there
    status, result = restore(other, folder, "--generation", "1")
    assert (status, result["generation"]) == (0, 1), result
    assert "restore" not in {check["check"] for check in other.cli_json("doctor")[1]["checks"]}
    other.clean()


def test_a_restore_replaces_nothing_unasked(t):
    pair = Pair(t)
    folder = os.path.join(t.top, "backup")
    made = backup(t, folder)
    assert verify(t, folder)[1]["objects"] == made["objects"], made
    os.symlink(t.dir, os.path.join(t.top, "link"))
    for inside in (t.dir, t.path("backup"), t.path("a", "b"), os.path.join(t.top, "link", "backup")):
        assert "elsewhere" in pair.fails("BAD-INPUT", 4, "backup", inside)["message"]
    assert not os.path.exists(t.path("a")) and not os.path.exists(t.path("backup"))
    pair.fails("EXISTS", 1, "backup", os.path.dirname(write(os.path.join(os.path.dirname(folder), "x"), b"")))
    pair.fails("NOT-FOUND", 1, "backup", "verify", os.path.join(t.top, "nothing"))
    status, error = restore(t, folder)
    assert (status, error["error"]["code"]) == (1, "ALREADY-RUNNING"), error
    assert t.stop() == 0
    pair.fails("NOT-RUNNING", 3, "backup", folder)
    status, error = restore(t, folder)
    assert (status, error["error"]["code"]) == (1, "EXISTS") and "--replace" in error["error"]["message"], error
    status, result = restore(t, folder, "--replace")
    assert (status, result["objects"]) == (0, made["objects"]), (result, made)
    assert os.path.exists(t.path("replaced-archive", "store", "store.db"))
    assert os.path.exists(t.path("replaced-keys.json.copy")) and not os.path.exists(t.path("keys.json.copy"))
    status, error = restore(t, folder, "--replace")
    assert (status, error["error"]["code"]) == (1, "EXISTS") and "replaced-" in error["error"]["message"], error
    open_again(t)
    assert t.stop() == 0
    write(t.path("wiping"), b"\n")  # a wipe was broken off: it ends before something comes, not with it
    assert restore(t, folder)[0] == 0
    open_again(t)


def test_each_secret_opens_its_own_time(t):
    pair = Pair(t)
    folder = os.path.join(t.top, "backup")
    backup(t, folder)
    client = t.client()
    begun = client.call("backup.begin", takeOver=True)
    fails_with("BUSY", t.call, "backup.begin")
    for _ in range(10):  # what is dropped is never what was asked for since
        client.call("backup.end", backup=begun["backup"])
        begun = client.call("backup.begin")
        for node in ("archive", "sparse"):
            assert sorted(os.listdir(t.path(node, "backup"))) == ["files", "keys", "store.db"], node
    pair.ok("secret", "change", stdin=f"{SECRET}\n{NEW}\n")
    fails_with("BUSY", t.call, "backup.key")  # it would be sealed for another secret than what it seals
    fails_with("NOT-FOUND", t.call, "backup.progress", backup="another", done=1, total=2)
    assert client.call("backup.end", backup=begun["backup"], code="CLOSED") == {}
    assert events(t, "backup.failed")[-1:] == [{"backup": begun["backup"], "code": "CLOSED"}]
    assert verify(t, folder)[0] == 4, "the running installation has another secret now"
    second = backup(t, folder)
    assert second["generation"] == 2 and second["newBytes"] == second["bytes"], second
    status, checked = verify(t, folder)
    assert status == 0 and (checked["generations"], checked["unopened"]) == (1, 1), checked
    secret = write(os.path.join(t.top, "secret"), SECRET.encode() + b"\n")
    os.chmod(secret, 0o600)
    status, checked = verify(t, folder, "--secret-file", secret)
    assert status == 0 and (checked["generations"], checked["unopened"]) == (1, 1), checked
    pair.ok("secret", "change", stdin=f"{NEW}\n{SECRET}\n")
    assert backup(t, folder)["generation"] == 3
    assert t.stop() == 0
    for path in files_of(folder):  # as a copy of the folder may have them
        os.utime(path, (0, 2000000000 if path.endswith("00000001.generation") else 1000000000))
    for wanted, secret in ((3, SECRET), (2, NEW)):
        other = Installation()
        status, result = restore(other, folder, secret=secret)
        assert (status, result.get("generation")) == (0, wanted), result
        if wanted == 3:
            open_again(other, secret)
            assert other.stop() == 0
        other.clean()


def test_a_backup_is_given_up_while_the_nodes_still_copy(t):
    pair = Pair(t)
    folder = os.path.join(t.top, "backup")
    node = pair.ok("status")["sparse"]["pid"]
    os.kill(node, signal.SIGSTOP)
    try:
        copying = subprocess.Popen([os.path.join(BIN, "tandem"), "--state-dir", t.dir, "backup", folder],
                                   stderr=subprocess.DEVNULL)
        until(lambda: events(t, "backup.started"), "the nodes are asked for their copies")
        copying.send_signal(signal.SIGINT)
        assert copying.wait(timeout=30) == -signal.SIGINT
    finally:
        os.kill(node, signal.SIGCONT)
    until(lambda: events(t, "backup.failed"), "the supervisor notices that nobody waits")
    assert events(t, "backup.failed")[0]["code"] == "CLOSED" and not os.path.exists(folder)
    until(lambda: not any(os.path.exists(t.path(node, "backup")) for node in ("archive", "sparse")), "nothing of it is left")
    assert backup(t, folder)["generation"] == 1


def test_what_is_deleted_meanwhile_is_in_the_backup(t):
    pair = Pair(t)
    photo = write(os.path.join(t.top, "photo"), os.urandom(300000))
    pair.send("archive", "a photo", "--attach", photo)
    pair.arrives("sparse", "a photo")
    pair.ok("wait", "idle")
    client = t.client()
    begun = client.call("backup.begin")
    named = [line.split()[0] for line in read(t.path("archive", "backup", "files")).decode().splitlines()]
    places = [t.path("archive", "store", "objects", name[:2], name) for name in named]
    assert places and all(os.path.exists(place) for place in places)
    pair.ok("chat", "delete", "--with", pair.archive, "--yes")
    until(lambda: any(e.get("freed") for e in events(t, "deletion.progress")), "it is deleted")
    pair.send("archive", "goes on")
    pair.arrives("sparse", "goes on")
    pair.ok("wait", "idle")
    assert all(os.path.exists(place) for place in places), "the copy names them"
    client.call("backup.end", backup=begun["backup"])
    until(lambda: not all(os.path.exists(place) for place in places), "their bytes go when the copy has gone")


if __name__ == "__main__":
    main(globals())
