"""One face with a live peer as the contact: whoever asks without naming a node has one conversation with it, and is told
when the peer has stored what was written. Role "browser": the archive is paired with it and posts what the sparse node
leaves to it; "node": the sparse node is, itself."""
from live import NOT_TRIED, until
from live_pairing import on_stage

WAIT_MS = 5000


def write(s, text):
    sent = s.t.call("chat.send", to=s.theirs, text=text)
    assert sent["state"] == ("pending" if s.role == "browser" else "sent"), sent
    return sent["id"]


def conversation(s):
    s.peer.check()
    return s.t.call("chat.list", **{"with": s.theirs, "limit": 1000})["items"]


def is_delivered(s, message):
    s.peer.check()
    found = s.t.call("chat.state", message=message, known="archived", waitMs=WAIT_MS)
    assert found["state"] != "failed", found
    return found["state"] == "delivered" and found["deliveredTo"] == [s.theirs]


def one_conversation(s):
    s.pair_up()
    until(lambda: s.theirs in [c["personId"] for c in s.t.call("contacts.list")["items"]], "the sparse node knows it")
    first = write(s, "ours")
    heard = s.they_hear("ours")
    assert heard["sender"] == s.ours
    until(lambda: is_delivered(s, first), "it is delivered")
    s.they_say("theirs")
    until(lambda: [m["text"] for m in conversation(s)] == ["ours", "theirs"], "we hear it where we look")
    for i in range(5):
        write(s, f"ours {i}")
        s.they_say(f"theirs {i}")

    # The peer can lose what comes while it writes, from its list (WIRE.md 13.13), until we tell it again.
    def is_one():
        listed = s.peer.ask("messages", "messages", other=s.ours, last=1000)["texts"]
        return len(listed) == 12 and listed == [m["text"] for m in conversation(s)]
    until(is_one, "both have one order")
    until(lambda: all(m["state"] == "delivered" for m in conversation(s) if m["sender"] == s.ours), "all are delivered")

    s.peer.stop()
    waits = write(s, "while you are away")
    kept = lambda: s.t.call("chat.state", message=waits)["state"]
    until(lambda: kept() == "archived", "the archive has it")
    s.peer.start(*s.peer_options)
    s.they_hear("while you are away")
    until(lambda: is_delivered(s, waits), "it is delivered after all")


def one_face(role):
    return on_stage(role, one_conversation)


def a_further_identity(role):
    """The peer knows a further identity of our archive only: its conversation is where the user looks."""
    if role == "node":
        return NOT_TRIED  # it is the archive that has several

    def play(s):
        work = s.t.call("identity.add", email="work@face.example", name="At work")["personId"]
        s.speak_as(work).pair_up()
        known = lambda: [c["identity"] for c in s.t.call("contacts.list")["items"] if c["personId"] == s.theirs]
        until(lambda: known() == [work], "the sparse node knows whose contact it is")
        sent = s.t.call("chat.send", to=s.theirs, text="ours", **{"as": "work@face.example"})
        assert sent["state"] == "pending", sent
        assert s.they_hear("ours")["sender"] == work
        until(lambda: is_delivered(s, sent["id"]), "it is delivered")
        s.they_say("theirs")
        until(lambda: [m["text"] for m in conversation(s)] == ["ours", "theirs"], "we hear it where we look")
        assert {m["verification"] for m in conversation(s)} == {"verified"}
        until(lambda: s.peer.ask("names", "names", person=work)["names"] == ["At work"], "its name is known there")
        assert [t["identity"] for t in s.t.call("topic.list")["items"] if t["with"] == s.theirs] == [work]

        s.peer.stop()
        waits = s.t.call("chat.send", to=s.theirs, text="while you are away")["id"]
        until(lambda: s.t.call("chat.state", message=waits)["state"] == "archived", "the archive has it")
        s.peer.start(*s.peer_options)
        assert s.they_hear("while you are away")["sender"] == work
        until(lambda: is_delivered(s, waits), "it is delivered after all")
        known_there = s.peer.ask("contacts", "contacts")["persons"]
        assert work in known_there and s.pair.archive not in known_there, known_there
    return on_stage(role, play)


CASES = [
    ("1", "without --node: a further identity of our archive", a_further_identity),
    ("1", "without --node: one conversation, told when it is delivered", one_face),
]
