"""What happens in a node is told as events."""
import os
import signal
import time

from control import main, until
from nodes import Pair, dumps, write


def all_told(installation, name, node=None):
    """The data of every such event so far, in order."""
    found = []
    page = installation.call("events.since", limit=1000)
    while page["events"]:
        found += [e["data"] for e in page["events"] if e["event"] == name and node in (None, e["node"])]
        page = installation.call("events.since", limit=1000, seq=page["next"], bootId=page["bootId"])
    return found


def told(installation, name, **expected):
    def find():
        return [data for data in all_told(installation, name) if expected.items() <= data.items()]
    return until(find, f"{name} {expected}")[0]


def test_people_and_messages(t):
    pair = Pair(t)
    told(t, "pairing.accepted", personId=pair.archive)
    told(t, "contact.added", personId=pair.archive)
    told(t, "person.verified", personId=pair.archive)
    sent = pair.send("sparse", "hello")
    told(t, "chat.sent", id=sent["id"])
    assert len(told(t, "topic.added")["hash"]) == 64


def test_what_arrives(t):
    pair = Pair(t)
    picture = write(os.path.join(t.top, "picture.bin"), bytes(range(256)) * 1000)
    sent = pair.send("sparse", "look", "--attach", picture)
    told(t, "chat.received", id=sent["id"], sender=pair.sparse, channel=sent["channel"])
    blob = pair.messages("sparse")[-1]["attachments"][0]["hash"]
    told(t, "blob.received", hash=blob, size=256000, personId=pair.sparse)
    assert len(told(t, "object.received", type="ChatMessage", personId=pair.sparse)["hash"]) == 64
    told(t, "object.stored", type="ChatMessage")
    texts = [f"number {n}" for n in range(150)]  # more than one reading takes
    ids = pair.send_lines("archive", texts)
    until(lambda: len(all_told(t, "chat.received", "sparse")) == len(ids), "every message is told")
    assert [m["id"] for m in all_told(t, "chat.received", "sparse")] == ids  # once, and in order
    assert len(all_told(t, "chat.received", "archive")) == 1  # nobody hears of what he wrote himself
    assert not [o for o in all_told(t, "object.received", "sparse") if o["type"] in ("Signature", "CreationTime")]


BRANCH = {"$type$": "Recipe", "name": "Branch", "rule": [
    {"itemprop": "text", "itemtype": {"type": "string"}},
    {"itemprop": "parts", "itemtype": {"type": "bag", "item": {"type": "referenceToObj", "allowedTypes": ["*"]}}}]}


def test_many_objects_are_told_together(t):
    pair, many = Pair(t), 200
    recipe = write(os.path.join(t.top, "recipe"), dumps(BRANCH).encode())
    for node in ("archive", "sparse"):
        pair.ok("--node", node, "recipe", "add", recipe)

    def put(text, parts):
        return t.call("object.put", node="archive", object={"$type$": "Branch", "text": text, "parts": parts})["hash"]
    root = put("root", [put(f"leaf {n}", []) for n in range(many)])
    t.call("share.grant", node="archive", object=root, **{"with": pair.sparse})

    def together():
        return sum(e["count"] for e in all_told(t, "objects.received", "sparse"))

    def alone():
        return len([e for e in all_told(t, "object.received", "sparse") if e["type"] == "Branch"])
    until(lambda: together() + alone() >= many + 1, "all are told of")
    assert alone() <= 32, (together(), alone())
    told(t, "objects.received", personId=pair.archive)


def test_what_is_made_together_is_told_together(t):
    pair, many, sent = Pair(t), 60, []
    client, archive = t.client(), t.call("status")["archive"]["pid"]

    def send_many():
        os.kill(archive, signal.SIGSTOP)
        for number in range(many):
            client.send("chat.send", node="archive", to=pair.sparse, text=f"number {number}")
        os.kill(archive, signal.SIGCONT)
        sent.extend(client.receive()[1]["result"]["id"] for _ in range(many))
        return all_told(t, "objects.stored", "archive")
    together = sum(e["count"] for e in until(send_many, "some are told of together"))
    client.close()
    until(lambda: len(all_told(t, "chat.sent", "archive")) == len(sent), "each message is told of")
    alone = [e for e in all_told(t, "object.stored", "archive") if e["type"] in ("ChatMessage", "ChannelInfo")]
    assert together + len(alone) >= 2 * len(sent), (together, len(alone))
    versions = [e for e in all_told(t, "version.changed", "archive") if e["type"] == "ChannelInfo"]
    assert len(versions) < len(sent), (len(versions), len(sent))
    current = t.call("object.current", node="archive", idHash=versions[-1]["idHash"])
    assert versions[-1]["hash"] == current["hash"]


def test_messages_are_told_after_a_restart(t):
    pair = Pair(t)
    pair.send("sparse", "before")
    pair.arrives("archive", "before")
    pair.ok("restart", "archive")
    sent = pair.send("sparse", "after")
    told(t, "chat.received", id=sent["id"])
    assert [m["id"] for m in all_told(t, "chat.received", "archive")][-1] == sent["id"]
    assert len(all_told(t, "chat.received", "archive")) == 2


def test_contacts_and_shares(t):
    pair = Pair(t)
    profile = pair.ok("--node", "sparse", "roots", "--for", pair.archive)
    id_hash = next(r["dataIdHash"] for r in profile if r.get("dataType") == "Profile")
    pair.ok("--node", "sparse", "share", "revoke", "--id", id_hash, "--with", pair.archive)
    told(t, "share.changed", hash=id_hash, personId=pair.archive)
    pair.ok("--node", "archive", "contact", "disable", pair.sparse, "--yes")
    told(t, "contact.changed", personId=pair.sparse)
    pair.ok("--node", "archive", "contact", "forget", pair.sparse, "--yes")
    told(t, "contact.forgotten", personId=pair.sparse)


def test_invitations_that_nobody_used(t):
    pair = Pair(t)
    pair.ok("invite", "--ttl", "1")
    over = time.monotonic() + 1.1
    until(lambda: time.monotonic() > over, "the second is over")
    pair.ok("invite")
    told(t, "invitation.expired")


if __name__ == "__main__":
    main(globals())
