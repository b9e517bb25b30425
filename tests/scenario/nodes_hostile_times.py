"""A contact whose entries tell impossible times, or those of a clock that is far ahead (MODELS.md 5), and numbers from
our own side that are none."""
import time

from control import RpcError, main, until
from hostile import Peer, Victim, befriend, id_thing, link, text, thing

LIMIT = 8640000000000000  # what a JavaScript Date holds
DAY_MS = 24 * 3600 * 1000
IMPOSSIBLE = ["9223372036854776000", "null", "1e+300", "9007199254740992", "8640000000000001", "-1e+300", "-9223372036854776000"]  # null: NaN


def now_ms():
    return int(time.time() * 1000)


def offer_chat(victim, peer, messages):
    """The conversation of the two with what the peer has said, [(text, time as written)], oldest first."""
    x, persons = peer.exports, sorted([victim.archive, peer.person])
    identity = (text("id", "<->".join(persons)),)
    head, below = None, []
    for said, when in messages:
        message = x.put(thing("ChatMessage", text("text", said), link("sender", "id", peer.person)))
        moment = x.put(thing("CreationTime", text("timestamp", when), link("data", "obj", message)))
        previous = [link("previous", "obj", head)] if head else []
        head = x.put(thing("LinkedListEntry", link("data", "obj", moment), *previous))
        below = [{"type": "object", "hash": h} for h in (head, moment, message)] + below
    person = x.put(id_thing("Person", text("email", peer.email)))
    x.version("ChannelInfo", identity, thing("ChannelInfo", *identity, link("head", "obj", head)), *below,
              {"type": "id", "hash": person})


def chat(victim, peer):
    items = victim.ask("chat.list", **{"with": peer.person})["items"]
    assert [m["timestamp"] for m in items] == sorted(m["timestamp"] for m in items), items
    assert all(abs(m["timestamp"]) <= LIMIT for m in items), items
    return items


def talk(victim, peer, said):
    """Says it all, and looks whether it is in order and of today."""
    began = now_ms()
    ids = [victim.ask("chat.send", to=peer.person, text=one)["id"] for one in said]
    assert len(set(ids)) == len(ids), "each is a message of its own"
    ours = [m for m in chat(victim, peer) if m["id"] in ids]
    assert [m["text"] for m in ours] == said, ours
    assert [m["id"] for m in ours] == ids, "in the order they were said"
    return began, ours


def test_impossible_times_spoil_nothing(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        messages = [("hello", str(now_ms()))] + [(f"at {when}", when) for when in IMPOSSIBLE]
        offer_chat(victim, eve, messages)
        befriend(victim, eve)
        until(lambda: len(chat(victim, eve)) == len(messages), "all that she said is shown")
        began, ours = talk(victim, eve, ["yes", "yes", "yes", "no", "yes"])
        assert all(began - 60000 < m["timestamp"] < began + 60000 for m in ours), (began, ours)
        shown = [m["text"] for m in chat(victim, eve)]
        assert shown.index("hello") < shown.index("yes"), shown
        victim.tells("clock.ahead", personId=eve.person)
        assert len(victim.told("clock.ahead", eve)) == 1
    victim.is_well()


FLOOD = 1100


def silence(victim, eve, first, step):
    offer_chat(victim, eve, [("hello", str(now_ms()))] + [(f"far {i}", str(first + step * i)) for i in range(FLOOD)])
    until(lambda: newest(victim, eve) == f"far {FLOOD - 1}", "the flood is here")


def newest(victim, peer):
    items = victim.ask("chat.list", **{"with": peer.person, "limit": 1})["items"]
    return items[-1]["text"] if items else None


def test_a_flood_of_far_times_silences_nobody(t):
    """Each post would have to write them all anew."""
    victim = Victim(t)
    with Peer("eve@example.org") as eve, Peer("joan@example.org") as joan:
        befriend(victim, eve)
        silence(victim, eve, LIMIT + 1, 2)
        began, ours = talk(victim, eve, ["yes", "yes", "no"])
        assert all(began - 60000 < m["timestamp"] < began + 60000 for m in ours), (began, ours)
        assert {m["text"] for m in chat(victim, eve)} == {"hello", "yes", "no"}
        befriend(victim, joan)
        silence(victim, joan, now_ms() + 3650 * DAY_MS, 1)
        began, ours = talk(victim, joan, ["one", "two", "three"])
        assert all(m["timestamp"] > began + 3649 * DAY_MS for m in ours), "what is believable is followed"
        assert newest(victim, joan) == "three"
    victim.is_well()


def test_a_clock_ahead_does_not_drag_ours_along(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve, Peer("joan@example.org") as joan:
        offer_chat(victim, eve, [("in ten years", str(now_ms() + 3650 * DAY_MS))])
        ahead = now_ms() + 3600 * 1000
        offer_chat(victim, joan, [("in an hour", str(ahead))])
        befriend(victim, eve)
        befriend(victim, joan)
        until(lambda: len(chat(victim, eve)) == 1 and len(chat(victim, joan)) == 1, "both are shown")
        began, ours = talk(victim, eve, ["one", "two", "three"])
        assert all(m["timestamp"] < began + 60000 for m in ours), (began, ours)
        began, ours = talk(victim, joan, ["answer", "another"])
        assert [m["timestamp"] for m in ours] == [ahead + 1, ahead + 2], "behind what they answer"
        victim.tells("clock.ahead", personId=eve.person)
        assert not victim.told("clock.ahead", joan)
    victim.is_well()


def refused(victim, method, **parameters):
    try:
        return victim.ask(method, **parameters)
    except RpcError as error:
        return error.code


def test_times_and_numbers_of_ours_are_possible_too(t):
    victim = Victim(t)
    note = {"$type$": "ChatMessage", "text": "a note", "sender": victim.archive}
    victim.ask("channel.create", id="notes")
    for when in (LIMIT + 1, -LIMIT - 1, 1 << 53, (1 << 63) - 1, -1 << 63):
        assert refused(victim, "channel.post", id="notes", object=note, timestamp=when) == "BAD-INPUT", when
    for when in (1e300, 1.5, "NaN", "1700000000000", None, True):
        assert refused(victim, "channel.post", id="notes", object=note, timestamp=when) == "BAD-PARAMS", when
    for when in ("9223372036854775807", "9223372036854775808", "99999999999999999999999"):
        victim.fails("BAD-INPUT", 4, "--node", "archive", "channel", "post", "notes", "--timestamp", when,
                     stdin='{"$type$":"ChatMessage","text":"a note","sender":"%s"}' % victim.archive)
    victim.ask("channel.post", id="notes", object=note, timestamp=LIMIT)
    victim.ask("channel.post", id="notes", object=note)
    entries = victim.ask("channel.read", id="notes")["items"]
    assert len(entries) == 2 and abs(entries[1]["timestamp"] - now_ms()) < 60000, entries

    data = entries[0]["hash"]
    for number in ((1 << 53) + 1, -(1 << 53) - 1, (1 << 62) + 1, (1 << 63) - 1):
        moment = {"$type$": "CreationTime", "timestamp": number, "data": data}
        assert refused(victim, "object.put", object=moment) == "BAD-INPUT", number
        assert refused(victim, "channel.post", id="notes", object=moment) == "BAD-INPUT", number
    kept = victim.ask("object.put", object={"$type$": "CreationTime", "timestamp": 1 << 53, "data": data})
    assert victim.ask("object.get", hash=kept["hash"])["object"]["timestamp"] == 1 << 53
    victim.is_well()


if __name__ == "__main__":
    main(globals())
