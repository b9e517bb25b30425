"""Somebody in the middle: a contact that passes on the proofs of others, to be taken for them (WIRE.md 5.4). The answer
to a challenge is the same whichever of the two persons gives it, so each test has an honest node as the oracle."""
import json
import os
import subprocess

from control import BIN, Installation, PATIENCE_S, main, until
from hostile import PROGRAM, Peer, Victim, befriend
from nodes import Pair

MIDDLEMAN = os.path.join(os.path.dirname(PROGRAM), "middleman")
LISTING = json.dumps({"type": "start_protocol", "protocol": "getAccessibleObjects", "version": "1.0"})


class Middleman(Peer):
    def __init__(self, email="mallory@example.org", name="phone"):
        super().__init__(email, name, program=MIDDLEMAN)

    def heard(self, message):
        self.events.put({"event": "text", "message": message})

    def befriend(self, victim):
        """A contact that can be dialled; the node does so at once, and meets whom the mask shows."""
        self.do("pair", invitation=victim.invitation())
        assert self.wait("paired", "failed")["event"] == "paired"
        while self.wait("closed")["incoming"]:
            pass

    def attack(self, group, invitation, who):
        """The end of the connection it has opened: ready or closed."""
        self.do("attack", group=group, invitation=invitation, **who)
        while True:
            event = self.wait("ready", "closed")
            if not event["incoming"]:
                return event["event"]

    def listing(self):
        """What the debug group shows it; nothing when it is turned away."""
        self.do("text", message=LISTING)
        while True:
            event = self.wait("text", "closed")
            if event["event"] == "text" or not event["incoming"]:
                return event["message"]

    def invitation(self):
        self.do("invite")
        event = self.wait("invitation")
        return {name: event[name] for name in ("token", "publicKey", "url")}


def person_of(installation, node):
    """The public keys of a node's person: everybody that is paired with it has these."""
    identity = installation.call("id", node=node)
    return {"email": identity["email"], "person": identity["personKeys"]["publicKey"],
            "sign": identity["personKeys"]["signKey"]}


def peer_of(peer):
    peer.do("keys")
    keys = peer.wait("keys")
    return {"email": peer.email, "person": keys["person"], "sign": keys["sign"]}


def instances(victim, person):
    return next(len(c["instances"]) for c in victim.ask("contacts.list")["items"] if c["personId"] == person)


def gets_nothing(mallory, victim, who, url=None):
    """Neither the debug group nor a pairing with an invitation nor CHUM; each time it is refused before any proof."""
    change = {"url": url} if url else {}
    for group in ("debug", "pairing", "chum"):
        assert mallory.attack(group, {**victim.invitation(), **change}, who) == "closed", \
            f"{group}: taken for {who['email']}: {mallory.listing() if group == 'debug' else ''}"


def test_a_contact_does_not_become_another_one(t):
    victim = Victim(t)
    with Middleman() as mallory, Peer("ann@example.org") as ann:
        befriend(victim, ann)
        who = peer_of(ann)
        mallory.do("mask", **who)
        mallory.befriend(victim)
        victim.tells("connection.closed", code="EP-PERSONIDMISMATCH")  # it dialled the mask, and answered nothing
        gets_nothing(mallory, victim, who)
        victim.tells("connection.closed", code="UNKNOWN-INSTANCE")
        assert instances(victim, ann.person) == 1
    victim.is_well()


def test_a_contact_does_not_become_the_own_node(t):
    victim = Victim(t)
    with Middleman() as mallory:
        who = person_of(t, "sparse")
        mallory.do("mask", **who)
        mallory.befriend(victim)
        gets_nothing(mallory, victim, who)
        assert instances(victim, victim.sparse) == 1
    victim.is_well()


def test_a_contact_does_not_become_ourselves(t):
    victim = Victim(t)
    with Middleman() as mallory:
        who = person_of(t, "archive")
        mallory.do("mask", **who)
        mallory.befriend(victim)
        gets_nothing(mallory, victim, who)
        victim.tells("connection.closed", code="OWN-PERSON")
        assert victim.archive not in victim.persons()
    victim.is_well()


def test_the_sparse_node_takes_nobody_for_its_archive(t):
    """Who accepts an invitation of Mallory's meets the archive's person there; the archive is asked for the answers."""
    victim = Victim(t)
    with Middleman() as mallory:
        mallory.do("mask", **person_of(t, "archive"))
        accepting = subprocess.Popen([os.path.join(BIN, "tandem"), "--json", "--node", "sparse", "pair",
                                      json.dumps(mallory.invitation())], env=t.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        mallory.attack("pairing", victim.invitation(), person_of(t, "sparse"))
        result = json.loads(accepting.communicate(timeout=PATIENCE_S)[0])
        assert result.get("error", {}).get("code") == "OWN-PERSON", result
        [contact] = [c for c in t.call("contacts.list", node="sparse")["items"] if c["personId"] == victim.archive]
        assert len(contact["instances"]) == 1
    victim.is_well()


def test_through_a_relay_it_is_the_same(t):
    relay_installation = Installation()
    relay_installation.environment["TANDEM_RELAY_LISTEN"] = "localhost:0"
    try:
        Pair(relay_installation, user="relay")
        relay = next(l["url"] for l in relay_installation.call("status")["archive"]["listeners"]
                     if l["type"] == "relay-server")
        victim = Victim(t, "--relay", relay)
        until(lambda: any(l["url"] == relay and l["state"] == "listening"
                          for l in t.call("status")["archive"]["listeners"]), "registered at the relay")
        with Middleman() as mallory:
            who = person_of(t, "sparse")
            mallory.do("mask", **who)
            mallory.befriend(victim)
            gets_nothing(mallory, victim, who, url=relay)
            assert instances(victim, victim.sparse) == 1
        victim.is_well()
    finally:
        relay_installation.clean()


def test_an_honest_third_node_does_not_help(t):
    """Joe and Ann know each other, and Mallory knows both: Ann dials Mallory, who shows her Joe, and is Ann for Joe."""
    second = Installation()
    try:
        joe, ann = Victim(t), Victim(second, user="ann", mails=None)
        ann.ok("--node", "archive", "pair", json.dumps(joe.invitation()))
        until(lambda: ann.archive in joe.persons(), "both have stored it")
        with Middleman() as mallory:
            mallory.do("mask", **person_of(t, "archive"))
            mallory.befriend(ann)
            gets_nothing(mallory, joe, person_of(second, "archive"))
            ann.tells("connection.closed", code="EP-PERSONIDMISMATCH")
            assert instances(joe, ann.archive) == 1
        joe.is_well()
        ann.is_well()
    finally:
        second.clean()


if __name__ == "__main__":
    main(globals())
