"""A hostile peer that says it is somebody else, or comes without being invited (WIRE.md 5, 6, 8, 11)."""
import json
import os
import signal
import threading
import time

from control import SECRET, fails_with, main, until
from hostile import MAIL, SPARSE_MAIL, Peer, Victim, befriend, id_of, id_thing, link, links, offer_profile, text, thing

GUESSES = 5


# ---- Pairing ----

def test_identities_are_not_forged_in_pairing(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        for claimed in ("ann@example.org", MAIL, SPARSE_MAIL):
            eve.do("claim", email=claimed)
            assert eve.pair(victim.invitation())["event"] != "paired" or \
                victim.tells("pairing.failed"), "the claim is refused"
            assert id_of("Person", text("email", "ann@example.org")) not in victim.persons()
            assert eve.person not in victim.persons()
        until(lambda: len(victim.events("pairing.failed")) == 3, "all three were refused")
        eve.do("claim", email=eve.email)
        befriend(victim, eve)
    victim.is_well()


def test_tokens_are_not_guessed(t):
    victim = Victim(t)
    good, short = victim.invitation(), victim.invitation(ttl=1)
    wrong = ["x" * 64, "", good["token"][:-1], good["token"] + "x", good["token"].swapcase(), "ü" * 64]
    over = time.monotonic() + 1.1
    with Peer("eve@example.org") as eve:
        for token in wrong * GUESSES:
            assert eve.pair(good, token=token)["event"] == "failed"
        until(lambda: time.monotonic() > over, "the second is over")
        assert eve.pair(short)["event"] == "failed"
        until(lambda: len(victim.events("pairing.failed")) == len(wrong) * GUESSES + 1, "each attempt is told")
        assert victim.persons() == {victim.sparse}
        assert eve.pair(good)["event"] == "paired", "failed attempts use nothing up"
        assert eve.pair(good)["event"] == "failed", "an invitation works once"
    victim.is_well()


def test_an_invitation_works_for_one_of_many(t):
    victim = Victim(t)
    invitation = victim.invitation()
    peers = [Peer(f"guest{i}@example.org") for i in range(6)]
    try:
        ends = []
        threads = [threading.Thread(target=lambda p=peer: ends.append(p.pair(invitation)["event"])) for peer in peers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ends) == ["failed"] * 5 + ["paired"], ends
        until(lambda: len(victim.persons()) == 2, "one came in")
        until(lambda: len(victim.events("pairing.failed")) == 5, "the others are told")
    finally:
        for peer in peers:
            peer.__exit__()
    victim.is_well()


# ---- Proofs ----

def test_challenges_are_answered_rightly_or_not_at_all(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        for how, code in (("wrongly", "BAD-RESPONSE"), ("reflect", "BAD-RESPONSE"), ("badly", "CYENC-SYMDEC")):
            eve.do("respond", how=how)
            assert eve.pair(victim.invitation())["event"] == "closed", how
            victim.tells("connection.closed", code=code)
        assert not victim.told("person.verified", eve)
        eve.do("respond", how="rightly")
        befriend(victim, eve)
    victim.is_well()


def test_public_keys_alone_prove_nothing(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve, Peer("mallory@example.org") as mallory:
        invitation = befriend(victim, eve)
        proofs = victim.told("person.verified", eve)
        eve.do("keys")
        stolen = eve.wait("keys")
        mallory.do("steal", email=eve.email, person=stolen["person"], sign=stolen["sign"])
        for how in ("rightly", "wrongly", "reflect", "badly"):
            mallory.do("respond", how=how)
            assert mallory.pair(victim.invitation())["event"] == "closed", how
            mallory.do("chum", invitation=invitation)
            assert mallory.wait("closed", "ready")["event"] == "closed", how
        assert victim.told("person.verified", eve) == proofs
    victim.is_well()


def test_keys_of_known_persons_are_remembered(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve, Peer("eve@example.org") as impostor:
        invitation = befriend(victim, eve)
        impostor.do("pair", invitation=victim.invitation())
        assert impostor.wait("closed", "failed")
        victim.tells("key.mismatch", personId=eve.person)
        victim.tells("connection.closed", code="EP-KEYMISSMATCH")
        eve.close()
        eve.do("become", email="ann@example.org")
        eve.do("chum", invitation=invitation)
        assert eve.wait("closed", "ready")["event"] == "closed"
        victim.tells("connection.closed", code="EP-PERSONIDMISMATCH")
    victim.is_well()


def test_nobody_comes_before_our_other_node(t):
    """Its e-mail may be known, and whoever has it first would be trusted as our own node is."""
    t.up("--listen", "localhost:0")
    sparse = t.call("status")["sparse"]["pid"]
    os.kill(sparse, signal.SIGSTOP)
    provisioning = t.client()
    provisioning.send("provision", user="joe", sparseEmail=SPARSE_MAIL, secret=SECRET)
    until(lambda: t.call("status")["archive"].get("listeners"), "the archive is there")
    fails_with("NOT-PROVISIONED", t.call, "pairing.invite", node="archive")
    os.kill(sparse, signal.SIGCONT)
    provisioning.receive()
    with Peer(SPARSE_MAIL) as eve:
        assert eve.pair(t.call("pairing.invite", node="archive"))["event"] == "closed"
        trusted = t.call("trust.list", node="archive", person=eve.person)
        assert eve.keys()["sign"] not in json.dumps(trusted)


# ---- Devices ----

def device_of(peer, name, keys):
    """An endpoint of the peer as its profile tells it, and what lies below it; most dependent first."""
    x = peer.exports
    person = x.put(id_thing("Person", text("email", peer.email)))
    instance = x.put(id_thing("Instance", text("name", name), link("owner", "id", person)))
    person_keys, instance_keys = (
        x.put(thing("Keys", link("owner", "id", owner), text("publicKey", public), text("publicSignKey", sign)))
        for owner, public, sign in ((person, keys["person"], keys["sign"]),
                                    (instance, keys["instance"], keys["instanceSign"])))
    body = x.put(thing("OneInstanceEndpoint", link("personId", "id", person), link("instanceId", "id", instance),
                       link("personKeys", "obj", person_keys), link("instanceKeys", "obj", instance_keys)))
    return body, [{"type": "object", "hash": body}, {"type": "object", "hash": person_keys},
                  {"type": "object", "hash": instance_keys}, {"type": "id", "hash": instance},
                  {"type": "id", "hash": person}]


def tell_device(peer, name, keys):
    body, below = device_of(peer, name, keys)
    identity = (text("profileId", "default"), link("personId", "id", peer.person), link("owner", "id", peer.person))
    peer.exports.version("Profile", identity, thing("Profile", *identity, links("communicationEndpoint", "obj", [body]),
                                                    links("personDescription", "obj", [])), *below)


def devices(victim, peer):
    return next(len(c["instances"]) for c in victim.ask("contacts.list")["items"] if c["personId"] == peer.person)


def test_a_contacts_profile_adds_a_device(t):
    victim = Victim(t)
    with Peer("ann@example.org", "laptop") as ann:
        invitation = befriend(victim, ann)
        ann.do("device", name="phone")
        tell_device(ann, "phone", ann.keys())
        until(lambda: devices(victim, ann) == 2, "the profile arrives")
        victim.tells("safety.changed", personId=ann.person)
        ann.close()
        asked = len(ann.exports.asked)
        ann.chum(invitation)
        until(lambda: len(ann.exports.asked) > asked, "the phone is served")
    victim.is_well()


def test_a_device_pairs_only_with_the_users_word(t):
    victim = Victim(t)
    with Peer("ann@example.org", "laptop") as ann, Peer("eve@example.org") as eve:
        befriend(victim, ann)
        ann.close()
        ann.do("device", name="phone")
        assert ann.pair(victim.invitation())["event"] == "closed"
        victim.tells("pairing.failed", code="UNKNOWN-INSTANCE", personId=ann.person)
        invitation = victim.invitation(**{"for": ann.person})
        assert eve.pair(invitation)["event"] == "failed", "it is for Ann"
        assert ann.pair(invitation)["event"] == "paired"
        victim.tells("safety.changed", personId=ann.person)  # from then on it may connect
        assert devices(victim, ann) == 2
        ann.chum(invitation)
    victim.is_well()


def test_a_profile_locks_nobody_out(t):
    """Eve's profile says that Ann's device is hers, before Ann comes: Ann's proof counts."""
    victim = Victim(t)
    with Peer("eve@example.org") as eve, Peer("ann@example.org", "laptop") as ann:
        befriend(victim, eve)
        anns = ann.keys()
        tell_device(eve, "phone", {**eve.keys(), "instance": anns["instance"], "instanceSign": anns["instanceSign"]})
        until(lambda: devices(victim, eve) == 2, "the claim arrives")
        victim.ok("--node", "archive", "contact", "disable", eve.person)
        until(lambda: not victim.connections(eve), "she is shut out, not Ann")
        befriend(victim, ann)
        until(lambda: devices(victim, eve) == 1 and devices(victim, ann) == 1, "it is Ann's")
    victim.is_well()


# ---- Who may do what ----

def test_strangers_get_nothing_but_pairing(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        invitation = victim.invitation()
        for group in ("chum", "debug"):
            refused = len(victim.events("connection.closed"))
            eve.do(group, invitation=invitation)
            until(lambda: any(e["code"] == "REFUSED" for e in victim.events("connection.closed")[refused:]),
                  f"{group} is refused")
            eve.wait("closed")
        assert not victim.told("chum.started", eve)
        assert eve.exports.asked == []
    victim.is_well()


def test_one_peer_takes_no_place_from_others(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        invitation = befriend(victim, eve)
        for _ in range(20):  # the duplicate rule (WIRE.md 8.4)
            eve.do("chum", invitation=invitation)
        until(lambda: len(victim.connections(eve)) == 1, "one of them is left")
        for _ in range(20):
            eve.do("debug", invitation=invitation)
        until(lambda: any("Too many" in e["reason"] for e in victim.events("connection.closed")), "too many are refused")
        until(lambda: len(victim.connections(eve)) == 8, "no more are left")
        with Peer("ann@example.org") as ann:
            befriend(victim, ann)
            _, good, _ = offer_profile(ann, "Ann")
            until(lambda: victim.has(good), "others are served")
    victim.is_well()


if __name__ == "__main__":
    main(globals())
