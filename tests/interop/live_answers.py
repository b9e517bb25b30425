"""A peer that answers while it takes in a word can lose the word from its list, a defect of the reference (WIRE.md 13.13).
Our node tells it once more. Each case makes its own stage."""
from live import NOT_TRIED, until
from live_pairing import on_stage

ROUNDS = 8


def listed_by(peer, ours):
    try:
        return peer.ask("messages", "messages", other=ours, last=1000)["texts"]
    except RuntimeError:  # it reads what it is writing
        return None


def all_list_the_same(s, *peers):
    """Nobody says anything more."""
    def equal():
        texts = [m["text"] for m in s.messages()]
        return all(listed_by(peer, s.ours) == texts for peer in peers)
    until(equal, "all lists are equal")


def answers_at_once(role):
    """Every word of ours is answered the moment it is there: both keep one list all the same."""
    def play(s):
        s.pair_up()
        s.talk()
        s.peer.ask("answer", "answering", other=s.ours)
        for i in range(ROUNDS):
            s.we_say(f"question {i}")
            s.we_hear(f"answer to question {i}")
            all_list_the_same(s, s.peer)
    return on_stage(role, play)


def two_devices(role):
    """One person with two devices that know each other by us alone: one answers the other at once."""
    if role == "node":
        return NOT_TRIED

    def play(s):
        s.pair_up()
        s.talk()
        phone = s.beside("phone", "--outgoing", "--email", f"{s.role}@lama.local", "--seed", "one person")
        assert phone.theirs == s.theirs
        phone.peer.ask("pair", "pairdone", invitation=s.call("pairing.invite", **{"for": s.theirs}))
        until(lambda: len(s.contact()["instances"]) == 2, "one contact with two instances")
        phone.peer.ask("answer", "answering", other=s.ours)
        for i in range(ROUNDS):
            s.they_say(f"question {i}")
            s.we_hear(f"answer to question {i}")
            all_list_the_same(s, s.peer, phone.peer)
    return on_stage(role, play, "--outgoing", "--seed", "one person")


CASES = [
    ("2", "the peer answers the moment a message arrives", answers_at_once),
    ("2", "two devices of one person, answering each other", two_devices),
]
