"""One face: without --node a person has one conversation with a contact, whichever of the two nodes leads to it."""
import json

from control import Installation, main, until
from nodes import Pair


def with_two(t, test):
    second = Installation()
    try:
        test(Pair(t), Pair(second, user="ann"))
        assert second.stop() == 0
    finally:
        second.clean()


def conversation(pair, person):
    return pair.ok("chat", "list", "--with", person)


def texts(pair, person):
    return [message["text"] for message in conversation(pair, person)]


def state(pair, person, text):
    return next((m.get("state") for m in conversation(pair, person) if m["text"] == text), None)


def reaches(pair, person, text, wanted="delivered"):
    until(lambda: state(pair, person, text) == wanted, f"{text} is {wanted}")
    return next(m for m in conversation(pair, person) if m["text"] == text)


def pair_up(joe, ann):
    paired = ann.ok("pair", "-", stdin=json.dumps(joe.ok("invite")))
    assert paired["personId"] == joe.archive


def test_the_everyday_sequence_delivers_both_ways_and_shows_it(t):
    def run(joe, ann):
        pair_up(joe, ann)
        sent = ann.ok("chat", "send", "--to", joe.archive, "hello Joe")  # before the own sparse node knows the contact
        message = reaches(ann, joe.archive, "hello Joe")
        assert message["id"] == sent["id"] and message["deliveredTo"] == [joe.archive]
        assert message["author"] == ann.archive and message["verification"] == "verified"
        until(lambda: texts(joe, ann.archive) == ["hello Joe"], "Joe hears it where he looks")
        sent = joe.ok("chat", "send", "--to", ann.archive, "hello Ann")
        assert sent["state"] == "pending"
        until(lambda: texts(ann, joe.archive) == ["hello Joe", "hello Ann"], "Ann hears it where she looks")
        assert reaches(joe, ann.archive, "hello Ann")["id"] == sent["id"]
        for who, other in ((joe, ann), (ann, joe)):
            who.ok("chat", "send", "--to", other.archive, f"from {who.archive[:4]}")
        until(lambda: len(texts(joe, ann.archive)) == 4 and texts(joe, ann.archive) == texts(ann, joe.archive),
              "both see the same")
    with_two(t, run)


def test_nobody_is_told_that_it_was_sent_who_cannot_be_reached(t):
    joe = Pair(t)
    nobody = "ab" * 32
    joe.fails("NO-WAY", 4, "chat", "send", "--to", nobody, "hello?")
    assert joe.ok("chat", "send", "--to", joe.archive, "to the archive itself")["state"] == "sent"
    assert reaches(joe, joe.archive, "to the archive itself")["deliveredTo"] == [joe.archive]


if __name__ == "__main__":
    main(globals())
