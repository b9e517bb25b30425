"""An installation that was restored from a backup: it goes on with its contacts, once; beside its original it is named."""
import os
import shutil
import threading

from control import Installation, main, until
from nodes import Pair, read, write
from nodes_backup import backup, events, files_of, open_again, restore, verify
from nodes_recreate import Friend, talk


def conversation(pair, friend):
    return [(m["text"], m.get("state")) for m in pair.ok("chat", "list", "--with", friend.person)]


def read_blob(pair, picture):
    path = os.path.join(pair.t.top, "got")
    pair.ok("--node", "archive", "blob", "get", picture, "-o", path)
    return read(path)


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
    for word in ("to you one", "in between", "joe@lama.local", "refin.io", picture, pair.archive, pair.sparse,
                 friend.person):  # none so short that sealed bytes hold it by chance
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


def group_texts(pair, topic):
    return [m["text"] for m in pair.ok("topic", "read", topic)]


def test_what_was_said_in_a_group_after_the_backup_comes_back(t):
    pair = Pair(t)
    friend = Friend(pair, "archive", "bob")
    folder = os.path.join(t.top, "backup")
    topic = pair.ok("topic", "create", "--name", "crew", "--with", friend.person)["topicId"]
    late = friend.pair.ok("topic", "create", "--name", "late", "--with", pair.archive)["topicId"]
    for who in (pair, friend.pair):
        until(lambda: {topic, late} <= {x["topicId"] for x in who.ok("topic", "list")}, "both are in the groups")
    pair.ok("topic", "send", topic, "before")
    friend.pair.ok("topic", "send", topic, "bob before")
    until(lambda: sorted(group_texts(pair, topic)) == sorted(group_texts(friend.pair, topic)) == ["before", "bob before"],
          "both have both")
    pair.ok("wait", "idle")
    backup(t, folder)
    pair.ok("topic", "send", topic, "after")
    friend.pair.ok("topic", "send", topic, "bob after")
    pair.ok("topic", "send", late, "first of all")
    until(lambda: group_texts(friend.pair, late) == ["first of all"], "bob has what was said there for the first time")
    everything = ["before", "bob before", "after", "bob after"]
    until(lambda: sorted(group_texts(friend.pair, topic)) == sorted(everything), "bob has what was said since")
    assert t.stop() == 0
    shutil.rmtree(t.dir)
    assert restore(t, folder)[0] == 0
    open_again(t)
    until(lambda: sorted(group_texts(pair, topic)) == sorted(everything), "it came back")
    for node in ("archive", "sparse"):
        until(lambda: [m["text"] for m in pair.ok("--node", node, "topic", "read", late)] == ["first of all"],
              "and what was the first there")
    for who in (pair, friend.pair):
        own = [m for m in who.ok("topic", "read", topic) if m["text"] in ("after", "before")]
        assert [m["verification"] for m in own] == ["verified"] * 2, own
    until(lambda: [m["state"] for m in pair.ok("topic", "read", topic) if m["text"] == "after"] == ["delivered"],
          "who brought it has it")

    # It goes on from there, once each.
    pair.ok("topic", "send", topic, "again")
    friend.pair.ok("topic", "send", topic, "bob again")
    everything += ["again", "bob again"]
    pair.ok("topic", "send", late, "the second")
    until(lambda: group_texts(friend.pair, late) == ["first of all", "the second"], "it goes on there, too")
    for who in (pair, friend.pair):
        until(lambda: sorted(group_texts(who, topic)) == sorted(everything), "both go on")
    friend.end()


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
    assert "INSTANCE-TWICE" in pair.t.cli("--node", "archive", "report", "--errors", "auth")[1]
    other.stop()
    other.clean()
    friend.end()


if __name__ == "__main__":
    main(globals())
