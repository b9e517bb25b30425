"""The life of an installation with real nodes: start, stop, secrets, lost stores, wiping, taken ports."""
import os
import shutil
import socket
import time

from control import SECRET, Installation, main, snapshot, until, within
from nodes import Pair, read, write


def without_lock(t):
    files = snapshot(t.dir)
    files.pop(t.path("lock"), None)  # holds the pid of the last supervisor
    return files


def test_everything_is_there_after_a_restart_of_all(t):
    pair = Pair(t)
    pair.send("sparse", "remember me")
    pair.arrives("archive", "remember me")
    began = time.monotonic()
    assert t.stop() == 0 and time.monotonic() - began < within(2.5)
    t.up("--listen", "localhost:0")
    again = pair.ok("provision", stdin=SECRET + "\n")
    for node in ("archive", "sparse"):
        assert again[node]["personId"] == pair.provisioned[node]["personId"]
        assert again[node]["instanceId"] == pair.provisioned[node]["instanceId"]
    assert again["created"] is False and again["federated"]
    assert pair.texts("sparse") == pair.texts("archive") == ["remember me"]
    pair.send("archive", "still here")
    pair.arrives("sparse", "still here")


def test_a_wrong_secret_changes_nothing(t):
    pair = Pair(t)
    assert t.stop() == 0
    before = without_lock(t)
    t.up("--listen", "localhost:0")
    pair.fails("BAD-SECRET", 4, "provision", stdin="wrong\n")
    assert t.call("status")["archive"]["state"] == "unprovisioned"
    assert t.stop() == 0
    assert without_lock(t) == before


def test_a_lost_store_is_named_and_made_anew_only_when_asked(t):
    pair = Pair(t)
    pair.send("sparse", "kept by the archive")
    pair.arrives("archive", "kept by the archive")
    assert t.stop() == 0
    shutil.rmtree(t.path("sparse"))
    t.up("--listen", "localhost:0")
    pair.fails("STORE-MISSING", 1, "provision", stdin=SECRET + "\n")
    made = pair.ok("provision", "--recreate", "sparse", stdin=SECRET + "\n")
    assert made["archive"]["personId"] == pair.archive and made["federated"]
    pair.send("archive", "welcome back")
    pair.arrives("sparse", "welcome back")
    assert pair.texts("sparse") == ["kept by the archive", "welcome back"]


def test_what_is_left_of_the_sparse_store_is_not_taken_for_it(t):
    pair = Pair(t)
    pair.send("sparse", "kept by the archive")
    pair.arrives("archive", "kept by the archive")
    database = t.path("sparse", "store", "store.db")
    for damage in ("removed", "emptied", "cut short"):
        assert t.stop() == 0
        size = os.path.getsize(database)
        if damage == "removed":
            os.remove(database)
        else:
            os.truncate(database, 0 if damage == "emptied" else size // 2)
        left = snapshot(t.path("sparse", "store"))
        t.up("--listen", "localhost:0")
        pair.fails("STORE-MISSING", 1, "provision", stdin=SECRET + "\n")
        assert snapshot(t.path("sparse", "store")) == left, damage
        pair.ok("provision", "--recreate", "sparse", stdin=SECRET + "\n")
        until(lambda: "kept by the archive" in pair.texts("sparse"), damage)


def test_wiping_leaves_nothing(t):
    pair = Pair(t)
    assert pair.ok("deprovision", "--wipe", "--yes") == {"wiped": True}
    assert t.call("status")["archive"]["state"] == "unprovisioned"
    fresh = pair.ok("provision", "--user", "other", stdin="another secret\n")
    assert fresh["created"] and fresh["archive"]["personId"] != pair.archive


def test_a_taken_port_is_named(t):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, result = t.cli_json("up", "--listen", f"localhost:{port}")
        assert result["error"]["code"] == "PORT-TAKEN" and result["error"]["hint"], result
        assert status == 1 and str(port) in result["error"]["message"] and not os.path.exists(t.path("keys.json"))
    t.up("--listen", f"localhost:{port}")
    with socket.socket() as taken:  # between the start and the provision
        taken.bind(("127.0.0.1", port))
        taken.listen()
        status, result = t.cli_json("provision", "--user", "joe", stdin=SECRET + "\n")
        assert (status, result["error"]["code"]) == (1, "PORT-TAKEN"), result


def test_the_port_is_kept_for_the_next_start(t):
    first = Pair(t).provisioned["archive"]["url"]
    assert t.stop() == 0
    t.up("--listen", "localhost:0")
    status, result = t.cli_json("provision", stdin=SECRET + "\n")
    assert result["archive"]["url"] == first


def test_a_changed_port_heals(t):
    pair = Pair(t)
    assert t.stop() == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(pair.provisioned["archive"]["url"].rsplit(":", 1)[1])))
        taken.listen()
        t.up("--listen", "localhost:0")
        result = pair.ok("provision", stdin=SECRET + "\n")
        assert result["federated"] and result["archive"]["url"] != pair.provisioned["archive"]["url"]
        pair.send("sparse", "found you")
        pair.arrives("archive", "found you")


def test_an_archive_on_every_address_is_known_by_its_first_name(t):
    t.environment["TANDEM_LISTEN_HOSTS"] = "anna.invalid 192.0.2.7"
    pair = Pair(t, "--listen", "0.0.0.0:0")  # the nodes meet although that name leads nowhere
    assert pair.provisioned["federated"]
    listening = pair.ok("status")["archive"]["listeners"][0]["url"]
    assert listening.startswith("ws://0.0.0.0:")
    known = listening.replace("0.0.0.0", "anna.invalid")
    assert pair.ok("invite")["url"] == known
    assert pair.ok("--node", "archive", "id")["url"] == known
    assert known in [endpoint["url"] for endpoint in pair.ok("--node", "archive", "profile", "get")["endpoints"]]


def test_an_archive_on_every_address_needs_a_name(t):
    status, result = t.cli_json("up", "--listen", "0.0.0.0:0")
    assert (status, result["error"]["code"]) == (1, "HOSTS-MISSING") and "--host" in result["error"]["hint"], result
    pair = Pair(t, "--listen", "0.0.0.0:0", "--host", "anna.invalid")
    assert "anna.invalid" in pair.ok("invite")["url"]


def test_a_lost_record_does_not_cost_the_keys(t):
    pair = Pair(t)
    assert t.stop() == 0
    keys, record = read(t.path("keys.json")), read(t.path("installation.json"))
    for name in ("installation.json", "installation.json.copy"):
        os.unlink(t.path(name))
    t.up("--listen", "localhost:0")
    for user in ("joe", "somebody"):
        status, result = t.cli_json("provision", "--user", user, stdin=SECRET + "\n")
        assert (status, result["error"]["code"]) == (1, "STORE-CORRUPT") and "installation.json" in result["error"]["message"]
        assert read(t.path("keys.json")) == keys and not os.path.exists(t.path("installation.json"))
    t.stop()
    write(t.path("installation.json"), record)
    t.up("--listen", "localhost:0")
    assert pair.ok("provision", stdin=SECRET + "\n")["federated"]


def test_two_installations_do_not_disturb_each_other(t):
    one = Pair(t)
    second = Installation()
    try:
        two = Pair(second, user="ann")
        one.send("sparse", "mine")
        two.send("sparse", "hers")
        one.arrives("archive", "mine")
        two.arrives("archive", "hers")
        assert one.texts("archive") == ["mine"] and two.texts("archive") == ["hers"]
        assert second.stop() == 0
    finally:
        second.clean()


if __name__ == "__main__":
    main(globals())
