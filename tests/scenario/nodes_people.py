"""People: who they are to us and to themselves, what they are called, and how they are named in arguments."""
import json
import os
import select
import signal
import subprocess
import time

from clock import Clock
from control import BIN, Installation, main, until, within
from nodes import Pair, plant_topic

DAY_S = 86_400
SANITIZER = os.environ.get("TANDEM_SANITIZE")  # its library has to be the first that is loaded


def with_two(t, test):
    """Joe and Ann, whose archives know each other."""
    second = Installation()
    try:
        joe, ann = Pair(t), Pair(second, user="ann")
        ann.ok("--node", "archive", "pair", json.dumps(joe.ok("invite")))
        until(lambda: ann.archive in persons(joe, "archive"), "both have stored it")
        test(joe, ann)
    finally:
        second.clean()


def persons(pair, node):
    return [c["personId"] for c in pair.ok("--node", node, "contacts")]


def profile(pair, node, person):
    """Values of a profile by type, or nothing as long as the node does not have it."""
    status, found = pair.cli("--node", node, "profile", "get", person)
    values = {}
    for part in (found["descriptions"] + found["endpoints"] if status == 0 else []):
        values.setdefault(part["type"], []).append(part.get("name") or part.get("number") or part.get("value"))
    return values


# ---- Who they are ----

def test_two_with_one_mail_are_told_so(t):
    """Nobody is to be advised to forget the own other node, or to invite it once more."""
    second = Installation()
    mails = "node-anna@lama.local", "anna@lama.local"
    try:
        one, two = Pair(t, user="anna", mails=mails), Pair(second, user="anna", mails=mails)
        assert (one.archive, one.sparse) == (two.archive, two.sparse)
        for node, person in (("archive", one.archive), ("sparse", one.sparse)):
            error = two.fails("OWN-PERSON", 4, "--node", node, "pair", json.dumps(one.ok("invite")))
            assert "same e-mail" in error["message"] and "forget" not in error["hint"], error
            until(lambda: ("OWN-PERSON", person) in failures(one), "who invites hears of it, too")
        for pair in (one, two):
            assert persons(pair, "sparse") == [pair.archive] and persons(pair, "archive") == [pair.sparse]
            pair.send("sparse", "still together")
            pair.arrives("archive", "still together")
    finally:
        second.clean()


def failures(pair):
    page = pair.t.call("events.since", limit=1)
    events = pair.t.call("events.since", bootId=page["bootId"], seq=0, limit=1000)["events"]
    return [(e["data"]["code"], e["data"]["personId"]) for e in events if e["event"] == "pairing.failed"]


def find(pair, person, *options):
    return next((c for c in pair.ok(*options, "contacts") if c["personId"] == person), None)


def test_contacts_say_who_they_are_to_us(t):
    def run(joe, ann):
        own = find(joe, joe.archive)
        assert own["own"] and own["level"] == "connected" and own["pairedWith"] == ["sparse"]
        met = lambda: find(joe, ann.archive) or {}
        until(lambda: met().get("level") == "connected", "the list of the installation has what the archive says")
        contact, archive = met(), find(joe, ann.archive, "--node", "archive")
        assert contact["pairedWith"] == ["archive"] == archive["pairedWith"] and contact["connected"] and not contact["own"]
        assert contact["safety"] == archive["safety"] is not None
        alone = find(joe, ann.archive, "--node", "sparse")
        assert not alone["connected"] and alone["pairedWith"] == ["archive"] and alone["level"] == "paired"
        sibling = lambda: find(joe, ann.sparse) or find(joe, ann.sparse, "--node", "archive")
        assert sibling() is None, "nobody told him of her other node"

        joe.ok("contact", "name", ann.archive[:10], "Anna from work")
        assert find(joe, ann.archive)["localName"] == "Anna from work"
        until(lambda: find(joe, ann.archive, "--node", "archive")["localName"] == "Anna from work", "both nodes keep it")
        assert joe.ok("--node", "archive", "profile", "get", "anna FROM work")["personId"] == ann.archive
        joe.fails("REFUSED", 4, "settings", "set", "contact.names", ann.archive, "x")
        shown = t.cli("contacts")[1]
        assert "Anna from work" in shown and "joe (own node)" in shown and ann.archive[:12] in shown, shown
        for node in ("archive", "sparse"):
            assert "Anna from work" not in json.dumps(ann.ok("--node", node, "profile", "get", ann.archive))
        joe.ok("contact", "name", "Anna from work", "")
        assert find(joe, ann.archive)["localName"] is None
        for verb in ("forget", "disable"):
            joe.fails("OWN-NODE", 4, "contact", verb, joe.archive)
        joe.ok("contact", "enable", joe.archive)

        ann.t.stop()
        until(lambda: met()["level"] == "seen", "she is gone")
        left = met()["lastSeenAt"]
        assert contact["lastSeenAt"] <= left + 1000 and not met()["connected"]
        archive = t.call("status")["archive"]["pid"]
        kept = lambda: [c for c in t.call("contacts.list")["items"] if c["personId"] == ann.archive][0]
        os.kill(archive, signal.SIGSTOP)
        began = time.monotonic()
        shown = kept()
        assert time.monotonic() - began < within(3), "nobody waits long for an archive that does not answer"
        assert (shown["level"], shown["safety"], shown["pairedWith"]) == ("seen", contact["safety"], ["archive"]), shown
        assert shown["lastSeenAt"] is not None and abs(shown["lastSeenAt"] - left) < 5000, (shown, left)
        os.kill(archive, signal.SIGKILL)
        until(lambda: find(joe, ann.archive)["level"] in ("seen", "paired"), "the sparse node answers alone")
        assert t.cli("wait", "federated")[0] == 0
        assert met()["lastSeenAt"] == left, "that is kept"
    with_two(t, run)


# ---- What people say of themselves ----

def test_what_is_removed_is_gone_everywhere(t):
    def run(joe, ann):
        says = lambda **values: ann.ok("--node", "archive", "profile", "set",
                                       *(word for name, value in values.items() for word in ("--" + name, value)))
        places = (ann, "sparse"), (joe, "archive"), (joe, "sparse")
        shown = lambda: [tuple(profile(pair, node, ann.archive).get(kind) for kind in ("PersonName", "PhoneNumber"))
                         for pair, node in places]
        until(lambda: shown() == [(["ann"], None)] * 3, "everybody knows her name")
        says(phone="111")
        until(lambda: shown() == [(["ann"], ["111"])] * 3, "and her number")
        says(name="Ann", phone="222")
        until(lambda: shown() == [(["Ann"], ["222"])] * 3, "the new ones take the place of the old ones")
        says(phone="")
        until(lambda: shown() == [(["Ann"], None)] * 3, "what she removes is gone")
        joe.ok("restart", "archive")
        says(name="ann", phone="111")
        until(lambda: shown() == [(["ann"], ["111"])] * 3, "what was once removed may come again")
    with_two(t, run)


def test_a_clock_that_was_ahead_holds_nothing_up(t):
    if SANITIZER:
        return
    clock = Clock()
    try:
        t.environment.update(clock.environment)
        pair = Pair(t)
        at_the_archive = lambda: pair.cli("--node", "archive", "settings", "get", "app", "theme")[1].get("value")
        clock.put(DAY_S)
        pair.ok("settings", "set", "app", "theme", "dark")
        pair.ok("profile", "set", "--name", "Joe in the future")
        until(lambda: at_the_archive() == "dark", "the archive has it")
        until(lambda: profile(pair, "archive", pair.sparse)["PersonName"] == ["Joe in the future"], "and the name")
        clock.put(0)
        pair.ok("settings", "set", "app", "theme", "light")
        pair.ok("profile", "set", "--name", "Joe today")
        until(lambda: at_the_archive() == "light", "the archive has the later one")
        until(lambda: profile(pair, "archive", pair.sparse)["PersonName"] == ["Joe today"], "and the later name")
        assert t.stop() == 0
    finally:
        clock.clean()


def test_both_nodes_do_what_the_user_says(t):
    def run(joe, ann):
        at_hers = lambda: profile(ann, "archive", joe.archive)
        until(lambda: at_hers().get("PersonName") == ["joe"], "Ann knows Joe's name")
        picture = joe.ok("blob", "put", "-", stdin="a picture")["hash"]
        joe.ok("profile", "set", "--name", "Joseph", "--image", picture)
        until(lambda: at_hers().get("PersonName") == ["Joseph"], "what he calls himself is what the world sees")
        until(lambda: "ProfileImage" in at_hers(), "and what he looks like")
        assert joe.ok("profile", "get")["name"] == "Joseph"
        joe.fails("NOT-FOUND", 1, "profile", "set", "--image", "ab" * 32)

        connected = lambda: find(joe, ann.archive)["connected"]
        until(connected, "they are connected")
        joe.ok("contact", "disable", "ann")
        until(lambda: not connected(), "the archive closes the connection")
        joe.ok("contact", "enable", "ann")
        until(connected, "and opens it again")
        joe.ok("contact", "forget", "ann")
        for node in ("archive", "sparse"):
            assert ann.archive not in persons(joe, node), node
    with_two(t, run)


# ---- What they are called ----

def test_people_are_named_as_one_likes(t):
    def run(joe, ann):
        ask = lambda *words, **more: joe.ok("--node", "archive", *words, **more)
        mail = ann.ok("--node", "archive", "id")["email"]
        until(lambda: "ann" in [c["name"] for c in ask("contacts")], "Joe knows her name")
        for name in ("ann", " Ann ", mail, mail.upper(), ann.archive[:8], f" {ann.archive[:20].upper()}\n", ann.archive):
            assert ask("profile", "get", name)["personId"] == ann.archive, name
        assert ask("profile", "get", "me")["personId"] == joe.archive
        assert ask("profile", "get", "joe")["personId"] == joe.sparse
        joe.fails("NOT-FOUND", 1, "--node", "archive", "profile", "get", "nobody")
        joe.fails("NOT-FOUND", 1, "invite", "--for", "nobody")
        assert ann.ok("pair", "--for", "joe", json.dumps(joe.ok("invite", "--for", "Ann")))["personId"] == joe.archive
        object = ask("object", "put", stdin=json.dumps({"$type$": "PersonName", "name": "shared"}))["hash"]
        ask("share", "grant", "--object", object[:10].upper(), "--with", "ann")
        [grant] = [g for g in ask("share", "list") if g["hash"] == object]
        assert grant["persons"] == [ann.archive]
        ask("share", "revoke", "--object", object[:10], "--with", mail)
        group = ask("group", "create", "friends", "--person", "ann")["groupId"]
        ask("group", "remove", group[:9].upper(), "ANN")
        ask("group", "add", "friends", ann.archive[:12])
        assert [g["persons"] for g in ask("group", "list") if g["groupId"] == group] == [[ann.archive]]
        topic = ask("topic", "create", "--name", "tea", "--with", "ann")["topicId"]
        assert ann.archive in next(x for x in ask("topic", "list") if x["topicId"] == topic)["persons"]
        ask("chat", "send", "--to", "ann", "hello")
        until(lambda: [m["text"] for m in ann.ok("--node", "archive", "chat", "list", "--with", "joe")] == ["hello"], "it is there")
        lines = lambda: joe.t.cli("chat", "list", "--with", "ann")[1].splitlines()
        ann.ok("--node", "archive", "chat", "send", "--to", "joe", "hello you")
        until(lambda: [line.split("  ")[2:] for line in lines()] == [["me", "hello"], ["ann", "hello you"]], "names are shown")
        first, second = (line.split("  ")[1] for line in lines())
        assert [m["text"] for m in joe.ok("chat", "list", "--with", "ann", "--before", second)] == ["hello"]
        assert ask("trace", first)["messageId"].startswith(first)
        ask("contact", "forget", "ann")
        assert ann.archive not in persons(joe, "archive")
    with_two(t, run)


def test_no_name_is_taken_for_ours(t):
    """And a chat that is followed goes on when its person takes another name."""
    def run(joe, ann):
        until(lambda: "ann" in [c["name"] for c in joe.ok("--node", "archive", "contacts")], "Joe knows her name")
        say = lambda text: ann.ok("--node", "archive", "chat", "send", "--to", joe.archive, text)
        follower = subprocess.Popen([os.path.join(BIN, "tandem"), "--node", "archive", "chat", "follow", "--with", "ann"],
                                    env=t.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        until(lambda: (say("one"), select.select([follower.stdout], [], [], 1))[1][0], "the chat is followed")
        assert follower.stdout.readline().endswith("  ann  one\n")
        for name in ("me", "ann (own node)"):
            quoted = f'"{name}" {ann.archive[:12]}'
            ann.ok("--node", "archive", "profile", "set", "--name", name)
            until(lambda: name in [c["name"] for c in joe.ok("--node", "archive", "contacts")], "her new name is there")
            say(f"as {name}")
            line = next(line for line in follower.stdout if not line.endswith("  ann  one\n"))
            assert line.endswith(f"  as {name}\n") and ann.archive[:12] not in line, line
            shown = t.cli("--node", "archive", "contacts")[1]
            assert quoted in shown and "joe (own node)" in shown, shown
            assert f"  {quoted}  as {name}" in t.cli("--node", "archive", "chat", "list", "--with", ann.archive)[1]
            assert f"\n{quoted}  " in t.cli("--node", "archive", "topic", "list")[1]
            assert t.cli("--node", "archive", "chat", "search", f"as {name}")[1].startswith(f"{quoted}: ")
        follower.terminate()
        follower.wait()
        follower.stdout.close()
        ann.ok("--node", "archive", "topic", "create", "--name", "me", "--id", "hers", "--with", joe.archive)
        until(lambda: '\n"me" hers  ' in t.cli("--node", "archive", "topic", "list")[1], "the topic shows as hers")
        ann.t.call("deprovision")
        until(lambda: f"not now: {quoted}" in t.cli("doctor")[1], "the doctor names her")
    with_two(t, run)


def test_no_group_is_taken_for_a_person(t):
    """Nor a person, or a group, for ourselves."""
    def run(joe, ann):
        called = lambda name: until(lambda: name in [c["name"] for c in joe.ok("contacts")], f"Joe knows her as {name}")
        topics = lambda: [x["name"] for x in joe.ok("topic", "list")]
        ann.ok("--node", "archive", "profile", "set", "--name", "me")
        ann.ok("--node", "archive", "topic", "create", "--name", "me", "--id", "hers", "--with", joe.archive)
        called("me")
        until(lambda: "me" in topics(), "the group is there")
        for words in (("topic", "send", "me", "hi"), ("chat", "send", "--to", "me", "hi")):
            assert joe.fails("BAD-INPUT", 4, *words)["message"] == "a conversation needs another person"
        beginning = ann.archive[:12]
        ann.fails("BAD-INPUT", 4, "topic", "create", "--id", beginning, "--with", joe.archive)
        ann.ok("--node", "archive", "profile", "set", "--name", "ann")
        ann.ok("--node", "archive", "topic", "create", "--id", "ann", "--name", beginning, "--with", joe.archive)
        called("ann")
        plant_topic(ann.t, "hers, too", ann.archive, joe.archive)
        until(lambda: {beginning, "hers, too"} <= set(topics()), "and the others")
        for name in ("ann", beginning):
            for node in ((), ("--node", "archive")):
                error = joe.fails("AMBIGUOUS-ID", 4, *node, "topic", "send", name, "secret")
                assert "the chat ann (" in error["message"] and f"the person {ann.archive}" in error["message"], error
        joe.ok("topic", "send", ann.archive, "for her")
        assert [m["text"] for m in joe.ok("chat", "list", "--with", ann.archive)] == ["for her"]
    with_two(t, run)


def test_nobody_cuts_the_own_nodes_apart_by_mistake(t):
    joe = Pair(t)
    for verb in ("forget", "disable"):
        for node, other in (("archive", joe.sparse), ("sparse", joe.archive[:12])):
            status, out, err = t.cli("--node", node, "contact", verb, other)
            assert status == 4 and "CONFIRMATION-MISSING" in err and "cuts the installation in two" in err, err
    joe.fails("CONFIRMATION-MISSING", 4, "--node", "sparse", "disable", joe.archive)
    assert t.cli("wait", "federated", "--timeout", "5")[0] == 0
    joe.ok("--node", "sparse", "disable", joe.archive, "--yes")
    joe.fails("TIMEOUT", 5, "wait", "federated", "--timeout", "1")
    joe.ok("--node", "sparse", "enable", joe.archive)
    joe.ok("wait", "federated")


def test_a_disabled_contact_is_called_so(t):
    def run(joe, ann):
        level = lambda: next(row for row in t.cli("contacts")[1].splitlines() if row.startswith(ann.archive[:12]))
        send = lambda text: t.cli("chat", "send", "--to", ann.archive, text)
        assert "disabled" not in send("now")[2] and "disabled" not in level()
        got = lambda: [m["text"] for m in ann.ok("--node", "archive", "chat", "list", "--with", joe.archive)]
        until(lambda: got() == ["now"], "she has it")
        joe.ok("contact", "disable", ann.archive)
        until(lambda: "  disabled  " in level(), "the list says so")
        status, _, said = send("later")
        assert status == 0 and f"{ann.archive} is disabled" in said and f"enable {ann.archive[:12]}'" in said, said
        lines = t.cli("chat", "send", "--to", ann.archive, "--stdin", stdin="later too\nand then\n")
        assert lines[0] == 0 and lines[2].count("is disabled") == 1, lines  # once
        assert find(joe, ann.archive)["level"] != "disabled"
        joe.ok("contact", "enable", ann.archive)
        until(lambda: got() == ["now", "later", "later too", "and then"], "what was kept is sent")
        assert "disabled" not in level()
        for message in ann.ok("--node", "archive", "chat", "list", "--with", joe.archive)[1:]:
            ann.ok("--node", "archive", "chat", "delete", message["id"])
        assert ann.t.cli("--node", "archive", "chat", "delete", "--with", joe.archive, "--yes")[1].startswith("1 message deleted.")
    with_two(t, run)


def test_a_contact_is_listed_once_it_is_paired(t):
    """Also before the sparse node has heard of it, here because it does not listen to its archive."""
    second = Installation()
    try:
        joe, ann = Pair(t), Pair(second, user="ann")
        joe.ok("--node", "sparse", "contact", "disable", joe.archive, "--yes")
        ann.ok("pair", json.dumps(joe.ok("invite")))
        until(lambda: ann.archive in persons(joe, "archive"), "the archive has stored it")
        assert ann.archive not in persons(joe, "sparse")
        listed = joe.ok("contacts")
        [found] = [c for c in listed if c["personId"] == ann.archive]
        assert found["pairedWith"] == ["archive"] and not found["own"] and find(joe, ann.archive)["level"] == found["level"]
        assert joe.sparse not in [c["personId"] for c in listed]
        assert [c["unread"] for c in t.call("contacts.list", unread=True)["items"] if c["personId"] == ann.archive] == [0]
        assert len(t.call("contacts.list", limit=1)["items"]) == 1
    finally:
        second.clean()


def test_a_contact_has_its_name_once_it_is_paired(t):
    def run(joe, ann):
        joe.ok("contact", "forget", ann.archive, "--wipe")
        until(lambda: ann.archive not in persons(joe, "archive"), "she is forgotten at both nodes")
        ann.ok("contact", "forget", joe.archive)
        until(lambda: joe.archive not in persons(ann, "archive"), "she has forgotten him")
        assert joe.ok("pair", "-", stdin=json.dumps(ann.ok("invite")))["personId"] == ann.archive
        joe.ok("contact", "name", "ann", "Annie")
        joe.ok("chat", "send", "--to", "Annie", "it is you")
        for node in ("archive", "sparse"):
            until(lambda: "ann" in [c["name"] for c in joe.ok("--node", node, "contacts")], "she is called as before")
    with_two(t, run)


def test_one_person_is_one_line_everywhere(t):
    """With whom both own nodes are paired, and who is called like somebody else."""
    def run(joe, ann):
        joe.ok("--node", "sparse", "pair", json.dumps(ann.ok("invite")))
        until(lambda: find(joe, ann.archive)["pairedWith"] == ["archive", "sparse"], "both own nodes know her")
        for node in ("archive", "sparse"):
            joe.ok("--node", node, "chat", "send", "--to", ann.archive, f"by the {node}", "--wait")
        for own in (joe.archive, joe.sparse):
            ann.ok("--node", "archive", "chat", "send", "--to", own, f"to {own}", "--wait")
        rows = lambda: [c for c in joe.ok("topic", "list") if c["with"] == ann.archive]
        until(lambda: [r["unread"] for r in rows()] == [2], "one line, with all that is unread")
        assert len([c for c in joe.ok("--node", "sparse", "topic", "list") if c["with"] == ann.archive]) == 2
        unread = lambda: next(c for c in joe.ok("contacts") if c["personId"] == ann.archive)["unread"]
        assert unread() == 2 and " 2 " in joe.t.cli("contacts")[1]
        assert "unread" not in joe.t.call("contacts.list")["items"][0]
        for word in (rows()[0]["topicId"], ann.archive[:12]):
            joe.ok("topic", "read-up-to", word)
            until(lambda: rows()[0]["unread"] == 0 == unread(), "both own nodes count what is read")
            for own in (joe.archive, joe.sparse):
                ann.ok("--node", "archive", "chat", "send", "--to", own, "once more", "--wait")
            until(lambda: rows()[0]["unread"] == 2, "both are unread again")

        named = lambda name, person: joe.ok("contact", "name", person, name)
        assert named("Bob", ann.archive) == {"others": [], "ambiguous": False}
        assert named("bob", joe.archive) == {"others": [ann.archive], "ambiguous": True}
        joe.fails("AMBIGUOUS-ID", 4, "chat", "list", "--with", "Bob")
        assert named("ANN", joe.archive) == {"others": [ann.archive], "ambiguous": False}
        assert f"{ann.archive[:12]} is called ANN, too" in joe.t.cli("contact", "name", joe.archive, "ANN")[2]
        assert named("", joe.archive)["others"] == []
    with_two(t, run)


# ---- What users type ----

def read_topic(pair, name):
    """The texts in a chat, nothing as long as it is not there."""
    status, found = pair.cli("topic", "read", name)
    return [m["text"] for m in found] if status == 0 else []


def test_words_find_who_and_what_is_meant(t):
    """A chat at once after it was made, the chat with a person by the person, an identity by its e-mail."""
    def run(joe, ann):
        until(lambda: "ann" in [c["name"] for c in joe.ok("contacts")], "the screen knows her")
        for i in range(12):
            made = joe.ok("topic", "create", "--name", f"q{i}", "--with", "ann")
            sent = joe.ok("topic", "send", f"q{i}", "now")
            assert sent["state"] in ("pending", "archived", "sent") and made["topicId"].startswith(f"q{i}-")
            joe.ok("topic", "rename", f"q{i}", f"r{i}")
        until(lambda: read_topic(ann, "r11") == ["now"], "she reads the last one")

        joe.ok("topic", "send", "ann", "to you alone")
        until(lambda: read_topic(ann, joe.archive[:12]) == ["to you alone"] == read_topic(ann, "joe"), "she hears him")
        joe.fails("NOT-FOUND", 1, "topic", "read", "nobody at all")
        direct = lambda: next((c for c in ann.ok("topic", "list") if c["with"] == joe.archive), None)
        until(lambda: direct() and direct()["unread"] == 1, "it is new to her")
        assert direct()["name"] == "joe", direct()
        table = ann.t.cli("topic", "list")[1]
        assert joe.archive[:12] in table and "<->" not in table, table
        [hit] = ann.ok("chat", "search", "you alone")
        assert hit["name"] == "joe" and hit["topic"] == direct()["topicId"], hit
        assert ann.t.cli("chat", "search", "you alone")[1].startswith("joe: ")
        ann.ok("topic", "read-up-to", joe.archive[:12])
        assert direct()["unread"] == 0

        for own in ("me", "joe", joe.archive, joe.sparse):
            error = joe.fails("BAD-INPUT", 4, "chat", "send", "--to", own, "hello?")
            assert error["message"] == "a conversation needs another person", error

        work = joe.ok("identity", "add", "Joe@work.example")["personId"]
        listed = joe.ok("identity", "list")
        assert [i["personId"] for i in listed] == [joe.archive, work]
        assert joe.ok("--node", "archive", "identity", "list") == listed
        assert [i["personId"] for i in joe.ok("--node", "sparse", "identity", "list")] == [joe.sparse]
        keys = {joe.ok("invite", "--as", name)["publicKey"] for name in ("joe@WORK.example", work[:8], work)}
        assert len(keys) == 1 and joe.ok("invite")["publicKey"] not in keys
        assert joe.ok("contacts", "--as", "Joe@work.example") == []
        for command in (("invite",), ("contacts",)):
            error = joe.fails("NOT-FOUND", 1, *command, "--as", "joe@nowhere")
            assert '"as"' in error["message"] and f"Joe@work.example ({work[:12]})" in error["message"], error
    with_two(t, run)


if __name__ == "__main__":
    main(globals())
