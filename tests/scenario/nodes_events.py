"""What happens in a node is told as events."""
import time

from control import main, until
from nodes import Pair


def told(installation, name, **expected):
    def find():
        events = installation.call("events.since", limit=1000)["events"]
        return next((e for e in events if e["event"] == name and expected.items() <= e["data"].items()), None)
    return until(find, f"{name} {expected}")["data"]


def test_people_and_messages(t):
    pair = Pair(t)
    told(t, "pairing.accepted", personId=pair.archive)
    told(t, "contact.added", personId=pair.archive)
    told(t, "person.verified", personId=pair.archive)
    sent = pair.send("sparse", "hello")
    told(t, "chat.sent", id=sent["id"])
    assert len(told(t, "topic.added")["hash"]) == 64


def test_contacts_and_shares(t):
    pair = Pair(t)
    profile = pair.ok("--node", "sparse", "roots", "--for", pair.archive)
    id_hash = next(r["dataIdHash"] for r in profile if r.get("dataType") == "Profile")
    pair.ok("--node", "sparse", "share", "revoke", "--id", id_hash, "--with", pair.archive)
    told(t, "share.changed", hash=id_hash, personId=pair.archive)
    pair.ok("--node", "archive", "contact", "disable", pair.sparse)
    told(t, "contact.changed", personId=pair.sparse)
    pair.ok("--node", "archive", "contact", "forget", pair.sparse)
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
