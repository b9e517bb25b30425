"""Conversations between the two own nodes: messages, files, followers, order."""
import hashlib
import json
import os
import subprocess
import threading
import time

from control import BIN, RpcError, main, until, within
from nodes import Pair, read, write


def test_messages_cross_both_ways_with_a_verified_author(t):
    pair = Pair(t)
    pair.send("sparse", "to the archive")
    message = pair.arrives("archive", "to the archive")
    assert message["sender"] == message["author"] == pair.sparse and message["verification"] == "verified"
    pair.send("archive", "to the sparse node")
    message = pair.arrives("sparse", "to the sparse node")
    assert message["sender"] == message["author"] == pair.archive and message["verification"] == "verified"
    assert pair.texts("sparse") == pair.texts("archive") == ["to the archive", "to the sparse node"]


def test_both_sides_talk_at_once_and_end_with_the_same_order(t):
    pair = Pair(t)
    for i in range(10):
        pair.send("sparse", f"s{i}")
        pair.send("archive", f"a{i}")
    until(lambda: len(pair.texts("sparse")) == 20 and pair.texts("sparse") == pair.texts("archive"), "both lists are equal")
    ids = [message["id"] for message in pair.messages("sparse")]
    assert ids == [message["id"] for message in pair.messages("archive")] and len(set(ids)) == 20


def test_followers_whose_clients_are_gone_make_room(t):
    """A node has room for 64 of them."""
    pair = Pair(t)
    pair.send("sparse", "something to follow")
    whom = {"node": "sparse", "with": pair.archive}
    cursor = t.call("chat.since", **whom)["next"]
    for _ in range(3):
        follower = t.client()
        for _ in range(60):
            follower.send("chat.since", **whom, cursor=cursor, waitMs=30000)
        last = follower.send("events.since", limit=1)
        until(lambda: follower.receive()[0] == last, "all are taken in")  # some were refused while the one before left
        follower.close()

    def has_room():
        try:
            return t.call("chat.since", **whom, cursor=cursor, waitMs=1)
        except RpcError as error:
            assert error.code == "BUSY"
    began = time.monotonic()
    until(has_room, "there is room")
    assert time.monotonic() - began < within(10)  # they would have waited for 30 s


def test_files_of_every_size_cross_unchanged(t):
    pair = Pair(t)
    for size in (0, 1, 65535, 65536, 65537, 1200000):
        data = bytes((i * 31 + (i >> 8) * 7 + (i >> 16)) & 255 for i in range(size))
        path = write(os.path.join(t.top, f"file-{size}.bin"), data)
        pair.send("sparse", f"here are {size} bytes", "--attach", path)
        message = pair.arrives("archive", f"here are {size} bytes")
        [attachment] = message["attachments"]
        assert attachment["size"] == size and attachment["name"] == f"file-{size}.bin"
        assert attachment["hash"] == hashlib.sha256(data).hexdigest()
        copy = os.path.join(t.top, "copy")
        pair.ok("--node", "archive", "blob", "get", attachment["hash"], "-o", copy)
        with open(copy, "rb") as file:
            assert file.read() == data
        os.unlink(copy)


def test_a_message_says_something_or_brings_a_file(t):
    pair = Pair(t)
    file = write(os.path.join(t.top, "notes.txt"), b"notes")
    to = ("--node", "sparse", "chat", "send", "--to", pair.archive)
    for nothing in ("", "  ", "\n\t"):
        assert "empty" in pair.fails("BAD-INPUT", 4, *to, nothing)["message"]
        assert "empty" in pair.fails("BAD-INPUT", 4, "--node", "sparse", "topic", "send", pair.archive, nothing)["message"]
    pair.fails("USAGE", 2, *to)
    pair.fails("USAGE", 2, *to, "--stdin", "text")
    pair.ok(*to, "--attach", file)
    topic = pair.ok("topic", "create", "--name", "notes", "--with", pair.archive)["topicId"]
    pair.fails("USAGE", 2, "topic", "send", topic)
    pair.ok("topic", "send", topic, "--attach", file)
    pair.send("sparse", "first line\nsecond \x1b[31m\n")
    assert "first line\n" + 21 * " " + "second \\x1b[31m\n" in t.cli("--node", "sparse", "chat", "list", "--with", pair.archive)[1]
    assert pair.send_lines("sparse", ["one", "  ", "two"])
    pair.arrives("archive", "two")
    assert [(m["text"], len(m["attachments"])) for m in pair.messages("archive")] == [
        ("", 1), ("first line\nsecond \x1b[31m\n", 0), ("one", 0), ("two", 0)]
    assert [(m["text"], len(m["attachments"])) for m in pair.ok("topic", "read", topic)] == [("", 1)]


def test_pictures_take_their_thumbnails_along(t):
    pair = Pair(t)
    file = lambda name: write(os.path.join(t.top, name), name.encode())
    pair.fails("USAGE", 2, "chat", "send", "--to", pair.archive, "x", "--thumbnail", file("s.png"))
    pair.send("sparse", "look", "--attach", file("notes.txt"), "--attach", file("photo.jpg"), "--thumbnail", file("s.png"))
    first, second = pair.arrives("archive", "look")["attachments"]
    assert first["name"] == "photo.jpg" and second["name"] == "notes.txt" and "thumbnail" not in second
    assert first["thumbnail"] == {"hash": hashlib.sha256(b"s.png").hexdigest(), "type": "image/png"}
    copy = os.path.join(t.top, "copy")
    pair.ok("--node", "archive", "blob", "get", first["thumbnail"]["hash"], "-o", copy)
    assert read(copy) == b"s.png"


def test_a_follower_sees_each_message_once(t):
    pair = Pair(t)
    pair.send("sparse", "before")
    pair.arrives("archive", "before")
    follower = subprocess.Popen(
        [os.path.join(BIN, "tandem"), "--json", "--node", "archive", "chat", "follow", "--with", pair.sparse],
        env=t.environment, stdout=subprocess.PIPE, text=True)
    try:
        # A follower that has not begun yet would miss the first ones: send until it shows the first.
        import threading
        seen = []
        reader = threading.Thread(target=lambda: [seen.append(json.loads(line)) for line in follower.stdout], daemon=True)
        reader.start()
        count = 0
        while not seen and count < 200:
            pair.send("sparse", f"n{count}")
            count += 1
        pair.send("sparse", "last")
        until(lambda: any(m["text"] == "last" for m in seen), "the follower shows the last message")
        texts = [m["text"] for m in seen]
        first = int(texts[0][1:])
        assert texts == [f"n{i}" for i in range(first, count)] + ["last"], texts
    finally:
        follower.kill()
        follower.wait()
        follower.stdout.close()


def test_many_messages_from_standard_input(t):
    pair = Pair(t)
    lines = [f"line {i}" for i in range(1010)]
    assert len(set(pair.send_lines("sparse", lines))) == 1010
    listed = lambda limit: [m["text"] for m in pair.messages("archive", limit=limit)]
    until(lambda: listed(2000) == lines, "all lines are there in order")
    assert listed(1001) == lines[-1001:]  # more than one page of the control line
    page = pair.messages("archive", limit=10)
    assert [m["text"] for m in page] == lines[-10:]
    pair.fails("BAD-PARAMS", 2, "--node", "archive", "chat", "list", "--with", pair.sparse, "--limit", "0")
    older = pair.ok("--node", "archive", "chat", "list", "--with", pair.sparse, "--limit", "5", "--before", page[0]["id"])
    assert [m["text"] for m in older] == lines[-15:-10]


def test_the_same_request_twice_sends_once(t):
    pair = Pair(t)
    first = t.call("chat.send", node="sparse", to=pair.archive, text="only once", opId="op-1")
    assert t.call("chat.send", node="sparse", to=pair.archive, text="only once", opId="op-1") == first
    pair.arrives("archive", "only once")
    assert pair.texts("archive") == ["only once"] == pair.texts("sparse")


def test_many_readers_do_not_keep_messages_back(t):
    pair = Pair(t)
    over = threading.Event()
    sent = t.client()

    def read():
        client = t.client()
        while not over.is_set():
            client.call("chat.list", node="archive", **{"with": pair.sparse})

    readers = [threading.Thread(target=read, daemon=True) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        for i in range(30):
            begun = time.monotonic()
            sent.call("chat.send", node="archive", to=pair.sparse, text=f"message {i}")
            assert time.monotonic() - begun < within(10), "a write waits for turns, not for the end of all reading"
    finally:
        over.set()
    for reader in readers:
        reader.join()


if __name__ == "__main__":
    main(globals())
