"""kill -9 of either node, again and again, while messages are under way: nothing acknowledged is lost or doubled."""
import os
import signal

from control import main, until
from nodes import Pair


def kill_and_wait(t, node):
    before = t.call("status")[node]["pid"]
    os.kill(before, signal.SIGKILL)
    until(lambda: (lambda s: s["state"] == "running" and s["pid"] != before)(t.call("status")[node]), f"{node} runs again")


def survives(t, victim):
    t.environment["TANDEM_RESTART_DEATHS"] = "50"
    pair = Pair(t)
    acknowledged = []
    for i in range(30):
        status, result = pair.cli("--node", "sparse", "chat", "send", "--to", pair.archive, f"m{i}")
        if status == 0:
            acknowledged.append((result["id"], f"m{i}"))
        if i % 6 == 5:
            kill_and_wait(t, victim)
    t.call("wait", **{"for": "federated"})
    pair.send("sparse", "the end")
    pair.arrives("archive", "the end")
    for node in ("sparse", "archive"):
        messages = pair.messages(node)
        have = {m["id"]: m["text"] for m in messages}
        assert len(have) == len(messages), "a message is there twice"
        for message_id, text in acknowledged:
            assert have.get(message_id) == text, f"{node} lost {text}"
    assert pair.texts("sparse") == pair.texts("archive")


def test_the_archive_is_killed_during_a_sync(t):
    survives(t, "archive")


def test_the_sparse_node_is_killed_during_a_sync(t):
    survives(t, "sparse")


def test_a_file_crosses_although_the_receiver_is_killed(t):
    pair = Pair(t)
    path = os.path.join(t.top, "file")
    with open(path, "wb") as file:
        file.write(os.urandom(8 << 20))
    sent = pair.send("sparse", "a file", "--attach", path)
    kill_and_wait(t, "archive")
    message = pair.arrives("archive", "a file")
    assert message["id"] == sent["id"] and message["attachments"][0]["size"] == 8 << 20
    copy = os.path.join(t.top, "copy")
    pair.ok("--node", "archive", "blob", "get", message["attachments"][0]["hash"], "-o", copy)
    with open(path, "rb") as one, open(copy, "rb") as other:
        assert one.read() == other.read()


if __name__ == "__main__":
    main(globals())
