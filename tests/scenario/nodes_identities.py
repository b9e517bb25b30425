"""Further identities of the archive: their people and conversations are where the user looks, and what is written there
for them reaches the other side, whether the archive is up then or not."""
import json
import os
import signal

from control import Installation, main, until
from nodes import Pair
from nodes_face import find, pid_of, reaches, send, texts
from nodes_recreate import lose, recreate

WORK = "joe@work.example"


def with_bob(t, test):
    """Joe, whom Bob knows from work only."""
    second = Installation()
    try:
        joe, bob = Pair(t), Pair(second, user="bob")
        work = joe.ok("identity", "add", WORK, "--name", "Joe at work")["personId"]
        assert bob.ok("pair", "-", stdin=json.dumps(joe.ok("invite", "--as", WORK)))["personId"] == work
        until(lambda: contact(joe, bob.archive).get("identity") == work, "Bob is there, as whom he met")
        test(joe, bob, work)
        assert second.stop() == 0
    finally:
        second.clean()


def contact(pair, person, *options):
    return next((c for c in pair.ok("contacts", *options) if c["personId"] == person), {})


def chat(pair, person):
    return next((c for c in pair.ok("topic", "list") if c["with"] == person), {})


def test_the_face_shows_them_and_speaks_for_them(t):
    def run(joe, bob, work):
        until(lambda: contact(bob, work).get("name") == "Joe at work", "he has a name at work")
        shown = until(lambda: contact(joe, bob.archive, "--as", "JOE@work.example"), "the contact is Joe's at work")
        assert shown["pairedWith"] == ["archive"] and shown["safety"] == contact(bob, work)["safety"], shown
        assert work not in [c["personId"] for c in joe.ok("contacts")], "he is himself"

        sent = send(joe, bob.archive, "from work", "--wait")  # whom he means is clear
        assert sent["state"] == "delivered", sent
        assert find(bob, work, "from work")["sender"] == work
        follow = lambda **more: joe.t.call("chat.since", **{"with": bob.archive, "as": WORK, **more})
        cursor = follow()["next"]
        send(bob, work, "to work")
        followed = until(lambda: follow(cursor=cursor, waitMs=5000)["items"], "who follows is told")
        assert [m["text"] for m in followed] == ["to work"], followed
        until(lambda: texts(joe, bob.archive) == ["from work", "to work"], "he reads both")
        shown = joe.t.cli("chat", "list", "--with", "bob", "--as", work)[1]
        assert " me" in shown and work[:8] not in shown, shown
        heard = joe.ok("chat", "list", "--with", "bob", "--as", work)
        assert [(m["sender"], m["verification"]) for m in heard] == [(work, "verified"), (bob.archive, "verified")]
        assert heard[0]["state"] == "delivered" and heard[0]["deliveredTo"] == [bob.archive]

        topic = chat(joe, bob.archive)
        assert topic["identity"] == work and topic["name"] == "bob" and topic["unread"] == 1, topic
        assert [c["identity"] for c in joe.ok("topic", "list", "--as", work)] == [work]
        assert work not in [c["identity"] for c in joe.ok("topic", "list", "--as", joe.archive)]
        assert joe.ok("topic", "send", topic["topicId"], "into the chat", "--as", WORK)["state"] in ("pending", "archived")
        reaches(bob, work, "into the chat", None)
        joe.ok("topic", "read-up-to", "bob")
        assert chat(joe, bob.archive)["unread"] == 0
        [hit] = joe.ok("chat", "search", "into the")
        assert hit["topic"] == topic["topicId"] and hit["name"] == "bob", hit
        assert [h["text"] for h in joe.ok("chat", "search", "into the", "--as", work)] == ["into the chat"]
        assert joe.ok("chat", "search", "into the", "--as", joe.archive) == []
        status, table, _ = joe.t.cli("contacts")
        [row] = [line for line in table.splitlines() if "bob" in line]
        assert status == 0 and " AS " in table.splitlines()[0] and f" {work[:12]}" in row, table

        assert joe.ok("profile", "get", "--as", work)["name"] == "Joe at work"
        joe.ok("profile", "set", "--as", work, "--status", "busy")
        until(lambda: "busy" in json.dumps(bob.ok("profile", "get", work)["descriptions"]), "Bob sees that he is busy")
        assert "busy" not in json.dumps([joe.ok("profile", "get", who) for who in (joe.archive, joe.sparse)])
        assert joe.fails("NOT-FOUND", 1, "chat", "send", "--as", joe.archive, "--to", "bob", "not as whom he is here")
    with_bob(t, run)


def test_a_contact_of_two_is_one_of_each(t):
    """With the safety text of that pairing, now and while the archive is away, and with its connection."""
    def run(joe, bob, work):
        assert bob.ok("pair", "-", stdin=json.dumps(joe.ok("invite")))["personId"] == joe.archive
        rows = lambda *options: {"work" if c["identity"] == work else "main": c
                                 for c in joe.ok(*options, "contacts") if c["personId"] == bob.archive}
        safeties = lambda found: {who: (c["safety"], {i["instanceId"]: i["safety"] for i in c["instances"]})
                                  for who, c in found.items()}
        until(lambda: set(rows("--node", "archive")) == {"main", "work"} == set(rows()), "both have him")
        right = safeties(rows("--node", "archive"))
        assert right["main"][0] == contact(bob, joe.archive)["safety"] != contact(bob, work)["safety"] == right["work"][0]
        for _ in range(3):  # each keeps what is shown for when the archive is away
            assert safeties(rows()) == right
        archive = pid_of(joe, "archive")
        os.kill(archive, signal.SIGSTOP)
        kept = lambda: {who: c["safety"] for who, c in rows().items()}
        until(lambda: kept() == {who: texts[0] for who, texts in right.items()}, "that is kept")
        os.kill(archive, signal.SIGCONT)

        until(lambda: [c["level"] for c in rows().values()] == ["connected"] * 2, "each has its connection")
        for verb in ("disable", "enable"):
            for who in (work, joe.archive):
                joe.fails("REFUSED", 4, "contact", verb, bob.archive, "--as", who)
        joe.fails("NOT-FOUND", 1, "contact", "disable", joe.archive, "--as", work)
        joe.fails("OWN-NODE", 4, "contact", "disable", joe.archive, "--as", joe.archive)
        assert all(c["enabled"] for c in rows().values())
        bob.ok("contact", "forget", work)
        until(lambda: {who: c["level"] for who, c in rows().items()} == {"main": "connected", "work": "seen"},
              "only one is left")
    with_bob(t, run)


def test_what_one_forgets_the_other_keeps(t):
    def run(joe, bob, work):
        rows = lambda *options: {c["identity"]: c["level"] for c in joe.ok(*options, "contacts") if c["personId"] == bob.archive}
        main_at_face = lambda: {joe.archive if who in (joe.archive, joe.sparse) else who: level for who, level in rows().items()}
        assert bob.ok("pair", "-", stdin=json.dumps(joe.ok("invite")))["personId"] == joe.archive
        group = joe.ok("group", "create", "friends")["groupId"]
        joe.ok("group", "add", group, bob.archive)
        for left, other in ((work, joe.archive), (joe.archive, work)):
            both = dict.fromkeys((work, joe.archive), "connected")
            until(lambda: rows("--node", "archive") == both == main_at_face(), "he is connected with both")
            joe.ok("contact", "forget", bob.archive, "--as", left)
            only = {other: "connected"}
            until(lambda: rows("--node", "archive") == only == main_at_face(), "one of them knows him still")
            until(lambda: contact(bob, left)["level"] == "seen", "the forgotten one is gone")
            assert contact(bob, other)["level"] == "connected"
            assert send(joe, bob.archive, f"{other} speaks", "--as", other, "--wait")["state"] == "delivered"
            send(bob, other, f"{other} is answered")
            until(lambda: texts(joe, bob.archive)[-1] == f"{other} is answered", "and is answered")
            joe.fails("NO-WAY", 4, "chat", "send", "--as", left, "--to", bob.archive, "nobody hears it")
            [listed] = [g for g in joe.ok("group", "list") if g["groupId"] == group]
            assert (bob.archive in listed["persons"]) == (left == work), listed
            as_whom = [] if left == joe.archive else ["--as", left]
            assert bob.ok("pair", "-", stdin=json.dumps(joe.ok("invite", *as_whom)))["personId"] == left
        joe.ok("contact", "forget", bob.archive)
        until(lambda: rows("--node", "archive") == {} == rows(), "without --as all forget him")
    with_bob(t, run)


def test_what_the_main_one_forgets_stays_in_the_chats_of_another(t):
    def run(joe, bob, work):
        assert bob.ok("pair", "-", stdin=json.dumps(joe.ok("invite")))["personId"] == joe.archive
        granted = lambda: {g["hash"]: g["type"] for g in joe.ok("--node", "archive", "share", "list")
                           if bob.archive in g["persons"] and g["type"] in ("Topic", "ChatMessage", "ChannelInfo")}
        both = {work, joe.archive}
        until(lambda: {c["identity"] for c in joe.ok("--node", "archive", "contacts") if c["personId"] == bob.archive} == both,
              "he is a contact of both")
        before = granted()
        made = {}
        for name, whom in (("office", work), ("home", joe.archive)):
            bob.ok("--node", "archive", "topic", "create", "--name", name, "--with", whom)
            made[name] = until(lambda: {"Topic", "ChatMessage", "ChannelInfo"} <= set((new := {
                what: type for what, type in granted().items() if what not in before}).values()) and new, "it is granted")
            before = granted()
        joe.ok("contact", "forget", bob.archive, "--as", joe.archive)
        until(lambda: not made["home"].keys() & granted().keys(), "what the main one showed is taken back")
        assert made["office"].items() <= granted().items(), (made["office"], granted())
    with_bob(t, run)


def test_what_is_written_for_them_waits_for_the_archive(t):
    def run(joe, bob, work):
        send(joe, bob.archive, "before", "--wait")
        until(lambda: texts(joe, bob.archive) == ["before"], "the screen has it")
        archive = pid_of(joe, "archive")
        os.kill(archive, signal.SIGSTOP)
        sent = send(joe, bob.archive, "while it sleeps", "--as", work)
        assert [h["id"] for h in joe.ok("chat", "search", "IT SLEEPS", "--as", work)] == [sent["id"]]
        assert sent["state"] == "pending" == find(joe, bob.archive, "while it sleeps")["state"]
        assert texts(joe, bob.archive) == ["before", "while it sleeps"]
        os.kill(archive, signal.SIGKILL)  # which a stopped process cannot wait with
        assert reaches(joe, bob.archive, "while it sleeps")["id"] == sent["id"]
        assert texts(bob, work) == ["before", "while it sleeps"]

        joe.ok("contact", "disable", "bob")
        until(lambda: not contact(joe, bob.archive)["enabled"], "he is shut out")
        joe.ok("contact", "enable", bob.archive)
        send(bob, work, "back again")
        until(lambda: texts(joe, bob.archive)[-1] == "back again", "he is back")
    with_bob(t, run)


def test_they_come_back_with_a_lost_node(t):
    def run(joe, bob, work):
        send(joe, bob.archive, "from work", "--wait")
        send(bob, work, "to work")
        said = ["from work", "to work"]
        at_archive = lambda: [m["text"] for m in joe.ok("--node", "archive", "chat", "list", "--with", bob.archive,
                                                        "--as", work)]
        until(lambda: at_archive() == said == texts(joe, bob.archive), "both nodes have it")
        for node in ("archive", "sparse"):
            lose(t, node)
            recreate(joe, node)
            until(lambda: contact(joe, bob.archive).get("identity") == work, "Bob is there, as whom he met")
            until(lambda: at_archive() == said == texts(joe, bob.archive), f"what was lost with the {node} is back")
            said += [f"from work after the {node}", f"to work after the {node}"]
            send(joe, bob.archive, said[-2], "--wait")
            send(bob, work, said[-1])
            until(lambda: at_archive() == said == texts(joe, bob.archive), "they go on")
            assert texts(bob, work) == said
    with_bob(t, run)


def test_they_have_groups(t):
    """Everything in them is done as the identity, though the members know only it, and not each other."""
    second, third = Installation(), Installation()
    try:
        joe, bob, ann = Pair(t), Pair(second, user="bob"), Pair(third, user="ann")
        work = joe.ok("identity", "add", WORK, "--name", "Joe at work")["personId"]
        for friend in (bob, ann):
            friend.ok("pair", "-", stdin=json.dumps(joe.ok("invite", "--as", WORK)))
        until(lambda: {"bob", "ann"} <= {c["name"] for c in joe.ok("contacts", "--as", WORK)}, "both have names")

        topic = joe.ok("topic", "create", "--as", WORK, "--name", "plans", "--with", "bob", "--with", "ann")["topicId"]
        shown = lambda pair: next((c for c in pair.ok("topic", "list") if c["topicId"] == topic), {})
        roles = lambda pair: {m["personId"]: m["role"] for m in shown(pair).get("members", [])}
        said = lambda pair: [m["text"] for m in pair.ok("topic", "read", topic)]
        all_three = lambda what: all(what(pair) for pair in (joe, bob, ann))
        first = {work: "owner", bob.archive: "writer", ann.archive: "writer"}
        until(lambda: all_three(lambda pair: roles(pair) == first), "everybody knows who takes part")
        assert shown(joe)["identity"] == work

        for number, (pair, text) in enumerate([(joe, "from work"), (bob, "from bob"), (ann, "from ann")], 1):
            pair.ok("topic", "send", topic, text)
            until(lambda: all_three(lambda one: len(said(one)) == number), f"everybody has {text}")
        assert said(joe) == said(bob) == said(ann) == ["from work", "from bob", "from ann"]

        joe.ok("topic", "rename", topic, "better plans")
        joe.ok("topic", "add", topic, "ann", "--role", "reader")
        reads = {**first, ann.archive: "reader"}
        until(lambda: all_three(lambda pair: (shown(pair)["name"], roles(pair)) == ("better plans", reads)), "so it is")
        ann.fails("REFUSED", 4, "topic", "send", topic, "not allowed to")
        joe.ok("topic", "remove", topic, "ann")
        rest = {work: "owner", bob.archive: "writer"}
        until(lambda: all_three(lambda pair: roles(pair) == rest), "she is gone")
        joe.ok("topic", "send", topic, "without her")
        until(lambda: said(bob)[-1] == "without her", "he reads on")
        assert joe.ok("topic", "leave", topic, "--wipe")["newOwner"] == bob.archive
        until(lambda: roles(bob) == {bob.archive: "owner"}, "it is his now")
        until(lambda: not shown(joe), "nothing is left of it")
        assert said(ann) == ["from work", "from bob", "from ann"]
        for node in ("archive", "sparse"):
            for ours in (joe.archive, joe.sparse):
                assert ours not in json.dumps([bob.ok("--node", node, "topic", "list"), bob.ok("contacts")])
        assert second.stop() == 0 == third.stop()
    finally:
        second.clean()
        third.clean()


def test_what_they_post_into_a_chat_of_the_main_one_is_shown(t):
    """Whether they were made members or not."""
    joe = Pair(t)
    work = joe.ok("identity", "add", WORK)["personId"]
    topic = joe.ok("--node", "archive", "topic", "create", "--name", "plans", "--with", joe.sparse)["topicId"]
    read = lambda *options: [(m["text"], m["sender"]) for m in joe.ok(*options, "topic", "read", topic)]
    message = {"$type$": "ChatMessage", "text": "posted", "sender": work}
    joe.ok("--node", "archive", "channel", "create", topic, "--owner", work)
    joe.ok("--node", "archive", "channel", "post", topic, "--as", work, stdin=json.dumps(message))
    assert read("--node", "archive") == [("posted", work)]
    until(lambda: read() == [("posted", work)], "the screen shows it")
    joe.ok("--node", "archive", "topic", "add", topic, work)
    until(lambda: work in [m["personId"] for m in joe.ok("topic", "members", topic)], "the screen knows")
    joe.ok("topic", "send", topic, "as a member", "--as", work)
    both = [("posted", work), ("as a member", work)]
    until(lambda: read() == both == read("--node", "archive"), "both nodes show both")


if __name__ == "__main__":
    main(globals())
