"""Two installations whose clocks are apart by a day, one way and the other: everything arrives, in one order."""
import os

from clock import Clock
from control import Installation, main, until
from nodes import Pair
from nodes_face import conversation, meet, reaches, send, texts

DAY_S = 86_400
SANITIZER = os.environ.get("TANDEM_SANITIZE")  # its library has to be the first that is loaded


def talk(joe, ann, marks):
    """Each answers the other; all see it in the order in which it was said."""
    said = texts(joe, ann.archive)
    for i, mark in enumerate(marks):
        who, other = ((joe, ann), (ann, joe))[i % 2]
        send(who, other.archive, mark)
        said.append(mark)
        reaches(who, other.archive, mark)
        for one, with_whom in ((joe, ann), (ann, joe)):
            until(lambda: texts(one, with_whom.archive) == said, f"{said}, not {texts(one, with_whom.archive)}")
    for one, with_whom in ((joe, ann), (ann, joe)):
        shown = lambda: [m["text"] for m in one.ok("--node", "archive", "chat", "list", "--with", with_whom.archive)]
        until(lambda: shown() == said, "the archives say the same")
    assert all(m["verification"] == "verified" for m in conversation(joe, ann.archive))


def unread(pair, other):
    return next(c for c in pair.ok("topic", "list") if c["with"] == other.archive)["unread"]


def apart(t, seconds):
    if SANITIZER:
        return
    clock, second = Clock(), Installation()
    try:
        second.environment.update(clock.environment)
        clock.put(seconds)
        joe, ann = Pair(t), Pair(second, user="ann")
        meet(joe, ann)
        talk(joe, ann, ["one", "two", "three", "four"])
        team = ann.ok("topic", "create", "--name", "team", "--with", joe.archive)["topicId"]
        until(lambda: team in [c["topicId"] for c in joe.ok("topic", "list")], "Joe is in the group")
        group = lambda who: [m["text"] for m in who.ok("topic", "read", team)]
        for i, (who, mark) in enumerate(((ann, "a1"), (joe, "j1"), (ann, "a2"))):
            who.ok("topic", "send", team, mark)
            until(lambda: group(joe) == group(ann) == ["a1", "j1", "a2"][:i + 1], "the group reads it in that order")

        # What was read stays read, whoever's time it is.
        until(lambda: unread(joe, ann) == 2 and unread(ann, joe) == 2, "two are new to each")
        for who, other in ((joe, ann), (ann, joe)):
            who.ok("topic", "read-up-to", "--with", other.archive)
            assert unread(who, other) == 0
        send(ann, joe.archive, "five")
        until(lambda: unread(joe, ann) == 1, "one is new")
        reaches(ann, joe.archive, "five")

        clock.put(0)  # and set right while all run
        talk(joe, ann, ["six", "seven"])
        wrong = [e for e in t.call("events.since", limit=1000)["events"] if e["event"] in ("sync.failed", "node.died")]
        assert not wrong, wrong
        assert second.stop() == 0
    finally:
        second.clean()
        clock.clean()


def test_a_contact_is_a_day_ahead(t):
    apart(t, DAY_S)


def test_a_contact_is_a_day_behind(t):
    apart(t, -DAY_S)


if __name__ == "__main__":
    main(globals())
