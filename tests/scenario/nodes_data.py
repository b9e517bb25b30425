"""Objects, versions, recipes, files, sharing, channels, groups, topics, trust: the everyday commands on real nodes."""
import hashlib
import json
import os

from control import main, until
from nodes import Pair, dumps, write

NOTE = {"$type$": "Recipe", "name": "Note", "rule": [
    {"itemprop": "id", "isId": True, "itemtype": {"type": "string"}},
    {"itemprop": "text", "itemtype": {"type": "string"}}]}


def test_objects_are_stored_and_versions_listed(t):
    pair = Pair(t)
    stored = pair.ok("object", "put", stdin=dumps({"$type$": "PersonName", "name": "Ann <b> & co"}))
    assert stored["status"] == "new" and stored["idHash"] is None
    again = pair.ok("object", "put", stdin=dumps({"$type$": "PersonName", "name": "Ann <b> & co"}))
    assert again == {**stored, "status": "exists"}
    shown = pair.ok("object", "get", stored["hash"][:10])
    assert shown["object"] == {"$type$": "PersonName", "name": "Ann <b> & co"} and shown["type"] == "PersonName"
    assert hashlib.sha256(shown["microdata"].encode()).hexdigest() == stored["hash"]
    versions = [pair.ok("object", "put", stdin=dumps({"$type$": "Person", "email": "x@y", "name": n})) for n in ("a", "b")]
    assert versions[0]["idHash"] == versions[1]["idHash"]
    assert pair.ok("object", "current", versions[0]["idHash"])["hash"] == versions[1]["hash"]
    listed = pair.ok("object", "versions", versions[0]["idHash"])
    assert [v["hash"] for v in listed] == [versions[1]["hash"], versions[0]["hash"]]
    assert [v["nodeType"] for v in listed] == ["VersionNodeChange", "VersionNodeEdge"]


def test_status_counts_what_was_stored_just_now(t):
    pair = Pair(t)
    for number in range(5):
        before = t.call("status")["sparse"]["objects"]
        pair.ok("object", "put", stdin=dumps({"$type$": "PersonName", "name": f"Ann {number}"}))
        assert t.call("status")["sparse"]["objects"] > before


def test_bad_objects_are_refused_and_nothing_changes(t):
    pair = Pair(t)
    before = t.call("status")["sparse"]["objects"]
    for bad in ({"$type$": "NoSuchType"}, {"$type$": "PersonName"}, {"$type$": "PersonName", "name": 5}, {"name": "x"}):
        status, result = pair.cli("object", "put", stdin=dumps(bad))
        assert status != 0 and result["error"]["code"], bad
    status, result = pair.cli("object", "put", stdin="{not json")
    assert status != 0
    pair.fails("OR-GR1", 1, "object", "put", stdin=dumps({"$type$": "Nothing", "id": "n1"}))
    pair.fails("NOT-FOUND", 1, "object", "get", "ab" * 32)
    assert t.call("status")["sparse"]["objects"] == before


def test_a_recipe_is_known_to_both_nodes_and_survives_a_restart(t):
    pair = Pair(t)
    added = pair.ok("recipe", "add", write(os.path.join(t.top, "note.json"), dumps(NOTE).encode()))
    assert added["name"] == "Note" and added["status"] == "new"
    for node in ("sparse", "archive"):
        assert any(r["name"] == "Note" for r in pair.ok("--node", node, "recipe", "list"))
    pair.ok("restart", "sparse")
    note = pair.ok("object", "put", stdin=dumps({"$type$": "Note", "id": "n1", "text": "one"}))
    assert note["idHash"]


def test_blobs_keep_their_bytes(t):
    pair = Pair(t)
    for size in (0, 100, 600000):
        data = os.urandom(size)
        path = write(os.path.join(t.top, "in"), data)
        stored = pair.ok("blob", "put", path)
        assert stored == {"hash": hashlib.sha256(data).hexdigest(), "size": size}
        out = os.path.join(t.top, f"out{size}")
        pair.ok("blob", "get", stored["hash"], "-o", out)
        with open(out, "rb") as file:
            assert file.read() == data


def test_a_piece_may_carry_an_op_id(t):
    """Clients that give one to whatever changes something."""
    Pair(t)
    blob = t.call("blob.begin", opId="begin")["blob"]
    piece = {"blob": blob, "offset": 0, "data": "cGllY2U=", "opId": "piece"}
    assert t.call("blob.chunk", **piece) == t.call("blob.chunk", **piece) == {"size": 5}
    assert t.call("blob.commit", blob=blob, opId="commit")["hash"] == hashlib.sha256(b"piece").hexdigest()


def archive_of(pair):
    """Commands for the archive: what is put there the sparse node gets only if it is granted."""
    return lambda *words, **more: pair.ok("--node", "archive", *words, **more)


def test_granting_shows_a_root_and_revoking_hides_it(t):
    pair = Pair(t)
    on = archive_of(pair)
    name = on("object", "put", stdin=dumps({"$type$": "PersonName", "name": "shared"}))
    roots = lambda: on("roots", "--for", pair.sparse)
    assert not any(r.get("hash") == name["hash"] for r in roots())
    on("share", "grant", "--object", name["hash"], "--with", pair.sparse)
    assert {"type": "unversioned", "hash": name["hash"], "oneType": "PersonName"} in roots()
    assert any(g["hash"] == name["hash"] and pair.sparse in g["persons"] for g in on("share", "list"))
    until(lambda: pair.cli("--node", "sparse", "object", "get", name["hash"])[0] == 0, "the sparse node has it")
    on("share", "revoke", "--object", name["hash"], "--with", pair.sparse)
    assert not any(r.get("hash") == name["hash"] for r in roots())


def note(pair, text):
    return archive_of(pair)("object", "put", stdin=dumps({"$type$": "Note", "id": "n1", "text": text}))


def has(pair, node, hash):
    return pair.cli("--node", node, "object", "get", hash)[0] == 0


def test_what_a_group_may_read_follows_its_members(t):
    pair = Pair(t)
    on = archive_of(pair)
    roots = lambda: [r.get("idHash") for r in on("roots", "--for", pair.sparse)]
    on("recipe", "add", write(os.path.join(t.top, "note.json"), dumps(NOTE).encode()))
    first = note(pair, "one")
    group = on("group", "create", "readers")["groupId"]
    on("share", "grant", "--id", first["idHash"], "--group", "readers")
    assert any(g["hash"] == first["idHash"] and g["groups"] == [group] for g in on("share", "list"))
    assert first["idHash"] not in roots()
    on("group", "add", "readers", pair.sparse)
    assert first["idHash"] in roots()
    until(lambda: has(pair, "sparse", first["hash"]), "the new member gets what there is")
    second = note(pair, "two")
    until(lambda: has(pair, "sparse", second["hash"]), "and what comes later")
    on("group", "remove", "readers", pair.sparse)
    assert first["idHash"] not in roots()
    third = note(pair, "three")
    pair.send("archive", "later than the third")
    pair.arrives("sparse", "later than the third")
    assert not has(pair, "sparse", third["hash"]), "a former member goes on getting versions"
    on("group", "add", group, pair.sparse)
    until(lambda: has(pair, "sparse", third["hash"]), "who is back gets everything")
    on("share", "revoke", "--id", first["idHash"], "--group", group)
    assert first["idHash"] not in roots()
    assert not any(g["hash"] == first["idHash"] and g["groups"] for g in on("share", "list"))


def test_what_is_put_on_the_sparse_node_is_kept_by_the_archive(t):
    pair = Pair(t)
    pair.ok("recipe", "add", write(os.path.join(t.top, "note.json"), dumps(NOTE).encode()))
    versions = [pair.ok("object", "put", stdin=dumps({"$type$": "Note", "id": "n1", "text": text})) for text in ("a", "b")]
    plain = pair.ok("object", "put", stdin=dumps({"$type$": "PersonName", "name": "kept"}))
    data = os.urandom(300000)
    file = pair.ok("blob", "put", write(os.path.join(t.top, "file"), data))
    for stored in (*versions, plain):
        until(lambda: has(pair, "archive", stored["hash"]), "the archive has the object")
    until(lambda: pair.cli("--node", "archive", "blob", "get", file["hash"], "-o", os.path.join(t.top, "out"))[0] == 0,
          "the archive has the file")
    with open(os.path.join(t.top, "out"), "rb") as kept:
        assert kept.read() == data
    until(lambda: pair.ok("--node", "archive", "object", "versions", versions[0]["idHash"]) ==
          pair.ok("object", "versions", versions[0]["idHash"]), "and all versions")


def test_an_entry_that_no_answer_holds_hides_none(t):
    pair = Pair(t)
    pair.ok("channel", "create", "c")
    texts = ["old", "x" * (8 * 1024 * 1024 - 300), "new"]
    ids = [t.call("channel.post", node="sparse", id="c", object={"$type$": "PersonName", "name": text})["hash"]
           for text in texts]
    page = t.call("channel.read", node="sparse", id="c")
    assert [item["hash"] for item in page["items"]] == ids[::-1] and "next" not in page
    assert [(item["truncated"], (item["object"] or {}).get("name")) for item in page["items"]] == [
        (False, "new"), (True, None), (False, "old")]


def test_groups_are_kept_from_their_beginning(t):
    """Also while nobody is in one, or only the user."""
    pair = Pair(t)
    at = lambda node: {g["name"]: g["persons"] for g in pair.ok("--node", node, "group", "list")}
    made = pair.ok("group", "create", "nobody yet")["groupId"]
    again = pair.fails("EXISTS", 1, "group", "create", "nobody yet")
    assert made[:12] in again["message"] and [g["groupId"] for g in pair.ok("group", "list")].count(made) == 1, again
    pair.ok("group", "create", "myself")
    pair.ok("group", "add", "myself", pair.sparse)
    until(lambda: at("archive").get("nobody yet") == [], "the archive has the empty group")
    until(lambda: at("archive").get("myself") == [pair.sparse], "and the one of the user alone")


def test_grants_and_groups_hold_at_both_nodes(t):
    pair = Pair(t)
    name = pair.ok("object", "put", stdin=dumps({"$type$": "PersonName", "name": "shared"}))
    person = pair.ok("object", "put", stdin=dumps({"$type$": "Person", "email": "somebody@else"}))["idHash"]
    shown = lambda node: any(r.get("hash") == name["hash"] for r in pair.ok("--node", node, "roots", "--for", person))
    pair.ok("share", "grant", "--object", name["hash"], "--with", person)
    until(lambda: shown("archive"), "what the sparse node grants the archive shows")
    pair.ok("--node", "archive", "share", "revoke", "--object", name["hash"], "--with", person)
    until(lambda: not shown("sparse"), "what the archive takes back is taken back")
    pair.ok("group", "create", "readers")
    pair.ok("group", "add", "readers", person)
    pair.ok("--node", "sparse", "share", "grant", "--object", name["hash"], "--group", "readers")
    until(lambda: shown("archive"), "groups hold as well")
    pair.ok("group", "remove", "readers", person)
    until(lambda: not shown("archive"), "and who has left them")


def test_grants_name_one_person_or_group(t):
    pair = Pair(t)
    name = pair.ok("object", "put", stdin=dumps({"$type$": "PersonName", "name": "shared"}))["hash"]
    pair.fails("NOT-FOUND", 1, "share", "grant", "--object", name, "--group", "nobody knows")
    pair.fails("USAGE", 2, "share", "grant", "--object", name)
    pair.fails("USAGE", 2, "share", "grant", "--object", name, "--group", "everyone", "--with", pair.archive)
    pair.ok("share", "grant", "--object", name, "--group", "everyone")
    until(lambda: has(pair, "archive", name), "the contacts are in everyone")


def test_a_file_is_granted_like_an_object(t):
    pair = Pair(t)
    file = pair.ok("blob", "put", "-", stdin="for everyone")["hash"]
    granted = lambda: [g for g in pair.ok("share", "list") if g["file"] == file and (g["persons"] or g["groups"])]
    person = pair.ok("object", "put", stdin=dumps({"$type$": "Person", "email": "somebody@else"}))["idHash"]
    group = pair.ok("group", "create", "readers", "--person", person)["groupId"]
    pair.ok("share", "grant", "--object", file, "--with", person)
    pair.ok("share", "grant", "--object", file[:12], "--group", "readers")
    [grant] = granted()
    assert grant["kind"] == "object" and person in grant["persons"] and grant["groups"] == [group], grant
    roots = lambda: [r.get("hash") for r in pair.ok("--node", "archive", "roots", "--for", person)]
    until(lambda: grant["hash"] in roots(), "the person would be offered it")
    pair.ok("share", "revoke", "--object", file, "--with", person)
    pair.ok("share", "revoke", "--object", file, "--group", "readers")
    assert all(person not in g["persons"] and g["groups"] == [] for g in granted())
    until(lambda: grant["hash"] not in roots(), "no more")


def test_what_either_node_has_is_there_for_the_installation(t):
    pair = Pair(t)
    at_archive = lambda *words, stdin: pair.ok("--node", "archive", *words, stdin=stdin)
    file = at_archive("blob", "put", "-", stdin="kept by the archive")["hash"]
    object = at_archive("object", "put", stdin=dumps({"$type$": "PersonName", "name": "kept by it, too"}))["hash"]
    pair.fails("NOT-FOUND", 1, "--node", "sparse", "object", "get", object)
    pair.fails("NOT-FOUND", 1, "--node", "sparse", "blob", "get", file, "-o", os.path.join(t.top, "none"))
    assert pair.ok("object", "get", object[:12])["object"]["name"] == "kept by it, too"
    pair.ok("blob", "get", file, "-o", os.path.join(t.top, "copy"))
    with open(os.path.join(t.top, "copy")) as copy:
        assert copy.read() == "kept by the archive"
    pair.fails("NOT-FOUND", 1, "object", "get", "ab" * 32)


def test_profile_names_reach_the_other_node(t):
    pair = Pair(t)
    pair.ok("profile", "set", "--name", "Joe at the desk")
    until(lambda: any(c["name"] == "Joe at the desk" for c in pair.ok("--node", "archive", "contacts")),
          "the archive knows the name")


def test_a_profile_has_one_of_each(t):
    pair = Pair(t)
    image = pair.ok("blob", "put", write(os.path.join(t.top, "me.png"), b"a picture"))["hash"]
    options = {"name": "Joe", "status": "busy", "organisation": "ACME", "image": image, "mail": "joe@x.org", "phone": "+43"}
    types = {"name": "PersonName", "status": "PersonStatus", "organisation": "OrganisationName", "image": "ProfileImage",
             "mail": "Email", "phone": "PhoneNumber"}

    def shown(node="sparse"):
        profile = pair.ok("--node", node, "profile", "get", pair.sparse)
        return sorted(item["type"] for item in profile["descriptions"] + profile["endpoints"] if item["type"] in types.values())

    pair.ok("profile", "set", *[word for name, value in options.items() for word in ("--" + name, value)])
    assert shown() == sorted(types.values())
    until(lambda: shown("archive") == sorted(types.values()), "the archive has all of it")
    profile = pair.ok("profile", "set", "--status", "here", "--mail", "joe@y.org")
    assert [d["value"] for d in profile["descriptions"] if d["type"] == "PersonStatus"] == ["here"]
    assert [d["email"] for d in profile["endpoints"] if d["type"] == "Email"] == ["joe@y.org"]
    pair.fails("NOT-FOUND", 1, "profile", "set", "--image", "ab" * 32)
    for name in options:
        pair.ok("profile", "set", "--" + name, "")
    assert shown() == []
    until(lambda: shown("archive") == [], "what is removed is removed at the archive, too")


def test_the_latest_name_counts_everywhere(t):
    pair = Pair(t)
    for name in ("Ann", "Bea", "Cleo", "Ann"):  # a merge keeps all of them; their hashes are in another order
        pair.ok("profile", "set", "--name", name)
        until(lambda: name in [c["name"] for c in pair.ok("--node", "archive", "contacts")], f"the archive knows {name}")


def test_channels_are_created_posted_to_and_read(t):
    pair = Pair(t)
    pair.ok("channel", "create", "diary")
    for text in ("one", "two"):
        pair.ok("channel", "post", "diary", stdin=dumps({"$type$": "PersonName", "name": text}))
    entries = pair.ok("channel", "read", "diary")
    assert [e["object"]["name"] for e in entries] == ["two", "one"]
    assert all(e["author"] == pair.sparse for e in entries)
    assert any(c["id"] == "diary" and c["owner"] == pair.sparse for c in pair.ok("channel", "list"))


def test_a_node_has_several_identities(t):
    pair = Pair(t)
    work = pair.ok("--node", "sparse", "identity", "add", "work@x.org", "--instance", "desk")
    assert pair.ok("--node", "sparse", "identity", "add", "work@x.org", "--instance", "desk") == work and not work["main"]
    pair.ok("channel", "create", "log", "--owner", work["personId"])
    post = lambda text, *options: pair.ok("channel", "post", "log", *options,
                                          stdin=dumps({"$type$": "PersonName", "name": text}))
    post("by work", "--as", work["personId"])
    pair.ok("restart", "sparse")
    post("again", "--as", "work@x.org")
    entries = pair.ok("channel", "read", "log", "--owner", work["personId"])
    assert [(e["object"]["name"], e["author"], e["verification"]) for e in entries] == [
        ("again", work["personId"], "verified"), ("by work", work["personId"], "verified")]

    def archive_believes_it():
        status, found = pair.cli("--node", "archive", "channel", "read", "log")
        return status == 0 and [e["verification"] for e in found] == ["verified"] * 2

    until(archive_believes_it, "the archive takes it over")
    main, other = pair.ok("--node", "sparse", "identity", "list")
    assert main["personId"] == pair.sparse and main["main"] and other == work
    assert work["personId"] not in [c["personId"] for c in pair.ok("contacts")]
    pair.fails("EXISTS", 1, "--node", "sparse", "identity", "add", pair.ok("--node", "archive", "id")["email"])
    pair.fails("EXISTS", 1, "--node", "sparse", "identity", "add", pair.ok("id")["email"])
    for odd in ("a\nb@x.org", "a@x.org\u202egro", "a\u0085@x.org", " a@x.org", "a@x.org\t"):
        for words in ((odd,), ("odd@x.org", "--name", odd), ("odd@x.org", "--instance", odd)):
            pair.fails("BAD-TEXT", 4, "identity", "add", *words)
    assert "odd@x.org" not in [i["email"] for i in pair.ok("identity", "list")]
    status, result = pair.cli("channel", "post", "log", "--as", pair.archive,
                              stdin=dumps({"$type$": "PersonName", "name": "x"}))
    assert result["error"]["code"] == "NOT-FOUND", result


def test_own_nodes_share_settings(t):
    pair = Pair(t)
    listed = lambda node: {s["key"]: s["value"] for s in pair.ok("--node", node, "settings", "list", "my.app")}
    assert listed("sparse") == {}
    pair.ok("settings", "set", "my.app", "theme", "dark")
    pair.ok("settings", "set", "my.app", "empty", "")
    until(lambda: listed("archive") == {"theme": "dark", "empty": ""}, "the archive has them")
    pair.ok("--node", "archive", "settings", "set", "my.app", "theme", "light")
    until(lambda: pair.ok("settings", "get", "my.app", "theme") == {"value": "light"}, "and changes one")
    pair.fails("NOT-FOUND", 1, "settings", "get", "my.app", "none")
    pair.fails("REFUSED", 4, "settings", "set", "trust.withdrawn." + pair.sparse, "x", "y")


def test_groups_and_group_topics(t):
    pair = Pair(t)
    pair.ok("group", "create", "friends")
    pair.ok("group", "add", "friends", pair.archive)
    [group] = [g for g in pair.ok("group", "list") if g["name"] == "friends"]
    assert group["persons"] == [pair.archive]
    pair.ok("group", "remove", "friends", pair.archive)
    [group] = [g for g in pair.ok("group", "list") if g["name"] == "friends"]
    assert group["persons"] == []


def test_topics_want_somebody(t):
    pair = Pair(t)
    pair.fails("USAGE", 2, "topic", "create", "--name", "alone")
    pair.fails("USAGE", 2, "topic", "create", "--everyone", "--with", pair.archive)
    pair.fails("NOT-FOUND", 1, "topic", "create", "--name", "x", "--group", "nobody knows")


def test_trust_tells_why(t):
    pair = Pair(t)
    keys = {k["personId"]: k for k in pair.ok("trust", "list")}
    assert keys[pair.sparse]["trusted"] and keys[pair.sparse]["reason"] == "root key"
    assert keys[pair.archive]["trusted"]
    status, table, _ = t.cli("trust", "list")
    assert [c["issuer"] for c in keys[pair.archive]["certificates"]] == [pair.sparse], keys
    rows = [line for line in table.splitlines() if line.startswith(pair.archive[:12])]
    assert status == 0 and rows and all(row.rstrip().endswith("certified: TrustKeysCertificate") for row in rows), table


def test_certificates_of_every_type_are_signed_and_verified(t):
    pair = Pair(t)
    note = pair.ok("object", "put", stdin=dumps({"$type$": "PersonName", "name": "signed"}))["hash"]
    person = pair.ok("object", "put", stdin=dumps({"$type$": "Person", "email": "x@y"}))
    profile = pair.ok("object", "current", pair.ok("profile", "get")["profile"])["hash"]
    right = "RightToDeclareTrustedKeysFor"
    cases = [("AffirmationCertificate", note, {}), ("TrustKeysCertificate", profile, {}),
             (right + "EverybodyCertificate", person["idHash"], {}), (right + "SelfCertificate", person["idHash"], {}),
             ("RelationCertificate", person["idHash"], {"app": "a", "relation": "friend", "person1": pair.sparse}),
             ("AccessUnversionedObjectCertificate", note, {"person": person["idHash"]}),
             ("AccessVersionedObjectCertificate", person["idHash"], {"person": pair.sparse})]
    for kind, subject, fields in cases:
        signed = pair.ok("trust", "certify", kind, subject, "--fields", dumps(fields))
        stored = pair.ok("object", "get", signed["certificate"])["object"]
        assert stored["$type$"] == kind and subject in stored.values(), stored
        assert pair.ok("object", "get", stored["license"])["type"] == "License"
        assert {**fields, **stored} == stored
        [mine] = [s for s in pair.ok("trust", "verify", subject) if (s["issuer"], s["certificate"]) == (pair.sparse, kind)]
        assert (mine["trusted"], mine["reason"], mine["keyReason"]) == (True, "", "root key"), mine
    for kind, subject, fields in (("License", note, {}), ("AffirmationCertificate", note, {"license": note}),
                                  ("AffirmationCertificate", note, {"$type$": "Keys"})):
        pair.fails("BAD-PARAMS", 2, "trust", "certify", kind, subject, "--fields", dumps(fields))
    pair.fails("NOT-FOUND", 1, "trust", "certify", "AffirmationCertificate", "ab" * 32)
    status, result = pair.cli("trust", "certify", "RelationCertificate", person["idHash"])
    assert status == 4 and "app" in result["error"]["message"], result


def test_everything_can_be_watched(t):
    pair = Pair(t)
    [connection] = [c for c in pair.ok("connections") if c["protocol"] == "chum"]
    assert connection["remotePersonId"] == pair.archive and connection["live"] and connection["direction"] == "out"
    assert pair.ok("stats")["global"]["activeConnections"] == 1
    assert pair.cli("health")[0] == 0
    status, out, err = t.cli("metrics")
    assert status == 0 and "tandem_" in out
    names = [json.loads(line)["event"] for line in t.cli("--json", "events")[1].splitlines()]
    assert "nodes.federated" in names and "pairing.accepted" in names
    assert t.cli("report")[0] == 0 and t.cli("doctor")[0] == 0


def test_a_beginning_that_two_ids_share_is_ambiguous(t):
    pair = Pair(t)
    one, two = (pair.ok("blob", "put", "-", stdin=text)["hash"] for text in ("69235", "95303"))
    assert one[:8] == two[:8]
    error = pair.fails("AMBIGUOUS-ID", 4, "object", "get", one[:8])
    assert one[:20] in error["message"] and two[:20] in error["message"]
    length = next(n for n in range(8, 64) if one[:n] != two[:n])
    assert pair.ok("blob", "get", one[:length], "-o", os.path.join(t.top, "out"))["hash"] == one
    pair.fails("BAD-ID", 4, "object", "get", one[:7])
    name = pair.ok("object", "put", stdin=dumps({"$type$": "PersonName", "name": "shared"}))["hash"]
    pair.ok("share", "grant", "--object", f" {name[:12].upper()}\n", "--with", pair.archive[:12])
    [grant] = [g for g in pair.ok("share", "list") if g["hash"] == name]
    assert grant["persons"] == [pair.archive]


def test_what_the_nodes_keep_is_private(t):
    pair = Pair(t)
    pair.ok("blob", "put", "-", stdin="private")
    for top, _, names in os.walk(t.dir):
        for path in (top, *(os.path.join(top, name) for name in names)):
            try:
                mode = os.lstat(path).st_mode
            except FileNotFoundError:
                continue  # removed meanwhile
            assert mode & 0o077 == 0, path


if __name__ == "__main__":
    main(globals())
