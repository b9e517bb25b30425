"""CHUM with a live peer (point 2): names, conversations, objects, versions and files. Every case gets a stage on which our
node and the peer are connected; they run one after the other on the same stage, once for each role of the peer."""
import base64
import hashlib
import os

from live import DOC_RECIPE, NOTE_RECIPE, UNKNOWN_RECIPE, until
from live_samples import Samples

CHUNK = 512 * 1024
SIZES = (0, 100, 65535, 65536, 65537, 1200000, 50000000)


def pattern(size):
    block = bytes((i * 31 + (i >> 8) * 7) & 255 for i in range(65536))
    return (block * (size // len(block) + 1))[:size]


def store_file(s, data):
    blob = s.call("blob.begin")["blob"]
    for offset in range(0, len(data), CHUNK):
        s.call("blob.chunk", blob=blob, offset=offset, data=base64.b64encode(data[offset:offset + CHUNK]).decode())
    stored = s.call("blob.commit", blob=blob)
    assert stored == {"hash": hashlib.sha256(data).hexdigest(), "size": len(data)}
    return stored["hash"]


def our_doc(s, name, text, tags=(), **more):
    fields = {"tags": {"$set": sorted(tags)}} if tags else {}
    return s.call("object.put", object={"$type$": "PeerTestDoc", "id": name, "text": text, **fields, **more})


def our_text(s, id_hash):
    """Text and tags of the current version here, None without one."""
    try:
        found = s.call("object.current", idHash=id_hash)["object"]
    except Exception:
        return None
    return found["text"], sorted(found.get("tags", {"$set": []})["$set"])


def their_text(s, name):
    found = s.peer.ask("getdoc", "got", id=name)
    return found["text"], found["tags"]


def they_have(s, name, text):
    return s.peer.wait("doc", lambda e: (e["id"], e["text"]) == (name, text))


def recipes_are_registered(s):
    for recipe in (DOC_RECIPE, NOTE_RECIPE):
        assert s.call("recipe.add", recipe=recipe)["name"] == recipe["name"]


def their_name_appears_here(s):
    """A name that takes the place of another one does so here, too."""
    for name in ("Pia", "Pia Peer"):
        s.peer.ask("profile", "profile", name=name, share=s.ours)
        until(lambda: s.contact()["name"] == name, "the peer's name is known here")
    told = s.call("profile.get", person=s.theirs)["descriptions"]
    assert [d["name"] for d in told if d["type"] == "PersonName"] == ["Pia Peer"], told


def our_name_appears_there(s):
    s.call("profile.set", name="Toni Tandem")
    until(lambda: "Toni Tandem" in s.peer.ask("names", "names", person=s.ours)["names"], "our name is known at the peer")


def chat_begun_by_the_peer(s):
    heard = s.talk(first="they")
    assert heard["verification"] == "verified", heard["verification"]


def chat_begun_by_us(s):
    heard = s.talk(first="we")
    assert heard["verification"] == "verified", heard["verification"]


def both_see_the_same_conversation(s):
    s.we_say("the last word")
    s.they_hear("the last word")
    ours = [m["text"] for m in s.messages()]
    until(lambda: s.peer.ask("messages", "messages", other=s.ours, last=1000)["texts"] == ours, "the peer's list equals ours")


def burst_of_messages(s):
    before = len(s.messages())
    s.peer.send("say", other=s.ours, text="burst", count=30)
    for i in range(30):
        s.we_say(f"reply {i}")
    s.peer.wait("said")
    until(lambda: len(s.messages()) == before + 60, "all 30 messages of the peer are here")
    for i in range(30):
        s.they_hear(f"reply {i}")
    texts = [m["text"] for m in s.messages()]
    assert [t for t in texts if t.startswith("burst ")] == [f"burst {i}" for i in range(30)]
    assert sum(t.startswith("reply ") for t in texts) == 30


ODD_TEXTS = ("", " ", "a\r\nb\tc", "&lt;<b>\"'&amp;", "\u202eright to left\u202c שלום", "👩‍👩‍👧 \U0001d11e",
             "\x01\x08\x1b[31m\x7f\x85\u2028\ufeff\uffff", "ﬁ é e\u0301")
LONG = 1 << 20


def latest_text(s):
    return s.items("chat.list", **{"with": s.theirs, "limit": 1})[0]["text"]


def odd_texts(s):
    """What is no everyday text arrives as it was written, both ways, and nothing of it stops the answers."""
    ours = ODD_TEXTS[2:]  # nothing and blanks are refused here
    for text in ours:
        s.we_say(text)
    for text in ours:
        s.they_hear(text)
    for text in (*ODD_TEXTS, "with \0 in it"):
        s.they_say(text)
    until(lambda: latest_text(s) == "with \0 in it", "we hear the last of them")
    both = [*ours, *ODD_TEXTS, "with \0 in it"]
    assert [m["text"] for m in s.messages()][-len(both):] == both
    s.they_say("half \ud800 a pair")  # the peer itself stores U+FFFD
    until(lambda: latest_text(s) == "half \ufffd a pair", "we hear the one with half a pair")


def long_texts(s):
    """A message above what one answer holds is shown by its beginning, and the others stay readable."""
    s.we_say("w" * LONG)
    s.they_hear("w" * LONG)
    for size in (LONG, 3 * LONG):
        s.they_say("t" * size)
        until(lambda: latest_text(s) == "t" * LONG, f"we hear {size} letters")
        s.they_say(f"after {size}")
        until(lambda: latest_text(s) == f"after {size}", "we hear what comes after")
    shown = s.pair.ok("--node", s.node, "chat", "list", "--with", s.theirs, "--limit", "5")
    assert [len(m["text"]) for m in shown] == [LONG, LONG, len(f"after {LONG}"), LONG, len(f"after {3 * LONG}")], shown
    assert [m.get("truncated", False) for m in shown] == [False, False, False, True, False]


def topic_with_the_peer(s):
    topic = s.call("topic.create", name="three is company", persons=[s.theirs])
    s.call("topic.send", topic=topic["topicId"], text="to the whole topic")
    assert s.they_hear("to the whole topic")["sender"] == s.ours


def topic_named(s, name, node=None):
    topics = s.t.call("topic.list", node=node or s.node)["items"]
    return next((t for t in topics if t["name"] == name), None)


def said_in(s, topic, node=None):
    return [[m["text"], m["author"]] for m in s.t.call("topic.read", node=node or s.node, topic=topic)["items"]]


def other_node(s):
    return "sparse" if s.node == "archive" else "archive"


def talk_in_topic(s, topic, own=False):
    """Both write, and see the same with the same authors."""
    s.peer.ask("saytopic", "said", topic=topic, text=f"theirs in {topic}", own=own, other=s.ours)
    until(lambda: [f"theirs in {topic}", s.theirs] in said_in(s, topic), "we hear the peer in the topic")
    s.call("topic.send", topic=topic, text=f"ours in {topic}")
    s.they_hear(f"ours in {topic}")
    until(lambda: s.peer.ask("readtopic", "messages", topic=topic)["list"] == said_in(s, topic), "both lists are equal")


def group_topics_of_theirs(s):
    """With one channel for all, and with a channel of each writer; what our other node writes arrives as well."""
    topic = s.peer.ask("group", "grouped", name="their room", other=s.ours)["id"]
    until(lambda: topic_named(s, "their room"), "the topic is here")
    talk_in_topic(s, topic)
    until(lambda: len(said_in(s, topic, other_node(s))) == 2, "our other node reads it")
    s.t.call("topic.send", node=other_node(s), topic=topic, text="from the other node")
    assert s.they_hear("from the other node")["sender"] == s.pair.provisioned[other_node(s)]["personId"]
    s.peer.ask("rename", "renamed", topic=topic, name="their new room", other=s.ours)
    until(lambda: topic_named(s, "their new room"), "the new name is here")
    assert topic_named(s, "their room") is None

    owned = s.peer.ask("group", "grouped", name="their own room", own=True, other=s.ours)["id"]
    until(lambda: topic_named(s, "their own room"), "the topic with an owner is here")
    talk_in_topic(s, owned, own=True)


def topics_for_everyone(s):
    for glue in (False, True):
        topic = s.peer.ask("everyone", "grouped", glue=glue, other=s.ours)["id"]
        until(lambda: any(t["topicId"] == topic for t in s.items("topic.list")), f"{topic} is here")
        talk_in_topic(s, topic)


def unversioned_root_of_ours(s):
    stored = s.call("object.put", object={"$type$": "PeerTestNote", "text": "a note of ours"})
    s.call("share.grant", object=stored["hash"], **{"with": s.theirs})
    assert s.peer.wait("note", lambda e: e["hash"] == stored["hash"])["text"] == "a note of ours"


def unversioned_root_of_theirs(s):
    stored = s.peer.ask("put", "stored", object={"$type$": "PeerTestNote", "text": "a note of theirs"}, share=s.ours)
    until(lambda: holds(s, stored["hash"]), "the peer's note is here")
    assert s.call("object.get", hash=stored["hash"])["object"]["text"] == "a note of theirs"


def holds(s, digest):
    try:
        return s.call("object.get", hash=digest) is not None
    except Exception:
        return False


def versioned_root_of_ours(s):
    stored = our_doc(s, "our root", "one version only")
    s.call("share.grant", object=stored["hash"], **{"with": s.theirs})
    until(lambda: they_hold(s, stored["hash"]), "the peer has the version")


def they_hold(s, digest):
    try:
        return s.peer.ask("get", "object", hash=digest)
    except RuntimeError:
        return None


def versioned_root_of_theirs(s):
    stored = s.peer.ask("put", "stored", object={"$type$": "PeerTestDoc", "id": "their root", "text": "one version only"},
                        share=s.ours)
    until(lambda: holds(s, stored["hash"]), "the peer's version is here")


def versions_of_ours(s):
    stored = our_doc(s, "our doc", "first")
    s.call("share.grant", id=stored["idHash"], **{"with": s.theirs})
    they_have(s, "our doc", "first")
    for text in ("second", "third"):
        our_doc(s, "our doc", text)
        they_have(s, "our doc", text)


def versions_of_theirs(s):
    for text in ("first", "second", "third"):
        stored = s.peer.ask("doc", "stored", id="their doc", text=text, share=s.ours)
        until(lambda: our_text(s, stored["idHash"]) == (text, []), f"the peer's {text} version is current here")


def concurrent_edits_converge(s):
    """Both sides change a document that both know while they are apart; afterwards both hold the same."""
    stored = our_doc(s, "shared doc", "base", ["base"])
    s.call("share.grant", id=stored["idHash"], **{"with": s.theirs})
    they_have(s, "shared doc", "base")
    s.peer.ask("doc", "stored", id="shared doc", text="base", tags=["base"], share=s.ours)
    s.call("contact.disable", person=s.theirs)
    until(lambda: not s.connected(), "we are apart")
    our_doc(s, "shared doc", "base", ["base", "ours"])
    s.peer.ask("doc", "stored", id="shared doc", text="base", tags=["base", "theirs"])
    s.call("contact.enable", person=s.theirs)
    wanted = ("base", ["base", "ours", "theirs"])
    until(lambda: our_text(s, stored["idHash"]) == wanted, "both edits are here")
    until(lambda: their_text(s, "shared doc") == wanted, "both edits are there")
    our_doc(s, "shared doc", "agreed", ["base", "ours", "theirs"])
    until(lambda: their_text(s, "shared doc")[0] == "agreed", "what follows arrives as well")


def clob_of_ours(s):
    text = "ein langer Text mit ümläuten 𝄞 " * 5000
    digest = store_file(s, text.encode())
    stored = s.call("object.put", object={"$type$": "PeerTestNote", "text": "long", "long": digest})
    s.call("share.grant", object=stored["hash"], **{"with": s.theirs})
    s.peer.wait("note", lambda e: e["hash"] == stored["hash"])
    assert s.peer.ask("get", "object", hash=stored["hash"])["long"] == text


def clob_of_theirs(s):
    text = "a long text with ümläuts 𝄞 " * 5000
    stored = s.peer.ask("put", "stored", object={"$type$": "PeerTestNote", "text": "their long"}, long=text, share=s.ours)
    until(lambda: holds(s, stored["hash"]), "the peer's note is here")
    digest = s.call("object.get", hash=stored["hash"])["object"]["long"]
    assert digest == hashlib.sha256(text.encode()).hexdigest()
    assert read_file(s, digest) == text.encode()


def read_file(s, digest):
    data, size = b"", s.call("blob.stat", hash=digest)["size"]
    while len(data) < size:
        data += base64.b64decode(s.call("blob.read", hash=digest, offset=len(data))["data"])
    return data


def files_of_ours(s, sizes):
    digests = {f"file of {size}": store_file(s, pattern(size)) for size in sizes}
    for name, digest in digests.items():
        stored = our_doc(s, name, "with a file", blob=digest)
        s.call("share.grant", id=stored["idHash"], **{"with": s.theirs})
    for size, (name, digest) in zip(sizes, digests.items()):
        they_have(s, name, "with a file")
        got = s.peer.ask("getdoc", "got", id=name)
        assert (got["blobBytes"], got["blobHash"]) == (size, digest), got


def small_files_of_ours(s):
    files_of_ours(s, SIZES[:-1])


def large_file_of_ours(s):
    files_of_ours(s, SIZES[-1:])


def attachment_of_ours(s):
    digest = store_file(s, os.urandom(1000))
    s.we_say("see attachment", attachments=[{"hash": digest, "name": "a.bin", "type": "application/octet-stream"}])
    assert s.they_hear("see attachment")["attachments"] == 1
    until(lambda: ["a.bin", "application/octet-stream", 1000, 1000] in s.peer.ask("files", "files", other=s.ours)["list"],
          "the peer shows the file")


def attachment_of_theirs(s):
    """The peer cannot export it: the message says what there is to have, and those after it arrive as ever."""
    mark = s.mark()
    s.peer.ask("attach", "said", other=s.ours, text="their picture", name="ä b.png", size=1001, preview=11)
    (shown,) = s.we_hear("their picture")["attachments"]
    assert (shown["name"], shown["type"], shown["size"], shown["present"]) == ("ä b.png", "image/png", 1001, False), shown
    for i in range(5):
        s.they_say(f"after the picture {i}")
        s.we_hear(f"after the picture {i}")
    told = [e["data"]["code"] for e in s.events(mark)[0] if e["event"] == "sync.failed" and e["data"]["personId"] == s.theirs]
    assert told == ["BLOB-UNAVAILABLE"], told


def broken_files_of_theirs(s):
    """The peer cannot export a file: we say so, stay connected and take everything else."""
    mark = s.mark()
    s.peer.ask("doc", "stored", id="with a broken file", text="x", blobSize=333, share=s.ours)
    until(lambda: s.event_since(mark, "sync.failed", lambda d: d["personId"] == s.theirs), "the failure is reported")
    after = s.peer.ask("doc", "stored", id="after the broken file", text="arrives", share=s.ours)
    until(lambda: our_text(s, after["idHash"]) == ("arrives", []), "the next document arrives")
    assert not s.event_since(mark, "chum.stopped"), "the connection was lost"
    s.talk()


def samples(s, blob, clob):
    """What the samples refer to is stored on our side; the peer stores the same under the same hashes."""
    note = s.call("object.put", object={"$type$": "PersonName", "name": "a name to refer to"})["hash"]
    recipes = {}
    for item in s.items("recipe.list", limit=1000):
        if not item["name"].startswith("PeerTest"):
            recipes[item["name"]] = s.call("object.get", hash=item["hash"])["object"]
    return Samples(recipes, {"referenceToObj": note, "referenceToId": s.ours, "referenceToBlob": blob, "referenceToClob": clob})


def standard_recipes_of_ours(s):
    made = samples(s, store_file(s, pattern(10)), store_file(s, b"a long text"))
    hashes = {}
    for name in made.names():
        stored = s.call("object.put", object=made.make(name, "ours"))
        target = {"id": stored["idHash"]} if stored["idHash"] else {"object": stored["hash"]}
        s.call("share.grant", **target, **{"with": s.theirs})
        hashes[name] = stored["hash"]
    assert len(hashes) > 40, hashes
    for name, digest in hashes.items():
        until(lambda: they_hold(s, digest), f"the peer has the {name}")


def standard_recipes_of_theirs(s):
    """Their objects are stored, and the same object made here has the same hash."""
    base = s.peer.ask("put", "stored", object={"$type$": "PeerTestNote", "text": "files to refer to"}, long="a long text", blobSize=10)
    s.peer.ask("put", "stored", object={"$type$": "PersonName", "name": "a name to refer to"})
    made = samples(s, base["blob"], base["long"])
    hashes = {}
    for name in made.names():
        shared = {"shareId" if any(r.get("isId") for r in made.recipes[name]["rule"]) else "share": s.ours}
        hashes[name] = s.peer.ask("put", "stored", object=made.make(name, "theirs"), **shared)["hash"]
    for name, digest in hashes.items():
        until(lambda: holds(s, digest), f"the {name} is here")
        again = s.call("object.put", object=made.make(name, "theirs"))
        assert again["hash"] == digest, (name, again, digest)


def unknown_types_of_theirs(s):
    """What we have no recipe for is left out, everything else arrives; with the recipe it is taken as well."""
    mark = s.mark()
    stored = [s.peer.ask("put", "stored", object={"$type$": "PeerTestUnknown", "id": f"odd {share}"}, **{share: s.ours})
              for share in ("share", "shareId")]
    after = s.peer.ask("doc", "stored", id="after the unknown", text="arrives", share=s.ours)
    until(lambda: our_text(s, after["idHash"]) == ("arrives", []), "the next document arrives")
    assert not s.event_since(mark, "chum.stopped"), "the connection was lost"
    assert not holds(s, stored[0]["hash"])
    s.call("recipe.add", recipe=UNKNOWN_RECIPE)
    until(lambda: all(holds(s, o["hash"]) for o in stored), "both are taken once their type is known")


def refused_types_are_never_offered(s):
    types = [r.get("oneType", r.get("dataType")) for r in s.items("roots.list", **{"for": s.theirs, "limit": 1000})]
    assert types and not {"Access", "IdAccess", "Group", "Instance", "Leute", "ChannelRegistry"} & set(types), types


def chat(s):
    (chat_begun_by_the_peer if s.role == "browser" else chat_begun_by_us)(s)


CASES = [
    ("recipes of the peer's types are registered", recipes_are_registered),
    ("the peer's profile name appears here", their_name_appears_here),
    ("our profile name appears there", our_name_appears_there),
    ("chat both ways, author verified", chat),
    ("30 messages each way at once", burst_of_messages),
    ("both see the same conversation", both_see_the_same_conversation),
    ("odd texts: empty, controls, emoji, right to left, U+0000", odd_texts),
    ("topic of ours with the peer", topic_with_the_peer),
    ("group topics of the peer, with and without owner", group_topics_of_theirs),
    ("the topics for everyone", topics_for_everyone),
    ("unversioned root, ours", unversioned_root_of_ours),
    ("unversioned root, theirs", unversioned_root_of_theirs),
    ("versioned root, ours", versioned_root_of_ours),
    ("versioned root, theirs", versioned_root_of_theirs),
    ("id root and versions, ours", versions_of_ours),
    ("id root and versions, theirs", versions_of_theirs),
    ("concurrent edits converge", concurrent_edits_converge),
    ("CLOB, ours", clob_of_ours),
    ("CLOB, theirs", clob_of_theirs),
    ("BLOBs of 0 B, 100 B, 64 KiB ± 1, 1.2 MB, ours", small_files_of_ours),
    ("BLOB of 50 MB, ours", large_file_of_ours),
    ("message with an attachment, ours", attachment_of_ours),
    ("message with an attachment, theirs: told once, the rest arrives", attachment_of_theirs),
    ("the peer's broken BLOB export: reported, the rest arrives", broken_files_of_theirs),
    ("an object of every standard recipe, ours", standard_recipes_of_ours),
    ("an object of every standard recipe, theirs", standard_recipes_of_theirs),
    ("types unknown here are left out, the rest arrives", unknown_types_of_theirs),
    ("texts of 1 MiB and above", long_texts),
    ("refused types are never offered", refused_types_are_never_offered),
]
