"""The life of connections as it can be watched: states in the order of the protocol, what they carried, why they ended."""
import base64
import json
import os
import socket

from control import Installation, main, until
from nodes import Pair, dumps, refused_elsewhere
from nodes_events import told

DIALLED = ["connecting", "connected", "encrypting", "encrypted", "authenticating", "authenticated"]


def states(installation, node, connection):
    events = installation.call("events.since", limit=1000)["events"]
    mine = [e["data"] for e in events if e["event"] == "connection.state" and e["node"] == node
            and e["data"]["id"] == connection["id"]]
    assert all(a["state"] == b["from"] for a, b in zip(mine, mine[1:]))
    return [mine[0]["from"]] + [d["state"] for d in mine]


def ended(pair, node="sparse", **expected):
    def find():
        items = pair.ok("--node", node, "connections", "--ended")
        return next((c for c in items if not c["live"] and c["closedAt"] and expected.items() <= c.items()), None)
    return until(find, f"an ended connection {expected}")


def test_states_come_in_the_order_of_the_protocol(t):
    pair = Pair(t)
    pairing = ended(pair, protocol="pairing")
    assert states(t, "sparse", pairing) == ["initializing", *DIALLED, "pairing", "paired", "closing", "closed"]
    assert [s["state"] for s in pairing["steps"]] == [*DIALLED, "pairing", "paired", "closing"]
    said = {s["state"]: s["messages"] for s in pairing["steps"]}
    assert sum(said.values()) == pairing["messageCount"] == pairing["messagesSent"] + pairing["messagesReceived"]
    assert said == {"connecting": 0, "connected": 1, "encrypting": 3, "encrypted": 2, "authenticating": 10,
                    "authenticated": 1, "pairing": 2, "paired": 0, "closing": 0}
    theirs = ended(pair, "archive", protocol="pairing")
    assert [s["state"] for s in theirs["steps"]] == [*DIALLED[1:], "pairing", "paired", "closing"]
    assert theirs["state"] == theirs["currentState"] == "closed"
    for synonym, name in (("internalId", "id"), ("connectionId", "id"), ("startTime", "createdAt")):
        assert pairing[synonym] == pairing[name]
    assert sum(s["ms"] for s in pairing["steps"]) <= pairing["closedAt"] - pairing["createdAt"] + 5
    chum = pair.ok("connections")[0]
    assert states(t, "sparse", chum) == ["initializing", *DIALLED, "active"]
    accepted = pair.ok("--node", "archive", "connections")[0]
    assert states(t, "archive", accepted) == ["initializing", *DIALLED[1:], "active"]
    assert told(t, "connection.opened", id=chum["id"], direction="out")["url"] == chum["url"]


def test_the_plugins_count_what_they_handle(t):
    pair = Pair(t)
    before = {p["name"]: p for p in pair.ok("connections")[0]["plugins"]}
    assert list(before) == ["websocket", "encryption", "keepalive", "fragmentation"]
    text = base64.b64encode(os.urandom(90000)).decode()  # more than one fragment, also when it is packed
    pair.send("sparse", text)
    pair.arrives("archive", text)
    connection = pair.ok("connections")[0]
    after = {p["name"]: p for p in connection["plugins"]}
    for name in ("websocket", "encryption", "fragmentation"):
        assert after[name]["sent"] > before[name]["sent"] and after[name]["received"] > before[name]["received"]
        assert connection["createdAt"] <= after[name]["addedAt"]
    assert after["encryption"]["sent"] > after["fragmentation"]["sent"]
    assert after["websocket"]["sent"] == connection["messagesSent"] and connection["bytesSent"] > 90000


def test_who_ended_it_and_why_is_kept(t):
    pair = Pair(t)
    pair.ok("--node", "sparse", "contact", "disable", pair.archive, "--yes")
    mine = ended(pair, protocol="chum", state="closed")
    theirs = ended(pair, "archive", protocol="chum")
    assert mine["closeEvent"]["origin"] == "local" and theirs["closeEvent"]["origin"] == "remote"
    assert mine["closeEvent"]["status"] == theirs["closeEvent"]["status"] == 1000
    assert theirs["remotePersonId"] == pair.sparse and theirs["bytesSent"] >= mine["bytesReceived"] > 0
    assert theirs["closeEvent"]["reason"] == mine["closeEvent"]["reason"] != ""
    told(t, "connection.closed", id=mine["id"], origin="local")
    assert pair.ok("connections") == []


def test_a_contact_comes_in_the_order_of_its_life(t):
    pair = Pair(t)
    friends = Installation()
    try:
        friend = Pair(friends, user="ann")
        before = t.call("events.since", **{"from": "now"})["next"]
        pair.ok("--node", "archive", "pair", "-", stdin=dumps(friend.ok("invite")))
        wanted = ["pairing.accepted", "contact.added", "topic.added", "chum.started", "chat.received"]
        until(lambda: pair.ok("--node", "archive", "contacts"), "it is a contact")
        friend.ok("--node", "archive", "chat", "send", "--to", pair.archive, "hello")

        def seen():
            names = [e["event"] for e in t.call("events.since", seq=before, node="archive", limit=1000)["events"]]
            return sorted((names.index(name), name) for name in wanted if name in names)
        until(lambda: len(seen()) == len(wanted), "all of it")
        assert [name for _, name in seen()] == wanted
        assert friends.stop() == 0
    finally:
        friends.clean()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_what_cannot_be_dialled_has_one_record(t):
    pair = Pair(t)
    url = f"ws://127.0.0.1:{free_port()}"
    invitation = dumps({**pair.ok("invite"), "publicKey": "ab" * 32, "url": url})
    for _ in range(2):
        pair.fails("UNREACHABLE", 1, "--node", "sparse", "pair", "-", stdin=invitation)
    failed = [c for c in pair.ok("connections", "--ended") if c["url"] == url]
    assert len(failed) == 1 and failed[0]["state"] == "failed" and failed[0]["openedAt"] is None
    assert failed[0]["closeEvent"]["code"] == "UNREACHABLE" and failed[0]["plugins"] == []
    stats = pair.ok("stats")
    assert stats["failedConnections"] == 2 and stats["transports"]["websocket"]["failures"] == 2
    assert 0 < stats["successRate"] < 1 and stats["transports"]["relay"]["connections"] == 0
    assert stats["recentErrors"][0]["count"] == 2
    states_told = [e["data"]["state"] for e in t.call("events.since", limit=1000)["events"]
                   if e["event"] == "connection.state" and e["data"]["id"] == failed[0]["id"]]
    assert states_told == []  # the second time says nothing new


def logged(installation, node):
    with open(installation.path("log", node + ".log")) as file:
        return [json.loads(line) for line in file]


def test_the_log_tells_of_connections_and_when_asked_of_messages(t):
    t.environment["TANDEM_LOG_LEVEL"] = "debug"
    pair = Pair(t)
    pairing = ended(pair, protocol="pairing")
    mine = [line for line in logged(t, "sparse") if pairing["id"] in (line.get("id"), line.get("conn"))]
    names = [line["event"] for line in mine]
    assert names.index("connection.opened") < names.index("message.sent") < names.index("connection.closed")
    assert [line["url"] for line in mine if line["event"] == "connection.opened"] == [pairing["url"]]
    sizes = [line["bytes"] for line in mine if line["event"] == "message.sent"]
    assert len(sizes) == pairing["messagesSent"] and sum(sizes) == pairing["bytesSent"]
    received = sum(line["bytes"] for line in mine if line["event"] == "message.received")
    assert received == pairing["bytesReceived"]


def test_lists_are_paged(t):
    pair = Pair(t)
    ended(pair, protocol="pairing")
    whole = [c["id"] for c in t.call("connections.list", ended=True)["items"]]
    page = t.call("connections.list", ended=True, limit=1)
    rest = t.call("connections.list", ended=True, after=page["next"])
    assert [c["id"] for c in page["items"] + rest["items"]] == whole and rest["next"] is None


def test_the_report_names_connections_and_errors_by_type(t):
    pair = Pair(t)
    refused_elsewhere("INVITATION-UNKNOWN", dict(pair.ok("invite"), token="x" * 64))
    ended(pair, "archive", protocol="pairing", state="failed")
    text = pair.ok("--node", "archive", "report")["text"]
    assert "Active connections: 1\n" in text and " pairing failed, in " in text and " chum active, in " in text
    found = pair.ok("--node", "archive", "report", "--errors", "pairing")["recentErrors"]
    assert found and {x["type"] for x in found} == {"pairing"}
    assert f"- {found[0]['error']} (error)" in text
    rows = [line.split() for line in t.cli("--node", "archive", "report")[1].splitlines()]
    assert any(row[1:5] == ["me", "chum", "active", "in"] for row in rows), rows
    assert any("pairing" in row and row[row.index("pairing") + 1:][:2] == ["failed", "in"] for row in rows), rows
    assert any("pairing" in row and "error" in row and found[0]["code"] in row for row in rows), rows
    assert pair.ok("--node", "archive", "report", "--errors", "encryption")["recentErrors"] == []
    pair.fails("BAD-PARAMS", 2, "report", "--errors", "weather")


if __name__ == "__main__":
    main(globals())
