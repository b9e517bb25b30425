"""A contact that hides things below what it may send: a part has no effect of its own, no version that merely lies here
becomes current when the database is made anew, and a hash alone opens nothing (docs/security.md)."""
import contextlib
import glob
import json
import os
import sqlite3
import struct

from control import SECRET, main, until
from hostile import (MAIL, NO_ENDPOINTS, Peer, Victim, befriend, digest, edge, id_of, id_thing, link, links, offer_profile,
                     text, thing)

NODE_TIME = 1700000000000


def change(data, depth, *prev):
    return thing("VersionNodeChange", *(link("prev", "obj", p) for p in prev), link("data", "obj", data),
                 text("depth", depth), text("creationTime", NODE_TIME))


def below_something(x, hidden, *below):
    """A root that is nobody's harm, with what is hidden below it."""
    return x.unversioned("Signature", thing("Signature", link("issuer", "id", x.issuer), link("data", "obj", hidden),
                                            text("signature", "ab" * 64)), {"type": "object", "hash": hidden}, *below)


def mallory_at(victim, peer):
    """Her exports, with the id objects everything of hers refers to."""
    x = peer.exports
    x.issuer = x.put(id_thing("Person", text("email", peer.email)))
    x.person = {"type": "id", "hash": x.issuer}
    x.victim = x.put(id_thing("Person", text("email", MAIL)))
    assert x.victim == victim.archive
    return x


def pair_topic(x, one, two):
    name = f"{min(one, two)}<->{max(one, two)}"
    channel = x.put(id_thing("ChannelInfo", text("id", name)))
    return x.put(thing("Topic", text("name", "a trap"), text("id", name), link("channel", "id", channel))), channel


def test_a_topic_below_something_else_opens_nothing(t):
    victim = Victim(t)
    with Peer("mallory@example.org") as mallory:
        x = mallory_at(victim, mallory)
        carol = id_of("Person", text("email", "carol@example.org"))
        befriend(victim, mallory)
        topics = lambda: [topic["topicId"] for topic in victim.ask("topic.list")["items"]]
        before = topics()
        planted, channels = [], []
        for one, two in ((victim.archive, carol), (carol, x.issuer)):
            topic, channel = pair_topic(x, one, two)
            planted.append(topic)
            channels.append(channel)
            below_something(x, topic, {"type": "id", "hash": channel}, x.person)
        club = x.put(id_thing("ChannelInfo", text("id", "club"), link("owner", "id", x.issuer)))
        invited = thing("Topic", text("name", "club"), text("id", "club"), link("channel", "id", club))
        planted.append(x.put(invited))
        below_something(x, planted[-1], {"type": "id", "hash": club}, x.person)
        _, good, _ = offer_profile(mallory, "Mallory")
        until(lambda: victim.has(good) and all(victim.has(h) for h in planted), "all that is taken over")
        assert topics() == before, "parts add no topics"
        for person in (carol, mallory.person):
            roots = json.dumps(victim.ask("roots.list", **{"for": person}))
            assert not any(h in roots for h in planted + channels), roots
        x.unversioned("Topic", invited, {"type": "id", "hash": club}, x.person)
        until(lambda: "club" in {i["topicId"] for i in victim.ask("topic.list")["items"]}, "now it comes for itself")
    victim.is_well()


def is_settled(index):
    with contextlib.closing(sqlite3.connect(f"file:{index}?mode=ro", uri=True)) as db:
        return db.execute("SELECT (SELECT COUNT(*) FROM body) + (SELECT COUNT(*) FROM head WHERE unsettled)").fetchone() == (0,)


def start_again_without_index(victim):
    t = victim.t
    index = next(path for path in glob.glob(t.path("**", "store.db"), recursive=True) if "sparse" not in path)
    until(lambda: is_settled(index), "everything lies in files")
    t.stop()
    for path in glob.glob(index + "*"):
        os.remove(path)
    t.up("--listen", "localhost:0")
    assert t.cli_json("provision", "--user", "joe", stdin=SECRET + "\n")[0] == 0
    victim.client = t.client()


def send_bytes(body):
    def send(peer, id):
        peer.do("binary", hex=(struct.pack("<d", id) + body.encode()).hex())
        peer.say({"responseId": id, "type": "stream-end"})
    return send


def test_no_planted_version_becomes_current(t):
    victim = Victim(t)
    victim.ok("--node", "archive", "profile", "set", "--name", "Joe")
    before = victim.ask("profile.get")
    assert before["name"] == "Joe", before
    with Peer("mallory@example.org") as mallory:
        x = mallory_at(victim, mallory)
        name = x.put(thing("PersonName", text("name", "Mallory")))
        mine = (text("profileId", "default"), link("personId", "id", victim.archive), link("owner", "id", victim.archive))
        evil = x.put(thing("Profile", *mine, NO_ENDPOINTS, links("personDescription", "obj", [name])))
        profile = x.put(id_thing("Profile", *mine))
        base = x.put(edge(evil))
        nodes = [x.put(change(evil, 10 ** 9)), x.put(change(evil, 10 ** 9, base)), base, x.put(change(evil, 1, base))]
        lies_below = [{"type": "object", "hash": base}, {"type": "object", "hash": evil}, {"type": "object", "hash": name},
                      {"type": "id", "hash": profile}, {"type": "id", "hash": victim.archive}, x.person]
        for node in nodes:
            below_something(x, node, *lies_below)
        below_something(x, evil, *lies_below[2:])
        plant_as_files(x, change(evil, 10 ** 9), edge(evil), thing("Access", link("object", "obj", evil),
                                                                    links("person", "id", [x.issuer]), links("group", "id", [])))
        befriend(victim, mallory)
        plant_a_deep_version_of_hers(mallory)
        _, good, _ = offer_profile(mallory, "Eve")
        until(lambda: victim.has(good) and victim.has(evil), "all that is taken over")
        until(lambda: x.times_asked(2) > 2, "and the session goes on")
    until(lambda: victim.ask("profile.get") == before, "her name is not his")
    start_again_without_index(victim)
    after = victim.ask("profile.get")
    kept = ("personId", "profile", "name", "owner", "descriptions")
    assert [after[k] for k in kept] == [before[k] for k in kept], after
    assert evil not in json.dumps(victim.ask("roots.list", **{"for": mallory.person}))


def plant_as_files(x, *bodies):
    """What is a file to everybody, and an object to who looks at its bytes only."""
    for body in bodies:
        file = digest(body)
        x.files[file] = send_bytes(body)
        descriptor = thing("BlobDescriptor", link("data", "blob", file), text("lastModified", 1), text("name", "a"),
                           text("size", len(body)), text("type", "text/plain"))
        x.unversioned("BlobDescriptor", descriptor, {"type": "blob", "hash": file})


def plant_a_deep_version_of_hers(mallory):
    """Her own profile, with a depth that its history does not bear out."""
    x = mallory.exports
    mine = (text("profileId", "default"), link("personId", "id", x.issuer), link("owner", "id", x.issuer))
    data = x.put(thing("Profile", *mine, NO_ENDPOINTS, links("personDescription", "obj", [])))
    profile = x.put(id_thing("Profile", *mine))
    node = x.put(change(data, 10 ** 9, x.put(edge(data))))
    x.roots.append({"type": "version_node", "node": node, "dataIdHash": profile, "dataType": "Profile"})
    x.children[node] = [{"type": "object", "hash": digest(edge(data))}, {"type": "object", "hash": data},
                        {"type": "id", "hash": profile}, x.person]


class Asker:
    """Asks the node's exporter as a peer does."""

    def __init__(self, peer):
        self.peer = peer
        self.id = 1000

    def ask(self, service, *arguments):
        self.id += 1
        mine = self.id
        self.peer.say({"requestId": mine, "type": "request", "serviceId": service, "args": list(arguments)})
        return until(lambda: next((a for a in list(self.peer.answers) if a.get("responseId") == mine), None),
                     f"an answer to {service} {arguments}")

    def everything(self):
        """All it gets to see: root list, children, texts."""
        roots = json.loads(self.ask(2)["data"])
        seen = {}
        for root in roots:
            service, top = (5, root["idHash"]) if root["type"] == "id" else (4, root.get("node") or root["hash"])
            answer = self.ask(service, top)
            for child in json.loads(answer["data"]) if answer["type"] == "data" else []:
                seen[child["hash"]] = child["type"]
        return seen


def test_a_hash_alone_opens_nothing(t):
    victim = Victim(t)
    secret = os.path.join(t.top, "secret")
    with open(secret, "w") as file:
        file.write("nobody's business")
    blob = victim.ok("--node", "archive", "blob", "put", secret)["hash"]
    message = victim.send("sparse", "between us")["id"]
    victim.arrives("archive", "between us")
    with Peer("mallory@example.org") as mallory:
        x = mallory_at(victim, mallory)
        befriend(victim, mallory)
        name = f"{min(victim.archive, x.issuer)}<->{max(victim.archive, x.issuer)}"
        identity = (text("id", name),)
        descriptor = x.put(thing("BlobDescriptor", link("data", "blob", blob), text("lastModified", 1), text("name", "a"),
                                 text("size", 17), text("type", "text/plain")))
        x.files[blob] = lambda peer, id: peer.say({"responseId": id, "type": "error", "data": "no"})
        for target, below in ((message, []), (descriptor, [{"type": "blob", "hash": blob}])):
            time = x.put(thing("CreationTime", text("timestamp", NODE_TIME), link("data", "obj", target)))
            entry = x.put(thing("LinkedListEntry", link("data", "obj", time)))
            x.version("ChannelInfo", identity, thing("ChannelInfo", *identity, link("head", "obj", entry)),
                      {"type": "object", "hash": entry}, {"type": "object", "hash": time}, {"type": "object", "hash": target},
                      *below)
        until(lambda: (6, [message]) in x.asked, "what is here is asked for as if it were not")
        until(lambda: any(service == 8 and arguments[0] == blob for service, arguments in x.asked), "and so is the file")
        until(lambda: victim.has(descriptor), "what names a file is taken over")
        _, good, _ = offer_profile(mallory, "Mallory")
        until(lambda: victim.has(good), "and the session goes on")
        asker = Asker(mallory)
        seen = asker.everything()
        assert descriptor in seen, "the channel is shown to her"
        assert message not in seen and blob not in seen
        assert asker.ask(6, message)["type"] == "error" and asker.ask(8, blob)["type"] == "error"
        assert "between us" not in json.dumps(mallory.answers)
    victim.is_well()


def test_what_is_here_is_asked_for_as_any_kind(t):
    """Whether a file or message is here cannot be told from what the node asks for."""
    victim = Victim(t)
    secret = os.path.join(t.top, "secret")
    with open(secret, "w") as file:
        file.write("nobody's business")
    blob = victim.ok("--node", "archive", "blob", "put", secret)["hash"]
    message = victim.send("sparse", "between us")["id"]
    victim.arrives("archive", "between us")
    with Peer("mallory@example.org") as mallory:
        x = mallory_at(victim, mallory)
        befriend(victim, mallory)
        guesses = [(kind, service, target) for kind, service in (("object", 6), ("id", 7), ("blob", 8))
                   for target in (blob, message, digest(kind))]
        for _, _, target in guesses:
            x.files[target] = lambda peer, id: peer.say({"responseId": id, "type": "error", "data": "no"})
        for i, (kind, _, target) in enumerate(guesses):
            below_something(x, x.put(thing("PersonName", text("name", i))), {"type": kind, "hash": target}, x.person)
        for kind, service, target in guesses:
            until(lambda: (service, [target]) in [(s, a[:1]) for s, a in list(x.asked)], f"{target} is asked for as {kind}")
    victim.is_well()


def test_what_somebody_only_named_is_mine_once_i_make_it(t):
    """A contact names a file of ours in an object that we make ourselves afterwards."""
    victim = Victim(t)
    photo = os.path.join(t.top, "photo")
    with open(photo, "w") as file:
        file.write("a photograph")
    blob = victim.ok("--node", "archive", "blob", "put", photo)["hash"]
    with Peer("mallory@example.org") as mallory, Peer("carol@example.org") as carol:
        x = mallory_at(victim, mallory)
        befriend(victim, mallory)
        befriend(victim, carol)
        named = thing("BlobDescriptor", link("data", "blob", blob), text("lastModified", 1), text("name", "photo"),
                      text("size", 12), text("type", "text/plain"))
        x.files[blob] = lambda peer, id: peer.say({"responseId": id, "type": "error", "data": "no"})
        descriptor = x.unversioned("BlobDescriptor", named, {"type": "blob", "hash": blob})
        until(lambda: victim.has(descriptor), "what names the file is here")
        made = victim.ask("object.put", object={"$type$": "BlobDescriptor", "data": blob, "lastModified": 1,
                                                "name": "photo", "size": 12, "type": "text/plain"})
        assert made["hash"] == descriptor
        victim.ask("share.grant", **{"object": descriptor, "with": carol.person})
        assert descriptor in json.dumps(victim.ask("roots.list", **{"for": carol.person})), "Carol is shown it"
        asker = Asker(carol)
        asker.ask(2)  # what is not in the list is not given
        assert blob in asker.ask(4, descriptor)["data"], "and the file"
        assert Asker(mallory).ask(4, descriptor)["type"] == "error", "and Mallory is not"
    victim.is_well()


if __name__ == "__main__":
    main(globals())
