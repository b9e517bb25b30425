"""What is said of an installation's health is so: nothing is missed, and nobody is alarmed for nothing."""
import json
import os
import signal
import socket
import subprocess

from control import BIN, SECRET, Installation, main, until
from nodes import Pair, dumps, read, write

PARTS = ("webSocketServer", "browserConnection", "invitationCreation", "cryptoRegistration", "handshake", "chum")


def checks(t):
    status, result = t.cli_json("doctor")
    assert status == (0 if result["healthy"] else 1), result
    found = {}
    for check in result["checks"]:
        found.setdefault(check["check"], []).append(check)
    return result["healthy"], found


def bad(t):
    """{check: message} of what the doctor complains about; each says what to do."""
    complaints = [check for check in t.cli_json("doctor")[1]["checks"] if not check["ok"]]
    assert all(check["advice"] for check in complaints), complaints
    return {check["check"]: check["message"] for check in complaints}


def components(t):
    shown = t.cli_json("status")[1]["components"]
    assert set(shown) == set(PARTS) and all(part["reason"] for part in shown.values()), shown
    return {name: part["state"] for name, part in shown.items()}


def zero(path, offset, size):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(bytes(size))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_the_running_supervisor_is_asked_not_the_own_environment(t):
    t.environment["TANDEM_SYNC_NO_IMPORT"] = "sparse"
    t.up("--listen", "localhost:0")
    del t.environment["TANDEM_SYNC_NO_IMPORT"]
    assert "sync.no_import is sparse" in bad(t)["directions"]
    t.stop()
    t.up("--listen", "localhost:0")
    t.environment["TANDEM_SYNC_NO_IMPORT"] = "archive"
    assert "directions" not in bad(t)
    with open(t.path("tandem.conf"), "w") as file:
        file.write("[log]\nlevel = loud\n")
    assert "line 2" in bad(t)["settings"]  # what the next start would stumble over


def test_each_damaged_file_of_a_closed_store_is_named(t):
    Pair(t)
    assert t.stop() == 0 and bad(t) == {}
    keys = sorted(name for name in os.listdir(t.path("sparse", "private")) if name.endswith(".sign"))[0]
    for path, damage, check, words in (
            (("sparse", "store", "store.db"), lambda p: zero(p, 4096, 4 * 4096), "sparse store", "is damaged"),
            (("sparse", "store", "store.db"), os.unlink, "sparse store", "there is no store"),
            (("archive", "store", "store.db"), lambda p: zero(p, 8192, 8192), "archive store", "is damaged"),
            (("archive", "store", "store.db"), os.unlink, "archive store", "is missing"),
            (("archive", "store", "store.db"), lambda p: write(p, b""), "archive store", "is empty"),
            (("archive", "private", "keychain_masterkey"), lambda p: write(p, b"x" * 71), "archive keys", "71 bytes"),
            (("archive", "private", "keychain_masterkey"), os.unlink, "archive keys", "no master key"),
            (("sparse", "private", keys), lambda p: write(p, b""), "sparse keys", "0 bytes"),
            (("sparse", "private", keys), os.unlink, "sparse keys", "no partner"),
            (("sparse.keys",), lambda p: write(p, read(p)[:-70]), "sparse key copy", "damaged"),
            (("keys.json",), lambda p: write(p, b"{}"), "keys", "keys.json"),
            (("installation.json",), lambda p: write(p, b"{"), "installation", "damaged"),
            (("installation.json",), os.unlink, "installation", "installation.json"),
            (("format",), lambda p: write(p, b"?"), "format", "format")):
        whole = read(t.path(*path))
        damage(t.path(*path))
        found = bad(t)
        assert set(found) == {check} and words in found[check], (path, found)
        write(t.path(*path), whole)
        assert bad(t) == {}, path


def test_what_keeps_a_node_from_opening_is_repeated(t):
    Pair(t)
    assert t.stop() == 0
    os.unlink(t.path("sparse", "store", "store.db"))
    t.up("--listen", "localhost:0")
    status, refused = t.cli_json("provision", stdin=SECRET + "\n")
    code = refused["error"]["code"]
    assert status == 1 and code == "STORE-MISSING", refused
    failure = t.cli_json("status")[1]["sparse"]["failure"]
    assert failure["code"] == code and failure["message"] in refused["error"]["message"] and failure["hint"], failure
    found = bad(t)
    assert code in found["sparse"] and "no store" in found["sparse store"] and "archive" not in found, found
    assert f"({code})" in t.cli("status")[1]
    until(lambda: components(t)["chum"] == components(t)["handshake"] == "failing", "the board shows it")


def test_a_port_taken_before_the_start_is_seen(t):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        os.makedirs(t.dir, 0o700)
        with open(t.path("tandem.conf"), "w") as file:
            file.write(f"[listen]\naddress = localhost:{taken.getsockname()[1]}\n")
        assert "taken by another program" in bad(t)["port"]
    assert "port" not in bad(t)


def test_the_public_address_is_tried(t):
    port, other = free_port(), free_port()
    pair = Pair(t, "--listen", f"localhost:{port}", "--public-url", f"ws://localhost:{port}")
    healthy, found = checks(t)
    assert healthy and "opens after" in found["public address"][0]["message"], found
    t.stop()
    t.up("--listen", f"localhost:{port}", "--public-url", f"ws://localhost:{other}")
    pair.ok("provision", stdin=SECRET + "\n")
    assert "UNREACHABLE" in bad(t)["public address"]
    with socket.socket() as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        silent.bind(("127.0.0.1", other))
        silent.listen()
        shouting = subprocess.Popen(["python3", "-c", "import socket,sys; s=socket.socket(fileno=0)\nwhile True:\n "
                                     "c=s.accept()[0]; c.recv(4096); c.sendall(b'HTTP/1.1 200 OK\\r\\n\\r\\n'); c.close()"],
                                    stdin=silent)
        try:
            assert "NOT-A-NODE" in bad(t)["public address"]  # something listens there, and it is something else
        finally:
            shouting.kill()
            shouting.wait()


def test_a_relay_that_is_away_is_named(t):
    relay = subprocess.Popen([os.path.join(BIN, "tandem"), "relay", "--json", "--listen", "localhost:0"],
                             env=t.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        url = json.loads(relay.stdout.readline())["url"]
        Pair(t, "--relay", url)
        until(lambda: checks(t)[0], "the archive is registered there")
        assert url + ", registered" in checks(t)[1]["relay"][0]["message"]
    finally:
        relay.terminate()
        relay.wait()
        relay.stdout.close()
    found = until(lambda: bad(t), "it is away")
    assert set(found) == {"relay"} and "UNREACHABLE" in found["relay"], found


def test_a_node_that_does_not_answer_is_named(t):
    """The first question tells it, and nothing that only the node knows is waited for."""
    joe = Pair(t)
    pid = t.call("status")["archive"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        status = t.call("status")
        assert status["archive"]["failure"]["code"] == "NODE-DOWN" and status["sparse"]["failure"] is None, status
        assert "does not answer" in bad(t)["archive"]
        assert components(t)["chum"] == "failing"
        status, health = t.cli_json("health")
        assert (status, health["health"]) == (1, "degraded"), health
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: t.call("status")["archive"]["failure"] is None, "it answers again")
    assert joe.ok("status")["archive"]["pid"] == pid


def test_the_board_shows_what_works(t):
    t.up("--listen", "localhost:0")
    until(lambda: components(t) == dict.fromkeys(PARTS, "idle"), "nothing is asked for yet")
    assert t.cli("provision", "--user", "joe", stdin=SECRET)[0] == 0
    until(lambda: components(t) == dict.fromkeys(PARTS, "working"), "everything works")
    shown = t.cli("status")[1]
    assert all(f"{name:18}  working" in shown for name in PARTS), shown
    pair_archive = t.cli_json("status")[1]["archive"]["personId"]
    assert t.cli("--node", "sparse", "contact", "disable", pair_archive, "--yes")[0] == 0
    until(lambda: components(t)["chum"] == "failing", "the own nodes are apart")
    until(lambda: components(t)["webSocketServer"] == components(t)["cryptoRegistration"] == "working", "the rest works")
    until(lambda: t.cli_json("doctor")[1]["components"]["chum"]["state"] == "failing", "doctor shows it")
    assert t.cli("contact", "enable", pair_archive)[0] == 0 and t.cli("wait", "federated")[0] == 0
    assert t.cli("listener", "stop")[0] == 0
    until(lambda: (now := components(t))["webSocketServer"] == "idle" and now["invitationCreation"] == "failing",
          "nobody can come in")


def test_a_friend_who_is_away_is_known_and_no_alarm(t):
    pair = Pair(t)
    until(lambda: pair.cli("health")[1]["health"] == "healthy", "both see each other")
    friend = Installation()
    try:
        other = Pair(friend, user="ann")
        other.ok("pair", "-", stdin=dumps(pair.ok("invite")))
        ann = other.archive
        whole = {"reached": 3, "unreached": [], "connectionRatio": 1}  # once, of two that met, one connection is closed
        until(lambda: {name: pair.cli("health")[1][name] for name in whole} == whole, "she is connected")
        friend.process.send_signal(signal.SIGTERM)
        assert friend.wait_exit() == 0
    finally:
        friend.clean()
    status, away = until(lambda: (h := pair.cli("health"))[1]["unreached"] == [ann] and h, "she is away")
    assert status == 1 and away["health"] == "degraded" and 0 < away["connectionRatio"] < 1, away
    assert (away["contacts"], away["reached"]) == (3, 2), away
    until(lambda: pair.cli("--node", "sparse", "health")[1]["health"] == "healthy", "she is not its to reach")
    healthy, found = checks(t)
    assert "Everything looks well" not in t.cli("doctor")[1] and t.cli_json("doctor")[1]["degraded"]
    assert healthy and any("not now: " in check["message"] and "ann" in check["message"] for check in found["contacts"]), found
    pair.ok("contact", "disable", ann)
    until(lambda: pair.cli("health")[1]["health"] == "healthy", "nobody is missed who is switched off")
    until(lambda: "Everything looks well" in t.cli("doctor")[1], "the doctor agrees")


if __name__ == "__main__":
    main(globals())
