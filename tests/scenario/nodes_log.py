"""What was, can be looked up: in the log, in the journal, among the events, and in the trace of a message."""
import json
import os
import select
import socket
import subprocess

from control import BIN, SECRET, Installation, main, until
from nodes import Friend, Pair, dumps, talk
from nodes_connections import ended, free_port

STEPS = ["chatModelSend", "channelManagerPost", "accessGrantsCreated", "chumSyncTriggered", "channelManagerUpdated",
         "remoteDelivery"]


def found(t, pattern, *options):
    """The lines of the log that contain it, as 'tandem log' shows them."""
    status, out, err = t.cli("--json", *options, "log", "--lines", "100000", "--grep", pattern)
    assert status == 0, err
    return [json.loads(line) for line in out.splitlines()]


def everything(t):
    text = ""
    for name in os.listdir(t.path("log")):
        with open(t.path("log", name)) as file:
            text += file.read()
    return text


def test_the_log_tells_what_happened(t):
    pair = Pair(t)
    sent = pair.send("sparse", "a text that is nobody's business")
    pair.arrives("archive", "a text that is nobody's business")
    dialled = found(t, "WebSocket created", "--node", "sparse")
    assert {line["event"] for line in dialled} == {"dial.started"} and dialled[-1]["url"].startswith("ws://")
    assert pair.archive in [line["person"] for line in found(t, "endpoint.learned", "--node", "sparse")]
    for word in ("endpoint", "sync", "chum", "dial"):
        assert found(t, word), word
    steps = until(lambda: (lines := [line for line in found(t, "[MessageTransferDebug]", "--node", "sparse")
                                     if line["id"] == sent["id"]]) and len(lines) == 6 and lines, "six steps")
    assert [line["step"] for line in steps] == STEPS
    assert [line["time"] for line in steps] == sorted(line["time"] for line in steps)
    done = [line for line in found(t, "CHUM sync", "--node", "archive") if line["personId"] == pair.sparse]
    assert done and all(line["bytes"] >= 0 and line["ms"] >= 0 for line in done)
    assert [line["id"] for line in found(t, "chat.sent", "--node", "sparse")] == [sent["id"]]
    until(lambda: [line["id"] for line in found(t, "chat.received", "--node", "archive")] == [sent["id"]], "it is told")
    opened = [line["id"] for line in found(t, "connection.opened", "--node", "sparse")]
    closed = found(t, "connection.closed", "--node", "sparse")
    assert [line["protocol"] for line in closed] == ["pairing"] and closed[0]["id"] in opened
    assert closed[0]["personId"] == pair.archive and closed[0]["state"] == "closed"
    assert not found(t, "handshake.sent")  # that much is told only when it is asked for
    said = everything(t)
    assert "nobody's business" not in said and SECRET not in said


def test_every_message_has_its_name_size_and_time(t):
    t.environment["TANDEM_LOG_LEVEL"] = "debug"
    pair = Pair(t)
    sent = pair.send("sparse", "a text that is nobody's business")
    pair.arrives("archive", "a text that is nobody's business")
    pairing = ended(pair, protocol="pairing")
    mine = [line for line in found(t, "handshake.", "--node", "sparse") if line["conn"] == pairing["id"]]
    assert [line["name"] for line in mine if line["event"] == "handshake.sent"] == [
        "communication_request", "key", "connection_group", "person_id_object", "keys_object", "response", "challenge",
        "instance_id_object"]
    assert [line["name"] for line in mine if line["event"] == "handshake.received"] == [
        "communication_ready", "key", "sync", "person_id_object", "keys_object", "challenge", "response",
        "instance_id_object"]
    assert all(line["bytes"] > 0 and line["ms"] >= 0 for line in mine)
    mine = [line for line in found(t, "pairing.", "--node", "sparse") if line.get("conn") == pairing["id"]]
    assert [(line["event"], line["name"]) for line in mine] == [
        ("pairing.sent", "authentication_token"), ("pairing.received", "identity"), ("pairing.sent", "identity")]
    chum = pair.ok("connections")[0]["id"]
    spoken = [line for line in found(t, "chum.", "--node", "sparse") if line.get("conn") == chum]
    asked = {line["call"]: line for line in spoken if line["event"] == "chum.sent" and line["kind"] == "request"}
    answered = [line for line in spoken if line["event"] == "chum.received" and line["kind"] == "data"]
    assert {"GET_PROTOCOL_VERSION", "FEED"} <= {line["service"] for line in asked.values()}
    assert answered and all(line["service"] == asked[line["call"]]["service"] and line["ms"] >= 0 for line in answered)
    served = [line for line in spoken if line["event"] == "chum.sent" and line["kind"] == "data"]
    assert "FEED" in {line["service"] for line in served}, sent
    passes = [line for line in found(t, "sync.pass", "--node", "sparse") if line["conn"] == chum]
    assert passes
    said = everything(t)
    assert "nobody's business" not in said and SECRET not in said


def test_failures_have_a_line_with_their_context(t):
    pair = Pair(t)
    url = f"ws://127.0.0.1:{free_port()}"
    invitation = dumps({**pair.ok("invite"), "publicKey": "ab" * 32, "url": url})
    for _ in range(3):
        pair.fails("UNREACHABLE", 1, "--node", "sparse", "pair", "-", stdin=invitation)
    failed = [line for line in found(t, "dial.failed", "--node", "sparse") if line["url"] == url]
    assert len(failed) == 1, "what fails again in the same way is not told each time"
    assert failed[0]["level"] == "info" and failed[0]["code"] == "UNREACHABLE" and failed[0]["id"] > 0

    other = Installation()
    try:
        second = Pair(other, user="ann")
        wrong = dumps(dict(pair.ok("invite"), token="x" * 64))
        second.fails("INVITATION-UNKNOWN", 4, "pair", "-", stdin=wrong)
        line = until(lambda: found(t, "pairing.failed", "--node", "archive"), "it is told")[0]
        assert line["level"] == "warn" and line["personId"] == second.archive and line["code"] == "BAD-TOKEN"
        assert line["id"] in [c["id"] for c in pair.ok("--node", "archive", "connections", "--ended")]
        assert "x" * 64 not in everything(t) + everything(other)
        assert other.stop() == 0
    finally:
        other.clean()
    pair.fails("NOT-FOUND", 1, "share", "grant", "--object", "ab" * 32, "--with", pair.archive)
    grant = found(t, "request.failed")[-1]
    assert (grant["method"], grant["code"], grant["personId"], grant["subject"]) == (
        "share.grant", "NOT-FOUND", pair.archive, "ab" * 32), grant
    pair.cli("share", "grant", "--object", "ab" * 32, "--with", "somebody private")
    assert found(t, "request.failed")[-1]["personId"] == "" and "somebody private" not in everything(t)


def test_a_message_that_failed_has_a_line(t):
    pair = Pair(t)
    friend = Friend(pair, "archive", "ann")
    try:
        talk(pair, friend, "before")
        assert friend.t.stop() == 0
        sent = pair.ok("--node", "archive", "chat", "send", "--to", friend.person, "that she never gets")
        pair.ok("--node", "archive", "contact", "forget", friend.person)
        line = until(lambda: [line for line in found(t, "message.state", "--node", "archive")
                              if line["id"] == sent["id"] and line["state"] == "failed"], "it is told")[0]
        assert line["personId"] == friend.person and line["why"] == "the contact was forgotten", line
    finally:
        friend.end()


def test_the_journal_has_it_too(t):
    path = os.path.join(t.top, "journal")
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.bind(path)
    journal.settimeout(30)
    t.environment["TANDEM_LOG_JOURNAL"] = path
    Pair(t)

    def entry(process, event):
        while True:
            fields = dict(line.split("=", 1) for line in journal.recv(65536).decode().splitlines())
            if (fields["SYSLOG_IDENTIFIER"], fields["TANDEM_EVENT"]) == (process, event):
                return fields

    assert entry("tandem-supervisor", "supervisor.started")["PRIORITY"] == "6"
    opened = entry("tandem-archive", "connection.opened")
    assert opened["TANDEM_TRANSPORT"] == "websocket" and f" id={opened['TANDEM_ID']} " in opened["MESSAGE"]
    journal.close()  # it is started again
    os.unlink(path)
    again = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    again.bind(path)
    again.settimeout(30)
    journal = again
    assert t.stop() == 0
    assert entry("tandem-supervisor", "supervisor.stopping")["TANDEM_REASON"] == "signal"
    journal.close()
    assert found(t, "supervisor.stopping")  # and the files have it as well


def test_events_outlive_the_supervisor(t):
    pair = Pair(t)
    sent = pair.send("sparse", "before")
    pair.arrives("archive", "before")
    until(lambda: len(pair.ok("trace", sent["id"])["steps"]) == 6, "it is delivered")
    page = t.call("events.since", limit=1000)
    while page["events"]:
        position = {"bootId": page["bootId"], "seq": page["next"]}
        page = t.call("events.since", limit=1000, **position)
    traced = pair.ok("trace", sent["id"])
    assert t.stop() == 0

    t.up("--listen", "localhost:0")
    page = t.call("events.since", limit=1000, **position)
    assert not page["gap"] and page["bootId"] != position["bootId"]
    assert page["events"][0]["seq"] == position["seq"]
    assert {"supervisor.stopping", "node.stopped"} <= {e["event"] for e in page["events"]}
    own = t.call("events.since", limit=1)["events"][0]  # of this run, where nothing else is asked for
    assert own["event"] == "node.started" and own["seq"] > position["seq"]
    for given, meant in (("foo", "docs/ipc.md lists them"), ("chat.snet", "did you mean 'chat.sent'?"), ("chats", "did you mean 'chat'?")):
        assert meant in pair.fails("NOT-FOUND", 1, "events", "--type", given, "--follow")["message"]
    status, out, _ = t.cli("--json", "--node", "sparse", "events", "--type", "chat.sent")
    assert [json.loads(line)["data"]["id"] for line in out.splitlines()] == [sent["id"]]

    pair.ok("provision", stdin=SECRET + "\n")
    after = pair.ok("trace", sent["id"])
    assert after == traced, (after, traced)
    follower = subprocess.Popen([os.path.join(BIN, "tandem"), "--json", "events", "--from", "now", "--follow", "--type",
                                 "chat"], env=t.environment, stdout=subprocess.PIPE, text=True)
    lines = []
    n = 0
    while not lines:  # it may not look yet
        n += 1
        pair.send("sparse", f"after {n}")
        if select.select([follower.stdout], [], [], 0.5)[0]:
            lines.append(json.loads(follower.stdout.readline()))
    assert lines[0]["event"] == "chat.sent" and lines[0]["data"]["id"] != sent["id"]
    follower.terminate()
    follower.wait()
    follower.stdout.close()


def test_a_group_has_it_when_all_have_it(t):
    ann_there, eve_there = Installation(), Installation()
    try:
        pair, ann, eve = Pair(t), Pair(ann_there, user="ann"), Pair(eve_there, user="eve")
        for friend in (ann, eve):
            pair.ok("--node", "archive", "pair", "-", stdin=dumps(friend.ok("invite")))
        assert eve_there.stop() == 0
        topic = pair.ok("--node", "archive", "topic", "create", "--name", "three", "--with", ann.archive, "--with",
                        eve.archive)["topicId"]
        sent = pair.ok("--node", "archive", "topic", "send", topic, "to both")["id"]
        trace = lambda: pair.ok("--node", "archive", "trace", sent)
        states = lambda: {r["personId"]: r["state"] for r in trace()["recipients"]}
        until(lambda: states().get(ann.archive) == "delivered", "Ann has it")
        assert trace()["success"] is False and trace()["failurePoint"] == "remoteDelivery"
        assert states()[eve.archive] == "sent" and trace()["completedSteps"] == 5
        eve_there.up("--listen", "localhost:0")
        eve.ok("provision", stdin=SECRET + "\n")
        until(lambda: trace()["success"], "Eve has it, too")
        assert trace()["completedSteps"] == 6
        assert ann_there.stop() == 0 and eve_there.stop() == 0
    finally:
        ann_there.clean()
        eve_there.clean()


def test_a_wipe_leaves_no_names_behind(t):
    pair = Pair(t)
    assert pair.archive in everything(t)
    pair.ok("deprovision", "--wipe", "--yes")
    assert pair.archive not in everything(t) and pair.sparse not in everything(t)
    assert pair.archive not in t.cli("--json", "events")[1]


if __name__ == "__main__":
    main(globals())
