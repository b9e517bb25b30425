"""The control endpoint: out of order, acting once, losing no event, saying what is wrong."""
import json
import os
import shutil
import socket
import stat
import struct
import subprocess

from control import SECRET, fails_with, main, until


def test_a_waiting_provision_does_not_delay_status(t):
    t.up(FAKE_FEDERATE_MS="-1")
    client = t.client()
    waiting = client.send("provision", user="joe", secret=SECRET)
    for _ in range(20):
        request = client.send("status")
        answered, answer = client.receive()  # on the same connection, behind the waiting call
        assert answered == request and answered != waiting
        assert answer["result"]["federated"] is False


def test_the_same_mutating_request_twice_acts_once(t):
    t.up()
    t.provision()
    one = t.call("chat.send", to="01234567", text="hello", opId="op-1")
    two = t.call("chat.send", to="01234567", text="hello", opId="op-1")
    assert one == two
    assert len(t.call("chat.list", **{"with": "01234567"})["items"]) == 1
    t.call("chat.send", to="01234567", text="hello", opId="op-2")
    assert len(t.call("chat.list", **{"with": "01234567"})["items"]) == 2


def test_a_repeated_provision_joins_the_first_and_later_gets_its_result(t):
    t.up(FAKE_FEDERATE_MS="300")
    first, second = t.client(), t.client()
    first.send("provision", user="joe", secret=SECRET, opId="p")
    second.send("provision", user="joe", secret=SECRET, opId="p")
    a, b = first.receive()[1]["result"], second.receive()[1]["result"]
    assert a == b and a["created"] is True
    assert t.call("provision", user="joe", secret=SECRET, opId="p") == a
    assert t.provision()["created"] is False


def test_ten_thousand_events_in_a_burst_are_all_read(t):
    t.up()
    t.provision()
    start = t.call("events.since")["next"]
    page = t.call("events.since", seq=start)
    position = {"bootId": page["bootId"], "seq": page["next"]}
    client = t.client()
    request = client.send("object.put", object={"$type$": "Burst", "count": 9000})
    client.receive()
    seen = []
    while len(seen) < 9000:
        page = t.call("events.since", **position, limit=1000, waitMs=5000)
        assert not page["gap"]
        seen += [event["data"]["i"] for event in page["events"] if event["event"] == "object.stored"]
        position["seq"] = page["next"]
    assert seen == list(range(1, 9001))
    # A reader that slept through more than the ring holds is told.
    client.send("object.put", object={"$type$": "Burst", "count": 10000})
    client.receive()
    last = until(lambda: (lambda n: n if n >= position["seq"] + 10000 else 0)(
        t.call("events.since", seq=2 ** 40)["next"] and count(t, position)), "the second burst")
    assert t.call("events.since", bootId=position["bootId"], seq=1)["gap"]
    assert last


def count(t, position):
    """The newest number, without reading everything."""
    low = position["seq"]
    while True:
        page = t.call("events.since", bootId=position["bootId"], seq=low, limit=1000)
        low = page["next"]
        if not page["events"]:
            return low


def test_hints_arrive_at_a_subscriber(t):
    t.up()
    with open(t.path("run", "control.json")) as file:
        events = json.load(file)["events"]
    subscriber = socket.socket(socket.AF_UNIX)
    subscriber.settimeout(10)
    subscriber.connect(events[len("ipc://"):])
    subscriber.sendall(b"\0SP\0" + struct.pack(">HH", 0x21, 0))  # SUB; PUB filters at our side only
    assert subscriber.recv(8) == b"\0SP\0" + struct.pack(">HH", 0x20, 0)
    t.provision()
    head = subscriber.recv(9)
    body = json.loads(subscriber.recv(struct.unpack(">Q", head[1:])[0]))
    assert set(body) == {"bootId", "seq", "node", "event", "time"}


def test_what_is_no_request_is_named(t):
    t.up()
    client = t.client()
    for body, code in ((b"hello", "BAD-JSON"), (b"GET / HTTP/1.1\r\n\r\n", "BAD-JSON"), (b"[]", "BAD-REQUEST"),
                       (b'{"id":1,"method":"status"}', "BAD-REQUEST"), (b'{"jsonrpc":"2.0","method":"status"}', "BAD-REQUEST"),
                       (b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', "BAD-TEXT"), (b"", "BAD-JSON")):
        client.send_bytes(body)
        error = client.receive()[1]["error"]
        assert error["data"]["code"] == code, (body, error)
        assert error["message"] and error["data"]["hint"]
    assert fails_with("UNKNOWN-METHOD", client.call, "no.such").number == -32601
    assert fails_with("UNKNOWN-METHOD", client.call, "node.stop").number == -32601
    assert "'secret'" in str(fails_with("BAD-PARAMS", client.call, "provision", user="joe"))
    assert fails_with("BAD-PARAMS", client.call, "status", extra=1).number == -32602
    fails_with("NOT-PROVISIONED", client.call, "contacts.list")
    assert client.call("status")["archive"]["state"] == "unprovisioned"


def test_a_message_over_the_limit_ends_only_its_connection(t):
    t.up()
    client = t.client()
    client.socket.sendall(b"\1" + struct.pack(">Q", 2 ** 40))
    try:
        assert client.socket.recv(1) == b""
    except ConnectionError:
        pass
    assert t.call("status")["supervisor"]["pid"] == t.process.pid


def test_sockets_belong_to_the_user_alone(t):
    t.up()
    for name in ("control.sock", "events.sock", "archive.sock", "sparse.sock"):
        mode = os.stat(t.path("run", name)).st_mode
        assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600, (name, oct(mode))
    assert stat.S_IMODE(os.stat(t.dir).st_mode) == 0o700
    for name in ("supervisor.log", "archive.log", "sparse.log"):
        assert stat.S_IMODE(os.stat(t.path("log", name)).st_mode) == 0o600


def test_a_long_state_path_moves_the_sockets(t):
    t.dir = os.path.join(t.top, "x" * 120)
    t.environment["TANDEM_STATE_DIR"] = t.dir
    t.up()
    folder = os.path.dirname(t.socket_path)
    assert folder.startswith(f"/tmp/tandem-{os.getuid()}-") and len(t.socket_path) <= 107
    assert t.cli_json("status")[0] == 0
    t.stop()
    assert not os.path.exists(folder)


def test_nngcat_asks_for_status_and_provisions(t):
    nngcat = shutil.which("nngcat")
    if nngcat is None:
        print("skipped: nngcat (package nng-utils) is not installed")
        return
    url = t.up()["control"]

    def ask(request):
        return json.loads(subprocess.run([nngcat, "--req", "--connect", url, "--data", json.dumps(request), "--ascii"],
                                         capture_output=True, timeout=20, check=True).stdout)

    assert ask({"jsonrpc": "2.0", "id": 1, "method": "status"})["result"]["archive"]["state"] == "unprovisioned"
    answer = ask({"jsonrpc": "2.0", "id": 2, "method": "provision", "params": {"user": "joe", "secret": SECRET}})
    assert answer["result"]["federated"] is True


def test_the_javascript_of_the_documentation_works(t):
    node = shutil.which("node")
    if node is None:
        print("skipped: node is not installed")
        return
    t.up()
    docs = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "ipc.md")
    with open(docs, encoding="utf-8") as file:
        program = file.read().split("```js\n")[1].split("```")[0]
    path = os.path.join(t.top, "ask.js")
    with open(path, "w", encoding="utf-8") as file:
        file.write(program)
    out = subprocess.run([node, path, t.socket_path], capture_output=True, text=True, timeout=20, check=True).stdout
    assert f"pid: {t.process.pid}" in out, out


main(globals())
