"""A hostile peer with which CHUM runs: what it offers, how it answers, and what it asks for (WIRE.md 10, MODELS.md 8.7)."""
import json
import re
import struct

from control import main, until
from hostile import (NO_ENDPOINTS, SANITIZER, Peer, Victim, befriend, digest, edge, id_of, link, links, offer_profile,
                     text, thing)


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
    version("Settings", (text("id", "instance-settings"),), '<dl itemprop="properties"></dl>')
    version("Instance", (text("name", "archive"), link("owner", "id", me)), links("recipe", "obj", []))
    version("ChannelRegistry", (text("id", "ChannelRegistry"),), links("channels", "id", []))
    version("Group", (text("name", "everyone"),), links("person", "id", [peer.person]))
    version("Access", (link("object", "obj", name),), links("person", "id", [peer.person]), links("group", "id", []))
    version("IdAccess", (link("id", "id", id_of("ChannelInfo", *own_channel)),), links("person", "id", [peer.person]),
            links("group", "id", []))
    for name in ("mine", "contacts", f"{min(me, peer.person)}<->{max(me, peer.person)}"):
        topic(name, id_of("ChannelInfo", *own_channel))
    return forbidden, channels


def test_what_fails_again_and_again_is_told_once_and_heals(t):
    t.environment["TANDEM_SYNC_INTERVAL_MS"] = "100"
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        profile = (text("profileId", "default"), link("personId", "id", eve.person), link("owner", "id", eve.person))
        name = thing("PersonName", text("name", "Eve"))  # for now it answers nonsense for it
        body = thing("Profile", *profile, NO_ENDPOINTS, links("personDescription", "obj", [digest(name)]))
        _, data, id_hash = eve.exports.version("Profile", profile, body, {"type": "object", "hash": digest(name)})
        invitation = befriend(victim, eve)
        stuck = victim.tells("sync.stuck", personId=eve.person, idHash=id_hash)
        assert stuck["code"] in {f["code"] for f in victim.told("sync.failed", eve)}, stuck
        assert victim.ask("health")["stuck"] == 1 and not victim.has(data)
        eve.exports.put(name)
        eve.close()
        eve.chum(invitation)
        until(lambda: victim.has(data), "a new session tries it at once")
        until(lambda: victim.ask("health")["stuck"] == 0, "nothing is stuck any more")
        assert len(victim.told("sync.stuck", eve)) == 1
        victim.is_well()


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
        status, out, err = t.cli("--json", "log", "--node", "archive", "--lines", "10000", "--grep", "sync.failed")
        lines = [line for line in map(json.loads, out.splitlines()) if line["code"] == "CIEC-FO3"]
        assert lines and all(line["level"] == "warn" and line["personId"] == eve.person and line["id"] > 0
                             for line in lines), (out, err)
    victim.is_well()


def in_empty_chunks(peer, id):
    """As the reference sends its files (WIRE.md 13.1)."""
    peer.do("binary", hex=struct.pack("<d", id).hex(), times=3)
    peer.say({"responseId": id, "type": "stream-end"})


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
        empty = digest("a file in empty chunks")
        x.files[empty] = in_empty_chunks
        x.unversioned("Signature", thing("Signature", link("issuer", "id", eve.person), link("data", "obj", empty),
                                         text("signature", "ab" * 64)), {"type": "blob", "hash": empty})
        x.refusals = 3  # as while a grant is being stored (WIRE.md 10.8)
        _, good, _ = offer_profile(eve, "Eve")
        befriend(victim, eve)
        until(lambda: victim.has(good), "what is right is taken over")
        assert not any(victim.has(h) for h in [lie, deep, *bad])
        victim.tells("sync.failed", hash=lie)
        assert not victim.told("chum.stopped", eve), "all that in one session"
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
    size = 20000 if SANITIZER else 50000
    with Peer("eve@example.org") as eve:
        root = {"type": "unversioned", "hash": "ab" * 32, "oneType": "Leute"}
        eve.exports.roots = "[" + ",".join([json.dumps(root)] * size) + "]"
        befriend(victim, eve)
        until(lambda: victim.ask("stats")["skippedRoots"] == size, "the list is read to its end")
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


def test_requests_right_behind_the_start_and_right_before_the_end(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        invitation = befriend(victim, eve)
        for _ in range(5):
            eve.close()
            until(lambda: not victim.connections(eve), "the node has noticed")
            eve.do("chum", invitation=invitation)
            eve.wait("ready")
            eve.do("text", message="synchronisation")
            eve.do("text", message=json.dumps({"requestId": 0, "type": "request", "serviceId": 2, "args": []}))
            until(lambda: any(m.get("responseId") == 0 for m in eve.answers), "the first request is answered")
            eve.answers.clear()
            for id in range(1, 500):
                eve.do("text", message=json.dumps({"requestId": id, "type": "request", "serviceId": 2, "args": []}))
    victim.is_well()


if __name__ == "__main__":
    main(globals())
