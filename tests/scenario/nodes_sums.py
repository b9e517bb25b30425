"""What is found by comparing sums (docs/sums.md): a restored backup costs what it lacks, and not what there is."""
import os
import shutil

from control import main, until
from nodes import Friend, Pair, talk
from nodes_backup import backup, open_again, restore
from nodes_log import found

MANY, FEW, SMALL = 1500, 10, 64 << 10


def put(t, node, name):
    return t.call("object.put", node=node, object={"$type$": "PersonName", "name": name})["hash"]


def share(t, node, name, person):
    """An object that is shown to the person."""
    stored = put(t, node, name)
    t.call("share.grant", node=node, object=stored, **{"with": person})
    return stored


def has(pair, node, stored):
    return pair.cli("--node", node, "object", "get", stored)[0] == 0


def carried(pair, node, person):
    """What the present connection with a person asked for, and how many bytes went over it."""
    now = [c for c in pair.ok("--node", node, "connections") if c["remotePersonId"] == person]
    asked = [line for line in found(pair.t, "chum.", "--node", node)
             if line["event"] in ("chum.sent", "chum.received") and line.get("conn") in {c["id"] for c in now}]
    return {line["service"] for line in asked}, sum(c["bytesSent"] + c["bytesReceived"] for c in now)


def test_a_restored_backup_costs_what_it_lacks(t):
    pair = Pair(t)
    friend = Friend(pair, "archive", "bob")
    folder = os.path.join(t.top, "backup")
    for number in range(MANY):
        share(friend.t, "archive", f"friend's {number}", pair.archive)
        if number % 10 == 0:
            put(t, "sparse", f"ours {number}")
    last = share(friend.t, "archive", "the last one before", pair.archive)
    until(lambda: has(pair, "archive", last), "everything came")
    talk(pair, friend, "before")
    pair.ok("wait", "idle")
    friend.pair.ok("wait", "idle")
    backup(t, folder)
    later = [share(friend.t, "archive", f"later {number}", pair.archive) for number in range(FEW)]
    until(lambda: all(has(pair, "archive", one) for one in later), "what came after the backup")
    assert t.stop() == 0
    shutil.rmtree(t.dir)
    assert restore(t, folder)[0] == 0
    t.environment["TANDEM_LOG_LEVEL"] = "debug"
    open_again(t)
    until(lambda: all(has(pair, "archive", one) for one in later), "it came again")
    talk(pair, friend, "after")
    for person in (friend.person, pair.sparse):
        services, size = until(lambda: "SUMS" in (said := carried(pair, "archive", person))[0] and said, "it compared")
        assert "GET_ACCESSIBLE_ROOTS" not in services and 0 < size <= SMALL, (person, services, size)
    friend.end()


if __name__ == "__main__":
    main(globals())
