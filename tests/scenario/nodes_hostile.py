"""A hostile peer against a whole node (WIRE.md 13, MODELS.md 8.7). Whatever it tries is refused at a bounded cost, an
event names it, and the node goes on serving everybody else."""
import json
import os
import re
import socket
import struct
import time

from control import RpcError, main, until
from hostile import Peer, Socket, digest, edge, id_of, id_thing, link, links, text, thing
from nodes import Pair

CROWD = int(os.environ.get("TANDEM_CROWD", "2000"))
GROWTH_KIB = 48 * 1024  # what any one attack may cost the node's memory at its height
MAIL = "node-joe@lama.local"
NO_ENDPOINTS = links("communicationEndpoint", "obj", [])


class Victim(Pair):
    """An archive node, watched."""

    def __init__(self, t):
        super().__init__(t)
        self.pid = t.call("status")["archive"]["pid"]
        self.client = t.client()
        self.boot = self.client.call("events.since", limit=1)["bootId"]
        self.resident = self.peak()

    def ask(self, method, **parameters):
        return self.client.call(method, node="archive", **parameters)

    def invitation(self, **parameters):
        return self.ask("pairing.invite", **parameters)

    def peak(self):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    def events(self, name):
        found, seq = [], 0
        while True:
            page = self.client.call("events.since", bootId=self.boot, seq=seq, limit=1000)
            if not page["events"]:
                return found
            found += [e["data"] for e in page["events"] if e["event"] == name and e["node"] == "archive"]
            seq = page["next"]

    def tells(self, name, **expected):
        return until(lambda: next((e for e in self.events(name) if expected.items() <= e.items()), None),
                     f"{name} with {expected}, among {self.events(name)[-5:]}")

    def is_well(self, growth=GROWTH_KIB):
        """Same process, bounded memory, and the others are still served."""
        status = self.client.call("status")
        assert status["archive"]["pid"] == self.pid and status["federated"], status
        assert self.peak() - self.resident < growth, (self.resident, self.peak())
        mark = f"alive at {time.monotonic()}"
        self.send("sparse", mark)
        self.arrives("archive", mark)

    def persons(self):
        return {c["personId"] for c in self.ask("contacts.list")["items"]}

    def has(self, hash):
        try:
            self.ask("object.get", hash=hash)
            return True
        except RpcError as error:
            assert error.code == "NOT-FOUND", error
            return False


def befriend(victim, peer):
    """Pairs for real and opens CHUM at once: the node may still be storing the contact."""
    invitation = victim.invitation()
    assert peer.pair(invitation)["event"] == "paired"
    peer.chum(invitation)
    victim.tells("chum.started", personId=peer.person)
    return invitation


def offer_profile(peer, name):
    """Something that is the peer's own to say: the proof that the session is served on."""
    body = thing("PersonName", text("name", name))
    identity = (text("profileId", "default"), link("personId", "id", peer.person), link("owner", "id", peer.person))
    described = peer.exports.put(body)
    person = peer.exports.put(id_thing("Person", text("email", peer.email)))
    return peer.exports.version("Profile", identity,
                                thing("Profile", *identity, NO_ENDPOINTS, links("personDescription", "obj", [described])),
                                {"type": "object", "hash": described}, {"type": "id", "hash": person})


# ---- Pairing ----

def test_identities_are_not_forged_in_pairing(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        for claimed in ("ann@example.org", MAIL, "joe@lama.local"):
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
        for token in wrong * 5:
            assert eve.pair(good, token=token)["event"] == "failed"
        until(lambda: time.monotonic() > over, "the second is over")
        assert eve.pair(short)["event"] == "failed"
        until(lambda: len(victim.events("pairing.failed")) == len(wrong) * 5 + 1, "each attempt is told")
        assert victim.persons() == {victim.sparse}
        assert eve.pair(good)["event"] == "paired", "failed attempts use nothing up"
        assert eve.pair(good)["event"] == "failed", "an invitation works once"
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


# ---- Objects ----

def traps(victim, peer):
    """What the peer has no right to; the hashes of its versions, and channels it has nothing to do with."""
    x, me = peer.exports, victim.archive
    forbidden, channels = [], []

    def version(kind, identity, *rest, below=()):
        _, data, id_hash = x.version(kind, identity, thing(kind, *identity, *rest), *below)
        forbidden.append(data)
        if kind == "ChannelInfo":
            channels.append(id_hash)

    def topic(name, channel):
        body = thing("Topic", text("id", name), link("channel", "id", channel))
        forbidden.append(x.unversioned("Topic", body, {"type": "id", "hash": channel}))

    name = x.put(thing("PersonName", text("name", "Mallory")))
    own_channel = (text("id", "contacts"), link("owner", "id", me))
    version("Profile", (text("profileId", "default"), link("personId", "id", me), link("owner", "id", me)),
            NO_ENDPOINTS, links("personDescription", "obj", [name]), below=[{"type": "object", "hash": name}])
    version("Profile", (text("profileId", "hers"), link("personId", "id", victim.sparse), link("owner", "id", peer.person)),
            NO_ENDPOINTS, links("personDescription", "obj", []))
    version("ChannelInfo", own_channel)
    version("ChannelInfo", (text("id", "contacts"), link("owner", "id", victim.sparse)))
    version("ChannelInfo", (text("id", f"{min(me, victim.sparse)}<->{max(me, victim.sparse)}"),))
    version("Someone", (text("someoneId", "me"),), link("mainProfile", "id", "ab" * 32), '<dl itemprop="identities"></dl>')
    version("Leute", (text("appId", "one.leute"),), link("me", "id", "ab" * 32), links("other", "id", []), links("group", "id", []))
    version("Group", (text("name", "everyone"),), links("person", "id", [peer.person]))
    version("Access", (link("object", "obj", name),), links("person", "id", [peer.person]), links("group", "id", []))
    version("IdAccess", (link("id", "id", id_of("ChannelInfo", *own_channel)),), links("person", "id", [peer.person]),
            links("group", "id", []))
    for name in ("mine", "contacts", f"{min(me, peer.person)}<->{max(me, peer.person)}"):
        topic(name, id_of("ChannelInfo", *own_channel))
    return forbidden, channels


def test_what_is_ours_is_not_written_by_others(t):
    victim = Victim(t)
    before = victim.ask("profile.get")
    with Peer("eve@example.org") as eve:
        forbidden, channels = traps(victim, eve)
        _, good, _ = offer_profile(eve, "Eve")
        forbidden = [h for h in forbidden if not victim.has(h)]  # some first versions are alike everywhere
        befriend(victim, eve)
        until(lambda: victim.has(good), "what is hers is taken over")
        until(lambda: eve.exports.times_asked(2) > 2, "and the session goes on")
        leaked = [eve.exports.texts[h] for h in forbidden if victim.has(h) and not is_application_data(eve.exports.texts[h])]
        assert not leaked, leaked
        assert not {e["hash"] for e in victim.events("version.changed")} & set(forbidden)
        roots = json.dumps(victim.ask("roots.list", **{"for": eve.person}))
        assert not any(id_hash in roots for id_hash in channels), "read access does not leak"
        until(lambda: len(victim.events("sync.failed")) >= 8, "refusals are told")
    assert victim.ask("profile.get") == before
    victim.is_well()


def is_application_data(body):
    """May lie here as a part of something: it has no effect of its own."""
    return not re.search("refin.io/(Access|IdAccess|Group)\"", body)


def test_rights_are_refused_below_what_is_allowed(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        x = eve.exports
        access = x.put(thing("IdAccess", link("id", "id", victim.archive), links("person", "id", [eve.person]), links("group", "id", [])))
        group = x.put(thing("Group", text("name", "blacklist"), links("person", "id", [victim.sparse])))
        for hidden in (access, group):
            x.unversioned("Signature", thing("Signature", link("issuer", "id", eve.person), link("data", "obj", hidden),
                                             text("signature", "ab" * 64)), {"type": "object", "hash": hidden})
        _, good, _ = offer_profile(eve, "Eve")
        befriend(victim, eve)
        until(lambda: victim.has(good), "what is allowed is taken over")
        until(lambda: x.times_asked(2) > 2, "the session goes on")
        assert not victim.has(access) and not victim.has(group)
        victim.tells("sync.failed", code="CIEC-FO3")
    victim.is_well()


def test_broken_objects_hinder_no_others(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        x = eve.exports
        lie = digest("something else")
        x.texts[lie] = thing("PersonName", text("name", "not what was asked for"))
        x.roots.append({"type": "unversioned", "hash": lie, "oneType": "PersonName"})
        dangling = [thing("Signature", link("issuer", "id", "ab" * 32), link("data", "obj", "cd" * 32), text("signature", "00"))]
        bad = [x.unversioned("Signature", d) for d in dangling]
        for unparsable in ("<div>", "", "\0", "<" * 100000, thing("Nonsense", text("x", 1)), "ü" * 4096):
            bad.append(x.unversioned("PersonName", unparsable))
        deep = x.unversioned("PersonName", '<div itemscope itemtype="//refin.io/PersonName">' * 20000)
        x.children[x.unversioned("PersonName", thing("PersonName", text("name", "listed badly")))] = '[{"type":"object"}]'
        x.children[x.unversioned("PersonName", thing("PersonName", text("name", "listed worse")))] = "{" * 50000
        loop = x.put(edge("ee" * 32))
        x.roots.append({"type": "version_node", "node": loop, "dataIdHash": "ff" * 32, "dataType": "Profile"})
        x.children[loop] = [{"type": "object", "hash": loop}, {"type": "blob", "hash": "00" * 32}]
        x.files["00" * 32] = lambda peer, id: peer.say({"responseId": id, "type": "stream-end"})
        _, good, _ = offer_profile(eve, "Eve")
        befriend(victim, eve)
        until(lambda: victim.has(good), "what is right is taken over")
        assert not any(victim.has(h) for h in [lie, deep, *bad])
        victim.tells("sync.failed", hash=lie)
    victim.is_well()


def test_endless_streams_and_unasked_chunks(t):
    victim = Victim(t)

    def flood(peer, id):
        peer.do("binary", hex=struct.pack("<d", id).hex(), size=65536, times=1024)

    with Peer("eve@example.org") as eve:
        file = digest("no such file")
        eve.exports.files[file] = flood
        eve.exports.unversioned("Signature", thing("Signature", link("issuer", "id", eve.person), link("data", "obj", file),
                                                   text("signature", "ab" * 64)), {"type": "blob", "hash": file})
        befriend(victim, eve)
        until(lambda: eve.exports.times_asked(8) > 0, "the file is asked for")
        victim.is_well()
        eve.do("binary", hex="00000000e0ffef40", size=65536, times=500)  # request 65,535: never made
        eve.do("binary", hex="", size=3, times=500)
        victim.is_well()
    victim.is_well()


def test_giant_lists(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        root = {"type": "unversioned", "hash": "ab" * 32, "oneType": "Leute"}
        eve.exports.roots = "[" + ",".join([json.dumps(root)] * 200000) + "]"
        befriend(victim, eve)
        until(lambda: victim.ask("stats")["skippedRoots"] == 200000, "the list is read to its end")
        victim.is_well(growth=6 * len(eve.exports.roots) // 1024)
    with Peer("mallory@example.org") as mallory:
        mallory.exports.roots = "[" * 1000000
        befriend(victim, mallory)
        mallory.wait("closed")
        victim.is_well(growth=6 * len(eve.exports.roots) // 1024)


def test_floods_of_requests(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        befriend(victim, eve)
        for id, service in enumerate((2, 4, 6, 8, 10, 99)):
            eve.do("text", message=json.dumps({"requestId": id, "type": "request", "serviceId": service,
                                               "args": ["ab" * 32]}), times=2000)
        for junk in ("", "{", "[]", '{"type":"request"}', '{"responseId":77777,"type":"data","data":1}', "\0" * 1000):
            eve.do("text", message=junk, times=200)
        victim.is_well()
    victim.is_well()


# ---- The line ----

def test_damaged_frames_end_the_connection(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        invitation = befriend(victim, eve)
        for how in ("flip", "truncate", "replay", "lose"):
            ends = len(victim.events("connection.closed"))
            eve.do("tamper", how=how)
            eve.do("text", message="{}", times=2)
            assert eve.wait("closed", "ready")["event"] == "closed", how
            until(lambda: len(victim.events("connection.closed")) > ends, f"{how} is told")
            eve.do("tamper", how="not")
            eve.chum(invitation)
        for after in range(1, 9):
            eve.do("tamper", how="flip", after=after)
            eve.do("pair", invitation=victim.invitation())
            assert eve.wait("closed", "failed"), after
            eve.do("tamper", how="not")
    victim.is_well()


def test_slow_peers_are_not_waited_for(t):
    victim = Victim(t)
    url = victim.provisioned["archive"]["url"]
    begun = time.monotonic()
    silent = Socket(url, upgrade=False)
    trickling = Socket(url, upgrade=False)
    upgraded = Socket(url)
    halfway = Socket(url)
    halfway.socket.sendall(b"\x81\xfe\x10\x00\0\0\0\0" + b"{")  # one byte of 4,096
    peers = [Peer(f"mute{i}@example.org") for i in range(8)]
    try:
        for i, peer in enumerate(peers):
            peer.do("tamper", how="mute", after=i + 1)
            peer.do("pair", invitation=victim.invitation())
        request = trickling.request()
        trickled = 0
        try:
            while time.monotonic() - begun < 15:
                trickling.socket.sendall(request[trickled:trickled + 1])
                trickled += 1
                time.sleep(0.2)
        except ConnectionError:
            pass
        for slow in (silent, trickling, upgraded, halfway):
            assert slow.ended()
        victim.is_well()
        for peer in peers:
            peer.wait("closed", "failed", patience=45)
        assert time.monotonic() - begun < 60
        victim.tells("connection.refused", reason="timeout")
        victim.tells("connection.closed", code="CONN-TIMEOUT")
    finally:
        for peer in peers:
            peer.__exit__()
    victim.is_well()


def test_oversized_frames(t):
    victim = Victim(t)
    url = victim.provisioned["archive"]["url"]
    for opcode, announced in ((1, 1 << 40), (2, 1 << 31), (1, 2 << 20), (9, 1 << 20)):
        bad = Socket(url)
        try:
            bad.frame(opcode, b"x" * 65536, announced=announced)
            for _ in range(64):
                bad.socket.sendall(b"x" * 65536)
        except (ConnectionError, socket.timeout):
            pass
        assert bad.ended()
    victim.is_well()


def test_web_pages_are_named_when_refused(t):
    victim = Victim(t)
    page = Socket(victim.provisioned["archive"]["url"], origin="https://evil.example")
    assert b"403" in page.status, page.status
    assert victim.tells("connection.refused", reason="origin")["address"].startswith("127.0.0.1")


def test_a_crowd_of_idlers(t):
    victim = Victim(t)
    url = victim.provisioned["archive"]["url"]
    crowd = []
    for i in range(CROWD):
        try:
            crowd.append(Socket(url, upgrade=i % 2 == 0))
        except (ConnectionError, OSError):
            pass  # turned away
        if i % 500 == 499:
            victim.is_well()
        if len(crowd) > 800:  # our own descriptors
            crowd.pop(0).close()
    victim.is_well()
    refused = victim.tells("connection.refused", reason="limit")
    assert refused["count"] >= 1
    for idler in crowd:
        idler.close()
    with Peer("late@example.org") as late:
        until(lambda: late.pair(victim.invitation())["event"] == "paired", "who comes later is let in")
    victim.is_well()


if __name__ == "__main__":
    main(globals())
