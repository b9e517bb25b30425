"""What a person does while the archive is away: each command answers at once, and all of it is true when it is back."""
import os
import signal
import time

from control import SECRET, Installation, main, until, within
from nodes import Pair, dumps
from nodes_face import meet, pid_of, send, start_again

QUICK_S = 5 if os.environ.get("TANDEM_SANITIZE") else 2  # of the command line, too
LATEST_S = 5  # until who waits for an archive that does not answer is told that it is pending


class Before:
    """What Joe has with Ann, at both his nodes, before the archive goes."""

    def __init__(self, joe, ann, bob):
        self.joe, self.ann, self.bob = joe, ann, bob
        self.team = joe.ok("topic", "create", "--name", "team", "--with", ann.archive)["topicId"]
        self.old = joe.ok("topic", "create", "--name", "old", "--with", ann.archive)["topicId"]
        self.hers = ann.ok("topic", "create", "--name", "hers", "--with", joe.archive)["topicId"]
        self.group = joe.ok("group", "create", "friends", "--person", ann.archive)["groupId"]
        self.given, self.kept = (self.put(joe, text) for text in ("given", "kept"))
        joe.ok("share", "grant", "--object", self.given, "--with", ann.archive)
        until(lambda: {self.team, self.old} <= topics(ann).keys() and self.hers in topics(joe), "all know the chats")
        until(lambda: joe.cli("--node", "archive", "object", "get", self.kept)[0] == 0, "the archive has the objects")
        until(lambda: ann.cli("--node", "archive", "object", "get", self.given)[0] == 0, "Ann has what was given")
        until(lambda: self.group in groups(joe, "archive"), "and the group")
        send(joe, ann.archive, "before", "--wait")

    @staticmethod
    def put(pair, name):
        return pair.ok("object", "put", stdin=dumps({"$type$": "PersonName", "name": name}))["hash"]

    def commands(self):
        """All that a person may do, in an order that makes sense; the answers by name."""
        ann, bob = self.ann.archive, self.bob.archive
        yield "group", ("group", "create", "new", "--person", ann)
        yield "", ("group", "add", "friends", bob)
        yield "", ("group", "remove", "friends", ann)
        yield "", ("share", "grant", "--object", self.kept, "--group", "new")
        yield "", ("share", "revoke", "--object", self.given, "--with", ann)
        yield "", ("profile", "set", "--name", "Joseph", "--phone", "111")
        yield "fresh", ("topic", "create", "--name", "fresh", "--with", ann)
        yield "", ("topic", "send", "fresh", "in the new one")
        yield "", ("topic", "send", "team", "to you both")
        yield "", ("topic", "add", "team", bob, "--history")
        yield "", ("topic", "rename", "team", "crew")
        yield "", ("topic", "remove", "old", ann)
        yield "", ("topic", "leave", "hers")
        yield "pair", ("topic", "create", "--with", bob)
        yield "", ("topic", "send", "<->".join(sorted((self.joe.archive, bob))), "to you")
        yield "", ("recipe", "add", "-")
        yield "", ("contact", "name", ann, "Annie")

    def is_true(self, answers):
        """What was done is so at both nodes, and for Ann and Bob."""
        joe, ann, bob = self.joe, self.ann, self.bob
        for node in ("archive", "sparse"):
            until(lambda: groups(joe, node).get(answers["group"]["groupId"]) == [ann.archive], f"{node}: new")
            until(lambda: groups(joe, node)[self.group] == [bob.archive], f"{node}: friends")
            until(lambda: answers["group"]["groupId"] in grants(joe, node, self.kept)["groups"], f"{node}: granted")
            until(lambda: ann.archive not in grants(joe, node, self.given)["persons"], f"{node}: taken back")
            until(lambda: {"name": "Joseph", "number": "111"}.items() <= profile(joe, node).items(), f"{node}: profile")
            until(lambda: "Away" in [r["name"] for r in joe.ok("--node", node, "recipe", "list")], f"{node}: recipe")
            until(lambda: roles(joe, self.team, node) == {joe.archive: "owner", ann.archive: "writer",
                                                          bob.archive: "writer"}, f"{node}: members of team")
            until(lambda: roles(joe, self.old, node) == {joe.archive: "owner"}, f"{node}: Ann is out of old")
            until(lambda: roles(joe, self.hers, node) == {ann.archive: "owner"}, f"{node}: Joe is out of hers")
            until(lambda: topics(joe, node)[self.team]["name"] == "crew", f"{node}: renamed")
        until(lambda: texts(ann, answers["fresh"]["topicId"]) == ["in the new one"], "Ann has the new chat")
        for who in (ann, bob):
            until(lambda: texts(who, self.team) == ["to you both"], "and what was said in the old one")
            until(lambda: topics(who)[self.team]["name"] == "crew", "under its new name")
        until(lambda: roles(ann, self.hers) == {ann.archive: "owner"}, "she knows that he left")
        until(lambda: ann.cli("--node", "archive", "object", "get", self.kept)[0] == 0, "she has what the group has")
        until(lambda: [m["text"] for m in bob.ok("chat", "list", "--with", joe.archive)] == ["to you"], "Bob hears him")
        failed = [e["data"] for e in joe.t.call("events.since", limit=1000)["events"] if e["event"] == "intent.failed"]
        assert not failed, failed


def topics(pair, node=None):
    return {c["topicId"]: c for c in pair.ok(*(("--node", node) if node else ()), "topic", "list")}


def roles(pair, topic, node=None):
    return {m["personId"]: m["role"] for m in topics(pair, node)[topic]["members"]}


def texts(pair, topic):
    status, found = pair.cli("topic", "read", topic)
    return [m["text"] for m in found] if status == 0 else []


def groups(pair, node):
    return {g["groupId"]: g["persons"] for g in pair.ok("--node", node, "group", "list")}


def grants(pair, node, object):
    found = [g for g in pair.ok("--node", node, "share", "list") if g["hash"] == object]
    return found[0] if found else {"persons": [], "groups": []}


def profile(pair, node):
    found = pair.ok("--node", node, "profile", "get")
    return {k: v for part in found["descriptions"] + found["endpoints"] for k, v in part.items()}


def with_three(t, test):
    second, third = Installation(), Installation()
    try:
        joe, ann, bob = Pair(t), Pair(second, user="ann"), Pair(third, user="bob")
        meet(joe, ann)
        meet(joe, bob)
        test(Before(joe, ann, bob), joe)
        for installation in (second, third):
            assert installation.stop() == 0
    finally:
        second.clean()
        third.clean()


def run_all(before, within_s):
    answers = {}
    recipe = dumps({"$type$": "Recipe", "name": "Away", "rule": [{"itemprop": "a"}]})
    for name, command in before.commands():
        began = time.monotonic()
        answers[name] = before.joe.ok(*command, stdin=recipe)
        assert time.monotonic() - began < within(within_s), (command, time.monotonic() - began)
    return answers


def test_all_is_done_when_the_archive_is_back(t):
    def run(before, joe):
        joe.t.stop()
        os.rename(joe.t.path("archive"), joe.t.path("archive.away"))
        joe.t.up("--listen", "localhost:0")
        joe.cli("provision", stdin=SECRET + "\n")  # it fails, for the archive
        until(lambda: joe.cli("contacts")[0] == 0, "the sparse node answers")
        answers = run_all(before, QUICK_S)
        assert answers["fresh"]["state"] == "pending"
        joe.t.stop()
        os.rmdir(joe.t.path("archive")) if os.path.isdir(joe.t.path("archive")) else None
        os.rename(joe.t.path("archive.away"), joe.t.path("archive"))
        start_again(joe)
        before.is_true(answers)
    with_three(t, run)


def test_all_is_done_when_an_archive_that_hangs_is_killed_for_it(t):
    def run(before, joe):
        os.kill(pid_of(joe, "archive"), signal.SIGSTOP)
        before.is_true(run_all(before, LATEST_S + QUICK_S))
    t.environment.update(TANDEM_HEARTBEAT_INTERVAL_S="1", TANDEM_HEARTBEAT_SILENCE_S="8")
    with_three(t, run)


if __name__ == "__main__":
    main(globals())
