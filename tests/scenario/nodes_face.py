"""One face: without --node a person has one conversation with a contact, whichever of the two nodes leads to it."""
import json
import os
import signal
import subprocess
import threading

from control import BIN, SECRET, Installation, fails_with, main, until
from nodes import Pair, read, write


def with_two(t, test):
    second = Installation()
    try:
        test(Pair(t), Pair(second, user="ann"))
        assert second.stop() == 0
    finally:
        second.clean()


def conversation(pair, person):
    return pair.ok("chat", "list", "--with", person, "--limit", "1000")


def texts(pair, person):
    return [message["text"] for message in conversation(pair, person)]


def find(pair, person, text):
    return next((m for m in conversation(pair, person) if m["text"] == text), {})


def reaches(pair, person, text, wanted="delivered"):
    until(lambda: find(pair, person, text).get("state") == wanted, f"{text} is {wanted}")
    return find(pair, person, text)


def meet(joe, ann):
    """Pairs them as the README does; then both sparse nodes know the way."""
    assert ann.ok("pair", "-", stdin=json.dumps(joe.ok("invite")))["personId"] == joe.archive
    for who, other in ((ann, joe), (joe, ann)):
        until(lambda: other.archive in [c["personId"] for c in who.ok("contacts")], "the contact is there")


def pid_of(pair, node):
    return pair.t.call("status")[node]["pid"]


def start_again(pair):
    pair.t.up("--listen", "localhost:0")
    assert pair.cli("provision", stdin=SECRET + "\n")[0] == 0


def send(pair, person, text, *options):
    return pair.ok("chat", "send", "--to", person, text, *options)


def test_the_everyday_sequence_delivers_both_ways_and_shows_it(t):
    def run(joe, ann):
        invitation = json.dumps(joe.ok("invite"))
        assert ann.ok("pair", "-", stdin=invitation)["personId"] == joe.archive
        sent = send(ann, joe.archive, "hello Joe")  # at once: her own sparse node may not know him yet
        message = reaches(ann, joe.archive, "hello Joe")
        assert message["id"] == sent["id"] and message["deliveredTo"] == [joe.archive]
        assert message["author"] == ann.archive and message["verification"] == "verified"
        until(lambda: texts(joe, ann.archive) == ["hello Joe"], "Joe hears it where he looks")
        contact = next(c for c in joe.ok("contacts") if c["personId"] == ann.archive)
        sent = send(joe, contact["personId"][:8], "hello Ann")
        until(lambda: texts(ann, joe.archive) == ["hello Joe", "hello Ann"], "Ann hears it where she looks")
        assert reaches(joe, ann.archive, "hello Ann")["id"] == sent["id"] == find(ann, joe.archive, "hello Ann")["id"]
        shown = joe.t.cli("chat", "list", "--with", ann.archive)[1]
        assert "hello Ann" in shown and "(" not in shown, shown
        traced = joe.ok("trace", sent["id"])
        assert traced["state"] == "delivered" and traced["success"] and traced["failurePoint"] is None
        assert [r["personId"] for r in traced["recipients"]] == [ann.archive]

        photo = write(os.path.join(t.top, "photo.jpg"), bytes(range(256)) * 1000)
        assert send(joe, ann.archive, "a picture", "--attach", photo, "--wait")["state"] == "delivered"
        [file] = find(ann, joe.archive, "a picture")["attachments"]
        ann.ok("--node", "archive", "blob", "get", file["hash"], "-o", os.path.join(t.top, "copy"))
        assert file["name"] == "photo.jpg" and read(os.path.join(t.top, "copy")) == read(photo)

        # Both of Joe's nodes write, and Ann does.
        writers = [threading.Thread(target=lambda who, options: [
            who.ok(*options, "chat", "send", "--to", (joe if who is ann else ann).archive, f"{options} {i}")
            for i in range(5)], args=a) for a in ((joe, ()), (joe, ("--node", "archive")), (ann, ()))]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        ids = lambda who, other: [m["id"] for m in conversation(who, other.archive)]
        until(lambda: len(ids(ann, joe)) == 18 and ids(ann, joe) == ids(joe, ann), "both see the same, in one order")
        assert len(set(ids(ann, joe))) == 18
        page = joe.ok("chat", "list", "--with", ann.archive, "--limit", "5", "--before", ids(joe, ann)[9])
        assert [m["id"] for m in page] == ids(joe, ann)[4:9]
    with_two(t, run)


def test_what_is_written_while_the_archive_is_away_waits_for_it(t):
    def run(joe, ann):
        meet(joe, ann)
        send(joe, ann.archive, "before", "--wait")
        archive = pid_of(joe, "archive")
        os.kill(archive, signal.SIGSTOP)
        forgets, same = joe.t.client(), [joe.t.client() for _ in range(2)]
        sent = send(joe, ann.archive, "while it sleeps")
        assert sent["state"] == "pending" and find(joe, ann.archive, "while it sleeps")["state"] == "pending"
        assert "(pending) while it sleeps" in joe.t.cli("chat", "list", "--with", ann.archive)[1]
        searched = lambda *options: [(h["text"], h["id"]) for h in joe.ok("chat", "search", "SLEEPS", *options)]
        assert searched() == [("while it sleeps", sent["id"])], searched()
        for client in same:  # of two user interfaces
            client.send("chat.send", to=ann.archive, text="once", opId="the same")
        first, second = [client.receive()[1]["result"] for client in same]
        assert first == second
        assert joe.cli("--timeout", "1", "chat", "send", "--to", ann.archive, "in vain", "--wait")[0] == 5
        os.kill(archive, signal.SIGCONT)
        assert reaches(joe, ann.archive, "while it sleeps")["id"] == sent["id"]
        reaches(joe, ann.archive, "in vain")
        assert searched() == [("while it sleeps", sent["id"])], "it is found once"
        for who in (ann.archive, "ann", ann.archive[:10]):  # as 'chat send' and 'topic send' take it
            members = {m["personId"]: m["role"] for m in joe.ok("topic", "members", who)}
            assert members == {joe.archive: "writer", ann.archive: "writer"}, members
            for change in (("add", who, joe.sparse), ("remove", who, ann.archive), ("rename", who, "x"), ("leave", who)):
                assert "conversation with one person" in joe.fails("REFUSED", 4, "topic", *change)["message"]
        rule = joe.ok("--node", "sparse", "sync", "rule", "add", "--topic", "ann")["id"]
        joe.ok("--node", "sparse", "sync", "rule", "remove", str(rule))
        until(lambda: texts(ann, joe.archive) == ["before", "while it sleeps", "once", "in vain"], "all came, once")
        assert texts(joe, ann.archive) == texts(ann, joe.archive)

        # Forgotten before the archive comes to what was written.
        os.kill(archive, signal.SIGSTOP)
        forgets.send("contact.forget", node="archive", person=ann.archive)
        failed = send(joe, ann.archive, "too late")
        os.kill(archive, signal.SIGCONT)
        assert "result" in forgets.receive()[1]
        message = reaches(joe, ann.archive, "too late", "failed")
        assert "neither node is paired" in message["why"] and message["deliveredTo"] == []
        assert joe.ok("trace", failed["id"])["state"] == "failed"
        told = [e["data"] for e in joe.t.call("events.since", limit=1000)["events"]
                if e["event"] == "message.state" and e["node"] == "sparse"]
        states = [d["state"] for d in told if d["id"] == sent["id"]]
        assert states == ["pending", "archived", "delivered"], states
        assert [d["state"] for d in told if d["id"] == failed["id"]] == ["pending", "failed"]
        for client in (forgets, *same):
            client.close()
    with_two(t, run)


def test_who_is_forgotten_while_the_archive_is_away_is_forgotten_there_too(t):
    def run(joe, ann):
        knows = lambda pair, other, node: other.archive in [c["personId"] for c in pair.ok("--node", node, "contacts")]
        meet(joe, ann)
        send(joe, ann.archive, "before", "--wait")
        archive = pid_of(joe, "archive")
        os.kill(archive, signal.SIGSTOP)
        sent = send(joe, ann.archive, "on second thoughts")
        assert sent["state"] == "pending"
        forgets = joe.t.client()
        forgets.send("contact.forget", person=ann.archive)
        failed = reaches(joe, ann.archive, "on second thoughts", "failed")
        assert "forgotten" in failed["why"] and failed["id"] == sent["id"] and not knows(joe, ann, "sparse")
        os.kill(archive, signal.SIGCONT)
        assert "result" in forgets.receive()[1]
        forgets.close()
        assert not knows(joe, ann, "archive")
        joe.fails("NO-WAY", 4, "chat", "send", "--to", ann.archive, "hello?")
        send(ann, joe.archive, "are you there?")
        assert texts(ann, joe.archive) == ["before", "are you there?"]
        assert texts(joe, ann.archive) == ["before", "on second thoughts", "hello?"]  # nothing of hers

        # The archive does not run at all, and what is said and taken back comes in that order.
        meet(joe, ann)
        sees = lambda: next(c for c in joe.ok("--node", "sparse", "contacts") if c["personId"] == ann.archive)
        until(lambda: sees()["pairedWith"] == ["archive"] and sees()["trusted"], "paired again, she is known as before")
        send(joe, ann.archive, "again", "--wait")
        joe.t.stop()
        os.rename(joe.t.path("archive"), joe.t.path("archive.away"))
        joe.t.up("--listen", "localhost:0")
        joe.cli("provision", stdin=SECRET + "\n")  # it fails, for the archive
        until(lambda: joe.cli("chat", "list", "--with", ann.archive)[0] == 0, "the sparse node answers")
        assert joe.ok("contact", "disable", ann.archive)["state"] == "pending"
        send(joe, ann.archive, "never mind")
        assert joe.t.cli("contact", "forget", ann.archive)[1].startswith("Pending")
        assert find(joe, ann.archive, "never mind")["state"] == "failed"
        joe.t.stop()
        os.rmdir(joe.t.path("archive")) if os.path.isdir(joe.t.path("archive")) else None
        os.rename(joe.t.path("archive.away"), joe.t.path("archive"))
        start_again(joe)
        until(lambda: not knows(joe, ann, "archive"), "the archive forgets her, too")
        assert find(joe, ann.archive, "never mind")["state"] == "failed" and "never mind" not in texts(ann, joe.archive)
    with_two(t, run)


def test_either_node_is_killed_at_any_point(t):
    def run(joe, ann):
        meet(joe, ann)
        wanted = []
        for round, victims in enumerate((["archive"], ["sparse"], ["archive", "sparse"])):
            for i in range(3):
                wanted.append(f"{round}.{i}")
                send(joe, ann.archive, wanted[-1])
            for victim in victims:
                os.kill(pid_of(joe, victim), signal.SIGKILL)
            until(lambda: pid_of(joe, "archive") and joe.cli("chat", "list", "--with", ann.archive)[0] == 0, "it is back")
        until(lambda: texts(ann, joe.archive) == wanted, "Ann has everything once, in its order")
        for text in wanted:
            reaches(joe, ann.archive, text)
        assert texts(joe, ann.archive) == wanted
    with_two(t, run)


def test_the_archive_delivers_while_the_user_interface_is_closed(t):
    def run(joe, ann):
        meet(joe, ann)
        assert ann.t.stop() == 0
        sent = send(joe, ann.archive, "for when you are back")
        reaches(joe, ann.archive, "for when you are back", "archived")
        sparse = pid_of(joe, "sparse")
        os.kill(sparse, signal.SIGSTOP)
        start_again(ann)
        until(lambda: texts(ann, joe.archive) == ["for when you are back"], "Ann has it")
        os.kill(sparse, signal.SIGCONT)
        assert reaches(joe, ann.archive, "for when you are back")["id"] == sent["id"]
        assert joe.t.stop() == 0
        start_again(joe)
        assert joe.ok("trace", sent["id"])["state"] == "delivered"  # of an earlier run
    with_two(t, run)


def test_without_an_archive_the_sparse_node_says_what_is_pending_and_what_has_no_way(t):
    def run(joe, ann):
        meet(joe, ann)
        send(joe, ann.archive, "before", "--wait")
        nobody = "ab" * 32
        joe.fails("NO-WAY", 4, "chat", "send", "--to", nobody, "hello?")  # the archive says so
        joe.fails("BAD-INPUT", 4, "chat", "send", "--to", joe.archive, "to the archive itself")
        assert joe.ok("--node", "sparse", "chat", "send", "--to", joe.archive, "between the nodes",
                      "--wait")["deliveredTo"] == [joe.archive]
        until(lambda: joe.ok("--node", "archive", "chat", "list", "--with", joe.sparse), "it is there")
        joe.t.stop()
        os.rename(joe.t.path("archive"), joe.t.path("archive.away"))
        joe.t.up("--listen", "localhost:0")
        joe.cli("provision", stdin=SECRET + "\n")  # it fails, for the archive
        sent = until(lambda: (lambda s, r: r if s == 0 else None)(
            *joe.cli("chat", "send", "--to", ann.archive, "nobody carries it")), "the sparse node answers")
        assert sent["state"] == "pending"
        assert [(m["text"], m["state"]) for m in conversation(joe, ann.archive)] == [
            ("before", "delivered"), ("nobody carries it", "pending")]
        joe.fails("NO-WAY", 4, "chat", "send", "--to", nobody, "hello?")
        joe.t.stop()
        os.rmdir(joe.t.path("archive")) if os.path.isdir(joe.t.path("archive")) else None
        os.rename(joe.t.path("archive.away"), joe.t.path("archive"))
        start_again(joe)
        assert reaches(joe, ann.archive, "nobody carries it")["id"] == sent["id"]
    with_two(t, run)


def test_what_the_archive_has_posted_is_ours_before_it_comes_back(t):
    def run(joe, ann):
        meet(joe, ann)
        send(joe, ann.archive, "before", "--wait")
        joe.t.stop()
        joe.t.environment["TANDEM_SYNC_NO_IMPORT"] = "sparse"
        start_again(joe)
        send(joe, ann.archive, "quick")
        message = reaches(joe, ann.archive, "quick", "delivered")
        assert (message["verification"], message["author"]) == ("verified", joe.archive), message
        assert "(" not in joe.t.cli("chat", "list", "--with", ann.archive)[1]
    with_two(t, run)


def test_in_a_group_it_is_told_who_has_it(t):
    third = Installation()

    def run(joe, ann):
        bob = Pair(third, user="bob")
        meet(joe, ann)
        meet(joe, bob)
        team = joe.ok("topic", "create", "--name", "team", "--with", ann.archive, "--with", bob.archive)["topicId"]
        latest = lambda who: (who.ok("topic", "read", team) or [{}])[-1]
        until(lambda: all(team in [c["topicId"] for c in who.ok("topic", "list")] for who in (ann, bob)), "all have it")
        assert bob.t.stop() == 0
        sent = joe.ok("topic", "send", team, "hello all")
        until(lambda: latest(joe).get("deliveredTo") == [ann.archive], "Ann has it")
        assert latest(joe)["state"] == "archived" and latest(joe)["id"] == sent["id"]
        start_again(bob)
        until(lambda: latest(joe)["state"] == "delivered", "Bob has it too")
        assert sorted(latest(joe)["deliveredTo"]) == sorted([ann.archive, bob.archive])
        assert latest(ann)["id"] == latest(bob)["id"] == sent["id"]
        assert bob.t.stop() == 0
    try:
        with_two(t, run)
    finally:
        third.clean()


def test_who_speaks_for_the_installation_is_the_supervisors_to_say(t):
    pair = Pair(t)
    for word in ("face", "alone"):
        fails_with("BAD-PARAMS", t.call, "contacts.list", **{word: True})
        fails_with("BAD-PARAMS", t.call, "contacts.list", node="sparse", **{word: True})
    fails_with("UNKNOWN-METHOD", t.call, "node.carry", items=[])
    assert [c["personId"] for c in t.call("contacts.list", node="sparse")["items"]] == [pair.archive]


def test_a_follower_outlives_its_node(t):
    def run(joe, ann):
        meet(joe, ann)
        send(ann, joe.archive, "before", "--wait")
        follower = subprocess.Popen([os.path.join(BIN, "tandem"), "--json", "chat", "follow", "--with", ann.archive],
                                    env=t.environment, stdout=subprocess.PIPE, text=True)
        seen = []
        reader = threading.Thread(target=lambda: [seen.append(json.loads(line)) for line in follower.stdout], daemon=True)
        reader.start()
        try:
            count = 0
            while not seen:  # it has begun
                send(ann, joe.archive, f"n{count}", "--wait")
                count += 1
            os.kill(pid_of(joe, "sparse"), signal.SIGKILL)
            send(ann, joe.archive, "while it was gone")
            until(lambda: seen[-1]["text"] == "while it was gone", "it goes on")
            send(joe, ann.archive, "an answer", "--wait")
            until(lambda: seen[-1]["text"] == "an answer", "what is pending is shown")
            send(ann, joe.archive, "the end")
            until(lambda: seen[-1]["text"] == "the end", "the end")
            assert len({m["id"] for m in seen}) == len(seen), [m["text"] for m in seen]
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()
    with_two(t, run)


if __name__ == "__main__":
    main(globals())
