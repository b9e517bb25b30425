"""A node that lost its store: made again with its keys, and given back by the other node what it had."""
import json
import os
import shutil
import stat

from control import SECRET, Installation, main, until
from nodes import Friend, Pair, read, talk, write

NEW = "battery staple"


def lose(t, node):
    """The whole folder of a node is gone while nothing runs."""
    assert t.stop() == 0
    shutil.rmtree(t.path(node))
    t.up("--listen", "localhost:0")


def recreate(pair, node, secret=SECRET):
    return pair.ok("provision", "--recreate", node, stdin=secret + "\n")


def who(pair):
    return [pair.ok("--node", node, "id") for node in ("archive", "sparse")]


def copies(t):
    return [read(t.path(f"{node}.keys")) for node in ("archive", "sparse")]


def test_keys_outlive_their_store(t):
    pair = Pair(t)
    known = who(pair)
    for node in ("archive", "sparse"):
        assert stat.S_IMODE(os.stat(t.path(f"{node}.keys")).st_mode) == 0o600
        lose(t, node)
        pair.fails("STORE-MISSING", 1, "provision", stdin=SECRET + "\n")
        made = recreate(pair, node)
        assert made["created"] and made["federated"] and "pairAnew" not in made
        assert who(pair) == known
        pair.send("archive", f"after {node} was lost")
        pair.arrives("sparse", f"after {node} was lost")


def test_copies_of_keys_follow_every_change(t):
    pair = Pair(t)
    first = copies(t)
    pair.ok("secret", "change", stdin=f"{SECRET}\n{NEW}\n")
    second = copies(t)
    assert first[0] != second[0] and first[1] != second[1] and b"next" not in b"".join(second)
    pair.ok("--node", "archive", "identity", "add", "second@example.org")
    until(lambda: copies(t)[0] != second[0], "the copy of the new identity's keys")
    assert copies(t)[0].count(b".sign") == second[0].count(b".sign") + 2
    known = who(pair)
    for node in ("archive", "sparse"):
        lose(t, node)
        recreate(pair, node, NEW)
        assert who(pair) == known


def test_a_copy_that_does_not_open_is_named(t):
    pair = Pair(t)
    path = t.path("sparse.keys")
    good = read(path)
    other = Installation()
    Pair(other)
    foreign = read(other.path("sparse.keys"))
    other.stop()
    other.clean()
    lose(t, "sparse")
    for bad in (good.replace(b".sign ", b".sign 0"), good[:-5], b"", foreign):
        write(path, bad)
        error = pair.fails("BAD-KEY-FILE", 1, "provision", "--recreate", "sparse", stdin=SECRET + "\n")
        assert "copy" in error["message"] and path in error["message"], error
        assert not os.path.exists(t.path("sparse", "store"))
        assert not os.path.exists(t.path("sparse", "private", "keychain_masterkey"))
    write(path, good)
    recreate(pair, "sparse")


def test_without_a_copy_contacts_have_to_pair_anew(t):
    pair = Pair(t)
    other = Installation()
    friend = Pair(other, user="bob")
    invitation = pair.ok("--node", "archive", "invite")
    friend.ok("pair", "-", stdin=json.dumps(invitation))
    until(lambda: any(c["personId"] == friend.archive or c["personId"] == friend.sparse
                      for c in pair.ok("--node", "sparse", "contacts")), "bob at the other node")
    lose(t, "archive")
    os.remove(t.path("archive.keys"))
    made = recreate(pair, "archive")
    assert len(made["pairAnew"]) == 1 and made["pairAnew"][0]["personId"] in (friend.archive, friend.sparse), made
    other.stop()
    other.clean()


# --- everything comes back -------------------------------------------------------------------------------------------

NOTE = {"$type$": "Recipe", "name": "Note", "rule": [
    {"itemprop": "id", "isId": True, "itemtype": {"type": "string"}},
    {"itemprop": "text", "itemtype": {"type": "string"}}]}
NODES = ("archive", "sparse")


def fill(t, pair, node, friend):
    """Something of everything on one node."""
    on = lambda *words, **more: pair.ok("--node", node, *words, **more)
    picture = on("blob", "put", write(os.path.join(t.top, "picture"), f"a picture of {node}".encode() * 999))["hash"]
    on("profile", "set", "--name", f"Joe of the {node}", "--image", picture, "--status", "busy", "--phone", "+43 1")
    recipe = dict(NOTE, name=f"Note-{node}")
    on("recipe", "add", write(os.path.join(t.top, "note.json"), json.dumps(recipe).encode()))
    note = on("object", "put", stdin=json.dumps({"$type$": recipe["name"], "id": "n", "text": f"of {node}"}))
    plain = on("object", "put", stdin=json.dumps({"$type$": "PersonName", "name": f"Ann of {node}"}))
    on("group", "create", f"friends of {node}")
    on("group", "add", f"friends of {node}", friend.person)
    on("share", "grant", "--id", note["idHash"], "--with", friend.person)
    on("share", "grant", "--object", plain["hash"], "--group", f"friends of {node}")
    on("channel", "create", f"log of {node}")
    on("channel", "post", f"log of {node}", stdin=json.dumps({"$type$": "PersonName", "name": "entry"}))
    topic = on("topic", "create", "--name", f"group of {node}", "--with", friend.person)
    on("topic", "send", topic["topicId"], f"welcome to {node}")
    pair.t.call("settings.set", node=node, store=f"app.{node}", key="colour", value="blue")
    on("trust", "certify", "AffirmationCertificate", plain["hash"])


def rows(t, node, method, **params):
    items, after = [], None
    while True:
        page = t.call(method, node=node, limit=1000, **params, **({"after": after} if after else {}))
        items += page["items"]
        after = page.get("next")
        if not after:
            return items


def without(row, *names):
    return {key: value for key, value in row.items() if key not in names}


def canonical(value):
    """Lists are compared as sets: their order is that of coming."""
    if isinstance(value, dict):
        return {key: canonical(member) for key, member in sorted(value.items())}
    if isinstance(value, list):
        return sorted((canonical(member) for member in value), key=lambda m: json.dumps(m, sort_keys=True))
    return value


def dump(pair):
    """All lists of both nodes, but for what is about connections and deliveries, which are a node's own experience, and
    what nodes grant each other by themselves."""
    own = {pair.archive, pair.sparse}
    whole = {}
    for node in NODES:
        t = pair.t
        d = whole[node] = {"id": t.call("id", node=node)}
        d["contacts"] = [without(c, "connected", "lastSeenAt", "level", "instances") |
                         {"instances": [without(i, "connected") for i in c["instances"]]}
                         for c in rows(t, node, "contacts.list")]
        d["profiles"] = [t.call("profile.get", node=node, **({"person": c["personId"]} if c else {}))
                         for c in [None] + d["contacts"]]
        for profile in d["profiles"]:  # names that others replaced may still lie in a merge; which one counts is compared
            profile["descriptions"] = [x for x in profile["descriptions"] if x["type"] != "PersonName"]
            del profile["profile"]
        d["groups"] = rows(t, node, "group.list")
        d["grants"] = [without(g, "persons") | {"persons": sorted(set(g["persons"]) - own)} for g in rows(t, node, "share.list")]
        d["grants"] = [g for g in d["grants"] if g["persons"] or g["groups"]]
        d["recipes"] = rows(t, node, "recipe.list")
        d["identities"] = rows(t, node, "identity.list")
        d["topics"] = rows(t, node, "topic.list")
        d["messages"] = {topic["topicId"]: [
            without(m, "state", "deliveredTo", "states") for m in t.call("topic.read", node=node, topic=topic["topicId"],
                                                                         limit=1000)["items"]] for topic in d["topics"]}
        d["channels"] = rows(t, node, "channel.list")
        d["entries"] = [rows(t, node, "channel.read", id=c["id"], owner=c["owner"] or "none") for c in d["channels"]]
        d["settings"] = {of: rows(t, node, "settings.list", store=f"app.{of}") for of in NODES}
        d["trust"] = [without(k, "certificates") for k in rows(t, node, "trust.list")]
    return canonical(whole)


def differences(one, two, path=""):
    if isinstance(one, dict) and isinstance(two, dict):
        return [line for key in sorted(set(one) | set(two)) for line in differences(one.get(key), two.get(key), f"{path}/{key}")]
    if isinstance(one, list) and isinstance(two, list):
        gone = [m for m in one if m not in two]
        new = [m for m in two if m not in one]
        return [f"{path}: lost {json.dumps(m)[:1500]}" for m in gone] + [f"{path}: new {json.dumps(m)[:1500]}" for m in new]
    return [] if one == two else [f"{path}: {json.dumps(one)[:200]} became {json.dumps(two)[:200]}"]


def steady(pair):
    """What both nodes say once nothing moves any more."""
    last = None
    for _ in range(60):
        pair.ok("wait", "idle")
        now = dump(pair)
        if now == last:
            return now
        last = now
    raise AssertionError(differences(last, dump(pair)))


def is_back(pair, before, node):
    try:
        until(lambda: not differences(before, dump(pair)), f"everything is back at the {node} node")
    except AssertionError as error:
        raise AssertionError("\n".join([str(error), *differences(before, dump(pair))])) from None


def test_everything_comes_back(t):
    pair = Pair(t)
    friends = {node: Friend(pair, node, user) for node, user in (("archive", "bob"), ("sparse", "carol"))}
    try:
        for node in NODES:
            fill(t, pair, node, friends[node])
            talk(pair, friends[node], "before")
        pair.ok("--node", "archive", "identity", "add", "second@example.org")
        before = steady(pair)
        for node in NODES:
            lose(t, node)
            recreate(pair, node)
            is_back(pair, before, node)
            for friend in friends.values():
                talk(pair, friend, f"after {node} was lost")
            before = steady(pair)
    finally:
        for friend in friends.values():
            friend.end()


if __name__ == "__main__":
    main(globals())
