"""What a peer with which CHUM runs answers wrongly: each has its code, concerns its own root, and hinders no other one."""
import json

from control import main, until
from hostile import Peer, Victim, befriend, digest, edge, id_thing, link, links, offer_profile, text, thing


# ---- Objects ----

def recipe(itemtype):
    return ('<div itemscope itemtype="//refin.io/Recipe"><span itemprop="name">R</span><ol itemprop="rule"><li><div>'
            f'{itemtype}</div></li></ol></div>')


def stringified(json_text):
    return recipe(f'<span itemprop="itemprop">a</span><span itemprop="itemtype">{json_text}</span>')


# Bytes that are no object (DATA-MODEL.md 2 - 4), by the code that says so.
BODIES = (
    ("M2O-PH1", "<div>"),
    ("US-SSFMC1", '<div itemscope itemtype="//refin.io/PersonName'),
    ("M2IH-FET1", '<div itemscope itemtype="//refin.io/PersonName"><span itemprop="name">x<b>and more</div>'),
    ("OR-ET1", thing("Nonsense", text("x", 1))),
    ("M2O-PD1", thing("PersonName")),
    ("M2O-POM1", thing("PersonName", text("name", "x"), text("age", 7))),
    ("M2O-PCONV2", thing("PersonName", text("name", "x")) + "\n"),
    ("NOT-CANONICAL", '<div itemscope itemtype="//refin.io/PersonName"><span itemprop="name">&</span></div>'),
    ("M2O-PV1", thing("Signature", link("issuer", "id", "zz"), link("data", "obj", "ab" * 32), text("signature", "00"))),
    ("M2O-PV3", thing("Keys", link("owner", "id", "ab" * 32), text("publicKey", "no hex"), text("publicSignKey", "none"))),
    ("M2O-EOTFM1", recipe("")),
    ("BAD-JSON", stringified("{")),
    ("BAD-KEY", stringified('{"a\\nb":1}')),
    ("JSON-TOO-DEEP", stringified("[" * 2000)),
    ("CIEC-FO3", thing("Group", text("name", "blacklist"), links("person", "id", []))),
    ("CI-ACO", thing("Signature", link("issuer", "id", "ab" * 32), link("data", "obj", "cd" * 32), text("signature", "00"))),
    ("CIEC-FOWT1", thing("Keys", link("owner", "id", "ab" * 32), text("publicKey", "1" * 64), text("publicSignKey", "2" * 64))),
    ("OBJECT-TOO-BIG", thing("PersonName", text("name", "x" * (4 << 20)))),
)


def offer_bodies(x, me):
    def linked(body):  # what it refers to is here
        return body.replace("ab" * 32, me) if "Keys" in body else body
    return [(code, x.unversioned("PersonName", linked(body))) for code, body in BODIES]


def offer_lies(x):
    """What is not what was asked for."""
    lie, number = digest("something else"), digest("a number")
    x.texts[lie] = thing("PersonName", text("name", "not what was asked for"))
    x.texts[number] = 7
    x.texts[digest("a stream")] = lambda peer, id: peer.say({"responseId": id, "type": "stream-end"})
    for hash in (lie, number, digest("a stream")):
        x.roots.append({"type": "unversioned", "hash": hash, "oneType": "PersonName"})
    return [("CIEC-FO2", lie), ("CIEC-FO1", number), ("STREAM-ERROR", digest("a stream"))]


def offer_ids(x):
    """Roots that are id objects."""
    def root(hash):
        x.roots.append({"type": "id", "idHash": hash, "oneType": "ChannelInfo"})
        return hash

    lie, number = digest("another id object"), digest("another number")
    x.texts[lie], x.texts[number] = id_thing("Person", text("email", "x")), 7
    return [
        ("CIEC-FIDO2", root(lie)),
        ("CIEC-FIDO1", root(number)),
        ("CIEC-FIDO3", root(x.put(id_thing("Group", text("name", "blacklist"))))),
        ("CIEC-FIDOWT1", root(x.put(id_thing("Person", text("email", "x@example.org"))))),
        ("CI-ACIDO", root(x.put(id_thing("ChannelInfo", text("id", "x"), link("owner", "id", "ab" * 32))))),
    ]


def offer_lists(x):
    """Lists of children that are none."""
    def root(name, below):
        hash = x.unversioned("PersonName", thing("PersonName", text("name", name)))
        x.children[hash] = below
        return hash

    return [
        ("DC-PC1", root("no JSON", "{")),
        ("DC-PC2", root("no list", "{}")),
        ("DC-PC3", root("no kind", '[{"type":"thing","hash":"%s"}]' % ("ab" * 32))),
        ("DC-PC4", root("no hash", '[{"type":"object"}]')),
        ("LIST-TOO-BIG", root("too big", '[{"type":"object","hash":"%s"}]' % ("a" * 5000))),
    ]


def offer_versions(x, eve):
    """Versions that are not of what was announced, or of what the peer has no say in."""
    def node(data, id_hash, kind, *below, body=None):
        root = x.put(body or edge(data))
        x.roots.append({"type": "version_node", "node": root, "dataIdHash": id_hash, "dataType": kind})
        x.children[root] = [{"type": "object", "hash": data}, *below]
        return root

    def channel(name, owner, *rest):
        about = (text("id", name), link("owner", "id", owner))
        return x.put(thing("ChannelInfo", *about, *rest)), x.put(id_thing("ChannelInfo", *about))

    def list_of(name):
        """A list whose entry has no time, which is looked at when it is merged with another one."""
        name = x.put(thing("PersonName", text("name", name)))
        entry = x.put(thing("LinkedListEntry", link("data", "obj", name)))
        data, id_hash = channel("list", eve, link("head", "obj", entry))
        return node(data, id_hash, "ChannelInfo", {"type": "id", "hash": id_hash}, {"type": "object", "hash": entry},
                    {"type": "object", "hash": name})

    stranger = x.put(id_thing("Person", text("email", "stranger@example.org")))
    (one, id_one), (two, id_two), (three, id_three), (four, id_four) = [channel(name, eve) for name in
                                                                       ("one", "two", "three", "four")]
    deep = thing("VersionNodeEdge", link("data", "obj", four), text("depth", 5), text("creationTime", 1700000000000))
    other, id_other = channel("theirs", stranger)
    ids = [{"type": "id", "hash": hash} for hash in (id_one, id_two, id_three, id_four)]
    between = "<->".join(sorted((eve, stranger)))
    _, id_between = channel(between, eve)
    topic = x.unversioned("Topic", thing("Topic", text("id", between), link("channel", "id", id_between)),
                          {"type": "id", "hash": id_between})
    list_of("first")
    return [("CI-CCI1", node(one, id_two, "ChannelInfo", *ids)), ("CI-CCI2", node(three, id_three, "Profile", *ids)),
            ("REFUSED", node(other, id_other, "ChannelInfo", {"type": "id", "hash": id_other}, {"type": "id", "hash": stranger})),
            ("NOT-A-VERSION", node(four, id_four, "ChannelInfo", *ids, body=deep)), ("NOT-TRUSTED", topic), ("M2O-PHM1", list_of("second"))]


def offer_files(x):
    """Files that do not come, or are others."""
    def root(kind, hash, sent):
        x.files[hash] = sent
        return x.unversioned("DocumentInfo", thing("DocumentInfo", link("document", "blob", hash)), {"type": kind, "hash": hash})

    def other(peer, id):
        peer.say({"responseId": id, "type": "stream", "chunk": "another text", "encoding": "utf8"})
        peer.say({"responseId": id, "type": "stream-end"})

    def refuse(peer, id):
        peer.say({"responseId": id, "type": "error", "error": {"message": "gone", "code": "X"}})

    return [("CIEC-FBL2", root("clob", digest("a text"), other)), ("BLOB-UNAVAILABLE", root("blob", digest("a file"), refuse))]


def test_each_wrong_reply_has_its_code_and_hinders_no_others(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        x = eve.exports
        person = x.put(id_thing("Person", text("email", eve.email)))
        assert person == eve.person
        x.refusals = 3
        wrong = [*offer_bodies(x, eve.person), *offer_lies(x), *offer_ids(x), *offer_lists(x), *offer_files(x),
                 *offer_versions(x, eve.person)]
        _, good, _ = offer_profile(eve, "Eve")
        befriend(victim, eve)
        until(lambda: victim.has(good), "what is right is taken over")
        expected = {hash: code for code, hash in wrong}
        until(lambda: expected.keys() <= {e["hash"] for e in victim.told("sync.failed", eve)}, "all are told")
        told = {e["hash"]: e["code"] for e in victim.told("sync.failed", eve)}
        assert {hash: told[hash] for hash in expected} == expected
        assert not victim.told("chum.stopped", eve), "all that in one session"
    victim.is_well()


# ---- What ends a session ----

def test_lists_and_versions_that_are_none_end_the_session(t):
    victim = Victim(t)
    with Peer("mute@example.org") as mute, Peer("eve@example.org") as eve:
        for peer in (mute, eve):
            befriend(victim, peer)
            peer.close()
        x, invitation = eve.exports, victim.invitation()
        mute.exports.protocol = lambda peer, id: None
        mute.chum(invitation)
        for code, roots, protocol in (("DAH-PAO1", "[", 8), ("DAH-PAO2", "{}", 8), ("DAH-PAO3", '[{"type":"thing"}]', 8),
                                      ("CS-MISMATCH", "[]", 7), ("ANSWER-TOO-BIG", "[]", "8" * (5 << 20)),
                                      ("LIST-TOO-BIG", '["%s"]' % ("a" * 5000), 8)):
            since = len(victim.events("connection.closed"))
            x.roots, x.protocol = roots, protocol
            eve.chum(invitation)
            eve.wait("closed")
            [end] = until(lambda: victim.events("connection.closed")[since:], code)
            assert f"with error: Error: {code}: " in end["reason"], (code, end)
        x.roots, x.protocol = [], 8
        _, good, _ = offer_profile(eve, "Eve")
        eve.chum(invitation)
        until(lambda: victim.has(good), "the next session is like any other")
        mute.wait("closed")
        until(lambda: any("RPC-TIMEOUT" in e["reason"] for e in victim.events("connection.closed")), "silence is told")
    victim.is_well()


# ---- Requests ----

def ask(peer, service, *arguments):
    """The answer to a request."""
    peer.answers.clear()
    peer.say({"requestId": 1, "type": "request", "serviceId": service, "args": list(arguments)})
    return until(lambda: peer.answers and peer.answers[-1], f"an answer of service {service}")


def test_requests_for_nothing_are_answered_with_a_code(t):
    victim = Victim(t)
    secret = "ab" * 32
    with Peer("eve@example.org") as eve:
        befriend(victim, eve)
        roots = until(lambda: json.loads(ask(eve, 2)["data"]), "something is shown")
        shown = next(r for r in roots if r["type"] == "version_node")
        children = json.loads(ask(eve, 4, shown["node"])["data"])
        person = next(c["hash"] for c in children if c["type"] == "id")
        for code, service, *arguments in (
                ("UNKNOWN-SERVICE", 99), ("UTC-EHASH", 6, "no hash"), ("UTC-EIDHASH", 7, 5),
                ("CES-GOC1", 4, secret), ("CES-GIDOC1", 5, secret), ("CES-GO1", 6, secret), ("CES-GIDO1", 7, secret),
                ("CES-GBL1", 8, secret), ("CES-GBL2", 8, shown["node"], "latin1"), ("CES-GO2", 6, person),
                ("CES-GIDO2", 7, shown["node"]), ("M2O-PH1", 4, person)):
            answer = ask(eve, service, *arguments)
            assert answer["type"] == "error" and answer["error"]["code"] == code, (code, answer)
        assert ask(eve, 6, shown["node"])["type"] == "data", "the session goes on"
    victim.is_well()


if __name__ == "__main__":
    main(globals())
