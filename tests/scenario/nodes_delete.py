"""What is deleted is gone on both own nodes, stays gone, and leaves the disk."""
import json
import os
import shutil
import signal

from control import SECRET, Installation, main, until
from nodes import Pair, read, write
from nodes_face import conversation, find, meet, pid_of, reaches, send, start_again, texts

PHOTO = b"photographic " * 20000


def with_two(t, test):
    second = Installation()
    try:
        joe, ann = Pair(t), Pair(second, user="ann")
        meet(joe, ann)
        test(joe, ann)
        assert second.stop() == 0
    finally:
        second.clean()


def holds(pair, node, needle):
    """Whether the bytes lie anywhere in the folder of the node, or the name of such a file."""
    for folder, _, names in os.walk(pair.t.path(node)):
        for name in names:
            try:
                if needle in read(os.path.join(folder, name)):
                    return os.path.join(folder, name)
            except FileNotFoundError:
                pass  # it went meanwhile
    return None


def is_freed(pair, needle):
    for node in ("archive", "sparse"):
        until(lambda: holds(pair, node, needle) is None, f"{needle[:30]} has left the disk of the {node} node")


def both_know(pair, person, text):
    for node in ("archive", "sparse"):
        until(lambda: text in [m["text"] for m in pair.ok("--node", node, "topic", "read", topic_of(pair, person))],
              f"{text} at the {node} node")


def topic_of(pair, person):
    return next(t["topicId"] for t in pair.ok("--node", "archive", "topic", "list") if t["with"] == person)


def talks(pair):
    """Unread messages by persons, as the one face shows it."""
    return {topic["with"]: topic["unread"] for topic in pair.ok("topic", "list")}


def at(pair, node, person):
    return [m["text"] for m in pair.ok("--node", node, "topic", "read", topic_of(pair, person))]


def test_a_deleted_message_is_gone_on_both_nodes_and_from_the_disk(t):
    def run(joe, ann):
        photo = write(os.path.join(t.top, "photo.jpg"), PHOTO)
        send(joe, ann.archive, "it stays", "--wait")
        secret = send(joe, ann.archive, "a word for the shredder", "--attach", photo, "--wait")
        send(ann, joe.archive, "from ann, for the shredder", "--wait")
        both_know(joe, ann.archive, "from ann, for the shredder")
        heard = find(joe, ann.archive, "from ann, for the shredder")
        assert holds(joe, "archive", b"a word for the shredder") and holds(joe, "sparse", b"a word for the shredder")
        assert joe.ok("chat", "delete", secret["id"]) == {}
        assert joe.ok("chat", "delete", heard["id"]) == {}
        assert joe.ok("chat", "delete", heard["id"]) == {}, "again changes nothing"
        assert texts(joe, ann.archive) == ["it stays"]
        until(lambda: at(joe, "archive", ann.archive) == ["it stays"], "the archive follows")
        assert joe.ok("chat", "search", "shredder") == []
        is_freed(joe, b"a word for the shredder")
        is_freed(joe, b"from ann, for the shredder")
        is_freed(joe, PHOTO[:5000])
        assert "a word for the shredder" in texts(ann, joe.archive), "others keep theirs"

        send(ann, joe.archive, "and on it goes", "--wait")
        send(joe, ann.archive, "indeed", "--wait")
        until(lambda: texts(joe, ann.archive) == ["it stays", "and on it goes", "indeed"], "the conversation goes on")
        is_freed(joe, b"a word for the shredder")
        joe.fails("NOT-FOUND", 1, "chat", "delete", "0" * 64)
    with_two(t, run)


def test_the_same_said_again_is_another_message(t):
    def run(joe, ann):
        send(ann, joe.archive, "ok", "--wait")
        send(joe, ann.archive, "yes", "--wait")
        both_know(joe, ann.archive, "ok")
        for text in ("ok", "yes"):
            joe.ok("chat", "delete", find(joe, ann.archive, text)["id"])
        until(lambda: at(joe, "archive", ann.archive) == [], "the archive follows")
        is_freed(joe, b">ok<")
        send(ann, joe.archive, "ok", "--wait")
        send(joe, ann.archive, "yes", "--wait")
        until(lambda: sorted(texts(joe, ann.archive)) == ["ok", "yes"], "they are said again")
        until(lambda: sorted(at(joe, "archive", ann.archive)) == ["ok", "yes"], "at the archive too")
    with_two(t, run)


def test_a_node_that_was_away_follows_and_one_made_again_is_given_nothing_back(t):
    def run(joe, ann):
        photo = write(os.path.join(t.top, "photo.jpg"), PHOTO)
        one = send(joe, ann.archive, "deleted without the archive", "--attach", photo, "--wait")
        two = send(ann, joe.archive, "deleted without the sparse node", "--wait")
        send(ann, joe.archive, "it stays", "--wait")
        both_know(joe, ann.archive, "it stays")
        for node, other, message in (("archive", "sparse", one), ("sparse", "archive", two)):
            pid = pid_of(joe, node)
            os.kill(pid, signal.SIGSTOP)
            joe.ok("--node", other, "chat", "delete", message["id"])
            os.kill(pid, signal.SIGCONT)
        for node in ("archive", "sparse"):
            until(lambda: at(joe, node, ann.archive) == ["it stays"], f"the {node} node follows")
        for needle in (b"deleted without the", PHOTO[:5000]):
            is_freed(joe, needle)
        for node in ("archive", "sparse"):
            assert joe.t.stop() == 0
            shutil.rmtree(joe.t.path(node))
            joe.t.up("--listen", "localhost:0")
            joe.ok("provision", "--recreate", node, stdin=SECRET + "\n")
            until(lambda: at(joe, node, ann.archive) == ["it stays"], f"the {node} node has the rest back")
            send(ann, joe.archive, f"the {node} node is back", "--wait")
            until(lambda: at(joe, node, ann.archive)[-1] == f"the {node} node is back", "the conversation goes on")
            assert joe.ok("--node", node, "chat", "search", "deleted without") == []
            joe.ok("chat", "delete", find(joe, ann.archive, f"the {node} node is back")["id"])
            until(lambda: at(joe, "archive", ann.archive) == ["it stays"], "the archive follows")
            for needle in (b"deleted without the", PHOTO[:5000]):
                is_freed(joe, needle)
    with_two(t, run)


def test_deleted_objects_and_files_do_not_come_back(t):
    pair = Pair(t)
    note = json.dumps({"$type$": "Note", "text": "to be shredded"})
    recipe = {"$type$": "Recipe", "name": "Note", "rule": [{"itemprop": "text", "itemtype": {"type": "string"}}]}
    pair.ok("recipe", "add", write(os.path.join(t.top, "note.json"), json.dumps(recipe).encode()))
    made = pair.ok("object", "put", stdin=note)["hash"]
    photo = pair.ok("blob", "put", write(os.path.join(t.top, "photo.jpg"), PHOTO))["hash"]
    for node in ("archive", "sparse"):
        until(lambda: pair.cli("--node", node, "object", "get", made)[0] == 0, f"the note at the {node} node")
        until(lambda: pair.cli("--node", node, "blob", "get", photo, "-o", os.path.join(t.top, node))[0] == 0, "the file")
    for hash in (made, photo):
        assert pair.ok("object", "delete", hash) == {}
        pair.fails("NOT-FOUND", 1, "object", "delete", hash)
    until(lambda: pair.cli("--node", "archive", "object", "get", made)[0] == 1, "the archive follows")
    for needle in (b"to be shredded", PHOTO[:5000]):
        is_freed(pair, needle)
    pair.fails("REFUSED", 4, "object", "delete", pair.sparse)
    doc = {"$type$": "Doc", "id": "a", "text": "version for the shredder"}
    recipe = {"$type$": "Recipe", "name": "Doc", "rule": [
        {"itemprop": "id", "isId": True, "itemtype": {"type": "string"}}, {"itemprop": "text", "itemtype": {"type": "string"}}]}
    pair.ok("recipe", "add", write(os.path.join(t.top, "doc.json"), json.dumps(recipe).encode()))
    for i in range(3):
        versioned = pair.ok("object", "put", stdin=json.dumps({**doc, "text": f"{doc['text']} {i}"}))["idHash"]
    until(lambda: pair.cli("--node", "archive", "object", "current", versioned)[0] == 0, "the versions at the archive")
    assert pair.ok("object", "delete", versioned) == {}
    until(lambda: pair.cli("--node", "archive", "object", "current", versioned)[0] == 1, "the archive follows")
    is_freed(pair, b"version for the shredder")
    assert pair.cli("object", "current", versioned)[0] == 1
    assert pair.ok("object", "put", stdin=note)["hash"] == made, "it may be stored again"
    assert pair.ok("blob", "put", os.path.join(t.top, "photo.jpg"))["hash"] == photo
    until(lambda: pair.cli("--node", "archive", "object", "get", made)[0] == 0, "which the archive learns")
    until(lambda: pair.cli("--node", "archive", "blob", "get", photo, "-o", os.path.join(t.top, "2"))[0] == 0, "a file too")
    assert read(os.path.join(t.top, "2")) == PHOTO


def lines(path):
    return [json.loads(line) for line in read(path).splitlines()]


def test_a_conversation_is_exported_into_files(t):
    pair = Pair(t)
    photo = write(os.path.join(t.top, "photo.jpg"), PHOTO)
    pair.send_lines("sparse", [f"line {i}" for i in range(30)])
    for i in range(2):
        pair.send("sparse", f"a picture {i}", "--attach", photo)
    evil = pair.ok("--node", "sparse", "blob", "put", write(os.path.join(t.top, "evil"), b"evil"))["hash"]
    pair.t.call("chat.send", node="sparse", to=pair.archive, text="an odd name",
                attachments=[{"hash": evil, "name": "../../etc/\u0007pass/wd\u202egpj", "type": "text/plain"}])
    out = os.path.join(t.top, "out")
    told = pair.ok("--node", "sparse", "chat", "export", out, "--with", pair.archive)
    assert (told["messages"], told["files"], told["missing"]) == (33, 3, 0), told
    messages = lines(os.path.join(out, "messages.jsonl"))
    assert [m["text"] for m in messages] == [f"line {i}" for i in range(30)] + ["a picture 0", "a picture 1", "an odd name"]
    assert messages[0]["name"] == "me" and messages[0]["time"].endswith("Z") and "state" in messages[0]
    files = [m["attachments"][0]["file"] for m in messages[30:]]
    assert len(set(files)) == 3 and all(name.startswith("files/") and name.count("/") == 1 for name in files), files
    assert read(os.path.join(out, files[0])) == read(os.path.join(out, files[1])) == PHOTO
    assert "\u202e" not in files[2] and "202e" in files[2] and messages[32]["attachments"][0]["name"].endswith("\u202egpj")
    assert "\u202e" not in read(os.path.join(out, "messages.jsonl")).decode(), "nothing turns the line round"
    assert read(os.path.join(out, files[2])) == b"evil" and sorted(os.listdir(out)) == ["files", "messages.jsonl"]
    pair.fails("EXISTS", 1, "--node", "sparse", "chat", "export", out, "--with", pair.archive)
    assert sorted(n for n in os.listdir(t.top) if n.startswith("out")) == ["out"], "nothing half done is left"


def test_a_group_that_is_left_is_deleted_and_exported_before(t):
    def run(joe, ann):
        topic = joe.ok("topic", "create", "--name", "crew", "--with", ann.archive)["topicId"]
        until(lambda: topic in [x["topicId"] for x in ann.ok("topic", "list")], "ann is in the group")
        joe.ok("topic", "send", topic, "joe for the shredder")
        ann.ok("topic", "send", topic, "ann for the shredder")
        for who in (joe, ann):
            until(lambda: len(who.ok("topic", "read", topic)) == 2, "both hear both")
        until(lambda: holds(joe, "archive", b"ann for the shredder"), "it is at the archive")
        assert joe.ok("topic", "export", topic, os.path.join(t.top, "crew"))["messages"] == 2
        for name in (topic[:8], "crew"):
            joe.fails("BAD-INPUT", 4, "topic", "leave", name, "--wipe")
        joe.ok("topic", "leave", topic, "--wipe")
        for needle in (b"joe for the shredder", b"ann for the shredder"):
            is_freed(joe, needle)
        for node in ("archive", "sparse"):
            until(lambda: topic not in [x["topicId"] for x in joe.ok("--node", node, "topic", "list")], "it is not listed")
        assert len(ann.ok("topic", "read", topic)) == 2, "others keep theirs"
    with_two(t, run)


def test_a_contact_is_forgotten_with_everything(t):
    def run(joe, ann):
        photo = write(os.path.join(t.top, "photo.jpg"), PHOTO)
        send(ann, joe.archive, "ann for the shredder", "--attach", photo, "--wait")
        send(joe, ann.archive, "joe for the shredder", "--wait")
        both_know(joe, ann.archive, "joe for the shredder")
        joe.fails("USAGE", 2, "contact", "forget", ann.archive[:12], "--wipe")
        joe.ok("contact", "disable", ann.archive)
        send(ann, joe.archive, "ann came too late for the shredder")
        joe.ok("contact", "forget", ann.archive, "--wipe")
        for needle in (b"ann for the shredder", b"joe for the shredder", PHOTO[:5000]):
            is_freed(joe, needle)
        assert conversation(joe, ann.archive) == []
        until(lambda: ann.archive not in talks(joe), "no chat is listed")
        ann.ok("contact", "forget", joe.archive)
        meet(joe, ann)
        send(ann, joe.archive, "after the reunion", "--wait")
        until(lambda: texts(joe, ann.archive) == ["after the reunion"], "only what is said from now on is there")
        assert len(texts(ann, joe.archive)) == 4
        is_freed(joe, b"ann came too late for the shredder")
        until(lambda: talks(joe).get(ann.archive) == 1, "the chat is listed again, with what was not read")
        assert [hit["text"] for hit in joe.ok("chat", "search", "reunion")] == ["after the reunion"]
    with_two(t, run)


def test_a_wiped_installation_names_nobody(t):
    def run(joe, ann):
        send(joe, ann.archive, "hello", "--wait")
        joe.ok("restart", "sparse")
        until(lambda: joe.ok("status")["federated"], "the nodes are federated again")
        write(joe.t.path("log", "archive.log.1"), joe.archive.encode())
        write(joe.t.path("tmp-left"), joe.archive.encode())
        os.makedirs(joe.t.path("replaced-archive", "store"))
        for place in (("replaced-archive", "store", "store.db"), ("replaced-keys.json",)):
            write(joe.t.path(*place), joe.archive.encode())
        names = [p.encode() for p in (joe.archive, joe.sparse, ann.archive, ann.sparse)] + [b"@lama.local"]
        assert any(name in read(joe.t.path("log", "archive.log")) for name in names)
        assert joe.ok("deprovision", "--wipe", "--yes") == {"wiped": True}
        assert not [name for name in os.listdir(joe.t.path()) if name.startswith("replaced-")]
        for folder, _, files in os.walk(joe.t.path()):
            for file in files:
                path = os.path.join(folder, file)
                assert not os.path.isfile(path) or not any(name in read(path) for name in names), path
    with_two(t, run)


def test_a_long_conversation_is_deleted_in_slices(t):
    pair = Pair(t)
    pair.ids = pair.send_lines("sparse", [f"line {i} of many" for i in range(220)])
    pair.arrives("archive", "line 219 of many")
    assert pair.fails("USAGE", 2, "--node", "sparse", "chat", "delete", "--with", pair.archive)
    first = pair.t.call("chat.delete", node="sparse", **{"with": pair.archive})
    assert (first["deleted"], first["more"]) == (200, True) and first["next"] == pair.ids[20], first
    pair.send("sparse", "line 220 of many")
    rest = pair.t.call("chat.delete", node="sparse", before=first["next"], **{"with": pair.archive})
    assert rest == {"deleted": 20, "more": False}, "what came since is newer"
    assert pair.ok("--node", "sparse", "chat", "delete", "--with", pair.archive, "--yes") == {"deleted": 1}
    assert pair.texts("sparse") == []
    until(lambda: pair.texts("archive") == [], "the archive follows")
    is_freed(pair, b"of many<")
    pair.send("archive", "and now for something else")
    pair.arrives("sparse", "and now for something else")
    assert pair.texts("sparse") == ["and now for something else"]


if __name__ == "__main__":
    main(globals())
